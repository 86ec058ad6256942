//! What an own price leaves open, taken from the listed prices of the same model.

use rust_decimal::Decimal;

use crate::money;
use crate::pricing::entry::OwnEntry;
use crate::pricing::names::{self, Hints};
use crate::pricing::table::{Code, Component, Row};

/// A price so many times off the listed one is taken, and warned about.
const SUSPICIOUS_RATIO: u32 = 100;

/// Components that follow the price of a prompt token.
const BY_INPUT: &[Component] = &[
    Component::CacheRead,
    Component::CacheWrite,
    Component::CacheWrite1h,
    Component::CacheWrite12h,
    Component::InputAudio,
    Component::CacheReadAudio,
    Component::CacheReadImage,
    Component::InputImageToken,
    Component::InputVideoToken,
];

/// Components that follow the price of a completion token.
const BY_OUTPUT: &[Component] = &[
    Component::Reasoning,
    Component::OutputAudio,
    Component::OutputImageToken,
    Component::OutputVideoToken,
];

/// Completes an entry that names the prices of prompt and completion alone: what else the model lists keeps
/// its listed ratio to them. Without a listed model the entry stays as it is.
pub(crate) fn complete(model: &str, entry: &mut OwnEntry) {
    let Some(listed) = listed(model, entry) else {
        return;
    };
    let own = |component| rate(entry, component);
    let (input, output) = (own(Component::Input), own(Component::Output));
    let doubts = [
        doubt("input", input, listed, Component::Input),
        doubt("output", output, listed, Component::Output),
    ];
    for doubt in doubts.into_iter().flatten() {
        tracing::warn!(target: "dexcost::pricing", model, "{doubt}");
        entry.doubts.push(doubt);
    }
    let is_alone = entry.rates.len() == 2 && entry.ranges.is_empty() && entry.off_peak.is_none();
    let (true, Some(input), Some(output)) = (is_alone, input, output) else {
        return;
    };
    let by_input = BY_INPUT
        .iter()
        .map(|component| (component, Component::Input, input));
    let by_output = BY_OUTPUT
        .iter()
        .map(|component| (component, Component::Output, output));
    for (component, base, own) in by_input.chain(by_output) {
        if let Some(price) = at_listed_ratio(listed, *component, base, own) {
            entry.rates.push((Code::plain(*component), price));
            entry.derived.push(*component);
        }
    }
    entry.rates.sort_by_key(|(code, _)| *code);
}

/// The row of the bundled table for the model, at the time from which the entry holds.
fn listed(model: &str, entry: &OwnEntry) -> Option<Row> {
    let hints = Hints {
        provider: entry.provider.as_deref(),
        at_seconds: entry.since_seconds,
        ..Hints::default()
    };
    names::resolve(model, &hints, None)?.hit.map(|(_, row)| row)
}

fn rate(entry: &OwnEntry, component: Component) -> Option<Decimal> {
    let found = entry
        .rates
        .iter()
        .find(|(code, _)| *code == Code::plain(component));
    found.map(|(_, price)| *price)
}

fn at_listed_ratio(listed: Row, component: Component, base: Component, own: Decimal) -> Option<Decimal> {
    let price = |component| listed.rates().get(Code::plain(component));
    let base = price(base).filter(|base| !base.is_zero())?;
    money::exact_product(own, price(component)?)?.checked_div(base)
}

/// Says of an own price that it is far off the listed one.
fn doubt(what: &str, own: Option<Decimal>, listed: Row, component: Component) -> Option<String> {
    let (own, listed) = own.zip(listed.rates().get(Code::plain(component)))?;
    let far = |a: Decimal, b: Decimal| {
        let most = b.checked_mul(Decimal::from(SUSPICIOUS_RATIO));
        !b.is_zero() && most.is_some_and(|most| a > most)
    };
    (far(own, listed) || far(listed, own)).then(|| {
        format!(
            "the own {what} price is {} USD a token, the listed one {}: is its unit right?",
            money::plain(own),
            money::plain(listed)
        )
    })
}
