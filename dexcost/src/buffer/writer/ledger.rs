//! One transaction: rows, sums and counts that change together.

use std::collections::HashMap;

use rusqlite::types::ToSql;
use rusqlite::{Connection, ErrorCode, Statement, params};

use crate::clock::Timestamp;
use crate::event::Event;
use crate::id::TaskId;
use crate::loss::{LossKind, LossReason};
use crate::sink::Record;
use crate::task::{Task, TaskStatus};

use crate::buffer::codec::{Coded, Encoder, decode_event, encode_event, encode_task};
use crate::buffer::loss::LossCounts;
use crate::buffer::meta::{Counter, Meta, STUB};
use crate::buffer::rollup::Tally;
use crate::buffer::span::Spans;

use super::hash::Quick;
use super::names::Names;
use super::recover::recount;
use super::repeats::Repeats;

/// How many open tasks are remembered.
const REMEMBERED: usize = 65_536;
/// The `what` of the rollup rows that count tasks.
pub(crate) const NO_WHAT: i64 = 0;

/// What the writer knows of a task's row.
#[derive(Clone, Copy, Debug)]
pub(super) struct TaskRef {
    pub(super) row: i64,
    pub(super) who: i64,
    /// A code of [`TaskStatus`], or [`STUB`].
    pub(super) status: i64,
    pub(super) day: i64,
    pub(super) revision: i64,
    pub(super) is_interrupted: bool,
}

/// Day, who, what.
type RollupKey = (i64, i64, i64);

/// The writer's side of the file: statements, caches, and the changes of the open transaction.
#[derive(Debug)]
pub(super) struct Ledger<'c> {
    pub(super) conn: &'c Connection,
    pub(super) owner: i64,
    pub(super) meta: Meta,
    /// Whether rows have left, so that names may be idle.
    pub(super) may_have_idle_names: bool,
    insert_event: Statement<'c>,
    find_event: Statement<'c>,
    update_event: Statement<'c>,
    insert_task: Statement<'c>,
    find_task: Statement<'c>,
    update_task: Statement<'c>,
    append_outbox: Statement<'c>,
    find_rollup: Statement<'c>,
    put_rollup: Statement<'c>,
    drop_rollup: Statement<'c>,
    spans: Spans<'c>,
    repeats: Repeats<'c>,
    whos: Names<'c>,
    whats: Names<'c>,
    tasks: HashMap<TaskId, TaskRef, Quick>,
    rollups: HashMap<RollupKey, Tally, Quick>,
    /// Records of the open transaction that did not fit.
    rejected: Vec<(LossKind, LossReason)>,
    out: Encoder,
}

impl<'c> Ledger<'c> {
    pub(super) fn new(conn: &'c Connection, owner: i64) -> rusqlite::Result<Self> {
        Ok(Self {
            conn,
            owner,
            meta: Meta::default(),
            may_have_idle_names: false,
            insert_event: conn.prepare("INSERT INTO events (id, task, body) VALUES (?1, ?2, ?3)")?,
            find_event: conn.prepare(
                "SELECT e.seq, t.who, e.body FROM tasks t JOIN events e ON e.task = t.task
                 WHERE t.id = ?1 AND e.id = ?2",
            )?,
            update_event: conn.prepare("UPDATE events SET body = ?2 WHERE seq = ?1")?,
            insert_task: conn.prepare(
                "INSERT INTO tasks (id, who, status, started_at, ended_at, owner, revision, body,
                 parent, interrupted) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?,
            find_task: conn.prepare(
                "SELECT task, who, status, started_at, revision, interrupted FROM tasks WHERE id = ?1",
            )?,
            update_task: conn.prepare(
                "UPDATE tasks SET who = ?2, status = ?3, started_at = ?4, ended_at = ?5, owner = ?6,
                 revision = ?7, body = ?8, parent = ?9, interrupted = ?10 WHERE task = ?1",
            )?,
            append_outbox: conn.prepare("INSERT INTO outbox (kind, id, revision) VALUES (?1, ?2, ?3)")?,
            find_rollup: conn
                .prepare("SELECT body FROM rollups WHERE day = ?1 AND who = ?2 AND what = ?3")?,
            put_rollup: conn
                .prepare("INSERT OR REPLACE INTO rollups (day, who, what, body) VALUES (?1, ?2, ?3, ?4)")?,
            drop_rollup: conn.prepare("DELETE FROM rollups WHERE day = ?1 AND who = ?2 AND what = ?3")?,
            spans: Spans::new(conn)?,
            repeats: Repeats::new(conn)?,
            whos: Names::whos(conn)?,
            whats: Names::whats(conn)?,
            tasks: HashMap::default(),
            rollups: HashMap::default(),
            rejected: Vec::new(),
            out: Encoder::default(),
        })
    }

