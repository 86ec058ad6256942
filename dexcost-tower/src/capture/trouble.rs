//! Why the inner service failed, in canonical words.

use std::any::Any;
use std::error::Error;
use std::io;

use dexcost::ErrorType;

type BoxError = Box<dyn Error + Send + Sync>;

/// Why a call failed, from whatever error the inner service or body gave.
///
/// The error type of a service is anything at all; where it is one that can be looked into, it is.
/// What is left is a connection that failed: the response never came, or broke off.
pub(super) fn of<E: 'static>(error: &E) -> ErrorType {
    let error: &dyn Any = error;
    #[cfg(feature = "reqwest")]
    if let Some(error) = error.downcast_ref::<reqwest::Error>() {
        return of_reqwest(error);
    }
    #[cfg(feature = "reqwest-middleware")]
    if let Some(error) = error.downcast_ref::<reqwest_middleware::Error>() {
        return match error {
            reqwest_middleware::Error::Reqwest(error) => of_reqwest(error),
            reqwest_middleware::Error::Middleware(error) => of_chain(error.as_ref()),
        };
    }
    #[cfg(feature = "aws")]
    if let Some(error) = error.downcast_ref::<aws_smithy_runtime_api::client::result::ConnectorError>() {
        return of_connector(error);
    }
    if let Some(error) = error.downcast_ref::<BoxError>() {
        return of_chain(&**error);
    }
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return of_chain(error);
    }
    ErrorType::ConnectionError
}

/// Errors that have more causes than this go round in circles.
const DEEPEST: usize = 32;

fn of_chain(error: &(dyn Error + 'static)) -> ErrorType {
    let causes = std::iter::successors(Some(error), |error: &&(dyn Error + 'static)| (*error).source());
    for error in causes.take(DEEPEST) {
        #[cfg(feature = "reqwest-middleware")]
        if let Some(reqwest_middleware::Error::Reqwest(error)) = error.downcast_ref() {
            return of_reqwest(error);
        }
        #[cfg(feature = "reqwest")]
        if let Some(error) = error.downcast_ref::<reqwest::Error>() {
            return of_reqwest(error);
        }
        if is_timeout(error) {
            return ErrorType::Timeout;
        }
    }
    ErrorType::ConnectionError
}

/// The timeouts of tower and tokio are types of crates that this one does not need otherwise, so
/// they are known by their words ("request timed out", "deadline has elapsed").
fn is_timeout(error: &(dyn Error + 'static)) -> bool {
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return error.kind() == io::ErrorKind::TimedOut;
    }
    let words = error.to_string();
    words.contains("timed out") || words.contains("deadline has elapsed")
}

#[cfg(feature = "aws")]
fn of_connector(error: &aws_smithy_runtime_api::client::result::ConnectorError) -> ErrorType {
    if error.is_timeout() {
        ErrorType::Timeout
    } else if error.is_user() {
        ErrorType::InvalidRequest
    } else {
        ErrorType::ConnectionError
    }
}

/// An error of a body that ureq reads: its own, inside one of the standard library.
#[cfg(feature = "ureq")]
pub(super) fn of_io(error: &io::Error) -> ErrorType {
    match error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<ureq::Error>())
    {
        Some(error) => of_ureq(error),
        None => of_chain(error),
    }
}

#[cfg(feature = "ureq")]
pub(super) fn of_ureq(error: &ureq::Error) -> ErrorType {
    match error {
        ureq::Error::Timeout(_) => ErrorType::Timeout,
        ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::BodyExceedsLimit(_) => {
            ErrorType::InvalidRequest
        }
        ureq::Error::Protocol(_) => ErrorType::InvalidResponse,
        ureq::Error::Io(error) => of_chain(error),
        _ => ErrorType::ConnectionError,
    }
}

#[cfg(feature = "reqwest")]
fn of_reqwest(error: &reqwest::Error) -> ErrorType {
    if error.is_timeout() {
        ErrorType::Timeout
    } else if error.is_builder() {
        ErrorType::InvalidRequest
    } else if error.is_decode() {
        ErrorType::InvalidResponse
    } else {
        ErrorType::ConnectionError
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_found_however_deep_it_lies() {
        let boxed: BoxError = Box::new(io::Error::new(io::ErrorKind::TimedOut, "slow"));
        assert_eq!(of(&boxed), ErrorType::Timeout);
        let nested: BoxError = Box::new(io::Error::other("request timed out"));
        assert_eq!(
            of(&nested),
            ErrorType::ConnectionError,
            "the kind is the better word"
        );
        let said: BoxError = "request timed out".into();
        assert_eq!(of(&said), ErrorType::Timeout);
    }

    #[test]
    fn an_error_that_is_its_own_cause_is_left_in_time() {
        #[derive(Debug)]
        struct Circle;
        impl std::fmt::Display for Circle {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("round and round")
            }
        }
        impl Error for Circle {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(&Circle)
            }
        }
        let circle: BoxError = Box::new(Circle);
        assert_eq!(of(&circle), ErrorType::ConnectionError);
    }

    #[test]
    fn any_other_error_is_a_connection_that_failed() {
        #[derive(Debug)]
        struct Opaque;
        assert_eq!(of(&Opaque), ErrorType::ConnectionError);
        let refused: BoxError = Box::new(io::Error::from(io::ErrorKind::ConnectionRefused));
        assert_eq!(of(&refused), ErrorType::ConnectionError);
    }
}
