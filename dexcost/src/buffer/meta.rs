//! The counters that the writer keeps so that nobody has to count rows.

#![allow(
    unreachable_pub,
    reason = "the words macro makes everything public, the module is not"
)]

use rusqlite::{Connection, params};

use crate::words::words;

/// The status code of a task whose events arrived but which itself did not.
pub(super) const STUB: i64 = 3;

words! {
    /// A row of `meta`.
    Counter ("counter") {
        /// Events in the file.
        Events = "events",
        /// Tasks that run.
        Pending = "tasks_pending",
        /// Tasks that succeeded.
        Success = "tasks_success",
        /// Tasks that failed.
        Failed = "tasks_failed",
        /// Tasks of which only events are there.
        Stubs = "tasks_stub",
        /// Tasks that were ever closed because their process had died.
        Interrupted = "interrupted",
        /// The first day whose rollups are still there.
        RollupsFrom = "rollups_from",
        /// The last task row that sync has sent; 0 where nothing was ever sent.
        SentTasks = "sent_tasks",
        /// The last event row that sync has sent.
        SentEvents = "sent_events",
        /// How often names were removed: what a process remembers of them is good for one value.
        NamesRemoved = "names_removed",
        /// Requests of batches that were recorded again and left out.
        BatchRepeats = "batch_repeats",
    }
}

impl Counter {
    /// The counter of tasks with a status code.
    pub(super) const fn of_status(status: i64) -> Self {
        match status {
            0 => Self::Pending,
            1 => Self::Success,
            2 => Self::Failed,
            _ => Self::Stubs,
        }
    }
}

/// All counters, as read at the beginning of a transaction, and which of them have changed.
#[derive(Clone, Debug, Default)]
pub(super) struct Meta {
    values: [i64; Counter::ALL.len()],
    changed: [bool; Counter::ALL.len()],
}

impl Meta {
    pub(super) fn read(conn: &Connection) -> rusqlite::Result<Self> {
        let mut meta = Self::default();
        let mut statement = conn.prepare("SELECT name, value FROM meta")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let name = row.get_ref(0)?.as_str()?;
            if let Ok(counter) = name.parse::<Counter>() {
                meta.values[counter as usize] = row.get(1)?;
            }
        }
        Ok(meta)
    }

    pub(super) const fn get(&self, counter: Counter) -> i64 {
        self.values[counter as usize]
    }

    pub(super) fn count(&self, counter: Counter) -> u64 {
        u64::try_from(self.get(counter)).unwrap_or(0)
    }

    pub(super) const fn add(&mut self, counter: Counter, by: i64) {
        self.set(counter, self.values[counter as usize] + by);
    }

    pub(super) const fn set(&mut self, counter: Counter, value: i64) {
        self.values[counter as usize] = value;
        self.changed[counter as usize] = true;
    }

    pub(super) fn write(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        let mut statement = conn.prepare("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)")?;
        for counter in Counter::ALL {
            if std::mem::take(&mut self.changed[*counter as usize]) {
                statement.execute(params![counter.as_str(), self.get(*counter)])?;
            }
        }
        Ok(())
    }
}
