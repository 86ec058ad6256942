//! Letting go of what is old.
//!
//! Age is counted in whole days of UTC. A day's rollups leave together; a task leaves with all of its
//! events once the day of its end is gone, so an event outlives its day's rollups only inside a task
//! that ran on, and is then part of no report. Names of customers and of what was bought leave with the
//! last row that refers to them. Where sync is on, rows leave by acknowledgement instead.

use std::time::Duration;

use rusqlite::params;

use crate::buffer::meta::{Counter, STUB};
use crate::clock::Timestamp;

use super::ledger::{Ledger, add_count};
use super::repeats;

/// How many tasks leave in one transaction.
const STEP: i64 = 200;
const DAY_MICROS: i64 = 86_400_000_000;

/// Lets some rows go whose age is over; `true` where there may be more.
pub(super) fn expire(ledger: &mut Ledger<'_>, now: Timestamp, keep: Duration) -> rusqlite::Result<bool> {
    let micros = i64::try_from(keep.as_micros()).unwrap_or(i64::MAX);
    let first_day = Timestamp::from_unix_micros(now.unix_micros().saturating_sub(micros)).day_number();
    if first_day == 0 {
        return Ok(false);
    }
    let before = first_day * DAY_MICROS;
    let has_old = !old_tasks(ledger, before)?.is_empty();
    let has_rollups = has_rollups_before(ledger, first_day)?;
    if !has_old && !has_rollups {
        if std::mem::take(&mut ledger.may_have_idle_names) {
            ledger.transact(Ledger::remove_idle_names)?;
        }
        return Ok(false);
    }
    let mut is_last = true;
    ledger.transact(|ledger| {
        // Looked at again under the write lock: another process may have let them go meanwhile.
        let old = old_tasks(ledger, before)?;
        is_last = (old.len() as i64) < STEP;
        drop_tasks(ledger, &old)?;
        ledger
            .conn
            .execute("DELETE FROM rollups WHERE day < ?1", [first_day])?;
        ledger.conn.execute(
            "DELETE FROM spans WHERE second < ?1 AND last_seq < (SELECT coalesce(min(seq), 0) FROM events)",
            [before / 1_024_000],
        )?;
        let from = ledger.meta.get(Counter::RollupsFrom).max(first_day);
        ledger.meta.set(Counter::RollupsFrom, from);
        repeats::forget_before(ledger.conn, now)?;
        if is_last {
            ledger.remove_idle_names()?;
        }
        Ok(())
    })?;
    ledger.may_have_idle_names = !is_last;
    Ok(!is_last)
}

fn has_rollups_before(ledger: &Ledger<'_>, day: i64) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM rollups WHERE day < ?1)";
    ledger.conn.query_row(sql, [day], |row| row.get(0))
}

/// Rows of ended tasks (and of stubs) that no sync waits for.
fn old_tasks(ledger: &Ledger<'_>, before: i64) -> rusqlite::Result<Vec<(i64, i64)>> {
    let mut statement = ledger.conn.prepare(
        "SELECT task, status FROM tasks WHERE status IN (1, 2, ?2) AND started_at < ?1
         AND coalesce(ended_at, started_at) < ?1 LIMIT ?3",
    )?;
    let rows = statement.query_map(params![before, STUB, STEP], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

fn drop_tasks(ledger: &mut Ledger<'_>, tasks: &[(i64, i64)]) -> rusqlite::Result<()> {
    let mut events = 0;
    {
        let mut drop_events = ledger.conn.prepare("DELETE FROM events WHERE task = ?1")?;
        let mut drop_task = ledger.conn.prepare("DELETE FROM tasks WHERE task = ?1")?;
        let mut drop_mark = ledger.conn.prepare("DELETE FROM recounted WHERE task = ?1")?;
        for (row, status) in tasks {
            events += drop_events.execute([row])? as i64;
            drop_task.execute([row])?;
            drop_mark.execute([row])?;
            ledger.meta.add(Counter::of_status(*status), -1);
        }
    }
    ledger.meta.add(Counter::Events, -events);
    add_count(ledger.conn, "departed", "task", "expired", tasks.len() as i64)?;
    add_count(ledger.conn, "departed", "event", "expired", events)
}
