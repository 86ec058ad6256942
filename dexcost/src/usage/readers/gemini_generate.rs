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
use super::stated::Stated;
use super::{KeptFields, Reading, Setup, Terminal, WireForm};
use crate::event::ErrorType;
use crate::text::Text;
use crate::usage::Unit;
use crate::usage::framing::{Json, Keep};

const GROUNDING: Keep = Keep::Fields(&[("webSearchQueries", Keep::All), ("web_search_queries", Keep::All)]);

pub(super) const CANDIDATE: Keep = Keep::Fields(&[
    ("index", Keep::All),
    ("finishReason", Keep::All),
    ("finish_reason", Keep::All),
    ("groundingMetadata", GROUNDING),
    ("grounding_metadata", GROUNDING),
]);

pub(super) const BLOCKED: Keep = Keep::Fields(&[("blockReason", Keep::All), ("block_reason", Keep::All)]);

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
    stated: Stated,
    /// What a stream reported before it counted anything that was generated.
    estimate: Option<Counts>,
    queries: Option<Decimal>,
    has_usage: bool,
    is_counted: bool,
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
            stated: Stated::default(),
            estimate: None,
            queries: None,
            has_usage: false,
            is_counted: false,
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
                // Code Assist wraps the answer, once.
                b"response" => value.fields().for_each(|(name, value)| self.field(name, value)),
                _ => self.field(name, value),
            }
        }
    }

    fn field(&mut self, name: &[u8], value: Json<'_>) {
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
            _ => {}
        }
    }

    /// The finish reason of the first candidate counts, else any.
    fn candidate(&mut self, candidate: Json<'_>) {
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
                _ if self.stated.field(name, value) => {}
                _ => counts.field(name, value),
            }
        }
        if fields.after().is_none() {
            counts.cut_off();
        }
        self.is_counted |= counts.is_counted();
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
        let mut reading = Reading {
            terminal: match (self.is_over(), self.has_usage) {
                (true, true) => Terminal::Counted,
                (true, false) => Terminal::Finished,
                _ => Terminal::Open,
            },
            understood: self.is_counted || self.finish.is_some(),
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
        };
        self.stated.report(&mut reading);
        reading
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{answer_of, body, count, stream};
    use super::*;
    use crate::dec;

    const HOST: &str = "generativelanguage.googleapis.com/v1beta/models/gemini-x";

    fn whole() -> GeminiGenerate {
        answer_of(&format!("{HOST}:generateContent"), &[], GeminiGenerate::new)
    }

    fn streamed() -> GeminiGenerate {
        answer_of(&format!("{HOST}:streamGenerateContent"), &[], GeminiGenerate::new)
    }

    #[test]
    fn thoughts_and_tool_prompts_stand_beside_the_counts() {
        let seen = body(
            whole(),
            r#"{"candidates":[{"content":{"parts":[{"text":"hi"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":100,"cachedContentTokenCount":60,"toolUsePromptTokenCount":7,"candidatesTokenCount":5,"thoughtsTokenCount":11,"totalTokenCount":123,"promptTokensDetails":[{"modality":"TEXT","tokenCount":20},{"modality":"AUDIO","tokenCount":50},{"modality":"IMAGE","tokenCount":30}],"cacheTokensDetails":[{"modality":"AUDIO","tokenCount":40},{"modality":"TEXT","tokenCount":20}],"candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":4}],"serviceTier":"flex"},"modelVersion":"gemini-x-001","responseId":"r1"}"#,
        );
        for (unit, expected) in [
            (Unit::InputTokens, 107),
            (Unit::OutputTokens, 16),
            (Unit::CacheReadTokens, 60),
            (Unit::ReasoningTokens, 11),
            (Unit::ToolUsePromptTokens, 7),
            (Unit::InputAudioTokens, 50),
            (Unit::InputImageTokens, 30),
            (Unit::CacheReadAudioTokens, 40),
            (Unit::OutputImageTokens, 4),
        ] {
            assert_eq!(count(&seen, unit), Some(expected.into()), "{unit:?}");
        }
        assert_eq!(count(&seen, Unit::InputVideoTokens), None);
        assert_eq!(seen.model.as_deref(), Some("gemini-x-001"));
        assert_eq!(
            (seen.service_tier.as_deref(), seen.id.as_deref()),
            (Some("flex"), Some("r1"))
        );
        assert!(!seen.is_suspect);
    }

    #[test]
    fn a_total_that_leaves_thoughts_out_proves_them_inside() {
        let seen = body(
            whole(),
            r#"{"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":8,"thoughtsTokenCount":3,"totalTokenCount":18}}"#,
        );
        assert_eq!(count(&seen, Unit::OutputTokens), Some(dec!(8)));
    }

    #[test]
    fn snake_case_and_numbers_are_read_alike() {
        let vertex = "us-x1-aiplatform.googleapis.com/v1/projects/p/locations/us-x1/publishers/google/models/gemini-x:generateContent";
        let seen = body(
            answer_of(vertex, &[], GeminiGenerate::new),
            r#"{"candidates":[{"finish_reason":2}],"usage_metadata":{"prompt_token_count":9,"candidates_token_count":2,"traffic_type":2,"prompt_tokens_details":[{"modality":4,"token_count":5}]},"model_version":"m","response_id":"r"}"#,
        );
        assert_eq!(seen.finish.as_deref(), Some("MAX_TOKENS"));
        assert_eq!(seen.traffic.as_deref(), Some("PROVISIONED_THROUGHPUT"));
        assert_eq!(seen.service_tier, None);
        assert_eq!(count(&seen, Unit::InputAudioTokens), Some(dec!(5)));
    }

    #[test]
    fn the_prompt_is_an_estimate_until_something_was_generated() {
        let first = r#"{"candidates":[{"content":{"parts":[{"text":"a"}]}}],"usageMetadata":{"promptTokenCount":20,"totalTokenCount":20},"modelVersion":"m"}"#;
        let last = r#"{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":17,"candidatesTokenCount":4,"totalTokenCount":21},"modelVersion":"m"}"#;
        let cut = stream(streamed, &[first]);
        assert!(!cut.has_usage && cut.understood && cut.terminal == Terminal::Open);
        let seen = stream(streamed, &[first, last]);
        assert_eq!(count(&seen, Unit::InputTokens), Some(dec!(17)));
        assert_eq!(seen.terminal, Terminal::Counted);
        // An answer without a word in it.
        let empty = stream(
            streamed,
            &[
                first,
                r#"{"candidates":[{"finishReason":"SAFETY"}],"modelVersion":"m"}"#,
            ],
        );
        assert_eq!(count(&empty, Unit::InputTokens), Some(dec!(20)));
    }

    #[test]
    fn the_last_usage_of_a_stream_counts() {
        let event = |tokens: u32, more: &str| {
            format!(
                r#"{{"candidates":[{{"content":{{"parts":[{{"text":"\"usageMetadata\":{{}}"}}]}},"index":0{more}}}],"usageMetadata":{{"promptTokenCount":8,"candidatesTokenCount":{tokens}}},"modelVersion":"m"}}"#
            )
        };
        let grounded = r#","finishReason":"STOP","groundingMetadata":{"webSearchQueries":["","q"],"groundingChunks":[{}]}"#;
        let events = [event(3, ""), event(6, ""), event(9, grounded)];
        let seen = stream(streamed, &[&events[0], &events[1], &events[2]]);
        assert_eq!(count(&seen, Unit::OutputTokens), Some(dec!(9)));
        assert_eq!(count(&seen, Unit::WebSearchRequests), Some(dec!(2)));
    }

    #[test]
    fn a_blocked_prompt_is_an_answer_and_an_error_is_none() {
        let blocked = stream(
            streamed,
            &[
                r#"{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":7,"totalTokenCount":7},"modelVersion":"m"}"#,
            ],
        );
        assert_eq!(count(&blocked, Unit::InputTokens), Some(dec!(7)));
        assert_eq!((blocked.terminal, blocked.error), (Terminal::Counted, None));
        let failed = stream(
            streamed,
            &[r#"{"error":{"code":503,"message":"m","status":"UNAVAILABLE"}}"#],
        );
        assert_eq!(failed.error, Some(ErrorType::Overloaded));
    }

    #[test]
    fn embeddings_and_wrapped_answers_report_the_same_usage() {
        let embedding = body(
            answer_of(&format!("{HOST}:embedContent"), &[], GeminiGenerate::new),
            r#"{"embedding":{"values":[0.1,0.2]},"usageMetadata":{"promptTokenCount":11,"promptTokenDetails":[{"modality":"IMAGE","tokenCount":9}]}}"#,
        );
        assert_eq!(count(&embedding, Unit::InputTokens), Some(dec!(11)));
        assert_eq!(count(&embedding, Unit::InputImageTokens), Some(dec!(9)));
        assert_eq!(count(&embedding, Unit::OutputTokens), None);
        let assist = stream(
            streamed,
            &[
                r#"{"response":{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":1},"modelVersion":"m"},"traceId":"t"}"#,
            ],
        );
        assert_eq!(count(&assist, Unit::InputTokens), Some(dec!(3)));
        assert_eq!(assist.terminal, Terminal::Counted);
    }

    #[test]
    fn answers_are_read_one_level_deep_however_deep_they_are() {
        let inner = r#""candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":1}"#;
        let nested = |depth: usize| {
            let (open, close) = (r#"{"response":"#.repeat(depth), "}".repeat(depth));
            format!("{open}{{{inner}}}{close}")
        };
        for depth in [2, 1_000] {
            let seen = stream(streamed, &[&nested(depth)]);
            assert!(seen.finish.is_none() && seen.usage.is_empty(), "{depth}");
        }
        let seen = stream(streamed, &[&nested(1)]);
        assert_eq!(count(&seen, Unit::OutputTokens), Some(dec!(1)));
    }
}
