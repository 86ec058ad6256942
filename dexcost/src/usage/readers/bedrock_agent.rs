//! Agents on Amazon Bedrock: InvokeAgent, InvokeInlineAgent and RetrieveAndGenerate.
//!
//! Reference: <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_InvokeAgent.html>
//! and <https://docs.aws.amazon.com/bedrock/latest/userguide/trace-events.html>, read 2026-11. The
//! exchange has no usage of its own. With tracing on, each model call inside it is shown by two
//! events of one trace id: one says which model, the other what it consumed.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use smallvec::SmallVec;

use super::amazon_counts::AmazonCounts;
use super::{KeptFields, Reading, Setup, Terminal, WireForm, error_signs};
use crate::event::{CallPart, ErrorType};
use crate::money::exact_sum;
use crate::text::Text;
use crate::usage::framing::{Json, Keep};
use crate::usage::{Unit, Usage};

const STEP: Keep = Keep::Fields(&[
    (
        "modelInvocationInput",
        Keep::Fields(&[("foundationModel", Keep::All), ("traceId", Keep::All)]),
    ),
    (
        "modelInvocationOutput",
        Keep::Fields(&[
            ("traceId", Keep::All),
            ("metadata", Keep::Fields(&[("usage", Keep::All)])),
        ]),
    ),
]);

const KEEP: KeptFields = &[(
    "trace",
    Keep::Fields(&[
        ("preProcessingTrace", STEP),
        ("orchestrationTrace", STEP),
        ("postProcessingTrace", STEP),
        ("routingClassifierTrace", STEP),
    ]),
)];

/// More model calls than this in one exchange are added up without their models.
const MOST_PARTS: usize = 64;
/// Calls that are open at one time.
const MOST_OPEN: usize = 8;

static INVOCATION: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(r#""modelInvocation"#));

/// Reads the traces of an agent.
#[derive(Debug)]
pub(crate) struct BedrockAgent {
    /// The models of calls whose usage has not come yet, by trace id.
    open: SmallVec<[(Text, Text); 2]>,
    parts: Vec<CallPart>,
    /// What was consumed by models that were not named.
    unnamed: Usage,
    error: Option<ErrorType>,
}

impl BedrockAgent {
    pub(super) fn new(setup: &Setup<'_>) -> Self {
        Self {
            open: SmallVec::new(),
            parts: Vec::new(),
            unnamed: Usage::new(),
            error: error_signs::of_amazon_header(setup.headers),
        }
    }

    fn step(&mut self, step: Json<'_>) {
        for (name, value) in step.fields() {
            let id = value.get("traceId").and_then(Json::text);
            match name {
                b"modelInvocationInput" => {
                    let model = value.get("foundationModel").and_then(Json::text);
                    if let (Some(id), Some(model)) = (id, model)
                        && self.open.len() < MOST_OPEN
                    {
                        self.open.push((id, model));
                    }
                }
                b"modelInvocationOutput" => {
                    let metadata = value.get("metadata");
                    if let Some(usage) = metadata.and_then(|metadata| metadata.get("usage")) {
                        self.consumed(id.as_ref(), usage);
                    }
                }
                _ => {}
            }
        }
    }

    fn consumed(&mut self, id: Option<&Text>, usage: Json<'_>) {
        let mut counts = AmazonCounts::default();
        counts.read(usage);
        let usage = counts.normal();
        let at = self.open.iter().position(|(open, _)| Some(open) == id);
        match at.map(|at| self.open.remove(at).1) {
            Some(model) if self.parts.len() < MOST_PARTS => self.parts.push(CallPart { model, usage }),
            _ => self.add_unnamed(&usage),
        }
    }

    fn add_unnamed(&mut self, usage: &Usage) {
        for (unit, quantity) in usage.iter() {
            let so_far = self.unnamed.get(unit).unwrap_or_default();
            if let Some(sum) = exact_sum(so_far, quantity) {
                self.unnamed.set(unit, sum);
            }
        }
    }
}

impl WireForm for BedrockAgent {
    fn keep(&self) -> KeptFields {
        KEEP
    }

    fn read_body(&mut self, body: Json<'_>) {
        for (_, step) in body.get("trace").into_iter().flat_map(Json::fields) {
            self.step(step);
        }
    }

    fn event(&mut self, event: &[u8]) {
        if INVOCATION.find(event).is_some() {
            self.read_body(Json::new(event));
        }
    }

    fn finish(&mut self) -> Reading {
        let usage = std::mem::take(&mut self.unnamed);
        Reading {
            // Nothing in the stream says that it is over.
            terminal: Terminal::Finished,
            understood: usage.has_tokens() || self.parts.iter().any(|part| part.usage.has_tokens()),
            has_usage: usage.get(Unit::InputTokens).is_some() || !self.parts.is_empty(),
            usage,
            parts: std::mem::take(&mut self.parts),
            error: self.error,
            ..Reading::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{answer_of, count, stream};
    use super::*;
    use crate::dec;

    const HOST: &str =
        "bedrock-agent-runtime.us-east-1.amazonaws.com/agents/A/agentAliases/B/sessions/C/text";

    fn agent() -> BedrockAgent {
        answer_of(HOST, &[], BedrockAgent::new)
    }

    fn input(id: &str, model: &str) -> String {
        format!(
            r#"{{"agentId":"A","sessionId":"C","trace":{{"orchestrationTrace":{{"modelInvocationInput":{{"foundationModel":"{model}","text":"secret","traceId":"{id}","type":"ORCHESTRATION"}}}}}}}}"#
        )
    }

    fn output(id: &str, input: u32) -> String {
        format!(
            r#"{{"sessionId":"C","trace":{{"orchestrationTrace":{{"modelInvocationOutput":{{"metadata":{{"totalTimeMs":5,"usage":{{"inputTokens":{input},"outputTokens":7}}}},"rawResponse":{{"content":"x"}},"traceId":"{id}"}}}}}}}}"#
        )
    }

    #[test]
    fn each_model_call_is_a_part_under_its_model() {
        let events = [
            input("t-0", "acme.brain-v1:0"),
            r#"{"bytes":"aGk="}"#.to_owned(),
            input("t-1", "acme.other-v1:0"),
            output("t-1", 20),
            output("t-0", 10),
        ];
        let events: Vec<&str> = events.iter().map(String::as_str).collect();
        let seen = stream(agent, &events);
        let parts: Vec<_> = seen
            .parts
            .iter()
            .map(|part| (part.model.as_str(), part.usage.count(Unit::InputTokens)))
            .collect();
        assert_eq!(parts, [("acme.other-v1:0", 20), ("acme.brain-v1:0", 10)]);
        assert!(seen.usage.is_empty() && seen.has_usage);
    }

    #[test]
    fn calls_of_models_without_a_name_are_added_up() {
        let events = [output("t-0", 10), output("t-1", 5)];
        let seen = stream(agent, &[&events[0], &events[1]]);
        assert!(seen.parts.is_empty());
        assert_eq!(count(&seen, Unit::InputTokens), Some(dec!(15)));
        assert_eq!(count(&seen, Unit::OutputTokens), Some(dec!(14)));
    }
}
