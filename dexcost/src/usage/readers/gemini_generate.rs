//! Gemini's `generateContent` and `streamGenerateContent`, on Google's own API and on Vertex, and
//! the embeddings that report their usage in the same object.
//!
//! Reference: <https://ai.google.dev/api/generate-content> and
//! <https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/GenerateContentResponse>,
//! read 2026-11. Every chunk of a stream carries the usage so far; until one counts what was
//! generated, the prompt is an estimate, often too high. Streams are server-sent events with
//! `alt=sse`, else one JSON array. Clients may ask for enums as numbers, and some write the names in
//! snake case. Code Assist puts all of it into a field `response`.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use rust_decimal::Decimal;

use super::error_signs::{self, KEEP_ERROR};
use super::gemini_counts::Counts;
use super::gemini_words;
use super::openai_counts::is_impossible;
use super::scan::{said, says};
use super::{KeptFields, Reading, Setup, Terminal, WireForm};
use crate::event::ErrorType;
use crate::text::Text;
use crate::usage::Unit;
use crate::usage::framing::{Json, Keep};

const GROUNDING: Keep = Keep::Fields(&[("webSearchQueries", Keep::All), ("web_search_queries", Keep::All)]);

const CANDIDATE: Keep = Keep::Fields(&[
    ("index", Keep::All),
    ("finishReason", Keep::All),
    ("finish_reason", Keep::All),
    ("groundingMetadata", GROUNDING),
    ("grounding_metadata", GROUNDING),
]);

const BLOCKED: Keep = Keep::Fields(&[("blockReason", Keep::All), ("block_reason", Keep::All)]);

const ANSWER: KeptFields = &[
    ("candidates", CANDIDATE),
    ("usageMetadata", Keep::All),
    ("usage_metadata", Keep::All),
    ("modelVersion", Keep::All),
    ("model_version", Keep::All),
    ("responseId", Keep::All),
    ("response_id", Keep::All),
    ("promptFeedback", BLOCKED),
    ("prompt_feedback", BLOCKED),
    ("error", KEEP_ERROR),
];

const KEEP: KeptFields = &[
    ("candidates", CANDIDATE),
    ("answer", CANDIDATE),
    ("usageMetadata", Keep::All),
    ("usage_metadata", Keep::All),
    ("modelVersion", Keep::All),
    ("model_version", Keep::All),
    ("responseId", Keep::All),
    ("response_id", Keep::All),
    ("promptFeedback", BLOCKED),
    ("prompt_feedback", BLOCKED),
    ("error", KEEP_ERROR),
    ("response", Keep::Fields(ANSWER)),
];

static USAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(r#""usageMetadata""#));
/// What an event says beside its text and its usage.
static NEWS: LazyLock<[Finder<'static>; 5]> = LazyLock::new(|| {
    [
        r#""finishReason""#,
        r#""webSearchQueries""#,
        r#""error""#,
        r#""blockReason""#,
        r#""response""#,
    ]
    .map(Finder::new)
});

/// Reads Gemini's answers.
#[derive(Debug)]
pub(crate) struct GeminiGenerate {
    is_vertex: bool,
    is_stream: bool,
    counts: Counts,
    /// What a stream reported before it counted anything that was generated.
    estimate: Option<Counts>,
    queries: Option<Decimal>,
    has_usage: bool,
    understood: bool,
    model: Option<Text>,
    id: Option<Text>,
    service_tier: Option<Text>,
    traffic: Option<Text>,
    finish: Option<Text>,
    is_blocked: bool,
    error: Option<ErrorType>,
}

impl GeminiGenerate {
    pub(super) fn new(setup: &Setup<'_>) -> Self {
        Self {
            is_vertex: setup.route.provider == Some("vertex"),
            is_stream: setup.route.streams,
            counts: Counts::default(),
            estimate: None,
            queries: None,
            has_usage: false,
            understood: false,
            model: None,
            id: None,
            service_tier: None,
            traffic: None,
            finish: None,
            is_blocked: false,
            error: None,
        }
    }

