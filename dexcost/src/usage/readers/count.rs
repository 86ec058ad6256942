//! One count of a report, and how several that mean the same agree.

use rust_decimal::Decimal;

use crate::money::exact_sum;
use crate::usage::framing::Json;

/// A count that may not have been reported.
pub(super) type Count = Option<Decimal>;

/// Takes a count over. What is no number leaves the slot as it was; a number that does not fit a
/// decimal makes the report unreadable.
///
/// A zero does not replace a count: gateways write every name that a unit has and leave those that
/// they do not use at zero, and some that rebuild a stream repeat its prompt as zero.
#[inline]
pub(super) fn set(slot: &mut Count, value: Json<'_>, unreadable: &mut bool) {
    match value.amount() {
        Some(number) if number.is_zero() && is_counted(*slot) => {}
        Some(number) => *slot = Some(number),
        None => *unreadable |= value.is_number(),
    }
}

/// Whether something was counted, and not nothing.
pub(super) fn is_counted(count: Count) -> bool {
    count.is_some_and(|count| !count.is_zero())
}

/// A count, or, where that says nothing, the same unit's under another name.
pub(super) fn counted(own: Count, other: Count) -> Count {
    if is_counted(own) || other.is_none() {
        own
    } else {
        other
    }
}

/// What is left of a total beside a part of it; unknown where the part exceeds it or is negative.
pub(super) fn rest(total: Count, part: Count) -> Count {
    let part = part.filter(|part| !part.is_sign_negative() || part.is_zero())?;
    exact_sum(total?, -part).filter(|rest| !rest.is_sign_negative())
}

/// A sum of counts, of which those that were not reported add nothing. A negative count says nothing
/// about the sum, which is then that count, so that it is seen to be impossible.
pub(super) fn whole<const N: usize>(counts: [Count; N]) -> Count {
    let negative = |count: &Decimal| count.is_sign_negative() && !count.is_zero();
    let impossible = counts.iter().flatten().find(|count| negative(count));
    impossible.copied().or_else(|| counts.into_iter().fold(None, add))
}

/// Prompt and completion under the names of the OpenAI forms, in a usage object of another form:
/// gateways write them beside its own, or in their place.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ForeignCounts {
    pub(super) prompt: Count,
    pub(super) completion: Count,
}

impl ForeignCounts {
    /// Looks at one field of a usage object; false where it is about something else.
    pub(super) fn field(&mut self, name: &[u8], value: Json<'_>, unreadable: &mut bool) -> bool {
        let slot = match name {
            b"prompt_tokens" | b"input_tokens" => &mut self.prompt,
            b"completion_tokens" | b"output_tokens" => &mut self.completion,
            _ => return false,
        };
        set(slot, value, unreadable);
        true
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
