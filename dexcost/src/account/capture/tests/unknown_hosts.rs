//! What a host that nobody knows must show to be taken for a model's.

use super::*;

const HOST: &str = "https://api.unknown.example";

fn is_captured(path: &str, body: &str) -> bool {
    let url = format!("{HOST}{path}");
    let call = Call {
        url: &url,
        headers: vec![("content-type", "application/json")],
        body: body.as_bytes(),
        ..Call::default()
    };
    call.run().captured
}

const CHAT: &str = "/v1/chat/completions";
const DONE: &str = "data: {\"line\":1}\n\ndata: [DONE]\n\n";

#[test]
fn what_only_looks_like_a_models_reply_is_plain_traffic() {
    for (path, body) in [
        (CHAT, r#"{"usage":{"cpu":3}}"#),
        (CHAT, r#"{"id":"c","model":"sedan","usage":{"seconds":3}}"#),
        (CHAT, r#"{"choices":[{"index":0,"label":"yes"}]}"#),
        (CHAT, DONE),
        ("/forms/7/completions", r#"{"object":"completion","model":"a"}"#),
        ("/model/m/converse", r#"{"usage":{"cpu":3},"stopReason":"bored"}"#),
        ("/v1/chat", r#"{"id":"7","type":"text","finish_reason":"left"}"#),
        ("/v2/chat", r#"{"usage":{"billed_units":{"rooms":2}}}"#),
        (
            "/models/tree:generateContent",
            r#"{"usageMetadata":{"leaves":9}}"#,
        ),
        (
            "/models/tree:generateContent",
            r#"{"candidates":[{"name":"Ann"}]}"#,
        ),
        (
            "/crm/interactions",
            r#"{"object":"interaction","usage":{"calls":1}}"#,
        ),
        ("/v1/models/iris:predict", r#"{"predictions":[[0.1,0.9]]}"#),
        ("/agents/a/agentAliases/b/sessions/c/text", r#"{"sessionId":"c"}"#),
        ("/retrieveAndGenerate", r#"{"sessionId":"c","output":"x"}"#),
        (
            "/v1/messages",
            r#"{"type":"message","model":"fax","usage":{"segments":2}}"#,
        ),
        ("/v1/messages", r#"{"model":"fax","usage":{"segments":2}}"#),
        ("/surveys/7/responses", r#"{"object":"response","id":"r1"}"#),
        ("/gallery/images", r#"{"data":[{"url":"a"},{"url":"b"}]}"#),
        ("/jobs/invoke", r#"{"images":["AAAA"],"stop_reason":"done"}"#),
        ("/v1/podcasts/7/listen", r#"{"duration":1800}"#),
        ("/reports/generate", r#"{"details":{"pages":4}}"#),
    ] {
        assert!(!is_captured(path, body), "{path} {body}");
    }
}

#[test]
fn a_count_that_the_form_knows_proves_a_model() {
    for (path, body) in [
        (CHAT, r#"{"usage":{"prompt_tokens":3,"completion_tokens":1}}"#),
        (
            "/model/m/converse",
            r#"{"usage":{"inputTokens":3,"outputTokens":1}}"#,
        ),
        ("/v2/chat", r#"{"usage":{"billed_units":{"input_tokens":3}}}"#),
        (
            "/models/g:generateContent",
            r#"{"usageMetadata":{"promptTokenCount":3}}"#,
        ),
        ("/v1beta/interactions", r#"{"usage":{"total_input_tokens":3}}"#),
        (
            "/v1/models/e:predict",
            r#"{"predictions":[{"embeddings":{"statistics":{"token_count":3}}}]}"#,
        ),
        (
            "/v1/messages",
            r#"{"usage":{"input_tokens":3,"output_tokens":1}}"#,
        ),
        (
            "/v1/responses",
            r#"{"usage":{"input_tokens":3,"output_tokens":1}}"#,
        ),
        ("/v1/embeddings", r#"{"usage":{"total_tokens":3}}"#),
        (
            "/jobs/invoke",
            r#"{"prompt_token_count":3,"generation_token_count":1}"#,
        ),
        ("/v1/audio/transcriptions", r#"{"text":"x","duration":3.5}"#),
        ("/v1/images/generations", r#"{"data":[{"url":"a"}]}"#),
    ] {
        assert!(is_captured(path, body), "{path} {body}");
    }
}

#[test]
fn a_stream_without_usage_is_proven_by_what_its_objects_are_called() {
    let chunk =
        |object: &str| format!("data: {{\"object\":\"{object}\",\"model\":\"m\",\"choices\":[]}}\n\n");
    assert!(is_captured(CHAT, &chunk("chat.completion.chunk")));
    assert!(is_captured("/v1/completions", &chunk("text_completion")));
    assert!(!is_captured(CHAT, &chunk("list")));
    let ended = r#"{"choices":[{"index":0,"finish_reason":"stop"}]}"#;
    assert!(is_captured(CHAT, &format!("data: {ended}\n\n")));
    let queued = r#"{"object":"response","status":"queued","model":"m","usage":null}"#;
    assert!(is_captured("/v1/responses", queued));
}

#[test]
fn audio_from_where_only_speech_comes_is_speech() {
    let audio = |path: &str| {
        let url = format!("{HOST}{path}");
        let call = Call {
            url: &url,
            request: br#"{"model":"voice","input":"hello","text":"hello"}"#,
            headers: vec![("content-type", "audio/mpeg")],
            body: b"ID3",
            ..Call::default()
        };
        call.run().captured
    };
    assert!(audio("/v1/audio/speech"));
    assert!(!audio("/phrasebook/tts"));
}

#[test]
fn what_customers_deploy_proves_itself_also_at_a_known_host() {
    let reply = |url: &str, body: &str| {
        let call = Call {
            url,
            body: body.as_bytes(),
            ..Call::default()
        };
        call.run().captured
    };
    let databricks = "https://adb-1.2.azuredatabricks.net/serving-endpoints/churn/invocations";
    assert!(!reply(databricks, r#"{"model":"churn","predictions":[0.2]}"#));
    assert!(reply(
        databricks,
        r#"{"usage":{"prompt_tokens":1,"completion_tokens":1}}"#
    ));
    let vertex = "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/endpoints/1:predict";
    assert!(!reply(
        vertex,
        r#"{"predictions":[{"scores":[0.9]}],"deployedModelId":"1"}"#
    ));
    let sagemaker = "https://runtime.sagemaker.us-east-1.amazonaws.com/endpoints/x/invocations";
    assert!(!reply(sagemaker, r#"{"predictions":[0.2]}"#));
    assert!(reply(
        sagemaker,
        r#"{"outputs":[{"text":"x","stop_reason":"length"}]}"#
    ));
}

#[test]
fn a_host_of_the_users_own_is_the_providers_that_the_user_says() {
    let options = crate::capture::CaptureOptions {
        hosts: [("llm.acme.internal".to_owned(), "OpenAI".to_owned())].into(),
        ..Default::default()
    };
    let clock = std::sync::Arc::new(crate::clock::SystemClock);
    let mut parts = crate::testing::MemorySink::new().parts(clock);
    parts.capture = options;
    let tracker = crate::CostTracker::from_parts(parts);
    let facts = RequestFacts::to_url("POST", "https://llm.acme.internal/v1/chat/completions", &());
    let mut exchange = tracker.begin_exchange(&facts);
    exchange.response(200, &());
    exchange.data(
        br#"{"model":"gpt-4o-mini","choices":[],"usage":{"prompt_tokens":1000,"completion_tokens":100}}"#,
    );
    let seen = exchange.settle(Ending::Done);
    assert_eq!(seen.provider.as_deref(), Some("openai"));
    let cost = pricing_of(&seen, tracker.pricing(), crate::clock::Timestamp::default());
    assert_eq!(cost.cost_usd, Some(crate::dec!(0.00021)));
    assert_eq!(cost.cost_confidence, crate::event::CostConfidence::Computed);
}
