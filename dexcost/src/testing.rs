//! Doubles for tests of programs that use dexcost.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::account::{CostTracker, TrackerParts};
use crate::clock::{Clock, SystemClock};
use crate::error::Error;
use crate::event::Event;
use crate::loss::{Loss, LossKind, LossReason};
use crate::sink::{Commit, Record, Refusal, Sink};
use crate::task::Task;

/// A sink that keeps every record in memory, for looking at.
///
/// ```
/// use dexcost::testing::MemorySink;
/// use dexcost::{TaskOptions, TaskStatus, dec};
///
/// let sink = MemorySink::new();
/// let tracker = sink.tracker();
/// let task = tracker.start_task_sync("resolve_ticket", TaskOptions::default())?;
/// task.record_cost("pdf_renderer", dec!(0.002))?;
/// task.end_blocking(TaskStatus::Success)?;
/// assert_eq!(sink.ended()[0].totals.total_cost_usd(), dec!(0.002));
/// # Ok::<(), dexcost::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct MemorySink {
    records: Mutex<Vec<Record>>,
    refusal: Mutex<Option<Refusal>>,
    losses: Mutex<Vec<Loss>>,
}

impl MemorySink {
    /// An empty sink.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// A tracker that hands its records to this sink.
    #[must_use]
    pub fn tracker(self: &Arc<Self>) -> CostTracker {
        CostTracker::from_parts(self.parts(Arc::new(SystemClock)))
    }

    /// The parts of a tracker over this sink, with a clock, for changing further.
    #[must_use]
    pub fn parts(self: &Arc<Self>, clock: Arc<dyn Clock>) -> TrackerParts {
        TrackerParts::over(Arc::<Self>::clone(self), clock)
    }

    /// Makes the sink refuse every record, or take them again.
    pub fn refuse(&self, refusal: Option<Refusal>) {
        *self.refusal.lock() = refusal;
    }

    /// Every record so far, in order.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        self.records.lock().clone()
    }

    /// The events so far, each as it was first recorded.
    #[must_use]
    pub fn events(&self) -> Vec<Arc<Event>> {
        let pick = |record: &Record| match record {
            Record::Event(event) => Some(Arc::clone(event)),
            _ => None,
        };
        self.records.lock().iter().filter_map(pick).collect()
    }

    /// The tasks that have ended so far, as they ended.
    #[must_use]
    pub fn ended(&self) -> Vec<Arc<Task>> {
        let pick = |record: &Record| match record {
            Record::TaskEnded(task) => Some(Arc::clone(task)),
            _ => None,
        };
        self.records.lock().iter().filter_map(pick).collect()
    }
}

impl Sink for MemorySink {
    fn put(&self, record: Record) -> Result<(), Refusal> {
        if let Some(refusal) = *self.refusal.lock() {
            self.note_loss(record.loss_kind(), refusal.into(), 1);
            return Err(refusal);
        }
        self.records.lock().push(record);
        Ok(())
    }

    fn commit(&self) -> Commit {
        Commit::ready(Ok(()))
    }

    fn close(&self, _within: Duration) -> Result<(), Error> {
        Ok(())
    }

    fn note_loss(&self, kind: LossKind, reason: LossReason, count: u64) {
        let (kind, reason) = (kind.to_string(), reason.to_string());
        let mut losses = self.losses.lock();
        match losses
            .iter_mut()
            .find(|loss| (&loss.kind, &loss.reason) == (&kind, &reason))
        {
            Some(loss) => loss.count += count,
            None => losses.push(Loss { kind, reason, count }),
        }
    }

    fn losses(&self) -> Vec<Loss> {
        self.losses.lock().clone()
    }
}
