//! Bedrock's Converse: <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>
//! (read 2026-11).

use axum::response::Response;
use serde_json::json;

use super::json as reply_json;
use super::script::{Fate, Script};

/// Answers a request; the SDK comes again where it is refused.
pub(super) fn reply(script: &Script) -> Response {
    if !matches!(script.fate, Fate::Answered) {
        return reply_json(429, &json!({"message": "Too many requests"}));
    }
    let input = script.fresh + script.cache_read + script.cache_write;
    let answer = json!({
        "output": {"message": {"role": "assistant", "content": [{"text": script.text()}]}},
        "stopReason": "end_turn",
        "usage": {
            "inputTokens": input,
            "outputTokens": script.spoken,
            "totalTokens": input + script.spoken,
        },
        "metrics": {"latencyMs": 1},
    });
    reply_json(200, &answer)
}
