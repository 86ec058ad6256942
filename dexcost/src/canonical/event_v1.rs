//! The v1 form of an event.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::v1::{SchemaVersion, invalid, put_extras, read, required, take_extras};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::event::{CallFacts, CostConfidence, Details, ErrorType, Event, EventType};
use crate::event::{OperationStatus, PricingSource};
use crate::id::{EventId, TaskId};
use crate::text::Text;
use crate::usage::{Unit, Usage};

const WHAT: &str = "event";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EventV1 {
    event_id: EventId,
    task_id: TaskId,
    event_type: EventType,
    occurred_at: Timestamp,
    #[serde(with = "crate::money::as_text")]
    cost_usd: Decimal,
    cost_confidence: CostConfidence,
    #[serde(deserialize_with = "required")]
    pricing_source: Option<PricingSource>,
    #[serde(deserialize_with = "required")]
    pricing_version: Option<Text>,
    #[serde(deserialize_with = "required")]
    service_name: Option<Text>,
    #[serde(deserialize_with = "required")]
    provider: Option<Text>,
    #[serde(deserialize_with = "required")]
    model: Option<Text>,
    #[serde(deserialize_with = "required")]
    input_tokens: Option<u64>,
    #[serde(deserialize_with = "required")]
    output_tokens: Option<u64>,
    #[serde(deserialize_with = "required")]
    cached_tokens: Option<u64>,
    #[serde(deserialize_with = "required")]
    latency_ms: Option<u64>,
    is_retry: bool,
    #[serde(deserialize_with = "required")]
    retry_reason: Option<Text>,
    #[serde(deserialize_with = "required")]
    retry_of: Option<EventId>,
    details: Details,
    schema_version: SchemaVersion,
}

/// What v1 has no field for; in `details._dexcost`, each only where it says something.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Extras {
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<CostMark>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation_status: Option<OperationStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_type: Option<ErrorType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<Box<CallFacts>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<u32>,
}

/// Why `cost_usd` of the v1 form is not the whole cost.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum CostMark {
    /// It is unknown; the `"0"` only stands there because v1 allows no null.
    Unknown,
    /// Parts of it have no price; the amount is the sum of the others.
    Partial,
}

impl Event {
    /// The v1 form: every field there, explicit nulls, money as text.
    ///
    /// Since v1 has no null cost, an unknown one is `"0"` with confidence `unknown` and
    /// `details._dexcost.cost` = `"unknown"`. What v1 has no field for stands in
    /// `details._dexcost` too, so that [`from_v1`](Self::from_v1) gives the same event again.
    ///
    /// ```
    /// use dexcost::{CostConfidence, Event};
    /// # let json = serde_json::json!({
    /// #     "event_id": "01936a5e-7c00-7000-8000-000000000002", "task_id": "01936a5e-7c00-7000-8000-000000000001",
    /// #     "event_type": "llm_call", "occurred_at": "2026-11-22T09:00:00.000000Z", "cost_usd": null,
    /// #     "cost_confidence": "unknown", "pricing_source": "unknown", "pricing_version": null,
    /// #     "service_name": null, "provider": "acme", "model": "m-1", "usage": {"input_tokens": "7"},
    /// #     "latency_ms": null, "operation_status": "succeeded", "error_type": null, "is_retry": false,
    /// #     "retry_reason": null, "retry_of": null, "call": null, "details": null, "revision": 1
    /// # });
    /// # let event: Event = serde_json::from_value(json).unwrap();
    /// assert_eq!(event.cost_usd, None);
    /// let v1 = event.to_v1();
    /// assert_eq!(v1["cost_usd"], "0");
    /// assert_eq!(v1["cost_confidence"], "unknown");
    /// assert_eq!(v1["details"]["_dexcost"]["cost"], "unknown");
    /// assert_eq!(v1["input_tokens"], 7);
    /// assert_eq!(Event::from_v1(&v1).unwrap(), event);
    /// ```
    #[must_use]
    pub fn to_v1(&self) -> Value {
        let mut details = self.details.as_deref().cloned().unwrap_or_default();
        put_extras(&mut details, &Extras::of(self));
        let cost_confidence = match self.cost_usd {
            Some(_) => self.cost_confidence,
            None => CostConfidence::Unknown,
        };
        let form = EventV1 {
            event_id: self.event_id,
            task_id: self.task_id,
            event_type: self.event_type,
            occurred_at: self.occurred_at,
            cost_usd: self.cost_usd.unwrap_or_default(),
            cost_confidence,
            pricing_source: Some(self.pricing_source),
            pricing_version: self.pricing_version.clone(),
            service_name: self.service_name.clone(),
            provider: self.provider.clone(),
            model: self.model.clone(),
            input_tokens: self.input_tokens(),
            output_tokens: self.output_tokens(),
            cached_tokens: self.cached_tokens(),
            latency_ms: self.latency_ms,
            is_retry: self.is_retry,
            retry_reason: self.retry_reason.clone(),
            retry_of: self.retry_of,
            details,
            schema_version: SchemaVersion::One,
        };
        serde_json::to_value(form).unwrap_or_default()
    }

