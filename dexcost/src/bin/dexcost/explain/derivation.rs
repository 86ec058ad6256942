//! From a recorded event back to the addends of its cost.

use dexcost::capture::explanation_of;
use dexcost::display;
use dexcost::{
    CallFacts, Decimal, Ending, Event, EventType, Observation, PriceQuery, PricingEngine, PricingSource,
    ServiceCatalog, Unit, UsageScope, money,
};
use serde_json::Value;

/// Why a stated amount is the cost.
const STATED: &str = "The provider stated this amount; that beats any table.";

/// How a cost comes about.
#[derive(Debug, Default)]
pub(super) struct Derivation {
    /// What was tried to find the model, in order.
    pub(super) name_steps: Vec<String>,
    /// Which prices hold, and why.
    pub(super) price_steps: Vec<String>,
    /// What adds up to the cost.
    pub(super) addends: Vec<Addend>,
    /// What has no price.
    pub(super) unpriced: Vec<String>,
    /// Whether it costs nothing, so that there is nothing to add.
    is_free: bool,
    /// What else is to be known.
    pub(super) remarks: Vec<String>,
}

/// A part of a cost: so many units at so much each.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Addend {
    pub(super) what: String,
    pub(super) quantity: Option<Decimal>,
    pub(super) unit_usd: Option<Decimal>,
    pub(super) usd: Option<Decimal>,
}

impl Addend {
    /// An amount that stands for itself.
    fn whole(what: &str, usd: Decimal) -> Self {
        Self {
            what: what.to_owned(),
            quantity: Some(Decimal::ONE),
            unit_usd: Some(usd),
            usd: Some(usd),
        }
    }
}

impl Derivation {
    /// How the cost of an event comes about, by these prices and this catalog.
    pub(super) fn of(event: &Event, prices: &PricingEngine, catalog: &ServiceCatalog) -> Self {
        let mut derivation = match event.pricing_source {
            PricingSource::Manual => Self::said("The caller passed this amount.", event),
            PricingSource::ProviderResponse if event.call.is_some() => of_provider(event),
            PricingSource::Litellm | PricingSource::Custom => by_tables(event, prices),
            PricingSource::Unknown if event.event_type == EventType::LlmCall => by_tables(event, prices),
            PricingSource::Unknown if event.event_type == EventType::Network => Self {
                remarks: vec![unbilled(event)],
                ..Self::default()
            },
            _ => by_kept_lines(event, catalog),
        };
        if let Some(call) = event.call.as_deref() {
            derivation.remark_on(call);
        }
        derivation.compare(event);
        derivation
    }

    /// The sum of the addends; `None` where one of them is not known, or there are none and it is not free.
    pub(super) fn total(&self) -> Option<Decimal> {
        if self.addends.is_empty() && self.is_free {
            return Some(Decimal::ZERO);
        }
        let mut usd = self.addends.iter().map(|addend| addend.usd);
        let first = usd.next()??;
        usd.try_fold(first, |sum, usd| money::exact_sum(sum, usd?))
    }

    fn said(remark: &str, event: &Event) -> Self {
        Self {
            addends: event
                .cost_usd
                .map(|usd| Addend::whole("amount", usd))
                .into_iter()
                .collect(),
            remarks: vec![remark.to_owned()],
            ..Self::default()
        }
    }

    fn remark_on(&mut self, call: &CallFacts) {
        if call.batch_request_id.is_some() {
            self.remarks.push(
                "It is a request of a batch, counted once however often its result is fetched.".to_owned(),
            );
        }
        if call.is_cut_off {
            self.remarks
                .push("The reply broke off: what was counted is a floor.".to_owned());
        }
        if !call.uncounted.is_empty() {
            let uncounted = display::name(&call.uncounted.join(", "));
            self.remarks.push(format!(
                "Not counted by the provider, so not in the cost: {uncounted}."
            ));
        }
    }

    /// Says where the addends do not make up what was recorded.
    fn compare(&mut self, event: &Event) {
        if self.addends.is_empty() || self.total() == event.cost_usd {
            return;
        }
        let total = self.total().map_or_else(
            || "an unknown cost".to_owned(),
            |usd| format!("{} USD", money::plain(usd)),
        );
        let recorded = event.cost_usd.map_or_else(
            || "unknown".to_owned(),
            |usd| format!("{} USD", money::plain(usd)),
        );
        self.remarks.push(format!(
            "The prices that this command holds make {total}; {recorded} was recorded, by {} version {}.",
            event.pricing_source,
            event.pricing_version.as_deref().unwrap_or("-")
        ));
    }
}

