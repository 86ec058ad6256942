//! Nothing of what was said is kept: not the prompt, not the answer, not an error's message.

use super::*;

/// Stands for anything that was said. With a quote, so that escapes are on the way, too.
const SAID: &str = "canary-\\\"4711\\u00e9";
const CANARY: &str = "canary";

const CHAT_REQUEST: &str = r#"{"model":"gpt-x","user":"@","metadata":{"model":"@","k":"@"},"messages":[{"role":"system","content":"@"},{"role":"user","name":"@","content":[{"type":"text","text":"@"}]}],"tools":[{"function":{"name":"@","description":"@","parameters":{"properties":{"@":{"description":"@"}}}}}],"stop":["@"],"response_format":{"@":"@"},"prediction":{"content":"@"},"stream":true}"#;
const CHAT: &str = r#"{"id":"c1","object":"chat.completion","model":"gpt-x-1","system_fingerprint":"@","@":"@","choices":[{"index":0,"message":{"role":"assistant","content":"@","refusal":"@","reasoning_content":"@","model":"@","usage":"@","error":"@","annotations":[{"url":"@"}],"tool_calls":[{"id":"@","function":{"name":"@","arguments":"@"}}]},"logprobs":{"content":[{"token":"@"}]},"content_filter_results":{"@":"@"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":4,"@":"@","prompt_tokens_details":{"cached_tokens":8,"@":"@"}},"citations":["@"]}"#;
const CHAT_STREAM: &str = concat!(
    ": @\n\nid: @\nevent: @\n",
    "data: {\"id\":\"c1\",\"model\":\"gpt-x-1\",\"obfuscation\":\"@\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"@\",\"reasoning\":\"@\",\"tool_calls\":[{\"function\":{\"name\":\"@\",\"arguments\":\"@\"}}]},\"finish_reason\":null}]}\n\n",
    "data: @\n\n",
    "data: {\"model\":\"gpt-x-1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"@\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":4,\"@\":\"@\"}}\n\n",
    "data: [DONE]\n\n",
);
const MESSAGES_REQUEST: &str = r#"{"model":"claude-x","metadata":{"user_id":"@"},"system":[{"type":"text","text":"@"}],"messages":[{"role":"user","content":"@"},{"role":"user","content":[{"type":"tool_result","content":"@"}]}],"tools":[{"name":"@","description":"@"}],"stop_sequences":["@"]}"#;
const MESSAGE: &str = r#"{"type":"message","id":"m1","model":"claude-x-1","role":"assistant","content":[{"type":"text","text":"@","citations":[{"cited_text":"@"}]},{"type":"thinking","thinking":"@","signature":"@"},{"type":"tool_use","id":"@","name":"@","input":{"model":"@","type":"@"}}],"stop_reason":"stop_sequence","stop_sequence":"@","container":{"id":"@"},"usage":{"input_tokens":10,"output_tokens":4,"@":"@"}}"#;
const MESSAGE_STREAM: &str = concat!(
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m1\",\"model\":\"claude-x-1\",\"content\":[\"@\"],\"usage\":{\"input_tokens\":10,\"output_tokens\":1,\"@\":\"@\"}}}\n\n",
    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"content_block\":{\"type\":\"tool_use\",\"name\":\"@\",\"text\":\"@\",\"input\":{\"@\":\"@\"}}}\n\n",
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"@\",\"partial_json\":\"@\",\"thinking\":\"@\",\"stop_reason\":null}}\n\n",
    "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":\"@\",\"text\":\"@\"},\"usage\":{\"output_tokens\":4}}\n\n",
    "event: message_stop\ndata: {\"type\":\"message_stop\",\"@\":\"@\"}\n\n",
);
/// Errors as plain bodies and inside streams.
const ERRORS: &[&str] = &[
    r#"{"error":{"message":"@","type":"invalid_request_error","param":"@","code":"bad","innererror":{"@":"@"},"failed_generation":"@"},"detail":"@","request_id":"r"}"#,
    r#"{"type":"error","error":{"type":"overloaded_error","message":"@"},"message":"@"}"#,
    r#"{"error":"@"}"#,
    r#"{"object":"error","message":"@","type":"BadRequest"}"#,
    r#"[{"error":{"message":"@","status":"@"}}]"#,
    "@",
    "<html>@</html>",
    "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"@\"}}\n\n",
    "data: {\"error\":{\"message\":\"@\",\"code\":\"tool_use_failed\",\"failed_generation\":\"@\"}}\n\n",
    "error: @\n\n",
];

/// Everything that an observation holds, as its owner sees it and as it would be written.
fn everything(seen: &Observation) -> String {
    format!("{seen:?} {}", serde_json::to_string(&seen.call).unwrap())
}

fn assert_nothing_said_is_kept(url: &str, request: &str, status: u16, body: &str) {
    let (request, body) = (request.replace('@', SAID), body.replace('@', SAID));
    let cuts = (0..=body.len()).rev().step_by(61);
    for kept in cuts {
        for chunk in [1, 40, usize::MAX] {
            let seen = Call {
                url,
                request: request.as_bytes(),
                status,
                body: &body.as_bytes()[..kept],
                chunk,
                ending: if kept < body.len() {
                    Ending::Failed
                } else {
                    Ending::Done
                },
                ..Call::default()
            }
            .run();
            let all = everything(&seen);
            assert!(!all.contains(CANARY), "{url} {status} {kept}: {all}");
            assert!(seen.call.model_requested.is_some() && seen.captured);
        }
    }
}

#[test]
fn nothing_that_was_said_is_kept_in_an_observation() {
    for (url, request, replies) in [
        (OPENAI, CHAT_REQUEST, [CHAT, CHAT_STREAM]),
        (ANTHROPIC, MESSAGES_REQUEST, [MESSAGE, MESSAGE_STREAM]),
    ] {
        for body in replies {
            assert_nothing_said_is_kept(url, request, 200, body);
        }
        for body in ERRORS {
            for status in [200, 400, 429, 500] {
                assert_nothing_said_is_kept(url, request, status, body);
            }
        }
    }
}

#[test]
fn the_replies_of_this_test_are_understood() {
    let run = |url, body: &str| {
        Call {
            url,
            body: body.replace('@', SAID).as_bytes(),
            ..Call::default()
        }
        .run()
        .usage
        .count(Unit::OutputTokens)
    };
    for (url, body) in [
        (OPENAI, CHAT),
        (OPENAI, CHAT_STREAM),
        (ANTHROPIC, MESSAGE),
        (ANTHROPIC, MESSAGE_STREAM),
    ] {
        assert_eq!(run(url, body), 4, "{body}");
    }
}

#[test]
fn secrets_in_the_url_are_not_kept() {
    let seen = Call {
        url: "https://user:canary@api.openai.com/v1/chat/completions?api_key=canary#canary",
        body: CHAT.as_bytes(),
        ..Call::default()
    }
    .run();
    assert!(seen.captured && !everything(&seen).contains(CANARY));
}
