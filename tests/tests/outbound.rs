//! Outbound: real clients against a loopback server, through the capture layer.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::type_complexity,
    reason = "a test"
)]

mod wire;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use dexcost::testing::MemorySink;
use dexcost::{
    CostTracker, ErrorType, Event, OperationStatus, TaskFutureExt, TaskOptions, TaskStatus, TrackedTask, Unit,
};
use dexcost_tower::{CaptureLayer, CaptureService, Uncaptured};
use http::Request;
use http_body::Body;
use http_body_util::{BodyExt, Full};
use tower::{Layer, Service, ServiceExt};
use wire::{After, Framing, Reply, Wire, chat, chat_stream, stream_reply};

const CHAT: &str = "/v1/chat/completions";
const ASK: &str = r#"{"model":"gpt-4o","messages":[{"role":"user","content":"?"}]}"#;
const ASK_STREAM: &str = r#"{"model":"gpt-4o","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"?"}]}"#;

/// A tracker in memory with one open task.
struct Bench {
    sink: Arc<MemorySink>,
    tracker: CostTracker,
    task: TrackedTask,
}

impl Bench {
    fn new() -> Self {
        let sink = MemorySink::new();
        let tracker = sink.tracker();
        let task = tracker
            .start_task_sync("resolve_ticket", TaskOptions::default())
            .unwrap();
        Self { sink, tracker, task }
    }

    fn layer(&self) -> CaptureLayer {
        CaptureLayer::new().tracker(self.tracker.clone())
    }

    /// The one event there is; it must be on the task.
    fn event(&self) -> Arc<Event> {
        let events = self.sink.events();
        assert_eq!(events.len(), 1, "one call, one event");
        assert_eq!(events[0].task_id, self.task.task_id());
        Arc::clone(&events[0])
    }

    fn reqwest(&self, wire: &Wire) -> CaptureService<reqwest::Client> {
        self.layer().layer(client(wire))
    }
}

/// A reqwest client for which the providers live at the loopback server.
fn client(wire: &Wire) -> reqwest::Client {
    builder(wire).build().unwrap()
}

fn builder(wire: &Wire) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .no_proxy()
        .resolve("api.openai.com", wire.addr)
}

fn ask(wire: &Wire, body: &'static str) -> reqwest::Request {
    let url = wire.url("api.openai.com", CHAT);
    let mut request = reqwest::Request::new(reqwest::Method::POST, url.parse().unwrap());
    *request.body_mut() = Some(body.into());
    request
}

fn http_ask<B>(uri: &str, body: B) -> Request<B> {
    Request::post(uri).body(body).unwrap()
}

/// A client of hyper-util. Its connector knows no names, so the URI leads to the loopback address,
/// where usage has to prove that it is a model.
fn hyper_client<B>()
-> hyper_util::client::legacy::Client<hyper_util::client::legacy::connect::HttpConnector, B>
where
    B: Body + Send + 'static,
    B::Data: Send,
{
    hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new()).build_http()
}

// What is seen

#[tokio::test]
async fn a_reply_through_reqwest_lands_on_the_task_that_called() {
    let wire = Wire::always(Reply::json(200, &chat(48, 14)).header("x-request-id", "req_1"));
    let bench = Bench::new();
    let mut client = bench.reqwest(&wire);
    let call = async { client.ready().await.unwrap().call(ask(&wire, ASK)).await.unwrap() };
    let reply = call.in_task(&bench.task).await;
    assert_eq!(reply.text().await.unwrap(), chat(48, 14));
    let event = bench.event();
    assert_eq!(event.usage.count(Unit::InputTokens), 48);
    assert_eq!(event.usage.count(Unit::OutputTokens), 14);
    assert_eq!(event.provider.as_deref(), Some("openai"));
    assert_eq!(event.operation_status, OperationStatus::Succeeded);
    assert!(event.latency_ms.is_some());
    let call = event.call.as_ref().unwrap();
    assert_eq!(call.model_requested.as_deref(), Some("gpt-4o"));
    assert_eq!(call.model_returned.as_deref(), Some("gpt-4o-2024-08-06"));
    assert_eq!(call.request_id.as_deref(), Some("req_1"));
}

