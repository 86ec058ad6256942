//! Inbound beyond the basics: other servers, whom a request is for, what the client is told, and
//! tasks across services.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

mod across;
mod crowd;
mod endings;
mod grpc;
mod plain_hyper;
mod reply;
mod told;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use dexcost::Task;
use dexcost::testing::MemorySink;
use dexcost_tower::TaskLayer;
use http::Request;

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

fn fact<'a>(task: &'a Task, name: &str) -> Option<&'a str> {
    task.metadata.get(name).and_then(serde_json::Value::as_str)
}

/// Serves a router on loopback, HTTP/1.1, and gives its address.
async fn serve(app: Router) -> std::net::SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    addr
}

async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..500 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}
