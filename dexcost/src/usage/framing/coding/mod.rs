//! Content codings, undone for reading.
//!
//! The caller's bytes are not touched: this is a second, streaming look at them. It uses what the
//! bytes are, not only what the header says, because recorders and proxies remove a coding and
//! leave its name behind; a coding whose mark is missing counts as removed.
//!
//! Memory per coding: deflate and gzip some 50 KiB, brotli up to 16 MiB and zstd up to 8 MiB of
//! window (RFC 7932, RFC 9659), both only as far as a body decodes to that much, and all bodies together no
//! more than [`work`] says. What takes far more work than came in is given up.

mod brotli;
mod gzip;
mod inflate;
mod sniff;
mod work;
mod zstd;

use smallvec::SmallVec;

use crate::observation::BodyTrouble;
use brotli::Brotli;
use gzip::Gunzip;
use inflate::Inflate;
use sniff::{Coding, Sniff};
use work::{Allowance, Made, Work};
use zstd::Zstd;

/// Codings that follow one another; nobody applies more.
const MOST_STAGES: usize = 3;
/// How much is decoded at a time.
const STEP: usize = 8 * 1024;

/// Takes what a stage makes; false asks to stop.
type Sink<'a> = &'a mut dyn FnMut(Made<'_>) -> bool;

/// Undoes the content codings of one body, piece by piece.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    /// The last applied coding first; empty for a body that is read as it is.
    stages: SmallVec<[Stage; 1]>,
    trouble: Option<BodyTrouble>,
    work: Work,
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
        let allowance = self.work.allowance_for(bytes.len());
        let outcome = run(&mut self.stages, bytes, &allowance, sink);
        self.note(outcome.is_ok(), &allowance);
    }

    /// Ends the body and hands on what was held back.
    pub(crate) fn finish(&mut self, sink: &mut dyn FnMut(&[u8])) {
        for first in 0..self.stages.len() {
            if self.trouble.is_some() {
                return;
            }
            let allowance = self.work.allowance_for(0);
            let outcome = finish(&mut self.stages[first..], &allowance, sink);
            self.note(outcome.is_ok(), &allowance);
        }
    }

    fn note(&mut self, is_sound: bool, allowance: &Allowance) {
        if !self.work.note(allowance) {
            self.trouble = Some(BodyTrouble::TooLarge);
        } else if !is_sound {
            self.trouble = Some(BodyTrouble::Coding);
        }
        if self.trouble.is_some() {
            // Nothing more is decoded: what the stages hold is let go of.
            self.stages.clear();
        }
    }

    /// What went wrong, if anything did.
    pub(crate) fn trouble(&self) -> Option<BodyTrouble> {
        self.trouble
    }
}

/// Feeds the first stage, what it makes to the next, and what the last one makes to the sink.
fn run(
    stages: &mut [Stage],
    bytes: &[u8],
    allowance: &Allowance,
    sink: &mut dyn FnMut(&[u8]),
) -> Result<(), Garbled> {
    let Some((first, rest)) = stages.split_first_mut() else {
        sink(bytes);
        return Ok(());
    };
    let mut inner = Ok(());
    let outer = first.feed(bytes, &mut |made| {
        hand_on(made, rest, allowance, sink, &mut inner)
    });
    outer.and(inner)
}

fn finish(stages: &mut [Stage], allowance: &Allowance, sink: &mut dyn FnMut(&[u8])) -> Result<(), Garbled> {
    let Some((first, rest)) = stages.split_first_mut() else {
        return Ok(());
    };
    let mut inner = Ok(());
    let outer = first.finish(&mut |made| hand_on(made, rest, allowance, sink, &mut inner));
    outer.and(inner)
}

/// Hands what a stage made to the rest, as long as that is not too much work.
fn hand_on(
    made: Made<'_>,
    rest: &mut [Stage],
    allowance: &Allowance,
    sink: &mut dyn FnMut(&[u8]),
    inner: &mut Result<(), Garbled>,
) -> bool {
    match made {
        Made::Work(amount) => allowance.spend(amount),
        Made::Bytes(piece) => {
            if !allowance.spend_output(piece.len(), rest.is_empty()) {
                return false;
            }
            *inner = run(rest, piece, allowance, sink);
            inner.is_ok()
        }
    }
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
                if sink(Made::Bytes(bytes)) {
                    Ok(())
                } else {
                    Err(Garbled)
                }
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
                if sink(Made::Bytes(sniff.held())) {
                    Ok(())
                } else {
                    Err(Garbled)
                }
            }
            Self::Zstd(zstd) => zstd.finish(sink),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