#[tokio::test]
async fn a_stream_through_reqwest_passes_piece_by_piece_and_counts_once() {
    let wire = Wire::always(stream_reply(120, 30));
    let bench = Bench::new();
    let mut client = bench.reqwest(&wire);
    let calling = bench.task.run(|| client.call(ask(&wire, ASK_STREAM)));
    let mut reply = calling.await.unwrap();
    assert!(bench.sink.events().is_empty(), "not before the body has ended");
    let mut text = Vec::new();
    while let Some(piece) = reply.chunk().await.unwrap() {
        text.extend_from_slice(&piece);
    }
    assert_eq!(String::from_utf8(text).unwrap(), chat_stream(120, 30).concat());
    let event = bench.event();
    assert_eq!(event.usage.count(Unit::InputTokens), 120);
    assert_eq!(event.usage.count(Unit::OutputTokens), 30);
    assert!(event.call.as_ref().unwrap().streamed);
}

#[tokio::test]
async fn the_task_is_the_one_current_at_the_call_not_at_the_poll() {
    let wire = Wire::always(stream_reply(120, 30));
    let bench = Bench::new();
    let mut client = bench.reqwest(&wire);
    let calling = bench.task.run(|| client.call(ask(&wire, ASK_STREAM)));
    let reply = tokio::spawn(calling).await.unwrap().unwrap();
    tokio::spawn(reply.bytes()).await.unwrap().unwrap();
    assert_eq!(bench.event().usage.count(Unit::InputTokens), 120);
}

#[tokio::test]
async fn a_reply_through_hyper_lands_on_the_task_and_the_request_is_seen() {
    let wire = Wire::always(Reply::json(200, &chat(48, 14)));
    let bench = Bench::new();
    let mut client = bench.layer().layer(hyper_client::<Full<Bytes>>());
    let request = http_ask(&wire.url("127.0.0.1", CHAT), Full::from(ASK));
    let calling = bench.task.run(|| client.call(request));
    let reply = calling.await.unwrap().into_body().collect().await.unwrap();
    assert_eq!(reply.to_bytes(), chat(48, 14));
    let event = bench.event();
    assert_eq!(event.usage.count(Unit::OutputTokens), 14);
    assert_eq!(
        event.call.as_ref().unwrap().model_requested.as_deref(),
        Some("gpt-4o")
    );
}

#[tokio::test]
async fn a_request_body_whose_type_is_erased_is_seen_while_it_is_sent() {
    type BoxError = Box<dyn std::error::Error + Send + Sync>;
    let wire = Wire::start(|got| {
        assert_eq!(got.body, ASK.as_bytes());
        Some(Reply::json(200, &chat(48, 14)))
    });
    let never = |never: Infallible| -> BoxError { match never {} };
    let uri = wire.url("127.0.0.1", CHAT);
    let requested = |bench: &Bench| bench.event().call.as_ref().unwrap().model_requested.clone();

    let bench = Bench::new();
    let mut client = bench.layer().layer(hyper_client());
    let request = http_ask(&uri, Full::<Bytes>::from(ASK).map_err(never).boxed());
    let reply = bench.task.run(|| client.call(request)).await.unwrap();
    reply.into_body().collect().await.unwrap();
    assert_eq!(requested(&bench).as_deref(), Some("gpt-4o"));

    let bench = Bench::new();
    let mut client = bench.layer().layer(hyper_client());
    let request = http_ask(&uri, axum::body::Body::from(ASK));
    let reply = bench.task.run(|| client.call(request)).await.unwrap();
    reply.into_body().collect().await.unwrap();
    assert_eq!(requested(&bench).as_deref(), Some("gpt-4o"));

    let bench = Bench::new();
    let mut client = bench.layer().layer(hyper_client());
    let request = http_ask(&uri, reqwest::Body::wrap(Full::<Bytes>::from(ASK)));
    let reply = bench.task.run(|| client.call(request)).await.unwrap();
    reply.into_body().collect().await.unwrap();
    assert_eq!(requested(&bench).as_deref(), Some("gpt-4o"));
}

