//! The bundled tables: packed, compiled in, never parsed.
//!
//! `llm.keys` holds the names, `llm.bin` everything else as little-endian integers; both are made by
//! `data/generate.py` from the readable tables in `data/`. A lookup is one hash, one probe into 64 KiB
//! of slots and one comparison. Nothing is built at start and nothing is kept on the heap.

mod component;
mod hash;
mod lookup;
mod rates;

pub(crate) use component::{Code, Component, Tier};
pub(crate) use lookup::{Hit, Piece, find};
pub(crate) use rates::{OffPeak, Range, Rate, RateList, Rates, Window};

static KEYS: &str = include_str!("llm.keys");
static BLOB: &[u8] = include_bytes!("llm.bin");

/// Longer names than this are in no table.
pub(crate) const LONGEST_NAME: usize = 96;

const SLOT_BITS: u32 = 14;
const KEY_BYTES: usize = 10;
const ROW_BYTES: usize = 10;
const PROVIDER_BYTES: usize = 7;

/// A section of the blob: where it starts and how long it is.
#[derive(Clone, Copy)]
struct Section {
    at: usize,
    len: usize,
}

const fn section(index: usize) -> Section {
    let header = 20 + index * 8;
    Section {
        at: const_u32(header),
        len: const_u32(header + 4),
    }
}

const fn const_u32(at: usize) -> usize {
    let blob: &[u8] = include_bytes!("llm.bin");
    u32::from_le_bytes([blob[at], blob[at + 1], blob[at + 2], blob[at + 3]]) as usize
}

const SLOTS: Section = section(0);
const NAMES: Section = section(1);
const ROWS: Section = section(2);
const RATES: Section = section(3);
const PROVIDERS: Section = section(4);
const THRESHOLDS: Section = section(5);
const BODY: Section = section(6);

#[inline]
fn u16_at(at: usize) -> u16 {
    BLOB.get(at..at + 2)
        .map_or(0, |b| u16::from_le_bytes([b[0], b[1]]))
}

#[inline]
fn u32_at(at: usize) -> u32 {
    BLOB.get(at..at + 4)
        .map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}

#[inline]
fn u64_at(at: usize) -> u64 {
    BLOB.get(at..at + 8).map_or(0, |b| {
        u64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]])
    })
}

/// A record of fixed size, read at once.
#[inline]
fn record<const N: usize>(at: usize) -> [u8; N] {
    BLOB.get(at..)
        .and_then(|rest| rest.first_chunk::<N>())
        .map_or([0; N], |record| *record)
}

#[inline]
fn byte_at(at: usize) -> u8 {
    BLOB.get(at).copied().unwrap_or(0)
}

/// The first 12 hex digits of the SHA-256 over the readable tables.
pub(crate) const VERSION: &str = {
    let keys = include_str!("llm.keys");
    let (_, line) = keys.split_at(keys.len() - 13);
    line.split_at(12).0
};

/// Every name of the tables, current and retired.
pub(crate) fn all() -> impl Iterator<Item = Name> {
    (0..len()).filter_map(Name::at)
}

/// How many names the tables hold, current and retired.
pub(crate) const fn len() -> usize {
    NAMES.len / KEY_BYTES
}

/// The prompt sizes above which prices change, ascending; [`Code`] counts them from 1.
#[inline]
pub(crate) fn threshold(place: usize) -> Option<u64> {
    (1..=THRESHOLDS.len / 4)
        .contains(&place)
        .then(|| u64::from(u32_at(THRESHOLDS.at + (place - 1) * 4)))
}

#[inline]
fn provider_place(index: u8) -> usize {
    PROVIDERS.at + usize::from(index) * PROVIDER_BYTES
}

#[inline]
fn provider_name(index: u8) -> &'static str {
    let place = provider_place(index);
    let at = u32_at(place) as usize;
    KEYS.get(at..at + usize::from(u16_at(place + 4))).unwrap_or("")
}

/// A name of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name(u16);

impl Name {
    /// The name with this number.
    pub(crate) fn at(number: usize) -> Option<Self> {
        u16::try_from(number)
            .ok()
            .filter(|n| usize::from(*n) < len())
            .map(Self)
    }

    const fn place(self) -> usize {
        NAMES.at + self.0 as usize * KEY_BYTES
    }

