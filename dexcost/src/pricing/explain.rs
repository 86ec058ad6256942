//! The steps that lead to a price, for people who want to check them by hand.

use std::fmt;

use super::bill::{self, Call, Mix};
use super::engine::PricingEngine;
use super::entry::Entry;
use super::matching::Match;
use super::query::{CostResult, PriceQuery, Rung};
use super::table::{Component, Tier};
use crate::clock::Timestamp;
use crate::money::plain;

/// How a cost comes about: the name, the price list, each line, the sum.
///
/// It prints as text. The lines of [`result`](Self::result) are the same that were billed: they add up
/// to its cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    name_steps: Vec<String>,
    price_steps: Vec<String>,
    result: CostResult,
}

impl Explanation {
    /// What was tried to find the model, in order.
    #[must_use]
    pub fn name_steps(&self) -> &[String] {
        &self.name_steps
    }

    /// Which prices of the model hold, and why.
    #[must_use]
    pub fn price_steps(&self) -> &[String] {
        &self.price_steps
    }

    /// The priced answer, the same that [`PricingEngine::price`] gives.
    #[must_use]
    pub const fn result(&self) -> &CostResult {
        &self.result
    }

    pub(crate) fn add_price_step(&mut self, step: impl Into<String>) {
        self.price_steps.push(step.into());
    }

    /// Adds the steps of a call inside the same call.
    pub(crate) fn add_part(&mut self, model: &str, of_part: &Self) {
        let model = crate::display::name(model);
        let inside = |step: &String| format!("inside the same call, {model}: {step}");
        self.name_steps.extend(of_part.name_steps.iter().map(inside));
        self.price_steps.extend(of_part.price_steps.iter().map(inside));
    }

    pub(crate) fn with_result(self, result: CostResult) -> Self {
        Self { result, ..self }
    }

    /// A cost to which no steps led: the call names no model.
    pub(crate) const fn without_steps(result: CostResult) -> Self {
        Self {
            name_steps: Vec::new(),
            price_steps: Vec::new(),
            result,
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "name")?;
        for step in &self.name_steps {
            writeln!(f, "  {step}")?;
        }
        writeln!(f, "price")?;
        for step in &self.price_steps {
            writeln!(f, "  {step}")?;
        }
        writeln!(f, "bill")?;
        for line in &self.result.lines {
            let (quantity, unit, usd) = (plain(line.quantity), plain(line.unit_usd), plain(line.usd));
            writeln!(f, "  {:<24} {quantity} x {unit} = {usd}", line.what)?;
        }
        for what in &self.result.unpriced {
            writeln!(f, "  {what:<24} no price")?;
        }
        let total = self
            .result
            .cost_usd
            .map_or_else(|| "unknown".to_owned(), |cost| format!("{} USD", plain(cost)));
        write!(
            f,
            "total {total} ({}, {} table {})",
            self.result.cost_confidence, self.result.pricing_source, self.result.pricing_version
        )
    }
}

impl PricingEngine {
    /// How the cost of a call comes about, step by step.
    ///
    /// ```
    /// use dexcost::{PriceQuery, PricingEngine, Timestamp, Unit, Usage};
    ///
    /// let engine = PricingEngine::new();
    /// engine.set_custom_pricing("in-house-7b", "0.1", "0.2")?;
    /// let usage = Usage::new().with(Unit::InputTokens, 1000);
    /// let explanation = engine.explain(&PriceQuery::new("in-house-7b", &usage, Timestamp::from_unix_micros(0)));
    /// assert!(explanation.to_string().contains("1000 x 0.0001 = 0.1"));
    /// # Ok::<(), dexcost::Error>(())
    /// ```
    #[must_use]
    pub fn explain(&self, query: &PriceQuery<'_>) -> Explanation {
        let mut name_steps = Vec::new();
        let price_steps = self.with_match(query, Some(&mut name_steps), |matched, _| {
            price_steps(query, matched)
        });
        Explanation {
            name_steps,
            price_steps,
            result: self.price(query),
        }
    }
}