#[tokio::test]
async fn a_request_body_of_an_unknown_type_goes_unseen_and_the_call_still_counts() {
    let wire = Wire::always(Reply::json(200, &chat(48, 14)));
    let bench = Bench::new();
    let mut client = bench.layer().layer(hyper_client());
    let body = Full::<Bytes>::from(ASK).map_frame(|frame| frame);
    let request = http_ask(&wire.url("127.0.0.1", CHAT), body);
    let reply = bench.task.run(|| client.call(request)).await.unwrap();
    reply.into_body().collect().await.unwrap();
    let event = bench.event();
    assert_eq!(event.usage.count(Unit::InputTokens), 48);
    assert_eq!(event.call.as_ref().unwrap().model_requested, None);
}

#[tokio::test]
async fn a_coded_body_reaches_the_caller_as_sent_and_is_read_all_the_same() {
    use std::io::Write;
    let mut coder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    coder.write_all(chat(48, 14).as_bytes()).unwrap();
    let coded = coder.finish().unwrap();
    let reply = Reply::new(200, "application/json", &[&coded]).header("content-encoding", "gzip");
    let wire = Wire::always(reply);
    let bench = Bench::new();
    let mut client = bench.reqwest(&wire);
    let reply = bench.task.run(|| client.call(ask(&wire, ASK))).await.unwrap();
    assert_eq!(reply.bytes().await.unwrap(), coded);
    assert_eq!(bench.event().usage.count(Unit::InputTokens), 48);
}

#[tokio::test]
async fn everything_that_a_reqwest_response_carries_survives() {
    let wire = Wire::always(Reply::json(200, &chat(48, 14)).header("x-mine", "yes"));
    let bench = Bench::new();
    let mut url: reqwest::Url = wire.url("api.openai.com", CHAT).parse().unwrap();
    url.set_query(Some("api-version=1"));
    let mut request = ask(&wire, ASK);
    *request.url_mut() = url.clone();
    let bare = client(&wire).execute(request.try_clone().unwrap()).await.unwrap();
    let mut client = bench.reqwest(&wire);
    let reply = bench.task.run(|| client.call(request)).await.unwrap();
    assert_eq!(reply.url(), &url);
    assert_eq!(reply.status(), bare.status());
    assert_eq!(reply.version(), bare.version());
    assert_eq!(reply.headers(), bare.headers());
    assert_eq!(reply.content_length(), bare.content_length());
    assert_eq!(reply.content_length(), Some(chat(48, 14).len() as u64));
    assert_eq!(reply.remote_addr(), Some(wire.addr));
    assert_eq!(reply.extensions().len(), bare.extensions().len());
    drop(reply);
}

#[tokio::test]
async fn what_is_no_model_call_passes_and_opens_no_session() {
    let wire = Wire::always(Reply::json(200, "{}"));
    let bench = Bench::new();
    let mut client = bench.reqwest(&wire);
    let url: reqwest::Url = wire.url("api.openai.com", "/v1/models").parse().unwrap();
    let request = reqwest::Request::new(reqwest::Method::GET, url.clone());
    assert_eq!(client.call(request).await.unwrap().text().await.unwrap(), "{}");
    let request = reqwest::Request::new(reqwest::Method::HEAD, url);
    client.call(request).await.unwrap();
    assert!(bench.sink.events().is_empty());
    assert_eq!(bench.tracker.sessions().open_count(), 0);
}

#[tokio::test]
async fn a_call_outside_any_task_goes_to_the_session_of_the_scope_that_called() {
    let wire = Wire::always(Reply::json(200, &chat(48, 14)));
    let bench = Bench::new();
    let context = dexcost::Context {
        customer_id: Some("acme".into()),
        agent: Some("night_shift".into()),
        ..Default::default()
    };
    let mut client = bench.reqwest(&wire);
    let calling = context.run(|| client.call(ask(&wire, ASK)));
    calling.await.unwrap().bytes().await.unwrap();
    bench.tracker.sessions().close_all();
    let ended = bench.sink.ended();
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0].task_type, "night_shift");
    assert_eq!(ended[0].attribution.customer_id.as_deref(), Some("acme"));
    assert_eq!(ended[0].totals.total_input_tokens, 48);
}

