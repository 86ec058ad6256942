//! Inbound: a task per request, through axum and by hand.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::type_complexity,
    reason = "a test"
)]

mod wire;

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use axum::Router;
use axum::extract::Path;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use bytes::Bytes;
use dexcost::testing::MemorySink;
use dexcost::{Task, TaskStatus, dec};
use dexcost_tower::{CaptureLayer, TaskBody, TaskLayer};
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Empty, Full};
use tower::{Layer, Service, ServiceExt};
use wire::{Reply, Wire, chat, eventually, stream_reply};

fn layer(sink: &Arc<MemorySink>) -> TaskLayer {
    TaskLayer::new().tracker(sink.tracker())
}

fn request(method: &str, path: &str) -> Request<axum::body::Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .body(axum::body::Body::empty())
        .unwrap()
}

/// The one task that ended.
fn ended(sink: &MemorySink) -> Arc<Task> {
    let ended = sink.ended();
    assert_eq!(ended.len(), 1, "one request, one task");
    Arc::clone(&ended[0])
}

fn reason(task: &Task) -> Option<&str> {
    task.metadata.get("_ended_by").and_then(serde_json::Value::as_str)
}

/// Serves a router on loopback and gives its address.
async fn serve(app: Router) -> std::net::SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    addr
}

/// Polls a future that is ready at once, without any runtime.
fn now<F: Future>(future: F) -> F::Output {
    match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("not ready"),
    }
}

// Type and attribution

#[tokio::test]
async fn the_task_type_is_the_route_never_the_path() {
    let resolve = |Path(id): Path<u32>| async move { format!("{id}") };
    for is_route_layer in [false, true] {
        let sink = MemorySink::new();
        let app = Router::new().route("/tickets/{id}/resolve", post(resolve));
        let app = if is_route_layer {
            app.route_layer(layer(&sink))
        } else {
            app.layer(layer(&sink))
        };
        let reply = app
            .clone()
            .oneshot(request("POST", "/tickets/4711/resolve"))
            .await;
        reply.unwrap().into_body().collect().await.unwrap();
        assert_eq!(ended(&sink).task_type, "post_tickets_id_resolve");
        let reply = app.oneshot(request("GET", "/no/such/route/4711")).await.unwrap();
        assert_eq!(reply.status(), StatusCode::NOT_FOUND);
        reply.into_body().collect().await.unwrap();
        let unrouted: Vec<_> = sink.ended()[1..]
            .iter()
            .map(|task| task.task_type.clone())
            .collect();
        assert_eq!(
            unrouted,
            if is_route_layer {
                vec![]
            } else {
                vec!["http_request"]
            }
        );
    }
}

#[tokio::test]
async fn a_nested_route_is_named_by_its_whole_template() {
    let sink = MemorySink::new();
    let tickets = Router::new().route("/{id}", get(|| async {}));
    let app = Router::new().nest("/tickets", tickets).layer(layer(&sink));
    app.oneshot(request("GET", "/tickets/4711")).await.unwrap();
    assert_eq!(ended(&sink).task_type, "get_tickets_id");
}

#[tokio::test]
async fn around_the_router_no_route_is_known_and_a_fixed_type_always_is() {
    let sink = MemorySink::new();
    let app = Router::new().route("/tickets/{id}", get(|| async {}));
    let around = layer(&sink).layer(app.clone());
    around.oneshot(request("GET", "/tickets/4711")).await.unwrap();
    assert_eq!(ended(&sink).task_type, "http_request");
    let sink = MemorySink::new();
    let app = app.layer(layer(&sink).task_type("resolve_ticket"));
    app.oneshot(request("GET", "/tickets/4711")).await.unwrap();
    assert_eq!(ended(&sink).task_type, "resolve_ticket");
}

#[tokio::test]
async fn header_fields_say_whom_the_task_is_for() {
    let long = "x".repeat(257);
    let cases: [(&[u8], Option<&str>, bool); 6] = [
        (b"acme", Some("acme"), false),
        (b"  acme ", Some("acme"), false),
        ("Müller & Söhne".as_bytes(), Some("Müller & Söhne"), false),
        (b"", None, false),
        (b"\xff\xfe", None, true),
        (long.as_bytes(), None, true),
    ];
    for (value, expected, is_refused) in cases {
        let sink = MemorySink::new();
        let layer = layer(&sink)
            .customer_header("X-Customer-Id")
            .project_header("x-project-id")
            .agent_header("x-agent");
        let app = Router::new().route("/", get(|| async {})).layer(layer);
        let mut request = request("GET", "/");
        let headers = request.headers_mut();
        headers.insert("x-customer-id", http::HeaderValue::from_bytes(value).unwrap());
        headers.insert("x-agent", http::HeaderValue::from_static("helper"));
        app.oneshot(request).await.unwrap();
        let task = ended(&sink);
        assert_eq!(task.attribution.customer_id.as_deref(), expected);
        assert_eq!(task.attribution.project_id, None);
        assert_eq!(task.attribution.agent.as_deref(), Some("helper"));
        let refused = task.metadata.get("_refused");
        assert_eq!(refused.is_some(), is_refused);
        if let Some(refused) = refused {
            assert_eq!(*refused, serde_json::json!(["x-customer-id"]));
        }
    }
}

