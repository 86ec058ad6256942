//! What an exchange amounts to, once it has ended.

use super::batch;
use super::body::{Shape, Shown};
use super::model_call::ModelCall;
use super::prepaid;
use super::request::Asked;
use super::service_call::key_of;
use super::tool_calls::{self, Asking};
use rust_decimal::Decimal;

use crate::ending::Ending;
use crate::event::{CallFacts, CallType, ErrorType, OperationStatus};
use crate::observation::{BodyTrouble, JobSight, Observation, UsageScope};
use crate::provider;
use crate::text::Text;
use crate::usage::readers::{Dialect, Purpose, Reading, Route, Terminal, from_status};
use crate::usage::{Unit, Usage};

/// Ends a model call.
pub(super) fn settle(watch: &mut ModelCall, ending: Ending) -> Observation {
    let asked = watch.request.finish();
    let mut shown = match &mut watch.body {
        Some(body) => body.finish(),
        None => Shown::unread(watch.is_opaque),
    };
    let is_call_of_tools = watch.route.purpose == Purpose::Tool && is_answered(watch.status);
    let tools = if is_call_of_tools { &asked.tools[..] } else { &[] };
    let further = tool_calls::further(tools, &mut shown, |shown| {
        outcome(watch.status, ending, shown, watch.noted)
    });
    let (status, error) = outcome(watch.status, ending, &shown, watch.noted);
    if error.is_none() && matches!(watch.status, Some(200..300)) {
        add_asked(asked, watch.route.call_type, &mut shown.reading);
    }
    if is_ollama_cloud(&watch.route, asked, &shown.reading) {
        watch.route.provider = Some(provider::OLLAMA_CLOUD);
    }
    let captured = is_captured(&watch.route, watch.status, asked, &shown);
    let scope = match watch.route.purpose {
        Purpose::Retrieval if shown.reading.has_usage => UsageScope::Repeat,
        Purpose::Inference if captured || watch.route.is_known => UsageScope::Call,
        _ => UsageScope::None,
    };
    let is_whole = status == OperationStatus::Succeeded;
    let sold = watch.service.take().and_then(|service| {
        let used = service.settle(is_whole, watch.meter.body_sent(), None);
        used.filter(|used| used.cost_usd.is_some())
    });
    let (sold_as, alone) = if captured { (sold, None) } else { (None, sold) };
    let service = tools.first().map(Asking::service).or(alone);
    let job = job(&watch.route, captured, watch.status, status, &mut shown.reading);
    let is_end = job.as_ref().is_some_and(|job| job.consumed.is_some());
    let batch = shown
        .reading
        .batch
        .take()
        .filter(|_| matches!(watch.status, Some(200..300)));
    let batch = batch.map(|read| batch::sight(&watch.route, *read));
    let off = called_off(shown.reading.finish.as_deref().filter(|_| is_end));
    let (mut status, error) = off.unwrap_or((status, error));
    if watch.route.purpose.is_batch() && status == OperationStatus::Unknown && ending == Ending::Done {
        // JSON lines have no mark at their end.
        status = OperationStatus::Succeeded;
    }
    let mut call = Box::new(facts(&mut watch.route, asked, &mut shown.reading));
    call.uncounted = uncounted(&call, &shown.reading.usage, shown.reading.has_usage);
    call.request_id = watch.request_id.take();
    let header_cost = watch.header_cost.as_deref().map(header_amount);
    let header_is_invalid = matches!(header_cost, Some(None)) && shown.reading.cost.is_none();
    call.reported_cost_usd = shown.reading.cost.or(header_cost.flatten());
    call.is_byok = shown.reading.is_byok;
    call.is_prepaid = watch.is_prepaid || prepaid::by_facts(watch.route.provider, &call);
    call.is_cut_off = is_cut_off(watch.status, &shown)
        && (shown.reading.has_usage || call.reported_cost_usd.is_some() || !call.parts.is_empty());
    call.streamed = shown.shape == Shape::Events
        || (asked.stream && shown.shape == Shape::Empty)
        || (watch.route.streams && status == OperationStatus::Succeeded);
    Observation {
        provider: watch.route.provider.map(Text::lasting),
        captured,
        usage_scope: scope,
        operation_status: status,
        error_type: error,
        http_status: watch.status,
        ending,
        usage_is_suspect: shown.reading.is_suspect,
        stated_cost_is_invalid: shown.reading.cost_is_invalid || header_is_invalid,
        body_trouble: shown.trouble,
        request_digest: asked.digest,
        job,
        containers: shown.reading.containers.iter().map(key_of).collect(),
        service: service.map(Box::new),
        sold_as: sold_as.map(Box::new),
        further,
        batch: batch.filter(|batch| !batch.is_empty()).map(Box::new),
        unrecorded_calls: if is_call_of_tools {
            asked.more_tools as u64
        } else {
            0
        },
        traffic: watch.meter.traffic(),
        peer: watch.meter.peer(),
        usage: shown.reading.usage,
        call,
    }
}

