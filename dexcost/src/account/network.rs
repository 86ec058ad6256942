//! From traffic to network events, and what egress costs.

use serde_json::Value;

use crate::account::capture::EgressOrigin;
use crate::account::tracker::Shared;
use crate::account::traffic::Egress;
use crate::event::{CostConfidence, Details, Event, EventType, OperationStatus, PricingSource};
use crate::id::{EventId, TaskId};
use crate::observation::Observation;
use crate::pricing::{EgressDestination, EgressPricing};
use crate::text::Text;
use crate::usage::{Unit, Usage};
use crate::wire::Peer;

/// Above so many bytes in both directions an un-priced exchange is an event of its own.
const LARGE_BYTES: u64 = 102_400;

/// Under which name an event's details say where its bytes were counted.
const MEASURED_AT: &str = "measured_at";
/// As HTTP messages, before transport encryption and frames.
const HTTP_MESSAGE: &str = "http_message";
/// The service of the event that sums up small exchanges.
const SUMMARY: Text = Text::from_static("_egress");

/// Whether an exchange that costs nothing else is worth an event of its own.
pub(super) fn is_worth_an_event(seen: &Observation, is_slow: bool) -> bool {
    seen.traffic.calls > 0
        && (seen.traffic.bytes() > LARGE_BYTES || seen.http_status.is_some_and(|s| s >= 400) || is_slow)
}

/// Fills an event with what an exchange moved. What stays inside costs nothing; what leaves has no
/// price until the task ends.
pub(super) fn describe(event: &mut Event, seen: &Observation) {
    event.service_name = seen.call.host.clone();
    event.operation_status = seen.operation_status;
    event.error_type = seen.error_type;
    event.usage = Usage::new()
        .with(Unit::EgressBytes, seen.traffic.bytes_out)
        .with(Unit::IngressBytes, seen.traffic.bytes_in);
    if seen.peer == Peer::Internal {
        event.cost_usd = Some(rust_decimal::Decimal::ZERO);
        event.cost_confidence = CostConfidence::Computed;
    }
    let mut details = measured();
    details.insert("peer".to_owned(), seen.peer.as_str().into());
    if let Some(status) = seen.http_status {
        details.insert("http_status".to_owned(), status.into());
    }
    event.details = Some(Box::new(details));
}

fn measured() -> Details {
    Details::from_iter([(MEASURED_AT.to_owned(), Value::from(HTTP_MESSAGE))])
}

/// Whether a network event waits for a price.
pub(super) fn is_pending(event: &Event) -> bool {
    event.event_type == EventType::Network && event.cost_usd.is_none()
}

/// Leaves the price of an event's bytes to the summary: it has none of its own, and says where it is. A
/// zero would be one where no summary is written, for want of a cloud that sends the bill.
pub(super) fn leave_to_summary(event: &mut Event) {
    let details = event.details.get_or_insert_default();
    details.insert("priced_in".to_owned(), SUMMARY.as_str().into());
}

/// The bytes that a network event sent.
pub(super) fn egress_of(event: &Event) -> u64 {
    event.usage.count(Unit::EgressBytes)
}

/// Prices egress from one origin.
pub(super) struct EgressPrices<'a> {
    tracker: &'a Shared,
    origin: EgressOrigin,
}

impl<'a> EgressPrices<'a> {
    /// `None` where nobody knows which cloud sends the bill.
    pub(super) fn of(tracker: &'a Shared) -> Option<Self> {
        let origin = tracker.wants.egress_from()?;
        Some(Self { tracker, origin })
    }

    /// The event with its price, unknown where the origin has none.
    pub(super) fn priced(&self, before: &Event) -> Event {
        let is_assumed = before.details.as_ref().is_some_and(|details| {
            details.get("peer").and_then(Value::as_str) == Some(Peer::Assumed.as_str())
        });
        let mut after = before.clone();
        self.put(&mut after, egress_of(before), is_assumed);
        after.revision += 1;
        after
    }

    /// One event for all egress that no other event covers; `None` where there is none.
    pub(super) fn summary(&self, task_id: TaskId, egress: Egress) -> Option<Event> {
        if egress.bytes == 0 {
            return None;
        }
        let now = self.tracker.clock.now();
        let mut event = Event::new(EventId::at(now), task_id, EventType::Network, now);
        event.service_name = Some(SUMMARY);
        event.operation_status = OperationStatus::Succeeded;
        event.usage = Usage::new()
            .with(Unit::EgressBytes, egress.bytes)
            .with(Unit::Requests, egress.calls);
        event.details = Some(Box::new(measured()));
        self.put(&mut event, egress.bytes, egress.assumed_bytes > 0);
        Some(event)
    }

    /// Puts the price of so many bytes into an event; a cloud without prices leaves it unknown.
    fn put(&self, event: &mut Event, bytes: u64, is_assumed: bool) {
        event.pricing_source = PricingSource::EgressTable;
        let EgressOrigin { provider, region } = &self.origin;
        let internet = EgressDestination::Internet;
        let Some(cost) = EgressPricing::new().cost(provider, region.as_deref(), internet, bytes) else {
            return;
        };
        let line = serde_json::json!({
            "unit": "gigabyte",
            "quantity": crate::money::plain(cost.gigabytes),
            "unit_usd": crate::money::plain(cost.usd_per_gigabyte),
            "usd": crate::money::plain(cost.cost_usd),
        });
        let details = event.details.get_or_insert_default();
        details.insert("lines".to_owned(), Value::Array(vec![line]));
        details.insert("price_as_of".to_owned(), cost.as_of.into());
        details.insert("price_source".to_owned(), cost.source.into());
        event.cost_usd = Some(cost.cost_usd);
        event.cost_confidence = match is_assumed {
            true => cost.confidence.max(CostConfidence::Estimated),
            false => cost.confidence,
        };
        event.pricing_version = Some(cost.version);
    }
}
