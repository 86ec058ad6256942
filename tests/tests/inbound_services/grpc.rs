//! gRPC with the real tonic, server and client, over loopback; the messages are plain text.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf, BufMut};
use dexcost::testing::MemorySink;
use dexcost::{Task, TaskStatus};
use dexcost_tower::{BAGGAGE_CUSTOMER, Origin, PropagateLayer, TaskLayer};
use http::uri::PathAndQuery;
use tonic::body::Body;
use tonic::client::Grpc as Client;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::tokio_stream::{self, StreamExt};
use tonic::codegen::{BoxFuture, BoxStream};
use tonic::server::Grpc;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Server};
use tonic::{Code, Request, Response, Status};
use tower::{Layer, Service};

use crate::{eventually, fact, layer};

#[derive(Clone, Default)]
struct TextCodec;

impl Codec for TextCodec {
    type Encode = String;
    type Decode = String;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for TextCodec {
    type Item = String;
    type Error = Status;

    fn encode(&mut self, item: String, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(item.as_bytes());
        Ok(())
    }
}

impl Decoder for TextCodec {
    type Item = String;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<String>, Status> {
        let bytes = buffer.copy_to_bytes(buffer.remaining());
        Ok(Some(String::from_utf8(bytes.to_vec()).unwrap()))
    }
}

/// What the service answers to a text: itself, or an error where it is the number of one.
async fn answer(request: Request<String>) -> Result<Response<String>, Status> {
    dexcost::record_cost("pdf", "0.5").unwrap();
    let text = request.into_inner();
    match text.parse() {
        Ok(code) => Err(Status::new(Code::from_i32(code), "as you asked")),
        Err(_) => Ok(Response::new(text)),
    }
}

/// Three answers to a text, each of which costs; then an error where the text is the number of one.
async fn answers(request: Request<String>) -> Result<Response<BoxStream<String>>, Status> {
    let text = request.into_inner();
    let failure = text
        .parse()
        .ok()
        .map(|code| Err(Status::new(Code::from_i32(code), "")));
    let answers = (0..3).map(move |n| {
        dexcost::record_cost("pdf", "0.25").unwrap();
        Ok(format!("{text}{n}"))
    });
    Ok(Response::new(Box::pin(tokio_stream::iter(
        answers.chain(failure),
    ))))
}

async fn endless(_: Request<String>) -> Result<Response<BoxStream<String>>, Status> {
    let more = tokio_stream::iter(std::iter::repeat_with(|| Ok("more".repeat(1_000))));
    Ok(Response::new(Box::pin(more)))
}

/// What generated code would be, by hand.
#[derive(Clone)]
struct Orders;

impl Service<http::Request<Body>> for Orders {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<http::Response<Body>, Infallible>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            let mut grpc = Grpc::new(TextCodec);
            Ok(match request.uri().path() {
                "/shop.Orders/Place" => grpc.unary(tower::service_fn(answer), request).await,
                "/shop.Orders/Watch" => grpc.server_streaming(tower::service_fn(answers), request).await,
                "/shop.Orders/Endless" => grpc.server_streaming(tower::service_fn(endless), request).await,
                _ => Status::unimplemented("").into_http(),
            })
        })
    }
}

/// A server under the layer, and a channel to it.
async fn connect(layer: TaskLayer) -> Channel {
    connect_to(layer).await.1
}

async fn connect_to(layer: TaskLayer) -> (http::Uri, Channel) {
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let addr = incoming.local_addr().unwrap();
    let server = Server::builder().layer(layer);
    tokio::spawn(server.serve_with_incoming(Orders, incoming));
    let origin: http::Uri = format!("http://{addr}").parse().unwrap();
    let channel = Channel::builder(origin.clone());
    (origin, channel.connect().await.unwrap())
}

async fn call(channel: Channel, path: &'static str, text: &str) -> Result<Response<String>, Status> {
    call_through(Client::new(channel), path, text).await
}

async fn call_through<S>(
    mut client: Client<S>,
    path: &'static str,
    text: &str,
) -> Result<Response<String>, Status>
where
    S: tonic::client::GrpcService<Body>,
    S::ResponseBody: Send + 'static,
    <S::ResponseBody as http_body::Body>::Error: Into<tonic::codegen::StdError>,
    S::Error: std::fmt::Debug,
{
    client.ready().await.unwrap();
    let path = PathAndQuery::from_static(path);
    client.unary(Request::new(text.to_owned()), path, TextCodec).await
}

async fn watch(channel: &Channel, path: &'static str, text: &str) -> tonic::Streaming<String> {
    let mut client = Client::new(channel.clone());
    client.ready().await.unwrap();
    let path = PathAndQuery::from_static(path);
    let asked = client.server_streaming(Request::new(text.to_owned()), path, TextCodec);
    asked.await.unwrap().into_inner()
}

async fn nth_ended(sink: &MemorySink, n: usize) -> Arc<Task> {
    eventually("the task ends", || sink.ended().len() > n).await;
    Arc::clone(&sink.ended()[n])
}