#[tokio::test]
async fn a_handler_may_say_whom_it_works_for_once_it_knows() {
    let sink = MemorySink::new();
    let handler = || async {
        let context = dexcost::Context {
            customer_id: Some("acme".into()),
            ..Default::default()
        };
        dexcost::set_context(context).unwrap();
    };
    let app = Router::new().route("/", get(handler)).layer(layer(&sink));
    app.oneshot(request("GET", "/")).await.unwrap();
    assert_eq!(ended(&sink).attribution.customer_id.as_deref(), Some("acme"));
}

#[tokio::test]
async fn skipped_and_filtered_requests_are_no_tasks() {
    let sink = MemorySink::new();
    let layer = layer(&sink)
        .skip(["/healthz", "/assets/*"])
        .skip(["/internal/{name}"])
        .filter(|request| request.method != http::Method::OPTIONS);
    let app = Router::new()
        .route(
            "/healthz",
            get(|| async { dexcost::current_task().is_some().to_string() }),
        )
        .route("/assets/{*file}", get(|| async {}))
        .route("/internal/{name}", get(|| async {}))
        .route("/work", get(|| async {}).options(|| async {}))
        .layer(layer);
    let reply = app.clone().oneshot(request("GET", "/healthz")).await.unwrap();
    let body = reply.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "false");
    for (method, path) in [
        ("GET", "/assets/a/b.css"),
        ("GET", "/internal/stats"),
        ("OPTIONS", "/work"),
    ] {
        app.clone().oneshot(request(method, path)).await.unwrap();
    }
    assert!(sink.records().is_empty());
    app.oneshot(request("GET", "/work")).await.unwrap();
    assert_eq!(ended(&sink).task_type, "get_work");
}

#[tokio::test]
async fn without_a_tracker_requests_pass_through_and_are_counted() {
    let app = Router::new()
        .route("/", get(|| async { "ok" }))
        .layer(TaskLayer::new());
    let before = dexcost_tower::untracked_requests();
    let reply = app.oneshot(request("GET", "/")).await.unwrap();
    assert_eq!(reply.into_body().collect().await.unwrap().to_bytes(), "ok");
    assert_eq!(dexcost_tower::untracked_requests(), before + 1);
}

// How it ends

#[tokio::test]
async fn a_5xx_is_a_failed_task_and_a_4xx_is_a_success() {
    let cases = [
        (200, TaskStatus::Success),
        (302, TaskStatus::Success),
        (404, TaskStatus::Success),
        (429, TaskStatus::Success),
        (500, TaskStatus::Failed),
        (503, TaskStatus::Failed),
    ];
    for (status, expected) in cases {
        let sink = MemorySink::new();
        let handler = move || async move { StatusCode::from_u16(status).unwrap() };
        let app = Router::new().route("/", get(handler)).layer(layer(&sink));
        app.oneshot(request("GET", "/")).await.unwrap();
        let task = ended(&sink);
        assert_eq!(task.status, expected, "{status}");
        let noted = task
            .metadata
            .get("http_status")
            .and_then(serde_json::Value::as_u64);
        assert_eq!(noted, (expected == TaskStatus::Failed).then_some(status.into()));
    }
}

#[tokio::test]
async fn a_panic_of_the_handler_fails_the_task_and_goes_on() {
    let sink = MemorySink::new();
    async fn handler() {
        assert!(dexcost::current_task().is_some());
        panic!("the handler's own trouble")
    }
    let app = Router::new().route("/", get(handler)).layer(layer(&sink));
    let joined = tokio::spawn(app.oneshot(request("GET", "/"))).await;
    let panic = joined.unwrap_err().into_panic();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"the handler's own trouble"));
    let task = ended(&sink);
    assert_eq!(task.status, TaskStatus::Failed);
    assert_eq!(reason(&task), Some("panicked"));
}

