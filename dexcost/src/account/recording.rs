//! What can be recorded on a task.

use std::sync::Arc;

use rust_decimal::Decimal;

use crate::account::options::{CostOptions, LlmCall, RetryOptions};
use crate::account::tracked_task::TaskHandle;
use crate::error::Error;
use crate::event::{
    CallFacts, CallType, CostConfidence, Details, Event, EventType, OperationStatus, PricingSource,
};
use crate::id::EventId;
use crate::money::Amount;
use crate::pricing::{Cost, PriceQuery, Rung};
use crate::text::Text;
use crate::usage::{Unit, Usage};

impl TaskHandle {
    /// Records what a service cost.
    ///
    /// The amount is a `Decimal` or text that parses as one; a float does not compile.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidAmount`] where text is no decimal.
    pub fn record_cost(&self, service: impl Into<Text>, cost_usd: impl Amount) -> Result<Arc<Event>, Error> {
        self.record_cost_with(service, cost_usd, CostOptions::default())
    }

    /// Records what a service cost, with everything that can be said about it.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidAmount`] where text is no decimal; [`Error::WrongEventType`] where the type
    /// is none of `external_cost`, `compute_cost` and `gpu_cost`.
    pub fn record_cost_with(
        &self,
        service: impl Into<Text>,
        cost_usd: impl Amount,
        options: CostOptions,
    ) -> Result<Arc<Event>, Error> {
        if !matches!(
            options.event_type,
            EventType::ExternalCost | EventType::ComputeCost | EventType::GpuCost
        ) {
            return Err(Error::WrongEventType {
                given: options.event_type.as_str(),
            });
        }
        let cost_usd = cost_usd.into_decimal()?;
        let mut event = self.blank(options.event_type);
        event.service_name = Some(service.into());
        event.cost_usd = Some(cost_usd);
        event.cost_confidence = options.cost_confidence;
        event.pricing_source = options.pricing_source;
        event.pricing_version = options.pricing_version.map(Text::from);
        Ok(self.keep(event, options.details))
    }

    /// Records so many units of a service at its registered rate.
    ///
    /// # Errors
    ///
    /// [`Error::UnregisteredService`] where no rate is registered; [`Error::Negative`] and
    /// [`Error::InvalidAmount`] where the units are no quantity.
    pub fn record_usage(&self, service: &str, units: impl Amount) -> Result<Arc<Event>, Error> {
        self.record_usage_with(service, units, None)
    }

    /// Records so many units of a service at its registered rate, with further facts.
    ///
    /// # Errors
    ///
    /// As [`record_usage`](Self::record_usage).
    pub fn record_usage_with(
        &self,
        service: &str,
        units: impl Amount,
        details: Option<Details>,
    ) -> Result<Arc<Event>, Error> {
        let units = units.into_decimal()?;
        if units.is_sign_negative() && !units.is_zero() {
            return Err(Error::Negative {
                name: format!("units of {service}"),
            });
        }
        let (rate, version) = self.cell().tracker().rates.lookup(service)?;
        let mut event = self.blank(EventType::ExternalCost);
        event.service_name = Some(service.into());
        event.usage = Usage::new().with(Unit::RateUnits, units);
        event.cost_usd = rate.cost(units);
        event.cost_confidence = if event.cost_usd.is_some() {
            CostConfidence::Computed
        } else {
            CostConfidence::Unknown
        };
        event.pricing_source = PricingSource::RateRegistry;
        event.pricing_version = Some(version);
        Ok(self.keep(event, details))
    }