/// By what the provider says of the call.
fn of_provider(event: &Event) -> Derivation {
    let call = event.call.as_deref();
    let kept = by_lines(event);
    if !kept.is_empty() {
        return Derivation {
            addends: kept,
            remarks: vec![STATED.to_owned()],
            ..Derivation::default()
        };
    }
    if call.is_some_and(|call| call.is_prepaid) {
        let remark = "The call was served from capacity that is paid for by time; it costs nothing itself.";
        return Derivation::said(remark, event);
    }
    let Some(reported) = call.and_then(|call| call.reported_cost_usd) else {
        return Derivation::said("The provider refused the call and bills nothing for it.", event);
    };
    let mut addends = vec![Addend::whole("stated", reported)];
    let upstream = call.and_then(|call| call.upstream_cost_usd);
    addends.extend(upstream.map(|usd| Addend::whole("stated_for_own_key", usd)));
    Derivation {
        addends,
        remarks: vec![STATED.to_owned()],
        ..Derivation::default()
    }
}

/// By the table of model prices, as the program did it.
fn by_tables(event: &Event, prices: &PricingEngine) -> Derivation {
    let explanation = match &event.model {
        Some(model) if event.event_type != EventType::LlmCall => {
            let mut query = PriceQuery::new(model, &event.usage, event.occurred_at);
            query.provider = event.provider.as_deref();
            query.call_type = event.call.as_ref().map(|call| call.call_type).unwrap_or_default();
            prices.explain(&query)
        }
        _ => explanation_of(&observation(event), prices, event.occurred_at),
    };
    let result = explanation.result();
    let mut remarks = Vec::new();
    let stated = event
        .call
        .as_ref()
        .and_then(|call| call.reported_cost_usd.map(|usd| (usd, call.is_byok)));
    if let Some((usd, is_byok)) = stated.filter(|(usd, _)| !usd.is_zero()) {
        let usd = money::plain(usd);
        remarks.push(if is_byok {
            format!("The gateway's fee of {usd} USD for the use of the caller's own key comes on top.")
        } else {
            format!("The provider stated {usd} USD, which cannot be; it was refused.")
        });
    }
    if explanation.name_steps().is_empty() {
        remarks.push("The call names no model, so nothing can be priced.".to_owned());
    }
    Derivation {
        name_steps: explanation.name_steps().to_vec(),
        price_steps: explanation.price_steps().to_vec(),
        addends: result
            .lines
            .iter()
            .map(|line| Addend {
                what: line.what.as_str().to_owned(),
                quantity: Some(line.quantity),
                unit_usd: Some(line.unit_usd),
                usd: Some(line.usd),
            })
            .collect(),
        unpriced: result.unpriced.iter().map(|what| display::name(what)).collect(),
        is_free: result.cost_usd.is_some_and(|usd| usd.is_zero()),
        remarks,
    }
}

/// What was seen of a call, as far as its event keeps it.
fn observation(event: &Event) -> Observation {
    let mut seen = Observation::nothing(Ending::Done);
    (seen.captured, seen.usage_scope) = (true, UsageScope::Call);
    seen.provider.clone_from(&event.provider);
    seen.usage.clone_from(&event.usage);
    seen.operation_status = event.operation_status;
    seen.error_type = event.error_type;
    seen.call = event.call.clone().unwrap_or_default();
    if seen.call.model_requested.is_none() && seen.call.model_returned.is_none() {
        seen.call.model_requested.clone_from(&event.model);
    }
    seen
}

