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
use super::{KeptFields, Quirks, Reading, Setup, Terminal, WireForm, error_signs};
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
                b"choices" => return Self::OpenAi(OpenAiChat::at(Quirks::default())),
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
            may_compact: setup.may_compact,
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
                    reading.is_suspect = is_impossible(&reading.usage);
                }
                reading
            }
        };
        reading.error = reading.error.or(self.error);
        reading.finish = reading.finish.or_else(|| self.stop.take());
        if self.closed {
            reading.terminal = Terminal::Closed;
        } else if self.ends_in_metrics {
            reading.terminal = Terminal::Open;
        }
        reading
    }
}
