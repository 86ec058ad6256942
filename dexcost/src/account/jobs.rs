//! Model calls that run on after they were answered, until a poll shows what they consumed.
//!
//! The call is one event, recorded without a cost when the provider took it, and completed by the first
//! poll that shows its end, also where the task that made it has ended. A poll of a call that nobody here
//! began shows another program's usage. So many are remembered as [`TaskMemory`] holds; of what was begun
//! before as many others the cost stays unknown.

use std::sync::Arc;

use crate::account::cell::TaskCell;
use crate::account::task_memory::{Remembered, TaskMemory};
use crate::event::Event;
use crate::observation::{JobSight, Observation, UsageScope};

/// The calls whose end is still to be seen, by key.
#[derive(Debug, Default)]
pub(super) struct Jobs(TaskMemory<Arc<Event>>);

/// A call that was taken, as it stands on its task.
pub(super) type Begun = Remembered<Arc<Event>>;

impl Jobs {
    /// Whether such a call is open.
    pub(super) fn has(&self, key: u64) -> bool {
        self.0.has(key)
    }

    /// The task that made the call of which an exchange shows something.
    pub(super) fn task_of(&self, job: Option<&JobSight>) -> Option<Arc<TaskCell>> {
        self.0.task(job?.key)
    }

    /// Remembers a call until its end is seen.
    pub(super) fn begin(&self, key: u64, task: &Arc<TaskCell>, event: Arc<Event>) {
        self.0.insert(key, task, event);
    }

    /// Takes out a call whose end was seen.
    pub(super) fn end(&self, key: u64) -> Option<Begun> {
        self.0.take(key)
    }

    /// Lets go of the tasks.
    pub(super) fn close(&self) {
        self.0.close();
    }
}

/// A call as a whole: what was known when it began, and what its end shows.
pub(super) fn with_end(begun: &Event, mut end: Observation) -> Observation {
    let mut call = begun.call.clone().unwrap_or_default();
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
    end.provider = begun.provider.clone();
    end.call = call;
    end.captured = true;
    end.usage_scope = UsageScope::Call;
    end
}