#[test]
fn a_panic_that_somebody_catches_around_the_poll_is_still_a_panic() {
    let sink = MemorySink::new();
    let service = tower::service_fn(|_: Request<()>| async {
        if true {
            panic!("the handler's own trouble");
        }
        Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
    });
    let mut service = layer(&sink).layer(service);
    let mut calling = Box::pin(service.call(Request::new(())));
    let mut cx = Context::from_waker(Waker::noop());
    let caught = std::panic::catch_unwind(AssertUnwindSafe(|| calling.as_mut().poll(&mut cx).is_ready()));
    assert!(caught.is_err());
    drop(calling);
    assert_eq!(reason(&ended(&sink)), Some("panicked"));
}

#[test]
fn an_error_of_the_service_fails_the_task_and_reaches_the_caller() {
    let sink = MemorySink::new();
    let service = tower::service_fn(|_: Request<()>| async {
        Err::<Response<Empty<Bytes>>, _>("the service's own error")
    });
    let mut service = layer(&sink).task_type("job").layer(service);
    let result = now(service.call(Request::new(())));
    assert_eq!(result.unwrap_err(), "the service's own error");
    let task = ended(&sink);
    assert_eq!(task.status, TaskStatus::Failed);
    assert_eq!(reason(&task), Some("service_error"));
}

/// A body of scripted frames; what is left of the script says how it goes on.
struct Scripted(Vec<Step>);

enum Step {
    Data(&'static str),
    Trailers,
    Error,
    Panic,
    Pending,
}

impl Body for Scripted {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        if self.0.is_empty() {
            return Poll::Ready(None);
        }
        Poll::Ready(Some(match self.0.remove(0) {
            Step::Data(text) => Ok(Frame::data(Bytes::from_static(text.as_bytes()))),
            Step::Trailers => Ok(Frame::trailers(http::HeaderMap::new())),
            Step::Error => Err("the body's own error"),
            Step::Panic => panic!("the body's own trouble"),
            Step::Pending => return Poll::Pending,
        }))
    }
}

fn answer(sink: &Arc<MemorySink>, length: Option<u64>, steps: Vec<Step>) -> TaskBody<Scripted> {
    let steps = std::cell::Cell::new(Some(steps));
    let service = tower::service_fn(move |_: Request<()>| {
        let mut reply = Response::new(Scripted(steps.take().unwrap()));
        if let Some(length) = length {
            reply.headers_mut().insert("content-length", length.into());
        }
        std::future::ready(Ok::<_, Infallible>(reply))
    });
    let mut service = layer(sink).layer(service);
    now(service.call(Request::new(()))).unwrap().into_body()
}

