//! Whether the value of a body is a failure, judged by its type and not by how the type is spelled.

/// A value that a body yielded.
///
/// For a `Result` the method below is found first; for everything else the trait's.
#[derive(Debug)]
pub struct Outcome<'a, T>(pub &'a T);

impl<T, E> Outcome<'_, Result<T, E>> {
    /// Whether the body failed.
    #[must_use]
    pub const fn __dexcost_failed(&self) -> bool {
        self.0.is_err()
    }
}

/// Values that cannot say that they are failures.
pub trait Otherwise {
    /// Whether the body failed.
    fn __dexcost_failed(&self) -> bool;
}

impl<T> Otherwise for Outcome<'_, T> {
    fn __dexcost_failed(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_err_is_a_failure_whatever_the_result_is_called() {
        let read: std::io::Result<u8> = Err(std::io::ErrorKind::NotFound.into());
        assert!(Outcome(&read).__dexcost_failed());
        assert!(!Outcome(&Ok::<u8, ()>(1)).__dexcost_failed());
        assert!(!Outcome(&None::<u8>).__dexcost_failed());
        assert!(!Outcome(&Some(Err::<(), ()>(()))).__dexcost_failed());
    }
}