/// What is known of the call itself, taken out of what the request and the reply told.
pub(super) fn facts(route: &mut Route, asked: &mut Asked, reading: &mut Reading) -> CallFacts {
    CallFacts {
        call_type: route.call_type,
        model_requested: route.model.take().or_else(|| asked.model.take()),
        model_returned: reading.model.take(),
        service_tier: reading.service_tier.take(),
        service_tier_requested: reading.traffic.take().or_else(|| asked.service_tier.take()),
        finish: reading.finish.take(),
        response_id: reading.id.take(),
        host: Some(std::mem::take(&mut route.host)),
        region: route.region.take(),
        residency: route.residency.map(Text::lasting),
        geo: reading.geo.take(),
        speed: reading.speed.take(),
        search_context_size: reading.search_context_size.take(),
        resolution: asked.resolution.take(),
        quality: reading.quality.take().or_else(|| asked.quality.take()),
        container_memory: reading.container_memory.take(),
        upstream_cost_usd: reading.upstream_cost,
        parts: std::mem::take(&mut reading.parts),
        ..CallFacts::default()
    }
}

/// Whether Ollama's cloud ran the model that a local server was asked for: it is billed by the token.
fn is_ollama_cloud(route: &Route, asked: &Asked, reading: &Reading) -> bool {
    let models = [&route.model, &asked.model, &reading.model];
    let has_tag = || {
        models
            .into_iter()
            .flatten()
            .any(|model| provider::is_ollama_cloud(model))
    };
    route.provider == Some("ollama") && (reading.is_remote || has_tag())
}

/// The amount in a header field; `None` where it is none: negative, or not a number.
fn header_amount(text: &str) -> Option<Decimal> {
    let amount = crate::money::parse(text).ok()?;
    (!amount.is_sign_negative() || amount.is_zero()).then_some(amount)
}

/// Whether a reply ended before it had said all: what it counted until then is a floor.
fn is_cut_off(status: Option<u16>, shown: &Shown) -> bool {
    let is_whole = match shown.shape {
        Shape::Json { complete } => complete,
        Shape::Events => shown.reading.terminal >= Terminal::Counted || shown.reading.has_final_counts,
        Shape::Empty | Shape::Opaque => true,
    };
    matches!(status, Some(200..300)) && !is_whole
}

/// The side of a generated text that was not counted where the other was: both are billed. Neither was where
/// nothing but the tools that ran is known.
pub(super) fn uncounted(call: &CallFacts, usage: &Usage, has_usage: bool) -> Vec<Text> {
    let is_text = matches!(
        call.call_type,
        CallType::Completion | CallType::Responses | CallType::Batch
    );
    if !is_text || (!has_usage && usage.is_empty()) {
        return Vec::new();
    }
    if !has_usage {
        let is_all = usage.iter().all(|(unit, _)| unit.is_tool_fee());
        let tokens = [Unit::InputTokens, Unit::OutputTokens].iter().filter(|_| is_all);
        return tokens.map(|unit| Text::from_static(unit.as_str())).collect();
    }
    let missing = |usage: &Usage| {
        let is_reported = |unit| usage.get(unit).is_some();
        match (is_reported(Unit::InputTokens), is_reported(Unit::OutputTokens)) {
            (true, false) => Some(Unit::OutputTokens),
            (false, true) => Some(Unit::InputTokens),
            _ => None,
        }
    };
    let parts = call.parts.iter().filter_map(|part| missing(&part.usage));
    let units = missing(usage).into_iter().chain(parts);
    units.map(|unit| Text::from_static(unit.as_str())).collect()
}

