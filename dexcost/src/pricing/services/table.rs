//! A table of rows: the bundled one, or one that replaced it.

use std::sync::{Arc, OnceLock};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::hosts::HostIndex;
use super::row::Row;
use crate::error::Error;
use crate::privacy::sha256_hex;
use crate::text::Text;

/// The bundled rows, one a line after a line about all of them; `data/services.py` makes it.
const BUNDLED: &str = include_str!("bundled.jsonl");
const FORMAT: &str = "dexcost-services/1";
/// The largest document that is looked at.
const LARGEST: usize = 8 * 1024 * 1024;
const MOST_ROWS: usize = 20_000;

/// Rows and the index of their hosts.
#[derive(Debug)]
pub(super) struct Table {
    slots: Box<[Slot]>,
    pub(super) index: HostIndex,
    pub(super) version: Text,
    pub(super) as_of: Text,
}

/// A row, read when it is first needed.
#[derive(Debug)]
struct Slot {
    json: &'static str,
    row: OnceLock<Option<Box<Row>>>,
}

/// The first line of the bundled table.
#[derive(Default, Deserialize)]
struct Head<'a> {
    as_of: &'a str,
    version: &'a str,
}

/// How the catalog's server wraps what it sends.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    data: &'a RawValue,
}

/// A table as it is written.
#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    format: &'a str,
    #[serde(borrow)]
    as_of: &'a str,
    #[serde(borrow)]
    rows: Vec<&'a RawValue>,
}

impl Table {
    /// The bundled table, made when it is first asked for: one pass over its text for the hosts.
    pub(super) fn bundled() -> &'static Arc<Self> {
        static TABLE: OnceLock<Arc<Table>> = OnceLock::new();
        TABLE.get_or_init(|| {
            let (head, rows) = BUNDLED.split_once('\n').unwrap_or_default();
            let head = serde_json::from_str::<Head<'_>>(head).unwrap_or_default();
            let hosts = rows.lines().zip(0..).map(|(line, row)| (row, hosts_of(line)));
            let slot = |json| Slot {
                json,
                row: OnceLock::new(),
            };
            Arc::new(Self {
                index: HostIndex::new(hosts),
                slots: rows.lines().map(slot).collect(),
                version: head.version.into(),
                as_of: head.as_of.into(),
            })
        })
    }

    /// Reads a whole document; everything in it must be right.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let fault = |at: Option<String>, reason: String| Error::PriceFile {
            origin: "service catalog".to_owned(),
            at,
            reason,
        };
        if text.len() > LARGEST {
            return Err(fault(None, format!("is larger than {LARGEST} bytes")));
        }
        let inner = serde_json::from_str::<Envelope<'_>>(text).map_or(text, |envelope| envelope.data.get());
        let document: Document<'_> =
            serde_json::from_str(inner).map_err(|error| fault(None, error.to_string()))?;
        if document.format != FORMAT {
            return Err(fault(None, format!("is no `{FORMAT}`")));
        }
        if document.as_of.parse::<jiff::civil::Date>().is_err() {
            return Err(fault(None, "`as_of` is no date".to_owned()));
        }
        if document.rows.is_empty() || document.rows.len() > MOST_ROWS {
            return Err(fault(None, format!("has {} rows", document.rows.len())));
        }
        let mut rows = Vec::with_capacity(document.rows.len());
        for (at, row) in document.rows.iter().enumerate() {
            let row = Row::parse(row.get()).map_err(|reason| fault(Some(format!("row {at}")), reason))?;
            rows.push(row);
        }
        let hosts = rows.iter().zip(0..).map(|(row, at)| (at, &*row.hosts));
        let digest = sha256_hex(inner);
        Ok(Self {
            index: HostIndex::new(hosts),
            version: Text::from(&digest[..12]),
            as_of: document.as_of.into(),
            slots: rows
                .into_iter()
                .map(|row| Slot {
                    json: "",
                    row: OnceLock::from(Some(Box::new(row))),
                })
                .collect(),
        })
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// A row.
    pub(super) fn row(&self, at: u16) -> Option<&Row> {
        let slot = self.slots.get(usize::from(at))?;
        slot.row
            .get_or_init(|| Row::parse(slot.json).ok().map(Box::new))
            .as_deref()
    }

    /// All rows.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        (0..self.slots.len()).filter_map(|at| self.row(u16::try_from(at).ok()?))
    }
}

/// The hosts of a bundled row, which stand first in it.
fn hosts_of(line: &str) -> &str {
    let rest = line.strip_prefix(r#"{"hosts":""#).unwrap_or_default();
    rest.split_once('"').map_or("", |(hosts, _)| hosts)
}
