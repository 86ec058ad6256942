//! What an observed call costs.

use rust_decimal::Decimal;
use smallvec::{SmallVec, smallvec};

use crate::clock::Timestamp;
use crate::event::{CallPart, CallType, CostConfidence, OperationStatus, PricingSource};
use crate::money::exact_sum;
use crate::observation::{Observation, ServiceUse, UsageScope};
use crate::pricing::{
    Cost, CostResult, Explanation, Itemized, PriceLine, PriceQuery, PricingEngine, Rung, stated_cost,
};
use crate::provider::UsageQuirks;
use crate::text::Text;
use crate::usage::{Unit, Usage};

/// The cost of what an exchange showed, at the prices of `billed_at`.
///
/// - A rate that the user registered for the domain comes before everything else.
/// - A price that the provider states beats every table ([`PricingSource::ProviderResponse`],
///   [`CostConfidence::Exact`]); what a gateway says its own provider charges to the caller's key
///   is added. A stated zero counts only where the provider is known to bill by what it states.
/// - A stated price that cannot be one is refused, and the tables price the call: a negative one, one above
///   10,000 US dollars, and one above 1,000 times what the tables say.
/// - Where the caller's own key was used at a provider behind a gateway, and what that charges is not
///   stated, the tables estimate it, and the gateway's fee is added.
/// - Where the provider sells a model as a service and the catalog has a price for that, as of speech,
///   it comes before the table of models, though not before a price of the user's own
///   ([`PricingEngine::set_custom_pricing`], [`PricingEngine::set_overrides`]).
/// - A call that failed with an HTTP error and without usage costs nothing, nor does a request of a batch
///   that failed, was called off or came too late.
/// - A request of a batch has the price of the batch interface, whatever tier its answer names.
/// - Further samplings inside the call ([`CallFacts::parts`](crate::CallFacts::parts)) are priced
///   by their own models and added. Of an agent's exchange, which has no usage of its own, they are
///   all that is priced.
/// - Counts that contradict each other lower the confidence to [`CostConfidence::Estimated`], as does a
///   reply that broke off before its terminal mark: its cost is a floor.
/// - A component that was consumed and not counted leaves the event incomplete: its confidence is
///   [`CostConfidence::Unknown`], whatever else could be priced.
/// - A call that was served from prepaid capacity costs nothing itself.
/// - Polls, and calls whose usage nobody reported, have no cost: `cost_usd` is `None`.
///
/// ```
/// use dexcost::capture::pricing_of;
/// use dexcost::{Ending, Observation, PricingEngine, Timestamp, UsageScope, dec};
///
/// let mut seen = Observation::nothing(Ending::Done);
/// seen.captured = true;
/// seen.usage_scope = UsageScope::Call;
/// seen.call.reported_cost_usd = Some(dec!(0.0025));
/// let cost = pricing_of(&seen, &PricingEngine::new(), Timestamp::default());
/// assert_eq!(cost.cost_usd, Some(dec!(0.0025)));
/// ```
#[must_use]
pub fn pricing_of(seen: &Observation, prices: &PricingEngine, billed_at: Timestamp) -> CostResult {
    let mut bill = Itemized::default();
    let cost = cost_of(seen, prices, billed_at, Some(&mut bill));
    bill.with(cost)
}

/// How the cost of an observed call comes about: [`pricing_of`], with the steps that led to it.
///
/// ```
/// use dexcost::capture::explanation_of;
/// use dexcost::{Ending, Observation, PricingEngine, Timestamp, Unit, UsageScope};
///
/// let mut seen = Observation::nothing(Ending::Done);
/// (seen.captured, seen.usage_scope) = (true, UsageScope::Call);
/// (seen.provider, seen.call.model_requested) = (Some("openai".into()), Some("gpt-4o".into()));
/// seen.usage.set(Unit::InputTokens, 1000);
/// let explanation = explanation_of(&seen, &PricingEngine::new(), Timestamp::default());
/// assert!(explanation.to_string().contains("1000 x 0.0000025 = 0.0025"));
/// ```
#[must_use]
pub fn explanation_of(seen: &Observation, prices: &PricingEngine, billed_at: Timestamp) -> Explanation {
    let (charged, result) = (Charged::of(seen), pricing_of(seen, prices, billed_at));
    let mut steps = match query(seen, charged.usage(seen), billed_at) {
        Some(query) => prices.explain(&query).with_result(result),
        None => Explanation::without_steps(result),
    };
    if charged.without_results.is_some() {
        steps.add_price_step("what searches found is charged as searches, not as a prompt");
    }
    if charged.images.is_some() {
        steps.add_price_step(
            "the output is taken for tokens of images, as an estimate: the reply does not say",
        );
    }
    for part in &seen.call.parts {
        let of_part = prices.explain(&query_of_part(seen, part, billed_at));
        steps.add_part(&part.model, &of_part);
    }
    steps
}

