//! Google's interactions: `POST …/interactions`, whole or as events.
//!
//! Reference: <https://ai.google.dev/api/interactions-api>, read 2026-11. Counts are totals with
//! thoughts and tool prompts beside them. A stream repeats the interaction in its first and its last
//! event; those between may carry the usage so far in `metadata`. An agent stands where the model
//! would.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::error_signs::{self, KEEP_ERROR};
use super::gemini_counts::Counts;
use super::openai_counts::is_impossible;
use super::scan::says;
use super::{KeptFields, Reading, Setup, Terminal, WireForm};
use crate::event::ErrorType;
use crate::text::Text;
use crate::usage::framing::{Json, Keep};

const INTERACTION: KeptFields = &[
    ("id", Keep::All),
    ("model", Keep::All),
    ("status", Keep::All),
    ("service_tier", Keep::All),
    ("usage", Keep::All),
    ("error", KEEP_ERROR),
];

const KEEP: KeptFields = &[
    ("id", Keep::All),
    ("model", Keep::All),
    ("status", Keep::All),
    ("service_tier", Keep::All),
    ("usage", Keep::All),
    ("error", KEEP_ERROR),
    ("object", Keep::All),
    ("event_type", Keep::All),
    ("interaction", Keep::Fields(INTERACTION)),
    ("metadata", Keep::Fields(&[("usage", Keep::All)])),
];

static STATUS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(r#""status""#));
static USAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(r#""usage""#));
static ERROR: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(r#""error""#));

/// Reads interactions.
#[derive(Debug, Default)]
pub(crate) struct GeminiInteractions {
    counts: Counts,
    has_usage: bool,
    understood: bool,
    model: Option<Text>,
    id: Option<Text>,
    service_tier: Option<Text>,
    status: Option<Text>,
    error: Option<ErrorType>,
    closed: bool,
}

impl GeminiInteractions {
    pub(super) fn new(_: &Setup<'_>) -> Self {
        Self::default()
    }

    /// Reads an interaction, or what an event says of one.
    fn read(&mut self, value: Json<'_>) {
        for (name, field) in value.fields() {
            match name {
                b"id" if self.id.is_none() => self.id = field.text(),
                b"model" => self.model = field.text().or_else(|| self.model.take()),
                b"status" => self.status = field.text().or_else(|| self.status.take()),
                b"service_tier" => self.service_tier = field.text().or_else(|| self.service_tier.take()),
                b"usage" => self.usage(field),
                b"error" => self.error = self.error.or_else(|| error_signs::of_field(field)),
                b"interaction" => self.read(field),
                b"metadata" => field.get("usage").into_iter().for_each(|usage| self.usage(usage)),
                _ => {}
            }
        }
    }

    fn usage(&mut self, usage: Json<'_>) {
        self.has_usage |= usage.is_object();
        let mut fields = usage.fields();
        for (name, value) in &mut fields {
            self.counts.field(name, value);
        }
        if usage.is_object() && fields.after().is_none() {
            self.counts.cut_off();
        }
    }

    fn is_over(&self) -> bool {
        let status = self.status.as_deref().unwrap_or_default();
        !matches!(status, "" | "in_progress" | "queued")
    }
}

impl WireForm for GeminiInteractions {
    fn keep(&self) -> KeptFields {
        KEEP
    }

    fn read_body(&mut self, body: Json<'_>) {
        self.read(body);
        let word = |name: &str| body.get(name).and_then(Json::word).unwrap_or_default();
        self.understood |= self.has_usage
            || word("object") == "interaction"
            || word("event_type").starts_with("interaction.");
    }

    fn event(&mut self, event: &[u8]) {
        if ![&STATUS, &USAGE, &ERROR].iter().any(|name| says(name, event)) {
            return;
        }
        let event = Json::new(event);
        self.read_body(event);
        // The status alone may come before the usage.
        self.closed |= event.get("interaction").is_some() && self.is_over();
    }

    fn close(&mut self) {
        self.closed |= self.is_over();
    }

    fn finish(&mut self) -> Reading {
        let usage = self.counts.normal();
        let failed = self.status.as_deref() == Some("failed");
        Reading {
            terminal: if self.closed {
                Terminal::Closed
            } else {
                Terminal::Open
            },
            understood: self.understood,
            has_usage: self.has_usage,
            is_suspect: self.counts.is_unreadable() || is_impossible(&usage),
            usage,
            model: self.model.take(),
            id: self.id.take(),
            service_tier: self.service_tier.take(),
            is_pending: !self.is_over(),
            finish: self.status.take(),
            error: self.error.or(failed.then_some(ErrorType::Other)),
            ..Reading::default()
        }
    }
}
