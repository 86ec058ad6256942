//! The shared state of a running task: its record, its totals, its retries.

use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::Value;

use crate::account::network::{self, EgressPrices};
use crate::account::retries::RetryMemory;
use crate::account::tracker::Shared;
use crate::account::traffic::TaskTraffic;
use crate::error::Error;
use crate::event::{Event, EventType};
use crate::id::{EventId, TaskId};
use crate::sink::{Record, Refusal};
use crate::task::{Attribution, ENDED_BY, ExactSums, HostTraffic, Task, TaskStatus};
use crate::wire::Peer;

/// How many flagged events a task remembers for `mark_not_retry`.
const FLAGGED: usize = 1_024;

/// A task that several threads may record on.
///
/// One short lock per task. It is held while the records are handed to the sink, so that the sink
/// sees a task's records in the order in which its totals saw them; no code of the user runs under it.
#[derive(Debug)]
pub(crate) struct TaskCell {
    tracker: Arc<Shared>,
    task_id: TaskId,
    live: Mutex<Live>,
}

#[derive(Debug)]
struct Live {
    task: Task,
    sums: ExactSums,
    retries: RetryMemory,
    flagged: Vec<Arc<Event>>,
    traffic: TaskTraffic,
    lost: u64,
    lost_reason: Option<Refusal>,
}

impl TaskCell {
    /// Opens the task: from here on a crash leaves it behind as interrupted.
    pub(super) fn open(tracker: Arc<Shared>, task: Task) -> Arc<Self> {
        let task_id = task.task_id;
        let mut live = Live {
            task,
            sums: ExactSums::default(),
            retries: RetryMemory::default(),
            flagged: Vec::new(),
            traffic: TaskTraffic::default(),
            lost: 0,
            lost_reason: None,
        };
        let started = Record::TaskStarted(Arc::new(live.task.clone()));
        live.hand_over(&tracker, started);
        Arc::new(Self {
            tracker,
            task_id,
            live: Mutex::new(live),
        })
    }

    pub(super) fn tracker(&self) -> &Arc<Shared> {
        &self.tracker
    }

    pub(super) fn tracker_id(&self) -> u64 {
        self.tracker.id
    }

    pub(super) fn task_id(&self) -> TaskId {
        self.task_id
    }

    /// Reads something of the task's record as it stands now.
    pub(super) fn read<T>(&self, look: impl FnOnce(&Task) -> T) -> T {
        let mut live = self.live.lock();
        live.publish_traffic();
        look(&live.task)
    }

    /// Adds an event to the totals and hands it over.
    ///
    /// `digest` identifies the request on the wire, where there was one. Events that arrive after
    /// the task's end (the last bytes of a stream) still count, and the task's record is renewed.
    pub(super) fn record(&self, event: Event, digest: Option<u64>) -> Arc<Event> {
        let event = Arc::new(event);
        let mut live = self.live.lock();
        let event = live.add(&self.tracker, event, digest);
        live.renew_if_ended(&self.tracker);
        event
    }

    /// Counts what an exchange moved, beside the event that it is worth, if any.
    pub(super) fn observe(
        &self,
        mut event: Option<Arc<Event>>,
        digest: Option<u64>,
        host: &str,
        traffic: HostTraffic,
        peer: Peer,
    ) -> Option<Arc<Event>> {
        let mut live = self.live.lock();
        let live = &mut *live;
        let is_summed = live.traffic.is_full();
        if let Some(event) = event
            .as_mut()
            .filter(|event| is_summed && network::is_pending(event))
        {
            network::leave_to_summary(Arc::make_mut(event));
        }
        let event = event.map(|event| live.add(&self.tracker, event, digest));
        if traffic.calls > 0 {
            live.traffic.count(&mut live.task.totals, host, traffic);
            let has_own_price = |event: &Arc<Event>| event.event_type == EventType::Network && !is_summed;
            match event.as_ref().filter(|event| has_own_price(event)) {
                Some(event) if network::is_pending(event) => live.traffic.wait(event),
                Some(_) => {}
                None => live.traffic.leave_unpriced(traffic.bytes_out, peer),
            }
        }
        if live.task.status != TaskStatus::Pending {
            live.price_egress(&self.tracker);
            live.renew(&self.tracker);
        }
        event
    }

    /// Takes the retry flag off an event: the given one, else the newest that has it.
    pub(super) fn unflag_retry(&self, event_id: Option<EventId>) -> Option<Arc<Event>> {
        let mut live = self.live.lock();
        let at = match event_id {
            Some(id) => live.flagged.iter().rposition(|event| event.event_id == id)?,
            None => live.flagged.len().checked_sub(1)?,
        };
        let before = live.flagged.remove(at);
        let after = unflagged(&before);
        let after = live.replace(&self.tracker, before, after);
        live.renew_if_ended(&self.tracker);
        Some(after)
    }

    /// Completes an event that was recorded before, when it is known what became of it.
    pub(super) fn complete(&self, before: Arc<Event>, change: impl FnOnce(&mut Event)) -> Arc<Event> {
        let mut live = self.live.lock();
        let flagged = live
            .flagged
            .iter()
            .position(|event| event.event_id == before.event_id);
        let before = match flagged {
            None if before.is_retry && live.flagged.len() < FLAGGED => Arc::new(unflagged(&before)),
            _ => before,
        };
        let mut after = Event::clone(&before);
        change(&mut after);
        after.revision += 1;
        let after = live.replace(&self.tracker, before, after);
        if let Some(at) = flagged {
            live.flagged[at] = Arc::clone(&after);
        }
        live.renew_if_ended(&self.tracker);
        after
    }

