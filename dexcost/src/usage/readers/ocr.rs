//! Mistral's document reading: `POST /v1/ocr`.
//!
//! Reference: <https://docs.mistral.ai/api/endpoint/ocr>, read 2026-11. Pages are billed, annotated pages at
//! a price of their own; the pages' text may be megabytes and is skipped.

use super::error_signs::{self, KEEP_ERROR};
use super::{KeptFields, Reading, Setup, WireForm};
use crate::event::ErrorType;
use crate::text::Text;
use crate::usage::framing::{Json, Keep};
use crate::usage::{Unit, Usage};

const KEEP: KeptFields = &[
    ("model", Keep::All),
    ("usage_info", Keep::All),
    ("error", KEEP_ERROR),
    ("object", Keep::All),
    ("type", Keep::All),
    ("code", Keep::All),
];

/// Reads how much of a document was read.
#[derive(Debug, Default)]
pub(crate) struct Ocr {
    usage: Usage,
    model: Option<Text>,
    error: Option<ErrorType>,
}

impl Ocr {
    pub(super) fn new(_: &Setup<'_>) -> Self {
        Self::default()
    }
}

impl WireForm for Ocr {
    fn keep(&self) -> KeptFields {
        KEEP
    }

    fn read_body(&mut self, body: Json<'_>) {
        for (name, value) in body.fields() {
            match name {
                b"model" => self.model = value.text(),
                b"usage_info" => {
                    let count = |name: &str| value.get(name).and_then(Json::number);
                    self.usage = Usage::of_reported(&[
                        (Unit::Pages, count("pages_processed")),
                        (Unit::AnnotationPages, count("pages_processed_annotation")),
                    ]);
                }
                b"error" => self.error = error_signs::of_field(value),
                b"object" if value.word() == Some("error") => self.error = Some(error_signs::of_object(body)),
                _ => {}
            }
        }
    }

    fn finish(&mut self) -> Reading {
        Reading {
            has_usage: !self.usage.is_empty(),
            understood: !self.usage.is_empty(),
            usage: std::mem::take(&mut self.usage),
            model: self.model.take(),
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
    fn pages_are_counted() {
        let seen = body(
            Ocr::default(),
            r##"{"pages":[{"index":0,"markdown":"# a","images":[]}],"model":"mistral-ocr-x","usage_info":{"pages_processed":3,"doc_size_bytes":9000}}"##,
        );
        assert_eq!(count(&seen, Unit::Pages), Some(dec!(3)));
        assert_eq!(count(&seen, Unit::AnnotationPages), None);
        assert_eq!(seen.model.as_deref(), Some("mistral-ocr-x"));
    }
}