/// What [`pricing_of`] says. The addends, and whose prices they are, go to `bill` where that is given; a
/// ledger has no use for them.
pub(crate) fn cost_of(
    seen: &Observation,
    prices: &PricingEngine,
    billed_at: Timestamp,
    bill: Option<&mut Itemized>,
) -> Cost {
    let is_counted = match seen.usage_scope {
        UsageScope::Call => true,
        UsageScope::None => !seen.call.parts.is_empty(),
        UsageScope::Repeat => false,
    };
    if !seen.captured || !is_counted {
        return unknown();
    }
    if let Some(service) = seen
        .sold_as
        .as_ref()
        .filter(|service| service.pricing_source == PricingSource::RateRegistry)
    {
        return of_catalog(seen, service, bill);
    }
    if seen.call.is_prepaid {
        return prepaid(seen, prices, billed_at, bill);
    }
    match stated(seen) {
        Stated::Cost(cost) if is_plausible(cost, seen, prices, billed_at) => {
            let confidence = if seen.call.is_cut_off {
                CostConfidence::Estimated
            } else {
                CostConfidence::Exact
            };
            of_provider(seen, cost, confidence, bill)
        }
        Stated::Fee(fee) => {
            let mut bill = bill;
            let cost = by_tables(seen, prices, billed_at, bill.as_deref_mut());
            with_fee(cost, fee, bill)
        }
        Stated::Cost(_) | Stated::Invalid => Cost {
            stated_is_refused: true,
            ..by_tables(seen, prices, billed_at, bill)
        },
        Stated::Nothing => by_tables(seen, prices, billed_at, bill),
    }
}

/// A call served from prepaid capacity: its tokens cost nothing, the tools that the provider ran cost what
/// they always do.
fn prepaid(
    seen: &Observation,
    prices: &PricingEngine,
    billed_at: Timestamp,
    bill: Option<&mut Itemized>,
) -> Cost {
    let fees: Usage = seen.usage.iter().filter(|(unit, _)| unit.is_tool_fee()).collect();
    let fees = Some(fees).filter(|fees| !fees.is_empty());
    match fees.as_ref().and_then(|fees| query(seen, fees, billed_at)) {
        Some(fees) => prices.itemized(&fees, bill),
        None => of_provider(seen, Decimal::ZERO, CostConfidence::Computed, bill),
    }
}

/// What the catalog of services and the table of models say.
fn by_tables(
    seen: &Observation,
    prices: &PricingEngine,
    billed_at: Timestamp,
    mut bill: Option<&mut Itemized>,
) -> Cost {
    if let Some(service) = &seen.sold_as
        && !has_better_price(seen, prices, billed_at)
    {
        return of_catalog(seen, service, bill);
    }
    if seen.usage.is_empty() && seen.call.parts.is_empty() {
        let refused = match &seen.call.batch_request_id {
            // What failed, was called off or came too late in a batch is not billed.
            Some(_) => matches!(
                seen.operation_status,
                OperationStatus::Failed | OperationStatus::Cancelled
            ),
            None => {
                seen.operation_status == OperationStatus::Failed
                    && seen.http_status.is_some_and(|status| status >= 400)
            }
        };
        return if refused {
            of_provider(seen, Decimal::ZERO, CostConfidence::Computed, bill)
        } else {
            unknown()
        };
    }
    let mut cost = None;
    if !seen.usage.is_empty() {
        cost = Some(whole(seen, prices, billed_at, bill.as_deref_mut()));
    }
    for part in &seen.call.parts {
        let more = prices.itemized(&query_of_part(seen, part, billed_at), bill.as_deref_mut());
        cost = Some(match cost {
            Some(cost) => sum(cost, more, part),
            None => more,
        });
    }
    let mut cost = cost.unwrap_or_else(unknown);
    if seen.usage_is_suspect || seen.call.is_cut_off {
        cost.cost_confidence = worse(cost.cost_confidence, CostConfidence::Estimated);
    }
    let is_free = matches!(cost.rung, Rung::LocalFree | Rung::FreeVariant);
    if !is_free && !seen.call.uncounted.is_empty() {
        cost.unpriced.extend(seen.call.uncounted.iter().cloned());
        cost.cost_confidence = CostConfidence::Unknown;
    }
    cost
}

