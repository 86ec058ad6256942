//! Ollama's own API: `POST …/api/{chat, generate, embed}`, whole or as JSON lines.
//!
//! Reference: <https://github.com/ollama/ollama/blob/main/docs/api.md>, read 2026-11. The counts stand
//! in the object with `done: true`. A prompt that was cached as a whole is not counted.

use super::count::{Count, set};
use super::error_signs;
use super::openai_counts::is_impossible;
use super::{KeptFields, Reading, Setup, Terminal, WireForm};
use crate::event::ErrorType;
use crate::text::Text;
use crate::usage::framing::{Json, Keep};
use crate::usage::{Unit, Usage};

const KEEP: KeptFields = &[
    ("model", Keep::All),
    ("done", Keep::All),
    ("done_reason", Keep::All),
    ("prompt_eval_count", Keep::All),
    ("eval_count", Keep::All),
    ("error", Keep::All),
    ("remote_host", Keep::All),
];

/// Reads Ollama's answers.
#[derive(Debug, Default)]
pub(crate) struct Ollama {
    input: Count,
    output: Count,
    unreadable: bool,
    model: Option<Text>,
    finish: Option<Text>,
    /// `done`, where it was said.
    done: Option<bool>,
    error: Option<ErrorType>,
    /// Whether the server let another one answer, as it does with models of Ollama's cloud.
    is_remote: bool,
}

impl Ollama {
    pub(super) fn new(_: &Setup<'_>) -> Self {
        Self::default()
    }
}

impl WireForm for Ollama {
    fn keep(&self) -> KeptFields {
        KEEP
    }

    fn read_body(&mut self, body: Json<'_>) {
        for (name, value) in body.fields() {
            match name {
                b"model" if self.model.is_none() => self.model = value.text(),
                b"done" => self.done = value.truth().or(self.done),
                b"done_reason" => self.finish = value.text().or_else(|| self.finish.take()),
                b"prompt_eval_count" => set(&mut self.input, value, &mut self.unreadable),
                b"remote_host" => self.is_remote |= !value.is_null() && !value.is_empty(),
                b"eval_count" => set(&mut self.output, value, &mut self.unreadable),
                b"error" => self.error = self.error.or_else(|| error_signs::of_field(value)),
                _ => {}
            }
        }
    }

    fn finish(&mut self) -> Reading {
        let usage = Usage::of_reported(&[(Unit::InputTokens, self.input), (Unit::OutputTokens, self.output)]);
        let is_done = self.done == Some(true);
        Reading {
            terminal: if is_done { Terminal::Closed } else { Terminal::Open },
            is_item: self.done == Some(false),
            understood: self.model.is_some() && (self.done.is_some() || !usage.is_empty()),
            has_usage: !usage.is_empty(),
            is_suspect: self.unreadable || is_impossible(&usage),
            usage,
            model: self.model.take(),
            finish: self.finish.take(),
            error: self.error,
            is_remote: self.is_remote,
            ..Reading::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{body, count, stream};
    use super::*;
    use crate::dec;

    #[test]
    fn the_counts_stand_in_the_last_object() {
        let token = r#"{"model":"llama-x","message":{"role":"assistant","content":"a"},"done":false}"#;
        let last = r#"{"model":"llama-x","message":{"content":""},"done_reason":"length","done":true,"prompt_eval_count":17,"eval_count":50}"#;
        let seen = stream(Ollama::default, &[token, token, last]);
        assert_eq!(count(&seen, Unit::InputTokens), Some(dec!(17)));
        assert_eq!(count(&seen, Unit::OutputTokens), Some(dec!(50)));
        assert_eq!(
            (seen.finish.as_deref(), seen.terminal),
            (Some("length"), Terminal::Closed)
        );
        let cut = stream(Ollama::default, &[token]);
        assert!(cut.is_item && cut.terminal == Terminal::Open);
    }

    #[test]
    fn a_cached_prompt_is_not_counted_and_embeddings_have_no_end() {
        let cached = body(
            Ollama::default(),
            r#"{"model":"m","response":"r","done":true,"eval_count":3}"#,
        );
        assert_eq!(count(&cached, Unit::InputTokens), None);
        let embedding = body(
            Ollama::default(),
            r#"{"model":"m","embeddings":[[0.1,0.2]],"total_duration":1,"prompt_eval_count":8}"#,
        );
        assert_eq!(count(&embedding, Unit::InputTokens), Some(dec!(8)));
        assert!(embedding.understood && !embedding.is_item);
    }

    #[test]
    fn an_error_may_come_late_and_others_are_not_understood() {
        let failed = stream(Ollama::default, &[r#"{"error":"model runner has stopped"}"#]);
        assert_eq!(failed.error, Some(ErrorType::Other));
        assert!(!body(Ollama::default(), r#"{"model":"m","answer":"x"}"#).understood);
    }
}
