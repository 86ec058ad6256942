//! The question that is put to the price tables, and the answer.

use rust_decimal::Decimal;
use smallvec::SmallVec;

use super::answer::Cost;
use crate::clock::Timestamp;
use crate::event::{CallFacts, CallType, CostConfidence, PricingSource};
use crate::text::Text;
use crate::usage::Usage;
use crate::words::words;

/// One model call whose cost is asked for.
#[derive(Clone, Debug)]
pub struct PriceQuery<'a> {
    /// Who was called (`openai`, `bedrock`, …), as far as it is known.
    pub provider: Option<&'a str>,
    /// The model as requested.
    pub model: &'a str,
    /// The model as the response names it.
    pub response_model: Option<&'a str>,
    /// The host that was called.
    pub host: Option<&'a str>,
    /// The region of the endpoint.
    pub region: Option<&'a str>,
    /// What kind of call it was.
    pub call_type: CallType,
    /// What was consumed.
    pub usage: &'a Usage,
    /// The tier that was served, as the provider spells it; else the one requested.
    pub service_tier: Option<&'a str>,
    /// Data residency: `us` or `eu`.
    pub residency: Option<&'a str>,
    /// Location of a Vertex endpoint.
    pub location: Option<&'a str>,
    /// Inference geography, as Anthropic reports it.
    pub geo: Option<&'a str>,
    /// Speed class, as Anthropic reports it.
    pub speed: Option<&'a str>,
    /// Search context size: `low`, `medium` or `high`.
    pub search_context_size: Option<&'a str>,
    /// Video resolution such as `720p`.
    pub resolution: Option<&'a str>,
    /// Image quality such as `hd`.
    pub quality: Option<&'a str>,
    /// Memory of the container in which a code interpreter ran: `1g`, `4g`, `16g` or `64g` at OpenAI.
    pub container_memory: Option<&'a str>,
    /// When the call was billed; decides time-of-day prices and which dated price applies.
    pub billed_at: Timestamp,
}

impl<'a> PriceQuery<'a> {
    /// A completion by `model`, with nothing else known.
    #[must_use]
    pub const fn new(model: &'a str, usage: &'a Usage, billed_at: Timestamp) -> Self {
        Self {
            provider: None,
            model,
            response_model: None,
            host: None,
            region: None,
            call_type: CallType::Completion,
            usage,
            service_tier: None,
            residency: None,
            location: None,
            geo: None,
            speed: None,
            search_context_size: None,
            resolution: None,
            quality: None,
            container_memory: None,
            billed_at,
        }
    }

    /// The question that a recorded call asks: everything that its price depends on.
    ///
    /// `None` where the call names no model.
    #[must_use]
    pub fn of_call(
        provider: Option<&'a str>,
        call: &'a CallFacts,
        usage: &'a Usage,
        billed_at: Timestamp,
    ) -> Option<Self> {
        let model = call
            .model_requested
            .as_deref()
            .or(call.model_returned.as_deref())?;
        let tier = match &call.batch_request_id {
            // Whatever tier the answer names, the batch interface sold it.
            Some(_) => Some("batch"),
            None => call
                .service_tier
                .as_deref()
                .or(call.service_tier_requested.as_deref()),
        };
        Some(Self {
            provider,
            response_model: call.model_returned.as_deref(),
            host: call.host.as_deref(),
            region: call.region.as_deref(),
            call_type: call.call_type,
            service_tier: tier,
            residency: call.residency.as_deref(),
            location: call.region.as_deref().filter(|_| provider == Some("vertex")),
            geo: call.geo.as_deref(),
            speed: call.speed.as_deref(),
            search_context_size: call.search_context_size.as_deref(),
            resolution: call.resolution.as_deref(),
            quality: call.quality.as_deref(),
            container_memory: call.container_memory.as_deref(),
            ..Self::new(model, usage, billed_at)
        })
    }
}

/// What a call costs, from which table, and how the sum comes about.
#[derive(Clone, Debug, PartialEq)]
pub struct CostResult {
    /// The priced part in US dollars; `None` where nothing could be priced.
    pub cost_usd: Option<Decimal>,
    /// How far it can be trusted; [`CostConfidence::Unknown`] where a component has no price.
    pub cost_confidence: CostConfidence,
    /// Which table.
    pub pricing_source: PricingSource,
    /// Which version of it.
    pub pricing_version: Text,
    /// The addends.
    pub lines: SmallVec<[PriceLine; 4]>,
    /// The components that have no price.
    pub unpriced: SmallVec<[Text; 1]>,
    /// The key of the table that was used.
    pub matched: Option<Text>,
    /// The rung of the name ladder on which it was found.
    pub rung: Rung,
    /// The provider that the price belongs to.
    pub provider: Option<Text>,
}

/// What a result says beyond the cost: how it comes about.
#[derive(Default)]
pub(crate) struct Itemized {
    /// The addends.
    pub(crate) lines: Lines,
    /// The provider that the price belongs to.
    pub(crate) provider: Option<Text>,
}

impl Itemized {
    /// The result with this cost.
    #[inline]
    pub(crate) fn with(self, cost: Cost) -> CostResult {
        CostResult {
            cost_usd: cost.cost_usd,
            cost_confidence: cost.cost_confidence,
            pricing_source: cost.pricing_source,
            pricing_version: cost.pricing_version,
            lines: self.lines,
            unpriced: cost.unpriced,
            matched: cost.matched,
            rung: cost.rung,
            provider: self.provider,
        }
    }
}

/// The addends of a cost.
pub(super) type Lines = SmallVec<[PriceLine; 4]>;

/// One addend of a cost: so many units at so much each.
#[derive(Clone, Debug, PartialEq)]
pub struct PriceLine {
    /// What is charged (`input_tokens`, `cache_read_tokens`, `web_search_requests`, …).
    pub what: Text,
    /// How many.
    pub quantity: Decimal,
    /// The price of one, multipliers included, in US dollars.
    pub unit_usd: Decimal,
    /// `quantity × unit_usd`.
    pub usd: Decimal,
}

/// What a model's name means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// Who bills.
    pub provider: Option<Text>,
    /// The key of the price table; `None` where the model is unknown, or where its price is no entry
    /// of a table (a local server, a provider's default).
    pub key: Option<Text>,
    /// Whether the key is that of a retired model, at its last price.
    pub legacy: bool,
    /// The rung of the ladder on which it was found.
    pub rung: Rung,
}

words! {
    /// The rung of the ladder on which a model name was found.
    Rung ("rung") {
        /// The name is a key of the table.
        Exact = "exact",
        /// The name is another spelling of a key.
        Alias = "alias",
        /// The user set the price.
        Custom = "custom",
        /// An affix that is not listed was taken off (a date, a version, a geography).
        SuffixStripped = "suffix_stripped",
        /// A price bucket by parameter count.
        SizeBucket = "size_bucket",
        /// A reseller's model, at its vendor's price.
        VendorFallback = "vendor_fallback",
        /// An azure_ai model, at the price of azure or openai.
        AzureFallback = "azure_fallback",
        /// A model at a host that nobody knows, at the price of its maker.
        UnknownHost = "unknown_host",
        /// A retired model, at its last price.
        Legacy = "legacy",
        /// A price per second that holds for every unlisted model of the provider.
        ProviderDefault = "provider_default",
        /// A variant that the router gives away.
        FreeVariant = "free_variant",
        /// A server on this machine or network that bills nothing.
        LocalFree = "local_free",
        /// Nothing was found.
        Unknown = "unknown",
    }
}
