//! What a caller may say beside the required.

use rust_decimal::Decimal;

use crate::error::Error;
use crate::event::{CallType, CostConfidence, Details, ErrorType, EventType, PricingSource};
use crate::id::{EventId, TaskId};
use crate::money::Amount;
use crate::text::Text;
use crate::usage::{Unit, Usage};

/// What may be said when a task is opened.
///
/// What is left open is inherited from what is nearest: a [context](crate::Context) that was set within
/// the current task, then that task, then a context around it, then the default context.
///
/// ```
/// use dexcost::TaskOptions;
///
/// let options = TaskOptions { customer_id: Some("acme-corp".into()), ..Default::default() };
/// assert_eq!(options.customer_id.as_deref(), Some("acme-corp"));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskOptions {
    /// The customer that the task is for.
    pub customer_id: Option<String>,
    /// The project that the task is for.
    pub project_id: Option<String>,
    /// The agent that works on it.
    pub agent: Option<String>,
    /// The experiment that it is part of.
    pub experiment_id: Option<String>,
    /// The variant of the experiment; an error without `experiment_id`.
    pub variant: Option<String>,
    /// Free-form facts.
    pub metadata: Details,
    /// The task that it is a part of; else the current task.
    pub parent_task_id: Option<TaskId>,
}

/// What may be said about a cost beside its service and amount.
#[derive(Clone, Debug, PartialEq)]
pub struct CostOptions {
    /// [`EventType::ExternalCost`] (the default), [`EventType::ComputeCost`] or [`EventType::GpuCost`].
    pub event_type: EventType,
    /// How far the amount can be trusted; `exact` by default.
    pub cost_confidence: CostConfidence,
    /// Where the amount came from; `manual` by default.
    pub pricing_source: PricingSource,
    /// Which version of that source.
    pub pricing_version: Option<String>,
    /// Further facts.
    pub details: Option<Details>,
}

impl Default for CostOptions {
    fn default() -> Self {
        Self {
            event_type: EventType::ExternalCost,
            cost_confidence: CostConfidence::Exact,
            pricing_source: PricingSource::Manual,
            pricing_version: None,
            details: None,
        }
    }
}

/// What may be said about a retry beside its reason.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RetryOptions {
    /// What the retry itself cost, in US dollars; nothing by default.
    pub cost_usd: Option<Decimal>,
    /// The event that is repeated.
    pub retry_of: Option<EventId>,
}

/// A model call that is recorded by hand.
///
/// Without [`cost_usd`](Self::cost_usd) the call is priced from the tables.
///
/// ```
/// use dexcost::{LlmCall, Unit};
///
/// let call = LlmCall::new("openai", "gpt-4o", 800, 150).cached_tokens(200).latency_ms(420);
/// assert_eq!(call.usage().count(Unit::CacheReadTokens), 200);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a call counts once it was given to record_llm_call"]
pub struct LlmCall {
    pub(super) provider: Text,
    pub(super) model: Text,
    pub(super) call_type: CallType,
    pub(super) usage: Usage,
    pub(super) service_tier: Option<Text>,
    pub(super) cost_usd: Option<Result<Decimal, String>>,
    pub(super) cost_confidence: Option<CostConfidence>,
    pub(super) pricing_source: Option<PricingSource>,
    pub(super) latency_ms: Option<u64>,
    pub(super) details: Option<Details>,
    pub(super) error_type: Option<ErrorType>,
}

impl LlmCall {
    /// A call of `model` at `provider` with so many prompt tokens (cached ones included) and so
    /// many completion tokens (reasoning included).
    pub fn new(
        provider: impl Into<Text>,
        model: impl Into<Text>,
        input_tokens: u64,
        output_tokens: u64,
    ) -> Self {
        let usage = Usage::new()
            .with(Unit::InputTokens, input_tokens)
            .with(Unit::OutputTokens, output_tokens);
        Self::with_usage(provider, model, usage)
    }

    /// A call of `model` at `provider` with usage in any units.
    pub fn with_usage(provider: impl Into<Text>, model: impl Into<Text>, usage: Usage) -> Self {
        Self {
            provider: provider.into(),
            model: model.into(),
            call_type: CallType::Completion,
            usage,
            service_tier: None,
            cost_usd: None,
            cost_confidence: None,
            pricing_source: None,
            latency_ms: None,
            details: None,
            error_type: None,
        }
    }

    /// What the call consumed.
    #[must_use]
    pub fn usage(&self) -> &Usage {
        &self.usage
    }

    /// What kind of call it was; a completion by default.
    pub fn call_type(mut self, call_type: CallType) -> Self {
        self.call_type = call_type;
        self
    }

    /// Prompt tokens that were read from a cache; part of the prompt tokens.
    pub fn cached_tokens(mut self, tokens: u64) -> Self {
        self.usage.set(Unit::CacheReadTokens, tokens);
        self
    }

    /// Prompt tokens that were written to a cache; part of the prompt tokens.
    pub fn cache_write_tokens(mut self, tokens: u64) -> Self {
        self.usage.set(Unit::CacheWriteTokens, tokens);
        self
    }

    /// Completion tokens that were reasoning; part of the completion tokens.
    pub fn reasoning_tokens(mut self, tokens: u64) -> Self {
        self.usage.set(Unit::ReasoningTokens, tokens);
        self
    }

    /// The service tier that was served (`flex`, `priority`, …).
    pub fn service_tier(mut self, tier: impl Into<Text>) -> Self {
        self.service_tier = Some(tier.into());
        self
    }

    /// What the call cost in US dollars, instead of a price from the tables.
    ///
    /// Text that is no decimal is reported by `record_llm_call`.
    pub fn cost_usd(mut self, amount: impl Amount) -> Self {
        self.cost_usd = Some(amount.into_decimal().map_err(|error| match error {
            Error::InvalidAmount { text } => text,
            other => other.to_string(),
        }));
        self
    }

    /// How far the cost can be trusted; set by itself where it is left out.
    pub fn cost_confidence(mut self, confidence: CostConfidence) -> Self {
        self.cost_confidence = Some(confidence);
        self
    }

    /// Where the cost came from; set by itself where it is left out.
    pub fn pricing_source(mut self, source: PricingSource) -> Self {
        self.pricing_source = Some(source);
        self
    }

    /// How long the call took, in milliseconds.
    pub fn latency_ms(mut self, milliseconds: u64) -> Self {
        self.latency_ms = Some(milliseconds);
        self
    }

    /// Further facts.
    pub fn details(mut self, details: Details) -> Self {
        self.details = Some(details);
        self
    }

    /// Why the call failed; a call without one succeeded.
    pub fn error_type(mut self, error: ErrorType) -> Self {
        self.error_type = Some(error);
        self
    }
}
