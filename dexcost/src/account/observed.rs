//! From what an exchange showed to an event on a task.

use std::sync::Arc;

use crate::account::capture::cost_of;
use crate::account::jobs::{Begun, with_end};
use crate::account::network;
use crate::account::recording::apply_cost;
use crate::account::tracked_task::TaskHandle;
use crate::account::tracker::CostTracker;
use crate::ending::Ending;
use crate::event::{CallFacts, Details, Event, EventType};
use crate::loss::{LossKind, LossReason};
use crate::observation::{FurtherUse, JobSight, Observation, ServiceUse};
use crate::pricing::PriceQuery;
use crate::usage::Unit;

impl TaskHandle {
    /// Records what an exchange showed: a model call, the use of a priced service, or, where it was
    /// large, failed or slow, an event of the network. Whatever it was, its traffic counts.
    ///
    /// Calls of tools that went as one message are an event each, and so are requests of a batch whose results
    /// were downloaded: on the task that made the batch where this process knows it, else on this one. A poll that shows the end of a call in
    /// the background completes the event of that call, on the task that made it, even if that has ended.
    ///
    /// Returns the event, the first of several, `None` where the exchange is worth none. `latency_ms` is
    /// the time from the request to the end of the exchange.
    pub fn record_observation(&self, mut seen: Observation, latency_ms: Option<u64>) -> Option<Arc<Event>> {
        if let Some(batch) = seen.batch.take() {
            self.record_batch(*batch);
        }
        let jobs = &self.cell().tracker().jobs;
        let mut begun = None;
        match seen.job.take() {
            Some(JobSight { key, consumed: None }) if jobs.has(key) => {
                // What a tool found was handed to a run that goes on.
                seen.captured = false;
            }
            Some(JobSight { key, consumed: None }) => begun = Some(key),
            Some(JobSight {
                key,
                consumed: Some(usage),
            }) => {
                if let Some(begun) = jobs.end(key) {
                    seen.usage = usage;
                    return Some(self.complete(&begun, seen));
                }
            }
            None => {}
        }
        let event = self.record_exchange(seen, latency_ms);
        if let (Some(key), Some(event)) = (begun, &event) {
            jobs.begin(key, self.cell(), Arc::clone(event));
        }
        event
    }

    fn record_exchange(&self, mut seen: Observation, latency_ms: Option<u64>) -> Option<Arc<Event>> {
        let further = std::mem::take(&mut seen.further).into_iter();
        let others: Vec<_> = further.map(|further| alone(further, &seen)).collect();
        if seen.unrecorded_calls > 0 {
            let sink = &self.cell().tracker().sink;
            sink.note_loss(LossKind::Call, LossReason::TooMany, seen.unrecorded_calls);
        }
        let (traffic, peer) = (seen.traffic, seen.peer);
        let host = seen.call.host.clone().unwrap_or_default();
        // A network event repeats nothing that costs: only calls are known by their digest.
        let mut digest = seen.request_digest;
        let is_whole = seen.ending == Ending::Done;
        let service = seen
            .service
            .take()
            .filter(|service| self.is_first(service, is_whole));
        let event = if let Some(mut service) = service {
            let tracker = self.cell().tracker();
            tracker.tools.price(tracker, &mut service, &seen);
            Some(self.service_event(*service, seen, latency_ms))
        } else if seen.captured {
            Some(self.model_event(seen, latency_ms))
        } else {
            digest = None;
            self.network_event(&seen, latency_ms)
        };
        let event = self.cell().observe(event, digest, &host, traffic, peer);
        for other in others {
            self.record_exchange(other, latency_ms);
        }
        event
    }

    /// Completes a call that was begun before, whose end was seen.
    fn complete(&self, begun: &Begun, seen: Observation) -> Arc<Event> {
        let (traffic, peer) = (seen.traffic, seen.peer);
        let host = seen.call.host.clone().unwrap_or_default();
        let whole = with_end(&begun.value, seen);
        let event = match begun.task() {
            Some(task) => task.complete(Arc::clone(&begun.value), |event| self.describe(event, whole)),
            // Its task is gone with its tracker: the cost still falls on one.
            None => {
                let mut event = self.blank(EventType::LlmCall);
                self.describe(&mut event, whole);
                self.cell().record(event, None)
            }
        };
        self.cell().observe(None, None, &host, traffic, peer);
        event
    }

    fn model_event(&self, seen: Observation, latency_ms: Option<u64>) -> Arc<Event> {
        let mut event = self.blank(EventType::LlmCall);
        self.describe(&mut event, seen);
        event.latency_ms = latency_ms;
        Arc::new(event)
    }

    /// Fills an event with what is known of a model call, at the prices of its time.
    fn describe(&self, event: &mut Event, mut seen: Observation) {
        self.count_sessions(&mut seen);
        let tracker = self.cell().tracker();
        let cost = cost_of(&seen, &tracker.pricing, event.occurred_at, None);
        self.count_refused(cost.stated_is_refused);
        event.provider = seen.provider;
        let call = seen.call;
        event.model = call
            .model_returned
            .clone()
            .or_else(|| call.model_requested.clone());
        event.usage = seen.usage;
        event.operation_status = seen.operation_status;
        event.error_type = seen.error_type;
        event.call = Some(call);
        apply_cost(event, cost);
        if let Some(service) = seen.sold_as {
            self.set_details(event, service.details);
        }
    }

