//! reqwest-middleware, with and without its retry middleware.

use std::time::Duration;

use dexcost::{ErrorType, OperationStatus, TaskFutureExt};
use dexcost_tower::{CaptureLayer, Uncaptured};
use http::Extensions;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next};
use reqwest_retry::RetryTransientMiddleware;
use reqwest_retry::policies::ExponentialBackoff;
use tower::{Layer, Service};

use crate::bench::{ASK, Bench, CHAT, ask, client, nobody, refusing_once, requested};
use crate::wire::{After, Reply, Wire, chat, chat_stream, stream_reply};

fn captured(bench: &Bench, wire: &Wire) -> ClientWithMiddleware {
    ClientBuilder::new(client(wire)).with(bench.layer()).build()
}

fn retrying() -> RetryTransientMiddleware<ExponentialBackoff> {
    let soon = Duration::from_millis(1);
    let policy = ExponentialBackoff::builder()
        .retry_bounds(soon, soon)
        .build_with_max_retries(2);
    RetryTransientMiddleware::new_with_policy(policy)
}

#[tokio::test]
async fn a_reply_and_a_stream_are_counted_and_arrive_as_they_were_sent() {
    let (bench, wire) = (Bench::new(), Wire::always(Reply::json(200, &chat(48, 14))));
    let reply = captured(&bench, &wire)
        .execute(ask(&wire))
        .in_task(&bench.task)
        .await;
    assert_eq!(reply.unwrap().text().await.unwrap(), chat(48, 14));
    assert_eq!(requested(&bench.counted(48, 14)), Some("gpt-4o"));

    let (bench, wire) = (Bench::new(), Wire::always(stream_reply(120, 30)));
    let reply = captured(&bench, &wire)
        .execute(ask(&wire))
        .in_task(&bench.task)
        .await;
    assert!(bench.events().is_empty(), "not before the body has ended");
    assert_eq!(
        reply.unwrap().text().await.unwrap(),
        chat_stream(120, 30).concat()
    );
    bench.counted(120, 30);
}

/// Puts something of its own among the extensions of the response.
struct Marking;

#[derive(Clone, Debug, PartialEq)]
struct Mark(u8);

#[async_trait::async_trait]
impl Middleware for Marking {
    async fn handle(
        &self,
        request: reqwest::Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        let mut reply = next.run(request, extensions).await?;
        reply.extensions_mut().insert(Mark(7));
        Ok(reply)
    }
}

#[tokio::test]
async fn everything_that_a_response_carries_survives_retries_included() {
    let wire = Wire::always(Reply::json(200, &chat(48, 14)).header("x-mine", "yes"));
    let request = || {
        let mut request = ask(&wire);
        request.url_mut().set_query(Some("api-version=1"));
        request
    };
    let bare = client(&wire).execute(request()).await.unwrap();
    let bench = Bench::new();
    let alone = ClientBuilder::new(client(&wire))
        .with(bench.layer())
        .with(Marking);
    let within_retry = ClientBuilder::new(client(&wire))
        .with(retrying())
        .with(bench.layer())
        .with(Marking);
    for client in [alone.build(), within_retry.build()] {
        let reply = client.execute(request()).await.unwrap();
        assert_eq!(reply.url(), request().url());
        assert_eq!(reply.status(), bare.status());
        assert_eq!(reply.version(), bare.version());
        assert_eq!(reply.headers(), bare.headers());
        assert_eq!(reply.content_length(), Some(chat(48, 14).len() as u64));
        assert_eq!(reply.remote_addr(), Some(wire.addr));
        assert_eq!(reply.extensions().get::<Mark>(), Some(&Mark(7)));
        assert_eq!(reply.extensions().len(), bare.extensions().len() + 1);
        assert_eq!(reply.bytes().await.unwrap(), chat(48, 14));
    }
}

