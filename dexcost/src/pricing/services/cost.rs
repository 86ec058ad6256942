//! From the rows that may apply to what an exchange costs.

use rust_decimal::Decimal;
use smallvec::SmallVec;

use super::condition::Conditions;
use super::matched::ServiceMatch;
use super::quantity::{self, Amount};
use super::row::{Price, Row, ServiceRule, Trust};
use super::seen::Seen;
use super::template;
use super::units;
use crate::clock::Timestamp;
use crate::event::{CallType, CostConfidence, PricingSource};
use crate::money;
use crate::pricing::query::PriceQuery;
use crate::pricing::stated_cost;
use crate::text::Text;
use crate::usage::Usage;
use crate::words::words;

words! {
    /// What kind of answer the catalog gives.
    ServiceKind ("kind of service") {
        /// It has a price, or would have if it were published.
        Priced = "priced",
        /// It costs nothing.
        Free = "free",
        /// It is paid by the month, whatever is called.
        Subscription = "subscription",
        /// It no longer exists.
        Retired = "retired",
        /// Whoever runs the function that was called pays for it.
        Hosted = "hosted",
        /// A quantity without a price.
        Observed = "observed",
    }
}

words! {
    /// Why a cost is not known.
    ServiceGap ("gap in a service's cost") {
        /// Nobody publishes the price.
        NoPrice = "no_price",
        /// The exchange does not say how much was consumed.
        NotReported = "not_reported",
        /// The price is in another currency, or it is not said in which.
        Currency = "currency",
        /// The quantity is negative or has too many digits.
        Impossible = "impossible",
    }
}

/// What an exchange with a service costs.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ServiceCost {
    /// The service; for a registered rate without a row in the catalog, its domain.
    pub service: Text,
    /// The category of the service.
    pub category: Text,
    /// What kind of answer this is.
    pub kind: ServiceKind,
    /// Whether the exchange is one that somebody bills to the caller: not a poll, not a failure, not
    /// something free or paid by the month.
    pub billable: bool,
    /// The priced part in US dollars. `None` is unknown, and also what a subscription has.
    pub cost_usd: Option<Decimal>,
    /// How far it can be trusted; [`CostConfidence::Unknown`] where a part of it has no price.
    pub confidence: CostConfidence,
    /// Who says so.
    pub source: PricingSource,
    /// The version of the table or of the registered rates.
    pub version: Text,
    /// The addends.
    pub lines: SmallVec<[ServiceLine; 2]>,
    /// Why the cost, or a part of it, is not known.
    pub gap: Option<ServiceGap>,
    /// The job that it is about, for services that are polled: exchanges with the same one are counted
    /// once.
    pub once: Option<Text>,
    /// The model call as which the table of model prices prices it.
    pub model_table: Option<ServiceModel>,
    /// Quantities that the provider reports, with or without a price.
    pub observed: SmallVec<[ServiceObservation; 1]>,
    /// Whether the reply states an amount that was not believed.
    pub stated_is_refused: bool,
}

/// One addend.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceLine {
    /// What is counted, in the words of the catalog: `credit`, `page`, `vcpu_second`.
    pub unit: Text,
    /// How many; for a percentage, the amount that it is a part of, and 1 for a fee beside it. `None` where it
    /// is not known.
    pub quantity: Option<Decimal>,
    /// The price of one in US dollars; for a percentage, the part (0.029 is 2.9 %).
    pub unit_usd: Option<Decimal>,
    /// What it comes to in US dollars.
    pub usd: Option<Decimal>,
}

/// A call of the table of model prices.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceModel {
    /// The provider as the table calls it.
    pub provider: Text,
    /// What kind of call it is.
    pub call_type: CallType,
    /// The model.
    pub model: Text,
    /// What was consumed.
    pub usage: Usage,
}