/// What an exchange shows of a call in the background: that it was taken, or how it ended. A poll has no
/// usage of its own.
fn job(
    route: &Route,
    captured: bool,
    http_status: Option<u16>,
    status: OperationStatus,
    reading: &mut Reading,
) -> Option<JobSight> {
    let is_poll = route.purpose == Purpose::Retrieval;
    let polled = is_poll.then(|| std::mem::take(&mut reading.usage));
    let id = reading
        .id
        .as_ref()
        .filter(|_| matches!(http_status, Some(200..300)))?;
    // A run that waited for tools may end in the reply to what they found.
    let may_end = is_poll || route.dialect == Dialect::OpenAiAssistants;
    let is_begun = captured && reading.is_pending && !reading.has_usage;
    if is_begun {
        // What tools did so far is told again at its end.
        (reading.usage, reading.parts) = (Usage::new(), Vec::new());
    }
    let is_known = matches!(status, OperationStatus::Succeeded | OperationStatus::Failed);
    let is_over = may_end && is_known && !reading.is_pending && reading.finish.is_some();
    (is_begun || is_over).then(|| JobSight {
        // Ids are a provider's own: servers of one kind may count alike.
        key: key_of((route.host.as_str(), id.as_str())),
        consumed: is_over.then(|| polled.unwrap_or_else(|| reading.usage.clone())),
    })
}

/// How a call in the background ended that was called off, or not done in time.
fn called_off(finish: Option<&str>) -> Option<(OperationStatus, Option<ErrorType>)> {
    match finish? {
        "cancelled" | "canceled" => Some((OperationStatus::Cancelled, None)),
        "expired" => Some((OperationStatus::Failed, Some(ErrorType::Timeout))),
        _ => None,
    }
}

/// Whether the exchange was the call: a redirect is followed by another.
fn is_answered(status: Option<u16>) -> bool {
    !matches!(status, Some(300..400))
}

/// Whether an event is to be recorded: a call in a form that has a reader, to a host that is known,
/// or one whose answer proves that a model spoke.
fn is_captured(route: &Route, status: Option<u16>, asked: &Asked, shown: &Shown) -> bool {
    if matches!(route.purpose, Purpose::Retrieval | Purpose::Tool) || route.purpose.is_batch() {
        return false;
    }
    // An error says nothing about models, unless one was asked for where only models are.
    let refused = route.is_telling
        && shown.reading.error.is_some()
        && asked.model.as_ref().or(route.model.as_ref()).is_some();
    let proven = match status {
        // A redirect is followed by a call of its own.
        Some(300..400) => return false,
        Some(400..) => refused,
        // Speech is bare audio, and what is billed stands in the request.
        Some(_) if route.is_telling && shown.shape == Shape::Opaque && asked.characters.is_some() => true,
        _ => shown.reading.understood || refused,
    };
    route.is_known || proven
}

/// How the operation ended, and why it failed.
fn outcome(
    http_status: Option<u16>,
    ending: Ending,
    shown: &Shown,
    noted: Option<ErrorType>,
) -> (OperationStatus, Option<ErrorType>) {
    let failed = |error| (OperationStatus::Failed, Some(error));
    let broken = noted.unwrap_or(ErrorType::ConnectionError);
    let Some(http_status) = http_status else {
        return match ending {
            Ending::Failed => failed(broken),
            Ending::Cancelled => (OperationStatus::Cancelled, None),
            Ending::Done | Ending::Truncated => (OperationStatus::Unknown, None),
        };
    };
    if let Some(by_status) = from_status(http_status) {
        return failed(more_precise(by_status, shown.reading.error));
    }
    if let Some(error) = shown.reading.error {
        return failed(error);
    }
    // Taken, and to be asked about later.
    if shown.reading.is_pending && shown.shape == (Shape::Json { complete: true }) {
        return (OperationStatus::Unknown, None);
    }
    let (is_over, is_counted) = match shown.shape {
        Shape::Json { complete } => (complete, complete),
        Shape::Events => {
            let terminal = shown.reading.terminal;
            if terminal == Terminal::Closed {
                return (OperationStatus::Succeeded, None);
            }
            (terminal >= Terminal::Finished, terminal >= Terminal::Counted)
        }
        Shape::Empty => (false, false),
        Shape::Opaque => (true, false),
    };
    match (ending, shown.shape) {
        (Ending::Done, _) if is_over => (OperationStatus::Succeeded, None),
        // The body said that it was JSON and stopped before its end.
        (Ending::Done, Shape::Json { .. }) if shown.trouble != Some(BodyTrouble::TooLarge) => {
            failed(ErrorType::InvalidResponse)
        }
        (Ending::Failed, Shape::Json { complete: true }) => (OperationStatus::Succeeded, None),
        (Ending::Failed, _) => failed(broken),
        (Ending::Cancelled | Ending::Truncated, _) if is_counted => (OperationStatus::Succeeded, None),
        (Ending::Cancelled, _) => (OperationStatus::Cancelled, None),
        (Ending::Done | Ending::Truncated, _) => (OperationStatus::Unknown, None),
    }
}