    /// The event of a v1 form, ours or another SDK's.
    ///
    /// A cost of zero with confidence `unknown` is an unknown cost, marked or not.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidRecord`] where a field is missing, unknown or of the wrong type: a cost
    /// that is a JSON number, for one.
    pub fn from_v1(value: &Value) -> Result<Self, Error> {
        let mut form: EventV1 = read(WHAT, value)?;
        if form.cost_usd.is_sign_negative() && !form.cost_usd.is_zero() {
            return Err(invalid(WHAT, &"`cost_usd` is negative"));
        }
        let extras: Extras = take_extras(WHAT, &mut form.details)?;
        let unknown = match extras.cost {
            Some(mark) => mark == CostMark::Unknown,
            None => form.cost_usd.is_zero() && form.cost_confidence == CostConfidence::Unknown,
        };
        Ok(Self {
            event_id: form.event_id,
            task_id: form.task_id,
            event_type: form.event_type,
            occurred_at: form.occurred_at,
            cost_usd: (!unknown).then_some(form.cost_usd),
            cost_confidence: form.cost_confidence,
            pricing_source: form.pricing_source.unwrap_or(PricingSource::Unknown),
            pricing_version: form.pricing_version,
            service_name: form.service_name,
            provider: form.provider,
            model: form.model,
            usage: extras
                .usage
                .unwrap_or_else(|| tokens(form.input_tokens, form.output_tokens, form.cached_tokens)),
            latency_ms: form.latency_ms,
            operation_status: extras.operation_status.unwrap_or(OperationStatus::Unknown),
            error_type: extras.error_type,
            is_retry: form.is_retry,
            retry_reason: form.retry_reason,
            retry_of: form.retry_of,
            call: extras.call,
            details: (!form.details.is_empty()).then(|| Box::new(form.details)),
            revision: extras.revision.unwrap_or(1),
        })
    }
}

impl Extras {
    fn of(event: &Event) -> Self {
        let plain = tokens(event.input_tokens(), event.output_tokens(), event.cached_tokens());
        Self {
            cost: match (event.cost_usd, event.cost_confidence) {
                (None, _) => Some(CostMark::Unknown),
                (Some(_), CostConfidence::Unknown) => Some(CostMark::Partial),
                _ => None,
            },
            usage: (plain != event.usage).then(|| event.usage.clone()),
            operation_status: Some(event.operation_status).filter(|s| *s != OperationStatus::Unknown),
            error_type: event.error_type,
            call: event.call.clone(),
            revision: Some(event.revision).filter(|r| *r != 1),
        }
    }
}