/// What a provider states of a call's cost.
enum Stated {
    /// Nothing that is a price.
    Nothing,
    /// Something that cannot be one.
    Invalid,
    /// What it charges.
    Cost(Decimal),
    /// What a gateway charges beside the bill for the caller's own key, which it does not know.
    Fee(Decimal),
}

fn stated(seen: &Observation) -> Stated {
    let Some(reported) = seen.call.reported_cost_usd else {
        return if seen.stated_cost_is_invalid {
            Stated::Invalid
        } else {
            Stated::Nothing
        };
    };
    let upstream = seen.call.upstream_cost_usd.filter(|cost| !cost.is_zero());
    if seen.call.is_byok && upstream.is_none() {
        return Stated::Fee(reported);
    }
    let Some(cost) = exact_sum(reported, upstream.unwrap_or_default()) else {
        return Stated::Invalid;
    };
    let quirks = seen.provider.as_deref().map(UsageQuirks::of).unwrap_or_default();
    // Some repeat a field of the form with a zero in it and bill by their price list.
    if cost.is_zero() && !quirks.bills_as_stated {
        return Stated::Nothing;
    }
    Stated::Cost(cost)
}

/// Whether a stated cost can be one, also beside what the tables say.
fn is_plausible(cost: Decimal, seen: &Observation, prices: &PricingEngine, billed_at: Timestamp) -> bool {
    let listed = || by_tables(seen, prices, billed_at, None).cost_usd;
    stated_cost::is_possible(cost) && stated_cost::is_near(cost, listed())
}

/// The price of the tables with a gateway's fee on top: an estimate of what the caller's own key is billed.
fn with_fee(mut cost: Cost, fee: Decimal, bill: Option<&mut Itemized>) -> Cost {
    if stated_cost::is_possible(fee) {
        cost.cost_usd = cost.cost_usd.and_then(|usd| exact_sum(usd, fee));
        if let Some(bill) = bill.filter(|_| !fee.is_zero()) {
            bill.lines.push(line(Text::from_static("gateway_fee"), fee));
        }
    } else {
        cost.stated_is_refused = true;
    }
    cost.cost_confidence = worse(cost.cost_confidence, CostConfidence::Estimated);
    cost
}

fn query<'a>(seen: &'a Observation, usage: &'a Usage, billed_at: Timestamp) -> Option<PriceQuery<'a>> {
    PriceQuery::of_call(seen.provider.as_deref(), &seen.call, usage, billed_at)
}

fn whole(
    seen: &Observation,
    prices: &PricingEngine,
    billed_at: Timestamp,
    bill: Option<&mut Itemized>,
) -> Cost {
    let charged = Charged::of(seen);
    let query = query(seen, charged.usage(seen), billed_at);
    let mut cost = query.map_or_else(unknown, |query| prices.itemized(&query, bill));
    if charged.images.is_some() {
        cost.cost_confidence = worse(cost.cost_confidence, CostConfidence::Estimated);
    }
    cost
}

/// The usage as it is charged, where that is another than the one reported.
struct Charged {
    without_results: Option<Usage>,
    images: Option<Usage>,
}

impl Charged {
    fn of(seen: &Observation) -> Self {
        let without_results = without_search_results(&seen.usage);
        let usage = without_results.as_ref().unwrap_or(&seen.usage);
        let images = as_images(seen.call.call_type, usage);
        Self {
            without_results,
            images,
        }
    }

    fn usage<'a>(&'a self, seen: &'a Observation) -> &'a Usage {
        let changed = self.images.as_ref().or(self.without_results.as_ref());
        changed.unwrap_or(&seen.usage)
    }
}

/// The usage of an image endpoint that says how many tokens came out and not of which kind: they are
/// those of images. `None` where nothing is to be added.
fn as_images(call_type: CallType, usage: &Usage) -> Option<Usage> {
    if call_type != CallType::ImageGeneration || usage.get(Unit::OutputImageTokens).is_some() {
        return None;
    }
    let output = usage.get(Unit::OutputTokens).filter(|output| !output.is_zero())?;
    Some(usage.clone().with(Unit::OutputImageTokens, output))
}

