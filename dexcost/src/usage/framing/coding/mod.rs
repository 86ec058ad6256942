//! Content codings, undone for reading.
//!
//! The caller's bytes are not touched: this is a second, streaming look at them. It uses what the
//! bytes are, not only what the header says, because recorders and proxies remove a coding and
//! leave its name behind; a coding whose mark is missing counts as removed.
//!
//! Memory per coding: deflate and gzip some 50 KiB, brotli up to 16 MiB and zstd up to 8 MiB of
//! window (RFC 7932, RFC 9659), both only where the sender asked for it. What decodes to far more
//! than came in is given up.

mod brotli;
mod gzip;
mod inflate;
mod sniff;
mod zstd;

use smallvec::SmallVec;

use crate::observation::BodyTrouble;
use brotli::Brotli;
use gzip::Gunzip;
use inflate::Inflate;
use sniff::{Coding, Sniff};
use zstd::Zstd;

/// Codings that follow one another; nobody applies more.
const MOST_STAGES: usize = 3;
/// Up to here a body may decode to anything.
const FREE_BYTES: u64 = 16 << 20;
/// Beyond that, to this many times what came in. Text shrinks to a tenth, rarely to a hundredth.
const LARGEST_RATIO: u64 = 256;
/// How much is decoded at a time.
const STEP: usize = 8 * 1024;

/// Takes decoded bytes; false asks to stop.
type Sink<'a> = &'a mut dyn FnMut(&[u8]) -> bool;

/// Undoes the content codings of one body, piece by piece.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    /// The last applied coding first; empty for a body that is read as it is.
    stages: SmallVec<[Stage; 1]>,
    trouble: Option<BodyTrouble>,
    coded: u64,
    decoded: u64,
}

#[derive(Debug)]
enum Stage {
    /// Not decided yet.
    Sniff(Sniff),
    /// The coding was removed already.
    Plain,
    Gzip(Box<Gunzip>),
    Deflate(Box<Inflate>),
    Brotli(Box<Brotli>),
    Zstd(Box<Zstd>),
}

/// Bytes that are not what the coding promises.
#[derive(Debug)]
struct Garbled;

impl Decoder {
    /// A decoder for a body with this `content-encoding`.
    pub(crate) fn new(content_encoding: Option<&[u8]>) -> Self {
        let Some(names) = content_encoding else {
            return Self::of_undeclared();
        };
        let (names, mut decoder) = (String::from_utf8_lossy(names), Self::default());
        for name in names.split(',').rev() {
            match Coding::of(name.trim()) {
                Ok(None) => {}
                Ok(Some(_)) | Err(_) if decoder.stages.len() == MOST_STAGES => {
                    decoder.trouble = Some(BodyTrouble::Coding);
                }
                Ok(Some(coding)) => decoder.stages.push(Stage::Sniff(Sniff::new(coding))),
                Err(coding) => decoder.stages.push(Stage::Sniff(Sniff::new(coding))),
            }
        }
        if decoder.stages.is_empty() {
            decoder.stages.push(Stage::Sniff(Sniff::new(Coding::Undeclared)));
        }
        decoder
    }

    #[inline]
    fn of_undeclared() -> Self {
        let mut decoder = Self::default();
        decoder.stages.push(Stage::Sniff(Sniff::new(Coding::Undeclared)));
        decoder
    }

    /// Takes the next piece and hands on what it decodes to.
    pub(crate) fn feed(&mut self, bytes: &[u8], sink: &mut dyn FnMut(&[u8])) {
        if self.trouble.is_some() {
            return;
        }
        match &mut self.stages[..] {
            [Stage::Plain] => return sink(bytes),
            [stage] if stage.is_plain_from(bytes) => {
                *stage = Stage::Plain;
                return sink(bytes);
            }
            _ => {}
        }
        self.coded = self.coded.saturating_add(bytes.len() as u64);
        let limit = FREE_BYTES.max(self.coded.saturating_mul(LARGEST_RATIO));
        let (decoded, mut too_large) = (&mut self.decoded, false);
        let outcome = run(&mut self.stages, bytes, &mut |piece| {
            *decoded = decoded.saturating_add(piece.len() as u64);
            too_large = *decoded > limit;
            if !too_large {
                sink(piece);
            }
            !too_large
        });
        if too_large {
            self.trouble = Some(BodyTrouble::TooLarge);
        } else if outcome.is_err() {
            self.trouble = Some(BodyTrouble::Coding);
        }
    }

    /// Ends the body and hands on what was held back.
    pub(crate) fn finish(&mut self, sink: &mut dyn FnMut(&[u8])) {
        for first in 0..self.stages.len() {
            if self.trouble.is_some() {
                return;
            }
            let outcome = finish(&mut self.stages[first..], &mut |piece| {
                sink(piece);
                true
            });
            if outcome.is_err() {
                self.trouble = Some(BodyTrouble::Coding);
            }
        }
    }

    /// What went wrong, if anything did.
    pub(crate) fn trouble(&self) -> Option<BodyTrouble> {
        self.trouble
    }
}

fn run(stages: &mut [Stage], bytes: &[u8], sink: Sink<'_>) -> Result<(), Garbled> {
    let Some((first, rest)) = stages.split_first_mut() else {
        sink(bytes);
        return Ok(());
    };
    let mut inner = Ok(());
    let outer = first.feed(bytes, &mut |piece| {
        inner = run(rest, piece, sink);
        inner.is_ok()
    });
    outer.and(inner)
}

fn finish(stages: &mut [Stage], sink: Sink<'_>) -> Result<(), Garbled> {
    let Some((first, rest)) = stages.split_first_mut() else {
        return Ok(());
    };
    let mut inner = Ok(());
    let outer = first.finish(&mut |piece| {
        inner = run(rest, piece, sink);
        inner.is_ok()
    });
    outer.and(inner)
}

impl Stage {
    /// Whether the first bytes already tell that there is no coding; the common case.
    fn is_plain_from(&self, bytes: &[u8]) -> bool {
        match self {
            Self::Sniff(sniff) => sniff.is_plain_from(bytes),
            _ => false,
        }
    }

    fn feed(&mut self, bytes: &[u8], sink: Sink<'_>) -> Result<(), Garbled> {
        match self {
            Self::Plain => {
                sink(bytes);
                Ok(())
            }
            Self::Gzip(gzip) => gzip.feed(bytes, sink),
            Self::Deflate(deflate) => deflate.feed(bytes, sink).map(|_| ()),
            Self::Brotli(brotli) => brotli.feed(bytes, sink),
            Self::Zstd(zstd) => zstd.feed(bytes, sink),
            Self::Sniff(sniff) => {
                let (mut bytes, mut held) = (bytes, Sniff::new(Coding::Undeclared));
                let stage = loop {
                    if let Some(stage) = sniff.decide(bytes) {
                        break stage;
                    }
                    let Some((byte, rest)) = bytes.split_first() else {
                        return Ok(());
                    };
                    sniff.hold(*byte);
                    bytes = rest;
                };
                std::mem::swap(&mut held, sniff);
                *self = stage;
                if !held.held().is_empty() {
                    self.feed(held.held(), sink)?;
                }
                self.feed(bytes, sink)
            }
        }
    }

    fn finish(&mut self, sink: Sink<'_>) -> Result<(), Garbled> {
        match self {
            Self::Sniff(sniff) => {
                // Too short to tell: too short to be coded, too.
                sink(sniff.held());
                Ok(())
            }
            Self::Zstd(zstd) => zstd.finish(sink),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
