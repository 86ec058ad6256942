//! Vertex `:predict`: embeddings, images and the older text models.
//!
//! Reference: <https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api>
//! and <https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api>, read
//! 2026-11. Each embedding counts its own tokens; images are billed by the piece.

use rust_decimal::Decimal;

use super::count::{Count, add, set};
use super::error_signs::{self, KEEP_ERROR};
use super::{KeptFields, Reading, Setup, WireForm};
use crate::event::ErrorType;
use crate::usage::framing::{Json, Keep};
use crate::usage::{Unit, Usage};

const TOTALS: Keep = Keep::Fields(&[("totalTokens", Keep::All)]);

const KEEP: KeptFields = &[
    (
        "predictions",
        Keep::Fields(&[
            ("embeddings", Keep::Fields(&[("statistics", Keep::All)])),
            ("mimeType", Keep::All),
            ("bytesBase64Encoded", Keep::All),
            ("gcsUri", Keep::All),
        ]),
    ),
    (
        "metadata",
        Keep::Fields(&[
            ("billableCharacterCount", Keep::All),
            (
                "tokenMetadata",
                Keep::Fields(&[("inputTokenCount", TOTALS), ("outputTokenCount", TOTALS)]),
            ),
        ]),
    ),
    ("error", KEEP_ERROR),
];

/// Reads predictions.
#[derive(Debug, Default)]
pub(crate) struct VertexPredict {
    input: Count,
    output: Count,
    characters: Count,
    images: u32,
    unreadable: bool,
    error: Option<ErrorType>,
}

impl VertexPredict {
    pub(super) fn new(_: &Setup<'_>) -> Self {
        Self::default()
    }

    fn prediction(&mut self, prediction: Json<'_>) {
        let statistics = prediction
            .get("embeddings")
            .and_then(|embeddings| embeddings.get("statistics"));
        if let Some(tokens) = statistics.and_then(|statistics| statistics.get("token_count")) {
            let mut count = None;
            set(&mut count, tokens, &mut self.unreadable);
            self.input = add(self.input, count);
        }
        let is_image = prediction
            .get("mimeType")
            .and_then(Json::word)
            .is_some_and(|kind| kind.starts_with("image/"));
        let is_there = ["bytesBase64Encoded", "gcsUri"]
            .iter()
            .any(|name| prediction.get(name).is_some());
        self.images += u32::from(is_image && is_there);
    }

    fn metadata(&mut self, metadata: Json<'_>) {
        for (name, value) in metadata.fields() {
            match name {
                b"billableCharacterCount" => set(&mut self.characters, value, &mut self.unreadable),
                b"tokenMetadata" => {
                    let total = |name: &str| value.get(name).and_then(|count| count.get("totalTokens"));
                    if let Some(count) = total("inputTokenCount") {
                        set(&mut self.input, count, &mut self.unreadable);
                    }
                    if let Some(count) = total("outputTokenCount") {
                        set(&mut self.output, count, &mut self.unreadable);
                    }
                }
                _ => {}
            }
        }
    }
}

impl WireForm for VertexPredict {
    fn keep(&self) -> KeptFields {
        KEEP
    }

    fn read_body(&mut self, body: Json<'_>) {
        for (name, value) in body.fields() {
            match name {
                b"predictions" => value.items().for_each(|prediction| self.prediction(prediction)),
                b"metadata" => self.metadata(value),
                b"error" => self.error = error_signs::of_field(value),
                _ => {}
            }
        }
    }

    fn finish(&mut self) -> Reading {
        let images = (self.images > 0).then(|| Decimal::from(self.images));
        let reported = [
            (Unit::InputTokens, self.input),
            (Unit::OutputTokens, self.output),
            // Older models bill characters; those that count tokens bill these.
            (
                Unit::InputCharacters,
                self.characters.filter(|_| self.input.is_none()),
            ),
            (Unit::Images, images),
        ];
        let usage = Usage::of_reported(&reported);
        Reading {
            understood: !usage.is_empty(),
            has_usage: !usage.is_empty(),
            is_suspect: self.unreadable,
            usage,
            error: self.error,
            ..Reading::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{body, count};
    use super::*;
    use crate::dec;

    #[test]
    fn embeddings_add_up() {
        let seen = body(
            VertexPredict::default(),
            r#"{"predictions":[{"embeddings":{"statistics":{"token_count":4,"truncated":false},"values":[0.1]}},{"embeddings":{"statistics":{"token_count":9.0},"values":[0.2]}}],"metadata":{"billableCharacterCount":40}}"#,
        );
        assert_eq!(count(&seen, Unit::InputTokens), Some(dec!(13)));
        assert_eq!(count(&seen, Unit::InputCharacters), None);
        assert!(!seen.is_suspect);
    }

    #[test]
    fn images_are_counted_and_older_models_count_characters() {
        let images = body(
            VertexPredict::default(),
            r#"{"predictions":[{"mimeType":"image/png","bytesBase64Encoded":"AAAA"},{"mimeType":"image/png","gcsUri":"gs://b/o"},{"raiFilteredReason":"x"}]}"#,
        );
        assert_eq!(count(&images, Unit::Images), Some(dec!(2)));
        let characters = body(
            VertexPredict::default(),
            r#"{"predictions":[{"content":"x"}],"metadata":{"billableCharacterCount":40}}"#,
        );
        assert_eq!(count(&characters, Unit::InputCharacters), Some(dec!(40)));
        let tokens = body(
            VertexPredict::default(),
            r#"{"predictions":[{"content":"x"}],"metadata":{"tokenMetadata":{"inputTokenCount":{"totalTokens":5,"totalBillableCharacters":20},"outputTokenCount":{"totalTokens":7}}}}"#,
        );
        assert_eq!(count(&tokens, Unit::InputTokens), Some(dec!(5)));
        assert_eq!(count(&tokens, Unit::OutputTokens), Some(dec!(7)));
    }
}