#[test]
fn the_task_ends_with_the_body_however_that_ends() {
    use Step::{Data, Error, Pending, Trailers};
    type Case = (Option<u64>, Vec<Step>, usize, TaskStatus, Option<&'static str>);
    let cases: Vec<Case> = vec![
        (None, vec![Data("one"), Data("two")], 3, TaskStatus::Success, None),
        (None, vec![Data("one"), Trailers], 2, TaskStatus::Success, None),
        (
            None,
            vec![Data("one"), Error],
            2,
            TaskStatus::Failed,
            Some("body_error"),
        ),
        (
            None,
            vec![Data("one"), Data("two")],
            1,
            TaskStatus::Failed,
            Some("cancelled"),
        ),
        (
            None,
            vec![Data("one"), Pending],
            2,
            TaskStatus::Failed,
            Some("cancelled"),
        ),
        (
            Some(6),
            vec![Data("one"), Data("two")],
            2,
            TaskStatus::Success,
            None,
        ),
        (
            Some(6),
            vec![Data("one"), Data("two")],
            1,
            TaskStatus::Failed,
            Some("cancelled"),
        ),
        (
            Some(6),
            vec![Data("one")],
            0,
            TaskStatus::Failed,
            Some("cancelled"),
        ),
        (Some(0), vec![], 0, TaskStatus::Success, None),
    ];
    for (at, (length, steps, polls, status, why)) in cases.into_iter().enumerate() {
        let sink = MemorySink::new();
        let mut body = answer(&sink, length, steps);
        assert!(sink.ended().is_empty(), "case {at}: not before the body");
        for _ in 0..polls {
            let _ = Pin::new(&mut body).poll_frame(&mut Context::from_waker(Waker::noop()));
        }
        drop(body);
        let task = ended(&sink);
        assert_eq!((task.status, reason(&task)), (status, why), "case {at}");
    }
}

#[test]
fn a_panic_of_the_body_fails_the_task() {
    let sink = MemorySink::new();
    let mut body = answer(&sink, None, vec![Step::Panic]);
    let polled = std::panic::catch_unwind(AssertUnwindSafe(|| now(body.frame()).is_some()));
    assert!(polled.is_err());
    drop(body);
    assert_eq!(reason(&ended(&sink)), Some("panicked"));
}

#[tokio::test]
async fn a_head_request_is_a_success_though_nobody_reads_its_body() {
    let sink = MemorySink::new();
    let app = Router::new()
        .route("/", get(|| async { "text" }))
        .layer(layer(&sink));
    let addr = serve(app).await;
    let reply = reqwest::Client::new()
        .head(format!("http://{addr}/"))
        .send()
        .await
        .unwrap();
    assert_eq!(reply.status(), 200);
    eventually("the task ends", || !sink.ended().is_empty()).await;
    assert_eq!(ended(&sink).status, TaskStatus::Success);
}

#[tokio::test]
async fn over_a_real_connection_every_kind_of_body_ends_its_task_as_a_success() {
    let sink = MemorySink::new();
    let pieces = || async {
        let pieces = ["one", "two", "three"].map(Bytes::from);
        axum::body::Body::new(Pieces(pieces.into_iter()))
    };
    let app = Router::new()
        .route("/text", get(|| async { "text" }))
        .route("/empty", get(|| async { StatusCode::NO_CONTENT }))
        .route("/pieces", get(pieces))
        .layer(layer(&sink));
    let addr = serve(app).await;
    let client = reqwest::Client::new();
    for (n, path) in ["text", "empty", "pieces"].into_iter().enumerate() {
        let reply = client.get(format!("http://{addr}/{path}")).send().await.unwrap();
        reply.bytes().await.unwrap();
        eventually("the task ends", || sink.ended().len() == n + 1).await;
        assert_eq!(sink.ended()[n].status, TaskStatus::Success, "{path}");
    }
}

/// An iterator of pieces as a body that is always ready.
struct Pieces<I>(I);

impl<I: Iterator<Item = Bytes> + Unpin> Body for Pieces<I> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.next().map(|piece| Ok(Frame::data(piece))))
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_cancels_the_task_in_the_handler_and_in_the_body() {
    let sink = MemorySink::new();
    let endless = || async {
        let pieces = std::iter::repeat_with(|| Bytes::from(vec![b'x'; 65_536]));
        axum::body::Body::new(Pieces(pieces))
    };
    let app = Router::new()
        .route("/never", get(std::future::pending::<()>))
        .route("/endless", get(endless))
        .layer(layer(&sink));
    let addr = serve(app).await;
    let client = reqwest::Client::new();
    let waiting = client.get(format!("http://{addr}/never")).send();
    let waiting = tokio::spawn(waiting);
    eventually("the handler runs", || !sink.records().is_empty()).await;
    waiting.abort();
    eventually("the first task ends", || sink.ended().len() == 1).await;
    let mut reply = client.get(format!("http://{addr}/endless")).send().await.unwrap();
    reply.chunk().await.unwrap();
    drop(reply);
    eventually("the second task ends", || sink.ended().len() == 2).await;
    for task in sink.ended() {
        assert_eq!(
            (task.status, reason(&task)),
            (TaskStatus::Failed, Some("cancelled"))
        );
    }
}

// What lands on it

