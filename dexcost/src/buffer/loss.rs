//! Counters of what was lost.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::loss::{Loss, LossKind, LossReason};
use crate::sink::Record;

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

    /// Takes over what a forked child refused. Everything else that it has inherited was counted by
    /// its parent, who writes it down.
    pub(super) fn carry_forked(&self, other: &Self) {
        for kind in LossKind::ALL {
            let theirs = other.0[*kind as usize][LossReason::Forked as usize].load(Ordering::Relaxed);
            self.count(*kind, LossReason::Forked, theirs);
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
