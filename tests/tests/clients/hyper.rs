//! hyper-util's client, HTTP/1.1 and HTTP/2.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::routing::post;
use bytes::Bytes;
use dexcost::{ErrorType, OperationStatus};
use dexcost_tower::CaptureService;
use http::{HeaderMap, HeaderValue, Request, Response, Version};
use http_body::Frame;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tower::{Layer, Service};

use crate::bench::{ASK, Bench, CHAT, nobody, requested};
use crate::wire::{chat, chat_stream, eventually};

const STREAM: &str = "/stream/v1/chat/completions";
const BOTH: [Version; 2] = [Version::HTTP_11, Version::HTTP_2];

/// A body in pieces, with a trailer, that never ends where it is told to hang.
struct Pieces {
    left: VecDeque<String>,
    hangs: bool,
    trailers: Option<HeaderMap>,
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(piece) = self.left.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(piece.into()))));
        }
        if self.hangs {
            return Poll::Pending;
        }
        Poll::Ready(self.trailers.take().map(|trailers| Ok(Frame::trailers(trailers))))
    }
}

/// A server for both versions.
async fn server(hangs: bool) -> String {
    let stream = async move || {
        let mut trailers = HeaderMap::new();
        trailers.insert("x-sum", HeaderValue::from_static("1"));
        let body = Pieces {
            left: chat_stream(120, 30).into(),
            hangs,
            trailers: Some(trailers),
        };
        let mut reply = Response::new(Body::new(body));
        let kind = HeaderValue::from_static("text/event-stream");
        reply.headers_mut().insert("content-type", kind);
        reply
    };
    let app = Router::new()
        .route(
            CHAT,
            post(async || ([("content-type", "application/json")], chat(48, 14))),
        )
        .route(STREAM, post(stream));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{addr}")
}

fn client(bench: &Bench, version: Version) -> CaptureService<Client<HttpConnector, Full<Bytes>>> {
    let client = Client::builder(TokioExecutor::new())
        .http2_only(version == Version::HTTP_2)
        .build_http();
    bench.layer().layer(client)
}

fn ask(uri: String) -> Request<Full<Bytes>> {
    Request::post(uri).body(Full::from(ASK)).unwrap()
}

#[tokio::test]
async fn a_reply_is_counted_in_either_version_and_arrives_as_it_was_sent() {
    let server = server(false).await;
    for version in BOTH {
        let bench = Bench::new();
        let calling = bench
            .task
            .run(|| client(&bench, version).call(ask(format!("{server}{CHAT}"))));
        let reply = calling.await.unwrap();
        assert_eq!(reply.version(), version);
        let length = chat(48, 14).len() as u64;
        assert_eq!(http_body::Body::size_hint(reply.body()).exact(), Some(length));
        let body = reply.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, chat(48, 14));
        assert_eq!(requested(&bench.counted(48, 14)), Some("gpt-4o"));
    }
}

#[tokio::test]
async fn a_stream_is_counted_in_either_version_with_its_trailers_passed_on() {
    let server = server(false).await;
    for version in BOTH {
        let bench = Bench::new();
        let mut request = ask(format!("{server}{STREAM}"));
        if version == Version::HTTP_11 {
            request
                .headers_mut()
                .insert("te", HeaderValue::from_static("trailers"));
        }
        let reply = bench
            .task
            .run(|| client(&bench, version).call(request))
            .await
            .unwrap();
        let whole = reply.into_body().collect().await.unwrap();
        if version == Version::HTTP_2 {
            assert_eq!(whole.trailers().unwrap().get("x-sum").unwrap(), "1");
        }
        assert_eq!(whole.to_bytes(), chat_stream(120, 30).concat());
        assert_eq!(
            bench.counted(120, 30).operation_status,
            OperationStatus::Succeeded
        );
    }
}

#[tokio::test]
async fn many_calls_on_one_connection_of_http_2_are_counted_one_by_one() {
    let server = server(false).await;
    let bench = Bench::new();
    let client = client(&bench, Version::HTTP_2);
    let calls: Vec<_> = (0..32)
        .map(|number| {
            let path = if number % 2 == 0 { CHAT } else { STREAM };
            let calling = bench
                .task
                .run(|| client.clone().call(ask(format!("{server}{path}"))));
            tokio::spawn(async move { calling.await.unwrap().into_body().collect().await.unwrap() })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
    let events = bench.events();
    assert_eq!(events.len(), 32);
    let tokens = |event: &dexcost::Event| event.usage.count(dexcost::Unit::InputTokens);
    assert_eq!(
        events.iter().map(|event| tokens(event)).sum::<u64>(),
        16 * 48 + 16 * 120
    );
}

#[tokio::test]
async fn a_stream_that_is_dropped_is_cancelled_with_what_it_had_told() {
    let server = server(true).await;
    for version in BOTH {
        let bench = Bench::new();
        let calling = bench
            .task
            .run(|| client(&bench, version).call(ask(format!("{server}{STREAM}"))));
        let mut body = calling.await.unwrap().into_body();
        let mut seen = Vec::new();
        while !seen.ends_with(b"[DONE]\n\n") {
            seen.extend_from_slice(&body.frame().await.unwrap().unwrap().into_data().unwrap());
        }
        drop(body);
        eventually("the call is settled", || !bench.events().is_empty()).await;
        bench.counted(120, 30);
    }
}

#[tokio::test]
async fn a_refused_connection_is_a_failed_call() {
    for version in BOTH {
        let bench = Bench::new();
        let uri = nobody().url("127.0.0.1", "/v1/messages");
        let error = bench
            .task
            .run(|| client(&bench, version).call(ask(uri)))
            .await
            .unwrap_err();
        assert!(error.is_connect());
        // Loopback is no provider: without an answer nothing shows that it was a model.
        assert!(
            bench
                .events()
                .iter()
                .all(|event| event.error_type == Some(ErrorType::ConnectionError))
        );
    }
}
