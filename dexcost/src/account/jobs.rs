//! Model calls that run on after they were answered, until a poll shows what they consumed.
//!
//! The call is one event, recorded without a cost when the provider took it, and completed by the first
//! poll that shows its end. A poll of a call that nobody here began shows another program's usage.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::account::cell::TaskCell;
use crate::event::Event;
use crate::observation::{Observation, UsageScope};

/// So many are remembered; of what was begun before as many others the cost stays unknown.
const REMEMBERED: usize = 1_024;

/// The calls whose end is still to be seen, by key, the newest of them.
#[derive(Debug, Default)]
pub(super) struct Jobs(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    begun: HashMap<u64, Begun>,
    by_age: VecDeque<u64>,
}

/// A call that was taken.
#[derive(Debug)]
pub(super) struct Begun {
    /// The task that it is for, as long as somebody holds it.
    pub(super) task: Weak<TaskCell>,
    /// The call as it stands on that task.
    pub(super) event: Arc<Event>,
}

impl Jobs {
    /// Whether such a call is open.
    pub(super) fn has(&self, key: u64) -> bool {
        self.0.lock().begun.contains_key(&key)
    }

    /// Remembers a call until its end is seen.
    pub(super) fn begin(&self, key: u64, task: Weak<TaskCell>, event: Arc<Event>) {
        let mut open = self.0.lock();
        if open.begun.insert(key, Begun { task, event }).is_some() {
            return;
        }
        open.by_age.push_back(key);
        if open.by_age.len() > REMEMBERED
            && let Some(oldest) = open.by_age.pop_front()
        {
            open.begun.remove(&oldest);
        }
    }

    /// Takes out a call whose end was seen.
    pub(super) fn end(&self, key: u64) -> Option<Begun> {
        let mut open = self.0.lock();
        let begun = open.begun.remove(&key)?;
        open.by_age.retain(|other| *other != key);
        Some(begun)
    }
}

impl Begun {
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
    use crate::clock::Timestamp;
    use crate::event::EventType;
    use crate::id::{EventId, TaskId};

    #[test]
    fn an_end_is_taken_once_and_the_memory_is_bounded() {
        let now = Timestamp::from_unix_micros(1);
        let event = Event::new(EventId::at(now), TaskId::at(now), EventType::LlmCall, now);
        let (jobs, event) = (Jobs::default(), Arc::new(event));
        let begin = |key| jobs.begin(key, Weak::new(), Arc::clone(&event));
        begin(0);
        assert!(jobs.has(0) && jobs.end(0).is_some() && jobs.end(0).is_none());
        (0..=REMEMBERED as u64).for_each(begin);
        assert!(jobs.end(0).is_none(), "it is forgotten");
        assert!(jobs.end(1).is_some());
        assert_eq!(jobs.0.lock().by_age.len(), REMEMBERED - 1);
    }
}