    /// The name as it is written in the table.
    #[inline]
    pub(crate) fn as_str(self) -> &'static str {
        let [a, b, c, d, _, _, _, _, len, _] = record::<KEY_BYTES>(self.place());
        let at = u32::from_le_bytes([a, b, c, d]) as usize;
        KEYS.get(at..at + usize::from(len)).unwrap_or("")
    }

    /// The row that held at an instant, in seconds since 1970; the oldest where none did.
    #[inline]
    pub(crate) fn row(self, at_seconds: u64) -> Row {
        let [_, _, _, _, low, high, _, _, _, count] = record::<KEY_BYTES>(self.place());
        let first = u16::from_le_bytes([low, high]);
        let mut row = Row(first);
        for later in 1..u16::from(count) {
            if row.since_seconds() <= at_seconds {
                break;
            }
            row = Row(first + later);
        }
        row
    }
}

/// What a name costs from some date on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row(u16);

impl Row {
    const PER_QUERY: u8 = 1;
    const RANGES: u8 = 2;
    const OFF_PEAK: u8 = 4;
    const LEGACY: u8 = 8;
    const REFUSED: u8 = 16;

    const fn place(self) -> usize {
        ROWS.at + self.0 as usize * ROW_BYTES
    }

    #[inline]
    fn flags(self) -> u8 {
        byte_at(self.place() + 9)
    }

    /// The instant from which it holds, in seconds since 1970; 0 means since always.
    #[inline]
    pub(crate) fn since_seconds(self) -> u64 {
        u64::from(u32_at(self.place()))
    }

    /// The provider that the table names.
    #[inline]
    pub(crate) fn provider(self) -> &'static str {
        provider_name(byte_at(self.place() + 8))
    }

    /// The family that this provider belongs to.
    #[inline]
    pub(crate) fn family(self) -> &'static str {
        provider_name(byte_at(provider_place(byte_at(self.place() + 8)) + 6))
    }

    /// Whether it is the last price of a model that is no longer listed.
    #[inline]
    pub(crate) fn is_legacy(self) -> bool {
        self.flags() & Self::LEGACY != 0
    }

    /// Whether its prices cannot be meant, so that none is used.
    #[inline]
    pub(crate) fn is_refused(self) -> bool {
        self.flags() & Self::REFUSED != 0
    }

    /// Whether grounding is billed by query and not by prompt.
    #[inline]
    pub(crate) fn bills_per_query(self) -> bool {
        self.flags() & Self::PER_QUERY != 0
    }

    /// Whether prices depend on the hour or on a range.
    #[inline]
    pub(crate) fn varies(self) -> bool {
        self.flags() & (Self::RANGES | Self::OFF_PEAK) != 0
    }

    /// The prices.
    #[inline]
    pub(crate) fn rates(self) -> Rates<'static> {
        Rates::packed(BODY.at + u32_at(self.place() + 4) as usize)
    }

    /// The range table, where prices depend on a range.
    #[inline]
    pub(crate) fn ranges(self) -> Option<PackedRanges> {
        (self.flags() & Self::RANGES != 0).then(|| PackedRanges::read(self.rates().packed_end()))
    }

    /// The off-peak prices, where there are any.
    #[inline]
    pub(crate) fn off_peak(self) -> Option<OffPeak<'static>> {
        (self.flags() & Self::OFF_PEAK != 0).then(|| {
            let at = self
                .ranges()
                .map_or_else(|| self.rates().packed_end(), PackedRanges::end);
            OffPeak::packed(at)
        })
    }
}

/// The ranges of a row.
#[derive(Clone, Copy)]
pub(crate) struct PackedRanges {
    by_results: bool,
    count: usize,
    at: usize,
}

impl PackedRanges {
    fn read(at: usize) -> Self {
        Self {
            by_results: byte_at(at) == 1,
            count: usize::from(byte_at(at + 1)),
            at: at + 2,
        }
    }

    /// Whether the ranges count results asked for, and not prompt tokens.
    pub(crate) const fn by_results(self) -> bool {
        self.by_results
    }

    /// The ranges, in the order of the table.
    pub(crate) fn iter(self) -> impl Iterator<Item = Range<'static>> {
        let mut at = self.at;
        (0..self.count).map(move |_| {
            let rates = Rates::packed(at + 8);
            let range = Range {
                low: u64::from(u32_at(at)),
                high: u64::from(u32_at(at + 4)),
                rates,
            };
            at = rates.packed_end();
            range
        })
    }

    fn end(self) -> usize {
        self.iter()
            .last()
            .map_or(self.at, |range| range.rates.packed_end())
    }
}

#[cfg(test)]
mod tests;
