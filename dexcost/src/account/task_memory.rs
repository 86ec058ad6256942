//! What is remembered of tasks by a key of the provider's, until a later exchange shows more.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::account::cell::TaskCell;

/// So many keys are remembered, the newest.
pub(super) const REMEMBERED: usize = 1_024;

/// Tasks by key, each with what is to be known of it.
#[derive(Debug)]
pub(super) struct TaskMemory<T>(Mutex<Known<T>>);

#[derive(Debug)]
struct Known<T> {
    by_key: HashMap<u64, Remembered<T>>,
    by_age: VecDeque<u64>,
    /// Whether the tracker is gone.
    is_closed: bool,
}

/// A task, and what is to be known of it.
#[derive(Debug)]
pub(super) struct Remembered<T> {
    task: Weak<TaskCell>,
    /// The same, held while the tracker is there: a task holds what its tracker shares, this memory too.
    kept: Option<Arc<TaskCell>>,
    pub(super) value: T,
}

impl<T> Default for TaskMemory<T> {
    fn default() -> Self {
        Self(Mutex::new(Known {
            by_key: HashMap::new(),
            by_age: VecDeque::new(),
            is_closed: false,
        }))
    }
}

impl<T> TaskMemory<T> {
    /// Whether there is something under this key.
    pub(super) fn has(&self, key: u64) -> bool {
        self.0.lock().by_key.contains_key(&key)
    }

    /// The task under this key, where it is still there.
    pub(super) fn task(&self, key: u64) -> Option<Arc<TaskCell>> {
        self.0.lock().by_key.get(&key)?.task()
    }

    /// Remembers a task under a key, in the place of an earlier one.
    pub(super) fn insert(&self, key: u64, task: &Arc<TaskCell>, value: T) {
        let mut known = self.0.lock();
        let entry = Remembered {
            task: Arc::downgrade(task),
            kept: (!known.is_closed).then(|| Arc::clone(task)),
            value,
        };
        let mut gone = known.by_key.insert(key, entry);
        if gone.is_none() {
            known.by_age.push_back(key);
            if known.by_age.len() > REMEMBERED
                && let Some(oldest) = known.by_age.pop_front()
            {
                gone = known.by_key.remove(&oldest);
            }
        }
        // What it held may be the last of a task: it goes where no lock is held.
        drop(known);
        drop(gone);
    }

    /// Takes out what is under a key.
    pub(super) fn take(&self, key: u64) -> Option<Remembered<T>> {
        let mut known = self.0.lock();
        let entry = known.by_key.remove(&key)?;
        known.by_age.retain(|other| *other != key);
        Some(entry)
    }

    /// Lets go of the tasks, which would hold themselves from here on.
    pub(super) fn close(&self) {
        let mut known = self.0.lock();
        known.is_closed = true;
        let kept: Vec<_> = known.by_key.values_mut().map(|entry| entry.kept.take()).collect();
        drop(known);
        drop(kept);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.lock().by_age.len()
    }
}

impl<T> Remembered<T> {
    /// The task; `None` where the tracker is gone, and nobody else holds it.
    pub(super) fn task(&self) -> Option<Arc<TaskCell>> {
        self.task.upgrade()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TaskOptions;
    use crate::testing::MemorySink;

    #[test]
    fn an_entry_is_taken_once_and_the_memory_is_bounded() {
        let tracker = MemorySink::new().tracker();
        let task = tracker.start_task_sync("t", TaskOptions::default()).unwrap();
        let memory = TaskMemory::default();
        let insert = |key| memory.insert(key, task.handle().cell(), ());
        insert(0);
        assert!(memory.has(0) && memory.take(0).is_some() && memory.take(0).is_none());
        (0..=REMEMBERED as u64).for_each(insert);
        assert!(memory.take(0).is_none(), "it is forgotten");
        assert!(memory.take(1).is_some());
        assert_eq!(memory.len(), REMEMBERED - 1);
    }

    #[test]
    fn it_holds_its_tasks_while_the_tracker_is_there() {
        let tracker = MemorySink::new().tracker();
        let shared = Arc::downgrade(tracker.shared());
        let task = tracker.start_task_sync("t", TaskOptions::default()).unwrap();
        let handle = task.handle();
        let batches = &tracker.shared().batches;
        batches.learn(&[1], handle.cell());
        let cell = Arc::downgrade(handle.cell());
        drop((task, handle));
        assert!(batches.task_of(&[1]).is_some() && cell.strong_count() == 1);
        drop(tracker);
        assert_eq!((cell.strong_count(), shared.strong_count()), (0, 0));
    }

    #[test]
    fn what_is_remembered_when_the_tracker_is_gone_holds_nothing() {
        let tracker = MemorySink::new().tracker();
        let task = tracker.start_task_sync("t", TaskOptions::default()).unwrap();
        drop(tracker);
        let handle = task.handle();
        let shared = Arc::downgrade(handle.cell().tracker());
        handle.cell().tracker().batches.learn(&[1], handle.cell());
        drop((task, handle));
        assert_eq!(shared.strong_count(), 0);
    }
}
