//! The OpenAI Responses form: `POST …/responses` and `…/responses/compact`, whole or as events.
//!
//! Reference: <https://platform.openai.com/docs/api-reference/responses/object> and
//! <https://platform.openai.com/docs/api-reference/responses-streaming>, read 2026-11. A stream says
//! nothing of usage before its last event (`response.completed`, `.incomplete`, `.failed`), which holds
//! the whole response. A call in the background is answered before it ran: `usage` is null and the
//! status says so. Its polls show the usage, but are not the call: they complete it.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::error_signs::{self, KEEP_ERROR};
use super::hosted_tools::{HostedTools, KEEP_ITEM, KEEP_TOOL};
use super::openai_usage::UsageObject;
use super::{KeptFields, Reading, Setup, Terminal, WireForm};
use crate::event::ErrorType;
use crate::text::Text;
use crate::usage::framing::{Json, Keep};

const KEEP_RESPONSE: KeptFields = &[
    ("id", Keep::All),
    ("model", Keep::All),
    ("object", Keep::All),
    ("status", Keep::All),
    ("service_tier", Keep::All),
    ("usage", Keep::All),
    ("tool_usage", Keep::All),
    ("incomplete_details", Keep::Fields(&[("reason", Keep::All)])),
    ("output", KEEP_ITEM),
    ("tools", KEEP_TOOL),
    ("error", KEEP_ERROR),
];

const KEEP: KeptFields = &[
    ("id", Keep::All),
    ("model", Keep::All),
    ("object", Keep::All),
    ("status", Keep::All),
    ("service_tier", Keep::All),
    ("usage", Keep::All),
    ("tool_usage", Keep::All),
    ("incomplete_details", Keep::Fields(&[("reason", Keep::All)])),
    ("output", KEEP_ITEM),
    ("tools", KEEP_TOOL),
    ("error", KEEP_ERROR),
    // Of events: what they are, the response, a finished item, and an error without an object.
    ("type", Keep::All),
    ("code", Keep::All),
    ("response", Keep::Fields(KEEP_RESPONSE)),
    ("item", KEEP_ITEM),
];

