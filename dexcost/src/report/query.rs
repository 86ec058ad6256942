//! What a report is to show.

use crate::clock::Timestamp;
use crate::words::words;

words! {
    /// What the rows of a report are by.
    By ("criterion") {
        /// The customer.
        Customer = "customer",
        /// The project.
        Project = "project",
        /// The type of the task.
        TaskType = "task-type",
        /// The model, or the service where it is none.
        Model = "model",
        /// The provider of the model.
        Provider = "provider",
        /// The day in UTC on which an event happened or a task began.
        Day = "day",
    }
}

impl By {
    /// Whether a row has no count of tasks: one task may use many models.
    pub(super) const fn counts_no_tasks(self) -> bool {
        matches!(self, Self::Model | Self::Provider)
    }
}

/// Which report is wanted.
///
/// ```
/// use dexcost::report::{By, ReportQuery};
///
/// let query = ReportQuery::by(By::Model).customer("acme").since("2026-11-01T00:00:00Z".parse()?);
/// assert_eq!(query.by, By::Model);
/// # Ok::<(), dexcost::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct ReportQuery {
    /// What the rows are by.
    pub by: By,
    /// The first day, in UTC: the whole day that this instant lies in.
    pub since: Option<Timestamp>,
    /// The last day, in UTC: the whole day that this instant lies in.
    pub until: Option<Timestamp>,
    /// Only what is for this customer.
    pub customer: Option<String>,
    /// Only what is for this project.
    pub project: Option<String>,
    /// Only tasks of this type.
    pub task_type: Option<String>,
}

impl ReportQuery {
    /// Everything there is, by one criterion.
    pub const fn by(by: By) -> Self {
        Self {
            by,
            since: None,
            until: None,
            customer: None,
            project: None,
            task_type: None,
        }
    }

    /// From the day of this instant on.
    pub const fn since(mut self, instant: Timestamp) -> Self {
        self.since = Some(instant);
        self
    }

    /// Up to and with the day of this instant.
    pub const fn until(mut self, instant: Timestamp) -> Self {
        self.until = Some(instant);
        self
    }

    /// Only what is for this customer.
    pub fn customer(mut self, customer: impl Into<String>) -> Self {
        self.customer = Some(customer.into());
        self
    }

    /// Only what is for this project.
    pub fn project(mut self, project: impl Into<String>) -> Self {
        self.project = Some(project.into());
        self
    }

    /// Only tasks of this type.
    pub fn task_type(mut self, task_type: impl Into<String>) -> Self {
        self.task_type = Some(task_type.into());
        self
    }

    pub(super) fn days(&self) -> (i64, i64) {
        let from = self.since.map_or(0, Timestamp::day_number);
        let to = self.until.map_or(i64::MAX, Timestamp::day_number);
        (from, to)
    }

    pub(super) const fn has_filter(&self) -> bool {
        self.customer.is_some() || self.project.is_some() || self.task_type.is_some()
    }

    pub(super) fn passes(&self, [customer, project, task_type]: &[Option<String>; 3]) -> bool {
        let fits = |wanted: &Option<String>, found: &Option<String>| wanted.is_none() || wanted == found;
        fits(&self.customer, customer) && fits(&self.project, project) && fits(&self.task_type, task_type)
    }
}
