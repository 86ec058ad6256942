//! What was lost, by kind and reason.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use crate::sink::{Record, Refusal};
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

const KINDS: usize = LossKind::ALL.len();
const REASONS: usize = LossReason::ALL.len();

/// Counters of losses that callers and the writer share.
#[derive(Debug, Default)]
pub(super) struct Losses([[AtomicU64; REASONS]; KINDS]);

/// A reading of [`Losses`].
pub(super) type LossCounts = [[u64; REASONS]; KINDS];

impl Losses {
    pub(super) fn count(&self, kind: LossKind, reason: LossReason, count: u64) {
        self.0[kind as usize][reason as usize].fetch_add(count, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> LossCounts {
        std::array::from_fn(|k| std::array::from_fn(|r| self.0[k][r].load(Ordering::Relaxed)))
    }

    /// Adds the counts of another.
    pub(super) fn carry(&self, other: &Self) {
        for (mine, theirs) in self.0.iter().flatten().zip(other.0.iter().flatten()) {
            mine.fetch_add(theirs.load(Ordering::Relaxed), Ordering::Relaxed);
        }
    }

    pub(super) fn total(&self) -> u64 {
        self.read().iter().flatten().sum()
    }

    pub(super) fn list(&self) -> Vec<Loss> {
        let counts = self.read();
        let all = LossKind::ALL
            .iter()
            .flat_map(|k| LossReason::ALL.iter().map(move |r| (*k, *r)));
        all.map(|(kind, reason)| Loss {
            kind: kind.as_str().to_owned(),
            reason: reason.as_str().to_owned(),
            count: counts[kind as usize][reason as usize],
        })
        .filter(|loss| loss.count > 0)
        .collect()
    }
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

/// The kind under which the loss of a record counts.
pub(super) const fn kind_of(record: &Record) -> LossKind {
    match record {
        Record::TaskStarted(_) => LossKind::TaskStarted,
        Record::TaskChanged(_) => LossKind::TaskChanged,
        Record::TaskEnded(_) => LossKind::TaskEnded,
        Record::Event(_) => LossKind::Event,
        Record::EventChanged { .. } => LossKind::EventChanged,
    }
}
