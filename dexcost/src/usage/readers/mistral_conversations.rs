//! Mistral's conversations with agents: `POST /v1/conversations` and below, whole or as events.
//!
//! Reference: <https://docs.mistral.ai/api/endpoint/beta/conversations>, read 2026-11. `connector_tokens`, the
//! prompts of tools that Mistral ran, come on top of `prompt_tokens`; `connectors` counts runs by tool.

use rust_decimal::Decimal;

use super::error_signs::{self, KEEP_ERROR};
use super::openai_usage::UsageObject;
use super::{KeptFields, Reading, Setup, Terminal, WireForm};
use crate::event::ErrorType;
use crate::money::exact_sum;
use crate::text::Text;
use crate::usage::Unit;
use crate::usage::framing::{Json, Keep};

const KEEP: KeptFields = &[
    ("object", Keep::All),
    ("type", Keep::All),
    ("code", Keep::All),
    ("conversation_id", Keep::All),
    ("usage", Keep::All),
    ("outputs", Keep::Fields(&[("model", Keep::All)])),
    ("error", KEEP_ERROR),
];

/// Reads a turn of a conversation.
#[derive(Debug, Default)]
pub(crate) struct MistralConversations {
    usage: UsageObject,
    searches: Option<Decimal>,
    tool_prompts: Option<Decimal>,
    model: Option<Text>,
    id: Option<Text>,
    error: Option<ErrorType>,
    done: bool,
}

impl MistralConversations {
    pub(super) fn new(_: &Setup<'_>) -> Self {
        Self::default()
    }

    /// Looks at what tools did; both kinds of web search are searches.
    fn connectors(&mut self, usage: Json<'_>) {
        self.tool_prompts = usage.get("connector_tokens").and_then(Json::number);
        let count = |name: &str| usage.get("connectors")?.get(name)?.number();
        self.searches = match (count("web_search"), count("web_search_premium")) {
            (Some(a), Some(b)) => exact_sum(a, b),
            (a, b) => a.or(b),
        };
    }
}

impl WireForm for MistralConversations {
    fn keep(&self) -> KeptFields {
        KEEP
    }

    fn read_body(&mut self, body: Json<'_>) {
        let mut fields = body.fields();
        while let Some((name, value)) = fields.next() {
            match name {
                b"conversation_id" => self.id = value.text(),
                b"outputs" => {
                    let model = value.items().find_map(|output| output.get("model"));
                    self.model = model.and_then(Json::text);
                }
                b"usage" if value.is_object() => {
                    self.connectors(value);
                    self.usage.take(&mut fields);
                }
                b"type" => match value.word() {
                    Some("conversation.response.done") => self.done = true,
                    Some("conversation.response.error") => {
                        self.error = Some(error_signs::of_object(body));
                    }
                    _ => {}
                },
                b"object" if value.word() == Some("error") => self.error = Some(error_signs::of_object(body)),
                b"error" => self.error = self.error.or_else(|| error_signs::of_field(value)),
                _ => {}
            }
        }
    }

    fn finish(&mut self) -> Reading {
        let mut reading = Reading {
            id: self.id.take(),
            error: self.error,
            terminal: if self.done {
                Terminal::Closed
            } else {
                Terminal::Open
            },
            ..self.usage.reading(Default::default(), self.model.take())
        };
        let prompt = reading.usage.get(Unit::InputTokens);
        if let (Some(prompt), Some(more)) = (prompt, self.tool_prompts) {
            reading.usage.set(Unit::ToolUsePromptTokens, more);
            match exact_sum(prompt, more) {
                Some(whole) => reading.usage.set(Unit::InputTokens, whole),
                None => reading.is_suspect = true,
            }
        }
        if let Some(searches) = self.searches {
            reading.usage.set(Unit::WebSearchRequests, searches);
        }
        reading
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{body, count, stream};
    use super::*;
    use crate::dec;

    #[test]
    fn tools_are_counted_beside_the_tokens() {
        let seen = body(
            MistralConversations::default(),
            r#"{"object":"conversation.response","conversation_id":"conv_1","outputs":[{"type":"tool.execution"},{"type":"message.output","model":"mistral-x","content":"hi"}],"usage":{"prompt_tokens":188,"completion_tokens":55,"total_tokens":7355,"connector_tokens":7112,"connectors":{"web_search":2}}}"#,
        );
        assert_eq!(count(&seen, Unit::WebSearchRequests), Some(dec!(2)));
        assert_eq!(count(&seen, Unit::OutputTokens), Some(dec!(55)));
        assert_eq!(count(&seen, Unit::InputTokens), Some(dec!(7300)));
        assert_eq!(seen.model.as_deref(), Some("mistral-x"));
    }

    #[test]
    fn a_stream_ends_with_its_usage() {
        let seen = stream(
            MistralConversations::default,
            &[
                r#"{"type":"conversation.response.started","conversation_id":"conv_1"}"#,
                r#"{"type":"message.output.delta","content":"hi"}"#,
                r#"{"type":"conversation.response.done","usage":{"prompt_tokens":4,"completion_tokens":2,"total_tokens":6}}"#,
            ],
        );
        assert_eq!(count(&seen, Unit::InputTokens), Some(dec!(4)));
        assert_eq!(seen.terminal, Terminal::Closed);
    }
}
