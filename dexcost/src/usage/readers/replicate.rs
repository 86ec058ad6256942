//! Replicate's predictions: `POST …/predictions`.
//!
//! Reference: <https://replicate.com/docs/reference/http#predictions.create>, read 2026-11. A prediction is
//! usually answered before it ran, and polled: `metrics` are there only where the caller waited (`Prefer:
//! wait`) and it was fast enough. Machines are billed by the second of `predict_time`; language models also
//! count their tokens.

use rust_decimal::Decimal;

use super::error_signs;
use super::{KeptFields, Reading, Setup, Terminal, WireForm};
use crate::event::ErrorType;
use crate::text::Text;
use crate::usage::framing::{Json, Keep};
use crate::usage::{Unit, Usage};

const KEEP: KeptFields = &[
    ("id", Keep::All),
    ("model", Keep::All),
    ("status", Keep::All),
    ("metrics", Keep::All),
    ("error", Keep::All),
    ("detail", Keep::All),
];

/// Reads a prediction.
#[derive(Debug, Default)]
pub(crate) struct Replicate {
    id: Option<Text>,
    model: Option<Text>,
    status: Option<Text>,
    seconds: Option<Decimal>,
    input: Option<Decimal>,
    output: Option<Decimal>,
    error: Option<ErrorType>,
}

impl Replicate {
    pub(super) fn new(_: &Setup<'_>) -> Self {
        Self::default()
    }
}

impl WireForm for Replicate {
    fn keep(&self) -> KeptFields {
        KEEP
    }

    fn read_body(&mut self, body: Json<'_>) {
        for (name, value) in body.fields() {
            match name {
                b"id" => self.id = value.text(),
                b"model" => self.model = value.text(),
                b"error" => self.error = error_signs::of_field(value),
                // Refusals: `status` is a number then.
                b"status" => self.status = value.text(),
                b"metrics" => {
                    let count = |name: &str| value.get(name).and_then(Json::number);
                    self.seconds = count("predict_time");
                    self.input = count("input_token_count");
                    self.output = count("output_token_count");
                }
                _ => {}
            }
        }
    }

    fn finish(&mut self) -> Reading {
        let usage = Usage::of_reported(&[
            (Unit::ComputeSeconds, self.seconds),
            (Unit::InputTokens, self.input),
            (Unit::OutputTokens, self.output),
        ]);
        let status = self.status.as_deref();
        Reading {
            has_usage: !usage.is_empty(),
            understood: !usage.is_empty(),
            is_pending: matches!(status, Some("starting" | "processing")),
            error: self
                .error
                .or_else(|| (status == Some("failed")).then_some(ErrorType::Other)),
            usage,
            id: self.id.take(),
            model: self.model.take(),
            finish: self.status.take(),
            terminal: Terminal::Open,
            ..Reading::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{body, count};
    use super::*;
    use crate::dec;

    fn read(text: &str) -> Reading {
        body(Replicate::default(), text)
    }

    #[test]
    fn a_prediction_that_was_waited_for_has_its_time() {
        let seen = read(
            r#"{"id":"p1","model":"a/b","error":null,"status":"succeeded","output":["x"],"metrics":{"predict_time":1.25,"total_time":1.3,"input_token_count":6,"output_token_count":20}}"#,
        );
        assert_eq!(count(&seen, Unit::ComputeSeconds), Some(dec!(1.25)));
        assert_eq!(count(&seen, Unit::OutputTokens), Some(dec!(20)));
        assert_eq!((seen.finish.as_deref(), seen.error), (Some("succeeded"), None));
    }

    #[test]
    fn a_prediction_that_has_not_run_is_pending() {
        let seen = read(r#"{"id":"p1","model":"a/b","error":null,"status":"starting","logs":""}"#);
        assert!(seen.is_pending && !seen.has_usage);
    }

    #[test]
    fn a_failed_prediction_is_an_error() {
        let seen = read(r#"{"status":"failed","error":"CUDA out of memory","metrics":{"predict_time":0.5}}"#);
        assert_eq!(seen.error, Some(ErrorType::Other));
        assert_eq!(count(&seen, Unit::ComputeSeconds), Some(dec!(0.5)));
    }
}