/// By the addends that the event keeps: of a service, of a registered rate, of egress.
fn by_kept_lines(event: &Event, catalog: &ServiceCatalog) -> Derivation {
    let mut addends = by_lines(event);
    let name = display::name(event.service_name.as_deref().unwrap_or("?"));
    let detail = |field: &str| event.details.as_ref()?.get(field)?.as_str().map(display::name);
    let mut remarks = Vec::new();
    match event.pricing_source {
        PricingSource::ServiceCatalog | PricingSource::RateRegistry if is_refused(event) => {
            remarks.push(format!("{name} refused the call; nothing is billed for it."));
        }
        PricingSource::RateRegistry => {
            if addends.is_empty() {
                addends.extend(by_rate(event));
            }
            remarks.push(format!("{name} at its registered rate."));
        }
        PricingSource::ServiceCatalog => {
            remarks.push(format!("{name} by the catalog of services."));
            remarks.extend(origins(event, &addends, catalog));
        }
        PricingSource::ProviderResponse => remarks.push(STATED.to_owned()),
        PricingSource::EgressTable => {
            let (as_of, source) = (detail("price_as_of"), detail("price_source"));
            remarks.push(match (as_of, source) {
                (Some(as_of), Some(source)) => {
                    format!("The price of a gigabyte is that of {as_of}, from {source}.")
                }
                _ => "The cloud that sends the bill has no price here for the bytes that left the machine."
                    .to_owned(),
            });
        }
        other => remarks.push(format!("The amount came from {other}.")),
    }
    if addends.is_empty() && detail("billing").as_deref() == Some("subscription") {
        remarks.push("It is paid by the month, whatever is called.".to_owned());
    }
    Derivation {
        addends,
        unpriced: detail("unpriced").into_iter().collect(),
        is_free: event.cost_usd.is_some_and(|usd| usd.is_zero()),
        remarks,
        ..Derivation::default()
    }
}

/// Whether the service refused the call.
fn is_refused(event: &Event) -> bool {
    let details = event.details.as_ref();
    details.is_some_and(|details| details.contains_key("http_status") && !details.contains_key("lines"))
}

/// The addends as they stand in the event's details.
fn by_lines(event: &Event) -> Vec<Addend> {
    let lines = event.details.as_ref().and_then(|details| details.get("lines"));
    let lines = lines.and_then(Value::as_array).into_iter().flatten();
    let amount = |line: &Value, field: &str| money::parse(line.get(field)?.as_str()?).ok();
    lines
        .map(|line| Addend {
            what: line.get("unit").and_then(Value::as_str).unwrap_or("?").to_owned(),
            quantity: amount(line, "quantity"),
            unit_usd: amount(line, "unit_usd"),
            usd: amount(line, "usd"),
        })
        .collect()
}

/// What was recorded by the unit.
fn by_rate(event: &Event) -> Option<Addend> {
    let (units, usd) = (event.usage.get(Unit::RateUnits)?, event.cost_usd?);
    Some(Addend {
        what: "rate_units".to_owned(),
        quantity: Some(units),
        unit_usd: usd
            .checked_div(units)
            .filter(|each| money::exact_product(*each, units) == Some(usd)),
        usd: Some(usd),
    })
}

/// Where the prices of a service were read, and whether they were read again.
fn origins(event: &Event, addends: &[Addend], catalog: &ServiceCatalog) -> Vec<String> {
    let service = event.service_name.as_deref().unwrap_or_default();
    let mut remarks = Vec::new();
    for origin in catalog.origins_of(service) {
        if !addends
            .iter()
            .any(|addend| addend.unit_usd == Some(origin.unit_usd))
        {
            continue;
        }
        let price = money::plain(origin.unit_usd);
        let remark = if origin.is_recalled() {
            format!(
                "The price of {price} is recalled, as of {}, and was not read again: {}.",
                origin.as_of, origin.source
            )
        } else {
            format!(
                "The price of {price} is that of {}, from {}.",
                origin.as_of, origin.source
            )
        };
        if !remarks.contains(&remark) {
            remarks.push(remark);
        }
    }
    remarks
}

/// Why bytes have no price.
fn unbilled(event: &Event) -> String {
    let details = event.details.as_ref();
    match details
        .and_then(|details| details.get("priced_in"))
        .and_then(Value::as_str)
    {
        Some(summary) => format!(
            "Its bytes are priced in the event `{}` of the same task.",
            display::name(summary)
        ),
        None if event.cost_usd.is_some() => {
            "The bytes stayed inside a network: nobody bills them.".to_owned()
        }
        None => "Nobody said which cloud bills the egress of this machine.".to_owned(),
    }
}
