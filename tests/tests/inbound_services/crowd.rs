//! Two thousand requests at once, of many kinds, through the inbound and the outbound layer.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::routing::post;
use bytes::Bytes;
use dexcost::testing::MemorySink;
use dexcost::{Decimal, Event, Record, Task, TaskFutureExt, TaskId, TaskStatus, dec};
use dexcost_tower::{CaptureLayer, CaptureService, TaskLayer};
use http::{Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use tokio::sync::Barrier;
use tonic::codegen::tokio_stream;
use tower::util::BoxCloneSyncService;
use tower::{Layer, ServiceExt};

const CROWD: u64 = 2_000;

/// The kinds of requests, in turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// One chat answer in one piece.
    Chat,
    /// A streamed chat answer that is passed on as it comes.
    Relay,
    /// One answer of another provider, and a cost by hand.
    Messages,
    /// An attempt that is refused, and one that is not.
    Retry,
    /// Two calls from a task within, at the same time.
    Child,
    /// A cost by hand, then an error.
    Fails,
    /// A cost by hand, then nothing: whoever asked goes away.
    Leaves,
}

const KINDS: [Kind; 7] = [
    Kind::Chat,
    Kind::Relay,
    Kind::Messages,
    Kind::Retry,
    Kind::Child,
    Kind::Fails,
    Kind::Leaves,
];

fn kind(n: u64) -> Kind {
    KINDS[usize::try_from(n).unwrap() % KINDS.len()]
}

type Outbound = CaptureService<BoxCloneSyncService<Request<Full<Bytes>>, Response<Body>, Infallible>>;

/// Answers with as many input tokens as the request names, in pieces, going aside between them.
async fn provide(request: Request<Full<Bytes>>) -> Result<Response<Body>, Infallible> {
    let n = request.headers()["x-n"].to_str().unwrap().to_owned();
    let is_refused = request.headers().contains_key("x-refused");
    let is_stream = request.headers().contains_key("x-stream");
    let host = request.uri().host().unwrap().to_owned();
    tokio::task::yield_now().await;
    let text = if is_refused {
        r#"{"error":{"type":"rate_limit_error","code":"rate_limit_exceeded","message":"x"}}"#.to_owned()
    } else if host.contains("anthropic") {
        format!(
            r#"{{"type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[],"stop_reason":"end_turn","usage":{{"input_tokens":{n},"output_tokens":7}}}}"#
        )
    } else {
        let usage = format!(
            r#""model":"gpt-4o","usage":{{"prompt_tokens":{n},"completion_tokens":5,"total_tokens":{n}}}"#
        );
        if is_stream {
            format!(
                "data: {{\"object\":\"chat.completion.chunk\",\"choices\":[{{\"delta\":{{\"content\":\"x\"}}}}],\"model\":\"gpt-4o\"}}\n\ndata: {{\"object\":\"chat.completion.chunk\",\"choices\":[],{usage}}}\n\ndata: [DONE]\n\n"
            )
        } else {
            format!(r#"{{"object":"chat.completion","choices":[],{usage}}}"#)
        }
    };
    let pieces: Vec<_> = text
        .as_bytes()
        .chunks(37)
        .map(|piece| Ok::<_, Infallible>(Frame::data(Bytes::copy_from_slice(piece))))
        .collect();
    let mut reply = Response::new(Body::new(StreamBody::new(tokio_stream::iter(pieces))));
    if is_refused {
        *reply.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    }
    let content_type = if is_stream {
        "text/event-stream"
    } else {
        "application/json"
    };
    reply
        .headers_mut()
        .insert("content-type", content_type.parse().unwrap());
    Ok(reply)
}

async fn call(outbound: &Outbound, url: &str, n: u64, more: &'static [&'static str]) -> Body {
    let mut request = Request::post(url).header("x-n", n).body(Full::from(format!(
        r#"{{"model":"any","messages":[{{"role":"user","content":"{n}"}}]}}"#
    )));
    for name in more {
        let headers = request.as_mut().unwrap().headers_mut();
        headers.insert(*name, "1".parse().unwrap());
    }
    let reply = outbound.clone().oneshot(request.unwrap()).await.unwrap();
    Body::new(reply.into_body())
}

async fn read(body: Body) {
    let mut body = body;
    while let Some(frame) = body.frame().await {
        frame.unwrap();
        tokio::task::yield_now().await;
    }
}

const CHAT: &str = "https://api.openai.com/v1/chat/completions";
const MESSAGES: &str = "https://api.anthropic.com/v1/messages";

async fn handle(n: u64, outbound: Outbound, gate: Arc<Barrier>) -> Result<Body, StatusCode> {
    // Everybody is inside before anybody goes on.
    gate.wait().await;
    match kind(n) {
        Kind::Chat => read(call(&outbound, CHAT, n, &[]).await).await,
        Kind::Relay => return Ok(call(&outbound, CHAT, n, &["x-stream"]).await),
        Kind::Messages => {
            read(call(&outbound, MESSAGES, n, &[]).await).await;
            dexcost::record_cost("pdf", by_hand(n)).unwrap();
        }
        Kind::Retry => {
            read(call(&outbound, CHAT, n, &["x-refused"]).await).await;
            read(call(&outbound, CHAT, n, &[]).await).await;
        }
        Kind::Child => {
            let tracker = dexcost::current_task().unwrap().tracker();
            let child = tracker.start_task_sync("child", Default::default()).unwrap();
            let both = async {
                let one = async { read(call(&outbound, CHAT, n, &[]).await).await };
                let other = async { read(call(&outbound, MESSAGES, n, &[]).await).await };
                tokio::join!(one, other);
            };
            let spawned = outbound.clone();
            let third = async move { read(call(&spawned, CHAT, n, &[]).await).await };
            let third = tokio::spawn(third.in_task(&child));
            both.in_task(&child).await;
            third.await.unwrap();
            child.finish(TaskStatus::Success).unwrap();
        }
        Kind::Fails => {
            dexcost::record_cost("pdf", by_hand(n)).unwrap();
            return Err(StatusCode::INTERNAL_SERVER_ERROR);
        }
        Kind::Leaves => {
            dexcost::record_cost("pdf", by_hand(n)).unwrap();
            std::future::pending::<()>().await;
        }
    }
    Ok(Body::empty())
}

