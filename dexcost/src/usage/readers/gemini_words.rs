//! The words of Gemini's enums, also where a client asked for their numbers.
//!
//! Numbers as in the protocol buffers `google.ai.generativelanguage.v1beta` and
//! `google.cloud.aiplatform.v1`, read 2026-11 (<https://github.com/googleapis/googleapis>).

use rust_decimal::prelude::ToPrimitive;

use crate::text::Text;
use crate::usage::framing::Json;

/// Finish reasons that both protocols number alike, from 1.
const FINISH: &[&str] = &["STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER"];

/// The rest on Google's own API, from 6.
const FINISH_OWN: &[&str] = &[
    "LANGUAGE",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "MALFORMED_FUNCTION_CALL",
    "IMAGE_SAFETY",
    "UNEXPECTED_TOOL_CALL",
    "TOO_MANY_TOOL_CALLS",
];

/// The rest on Vertex, from 6.
const FINISH_VERTEX: &[&str] = &[
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "MALFORMED_FUNCTION_CALL",
    "MODEL_ARMOR",
];

/// Kinds of traffic, from 1.
const TRAFFIC: &[&str] = &[
    "ON_DEMAND",
    "PROVISIONED_THROUGHPUT",
    "ON_DEMAND_PRIORITY",
    "ON_DEMAND_FLEX",
];

/// Service tiers, from 1.
const TIERS: &[&str] = &["standard", "flex", "priority"];

/// What tokens stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Modality {
    Text,
    Image,
    Video,
    Audio,
    Document,
}

/// A finish reason, none where it is not specified.
pub(super) fn finish(value: Json<'_>, is_vertex: bool) -> Option<Text> {
    let rest = if is_vertex { FINISH_VERTEX } else { FINISH_OWN };
    word(value, |number| {
        FINISH
            .get(number)
            .or_else(|| rest.get(number.checked_sub(FINISH.len())?))
            .copied()
    })
}

/// A kind of traffic.
pub(super) fn traffic(value: Json<'_>) -> Option<Text> {
    word(value, |number| TRAFFIC.get(number).copied())
}

/// A service tier.
pub(super) fn tier(value: Json<'_>) -> Option<Text> {
    word(value, |number| TIERS.get(number).copied())
}

pub(super) fn modality(value: Json<'_>) -> Modality {
    let word = value.str().unwrap_or_default();
    let is = |name: &str| word.eq_ignore_ascii_case(name);
    match value.number().and_then(|number| number.to_u8()) {
        Some(2) => Modality::Image,
        Some(3) => Modality::Video,
        Some(4) => Modality::Audio,
        Some(5) => Modality::Document,
        _ if is("image") => Modality::Image,
        _ if is("video") => Modality::Video,
        _ if is("audio") => Modality::Audio,
        _ if is("document") => Modality::Document,
        _ => Modality::Text,
    }
}

/// A word, or the one that a number stands for: `named` is asked with one less.
fn word(value: Json<'_>, named: impl Fn(usize) -> Option<&'static str>) -> Option<Text> {
    let Some(number) = value.number() else {
        return value.text();
    };
    let named = named(number.to_usize()?.checked_sub(1)?);
    Some(named.map_or_else(|| Text::from(number.to_string()), Text::from_static))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_words_mean_the_same() {
        let word = |text: &str, is_vertex| finish(Json::new(text.as_bytes()), is_vertex);
        assert_eq!(word("1,", false).as_deref(), Some("STOP"));
        assert_eq!(word("\"STOP\"", true).as_deref(), Some("STOP"));
        assert_eq!(word("7,", false).as_deref(), Some("BLOCKLIST"));
        assert_eq!(word("6,", true).as_deref(), Some("BLOCKLIST"));
        assert_eq!(word("99,", true).as_deref(), Some("99"));
        assert_eq!(word("0,", true), None);
        assert_eq!(traffic(Json::new(b"4,")).as_deref(), Some("ON_DEMAND_FLEX"));
        assert_eq!(modality(Json::new(b"4,")), Modality::Audio);
        assert_eq!(modality(Json::new(b"\"audio\"")), Modality::Audio);
        assert_eq!(modality(Json::new(b"\"TEXT\"")), Modality::Text);
    }
}
