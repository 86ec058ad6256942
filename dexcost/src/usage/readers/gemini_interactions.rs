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
use super::stated::Stated;
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
    stated: Stated,
    has_usage: bool,
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

    /// Reads an interaction, or an event with what it says of one: one level, however deep what came is
    /// nested.
    fn read(&mut self, value: Json<'_>) {
        for (name, field) in value.fields() {
            match name {
                b"interaction" => field.fields().for_each(|(name, field)| self.field(name, field)),
                _ => self.field(name, field),
            }
        }
    }

    fn field(&mut self, name: &[u8], field: Json<'_>) {
        match name {
            b"id" if self.id.is_none() => self.id = field.text(),
            b"model" => self.model = field.text().or_else(|| self.model.take()),
            b"status" => self.status = field.text().or_else(|| self.status.take()),
            b"service_tier" => self.service_tier = field.text().or_else(|| self.service_tier.take()),
            b"usage" => self.usage(field),
            b"error" => self.error = self.error.or_else(|| error_signs::of_field(field)),
            b"metadata" => field.get("usage").into_iter().for_each(|usage| self.usage(usage)),
            _ => {}
        }
    }

    fn usage(&mut self, usage: Json<'_>) {
        self.has_usage |= usage.is_object();
        let mut fields = usage.fields();
        for (name, value) in &mut fields {
            if !self.stated.field(name, value) {
                self.counts.field(name, value);
            }
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
        let mut reading = Reading {
            terminal: if self.closed {
                Terminal::Closed
            } else {
                Terminal::Open
            },
            understood: usage.has_tokens(),
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
        };
        self.stated.report(&mut reading);
        reading
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{body, count, stream};
    use super::*;
    use crate::dec;
    use crate::usage::Unit;

    const USAGE: &str = r#"{"total_tokens":60,"total_input_tokens":20,"input_tokens_by_modality":[{"modality":"text","tokens":15},{"modality":"video","tokens":5}],"total_cached_tokens":8,"cached_tokens_by_modality":[{"modality":"video","tokens":2}],"total_output_tokens":10,"total_tool_use_tokens":6,"total_thought_tokens":24,"grounding_tool_count":[{"type":"google_search","count":2},{"type":"google_maps","count":1}]}"#;

    #[test]
    fn totals_have_thoughts_and_tools_beside_them() {
        let seen = body(
            GeminiInteractions::default(),
            &format!(
                r#"{{"id":"v1_x","status":"completed","usage":{USAGE},"service_tier":"standard","steps":[{{"type":"thought"}}],"object":"interaction","model":"gemini-x"}}"#
            ),
        );
        for (unit, expected) in [
            (Unit::InputTokens, 26),
            (Unit::OutputTokens, 34),
            (Unit::CacheReadTokens, 8),
            (Unit::ReasoningTokens, 24),
            (Unit::InputVideoTokens, 5),
            (Unit::CacheReadVideoTokens, 2),
            (Unit::WebSearchRequests, 2),
            (Unit::GoogleMapsRequests, 1),
        ] {
            assert_eq!(count(&seen, unit), Some(expected.into()), "{unit:?}");
        }
        assert_eq!(seen.finish.as_deref(), Some("completed"));
        assert_eq!(seen.service_tier.as_deref(), Some("standard"));
    }

    #[test]
    fn a_stream_is_over_with_the_interaction_in_its_last_event() {
        let created = r#"{"interaction":{"id":"v1_x","status":"in_progress","object":"interaction","model":"gemini-x"},"event_type":"interaction.created","metadata":{"usage":{"total_input_tokens":20,"total_output_tokens":0,"total_thought_tokens":9}}}"#;
        let delta = r#"{"index":0,"delta":{"text":"\"status\":\"completed\"","type":"text"},"event_type":"step.delta"}"#;
        let status = r#"{"interaction_id":"v1_x","status":"requires_action","event_type":"interaction.status_update"}"#;
        let completed = format!(
            r#"{{"interaction":{{"id":"v1_x","status":"requires_action","usage":{USAGE},"object":"interaction","model":"gemini-x"}},"event_type":"interaction.completed"}}"#
        );
        let open = stream(GeminiInteractions::default, &[created, delta, status]);
        assert_eq!(open.terminal, Terminal::Open);
        assert_eq!(count(&open, Unit::OutputTokens), Some(dec!(9)));
        let seen = stream(GeminiInteractions::default, &[created, delta, status, &completed]);
        assert_eq!(seen.terminal, Terminal::Closed);
        assert_eq!(seen.finish.as_deref(), Some("requires_action"));
        assert_eq!(count(&seen, Unit::OutputTokens), Some(dec!(34)));
    }

    #[test]
    fn what_runs_in_the_background_is_pending_and_what_failed_has_failed() {
        let pending = body(
            GeminiInteractions::default(),
            r#"{"id":"v1_x","status":"in_progress","object":"interaction","agent":"deep-x"}"#,
        );
        assert!(pending.is_pending && !pending.understood && !pending.has_usage);
        let failed = stream(
            GeminiInteractions::default,
            &[r#"{"event_type":"error","error":{"code":"rate_limit_exceeded","message":"m"}}"#],
        );
        assert_eq!(failed.error, Some(ErrorType::RateLimit));
        let failed = body(
            GeminiInteractions::default(),
            r#"{"status":"failed","object":"interaction"}"#,
        );
        assert_eq!(failed.error, Some(ErrorType::Other));
    }

    #[test]
    fn events_are_read_one_level_deep_however_deep_they_are() {
        let nested = |depth: usize| {
            let (open, close) = (r#"{"interaction":"#.repeat(depth), "}".repeat(depth));
            format!(r#"{open}{{"status":"failed"}}{close}"#)
        };
        let mut reader = GeminiInteractions::default();
        for depth in [2, 1_000] {
            reader.event(nested(depth).as_bytes());
            assert_eq!(reader.status, None, "{depth}");
        }
        reader.event(nested(1).as_bytes());
        assert_eq!(reader.status.as_deref(), Some("failed"));
    }
}
