//! Replies that have no body on the wire whatever their header says, through real clients.

use bytes::Bytes;
use http::{Method, Request};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use tower::{Layer, Service};

use crate::server::Server;
use crate::{Bench, kinds};

type Client =
    hyper_util::client::legacy::Client<hyper_util::client::legacy::connect::HttpConnector, Full<Bytes>>;

fn hyper_client() -> Client {
    hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new()).build_http()
}

fn request(server: &Server, method: Method) -> Request<Full<Bytes>> {
    let uri = format!("http://{}/v1/chat/completions", server.address);
    Request::builder()
        .method(method)
        .uri(uri)
        .body(Full::from(kinds::chat().request))
        .unwrap()
}

#[tokio::test]
async fn a_reply_without_a_body_is_settled_at_its_head_and_the_connection_goes_on() {
    let cases = [
        (
            Method::HEAD,
            "200 OK\r\ncontent-length: 4711\r\ncontent-type: application/json",
        ),
        (Method::POST, "204 No Content"),
        (Method::POST, "304 Not Modified\r\ncontent-length: 4711"),
        (Method::POST, "205 Reset Content\r\ncontent-length: 0"),
    ];
    for (method, status) in cases {
        let server = Server::that_says(format!("HTTP/1.1 {status}\r\n\r\n").as_bytes()).await;
        let bare = hyper_client()
            .request(request(&server, method.clone()))
            .await
            .unwrap();
        let bench = Bench::new();
        let mut client = bench.outbound().layer(hyper_client());
        for calls in 1..=2 {
            let call = bench.task.run(|| client.call(request(&server, method.clone())));
            let reply = call.await.unwrap();
            assert_eq!(reply.status(), bare.status());
            assert_eq!(reply.headers(), bare.headers(), "{method} {status}");
            assert_eq!(bench.settled(), calls, "{method} {status}: at the head");
            assert_eq!(reply.body().is_end_stream(), bare.body().is_end_stream());
            let body = reply.into_body().collect().await.unwrap().to_bytes();
            assert!(body.is_empty());
            assert_eq!(bench.settled(), calls, "{method} {status}: and not again");
        }
    }
}

#[tokio::test]
async fn a_task_whose_reply_has_no_body_ends_at_its_head() {
    for (method, status) in [("HEAD", 200), ("GET", 204), ("GET", 304)] {
        let bench = Bench::new();
        let answer = move |_request: Request<()>| async move {
            let reply = http::Response::builder().status(status);
            Ok::<_, &'static str>(reply.body(Full::<Bytes>::from("never sent")).unwrap())
        };
        let mut service = bench.inbound().layer(tower::service_fn(answer));
        let request = Request::builder().method(method).uri("/").body(()).unwrap();
        let reply = service.call(request).await.unwrap();
        assert_eq!(bench.sink.ended().len(), 1, "{method} {status}");
        drop(reply);
        assert_eq!(bench.sink.ended().len(), 1, "{method} {status}");
    }
}

#[tokio::test]
async fn interim_replies_are_no_replies() {
    let reply = kinds::chat_reply("Yes.").to_string();
    let said = format!(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{reply}",
        reply.len()
    );
    let server = Server::that_says(said.as_bytes()).await;
    let bench = Bench::new();
    let mut client = bench.outbound().layer(hyper_client());
    let reply = bench
        .task
        .run(|| client.call(request(&server, Method::POST)))
        .await
        .unwrap();
    assert_eq!(reply.status(), 200);
    reply.into_body().collect().await.unwrap();
    assert_eq!(bench.event().usage.count(dexcost::Unit::InputTokens), 48);
}

#[tokio::test]
async fn lengths_that_lie_fail_as_they_do_without_the_layer() {
    let body = kinds::chat_reply("Yes.").to_string();
    for length in [body.len() + 100, body.len() - 10] {
        let said = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
        let (bare, server) = (hyper_client(), Server::that_closes_after(said.as_bytes()).await);
        let read = async |body: hyper::body::Incoming| body.collect().await.map(|all| all.to_bytes());
        let expected = read(
            bare.request(request(&server, Method::POST))
                .await
                .unwrap()
                .into_body(),
        )
        .await;
        let bench = Bench::new();
        let mut client = bench.outbound().layer(hyper_client());
        let call = bench.task.run(|| client.call(request(&server, Method::POST)));
        let found = call.await.unwrap().into_body().collect().await;
        let found = found.map(|all| all.to_bytes());
        assert_eq!(found.is_err(), expected.is_err(), "{length}");
        if let (Ok(found), Ok(expected)) = (&found, &expected) {
            assert_eq!(found, expected);
        }
        if let (Err(found), Err(expected)) = (&found, &expected) {
            assert_eq!(found.to_string(), expected.to_string());
        }
        bench.event();
    }
}
