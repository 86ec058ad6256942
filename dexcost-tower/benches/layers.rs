//! What the layers cost, beside the bare service in the same run.
//!
//! `cargo bench -p dexcost-tower --all-features [-- PART…]`; parts are `small`, `passing`, `large`, `stream`,
//! `inbound`, `loopback`. Times are medians of alternating rounds. The sink throws records away, so
//! that the layers are measured and not the disk.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::float_arithmetic,
    reason = "a bench prints figures and may stop"
)]

use std::convert::Infallible;
use std::hint::black_box;
use std::io::{Read, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::post;
use bytes::Bytes;
use dexcost::capture::{Exchange, RequestFacts};
use dexcost::testing::MemorySink;
use dexcost::{
    Commit, CostTracker, Ending, Error, Record, Refusal, Sink, SystemClock, TaskOptions, TaskStatus,
    TrackedTask,
};
use dexcost_tower::{CaptureLayer, CaptureService, TaskLayer};
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
use tower::{Layer, Service, ServiceExt};
use tower_http::trace::TraceLayer;

const ROUNDS: usize = 15;

fn main() {
    let parts: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with("--"))
        .collect();
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|p| p == part);
    println!(
        "{:<58} {:>11} {:>11} {:>11}  {:>9}",
        "operation", "bare", "ours", "added", "budget"
    );
    if wanted("small") {
        small();
    }
    if wanted("passing") {
        passing();
    }
    if wanted("large") {
        large();
    }
    if wanted("stream") {
        stream();
    }
    if wanted("inbound") {
        inbound();
    }
    if wanted("loopback") {
        loopback();
    }
}

fn line(name: &str, bare: f64, ours: f64, budget: &str) {
    println!(
        "{name:<58} {:>11} {:>11} {:>11}  {budget:>9}",
        time(bare),
        time(ours),
        time(ours - bare)
    );
}

fn time(nanos: f64) -> String {
    match nanos.abs() {
        n if n >= 1e6 => format!("{:.2} ms", nanos / 1e6),
        n if n >= 1e3 => format!("{:.2} us", nanos / 1e3),
        _ => format!("{nanos:.0} ns"),
    }
}

/// Nanoseconds per call of each, as medians of rounds that alternate.
fn alternate<const N: usize>(calls: u32, mut work: [&mut dyn FnMut(); N]) -> [f64; N] {
    let mut rounds = vec![[0.0; N]; ROUNDS];
    for round in &mut rounds {
        for (at, work) in work.iter_mut().enumerate() {
            let begun = Instant::now();
            (0..calls).for_each(|_| work());
            round[at] = begun.elapsed().as_nanos() as f64 / f64::from(calls);
        }
    }
    std::array::from_fn(|at| {
        let mut times: Vec<f64> = rounds.iter().map(|round| round[at]).collect();
        times.sort_by(f64::total_cmp);
        times[ROUNDS / 2]
    })
}

/// Throws everything away.
#[derive(Debug)]
struct Nowhere;

impl Sink for Nowhere {
    fn put(&self, record: Record) -> Result<(), Refusal> {
        drop(black_box(record));
        Ok(())
    }

    fn commit(&self) -> Commit {
        Commit::ready(Ok(()))
    }

    fn close(&self, _within: Duration) -> Result<(), Error> {
        Ok(())
    }
}

fn tracker() -> CostTracker {
    let mut parts = MemorySink::new().parts(Arc::new(SystemClock));
    parts.sink = Arc::new(Nowhere);
    CostTracker::from_parts(parts)
}

fn open(tracker: &CostTracker) -> TrackedTask {
    tracker.start_task_sync("bench", TaskOptions::default()).unwrap()
}

/// Polls a future that is ready at once.
fn now<F: Future>(future: F) -> F::Output {
    match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("not ready"),
    }
}

/// A body of pieces that lie in memory.
#[derive(Clone)]
struct Pieces {
    pieces: Arc<[Bytes]>,
    at: usize,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.pieces.get(self.at).cloned();
        self.at += 1;
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

/// A service that answers from memory.
#[derive(Clone)]
struct Memory {
    pieces: Arc<[Bytes]>,
    content_type: &'static str,
}

impl Memory {
    fn new(content_type: &'static str, pieces: Vec<Bytes>) -> Self {
        Self {
            pieces: pieces.into(),
            content_type,
        }
    }

