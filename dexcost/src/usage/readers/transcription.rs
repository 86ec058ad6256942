//! Speech to text: `POST …/audio/{transcriptions,translations}`, `/v1/stt` (xAI), `/v1/listen` (Deepgram).
//!
//! References: <https://platform.openai.com/docs/api-reference/audio>,
//! <https://docs.mistral.ai/capabilities/audio_transcription>,
//! <https://developers.deepgram.com/reference/speech-to-text/listen-pre-recorded>, read 2026-11. `usage` is in
//! tokens or in seconds (`type` says which); where it is missing, the verbose form still says how long the
//! audio was. Plain text, subtitles and the short form say neither.

use super::error_signs::{self, KEEP_ERROR};
use super::openai_usage::UsageObject;
use super::{KeptFields, Reading, Setup, Terminal, WireForm};
use crate::event::ErrorType;
use crate::text::Text;
use crate::usage::framing::{Json, Keep};

const KEEP: KeptFields = &[
    ("type", Keep::All),
    ("model", Keep::All),
    ("duration", Keep::All),
    ("usage", Keep::All),
    (
        "metadata",
        Keep::Fields(&[("request_id", Keep::All), ("duration", Keep::All)]),
    ),
    ("error", KEEP_ERROR),
    ("err_code", Keep::All),
    ("code", Keep::All),
    ("object", Keep::All),
];

/// Reads a transcription.
#[derive(Debug, Default)]
pub(crate) struct Transcription {
    usage: UsageObject,
    model: Option<Text>,
    id: Option<Text>,
    error: Option<ErrorType>,
    done: bool,
    closed: bool,
    /// Whether the path alone says what it leads to.
    is_telling: bool,
}

impl Transcription {
    pub(super) fn new(setup: &Setup<'_>) -> Self {
        Self {
            is_telling: setup.route.is_telling,
            ..Self::default()
        }
    }
}

impl WireForm for Transcription {
    fn keep(&self) -> KeptFields {
        KEEP
    }

    fn read_body(&mut self, body: Json<'_>) {
        let mut length = None;
        let mut fields = body.fields();
        while let Some((name, value)) = fields.next() {
            match name {
                b"model" => self.model = value.text(),
                b"usage" if value.is_object() => self.usage.take(&mut fields),
                b"duration" => length = Some(value),
                b"metadata" => {
                    self.id = value.get("request_id").and_then(Json::text);
                    length = length.or_else(|| value.get("duration"));
                }
                b"error" => self.error = self.error.or_else(|| error_signs::of_field(value)),
                b"err_code" => self.error = Some(ErrorType::InvalidRequest),
                b"object" if value.word() == Some("error") => self.error = Some(error_signs::of_object(body)),
                b"type" => {
                    self.done |= matches!(
                        value.str().as_deref(),
                        Some("transcript.text.done" | "transcription.done")
                    );
                }
                _ => {}
            }
        }
        if let Some(length) = length {
            self.usage.counts.set_audio_seconds(length);
        }
    }

    fn close(&mut self) {
        self.closed = true;
    }

    fn finish(&mut self) -> Reading {
        let reading = self.usage.reading(Default::default(), self.model.take());
        // Whatever lasts has a duration: it takes a usage, a request's id, or a path to make it a count.
        let is_count = self.is_telling || self.usage.is_seen() || self.id.is_some();
        Reading {
            understood: is_count && !reading.usage.is_empty(),
            id: self.id.take(),
            error: self.error,
            terminal: match (self.closed, self.done, self.usage.is_seen()) {
                (true, ..) => Terminal::Closed,
                (_, true, true) => Terminal::Counted,
                (_, true, false) => Terminal::Finished,
                _ => Terminal::Open,
            },
            ..reading
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{body, count, stream};
    use super::*;
    use crate::dec;
    use crate::usage::Unit;

    fn read(text: &str) -> Reading {
        body(Transcription::default(), text)
    }

    #[test]
    fn audio_is_counted_in_tokens_or_seconds() {
        let seen = read(
            r#"{"text":"hi","usage":{"type":"tokens","total_tokens":30,"input_tokens":26,"input_token_details":{"text_tokens":5,"audio_tokens":21},"output_tokens":4}}"#,
        );
        assert_eq!(count(&seen, Unit::InputTokens), Some(dec!(26)));
        assert_eq!(count(&seen, Unit::InputAudioTokens), Some(dec!(21)));
        let seen = read(r#"{"text":"hi","usage":{"type":"duration","seconds":6},"duration":5.49}"#);
        assert_eq!(count(&seen, Unit::AudioSeconds), Some(dec!(6)));
        assert_eq!(count(&seen, Unit::InputTokens), None);
    }

    #[test]
    fn the_length_of_the_audio_counts_where_no_usage_says_seconds() {
        for text in [
            r#"{"text":"hi","duration":3.7,"words":[]}"#,
            r#"{"text":"hi","duration":"3.7"}"#,
            r#"{"metadata":{"request_id":"r","duration":3.7,"channels":1},"results":{"channels":[]}}"#,
            r#"{"duration":3.7,"usage":{"type":"tokens","input_tokens":37,"output_tokens":9}}"#,
        ] {
            let seen = read(text);
            assert_eq!(count(&seen, Unit::AudioSeconds), Some(dec!(3.7)), "{text}");
            assert!(seen.has_usage, "{text}");
        }
    }

    #[test]
    fn seconds_beside_tokens_are_read() {
        let seen = read(
            r#"{"model":"voxtral","text":"hi","usage":{"prompt_audio_seconds":203,"prompt_tokens":4,"total_tokens":3264,"completion_tokens":635}}"#,
        );
        assert_eq!(count(&seen, Unit::AudioSeconds), Some(dec!(203)));
        assert_eq!(count(&seen, Unit::OutputTokens), Some(dec!(635)));
    }

    #[test]
    fn a_stream_ends_with_its_usage() {
        let seen = stream(
            Transcription::default,
            &[
                r#"{"type":"transcript.text.delta","delta":"hi"}"#,
                r#"{"type":"transcript.text.done","text":"hi","usage":{"type":"tokens","input_tokens":3,"output_tokens":1}}"#,
            ],
        );
        assert_eq!(count(&seen, Unit::OutputTokens), Some(dec!(1)));
        assert_eq!(seen.terminal, Terminal::Counted);
    }

    #[test]
    fn text_alone_says_nothing() {
        let seen = read(r#"{"text":"hi"}"#);
        assert!(seen.usage.is_empty() && !seen.has_usage);
    }

    #[test]
    fn refusals_are_errors() {
        let seen = read(r#"{"err_code":"Bad Request","err_msg":"x","request_id":"r"}"#);
        assert_eq!(seen.error, Some(ErrorType::InvalidRequest));
    }
}