/// A quantity that a provider reports.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceObservation {
    /// The service in the catalog.
    pub service: Text,
    /// The provider.
    pub provider: Text,
    /// Which of its services.
    pub provider_service: Text,
    /// What kind of thing it is for: `speech_to_text`, `external`.
    pub component: Text,
    /// What is counted: `audio_seconds`.
    pub unit: Text,
    /// How many.
    pub quantity: Decimal,
    /// What kind of thing was used: `model`, `sku`.
    pub resource_type: Text,
    /// Which one.
    pub resource: Option<Text>,
    /// The provider's own identity of the exchange.
    pub record: Option<Text>,
}

impl ServiceModel {
    /// The question to the price tables.
    #[must_use]
    pub fn query(&self, billed_at: Timestamp) -> PriceQuery<'_> {
        PriceQuery {
            provider: Some(&self.provider),
            call_type: self.call_type,
            ..PriceQuery::new(&self.model, &self.usage, billed_at)
        }
    }
}

impl ServiceCost {
    /// The quantities in the units of [`Usage`]; what has none of its own counts as rate units.
    #[must_use]
    pub fn usage(&self) -> Usage {
        if let Some(model) = &self.model_table {
            return model.usage.clone();
        }
        let mut usage = Usage::new();
        let observed = self.observed.iter().map(|seen| (&seen.unit, Some(seen.quantity)));
        let lines = self.lines.iter().filter(|line| line.unit != FEE);
        let lines = lines.map(|line| (&line.unit, line.quantity));
        for (unit, quantity) in observed.chain(lines) {
            let unit = units::of(unit, &self.category);
            if let Some(quantity) = quantity
                && usage.get(unit).is_none()
            {
                usage.set(unit, quantity);
            }
        }
        usage
    }

    fn of(matched: &ServiceMatch, row: Option<&Row>) -> Self {
        let service = row.map_or_else(|| Text::from(matched.service()), |row| row.service.clone());
        Self {
            service,
            category: row.map_or_else(Text::empty, |row| row.category.clone()),
            kind: ServiceKind::Priced,
            billable: true,
            cost_usd: None,
            confidence: CostConfidence::Unknown,
            source: PricingSource::ServiceCatalog,
            version: matched.table.version.clone(),
            lines: SmallVec::new(),
            gap: None,
            once: None,
            model_table: None,
            observed: SmallVec::new(),
            stated_is_refused: false,
        }
    }

    /// What it costs is not known.
    fn unknown(mut self) -> Self {
        self.cost_usd = None;
        self.confidence = CostConfidence::Unknown;
        self.source = PricingSource::Unknown;
        self.lines.clear();
        self
    }

    /// Nobody bills this exchange.
    fn unbilled(mut self) -> Self {
        self.billable = false;
        self.cost_usd = Some(Decimal::ZERO);
        self.confidence = CostConfidence::Computed;
        self.gap = None;
        self
    }
}

/// What an exchange costs by the rows of a match: by the user's rate, else by what the reply states,
/// else by the best row and those that add to it.
pub(super) fn of(matched: &ServiceMatch, seen: &Seen<'_>) -> Option<ServiceCost> {
    let mut is_sure = true;
    let mut holds = |row: &&Row| {
        row.when_body
            .iter()
            .all(|conditions| match conditions.hold(seen) {
                Ok(holds) => holds,
                Err(_) => {
                    is_sure = false;
                    false
                }
            })
    };
    let (observers, rows): (Vec<&Row>, Vec<&Row>) = matched
        .candidates()
        .filter(|row| holds(row))
        .partition(|row| row.rule == ServiceRule::Observe);
    let observed = observers
        .iter()
        .filter_map(|row| observe(matched, row, seen))
        .collect();
    let listed = || by_rows(matched, &rows, seen).or_else(|| unpriced(matched, &observers, &observed));
    let mut cost = match by_rate(matched, &rows, seen).or_else(|| stated(matched, &rows, seen)) {
        Some(stated) if is_implausible(&stated, listed) => ServiceCost {
            stated_is_refused: true,
            ..listed().unwrap_or_else(|| stated.unknown())
        },
        Some(cost) => cost,
        None => listed()?,
    };
    if !is_sure && cost.confidence == CostConfidence::Computed && cost.billable {
        cost.confidence = CostConfidence::Estimated;
    }
    cost.observed = observed;
    Some(cost)
}