#[tokio::test]
async fn own_traffic_and_marked_requests_are_not_captured() {
    let wire = Wire::always(Reply::json(200, &chat(48, 14)));
    let bench = Bench::new();
    let mut client = bench.layer().layer(hyper_client::<Full<Bytes>>());
    let mut request = http_ask(&wire.url("127.0.0.1", CHAT), Full::from(ASK));
    request.extensions_mut().insert(Uncaptured);
    client
        .call(request)
        .await
        .unwrap()
        .into_body()
        .collect()
        .await
        .unwrap();
    let mut client = bench.reqwest(&wire);
    let mut request = ask(&wire, ASK);
    let name = http::HeaderName::from_static(dexcost_tower::OWN_TRAFFIC);
    request
        .headers_mut()
        .insert(name, http::HeaderValue::from_static("1"));
    client.call(request).await.unwrap().bytes().await.unwrap();
    assert!(bench.sink.events().is_empty());
}

#[tokio::test]
async fn without_a_tracker_calls_pass_through_and_are_counted() {
    let wire = Wire::always(Reply::json(200, &chat(48, 14)));
    let mut client = CaptureLayer::new().layer(client(&wire));
    let before = dexcost_tower::untracked_calls();
    let reply = client.call(ask(&wire, ASK)).await.unwrap();
    assert_eq!(reply.text().await.unwrap(), chat(48, 14));
    assert_eq!(dexcost_tower::untracked_calls(), before + 1);
}

// How it ends

/// How a test's consumer treats the body.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Consumer {
    ReadsAll,
    DropsMidway,
    NeverReads,
}

async fn consume(mut reply: reqwest::Response, consumer: Consumer) -> Result<Vec<u8>, reqwest::Error> {
    let mut text = Vec::new();
    if consumer == Consumer::NeverReads {
        return Ok(text);
    }
    while let Some(piece) = reply.chunk().await? {
        text.extend_from_slice(&piece);
        if consumer == Consumer::DropsMidway {
            break;
        }
    }
    Ok(text)
}

#[tokio::test]
async fn every_ending_in_every_framing_settles_exactly_once() {
    use OperationStatus::{Cancelled, Failed, Succeeded, Unknown};
    let body = chat(48, 14);
    let json = Reply::json(200, &body);
    let half = Reply::json(200, &body[..body.len() / 2]);
    let stream = stream_reply(48, 14);
    let events = chat_stream(48, 14);
    let begun = Reply::sse(&[&events[0], &events[1]]);
    let all = [Framing::Length, Framing::Chunked, Framing::UntilClose];
    let framed = [Framing::Length, Framing::Chunked];
    let close = [Framing::UntilClose];
    let cases: &[(&Reply, &[Framing], After, Consumer, OperationStatus)] = &[
        (&json, &all, After::End, Consumer::ReadsAll, Succeeded),
        (&stream, &all, After::End, Consumer::ReadsAll, Succeeded),
        (&json, &all, After::End, Consumer::NeverReads, Cancelled),
        (&stream, &all, After::End, Consumer::NeverReads, Cancelled),
        (&half, &framed, After::Cut, Consumer::ReadsAll, Failed),
        (&begun, &framed, After::Cut, Consumer::ReadsAll, Failed),
        (&half, &close, After::Cut, Consumer::ReadsAll, Failed),
        (&begun, &close, After::Cut, Consumer::ReadsAll, Unknown),
        (&half, &all, After::Hang, Consumer::DropsMidway, Cancelled),
        (&begun, &all, After::Hang, Consumer::DropsMidway, Cancelled),
    ];
    for (reply, framings, after, consumer, expected) in cases {
        for framing in *framings {
            let case = format!("{framing:?} {after:?} {consumer:?} {expected}");
            let wire = Wire::always((*reply).clone().framing(*framing).after(*after));
            let bench = Bench::new();
            let mut client = bench.reqwest(&wire);
            let body = if reply.is_stream() { ASK_STREAM } else { ASK };
            let reply = bench.task.run(|| client.call(ask(&wire, body))).await.unwrap();
            let _ = consume(reply, *consumer).await;
            let event = bench.event();
            assert_eq!(event.operation_status, *expected, "{case}");
            if *expected == Failed {
                assert!(event.error_type.is_some(), "{case}");
            }
        }
    }
}