/// Whether the user said what the model costs, or the table of models has the price of an embedding or a
/// reranking, which it knows better than the catalog of services.
fn has_better_price(seen: &Observation, prices: &PricingEngine, billed_at: Timestamp) -> bool {
    let cost = whole(seen, prices, billed_at, None);
    let is_listed = matches!(seen.call.call_type, CallType::Embedding | CallType::Rerank)
        && cost.cost_confidence != CostConfidence::Unknown;
    cost.cost_usd.is_some() && (is_listed || cost.pricing_source == PricingSource::Custom)
}

/// A usage without the search results that the provider fed to the model: Google counts them as
/// prompts of a tool and charges the search in their place
/// (<https://ai.google.dev/gemini-api/docs/pricing>, read 2026-11). `None` where there are none.
fn without_search_results(usage: &Usage) -> Option<Usage> {
    let results = usage
        .get(Unit::ToolUsePromptTokens)
        .filter(|count| !count.is_zero())?;
    usage
        .get(Unit::WebSearchRequests)
        .filter(|count| !count.is_zero())?;
    let rest = exact_sum(usage.get(Unit::InputTokens)?, -results)?;
    Some(usage.clone().with(Unit::InputTokens, rest))
}

/// The question for a sampling with a model of its own: all else is as for the whole.
fn query_of_part<'a>(seen: &'a Observation, part: &'a CallPart, billed_at: Timestamp) -> PriceQuery<'a> {
    // Of an agent's exchange no model is known, only where it ran.
    let alone = PriceQuery {
        provider: seen.provider.as_deref(),
        host: seen.call.host.as_deref(),
        region: seen.call.region.as_deref(),
        ..PriceQuery::new(&part.model, &part.usage, billed_at)
    };
    query(seen, &part.usage, billed_at).map_or(alone, |whole| PriceQuery {
        model: &part.model,
        response_model: None,
        ..whole
    })
}

/// The cost of a call with that of a sampling inside it.
fn sum(mut cost: Cost, more: Cost, part: &CallPart) -> Cost {
    cost.cost_usd = match (cost.cost_usd, more.cost_usd) {
        (Some(a), Some(b)) => exact_sum(a, b),
        (a, b) => a.or(b),
    };
    if more.cost_usd.is_none() {
        cost.unpriced.push(part.model.clone());
    }
    cost.cost_confidence = worse(cost.cost_confidence, more.cost_confidence);
    cost.unpriced.extend(more.unpriced);
    cost
}

/// The lower of two confidences: they are declared from the best to the worst.
fn worse(a: CostConfidence, b: CostConfidence) -> CostConfidence {
    a.max(b)
}

/// What the catalog of services says.
fn of_catalog(seen: &Observation, service: &ServiceUse, bill: Option<&mut Itemized>) -> Cost {
    if let (Some(bill), Some(cost)) = (bill, service.cost_usd) {
        bill.provider = seen.provider.clone();
        bill.lines = smallvec![line(service.service.clone(), cost)];
    }
    Cost {
        cost_usd: service.cost_usd,
        cost_confidence: service.cost_confidence,
        pricing_source: service.pricing_source,
        pricing_version: service.pricing_version.clone(),
        rung: Rung::Exact,
        ..unknown()
    }
}

fn of_provider(
    seen: &Observation,
    cost: Decimal,
    confidence: CostConfidence,
    bill: Option<&mut Itemized>,
) -> Cost {
    if let Some(bill) = bill {
        bill.provider = seen.provider.clone();
        bill.lines = smallvec![line(Text::from_static("request"), cost)];
    }
    Cost {
        cost_usd: Some(cost),
        cost_confidence: confidence,
        pricing_source: PricingSource::ProviderResponse,
        ..unknown()
    }
}

/// The whole of a cost as one line.
fn line(what: Text, cost: Decimal) -> PriceLine {
    PriceLine {
        what,
        quantity: Decimal::ONE,
        unit_usd: cost,
        usd: cost,
    }
}

fn unknown() -> Cost {
    Cost {
        cost_usd: None,
        cost_confidence: CostConfidence::Unknown,
        pricing_source: PricingSource::Unknown,
        pricing_version: Text::empty(),
        unpriced: SmallVec::new(),
        matched: None,
        rung: Rung::Unknown,
        stated_is_refused: false,
    }
}
