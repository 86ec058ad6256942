//! What is put into a request.

use dexcost::{Task, Text};
use http::{HeaderMap, HeaderValue};
use serde_json::Value;

use crate::w3c::baggage;
use crate::w3c::traceparent::{self, TRACEPARENT, TraceParent};
use crate::w3c::{BAGGAGE_AGENT, BAGGAGE_CUSTOMER, BAGGAGE_PROJECT, BAGGAGE_TASK, TRACE_PARENT};

/// What is told beside the task.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct What {
    pub(super) attribution: bool,
    pub(super) trace: bool,
}

/// Puts the task, and what else is wanted, into the header fields of a request.
pub(super) fn tell(task: &Task, what: What, headers: &mut HeaderMap) {
    let mut said = vec![(BAGGAGE_TASK, task.task_id.to_string())];
    if what.attribution {
        let mut say = |key, value: &Option<Text>| {
            said.extend(value.as_ref().map(|value| (key, value.to_string())));
        };
        say(BAGGAGE_CUSTOMER, &task.attribution.customer_id);
        say(BAGGAGE_PROJECT, &task.attribution.project_id);
        say(BAGGAGE_AGENT, &task.attribution.agent);
    }
    baggage::put(headers, &said);
    if what.trace && !headers.contains_key(TRACEPARENT) {
        headers.extend(trace_of(task).map(|value| (TRACEPARENT, value)));
    }
}

/// The trace that the task's own request was part of, passed on as it came; else one that begins
/// with the task.
fn trace_of(task: &Task) -> Option<HeaderValue> {
    let received = task.metadata.get(TRACE_PARENT).and_then(Value::as_str);
    match received.and_then(TraceParent::parse) {
        Some(parent) => HeaderValue::try_from(parent.to_string()).ok(),
        None => traceparent::beginning_at(task.task_id),
    }
}
