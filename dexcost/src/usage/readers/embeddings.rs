//! Embeddings in OpenAI's form: `POST …/embeddings`.
//!
//! Reference: <https://platform.openai.com/docs/api-reference/embeddings/object>, read 2026-11. The
//! vectors, floats or base64 of many megabytes, are skipped. Voyage
//! (<https://docs.voyageai.com/reference/embeddings-api>) and Jina report only the total, which is all input;
//! watsonx (<https://cloud.ibm.com/apidocs/watsonx-ai#text-embeddings>) counts beside the vectors.

use super::error_signs::{self, KEEP_ERROR};
use super::openai_usage::UsageObject;
use super::{KeptFields, Reading, Setup, WireForm};
use crate::event::ErrorType;
use crate::text::Text;
use crate::usage::framing::{Json, Keep};

const KEEP: KeptFields = &[
    ("id", Keep::All),
    ("model", Keep::All),
    ("model_id", Keep::All),
    ("object", Keep::All),
    ("usage", Keep::All),
    ("input_token_count", Keep::All),
    ("error", KEEP_ERROR),
    // Errors without an `error` field (Mistral).
    ("type", Keep::All),
    ("code", Keep::All),
];

/// Reads embeddings.
#[derive(Debug, Default)]
pub(crate) struct Embeddings {
    usage: UsageObject,
    model: Option<Text>,
    id: Option<Text>,
    error: Option<ErrorType>,
}

impl Embeddings {
    pub(super) fn new(_: &Setup<'_>) -> Self {
        Self::default()
    }
}

impl WireForm for Embeddings {
    fn keep(&self) -> KeptFields {
        KEEP
    }

    fn read_body(&mut self, body: Json<'_>) {
        let mut fields = body.fields();
        while let Some((name, value)) = fields.next() {
            match name {
                b"id" => self.id = value.text(),
                b"model" | b"model_id" => self.model = value.text(),
                b"usage" if value.is_object() => self.usage.take(&mut fields),
                b"input_token_count" => self.usage.counts.set_input(value),
                b"error" => self.error = error_signs::of_field(value),
                b"object" if value.word() == Some("error") => {
                    self.error = self.error.or_else(|| Some(error_signs::of_object(body)));
                }
                _ => {}
            }
        }
    }

    fn finish(&mut self) -> Reading {
        self.usage.counts.take_total_for_input();
        Reading {
            id: self.id.take(),
            error: self.error,
            ..self.usage.reading(Default::default(), self.model.take())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{body, count};
    use super::*;
    use crate::dec;
    use crate::event::ErrorType;
    use crate::usage::Unit;

    fn read(text: &str) -> Reading {
        body(Embeddings::default(), text)
    }

    #[test]
    fn the_input_is_what_was_embedded() {
        let seen = read(
            r#"{"object":"list","data":[{"embedding":[0.25,-1e-3],"index":0}],"model":"embed-s","usage":{"prompt_tokens":9,"total_tokens":9}}"#,
        );
        assert_eq!(count(&seen, Unit::InputTokens), Some(dec!(9)));
        assert_eq!(count(&seen, Unit::OutputTokens), None);
        assert_eq!(seen.model.as_deref(), Some("embed-s"));
    }

    #[test]
    fn a_total_alone_is_the_input() {
        let seen = read(r#"{"data":[{"embedding":"AAAA"}],"model":"v-3","usage":{"total_tokens":0}}"#);
        assert_eq!(count(&seen, Unit::InputTokens), Some(dec!(0)));
    }

    #[test]
    fn counts_and_names_beside_the_vectors_are_read() {
        let seen = read(r#"{"model_id":"slate","results":[{"embedding":[1]}],"input_token_count":12}"#);
        assert_eq!(count(&seen, Unit::InputTokens), Some(dec!(12)));
        assert_eq!(seen.model.as_deref(), Some("slate"));
        assert!(seen.has_usage);
    }

    #[test]
    fn a_stated_cost_is_taken_over() {
        let seen = read(
            r#"{"model":"e","usage":{"prompt_tokens":7,"total_tokens":7,"cost":{"input_cost":2.8e-08,"total_cost":2.8e-08}}}"#,
        );
        assert_eq!(seen.cost, Some(dec!(0.000000028)));
    }

    #[test]
    fn refusals_are_errors() {
        let seen =
            read(r#"{"object":"error","type":"invalid_request_prompt","code":"3210","message":"too many"}"#);
        assert_eq!(seen.error, Some(ErrorType::InvalidRequest));
        assert_eq!(read(r#"{"error":"no such model"}"#).error, Some(ErrorType::Other));
    }
}