static RESPONSE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(r#""response""#));
static ITEM: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(r#""item""#));
static ERROR: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(r#""error""#));

/// Reads the Responses form.
#[derive(Debug, Default)]
pub(crate) struct OpenAiResponses {
    usage: UsageObject,
    tools: HostedTools,
    model: Option<Text>,
    id: Option<Text>,
    service_tier: Option<Text>,
    status: Option<Text>,
    reason: Option<Text>,
    error: Option<ErrorType>,
    /// Whether an object says that it is a response.
    is_named: bool,
    closed: bool,
}

impl OpenAiResponses {
    pub(super) fn new(_: &Setup<'_>) -> Self {
        Self::default()
    }

    /// Takes over a response as far as it has come; the latest is the truest, and it is whole.
    fn response(&mut self, response: Json<'_>) {
        (self.service_tier, self.status, self.reason) = (None, None, None);
        let mut fields = response.fields();
        while let Some((name, value)) = fields.next() {
            match name {
                b"id" => replace(&mut self.id, value),
                b"model" => replace(&mut self.model, value),
                b"service_tier" => replace(&mut self.service_tier, value),
                b"status" => replace(&mut self.status, value),
                b"incomplete_details" => self.reason = value.get("reason").and_then(Json::text),
                b"object" => {
                    self.is_named |= matches!(value.word(), Some("response" | "response.compaction"));
                }
                b"usage" if value.is_object() => {
                    self.tools.usage(value);
                    self.usage.take(&mut fields);
                }
                b"tool_usage" => self.tools.tool_usage(value),
                b"output" => self.tools.output(value),
                b"tools" => self.tools.offered(value),
                b"error" => self.error = self.error.or_else(|| error_signs::of_field(value)),
                _ => {}
            }
        }
    }

    fn finish_word(&self) -> Option<Text> {
        let status = self.status.as_ref()?;
        Some(match &self.reason {
            Some(reason) => Text::from(format!("{status}:{reason}")),
            None => status.clone(),
        })
    }

    /// Why it failed, also where only the status says that it did.
    fn failure(&self) -> Option<ErrorType> {
        let failed = self.status.as_deref() == Some("failed");
        self.error.or(failed.then_some(ErrorType::Other))
    }
}

impl WireForm for OpenAiResponses {
    fn keep(&self) -> KeptFields {
        KEEP
    }

    fn read_body(&mut self, body: Json<'_>) {
        self.response(body);
    }

    /// Reads the next event of a stream, unless it is one of the many that hold a piece of the answer:
    /// those have neither response nor item, and in text these names would have escaped quotes.
    fn event(&mut self, event: &[u8]) {
        let tells = |name: &Finder<'_>| name.find(event).is_some();
        if (self.closed && self.usage.is_seen())
            || is_delta(event)
            || !(tells(&RESPONSE) || tells(&ITEM) || tells(&ERROR))
        {
            return;
        }
        let value = Json::new(event);
        let kind = value.get("type").and_then(Json::str).unwrap_or_default();
        if let Some(response) = value.get("response").filter(|r| r.is_object()) {
            self.response(response);
            self.closed = matches!(
                kind.strip_prefix("response."),
                Some("completed" | "incomplete" | "failed" | "cancelled" | "done")
            );
        } else if kind == "response.output_item.done" {
            if let Some(item) = value.get("item") {
                self.tools.item_done(item);
            }
        } else if kind == "error" {
            let stated = value.get("error").and_then(error_signs::of_field);
            self.error = self
                .error
                .or(stated)
                .or_else(|| Some(error_signs::of_object(value)));
        } else if let Some(error) = value.get("error") {
            self.error = self.error.or_else(|| error_signs::of_field(error));
        }
    }

    fn close(&mut self) {
        self.closed = true;
    }

    fn finish(&mut self) -> Reading {
        let pending = matches!(self.status.as_deref(), Some("queued" | "in_progress"));
        let model = self.model.take();
        let is_response = self.is_named && self.status.is_some() && model.is_some();
        let usage = self.usage.reading(Default::default(), model);
        let mut reading = Reading {
            // Anybody may call an answer to a form a response.
            understood: usage.understood || is_response,
            id: self.id.take(),
            finish: self.finish_word(),
            service_tier: self.service_tier.take(),
            error: self.failure(),
            is_pending: pending,
            terminal: if self.closed {
                Terminal::Closed
            } else {
                Terminal::Open
            },
            // Reasoning is part of the output here, also at providers whose chat leaves it out.
            ..usage
        };
        self.tools.report(&mut reading);
        reading
    }
}

/// Whether an event is a piece of the answer by the type that it starts with, as OpenAI's do. Most are.
fn is_delta(event: &[u8]) -> bool {
    const LONGEST: usize = 64;
    let Some(kind) = event.strip_prefix(br#"{"type":""#) else {
        return false;
    };
    let kind = &kind[..kind.len().min(LONGEST)];
    memchr::memchr(b'"', kind).is_some_and(|end| kind[..end].ends_with(b".delta"))
}

/// A name that is there replaces one that was; null and nothing leave it.
fn replace(slot: &mut Option<Text>, value: Json<'_>) {
    if let Some(text) = value.text() {
        *slot = Some(text);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{body, count, stream};
    use super::*;
    use crate::dec;
    use crate::usage::Unit;

    const WHOLE: &str = r#"{"id":"resp_1","object":"response","status":"completed","error":null,"incomplete_details":null,"model":"gpt-x-1","output":[{"type":"reasoning","summary":[]},{"type":"message","content":[{"type":"output_text","text":"\"usage\":{}"}]}],"service_tier":"default","tools":[],"usage":{"input_tokens":30,"input_tokens_details":{"cached_tokens":8,"cache_write_tokens":4},"output_tokens":12,"output_tokens_details":{"reasoning_tokens":5},"total_tokens":42}}"#;

    fn read(text: &str) -> Reading {
        body(OpenAiResponses::default(), text)
    }

    #[test]
    fn a_whole_response_is_read() {
        let seen = read(WHOLE);
        for (unit, quantity) in [
            (Unit::InputTokens, 30),
            (Unit::CacheReadTokens, 8),
            (Unit::CacheWriteTokens, 4),
            (Unit::OutputTokens, 12),
            (Unit::ReasoningTokens, 5),
        ] {
            assert_eq!(count(&seen, unit), Some(quantity.into()), "{unit:?}");
        }
        assert_eq!(seen.finish.as_deref(), Some("completed"));
        assert_eq!((seen.id.as_deref(), seen.error), (Some("resp_1"), None));
        assert!(seen.understood && !seen.is_pending);
    }

    #[test]
    fn the_last_event_of_a_stream_holds_the_response() {
        let done = format!(r#"{{"sequence_number":4,"type":"response.completed","response":{WHOLE}}}"#);
        let seen = stream(
            OpenAiResponses::default,
            &[
                r#"{"type":"response.created","response":{"id":"resp_1","object":"response","status":"in_progress","service_tier":"auto","model":"gpt-x","usage":null}}"#,
                r#"{"type":"response.output_text.delta","item_id":"m","delta":"\"response\":{} \"error\""}"#,
                &done,
            ],
        );
        assert_eq!(count(&seen, Unit::OutputTokens), Some(dec!(12)));
        assert_eq!(seen.service_tier.as_deref(), Some("default"));
        assert_eq!(seen.model.as_deref(), Some("gpt-x-1"));
        assert_eq!(seen.terminal, Terminal::Closed);
    }

    #[test]
    fn only_a_type_at_the_start_tells_a_piece_of_the_answer() {
        assert!(is_delta(
            br#"{"type":"response.output_text.delta","item_id":"m","delta":"x"}"#
        ));
        assert!(!is_delta(
            br#"{"type":"response.completed","response":{"x":".delta"}}"#
        ));
        assert!(!is_delta(br#"{"delta":"x","type":"response.output_text.delta"}"#));
        assert!(!is_delta(br#"{"type":"response.output_text.delta"#));
        assert!(!is_delta(b"{\"type\":\""));
    }

    #[test]
    fn what_cut_an_answer_short_stands_behind_the_status() {
        let seen = stream(
            OpenAiResponses::default,
            &[
                r#"{"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"usage":{"input_tokens":1,"output_tokens":2}}}"#,
            ],
        );
        assert_eq!(seen.finish.as_deref(), Some("incomplete:max_output_tokens"));
        assert_eq!(seen.error, None);
    }

    #[test]
    fn failures_are_errors_and_keep_their_usage() {
        let seen = stream(
            OpenAiResponses::default,
            &[
                r#"{"type":"error","sequence_number":2,"code":"rate_limit_exceeded","message":"x","param":null}"#,
                r#"{"type":"response.failed","response":{"status":"failed","error":{"code":"server_error","message":"x"},"usage":{"input_tokens":3,"output_tokens":0}}}"#,
            ],
        );
        assert_eq!(seen.error, Some(ErrorType::RateLimit));
        assert_eq!(count(&seen, Unit::InputTokens), Some(dec!(3)));
        let seen = stream(
            OpenAiResponses::default,
            &[r#"{"type":"error","error":{"type":"server_error","code":"overloaded"}}"#],
        );
        assert_eq!(seen.error, Some(ErrorType::Overloaded));
        assert_eq!(read(r#"{"status":"failed"}"#).error, Some(ErrorType::Other));
    }

    #[test]
    fn a_call_in_the_background_is_pending() {
        let seen = read(r#"{"object":"response","status":"queued","model":"m","usage":null}"#);
        assert!(seen.is_pending && !seen.has_usage && seen.understood);
    }

    #[test]
    fn a_compaction_has_counts_and_no_status() {
        let seen = read(
            r#"{"object":"response.compaction","output":[{"type":"compaction","encrypted_content":"x"}],"usage":{"input_tokens":160,"output_tokens":297}}"#,
        );
        assert_eq!(count(&seen, Unit::InputTokens), Some(dec!(160)));
        assert_eq!(seen.finish, None);
    }

    #[test]
    fn a_price_in_ticks_is_taken_over() {
        let seen = read(r#"{"usage":{"input_tokens":5,"output_tokens":6,"cost_in_usd_ticks":12500000}}"#);
        assert_eq!(seen.cost, Some(dec!(0.00125)));
    }
}
