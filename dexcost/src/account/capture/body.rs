//! The response body in passing: coding, then framing, then the reader.

use crate::observation::BodyTrouble;
use crate::usage::framing::Decoder;
use crate::usage::readers::{Reader, Reading};
use crate::wire::Headers;

use super::plain::Plain;

/// Looks at a response body piece by piece.
#[derive(Debug)]
pub(super) struct Body {
    decoder: Decoder,
    plain: Plain,
}

/// What a body showed in the end.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) reading: Reading,
    pub(super) shape: Shape,
    pub(super) trouble: Option<BodyTrouble>,
}

/// What a body turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Nothing, or nothing but blanks.
    Empty,
    /// JSON, whole or cut off.
    Json { complete: bool },
    /// A stream of events.
    Events,
    /// What was asked for itself, as speech is or plain text; it was not looked at.
    Opaque,
}

impl Body {
    /// A body with these header fields.
    #[inline]
    pub(super) fn new(headers: &dyn Headers, content_type: Option<&[u8]>, reader: Reader) -> Self {
        Self {
            decoder: Decoder::new(headers.get("content-encoding")),
            plain: Plain::new(reader, is_lines(content_type)),
        }
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) {
        let plain = &mut self.plain;
        self.decoder.feed(bytes, &mut |bytes| plain.feed(bytes));
    }

    pub(super) fn reader(&mut self) -> &mut Reader {
        &mut self.plain.reader
    }

    pub(super) fn finish(&mut self) -> Shown {
        let plain = &mut self.plain;
        self.decoder.finish(&mut |bytes| plain.feed(bytes));
        let mut shape = plain.finish();
        let mut reading = plain.reader.form().finish();
        reading.error = reading.error.or(plain.exception);
        if reading.is_item && shape == (Shape::Json { complete: true }) {
            shape = Shape::Events;
        }
        let overflowed = plain.overflowed.then_some(BodyTrouble::TooLarge);
        let garbled = plain.is_garbled().then_some(BodyTrouble::Format);
        Shown {
            trouble: self.decoder.trouble().or(overflowed).or(garbled),
            reading,
            shape,
        }
    }
}

/// Whether a body is announced as JSON lines.
fn is_lines(content_type: Option<&[u8]>) -> bool {
    const TYPES: &[&[u8]] = &[
        b"application/x-ndjson",
        b"application/stream+json",
        b"application/jsonl",
        b"application/x-jsonlines",
        b"application/ndjson",
    ];
    let is = |kind: &[u8], name: &[u8]| {
        kind.get(..name.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(name))
    };
    // The common one is none of them.
    content_type.is_some_and(|kind| kind != b"application/json" && TYPES.iter().any(|name| is(kind, name)))
}
