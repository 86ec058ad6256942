//! A reply is the same reply however it comes in: through `replay`, a layer, or by hand.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test")]

use std::convert::Infallible;
use std::io::{BufRead, BufReader};
use std::sync::Arc;
use std::task::{Context, Poll};

use base64::Engine;
use bytes::Bytes;
use dexcost::capture::{Exchange, RequestFacts, pricing_of};
use dexcost::testing::MemorySink;
use dexcost::{
    Decimal, Ending, Event, EventType, Observation, ReceivedResponse, ServiceCatalog, TaskFutureExt,
    TaskOptions, Text, Usage,
};
use dexcost_tower::CaptureLayer;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, StreamBody};
use serde::Deserialize;
use tower::{Layer, Service, ServiceExt};

#[derive(Deserialize)]
struct Recording {
    id: String,
    method: String,
    url: String,
    request_body: Option<String>,
    request_body_encoding: Option<String>,
    status: u16,
    #[serde(default)]
    response_headers: Vec<(String, String)>,
    #[serde(default)]
    response_body_b64: String,
}

impl Recording {
    fn request(&self) -> Vec<u8> {
        let body = self.request_body.clone().unwrap_or_default();
        match self.request_body_encoding.as_deref() {
            Some("base64") => plain(&body),
            _ => body.into_bytes(),
        }
    }

    fn reply(&self) -> Vec<u8> {
        plain(&self.response_body_b64)
    }
}

fn plain(text: &str) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

/// What is the same however a reply comes in.
#[derive(Debug, PartialEq)]
struct Ledger {
    cost_usd: Option<Decimal>,
    usage: Usage,
    model: Option<Text>,
    provider: Option<Text>,
    status: &'static str,
    error: Option<&'static str>,
}

impl Ledger {
    fn of(event: &Event) -> Self {
        Self {
            cost_usd: event.cost_usd,
            usage: event.usage.clone(),
            model: event.model.clone(),
            provider: event.provider.clone(),
            status: event.operation_status.as_str(),
            error: event.error_type.map(|error| error.as_str()),
        }
    }
}

/// As `dexcost replay` sees it: the call, or each request of a batch whose results were downloaded.
fn replayed(recording: &Recording, sink: &Arc<MemorySink>) -> Vec<Ledger> {
    let facts = RequestFacts::to_url(&recording.method, &recording.url, &());
    let mut exchange = Exchange::begin_with(&facts, &ServiceCatalog::new());
    exchange.request_data(&recording.request());
    exchange.response(recording.status, &&recording.response_headers[..]);
    exchange.data(&recording.reply());
    let seen = exchange.settle(Ending::Done);
    let tracker = sink.tracker();
    let ledger = |seen: &Observation| {
        let cost = pricing_of(seen, tracker.pricing(), dexcost::Timestamp::default());
        let call = &seen.call;
        Ledger {
            cost_usd: cost.cost_usd,
            usage: seen.usage.clone(),
            model: call
                .model_returned
                .clone()
                .or_else(|| call.model_requested.clone()),
            provider: seen.provider.clone(),
            status: seen.operation_status.as_str(),
            error: seen.error_type.map(|error| error.as_str()),
        }
    };
    let requests = seen.batch.iter().flat_map(|batch| &batch.requests);
    let call = Some(&seen).filter(|seen| seen.captured);
    requests.chain(call).map(ledger).collect()
}

fn model_calls(sink: &MemorySink) -> Vec<Ledger> {
    let events = sink.events();
    let calls = events
        .iter()
        .filter(|event| event.event_type == EventType::LlmCall);
    calls.map(|event| Ledger::of(event)).collect()
}

fn by_hand(recording: &Recording) -> Vec<Ledger> {
    let sink = MemorySink::new();
    let task = sink
        .tracker()
        .start_task_sync("t", TaskOptions::default())
        .unwrap();
    let (request, body) = (recording.request(), recording.reply());
    let headers = &recording.response_headers[..];
    let received = ReceivedResponse::new("", &recording.url, recording.status, &headers, &body)
        .method(&recording.method)
        .request_body(&request);
    task.record_response(&received);
    model_calls(&sink)
}

