//! Amazon Bedrock's Converse and ConverseStream.
//!
//! Reference: <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html> and
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html>, read
//! 2026-11. A stream reports its usage in a last event, after the one with the stop reason. The
//! answer names no model, but where a prompt router chose one.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::amazon_counts::{AmazonCounts, KEEP_TRACE};
use super::openai_counts::is_impossible;
use super::scan::says;
use super::{KeptFields, Reading, Setup, Terminal, WireForm, error_signs};
use crate::event::ErrorType;
use crate::text::Text;
use crate::usage::framing::{Json, Keep};

const KEEP: KeptFields = &[
    ("stopReason", Keep::All),
    ("usage", Keep::All),
    ("trace", KEEP_TRACE),
    ("serviceTier", Keep::All),
];

static STOP: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(r#""stopReason""#));
static USAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(r#""usage""#));

/// Reads Converse.
#[derive(Debug)]
pub(crate) struct BedrockConverse {
    counts: AmazonCounts,
    has_usage: bool,
    finish: Option<Text>,
    model: Option<Text>,
    service_tier: Option<Text>,
    error: Option<ErrorType>,
    closed: bool,
}

impl BedrockConverse {
    pub(super) fn new(setup: &Setup<'_>) -> Self {
        Self {
            counts: AmazonCounts::default(),
            has_usage: false,
            finish: None,
            model: None,
            service_tier: None,
            error: error_signs::of_amazon_header(setup.headers),
            closed: false,
        }
    }
}

impl WireForm for BedrockConverse {
    fn keep(&self) -> KeptFields {
        KEEP
    }

    fn read_body(&mut self, body: Json<'_>) {
        for (name, value) in body.fields() {
            match name {
                b"stopReason" => self.finish = value.text().or_else(|| self.finish.take()),
                b"usage" => {
                    self.has_usage |= value.is_object();
                    self.counts.read(value);
                }
                b"trace" => {
                    let router = value.get("promptRouter");
                    let invoked = router.and_then(|router| router.get("invokedModelId"));
                    self.model = invoked.and_then(Json::text).or_else(|| self.model.take());
                }
                b"serviceTier" => self.service_tier = value.get("type").and_then(Json::text),
                _ => {}
            }
        }
    }

    fn event(&mut self, event: &[u8]) {
        if says(&STOP, event) || says(&USAGE, event) {
            self.read_body(Json::new(event));
            self.closed |= self.has_usage && self.finish.is_some();
        }
    }

    fn finish(&mut self) -> Reading {
        let usage = self.counts.normal();
        let mut reading = Reading {
            // The stop reason is not the last event: that one has the usage.
            terminal: if self.closed {
                Terminal::Closed
            } else {
                Terminal::Open
            },
            understood: !usage.is_empty(),
            has_usage: self.has_usage,
            is_suspect: self.counts.is_unreadable() || is_impossible(&usage),
            usage,
            model: self.model.take(),
            service_tier: self.service_tier.take(),
            finish: self.finish.take(),
            error: self.error,
            ..Reading::default()
        };
        self.counts.report_stated(&mut reading);
        reading
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{answer_of, body, count, stream};
    use super::*;
    use crate::dec;
    use crate::usage::Unit;

    const HOST: &str = "bedrock-runtime.us-east-1.amazonaws.com/model/acme.brain-v1%3A0";

    fn converse() -> BedrockConverse {
        answer_of(&format!("{HOST}/converse"), &[], BedrockConverse::new)
    }

    #[test]
    fn a_body_is_read_with_its_tier_and_the_model_that_a_router_chose() {
        let seen = body(
            converse(),
            r#"{"metrics":{"latencyMs":9},"output":{"message":{"content":[{"text":"\"usage\""}]}},"stopReason":"end_turn","usage":{"inputTokens":4,"outputTokens":6,"totalTokens":110,"cacheReadInputTokens":100,"serverToolUsage":{}},"trace":{"promptRouter":{"invokedModelId":"arn:aws:bedrock:us-east-1::foundation-model/acme.brain-v1:0"}},"serviceTier":{"type":"priority"}}"#,
        );
        assert_eq!(count(&seen, Unit::InputTokens), Some(dec!(104)));
        assert_eq!(count(&seen, Unit::CacheReadTokens), Some(dec!(100)));
        assert_eq!(seen.finish.as_deref(), Some("end_turn"));
        assert_eq!(seen.service_tier.as_deref(), Some("priority"));
        assert!(seen.model.unwrap().ends_with("acme.brain-v1:0"));
    }

    #[test]
    fn a_stream_ends_with_its_usage_and_not_before() {
        let events = [
            r#"{"role":"assistant","p":"ab"}"#,
            r#"{"contentBlockIndex":0,"delta":{"text":"hi"},"p":"abc"}"#,
            r#"{"stopReason":"tool_use","p":"a"}"#,
            r#"{"metrics":{"latencyMs":9},"usage":{"inputTokens":4,"outputTokens":6,"totalTokens":10},"p":"a"}"#,
        ];
        let seen = stream(converse, &events);
        assert_eq!(count(&seen, Unit::OutputTokens), Some(dec!(6)));
        assert_eq!(
            (seen.finish.as_deref(), seen.terminal),
            (Some("tool_use"), Terminal::Closed)
        );
        assert_eq!(stream(converse, &events[..3]).terminal, Terminal::Open);
    }

    #[test]
    fn the_header_names_an_error_that_the_body_only_describes() {
        let headers = [(
            "x-amzn-ErrorType",
            "ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/",
        )];
        let reader = answer_of(&format!("{HOST}/converse"), &headers, BedrockConverse::new);
        let seen = body(reader, r#"{"message":"Too many requests"}"#);
        assert_eq!(seen.error, Some(ErrorType::RateLimit));
    }
}
