//! The tables, as an ordered list of steps.
//!
//! `PRAGMA user_version` is the number of steps that a file has taken. A step is never changed once a
//! version with it was released; a database file of every version is kept among the fixtures.

mod columns_of_tasks;

use rusqlite::Connection;

/// Marks the file as ours: "DXC1".
pub(super) const APPLICATION_ID: i64 = 0x4458_4331;

/// The steps from an empty file to the present schema.
const MIGRATIONS: &[Step] = &[
    Step {
        sql: include_str!("schema/1.sql"),
        fill: |_| Ok(()),
    },
    Step {
        sql: include_str!("schema/2.sql"),
        fill: columns_of_tasks::fill,
    },
];

/// A step: what changes in the tables, and what is then filled in from the rows that are there.
struct Step {
    sql: &'static str,
    fill: fn(&Connection) -> rusqlite::Result<()>,
}

/// The version that this code writes.
#[must_use]
pub(crate) const fn current_version() -> i64 {
    MIGRATIONS.len() as i64
}

/// The version of a file.
pub(super) fn version(conn: &Connection) -> rusqlite::Result<i64> {
    conn.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Whether the file is a database of something else.
///
/// Tables and mark appear in one transaction, and tables are looked at first: so a file that another
/// process is just making is never seen with tables and without the mark.
pub(super) fn is_foreign(conn: &Connection) -> rusqlite::Result<bool> {
    let tables: i64 = conn.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
    if tables == 0 {
        return Ok(false);
    }
    let id: i64 = conn.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    Ok(id != APPLICATION_ID)
}

/// Takes the steps that are missing, all or none. Several processes may try at once.
pub(super) fn migrate(conn: &Connection) -> rusqlite::Result<()> {
    if version(conn)? >= current_version() {
        return Ok(());
    }
    conn.execute_batch("BEGIN IMMEDIATE")?;
    let outcome = take_steps(conn);
    if outcome.is_err() {
        let _ = conn.execute_batch("ROLLBACK");
    }
    outcome
}

fn take_steps(conn: &Connection) -> rusqlite::Result<()> {
    let done = usize::try_from(version(conn)?).unwrap_or(usize::MAX);
    for step in MIGRATIONS.iter().skip(done) {
        conn.execute_batch(step.sql)?;
        (step.fill)(conn)?;
    }
    if done < MIGRATIONS.len() {
        conn.execute_batch(&format!(
            "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {};",
            current_version()
        ))?;
    }
    conn.execute_batch("COMMIT")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_raises_the_version_by_one_and_a_second_run_changes_nothing() {
        let conn = Connection::open_in_memory().unwrap();
        migrate(&conn).unwrap();
        assert_eq!(version(&conn).unwrap(), i64::try_from(MIGRATIONS.len()).unwrap());
        migrate(&conn).unwrap();
        assert!(!is_foreign(&conn).unwrap());
    }

    #[test]
    fn a_database_of_somebody_else_is_recognised() {
        let conn = Connection::open_in_memory().unwrap();
        assert!(!is_foreign(&conn).unwrap());
        conn.execute_batch("CREATE TABLE theirs (x)").unwrap();
        assert!(is_foreign(&conn).unwrap());
    }
}