#[tokio::test]
async fn costs_of_the_handler_and_of_a_streamed_answer_land_on_the_task() {
    let wire = Wire::always(stream_reply(120, 30));
    let sink = MemorySink::new();
    let tracker = sink.tracker();
    let client = reqwest::Client::builder()
        .no_proxy()
        .resolve("api.openai.com", wire.addr)
        .build()
        .unwrap();
    let client = CaptureLayer::new().tracker(tracker.clone()).layer(client);
    let url = wire.url("api.openai.com", "/v1/chat/completions");
    let relay = move || {
        let (mut client, url) = (client.clone(), url.clone());
        async move {
            dexcost::record_cost("pdf_renderer", dec!(0.002)).unwrap();
            let mut request = reqwest::Request::new(reqwest::Method::POST, url.parse().unwrap());
            *request.body_mut() = Some(r#"{"model":"gpt-4o","stream":true}"#.into());
            let upstream = client.call(request).await.unwrap();
            let body: reqwest::Body = upstream.into();
            axum::body::Body::new(body).into_response()
        }
    };
    let app = Router::new()
        .route("/relay", post(relay))
        .layer(TaskLayer::new().tracker(tracker));
    let reply = app.oneshot(request("POST", "/relay")).await.unwrap();
    assert!(sink.ended().is_empty(), "the answer is still on its way");
    reply.into_body().collect().await.unwrap();
    let task = ended(&sink);
    assert_eq!(task.totals.external_cost_usd, dec!(0.002));
    assert_eq!(
        (task.totals.total_input_tokens, task.totals.total_output_tokens),
        (120, 30)
    );
    assert_eq!(task.totals.event_count, 2);
    assert_eq!(
        sink.records().len(),
        4,
        "started, two events, ended; nothing after the end"
    );
}

#[tokio::test]
async fn concurrent_requests_keep_their_costs_apart() {
    let wire = Wire::start(|got| {
        let n: u64 = got.header("x-n").unwrap().parse().unwrap();
        Some(Reply::json(200, &chat(n, 1)))
    });
    let sink = MemorySink::new();
    let tracker = sink.tracker();
    let client = reqwest::Client::builder()
        .no_proxy()
        .resolve("api.openai.com", wire.addr)
        .build()
        .unwrap();
    let client = CaptureLayer::new().tracker(tracker.clone()).layer(client);
    let url = wire.url("api.openai.com", "/v1/chat/completions");
    let handler = move |Path(n): Path<u64>| {
        let (mut client, url) = (client.clone(), url.clone());
        async move {
            let mut request = reqwest::Request::new(reqwest::Method::POST, url.parse().unwrap());
            request.headers_mut().insert("x-n", n.into());
            let reply = client.call(request).await.unwrap();
            reply.text().await.unwrap()
        }
    };
    let layer = TaskLayer::new().tracker(tracker).customer_header("x-customer-id");
    let app = Router::new().route("/ask/{n}", get(handler)).layer(layer);
    let addr = serve(app).await;
    let client = reqwest::Client::new();
    let asked: Vec<_> = (1..=32_u64)
        .map(|n| {
            let request = client
                .get(format!("http://{addr}/ask/{n}"))
                .header("x-customer-id", n.to_string());
            tokio::spawn(async move { request.send().await.unwrap().bytes().await.unwrap() })
        })
        .collect();
    for asked in asked {
        asked.await.unwrap();
    }
    eventually("all tasks end", || sink.ended().len() == 32).await;
    for task in sink.ended() {
        let customer = task.attribution.customer_id.as_deref().unwrap();
        assert_eq!(customer, task.totals.total_input_tokens.to_string());
        assert_eq!(task.status, TaskStatus::Success);
    }
}

#[test]
fn the_body_says_what_the_inner_one_says() {
    let sink = MemorySink::new();
    let service = tower::service_fn(|_: Request<()>| {
        std::future::ready(Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(
            b"text",
        )))))
    });
    let mut body = now(layer(&sink).layer(service).call(Request::new(())))
        .unwrap()
        .into_body();
    assert_eq!(body.size_hint().exact(), Some(4));
    assert!(!body.is_end_stream());
    assert!(now(body.frame()).is_some());
    assert!(body.is_end_stream());
    assert_eq!(body.size_hint().exact(), Some(0));
    assert_eq!(
        ended(&sink).status,
        TaskStatus::Success,
        "the last piece was the end"
    );
    assert!(now(body.frame()).is_none());
}

#[test]
fn a_response_without_a_body_on_the_wire_ends_its_task_at_once() {
    let cases = [
        ("GET", 101, TaskStatus::Success),
        ("CONNECT", 200, TaskStatus::Success),
        ("GET", 204, TaskStatus::Success),
        ("GET", 304, TaskStatus::Success),
        ("HEAD", 200, TaskStatus::Success),
        ("HEAD", 502, TaskStatus::Failed),
    ];
    for (method, status, expected) in cases {
        let sink = MemorySink::new();
        let service = tower::service_fn(|_: Request<()>| {
            let reply = Response::builder()
                .status(status)
                .body(Full::new(Bytes::from_static(b"x")));
            std::future::ready(Ok::<_, Infallible>(reply.unwrap()))
        });
        let request = Request::builder().method(method).body(()).unwrap();
        let reply = now(layer(&sink).layer(service).call(request)).unwrap();
        assert_eq!(ended(&sink).status, expected, "{method} {status}");
        // Whatever somebody does with the body afterwards ends it no second time.
        drop(reply);
        assert_eq!(sink.ended().len(), 1, "{method} {status}");
    }
}
