//! One count of a report.

use rust_decimal::Decimal;

use crate::money::exact_sum;
use crate::usage::framing::Json;

/// A count that may not have been reported.
pub(super) type Count = Option<Decimal>;

/// Takes a count over. What is no number leaves the slot as it was; a number that does not fit a
/// decimal makes the report unreadable.
#[inline]
pub(super) fn set(slot: &mut Count, value: Json<'_>, unreadable: &mut bool) {
    match value.amount() {
        Some(number) => *slot = Some(number),
        None => *unreadable |= value.is_number(),
    }
}

/// The sum of two counts, of which one or both may not have been reported.
pub(super) fn add(a: Count, b: Count) -> Count {
    match (a, b) {
        (Some(a), Some(b)) => exact_sum(a, b),
        (a, b) => a.or(b),
    }
}

/// A count that is worth reporting: none where it is zero.
pub(super) fn some(count: Decimal) -> Count {
    (!count.is_zero()).then_some(count)
}
