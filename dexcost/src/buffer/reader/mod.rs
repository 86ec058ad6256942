//! The buffer's reading side: its own read-only connection, beside a living writer or on a copy.

mod status;
mod tasks;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::ToSql;
use rusqlite::{Connection, OpenFlags, Row, params};

use crate::clock::Timestamp;
use crate::error::Error;
use crate::event::Event;
use crate::id::{EventId, TaskId};
use crate::task::Task;

use super::codec::{Malformed, decode_event, decode_task};
use super::rollup::Tally;
use super::schema;
use super::span::second_of;

pub use status::{Status, TaskCounts};
pub use tasks::TaskFilter;

/// Reads a buffer's file. It sees what was committed, and holds nobody up.
///
/// On a read-only copy whose write-ahead log cannot be opened, it reads what the main file holds.
#[derive(Debug)]
pub struct BufferReader {
    conn: Connection,
    path: PathBuf,
    pub(super) schema: i64,
}

/// The result of a search by id or by the first digits of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<T> {
    /// Nothing has such an id.
    Nothing,
    /// Exactly one has it.
    One(T),
    /// Several have it; these are some of them, at most ten.
    Several(Vec<T>),
}

/// One row of rollups.
pub(crate) struct RollupRow<'a> {
    pub(crate) day: i64,
    pub(crate) who: i64,
    pub(crate) what: i64,
    body: &'a [u8],
    reader: &'a BufferReader,
}

impl RollupRow<'_> {
    /// Adds its sums to others.
    pub(crate) fn add_to(&self, sums: &mut Tally) -> Result<(), Error> {
        sums.merge_encoded(self.body)
            .map_err(|e| self.reader.malformed(e))
    }
}

