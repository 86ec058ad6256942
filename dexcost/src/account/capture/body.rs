//! The response body in passing: coding, then framing, then the reader.

use crate::observation::BodyTrouble;
use crate::usage::framing::{Decoder, Json, Piece, Scanner, Sse};
use crate::usage::readers::{Reader, Reading};

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
}

/// The body with its coding undone.
#[derive(Debug)]
struct Plain {
    form: Form,
    scanner: Scanner,
    reader: Reader,
    event: Option<Event>,
    understood: bool,
    garbled: bool,
    overflowed: bool,
}

#[derive(Debug)]
enum Form {
    /// Before the first byte that tells. Headers do not: servers answer a stream with a JSON
    /// error, and recorders rename types.
    Start,
    Json,
    Events(Sse),
}

/// An event that came in parts; its first bytes, to recognise the end mark.
#[derive(Debug, Default)]
struct Event {
    head: [u8; END_MARK.len() + 2],
    length: usize,
}

/// What OpenAI and most who speak its form send last.
const END_MARK: &[u8] = b"[DONE]";

impl Body {
    pub(super) fn new(content_encoding: Option<&[u8]>, reader: Reader) -> Self {
        Self {
            decoder: Decoder::new(content_encoding),
            plain: Plain {
                form: Form::Start,
                scanner: Scanner::new(reader.keep()),
                reader,
                event: None,
                understood: false,
                garbled: false,
                overflowed: false,
            },
        }
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) {
        let plain = &mut self.plain;
        self.decoder.feed(bytes, &mut |bytes| plain.feed(bytes));
    }

    pub(super) fn finish(mut self) -> Shown {
        let plain = &mut self.plain;
        self.decoder.finish(&mut |bytes| plain.feed(bytes));
        let shape = self.plain.finish();
        let reading = self.plain.reader.finish();
        let overflowed = self.plain.overflowed.then_some(BodyTrouble::TooLarge);
        let garbled = self.plain.garbled && !self.plain.understood;
        Shown {
            trouble: self
                .decoder
                .trouble()
                .or(overflowed)
                .or(garbled.then_some(BodyTrouble::Format)),
            reading,
            shape,
        }
    }
}

impl Plain {
    fn feed(&mut self, mut bytes: &[u8]) {
        if matches!(self.form, Form::Start) {
            // Blanks and a byte order mark.
            let is_lead = |b: &u8| b.is_ascii_whitespace() || matches!(b, 0xef | 0xbb | 0xbf);
            let Some(at) = bytes.iter().position(|b| !is_lead(b)) else {
                return;
            };
            bytes = &bytes[at..];
            self.form = match bytes[0] {
                b'{' | b'[' => Form::Json,
                _ => Form::Events(Sse::default()),
            };
        }
        match &mut self.form {
            Form::Start => {}
            Form::Json => self.scanner.feed(bytes),
            Form::Events(sse) => {
                let mut sse = std::mem::take(sse);
                sse.feed(bytes, &mut |piece| self.piece(piece));
                self.form = Form::Events(sse);
            }
        }
    }

    fn piece(&mut self, piece: Piece<'_>) {
        match piece {
            Piece::Whole(data) if is_end_mark(data) => self.reader.close(),
            Piece::Whole(data) => {
                if !data.is_empty() && self.reader.may_tell(data) {
                    self.scanner.reset();
                    self.scanner.feed(data);
                    self.event_ended();
                }
            }
            Piece::Part(data) => {
                if self.event.is_none() {
                    self.scanner.reset();
                }
                self.event.get_or_insert_default().see(data);
                self.scanner.feed(data);
            }
            Piece::End => match self.event.take() {
                Some(event) if event.is_end_mark() => self.reader.close(),
                Some(event) if event.length > 0 => self.event_ended(),
                _ => {}
            },
        }
    }

    fn event_ended(&mut self) {
        self.overflowed |= self.scanner.overflowed();
        if self.scanner.is_complete() {
            self.understood = true;
            self.reader.read(Json::new(self.scanner.skeleton()));
        } else {
            self.garbled = true;
        }
    }

    fn finish(&mut self) -> Shape {
        match std::mem::replace(&mut self.form, Form::Start) {
            Form::Start => Shape::Empty,
            Form::Json => {
                let complete = self.scanner.is_complete();
                let root = Json::new(self.scanner.skeleton());
                if root.is_object() {
                    self.reader.read(root);
                }
                for element in root.items() {
                    self.reader.read(element);
                }
                self.overflowed |= self.scanner.overflowed();
                self.garbled = self.scanner.is_malformed();
                Shape::Json { complete }
            }
            Form::Events(mut sse) => {
                sse.finish(&mut |piece| self.piece(piece));
                Shape::Events
            }
        }
    }
}

impl Event {
    fn see(&mut self, data: &[u8]) {
        for byte in data.iter().take(self.head.len()) {
            if let Some(slot) = self.head.get_mut(self.length) {
                *slot = *byte;
            }
            self.length = self.length.saturating_add(1);
        }
        self.length = self
            .length
            .saturating_add(data.len().saturating_sub(self.head.len()));
    }

    fn is_end_mark(&self) -> bool {
        self.head.get(..self.length).is_some_and(is_end_mark)
    }
}

fn is_end_mark(data: &[u8]) -> bool {
    data.len() <= END_MARK.len() + 2 && data.trim_ascii() == END_MARK
}
