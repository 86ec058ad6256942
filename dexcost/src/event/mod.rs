//! One cost fact inside a task.

mod words;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::clock::Timestamp;
use crate::id::{EventId, TaskId};
use crate::text::Text;
use crate::usage::{Unit, Usage};

pub use words::{CallType, CostConfidence, CostFamily, ErrorType, EventType, OperationStatus, PricingSource};

/// Free-form facts beside an event or a task: JSON, object at the top.
pub type Details = Map<String, Value>;

/// One cost fact inside a task.
///
/// `cost_usd` is `None` where the cost is unknown. Unknown is never zero: it is counted beside the
/// task's totals, and `cost_confidence` is then [`CostConfidence::Unknown`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The event's identifier, ordered by time.
    pub event_id: EventId,
    /// The task that the event belongs to.
    pub task_id: TaskId,
    /// What kind of fact it is.
    pub event_type: EventType,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// The priced part of the cost in US dollars; `None` where nothing of it could be priced.
    #[serde(with = "crate::money::as_optional_text")]
    pub cost_usd: Option<Decimal>,
    /// How far the cost can be trusted.
    pub cost_confidence: CostConfidence,
    /// Where the price came from.
    pub pricing_source: PricingSource,
    /// Which version of that source.
    pub pricing_version: Option<Text>,
    /// The service, where it is not a model.
    pub service_name: Option<Text>,
    /// The provider of the model.
    pub provider: Option<Text>,
    /// The model that is priced: the one returned where it is known, else the one requested.
    pub model: Option<Text>,
    /// What was consumed.
    pub usage: Usage,
    /// How long the call took, in milliseconds.
    pub latency_ms: Option<u64>,
    /// How the operation ended.
    pub operation_status: OperationStatus,
    /// Why it failed, in canonical words.
    pub error_type: Option<ErrorType>,
    /// Whether the event is the repetition of an earlier one.
    pub is_retry: bool,
    /// Why it was repeated.
    pub retry_reason: Option<Text>,
    /// The event that it repeats.
    pub retry_of: Option<EventId>,
    /// What a model call carried beside its usage; everything that its price depends on.
    pub call: Option<Box<CallFacts>>,
    /// Further facts.
    pub details: Option<Box<Details>>,
    /// Which version of the event this is, from 1; an edit raises it.
    pub revision: u32,
}

/// The facts of a model call that its price depends on, and the names it went under.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallFacts {
    /// What kind of call it was.
    pub call_type: CallType,
    /// The model as requested.
    pub model_requested: Option<Text>,
    /// The model as the response names it.
    pub model_returned: Option<Text>,
    /// The key of the price table that was used.
    pub matched: Option<Text>,
    /// The rung of the name ladder on which it was found.
    pub rung: Option<Text>,
    /// The service tier that was served, as the provider spells it.
    pub service_tier: Option<Text>,
    /// The service tier that was asked for, as the provider spells it; the one served beats it. On
    /// Vertex, which names no tier, the kind of traffic as which the call was served.
    pub service_tier_requested: Option<Text>,
    /// Why the model stopped, as the provider spells it.
    pub finish: Option<Text>,
    /// The provider's id of the request.
    pub request_id: Option<Text>,
    /// The provider's id of the record (`chatcmpl-…`, `msg_…`).
    pub response_id: Option<Text>,
    /// The provider's id of the request inside a batch whose results were downloaded; each is counted once,
    /// at the price of the batch interface.
    pub batch_request_id: Option<Text>,
    /// The host that was called.
    pub host: Option<Text>,
    /// The region of the endpoint, where it is known.
    pub region: Option<Text>,
    /// Data residency: `us` or `eu`.
    pub residency: Option<Text>,
    /// Inference geography, as Anthropic reports it.
    pub geo: Option<Text>,
    /// Speed class, as Anthropic reports it.
    pub speed: Option<Text>,
    /// Search context size: `low`, `medium` or `high`.
    pub search_context_size: Option<Text>,
    /// Video resolution such as `720p`.
    pub resolution: Option<Text>,
    /// Image quality such as `hd`.
    pub quality: Option<Text>,
    /// Memory of the container in which a code interpreter ran, as the provider spells it (`4g`).
    pub container_memory: Option<Text>,
    /// Whether the response was streamed.
    pub streamed: bool,
    /// Which attempt of one operation this is, from 1.
    pub attempt: Option<u32>,
    /// The cost that the provider stated, in US dollars.
    #[serde(with = "crate::money::as_optional_text")]
    pub reported_cost_usd: Option<Decimal>,
    /// What a gateway says that its own provider charges to the caller's key there, in US dollars,
    /// on top of `reported_cost_usd`.
    #[serde(with = "crate::money::as_optional_text")]
    pub upstream_cost_usd: Option<Decimal>,
    /// Whether the reply broke off before its terminal mark, so that what was counted, and with it the
    /// cost, is a floor.
    pub is_cut_off: bool,
    /// Whether the call was served from capacity that is paid for by time: it costs nothing itself.
    pub is_prepaid: bool,
    /// Whether the caller's own key at the upstream provider was used, which bills beside what a gateway states.
    pub is_byok: bool,
    /// Components that were consumed and whose count the provider does not report.
    pub uncounted: Vec<Text>,
    /// Components that have no price.
    pub unpriced: Vec<Text>,
    /// Further calls inside the same exchange with a price of their own: an advisor, a compaction.
    pub parts: Vec<CallPart>,
}

