//! Aleph Alpha's completions: `POST /complete`.
//!
//! Reference: <https://docs.aleph-alpha.com/api/complete>, read 2026-11. The counts stand at the top, and the
//! model names only its version.

use rust_decimal::Decimal;

use super::error_signs::{self, KEEP_ERROR};
use super::{KeptFields, Reading, Setup, Terminal, WireForm};
use crate::event::ErrorType;
use crate::text::Text;
use crate::usage::framing::{Json, Keep};
use crate::usage::{Unit, Usage};

const KEEP: KeptFields = &[
    ("type", Keep::All),
    ("model_version", Keep::All),
    ("num_tokens_prompt_total", Keep::All),
    ("num_tokens_generated", Keep::All),
    ("finish_reason", Keep::All),
    ("completions", Keep::Fields(&[("finish_reason", Keep::All)])),
    ("error", KEEP_ERROR),
    ("code", Keep::All),
];

/// Reads a completion by Aleph Alpha.
#[derive(Debug, Default)]
pub(crate) struct AlephAlpha {
    model: Option<Text>,
    input: Option<Decimal>,
    output: Option<Decimal>,
    finish: Option<Text>,
    error: Option<ErrorType>,
    closed: bool,
}

impl AlephAlpha {
    pub(super) fn new(_: &Setup<'_>) -> Self {
        Self::default()
    }
}

impl WireForm for AlephAlpha {
    fn keep(&self) -> KeptFields {
        KEEP
    }

    fn read_body(&mut self, body: Json<'_>) {
        for (name, value) in body.fields() {
            match name {
                b"model_version" => self.model = value.text(),
                b"num_tokens_prompt_total" => self.input = value.number(),
                b"num_tokens_generated" => self.output = value.number(),
                b"finish_reason" => self.finish = value.text(),
                b"completions" => {
                    let first = value.items().next().and_then(|c| c.get("finish_reason"));
                    self.finish = first.and_then(Json::text);
                }
                b"type" => self.closed |= value.word() == Some("completion_summary"),
                b"error" => self.error = error_signs::of_field(value),
                b"code" => self.error = Some(error_signs::of_object(body)),
                _ => {}
            }
        }
    }

    fn close(&mut self) {
        self.closed = true;
    }

    fn finish(&mut self) -> Reading {
        let usage = Usage::of_reported(&[(Unit::InputTokens, self.input), (Unit::OutputTokens, self.output)]);
        Reading {
            has_usage: !usage.is_empty(),
            understood: !usage.is_empty(),
            usage,
            model: self.model.take(),
            finish: self.finish.take(),
            error: self.error,
            terminal: if self.closed {
                Terminal::Closed
            } else {
                Terminal::Open
            },
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
    fn the_counts_stand_at_the_top() {
        let seen = body(
            AlephAlpha::default(),
            r#"{"completions":[{"completion":"x","finish_reason":"maximum_tokens"}],"model_version":"2022-04","num_tokens_prompt_total":9,"num_tokens_generated":1000}"#,
        );
        assert_eq!(count(&seen, Unit::InputTokens), Some(dec!(9)));
        assert_eq!(count(&seen, Unit::OutputTokens), Some(dec!(1000)));
        assert_eq!(seen.finish.as_deref(), Some("maximum_tokens"));
    }

    #[test]
    fn a_stream_ends_with_a_summary() {
        let seen = stream(
            AlephAlpha::default,
            &[
                r#"{"type":"stream_chunk","index":0,"completion":"x"}"#,
                r#"{"type":"stream_summary","index":0,"model_version":"m","finish_reason":"end_of_text"}"#,
                r#"{"type":"completion_summary","num_tokens_prompt_total":3,"num_tokens_generated":4}"#,
            ],
        );
        assert_eq!(count(&seen, Unit::OutputTokens), Some(dec!(4)));
        assert_eq!(seen.terminal, Terminal::Closed);
    }
}