    /// Runs `work` in a write transaction. Where it fails nothing of it stays, in memory neither.
    pub(super) fn transact(
        &mut self,
        work: impl FnOnce(&mut Self) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        let outcome = self
            .begin()
            .and_then(|()| work(self))
            .and_then(|()| self.finish());
        if outcome.is_err() {
            let _ = self.conn.execute_batch("ROLLBACK");
            self.rollups.clear();
            self.rejected.clear();
            self.spans.forget();
            self.forget_rows();
        }
        outcome
    }

    fn begin(&mut self) -> rusqlite::Result<()> {
        self.conn.execute_batch("BEGIN IMMEDIATE")?;
        let removals = self.meta.get(Counter::NamesRemoved);
        self.meta = Meta::read(self.conn)?;
        if self.meta.get(Counter::NamesRemoved) != removals {
            self.forget_rows();
        }
        Ok(())
    }

    fn finish(&mut self) -> rusqlite::Result<()> {
        for (key, change) in self.rollups.drain() {
            let (day, who, what) = key;
            let found = self
                .find_rollup
                .query(params![day, who, what])?
                .next()?
                .map(|row| {
                    row.get_ref(0)
                        .map(|body| body.as_blob().ok().and_then(|b| Tally::decode(b).ok()))
                });
            let mut tally = found.transpose()?.flatten().unwrap_or_default();
            tally.merge(&change);
            if tally.is_zero() {
                self.drop_rollup.execute(params![day, who, what])?;
            } else {
                tally.encode(&mut self.out);
                self.put_rollup
                    .execute(params![day, who, what, &self.out.bytes[..]])?;
            }
        }
        self.spans.write()?;
        self.meta.write(self.conn)?;
        self.conn.execute_batch("COMMIT")
    }

    /// Removes the names that no task and no sum refers to any more.
    ///
    /// Their numbers are never given out again, and every writer forgets what it remembers of them
    /// before its next transaction.
    pub(super) fn remove_idle_names(&mut self) -> rusqlite::Result<()> {
        let whos = "DELETE FROM whos WHERE NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.who = whos.who)
                    AND who NOT IN (SELECT who FROM rollups)";
        let whats = "DELETE FROM whats WHERE what NOT IN (SELECT what FROM rollups)";
        if self.conn.execute(whos, [])? + self.conn.execute(whats, [])? > 0 {
            self.forget_rows();
            self.meta.add(Counter::NamesRemoved, 1);
        }
        Ok(())
    }

    /// Forgets numbers of rows that may be gone.
    fn forget_rows(&mut self) {
        self.tasks.clear();
        self.whos.forget();
        self.whats.forget();
    }

