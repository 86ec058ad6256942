//! What the client is told: the task's id, and what it cost.

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use axum::routing::get;
use bytes::Bytes;
use dexcost::TaskStatus;
use dexcost::testing::MemorySink;
use http::{HeaderMap, Request, Response, StatusCode, Version};
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, StreamBody};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tower::ServiceExt;

use crate::{ended, layer, request, serve};

/// Two pieces whose length nobody knows; the second costs something.
fn pieces(last: Option<HeaderMap>) -> Body {
    let mut at = 0;
    let stream = tokio_stream_of(move || {
        at += 1;
        match at {
            1 => Some(Frame::data(Bytes::from_static(b"one"))),
            2 => {
                dexcost::record_cost("pdf", "0.0020").unwrap();
                Some(Frame::data(Bytes::from_static(b"two")))
            }
            3 => last.clone().map(Frame::trailers),
            _ => None,
        }
    });
    Body::new(stream)
}

fn tokio_stream_of(
    mut next: impl FnMut() -> Option<Frame<Bytes>> + Send + 'static,
) -> impl http_body::Body<Data = Bytes, Error = std::convert::Infallible> + Send {
    StreamBody::new(tonic::codegen::tokio_stream::iter(std::iter::from_fn(
        move || next().map(Ok),
    )))
}

async fn costly() -> &'static str {
    dexcost::record_cost("pdf", "0.00125").unwrap();
    "text"
}

fn at(version: Version, path: &str) -> Request<Body> {
    let mut asked = request("GET", path);
    *asked.version_mut() = version;
    asked
}

#[tokio::test]
async fn nothing_is_told_unasked() {
    let sink = MemorySink::new();
    let app = Router::new().route("/", get(costly)).layer(layer(&sink));
    let reply = app.oneshot(at(Version::HTTP_2, "/")).await.unwrap();
    let names: Vec<_> = reply.headers().keys().map(|name| name.as_str()).collect();
    assert_eq!(names, ["content-type", "content-length"]);
    assert!(reply.into_body().collect().await.unwrap().trailers().is_none());
}

#[tokio::test]
async fn the_head_tells_the_id_and_the_cost_so_far() {
    let sink = MemorySink::new();
    let handler = || async {
        dexcost::record_cost("pdf", "0.00125").unwrap();
        ([("server-timing", "db;dur=3")], "text")
    };
    let telling = layer(&sink)
        .task_id_header("x-dexcost-task-id")
        .cost_in_server_timing();
    let app = Router::new().route("/", get(handler)).layer(telling);
    let reply = app.oneshot(request("GET", "/")).await.unwrap();
    let timings: Vec<_> = reply.headers().get_all("server-timing").iter().collect();
    assert_eq!(timings, ["db;dur=3", "dexcost;desc=\"0.00125\""]);
    let id = reply.headers()["x-dexcost-task-id"].to_str().unwrap().to_owned();
    reply.into_body().collect().await.unwrap();
    assert_eq!(id, ended(&sink).task_id.to_string());
}

#[tokio::test]
async fn what_has_no_known_price_stands_beside_the_known_part() {
    let sink = MemorySink::new();
    let handler = || async {
        dexcost::record_cost("pdf", "0.5").unwrap();
        let call = dexcost::LlmCall::new("nobody", "no-such-model", 1, 1);
        dexcost::record_llm_call(call).unwrap();
    };
    let app = Router::new()
        .route("/", get(handler))
        .layer(layer(&sink).cost_in_server_timing());
    let reply = app.oneshot(request("GET", "/")).await.unwrap();
    assert_eq!(
        reply.headers()["server-timing"],
        "dexcost;desc=\"0.5; unknown=1\""
    );
}

#[tokio::test]
async fn the_trailer_tells_the_final_cost_beside_the_bodys_own_trailers() {
    let own: HeaderMap = [(http::HeaderName::from_static("x-own"), "1".parse().unwrap())]
        .into_iter()
        .collect();
    for last in [None, Some(own)] {
        let sink = MemorySink::new();
        let has_own = last.is_some();
        let handler = move || {
            let last = last.clone();
            async move { pieces(last).into_response() }
        };
        let app = Router::new()
            .route("/", get(handler))
            .layer(layer(&sink).cost_trailer("x-dexcost-cost-usd"));
        let reply = app.oneshot(at(Version::HTTP_2, "/")).await.unwrap();
        assert_eq!(reply.headers()["trailer"], "x-dexcost-cost-usd");
        assert!(!reply.headers().contains_key("x-dexcost-cost-usd"));
        let body = reply.into_body().collect().await.unwrap();
        let trailers = body.trailers().unwrap();
        assert_eq!(trailers["x-dexcost-cost-usd"], "0.002");
        assert_eq!(trailers.contains_key("x-own"), has_own);
        assert_eq!(body.to_bytes(), "onetwo");
        assert_eq!(ended(&sink).status, TaskStatus::Success);
    }
}

