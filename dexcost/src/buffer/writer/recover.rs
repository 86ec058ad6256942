//! Closing what dead processes left open.

use std::path::Path;

use rusqlite::params;
use serde_json::Value;

use crate::clock::Timestamp;
use crate::event::{Details, Event};
use crate::task::{Attribution, ENDED_BY, ExactSums, INTERRUPTED, Task, TaskStatus, Totals};
use crate::text::Text;

use crate::buffer::codec::decode_task;
use crate::buffer::meta::{Counter, STUB};
use crate::buffer::owner::Estate;
use crate::id::TaskId;

use super::ledger::{Fault, Ledger, events_of};

/// How many tasks are closed in one transaction.
const STEP: usize = 500;

/// Closes the open tasks of every owner that is gone.
pub(super) fn recover(ledger: &mut Ledger<'_>, database: &Path) -> rusqlite::Result<()> {
    for (owner, token) in others(ledger)? {
        let Some(estate) = Estate::claim(database, &token) else {
            continue;
        };
        while close_some(ledger, owner)? {}
        ledger.transact(|ledger| {
            ledger
                .conn
                .execute("DELETE FROM owners WHERE owner = ?1", [owner])
                .map(drop)
        })?;
        estate.settle();
    }
    Ok(())
}

fn others(ledger: &Ledger<'_>) -> rusqlite::Result<Vec<(i64, String)>> {
    let mut statement = ledger
        .conn
        .prepare("SELECT owner, token FROM owners WHERE owner <> ?1")?;
    let rows = statement.query_map([ledger.owner], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// Closes up to [`STEP`] tasks; `true` where there may be more.
fn close_some(ledger: &mut Ledger<'_>, owner: i64) -> rusqlite::Result<bool> {
    let open = open_tasks(ledger, owner)?;
    if open.is_empty() {
        return Ok(false);
    }
    ledger.transact(|ledger| {
        for (row, id, body) in &open {
            close(ledger, *row, *id, body.as_deref())?;
        }
        Ok(())
    })?;
    Ok(open.len() == STEP)
}

type OpenTask = (i64, [u8; 16], Option<Vec<u8>>);

fn open_tasks(ledger: &Ledger<'_>, owner: i64) -> rusqlite::Result<Vec<OpenTask>> {
    let mut statement = ledger.conn.prepare(
        "SELECT task, id, body FROM tasks WHERE status IN (?1, ?2) AND owner = ?3 ORDER BY task LIMIT ?4",
    )?;
    let values = params![0, STUB, owner, STEP as i64];
    let rows = statement.query_map(values, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    rows.collect()
}

fn close(ledger: &mut Ledger<'_>, row: i64, id: [u8; 16], body: Option<&[u8]>) -> rusqlite::Result<()> {
    let events = events_of(ledger.conn, row)?;
    let known = body.and_then(|body| decode_task(id, body).ok());
    let task = interrupted(known.unwrap_or_else(|| nameless(id, &events)), &events);
    match ledger.keep_task(&task) {
        Ok(()) => ledger.meta.add(Counter::Interrupted, 1),
        Err(Fault::File(error)) => return Err(error),
        Err(Fault::Record(_)) => {}
    }
    Ok(())
}

/// The task as a crash leaves it: failed, ended with its last sign of life, its sums those of its
/// events.
fn interrupted(mut task: Task, events: &[Event]) -> Task {
    let last = events.iter().map(|event| event.occurred_at).max();
    task.status = TaskStatus::Failed;
    task.ended_at = Some(last.unwrap_or(task.started_at).max(task.started_at));
    recount(&mut task, events);
    task.metadata
        .insert(ENDED_BY.to_owned(), Value::from(INTERRUPTED));
    task.revision = task.revision.saturating_add(1);
    task
}

/// Makes a task's sums those of its events; its traffic, of which there are none, stays.
pub(super) fn recount(task: &mut Task, events: &[Event]) {
    let mut totals = Totals {
        network_bytes_in: task.totals.network_bytes_in,
        network_bytes_out: task.totals.network_bytes_out,
        network_call_count: task.totals.network_call_count,
        network_by_host: std::mem::take(&mut task.totals.network_by_host),
        ..Totals::default()
    };
    let mut sums = ExactSums::default();
    for event in events {
        sums.add(&mut totals, event);
    }
    task.totals = totals;
}

/// A task of which nothing but events is there.
fn nameless(id: [u8; 16], events: &[Event]) -> Task {
    Task {
        task_id: TaskId::from_bytes(id),
        task_type: Text::from_static("unknown"),
        status: TaskStatus::Pending,
        started_at: events
            .iter()
            .map(|event| event.occurred_at)
            .min()
            .unwrap_or(Timestamp::default()),
        ended_at: None,
        attribution: Attribution::default(),
        parent_task_id: None,
        metadata: Details::from_iter([("_start_lost".to_owned(), Value::from(true))]),
        totals: Totals::default(),
        revision: 1,
    }
}
