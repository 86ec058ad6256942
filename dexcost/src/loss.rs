//! What can be lost on the way to the file, and why.

use serde::Serialize;

use crate::sink::Refusal;
use crate::words::words;

words! {
    /// What kind of record was lost.
    LossKind ("kind of loss") {
        /// The start of a task.
        TaskStarted = "task_started",
        /// A change of a task.
        TaskChanged = "task_changed",
        /// The end of a task.
        TaskEnded = "task_ended",
        /// An event.
        Event = "event",
        /// A change of an event.
        EventChanged = "event_changed",
        /// A whole file that could not be read; it was set aside under a new name.
        File = "file",
        /// A whole task that was never opened.
        Task = "task",
        /// An outbound model call that was never recorded.
        Call = "call",
        /// A cost that a provider stated; the price tables were used in its place.
        StatedCost = "stated_cost",
    }
}

words! {
    /// Why a record was lost.
    LossReason ("reason of a loss") {
        /// The queue was full.
        QueueFull = "queue_full",
        /// The buffer was closed.
        Closed = "closed",
        /// The process was a fork of the one that opened the buffer.
        Forked = "forked",
        /// The buffer was closed before the file could take the record: full, locked, read-only.
        DiskError = "disk_error",
        /// The record does not fit into a row.
        EncodeError = "encode_error",
        /// A record with the same id was there already.
        Duplicate = "duplicate",
        /// The file was corrupt.
        Corrupt = "corrupt",
        /// The file was removed or replaced while it was open.
        Removed = "removed",
        /// There was no tracker: `dexcost::init` came too late, or not at all.
        NoTracker = "no_tracker",
        /// There were more of it in one message than are told apart.
        TooMany = "too_many",
        /// It cannot be: negative, not a number, or absurdly large.
        Implausible = "implausible",
    }
}

/// So many records of one kind that were lost for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Loss {
    /// What was lost: a word of [`LossKind`], or a later version's.
    pub kind: String,
    /// Why: a word of [`LossReason`], or a later version's.
    pub reason: String,
    /// How many.
    pub count: u64,
}

impl From<Refusal> for LossReason {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::QueueFull => Self::QueueFull,
            Refusal::Closed => Self::Closed,
            Refusal::Forked => Self::Forked,
        }
    }
}