#[tokio::test]
async fn an_error_reply_is_a_failed_event_with_the_canonical_reason() {
    let error = r#"{"error":{"message":"no","type":"x","code":"y"}}"#;
    let cases = [
        (429, ErrorType::RateLimit),
        (500, ErrorType::ServerError),
        (401, ErrorType::Auth),
        (404, ErrorType::NotFound),
    ];
    for (status, expected) in cases {
        let wire = Wire::always(Reply::json(status, error));
        let bench = Bench::new();
        let mut client = bench.reqwest(&wire);
        let reply = bench.task.run(|| client.call(ask(&wire, ASK))).await.unwrap();
        assert_eq!(reply.status().as_u16(), status);
        assert_eq!(
            reply.text().await.unwrap(),
            error,
            "the caller sees the provider's words"
        );
        let event = bench.event();
        assert_eq!(event.operation_status, OperationStatus::Failed);
        assert_eq!(event.error_type, Some(expected), "{status}");
    }
}

#[tokio::test]
async fn a_reply_without_a_body_settles_at_its_head() {
    for reply in [Reply::new(204, "text/plain", &[]), Reply::json(500, "")] {
        let wire = Wire::always(reply);
        let bench = Bench::new();
        let mut client = bench.reqwest(&wire);
        let reply = bench.task.run(|| client.call(ask(&wire, ASK))).await.unwrap();
        assert_eq!(bench.sink.events().len(), 1, "before the body is touched");
        drop(reply);
        bench.event();
    }
}

#[tokio::test]
async fn trailers_end_a_body_and_pass_through() {
    let events = chat_stream(48, 14);
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    let wire = Wire::always(
        Reply::sse(&events)
            .header("trailer", "x-sum")
            .trailer("x-sum", "1"),
    );
    let bench = Bench::new();
    let mut client = bench.layer().layer(hyper_client::<Full<Bytes>>());
    let mut request = http_ask(&wire.url("127.0.0.1", CHAT), Full::from(ASK_STREAM));
    request.headers_mut().insert("te", "trailers".parse().unwrap());
    let reply = bench.task.run(|| client.call(request)).await.unwrap();
    let mut body = reply.into_body();
    let mut trailers = None;
    while let Some(frame) = body.frame().await {
        if let Ok(fields) = frame.unwrap().into_trailers() {
            trailers = Some(fields);
            break;
        }
    }
    assert_eq!(bench.event().operation_status, OperationStatus::Succeeded);
    assert_eq!(trailers.unwrap().get("x-sum").unwrap(), "1");
}

#[tokio::test]
async fn a_refused_connection_is_a_failed_call_and_the_callers_own_error() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let wire = Wire { addr: closed };
    let bench = Bench::new();
    let mut client = bench.reqwest(&wire);
    let error = bench.task.run(|| client.call(ask(&wire, ASK))).await.unwrap_err();
    assert!(error.is_connect());
    let event = bench.event();
    assert_eq!(event.error_type, Some(ErrorType::ConnectionError));
    assert_eq!(event.operation_status, OperationStatus::Failed);
}

#[tokio::test]
async fn a_timeout_is_a_failed_call_before_the_head_and_within_the_body() {
    let events = chat_stream(48, 14);
    let hanging = Reply::sse(&[&events[0]]).after(After::Hang);
    let wires = [Wire::start(|_| None), Wire::always(hanging)];
    for wire in wires {
        let bench = Bench::new();
        let client = builder(&wire)
            .timeout(Duration::from_millis(200))
            .build()
            .unwrap();
        let mut client = bench.layer().layer(client);
        let error = match bench.task.run(|| client.call(ask(&wire, ASK_STREAM))).await {
            Ok(reply) => reply.bytes().await.unwrap_err(),
            Err(error) => error,
        };
        assert!(error.is_timeout());
        let event = bench.event();
        assert_eq!(event.error_type, Some(ErrorType::Timeout));
        assert_eq!(event.operation_status, OperationStatus::Failed);
    }
}

#[tokio::test]
async fn a_timeout_layer_beneath_is_known_by_its_words() {
    let wire = Wire::start(|_| None);
    let bench = Bench::new();
    let slow = tower::timeout::Timeout::new(client(&wire), Duration::from_millis(50));
    let mut client = bench.layer().layer(slow);
    let error = bench.task.run(|| client.call(ask(&wire, ASK))).await.unwrap_err();
    assert!(error.is::<tower::timeout::error::Elapsed>());
    assert_eq!(bench.event().error_type, Some(ErrorType::Timeout));
}