    fn json(body: String, piece: usize) -> Self {
        let body = Bytes::from(body);
        let pieces = (0..body.len()).step_by(piece);
        let pieces = pieces.map(|at| body.slice(at..body.len().min(at + piece)));
        Self::new("application/json", pieces.collect())
    }
}

impl<B> Service<Request<B>> for Memory {
    type Response = Response<Pieces>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<Pieces>, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _request: Request<B>) -> Self::Future {
        let mut response = Response::new(Pieces {
            pieces: Arc::clone(&self.pieces),
            at: 0,
        });
        let content_type = http::HeaderValue::from_static(self.content_type);
        response.headers_mut().insert("content-type", content_type);
        std::future::ready(Ok(response))
    }
}

const CHAT: &str = "https://api.openai.com/v1/chat/completions";

fn ask(uri: &'static str) -> Request<Full<Bytes>> {
    let body = r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Where is my parcel?"}]}"#;
    Request::post(uri)
        .header("content-type", "application/json")
        .header("authorization", "Bearer x")
        .body(Full::from(body))
        .unwrap()
}

/// One call, its body read to the end.
fn call<S, B>(service: &mut S, uri: &'static str)
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>>,
    S::Error: std::fmt::Debug,
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Debug,
{
    let mut body = now(service.call(ask(uri))).unwrap().into_body();
    while let Some(frame) = now(body.frame()) {
        black_box(frame.unwrap());
    }
}

fn captured<S>(service: S, tracker: &CostTracker) -> CaptureService<S> {
    CaptureLayer::new().tracker(tracker.clone()).layer(service)
}

fn chat_reply(text: &str) -> String {
    format!(
        r#"{{"id":"chatcmpl-BvN2dKq8ZrT1uYx0WcEfGhIjKlMn","object":"chat.completion","created":1795000000,"model":"gpt-4o-mini-2024-07-18","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}","refusal":null,"annotations":[]}},"logprobs":null,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":482,"completion_tokens":141,"total_tokens":623,"prompt_tokens_details":{{"cached_tokens":128,"audio_tokens":0}},"completion_tokens_details":{{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}},"service_tier":"default","system_fingerprint":"fp_44added55e"}}"#
    )
}

fn small() {
    let tracker = tracker();
    let task = open(&tracker);
    let _current = task.enter();
    let reply = chat_reply(&"x".repeat(400));
    let name = format!("outbound, {} B of JSON, in memory", reply.len());
    let mut bare = Memory::json(reply.clone(), 1 << 20);
    let mut ours = captured(bare.clone(), &tracker);
    let [bare, ours] = alternate(
        5_000,
        [&mut || call(&mut bare, CHAT), &mut || call(&mut ours, CHAT)],
    );
    line(&name, bare, ours, "3 us");
    shares(&task, &reply);
}

/// A request that cannot be a model call.
fn passing() {
    let tracker = tracker();
    let task = open(&tracker);
    let _current = task.enter();
    let reply = chat_reply(&"x".repeat(400));
    const MODELS: &str = "https://api.openai.com/v1/models";
    let mut bare = Memory::json(reply, 1 << 20);
    let mut ours = captured(bare.clone(), &tracker);
    let [bare, ours] = alternate(
        5_000,
        [&mut || call(&mut bare, MODELS), &mut || call(&mut ours, MODELS)],
    );
    line("outbound, no model call: passes through", bare, ours, "");
}

/// What the parts of a captured call take by themselves.
fn shares(task: &TrackedTask, reply: &str) {
    let request = br#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Where is my parcel?"}]}"#;
    let headers = [("content-type", "application/json")];
    let observe = || {
        let mut exchange = Exchange::begin(&RequestFacts::to_url("POST", CHAT, &headers));
        exchange.request_data(request);
        exchange.response(200, &headers);
        exchange.data(reply.as_bytes());
        exchange.settle(Ending::Done)
    };
    let seen = observe();
    let [exchange, copy, record] = alternate(
        5_000,
        [
            &mut || drop(black_box(observe())),
            &mut || drop(black_box(seen.clone())),
            &mut || drop(black_box(task.record_observation(seen.clone(), Some(1)))),
        ],
    );
    line("  of which the exchange", 0.0, exchange, "");
    line("  of which pricing and recording", copy, record, "");
}

/// 5 MB of embeddings, as their numbers are written.
fn embeddings() -> String {
    let mut body = String::from(r#"{"object":"list","data":["#);
    let mut n = 0x9e37_79b9_7f4a_7c15_u64;
    let mut index = 0;
    while body.len() < 5_000_000 {
        if index > 0 {
            body.push(',');
        }
        body.push_str(&format!(
            r#"{{"object":"embedding","index":{index},"embedding":["#
        ));
        for at in 0..1_536 {
            n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let sign = if n & 1 == 0 { "-" } else { "" };
            let comma = if at == 0 { "" } else { "," };
            body.push_str(&format!("{comma}{sign}0.0{:08}", (n >> 33) % 100_000_000));
        }
        body.push_str("]}");
        index += 1;
    }
    body.push_str(r#"],"model":"text-embedding-3-small","usage":{"prompt_tokens":9000,"completion_tokens":0,"total_tokens":9000}}"#);
    body
}

fn large() {
    let tracker = tracker();
    let task = open(&tracker);
    let _current = task.enter();
    const EMBEDDINGS: &str = "https://api.openai.com/v1/embeddings";
    let text = "The parcel left our warehouse yesterday, and the carrier expects it by noon. ";
    let bodies = [
        (
            "5 MB of float embeddings, embeddings path",
            EMBEDDINGS,
            embeddings(),
            "0.5 ms",
        ),
        (
            "5 MB of float embeddings, chat path",
            CHAT,
            embeddings(),
            "0.5 ms",
        ),
        (
            "5 MB of text in JSON, chat path",
            CHAT,
            chat_reply(&text.repeat(5_000_000 / text.len())),
            "4 ms",
        ),
    ];
    for (name, uri, body, budget) in bodies {
        let mut bare = Memory::json(body, 16_384);
        let mut ours = captured(bare.clone(), &tracker);
        let peak = [peak_of(|| call(&mut bare, uri)), peak_of(|| call(&mut ours, uri))];
        held_back(name, &mut ours, &bare.pieces, uri);
        let [bare, ours] = alternate(4, [&mut || call(&mut bare, uri), &mut || call(&mut ours, uri)]);
        line(&format!("outbound, {name}, CPU"), bare, ours, budget);
        if let [Some(bare), Some(ours)] = peak {
            println!(
                "{:<58} {bare:>8} kB {ours:>8} kB {:>8} kB  {:>9}",
                "  peak memory above the start",
                ours.saturating_sub(bare),
                "200 kB"
            );
        }
    }
}

/// Every poll gives the very piece that the inner body gave: nothing is held back, nothing copied.
fn held_back(name: &str, service: &mut CaptureService<Memory>, pieces: &[Bytes], uri: &'static str) {
    let mut body = now(service.call(ask(uri))).unwrap().into_body();
    let held = pieces.iter().filter(|piece| {
        let frame = now(body.frame()).unwrap().unwrap().into_data().unwrap();
        frame.as_ptr() != piece.as_ptr() || frame.len() != piece.len()
    });
    println!(
        "{:<58} {:>36}  {:>9}",
        format!("outbound, {name}, pieces held back"),
        held.count(),
        "0"
    );
}

/// How many kB the memory of the process rises at most while this runs; Linux only.
fn peak_of(mut work: impl FnMut()) -> Option<u64> {
    let figure = |name: &str| {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    std::fs::write("/proc/self/clear_refs", "5").ok()?;
    let before = figure("VmRSS")?;
    work();
    Some(figure("VmHWM")?.saturating_sub(before))
}

fn stream() {
    let tracker = tracker();
    let task = open(&tracker);
    let _current = task.enter();
    for (name, usage, budget) in [
        ("SSE, per chunk without usage", "null", "200 ns"),
        (
            "SSE, per chunk with usage in every one",
            r#"{"prompt_tokens":482,"completion_tokens":141,"total_tokens":623,"prompt_tokens_details":{"cached_tokens":128}}"#,
            "800 ns",
        ),
    ] {
        const CHUNKS: usize = 2_000;
        let mut bare = Memory::new("text/event-stream", chunks(CHUNKS, usage));
        let mut ours = captured(bare.clone(), &tracker);
        let [bare, ours] = alternate(5, [&mut || call(&mut bare, CHAT), &mut || call(&mut ours, CHAT)]);
        line(name, bare / CHUNKS as f64, ours / CHUNKS as f64, budget);
    }
    let mut bare = Memory::new("text/event-stream", chunks(1, "null"));
    let mut ours = captured(bare.clone(), &tracker);
    let [bare, ours] = alternate(5_000, [&mut || first(&mut bare), &mut || first(&mut ours)]);
    line(
        "SSE, call to first chunk (and the drop after it)",
        bare,
        ours,
        "20 us",
    );
}

fn chunks(count: usize, usage: &str) -> Vec<Bytes> {
    let chunk = |text: &str, usage: &str| {
        Bytes::from(format!(
            "data: {{\"id\":\"chatcmpl-BvN2dKq8ZrT1uYx0WcEfGhIjKlMn\",\"object\":\"chat.completion.chunk\",\"created\":1795000000,\"model\":\"gpt-4o-mini-2024-07-18\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_44added55e\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"logprobs\":null,\"finish_reason\":null}}],\"usage\":{usage},\"obfuscation\":\"kR9\"}}\n\n"
        ))
    };
    let mut chunks: Vec<Bytes> = (0..count).map(|n| chunk(&format!(" word{n}"), usage)).collect();
    chunks.push(Bytes::from_static(b"data: [DONE]\n\n"));
    chunks
}

fn first<S, B>(service: &mut S)
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>>,
    S::Error: std::fmt::Debug,
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Debug,
{
    let mut body = now(service.call(ask(CHAT))).unwrap().into_body();
    black_box(now(body.frame()).unwrap().unwrap());
}

fn inbound() {
    let tracker = tracker();
    let hello = tower::service_fn(|_: Request<Full<Bytes>>| {
        std::future::ready(Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(
            b"hello",
        )))))
    });
    const URI: &str = "https://localhost/tickets/4711/resolve";
    let layer = TaskLayer::new()
        .tracker(tracker.clone())
        .customer_header("x-customer-id");
    let (mut bare, mut traced) = (hello, TraceLayer::new_for_http().layer(hello));
    let mut ours = layer.clone().task_type("resolve_ticket").layer(hello);
    let [bare, traced, ours, task] = alternate(
        5_000,
        [
            &mut || call(&mut bare, URI),
            &mut || call(&mut traced, URI),
            &mut || call(&mut ours, URI),
            &mut || open(&tracker).finish(TaskStatus::Success).unwrap(),
        ],
    );
    line("inbound, TraceLayer", bare, traced, "");
    line("task start and end alone", 0.0, task, "");
    let budget = (traced - bare).max(0.0) + task + 300.0;
    line("inbound, TaskLayer", bare, ours, &time(budget));

    let app = Router::new().route("/tickets/{id}/resolve", post(|| async { "hello" }));
    let traced = app.clone().layer(TraceLayer::new_for_http());
    let ours = app.clone().layer(layer);
    let visit = |app: &Router| {
        let request = Request::post("/tickets/4711/resolve")
            .header("x-customer-id", "acme")
            .body(axum::body::Body::empty())
            .unwrap();
        let mut body = now(app.clone().oneshot(request)).unwrap().into_body();
        while let Some(frame) = now(body.frame()) {
            black_box(frame.unwrap());
        }
    };
    let [bare, traced, ours] = alternate(
        5_000,
        [&mut || visit(&app), &mut || visit(&traced), &mut || visit(&ours)],
    );
    line("inbound, axum router with TraceLayer", bare, traced, "");
    line(
        "inbound, axum router with TaskLayer, route and customer",
        bare,
        ours,
        "",
    );
}

/// A server that gives the same reply to everything, with as little work as possible.
fn serve(reply: &str) -> std::net::SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let reply = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{reply}",
        reply.len()
    );
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            stream.set_nodelay(true).unwrap();
            let reply = reply.clone();
            std::thread::spawn(move || {
                let mut buffer = [0; 16_384];
                while matches!(stream.read(&mut buffer), Ok(n) if n > 0) {
                    if stream.write_all(reply.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    addr
}

fn loopback() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let tracker = tracker();
    let task = open(&tracker);
    let _current = task.enter();
    let addr = serve(&chat_reply(&"x".repeat(400)));
    let client = reqwest::Client::builder()
        .no_proxy()
        .resolve("api.openai.com", addr)
        .build()
        .unwrap();
    let mut ours = captured(client.clone(), &tracker);
    let mut bare = client;
    let ask = || {
        let url = format!("http://api.openai.com:{}/v1/chat/completions", addr.port());
        let mut request = reqwest::Request::new(reqwest::Method::POST, url.parse().unwrap());
        *request.body_mut() = Some(r#"{"model":"gpt-4o-mini","messages":[]}"#.into());
        request
    };
    let [bare, ours] = alternate(
        300,
        [
            &mut || {
                let reply = runtime.block_on(async { bare.call(ask()).await?.bytes().await });
                black_box(reply.unwrap());
            },
            &mut || {
                let reply = runtime.block_on(async { ours.call(ask()).await?.bytes().await });
                black_box(reply.unwrap());
            },
        ],
    );
    line(
        "outbound, 1 KB, reqwest over loopback, whole call",
        bare,
        ours,
        "",
    );
}
