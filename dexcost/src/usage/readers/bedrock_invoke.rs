//! Amazon Bedrock's InvokeModel, and endpoints of SageMaker: every model family in its own form.
//!
//! Reference: <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html> and
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html>, read
//! 2026-11. Anthropic and those who speak OpenAI's chat form are read as at home; the form is told
//! by the answer, because imported models and profiles have names that say nothing. Where a family
//! reports no usage, the header fields do, and in a stream the metrics in its last event.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::amazon_counts::{AmazonCounts, METRICS};
use super::anthropic_messages::AnthropicMessages;
use super::bedrock_families::{KEEP, Native};
use super::openai_chat::OpenAiChat;
use super::openai_counts::is_impossible;
use super::scan::says;
use super::{KeptFields, Reading, Setup, Terminal, UsageQuirks, WireForm, error_signs};
use crate::event::ErrorType;
use crate::text::Text;
use crate::usage::framing::Json;

static ENDING: LazyLock<Finder<'static>> =
    LazyLock::new(|| Finder::new(r#""amazon-bedrock-invocationMetrics""#));
static STOP: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(r#""stop_reason""#));

/// Reads InvokeModel.
#[derive(Debug)]
pub(crate) struct BedrockInvoke {
    may_compact: bool,
    /// Whether host or path name who answers: elsewhere anything may say that it stopped or show images.
    is_at_provider: bool,
    /// Whether a stream ends with the metrics of its invocation, as it does on Bedrock.
    ends_in_metrics: bool,
    family: Family,
    /// Why the model stopped, where one that speaks OpenAI's form says so in other words.
    stop: Option<Text>,
    headers: AmazonCounts,
    metrics: AmazonCounts,
    error: Option<ErrorType>,
    closed: bool,
}

/// The form that the model answers in.
#[derive(Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "it lives in the one allocation of an exchange"
)]
enum Family {
    Unknown,
    Anthropic(AnthropicMessages),
    OpenAi(OpenAiChat),
    Native(Native),
}

impl Family {
    /// The form of an answer, told by a field that only one has.
    fn of(answer: Json<'_>, may_compact: bool) -> Self {
        for (name, value) in answer.fields() {
            match name {
                b"choices" => return Self::OpenAi(OpenAiChat::at(UsageQuirks::default())),
                b"type" if value.word().is_some_and(is_anthropic) => {
                    return Self::Anthropic(AnthropicMessages::at(may_compact));
                }
                _ => {}
            }
        }
        Self::Native(Native::default())
    }

    /// Its reader, once it is known.
    fn form(&mut self) -> Option<&mut dyn WireForm> {
        match self {
            Self::Unknown => None,
            Self::Anthropic(reader) => Some(reader),
            Self::OpenAi(reader) => Some(reader),
            Self::Native(reader) => Some(reader),
        }
    }
}

/// Whether a type is one of Anthropic's messages or events. Claude 2 answers with a `completion`, in
/// a form of its own; Cohere's events have hyphens.
fn is_anthropic(kind: &str) -> bool {
    let starts = ["message", "content_block", "ping", "error"];
    !kind.contains('-') && starts.iter().any(|start| kind.starts_with(start))
}

impl BedrockInvoke {
    pub(super) fn new(setup: &Setup<'_>) -> Self {
        Self {
            may_compact: (setup.may_compact)(),
            is_at_provider: setup.route.provider.is_some(),
            ends_in_metrics: setup.route.streams && setup.route.provider == Some("bedrock"),
            family: Family::Unknown,
            stop: None,
            headers: AmazonCounts::of_headers(setup.headers),
            metrics: AmazonCounts::default(),
            error: error_signs::of_amazon_header(setup.headers),
            closed: false,
        }
    }

    /// Mistral and DeepSeek name the reason in a choice as Anthropic does in a message.
    fn stopped(&mut self, answer: Json<'_>) {
        let choices = answer.get("choices").into_iter().flat_map(Json::items);
        let reason = choices
            .filter_map(|choice| choice.get("stop_reason")?.text())
            .last();
        self.stop = reason.or_else(|| self.stop.take());
    }

    fn family(&mut self, answer: Json<'_>) -> Option<&mut dyn WireForm> {
        if matches!(self.family, Family::Unknown) {
            self.family = Family::of(answer, self.may_compact);
        }
        self.family.form()
    }
}

impl WireForm for BedrockInvoke {
    fn keep(&self) -> KeptFields {
        KEEP
    }

    fn read_body(&mut self, body: Json<'_>) {
        if let Some(form) = self.family(body) {
            form.read_body(body);
        }
        self.stopped(body);
    }

    fn event(&mut self, event: &[u8]) {
        if let Some(form) = self.family(Json::new(event)) {
            form.event(event);
        }
        if matches!(self.family, Family::OpenAi(_)) && says(&STOP, event) {
            self.stopped(Json::new(event));
        }
        if says(&ENDING, event)
            && let Some(metrics) = Json::new(event).get(METRICS)
        {
            self.metrics.read(metrics);
            self.closed = true;
        }
    }

    fn wraps_events(&self) -> bool {
        true
    }

    fn finish(&mut self) -> Reading {
        let beside = std::mem::take(&mut self.metrics).or(&self.headers);
        let mut reading = match &mut self.family {
            Family::Native(native) => native.reading(&beside),
            family => {
                let mut reading = family.form().map_or_else(Reading::default, |form| form.finish());
                if !reading.has_usage && !beside.is_empty() {
                    reading.usage = beside.normal();
                    reading.has_usage = true;
                    reading.understood = true;
                    reading.is_suspect = is_impossible(&reading.usage);
                }
                reading
            }
        };
        reading.error = reading.error.or(self.error);
        reading.finish = reading.finish.or_else(|| self.stop.take());
        let is_answer = reading.finish.is_some() || !reading.usage.is_empty();
        reading.understood |= self.is_at_provider && is_answer;
        if self.closed {
            reading.terminal = Terminal::Closed;
        } else if self.ends_in_metrics {
            reading.terminal = Terminal::Open;
        }
        reading
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{answer_of, body, count, stream};
    use super::*;
    use crate::usage::Unit;

    const HOST: &str = "bedrock-runtime.us-east-1.amazonaws.com/model/acme.brain-v1%3A0";
    const HEADERS: &[(&str, &str)] = &[
        ("x-amzn-bedrock-input-token-count", "6"),
        ("x-amzn-bedrock-output-token-count", "10"),
    ];

    fn whole(headers: &[(&str, &str)]) -> BedrockInvoke {
        answer_of(&format!("{HOST}/invoke"), headers, BedrockInvoke::new)
    }

    fn streamed() -> BedrockInvoke {
        answer_of(
            &format!("{HOST}/invoke-with-response-stream"),
            &[],
            BedrockInvoke::new,
        )
    }

    fn counts(seen: &Reading) -> (Option<u64>, Option<u64>) {
        let of = |unit| count(seen, unit).map(|_| seen.usage.count(unit));
        (of(Unit::InputTokens), of(Unit::OutputTokens))
    }

    #[test]
    fn every_family_is_read_in_its_own_form() {
        for (answer, expected, finish) in [
            // Anthropic, OpenAI and AI21's Jamba, Nova.
            (
                r#"{"type":"message","model":"claude-x","stop_reason":"end_turn","usage":{"input_tokens":2,"cache_read_input_tokens":5,"output_tokens":3}}"#,
                (Some(7), Some(3)),
                "end_turn",
            ),
            (
                r#"{"id":"c","choices":[{"index":0,"message":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":17,"completion_tokens":8}}"#,
                (Some(17), Some(8)),
                "stop",
            ),
            (
                r#"{"output":{"message":{}},"stopReason":"max_tokens","usage":{"inputTokens":5,"outputTokens":9,"totalTokens":14,"cacheReadInputTokenCount":0}}"#,
                (Some(5), Some(9)),
                "max_tokens",
            ),
            // Titan, whose counts may be written as fractions, and Llama.
            (
                r#"{"inputTextTokenCount":28.0,"results":[{"tokenCount":100.0,"outputText":"x","completionReason":"FINISH"},{"tokenCount":97.0}]}"#,
                (Some(28), Some(197)),
                "FINISH",
            ),
            (
                r#"{"generation":"x","prompt_token_count":8,"generation_token_count":35,"stop_reason":"length"}"#,
                (Some(8), Some(35)),
                "length",
            ),
            // Those that leave it to the header fields.
            (
                r#"{"generations":[{"finish_reason":"COMPLETE","text":"x"},{"finish_reason":"MAX_TOKENS"}],"id":"g"}"#,
                (Some(6), Some(10)),
                "COMPLETE",
            ),
            (
                r#"{"response_id":"r","text":"x","generation_id":"g","finish_reason":"COMPLETE"}"#,
                (Some(6), Some(10)),
                "COMPLETE",
            ),
            (
                r#"{"outputs":[{"text":"x","stop_reason":"length"}]}"#,
                (Some(6), Some(10)),
                "length",
            ),
            (
                r#"{"choices":[{"index":0,"message":{"content":"x"},"stop_reason":"stop"}]}"#,
                (Some(6), Some(10)),
                "stop",
            ),
            (
                r#"{"id":1,"completions":[{"data":{"text":"x"},"finishReason":{"reason":"endoftext"}}]}"#,
                (Some(6), Some(10)),
                "endoftext",
            ),
            (
                r#"{"type":"completion","completion":"x","stop_reason":"stop_sequence","stop":"y"}"#,
                (Some(6), Some(10)),
                "stop_sequence",
            ),
        ] {
            let seen = body(whole(HEADERS), answer);
            assert_eq!(counts(&seen), expected, "{answer}");
            assert_eq!(seen.finish.as_deref(), Some(finish), "{answer}");
            assert!(seen.has_usage && !seen.is_suspect, "{answer}");
        }
    }

    #[test]
    fn embeddings_and_images_are_counted() {
        let own = body(whole(&[]), r#"{"embedding":[0.1],"inputTextTokenCount":4}"#);
        assert_eq!(counts(&own), (Some(4), None));
        let header = body(
            whole(&HEADERS[..1]),
            r#"{"embeddings":[[0.1]],"texts":["x"],"id":"e"}"#,
        );
        assert_eq!(counts(&header), (Some(6), None));
        let images = body(whole(&[]), r#"{"images":["AAAA","BBBB"],"error":null}"#);
        assert_eq!(images.usage.count(Unit::Images), 2);
        assert!(!body(whole(&[]), r#"{"results":[{"index":2,"relevance_score":0.8}]}"#).has_usage);
    }

    #[test]
    fn a_stream_is_over_with_its_metrics() {
        const METRICS: &str = r#""amazon-bedrock-invocationMetrics":{"inputTokenCount":16,"outputTokenCount":9,"invocationLatency":5,"cacheReadInputTokenCount":4}"#;
        let with_metrics = |event: &str| event.replace("METRICS", METRICS);
        for (events, expected, finish) in [
            // The family's own counts beat the metrics.
            (
                vec![
                    r#"{"type":"message_start","message":{"id":"m","model":"claude-x","usage":{"input_tokens":16,"output_tokens":1}}}"#,
                    r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":12}}"#,
                    r#"{"type":"message_stop",METRICS}"#,
                ],
                (Some(16), Some(12)),
                Some("end_turn"),
            ),
            (
                vec![
                    r#"{"generation":"a","prompt_token_count":16,"generation_token_count":1,"stop_reason":null}"#,
                    r#"{"generation":"b","prompt_token_count":null,"generation_token_count":11,"stop_reason":"stop",METRICS}"#,
                ],
                (Some(20), Some(11)),
                Some("stop"),
            ),
            (
                vec![
                    r#"{"messageStart":{"role":"assistant"}}"#,
                    r#"{"messageStop":{"stopReason":"end_turn"}}"#,
                    r#"{"metadata":{"usage":{"inputTokens":30,"outputTokens":55,"cacheReadInputTokenCount":0}},METRICS}"#,
                ],
                (Some(30), Some(55)),
                Some("end_turn"),
            ),
            (
                vec![
                    r#"{"id":"c","choices":[{"index":0,"delta":{"content":"x"},"finish_reason":null}],"usage":{"prompt_tokens":17,"completion_tokens":0}}"#,
                    r#"{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop","stop_reason":518}],"usage":{"prompt_tokens":17,"completion_tokens":8}}"#,
                    r#"{METRICS}"#,
                ],
                (Some(17), Some(8)),
                Some("stop"),
            ),
            (
                vec![
                    r#"{"is_finished":false,"event_type":"text-generation","text":"x"}"#,
                    r#"{"is_finished":true,"event_type":"stream-end","response":{"finish_reason":"COMPLETE"},METRICS}"#,
                ],
                (Some(20), Some(9)),
                Some("COMPLETE"),
            ),
            (
                vec![r#"{"completion":"x","stop_reason":"stop_sequence",METRICS}"#],
                (Some(20), Some(9)),
                Some("stop_sequence"),
            ),
        ] {
            let events: Vec<String> = events.into_iter().map(with_metrics).collect();
            let events: Vec<&str> = events.iter().map(String::as_str).collect();
            let seen = stream(streamed, &events);
            assert_eq!(counts(&seen), expected, "{events:?}");
            assert_eq!(seen.finish.as_deref(), finish);
            assert_eq!(seen.terminal, Terminal::Closed);
            let cut = stream(streamed, &events[..events.len() - 1]);
            assert_eq!(cut.terminal, Terminal::Open, "{events:?}");
        }
    }
}
