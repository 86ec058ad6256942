//! Reads a reply of any size as it passes, and keeps the fields that rows ask for.
//!
//! What a search or a scrape costs often stands behind megabytes of text, so a beginning of the body does not
//! do. The scanner wants the names that it looks for for as long as the program runs. The trees of names are
//! therefore made once for each set of places and kept for good: the bundled rows have some dozens,
//! tables from a URL mostly the same ones, and there is a limit beyond which no further ones are made.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use arc_swap::ArcSwap;

use super::source::{Source, Step};
use crate::usage::framing::{Keep, Scanner};

/// The names to keep of an object.
type Fields = &'static [(&'static str, Keep)];

/// The most trees that are made: a few hundred kilobytes at the worst.
const MOST_TREES: usize = 512;
/// As much is kept of a body for which no tree was made.
const BEGINNING: usize = 64 * 1024;

static TREES: LazyLock<ArcSwap<BTreeMap<Box<str>, Fields>>> = LazyLock::new(ArcSwap::default);

/// Watches the body of a reply and keeps of it what the catalog needs: at most 64 KiB, whatever it is.
///
/// ```
/// use dexcost::{ServiceBodies, ServiceCatalog, dec};
///
/// let mut found = ServiceCatalog::new().lookup("https://api.exa.ai/search").unwrap();
/// found.response(200, &());
/// let mut reader = found.reply_reader().unwrap();
/// reader.feed(br#"{"results":[{"text":""#);
/// reader.feed("lorem ipsum ".repeat(100_000).as_bytes());
/// reader.feed(br#""}],"costDollars":{"total":0.007}}"#);
/// let cost = found.cost(&ServiceBodies {
///     reply: Some(reader.kept()),
///     reply_is_cut: reader.is_cut(),
///     ..ServiceBodies::default()
/// });
/// assert_eq!(cost.unwrap().cost_usd, Some(dec!(0.007)));
/// ```
#[derive(Debug)]
pub struct ServiceReader {
    inner: Inner,
}

#[derive(Debug)]
enum Inner {
    Scan(Box<Scanner>),
    Beginning { bytes: Vec<u8>, is_cut: bool },
}

impl ServiceReader {
    pub(super) fn new(places: &Places<'_>) -> Self {
        let inner = match places.fields() {
            Some(fields) => Inner::Scan(Box::new(Scanner::new(fields))),
            None => Inner::Beginning {
                bytes: Vec::new(),
                is_cut: false,
            },
        };
        Self { inner }
    }

    /// Takes the next piece of the body, without any content coding.
    pub fn feed(&mut self, piece: &[u8]) {
        match &mut self.inner {
            Inner::Scan(scanner) => scanner.feed(piece),
            Inner::Beginning { bytes, is_cut } => {
                let room = BEGINNING.saturating_sub(bytes.len());
                *is_cut |= piece.len() > room;
                bytes.extend_from_slice(&piece[..piece.len().min(room)]);
            }
        }
    }

    /// What was kept, as [`ServiceBodies::reply`](super::ServiceBodies::reply) takes it.
    #[must_use]
    pub fn kept(&self) -> &[u8] {
        match &self.inner {
            Inner::Scan(scanner) => scanner.skeleton(),
            Inner::Beginning { bytes, .. } => bytes,
        }
    }

    /// Whether something is missing: the body did not come to its end, or there was more to keep than
    /// fits. A body that is no JSON has nothing that could be missing.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        match &self.inner {
            Inner::Scan(scanner) => {
                scanner.overflowed() || !(scanner.is_complete() || scanner.is_malformed())
            }
            Inner::Beginning { is_cut, .. } => *is_cut,
        }
    }
}

/// The places in a reply that some rows read.
#[derive(Default)]
pub(super) struct Places<'a> {
    root: Node<'a>,
}

#[derive(Default)]
struct Node<'a> {
    /// Whether all of it is kept, and not only the fields below.
    is_whole: bool,
    fields: BTreeMap<&'a str, Self>,
}

impl<'a> Places<'a> {
    /// Adds a place, if it is one in the reply's body.
    pub(super) fn add(&mut self, source: &'a Source) {
        let Source::Body(steps) = source else { return };
        let mut node = &mut self.root;
        for step in steps {
            if let Step::Field(name) = step {
                node = node.fields.entry(name).or_default();
            }
        }
        // Of the elements of an array it is enough that they are there.
        node.is_whole |= matches!(steps.last(), Some(Step::Field(_)));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.root.fields.is_empty()
    }

    /// The tree of names, made when it is first asked for.
    fn fields(&self) -> Option<Fields> {
        let mut key = String::new();
        self.root.write(&mut key);
        if let Some(fields) = TREES.load().get(&*key) {
            return Some(fields);
        }
        if TREES.load().len() >= MOST_TREES {
            return None;
        }
        let fields = self.root.leak();
        TREES.rcu(|trees| {
            let mut trees = BTreeMap::clone(trees);
            trees.insert(key.as_str().into(), fields);
            trees
        });
        Some(fields)
    }
}

/// How many trees were made.
#[cfg(test)]
pub(super) fn trees() -> usize {
    TREES.load().len()
}

impl Node<'_> {
    fn write(&self, key: &mut String) {
        for (name, node) in &self.fields {
            key.push_str(name);
            key.push(if node.is_whole { '!' } else { '{' });
            node.write(key);
            key.push('}');
        }
    }

    fn leak(&self) -> Fields {
        let keep = |node: &Self| {
            if node.is_whole {
                Keep::All
            } else {
                Keep::Fields(node.leak())
            }
        };
        let name = |name: &str| -> &'static str { Box::leak(Box::from(name)) };
        let fields: Vec<_> = self
            .fields
            .iter()
            .map(|(field, node)| (name(field), keep(node)))
            .collect();
        Vec::leak(fields)
    }
}