/// Over HTTP/2 a stated length is no hindrance; what says that the stream ends has to wait.
#[tokio::test]
async fn a_body_of_known_length_is_not_at_its_end_before_the_trailer() {
    let sink = MemorySink::new();
    let app = Router::new()
        .route("/", get(costly))
        .layer(layer(&sink).cost_trailer("x-dexcost-cost-usd"));
    let mut body = app.oneshot(at(Version::HTTP_2, "/")).await.unwrap().into_body();
    assert_eq!(body.size_hint().exact(), Some(4));
    assert!(!body.is_end_stream());
    let data = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(data, "text");
    assert!(!body.is_end_stream());
    let trailers = body.frame().await.unwrap().unwrap().into_trailers().unwrap();
    assert_eq!(trailers["x-dexcost-cost-usd"], "0.00125");
    assert!(body.is_end_stream());
    assert!(body.frame().await.is_none());
    assert_eq!(ended(&sink).status, TaskStatus::Success);
}

#[tokio::test]
async fn a_response_without_a_body_tells_its_final_cost_in_the_head() {
    let sink = MemorySink::new();
    let handler = || async {
        dexcost::record_cost("pdf", "0.5").unwrap();
        StatusCode::NO_CONTENT
    };
    let app = Router::new()
        .route("/", get(handler))
        .layer(layer(&sink).cost_trailer("x-dexcost-cost-usd"));
    let reply = app.oneshot(at(Version::HTTP_11, "/")).await.unwrap();
    assert_eq!(reply.headers()["x-dexcost-cost-usd"], "0.5");
    assert!(!reply.headers().contains_key("trailer"));
}

async fn raw(addr: std::net::SocketAddr, te: &str, path: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(addr).await.unwrap();
    let asked = format!("GET {path} HTTP/1.1\r\nhost: x\r\n{te}connection: close\r\n\r\n");
    stream.write_all(asked.as_bytes()).await.unwrap();
    let mut got = String::new();
    stream.read_to_string(&mut got).await.unwrap();
    got
}

#[tokio::test]
async fn over_http_1_the_trailer_comes_where_the_client_takes_it_and_the_length_is_open() {
    let sink = MemorySink::new();
    let app = Router::new()
        .route("/open", get(|| async { pieces(None).into_response() }))
        .route("/exact", get(costly))
        .layer(layer(&sink).cost_trailer("x-dexcost-cost-usd"));
    let addr = serve(app).await;
    let told = raw(addr, "te: gzip, Trailers\r\n", "/open").await;
    assert!(told.contains("\r\ntrailer: x-dexcost-cost-usd\r\n"), "{told}");
    assert!(told.ends_with("0\r\nx-dexcost-cost-usd: 0.002\r\n\r\n"), "{told}");
    let untold = raw(addr, "", "/open").await;
    assert!(!untold.contains("x-dexcost"), "{untold}");
    assert!(untold.ends_with("two\r\n0\r\n\r\n"), "{untold}");
    let exact = raw(addr, "te: trailers\r\n", "/exact").await;
    assert!(
        !exact.contains("x-dexcost") && exact.ends_with("\r\n\r\ntext"),
        "{exact}"
    );
    crate::eventually("all tasks end", || sink.ended().len() == 3).await;
    assert!(sink.ended().iter().all(|task| task.status == TaskStatus::Success));
}

#[tokio::test]
async fn a_body_that_fails_or_is_given_up_tells_nothing() {
    let sink = MemorySink::new();
    let failing = || async {
        let items = [Ok(Frame::data(Bytes::from_static(b"one"))), Err("trouble")];
        Response::new(Body::new(StreamBody::new(tonic::codegen::tokio_stream::iter(
            items,
        ))))
    };
    let app = Router::new()
        .route("/failing", get(failing))
        .route("/open", get(|| async { pieces(None).into_response() }))
        .layer(layer(&sink).cost_trailer("x-dexcost-cost-usd"));
    let reply = app
        .clone()
        .oneshot(at(Version::HTTP_2, "/failing"))
        .await
        .unwrap();
    assert!(reply.into_body().collect().await.is_err());
    let mut given_up = app
        .oneshot(at(Version::HTTP_2, "/open"))
        .await
        .unwrap()
        .into_body();
    given_up.frame().await.unwrap().unwrap();
    drop(given_up);
    let reasons: Vec<_> = sink
        .ended()
        .iter()
        .map(|task| crate::fact(task, "_ended_by").unwrap().to_owned())
        .collect();
    assert_eq!(reasons, ["body_error", "cancelled"]);
}
