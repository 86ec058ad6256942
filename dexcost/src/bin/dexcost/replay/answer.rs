//! What one recording shows, as a line.

use std::collections::BTreeMap;

use dexcost::capture::pricing_of;
use dexcost::{Decimal, Observation, PricingEngine, ServiceUse, Timestamp, Unit, Usage, UsageScope, money};
use serde::Serialize;
use serde_json::value::RawValue;

use super::recording::Recording;

/// One line of `dexcost replay --json`.
#[derive(Serialize)]
pub(crate) struct Answer {
    id: String,
    pub(crate) captured: bool,
    pub(crate) provider: Option<String>,
    model_requested: Option<String>,
    model_returned: Option<String>,
    usage: BTreeMap<&'static str, Box<RawValue>>,
    usage_scope: &'static str,
    service_tier: Option<String>,
    finish: Option<String>,
    pub(crate) operation_status: &'static str,
    error_type: Option<&'static str>,
    reported_cost_usd: Option<String>,
    cost_usd: Option<String>,
    cost_confidence: &'static str,
    pricing_source: &'static str,
    pricing_version: Option<String>,
    /// Whether it was served from capacity that is paid for by time.
    prepaid: bool,
    /// Whether the reply broke off, so that the cost is a floor.
    cut_off: bool,
    /// What has no price, or was not counted.
    unpriced: Vec<String>,
    request_id: Option<String>,
    pub(crate) service: Option<Service>,
    /// The requests of a batch whose results were downloaded.
    pub(crate) batch: Vec<BatchRequest>,
    #[serde(skip)]
    pub(crate) cost: Option<Decimal>,
    #[serde(skip)]
    pub(crate) counted: Usage,
}

/// A request of a batch.
#[derive(Serialize)]
pub(crate) struct BatchRequest {
    pub(crate) id: Option<String>,
    pub(crate) model: Option<String>,
    usage: BTreeMap<&'static str, Box<RawValue>>,
    cost_usd: Option<String>,
    cost_confidence: &'static str,
    pub(crate) operation_status: &'static str,
    #[serde(skip)]
    pub(crate) cost: Option<Decimal>,
    #[serde(skip)]
    pub(crate) counted: Usage,
}

impl BatchRequest {
    fn new(seen: &Observation, prices: &PricingEngine, at: Timestamp) -> Self {
        let cost = pricing_of(seen, prices, at);
        let call = &seen.call;
        let model = call.model_returned.as_ref().or(call.model_requested.as_ref());
        Self {
            id: call.batch_request_id.as_ref().map(|id| id.as_str().to_owned()),
            model: model.map(|model| model.as_str().to_owned()),
            usage: numbers(&seen.usage),
            cost_usd: cost.cost_usd.map(money::plain),
            cost_confidence: cost.cost_confidence.as_str(),
            operation_status: seen.operation_status.as_str(),
            cost: cost.cost_usd,
            counted: seen.usage.clone(),
        }
    }
}

/// The use of a priced service that is no model.
#[derive(Serialize)]
pub(crate) struct Service {
    pub(crate) name: String,
    cost_usd: Option<String>,
    cost_confidence: &'static str,
    pricing_source: &'static str,
    #[serde(skip)]
    pub(crate) cost: Option<Decimal>,
}

impl Service {
    fn new(used: &ServiceUse) -> Self {
        Self {
            name: used.service.as_str().to_owned(),
            cost_usd: used.cost_usd.map(money::plain),
            cost_confidence: used.cost_confidence.as_str(),
            pricing_source: used.pricing_source.as_str(),
            cost: used.cost_usd,
        }
    }
}

