//! Finding a name in the table: one hash, one probe, one comparison.
//!
//! Names are hashed in two pieces, before and after their first slash. The ladder asks for one name
//! under several prefixes; it hashes the name once and puts nothing together.

use super::hash::{fold_hash, name_hash};
use super::{LONGEST_NAME, Name, SLOT_BITS, SLOTS, u32_at};
use crate::text::same_bytes;

/// A name of the table that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    /// Which one.
    pub(crate) name: Name,
    /// Whether it is spelled as it was asked for; else it differs in case.
    pub(crate) exact: bool,
}

/// A name, or a piece of one, with its hash.
#[derive(Clone, Copy)]
pub(crate) struct Piece<'a> {
    bytes: &'a [u8],
    hash: u64,
    has_slash: bool,
}

impl<'a> Piece<'a> {
    /// The piece; `None` where it is longer than every name of the tables.
    #[inline]
    pub(crate) fn of(bytes: &'a [u8]) -> Option<Self> {
        if bytes.len() > LONGEST_NAME {
            return None;
        }
        let (hash, has_slash) = fold_hash(bytes);
        Some(Self {
            bytes,
            hash,
            has_slash,
        })
    }

    /// What it is a piece of.
    pub(crate) const fn as_bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// Whether there is a slash in it.
    #[inline]
    pub(crate) const fn has_slash(self) -> bool {
        self.has_slash
    }

    /// The name in the table that equals this one, the exact spelling before one that differs in case.
    #[inline]
    pub(crate) fn find(self) -> Option<Hit> {
        let hash = if self.has_slash {
            split_hash(self.bytes)
        } else {
            name_hash(0, self.hash)
        };
        probe(
            hash,
            |key| same_bytes(key, self.bytes),
            |key| key.eq_ignore_ascii_case(self.bytes),
        )
    }

    /// The name in the table that equals `head/self`.
    #[inline]
    pub(crate) fn find_under(self, head: Piece<'_>) -> Option<Hit> {
        let (front, back) = (head.bytes, self.bytes);
        if head.has_slash {
            return find(&[front, b"/", back].concat());
        }
        let cut = |key: &'static [u8]| {
            let (first, rest) = key.split_at_checked(front.len())?;
            let (b'/', rest) = rest.split_first()? else {
                return None;
            };
            Some((first, rest))
        };
        probe(
            name_hash(head.hash, self.hash),
            |key| cut(key).is_some_and(|(first, rest)| same_bytes(first, front) && same_bytes(rest, back)),
            |key| {
                cut(key).is_some_and(|(first, rest)| {
                    first.eq_ignore_ascii_case(front) && rest.eq_ignore_ascii_case(back)
                })
            },
        )
    }
}

/// The name in the table that equals `name`, the exact spelling before one that differs in case.
#[inline]
pub(crate) fn find(name: &[u8]) -> Option<Hit> {
    Piece::of(name)?.find()
}

/// The hash of a name with a slash.
fn split_hash(name: &[u8]) -> u64 {
    let slash = name.iter().position(|byte| *byte == b'/').unwrap_or(0);
    let (head, rest) = name.split_at(slash);
    name_hash(fold_hash(head).0, fold_hash(rest.get(1..).unwrap_or_default()).0)
}

#[inline]
fn probe(
    hash: u64,
    is_exact: impl Fn(&'static [u8]) -> bool,
    is_folded: impl Fn(&'static [u8]) -> bool,
) -> Option<Hit> {
    let tag = (hash >> 16) as u16;
    let mut slot = (hash >> (64 - SLOT_BITS)) as usize;
    let mut folded = None;
    loop {
        let entry = u32_at(SLOTS.at + (slot & ((1 << SLOT_BITS) - 1)) * 4);
        if entry == 0 {
            return folded;
        }
        if (entry >> 16) as u16 == tag {
            let name = Name((entry as u16).wrapping_sub(1));
            let key = name.as_str().as_bytes();
            if is_exact(key) {
                return Some(Hit { name, exact: true });
            }
            if folded.is_none() && is_folded(key) {
                folded = Some(Hit { name, exact: false });
            }
        }
        slot += 1;
    }
}
