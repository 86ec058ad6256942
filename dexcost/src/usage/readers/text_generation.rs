//! Text generation inference (TGI) and Hugging Face's endpoints: one model at a host or path.
//!
//! Reference: <https://huggingface.co/docs/text-generation-inference/reference/api>, read 2026-11. The body
//! counts what was generated where `details` were asked for, and what was given where the prompt's tokens
//! were asked for too; header fields count both, in every answer that is no stream.

use rust_decimal::Decimal;

use super::error_signs::{self, KEEP_ERROR};
use super::{KeptFields, Reading, Setup, Terminal, WireForm};
use crate::event::ErrorType;
use crate::text::Text;
use crate::usage::framing::{Json, Keep};
use crate::usage::{Unit, Usage};
use crate::wire::Headers;

const KEEP: KeptFields = &[
    (
        "details",
        Keep::Fields(&[
            ("finish_reason", Keep::All),
            ("generated_tokens", Keep::All),
            ("input_length", Keep::All),
            ("prompt_tokens", Keep::All),
            // Only how many there are, as far as that can be held.
            ("prefill", Keep::Fields(&[])),
        ]),
    ),
    ("error", KEEP_ERROR),
    ("error_type", Keep::All),
];

/// Reads generated text.
#[derive(Debug, Default)]
pub(crate) struct TextGeneration {
    input: Option<Decimal>,
    output: Option<Decimal>,
    finish: Option<Text>,
    error: Option<ErrorType>,
    is_counted: bool,
}

impl TextGeneration {
    pub(super) fn new(setup: &Setup<'_>) -> Self {
        let count = |name| number(setup.headers, name);
        let (input, output) = (count("x-prompt-tokens"), count("x-generated-tokens"));
        Self {
            is_counted: input.is_some() || output.is_some(),
            input,
            output,
            ..Self::default()
        }
    }

    fn details(&mut self, details: Json<'_>) {
        let count = |name: &str| details.get(name).and_then(Json::number);
        let prefill = || {
            let tokens = details.get("prefill")?.items().count();
            (tokens > 0).then(|| tokens.into())
        };
        let input = count("input_length")
            .or_else(|| count("prompt_tokens"))
            .or_else(prefill);
        self.input = self.input.or(input);
        self.output = self.output.or_else(|| count("generated_tokens"));
        let reason = details.get("finish_reason").and_then(Json::text);
        self.finish = reason.or_else(|| self.finish.take());
        self.is_counted = true;
    }
}

impl WireForm for TextGeneration {
    fn keep(&self) -> KeptFields {
        KEEP
    }

    fn read_body(&mut self, body: Json<'_>) {
        if let Some(details) = body.get("details").filter(|details| details.is_object()) {
            self.details(details);
        }
        if let Some(error) = body.get("error") {
            let stated = body.get("error_type").and_then(|kind| kind.text());
            self.error = match stated.as_deref() {
                Some("validation") => Some(ErrorType::InvalidRequest),
                Some("overloaded") => Some(ErrorType::Overloaded),
                _ => error_signs::of_field(error),
            };
        }
    }

    fn finish(&mut self) -> Reading {
        let usage = Usage::of_reported(&[(Unit::InputTokens, self.input), (Unit::OutputTokens, self.output)]);
        Reading {
            has_usage: self.is_counted,
            understood: !usage.is_empty(),
            usage,
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

fn number(headers: &dyn Headers, name: &str) -> Option<Decimal> {
    let digits = std::str::from_utf8(headers.get(name)?).ok()?.trim();
    let is_count = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_count.then(|| crate::money::parse(digits).ok())?
}

#[cfg(test)]
mod tests {
    use super::super::tests::{body, count, stream};
    use super::*;
    use crate::dec;

    #[test]
    fn details_count_what_was_generated() {
        let seen = body(
            TextGeneration::default(),
            r#"[{"generated_text":"hi","details":{"finish_reason":"length","generated_tokens":20,"seed":null,"prefill":[{"id":1,"text":"a"},{"id":2,"text":"b"}]}}]"#,
        );
        assert_eq!(count(&seen, Unit::OutputTokens), Some(dec!(20)));
        assert_eq!(count(&seen, Unit::InputTokens), Some(dec!(2)));
        assert_eq!(seen.finish.as_deref(), Some("length"));
    }

    #[test]
    fn a_stream_ends_with_its_details() {
        let seen = stream(
            TextGeneration::default,
            &[
                r#"{"index":1,"token":{"id":1,"text":"a","special":false},"generated_text":null,"details":null}"#,
                r#"{"index":2,"token":{"id":2,"text":"b"},"generated_text":"ab","details":{"finish_reason":"eos_token","generated_tokens":2,"input_length":5}}"#,
            ],
        );
        assert_eq!(count(&seen, Unit::InputTokens), Some(dec!(5)));
        assert_eq!(seen.terminal, Terminal::Closed);
    }

    #[test]
    fn text_alone_says_nothing() {
        let seen = body(TextGeneration::default(), r#"[{"generated_text":"hi"}]"#);
        assert!(!seen.has_usage && seen.usage.is_empty());
    }

    #[test]
    fn only_plain_digits_in_a_header_are_a_count() {
        let headers = [("x-prompt-tokens", "12"), ("x-generated-tokens", "1e3")];
        assert_eq!(number(&headers, "x-prompt-tokens"), Some(dec!(12)));
        assert_eq!(number(&headers, "x-generated-tokens"), None);
    }

    #[test]
    fn refusals_are_errors() {
        let seen = body(
            TextGeneration::default(),
            r#"{"error":"too long","error_type":"validation"}"#,
        );
        assert_eq!(seen.error, Some(ErrorType::InvalidRequest));
    }
}
