//! The answers of model families on Amazon Bedrock that are spoken nowhere else.
//!
//! Reference: the pages below <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html>,
//! read 2026-11. Nova reports usage as Converse does, Titan and Llama in words of their own; Cohere,
//! Mistral, Jurassic and Claude 2 report none.

use rust_decimal::Decimal;

use super::amazon_counts::AmazonCounts;
use super::count::{Count, add, set};
use super::error_signs::{self, KEEP_ERROR};
use super::openai_counts::is_impossible;
use super::{KeptFields, Reading, WireForm};
use crate::event::ErrorType;
use crate::text::Text;
use crate::usage::Unit;
use crate::usage::framing::{Json, Keep};

const FINISH: Keep = Keep::Fields(&[
    ("finish_reason", Keep::All),
    ("stop_reason", Keep::All),
    ("finishReason", Keep::All),
]);

/// What any family's answer holds, those that are read as at home included.
pub(super) const KEEP: KeptFields = &[
    // Anthropic's and OpenAI's.
    ("type", Keep::All),
    ("id", Keep::All),
    ("model", Keep::All),
    ("object", Keep::All),
    ("code", Keep::All),
    ("service_tier", Keep::All),
    ("stop_reason", Keep::All),
    ("usage", Keep::All),
    (
        "message",
        Keep::Fields(&[
            ("id", Keep::All),
            ("model", Keep::All),
            ("stop_reason", Keep::All),
            ("usage", Keep::All),
        ]),
    ),
    ("delta", Keep::Fields(&[("stop_reason", Keep::All)])),
    ("content_block", Keep::Fields(&[("type", Keep::All)])),
    (
        "choices",
        Keep::Fields(&[
            ("index", Keep::All),
            ("finish_reason", Keep::All),
            ("stop_reason", Keep::All),
        ]),
    ),
    ("error", KEEP_ERROR),
    // Nova.
    ("stopReason", Keep::All),
    ("messageStop", Keep::Fields(&[("stopReason", Keep::All)])),
    ("metadata", Keep::Fields(&[("usage", Keep::All)])),
    // Titan.
    ("inputTextTokenCount", Keep::All),
    ("totalOutputTextTokenCount", Keep::All),
    ("completionReason", Keep::All),
    (
        "results",
        Keep::Fields(&[("tokenCount", Keep::All), ("completionReason", Keep::All)]),
    ),
    // Llama.
    ("prompt_token_count", Keep::All),
    ("generation_token_count", Keep::All),
    // Cohere.
    ("generation_id", Keep::All),
    ("response_id", Keep::All),
    ("finish_reason", Keep::All),
    ("generations", FINISH),
    ("response", FINISH),
    // Mistral, Jurassic, TwelveLabs.
    ("outputs", FINISH),
    (
        "completions",
        Keep::Fields(&[("finishReason", Keep::Fields(&[("reason", Keep::All)]))]),
    ),
    ("finishReason", Keep::All),
    // Images, by the piece.
    ("images", Keep::All),
    ("artifacts", FINISH),
    ("amazon-bedrock-invocationMetrics", Keep::All),
];

/// Reads the answers of these families.
#[derive(Debug, Default)]
pub(super) struct Native {
    counts: AmazonCounts,
    input: Count,
    output: Count,
    images: usize,
    unreadable: bool,
    id: Option<Text>,
    finish: Option<Text>,
    error: Option<ErrorType>,
}

impl Native {
    fn read(&mut self, answer: Json<'_>, is_event: bool) {
        for (name, value) in answer.fields() {
            match name {
                b"id" | b"generation_id" | b"response_id" if self.id.is_none() => self.id = value.text(),
                b"usage" => self.counts.read(value),
                b"metadata" => {
                    if let Some(usage) = value.get("usage") {
                        self.counts.read(usage);
                    }
                }
                b"inputTextTokenCount" | b"prompt_token_count" => {
                    set(&mut self.input, value, &mut self.unreadable);
                }
                b"totalOutputTextTokenCount" | b"generation_token_count" => {
                    set(&mut self.output, value, &mut self.unreadable);
                }
                b"results" => self.results(value),
                b"stopReason" | b"stop_reason" | b"finish_reason" | b"completionReason" | b"finishReason" => {
                    self.stopped(value);
                }
                b"messageStop" | b"response" => self.stopped_in(value),
                b"outputs" | b"completions" => value.items().for_each(|output| self.stopped_in(output)),
                // In a stream each of them ends at another time.
                b"generations" if !is_event => value.items().for_each(|output| self.stopped_in(output)),
                b"images" | b"artifacts" => self.images += value.items().count(),
                b"error" => self.error = self.error.or_else(|| error_signs::of_field(value)),
                _ => {}
            }
        }
    }

    /// Titan counts each of its answers.
    fn results(&mut self, results: Json<'_>) {
        let mut output = None;
        for result in results.items() {
            if let Some(tokens) = result.get("tokenCount") {
                let mut count = None;
                set(&mut count, tokens, &mut self.unreadable);
                output = add(output, count);
            }
            self.stopped_in(result);
        }
        self.output = output.or(self.output);
    }

    fn stopped_in(&mut self, output: Json<'_>) {
        for (name, value) in output.fields() {
            if matches!(
                name,
                b"stopReason" | b"stop_reason" | b"finish_reason" | b"completionReason" | b"finishReason"
            ) {
                self.stopped(value);
            }
        }
    }

    /// The first reason counts. Jurassic puts it in an object.
    fn stopped(&mut self, reason: Json<'_>) {
        if self.finish.is_none() {
            self.finish = reason.get("reason").unwrap_or(reason).text();
        }
    }

    /// What was read; what the family did not count is taken from `beside`.
    pub(super) fn reading(&mut self, beside: &AmazonCounts) -> Reading {
        let own = std::mem::take(&mut self.counts).with(self.input, self.output);
        let counts = own.or(beside);
        let mut usage = counts.normal();
        let understood = usage.has_tokens();
        if self.images > 0 {
            usage.set(Unit::Images, Decimal::from(self.images));
        }
        Reading {
            understood,
            has_usage: !usage.is_empty(),
            is_suspect: self.unreadable || counts.is_unreadable() || is_impossible(&usage),
            usage,
            id: self.id.take(),
            finish: self.finish.take(),
            error: self.error,
            ..Reading::default()
        }
    }
}

impl WireForm for Native {
    fn keep(&self) -> KeptFields {
        KEEP
    }

    fn read_body(&mut self, body: Json<'_>) {
        self.read(body, false);
    }

    fn event(&mut self, event: &[u8]) {
        self.read(Json::new(event), true);
    }

    fn finish(&mut self) -> Reading {
        self.reading(&AmazonCounts::default())
    }
}