    /// Records a model call. Without a cost of its own it is priced from the tables.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidAmount`] where the cost was given as text that is no decimal.
    pub fn record_llm_call(&self, call: LlmCall) -> Result<Arc<Event>, Error> {
        let mut event = self.blank(EventType::LlmCall);
        match call.cost_usd {
            Some(Ok(cost_usd)) => {
                event.cost_usd = Some(cost_usd);
                event.cost_confidence = CostConfidence::Exact;
                event.pricing_source = PricingSource::Manual;
            }
            Some(Err(text)) => return Err(Error::InvalidAmount { text }),
            // Nothing was said of what it consumed: what it costs is not known, which is not nothing.
            None if call.usage.is_empty() => {}
            None => self.price(&call, &mut event),
        }
        if call.service_tier.is_some() || call.call_type != CallType::Completion {
            let facts = event.call.get_or_insert_default();
            facts.service_tier = call.service_tier;
            facts.call_type = call.call_type;
        }
        event.cost_confidence = call.cost_confidence.unwrap_or(event.cost_confidence);
        event.pricing_source = call.pricing_source.unwrap_or(event.pricing_source);
        event.provider = Some(call.provider);
        event.model = Some(call.model);
        event.usage = call.usage;
        event.latency_ms = call.latency_ms;
        event.error_type = call.error_type;
        if call.error_type.is_some() {
            event.operation_status = OperationStatus::Failed;
        }
        Ok(self.keep(event, call.details))
    }

    fn price(&self, call: &LlmCall, event: &mut Event) {
        let mut query = PriceQuery::new(&call.model, &call.usage, event.occurred_at);
        query.provider = Some(&call.provider);
        query.call_type = call.call_type;
        query.service_tier = call.service_tier.as_deref();
        let cost = self.cell().tracker().pricing.cost(&query);
        apply_cost(event, cost);
    }

    /// Marks that the operation at hand is a retry, at no cost of its own.
    pub fn mark_retry(&self, reason: impl Into<Text>) -> Arc<Event> {
        self.mark_retry_with(reason, RetryOptions::default())
    }

    /// Marks that the operation at hand is a retry, with what the retry itself cost.
    pub fn mark_retry_with(&self, reason: impl Into<Text>, options: RetryOptions) -> Arc<Event> {
        let mut event = self.blank(EventType::RetryMarker);
        event.cost_usd = Some(options.cost_usd.unwrap_or(Decimal::ZERO));
        event.cost_confidence = CostConfidence::Exact;
        event.pricing_source = PricingSource::Manual;
        event.is_retry = true;
        event.retry_reason = Some(reason.into());
        event.retry_of = options.retry_of;
        self.keep(event, None)
    }

    /// Takes the retry flag off an event, by default off the newest that has it.
    ///
    /// Returns the changed event, `None` where there is none. A task remembers its last 1,024
    /// flagged events.
    pub fn mark_not_retry(&self, event_id: Option<EventId>) -> Option<Arc<Event>> {
        self.cell().unflag_retry(event_id)
    }

    /// An event of now, with nothing in it.
    pub(super) fn blank(&self, event_type: EventType) -> Event {
        let now = self.cell().tracker().clock.now();
        Event::new(EventId::at(now), self.task_id(), event_type, now)
    }

    fn keep(&self, mut event: Event, details: Option<Details>) -> Arc<Event> {
        if let Some(mut details) = details {
            self.cell().tracker().privacy.apply_to_details(&mut details);
            event.details = Some(Box::new(details));
        }
        self.cell().record(event, None)
    }
}

/// Takes a price over into an event; how it came about is only kept where it is not plain.
pub(super) fn apply_cost(event: &mut Event, cost: Cost) {
    event.cost_usd = cost.cost_usd;
    event.cost_confidence = cost.cost_confidence;
    event.pricing_source = cost.pricing_source;
    event.pricing_version = Some(cost.pricing_version).filter(|version| !version.is_empty());
    if cost.rung != Rung::Exact || !cost.unpriced.is_empty() {
        let facts: &mut CallFacts = event.call.get_or_insert_default();
        facts.matched = cost.matched;
        facts.rung = Some(Text::lasting(cost.rung.as_str()));
        facts.unpriced = cost.unpriced.into_vec();
    }
}