/// A model call inside another one, with a price of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallPart {
    /// The model of the part.
    pub model: Text,
    /// What it consumed; not contained in the usage of the whole.
    pub usage: Usage,
}

impl Event {
    /// A successful event of which nothing else is known: no cost, no usage, no names, revision 1.
    ///
    /// ```
    /// use dexcost::{Event, EventId, EventType, TaskId, Timestamp};
    ///
    /// let (now, task) = (Timestamp::from_unix_micros(1), TaskId::from_bytes([1; 16]));
    /// let event = Event::new(EventId::at(now), task, EventType::LlmCall, now);
    /// assert_eq!((event.cost_usd, event.revision), (None, 1));
    /// ```
    #[must_use]
    pub const fn new(
        event_id: EventId,
        task_id: TaskId,
        event_type: EventType,
        occurred_at: Timestamp,
    ) -> Self {
        Self {
            event_id,
            task_id,
            event_type,
            occurred_at,
            cost_usd: None,
            cost_confidence: CostConfidence::Unknown,
            pricing_source: PricingSource::Unknown,
            pricing_version: None,
            service_name: None,
            provider: None,
            model: None,
            usage: Usage::new(),
            latency_ms: None,
            operation_status: OperationStatus::Succeeded,
            error_type: None,
            is_retry: false,
            retry_reason: None,
            retry_of: None,
            call: None,
            details: None,
            revision: 1,
        }
    }

    /// Prompt tokens, where they were reported; those of calls inside the call included.
    #[must_use]
    pub fn input_tokens(&self) -> Option<u64> {
        self.count(Unit::InputTokens)
    }

    /// Completion tokens, where they were reported; those of calls inside the call included.
    #[must_use]
    pub fn output_tokens(&self) -> Option<u64> {
        self.count(Unit::OutputTokens)
    }

    /// Prompt tokens that were read from a cache, where they were reported; those of calls inside
    /// the call included.
    #[must_use]
    pub fn cached_tokens(&self) -> Option<u64> {
        self.count(Unit::CacheReadTokens)
    }

    fn count(&self, unit: Unit) -> Option<u64> {
        let own = self.usage.reported_count(unit);
        let parts = self.call.iter().flat_map(|call| &call.parts);
        let parts = parts.filter_map(|part| part.usage.reported_count(unit));
        parts.fold(own, |sum, part| Some(sum.unwrap_or(0).saturating_add(part)))
    }

    /// Whether something that costs money could not be priced.
    ///
    /// Egress of a machine of which nobody knows who bills it is no gap: most such machines have no
    /// bill by the byte. Where it is known who does, egress without a price is one.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        let is_unbilled =
            self.event_type == EventType::Network && self.pricing_source == PricingSource::Unknown;
        self.event_type.is_money()
            && !is_unbilled
            && (self.cost_usd.is_none() || self.cost_confidence == CostConfidence::Unknown)
    }
}