#[tokio::test]
async fn a_call_is_a_task_named_by_its_method_and_judged_by_its_status() {
    let sink = MemorySink::new();
    let channel = connect(layer(&sink)).await;
    let reply = call(channel.clone(), "/shop.Orders/Place", "hello")
        .await
        .unwrap();
    assert_eq!(reply.into_inner(), "hello");
    let task = nth_ended(&sink, 0).await;
    assert_eq!(task.task_type, "shop.orders_place");
    assert_eq!(task.status, TaskStatus::Success);
    assert_eq!(task.totals.external_cost_usd, dexcost::dec!(0.5));
    // The status stands in a head without a body here.
    let servers_faults = [2, 4, 12, 13, 14, 15];
    for code in 1..=16 {
        let refused = call(channel.clone(), "/shop.Orders/Place", &code.to_string()).await;
        assert_eq!(refused.unwrap_err().code(), Code::from_i32(code));
        let task = nth_ended(&sink, usize::try_from(code).unwrap()).await;
        let is_failure = servers_faults.contains(&code);
        let expected = if is_failure || code == 1 {
            TaskStatus::Failed
        } else {
            TaskStatus::Success
        };
        assert_eq!(task.status, expected, "{code}");
        assert_eq!(fact(&task, "grpc_status").is_some(), is_failure, "{code}");
        let reason = (code == 1).then_some("cancelled");
        assert_eq!(fact(&task, "_ended_by"), reason, "{code}");
    }
}

#[tokio::test]
async fn a_streamed_answer_belongs_to_its_task_up_to_the_trailers() {
    let sink = MemorySink::new();
    let channel = connect(layer(&sink)).await;
    let cases = [
        ("x", TaskStatus::Success, None),
        ("5", TaskStatus::Success, None),
        ("13", TaskStatus::Failed, Some("INTERNAL")),
        ("15", TaskStatus::Failed, Some("DATA_LOSS")),
    ];
    for (n, (text, status, name)) in cases.into_iter().enumerate() {
        let mut answers = watch(&channel, "/shop.Orders/Watch", text).await;
        let mut got = Vec::new();
        while let Some(Ok(answer)) = answers.next().await {
            got.push(answer);
        }
        assert_eq!(got, [0, 1, 2].map(|n| format!("{text}{n}")));
        let task = nth_ended(&sink, n).await;
        assert_eq!(task.task_type, "shop.orders_watch");
        assert_eq!(
            (task.status, fact(&task, "grpc_status")),
            (status, name),
            "{text}"
        );
        assert_eq!(task.totals.external_cost_usd, dexcost::dec!(0.75));
    }
}

#[tokio::test]
async fn a_client_that_leaves_the_stream_cancels_the_task() {
    let sink = MemorySink::new();
    let channel = connect(layer(&sink)).await;
    let mut answers = watch(&channel, "/shop.Orders/Endless", "x").await;
    answers.next().await.unwrap().unwrap();
    drop(answers);
    let task = nth_ended(&sink, 0).await;
    assert_eq!(fact(&task, "_ended_by"), Some("cancelled"));
}

#[tokio::test]
async fn made_up_methods_are_few_types_however_many_are_called() {
    let sink = MemorySink::new();
    let channel = connect(layer(&sink)).await;
    for n in 0..100 {
        let path: &'static str = format!("/made.Up/Method{n}").leak();
        let refused = call(channel.clone(), path, "x").await.unwrap_err();
        assert_eq!(refused.code(), Code::Unimplemented);
    }
    eventually("all tasks end", || sink.ended().len() == 100).await;
    let types: std::collections::HashSet<_> = sink
        .ended()
        .iter()
        .map(|task| task.task_type.to_string())
        .collect();
    assert!(types.len() <= 65, "{}", types.len());
    assert!(types.contains("grpc_request"));
    for expected in ["grpc_request", "shop.orders_place"] {
        call(channel.clone(), "/shop.Orders/Place", "x").await.unwrap();
        eventually("the task ends", || {
            sink.ended().last().is_some_and(|task| task.task_type == expected)
        })
        .await;
    }
}

#[tokio::test]
async fn settings_hold_under_tonic_too() {
    let sink = MemorySink::new();
    let told = layer(&sink)
        .task_type("order")
        .customer(Origin::baggage(BAGGAGE_CUSTOMER))
        .cost_trailer("x-dexcost-cost-usd")
        .task_id_header("x-dexcost-task-id");
    let (origin, channel) = connect_to(told).await;
    let caller = MemorySink::new();
    let options = dexcost::TaskOptions {
        customer_id: Some("acme".into()),
        ..Default::default()
    };
    let task = caller.tracker().start_task_sync("caller", options).unwrap();
    let telling = PropagateLayer::to(["127.0.0.1"])
        .with_attribution()
        .layer(channel);
    // A channel keeps its origin to itself; the client has to say it for the layer to see.
    let client = Client::with_origin(telling, origin);
    let asked = call_through(client, "/shop.Orders/Place", "x");
    let reply = dexcost::Scope::with_task(&task).attach(asked).await.unwrap();
    let ended = nth_ended(&sink, 0).await;
    assert_eq!(reply.metadata().get("x-dexcost-cost-usd").unwrap(), "0.5");
    assert_eq!(
        reply.metadata().get("x-dexcost-task-id").unwrap(),
        &ended.task_id.to_string()
    );
    assert_eq!(ended.task_type, "order");
    assert_eq!(ended.attribution.customer_id.as_deref(), Some("acme"));
    assert_eq!(ended.parent_task_id, None, "only what was asked for is believed");
}

/// A status in nothing but a head has no trailers after it, and gets none.
#[tokio::test]
async fn a_refusal_without_a_body_keeps_its_status_where_the_cost_is_told() {
    let sink = MemorySink::new();
    let channel = connect(layer(&sink).cost_trailer("x-dexcost-cost-usd")).await;
    let refused = call(channel, "/shop.Orders/Place", "5").await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    assert_eq!(refused.metadata().get("x-dexcost-cost-usd").unwrap(), "0.5");
}