/// Of what the status and the body say the more telling: many bodies call everything an invalid
/// request, and some statuses do.
fn more_precise(by_status: ErrorType, by_body: Option<ErrorType>) -> ErrorType {
    match by_body {
        None | Some(ErrorType::InvalidRequest | ErrorType::ServerError | ErrorType::Other) => by_status,
        Some(error) => error,
    }
}

/// Adds what only the request says of a call that was served: the characters that were spoken, and how
/// large the images are that are billed by the piece.
fn add_asked(asked: &Asked, call_type: CallType, reading: &mut Reading) {
    let usage = &mut reading.usage;
    match call_type {
        CallType::Speech => {
            if let Some(characters) = asked.characters {
                usage.set(Unit::InputCharacters, characters);
            }
        }
        CallType::ImageGeneration if usage.get(Unit::InputTokens).is_none() => {
            let size = reading.size.as_ref().or(asked.size.as_ref());
            if let Some((width, height)) = size.and_then(|size| pixels(size)) {
                usage.set(Unit::ImageWidthPixels, width);
                usage.set(Unit::ImageHeightPixels, height);
            }
        }
        _ => {}
    }
}

/// Width and height of a size such as `1024x1792`; others (`auto`) say nothing.
fn pixels(size: &str) -> Option<(u32, u32)> {
    let (width, height) = size.split_once('x')?;
    Some((width.parse().ok()?, height.parse().ok()?))
}

impl Shown {
    /// Of an exchange whose body was not looked at, because it is opaque or for want of a reader.
    fn unread(is_opaque: bool) -> Self {
        Self {
            reading: Reading::default(),
            shape: if is_opaque { Shape::Opaque } else { Shape::Empty },
            trouble: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::exchange::Exchange;
    use super::*;
    use crate::wire::RequestFacts;

    fn is_captured(url: &str, status: u16, asked: &str, answer: &str) -> bool {
        let mut exchange = Exchange::begin(&RequestFacts::to_url("POST", url, &()));
        exchange.request_data(asked.as_bytes());
        exchange.response(status, &[("content-type", "application/json")].as_slice());
        exchange.data(answer.as_bytes());
        exchange.settle(Ending::Done).captured
    }

    #[test]
    fn only_counts_and_marks_of_the_form_prove_a_model_call() {
        for (path, answer, captured) in [
            ("/v1/messages", r#"{"id":"m","usage":{"segments":2}}"#, false),
            (
                "/v1/messages",
                r#"{"id":"m","usage":{"input_tokens":2,"output_tokens":1}}"#,
                true,
            ),
            ("/responses", r#"{"usage":{"used":10,"limit":100}}"#, false),
            (
                "/responses",
                r#"{"usage":{"input_tokens":10,"output_tokens":1}}"#,
                true,
            ),
        ] {
            for host in ["https://api.unknown.example", "http://chat.internal"] {
                let url = format!("{host}{path}");
                assert_eq!(is_captured(&url, 200, "{}", answer), captured, "{url} {answer}");
            }
        }
    }

    #[test]
    fn a_refusal_proves_a_model_call_only_where_the_path_tells() {
        let error = r#"{"error":{"type":"invalid_request_error"}}"#;
        let (asked, host) = (r#"{"model":"churn"}"#, "https://api.unknown.example");
        assert!(!is_captured(&format!("{host}/v1/predictions"), 422, asked, error));
        assert!(is_captured(
            &format!("{host}/v1/chat/completions"),
            422,
            asked,
            error
        ));
    }
}