    /// Writes what was lost since the last time, what was rejected in this transaction included.
    pub(super) fn persist_losses(&self, since: &LossCounts, now: &LossCounts) -> rusqlite::Result<()> {
        let mut news = *now;
        for (kind, reason) in &self.rejected {
            news[*kind as usize][*reason as usize] += 1;
        }
        for kind in LossKind::ALL {
            for reason in LossReason::ALL {
                let (k, r) = (*kind as usize, *reason as usize);
                let count = news[k][r] - since[k][r];
                if count > 0 {
                    add_count(self.conn, "losses", kind.as_str(), reason.as_str(), count as i64)?;
                }
            }
        }
        Ok(())
    }

    /// What was rejected in the transaction that was just committed.
    pub(super) fn take_rejected(&mut self) -> Vec<(LossKind, LossReason)> {
        std::mem::take(&mut self.rejected)
    }

    /// Applies a record. One that does not fit into a row is left out, to be counted as lost.
    pub(super) fn apply(&mut self, record: &Record) -> rusqlite::Result<()> {
        let outcome = match record {
            Record::TaskStarted(task) | Record::TaskChanged(task) | Record::TaskEnded(task) => {
                self.keep_task(task)
            }
            Record::Event(event) => self.keep_event(event),
            Record::EventChanged { after, .. } => self.change_event(after),
        };
        let reason = match outcome {
            Ok(()) => return Ok(()),
            Err(Fault::Record(reason)) => reason,
            Err(Fault::File(error)) => match error.sqlite_error_code() {
                Some(ErrorCode::ConstraintViolation) => LossReason::Duplicate,
                Some(ErrorCode::TooBig) => LossReason::EncodeError,
                _ => return Err(error),
            },
        };
        self.rejected.push((record.loss_kind(), reason));
        Ok(())
    }

    fn keep_event(&mut self, event: &Event) -> Result<(), Fault> {
        let task = self.task_of(event)?;
        if !self.repeats.is_first(event)? {
            self.repeats.note(task.row)?;
            self.meta.add(Counter::BatchRepeats, 1);
            return Ok(());
        }
        encode_event(event, &mut self.out)?;
        let id = &event.event_id.as_bytes()[..];
        let seq = self
            .insert_event
            .insert(params![id, task.row, &self.out.bytes[..]])?;
        self.spans.note(event.event_id.as_bytes(), seq)?;
        self.meta.add(Counter::Events, 1);
        self.roll(event, task.who, Tally::add_event)?;
        Ok(())
    }

    fn change_event(&mut self, event: &Event) -> Result<(), Fault> {
        let id = &event.event_id.as_bytes()[..];
        let found = self
            .find_event
            .query([&event.task_id.as_bytes()[..], id])?
            .next()?
            .map(|row| {
                Ok::<_, rusqlite::Error>((
                    row.get::<_, i64>(0)?,
                    row.get::<_, i64>(1)?,
                    row.get::<_, Vec<u8>>(2)?,
                ))
            });
        let Some((seq, who, body)) = found.transpose()? else {
            return self.keep_event(event);
        };
        let before = decode_event(*event.event_id.as_bytes(), *event.task_id.as_bytes(), &body)
            .map_err(|_| Fault::Record(LossReason::EncodeError))?;
        if event.revision < before.revision {
            return Ok(());
        }
        encode_event(event, &mut self.out)?;
        self.update_event.execute(params![seq, &self.out.bytes[..]])?;
        if seq <= self.meta.get(Counter::SentEvents) {
            self.append_outbox
                .execute(params![OUTBOX_EVENT, seq, event.revision])?;
        }
        self.roll(&before, who, Tally::remove_event)?;
        self.roll(event, who, Tally::add_event)?;
        Ok(())
    }

    fn roll(&mut self, event: &Event, who: i64, apply: fn(&mut Tally, &Event)) -> rusqlite::Result<()> {
        let day = event.occurred_at.day_number();
        if day < self.meta.get(Counter::RollupsFrom) {
            return Ok(());
        }
        let name = [
            event.provider.as_deref(),
            event.model.as_deref(),
            event.service_name.as_deref(),
        ];
        let what = self.whats.number(name)?;
        apply(self.rollups.entry((day, who, what)).or_default(), event);
        Ok(())
    }

