//! The Model Context Protocol over HTTP: `tools/call`, answered as JSON or as events.
//!
//! Reference: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports> and
//! <https://modelcontextprotocol.io/specification/2025-11-25/server/tools>, read 2026-11. A tool call is no
//! model call and has no usage: which tool it is the request says, and the reply only how it went. Events
//! before the reply are notifications and questions of the server, which have a method.

use rust_decimal::Decimal;

use super::{KeptFields, Reading, Setup, Terminal, WireForm};
use crate::event::ErrorType;
use crate::text::Text;
use crate::usage::framing::{Json, Keep};
use crate::wire::RequestFacts;

const KEEP: KeptFields = &[
    ("id", Keep::All),
    ("method", Keep::All),
    ("result", Keep::Fields(&[("isError", Keep::All)])),
    ("error", Keep::Fields(&[("code", Keep::All)])),
];

/// Whether a request may speak the protocol: by the header fields that it demands, and before a version
/// was agreed on by what it accepts, at a path that says so. The body has to prove it.
pub(super) fn may_be(request: &RequestFacts<'_>) -> bool {
    let has = |name| request.headers.get(name).is_some();
    if request.method != "POST" {
        return false;
    }
    has("mcp-protocol-version") || has("mcp-session-id") || (names_it(request.path) && accepts_both(request))
}

fn names_it(path: &str) -> bool {
    path.split('/')
        .any(|segment| segment.get(..3).is_some_and(|s| s.eq_ignore_ascii_case("mcp")))
}

/// A client of the protocol takes an answer in either form.
fn accepts_both(request: &RequestFacts<'_>) -> bool {
    let accepts = request.headers.get("accept").unwrap_or_default();
    [&b"application/json"[..], b"text/event-stream"]
        .iter()
        .all(|kind| memchr::memmem::find(accepts, kind).is_some())
}

/// The id of a JSON-RPC message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum RpcId {
    Number(Decimal),
    Name(Text),
}

impl RpcId {
    pub(crate) fn of(id: Json<'_>) -> Option<Self> {
        let name = || id.text().map(Self::Name);
        id.number().map(Self::Number).or_else(name)
    }
}

/// The reply to one call.
#[derive(Debug)]
pub(crate) struct ToolReply {
    pub(crate) id: Option<RpcId>,
    pub(crate) error: Option<ErrorType>,
}

/// More replies than this are not told apart.
const MOST_REPLIES: usize = 256;

/// Reads how tool calls went.
#[derive(Debug, Default)]
pub(crate) struct Mcp {
    replies: Vec<ToolReply>,
}

impl Mcp {
    pub(super) fn new(_: &Setup<'_>) -> Self {
        Self::default()
    }
}

impl WireForm for Mcp {
    fn keep(&self) -> KeptFields {
        KEEP
    }

    fn read_body(&mut self, body: Json<'_>) {
        if body.get("method").is_some() {
            return;
        }
        let failed = |result: Json<'_>| result.get("isError").and_then(Json::truth) == Some(true);
        let error = match (body.get("error"), body.get("result")) {
            (Some(error), _) => Some(of_code(error)),
            (None, Some(result)) => failed(result).then_some(ErrorType::Other),
            (None, None) => return,
        };
        if self.replies.len() < MOST_REPLIES {
            let id = body.get("id").and_then(RpcId::of);
            self.replies.push(ToolReply { id, error });
        }
    }

    fn finish(&mut self) -> Reading {
        let is_answered = !self.replies.is_empty();
        Reading {
            understood: is_answered,
            error: self.replies.iter().find_map(|reply| reply.error),
            terminal: if is_answered {
                Terminal::Closed
            } else {
                Terminal::Open
            },
            replies: std::mem::take(&mut self.replies),
            ..Reading::default()
        }
    }
}

/// The error type of JSON-RPC's codes (<https://www.jsonrpc.org/specification#error_object>).
fn of_code(error: Json<'_>) -> ErrorType {
    let code = error.get("code").and_then(Json::number);
    match code.and_then(|code| i32::try_from(code).ok()) {
        Some(-32601) => ErrorType::NotFound,
        Some(-32700 | -32600 | -32602) => ErrorType::InvalidRequest,
        Some(-32603) => ErrorType::ServerError,
        _ => ErrorType::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{body, stream};
    use super::*;

    fn may_be_at(path: &str, headers: &[(&str, &str)]) -> bool {
        may_be(&RequestFacts::to_url(
            "POST",
            &format!("https://tools.example{path}"),
            &headers,
        ))
    }

    #[test]
    fn the_protocol_is_known_by_its_header_fields() {
        let both = ("accept", "application/json, text/event-stream");
        assert!(may_be_at("/anything", &[("mcp-protocol-version", "2025-11-25")]));
        assert!(may_be_at("/messages/", &[("mcp-session-id", "s")]));
        assert!(may_be_at("/v1/mcp", &[both]) && may_be_at("/MCP-server", &[both]));
        assert!(!may_be_at("/v1/mcp", &[("accept", "application/json")]));
        assert!(!may_be_at("/v1/search", &[both]) && !may_be_at("/v1/mcp", &[]));
    }

    #[test]
    fn a_reply_says_how_it_went() {
        let read = |text: &str| body(Mcp::default(), text);
        assert_eq!(
            read(r#"{"jsonrpc":"2.0","id":2,"result":{"content":[],"isError":false}}"#).error,
            None
        );
        assert_eq!(
            read(r#"{"jsonrpc":"2.0","id":2,"result":{"content":[{"text":"no"}],"isError":true}}"#).error,
            Some(ErrorType::Other)
        );
        assert_eq!(
            read(r#"{"jsonrpc":"2.0","id":2,"error":{"code":-32602,"message":"no"}}"#).error,
            Some(ErrorType::InvalidRequest)
        );
    }

    #[test]
    fn notifications_before_the_reply_are_not_the_reply() {
        let note = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"error":{"code":1}}}"#;
        let asks = r#"{"jsonrpc":"2.0","id":7,"method":"sampling/createMessage","params":{}}"#;
        assert_eq!(stream(Mcp::default, &[note, asks]).terminal, Terminal::Open);
        let seen = stream(
            Mcp::default,
            &[note, r#"{"jsonrpc":"2.0","id":2,"result":{"content":[]}}"#],
        );
        assert_eq!((seen.terminal, seen.error), (Terminal::Closed, None));
    }
}
