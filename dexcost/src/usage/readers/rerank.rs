//! Reranking: `POST …/rerank`, in the forms of Cohere, Voyage, Jina and those who copy them.
//!
//! References: <https://docs.cohere.com/reference/rerank>, <https://docs.voyageai.com/reference/reranker-api>,
//! <https://jina.ai/reranker>, read 2026-11. Cohere bills search units (a query with up to a hundred
//! documents) and reports them in `meta.billed_units`, others tokens, of which some name the total only.

use super::error_signs::{self, KEEP_ERROR};
use super::openai_usage::UsageObject;
use super::{KeptFields, Reading, Setup, WireForm};
use crate::event::ErrorType;
use crate::text::Text;
use crate::usage::Unit;
use crate::usage::framing::{Json, Keep};

const KEEP: KeptFields = &[
    ("id", Keep::All),
    ("model", Keep::All),
    ("model_id", Keep::All),
    ("usage", Keep::All),
    ("input_token_count", Keep::All),
    (
        "meta",
        Keep::Fields(&[("billed_units", Keep::All), ("tokens", Keep::All)]),
    ),
    ("error", KEEP_ERROR),
];

/// Reads a reranking.
#[derive(Debug, Default)]
pub(crate) struct Rerank {
    usage: UsageObject,
    search_units: Option<rust_decimal::Decimal>,
    model: Option<Text>,
    id: Option<Text>,
    error: Option<ErrorType>,
}

impl Rerank {
    pub(super) fn new(_: &Setup<'_>) -> Self {
        Self::default()
    }

    /// What Cohere bills; of the tokens it bills none where it bills search units.
    fn meta(&mut self, meta: Json<'_>) {
        let billed = |name: &str| meta.get("billed_units").and_then(|units| units.get(name));
        self.search_units = billed("search_units")
            .and_then(Json::number)
            .or(self.search_units);
        let tokens = billed("input_tokens").or_else(|| meta.get("tokens")?.get("input_tokens"));
        if let Some(tokens) = tokens {
            self.usage.counts.set_input(tokens);
        }
    }
}

impl WireForm for Rerank {
    fn keep(&self) -> KeptFields {
        KEEP
    }

    fn read_body(&mut self, body: Json<'_>) {
        let mut fields = body.fields();
        while let Some((name, value)) = fields.next() {
            match name {
                b"id" => self.id = value.text(),
                b"model" | b"model_id" => self.model = value.text(),
                b"usage" if value.is_object() => {
                    let units = value.get("search_units").and_then(Json::number);
                    self.search_units = units.or(self.search_units);
                    self.usage.take(&mut fields);
                }
                b"meta" => self.meta(value),
                b"input_token_count" => self.usage.counts.set_input(value),
                b"error" => self.error = error_signs::of_field(value),
                _ => {}
            }
        }
    }

    fn finish(&mut self) -> Reading {
        self.usage.counts.take_total_for_input();
        let mut reading = Reading {
            id: self.id.take(),
            error: self.error,
            ..self.usage.reading(Default::default(), self.model.take())
        };
        if let Some(units) = self.search_units.filter(|units| !units.is_zero()) {
            reading.usage.set(Unit::SearchUnits, units);
            reading.has_usage = true;
            reading.understood = true;
        }
        reading
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{body, count};
    use super::*;
    use crate::dec;

    fn read(text: &str) -> Reading {
        body(Rerank::default(), text)
    }

    #[test]
    fn search_units_are_what_cohere_bills() {
        let seen = read(
            r#"{"id":"r1","results":[{"index":0,"relevance_score":0.9}],"meta":{"api_version":{"version":"2"},"billed_units":{"search_units":2}}}"#,
        );
        assert_eq!(count(&seen, Unit::SearchUnits), Some(dec!(2)));
        assert_eq!(count(&seen, Unit::InputTokens), None);
        assert!(seen.has_usage);
    }

    #[test]
    fn a_gateway_states_units_and_cost_in_its_usage() {
        let seen = read(r#"{"model":"r","usage":{"search_units":1,"cost":0.001}}"#);
        assert_eq!(count(&seen, Unit::SearchUnits), Some(dec!(1)));
        assert_eq!(seen.cost, Some(dec!(0.001)));
    }

    #[test]
    fn tokens_are_what_others_bill() {
        for text in [
            r#"{"data":[],"model":"r","usage":{"total_tokens":43}}"#,
            r#"{"results":[],"model":"r","usage":{"prompt_tokens":43,"total_tokens":43}}"#,
            r#"{"results":[],"meta":{"billed_units":{"input_tokens":43,"search_units":0}}}"#,
            r#"{"results":[],"meta":{"tokens":{"input_tokens":43,"output_tokens":0}}}"#,
            r#"{"results":[],"model_id":"r","input_token_count":43}"#,
        ] {
            let seen = read(text);
            assert_eq!(count(&seen, Unit::InputTokens), Some(dec!(43)), "{text}");
            assert_eq!(count(&seen, Unit::SearchUnits), None, "{text}");
        }
    }
}
