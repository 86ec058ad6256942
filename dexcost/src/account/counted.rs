//! Which uses were counted already, where several exchanges show one: a job that is polled.

use std::collections::{HashSet, VecDeque};

use parking_lot::Mutex;

/// So many are remembered by default; a job is polled long before as many others have begun.
const REMEMBERED: usize = 8_192;

/// The keys of uses that were counted, the newest of them.
#[derive(Debug)]
pub(super) struct Counted {
    keys: Mutex<Keys>,
    remembered: usize,
}

impl Default for Counted {
    fn default() -> Self {
        Self::of_newest(REMEMBERED)
    }
}

#[derive(Debug, Default)]
struct Keys {
    known: HashSet<u64>,
    by_age: VecDeque<u64>,
}

impl Counted {
    /// A memory of so many keys.
    pub(super) fn of_newest(remembered: usize) -> Self {
        Self {
            keys: Mutex::default(),
            remembered,
        }
    }

    /// Whether a key was seen before.
    pub(super) fn has(&self, key: u64) -> bool {
        self.keys.lock().known.contains(&key)
    }

    /// Whether a key was not seen before; it is from now on.
    pub(super) fn is_first(&self, key: u64) -> bool {
        let mut keys = self.keys.lock();
        if !keys.known.insert(key) {
            return false;
        }
        keys.by_age.push_back(key);
        if keys.by_age.len() > self.remembered
            && let Some(oldest) = keys.by_age.pop_front()
        {
            keys.known.remove(&oldest);
        }
        true
    }

    /// Forgets a key: what was counted under it was lost.
    pub(super) fn forget(&self, key: u64) {
        let mut keys = self.keys.lock();
        if keys.known.remove(&key) {
            keys.by_age.retain(|other| *other != key);
        }
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
        assert_eq!(counted.keys.lock().known.len(), REMEMBERED);
        counted.forget(1);
        assert!(counted.is_first(1));
    }
}
