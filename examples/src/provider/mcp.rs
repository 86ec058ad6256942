//! An MCP server with one tool, over streamable HTTP:
//! <https://modelcontextprotocol.io/specification/2025-06-18/basic/transports> (read 2026-11).

use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use super::{json as reply_json, plain};

/// Answers a message; what is no question is taken note of.
pub(super) fn reply(asked: &Value) -> Response {
    let result = match asked["method"].as_str().unwrap_or_default() {
        "initialize" => json!({
            "protocolVersion": asked["params"]["protocolVersion"],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "tracking", "version": "1.0.0"},
        }),
        "tools/call" => json!({
            "content": [{"type": "text", "text": "It left the warehouse yesterday."}],
            "isError": false,
        }),
        _ => return plain(StatusCode::ACCEPTED, "text/plain", Bytes::new()),
    };
    reply_json(
        200,
        &json!({"jsonrpc": "2.0", "id": asked["id"], "result": result}),
    )
}
