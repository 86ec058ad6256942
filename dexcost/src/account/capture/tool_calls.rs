//! Calls of tools over the Model Context Protocol: which an exchange asks for, and how each went.
//!
//! Up to 2025-03-26 the protocol let several messages go as one
//! (<https://modelcontextprotocol.io/specification/2025-03-26/basic>, read 2026-11): each call among them
//! is one of its own, and its reply bears its id.

use super::body::Shown;
use crate::event::{ErrorType, OperationStatus};
use crate::observation::{FurtherUse, ServiceUse};
use crate::text::Text;
use crate::usage::framing::{Json, Keep};
use crate::usage::readers::{RpcId, Terminal, ToolReply};

/// Of a request to a server of tools: which tools it calls, if it calls any.
pub(super) const KEEP_TOOL: &[(&str, Keep)] = &[
    ("jsonrpc", Keep::All),
    ("id", Keep::All),
    ("method", Keep::All),
    ("params", Keep::Fields(&[("name", Keep::All)])),
];

/// More calls than this in one exchange are not recorded; how many there were is counted.
const MOST_CALLS: usize = 256;

/// Longer names are none (the specification allows 128 characters).
const LONGEST_TOOL: usize = 128;

/// A message that calls a tool.
#[derive(Debug)]
pub(super) struct Asking {
    id: Option<RpcId>,
    tool: Text,
}

impl Asking {
    /// The calls in a JSON-RPC message, or in an array of several, and how many more there are than are
    /// recorded.
    pub(super) fn in_messages(root: Json<'_>) -> (Vec<Self>, usize) {
        let alone = Self::of(root).into_iter();
        let mut calls = alone.chain(root.items().filter_map(Self::of));
        let recorded = calls.by_ref().take(MOST_CALLS).collect();
        (recorded, calls.count())
    }

    fn of(message: Json<'_>) -> Option<Self> {
        let is_rpc = message.get("jsonrpc").and_then(Json::word) == Some("2.0");
        let is_call = message.get("method").and_then(Json::str).as_deref() == Some("tools/call");
        let tool = message.get("params")?.get("name")?.text()?;
        (is_rpc && is_call && tool.len() <= LONGEST_TOOL).then(|| Self {
            id: message.get("id").and_then(RpcId::of),
            tool,
        })
    }

    /// The use of the tool, whose price only the account knows.
    pub(super) fn service(&self) -> ServiceUse {
        ServiceUse::of(Text::from(format!("mcp:{}", self.tool)))
    }

    /// The reply with the id of this call. An error without one is about the whole message.
    fn reply<'a>(&self, replies: &'a [ToolReply]) -> Option<&'a ToolReply> {
        let of_all = |reply: &&ToolReply| reply.id.is_none() && reply.error.is_some();
        let own = |reply: &&ToolReply| reply.id.is_some() && reply.id == self.id;
        replies.iter().find(own).or_else(|| replies.iter().find(of_all))
    }

    /// Leaves of what came only what is the reply to this call.
    pub(super) fn pick(&self, shown: &mut Shown) {
        let reply = self.reply(&shown.reading.replies);
        let (error, is_answered) = (reply.and_then(|reply| reply.error), reply.is_some());
        shown.reading.error = error;
        // What became of a call without a reply is not known, also where the body is whole.
        shown.reading.is_pending = !is_answered;
        shown.reading.terminal = if is_answered {
            Terminal::Closed
        } else {
            Terminal::Open
        };
    }
}

/// The calls after the first, each with how it went by `outcome`.
pub(super) fn further(
    tools: &[Asking],
    shown: &mut Shown,
    outcome: impl Fn(&Shown) -> (OperationStatus, Option<ErrorType>),
) -> Vec<FurtherUse> {
    let mut uses = Vec::new();
    for asking in tools.iter().skip(1) {
        asking.pick(shown);
        let (operation_status, error_type) = outcome(shown);
        uses.push(FurtherUse {
            service: asking.service(),
            operation_status,
            error_type,
        });
    }
    if let Some(first) = tools.first().filter(|_| !uses.is_empty()) {
        first.pick(shown);
    }
    uses
}