fn price_steps(query: &PriceQuery<'_>, matched: &Match<'_>) -> Vec<String> {
    let mut steps = Vec::new();
    let Some(key) = matched.key() else {
        steps.push(match matched.rung {
            Rung::LocalFree => "a local server bills nothing".to_owned(),
            Rung::FreeVariant => "the router gives this variant away".to_owned(),
            Rung::ProviderDefault => {
                "not listed: the provider's price per second of an unlisted model".to_owned()
            }
            _ => "no price is known for this model".to_owned(),
        });
        return steps;
    };
    let provider = matched.provider.map_or("any provider", |provider| provider.name);
    steps.push(format!("`{key}` of {provider}, rung {}", matched.rung));
    if matched.is_refused() {
        steps.push("its listed prices cannot be meant and are not used".to_owned());
    }
    if let Some(entry) = matched.entry() {
        let provider = matched.biller();
        let mix = Mix::of(query.usage);
        entry_steps(
            &Call {
                query,
                entry,
                provider,
                mix: &mix,
            },
            &mut steps,
        );
    }
    steps
}

fn entry_steps(call: &Call<'_>, steps: &mut Vec<String>) {
    let entry = call.entry;
    if entry.since_seconds() > 0 {
        let since =
            Timestamp::from_unix_micros(entry.since_seconds().cast_signed().saturating_mul(1_000_000));
        steps.push(if entry.since_seconds() > call.at_seconds() {
            format!("the earliest price, of {}: the call is older", since.day())
        } else {
            format!("the price that holds from {}", since.day())
        });
    }
    if let Entry::Own(own) = entry
        && own.derived.iter().any(|component| call.mix.uses(*component))
    {
        steps.push(
            "the own price names input and output alone: the rest keeps its listed ratio to them, as an estimate"
                .to_owned(),
        );
    }
    if let Entry::Own(own) = entry {
        steps.extend(own.doubts.iter().cloned());
    }
    if call.is_batch() {
        steps.push("batch prices; half of the plain ones where none are listed".to_owned());
    } else if call.tier() != Tier::Standard {
        steps.push(format!(
            "tier {}; the plain price where the tier lists none",
            call.tier().as_str()
        ));
    } else if let Some(tier) = call.query.service_tier.filter(|tier| !Tier::is_known(tier)) {
        steps.push(format!(
            "tier {tier} is not known: the plain price, as an estimate"
        ));
    }
    let prompt = call.mix.prompt;
    if let Some(range) = entry.range_for_prompt(prompt) {
        steps.push(format!(
            "prompt of {prompt} tokens: the range above {} up to {}",
            range.low, range.high
        ));
    }
    for threshold in call.card().thresholds_in_force() {
        steps.push(format!("prompt of {prompt} tokens is above {threshold}"));
    }
    if entry.open_off_peak(call.at_seconds()).is_some() {
        steps.push(format!("{} lies in the off-peak hours", call.query.billed_at));
    }
    if let Some(factor) = bill::multiplier(call) {
        let parts = [
            ("residency", call.query.residency),
            ("endpoint", call.query.location),
            ("geography", call.query.geo),
            ("speed", call.query.speed),
        ];
        let named: Vec<_> = parts
            .iter()
            .filter_map(|(what, value)| value.map(|value| format!("{what} {value}")))
            .collect();
        steps.push(format!("token prices x {} ({})", plain(factor), named.join(", ")));
    }
    for (unit, quantity) in call.query.usage.iter() {
        if let Some(least) = call.minimum(unit).filter(|least| quantity < least.quantity) {
            steps.push(format!(
                "at least {} {} are billed a call (as of {})",
                plain(least.quantity),
                unit.as_str(),
                least.as_of
            ));
        }
    }
    if let Some(container) = call.container() {
        steps.push(format!(
            "a session in a container of {} costs {} USD (as of {})",
            container.memory,
            plain(container.usd),
            container.as_of
        ));
    }
    if call.mix.clamped {
        steps.push("the usage cannot be as reported and was clamped".to_owned());
    }
    if call.query.usage.is_empty() {
        steps.push(format!(
            "no usage was reported; a prompt token costs {}",
            listed(entry, Component::Input)
        ));
    }
}

fn listed(entry: Entry<'_>, component: Component) -> String {
    entry.plain(component).map_or_else(
        || "nothing that is listed".to_owned(),
        |price| format!("{} USD", plain(price)),
    )
}
