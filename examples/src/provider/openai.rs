//! OpenAI's chat completions: <https://platform.openai.com/docs/api-reference/chat> (read 2026-11).
//!
//! `prompt_tokens` contains the cached ones, `completion_tokens` the reasoning.

use axum::response::Response;
use serde_json::{Value, json};

use super::script::{Fate, Script};
use super::{events, json as reply_json};

/// Answers a request.
pub(super) fn reply(asked: &Value, script: &Script) -> Response {
    match script.fate {
        Fate::Answered => {}
        Fate::Limited => return reply_json(429, &error("rate_limit_exceeded", "Rate limit reached")),
        Fate::Overloaded => return reply_json(503, &error("server_error", "The server is overloaded")),
    }
    if asked["stream"] == true {
        events(stream(asked, script))
    } else {
        reply_json(200, &whole(asked, script))
    }
}

/// The dated name under which a model answers.
fn served(asked: &Value) -> &str {
    match asked["model"].as_str().unwrap_or_default() {
        "gpt-4.1-mini" => "gpt-4.1-mini-2025-04-14",
        "o4-mini" => "o4-mini-2025-04-16",
        other => other,
    }
}

fn usage(script: &Script) -> Value {
    let input = script.fresh + script.cache_read + script.cache_write;
    let output = script.spoken + script.thought;
    json!({
        "prompt_tokens": input,
        "completion_tokens": output,
        "total_tokens": input + output,
        "prompt_tokens_details": {"cached_tokens": script.cache_read, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": script.thought, "audio_tokens": 0,
            "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0},
    })
}

fn whole(asked: &Value, script: &Script) -> Value {
    json!({
        "id": format!("chatcmpl-{:016x}", script.id),
        "object": "chat.completion",
        "created": 1_795_000_000,
        "model": served(asked),
        "choices": [{
            "index": 0,
            "message": {"role": "assistant", "content": script.text(), "refusal": null},
            "logprobs": null,
            "finish_reason": "stop",
        }],
        "usage": usage(script),
        "service_tier": "default",
    })
}

fn stream(asked: &Value, script: &Script) -> Vec<String> {
    let event = |choices: Value, usage: Value| {
        let chunk = json!({
            "id": format!("chatcmpl-{:016x}", script.id),
            "object": "chat.completion.chunk",
            "created": 1_795_000_000,
            "model": served(asked),
            "service_tier": "default",
            "choices": choices,
            "usage": usage,
        });
        format!("data: {chunk}\n\n")
    };
    let said = |text: &&str| {
        let choice = json!([{"index": 0, "delta": {"content": text}, "finish_reason": null}]);
        event(choice, Value::Null)
    };
    let mut events: Vec<String> = script.pieces.iter().map(said).collect();
    let stop = json!([{"index": 0, "delta": {}, "finish_reason": "stop"}]);
    events.push(event(stop, Value::Null));
    if asked["stream_options"]["include_usage"] == true {
        events.push(event(json!([]), usage(script)));
    }
    events.push("data: [DONE]\n\n".to_owned());
    events
}

fn error(code: &str, message: &str) -> Value {
    json!({"error": {"message": message, "type": "requests", "param": null, "code": code}})
}
