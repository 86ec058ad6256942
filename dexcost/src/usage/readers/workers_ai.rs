//! Cloudflare's Workers AI by the model's path: `POST …/ai/run/{model}`, whole or as events.
//!
//! Reference: <https://developers.cloudflare.com/workers-ai/get-started/rest-api/> and
//! <https://developers.cloudflare.com/api/resources/ai/methods/run/>, read 2026-11. The answer lies in
//! `result`; events are the bare result. What has no tokens says how long the audio was, or nothing.

use super::error_signs::{self, KEEP_ERROR};
use super::openai_usage::UsageObject;
use super::{KeptFields, Reading, Setup, Terminal, WireForm};
use crate::event::ErrorType;
use crate::usage::framing::{Json, Keep};

const KEEP_RESULT: KeptFields = &[
    ("usage", Keep::All),
    ("transcription_info", Keep::Fields(&[("duration", Keep::All)])),
];

const KEEP: KeptFields = &[
    ("result", Keep::Fields(KEEP_RESULT)),
    ("usage", Keep::All),
    ("transcription_info", Keep::Fields(&[("duration", Keep::All)])),
    ("errors", KEEP_ERROR),
    ("error", KEEP_ERROR),
];

/// Reads a result of Workers AI.
#[derive(Debug, Default)]
pub(crate) struct WorkersAi {
    usage: UsageObject,
    error: Option<ErrorType>,
    closed: bool,
}

impl WorkersAi {
    pub(super) fn new(_: &Setup<'_>) -> Self {
        Self::default()
    }

    fn result(&mut self, result: Json<'_>) {
        let mut fields = result.fields();
        while let Some((name, value)) = fields.next() {
            match name {
                b"usage" if value.is_object() => self.usage.take(&mut fields),
                b"transcription_info" => {
                    if let Some(length) = value.get("duration") {
                        self.usage.counts.set_audio_seconds(length);
                    }
                }
                _ => {}
            }
        }
    }
}

impl WireForm for WorkersAi {
    fn keep(&self) -> KeptFields {
        KEEP
    }

    fn read_body(&mut self, body: Json<'_>) {
        if let Some(result) = body.get("result") {
            self.result(result);
        }
        self.result(body);
        let errors = body.get("errors").into_iter().flat_map(Json::items);
        for error in errors.chain(body.get("error")) {
            self.error = self.error.or_else(|| error_signs::of_field(error));
        }
    }

    fn close(&mut self) {
        self.closed = true;
    }

    fn finish(&mut self) -> Reading {
        Reading {
            error: self.error,
            terminal: if self.closed {
                Terminal::Closed
            } else {
                Terminal::Open
            },
            ..self.usage.reading(Default::default(), None)
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
    fn the_answer_lies_in_the_result() {
        let seen = body(
            WorkersAi::default(),
            r#"{"result":{"response":"hi","usage":{"prompt_tokens":20,"completion_tokens":3,"total_tokens":23}},"success":true,"errors":[],"messages":[]}"#,
        );
        assert_eq!(count(&seen, Unit::InputTokens), Some(dec!(20)));
        assert_eq!(
            (count(&seen, Unit::OutputTokens), seen.error),
            (Some(dec!(3)), None)
        );
    }

    #[test]
    fn events_are_bare_results() {
        let seen = stream(
            WorkersAi::default,
            &[
                r#"{"response":"h","p":"abc"}"#,
                r#"{"response":"","usage":{"prompt_tokens":2,"completion_tokens":1}}"#,
                "[DONE]",
            ],
        );
        assert_eq!(count(&seen, Unit::InputTokens), Some(dec!(2)));
        assert_eq!(seen.terminal, Terminal::Closed);
    }

    #[test]
    fn audio_is_counted_by_its_length() {
        let seen = body(
            WorkersAi::default(),
            r#"{"result":{"transcription_info":{"language":"en","duration":5.5},"text":"hi"},"success":true}"#,
        );
        assert_eq!(count(&seen, Unit::AudioSeconds), Some(dec!(5.5)));
    }

    #[test]
    fn refusals_are_errors() {
        let seen = body(
            WorkersAi::default(),
            r#"{"result":null,"success":false,"errors":[{"code":5007,"message":"no such model"}]}"#,
        );
        assert!(seen.error.is_some());
    }
}