impl BufferReader {
    /// Opens a file.
    ///
    /// # Errors
    ///
    /// [`Error::Buffer`] where it is missing, unreadable, no buffer, or of a later version.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        if !path.exists() {
            return Err(failure(path, "there is no such file", None));
        }
        if path.is_dir() {
            return Err(failure(path, "it is a folder", None));
        }
        let wrap = |error: rusqlite::Error| failure(path, &error.to_string(), Some(error));
        let (conn, schema) = connect(path).map_err(wrap)?;
        if schema > schema::current_version() {
            let reason = format!("a later version of dexcost wrote it (schema {schema})");
            return Err(failure(path, &reason, None));
        }
        if std::fs::metadata(path).is_ok_and(|file| file.len() == 0) {
            return Err(failure(
                path,
                "it is empty: nothing was committed to it yet",
                None,
            ));
        }
        if schema == 0 || schema::is_foreign(&conn).map_err(wrap)? {
            return Err(failure(path, "it is no buffer of dexcost", None));
        }
        Ok(Self {
            conn,
            path: path.to_owned(),
            schema,
        })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A task by its id.
    ///
    /// # Errors
    ///
    /// [`Error::Buffer`] where the file cannot be read.
    pub fn task(&self, id: TaskId) -> Result<Option<Task>, Error> {
        let mut statement = self.prepare("SELECT id, body FROM tasks WHERE id = ?1 AND body IS NOT NULL")?;
        let mut rows = statement.query([&id.as_bytes()[..]]).map_err(|e| self.wrap(e))?;
        let Some(row) = rows.next().map_err(|e| self.wrap(e))? else {
            return Ok(None);
        };
        self.task_of(row).map(Some)
    }

    /// The events of a task, in the order in which they arrived.
    ///
    /// # Errors
    ///
    /// [`Error::Buffer`] where the file cannot be read.
    pub fn events(&self, task: TaskId) -> Result<Vec<Event>, Error> {
        let mut statement = self.prepare(
            "SELECT e.id, t.id, e.body FROM tasks t JOIN events e ON e.task = t.task
             WHERE t.id = ?1 ORDER BY e.seq",
        )?;
        let mut rows = statement
            .query([&task.as_bytes()[..]])
            .map_err(|e| self.wrap(e))?;
        let mut events = Vec::new();
        while let Some(row) = rows.next().map_err(|e| self.wrap(e))? {
            events.push(self.event_of(row)?);
        }
        Ok(events)
    }

    /// An event by its id.
    ///
    /// # Errors
    ///
    /// [`Error::Buffer`] where the file cannot be read.
    pub fn event(&self, id: EventId) -> Result<Option<Event>, Error> {
        match self.find_event(&id.to_string())? {
            Found::One(event) => Ok(Some(event)),
            _ => Ok(None),
        }
    }

    /// The event whose id begins with these hexadecimal digits, else the one whose id ends with them;
    /// dashes do not matter.
    ///
    /// Ids of about the same time begin alike, so the last digits tell more. They are looked for among
    /// all events, one after the other.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidId`] where they are no digits of an id, [`Error::Buffer`] where the file cannot
    /// be read.
    pub fn find_event(&self, prefix: &str) -> Result<Found<Event>, Error> {
        let sql = "SELECT e.id, t.id, e.body FROM spans s
                   JOIN events e ON e.seq BETWEEN s.first_seq AND s.last_seq
                   JOIN tasks t ON t.task = e.task
                   WHERE s.second BETWEEN ?3 AND ?4 AND e.id BETWEEN ?1 AND ?2 LIMIT 10";
        let (low, high) = id_range(prefix)?;
        let values = params![&low[..], &high[..], second_of(&low), second_of(&high)];
        match self.find(sql, values, Self::event_of)? {
            Found::Nothing => {
                let sql = "SELECT e.id, t.id, e.body FROM events e JOIN tasks t ON t.task = e.task
                           WHERE e.seq IN (SELECT seq FROM events WHERE hex(id) LIKE ?1 LIMIT 10)";
                self.find(sql, params![ending(prefix)], Self::event_of)
            }
            found => Ok(found),
        }
    }

    /// The task whose id begins with these hexadecimal digits, else the one whose id ends with them;
    /// dashes do not matter.
    ///
    /// # Errors
    ///
    /// As [`find_event`](Self::find_event).
    pub fn find_task(&self, prefix: &str) -> Result<Found<Task>, Error> {
        let sql = "SELECT id, body FROM tasks WHERE id BETWEEN ?1 AND ?2 AND body IS NOT NULL
                   ORDER BY id LIMIT 10";
        let (low, high) = id_range(prefix)?;
        match self.find(sql, params![&low[..], &high[..]], Self::task_of)? {
            Found::Nothing => {
                let sql = "SELECT id, body FROM tasks WHERE hex(id) LIKE ?1 AND body IS NOT NULL
                           ORDER BY id LIMIT 10";
                self.find(sql, params![ending(prefix)], Self::task_of)
            }
            found => Ok(found),
        }
    }

    fn find<T>(
        &self,
        sql: &str,
        values: &[&dyn ToSql],
        read: fn(&Self, &Row<'_>) -> Result<T, Error>,
    ) -> Result<Found<T>, Error> {
        let mut statement = self.prepare(sql)?;
        let mut rows = statement.query(values).map_err(|e| self.wrap(e))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(|e| self.wrap(e))? {
            found.push(read(self, row)?);
        }
        Ok(match (found.pop(), found.is_empty()) {
            (None, _) => Found::Nothing,
            (Some(only), true) => Found::One(only),
            (Some(last), false) => {
                found.push(last);
                Found::Several(found)
            }
        })
    }

    /// Runs several reads on one state of the file, whatever is written meanwhile.
    pub(crate) fn at_once<T>(&self, read: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        let _held = self.conn.unchecked_transaction().map_err(|e| self.wrap(e))?;
        read()
    }

    /// Calls `each` with the rollups of the days `from..=to`, in order of day.
    pub(crate) fn rollups(
        &self,
        from: i64,
        to: i64,
        mut each: impl FnMut(&RollupRow<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut statement =
            self.prepare("SELECT day, who, what, body FROM rollups WHERE day BETWEEN ?1 AND ?2")?;
        let mut rows = statement.query([from, to]).map_err(|e| self.wrap(e))?;
        while let Some(row) = rows.next().map_err(|e| self.wrap(e))? {
            let read =
                || -> rusqlite::Result<_> { Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get_ref(3)?)) };
            let (day, who, what, body) = read().map_err(|e| self.wrap(e))?;
            let body = body
                .as_blob()
                .map_err(|_| self.malformed(Malformed("a rollup is no blob")))?;
            each(&RollupRow {
                day,
                who,
                what,
                body,
                reader: self,
            })?;
        }
        Ok(())
    }

    /// The name of a `who`: customer, project, task type.
    pub(crate) fn who(&self, who: i64) -> Result<[Option<String>; 3], Error> {
        self.name("SELECT customer, project, type FROM whos WHERE who = ?1", who)
    }

    /// The name of a `what`: provider, model, service.
    pub(crate) fn what(&self, what: i64) -> Result<[Option<String>; 3], Error> {
        self.name("SELECT provider, model, service FROM whats WHERE what = ?1", what)
    }

    fn name(&self, sql: &str, number: i64) -> Result<[Option<String>; 3], Error> {
        let read = |row: &Row<'_>| Ok([row.get(0)?, row.get(1)?, row.get(2)?]);
        let mut statement = self.prepare(sql)?;
        let mut rows = statement.query([number]).map_err(|e| self.wrap(e))?;
        match rows.next().map_err(|e| self.wrap(e))? {
            Some(row) => read(row).map_err(|e| self.wrap(e)),
            None => Ok([None, None, None]),
        }
    }

    fn event_of(&self, row: &Row<'_>) -> Result<Event, Error> {
        let read = || -> rusqlite::Result<([u8; 16], [u8; 16], Vec<u8>)> {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        };
        let (id, task, body) = read().map_err(|e| self.wrap(e))?;
        decode_event(id, task, &body).map_err(|e| self.malformed(e))
    }

    fn task_of(&self, row: &Row<'_>) -> Result<Task, Error> {
        let read = || -> rusqlite::Result<([u8; 16], Vec<u8>)> { Ok((row.get(0)?, row.get(1)?)) };
        let (id, body) = read().map_err(|e| self.wrap(e))?;
        decode_task(id, &body).map_err(|e| self.malformed(e))
    }

    fn prepare(&self, sql: &str) -> Result<rusqlite::Statement<'_>, Error> {
        self.conn.prepare(sql).map_err(|e| self.wrap(e))
    }

    fn wrap(&self, error: rusqlite::Error) -> Error {
        failure(&self.path, &error.to_string(), Some(error))
    }

    fn malformed(&self, error: Malformed) -> Error {
        failure(&self.path, &error.to_string(), None)
    }
}