/// A client that always gives the same reply, in pieces.
#[derive(Clone)]
struct Recorded(Arc<Recording>);

type Pieces =
    StreamBody<futures_util::stream::Iter<std::vec::IntoIter<Result<http_body::Frame<Bytes>, Infallible>>>>;

impl Service<Request<Full<Bytes>>> for Recorded {
    type Response = Response<Pieces>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<Pieces>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
        let reply = self.0.reply();
        let frames: Vec<_> = reply
            .chunks(64)
            .map(|piece| Ok(http_body::Frame::data(Bytes::copy_from_slice(piece))))
            .collect();
        let mut response = Response::new(StreamBody::new(futures_util::stream::iter(frames)));
        *response.status_mut() = self.0.status.try_into().unwrap();
        for (name, value) in &self.0.response_headers {
            let (Ok(name), Ok(value)) = (name.parse::<http::HeaderName>(), value.parse()) else {
                continue;
            };
            response.headers_mut().append(name, value);
        }
        std::future::ready(Ok(response))
    }
}

async fn through_a_layer(recording: &Arc<Recording>) -> Vec<Ledger> {
    let sink = MemorySink::new();
    let tracker = sink.tracker();
    let task = tracker.start_task_sync("t", TaskOptions::default()).unwrap();
    let client = CaptureLayer::new()
        .tracker(tracker)
        .layer(Recorded(Arc::clone(recording)));
    let request = Request::builder()
        .method(recording.method.as_str())
        .uri(recording.url.as_str())
        .body(Full::new(Bytes::from(recording.request())))
        .unwrap();
    let call = async {
        let response = client.oneshot(request).await.unwrap();
        response.into_body().collect().await.unwrap().to_bytes()
    };
    let body = call.in_task(&task).await;
    assert!(body[..] == recording.reply()[..], "the body is untouched");
    model_calls(&sink)
}

async fn agree(recording: Recording) -> Result<(), String> {
    let recording = Arc::new(recording);
    let expected = replayed(&recording, &MemorySink::new());
    for (way, got) in [
        ("by hand", by_hand(&recording)),
        ("layer", through_a_layer(&recording).await),
    ] {
        if got != expected {
            return Err(format!("{} {way}: {got:?} is not {expected:?}", recording.id));
        }
    }
    Ok(())
}

/// Replies of our own: one a wire form, whole and in errors.
fn fixtures() -> Vec<Recording> {
    let text = include_str!("../fixtures/replies.jsonl");
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn every_way_in_leads_to_the_same_entry() {
    let fixtures = fixtures();
    assert!(fixtures.len() > 5);
    for recording in fixtures {
        let calls = replayed(&recording, &MemorySink::new());
        assert_eq!(calls.len(), 1, "{} is a call", recording.id);
        agree(recording).await.unwrap();
    }
}

#[tokio::test]
async fn every_way_in_leads_to_the_same_entry_for_recorded_traffic() {
    let Some(folder) = std::env::var_os("DEXCOST_SHARED") else {
        println!("SKIPPED: DEXCOST_SHARED is not set");
        return;
    };
    let file = std::path::Path::new(&folder).join("corpus/open.jsonl.gz");
    let lines = BufReader::new(flate2::read::GzDecoder::new(std::fs::File::open(file).unwrap()));
    let (mut exchanges, mut faults) = (0, Vec::new());
    for line in lines.lines() {
        exchanges += 1;
        let recording = serde_json::from_str(&line.unwrap()).unwrap();
        faults.extend(agree(recording).await.err());
    }
    assert!(exchanges > 1_000);
    assert!(
        faults.is_empty(),
        "{} of {exchanges}: {:#?}",
        faults.len(),
        &faults[..faults.len().min(5)]
    );
}
