//! Framings beside events: Amazon's event stream, JSON lines, arrays.

use super::*;
use crate::usage::framing::frames::tests::{event, message};

const INVOKE: &str =
    "https://bedrock-runtime.us-east-1.amazonaws.com/model/acme.brain-v1%3A0/invoke-with-response-stream";
const CONVERSE: &str = "https://bedrock-runtime.eu-west-1.amazonaws.com/model/arn:aws:bedrock:eu-west-1:1:inference-profile/eu.acme.brain-v1:0/converse-stream";
const GEMINI: &str = "https://generativelanguage.googleapis.com/v1beta/models/gemini-x:streamGenerateContent";
const OLLAMA: &str = "http://localhost:11434/api/chat";

const ARRAY: &str = r#"[{"candidates":[{"content":{"parts":[{"text":"a ] }"}]}}],"usageMetadata":{"promptTokenCount":9,"totalTokenCount":9},"modelVersion":"gemini-x-1"}
,
{"candidates":[{"content":{"parts":[{"text":"b"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":8,"candidatesTokenCount":5,"totalTokenCount":13},"modelVersion":"gemini-x-1"}]"#;
const LINES: &str = concat!(
    "{\"model\":\"llama-x\",\"message\":{\"content\":\"a\"},\"done\":false}\n",
    "{\"model\":\"llama-x\",\"message\":{\"content\":\"\"},\"done_reason\":\"stop\",\"done\":true,\"prompt_eval_count\":8,\"eval_count\":5}\n",
);

fn converse() -> Vec<u8> {
    [
        event("messageStart", r#"{"role":"assistant"}"#),
        event(
            "contentBlockDelta",
            r#"{"contentBlockIndex":0,"delta":{"text":"hi"}}"#,
        ),
        event("messageStop", r#"{"stopReason":"end_turn"}"#),
        event(
            "metadata",
            r#"{"usage":{"inputTokens":8,"outputTokens":5,"totalTokens":13}}"#,
        ),
    ]
    .concat()
}

/// An event of InvokeModel around this one.
fn chunk(inner: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut coded = String::new();
    for bytes in inner.as_bytes().chunks(3) {
        let value = bytes
            .iter()
            .fold(0u32, |value, byte| value << 8 | u32::from(*byte))
            << (8 * (3 - bytes.len()));
        for at in 0..=bytes.len() {
            coded.push(char::from(DIGITS[(value >> (18 - 6 * at) & 63) as usize]));
        }
    }
    event("chunk", &format!(r#"{{"bytes":"{coded}","p":"abcdefgh"}}"#))
}

fn invoke(text: &str) -> Vec<u8> {
    [
        chunk(&format!(r#"{{"generation":"{text}","prompt_token_count":8,"generation_token_count":1,"stop_reason":null}}"#)),
        chunk(&format!(
            r#"{{"generation":"{text}","prompt_token_count":null,"generation_token_count":5,"stop_reason":"stop","amazon-bedrock-invocationMetrics":{{"inputTokenCount":8,"outputTokenCount":5}}}}"#
        )),
    ]
    .concat()
}

fn run(url: &str, body: &[u8], chunk: usize, ending: Ending) -> Observation {
    Call {
        url,
        body,
        chunk,
        ending,
        ..Call::default()
    }
    .run()
}

fn counts(seen: &Observation) -> (u64, u64) {
    (
        seen.usage.count(Unit::InputTokens),
        seen.usage.count(Unit::OutputTokens),
    )
}

#[test]
fn streams_are_read_whatever_their_framing_and_chunks() {
    for (url, body) in [
        (CONVERSE, converse()),
        (INVOKE, invoke("hi")),
        (GEMINI, ARRAY.as_bytes().to_vec()),
        (OLLAMA, LINES.as_bytes().to_vec()),
    ] {
        for chunk in 1..=body.len() {
            let seen = run(url, &body, chunk, Ending::Done);
            assert_eq!(counts(&seen), (8, 5), "{url} in chunks of {chunk}");
            assert_eq!(seen.operation_status, OperationStatus::Succeeded, "{url}");
            assert_eq!(seen.body_trouble, None);
            assert!(seen.captured && seen.call.streamed, "{url}");
        }
    }
}

#[test]
fn streams_cut_anywhere_are_no_success_and_show_no_more_than_the_whole() {
    for (url, body) in [
        (CONVERSE, converse()),
        (INVOKE, invoke("hi")),
        (GEMINI, ARRAY.as_bytes().to_vec()),
        (OLLAMA, LINES.as_bytes().to_vec()),
    ] {
        let whole = run(url, &body, usize::MAX, Ending::Done);
        for cut in 0..body.len() - 1 {
            for ending in [Ending::Done, Ending::Failed, Ending::Cancelled] {
                let seen = run(url, &body[..cut], usize::MAX, ending);
                assert!(counts(&seen).0 <= 8 && counts(&seen).1 <= 5, "{url} cut at {cut}");
                if seen.operation_status == OperationStatus::Succeeded {
                    assert_eq!(seen.usage, whole.usage, "{url} cut at {cut}, {ending:?}");
                }
            }
        }
    }
}

#[test]
fn names_in_the_path_are_read() {
    let seen = run(CONVERSE, &converse(), 9, Ending::Done);
    assert_eq!(
        seen.call.model_requested.as_deref(),
        Some("arn:aws:bedrock:eu-west-1:1:inference-profile/eu.acme.brain-v1:0")
    );
    assert_eq!(seen.call.region.as_deref(), Some("eu-west-1"));
    let seen = run(INVOKE, &invoke("hi"), 9, Ending::Done);
    assert_eq!(seen.call.model_requested.as_deref(), Some("acme.brain-v1:0"));
}

#[test]
fn events_of_any_size_are_unwrapped() {
    for size in [3_000, 30_000, 300_000] {
        let body = invoke(&"y".repeat(size));
        for chunk in [7, 4096, usize::MAX] {
            let seen = run(INVOKE, &body, chunk, Ending::Done);
            assert_eq!(counts(&seen), (8, 5), "{size} bytes in chunks of {chunk}");
            assert_eq!(seen.operation_status, OperationStatus::Succeeded);
        }
    }
}

#[test]
fn a_wrong_checksum_is_trouble_and_what_follows_is_not_read() {
    let mut body = converse();
    let last = body.len() - 1;
    body[last] ^= 1;
    for chunk in [1, 64, usize::MAX] {
        let seen = run(CONVERSE, &body, chunk, Ending::Done);
        assert!(seen.usage.is_empty());
        assert_eq!(seen.body_trouble, Some(BodyTrouble::Format));
        assert_eq!(seen.operation_status, OperationStatus::Unknown);
    }
}

#[test]
fn an_exception_in_the_stream_is_a_failure() {
    let headers = [
        (":exception-type", "throttlingException"),
        (":content-type", "application/json"),
        (":message-type", "exception"),
    ];
    let body = [
        event("messageStart", r#"{"role":"assistant"}"#),
        message(&headers, br#"{"message":"secret"}"#),
    ]
    .concat();
    for chunk in [1, 30, usize::MAX] {
        let seen = run(CONVERSE, &body, chunk, Ending::Done);
        assert_eq!(seen.operation_status, OperationStatus::Failed);
        assert_eq!(seen.error_type, Some(ErrorType::RateLimit));
    }
}

#[test]
fn a_line_is_a_line_with_and_without_the_announcement() {
    let first = LINES.lines().next().unwrap();
    for headers in [
        vec![],
        vec![("content-type", "application/x-ndjson; charset=utf-8")],
    ] {
        let run = |body: &str| {
            Call {
                url: OLLAMA,
                headers: headers.clone(),
                body: body.as_bytes(),
                ..Call::default()
            }
            .run()
        };
        assert_eq!(run(LINES).operation_status, OperationStatus::Succeeded);
        assert_eq!(
            run(first).operation_status,
            OperationStatus::Unknown,
            "{headers:?}"
        );
        let whole = LINES.lines().last().unwrap();
        assert_eq!(counts(&run(whole)), (8, 5));
        assert_eq!(run(whole).operation_status, OperationStatus::Succeeded);
    }
}

#[test]
fn an_array_of_any_length_takes_the_memory_of_one_element() {
    let element = r#"{"candidates":[{"content":{"parts":[{"text":"x"}]}}],"usageMetadata":{"promptTokenCount":8,"candidatesTokenCount":1,"totalTokenCount":9}},"#;
    let end = r#"{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":8,"candidatesTokenCount":5,"totalTokenCount":13}}]"#;
    let body = format!("[{}{end}", element.repeat(5_000));
    let seen = run(GEMINI, body.as_bytes(), 4096, Ending::Done);
    assert_eq!(counts(&seen), (8, 5));
    assert_eq!(seen.body_trouble, None);
}

#[test]
fn an_agent_has_no_usage_of_its_own_and_costs_what_its_calls_cost() {
    let url = "https://bedrock-agent-runtime.us-east-1.amazonaws.com/agents/A/agentAliases/B/sessions/C/text";
    let trace = |step: &str| {
        event(
            "trace",
            &format!(r#"{{"sessionId":"C","trace":{{"orchestrationTrace":{{{step}}}}}}}"#),
        )
    };
    let model = "anthropic.claude-3-haiku-20240307-v1:0";
    let body = [
        trace(&format!(
            r#""modelInvocationInput":{{"foundationModel":"{model}","traceId":"t-0"}}"#
        )),
        trace(
            r#""modelInvocationOutput":{"metadata":{"usage":{"inputTokens":1000,"outputTokens":100}},"traceId":"t-0"}"#,
        ),
        event("chunk", r#"{"bytes":"aGk="}"#),
    ]
    .concat();
    let seen = run(url, &body, 50, Ending::Done);
    assert!(seen.captured && seen.usage.is_empty());
    assert_eq!(seen.usage_scope, UsageScope::None);
    assert_eq!(seen.operation_status, OperationStatus::Succeeded);
    assert_eq!(seen.call.parts.len(), 1);

    let prices = crate::PricingEngine::new();
    let now = crate::Timestamp::default();
    let direct = crate::PriceQuery {
        provider: Some("bedrock"),
        host: Some("bedrock-runtime.us-east-1.amazonaws.com"),
        region: Some("us-east-1"),
        ..crate::PriceQuery::new(model, &seen.call.parts[0].usage, now)
    };
    let cost = pricing_of(&seen, &prices, now);
    assert!(cost.cost_usd.is_some());
    assert_eq!(cost.cost_usd, prices.price(&direct).cost_usd);
}

#[test]
fn search_results_that_google_feeds_to_the_model_are_not_charged() {
    let usage = |more: &str| {
        format!(
            r#"{{"candidates":[{{"finishReason":"STOP"{more}}}],"usageMetadata":{{"promptTokenCount":10,"toolUsePromptTokenCount":1000,"candidatesTokenCount":1,"totalTokenCount":1011}},"modelVersion":"gemini-2.5-flash"}}"#
        )
    };
    let url = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent";
    let cost = |body: &str| {
        let seen = run(url, body.as_bytes(), 99, Ending::Done);
        assert_eq!(seen.usage.count(Unit::InputTokens), 1010);
        let cost = pricing_of(&seen, &crate::PricingEngine::new(), crate::Timestamp::default());
        let input = cost
            .lines
            .iter()
            .find(|line| line.what == "input_tokens")
            .cloned();
        input.unwrap().quantity
    };
    assert_eq!(cost(&usage("")), 1010.into());
    let grounded = usage(r#","groundingMetadata":{"webSearchQueries":["q"]}"#);
    assert_eq!(cost(&grounded), 10.into());
}
