//! The AWS SDK's client of Bedrock's runtime, through its HTTP client.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_sdk_bedrockruntime::Client;
use aws_sdk_bedrockruntime::config::retry::RetryConfig;
use aws_sdk_bedrockruntime::config::timeout::TimeoutConfig;
use aws_sdk_bedrockruntime::config::{
    BehaviorVersion, Builder, Config, Credentials, Region, SharedHttpClient,
};
use aws_sdk_bedrockruntime::error::SdkError;
use aws_sdk_bedrockruntime::primitives::Blob;
use aws_sdk_bedrockruntime::types::{ContentBlock, ConversationRole, ConverseStreamOutput, Message};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::{Builder as HttpBuilder, Connector};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use dexcost::{ErrorType, OperationStatus, TaskFutureExt};
use serde_json::json;
use tower::Layer;

use crate::bench::{Bench, nobody, requested};
use crate::wire::{After, Framing, Reply, Wire};

const MODEL: &str = "anthropic.claude-3-5-haiku-20241022-v1:0";

/// An HTTP client for which Amazon lives at the loopback server.
fn http(wire: &Wire) -> SharedHttpClient {
    let proxy = format!("http://{}", wire.addr);
    HttpBuilder::new().build_with_connector_fn(move |settings, _| {
        let connector = Connector::builder().proxy_config(ProxyConfig::http(&proxy).unwrap());
        connector
            .connector_settings(settings.cloned().unwrap_or_default())
            .build_http()
    })
}

fn config(bench: &Bench, wire: &Wire) -> Builder {
    let http = bench.layer().layer(http(wire));
    Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
        .endpoint_url(HOST)
        .retry_config(RetryConfig::disabled())
        .http_client(http)
}

const HOST: &str = "http://bedrock-runtime.us-east-1.amazonaws.com";

fn bedrock(bench: &Bench, wire: &Wire) -> Client {
    Client::from_conf(config(bench, wire).build())
}

fn question() -> Message {
    let question = Message::builder().role(ConversationRole::User);
    question.content(ContentBlock::Text("?".into())).build().unwrap()
}

fn converse(input: u64, output: u64) -> String {
    json!({
        "output": {"message": {"role": "assistant", "content": [{"text": "Certainly."}]}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": input, "outputTokens": output, "totalTokens": input + output},
        "metrics": {"latencyMs": 7},
    })
    .to_string()
}

/// Amazon's event stream: lengths and checksums around header fields and a payload.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html> (read 2026-11).
fn event(name: &str, payload: &serde_json::Value) -> Vec<u8> {
    let mut fields = Vec::new();
    for (field, value) in [
        (":event-type", name),
        (":content-type", "application/json"),
        (":message-type", "event"),
    ] {
        fields.push(u8::try_from(field.len()).unwrap());
        fields.extend_from_slice(field.as_bytes());
        fields.push(7);
        fields.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
        fields.extend_from_slice(value.as_bytes());
    }
    let payload = payload.to_string().into_bytes();
    let length = |bytes: usize| u32::try_from(bytes).unwrap().to_be_bytes();
    let mut message = Vec::new();
    message.extend_from_slice(&length(16 + fields.len() + payload.len()));
    message.extend_from_slice(&length(fields.len()));
    message.extend_from_slice(&crc32(&message).to_be_bytes());
    message.extend_from_slice(&fields);
    message.extend_from_slice(&payload);
    message.extend_from_slice(&crc32(&message).to_be_bytes());
    message
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    };
    !bytes.iter().fold(!0, step)
}

fn events(input: u64, output: u64) -> Vec<Vec<u8>> {
    let said = |text: &str| json!({"contentBlockIndex": 0, "delta": {"text": text}});
    vec![
        event("messageStart", &json!({"role": "assistant"})),
        event("contentBlockDelta", &said("Certain")),
        event("contentBlockDelta", &said("ly.")),
        event("contentBlockStop", &json!({"contentBlockIndex": 0})),
        event("messageStop", &json!({"stopReason": "end_turn"})),
        event(
            "metadata",
            &json!({
                "usage": {"inputTokens": input, "outputTokens": output, "totalTokens": input + output},
                "metrics": {"latencyMs": 7},
            }),
        ),
    ]
}

fn stream(events: &[Vec<u8>]) -> Reply {
    let pieces: Vec<&[u8]> = events.iter().map(Vec::as_slice).collect();
    Reply::new(200, "application/vnd.amazon.eventstream", &pieces).framing(Framing::Chunked)
}