    /// Changes the metadata and hands the renewed record over.
    pub(super) fn change_metadata(&self, change: impl FnOnce(&mut crate::event::Details)) {
        let mut live = self.live.lock();
        change(&mut live.task.metadata);
        self.tracker.privacy.apply_to_details(&mut live.task.metadata);
        live.renew(&self.tracker);
    }

    /// Fills gaps of the attribution; what is set stays.
    pub(super) fn fill_attribution(&self, context: &Attribution) {
        let mut context = context.clone();
        self.tracker.privacy.apply_to_attribution(&mut context);
        let mut live = self.live.lock();
        let filled = live.task.attribution.clone().or(&context);
        if filled != live.task.attribution {
            live.task.attribution = filled;
            live.renew(&self.tracker);
        }
    }

    /// Ends the task. `ended_by` says why, where it was not the program that ended it.
    pub(super) fn end(&self, status: TaskStatus, ended_by: Option<&'static str>) -> Result<(), Error> {
        let now = self.tracker.clock.now();
        let mut live = self.live.lock();
        if live.task.status != TaskStatus::Pending {
            return Err(Error::AlreadyEnded);
        }
        live.price_egress(&self.tracker);
        live.task.status = if status == TaskStatus::Pending {
            TaskStatus::Failed
        } else {
            status
        };
        live.task.ended_at = Some(now.max(live.task.started_at));
        if let Some(reason) = ended_by {
            live.task
                .metadata
                .insert(ENDED_BY.to_owned(), Value::from(reason));
        }
        live.task.revision += 1;
        live.publish_traffic();
        let ended = Record::TaskEnded(Arc::new(live.task.clone()));
        live.hand_over(&self.tracker, ended);
        Ok(())
    }

    /// How many records of the task the sink refused, and why the last of them.
    pub(super) fn lost(&self) -> Option<(u64, Refusal)> {
        let live = self.live.lock();
        live.lost_reason.map(|reason| (live.lost, reason))
    }
}

impl Live {
    /// Adds an event, which nobody else holds yet, to the totals and hands it over.
    fn add(&mut self, tracker: &Shared, mut event: Arc<Event>, digest: Option<u64>) -> Arc<Event> {
        let new = Arc::make_mut(&mut event);
        if let Some(digest) = digest {
            self.retries.apply_wire(digest, new);
        }
        if let Some(heuristics) = tracker.retry_heuristics {
            self.retries.apply_heuristic(heuristics, new);
        }
        self.sums.add(&mut self.task.totals, new);
        if event.is_retry {
            self.remember_flagged(&event);
        }
        self.hand_over(tracker, Record::Event(Arc::clone(&event)));
        event
    }

    /// Puts an event in the place of its earlier version.
    fn replace(&mut self, tracker: &Shared, before: Arc<Event>, after: Event) -> Arc<Event> {
        self.sums.remove(&mut self.task.totals, &before);
        self.sums.add(&mut self.task.totals, &after);
        let after = Arc::new(after);
        let changed = Record::EventChanged {
            before,
            after: Arc::clone(&after),
        };
        self.hand_over(tracker, changed);
        after
    }

    /// Prices what left the machine since the last time, where it is known who bills it.
    fn price_egress(&mut self, tracker: &Shared) {
        let (pending, unpriced) = (self.traffic.take_pending(), self.traffic.take_unpriced());
        if pending.is_empty() && unpriced.bytes == 0 {
            return;
        }
        let Some(prices) = EgressPrices::of(tracker) else {
            return;
        };
        for before in pending {
            let after = prices.priced(&before);
            self.replace(tracker, before, after);
        }
        if let Some(summary) = prices.summary(self.task.task_id, unpriced) {
            self.add(tracker, Arc::new(summary), None);
        }
    }

    fn publish_traffic(&mut self) {
        self.traffic.publish(&mut self.task.totals);
    }

    fn hand_over(&mut self, tracker: &Shared, record: Record) {
        if let Err(refusal) = tracker.sink.put(record) {
            self.lost += 1;
            self.lost_reason = Some(refusal);
        }
    }

    fn renew(&mut self, tracker: &Shared) {
        self.task.revision += 1;
        self.publish_traffic();
        let changed = Record::TaskChanged(Arc::new(self.task.clone()));
        self.hand_over(tracker, changed);
    }

    fn renew_if_ended(&mut self, tracker: &Shared) {
        if self.task.status != TaskStatus::Pending {
            self.renew(tracker);
        }
    }

    fn remember_flagged(&mut self, event: &Arc<Event>) {
        if self.flagged.len() == FLAGGED {
            self.flagged.remove(0);
        }
        self.flagged.push(Arc::clone(event));
    }
}

/// An event without the flag of a retry, in its next version.
fn unflagged(event: &Event) -> Event {
    Event {
        is_retry: false,
        retry_reason: None,
        retry_of: None,
        revision: event.revision + 1,
        ..event.clone()
    }
}
