//! What passes while there is no tracker to record it: counted, and handed to the next one.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::account::CostTracker;
use crate::loss::{LossKind, LossReason};

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