#[test]
fn the_checksum_is_the_one_everybody_uses() {
    assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
}

#[tokio::test]
async fn converse_reaches_the_caller_as_it_was_sent() {
    let wire = Wire::start(|got| {
        let asked = "/model/anthropic.claude-3-5-haiku-20241022-v1%3A0/converse";
        assert_eq!(got.path.strip_prefix(HOST), Some(asked));
        assert!(
            got.header("authorization")
                .unwrap()
                .starts_with("AWS4-HMAC-SHA256")
        );
        Some(Reply::json(200, &converse(48, 14)))
    });
    let bench = Bench::new();
    let client = bedrock(&bench, &wire);
    let asking = client.converse().model_id(MODEL).messages(question()).send();
    let answer = asking.in_task(&bench.task).await.unwrap();
    assert_eq!(answer.usage().unwrap().input_tokens(), 48);
    assert_eq!(answer.metrics().unwrap().latency_ms(), 7);
    let event = bench.counted(48, 14);
    assert_eq!(requested(&event), Some(MODEL));
    assert_eq!(event.provider.as_deref(), Some("bedrock"));
    let totals = bench.ended();
    assert_eq!(totals.network_call_count, 1);
    assert!(totals.network_bytes_in > converse(48, 14).len() as u64);
    assert!(totals.network_bytes_out > 500, "signed fields and all");
}

#[tokio::test]
async fn a_stream_reaches_the_caller_event_by_event() {
    let (bench, wire) = (Bench::new(), Wire::always(stream(&events(120, 30))));
    let client = bedrock(&bench, &wire);
    let asking = client
        .converse_stream()
        .model_id(MODEL)
        .messages(question())
        .send();
    let mut answer = asking.in_task(&bench.task).await.unwrap();
    let (mut said, mut input) = (String::new(), 0);
    while let Some(event) = answer.stream.recv().await.unwrap() {
        match event {
            ConverseStreamOutput::ContentBlockDelta(delta) => {
                said.push_str(delta.delta().unwrap().as_text().unwrap());
            }
            ConverseStreamOutput::Metadata(metadata) => input = metadata.usage().unwrap().input_tokens(),
            _ => {}
        }
    }
    assert_eq!((said.as_str(), input), ("Certainly.", 120));
    assert_eq!(
        bench.counted(120, 30).operation_status,
        OperationStatus::Succeeded
    );
}

#[tokio::test]
async fn errors_are_the_callers_own_and_failed_events() {
    let throttled = r#"{"message":"Too many requests, please wait before trying again."}"#;
    let reply = Reply::json(429, throttled).header("x-amzn-errortype", "ThrottlingException");
    let (bench, wire) = (Bench::new(), Wire::always(reply));
    let client = bedrock(&bench, &wire);
    let asking = client.converse().model_id(MODEL).messages(question()).send();
    let error = asking.in_task(&bench.task).await.unwrap_err();
    assert!(error.into_service_error().is_throttling_exception());
    assert!(
        bench
            .events()
            .iter()
            .all(|event| event.error_type == Some(ErrorType::RateLimit))
    );

    let bench = Bench::new();
    let client = bedrock(&bench, &nobody());
    let asking = client.converse().model_id(MODEL).messages(question()).send();
    let error = asking.in_task(&bench.task).await.unwrap_err();
    assert!(matches!(error, SdkError::DispatchFailure(failure) if failure.is_io()));
}

#[tokio::test]
async fn a_model_that_is_invoked_by_its_own_words_gets_and_gives_them_untouched() {
    let answer = r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-3-5-haiku-20241022","content":[{"type":"text","text":"Certainly."}],"stop_reason":"end_turn","usage":{"input_tokens":48,"output_tokens":14}}"#;
    let ask = r#"{"anthropic_version":"bedrock-2023-05-31","max_tokens":64,"messages":[{"role":"user","content":"?"}]}"#;
    let wire = Wire::start(move |got| {
        assert_eq!(String::from_utf8_lossy(&got.body), ask);
        Some(Reply::json(200, answer).header("x-amzn-bedrock-input-token-count", "48"))
    });
    let bench = Bench::new();
    let client = bedrock(&bench, &wire);
    let asking = client.invoke_model().model_id(MODEL).body(Blob::new(ask)).send();
    let reply = asking.in_task(&bench.task).await.unwrap();
    assert_eq!(reply.body().as_ref(), answer.as_bytes());
    bench.counted(48, 14);
}

