//! Lists of tasks.

use rusqlite::params;

use crate::clock::Timestamp;
use crate::error::Error;
use crate::id::TaskId;
use crate::task::{Task, TaskStatus};

use super::super::codec::Coded;
use super::BufferReader;

/// From here on a column says whose sub-task a task is.
const SCHEMA_WITH_PARENTS: i64 = 2;

/// Which tasks to list. What is `None` does not matter.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct TaskFilter {
    /// Only those for this customer.
    pub customer: Option<String>,
    /// Only those for this project.
    pub project: Option<String>,
    /// Only those of this type.
    pub task_type: Option<String>,
    /// Only those with this status.
    pub status: Option<TaskStatus>,
    /// Only those that began at or after this instant.
    pub since: Option<Timestamp>,
    /// Only those that are no part of another one. A file of a version before schema 2 does not know.
    pub roots: bool,
    /// At most so many.
    pub limit: usize,
}

impl Default for TaskFilter {
    /// The last 50 tasks.
    fn default() -> Self {
        Self {
            customer: None,
            project: None,
            task_type: None,
            status: None,
            since: None,
            roots: false,
            limit: 50,
        }
    }
}

impl BufferReader {
    /// The tasks that pass a filter, the one that began last first.
    ///
    /// # Errors
    ///
    /// [`Error::Buffer`] where the file cannot be read.
    pub fn tasks(&self, filter: &TaskFilter) -> Result<Vec<Task>, Error> {
        let statuses = match &filter.status {
            Some(status) => vec![*status],
            None => TaskStatus::ALL.to_vec(),
        };
        let whos = self.whos_of(filter)?;
        let mut found: Vec<(i64, i64)> = Vec::new();
        for status in statuses {
            match &whos {
                None => self.newest(filter, status, None, &mut found)?,
                Some(whos) => {
                    for who in whos {
                        self.newest(filter, status, Some(*who), &mut found)?;
                    }
                }
            }
        }
        found.sort_unstable_by(|a, b| b.cmp(a));
        found.truncate(filter.limit);
        found.into_iter().map(|(_, row)| self.task_in(row)).collect()
    }

    /// The tasks below a task: those that it is the parent of, theirs, and so on, in the order of their ids.
    /// A file that was last written by a version before schema 2 does not know them.
    ///
    /// # Errors
    ///
    /// [`Error::Buffer`] where the file cannot be read.
    pub fn descendants(&self, task: TaskId) -> Result<Vec<Task>, Error> {
        if self.schema < SCHEMA_WITH_PARENTS {
            return Ok(Vec::new());
        }
        let mut statement = self.prepare(
            "WITH RECURSIVE below (id) AS (
                 SELECT id FROM tasks WHERE parent = ?1
                 UNION SELECT tasks.id FROM tasks JOIN below ON tasks.parent = below.id)
             SELECT tasks.id, tasks.body FROM below JOIN tasks ON tasks.id = below.id
             WHERE tasks.body IS NOT NULL AND tasks.id <> ?1 ORDER BY tasks.id",
        )?;
        let mut rows = statement
            .query([&task.as_bytes()[..]])
            .map_err(|e| self.wrap(e))?;
        let mut tasks = Vec::new();
        while let Some(row) = rows.next().map_err(|e| self.wrap(e))? {
            tasks.push(self.task_of(row)?);
        }
        Ok(tasks)
    }

    /// The attributions that pass; `None` where every one does.
    fn whos_of(&self, filter: &TaskFilter) -> Result<Option<Vec<i64>>, Error> {
        if filter.customer.is_none() && filter.project.is_none() && filter.task_type.is_none() {
            return Ok(None);
        }
        let mut statement = self.prepare(
            "SELECT who FROM whos WHERE (?1 IS NULL OR customer = ?1) AND (?2 IS NULL OR project = ?2)
             AND (?3 IS NULL OR type = ?3)",
        )?;
        let values = params![filter.customer, filter.project, filter.task_type];
        let rows = statement.query_map(values, |row| row.get(0));
        rows.and_then(Iterator::collect)
            .map(Some)
            .map_err(|e| self.wrap(e))
    }

    /// Start and row of the newest tasks with a status, each list through its index.
    fn newest(
        &self,
        filter: &TaskFilter,
        status: TaskStatus,
        who: Option<i64>,
        found: &mut Vec<(i64, i64)>,
    ) -> Result<(), Error> {
        let of_who = if who.is_some() { "who = ?4" } else { "?4 IS NULL" };
        let is_root = if filter.roots && self.schema >= SCHEMA_WITH_PARENTS {
            "AND parent IS NULL"
        } else {
            ""
        };
        let mut statement = self.prepare(&format!(
            "SELECT started_at, task FROM tasks WHERE {of_who} AND status = ?1 AND started_at >= ?2 {is_root}
             ORDER BY started_at DESC, task DESC LIMIT ?3"
        ))?;
        let since = filter.since.unwrap_or_default().unix_micros();
        let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
        let values = params![status.code() as i64, since, limit, who];
        let mut rows = statement.query(values).map_err(|e| self.wrap(e))?;
        while let Some(row) = rows.next().map_err(|e| self.wrap(e))? {
            let read = || -> rusqlite::Result<(i64, i64)> { Ok((row.get(0)?, row.get(1)?)) };
            found.push(read().map_err(|e| self.wrap(e))?);
        }
        Ok(())
    }

    fn task_in(&self, row: i64) -> Result<Task, Error> {
        let mut statement = self.prepare("SELECT id, body FROM tasks WHERE task = ?1")?;
        let mut rows = statement.query([row]).map_err(|e| self.wrap(e))?;
        match rows.next().map_err(|e| self.wrap(e))? {
            Some(row) => self.task_of(row),
            None => Err(super::failure(&self.path, "a task left while it was read", None)),
        }
    }
}