fn by_hand(n: u64) -> Decimal {
    Decimal::new(i64::try_from(n).unwrap(), 6)
}

/// What a request of this number must have cost: prompt tokens, cost by hand, events.
fn expected(n: u64) -> (u64, Decimal, u64) {
    match kind(n) {
        Kind::Chat | Kind::Relay => (n, dec!(0), 1),
        Kind::Messages => (n, by_hand(n), 2),
        Kind::Retry => (n, dec!(0), 2),
        Kind::Child => (0, dec!(0), 0),
        Kind::Fails | Kind::Leaves => (0, by_hand(n), 1),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_event_lands_on_its_task_once_and_the_sums_are_the_sum() {
    let sink = MemorySink::new();
    let gate = Arc::new(Barrier::new(usize::try_from(CROWD).unwrap()));
    let provider = BoxCloneSyncService::new(tower::service_fn(provide));
    let tracker = sink.tracker();
    let outbound = CaptureLayer::new().tracker(tracker.clone()).layer(provider);
    let handler = move |Path(n): Path<u64>| handle(n, outbound.clone(), Arc::clone(&gate));
    let app = Router::new()
        .route("/ask/{n}", post(handler))
        .layer(TaskLayer::new().tracker(tracker).customer_header("x-customer-id"));
    let asked: Vec<_> = (1..=CROWD)
        .map(|n| {
            let request = Request::post(format!("/ask/{n}"))
                .header("x-customer-id", n)
                .body(Body::empty())
                .unwrap();
            let reply = app.clone().oneshot(request);
            let asking = async move { read(reply.await.unwrap().into_body()).await };
            (n, tokio::spawn(asking))
        })
        .collect();
    for (n, asking) in asked {
        if kind(n) == Kind::Leaves {
            let spent = || {
                sink.events()
                    .iter()
                    .any(|event| event.cost_usd == Some(by_hand(n)))
            };
            crate::eventually("the handler is waiting", spent).await;
            asking.abort();
            assert!(asking.await.unwrap_err().is_cancelled());
        } else {
            asking.await.unwrap();
        }
    }
    check(&sink);
}

fn check(sink: &MemorySink) {
    let events: Vec<Arc<Event>> = sink.events();
    let ids: HashSet<_> = events.iter().map(|event| event.event_id).collect();
    assert_eq!(ids.len(), events.len(), "no event twice");
    let mut by_task: HashMap<TaskId, Vec<&Event>> = HashMap::new();
    for event in &events {
        by_task.entry(event.task_id).or_default().push(event);
    }
    let ended = sink.ended();
    let children = (1..=CROWD).filter(|n| kind(*n) == Kind::Child).count();
    assert_eq!(ended.len(), usize::try_from(CROWD).unwrap() + children);
    for task in &ended {
        let n: u64 = task.attribution.customer_id.as_deref().unwrap().parse().unwrap();
        let events = by_task.remove(&task.task_id).unwrap_or_default();
        check_task(task, n, &events);
    }
    assert!(by_task.is_empty(), "no event on any other task");
    let of_tasks: Decimal = ended.iter().map(|task| task.totals.total_cost_usd()).sum();
    let of_events: Decimal = events.iter().filter_map(|event| event.cost_usd).sum();
    assert_eq!(of_tasks, of_events);
    let last = sink.records();
    let started = last
        .iter()
        .filter(|record| matches!(record, Record::TaskStarted(_)));
    assert_eq!(started.count(), ended.len());
}

fn check_task(task: &Task, n: u64, events: &[&Event]) {
    let is_child = task.parent_task_id.is_some();
    let (tokens, by_hand, count) = if is_child {
        (3 * n, dec!(0), 3)
    } else {
        expected(n)
    };
    let totals = &task.totals;
    assert_eq!(totals.total_input_tokens, tokens, "{n} {:?}", kind(n));
    assert_eq!(totals.external_cost_usd, by_hand, "{n} {:?}", kind(n));
    assert_eq!(totals.event_count, count, "{n} {:?}", kind(n));
    assert_eq!(events.len() as u64, count, "{n} {:?}", kind(n));
    let sum: Decimal = events.iter().filter_map(|event| event.cost_usd).sum();
    assert_eq!(sum, totals.total_cost_usd(), "parts equal the whole");
    let retries = u64::from(kind(n) == Kind::Retry && !is_child);
    assert_eq!(totals.retry_count, retries, "{n} {:?}", kind(n));
    let is_success = is_child || !matches!(kind(n), Kind::Fails | Kind::Leaves);
    assert_eq!(
        task.status == TaskStatus::Success,
        is_success,
        "{n} {:?}",
        kind(n)
    );
}