    fn read(&mut self, answer: Json<'_>) {
        for (name, value) in answer.fields() {
            match name {
                // `generateAnswer` has one.
                b"answer" => self.candidate(value),
                b"candidates" => value.items().for_each(|candidate| self.candidate(candidate)),
                b"usageMetadata" | b"usage_metadata" => self.usage(value),
                b"modelVersion" | b"model_version" => self.model = value.text().or_else(|| self.model.take()),
                b"responseId" | b"response_id" if self.id.is_none() => self.id = value.text(),
                b"promptFeedback" | b"prompt_feedback" => {
                    let reason = value.get("blockReason").or_else(|| value.get("block_reason"));
                    self.is_blocked |= reason.is_some_and(|reason| !reason.is_nothing());
                }
                b"error" => self.error = self.error.or_else(|| error_signs::of_field(value)),
                b"response" if value.is_object() => self.read(value),
                _ => {}
            }
        }
    }

    /// The finish reason of the first candidate counts, else any.
    fn candidate(&mut self, candidate: Json<'_>) {
        self.understood = true;
        let (mut reason, mut is_first) = (None, true);
        for (name, value) in candidate.fields() {
            match name {
                b"index" => is_first = value.number().is_none_or(|index| index.is_zero()),
                b"finishReason" | b"finish_reason" => {
                    reason = gemini_words::finish(value, self.is_vertex);
                }
                b"groundingMetadata" | b"grounding_metadata" => self.grounding(value),
                _ => {}
            }
        }
        if reason.is_some() && (is_first || self.finish.is_none()) {
            self.finish = reason;
        }
    }

    /// The searches that an answer rests on; a later report of them is the whole one.
    fn grounding(&mut self, grounding: Json<'_>) {
        let queries = grounding
            .get("webSearchQueries")
            .or_else(|| grounding.get("web_search_queries"));
        let count = queries.map_or(0, |queries| queries.items().count());
        if count > 0 {
            self.queries = self.queries.max(Some(Decimal::from(count)));
        }
    }

    fn usage(&mut self, usage: Json<'_>) {
        if !usage.is_object() {
            return;
        }
        self.understood = true;
        let is_estimate = self.is_stream && !self.is_over() && !Counts::has_generated(usage);
        let mut counts = if is_estimate {
            Counts::default()
        } else {
            std::mem::take(&mut self.counts)
        };
        let mut fields = usage.fields();
        for (name, value) in &mut fields {
            match name {
                b"serviceTier" | b"service_tier" => {
                    self.service_tier = gemini_words::tier(value).or_else(|| self.service_tier.take());
                }
                b"trafficType" | b"traffic_type" => {
                    self.traffic = gemini_words::traffic(value).or_else(|| self.traffic.take());
                }
                _ => counts.field(name, value),
            }
        }
        if fields.after().is_none() {
            counts.cut_off();
        }
        if is_estimate {
            self.estimate = Some(counts);
        } else {
            self.has_usage = true;
            self.counts = counts;
        }
    }

    fn is_over(&self) -> bool {
        self.finish.is_some() || self.is_blocked
    }
}

impl WireForm for GeminiGenerate {
    fn keep(&self) -> KeptFields {
        KEEP
    }

    fn read_body(&mut self, body: Json<'_>) {
        self.read(body);
    }

    /// Most events hold text and the usage so far: only the latter is read.
    fn event(&mut self, event: &[u8]) {
        let is_plain = self.model.is_some() && !NEWS.iter().any(|name| says(name, event));
        match said(&USAGE, event) {
            Some(usage) if is_plain => self.usage(Json::new(usage)),
            None if is_plain => {}
            _ => self.read(Json::new(event)),
        }
    }

    fn finish(&mut self) -> Reading {
        if !self.has_usage && self.is_over() {
            self.counts = self.estimate.take().unwrap_or_default();
            self.has_usage = !self.counts.normal().is_empty();
        }
        let mut usage = self.counts.normal();
        if let Some(queries) = self.queries {
            usage.set(Unit::WebSearchRequests, queries);
        }
        Reading {
            terminal: match (self.is_over(), self.has_usage) {
                (true, true) => Terminal::Counted,
                (true, false) => Terminal::Finished,
                _ => Terminal::Open,
            },
            understood: self.understood,
            has_usage: self.has_usage,
            is_suspect: self.counts.is_unreadable() || is_impossible(&usage),
            usage,
            model: self.model.take(),
            id: self.id.take(),
            service_tier: self.service_tier.take(),
            traffic: self.traffic.take(),
            finish: self.finish.take(),
            error: self.error,
            ..Reading::default()
        }
    }
}
