//! Anthropic's messages: `POST …/v1/messages`, and rawPredict on Vertex, whole or as events.
//!
//! Reference: <https://docs.anthropic.com/en/api/messages> and
//! <https://docs.anthropic.com/en/docs/build-with-claude/streaming>, read 2026-11. `input_tokens`
//! is what no cache served; reads and writes come on top. A stream reports the input at its start
//! and everything cumulatively in `message_delta`, some gateways in `message_stop`; what a later report
//! leaves out or repeats as null stays. What the start reports is the first sampling's, and that may be a compaction, which
//! the counts at the end leave out: only the first content block tells. `iterations` lists every sampling: of it, what is no `message` (a compaction, an
//! advisor with a model of its own) is missing from the counts at the top.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use rust_decimal::Decimal;

use super::count::{Count, ForeignCounts, counted, set, whole};
use super::error_signs::{self, KEEP_ERROR};
use super::openai_counts::is_impossible;
use super::stated::Stated;
use super::{KeptFields, Reading, Setup, Terminal, WireForm};
use crate::event::{CallPart, ErrorType};
use crate::money::exact_sum;
use crate::text::Text;
use crate::usage::framing::{Json, Keep};
use crate::usage::{Unit, Usage};

const KEEP: KeptFields = &[
    ("type", Keep::All),
    ("id", Keep::All),
    ("model", Keep::All),
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
    ("error", KEEP_ERROR),
];

/// More samplings than this in one call are not taken apart.
const MOST_PARTS: usize = 32;

static MESSAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(r#""message_"#));
static BLOCK: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(r#""content_block_start""#));
static ERROR: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(r#""error""#));

/// Reads Anthropic's messages.
#[derive(Debug, Default)]
pub(crate) struct AnthropicMessages {
    /// Whether the request lets the model compact the conversation first, as far as is known.
    may_compact: bool,
    counts: Counts,
    /// What the stream's start reported, until it is known whose it is.
    opening: Option<Opening>,
    stated: Stated,
    has_usage: bool,
    model: Option<Text>,
    id: Option<Text>,
    service_tier: Option<Text>,
    geo: Option<Text>,
    speed: Option<Text>,
    finish: Option<Text>,
    /// The samplings of the last report that listed them.
    iterations: Vec<Iteration>,
    error: Option<ErrorType>,
    is_counted_to_the_end: bool,
    stopped: bool,
}

/// The first sampling of a stream.
#[derive(Debug)]
struct Opening {
    counts: Counts,
    is_compaction: bool,
}

#[derive(Debug)]
struct Iteration {
    is_message: bool,
    model: Option<Text>,
    counts: Counts,
}

/// Counts as reported.
#[derive(Debug, Default)]
struct Counts {
    uncached: Count,
    cache_read: Count,
    cache_write: Count,
    write_5m: Count,
    write_1h: Count,
    output: Count,
    foreign: ForeignCounts,
    thinking: Count,
    web_searches: Count,
    web_fetches: Count,
    /// A number that does not fit a decimal was reported, or the report was cut off.
    unreadable: bool,
}

impl AnthropicMessages {
    pub(super) fn new(setup: &Setup<'_>) -> Self {
        Self::at((setup.may_compact)())
    }

    /// The reader of an answer that a compaction may precede.
    pub(super) fn at(may_compact: bool) -> Self {
        Self {
            may_compact,
            ..Self::default()
        }
    }

    fn may_tell(&self, event: &[u8]) -> bool {
        MESSAGE.find(event).is_some()
            || ERROR.find(event).is_some()
            || (self.opening.is_some() && BLOCK.find(event).is_some())
    }

    fn read(&mut self, value: Json<'_>) {
        if !value.is_object() || self.stopped {
            return;
        }
        let kind = value.get("type").and_then(Json::word).unwrap_or_default();
        self.error = self.error.or_else(|| error_signs::of_field(value.get("error")?));
        match kind {
            "message_start" => {
                if let Some(message) = value.get("message") {
                    self.message(message);
                    self.opening = Some(Opening {
                        counts: std::mem::take(&mut self.counts),
                        is_compaction: false,
                    });
                }
            }
            "content_block_start" => {
                let block = value.get("content_block").and_then(|block| block.get("type"));
                self.first_block(block.and_then(Json::word) == Some("compaction"));
            }
            "message_delta" => {
                self.first_block(false);
                if let Some(reason) = value.get("delta").and_then(|d| d.get("stop_reason")) {
                    self.finish = reason.text().or_else(|| self.finish.take());
                }
                if let Some(usage) = value.get("usage").filter(|usage| usage.is_object()) {
                    self.usage(usage);
                    self.is_counted_to_the_end = self.finish.is_some();
                }
            }
            "message_stop" => {
                self.first_block(false);
                let message = value.get("message").and_then(|message| message.get("usage"));
                if let Some(usage) = value.get("usage").or(message) {
                    self.usage(usage);
                }
                self.stopped = true;
            }
            "message" => self.message(value),
            _ => {}
        }
    }

    /// Learns whose the counts at the start are: a compaction's stay apart.
    fn first_block(&mut self, is_compaction: bool) {
        match &mut self.opening {
            Some(opening) if is_compaction => opening.is_compaction = true,
            Some(opening) if !opening.is_compaction => {
                self.counts = std::mem::take(&mut opening.counts);
                self.opening = None;
            }
            _ => {}
        }
    }

    fn message(&mut self, message: Json<'_>) {
        let text = |name: &str| message.get(name).and_then(Json::text);
        self.model = self.model.take().or_else(|| text("model"));
        self.id = self.id.take().or_else(|| text("id"));
        self.finish = text("stop_reason").or_else(|| self.finish.take());
        if let Some(usage) = message.get("usage") {
            self.usage(usage);
        }
    }

    fn usage(&mut self, usage: Json<'_>) {
        self.has_usage |= usage.is_object();
        let mut fields = usage.fields();
        for (name, value) in &mut fields {
            match name {
                b"service_tier" => self.service_tier = value.text().or_else(|| self.service_tier.take()),
                b"inference_geo" => self.geo = value.text().or_else(|| self.geo.take()),
                b"speed" => self.speed = value.text().or_else(|| self.speed.take()),
                b"iterations" => {
                    self.iterations = value.items().take(MOST_PARTS).map(Iteration::read).collect();
                }
                _ => {
                    if !self.stated.field(name, value) {
                        self.counts.field(name, value);
                    }
                }
            }
        }
        self.counts.unreadable |= usage.is_object() && fields.after().is_none();
    }

    /// The samplings that the counts at the top leave out.
    fn parts(&self) -> Vec<CallPart> {
        if self.iterations.is_empty() {
            let opening = self.opening.iter().map(|opening| opening.counts.normal());
            return opening
                .filter_map(|usage| {
                    Some(CallPart {
                        model: self.model.clone()?,
                        usage,
                    })
                })
                .collect();
        }
        let all: Option<Decimal> = self.iterations.iter().try_fold(Decimal::ZERO, |sum, iteration| {
            exact_sum(sum, iteration.counts.output.unwrap_or_default())
        });
        if all == self.counts.output && self.iterations.iter().all(|i| i.model.is_none()) {
            return Vec::new();
        }
        self.iterations
            .iter()
            .filter(|iteration| !iteration.is_message)
            .filter_map(|iteration| {
                Some(CallPart {
                    model: iteration.model.clone().or_else(|| self.model.clone())?,
                    usage: iteration.counts.normal(),
                })
            })
            .collect()
    }
}

impl WireForm for AnthropicMessages {
    fn keep(&self) -> KeptFields {
        KEEP
    }

    /// Reads a body that is no stream: it is a message also where a gateway left the type out.
    fn read_body(&mut self, value: Json<'_>) {
        if value.get("type").is_none() && value.get("usage").is_some() {
            self.message(value);
        }
        self.read(value);
    }

    /// Reads the next event of a stream, unless it is one of the many that hold text.
    fn event(&mut self, event: &[u8]) {
        if self.may_tell(event) {
            self.read(Json::new(event));
        }
    }

    /// Gateways that speak OpenAI's form too may end with its mark in place of `message_stop`.
    fn close(&mut self) {
        if self.finish.is_some() {
            self.first_block(false);
            self.stopped = true;
        }
    }

    fn finish(&mut self) -> Reading {
        // A stream that broke off before its first block: what its start reported is its own, unless
        // it may be a compaction's.
        if !self.may_compact {
            self.first_block(false);
        }
        let parts = self.parts();
        let usage = self.counts.normal();
        let mut reading = Reading {
            terminal: if self.stopped {
                Terminal::Closed
            } else {
                Terminal::Open
            },
            understood: usage.has_tokens() || parts.iter().any(|part| part.usage.has_tokens()),
            has_usage: self.has_usage,
            is_suspect: self.counts.unreadable || is_impossible(&usage),
            usage,
            model: self.model.take(),
            id: self.id.take(),
            service_tier: self.service_tier.take(),
            finish: self.finish.take(),
            geo: self.geo.take(),
            speed: self.speed.take(),
            // The last counts come with the reason why the model stopped.
            has_final_counts: self.is_counted_to_the_end,
            parts,
            error: self.error,
            ..Reading::default()
        };
        self.stated.report(&mut reading);
        reading
    }
}

impl Iteration {
    fn read(value: Json<'_>) -> Self {
        let mut counts = Counts::default();
        for (name, field) in value.fields() {
            counts.field(name, field);
        }
        Self {
            is_message: value.get("type").and_then(Json::word) == Some("message"),
            model: value.get("model").and_then(Json::text),
            counts,
        }
    }
}

impl Counts {
    fn field(&mut self, name: &[u8], value: Json<'_>) {
        let slot = match name {
            b"input_tokens" => &mut self.uncached,
            b"cache_read_input_tokens" => &mut self.cache_read,
            b"cache_creation_input_tokens" => &mut self.cache_write,
            b"output_tokens" => &mut self.output,
            b"cache_creation" | b"output_tokens_details" | b"server_tool_use" => {
                return value.fields().for_each(|(name, value)| self.detail(name, value));
            }
            _ => {
                self.foreign.field(name, value, &mut self.unreadable);
                return;
            }
        };
        set(slot, value, &mut self.unreadable);
    }

    fn detail(&mut self, name: &[u8], value: Json<'_>) {
        let slot = match name {
            b"ephemeral_5m_input_tokens" => &mut self.write_5m,
            b"ephemeral_1h_input_tokens" => &mut self.write_1h,
            b"thinking_tokens" => &mut self.thinking,
            b"web_search_requests" => &mut self.web_searches,
            b"web_fetch_requests" => &mut self.web_fetches,
            _ => return,
        };
        set(slot, value, &mut self.unreadable);
    }

    /// The normal form: the input with its cache reads and writes.
    fn normal(&self) -> Usage {
        let input = self
            .uncached
            .and_then(|uncached| whole([Some(uncached), self.cache_read, self.cache_write]));
        let reported = [
            (Unit::InputTokens, counted(input, self.foreign.prompt)),
            (Unit::OutputTokens, counted(self.output, self.foreign.completion)),
            (Unit::CacheReadTokens, self.cache_read),
            (Unit::CacheWriteTokens, self.cache_write),
            (Unit::CacheWrite5mTokens, self.short_writes()),
            (Unit::CacheWrite1hTokens, self.write_1h),
            (Unit::ReasoningTokens, self.thinking),
            (Unit::WebSearchRequests, self.web_searches),
            (Unit::WebFetchRequests, self.web_fetches),
        ];
        Usage::of_reported(&reported)
    }

    /// Writes for five minutes. The total may grow in a later event without a new breakdown: what
    /// no lifetime explains was written for the default one, and that is five minutes.
    fn short_writes(&self) -> Option<Decimal> {
        let short = self.write_5m?;
        let explained = exact_sum(short, self.write_1h.unwrap_or_default())?;
        let rest = exact_sum(self.cache_write.unwrap_or_default(), -explained)?;
        if rest.is_sign_positive() {
            exact_sum(short, rest)
        } else {
            Some(short)
        }
    }
}
