//! From what an exchange showed to an event on a task.

use std::sync::Arc;

use crate::account::capture::pricing_of;
use crate::account::recording::apply_cost;
use crate::account::tracked_task::TaskHandle;
use crate::account::tracker::CostTracker;
use crate::event::{Event, EventType};
use crate::observation::Observation;

impl TaskHandle {
    /// Records what an exchange showed; nothing where it was no call that counts.
    ///
    /// `latency_ms` is the time from the request to the end of the exchange.
    pub fn record_observation(&self, seen: Observation, latency_ms: Option<u64>) -> Option<Arc<Event>> {
        if !seen.captured {
            return None;
        }
        let mut event = self.blank(EventType::LlmCall);
        let cost = pricing_of(&seen, &self.cell().tracker().pricing, event.occurred_at);
        event.provider = seen.provider;
        let call = seen.call;
        event.model = call
            .model_returned
            .clone()
            .or_else(|| call.model_requested.clone());
        event.usage = seen.usage;
        event.latency_ms = latency_ms;
        event.operation_status = seen.operation_status;
        event.error_type = seen.error_type;
        event.call = Some(Box::new(call));
        apply_cost(&mut event, cost.into());
        Some(self.cell().record(event, seen.request_digest))
    }
}

impl CostTracker {
    /// Records what an exchange showed on `task`, else on the session of the scope at hand.
    pub fn record_observation(
        &self,
        task: Option<&TaskHandle>,
        seen: Observation,
        latency_ms: Option<u64>,
    ) -> Option<Arc<Event>> {
        match task {
            Some(task) => task.record_observation(seen, latency_ms),
            None if seen.captured => self
                .current_task_or_session()
                .record_observation(seen, latency_ms),
            None => None,
        }
    }
}
