//! What was consumed, in units, before any price.
//!
//! [`Usage`] is the normal form: the input total includes cache reads and writes, the output total
//! includes reasoning. Absent is not zero, and an explicit zero is a report.

pub(crate) mod framing;
pub(crate) mod readers;
mod unit;

use std::borrow::Borrow;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smallvec::SmallVec;

pub use unit::Unit;

/// Quantities by unit. A unit that is not there was not reported.
///
/// ```
/// use dexcost::{Unit, Usage};
///
/// let usage = Usage::new().with(Unit::InputTokens, 1000).with(Unit::OutputTokens, 0);
/// assert_eq!(usage.count(Unit::InputTokens), 1000);
/// assert_eq!(usage.get(Unit::OutputTokens), Some(0.into()));
/// assert_eq!(usage.get(Unit::ReasoningTokens), None);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Usage {
    entries: SmallVec<[(Unit, Decimal); 4]>,
}

/// The same quantities, in whatever order they were set.
impl PartialEq for Usage {
    fn eq(&self, other: &Self) -> bool {
        self.entries.len() == other.entries.len()
            && self
                .entries
                .iter()
                .all(|(unit, quantity)| other.get(*unit) == Some(*quantity))
    }
}

impl Eq for Usage {}

impl Usage {
    /// No quantities at all.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            entries: SmallVec::new_const(),
        }
    }

    /// What was reported of these units, of which none stands there twice.
    #[inline]
    pub(crate) fn of_reported<Q: Borrow<Option<Decimal>>, const COUNT: usize>(
        reported: &[(Unit, Q); COUNT],
    ) -> Self {
        let quantities = || reported.iter().map(|(unit, quantity)| (*unit, quantity.borrow()));
        let count = quantities().filter(|(_, quantity)| quantity.is_some()).count();
        let mut entries = SmallVec::with_capacity(count);
        for (unit, quantity) in quantities() {
            if let Some(quantity) = quantity {
                entries.push((unit, *quantity));
            }
        }
        Self { entries }
    }

    /// This usage with one quantity set.
    #[must_use]
    pub fn with(mut self, unit: Unit, quantity: impl Into<Decimal>) -> Self {
        self.set(unit, quantity);
        self
    }

    /// Sets a quantity, over an earlier one.
    pub fn set(&mut self, unit: Unit, quantity: impl Into<Decimal>) {
        let quantity = quantity.into();
        match self.entries.iter_mut().find(|(u, _)| *u == unit) {
            Some(entry) => entry.1 = quantity,
            None => self.entries.push((unit, quantity)),
        }
    }

    /// Takes a quantity out, back to "not reported".
    pub fn unset(&mut self, unit: Unit) {
        self.entries.retain(|(u, _)| *u != unit);
    }

    /// The quantity as reported, which may be negative or fractional; `None` where none was.
    #[must_use]
    pub fn get(&self, unit: Unit) -> Option<Decimal> {
        self.entries.iter().find(|(u, _)| *u == unit).map(|(_, q)| *q)
    }

    /// The quantity as a whole number: absent and negative are 0, fractions are cut off, and more
    /// than `u64::MAX` is `u64::MAX`.
    #[must_use]
    pub fn count(&self, unit: Unit) -> u64 {
        self.reported_count(unit).unwrap_or(0)
    }

    /// The same; `None` where none was reported.
    pub(crate) fn reported_count(&self, unit: Unit) -> Option<u64> {
        let quantity = self.get(unit)?;
        if quantity.is_sign_negative() {
            return Some(0);
        }
        let whole = if quantity.scale() == 0 {
            quantity
        } else {
            quantity.trunc()
        };
        Some(whole.to_u64().unwrap_or(u64::MAX))
    }

    /// Takes over every quantity of `later`, field by field: what it does not report stays.
    pub fn merge(&mut self, later: &Self) {
        for (unit, quantity) in later.iter() {
            self.set(unit, quantity);
        }
    }

    /// The quantities, in the order in which they were first set.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = (Unit, Decimal)> + '_ {
        self.entries.iter().copied()
    }

    /// The quantities where they lie.
    #[inline]
    pub(crate) fn as_slice(&self) -> &[(Unit, Decimal)] {
        &self.entries
    }

    /// Whether tokens that went in or came out were reported, be they none.
    pub(crate) fn has_tokens(&self) -> bool {
        self.get(Unit::InputTokens).is_some() || self.get(Unit::OutputTokens).is_some()
    }

    /// Whether nothing was reported.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl FromIterator<(Unit, Decimal)> for Usage {
    fn from_iter<I: IntoIterator<Item = (Unit, Decimal)>>(quantities: I) -> Self {
        let mut usage = Self::new();
        for (unit, quantity) in quantities {
            usage.set(unit, quantity);
        }
        usage
    }
}

impl Serialize for Usage {
    /// A map of unit names to plain decimal strings, sorted by unit.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entries = self.entries.clone();
        entries.sort_unstable_by_key(|(unit, _)| *unit);
        let mut map = serializer.serialize_map(Some(entries.len()))?;
        for (unit, quantity) in entries {
            map.serialize_entry(unit.as_str(), &crate::money::plain(quantity))?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Usage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Quantities;
        impl<'de> Visitor<'de> for Quantities {
            type Value = Usage;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a map of unit names to decimal strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Usage, A::Error> {
                let mut usage = Usage::new();
                while let Some((unit, text)) = map.next_entry::<Unit, String>()? {
                    usage.set(
                        unit,
                        crate::money::parse(&text).map_err(serde::de::Error::custom)?,
                    );
                }
                Ok(usage)
            }
        }
        deserializer.deserialize_map(Quantities)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dec;

    #[test]
    fn impossible_quantities_are_kept_as_they_are_and_counted_as_clamped() {
        let usage = Usage::new()
            .with(Unit::InputTokens, -5)
            .with(Unit::AudioSeconds, dec!(1.9));
        assert_eq!(usage.get(Unit::InputTokens), Some(dec!(-5)));
        assert_eq!(usage.count(Unit::InputTokens), 0);
        assert_eq!(usage.count(Unit::AudioSeconds), 1);
    }

    #[test]
    fn usage_survives_json_with_every_digit() {
        let usage = Usage::new()
            .with(Unit::AudioSeconds, dec!(1.123456789012345678))
            .with(Unit::InputTokens, 3);
        let text = serde_json::to_string(&usage).unwrap();
        assert_eq!(
            text,
            r#"{"input_tokens":"3","audio_seconds":"1.123456789012345678"}"#
        );
        assert_eq!(
            serde_json::from_str::<Usage>(&text)
                .unwrap()
                .get(Unit::AudioSeconds),
            Some(dec!(1.123456789012345678))
        );
    }

    #[test]
    fn a_later_report_overrides_only_what_it_reports() {
        let mut usage = Usage::new()
            .with(Unit::InputTokens, 10)
            .with(Unit::OutputTokens, 1);
        usage.merge(&Usage::new().with(Unit::OutputTokens, 7));
        assert_eq!(
            (usage.count(Unit::InputTokens), usage.count(Unit::OutputTokens)),
            (10, 7)
        );
    }
}
