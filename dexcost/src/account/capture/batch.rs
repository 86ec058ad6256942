//! What an exchange shows of a batch: whose it is, and each of its requests as a call of its own.

use super::model_call::ModelCall;
use super::prepaid;
use super::request::Asked;
use super::service_call::key_of;
use super::settle::{facts, uncounted};
use crate::ending::Ending;
use crate::event::CallType;
use crate::observation::{BatchSight, Observation, UsageScope};
use crate::text::Text;
use crate::usage::readers::{BatchReading, BatchResult, Purpose, Route};

/// What has come so far; `None` where there is nothing new.
pub(super) fn so_far(watch: &mut ModelCall) -> Option<BatchSight> {
    if watch.route.purpose != Purpose::BatchResults {
        return None;
    }
    let reader = watch.body.as_mut()?.reader().batch()?;
    reader.has_results().then(|| sight(&watch.route, reader.take()))
}

/// What was read of a batch, as the account takes it. A reply that refuses shows none.
pub(super) fn sight(route: &Route, read: BatchReading) -> BatchSight {
    let results = read.results.into_iter();
    BatchSight {
        keys: read
            .names
            .iter()
            .map(|name| key_of((route.host.as_str(), name.as_str())))
            .collect(),
        is_new: route.purpose == Purpose::BatchRequest,
        requests: results.map(|result| request(route.clone(), result)).collect(),
        unrecorded: read.unheld,
    }
}

/// A request of a batch, as the call that it was.
fn request(mut route: Route, result: BatchResult) -> Observation {
    let mut reading = result.reading;
    route.call_type = match result.call_type {
        CallType::Completion | CallType::Responses => CallType::Batch,
        other => other,
    };
    let mut call = Box::new(facts(&mut route, &mut Asked::default(), &mut reading));
    call.uncounted = uncounted(&call, &reading.usage, reading.has_usage);
    call.batch_request_id = Some(result.id);
    call.reported_cost_usd = reading.cost;
    call.is_byok = reading.is_byok;
    call.is_prepaid = prepaid::by_facts(route.provider, &call);
    Observation {
        provider: route.provider.map(Text::lasting),
        captured: true,
        usage_scope: UsageScope::Call,
        operation_status: result.status,
        error_type: result.error,
        http_status: result.http_status,
        usage_is_suspect: reading.is_suspect,
        stated_cost_is_invalid: reading.cost_is_invalid,
        containers: reading.containers.iter().map(key_of).collect(),
        usage: reading.usage,
        call,
        ..Observation::nothing(Ending::Done)
    }
}
