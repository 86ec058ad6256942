//! Provider readers: from one JSON value to counts and names.
//!
//! A reader knows one wire form and no framing. It is shown the skeleton of a JSON body, or of one
//! event of a stream after the other, and keeps what it needs; [`Reader::finish`] turns that into
//! the normal form of [`Usage`]. To add a wire form: one file with a reader, one variant here, and
//! the paths that lead to it in `route`.

mod anthropic_messages;
mod error_signs;
mod hosts;
mod openai_chat;
mod openai_counts;
mod quirks;
mod route;
mod stated;

use rust_decimal::Decimal;

use super::Usage;
use super::framing::{Json, Keep};
use crate::event::{CallPart, ErrorType};
use crate::text::Text;

use anthropic_messages::AnthropicMessages;
use openai_chat::OpenAiChat;

pub(crate) use error_signs::from_status;
pub(crate) use quirks::Quirks;
pub(crate) use route::{Dialect, Purpose, Route};

/// The reader of one exchange.
#[derive(Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "it lives in the one allocation of an exchange"
)]
pub(crate) enum Reader {
    /// OpenAI's chat completions and everything that speaks the same.
    OpenAiChat(OpenAiChat),
    /// Anthropic's messages.
    AnthropicMessages(AnthropicMessages),
    /// Only whether there is usage: for retrievals, whose usage is another call's.
    UsageSeen(bool),
}

/// What a reader has read.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// What was consumed, in the normal form.
    pub(crate) usage: Usage,
    /// Whether there was a usage object.
    pub(crate) has_usage: bool,
    /// Whether counts contradict each other or cannot be counts.
    pub(crate) is_suspect: bool,
    /// Whether anything was in the reader's wire form.
    pub(crate) understood: bool,
    pub(crate) model: Option<Text>,
    pub(crate) id: Option<Text>,
    pub(crate) service_tier: Option<Text>,
    pub(crate) finish: Option<Text>,
    pub(crate) geo: Option<Text>,
    pub(crate) speed: Option<Text>,
    pub(crate) search_context_size: Option<Text>,
    /// What the provider says it charges, in US dollars.
    pub(crate) cost: Option<Decimal>,
    /// What the provider says its own provider charges to the caller's key, on top.
    pub(crate) upstream_cost: Option<Decimal>,
    pub(crate) parts: Vec<CallPart>,
    pub(crate) error: Option<ErrorType>,
    pub(crate) terminal: Terminal,
}

/// How far a stream had come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Terminal {
    /// The model was still answering.
    #[default]
    Open,
    /// The answer is complete; usage may be missing.
    Finished,
    /// The answer is complete and its usage was reported.
    Counted,
    /// The provider said that nothing more will come.
    Closed,
}

/// Of a retrieved response, or of the events of a stream that is resumed.
const RETRIEVAL: &[(&str, Keep)] = &[
    ("usage", Keep::All),
    ("response", Keep::Fields(&[("usage", Keep::All)])),
];

impl Reader {
    /// The reader of a wire form, if it has one.
    pub(crate) fn of(route: &Route, quirks: Quirks, may_compact: bool) -> Option<Self> {
        match (route.purpose, route.dialect) {
            (Purpose::Retrieval, _) => Some(Self::UsageSeen(false)),
            (_, Dialect::OpenAiChat) => Some(Self::OpenAiChat(OpenAiChat::new(quirks))),
            (_, Dialect::AnthropicMessages) => {
                Some(Self::AnthropicMessages(AnthropicMessages::new(may_compact)))
            }
            (_, Dialect::Unread) => None,
        }
    }

    /// The fields that the reader looks at.
    pub(crate) fn keep(&self) -> &'static [(&'static str, Keep)] {
        match self {
            Self::OpenAiChat(_) => openai_chat::KEEP,
            Self::AnthropicMessages(_) => anthropic_messages::KEEP,
            Self::UsageSeen(_) => RETRIEVAL,
        }
    }

    /// Reads a body that is no stream.
    pub(crate) fn read_body(&mut self, value: Json<'_>) {
        match self {
            Self::OpenAiChat(reader) => reader.read(value),
            Self::AnthropicMessages(reader) => reader.read_body(value),
            Self::UsageSeen(seen) => {
                let inner = value.get("response").and_then(|response| response.get("usage"));
                *seen |= value.get("usage").or(inner).is_some_and(Json::is_object);
            }
        }
    }

    /// Reads the next event of a stream: its data, or the skeleton of it.
    pub(crate) fn event(&mut self, event: &[u8]) {
        match self {
            Self::OpenAiChat(reader) => reader.event(event),
            Self::AnthropicMessages(reader) => reader.event(event),
            Self::UsageSeen(_) => self.read_body(Json::new(event)),
        }
    }

    /// Notes the stream's `[DONE]`.
    pub(crate) fn close(&mut self) {
        match self {
            Self::OpenAiChat(reader) => reader.close(),
            Self::AnthropicMessages(reader) => reader.close(),
            Self::UsageSeen(_) => {}
        }
    }

    /// What was read.
    pub(crate) fn finish(&mut self) -> Reading {
        match self {
            Self::OpenAiChat(reader) => reader.finish(),
            Self::AnthropicMessages(reader) => reader.finish(),
            Self::UsageSeen(seen) => Reading {
                has_usage: *seen,
                ..Reading::default()
            },
        }
    }
}
