//! What the attribute says about the task.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

use crate::account::{CostTracker, TaskOptions, TrackedTask, current_task_of_any_tracker};
use crate::global;
use crate::loss::LossKind;
use crate::macro_support::values::ToTracker;
use crate::untracked::note_untracked;

/// What the attribute says about the task.
#[derive(Debug)]
#[must_use]
pub struct Spec {
    task_type: Cow<'static, str>,
    options: TaskOptions,
    tracker: Option<CostTracker>,
}

/// Calls that ran without being a task, because there was no tracker.
static NOT_INITIALIZED: AtomicU64 = AtomicU64::new(0);

/// How many functions with `#[dexcost::task]` ran without a tracker in this process.
#[must_use]
pub fn not_initialized() -> u64 {
    NOT_INITIALIZED.load(Ordering::Relaxed)
}

impl Spec {
    /// A task of this type, with everything else inherited.
    pub fn new(task_type: &'static str) -> Self {
        Self {
            task_type: Cow::Borrowed(task_type),
            options: TaskOptions::default(),
            tracker: None,
        }
    }

    /// A task of a type that is only known when it runs.
    pub fn with_type(task_type: Option<String>) -> Self {
        Self {
            task_type: Cow::Owned(task_type.unwrap_or_default()),
            ..Self::new("")
        }
    }

    /// Sets the customer.
    pub fn customer(mut self, customer: Option<String>) -> Self {
        self.options.customer_id = customer;
        self
    }

    /// Sets the project.
    pub fn project(mut self, project: Option<String>) -> Self {
        self.options.project_id = project;
        self
    }

    /// Sets the agent.
    pub fn agent(mut self, agent: Option<String>) -> Self {
        self.options.agent = agent;
        self
    }

    /// Sets the experiment.
    pub fn experiment(mut self, experiment: Option<String>) -> Self {
        self.options.experiment_id = experiment;
        self
    }

    /// Sets the variant of the experiment.
    pub fn variant(mut self, variant: Option<String>) -> Self {
        self.options.variant = variant;
        self
    }

    /// Sets one fact.
    pub fn metadata(mut self, name: &'static str, value: Value) -> Self {
        self.options.metadata.insert(name.to_owned(), value);
        self
    }

    /// Sets the tracker.
    pub fn tracker(mut self, tracker: &(impl ToTracker + ?Sized)) -> Self {
        self.tracker = tracker.to_tracker();
        self
    }

    /// Opens the task: on the tracker that was named, else on that of the current task, else on
    /// the default one. `None`, and counted, where there is no tracker.
    pub(super) fn start(self) -> Option<TrackedTask> {
        let of_current = || Some(current_task_of_any_tracker()?.tracker());
        let Some(tracker) = self.tracker.or_else(of_current).or_else(global::tracker) else {
            NOT_INITIALIZED.fetch_add(1, Ordering::Relaxed);
            note_untracked(LossKind::Task);
            return None;
        };
        let mut options = self.options;
        if options.experiment_id.is_none() {
            options.variant = None;
        }
        tracker.start_task_sync(self.task_type.as_ref(), options).ok()
    }
}
