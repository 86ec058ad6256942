//! Runs of OpenAI's assistants: `POST …/threads/runs`, `…/threads/{id}/runs` and their tool outputs.
//!
//! Reference: <https://platform.openai.com/docs/api-reference/runs/object>, read 2026-11. A run is answered
//! before it ran; polls show its usage later, and are not the call. A run that waits for what tools find
//! goes on when it is handed over. As events, the finished run carries the usage; its steps
//! (`thread.run.step`) repeat it in parts.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::error_signs::{self, KEEP_ERROR};
use super::openai_usage::UsageObject;
use super::{KeptFields, Reading, Setup, Terminal, WireForm};
use crate::event::ErrorType;
use crate::text::Text;
use crate::usage::framing::{Json, Keep};

const KEEP: KeptFields = &[
    ("object", Keep::All),
    ("id", Keep::All),
    ("model", Keep::All),
    ("status", Keep::All),
    ("usage", Keep::All),
    ("last_error", KEEP_ERROR),
    ("error", KEEP_ERROR),
    ("incomplete_details", Keep::Fields(&[("reason", Keep::All)])),
];

static RUN: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(r#""thread.run""#));
static ERROR: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(r#""error""#));

/// Reads a run.
#[derive(Debug, Default)]
pub(crate) struct OpenAiAssistants {
    usage: UsageObject,
    id: Option<Text>,
    model: Option<Text>,
    status: Option<Text>,
    reason: Option<Text>,
    error: Option<ErrorType>,
    closed: bool,
}

impl OpenAiAssistants {
    pub(super) fn new(_: &Setup<'_>) -> Self {
        Self::default()
    }

    fn run(&mut self, run: Json<'_>) {
        let mut fields = run.fields();
        while let Some((name, value)) = fields.next() {
            match name {
                b"id" => self.id = value.text(),
                b"model" => self.model = value.text(),
                b"status" => self.status = value.text(),
                b"incomplete_details" => self.reason = value.get("reason").and_then(Json::text),
                b"usage" if value.is_object() => self.usage.take(&mut fields),
                b"last_error" => self.error = self.error.or_else(|| error_signs::of_field(value)),
                _ => {}
            }
        }
    }
}

impl WireForm for OpenAiAssistants {
    fn keep(&self) -> KeptFields {
        KEEP
    }

    fn read_body(&mut self, body: Json<'_>) {
        if body.get("object").and_then(Json::word) == Some("thread.run") {
            self.run(body);
        }
        if let Some(error) = body.get("error") {
            self.error = self.error.or_else(|| error_signs::of_field(error));
        }
    }

    fn event(&mut self, event: &[u8]) {
        if RUN.find(event).is_some() || ERROR.find(event).is_some() {
            self.read_body(Json::new(event));
        }
    }

    fn close(&mut self) {
        self.closed = true;
    }

    fn finish(&mut self) -> Reading {
        let status = self.status.as_deref();
        let failed = status == Some("failed");
        Reading {
            id: self.id.take(),
            error: self.error.or(failed.then_some(ErrorType::Other)),
            is_pending: matches!(
                status,
                Some("queued" | "in_progress" | "requires_action" | "cancelling")
            ),
            terminal: match (self.closed, self.usage.is_seen()) {
                (true, _) => Terminal::Closed,
                (_, true) => Terminal::Counted,
                _ => Terminal::Open,
            },
            finish: match (self.status.take(), self.reason.take()) {
                (Some(status), Some(reason)) => Some(Text::from(format!("{status}:{reason}"))),
                (status, _) => status,
            },
            ..self.usage.reading(Default::default(), self.model.take())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{body, count, stream};
    use super::*;
    use crate::dec;
    use crate::usage::Unit;

    #[test]
    fn a_run_that_has_not_run_is_pending() {
        let seen = body(
            OpenAiAssistants::default(),
            r#"{"id":"run_1","object":"thread.run","status":"queued","model":"gpt-x","usage":null,"last_error":null}"#,
        );
        assert!(seen.is_pending && !seen.has_usage);
    }

    #[test]
    fn steps_repeat_what_the_run_reports() {
        let seen = stream(
            OpenAiAssistants::default,
            &[
                r#"{"id":"run_1","object":"thread.run","status":"in_progress","model":"gpt-x","usage":null}"#,
                r#"{"id":"msg_1","object":"thread.message.delta","delta":{}}"#,
                r#"{"id":"step_1","object":"thread.run.step","status":"completed","usage":{"prompt_tokens":5,"completion_tokens":2}}"#,
                r#"{"id":"run_1","object":"thread.run","status":"completed","model":"gpt-x","usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7,"prompt_token_details":{"cached_tokens":1}}}"#,
                "[DONE]",
            ],
        );
        assert_eq!(count(&seen, Unit::InputTokens), Some(dec!(5)));
        assert_eq!(count(&seen, Unit::CacheReadTokens), Some(dec!(1)));
        assert_eq!(seen.finish.as_deref(), Some("completed"));
        assert_eq!(seen.terminal, Terminal::Closed);
    }

    #[test]
    fn a_failed_run_is_an_error() {
        let seen = body(
            OpenAiAssistants::default(),
            r#"{"object":"thread.run","status":"failed","last_error":{"code":"rate_limit_exceeded","message":"x"}}"#,
        );
        assert_eq!(seen.error, Some(ErrorType::RateLimit));
    }
}