#[tokio::test]
async fn within_a_retry_middleware_it_sees_attempts_and_outside_of_it_the_operation() {
    let (bench, wire) = (Bench::new(), refusing_once());
    let client_of = |first: bool| {
        let builder = ClientBuilder::new(client(&wire));
        if first {
            builder.with(retrying()).with(bench.layer()).build()
        } else {
            builder.with(bench.layer()).with(retrying()).build()
        }
    };
    let reply = client_of(true)
        .execute(ask(&wire))
        .in_task(&bench.task)
        .await
        .unwrap();
    assert_eq!(reply.text().await.unwrap(), chat(48, 14));
    let events = bench.events();
    assert_eq!(events.len(), 2, "each attempt once");
    assert_eq!(events[0].error_type, Some(ErrorType::RateLimit));
    assert_eq!(events[1].retry_of, Some(events[0].event_id));
    assert_eq!(events[1].call.as_ref().unwrap().attempt, Some(2));

    let (bench, wire) = (Bench::new(), refusing_once());
    let outside = ClientBuilder::new(client(&wire))
        .with(bench.layer())
        .with(retrying());
    let reply = outside
        .build()
        .execute(ask(&wire))
        .in_task(&bench.task)
        .await
        .unwrap();
    reply.bytes().await.unwrap();
    let event = bench.counted(48, 14);
    assert!(!event.is_retry, "the operation, with its last answer");
}

#[tokio::test]
async fn nested_it_counts_once_the_innermost() {
    let (bench, wire) = (Bench::new(), Wire::always(Reply::json(200, &chat(48, 14))));
    let twice = ClientBuilder::new(client(&wire))
        .with(bench.layer())
        .with(retrying())
        .with(bench.layer())
        .build();
    let mut thrice = bench.layer().layer(twice);
    let reply = bench.task.run(|| thrice.call(ask(&wire))).await.unwrap();
    assert_eq!(reply.bytes().await.unwrap(), chat(48, 14));
    bench.counted(48, 14);
}

#[tokio::test]
async fn a_call_that_fails_is_the_callers_own_error_and_a_failed_event() {
    let bench = Bench::new();
    let wire = nobody();
    let error = captured(&bench, &wire)
        .execute(ask(&wire))
        .in_task(&bench.task)
        .await;
    assert!(error.unwrap_err().is_connect());
    assert_eq!(bench.event().error_type, Some(ErrorType::ConnectionError));

    let (bench, wire) = (Bench::new(), Wire::start(|_| None));
    let mut request = ask(&wire);
    *request.timeout_mut() = Some(Duration::from_millis(50));
    let error = captured(&bench, &wire)
        .execute(request)
        .in_task(&bench.task)
        .await;
    assert!(error.unwrap_err().is_timeout());
    assert_eq!(bench.event().error_type, Some(ErrorType::Timeout));

    let (bench, wire) = (Bench::new(), Wire::start(|_| None));
    let mut request = ask(&wire);
    *request.timeout_mut() = Some(Duration::from_millis(20));
    let client = ClientBuilder::new(client(&wire))
        .with(bench.layer())
        .with(retrying())
        .build();
    client.execute(request).in_task(&bench.task).await.unwrap_err();
    let event = bench.event();
    assert_eq!(
        event.error_type,
        Some(ErrorType::Timeout),
        "found inside the middleware's error"
    );

    let half = Reply::json(200, &chat(48, 14)[..40]).after(After::Cut);
    let (bench, wire) = (Bench::new(), Wire::always(half));
    let reply = captured(&bench, &wire)
        .execute(ask(&wire))
        .in_task(&bench.task)
        .await;
    reply.unwrap().bytes().await.unwrap_err();
    assert_eq!(bench.event().operation_status, OperationStatus::Failed);
}

#[tokio::test]
async fn a_call_that_is_given_up_is_cancelled_before_its_head_and_within_its_body() {
    let events = chat_stream(48, 14);
    let hanging = Reply::sse(&[&events[0]]).after(After::Hang);
    for wire in [Wire::start(|_| None), Wire::always(hanging)] {
        let bench = Bench::new();
        let client = captured(&bench, &wire);
        let whole = async { client.execute(ask(&wire)).await.unwrap().bytes().await };
        let given_up = tokio::time::timeout(Duration::from_millis(100), whole.in_task(&bench.task)).await;
        assert!(given_up.is_err());
        assert_eq!(bench.event().operation_status, OperationStatus::Cancelled);
    }
}

#[tokio::test]
async fn a_request_that_is_marked_is_left_alone() {
    let wire = Wire::always(Reply::json(200, &chat(48, 14)));
    let client = ClientBuilder::new(client(&wire))
        .with(CaptureLayer::new())
        .build();
    let before = dexcost_tower::untracked_calls();
    let request = client.post(wire.url("api.openai.com", CHAT)).body(ASK);
    request.with_extension(Uncaptured).send().await.unwrap();
    assert_eq!(dexcost_tower::untracked_calls(), before, "not even looked at");
}
