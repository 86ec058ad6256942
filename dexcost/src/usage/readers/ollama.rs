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
                b"eval_count" => set(&mut self.output, value, &mut self.unreadable),
                b"error" => self.error = self.error.or_else(|| error_signs::of_field(value)),
                _ => {}
            }
        }
    }

    fn finish(&mut self) -> Reading {
        let usage = Usage::of_reported([(Unit::InputTokens, self.input), (Unit::OutputTokens, self.output)]);
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
            ..Reading::default()
        }
    }
}
