//! Groq.

use super::record::{Minimum, Provider};
use crate::dec;
use crate::event::CallType;
use crate::usage::Unit;

pub(super) const PROVIDERS: &[Provider] = &[Provider {
    paths: &["groq"],
    minimums: &[
        // "Minimum billed length" (<https://console.groq.com/docs/speech-to-text>).
        Minimum {
            call_type: CallType::Transcription,
            unit: Unit::AudioSeconds,
            quantity: dec!(10),
            as_of: "2026-11-27",
        },
    ],
    ..Provider::at("groq", &["api.groq.com"])
}];
