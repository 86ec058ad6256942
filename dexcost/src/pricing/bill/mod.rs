//! The bill of one call: usage times the prices that hold for it, line by line.

mod arithmetic;
mod card;
mod mix;
mod plain;
mod tokens;
mod tools;
mod units;

use rust_decimal::Decimal;
use smallvec::SmallVec;

use super::entry::Entry;
use super::names::{Biller, Kind, region_of_host, residency_of_host};
use super::query::{Lines, PriceLine, PriceQuery};
use super::table::{Component, Tier};
use crate::event::CallType;
use crate::provider::{self, ContainerPrice, Minimum};
use crate::text::Text;
use crate::usage::Unit;

pub(crate) use arithmetic::{product, sum};
pub(crate) use card::Card;
pub(crate) use mix::Mix;

/// Everything that the price of one call depends on.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    /// The question.
    pub(crate) query: &'a PriceQuery<'a>,
    /// The prices of the model.
    pub(crate) entry: Entry<'a>,
    /// Who bills.
    pub(crate) provider: Biller<'a>,
    /// The usage, taken apart.
    pub(crate) mix: &'a Mix,
}

impl Call<'_> {
    /// The instant of billing, in seconds since 1970.
    pub(crate) fn at_seconds(&self) -> u64 {
        self.query.billed_at.unix_millis() / 1000
    }

    /// The tier whose price list applies.
    #[inline]
    pub(crate) fn tier(&self) -> Tier {
        if self.query.call_type == CallType::Decisions {
            return Tier::Decisions;
        }
        Tier::of_wire(self.query.service_tier)
    }

    /// Whether the batch interface served the call, by its kind or by the tier that was served.
    pub(crate) fn is_batch(&self) -> bool {
        self.query.call_type == CallType::Batch || self.tier() == Tier::Batch
    }

    /// The location of a Vertex endpoint: as told, else by region or host.
    fn location(&self) -> Option<&str> {
        let query = self.query;
        query.location.or_else(|| {
            let endpoint = || query.region.or_else(|| query.host.and_then(region_of_host));
            if self.provider.kind == Kind::VertexAi {
                endpoint()
            } else {
                None
            }
        })
    }

    /// The residency that OpenAI's regional hosts stand for.
    fn residency_of_host(&self) -> Option<&'static str> {
        residency_of_host(self.query.host?)
    }

    /// The least that the provider bills of a unit for one call of this kind.
    pub(crate) fn minimum(&self, unit: Unit) -> Option<&'static Minimum> {
        provider::by_name(self.provider.name)?.minimum(self.query.call_type, unit)
    }

    /// What a session in the call's container costs, where the provider lists that.
    pub(crate) fn container(&self) -> Option<&'static ContainerPrice> {
        provider::by_name(self.provider.name)?.container(self.query.container_memory?)
    }

    /// The price card.
    pub(crate) fn card(&self) -> Card<'_> {
        Card::new(
            self.entry,
            self.tier(),
            self.is_batch(),
            self.mix.prompt,
            self.at_seconds(),
            self.provider.quirks(),
        )
    }
}

/// A bill as it comes together.
pub(crate) struct Bill<'r> {
    /// The addends, where anybody wants to see them.
    lines: Option<&'r mut Lines>,
    /// What could not be priced, and why where it is not for want of a price.
    pub(crate) unpriced: SmallVec<[Text; 1]>,
    /// The sum of the lines, where there are any.
    pub(crate) total: Option<Decimal>,
    /// The units other than tokens that were looked at.
    charged: SmallVec<[Unit; 4]>,
}

impl<'r> Bill<'r> {
    /// An empty bill that writes its lines to a place, if one is given.
    #[inline]
    pub(crate) const fn new(lines: Option<&'r mut Lines>) -> Self {
        Self {
            lines,
            unpriced: SmallVec::new_const(),
            total: None,
            charged: SmallVec::new_const(),
        }
    }