    fn roll_task(&mut self, (day, who): (i64, i64), status: TaskStatus, is_interrupted: bool, by: i64) {
        if day >= self.meta.get(Counter::RollupsFrom) {
            self.rollups
                .entry((day, who, NO_WHAT))
                .or_default()
                .count_task(status, is_interrupted, by);
        }
    }

    /// The row of an event's task; a stub where the task itself has not arrived, or never will.
    fn task_of(&mut self, event: &Event) -> rusqlite::Result<TaskRef> {
        if let Some(task) = self.find(event.task_id)? {
            return Ok(task);
        }
        let who = self.whos.number([None, None, None])?;
        let at = event.occurred_at;
        let id = &event.task_id.as_bytes()[..];
        let values: [&dyn ToSql; 10] = [
            &id,
            &who,
            &STUB,
            &at.unix_micros(),
            &None::<i64>,
            &self.owner,
            &0i64,
            &None::<&[u8]>,
            &None::<&[u8]>,
            &false,
        ];
        let row = self.insert_task.insert(&values[..])?;
        self.meta.add(Counter::of_status(STUB), 1);
        let task = TaskRef {
            row,
            who,
            status: STUB,
            day: at.day_number(),
            revision: 0,
            is_interrupted: false,
        };
        self.remember(event.task_id, task);
        Ok(task)
    }

    pub(super) fn keep_task(&mut self, task: &Task) -> Result<(), Fault> {
        let before = self.find(task.task_id)?;
        let revision = i64::from(task.revision);
        if before.is_some_and(|before| before.status != STUB && revision < before.revision) {
            return Ok(());
        }
        let attribution = &task.attribution;
        let name = [
            attribution.customer_id.as_deref(),
            attribution.project_id.as_deref(),
            Some(task.task_type.as_str()),
        ];
        let who = self.whos.number(name)?;
        // Its own sums count what was left out here.
        let is_recounted = match before {
            Some(before) if self.meta.get(Counter::BatchRepeats) > 0 => self.repeats.has(before.row)?,
            _ => false,
        };
        let recounted = match before.filter(|_| is_recounted) {
            Some(before) => {
                let mut task = task.clone();
                recount(&mut task, &events_of(self.conn, before.row)?);
                Some(task)
            }
            None => None,
        };
        encode_task(recounted.as_ref().unwrap_or(task), &mut self.out)?;
        let status = task.status.code() as i64;
        let row = self.write_task(before.map(|before| before.row), task, who, status)?;
        let day = task.started_at.day_number();
        if let Some(before) = before {
            self.replace(row, before, who)?;
        }
        self.meta.add(Counter::of_status(status), 1);
        let is_interrupted = task.is_interrupted();
        self.roll_task((day, who), task.status, is_interrupted, 1);
        if task.status == TaskStatus::Pending {
            self.remember(
                task.task_id,
                TaskRef {
                    row,
                    who,
                    status,
                    day,
                    revision,
                    is_interrupted,
                },
            );
        } else {
            self.tasks.remove(&task.task_id);
        }
        Ok(())
    }

    fn write_task(&mut self, row: Option<i64>, task: &Task, who: i64, status: i64) -> rusqlite::Result<i64> {
        let id = &task.task_id.as_bytes()[..];
        let started = task.started_at.unix_micros();
        let ended = task.ended_at.map(Timestamp::unix_micros);
        let revision = i64::from(task.revision);
        let body = &self.out.bytes[..];
        let owner = self.owner;
        let parent = task.parent_task_id.as_ref().map(|parent| &parent.as_bytes()[..]);
        let is_interrupted = task.is_interrupted();
        let Some(row) = row else {
            return self.insert_task.insert(params![
                id,
                who,
                status,
                started,
                ended,
                owner,
                revision,
                body,
                parent,
                is_interrupted
            ]);
        };
        self.update_task.execute(params![
            row,
            who,
            status,
            started,
            ended,
            owner,
            revision,
            body,
            parent,
            is_interrupted
        ])?;
        if row <= self.meta.get(Counter::SentTasks) {
            self.append_outbox.execute(params![OUTBOX_TASK, row, revision])?;
        }
        Ok(row)
    }

