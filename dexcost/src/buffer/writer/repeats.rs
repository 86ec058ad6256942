//! Requests of batches, each of which is kept once however often its result is downloaded.
//!
//! A request is known by its provider and the provider's id of it, to every process that uses the file. The
//! one that comes again is left out in the transaction that would have kept it, and the sums of its task,
//! which count it, are from then on made from the task's events.

use rusqlite::{Connection, Statement, params};

use crate::clock::Timestamp;
use crate::event::Event;

/// So long a request is known: longer than any provider keeps results that it deletes by itself.
const KNOWN_DAYS: i64 = 400;

/// The statements.
#[derive(Debug)]
pub(super) struct Repeats<'c> {
    insert: Statement<'c>,
    note: Statement<'c>,
    find: Statement<'c>,
}

impl<'c> Repeats<'c> {
    pub(super) fn new(conn: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            insert: conn
                .prepare("INSERT OR IGNORE INTO batch_requests (provider, id, day) VALUES (?1, ?2, ?3)")?,
            note: conn.prepare("INSERT OR IGNORE INTO recounted (task) VALUES (?1)")?,
            find: conn.prepare("SELECT EXISTS (SELECT 1 FROM recounted WHERE task = ?1)")?,
        })
    }

    /// Whether an event is to be kept: all are but a request of a batch that is known.
    pub(super) fn is_first(&mut self, event: &Event) -> rusqlite::Result<bool> {
        let Some(id) = event
            .call
            .as_ref()
            .and_then(|call| call.batch_request_id.as_deref())
        else {
            return Ok(true);
        };
        let provider = event.provider.as_deref().unwrap_or_default();
        let day = event.occurred_at.day_number();
        Ok(self.insert.execute(params![provider, id, day])? == 1)
    }

    /// Notes that the sums of a task's row are to be made from its events.
    pub(super) fn note(&mut self, task: i64) -> rusqlite::Result<()> {
        self.note.execute([task]).map(drop)
    }

    /// Whether they are.
    pub(super) fn has(&mut self, task: i64) -> rusqlite::Result<bool> {
        self.find.query_row([task], |row| row.get(0))
    }
}

/// Forgets requests of long ago.
pub(super) fn forget_before(conn: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    let day = now.day_number() - KNOWN_DAYS;
    conn.execute("DELETE FROM batch_requests WHERE day < ?1", [day])
        .map(drop)
}