#[tokio::test]
async fn a_call_that_is_given_up_before_its_head_is_cancelled() {
    let wire = Wire::start(|_| None);
    let bench = Bench::new();
    let mut client = bench.reqwest(&wire);
    let calling = bench.task.run(|| client.call(ask(&wire, ASK)));
    assert!(
        tokio::time::timeout(Duration::from_millis(50), calling)
            .await
            .is_err()
    );
    assert_eq!(bench.event().operation_status, OperationStatus::Cancelled);
}

// Without network and runtime

/// A service that answers from memory, and insists on being asked whether it is ready.
#[derive(Default)]
struct Memory {
    is_ready: bool,
    calls: Arc<AtomicUsize>,
}

impl Clone for Memory {
    fn clone(&self) -> Self {
        Self {
            is_ready: false,
            calls: Arc::clone(&self.calls),
        }
    }
}

impl<B> Service<Request<B>> for Memory {
    type Response = http::Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.is_ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _request: Request<B>) -> Self::Future {
        assert!(std::mem::take(&mut self.is_ready), "called without being ready");
        self.calls.fetch_add(1, Ordering::Relaxed);
        std::future::ready(Ok(http::Response::new(Full::from(chat(48, 14)))))
    }
}

fn openai(body: &'static str) -> Request<Full<Bytes>> {
    http_ask("https://api.openai.com/v1/chat/completions", Full::from(body))
}

fn ready(client: &mut CaptureService<Memory>) {
    now(ServiceExt::<Request<Full<Bytes>>>::ready(client)).unwrap();
}

/// Polls a future that is ready at once, without any runtime.
fn now<F: Future>(future: F) -> F::Output {
    match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("not ready"),
    }
}

#[test]
fn settling_needs_no_runtime_and_may_happen_on_any_thread() {
    let bench = Bench::new();
    let mut client = bench.layer().layer(Memory::default());
    let reply = now(async {
        let calling = bench.task.run(|| {
            ready(&mut client);
            client.call(openai(ASK))
        });
        calling.await.unwrap()
    });
    assert_eq!(reply.body().size_hint().exact(), Some(chat(48, 14).len() as u64));
    assert!(!reply.body().is_end_stream());
    std::thread::spawn(move || drop(reply)).join().unwrap();
    assert_eq!(bench.event().operation_status, OperationStatus::Cancelled);
}

#[test]
fn a_drop_after_the_last_byte_is_a_finished_body() {
    let bench = Bench::new();
    let mut client = bench.layer().layer(Memory::default());
    ready(&mut client);
    let mut reply = now(bench.task.run(|| client.call(openai(ASK)))).unwrap();
    let piece = now(reply.body_mut().frame()).unwrap().unwrap();
    assert_eq!(piece.into_data().unwrap(), chat(48, 14));
    drop(reply);
    let event = bench.event();
    assert_eq!(event.operation_status, OperationStatus::Succeeded);
    assert_eq!(event.usage.count(Unit::InputTokens), 48);
}

#[test]
fn settling_during_unwinding_neither_aborts_nor_loses_the_call() {
    let bench = Bench::new();
    let mut client = bench.layer().layer(Memory::default());
    ready(&mut client);
    let reply = now(bench.task.run(|| client.call(openai(ASK)))).unwrap();
    let unwinding = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _held = reply;
        panic!("the consumer's own trouble");
    }));
    assert!(unwinding.is_err());
    assert_eq!(bench.event().operation_status, OperationStatus::Cancelled);
}

// Layers and middleware around

#[tokio::test]
async fn nested_layers_count_once() {
    let wire = Wire::always(Reply::json(200, &chat(48, 14)));
    let bench = Bench::new();
    let mut client = bench.layer().layer(bench.layer().layer(client(&wire)));
    let reply = bench.task.run(|| client.call(ask(&wire, ASK))).await.unwrap();
    reply.bytes().await.unwrap();
    bench.event();
}

