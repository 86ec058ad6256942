//! Anthropic's messages: <https://docs.claude.com/en/api/messages> (read 2026-11).
//!
//! `input_tokens` leaves out what was read from or written to the cache.

use axum::response::Response;
use serde_json::{Value, json};

use super::script::{Fate, Script};
use super::{events, json as reply_json};

/// Answers a request.
pub(super) fn reply(asked: &Value, script: &Script) -> Response {
    match script.fate {
        Fate::Answered => {}
        Fate::Limited => return reply_json(429, &error("rate_limit_error", "Rate limited")),
        Fate::Overloaded => return reply_json(529, &error("overloaded_error", "Overloaded")),
    }
    if asked["stream"] == true {
        events(stream(asked, script))
    } else {
        let content = json!([{"type": "text", "text": script.text()}]);
        reply_json(200, &message(asked, script, &content, "end_turn", script.spoken))
    }
}

/// The dated name under which a model answers.
fn served(asked: &Value) -> &str {
    match asked["model"].as_str().unwrap_or_default() {
        "claude-sonnet-4-5" => "claude-sonnet-4-5-20250929",
        "claude-haiku-4-5" => "claude-haiku-4-5-20251001",
        other => other,
    }
}

fn message(asked: &Value, script: &Script, content: &Value, stop: &str, output: u64) -> Value {
    json!({
        "id": format!("msg_{:016x}", script.id),
        "type": "message",
        "role": "assistant",
        "model": served(asked),
        "content": content,
        "stop_reason": if stop.is_empty() { Value::Null } else { stop.into() },
        "stop_sequence": null,
        "usage": {
            "input_tokens": script.fresh,
            "cache_creation_input_tokens": script.cache_write,
            "cache_read_input_tokens": script.cache_read,
            "cache_creation": {
                "ephemeral_5m_input_tokens": script.cache_write,
                "ephemeral_1h_input_tokens": 0,
            },
            "output_tokens": output,
            "service_tier": "standard",
        },
    })
}

fn stream(asked: &Value, script: &Script) -> Vec<String> {
    let event = |name: &str, mut data: Value| {
        data["type"] = name.into();
        format!("event: {name}\ndata: {data}\n\n")
    };
    let begun = message(asked, script, &json!([]), "", 1);
    let mut events = vec![
        event("message_start", json!({"message": begun})),
        event(
            "content_block_start",
            json!({"index": 0, "content_block": {"type": "text", "text": ""}}),
        ),
        event("ping", json!({})),
    ];
    let said = |text: &&str| {
        let delta = json!({"index": 0, "delta": {"type": "text_delta", "text": text}});
        event("content_block_delta", delta)
    };
    events.extend(script.pieces.iter().map(said));
    let over = json!({"delta": {"stop_reason": "end_turn", "stop_sequence": null},
                      "usage": {"output_tokens": script.spoken}});
    events.push(event("content_block_stop", json!({"index": 0})));
    events.push(event("message_delta", over));
    events.push(event("message_stop", json!({})));
    events
}

fn error(kind: &str, message: &str) -> Value {
    json!({"type": "error", "error": {"type": kind, "message": message}})
}
