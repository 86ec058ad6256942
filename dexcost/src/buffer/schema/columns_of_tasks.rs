//! Columns of tasks that schema 2 has beside their bodies: whose sub-task a task is, and whether a crash cut it
//! short, which its rollup counts too.

use rusqlite::{Connection, params};

use crate::buffer::NO_WHAT;
use crate::buffer::codec::{Encoder, decode_task};
use crate::buffer::rollup::Tally;
use crate::task::Task;

/// Fills the columns of the tasks that are there. A body that cannot be read fills none.
pub(super) fn fill(conn: &Connection) -> rusqlite::Result<()> {
    let mut statement = conn.prepare("SELECT task, id, who, body FROM tasks WHERE body IS NOT NULL")?;
    let mut set = conn.prepare("UPDATE tasks SET parent = ?2, interrupted = ?3 WHERE task = ?1")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (number, id, who): (i64, [u8; 16], i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let body: Vec<u8> = row.get(3)?;
        let Ok(task) = decode_task(id, &body) else {
            continue;
        };
        let is_interrupted = task.is_interrupted();
        if task.parent_task_id.is_none() && !is_interrupted {
            continue;
        }
        let parent = task.parent_task_id.map(|parent| *parent.as_bytes());
        set.execute(params![number, parent, is_interrupted])?;
        if is_interrupted {
            count(conn, &task, who)?;
        }
    }
    Ok(())
}

/// Counts an interrupted task in the rollup that counts it as a task, where that is still there.
fn count(conn: &Connection, task: &Task, who: i64) -> rusqlite::Result<()> {
    let key = params![task.started_at.day_number(), who, NO_WHAT];
    let sql = "SELECT body FROM rollups WHERE day = ?1 AND who = ?2 AND what = ?3";
    let mut find = conn.prepare(sql)?;
    let Some(body) = find
        .query(key)?
        .next()?
        .map(|row| row.get::<_, Vec<u8>>(0))
        .transpose()?
    else {
        return Ok(());
    };
    let Ok(mut tally) = Tally::decode(&body) else {
        return Ok(());
    };
    tally.interrupted_tasks += 1;
    let mut out = Encoder::default();
    tally.encode(&mut out);
    let sql = "UPDATE rollups SET body = ?4 WHERE day = ?1 AND who = ?2 AND what = ?3";
    let values = params![task.started_at.day_number(), who, NO_WHAT, &out.bytes[..]];
    conn.execute(sql, values).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::codec::encode_task;
    use crate::buffer::samples;
    use crate::task::{ENDED_BY, INTERRUPTED, TaskStatus};

    #[test]
    fn a_task_that_a_crash_cut_short_is_counted_as_such() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(include_str!("1.sql")).unwrap();
        let mut out = Encoder::default();
        let mut task = samples::task(1, "acme");
        task.status = TaskStatus::Failed;
        task.metadata.insert(ENDED_BY.to_owned(), INTERRUPTED.into());
        encode_task(&task, &mut out).unwrap();
        let sql = "INSERT INTO tasks (id, who, status, started_at, owner, revision, body) VALUES (?1, 7, 2, 0, 1, 1, ?2)";
        let id = &task.task_id.as_bytes()[..];
        conn.execute(sql, params![id, &out.bytes[..]]).unwrap();
        let mut tally = Tally::default();
        tally.count_task(TaskStatus::Failed, false, 1);
        tally.encode(&mut out);
        let sql = "INSERT INTO rollups (day, who, what, body) VALUES (?1, 7, ?2, ?3)";
        let day = task.started_at.day_number();
        conn.execute(sql, params![day, NO_WHAT, &out.bytes[..]]).unwrap();

        conn.execute_batch(include_str!("2.sql")).unwrap();
        fill(&conn).unwrap();
        let body: Vec<u8> = conn
            .query_row("SELECT body FROM rollups", [], |row| row.get(0))
            .unwrap();
        tally.interrupted_tasks = 1;
        assert_eq!(Tally::decode(&body).unwrap(), tally);
        let interrupted: bool = conn
            .query_row("SELECT interrupted FROM tasks", [], |row| row.get(0))
            .unwrap();
        assert!(interrupted);
    }
}
