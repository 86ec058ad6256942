//! Cohere's API, versions 1 and 2: chat, generate, embed and rerank, whole, as events or as lines.
//!
//! Reference: <https://docs.cohere.com/reference/chat>, <https://docs.cohere.com/v1/reference/chat> and
//! <https://docs.cohere.com/docs/how-does-cohere-pricing-work>, read 2026-11. `billed_units` is what
//! is charged; `tokens` is what the model processed, its own preamble included. Cached tokens are
//! counted among the latter only, so they say nothing about the bill.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::count::{Count, add, set};
use super::error_signs::{self, KEEP_ERROR};
use super::openai_counts::is_impossible;
use super::scan::says;
use super::{KeptFields, Reading, Setup, Terminal, WireForm};
use crate::event::ErrorType;
use crate::text::Text;
use crate::usage::framing::{Json, Keep};
use crate::usage::{Unit, Usage};

const META: Keep = Keep::Fields(&[("billed_units", Keep::All), ("tokens", Keep::All)]);
const GENERATIONS: Keep = Keep::Fields(&[("finish_reason", Keep::All)]);

const KEEP: KeptFields = &[
    ("id", Keep::All),
    ("generation_id", Keep::All),
    ("type", Keep::All),
    ("event_type", Keep::All),
    ("is_finished", Keep::All),
    ("finish_reason", Keep::All),
    ("usage", META),
    ("meta", META),
    ("generations", GENERATIONS),
    (
        "delta",
        Keep::Fields(&[
            ("finish_reason", Keep::All),
            ("usage", META),
            ("error", Keep::All),
        ]),
    ),
    (
        "response",
        Keep::Fields(&[
            ("id", Keep::All),
            ("generation_id", Keep::All),
            ("finish_reason", Keep::All),
            ("meta", META),
            ("generations", GENERATIONS),
        ]),
    ),
    ("error", KEEP_ERROR),
];

