//! What is a call, whose, and how it ended.

use super::*;

#[test]
fn an_exchange_can_move_between_threads() {
    fn is_send_and_sync<T: Send + Sync>() {}
    is_send_and_sync::<Exchange>();
    assert!(size_of::<Exchange>() <= 2 * size_of::<usize>());
}

#[test]
fn errors_get_canonical_names() {
    for (status, body, error) in [
        (
            429,
            r#"{"error":{"type":"rate_limit_error"}}"#,
            ErrorType::RateLimit,
        ),
        (
            429,
            r#"{"error":{"code":"insufficient_quota","type":"insufficient_quota"}}"#,
            ErrorType::Quota,
        ),
        (
            401,
            r#"{"error":{"code":"invalid_api_key","type":"invalid_request_error"}}"#,
            ErrorType::Auth,
        ),
        (
            404,
            r#"{"error":{"type":"invalid_request_error"}}"#,
            ErrorType::NotFound,
        ),
        (
            400,
            r#"{"error":{"code":"content_filter"}}"#,
            ErrorType::ContentFilter,
        ),
        (
            529,
            r#"{"type":"error","error":{"type":"overloaded_error"}}"#,
            ErrorType::Overloaded,
        ),
        (500, "<html>", ErrorType::ServerError),
        (504, "", ErrorType::Timeout),
        (
            200,
            r#"{"error":{"code":"content_filter"}}"#,
            ErrorType::ContentFilter,
        ),
        (200, "data: {\"error\":{\"code\":429}}\n\n", ErrorType::RateLimit),
        (
            200,
            "data: {\"id\":\"1\",\"model\":\"m\",\"choices\":[]}\n\nerror: {\"error\":{\"message\":\"x\"}}\n\n",
            ErrorType::Other,
        ),
    ] {
        let seen = Call {
            status,
            body: body.as_bytes(),
            ..Call::default()
        }
        .run();
        assert_eq!(
            (seen.operation_status, seen.error_type),
            (OperationStatus::Failed, Some(error)),
            "{status} {body}"
        );
        assert!(seen.captured && seen.usage.is_empty());
    }
}

#[test]
fn a_call_that_never_got_an_answer_failed() {
    let mut exchange = Exchange::begin(&RequestFacts::to_url("POST", OPENAI, &()));
    exchange.note_error(ErrorType::Timeout);
    let seen = exchange.settle(Ending::Failed);
    assert!(seen.captured);
    assert_eq!(seen.error_type, Some(ErrorType::Timeout));
    let seen = Exchange::begin(&RequestFacts::to_url("POST", OPENAI, &())).settle(Ending::Failed);
    assert_eq!(seen.error_type, Some(ErrorType::ConnectionError));
}

