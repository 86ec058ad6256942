//! Anthropic's old completions: `POST /v1/complete`, whole or as events.
//!
//! Reference: <https://docs.anthropic.com/en/api/complete>, read 2026-11. It reports no usage at all.

use super::error_signs::{self, KEEP_ERROR};
use super::{KeptFields, Reading, Setup, Terminal, WireForm};
use crate::event::ErrorType;
use crate::text::Text;
use crate::usage::framing::{Json, Keep};

const KEEP: KeptFields = &[
    ("type", Keep::All),
    ("id", Keep::All),
    ("model", Keep::All),
    ("stop_reason", Keep::All),
    ("error", KEEP_ERROR),
];

/// Reads an old completion.
#[derive(Debug, Default)]
pub(crate) struct AnthropicComplete {
    id: Option<Text>,
    model: Option<Text>,
    finish: Option<Text>,
    error: Option<ErrorType>,
    /// Whether an object says that it is a completion.
    is_named: bool,
}

impl AnthropicComplete {
    pub(super) fn new(_: &Setup<'_>) -> Self {
        Self::default()
    }
}

impl WireForm for AnthropicComplete {
    fn keep(&self) -> KeptFields {
        KEEP
    }

    fn read_body(&mut self, body: Json<'_>) {
        for (name, value) in body.fields() {
            match name {
                b"type" => self.is_named |= value.word() == Some("completion"),
                b"id" => self.id = value.text(),
                b"model" => self.model = value.text(),
                b"stop_reason" => self.finish = value.text(),
                b"error" => self.error = self.error.or_else(|| error_signs::of_field(value)),
                _ => {}
            }
        }
    }

    fn finish(&mut self) -> Reading {
        Reading {
            understood: self.is_named && self.model.is_some(),
            id: self.id.take(),
            model: self.model.take(),
            terminal: if self.finish.is_some() {
                Terminal::Closed
            } else {
                Terminal::Open
            },
            finish: self.finish.take(),
            error: self.error,
            ..Reading::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::stream;
    use super::*;

    #[test]
    fn a_stream_is_over_when_it_says_why_it_stopped() {
        let first =
            r#"{"type":"completion","id":"compl_1","completion":" a","stop_reason":null,"model":"claude-x"}"#;
        let last = r#"{"type":"completion","id":"compl_1","completion":"","stop_reason":"stop_sequence","model":"claude-x"}"#;
        let seen = stream(AnthropicComplete::default, &[first, r#"{"type":"ping"}"#, last]);
        assert_eq!(seen.terminal, Terminal::Closed);
        assert_eq!(seen.finish.as_deref(), Some("stop_sequence"));
        assert_eq!(seen.model.as_deref(), Some("claude-x"));
        assert!(!seen.has_usage);
        assert_eq!(
            stream(AnthropicComplete::default, &[first]).terminal,
            Terminal::Open
        );
    }
}