static START: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("-start\""));
static END: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("-end\""));
static FINISH: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(r#""finish_reason""#));
static ERROR: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(r#""error""#));

/// Reads Cohere's answers.
#[derive(Debug, Default)]
pub(crate) struct Cohere {
    billed: Counts,
    processed: Counts,
    has_usage: bool,
    /// Whether a document was an event of a stream.
    is_event: bool,
    id: Option<Text>,
    finish: Option<Text>,
    error: Option<ErrorType>,
    closed: bool,
}

#[derive(Debug, Default)]
struct Counts {
    input: Count,
    output: Count,
    reasoning: Count,
    image_tokens: Count,
    images: Count,
    search_units: Count,
    classifications: Count,
    unreadable: bool,
}

impl Cohere {
    pub(super) fn new(_: &Setup<'_>) -> Self {
        Self::default()
    }

    /// Reads a document or an event, whose `delta` or `response` says the rest: one level, however deep
    /// what came is nested.
    fn read(&mut self, value: Json<'_>) {
        for (name, field) in value.fields() {
            match name {
                b"delta" | b"response" => field.fields().for_each(|(name, field)| self.field(name, field)),
                _ => self.field(name, field),
            }
        }
    }

    fn field(&mut self, name: &[u8], field: Json<'_>) {
        match name {
            b"id" | b"generation_id" if self.id.is_none() => self.id = field.text(),
            b"type" | b"event_type" => self.kind(field.word().unwrap_or_default()),
            b"finish_reason" => self.finish = field.text().or_else(|| self.finish.take()),
            b"generations" => {
                let reasons = field.items().filter_map(|g| g.get("finish_reason")?.text());
                self.finish = self.finish.take().or_else(|| reasons.into_iter().next());
            }
            b"usage" | b"meta" => self.usage(field),
            b"error" => self.error = self.error.or_else(|| error_signs::of_field(field)),
            _ => {}
        }
    }

    fn kind(&mut self, kind: &str) {
        self.is_event = true;
        self.closed |= matches!(kind, "message-end" | "stream-end");
    }

    fn usage(&mut self, usage: Json<'_>) {
        for (name, counts) in usage.fields() {
            match name {
                b"billed_units" => self.billed.read(counts),
                b"tokens" => self.processed.read(counts),
                _ => continue,
            }
            self.has_usage |= counts.is_object();
        }
    }
}

/// The finish reasons that say that the model failed.
fn failure(finish: &str) -> Option<ErrorType> {
    Some(match finish {
        "ERROR" => ErrorType::ServerError,
        "ERROR_TOXIC" => ErrorType::ContentFilter,
        "ERROR_LIMIT" => ErrorType::InvalidRequest,
        "TIMEOUT" => ErrorType::Timeout,
        _ => return None,
    })
}

impl Counts {
    fn is_empty(&self) -> bool {
        let all = [
            self.input,
            self.output,
            self.image_tokens,
            self.images,
            self.search_units,
            self.classifications,
        ];
        all.iter().all(Option::is_none)
    }

    fn read(&mut self, counts: Json<'_>) {
        let mut fields = counts.fields();
        for (name, value) in &mut fields {
            let slot = match name {
                b"input_tokens" => &mut self.input,
                b"output_tokens" => &mut self.output,
                b"reasoning_tokens" => &mut self.reasoning,
                b"image_tokens" => &mut self.image_tokens,
                b"images" => &mut self.images,
                b"search_units" => &mut self.search_units,
                b"classifications" => &mut self.classifications,
                _ => continue,
            };
            set(slot, value, &mut self.unreadable);
        }
        self.unreadable |= counts.is_object() && fields.after().is_none();
    }
}

impl WireForm for Cohere {
    fn keep(&self) -> KeptFields {
        KEEP
    }

    fn read_body(&mut self, body: Json<'_>) {
        self.read(body);
    }

    fn event(&mut self, event: &[u8]) {
        let may_tell = (self.id.is_none() && START.find(event).is_some())
            || END.find(event).is_some()
            || says(&FINISH, event)
            || says(&ERROR, event);
        if may_tell && !self.closed {
            self.read_body(Json::new(event));
        }
    }

    fn finish(&mut self) -> Reading {
        let billed = &self.billed;
        // What is billed is one account, what was processed another: never a mixture of both.
        let counts = if billed.is_empty() {
            &self.processed
        } else {
            billed
        };
        let usage = Usage::of_reported(&[
            // Text and images are counted and charged apart.
            (Unit::InputTokens, add(counts.input, counts.image_tokens)),
            (Unit::OutputTokens, counts.output),
            (
                Unit::ReasoningTokens,
                counts.reasoning.or(self.processed.reasoning),
            ),
            (Unit::InputImageTokens, counts.image_tokens),
            (Unit::Images, counts.images),
            (Unit::SearchUnits, counts.search_units),
            (Unit::Queries, counts.classifications),
        ]);
        Reading {
            terminal: if self.closed {
                Terminal::Closed
            } else {
                Terminal::Open
            },
            is_item: self.is_event && !self.closed,
            understood: !usage.is_empty(),
            has_usage: self.has_usage,
            is_suspect: counts.unreadable || is_impossible(&usage),
            usage,
            id: self.id.take(),
            error: self.error.or(self.finish.as_deref().and_then(failure)),
            finish: self.finish.take(),
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
    fn what_is_billed_counts_and_not_what_was_processed() {
        let seen = body(
            Cohere::default(),
            r#"{"id":"c1","message":{"role":"assistant"},"finish_reason":"TOOL_CALL","usage":{"billed_units":{"input_tokens":41,"output_tokens":25},"tokens":{"input_tokens":1441,"output_tokens":54,"reasoning_tokens":20},"cached_tokens":144}}"#,
        );
        assert_eq!(count(&seen, Unit::InputTokens), Some(dec!(41)));
        assert_eq!(count(&seen, Unit::OutputTokens), Some(dec!(25)));
        assert_eq!(count(&seen, Unit::ReasoningTokens), Some(dec!(20)));
        assert_eq!(count(&seen, Unit::CacheReadTokens), None);
        assert_eq!(
            (seen.finish.as_deref(), seen.id.as_deref()),
            (Some("TOOL_CALL"), Some("c1"))
        );
        let processed = body(
            Cohere::default(),
            r#"{"id":"c1","usage":{"billed_units":{},"tokens":{"input_tokens":9,"output_tokens":2}}}"#,
        );
        assert_eq!(count(&processed, Unit::InputTokens), Some(dec!(9)));
    }

    #[test]
    fn streams_of_both_versions_end_with_the_usage() {
        let second = stream(
            Cohere::default,
            &[
                r#"{"id":"c2","type":"message-start","delta":{"message":{"role":"assistant"}}}"#,
                r#"{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"hi"}}}}"#,
                r#"{"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"billed_units":{"input_tokens":3,"output_tokens":5},"tokens":{"input_tokens":70,"output_tokens":6}}}}"#,
            ],
        );
        let first = stream(
            Cohere::default,
            &[
                r#"{"is_finished":false,"event_type":"stream-start","generation_id":"c2"}"#,
                r#"{"is_finished":false,"event_type":"text-generation","text":"hi"}"#,
                r#"{"is_finished":true,"event_type":"stream-end","response":{"response_id":"r","text":"hi","generation_id":"c2","finish_reason":"COMPLETE","meta":{"api_version":{"version":"1"},"billed_units":{"input_tokens":3,"output_tokens":5}}},"finish_reason":"COMPLETE"}"#,
            ],
        );
        for seen in [first, second] {
            assert_eq!(count(&seen, Unit::InputTokens), Some(dec!(3)));
            assert_eq!(count(&seen, Unit::OutputTokens), Some(dec!(5)));
            assert_eq!(seen.id.as_deref(), Some("c2"));
            assert_eq!(
                (seen.finish.as_deref(), seen.terminal),
                (Some("COMPLETE"), Terminal::Closed)
            );
            assert!(seen.error.is_none() && !seen.is_item);
        }
        let cut = stream(
            Cohere::default,
            &[r#"{"is_finished":false,"event_type":"stream-start","generation_id":"c2"}"#],
        );
        assert!(cut.is_item && cut.terminal == Terminal::Open);
    }

    #[test]
    fn embeddings_count_text_and_images_apart() {
        let seen = body(
            Cohere::default(),
            r#"{"id":"e1","embeddings":{"float":[[0.1]]},"texts":["x"],"meta":{"api_version":{"version":"2"},"billed_units":{"input_tokens":2,"image_tokens":30}}}"#,
        );
        assert_eq!(count(&seen, Unit::InputTokens), Some(dec!(32)));
        assert_eq!(count(&seen, Unit::InputImageTokens), Some(dec!(30)));
        let searched = body(
            Cohere::default(),
            r#"{"id":"s1","meta":{"billed_units":{"input_tokens":4,"output_tokens":1,"search_units":2}}}"#,
        );
        assert_eq!(count(&searched, Unit::SearchUnits), Some(dec!(2)));
    }

    #[test]
    fn a_finish_reason_can_be_a_failure() {
        let seen = stream(
            Cohere::default,
            &[
                r#"{"type":"message-end","delta":{"finish_reason":"ERROR","error":"model failed","usage":{}}}"#,
            ],
        );
        assert!(seen.error.is_some());
        assert_eq!(failure("ERROR_TOXIC"), Some(ErrorType::ContentFilter));
        assert_eq!(failure("MAX_TOKENS"), None);
    }

    #[test]
    fn events_are_read_one_level_deep_however_deep_they_are() {
        let nested = |depth: usize| {
            let inner = r#""finish_reason":"ERROR","type":"message-end""#;
            format!("{}{{{inner}}}{}", r#"{"delta":"#.repeat(depth), "}".repeat(depth))
        };
        let mut reader = Cohere::default();
        reader.event(nested(2).as_bytes());
        assert_eq!(reader.finish, None);
        reader.event(nested(1_700).as_bytes());
        assert_eq!(reader.finish, None);
        reader.event(nested(1).as_bytes());
        assert_eq!(reader.finish.as_deref(), Some("ERROR"));
    }
}