    /// Adds `quantity × unit price`. A quantity of zero adds nothing; a price that is not known, or
    /// an amount that does not fit, goes to the unpriced.
    #[inline]
    pub(crate) fn add(&mut self, what: &'static str, quantity: Decimal, unit_usd: Option<Decimal>) {
        if quantity.is_zero() {
            return;
        }
        let Some(unit_usd) = unit_usd else {
            self.unpriced.push(Text::lasting(what));
            return;
        };
        let usd = product(quantity, unit_usd);
        let total = usd.and_then(|usd| match self.total {
            Some(so_far) => sum(so_far, usd),
            None => Some(usd),
        });
        let (Some(usd), Some(_)) = (usd, total) else {
            self.unpriced.push(Text::from(format!("{what}: overflow")));
            return;
        };
        self.total = total;
        if let Some(lines) = self.lines.as_deref_mut() {
            lines.push(PriceLine {
                what: Text::lasting(what),
                quantity,
                unit_usd,
                usd,
            });
        }
    }

    /// Adds a quantity of a unit other than tokens.
    fn add_unit(&mut self, unit: Unit, quantity: Decimal, unit_usd: Option<Decimal>) {
        self.charged.push(unit);
        self.add(unit.as_str(), quantity, unit_usd);
    }

    fn has_charged(&self, unit: Unit) -> bool {
        self.charged.contains(&unit)
    }

    /// Adds tokens.
    pub(crate) fn add_tokens(&mut self, what: Unit, count: u64, unit_usd: Option<Decimal>) {
        self.add(what.as_str(), Decimal::from(count), unit_usd);
    }

    /// Declares that what was reported costs nothing when it adds up to nothing.
    #[inline]
    pub(crate) fn settle_zero(&mut self) {
        if self.total.is_none() && self.unpriced.is_empty() {
            self.total = Some(Decimal::ZERO);
        }
    }
}

/// Bills one call.
#[inline]
pub(crate) fn charge(call: &Call<'_>, bill: &mut Bill<'_>) {
    if !plain::charge(call, bill) {
        units::charge(call, bill);
    }
    if call.mix.has_units {
        tools::charge(call, bill);
    }
    if !call.query.usage.is_empty() {
        bill.settle_zero();
    }
}

/// The factor on token prices: residency, endpoint, geography and speed, one after the other.
#[inline]
pub(crate) fn multiplier(call: &Call<'_>) -> Option<Decimal> {
    let query = call.query;
    let says_where_or_how = query.residency.is_some()
        || query.host.is_some()
        || query.location.is_some()
        || query.region.is_some()
        || query.geo.is_some()
        || query.speed.is_some();
    if says_where_or_how {
        listed_multiplier(call)
    } else {
        None
    }
}

fn listed_multiplier(call: &Call<'_>) -> Option<Decimal> {
    let query = call.query;
    let mut factor = None;
    let mut apply = |component: Component| {
        if let Some(times) = call.entry.plain(component) {
            factor = Some(factor.map_or(times, |so_far| product(so_far, times).unwrap_or(so_far)));
        }
    };
    if let Some(residency) = query.residency.or_else(|| call.residency_of_host()) {
        if residency.eq_ignore_ascii_case("us") {
            apply(Component::XResidencyUs);
        } else if residency.eq_ignore_ascii_case("eu") {
            apply(Component::XResidencyEu);
        }
    }
    if call
        .location()
        .is_some_and(|location| !location.eq_ignore_ascii_case("global"))
    {
        apply(Component::XRegional);
    }
    if query.geo.is_some_and(|geo| geo.eq_ignore_ascii_case("us")) {
        apply(Component::XGeoUs);
    }
    if query
        .speed
        .is_some_and(|speed| speed.eq_ignore_ascii_case("fast"))
    {
        apply(Component::XSpeedFast);
    }
    factor
}