#[tokio::test]
async fn layers_on_both_sides_of_a_buffer_count_once_and_onto_the_callers_task() {
    let wire = Wire::always(Reply::json(200, &chat(48, 14)));
    let bench = Bench::new();
    let inner = bench.layer().layer(hyper_client::<Full<Bytes>>());
    let mut client = bench.layer().layer(tower::buffer::Buffer::new(inner, 8));
    let request = http_ask(&wire.url("127.0.0.1", CHAT), Full::from(ASK));
    client.ready().await.unwrap();
    let reply = bench.task.run(|| client.call(request)).await.unwrap();
    reply.into_body().collect().await.unwrap();
    assert_eq!(bench.event().usage.count(Unit::InputTokens), 48);
    assert_eq!(bench.tracker.sessions().open_count(), 0);
}

/// Sends the same again after a 429, once.
#[derive(Clone)]
struct Once;

impl tower::retry::Policy<reqwest::Request, reqwest::Response, reqwest::Error> for Once {
    type Future = std::future::Ready<()>;

    fn retry(
        &mut self,
        _request: &mut reqwest::Request,
        result: &mut Result<reqwest::Response, reqwest::Error>,
    ) -> Option<Self::Future> {
        let limited = result.as_ref().is_ok_and(|reply| reply.status() == 429);
        limited.then(|| std::future::ready(()))
    }

    fn clone_request(&mut self, request: &reqwest::Request) -> Option<reqwest::Request> {
        request.try_clone()
    }
}

/// Refuses the first request, answers the next.
fn refusing_once() -> Wire {
    let refusal = r#"{"error":{"message":"slow down","type":"requests","code":"rate_limit_exceeded"}}"#;
    let tries = AtomicUsize::new(0);
    Wire::start(move |_| {
        Some(match tries.fetch_add(1, Ordering::Relaxed) {
            0 => Reply::json(429, refusal),
            _ => Reply::json(200, &chat(48, 14)),
        })
    })
}

#[tokio::test]
async fn a_retry_middleware_shows_its_attempts_with_and_without_a_layer_around() {
    for is_outside_too in [false, true] {
        let (bench, wire) = (Bench::new(), refusing_once());
        let retrying = tower::retry::Retry::new(Once, bench.reqwest(&wire));
        let call = async {
            let reply = if is_outside_too {
                bench.layer().layer(retrying).oneshot(ask(&wire, ASK)).await
            } else {
                retrying.oneshot(ask(&wire, ASK)).await
            };
            reply.unwrap().bytes().await.unwrap();
        };
        call.in_task(&bench.task).await;
        let events = bench.sink.events();
        assert_eq!(events.len(), 2, "each attempt once");
        let (first, second) = (&events[0], &events[1]);
        assert_eq!(first.error_type, Some(ErrorType::RateLimit));
        assert!(second.is_retry);
        assert_eq!(second.retry_of, Some(first.event_id));
        assert_eq!(second.call.as_ref().unwrap().attempt, Some(2));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_concurrent_tasks_never_mix() {
    let wire = Wire::start(|got| {
        let asked: serde_json::Value = serde_json::from_slice(&got.body).unwrap();
        let n = asked["n"].as_u64().unwrap();
        Some(if n.is_multiple_of(2) {
            stream_reply(n + 1, 1)
        } else {
            Reply::json(200, &chat(n + 1, 1))
        })
    });
    let bench = Bench::new();
    let client = bench.reqwest(&wire);
    let mut running = Vec::new();
    for n in 0..64_u64 {
        let (mut client, tracker) = (client.clone(), bench.tracker.clone());
        let url = wire.url("api.openai.com", CHAT);
        running.push(tokio::spawn(async move {
            let task = tracker
                .start_task("one_of_many", TaskOptions::default())
                .await
                .unwrap();
            let work = async {
                for _ in 0..3 {
                    let mut request = reqwest::Request::new(reqwest::Method::POST, url.parse().unwrap());
                    *request.body_mut() = Some(format!(r#"{{"model":"gpt-4o","n":{n}}}"#).into());
                    let reply = client.call(request).await.unwrap();
                    tokio::spawn(reply.bytes()).await.unwrap().unwrap();
                }
            };
            work.in_task(&task).await;
            task.finish(TaskStatus::Success).unwrap();
            (task.task_id(), n)
        }));
    }
    for joined in running {
        let (task_id, n) = joined.await.unwrap();
        let ended = bench.sink.ended();
        let task = ended.iter().find(|task| task.task_id == task_id).unwrap();
        assert_eq!(task.totals.total_input_tokens, 3 * (n + 1));
        assert_eq!(task.totals.event_count, 3);
    }
}
