//! watsonx text generation: `POST …/generation/text` and `text_stream`.
//!
//! Reference: <https://cloud.ibm.com/apidocs/watsonx-ai#text-generation>, read 2026-11. Events of a stream
//! report the output cumulatively and the input in the first one only, as zero later.

use rust_decimal::Decimal;

use super::error_signs::{self, KEEP_ERROR};
use super::{KeptFields, Reading, Setup, Terminal, WireForm};
use crate::event::ErrorType;
use crate::text::Text;
use crate::usage::framing::{Json, Keep};
use crate::usage::{Unit, Usage};

const KEEP: KeptFields = &[
    ("model_id", Keep::All),
    (
        "results",
        Keep::Fields(&[
            ("generated_token_count", Keep::All),
            ("input_token_count", Keep::All),
            ("stop_reason", Keep::All),
        ]),
    ),
    ("errors", KEEP_ERROR),
];

/// What the model says as long as it has more to say.
const UNFINISHED: &str = "not_finished";

/// Reads watsonx text generation.
#[derive(Debug, Default)]
pub(crate) struct Watsonx {
    input: Option<Decimal>,
    output: Option<Decimal>,
    model: Option<Text>,
    finish: Option<Text>,
    error: Option<ErrorType>,
}

impl Watsonx {
    pub(super) fn new(_: &Setup<'_>) -> Self {
        Self::default()
    }
}

impl WireForm for Watsonx {
    fn keep(&self) -> KeptFields {
        KEEP
    }

    fn read_body(&mut self, body: Json<'_>) {
        if let Some(model) = body.get("model_id").and_then(Json::text) {
            self.model = Some(model);
        }
        for result in body.get("results").into_iter().flat_map(Json::items) {
            let count = |name: &str| result.get(name).and_then(Json::number);
            self.input = self.input.max(count("input_token_count"));
            self.output = self.output.max(count("generated_token_count"));
            let reason = result.get("stop_reason").and_then(Json::text);
            self.finish = reason.filter(|r| r.as_str() != UNFINISHED).or(self.finish.take());
        }
        for error in body.get("errors").into_iter().flat_map(Json::items) {
            self.error = self.error.or_else(|| error_signs::of_field(error));
        }
    }

    fn finish(&mut self) -> Reading {
        let usage = Usage::of_reported(&[(Unit::InputTokens, self.input), (Unit::OutputTokens, self.output)]);
        Reading {
            has_usage: !usage.is_empty(),
            understood: !usage.is_empty(),
            usage,
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
    use super::super::tests::{body, count, stream};
    use super::*;
    use crate::dec;

    #[test]
    fn a_whole_answer_is_read() {
        let seen = body(
            Watsonx::default(),
            r#"{"model_id":"ibm/granite","results":[{"generated_text":"2","generated_token_count":2,"input_token_count":7,"stop_reason":"eos_token"}]}"#,
        );
        assert_eq!(count(&seen, Unit::InputTokens), Some(dec!(7)));
        assert_eq!(count(&seen, Unit::OutputTokens), Some(dec!(2)));
        assert_eq!(seen.finish.as_deref(), Some("eos_token"));
        assert_eq!(seen.model.as_deref(), Some("ibm/granite"));
    }

    #[test]
    fn a_stream_counts_up() {
        let first = r#"{"model_id":"m","results":[{"generated_text":"","generated_token_count":0,"input_token_count":8,"stop_reason":"not_finished"}]}"#;
        let last = r#"{"model_id":"m","results":[{"generated_text":"x","generated_token_count":11,"input_token_count":0,"stop_reason":"max_tokens"}]}"#;
        let seen = stream(Watsonx::default, &[first, last]);
        assert_eq!(count(&seen, Unit::InputTokens), Some(dec!(8)));
        assert_eq!(count(&seen, Unit::OutputTokens), Some(dec!(11)));
        assert_eq!(seen.terminal, Terminal::Closed);
        let cut = stream(Watsonx::default, &[first]);
        assert_eq!((cut.terminal, cut.finish), (Terminal::Open, None));
    }

    #[test]
    fn refusals_are_errors() {
        let seen = body(
            Watsonx::default(),
            r#"{"errors":[{"code":"model_not_supported","message":"x"}],"trace":"t","status_code":404}"#,
        );
        assert!(seen.error.is_some());
    }
}