    /// Takes a task's former state out of the counts, and moves its events where it is for another
    /// customer, project or type now. That costs as much as the task has events, and is rare.
    fn replace(&mut self, row: i64, before: TaskRef, who: i64) -> Result<(), Fault> {
        self.meta.add(Counter::of_status(before.status), -1);
        if let Ok(status) = TaskStatus::of(before.status as u64) {
            self.roll_task((before.day, before.who), status, before.is_interrupted, -1);
        }
        if before.who == who {
            return Ok(());
        }
        let events: Vec<Event> = events_of(self.conn, row)?;
        for event in &events {
            self.roll(event, before.who, Tally::remove_event)?;
            self.roll(event, who, Tally::add_event)?;
        }
        Ok(())
    }

    fn find(&mut self, id: TaskId) -> rusqlite::Result<Option<TaskRef>> {
        if let Some(task) = self.tasks.get(&id) {
            return Ok(Some(*task));
        }
        let bytes = &id.as_bytes()[..];
        let found = self.find_task.query([bytes])?.next()?.map(|row| {
            Ok::<_, rusqlite::Error>(TaskRef {
                row: row.get(0)?,
                who: row.get(1)?,
                status: row.get(2)?,
                day: Timestamp::from_unix_micros(row.get(3)?).day_number(),
                revision: row.get(4)?,
                is_interrupted: row.get(5)?,
            })
        });
        let found = found.transpose()?;
        if let Some(task) = found
            && (task.status == STUB || task.status == TaskStatus::Pending.code() as i64)
        {
            self.remember(id, task);
        }
        Ok(found)
    }

    /// Remembers an open task. Ended ones are looked up, since they may expire under our feet.
    fn remember(&mut self, id: TaskId, task: TaskRef) {
        if self.tasks.len() >= REMEMBERED {
            self.tasks.clear();
        }
        self.tasks.insert(id, task);
    }
}

/// Kinds of entries in the outbox.
const OUTBOX_TASK: i64 = 0;
const OUTBOX_EVENT: i64 = 1;

/// Why a record was not applied.
#[derive(Debug)]
pub(super) enum Fault {
    /// The record is at fault.
    Record(LossReason),
    /// The file is.
    File(rusqlite::Error),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::File(error)
    }
}

impl From<serde_json::Error> for Fault {
    fn from(_: serde_json::Error) -> Self {
        Self::Record(LossReason::EncodeError)
    }
}

/// The events of a task's row that can be read, in the order in which they came.
pub(super) fn events_of(conn: &Connection, row: i64) -> rusqlite::Result<Vec<Event>> {
    let mut statement = conn.prepare(
        "SELECT e.id, t.id, e.body FROM events e JOIN tasks t ON t.task = e.task
         WHERE e.task = ?1 ORDER BY e.seq",
    )?;
    let mut rows = statement.query([row])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        let body: Vec<u8> = row.get(2)?;
        events.extend(decode_event(row.get(0)?, row.get(1)?, &body).ok());
    }
    Ok(events)
}

/// Adds to a count by kind and reason.
pub(super) fn add_count(
    conn: &Connection,
    table: &str,
    kind: &str,
    reason: &str,
    count: i64,
) -> rusqlite::Result<()> {
    let sql = format!(
        "INSERT INTO {table} (kind, reason, count) VALUES (?1, ?2, ?3)
         ON CONFLICT (kind, reason) DO UPDATE SET count = count + excluded.count"
    );
    conn.execute(&sql, params![kind, reason, count]).map(drop)
}
