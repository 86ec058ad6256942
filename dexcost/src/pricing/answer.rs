//! From the prices that were found to the answer.

use crate::dec;
use rust_decimal::Decimal;
use smallvec::SmallVec;

use super::bill::{self, Bill, Call, Mix};
use super::entry::Entry;
use super::matching::Match;
use super::names::Kind;
use super::overlay::Overlay;
use super::query::{Lines, PriceQuery, Rung};
use super::{sanity, table};
use crate::event::{CostConfidence, PricingSource};
use crate::text::Text;
use crate::usage::Unit;

/// What Replicate bills for a second of a model that is not listed (2026-11-22).
const REPLICATE_SECOND: Decimal = dec!(0.0014);

/// What a call costs, without the lines of the bill: all that an event keeps.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cost {
    /// The priced part in US dollars; `None` where nothing could be priced.
    pub(crate) cost_usd: Option<Decimal>,
    /// How far it can be trusted.
    pub(crate) cost_confidence: CostConfidence,
    /// Which table.
    pub(crate) pricing_source: PricingSource,
    /// Which version of it.
    pub(crate) pricing_version: Text,
    /// The components that have no price.
    pub(crate) unpriced: SmallVec<[Text; 1]>,
    /// The key of the table that was used.
    pub(crate) matched: Option<Text>,
    /// The rung of the name ladder on which it was found.
    pub(crate) rung: Rung,
    /// Whether the provider stated a cost that was not believed.
    pub(crate) stated_is_refused: bool,
}

/// The version of the prices in force.
#[inline]
pub(super) fn version(overlay: Option<&Overlay>) -> Text {
    const BUNDLED: Text = Text::from_static(table::VERSION);
    match overlay {
        None => BUNDLED,
        Some(overlay) => overlay.version().clone(),
    }
}

/// The priced answer. The lines of the bill are written where they are asked for; the cost is the
/// same with and without.
#[inline]
pub(super) fn answer(
    query: &PriceQuery<'_>,
    matched: &Match<'_>,
    overlay: Option<&Overlay>,
    lines: Option<&mut Lines>,
) -> Cost {
    let mix = Mix::of(query.usage);
    let mut bill = Bill::new(lines);
    charge(query, matched, &mix, &mut bill);
    let is_whole = bill.total.is_some() && bill.unpriced.is_empty();
    Cost {
        cost_usd: bill.total,
        cost_confidence: if !is_whole {
            CostConfidence::Unknown
        } else if mix.clamped || is_stand_in(query, matched) || uses_derived(matched, &mix) {
            CostConfidence::Estimated
        } else {
            CostConfidence::Computed
        },
        pricing_source: if matched.is_own() {
            PricingSource::Custom
        } else if matched.rung == Rung::Unknown {
            PricingSource::Unknown
        } else {
            PricingSource::Litellm
        },
        pricing_version: version(overlay),
        unpriced: bill.unpriced,
        matched: matched.key(),
        rung: matched.rung,
        stated_is_refused: false,
    }
}

/// Whether an own price that left something open was completed by the listed ratio, and that was used.
fn uses_derived(matched: &Match<'_>, mix: &Mix) -> bool {
    let Some(Entry::Own(own)) = matched.entry() else {
        return false;
    };
    own.derived.iter().any(|component| mix.uses(*component))
}

/// Whether the price is not the model's own, that of a later day, or that of another tier.
fn is_stand_in(query: &PriceQuery<'_>, matched: &Match<'_>) -> bool {
    query
        .service_tier
        .is_some_and(|tier| !table::Tier::is_known(tier))
        || !matches!(matched.rung, Rung::Exact | Rung::Alias | Rung::Custom)
        || matched
            .entry()
            .is_some_and(|entry| entry.since_seconds() > query.billed_at.unix_millis() / 1000)
}

/// Writes the bill for what was found.
#[inline]
fn charge(query: &PriceQuery<'_>, matched: &Match<'_>, mix: &Mix, bill: &mut Bill<'_>) {
    if matched.is_refused() {
        bill.unpriced.push(Text::from_static(sanity::REFUSED));
        return;
    }
    if let Some(entry) = matched.entry() {
        if mix.clamped || mix.has_units {
            leave_out_negative(query, bill);
        }
        let call = Call {
            query,
            entry,
            provider: matched.biller(),
            mix,
        };
        bill::charge(&call, bill);
        if matches!(call.provider.kind, Kind::Azure | Kind::AzureAi) {
            add_router_fee(&call, bill);
        }
        if query.usage.is_empty() {
            bill.unpriced.push(Text::from_static("usage"));
        }
        return;
    }
    match matched.rung {
        Rung::LocalFree | Rung::FreeVariant => bill.settle_zero(),
        Rung::ProviderDefault => by_wall_time(query, bill),
        _ => bill.unpriced.push(Text::from_static("model")),
    }
}

/// A negative count is evidence of nothing: the component is unknown.
fn leave_out_negative(query: &PriceQuery<'_>, bill: &mut Bill<'_>) {
    let negative = |quantity: &rust_decimal::Decimal| quantity.is_sign_negative() && !quantity.is_zero();
    let units = query
        .usage
        .as_slice()
        .iter()
        .filter(|(_, quantity)| negative(quantity));
    bill.unpriced
        .extend(units.map(|(unit, _)| Text::from_static(unit.as_str())));
}

/// Replicate runs unlisted models at a price per second.
fn by_wall_time(query: &PriceQuery<'_>, bill: &mut Bill<'_>) {
    let seconds = query
        .usage
        .get(Unit::ComputeSeconds)
        .or_else(|| bill::product(query.usage.get(Unit::ResponseTimeMs)?, dec!(0.001)))
        .filter(|seconds| seconds.is_sign_positive());
    match seconds {
        Some(seconds) => bill.add(Unit::ComputeSeconds.as_str(), seconds, Some(REPLICATE_SECOND)),
        None => bill
            .unpriced
            .push(Text::from_static(Unit::ComputeSeconds.as_str())),
    }
}

/// Azure's model router bills its own price for the prompt on top of the model that it chose.
fn add_router_fee(call: &Call<'_>, bill: &mut Bill<'_>) {
    let is_router = |model: &str| {
        let name = model.rsplit('/').next().unwrap_or(model);
        name.eq_ignore_ascii_case("model-router") || name.eq_ignore_ascii_case("model_router")
    };
    if call.query.response_model.is_none() || !is_router(call.query.model) {
        return;
    }
    let Some(router) = table::find(b"azure_ai/model_router") else {
        return;
    };
    let entry = Entry::Bundled(router.name.row(call.at_seconds()));
    if call.entry.plain(table::Component::Input) == entry.plain(table::Component::Input) {
        return;
    }
    bill.add(
        "router_input_tokens",
        Decimal::from(call.mix.prompt),
        entry.plain(table::Component::Input),
    );
}