/// The names of units in recordings.
#[rustfmt::skip]
const NAMES: &[(&str, Unit)] = &[
    ("input_tokens_total", Unit::InputTokens),
    ("cache_read", Unit::CacheReadTokens),
    ("cache_write", Unit::CacheWriteTokens),
    ("cache_write_5m", Unit::CacheWrite5mTokens),
    ("cache_write_1h", Unit::CacheWrite1hTokens),
    ("output_tokens_total", Unit::OutputTokens),
    ("reasoning", Unit::ReasoningTokens),
    ("input_audio", Unit::InputAudioTokens),
    ("input_image", Unit::InputImageTokens),
    ("input_video", Unit::InputVideoTokens),
    ("input_document", Unit::InputDocumentTokens),
    ("output_audio", Unit::OutputAudioTokens),
    ("output_image", Unit::OutputImageTokens),
    ("tool_use_prompt", Unit::ToolUsePromptTokens),
    ("accepted_prediction", Unit::AcceptedPredictionTokens),
    ("rejected_prediction", Unit::RejectedPredictionTokens),
    ("web_search_requests", Unit::WebSearchRequests),
    ("search_units", Unit::SearchUnits),
    ("audio_seconds", Unit::AudioSeconds),
    ("compute_seconds", Unit::ComputeSeconds),
    ("pages", Unit::Pages),
];

impl Answer {
    pub(crate) fn new(
        recording: &Recording,
        seen: &Observation,
        prices: &PricingEngine,
        at: Timestamp,
    ) -> Self {
        let cost = pricing_of(seen, prices, at);
        let amount = cost.cost_usd.filter(|_| seen.usage_scope == UsageScope::Call);
        let call = &seen.call;
        let owned = |text: &Option<dexcost::Text>| text.as_deref().map(str::to_owned);
        Self {
            id: recording.id.clone(),
            captured: seen.captured,
            provider: owned(&seen.provider),
            model_requested: owned(&call.model_requested),
            model_returned: owned(&call.model_returned),
            usage: numbers(&seen.usage),
            usage_scope: seen.usage_scope.as_str(),
            service_tier: owned(&call.service_tier),
            finish: owned(&call.finish),
            operation_status: seen.operation_status.as_str(),
            error_type: seen.error_type.map(|error| error.as_str()),
            reported_cost_usd: call.reported_cost_usd.map(money::plain),
            cost_usd: amount.map(money::plain),
            cost_confidence: cost.cost_confidence.as_str(),
            pricing_source: cost.pricing_source.as_str(),
            pricing_version: (!cost.pricing_version.is_empty())
                .then(|| cost.pricing_version.as_str().to_owned()),
            prepaid: call.is_prepaid,
            cut_off: call.is_cut_off,
            unpriced: cost
                .unpriced
                .iter()
                .map(|unit| unit.as_str().to_owned())
                .collect(),
            request_id: owned(&call.request_id),
            service: seen.service.as_deref().map(Service::new),
            batch: seen
                .batch
                .iter()
                .flat_map(|batch| &batch.requests)
                .map(|request| BatchRequest::new(request, prices, at))
                .collect(),
            cost: amount,
            counted: seen.usage.clone(),
        }
    }

    /// The model to report it under: the one that answered, else the one asked for.
    pub(crate) fn model(&self) -> Option<&str> {
        self.model_returned.as_deref().or(self.model_requested.as_deref())
    }
}

/// Quantities as JSON numbers of their exact text.
fn numbers(usage: &Usage) -> BTreeMap<&'static str, Box<RawValue>> {
    let number = |quantity: Decimal| RawValue::from_string(money::plain(quantity)).ok();
    let mut numbers: BTreeMap<_, _> = NAMES
        .iter()
        .filter_map(|(name, unit)| Some((*name, number(usage.get(*unit)?)?)))
        .collect();
    if let Some(total) = usage.get(Unit::InputTokens) {
        let cached = [Unit::CacheReadTokens, Unit::CacheWriteTokens]
            .into_iter()
            .try_fold(Decimal::ZERO, |sum, unit| {
                sum.checked_add(usage.get(unit).unwrap_or_default())
            });
        let uncached = cached
            .and_then(|cached| total.checked_sub(cached))
            .unwrap_or_default();
        if let Some(uncached) = number(uncached.max(Decimal::ZERO)) {
            numbers.insert("input_uncached", uncached);
        }
    }
    numbers
}
