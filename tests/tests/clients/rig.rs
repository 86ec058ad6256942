//! rig, over the transport of the example.

use dexcost::{ErrorType, OperationStatus, TaskFutureExt};
use futures_util::StreamExt;
use rig_core::completion::CompletionRequest;
use rig_core::http_client::{HttpClientExt, MultipartForm};
use rig_core::providers::openai::{OpenAI, OpenAIConfig};

use crate::bench::{Bench, CHAT, REFUSAL, nobody, requested};
use crate::wire::{After, Reply, Wire, chat, chat_stream, eventually, stream_reply};

#[path = "../../../examples/examples/rig/transport.rs"]
mod transport;

use transport::Captured;

fn openai(bench: &Bench, wire: &Wire) -> OpenAI {
    OpenAIConfig::new("none")
        .with_base_url(wire.url("api.openai.com", "/v1"))
        .connect(Captured(bench.reqwest(wire)))
}

#[tokio::test]
async fn an_answer_is_counted_and_reaches_the_caller() {
    let (bench, wire) = (Bench::new(), Wire::always(Reply::json(200, &chat(48, 14))));
    let model = openai(&bench, &wire).chat("gpt-4o");
    let answer = model
        .call(CompletionRequest::new("?"))
        .in_task(&bench.task)
        .await
        .unwrap();
    assert_eq!(answer.text(), "Certainly.");
    assert_eq!(requested(&bench.counted(48, 14)), Some("gpt-4o"));
}

#[tokio::test]
async fn a_stream_is_counted_and_reaches_the_caller_as_it_was_sent() {
    let (bench, wire) = (Bench::new(), Wire::always(stream_reply(120, 30)));
    let http = Captured(bench.reqwest(&wire));
    let request = http::Request::post(wire.url("api.openai.com", CHAT)).body(crate::bench::ASK);
    let reply = http
        .send_streaming(request.unwrap())
        .in_task(&bench.task)
        .await
        .unwrap();
    let mut body = reply.into_body();
    let mut seen = Vec::new();
    while let Some(piece) = body.next().await {
        seen.extend_from_slice(&piece.unwrap());
    }
    assert_eq!(String::from_utf8(seen).unwrap(), chat_stream(120, 30).concat());
    bench.counted(120, 30);
}

#[tokio::test]
async fn a_form_reaches_the_server_whole() {
    let wire = Wire::start(|got| {
        assert!(
            got.header("content-type")
                .unwrap()
                .starts_with("multipart/form-data; boundary=")
        );
        assert!(String::from_utf8_lossy(&got.body).contains("whisper-1"));
        Some(Reply::json(200, r#"{"text":"Hello."}"#))
    });
    let bench = Bench::new();
    let form = MultipartForm::new().text("model", "whisper-1");
    let request = http::Request::post(wire.url("api.openai.com", "/v1/audio/transcriptions"));
    let http = Captured(bench.reqwest(&wire));
    let reply = http
        .send_multipart::<bytes::Bytes>(request.body(form).unwrap())
        .await
        .unwrap();
    assert_eq!(reply.into_body().await.unwrap(), r#"{"text":"Hello."}"#);
}

#[tokio::test]
async fn errors_are_the_callers_own_and_failed_events() {
    let (bench, wire) = (Bench::new(), Wire::always(Reply::json(429, REFUSAL)));
    let model = openai(&bench, &wire).chat("gpt-4o");
    let error = model
        .call(CompletionRequest::new("?"))
        .in_task(&bench.task)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("slow down"), "{error}");
    assert_eq!(bench.event().error_type, Some(ErrorType::RateLimit));

    let (bench, wire) = (Bench::new(), nobody());
    let model = openai(&bench, &wire).chat("gpt-4o");
    model
        .call(CompletionRequest::new("?"))
        .in_task(&bench.task)
        .await
        .unwrap_err();
    assert_eq!(bench.event().error_type, Some(ErrorType::ConnectionError));
}

#[tokio::test]
async fn a_stream_that_is_dropped_is_cancelled() {
    let events = chat_stream(48, 14);
    let wire = Wire::always(Reply::sse(&[&events[0]]).after(After::Hang));
    let bench = Bench::new();
    let http = Captured(bench.reqwest(&wire));
    let request = http::Request::post(wire.url("api.openai.com", CHAT)).body(crate::bench::ASK);
    let reply = http
        .send_streaming(request.unwrap())
        .in_task(&bench.task)
        .await
        .unwrap();
    let mut body = reply.into_body();
    body.next().await.unwrap().unwrap();
    drop(body);
    eventually("the stream is settled", || !bench.events().is_empty()).await;
    assert_eq!(bench.event().operation_status, OperationStatus::Cancelled);
}
