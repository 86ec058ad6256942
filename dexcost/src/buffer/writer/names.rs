//! The short numbers of attributions and of what was bought.
//!
//! `whos` numbers (customer, project, task type), `whats` numbers (provider, model, service). A map in
//! memory remembers the recent ones; it is emptied rather than let grow.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};

use rusqlite::{Connection, Statement, params};

use crate::text::Text;

use super::hash::Quick;

/// How many names of a kind are remembered.
const REMEMBERED: usize = 8_192;
/// The longest name that reports tell apart, in bytes. Rows keep the whole name.
const LONGEST: usize = 256;

type Triple<T> = [Option<T>; 3];

/// One of the two tables.
#[derive(Debug)]
pub(super) struct Names<'c> {
    find: Statement<'c>,
    insert: Statement<'c>,
    known: HashMap<u64, (Triple<Text>, i64), Quick>,
    hasher: Quick,
}

impl<'c> Names<'c> {
    pub(super) fn whos(conn: &'c Connection) -> rusqlite::Result<Self> {
        Self::new(
            conn,
            "SELECT who FROM whos WHERE customer IS ?1 AND project IS ?2 AND type IS ?3",
            "INSERT INTO whos (customer, project, type) VALUES (?1, ?2, ?3)",
        )
    }

    pub(super) fn whats(conn: &'c Connection) -> rusqlite::Result<Self> {
        Self::new(
            conn,
            "SELECT what FROM whats WHERE provider IS ?1 AND model IS ?2 AND service IS ?3",
            "INSERT INTO whats (provider, model, service) VALUES (?1, ?2, ?3)",
        )
    }

    fn new(conn: &'c Connection, find: &str, insert: &str) -> rusqlite::Result<Self> {
        Ok(Self {
            find: conn.prepare(find)?,
            insert: conn.prepare(insert)?,
            known: HashMap::default(),
            hasher: Quick::default(),
        })
    }

    pub(super) fn forget(&mut self) {
        self.known.clear();
    }

    /// The number of a name, a new one where it has none yet. Called inside a write transaction, so
    /// no other process numbers the same name meanwhile.
    pub(super) fn number(&mut self, name: Triple<&str>) -> rusqlite::Result<i64> {
        let hash = self.hash(&name);
        if let Some((known, number)) = self.known.get(&hash)
            && same(known, &name)
        {
            return Ok(*number);
        }
        let [a, b, c] = name.each_ref().map(|part| part.map(shortened));
        let found = self
            .find
            .query([&a, &b, &c])?
            .next()?
            .map(|row| row.get(0))
            .transpose()?;
        let number = match found {
            Some(number) => number,
            None => self.insert.insert(params![a, b, c])?,
        };
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        self.known
            .insert(hash, (name.map(|part| part.map(Text::from)), number));
        Ok(number)
    }

    fn hash(&self, name: &Triple<&str>) -> u64 {
        let mut state = self.hasher.build_hasher();
        name.hash(&mut state);
        std::hash::Hasher::finish(&state)
    }
}

fn same(known: &Triple<Text>, name: &Triple<&str>) -> bool {
    known.iter().zip(name).all(|(a, b)| a.as_deref() == *b)
}

fn shortened(name: &str) -> Cow<'_, str> {
    if name.len() <= LONGEST {
        return Cow::Borrowed(name);
    }
    let end = name.floor_char_boundary(LONGEST);
    Cow::Owned(format!("{}…", &name[..end]))
}
