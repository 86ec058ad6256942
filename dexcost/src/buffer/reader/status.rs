//! The state of a buffer, at the cost of a few rows.

use serde::Serialize;

use crate::error::Error;
use crate::loss::Loss;

use super::super::meta::{Counter, Meta};
use super::super::owner;
use super::super::store::beside;
use super::BufferReader;

/// Tasks by status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TaskCounts {
    /// Those that run.
    pub pending: u64,
    /// Those that succeeded.
    pub success: u64,
    /// Those that failed, interrupted ones included.
    pub failed: u64,
    /// Those of which only events arrived.
    pub stubs: u64,
}

/// What a buffer holds, what it lost and who writes to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// Bytes of the file and of its write-ahead log.
    pub file_bytes: u64,
    /// The version of the schema.
    pub schema: u64,
    /// Tasks by status.
    pub tasks: TaskCounts,
    /// Events.
    pub events: u64,
    /// Tasks that were ever closed because their process had died.
    pub interrupted: u64,
    /// What never reached the file, by kind and reason, of all processes.
    pub losses: Vec<Loss>,
    /// What left the file, by kind and reason (`expired`, …).
    pub departed: Vec<Loss>,
    /// Events that sync has still to send; `None` where it never sent any.
    pub unsent_events: Option<u64>,
    /// Buffers that are open for writing in living processes.
    pub owners_alive: u64,
    /// Owners whose process is gone while tasks of theirs are open; the next writer closes those.
    pub owners_dead: u64,
    /// Files that were found corrupt and set aside, beside this one.
    pub set_aside: Vec<String>,
}

impl BufferReader {
    /// The state of the buffer. Costs the same at any size of the file.
    ///
    /// # Errors
    ///
    /// [`Error::Buffer`] where the file cannot be read.
    pub fn status(&self) -> Result<Status, Error> {
        let meta = Meta::read(&self.conn).map_err(|e| self.wrap(e))?;
        let (owners_alive, owners_dead) = self.owners()?;
        Ok(Status {
            file_bytes: size(&self.path) + size(&beside(&self.path, "-wal")),
            schema: u64::try_from(self.schema).unwrap_or(0),
            tasks: TaskCounts {
                pending: meta.count(Counter::Pending),
                success: meta.count(Counter::Success),
                failed: meta.count(Counter::Failed),
                stubs: meta.count(Counter::Stubs),
            },
            events: meta.count(Counter::Events),
            interrupted: meta.count(Counter::Interrupted),
            losses: self.counts("losses")?,
            departed: self.counts("departed")?,
            unsent_events: self.unsent(&meta)?,
            owners_alive,
            owners_dead,
            set_aside: self.set_aside(),
        })
    }

    /// Reads the whole file and checks that it is sound; `Err` with the first thing that is not.
    ///
    /// # Errors
    ///
    /// [`Error::Buffer`] with what is damaged.
    pub fn check(&self) -> Result<(), Error> {
        let answer = self
            .conn
            .query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0));
        match answer.map_err(|e| self.wrap(e))?.as_str() {
            "ok" => Ok(()),
            damage => Err(super::failure(&self.path, damage, None)),
        }
    }

    fn counts(&self, table: &str) -> Result<Vec<Loss>, Error> {
        let mut statement = self.prepare(&format!("SELECT kind, reason, count FROM {table}"))?;
        let rows = statement.query_map([], |row| {
            let count: i64 = row.get(2)?;
            Ok(Loss {
                kind: row.get(0)?,
                reason: row.get(1)?,
                count: u64::try_from(count).unwrap_or(0),
            })
        });
        rows.and_then(Iterator::collect).map_err(|e| self.wrap(e))
    }

    fn unsent(&self, meta: &Meta) -> Result<Option<u64>, Error> {
        let sent = meta.get(Counter::SentEvents);
        if sent == 0 {
            return Ok(None);
        }
        let sql = "SELECT coalesce(max(seq), 0) FROM events";
        let last: i64 = self
            .conn
            .query_row(sql, [], |row| row.get(0))
            .map_err(|e| self.wrap(e))?;
        Ok(Some(u64::try_from(last - sent).unwrap_or(0)))
    }

    fn owners(&self) -> Result<(u64, u64), Error> {
        let mut statement = self.prepare("SELECT token FROM owners")?;
        let tokens = statement.query_map([], |row| row.get::<_, String>(0));
        let tokens: Vec<String> = tokens.and_then(Iterator::collect).map_err(|e| self.wrap(e))?;
        let alive = tokens
            .iter()
            .filter(|token| owner::is_alive(&self.path, token))
            .count();
        Ok((alive as u64, (tokens.len() - alive) as u64))
    }

    fn set_aside(&self) -> Vec<String> {
        let Some(name) = self.path.file_name().and_then(|name| name.to_str()) else {
            return Vec::new();
        };
        let marker = format!("{name}.corrupt-");
        let folder = self.path.parent().map(std::fs::read_dir).and_then(Result::ok);
        let names = folder
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok());
        let side =
            |name: &String| name.ends_with("-wal") || name.ends_with("-shm") || name.ends_with("-journal");
        let mut names: Vec<String> = names
            .filter(|name| name.starts_with(&marker) && !side(name))
            .collect();
        names.sort_unstable();
        names
    }
}

fn size(path: &std::path::Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}
