//! async-openai, through its tower hook.

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use async_openai::middleware::retry::OpenAIRetryLayer;
use async_openai::types::chat::{CreateChatCompletionRequest, CreateChatCompletionResponse};
use dexcost::{ErrorType, OperationStatus, TaskFutureExt};
use futures_util::StreamExt;
use serde_json::json;
use tower::util::ServiceExt;
use tower::{Layer, Service, ServiceBuilder, service_fn};

use crate::bench::{Bench, client, nobody, refusing_once, requested};
use crate::wire::{After, Reply, Wire, chat, chat_stream, stream_reply};

/// Sends what the factory builds through a service over reqwest.
fn sending<S>(
    http: S,
) -> impl Service<HttpRequestFactory, Response = reqwest::Response, Error = OpenAIError, Future: Send>
+ Clone
+ Send
+ Sync
+ 'static
where
    S: Service<reqwest::Request, Response = reqwest::Response, Error = reqwest::Error>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send,
{
    service_fn(move |request: HttpRequestFactory| {
        let http = http.clone();
        async move { Ok(http.oneshot(request.build().await?).await?) }
    })
}

fn config(wire: &Wire) -> OpenAIConfig {
    OpenAIConfig::new()
        .with_api_key("none")
        .with_api_base(wire.url("api.openai.com", "/v1"))
}

fn openai(bench: &Bench, wire: &Wire) -> Client<OpenAIConfig> {
    Client::with_config(config(wire)).with_http_service(sending(bench.reqwest(wire)))
}

fn question() -> CreateChatCompletionRequest {
    let question = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "?"}]});
    serde_json::from_value(question).unwrap()
}

async fn answer(client: &Client<OpenAIConfig>) -> Result<CreateChatCompletionResponse, OpenAIError> {
    client.chat().create(question()).await
}

#[tokio::test]
async fn an_answer_is_counted_and_reaches_the_caller() {
    let (bench, wire) = (Bench::new(), Wire::always(Reply::json(200, &chat(48, 14))));
    let client = openai(&bench, &wire);
    let answer = answer(&client).in_task(&bench.task).await.unwrap();
    assert_eq!(answer.choices[0].message.content.as_deref(), Some("Certainly."));
    assert_eq!(answer.usage.unwrap().prompt_tokens, 48);
    let event = bench.counted(48, 14);
    assert_eq!(event.provider.as_deref(), Some("openai"));
    assert_eq!(requested(&event), Some("gpt-4o"));
}

#[tokio::test]
async fn a_stream_is_counted_and_reaches_the_caller_piece_by_piece() {
    let (bench, wire) = (Bench::new(), Wire::always(stream_reply(120, 30)));
    let client = openai(&bench, &wire);
    let mut stream = client
        .chat()
        .create_stream(question())
        .in_task(&bench.task)
        .await
        .unwrap();
    let mut said = String::new();
    while let Some(piece) = stream.next().await {
        for choice in piece.unwrap().choices {
            said.extend(choice.delta.content);
        }
    }
    drop(stream);
    assert_eq!(said, "Certainly.");
    crate::wire::eventually("the stream is settled", || !bench.events().is_empty()).await;
    bench.counted(120, 30);
}

#[tokio::test]
async fn beneath_a_retry_layer_attempts_are_counted() {
    let (bench, wire) = (Bench::new(), refusing_once());
    let service = ServiceBuilder::new()
        .layer(OpenAIRetryLayer::default())
        .service(sending(bench.reqwest(&wire)));
    let client = Client::with_config(config(&wire)).with_http_service(service);
    answer(&client).in_task(&bench.task).await.unwrap();
    let events = bench.events();
    assert_eq!(events.len(), 2, "each attempt once");
    assert_eq!(events[0].error_type, Some(ErrorType::RateLimit));
    assert_eq!(events[1].retry_of, Some(events[0].event_id));
    assert_eq!(events[1].call.as_ref().unwrap().attempt, Some(2));
}

/// Sends the same again after a 429, once.
#[derive(Clone)]
struct Once;

impl tower::retry::Policy<reqwest::Request, reqwest::Response, reqwest::Error> for Once {
    type Future = std::future::Ready<()>;

    fn retry(
        &mut self,
        _request: &mut reqwest::Request,
        result: &mut Result<reqwest::Response, reqwest::Error>,
    ) -> Option<Self::Future> {
        let limited = result.as_ref().is_ok_and(|reply| reply.status() == 429);
        limited.then(|| std::future::ready(()))
    }

    fn clone_request(&mut self, request: &reqwest::Request) -> Option<reqwest::Request> {
        request.try_clone()
    }
}

#[tokio::test]
async fn around_a_retry_layer_the_operation_is_counted() {
    let (bench, wire) = (Bench::new(), refusing_once());
    let retrying = tower::retry::Retry::new(Once, client(&wire));
    let service = sending(bench.layer().layer(retrying));
    let client = Client::with_config(config(&wire)).with_http_service(service);
    answer(&client).in_task(&bench.task).await.unwrap();
    assert!(!bench.counted(48, 14).is_retry);
}

#[tokio::test]
async fn over_a_client_that_is_captured_already_a_call_counts_once() {
    let (bench, wire) = (Bench::new(), Wire::always(Reply::json(200, &chat(48, 14))));
    let middleware = reqwest_middleware::ClientBuilder::new(client(&wire))
        .with(bench.layer())
        .build();
    let both = bench.layer().layer(middleware);
    let service = service_fn(move |request: HttpRequestFactory| {
        let both = both.clone();
        async move {
            let reply = both.oneshot(request.build().await?).await;
            reply.map_err(|error| OpenAIError::Boxed(error.into()))
        }
    });
    let client = Client::with_config(config(&wire)).with_http_service(service);
    answer(&client).in_task(&bench.task).await.unwrap();
    bench.counted(48, 14);
}

#[tokio::test]
async fn errors_are_the_callers_own_and_failed_events() {
    let refusal = r#"{"error":{"message":"no such key","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}"#;
    let (bench, wire) = (Bench::new(), Wire::always(Reply::json(401, refusal)));
    let error = answer(&openai(&bench, &wire))
        .in_task(&bench.task)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("no such key"), "{error}");
    assert_eq!(bench.event().error_type, Some(ErrorType::Auth));

    let (bench, wire) = (Bench::new(), nobody());
    let error = answer(&openai(&bench, &wire))
        .in_task(&bench.task)
        .await
        .unwrap_err();
    assert!(matches!(error, OpenAIError::Reqwest(error) if error.is_connect()));
    assert_eq!(bench.event().error_type, Some(ErrorType::ConnectionError));
}

#[tokio::test]
async fn a_stream_that_is_dropped_is_cancelled() {
    let events = chat_stream(48, 14);
    let wire = Wire::always(Reply::sse(&[&events[0]]).after(After::Hang));
    let bench = Bench::new();
    let client = openai(&bench, &wire);
    let mut stream = client
        .chat()
        .create_stream(question())
        .in_task(&bench.task)
        .await
        .unwrap();
    stream.next().await.unwrap().unwrap();
    drop(stream);
    crate::wire::eventually("the stream is settled", || !bench.events().is_empty()).await;
    assert_eq!(bench.event().operation_status, OperationStatus::Cancelled);
}
