//! What passes while there is no tracker to record it: counted, and handed to the next one.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use crate::account::{CostTracker, TaskHandle, TaskOptions, TrackedTask, TrackerParts, trackers_made};
use crate::clock::SystemClock;
use crate::error::Error;
use crate::loss::{LossKind, LossReason};
use crate::sink::{Commit, Record, Refusal, Sink};
use crate::text::Text;

const KINDS: usize = LossKind::ALL.len();

/// Counts that no tracker has taken over yet.
static WAITING: [AtomicU64; KINDS] = [const { AtomicU64::new(0) }; KINDS];

/// Counts something that could not be recorded because there was no tracker.
///
/// For adapters, such as layers of other clients: [`LossKind::Task`] for work that should have been
/// a task, [`LossKind::Call`] for a model call. The tracker that is installed next takes the counts
/// over, so that `dexcost status` shows them.
///
/// ```
/// dexcost::note_untracked(dexcost::LossKind::Call);
/// ```
pub fn note_untracked(kind: LossKind) {
    WAITING[kind as usize].fetch_add(1, Ordering::Relaxed);
}

/// Hands what was counted so far to a tracker.
pub(crate) fn hand_over(tracker: &CostTracker) {
    for kind in LossKind::ALL {
        let count = WAITING[*kind as usize].swap(0, Ordering::Relaxed);
        tracker.note_loss(*kind, LossReason::NoTracker, count);
    }
}

/// The tracker of a program that has none. It checks what it is given as any other does, so that what is wrong
/// is found, and keeps nothing: events are counted until there is a tracker.
static NOBODYS: LazyLock<CostTracker> = LazyLock::new(|| {
    IS_MADE.store(true, Ordering::Relaxed);
    CostTracker::from_parts(TrackerParts::over(Arc::new(Nowhere), Arc::new(SystemClock)))
});

/// Whether the tracker of nobody was made.
static IS_MADE: AtomicBool = AtomicBool::new(false);

/// Whether this process never made a tracker to keep anything.
pub(crate) fn is_untracked() -> bool {
    trackers_made() == u64::from(IS_MADE.load(Ordering::Relaxed))
}

/// What is recorded outside any task where there is no tracker.
static OUTSIDE: LazyLock<Option<TrackedTask>> =
    LazyLock::new(|| NOBODYS.start_task_sync("untracked", TaskOptions::default()).ok());

/// Where to record outside any task, for nobody to keep.
pub(crate) fn nobodys_task() -> Result<TaskHandle, Error> {
    let task = OUTSIDE.as_ref().ok_or(Error::NotInitialized)?;
    Ok(task.handle())
}

/// A task that nobody keeps.
pub(crate) fn start_task(task_type: impl Into<Text>, options: TaskOptions) -> Result<TrackedTask, Error> {
    note_untracked(LossKind::Task);
    NOBODYS.start_task_sync(task_type, options)
}

/// Keeps nothing, and counts events.
#[derive(Debug)]
struct Nowhere;

impl Sink for Nowhere {
    fn put(&self, record: Record) -> Result<(), Refusal> {
        if matches!(record, Record::Event(_)) {
            note_untracked(LossKind::Event);
        }
        Ok(())
    }

    fn commit(&self) -> Commit {
        Commit::ready(Ok(()))
    }

    fn close(&self, _within: Duration) -> Result<(), Error> {
        Ok(())
    }
}
