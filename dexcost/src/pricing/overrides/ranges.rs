//! Prices inside ranges.

use yaml_rust2::Yaml;

use super::fault::{Read, fault, known_keys};
use super::prices::flat_prices;
use crate::pricing::entry::{OwnEntry, OwnRange};

/// Reads the ranges of an entry, by prompt tokens or by results.
pub(super) fn read_ranges(model: &str, value: &Yaml, entry: &mut OwnEntry) -> Read<()> {
    let at = format!("{model}, ranges");
    let Some(rows) = value.as_vec() else {
        return if matches!(value, Yaml::BadValue) {
            Ok(())
        } else {
            fault(&at, "a list of ranges is needed")
        };
    };
    for (index, row) in rows.iter().enumerate() {
        known_keys(
            &at,
            row,
            &["above", "up_to", "from_results", "to_results", "prices"],
        )?;
        let number = |key: &str| match &row[key] {
            Yaml::Integer(number) => u64::try_from(*number).ok(),
            _ => None,
        };
        let by_results = number("from_results").is_some();
        let (low, high) = if by_results {
            ("from_results", "to_results")
        } else {
            ("above", "up_to")
        };
        let (Some(low), Some(high)) = (number(low), number(high)) else {
            return fault(
                &at,
                "each range needs whole numbers `above` and `up_to` (prompt tokens), or `from_results` and `to_results`",
            );
        };
        if low > high || (index > 0 && by_results != entry.ranges_by_results) {
            return fault(
                &at,
                format!("the range from {low} to {high} is upside down or of another kind than the first"),
            );
        }
        entry.ranges_by_results = by_results;
        let rates = flat_prices(&format!("{at}, {low}-{high}"), &row["prices"])?;
        entry.ranges.push(OwnRange { low, high, rates });
    }
    Ok(())
}
