//! One business unit of work and what it cost.

mod exact;
mod totals;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::Timestamp;
use crate::event::Details;
use crate::id::TaskId;
use crate::text::Text;
use crate::words::words;

pub(crate) use exact::ExactSums;
pub use totals::{HostTraffic, Totals};

words! {
    /// Whether a task runs, succeeded or failed.
    TaskStatus ("task status") {
        /// It has not ended.
        Pending = "pending",
        /// It did what it was for.
        Success = "success",
        /// It did not.
        Failed = "failed",
    }
}

/// One business unit of work: what it was, whom it was for, what it cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// The task's identifier, ordered by time.
    pub task_id: TaskId,
    /// What kind of work it is; of low cardinality (`resolve_ticket`).
    pub task_type: Text,
    /// Whether it runs, succeeded or failed.
    pub status: TaskStatus,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; never before `started_at`.
    pub ended_at: Option<Timestamp>,
    /// Whom it is for.
    #[serde(flatten)]
    pub attribution: Attribution,
    /// The task that it is a part of.
    pub parent_task_id: Option<TaskId>,
    /// Free-form facts; `_trace_links` and names with a leading underscore are dexcost's own.
    pub metadata: Details,
    /// What it cost and consumed so far.
    #[serde(flatten)]
    pub totals: Totals,
    /// Which version of the record this is, from 1; every change raises it.
    pub revision: u32,
}

/// Whom a task is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attribution {
    /// The customer.
    pub customer_id: Option<Text>,
    /// The project.
    pub project_id: Option<Text>,
    /// The agent.
    pub agent: Option<Text>,
    /// The experiment.
    pub experiment_id: Option<Text>,
    /// The variant of the experiment; needs `experiment_id`.
    pub variant: Option<Text>,
}

impl Attribution {
    /// This attribution with its gaps filled from `other`.
    ///
    /// A variant is only taken over together with its experiment.
    #[must_use]
    pub fn or(mut self, other: &Self) -> Self {
        fn fill(mine: &mut Option<Text>, theirs: &Option<Text>) {
            if mine.is_none() {
                mine.clone_from(theirs);
            }
        }
        fill(&mut self.customer_id, &other.customer_id);
        fill(&mut self.project_id, &other.project_id);
        fill(&mut self.agent, &other.agent);
        if self.experiment_id.is_none() {
            self.experiment_id.clone_from(&other.experiment_id);
            self.variant.clone_from(&other.variant);
        } else if self.experiment_id == other.experiment_id {
            fill(&mut self.variant, &other.variant);
        }
        self
    }
}

/// Under which name a task's metadata says who ended it, where it was not the program.
pub(crate) const ENDED_BY: &str = "_ended_by";

/// Who ended a task that a crash left open.
pub(crate) const INTERRUPTED: &str = "interrupted";

impl Task {
    /// What is known of its cost, in US dollars; `None` where nothing of it is.
    ///
    /// ```
    /// use dexcost::{LlmCall, TaskOptions, dec, testing::MemorySink};
    ///
    /// let task = MemorySink::new().tracker().start_task_sync("t", TaskOptions::default())?;
    /// task.record_llm_call(LlmCall::new("acme", "no-such-model", 10, 10))?;
    /// assert_eq!(task.task().known_cost_usd(), None);
    /// task.record_cost("pdf", dec!(0.002))?;
    /// assert_eq!(task.task().known_cost_usd(), Some(dec!(0.002)));
    /// assert!(task.task().is_incomplete());
    /// # Ok::<(), dexcost::Error>(())
    /// ```
    #[must_use]
    pub fn known_cost_usd(&self) -> Option<Decimal> {
        let known = self.totals.total_cost_usd();
        (!known.is_zero() || self.totals.unknown_cost_count == 0).then_some(known)
    }

    /// Whether more may have been spent than its totals say: something of it has no known price, or a
    /// crash cut it short, when calls may have been in flight.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        self.totals.unknown_cost_count > 0 || self.is_interrupted()
    }

    /// Whether a crash left it open, so that a later process closed it.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        self.metadata.get(ENDED_BY).and_then(Value::as_str) == Some(INTERRUPTED)
    }

    /// 1 where the task failed, else 0.
    #[must_use]
    pub const fn failure_count(&self) -> u64 {
        matches!(self.status, TaskStatus::Failed) as u64
    }

    /// How long it ran, in milliseconds; `None` while it runs.
    #[must_use]
    pub fn duration_ms(&self) -> Option<u64> {
        let ended = self.ended_at?;
        Some(u64::try_from(ended.since(self.started_at).as_millis()).unwrap_or(u64::MAX))
    }
}
