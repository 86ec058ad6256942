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
    understood: bool,
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

    fn read(&mut self, value: Json<'_>) {
        for (name, field) in value.fields() {
            match name {
                b"id" | b"generation_id" if self.id.is_none() => self.id = field.text(),
                b"type" | b"event_type" => self.kind(field.word().unwrap_or_default()),
                b"finish_reason" => self.finish = field.text().or_else(|| self.finish.take()),
                b"generations" => {
                    let reasons = field.items().filter_map(|g| g.get("finish_reason")?.text());
                    self.finish = self.finish.take().or_else(|| reasons.into_iter().next());
                }
                b"usage" | b"meta" => self.usage(field),
                b"delta" | b"response" => self.read(field),
                b"error" => self.error = self.error.or_else(|| error_signs::of_field(field)),
                _ => {}
            }
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
        self.understood |= self.has_usage || (self.id.is_some() && (self.finish.is_some() || self.is_event));
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
        let usage = Usage::of_reported([
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
            understood: self.understood,
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
