//! Which uses were counted already, where several exchanges show one: a job that is polled.

use std::collections::{HashSet, VecDeque};

use parking_lot::Mutex;

/// So many are remembered; a job is polled long before as many others have begun.
const REMEMBERED: usize = 8_192;

/// The keys of uses that were counted, the newest of them.
#[derive(Debug, Default)]
pub(super) struct Counted(Mutex<Keys>);

#[derive(Debug, Default)]
struct Keys {
    known: HashSet<u64>,
    by_age: VecDeque<u64>,
}

impl Counted {
    /// Whether a key was seen before.
    pub(super) fn has(&self, key: u64) -> bool {
        self.0.lock().known.contains(&key)
    }

    /// Whether a key was not seen before; it is from now on.
    pub(super) fn is_first(&self, key: u64) -> bool {
        let mut keys = self.0.lock();
        if !keys.known.insert(key) {
            return false;
        }
        keys.by_age.push_back(key);
        if keys.by_age.len() > REMEMBERED
            && let Some(oldest) = keys.by_age.pop_front()
        {
            keys.known.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_counts_once_and_the_memory_is_bounded() {
        let counted = Counted::default();
        assert!(counted.is_first(1));
        assert!(!counted.is_first(1));
        (2..=REMEMBERED as u64 + 1).for_each(|key| assert!(counted.is_first(key)));
        assert!(counted.is_first(1), "it is forgotten");
        assert_eq!(counted.0.lock().known.len(), REMEMBERED);
    }
}