/// By the user's own rate for the domain.
fn by_rate(matched: &ServiceMatch, rows: &[&Row], seen: &Seen<'_>) -> Option<ServiceCost> {
    let (rate, version) = matched.rate.as_ref()?;
    let row = rows
        .iter()
        .copied()
        .find(|row| row.unit == rate.per || rate.is_per_request());
    let mut cost = ServiceCost::of(matched, row);
    cost.source = PricingSource::RateRegistry;
    cost.version = version.clone();
    if rate.is_per_request() {
        if !(200..300).contains(&matched.status) {
            return Some(cost.unbilled());
        }
        add(
            &mut cost,
            &rate.per,
            Some(Decimal::ONE),
            Price::Each(rate.cost_usd),
        );
    } else {
        let quantity = row.map_or(Amount::Unknown, |row| quantity_of(row, seen));
        cost.once = row.and_then(|row| once(row, seen));
        match quantity {
            Amount::Nothing => return Some(cost.unbilled()),
            _ if row.is_some_and(|row| !is_charged(matched, row, seen)) => return Some(cost.unbilled()),
            Amount::Known { quantity, .. } => {
                add(&mut cost, &rate.per, Some(quantity), Price::Each(rate.cost_usd));
            }
            Amount::Unknown => add(&mut cost, &rate.per, None, Price::Each(rate.cost_usd)),
        }
    }
    trust(&mut cost, CostConfidence::Computed);
    Some(cost)
}

/// By the amount that the reply states.
fn stated(matched: &ServiceMatch, rows: &[&Row], seen: &Seen<'_>) -> Option<ServiceCost> {
    rows.iter().copied().find_map(|row| {
        let Amount::Known { quantity, .. } = quantity::first(&row.reported, seen) else {
            return None;
        };
        let mut cost = ServiceCost::of(matched, Some(row));
        if !is_charged(matched, row, seen) {
            return Some(cost.unbilled());
        }
        cost.once = once(row, seen);
        // Where the reply counts in credits of the provider, the catalog knows what one is worth.
        let is_money = row.unit == "usd" || row.rule != ServiceRule::Reported;
        let price = if is_money {
            Price::Each(Decimal::ONE)
        } else {
            row.price
        };
        let unit = if is_money {
            Text::from_static("usd")
        } else {
            row.unit.clone()
        };
        if is_in_dollars(row, seen) {
            add(&mut cost, &unit, Some(quantity), price);
        } else {
            add(&mut cost, &currency(row, seen), Some(quantity), Price::None);
            cost.gap = Some(ServiceGap::Currency);
        }
        if is_money {
            cost.source = PricingSource::ProviderResponse;
            trust(&mut cost, CostConfidence::Exact);
        } else {
            trust(&mut cost, confidence(row.trust));
        }
        Some(cost)
    })
}

/// Whether an amount that a reply states cannot be what the exchange costs: it is negative, absurd, or far
/// above what the catalog says.
fn is_implausible(stated: &ServiceCost, listed: impl Fn() -> Option<ServiceCost>) -> bool {
    if stated.source != PricingSource::ProviderResponse {
        return false;
    }
    let Some(usd) = stated.cost_usd.filter(|_| stated.billable) else {
        return stated.gap == Some(ServiceGap::Impossible);
    };
    !stated_cost::is_possible(usd)
        || listed().is_some_and(|listed| !stated_cost::is_near(usd, listed.cost_usd))
}