#[tokio::test]
async fn the_retries_of_the_sdk_are_attempts_of_one_operation() {
    let tries = AtomicUsize::new(0);
    let throttled = r#"{"message":"slow down"}"#;
    let wire = Wire::start(move |_| {
        Some(match tries.fetch_add(1, Ordering::Relaxed) {
            0 => Reply::json(429, throttled).header("x-amzn-errortype", "ThrottlingException"),
            _ => Reply::json(200, &converse(48, 14)),
        })
    });
    let bench = Bench::new();
    let retry = RetryConfig::standard().with_initial_backoff(Duration::from_millis(1));
    let client = Client::from_conf(config(&bench, &wire).retry_config(retry).build());
    let asking = client.converse().model_id(MODEL).messages(question()).send();
    asking.in_task(&bench.task).await.unwrap();
    let events = bench.events();
    assert_eq!(events.len(), 2, "each attempt once");
    assert_eq!(events[0].error_type, Some(ErrorType::RateLimit));
    assert_eq!(events[1].retry_of, Some(events[0].event_id));
}

#[tokio::test]
async fn a_timeout_is_the_callers_error_and_the_call_is_settled() {
    let (bench, wire) = (Bench::new(), Wire::start(|_| None));
    let hurried = TimeoutConfig::builder().operation_timeout(Duration::from_millis(100));
    let config = config(&bench, &wire).timeout_config(hurried.build());
    let client = Client::from_conf(config.build());
    let asking = client.converse().model_id(MODEL).messages(question()).send();
    let error = asking.in_task(&bench.task).await.unwrap_err();
    assert!(matches!(error, SdkError::TimeoutError(_)));
    assert_eq!(bench.event().operation_status, OperationStatus::Cancelled);

    let (bench, wire) = (Bench::new(), Wire::start(|_| None));
    let hurried = TimeoutConfig::builder().read_timeout(Duration::from_millis(100));
    let config = self::config(&bench, &wire).timeout_config(hurried.build());
    let client = Client::from_conf(config.build());
    let asking = client.converse().model_id(MODEL).messages(question()).send();
    asking.in_task(&bench.task).await.unwrap_err();
    assert_eq!(bench.event().error_type, Some(ErrorType::Timeout));
}

#[tokio::test]
async fn a_stream_that_is_dropped_is_cancelled_and_one_that_breaks_off_fails() {
    let begun = |after| Wire::always(stream(&events(48, 14)[..3]).after(after));
    let (bench, wire) = (Bench::new(), begun(After::Hang));
    let client = bedrock(&bench, &wire);
    let asking = client
        .converse_stream()
        .model_id(MODEL)
        .messages(question())
        .send();
    let mut answer = asking.in_task(&bench.task).await.unwrap();
    answer.stream.recv().await.unwrap();
    drop(answer);
    assert_eq!(bench.event().operation_status, OperationStatus::Cancelled);

    let (bench, wire) = (Bench::new(), begun(After::Cut));
    let client = bedrock(&bench, &wire);
    let asking = client
        .converse_stream()
        .model_id(MODEL)
        .messages(question())
        .send();
    let mut answer = asking.in_task(&bench.task).await.unwrap();
    while let Ok(Some(_)) = answer.stream.recv().await {}
    drop(answer);
    assert_eq!(bench.event().operation_status, OperationStatus::Failed);
}

/// A connector that answers from memory.
#[derive(Debug)]
struct Memory;

impl HttpConnector for Memory {
    fn call(&self, _request: HttpRequest) -> HttpConnectorFuture {
        let status = StatusCode::try_from(200).unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, converse(48, 14).into())))
    }
}

#[tokio::test]
async fn a_reply_that_lies_in_memory_is_looked_at_where_it_lies() {
    let bench = Bench::new();
    let memory = http_client_fn(|_, _| SharedHttpConnector::new(Memory));
    let config = config(&bench, &nobody()).http_client(bench.layer().layer(memory));
    let client = Client::from_conf(config.build());
    let asking = client.converse().model_id(MODEL).messages(question()).send();
    asking.in_task(&bench.task).await.unwrap();
    bench.counted(48, 14);
}

#[tokio::test]
async fn nested_it_counts_once() {
    let (bench, wire) = (Bench::new(), Wire::always(Reply::json(200, &converse(48, 14))));
    let once = bench.layer().layer(http(&wire));
    let config = config(&bench, &wire).http_client(bench.layer().layer(once));
    let client = Client::from_conf(config.build());
    let asking = client.converse().model_id(MODEL).messages(question()).send();
    asking.in_task(&bench.task).await.unwrap();
    bench.counted(48, 14);
}
