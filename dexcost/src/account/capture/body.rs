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
    event: Event,
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

/// An event that comes in parts.
#[derive(Debug, Default)]
struct Event {
    /// Its data so far, up to [`LARGEST_EVENT`].
    held: Vec<u8>,
    /// Whether it has outgrown that and goes through the scanner.
    is_large: bool,
}

/// Larger events are scanned instead of held.
const LARGEST_EVENT: usize = 16 * 1024;

/// What OpenAI and most who speak its form send last.
const END_MARK: &[u8] = b"[DONE]";

impl Body {
    pub(super) fn new(content_encoding: Option<&[u8]>, mut reader: Reader) -> Self {
        Self {
            decoder: Decoder::new(content_encoding),
            plain: Plain {
                form: Form::Start,
                scanner: Scanner::new(reader.form().keep()),
                reader,
                event: Event::default(),
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

    pub(super) fn finish(&mut self) -> Shown {
        let plain = &mut self.plain;
        self.decoder.finish(&mut |bytes| plain.feed(bytes));
        let shape = self.plain.finish();
        let reading = self.plain.reader.form().finish();
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
            Piece::Whole(data) if data.len() <= LARGEST_EVENT => self.event(data),
            Piece::Whole(data) => {
                self.scanner.reset();
                self.scanner.feed(data);
                self.scanned_event();
            }
            Piece::Part(data) => self.part(data),
            Piece::End if self.event.is_large => {
                self.event = Event::default();
                self.scanned_event();
            }
            Piece::End => {
                let held = std::mem::take(&mut self.event.held);
                self.event(&held);
                self.event.held = held;
                self.event.held.clear();
            }
        }
    }

    fn part(&mut self, data: &[u8]) {
        let fits = self.event.held.len() + data.len() <= LARGEST_EVENT;
        if !self.event.is_large && fits {
            self.event.held.extend_from_slice(data);
            return;
        }
        if !self.event.is_large {
            self.event.is_large = true;
            self.scanner.reset();
            self.scanner.feed(&std::mem::take(&mut self.event.held));
        }
        self.scanner.feed(data);
    }

    fn event(&mut self, data: &[u8]) {
        if is_end_mark(data) {
            return self.reader.form().close();
        }
        let is_object = data.trim_ascii_start().starts_with(b"{");
        self.understood |= is_object;
        self.garbled |= !is_object && !data.is_empty();
        if is_object {
            self.reader.form().event(data);
        }
    }

    fn scanned_event(&mut self) {
        self.overflowed |= self.scanner.overflowed();
        if self.scanner.is_complete() {
            self.understood = true;
            self.reader.form().event(self.scanner.skeleton());
        } else {
            self.garbled = true;
        }
    }

    /// Drops an event that the stream broke off in, unless it is whole but for its blank line.
    fn broken_off(&mut self) {
        if !self.event.is_large && !is_end_mark(&self.event.held) {
            self.scanner.reset();
            self.scanner.feed(&self.event.held);
        }
        if !is_end_mark(&self.event.held) && !self.scanner.is_complete() {
            self.event = Event::default();
        }
    }

    fn finish(&mut self) -> Shape {
        match std::mem::replace(&mut self.form, Form::Start) {
            Form::Start => Shape::Empty,
            Form::Json => {
                let complete = self.scanner.is_complete();
                let root = Json::new(self.scanner.skeleton());
                if root.is_object() {
                    self.reader.form().read_body(root);
                }
                for element in root.items() {
                    self.reader.form().read_body(element);
                }
                self.overflowed |= self.scanner.overflowed();
                self.garbled = self.scanner.is_malformed();
                Shape::Json { complete }
            }
            Form::Events(mut sse) => {
                self.broken_off();
                sse.finish(&mut |piece| self.piece(piece));
                Shape::Events
            }
        }
    }
}

fn is_end_mark(data: &[u8]) -> bool {
    data.len() <= END_MARK.len() + 2 && data.trim_ascii() == END_MARK
}