fn connect(path: &Path) -> rusqlite::Result<(Connection, i64)> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let usual = Connection::open_with_flags(path, flags).and_then(|conn| {
        conn.busy_timeout(Duration::from_secs(2))?;
        let version = schema::version(&conn)?;
        conn.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))?;
        Ok((conn, version))
    });
    let first = match usual {
        Ok(opened) => return Ok(opened),
        Err(error) => error,
    };
    // A write-ahead log needs a shared-memory file, which a read-only folder cannot hold.
    let escaped = path
        .to_string_lossy()
        .replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23");
    let flags = flags | OpenFlags::SQLITE_OPEN_URI;
    let still = Connection::open_with_flags(format!("file:{escaped}?immutable=1"), flags);
    still
        .and_then(|conn| schema::version(&conn).map(|version| (conn, version)))
        .map_err(|_| first)
}

/// A day's number as `YYYY-MM-DD`.
pub(crate) fn day_text(day: i64) -> String {
    Timestamp::from_unix_micros(day.saturating_mul(86_400_000_000)).day()
}

fn failure(path: &Path, reason: &str, source: Option<rusqlite::Error>) -> Error {
    Error::Buffer {
        path: path.to_owned(),
        reason: reason.to_owned(),
        source: source.map(|error| Box::new(error) as _),
    }
}

/// The pattern of the ids that end with these digits.
fn ending(digits: &str) -> String {
    let digits = digits.chars().filter(|c| *c != '-');
    format!("%{}", digits.collect::<String>())
}

/// The lowest and the highest id that begin with these digits.
fn id_range(prefix: &str) -> Result<([u8; 16], [u8; 16]), Error> {
    let invalid = || Error::InvalidId {
        text: prefix.chars().take(40).collect(),
    };
    let digits: Vec<u8> = prefix
        .chars()
        .filter(|c| *c != '-')
        .map(|c| c.to_digit(16).map(|digit| digit as u8))
        .collect::<Option<_>>()
        .ok_or_else(invalid)?;
    if digits.is_empty() || digits.len() > 32 {
        return Err(invalid());
    }
    let (mut low, mut high) = ([0u8; 16], [0xFFu8; 16]);
    for (place, digit) in digits.into_iter().enumerate() {
        let (byte, shift) = (place / 2, if place % 2 == 0 { 4 } else { 0 });
        low[byte] |= digit << shift;
        high[byte] &= !(0xF << shift) | (digit << shift);
    }
    Ok((low, high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_an_id_span_the_ids_that_begin_so() {
        let (low, high) = id_range("0193-6").unwrap();
        assert_eq!(low[..3], [0x01, 0x93, 0x60]);
        assert_eq!(high[..3], [0x01, 0x93, 0x6F]);
        assert_eq!((low[15], high[15]), (0, 0xFF));
        for bad in ["", "-", "xyz", &"0".repeat(33)] {
            assert!(id_range(bad).is_err(), "{bad}");
        }
    }
}