    /// Leaves out sessions in containers that an earlier call paid for.
    fn count_sessions(&self, seen: &mut Observation) {
        if seen.containers.is_empty() {
            return;
        }
        let counted = &self.cell().tracker().counted;
        let keys = seen.containers.iter();
        let fresh = keys.filter(|key| counted.is_first(**key)).count();
        seen.usage.set(Unit::CodeInterpreterSessions, fresh);
    }

    fn service_event(&self, service: ServiceUse, seen: Observation, latency_ms: Option<u64>) -> Arc<Event> {
        let mut event = self.blank(EventType::ExternalCost);
        self.count_refused(service.stated_is_refused);
        let refused_with = seen.http_status.filter(|status| *status >= 400);
        event.service_name = Some(service.service);
        event.operation_status = seen.operation_status;
        event.error_type = seen.error_type;
        event.cost_usd = service.cost_usd;
        event.cost_confidence = service.cost_confidence;
        event.pricing_source = service.pricing_source;
        event.pricing_version = Some(service.pricing_version).filter(|version| !version.is_empty());
        let mut call = seen.call;
        if let Some(model) = &service.model {
            call.call_type = service.call_type;
            let mut query = PriceQuery::new(model, &service.usage, event.occurred_at);
            query.provider = service.provider.as_deref();
            query.call_type = service.call_type;
            apply_cost(&mut event, self.cell().tracker().pricing.cost(&query));
        }
        event.call = Some(call);
        event.model = service.model;
        event.provider = service.provider;
        event.usage = service.usage;
        let mut details = service.details;
        if let Some(status) = refused_with {
            details.insert("http_status".to_owned(), status.into());
        }
        self.set_details(&mut event, details);
        event.latency_ms = latency_ms;
        Arc::new(event)
    }

    /// Counts a stated cost that was not believed.
    fn count_refused(&self, is_refused: bool) {
        if is_refused {
            let sink = &self.cell().tracker().sink;
            sink.note_loss(LossKind::StatedCost, LossReason::Implausible, 1);
        }
    }

    fn set_details(&self, event: &mut Event, mut details: Details) {
        if !details.is_empty() {
            self.cell().tracker().privacy.apply_to_details(&mut details);
            event.details = Some(Box::new(details));
        }
    }

    fn network_event(&self, seen: &Observation, latency_ms: Option<u64>) -> Option<Arc<Event>> {
        let is_slow = self.cell().tracker().wants.is_slow(latency_ms);
        network::is_worth_an_event(seen, is_slow).then(|| {
            let mut event = self.blank(EventType::Network);
            network::describe(&mut event, seen);
            event.latency_ms = latency_ms;
            Arc::new(event)
        })
    }

    /// Whether a use that several exchanges show was not counted before. One that broke off before it said
    /// what it costs leaves that to the next.
    fn is_first(&self, service: &ServiceUse, is_whole: bool) -> bool {
        let Some(key) = service.once else { return true };
        let is_known = service.cost_usd.is_some() || service.model.is_some();
        (is_whole || is_known) && self.cell().tracker().counted.is_first(key)
    }
}

/// A use that came beside another as an exchange of its own, whose traffic is counted with the other.
fn alone(further: FurtherUse, seen: &Observation) -> Observation {
    Observation {
        operation_status: further.operation_status,
        error_type: further.error_type,
        http_status: seen.http_status,
        service: Some(Box::new(further.service)),
        call: Box::new(CallFacts {
            host: seen.call.host.clone(),
            ..CallFacts::default()
        }),
        ..Observation::nothing(seen.ending)
    }
}

impl CostTracker {
    /// Records what an exchange showed on `task`, else on the session of the scope at hand. Without a
    /// task, what is shown of a call in the background falls on the task that made it, and traffic alone is
    /// not recorded: it opens no session. Requests of a batch go where [`record_batch`](Self::record_batch)
    /// says.
    pub fn record_observation(
        &self,
        task: Option<&TaskHandle>,
        mut seen: Observation,
        latency_ms: Option<u64>,
    ) -> Option<Arc<Event>> {
        if let Some(batch) = seen.batch.take() {
            self.record_batch(task, *batch);
        }
        let begun = || self.shared().jobs.task_of(seen.job.as_ref());
        let task = task.cloned().or_else(|| Some(TaskHandle::from_cell(begun()?)));
        match task {
            Some(task) => task.record_observation(seen, latency_ms),
            None if seen.captured || self.is_new(seen.service.as_deref()) => self
                .current_task_or_session()
                .record_observation(seen, latency_ms),
            None => None,
        }
    }

    /// Whether a service was used in a way that is not counted yet.
    fn is_new(&self, service: Option<&ServiceUse>) -> bool {
        service.is_some_and(|service| !service.once.is_some_and(|key| self.shared().counted.has(key)))
    }
}