#[test]
fn an_unknown_host_must_prove_that_a_model_spoke() {
    let url = "https://gateway.example.com/v1/chat/completions";
    let call = |status, body: &'static str| {
        Call {
            url,
            status,
            body: body.as_bytes(),
            ..Call::default()
        }
        .run()
    };
    assert!(call(200, r#"{"usage":{"prompt_tokens":1,"completion_tokens":1}}"#).captured);
    assert!(!call(200, r#"{"ok":true}"#).captured);
    assert!(!call(404, "not here").captured);
    assert!(call(429, r#"{"error":{"type":"rate_limit"}}"#).captured);
}

#[test]
fn other_calls_on_the_same_hosts_are_none() {
    for (method, path) in [
        ("GET", "v1/models"),
        ("POST", "v1/files"),
        ("HEAD", "v1/chat/completions"),
    ] {
        let url = format!("https://api.openai.com/{path}");
        let exchange = Exchange::begin(&RequestFacts::to_url(method, &url, &()));
        assert!(!exchange.is_watching() && !exchange.wants_request() && !exchange.wants_response());
        assert!(!exchange.settle(Ending::Done).captured);
    }
}

#[test]
fn a_retrieval_is_a_repeat_and_not_a_call() {
    let mut exchange = Exchange::begin(&RequestFacts::to_url(
        "GET",
        "https://api.openai.com/v1/responses/resp_1",
        &(),
    ));
    exchange.response(200, &());
    exchange.data(br#"{"usage":{"input_tokens":5}}"#);
    let seen = exchange.settle(Ending::Done);
    assert_eq!((seen.captured, seen.usage_scope), (false, UsageScope::Repeat));
    assert!(seen.usage.is_empty() && seen.job.is_none());
}

#[test]
fn the_same_request_has_the_same_digest() {
    let digest = |request: &[u8], url| {
        Call {
            url,
            request,
            ..Call::default()
        }
        .run()
        .request_digest
    };
    let first = digest(br#"{"model":"a"}"#, OPENAI);
    assert!(first.is_some());
    assert_eq!(digest(br#"{"model":"a"}"#, OPENAI), first);
    assert_ne!(digest(br#"{"model":"b"}"#, OPENAI), first);
    assert_ne!(digest(br#"{"model":"a"}"#, ANTHROPIC), first);
}

#[test]
fn an_error_counts_where_a_model_was_asked_for_and_denials_are_no_errors() {
    let gateway = |status, url, request: &'static str, body: &'static str| {
        Call {
            url,
            request: request.as_bytes(),
            status,
            body: body.as_bytes(),
            ..Call::default()
        }
        .run()
        .captured
    };
    let (named, deployed) = (
        "https://gateway.example.com/v1/chat/completions",
        "https://gateway.example.com/deployments/d/chat/completions",
    );
    let filtered = r#"{"error":{"code":"content_filter"}}"#;
    assert!(gateway(200, named, r#"{"model":"m"}"#, filtered));
    assert!(gateway(400, deployed, "{}", filtered));
    assert!(!gateway(400, named, "{}", filtered));
    for nothing in ["false", "null", "{}", "[ ]", "\"\"", "0"] {
        let seen = seen(&format!(r#"{{"model":"m","error":{nothing},"choices":[]}}"#));
        assert_eq!(seen.operation_status, OperationStatus::Succeeded, "{nothing}");
    }
}

#[test]
fn an_error_in_a_choice_fails_the_call_and_keeps_its_counts() {
    let seen = seen(
        r#"{"model":"m","choices":[{"index":0,"error":{"code":502,"message":"x"},"finish_reason":"error"}],"usage":{"prompt_tokens":3}}"#,
    );
    assert_eq!(
        (seen.operation_status, seen.error_type),
        (OperationStatus::Failed, Some(ErrorType::ServerError))
    );
    assert_eq!(seen.usage.count(Unit::InputTokens), 3);
}

#[test]
fn a_stored_completion_that_is_fetched_again_is_a_repeat() {
    let url = "https://api.openai.com/v1/chat/completions/chatcmpl-1";
    let mut exchange = Exchange::begin(&RequestFacts::to_url("GET", url, &()));
    exchange.response(200, &());
    exchange.data(br#"{"id":"chatcmpl-1","usage":{"prompt_tokens":5}}"#);
    let seen = exchange.settle(Ending::Done);
    assert_eq!((seen.captured, seen.usage_scope), (false, UsageScope::Repeat));
}

#[test]
fn an_answer_without_a_body_is_a_call_of_unknown_outcome() {
    for status in [200, 204] {
        let seen = Call {
            status,
            ..Call::default()
        }
        .run();
        assert_eq!(
            (seen.captured, seen.operation_status, seen.usage.is_empty()),
            (true, OperationStatus::Unknown, true)
        );
    }
    let moved = Call {
        status: 307,
        ..Call::default()
    }
    .run();
    assert!(!moved.captured);
}

#[test]
fn a_stream_that_was_asked_for_may_be_answered_by_plain_json() {
    let seen = Call {
        request: br#"{"model":"m","stream":true}"#,
        body: br#"{"model":"m","choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":3}}"#,
        ..Call::default()
    }
    .run();
    assert_eq!(
        (seen.operation_status, seen.call.streamed),
        (OperationStatus::Succeeded, false)
    );
}

#[test]
fn a_registered_domain_rate_replaces_the_price_of_a_models_call_and_not_the_call() {
    let services = crate::pricing::ServiceCatalog::new();
    services
        .register_domain_rate("api.openai.com", "0.01", "request")
        .unwrap();
    let mut exchange = Exchange::begin_with(&RequestFacts::to_url("POST", OPENAI, &()), &services);
    exchange.request_data(br#"{"model":"gpt-4o-mini","messages":[]}"#);
    exchange.response(200, &());
    exchange.data(
        br#"{"model":"gpt-4o-mini","choices":[],"usage":{"prompt_tokens":1000,"completion_tokens":100}}"#,
    );
    let seen = exchange.settle(Ending::Done);
    assert!(seen.captured && seen.service.is_none());
    assert_eq!(seen.usage.count(Unit::InputTokens), 1000);
    assert_eq!(seen.call.model_returned.as_deref(), Some("gpt-4o-mini"));
    let prices = crate::pricing::PricingEngine::new();
    let cost = pricing_of(&seen, &prices, crate::clock::Timestamp::default());
    assert_eq!(cost.cost_usd, Some(crate::dec!(0.01)));
    assert_eq!(cost.pricing_source, crate::event::PricingSource::RateRegistry);
}
