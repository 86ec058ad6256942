//! Model calls that run on after they were answered, until a poll shows what they consumed.
//!
//! The call is one event, recorded without a cost when the provider took it, and completed by the first
//! poll that shows its end, also where the task that made it has ended. A poll of a call that nobody here
//! began shows another program's usage.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::account::cell::TaskCell;
use crate::event::Event;
use crate::observation::{JobSight, Observation, UsageScope};

/// So many are remembered; of what was begun before as many others the cost stays unknown.
const REMEMBERED: usize = 1_024;

/// The calls whose end is still to be seen, by key, the newest of them.
#[derive(Debug, Default)]
pub(super) struct Jobs(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    begun: HashMap<u64, Begun>,
    by_age: VecDeque<u64>,
    /// Whether the tracker is gone.
    is_closed: bool,
}

/// A call that was taken.
#[derive(Debug)]
pub(super) struct Begun {
    task: Weak<TaskCell>,
    /// The same, held while the tracker is there: a task holds what its tracker shares, this memory too.
    kept: Option<Arc<TaskCell>>,
    /// The call as it stands on that task.
    pub(super) event: Arc<Event>,
}

impl Jobs {
    /// Whether such a call is open.
    pub(super) fn has(&self, key: u64) -> bool {
        self.0.lock().begun.contains_key(&key)
    }

    /// The task that made the call of which an exchange shows something.
    pub(super) fn task_of(&self, job: Option<&JobSight>) -> Option<Arc<TaskCell>> {
        self.0.lock().begun.get(&job?.key)?.task()
    }

    /// Remembers a call until its end is seen.
    pub(super) fn begin(&self, key: u64, task: &Arc<TaskCell>, event: Arc<Event>) {
        let mut open = self.0.lock();
        let begun = Begun {
            task: Arc::downgrade(task),
            kept: (!open.is_closed).then(|| Arc::clone(task)),
            event,
        };
        let mut gone = open.begun.insert(key, begun);
        if gone.is_none() {
            open.by_age.push_back(key);
            if open.by_age.len() > REMEMBERED
                && let Some(oldest) = open.by_age.pop_front()
            {
                gone = open.begun.remove(&oldest);
            }
        }
        // What it held may be the last of a task: it goes where no lock is held.
        drop(open);
        drop(gone);
    }

    /// Takes out a call whose end was seen.
    pub(super) fn end(&self, key: u64) -> Option<Begun> {
        let mut open = self.0.lock();
        let begun = open.begun.remove(&key)?;
        open.by_age.retain(|other| *other != key);
        Some(begun)
    }

    /// Lets go of the tasks, which would hold themselves from here on.
    pub(super) fn close(&self) {
        let mut open = self.0.lock();
        open.is_closed = true;
        let kept: Vec<_> = open.begun.values_mut().map(|begun| begun.kept.take()).collect();
        drop(open);
        drop(kept);
    }
}

impl Begun {
    /// The task that the call is for; `None` where the tracker is gone, and nobody else holds it.
    pub(super) fn task(&self) -> Option<Arc<TaskCell>> {
        self.task.upgrade()
    }

    /// The call as a whole: what was known when it began, and what its end shows.
    pub(super) fn with_end(&self, mut end: Observation) -> Observation {
        let mut call = self.event.call.clone().unwrap_or_default();
        let shown = end.call;
        call.model_returned = shown.model_returned.or(call.model_returned);
        call.service_tier = shown.service_tier.or(call.service_tier);
        call.finish = shown.finish.or(call.finish);
        call.reported_cost_usd = shown.reported_cost_usd.or(call.reported_cost_usd);
        call.upstream_cost_usd = shown.upstream_cost_usd.or(call.upstream_cost_usd);
        call.parts = shown.parts;
        call.uncounted = shown.uncounted;
        call.is_cut_off = shown.is_cut_off;
        call.is_prepaid |= shown.is_prepaid;
        call.is_byok |= shown.is_byok;
        (call.matched, call.rung, call.unpriced) = (None, None, Vec::new());
        end.provider = self.event.provider.clone();
        end.call = call;
        end.captured = true;
        end.usage_scope = UsageScope::Call;
        end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TaskOptions;
    use crate::clock::Timestamp;
    use crate::event::EventType;
    use crate::id::{EventId, TaskId};
    use crate::testing::MemorySink;

    fn event() -> Arc<Event> {
        let now = Timestamp::from_unix_micros(1);
        Arc::new(Event::new(
            EventId::at(now),
            TaskId::at(now),
            EventType::LlmCall,
            now,
        ))
    }

    #[test]
    fn an_end_is_taken_once_and_the_memory_is_bounded() {
        let tracker = MemorySink::new().tracker();
        let task = tracker.start_task_sync("t", TaskOptions::default()).unwrap();
        let jobs = Jobs::default();
        let begin = |key| jobs.begin(key, task.handle().cell(), event());
        begin(0);
        assert!(jobs.has(0) && jobs.end(0).is_some() && jobs.end(0).is_none());
        (0..=REMEMBERED as u64).for_each(begin);
        assert!(jobs.end(0).is_none(), "it is forgotten");
        assert!(jobs.end(1).is_some());
        assert_eq!(jobs.0.lock().by_age.len(), REMEMBERED - 1);
    }

    #[test]
    fn open_calls_hold_their_task_while_the_tracker_is_there() {
        let tracker = MemorySink::new().tracker();
        let shared = Arc::downgrade(tracker.shared());
        let task = tracker.start_task_sync("t", TaskOptions::default()).unwrap();
        let handle = task.handle();
        let jobs = &tracker.shared().jobs;
        jobs.begin(1, handle.cell(), event());
        let cell = Arc::downgrade(handle.cell());
        drop((task, handle));
        let job = JobSight {
            key: 1,
            consumed: None,
        };
        assert!(jobs.task_of(Some(&job)).is_some() && cell.strong_count() == 1);
        drop(tracker);
        assert_eq!((cell.strong_count(), shared.strong_count()), (0, 0));
    }

    #[test]
    fn a_call_that_begins_when_the_tracker_is_gone_holds_nothing() {
        let tracker = MemorySink::new().tracker();
        let task = tracker.start_task_sync("t", TaskOptions::default()).unwrap();
        drop(tracker);
        let handle = task.handle();
        let shared = Arc::downgrade(handle.cell().tracker());
        handle.cell().tracker().jobs.begin(1, handle.cell(), event());
        drop((task, handle));
        assert_eq!(shared.strong_count(), 0);
    }
}
