//! Finding an event by its id alone, without an index that has every id.
//!
//! Such an index would double the price of keeping an event. But ids begin with the millisecond in
//! which they were drawn, and events arrive about when they happen: so it is enough to note, for each
//! second of ids, the stretches of `seq` in which they lie. Usually that is one row a commit. An id is
//! then looked for among the events of its second.

use rusqlite::{Connection, Statement, params};

/// The second (of 1,024 ms) in which an id was drawn.
pub(super) fn second_of(id: &[u8; 16]) -> i64 {
    let [a, b, c, d, e, f, ..] = *id;
    (u64::from_be_bytes([0, 0, a, b, c, d, e, f]) >> 10) as i64
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    second: i64,
    first: i64,
    last: i64,
    /// Whether it stands in the file as it is.
    is_written: bool,
}

/// Notes the spans of what the writer inserts.
#[derive(Debug)]
pub(super) struct Spans<'c> {
    put: Statement<'c>,
    current: Option<Span>,
}

impl<'c> Spans<'c> {
    pub(super) fn new(conn: &'c Connection) -> rusqlite::Result<Self> {
        let sql = "INSERT OR REPLACE INTO spans (second, first_seq, last_seq) VALUES (?1, ?2, ?3)";
        Ok(Self {
            put: conn.prepare(sql)?,
            current: None,
        })
    }

    /// Notes an event. A stretch that goes on where the last one ended is one with it.
    pub(super) fn note(&mut self, id: &[u8; 16], seq: i64) -> rusqlite::Result<()> {
        let second = second_of(id);
        if let Some(span) = &mut self.current
            && span.second == second
            && span.last + 1 == seq
        {
            span.last = seq;
            span.is_written = false;
            return Ok(());
        }
        self.write()?;
        self.current = Some(Span {
            second,
            first: seq,
            last: seq,
            is_written: false,
        });
        Ok(())
    }

    /// Writes what was noted.
    pub(super) fn write(&mut self) -> rusqlite::Result<()> {
        if let Some(span) = &mut self.current
            && !span.is_written
        {
            self.put.execute(params![span.second, span.first, span.last])?;
            span.is_written = true;
        }
        Ok(())
    }

    /// Forgets what was noted in a transaction that failed.
    pub(super) fn forget(&mut self) {
        self.current = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::schema;

    #[test]
    fn a_stretch_that_goes_on_is_one_row_and_a_new_second_begins_another() {
        let conn = Connection::open_in_memory().unwrap();
        schema::migrate(&conn).unwrap();
        let id = |millis: u64| {
            let mut id = [0; 16];
            id[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
            id
        };
        let mut spans = Spans::new(&conn).unwrap();
        for (millis, seq) in [(0, 1), (1_000, 2), (1_024, 3), (1_024, 4), (5, 5), (6, 9)] {
            spans.note(&id(millis), seq).unwrap();
            if seq % 2 == 0 {
                spans.write().unwrap();
            }
        }
        spans.write().unwrap();
        let mut statement = conn
            .prepare("SELECT second, first_seq, last_seq FROM spans")
            .unwrap();
        let rows = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .unwrap();
        let rows: Vec<(i64, i64, i64)> = rows.map(Result::unwrap).collect();
        assert_eq!(rows, [(0, 1, 2), (0, 5, 5), (0, 9, 9), (1, 3, 4)]);
    }
}
