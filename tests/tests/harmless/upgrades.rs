//! Connections that become something else, and requests that wait for leave, over real hyper.

use std::convert::Infallible;

use bytes::Bytes;
use dexcost_tower::TaskLayer;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::{Layer, Service};

use crate::Bench;

/// Switches the protocol and says everything back in capitals, or refuses.
async fn shout(mut request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, Infallible> {
    let mut reply = Response::new(Empty::new());
    if !request.headers().contains_key("upgrade") {
        *reply.status_mut() = StatusCode::UPGRADE_REQUIRED;
        return Ok(reply);
    }
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let mut stream = TokioIo::new(upgrade.await.unwrap());
        let mut said = [0; 5];
        while stream.read_exact(&mut said).await.is_ok() {
            said.make_ascii_uppercase();
            stream.write_all(&said).await.unwrap();
        }
    });
    *reply.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let fields = reply.headers_mut();
    fields.insert("upgrade", "shout".parse().unwrap());
    fields.insert("connection", "upgrade".parse().unwrap());
    Ok(reply)
}

async fn serve<S, B>(service: S) -> std::net::SocketAddr
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = TowerToHyperService::new(service.clone());
            let http = hyper::server::conn::http1::Builder::new();
            tokio::spawn(
                http.serve_connection(TokioIo::new(stream), service)
                    .with_upgrades(),
            );
        }
    });
    address
}

async fn shouts_back(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    for (said, expected) in [(b"hello", b"HELLO"), (b"bytes", b"BYTES")] {
        stream.write_all(said).await.unwrap();
        let mut heard = [0; 5];
        stream.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, expected);
    }
}

fn upgrading(url: &str) -> Request<Empty<Bytes>> {
    let request = Request::get(url)
        .header("connection", "upgrade")
        .header("upgrade", "shout");
    request.body(Empty::new()).unwrap()
}

#[tokio::test]
async fn an_upgrade_goes_through_both_layers_with_bytes_both_ways() {
    let (inside, outside) = (Bench::new(), Bench::new());
    let address = serve(inside.inbound().layer(tower::service_fn(shout))).await;
    let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new());
    let mut client = outside.outbound().layer(client.build_http::<Empty<Bytes>>());
    for path in ["socket", "v1/chat/completions"] {
        let request = upgrading(&format!("http://{address}/{path}"));
        let mut reply = outside.task.run(|| client.call(request)).await.unwrap();
        assert_eq!(reply.status(), StatusCode::SWITCHING_PROTOCOLS);
        let upgraded = hyper::upgrade::on(&mut reply).await.unwrap();
        shouts_back(TokioIo::new(upgraded)).await;
    }
    assert_eq!(outside.settled(), 2, "each at its head");
    assert_eq!(inside.sink.ended().len(), 2);
}

#[tokio::test]
async fn an_upgrade_through_reqwest_still_upgrades() {
    let (inside, outside) = (Bench::new(), Bench::new());
    let address = serve(inside.inbound().layer(tower::service_fn(shout))).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut layered = outside.outbound().layer(client.clone());
    let request = client
        .get(format!("http://{address}/socket"))
        .header("connection", "upgrade")
        .header("upgrade", "shout")
        .build()
        .unwrap();
    let reply = outside.task.run(|| layered.call(request)).await.unwrap();
    shouts_back(reply.upgrade().await.unwrap()).await;
    assert_eq!(outside.settled(), 1);
}

/// Reads what a server says until it ends with this.
async fn heard_until(stream: &mut TcpStream, end: &str) -> String {
    let mut heard = String::new();
    let mut piece = [0; 512];
    while !heard.ends_with(end) {
        let read = stream.read(&mut piece).await.unwrap();
        assert!(read > 0, "closed after {heard:?}");
        heard.push_str(std::str::from_utf8(&piece[..read]).unwrap());
    }
    heard
}

fn echoing(
    bench: &Bench,
) -> dexcost_tower::TaskService<
    impl Service<
        Request<Incoming>,
        Response = Response<Full<Bytes>>,
        Error = Infallible,
        Future = impl Future<Output = Result<Response<Full<Bytes>>, Infallible>> + Send + use<>,
    > + Clone
    + Send
    + use<>,
> {
    let layer: TaskLayer = bench.inbound();
    layer.layer(tower::service_fn(|request: Request<Incoming>| async {
        if request.headers().contains_key("x-refuse") {
            let reply = Response::builder().status(StatusCode::EXPECTATION_FAILED);
            return Ok::<_, Infallible>(reply.body(Full::default()).unwrap());
        }
        let body = request.into_body().collect().await.unwrap().to_bytes();
        Ok(Response::new(Full::from(body)))
    }))
}

#[tokio::test]
async fn leave_to_send_a_body_is_given_when_the_handler_reads_it_and_never_by_the_layer() {
    let bench = Bench::new();
    let address = serve(echoing(&bench)).await;
    let head = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\nexpect: 100-continue\r\n";

    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
    let interim = heard_until(&mut stream, "\r\n\r\n").await;
    assert_eq!(interim, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"body").await.unwrap();
    assert!(heard_until(&mut stream, "body").await.starts_with("HTTP/1.1 200"));

    let mut stream = TcpStream::connect(address).await.unwrap();
    let refused = format!("{head}x-refuse: 1\r\n\r\n");
    stream.write_all(refused.as_bytes()).await.unwrap();
    let reply = heard_until(&mut stream, "\r\n\r\n").await;
    assert!(reply.starts_with("HTTP/1.1 417"), "{reply}");
}
