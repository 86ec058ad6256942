//! About how much memory a record holds on to while it waits.

use serde_json::Value;

use crate::event::{CallFacts, Details, Event};
use crate::sink::Record;
use crate::task::Task;
use crate::text::Text;

/// Longest text that lives inline.
const INLINE: usize = 24;

/// Estimates the bytes of a record: what it is, and what hangs on it. Allocates nothing; free-form
/// JSON is walked, everything else costs a comparison a field.
pub(super) fn weight(record: &Record) -> usize {
    match record {
        Record::TaskStarted(task) | Record::TaskChanged(task) | Record::TaskEnded(task) => of_task(task),
        Record::Event(event) => of_event(event),
        Record::EventChanged { before, after } => of_event(before) + of_event(after),
    }
}

fn of_event(event: &Event) -> usize {
    let texts = [
        &event.pricing_version,
        &event.service_name,
        &event.provider,
        &event.model,
        &event.retry_reason,
    ];
    let texts: usize = texts.into_iter().map(of_text).sum();
    let call = event.call.as_deref().map_or(0, of_call);
    let details = event.details.as_deref().map_or(0, of_object);
    size_of::<Event>() + size_of::<Record>() + texts + call + details
}

fn of_call(call: &CallFacts) -> usize {
    let texts = [
        &call.model_requested,
        &call.model_returned,
        &call.matched,
        &call.service_tier,
        &call.finish,
        &call.request_id,
        &call.response_id,
        &call.host,
        &call.region,
    ];
    let texts: usize = texts.into_iter().map(of_text).sum();
    let unpriced: usize = call
        .unpriced
        .iter()
        .map(|name| size_of::<Text>() + name.len())
        .sum();
    size_of::<CallFacts>() + texts + unpriced + call.parts.len() * 256
}

fn of_task(task: &Task) -> usize {
    let names = [
        &task.attribution.customer_id,
        &task.attribution.project_id,
        &task.attribution.agent,
        &task.attribution.experiment_id,
        &task.attribution.variant,
    ];
    let names: usize = names.into_iter().map(of_text).sum();
    let hosts = task.totals.network_by_host.len() * 128;
    size_of::<Task>() + size_of::<Record>() + names + task.task_type.len() + hosts + of_object(&task.metadata)
}

fn of_text(text: &Option<Text>) -> usize {
    text.as_ref()
        .map_or(0, |text| if text.len() > INLINE { text.len() } else { 0 })
}

fn of_object(object: &Details) -> usize {
    object
        .iter()
        .map(|(name, value)| 96 + name.len() + of_value(value))
        .sum()
}

fn of_value(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(|item| size_of::<Value>() + of_value(item)).sum(),
        Value::Object(object) => of_object(object),
        _ => 0,
    }
}
