//! Plain hyper without any router, HTTP/1.1 and HTTP/2.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use dexcost::TaskStatus;
use dexcost::testing::MemorySink;
use dexcost_tower::TaskLayer;
use http::{Method, Request, Response, StatusCode};
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt, Empty, Full, combinators::UnsyncBoxBody};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::Layer;

use crate::{eventually, fact, layer};

type Body = UnsyncBoxBody<Bytes, Infallible>;

async fn handle(mut request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    assert!(dexcost::current_task().is_some());
    let full = |text: &'static str| Full::new(Bytes::from(text)).boxed_unsync();
    let mut reply = Response::new(full("text"));
    // Over HTTP/2 hyper sends what it is given, even where no body is allowed.
    if request.method() == Method::HEAD
        || matches!(request.uri().path(), "/empty" | "/no-content" | "/not-modified")
    {
        *reply.body_mut() = Empty::new().boxed_unsync();
    }
    match request.uri().path() {
        "/fails" => *reply.status_mut() = StatusCode::BAD_GATEWAY,
        "/no-content" => *reply.status_mut() = StatusCode::NO_CONTENT,
        "/not-modified" => *reply.status_mut() = StatusCode::NOT_MODIFIED,
        "/trailers" => {
            let trailers = async {
                let fields = [(http::HeaderName::from_static("x-sum"), "1".parse().unwrap())];
                Some(Ok(fields.into_iter().collect()))
            };
            *reply.body_mut() = full("text").with_trailers(trailers).boxed_unsync();
            reply.headers_mut().insert("trailer", "x-sum".parse().unwrap());
        }
        "/exact" => *reply.body_mut() = Exact(Some(Bytes::from("text"))).boxed_unsync(),
        "/upgrade" => {
            *reply.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            reply.headers_mut().insert("upgrade", "echo".parse().unwrap());
            reply
                .headers_mut()
                .insert("connection", "upgrade".parse().unwrap());
            *reply.body_mut() = Empty::new().boxed_unsync();
            let upgrade = hyper::upgrade::on(&mut request);
            tokio::spawn(async move {
                let mut stream = TokioIo::new(upgrade.await.unwrap());
                let mut word = [0; 4];
                stream.read_exact(&mut word).await.unwrap();
                stream.write_all(&word).await.unwrap();
            });
        }
        _ => {}
    }
    Ok(reply)
}

/// A body that knows its length and never says that it is over: who asks for no more than that never
/// sees its end.
struct Exact(Option<Bytes>);

impl http_body::Body for Exact {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.0.take() {
            Some(data) => Poll::Ready(Some(Ok(Frame::data(data)))),
            None => Poll::Pending,
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.as_ref().map_or(0, |data| data.len() as u64))
    }
}

async fn serve(layer: TaskLayer, is_http2: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let service = layer.layer(tower::service_fn(handle));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (stream, service) = (TokioIo::new(stream), TowerToHyperService::new(service.clone()));
            if is_http2 {
                let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                tokio::spawn(server.serve_connection(stream, service));
            } else {
                let server = hyper::server::conn::http1::Builder::new();
                tokio::spawn(server.serve_connection(stream, service).with_upgrades());
            }
        }
    });
    addr
}

fn client(
    is_http2: bool,
) -> hyper_util::client::legacy::Client<hyper_util::client::legacy::connect::HttpConnector, Empty<Bytes>> {
    hyper_util::client::legacy::Client::builder(TokioExecutor::new())
        .http2_only(is_http2)
        .build_http()
}

