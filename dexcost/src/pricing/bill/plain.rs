//! The usual call: tokens of a listed model at listed prices, with nothing that changes them.
//!
//! Recording a call waits for its price, so this case is worked out in whole numbers. It bills what
//! [`tokens`](super::tokens) bills, and leaves to it whatever needs a second look.

use rust_decimal::Decimal;

use super::arithmetic::{TENS, WIDEST, from_parts};
use super::{Bill, Call, Mix, multiplier};
use crate::event::CallType;
use crate::pricing::entry::Entry;
use crate::pricing::query::PriceLine;
use crate::pricing::table::{self, Component, Rate, Rates, Tier};
use crate::text::Text;
use crate::usage::Unit;

/// One addend: the tokens and the price of one.
type Addend = (Unit, u64, Rate);

/// Bills the call, if it is a usual one.
#[inline]
pub(super) fn charge(call: &Call<'_>, bill: &mut Bill<'_>) -> bool {
    let Some(rates) = listed_rates(call) else {
        return false;
    };
    let Some(addends) = addends(call, rates) else {
        return false;
    };
    let Some(total) = total(&addends) else {
        return false;
    };
    if let Some(lines) = bill.lines.as_deref_mut() {
        for (unit, count, rate) in addends {
            if count > 0 {
                lines.push(PriceLine {
                    what: Text::lasting(unit.as_str()),
                    quantity: Decimal::from(count),
                    unit_usd: rate.decimal(),
                    usd: from_parts(u128::from(rate.mantissa) * u128::from(count), rate.scale),
                });
            }
        }
    }
    bill.total = total;
    true
}

/// The listed prices, where they hold as they are: no tier, range, hour, threshold or factor.
#[inline]
fn listed_rates(call: &Call<'_>) -> Option<Rates<'static>> {
    let Entry::Bundled(row) = call.entry else {
        return None;
    };
    let lowest = table::threshold(1).unwrap_or(0);
    let holds = call.mix.is_common()
        && !row.varies()
        && (call.mix.prompt < lowest || !row.rates().has_thresholds())
        && call.query.call_type != CallType::Batch
        && call.tier() == Tier::Standard
        && multiplier(call).is_none();
    holds.then(|| row.rates())
}

/// The pieces in the order of the bill, where each has a price of its own.
#[inline]
fn addends(call: &Call<'_>, rates: Rates<'_>) -> Option<[Addend; 6]> {
    let mix: &Mix = call.mix;
    let of = |unit: Unit, count: u64, component: Component| {
        if count == 0 {
            return Some((unit, 0, Rate::ZERO));
        }
        Some((unit, count, rates.first(component)?))
    };
    let output = of(Unit::OutputTokens, mix.out_text, Component::Output)?;
    let reasoning = match of(Unit::ReasoningTokens, mix.reasoning, Component::Reasoning) {
        Some(own) if mix.reasoning == 0 || !call.provider.quirks().flat_output => own,
        _ => of(Unit::ReasoningTokens, mix.reasoning, Component::Output)?,
    };
    // Where output is listed at zero, another price may stand in.
    let is_free = |addend: &Addend| addend.1 > 0 && addend.2.mantissa == 0;
    if is_free(&output) || is_free(&reasoning) {
        return None;
    }
    Some([
        of(Unit::InputTokens, mix.text, Component::Input)?,
        of(Unit::CacheReadTokens, mix.read, Component::CacheRead)?,
        of(Unit::CacheWriteTokens, mix.write, Component::CacheWrite)?,
        of(Unit::CacheWrite1hTokens, mix.write_1h, Component::CacheWrite1h)?,
        output,
        reasoning,
    ])
}

/// The exact sum: `Some(None)` where nothing was consumed, `None` where it needs wider numbers.
#[inline]
fn total(addends: &[Addend; 6]) -> Option<Option<Decimal>> {
    let used = || addends.iter().filter(|(_, count, _)| *count > 0);
    let Some(scale) = used().map(|(_, _, rate)| rate.scale).max() else {
        return Some(None);
    };
    let mut sum = 0u128;
    for (_, count, rate) in used() {
        let product = rate.mantissa.checked_mul(*count)?;
        let ten = TENS.get((scale - rate.scale) as usize)?;
        sum += u128::from(product) * u128::from(*ten);
    }
    (sum <= WIDEST).then(|| Some(from_parts(sum, scale)))
}

#[cfg(test)]
mod tests {
    use super::super::units;
    use super::*;
    use crate::clock::Timestamp;
    use crate::pricing::names::Biller;
    use crate::pricing::query::{Lines, PriceQuery};
    use crate::usage::Usage;
    use proptest::prelude::*;

    fn billed(
        call: &Call<'_>,
        how: impl Fn(&Call<'_>, &mut Bill<'_>) -> bool,
    ) -> Option<(Lines, Vec<Text>, Option<[u8; 16]>)> {
        let mut lines = Lines::new();
        let mut bill = Bill::new(Some(&mut lines));
        if !how(call, &mut bill) {
            return None;
        }
        let (unpriced, total) = (bill.unpriced.to_vec(), bill.total.map(|total| total.serialize()));
        Some((lines, unpriced, total))
    }

    fn counts() -> impl Strategy<Value = Vec<(Unit, u64)>> {
        let unit = prop::sample::select(vec![
            Unit::InputTokens,
            Unit::OutputTokens,
            Unit::CacheReadTokens,
            Unit::CacheWriteTokens,
            Unit::CacheWrite1hTokens,
            Unit::ReasoningTokens,
            Unit::InputAudioTokens,
            Unit::WebSearchRequests,
        ]);
        let count = prop_oneof![0u64..3, 0u64..2_000_000, any::<u64>()];
        prop::collection::vec((unit, count), 0..6)
    }

    /// Both ways over one usage, for every model of the tables.
    fn agree(counts: &[(Unit, u64)], tier: Option<&str>, kind: CallType) -> usize {
        let usage: Usage = counts
            .iter()
            .map(|(unit, count)| (*unit, (*count).into()))
            .collect();
        let mix = Mix::of(&usage);
        let mut quick = 0;
        for name in (0..table::len()).filter_map(table::Name::at) {
            let row = name.row(u64::MAX);
            let query = PriceQuery {
                service_tier: tier,
                call_type: kind,
                ..PriceQuery::new(name.as_str(), &usage, Timestamp::from_unix_micros(0))
            };
            let call = Call {
                query: &query,
                entry: Entry::Bundled(row),
                provider: Biller::of(row.provider()),
                mix: &mix,
            };
            let slow = billed(&call, |call, bill| {
                units::charge(call, bill);
                true
            });
            if let Some(fast) = billed(&call, charge) {
                quick += 1;
                assert_eq!(Some(fast), slow, "{}", name.as_str());
            }
        }
        quick
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn the_quick_way_bills_what_the_long_way_bills(
            counts in counts(),
            tier in prop::option::of(prop::sample::select(vec!["priority", "default"])),
            kind in prop::sample::select(vec![CallType::Completion, CallType::Batch, CallType::Embedding]),
        ) {
            agree(&counts, tier, kind);
        }
    }

    #[test]
    fn most_models_take_the_quick_way() {
        let usual = [(Unit::InputTokens, 1000), (Unit::OutputTokens, 200)];
        assert!(agree(&usual, None, CallType::Completion) > table::len() / 2);
    }
}