/// By the best row, and those with the same match and another unit.
fn by_rows(matched: &ServiceMatch, rows: &[&Row], seen: &Seen<'_>) -> Option<ServiceCost> {
    // A row that only says where the amount stands has nothing to say once there is none; it is the
    // last resort.
    let best = rows.iter().copied();
    let best = best
        .clone()
        .find(|row| row.rule != ServiceRule::Reported)
        .or_else(|| best.clone().next())?;
    let mut cost = ServiceCost::of(matched, Some(best));
    let kind = match best.rule {
        _ if best.is_callees => ServiceKind::Hosted,
        ServiceRule::Free => ServiceKind::Free,
        ServiceRule::Subscription => ServiceKind::Subscription,
        ServiceRule::Retired => ServiceKind::Retired,
        _ => ServiceKind::Priced,
    };
    cost.kind = kind;
    if kind != ServiceKind::Priced {
        cost = cost.unbilled();
        if matches!(kind, ServiceKind::Subscription | ServiceKind::Retired) {
            cost.cost_usd = None;
            cost.confidence = CostConfidence::Unknown;
        }
        return Some(cost);
    }
    if !is_charged(matched, best, seen) {
        return Some(cost.unbilled());
    }
    cost.once = once(best, seen);
    if let Some(table) = &best.table {
        cost.gap = Some(ServiceGap::NotReported);
        cost.model_table = template::first(&table.model, seen).map(|model| ServiceModel {
            provider: table.provider.clone(),
            call_type: table.call_type,
            model,
            usage: table_usage(table, seen),
        });
        return Some(cost);
    }
    if best.rule == ServiceRule::Reported {
        add(&mut cost, &best.unit, None, best.price);
        return Some(cost);
    }
    let mut is_sure = true;
    let mut is_owed = false;
    let mut worst = CostConfidence::Computed;
    for row in rows.iter().filter(|row| belongs(row, best)) {
        let known = match quantity_of(row, seen) {
            Amount::Nothing => continue,
            Amount::Unknown => None,
            Amount::Known {
                quantity,
                is_sure: sure,
            } => {
                is_sure &= sure;
                Some(quantity)
            }
        };
        is_owed = true;
        worst = worst.max(confidence(row.trust));
        if is_in_dollars(row, seen) {
            add(&mut cost, &row.unit, known, row.price);
        } else {
            add(&mut cost, &row.unit, known, Price::None);
            cost.gap = Some(ServiceGap::Currency);
        }
    }
    if !is_owed {
        return Some(cost.unbilled());
    }
    if !is_sure {
        worst = worst.max(CostConfidence::Estimated);
    }
    trust(&mut cost, worst);
    Some(cost)
}

/// Nothing but quantities.
fn unpriced(
    matched: &ServiceMatch,
    observers: &[&Row],
    observed: &SmallVec<[ServiceObservation; 1]>,
) -> Option<ServiceCost> {
    let mut cost = ServiceCost::of(matched, Some(*observers.first()?));
    cost.kind = ServiceKind::Observed;
    cost.source = PricingSource::Unknown;
    cost.billable = !observed.is_empty();
    cost.gap = Some(ServiceGap::NoPrice);
    cost.once = observed.iter().find_map(|seen| seen.record.clone());
    Some(cost)
}

fn observe(matched: &ServiceMatch, row: &Row, seen: &Seen<'_>) -> Option<ServiceObservation> {
    let observer = row.observer.as_ref()?;
    if !is_charged(matched, row, seen) {
        return None;
    }
    let Amount::Known { quantity, .. } = quantity::first(&row.quantity, seen) else {
        return None;
    };
    (quantity > Decimal::ZERO).then(|| ServiceObservation {
        service: row.service.clone(),
        provider: observer.provider.clone(),
        provider_service: observer.service.clone(),
        component: row.category.clone(),
        unit: row.unit.clone(),
        quantity,
        resource_type: observer.resource_type.clone(),
        resource: template::first(&observer.resource, seen),
        record: template::first(&observer.record, seen),
    })
}

/// Whether a row adds to the best one.
fn belongs(row: &Row, best: &Row) -> bool {
    let is_best = std::ptr::eq(row, best);
    let adds = row.matching == best.matching && row.service == best.service && row.unit != best.unit;
    is_best || (adds && row.rule != ServiceRule::Reported && row.table.is_none())
}

