//! Retrievals: they show the usage of an earlier call, so only whether there is any matters.

use super::{KeptFields, Reading, Setup, WireForm};
use crate::usage::framing::{Json, Keep};

/// Of a retrieved response, or of the events of a stream that is resumed.
const KEEP: KeptFields = &[
    ("usage", Keep::All),
    ("response", Keep::Fields(&[("usage", Keep::All)])),
    ("interaction", Keep::Fields(&[("usage", Keep::All)])),
    // Replicate's predictions.
    ("metrics", Keep::Fields(&[("predict_time", Keep::All)])),
];

/// Notes whether there is usage.
#[derive(Debug)]
pub(crate) struct Retrieval {
    has_usage: bool,
}

impl Retrieval {
    pub(super) fn new(_: &Setup<'_>) -> Self {
        Self { has_usage: false }
    }
}

impl WireForm for Retrieval {
    fn keep(&self) -> KeptFields {
        KEEP
    }

    fn read_body(&mut self, body: Json<'_>) {
        let inner = body
            .get("response")
            .or_else(|| body.get("interaction"))
            .and_then(|inner| inner.get("usage"));
        let time = body
            .get("metrics")
            .and_then(|metrics| metrics.get("predict_time"));
        self.has_usage |= body.get("usage").or(inner).is_some_and(Json::is_object) || time.is_some();
    }

    fn finish(&mut self) -> Reading {
        Reading {
            has_usage: self.has_usage,
            ..Reading::default()
        }
    }
}
