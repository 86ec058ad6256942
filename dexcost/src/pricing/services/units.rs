//! The units of the catalog in those of `Usage`.

use crate::usage::Unit;

/// The unit of usage that a unit of the catalog is; what has none of its own is a rate unit.
pub(super) fn of(unit: &str, category: &str) -> Unit {
    match unit {
        "request" | "query" | "search" | "command" | "transaction" | "event" | "action" => Unit::Requests,
        "token" => Unit::InputTokens,
        "character" => Unit::InputCharacters,
        "page" => Unit::Pages,
        "image" => Unit::Images,
        "search_unit" => Unit::SearchUnits,
        "second" if matches!(category, "speech" | "speech_to_text") => Unit::AudioSeconds,
        "second" if category == "video_ai" => Unit::VideoSeconds,
        "second" | "vcpu_second" => Unit::ComputeSeconds,
        "characters" => Unit::InputCharacters,
        _ => unit.parse().unwrap_or(Unit::RateUnits),
    }
}
