//! Text to speech: `POST …/audio/speech`, `/v1/tts` (xAI), `/v1/speak` (Deepgram).
//!
//! Reference: <https://platform.openai.com/docs/api-reference/audio/createSpeech>, read 2026-11. The answer
//! is audio and says nothing; what is billed are the characters asked for, which the request shows. As
//! events (`stream_format: sse`) newer models report tokens at the end.

use super::error_signs::{self, KEEP_ERROR};
use super::openai_usage::UsageObject;
use super::{KeptFields, Reading, Setup, Terminal, WireForm};
use crate::event::ErrorType;
use crate::usage::framing::{Json, Keep};

const KEEP: KeptFields = &[
    ("type", Keep::All),
    ("usage", Keep::All),
    ("error", KEEP_ERROR),
    ("err_code", Keep::All),
];

/// Reads what comes with speech.
#[derive(Debug, Default)]
pub(crate) struct Speech {
    usage: UsageObject,
    error: Option<ErrorType>,
    closed: bool,
}

impl Speech {
    pub(super) fn new(_: &Setup<'_>) -> Self {
        Self::default()
    }
}

impl WireForm for Speech {
    fn keep(&self) -> KeptFields {
        KEEP
    }

    fn read_body(&mut self, body: Json<'_>) {
        let mut fields = body.fields();
        while let Some((name, value)) = fields.next() {
            match name {
                b"usage" if value.is_object() => self.usage.take(&mut fields),
                b"error" => self.error = self.error.or_else(|| error_signs::of_field(value)),
                b"err_code" => self.error = Some(ErrorType::InvalidRequest),
                b"type" => self.closed |= value.word() == Some("speech.audio.done"),
                _ => {}
            }
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
    fn events_end_with_tokens() {
        let seen = stream(
            Speech::default,
            &[
                r#"{"type":"speech.audio.delta","audio":"AAAA"}"#,
                r#"{"type":"speech.audio.done","usage":{"input_tokens":14,"output_tokens":101,"total_tokens":115}}"#,
            ],
        );
        assert_eq!(count(&seen, Unit::OutputTokens), Some(dec!(101)));
        assert_eq!(seen.terminal, Terminal::Closed);
    }

    #[test]
    fn audio_in_json_says_nothing_of_usage() {
        let seen = body(Speech::default(), r#"{"audio_data":"SUQz"}"#);
        assert!(seen.usage.is_empty() && seen.error.is_none());
    }
}