/// Whether the exchange is charged by a row. Where that hangs on something that was not seen, it is; but
/// not if it is one of several about the same job, of which another will be seen.
fn is_charged(matched: &ServiceMatch, row: &Row, seen: &Seen<'_>) -> bool {
    let holds = |conditions: &Conditions| conditions.hold(seen).unwrap_or(row.once.is_empty());
    row.charges(matched.status) && row.charged.iter().all(holds)
}

fn once(row: &Row, seen: &Seen<'_>) -> Option<Text> {
    let job = template::first(&row.once, seen)?;
    Some(Text::from(format!("{}/{job}", row.service)))
}

fn quantity_of(row: &Row, seen: &Seen<'_>) -> Amount {
    if row.quantity.is_empty() && row.rule == ServiceRule::PerRequest {
        return Amount::Known {
            quantity: Decimal::ONE,
            is_sure: true,
        };
    }
    quantity::first(&row.quantity, seen)
}

fn table_usage(table: &super::row::ModelTable, seen: &Seen<'_>) -> Usage {
    let known = |(unit, alternatives): &(_, Vec<_>)| match quantity::first(alternatives, seen) {
        Amount::Known { quantity, .. } => Some((*unit, quantity)),
        _ => None,
    };
    table.usage.iter().filter_map(known).collect()
}

fn currency(row: &Row, seen: &Seen<'_>) -> Text {
    template::first(&row.currency, seen)
        .map_or_else(Text::empty, |currency| Text::from(currency.to_ascii_lowercase()))
}

fn is_in_dollars(row: &Row, seen: &Seen<'_>) -> bool {
    row.currency.is_empty() || currency(row, seen) == "usd"
}

pub(super) const fn confidence(trust: Trust) -> CostConfidence {
    match trust {
        Trust::High => CostConfidence::Computed,
        Trust::Medium | Trust::Low => CostConfidence::Estimated,
    }
}

/// Sets how far the cost can be trusted, if all of it is known.
fn trust(cost: &mut ServiceCost, confidence: CostConfidence) {
    let is_whole = cost.gap.is_none() && cost.cost_usd.is_some();
    cost.confidence = if is_whole {
        confidence
    } else {
        CostConfidence::Unknown
    };
}

/// Adds a line.
fn add(cost: &mut ServiceCost, unit: &Text, quantity: Option<Decimal>, price: Price) {
    let is_possible = quantity.is_none_or(|quantity| !quantity.is_sign_negative() || quantity.is_zero());
    let usd = quantity.filter(|_| is_possible).and_then(|quantity| match price {
        Price::None => None,
        Price::Each(each) => money::exact_product(each, quantity),
        Price::Part { rate, fee } => money::exact_sum(money::exact_product(rate, quantity)?, fee),
    });
    let total = match (cost.cost_usd, usd) {
        (Some(total), Some(usd)) => money::exact_sum(total, usd),
        (total, usd) => total.or(usd),
    };
    let gap = match (quantity, price, usd) {
        (.., Some(_)) if total.is_some() => None,
        (_, Price::None, _) => Some(ServiceGap::NoPrice),
        (None, ..) => Some(ServiceGap::NotReported),
        _ => Some(ServiceGap::Impossible),
    };
    cost.cost_usd = total;
    cost.gap = cost.gap.or(gap);
    let line = |unit: Text, quantity: Option<Decimal>, unit_usd: Option<Decimal>| ServiceLine {
        unit,
        quantity,
        unit_usd,
        usd: usd.and_then(|_| money::exact_product(quantity?, unit_usd?)),
    };
    let (each, fee) = match price {
        Price::None => (None, None),
        Price::Each(each) => (Some(each), None),
        Price::Part { rate, fee } => (Some(rate), Some(fee).filter(|fee| !fee.is_zero())),
    };
    cost.lines.push(line(unit.clone(), quantity, each));
    if fee.is_some() {
        cost.lines.push(line(FEE, Some(Decimal::ONE), fee));
    }
}

/// What a line counts that is charged for each exchange beside a part of the amount.
const FEE: Text = Text::from_static("fee");