/// The usage that v1's three counters can tell.
fn tokens(input: Option<u64>, output: Option<u64>, cached: Option<u64>) -> Usage {
    let counters = [
        (Unit::InputTokens, input),
        (Unit::OutputTokens, output),
        (Unit::CacheReadTokens, cached),
    ];
    let reported = counters
        .into_iter()
        .filter_map(|(unit, count)| Some((unit, Decimal::from(count?))));
    reported.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::{arbitrary, to_string};
    use crate::dec;
    use proptest::prelude::*;
    use serde_json::json;

    fn foreign() -> Value {
        json!({
            "event_id": "0b7d9f3e-6f0e-4a58-9a1c-3a7c5d1e2f30",
            "task_id": "5f0d6f3a-2b43-4f0a-8a55-2f7a0d9b6c11",
            "event_type": "external_cost", "occurred_at": "2026-11-22T10:00:00+01:00",
            "cost_usd": "0.0050", "cost_confidence": "exact", "pricing_source": null,
            "pricing_version": null, "service_name": "pdf", "provider": null, "model": null,
            "input_tokens": null, "output_tokens": null, "cached_tokens": null, "latency_ms": null,
            "is_retry": false, "retry_reason": null, "retry_of": null, "details": {"pages": 3},
            "schema_version": "1"
        })
    }

    #[test]
    fn a_form_of_another_sdk_is_read() {
        let event = Event::from_v1(&foreign()).unwrap();
        assert_eq!(event.cost_usd, Some(dec!(0.005)));
        assert_eq!(event.occurred_at.to_string(), "2026-11-22T09:00:00.000000Z");
        assert_eq!(event.details.as_ref().unwrap()["pages"], 3);
        assert_eq!(
            (event.revision, event.operation_status),
            (1, OperationStatus::Unknown)
        );
    }

    #[test]
    fn an_unmarked_zero_of_unknown_confidence_is_unknown() {
        let mut form = foreign();
        form["cost_usd"] = json!("0");
        form["cost_confidence"] = json!("unknown");
        assert_eq!(Event::from_v1(&form).unwrap().cost_usd, None);
    }

    #[test]
    fn what_the_schema_forbids_is_refused() {
        let wrong = [
            ("cost_usd", json!(0.005)),
            ("cost_usd", json!("-1")),
            ("cost_usd", json!(null)),
            ("cost_usd", json!("NaN")),
            ("input_tokens", json!(-1)),
            ("input_tokens", json!(1.5)),
            ("details", json!(null)),
            ("schema_version", json!("2")),
            ("schema_version", json!(1)),
            ("event_id", json!("no id")),
            ("event_type", json!("gift")),
            ("surplus", json!(1)),
        ];
        for (field, value) in wrong {
            let mut form = foreign();
            form[field] = value;
            assert!(Event::from_v1(&form).is_err(), "{field}");
        }
        for field in foreign().as_object().unwrap().keys() {
            let mut form = foreign();
            form.as_object_mut().unwrap().remove(field);
            let message = Event::from_v1(&form).unwrap_err().to_string();
            assert!(message.contains(field), "{message}");
        }
    }

    proptest! {
        #[test]
        fn an_event_survives_its_v1_form(event in arbitrary::event()) {
            let text = to_string(&event.to_v1());
            let back = Event::from_v1(&serde_json::from_str(&text).unwrap()).unwrap();
            prop_assert_eq!(to_string(&back.to_v1()), text);
            prop_assert_eq!(back, event);
        }

        #[test]
        fn an_event_survives_its_own_form(event in arbitrary::event()) {
            let text = to_string(&serde_json::to_value(&event).unwrap());
            prop_assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event);
        }

        #[test]
        fn every_v1_event_has_exactly_the_fields_of_the_schema(event in arbitrary::event()) {
            let form = event.to_v1();
            let fields: Vec<_> = form.as_object().unwrap().keys().cloned().collect();
            let mut known: Vec<_> = foreign().as_object().unwrap().keys().cloned().collect();
            known.sort();
            let mut fields = fields;
            fields.sort();
            prop_assert_eq!(fields, known);
        }
    }
}
