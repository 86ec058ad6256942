//! What passed through while there was no tracker to record it. The next tracker takes the counts over.

use std::sync::atomic::{AtomicU64, Ordering};

use dexcost::LossKind;

static CALLS: AtomicU64 = AtomicU64::new(0);
static REQUESTS: AtomicU64 = AtomicU64::new(0);

/// How many outbound calls of this process looked like model calls but found no tracker.
///
/// Not zero after the start of a program means that [`dexcost::init`] comes too late or is missing.
#[must_use]
pub fn untracked_calls() -> u64 {
    CALLS.load(Ordering::Relaxed)
}

/// How many inbound requests of this process were handled without a task, for want of a tracker.
///
/// Requests that a filter lets pass are not counted.
#[must_use]
pub fn untracked_requests() -> u64 {
    REQUESTS.load(Ordering::Relaxed)
}

pub(crate) fn count_call() {
    CALLS.fetch_add(1, Ordering::Relaxed);
    dexcost::note_untracked(LossKind::Call);
}

pub(crate) fn count_request() {
    REQUESTS.fetch_add(1, Ordering::Relaxed);
    dexcost::note_untracked(LossKind::Task);
}