#[tokio::test]
async fn every_kind_of_answer_ends_its_task_over_both_versions() {
    let cases = [
        (Method::GET, "/text", 200, TaskStatus::Success),
        (Method::GET, "/empty", 200, TaskStatus::Success),
        (Method::HEAD, "/text", 200, TaskStatus::Success),
        (Method::HEAD, "/fails", 502, TaskStatus::Failed),
        (Method::GET, "/fails", 502, TaskStatus::Failed),
        (Method::GET, "/no-content", 204, TaskStatus::Success),
        (Method::GET, "/not-modified", 304, TaskStatus::Success),
        (Method::GET, "/trailers", 200, TaskStatus::Success),
    ];
    for is_http2 in [false, true] {
        let sink = MemorySink::new();
        let named = layer(&sink).task_type_from(|request| Some(request.uri.path()[1..].to_owned()));
        let addr = serve(named, is_http2).await;
        let client = client(is_http2);
        for (n, (method, path, status, expected)) in cases.iter().enumerate() {
            let request = Request::builder()
                .method(method)
                .uri(format!("http://{addr}{path}"))
                .body(Empty::new())
                .unwrap();
            let reply = client.request(request).await.unwrap();
            assert_eq!(reply.status(), *status, "{path}");
            let body = reply.into_body().collect().await.unwrap();
            if *path == "/trailers" && is_http2 {
                assert_eq!(body.trailers().unwrap()["x-sum"], "1");
            }
            eventually("the task ends", || sink.ended().len() > n).await;
            let task = &sink.ended()[n];
            assert_eq!(task.status, *expected, "{method} {path}, HTTP/2: {is_http2}");
            assert_eq!(task.task_type.replace('_', "-"), path[1..]);
        }
    }
}

#[tokio::test]
async fn an_upgrade_ends_the_task_and_the_protocol_goes_on() {
    let sink = MemorySink::new();
    let addr = serve(layer(&sink).task_type("upgrade"), false).await;
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let asked = "GET /upgrade HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
    stream.write_all(asked.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "));
    eventually("the task ends", || !sink.ended().is_empty()).await;
    assert_eq!(sink.ended()[0].status, TaskStatus::Success);
    stream.write_all(b"ping").await.unwrap();
    let mut echo = [0; 4];
    stream.read_exact(&mut echo).await.unwrap();
    assert_eq!(&echo, b"ping");
}

#[tokio::test]
async fn the_final_cost_reaches_a_client_over_http_2_whatever_the_body() {
    let sink = MemorySink::new();
    let addr = serve(layer(&sink).cost_trailer("x-dexcost-cost-usd"), true).await;
    let client = client(true);
    for path in ["/text", "/empty", "/trailers", "/no-content"] {
        let reply = client
            .get(format!("http://{addr}{path}").parse().unwrap())
            .await
            .unwrap();
        let in_head = reply.headers().get("x-dexcost-cost-usd").cloned();
        let body = reply.into_body().collect().await.unwrap();
        let in_trailers = body
            .trailers()
            .and_then(|fields| fields.get("x-dexcost-cost-usd"));
        let is_bodyless = matches!(path, "/empty" | "/no-content");
        assert_eq!(
            in_head.as_ref().is_some_and(|cost| cost == "0"),
            is_bodyless,
            "{path}"
        );
        assert_eq!(
            in_trailers.is_some_and(|cost| cost == "0"),
            !is_bodyless,
            "{path}"
        );
        let is_whole = path == "/text" || path == "/trailers";
        assert_eq!(body.to_bytes() == "text", is_whole);
    }
    eventually("all tasks end", || sink.ended().len() == 4).await;
    assert!(sink.ended().iter().all(|task| fact(task, "_ended_by").is_none()));
}

#[tokio::test]
async fn a_body_of_known_length_is_finished_once_that_much_has_gone_out() {
    let sink = MemorySink::new();
    let addr = serve(layer(&sink), false).await;
    let reply = client(false).get(format!("http://{addr}/exact").parse().unwrap());
    let reply = reply.await.unwrap();
    assert_eq!(reply.headers()["content-length"], "4");
    assert_eq!(reply.into_body().collect().await.unwrap().to_bytes(), "text");
    eventually("the task ends", || !sink.ended().is_empty()).await;
    assert_eq!(sink.ended()[0].status, TaskStatus::Success);
}
