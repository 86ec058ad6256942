//! What a body really is, from its first bytes.

use super::{Inflate, Stage};

/// What is told apart: a declared coding, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
    /// No coding is declared; gzip and zstd are recognised all the same.
    Undeclared,
    /// A coding is declared that we do not know.
    Unknown,
}

impl Coding {
    /// The coding of a name; `identity` is none, an unknown one an error.
    pub(super) fn of(name: &str) -> Result<Option<Self>, Self> {
        let known = [
            ("", None),
            ("identity", None),
            ("gzip", Some(Self::Gzip)),
            ("x-gzip", Some(Self::Gzip)),
            ("deflate", Some(Self::Deflate)),
            ("br", Some(Self::Brotli)),
            ("zstd", Some(Self::Zstd)),
        ];
        known
            .into_iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, coding)| coding)
            .ok_or(Self::Unknown)
    }
}

/// The first bytes of a body, held back until they tell what it is.
#[derive(Debug)]
pub(super) struct Sniff {
    coding: Coding,
    held: [u8; ENOUGH],
    length: usize,
}

/// So many bytes always tell.
const ENOUGH: usize = 8;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

impl Sniff {
    pub(super) fn new(coding: Coding) -> Self {
        Self {
            coding,
            held: [0; ENOUGH],
            length: 0,
        }
    }

    pub(super) fn hold(&mut self, byte: u8) {
        if let Some(slot) = self.held.get_mut(self.length) {
            *slot = byte;
            self.length += 1;
        }
    }

    pub(super) fn held(&self) -> &[u8] {
        &self.held[..self.length]
    }

    /// Whether nothing is declared, and these first bytes are those of no coding that is recognised all
    /// the same.
    pub(super) fn is_plain_from(&self, bytes: &[u8]) -> bool {
        let is_first = self.coding == Coding::Undeclared && self.length == 0;
        is_first
            && bytes
                .first()
                .is_some_and(|first| *first != GZIP[0] && *first != ZSTD[0])
    }

    /// The stage to go on with; `None` while more bytes are needed.
    pub(super) fn decide(&self, next: &[u8]) -> Option<Stage> {
        if self.is_plain_from(next) {
            return Some(Stage::Plain);
        }
        let head = self.held();
        if head.len() < ENOUGH {
            return None;
        }
        let is_gzip = head.starts_with(&GZIP);
        let is_zstd = head.starts_with(&ZSTD) || (head[0] & 0xf0 == 0x50 && head[1..4] == [0x2a, 0x4d, 0x18]);
        Some(match self.coding {
            _ if is_gzip => Stage::Gzip(Box::default()),
            _ if is_zstd => Stage::Zstd(Box::default()),
            Coding::Deflate if is_zlib(head) => Stage::Deflate(Box::new(Inflate::new(true))),
            Coding::Deflate if !looks_like_text(head) => Stage::Deflate(Box::new(Inflate::new(false))),
            Coding::Brotli if !looks_like_text(head) => Stage::Brotli(Box::default()),
            _ => Stage::Plain,
        })
    }
}

fn is_zlib(head: &[u8]) -> bool {
    head[0] & 0x0f == 8 && u16::from_be_bytes([head[0], head[1]]).is_multiple_of(31)
}

/// JSON and event streams start with a blank, a bracket, a quote, a colon or a field name, and go on
/// in ASCII for a while.
fn looks_like_text(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let starts = matches!(
        head.first(),
        Some(b'{' | b'[' | b'"' | b':' | b' ' | b'\n' | b'\r' | b'\t' | b'a'..=b'z')
    );
    starts
        && head[1..]
            .iter()
            .all(|b| matches!(b, b' '..=b'~' | b'\n' | b'\r' | b'\t'))
}
