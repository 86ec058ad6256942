//! Prices that cannot be meant are not used.
//!
//! Public lists now and then carry a price per thousand or per million where one per token is meant.
//! The dearest real model (o1-pro, 2026-11-22) costs 150 dollars per million prompt tokens and 600 per
//! million completion tokens; the limits leave room above it and stop what is a slip of three digits.

use crate::dec;
use rust_decimal::Decimal;

use super::table::{Code, Component};

/// Why a listed price is not used.
pub(crate) const REFUSED: &str = "listed price is absurd";

/// The highest price that one unit of a component can have.
pub(crate) const fn limit(component: Component) -> Decimal {
    use Component as C;
    match component {
        C::Input
        | C::CacheRead
        | C::CacheWrite
        | C::CacheWrite1h
        | C::CacheWrite12h
        | C::ExplicitCacheRead
        | C::InputAudio
        | C::CacheReadAudio
        | C::CacheReadImage
        | C::CacheWriteAudio
        | C::InputImageToken
        | C::InputVideoToken
        | C::Citation => dec!(0.0004),
        C::Output | C::Reasoning | C::OutputAudio | C::OutputImageToken | C::OutputVideoToken => dec!(0.001),
        C::InputPixel | C::OutputPixel => dec!(0.00001),
        C::InputCharacter | C::OutputCharacter => dec!(0.001),
        C::XResidencyUs | C::XResidencyEu | C::XRegional | C::XGeoUs | C::XSpeedFast => dec!(10),
        _ => dec!(10),
    }
}

/// Whether a price can be meant. Priority and ultrafast tiers cost up to twelve times the plain price.
pub(crate) fn is_sane(code: Code, price: Decimal) -> bool {
    let Some(component) = code.component() else {
        return false;
    };
    price >= Decimal::ZERO && price <= limit(component)
}
