//! The response body with its coding undone: which framing it has, and its items to the reader.

use super::body::Shape;
use crate::event::ErrorType;
use crate::usage::framing::{Elements, Frame, Frames, Json, Lines, Piece, Rows, Scanner, Sse, Wrapped};
use crate::usage::readers::{BATCH_ROWS, Reader, error_of_word};

/// The body with its coding undone.
#[derive(Debug)]
pub(super) struct Plain {
    form: Form,
    /// Made where it is needed: few bodies are read otherwise than where they lie.
    scanner: Option<Box<Scanner>>,
    pub(super) reader: Reader,
    event: Event,
    wrapped: Option<Wrapped>,
    /// What a message of the framing itself said went wrong.
    pub(super) exception: Option<ErrorType>,
    understood: bool,
    garbled: bool,
    pub(super) corrupt: bool,
    pub(super) overflowed: bool,
}

/// Told by the first byte. Headers do not tell: servers answer a stream with a JSON error, and
/// recorders rename types. Only of JSON lines the first looks like a document of its own.
#[derive(Debug)]
enum Form {
    /// Before the first byte that tells.
    Start {
        may_be_lines: bool,
    },
    Json,
    /// A document that was read already, where it lay.
    Read,
    /// An array.
    Elements(Elements),
    /// A document that holds an array of events, and what is kept of it.
    Rows(Box<(Rows, Scanner)>),
    Lines(Lines),
    Events(Sse),
    Frames(Frames),
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

impl Plain {
    #[inline]
    pub(super) fn new(mut reader: Reader, may_be_lines: bool) -> Self {
        Self {
            form: Form::Start {
                may_be_lines: may_be_lines || reader.form().is_lines(),
            },
            scanner: None,
            wrapped: reader.form().wraps_events().then(Wrapped::default),
            reader,
            event: Event::default(),
            exception: None,
            understood: false,
            garbled: false,
            corrupt: false,
            overflowed: false,
        }
    }

    pub(super) fn is_garbled(&self) -> bool {
        self.corrupt || (self.garbled && !self.understood)
    }

    pub(super) fn feed(&mut self, mut bytes: &[u8]) {
        if let Form::Start { may_be_lines } = self.form {
            // Blanks and a byte order mark.
            let is_lead = |b: &u8| b.is_ascii_whitespace() || matches!(b, 0xef | 0xbb | 0xbf);
            let Some(at) = bytes.iter().position(|b| !is_lead(b)) else {
                return;
            };
            bytes = &bytes[at..];
            let rows = self.reader.form().rows();
            self.form = match bytes[0] {
                b'{' if let Some(keep) = rows => {
                    let rows = Rows::of(BATCH_ROWS, "metadata");
                    Form::Rows(Box::new((rows, Scanner::new(keep))))
                }
                b'{' if may_be_lines => Form::Lines(Lines::default()),
                b'{' if bytes.len() <= LARGEST_EVENT && self.reader.form().read_whole(bytes) => {
                    self.form = Form::Read;
                    return;
                }
                b'{' => Form::Json,
                b'[' => Form::Elements(Elements::default()),
                // The length of a message; its highest byte is never anything else.
                0 | 1 => Form::Frames(Frames::default()),
                _ => Form::Events(Sse::default()),
            };
        }
        if matches!(self.form, Form::Json) {
            return self.json(bytes);
        }
        match std::mem::replace(&mut self.form, Form::Json) {
            Form::Start { .. } | Form::Json => {}
            Form::Read => self.more(bytes),
            Form::Elements(mut elements) => {
                let (reader, overflowed) = (&mut self.reader, &mut self.overflowed);
                elements.feed(bytes, scanner_for(&mut self.scanner, reader), &mut |scanner| {
                    *overflowed |= scanner.overflowed();
                    reader.form().read_body(Json::new(scanner.skeleton()));
                });
                self.form = Form::Elements(elements);
            }
            Form::Rows(mut document) => {
                let (rows, scanner) = &mut *document;
                scanner.feed(bytes);
                rows.feed(bytes, &mut |piece| self.piece(piece));
                self.form = Form::Rows(document);
            }
            Form::Lines(mut lines) => {
                lines.feed(bytes, &mut |piece| self.piece(piece));
                self.form = Form::Lines(lines);
            }
            Form::Events(mut sse) => {
                sse.feed(bytes, &mut |piece| self.piece(piece));
                self.form = Form::Events(sse);
            }
            Form::Frames(mut frames) => {
                frames.feed(bytes, &mut |frame| self.frame(frame));
                self.form = Form::Frames(frames);
            }
        }
    }

    fn scanner(&mut self) -> &mut Scanner {
        scanner_for(&mut self.scanner, &mut self.reader)
    }

    /// A document; where a second one follows, it was the first of many.
    fn json(&mut self, bytes: &[u8]) {
        let scanner = self.scanner();
        let rest = scanner.feed_up_to_end(bytes).trim_ascii_start();
        if rest.is_empty() || scanner.is_malformed() {
            return;
        }
        if !rest.starts_with(b"{") {
            return scanner.feed(rest);
        }
        self.scanned_event();
        let mut lines = Lines::default();
        lines.feed(rest, &mut |piece| self.piece(piece));
        self.form = Form::Lines(lines);
    }

    /// What follows a document: nothing, or it was the first of many.
    fn more(&mut self, bytes: &[u8]) {
        let rest = bytes.trim_ascii_start();
        self.form = Form::Read;
        if rest.is_empty() || self.garbled {
            return;
        }
        if rest.starts_with(b"{") {
            self.understood = true;
            self.form = Form::Lines(Lines::default());
            self.feed(rest);
        } else {
            self.garbled = true;
        }
    }

    fn frame(&mut self, frame: Frame<'_>) {
        match frame {
            Frame::Event(piece) if self.wrapped.is_none() => self.piece(piece),
            Frame::Event(Piece::Whole(data)) => {
                self.wrapped_part(data);
                self.wrapped_end();
            }
            Frame::Event(Piece::Part(data)) => self.wrapped_part(data),
            Frame::Event(Piece::End) => self.wrapped_end(),
            Frame::Exception(name) => {
                self.understood = true;
                self.exception = self.exception.or(Some(error_of_word(name)));
            }
            Frame::Corrupt => {
                self.corrupt = true;
                self.event = Event::default();
            }
        }
    }

    fn wrapped_part(&mut self, data: &[u8]) {
        let Some(wrapped) = &mut self.wrapped else { return };
        for piece in data.chunks(LARGEST_EVENT) {
            let scanner = scanner_for(&mut self.scanner, &mut self.reader);
            if self.event.is_large {
                let mut plain = Vec::new();
                wrapped.feed(piece, &mut plain);
                scanner.feed(&plain);
                continue;
            }
            wrapped.feed(piece, &mut self.event.held);
            if self.event.held.len() > LARGEST_EVENT {
                self.event.outgrow(scanner);
            }
        }
    }

    fn wrapped_end(&mut self) {
        if let Some(wrapped) = &mut self.wrapped {
            wrapped.reset();
        }
        self.piece(Piece::End);
    }

    fn piece(&mut self, piece: Piece<'_>) {
        match piece {
            Piece::Whole(data) if data.len() <= LARGEST_EVENT => self.event(data),
            Piece::Whole(data) => {
                let scanner = self.scanner();
                scanner.reset();
                scanner.feed(data);
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
        let scanner = scanner_for(&mut self.scanner, &mut self.reader);
        if !self.event.is_large {
            self.event.outgrow(scanner);
        }
        scanner.feed(data);
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
        let scanner = scanner_for(&mut self.scanner, &mut self.reader);
        self.overflowed |= scanner.overflowed();
        if scanner.is_complete() {
            self.understood = true;
            self.reader.form().event(scanner.skeleton());
        } else {
            self.garbled = true;
        }
    }

    /// Drops an event that the stream broke off in, unless it is whole but for its blank line.
    fn broken_off(&mut self) {
        if is_end_mark(&self.event.held) {
            return;
        }
        let scanner = scanner_for(&mut self.scanner, &mut self.reader);
        if !self.event.is_large {
            scanner.reset();
            scanner.feed(&self.event.held);
        }
        if !scanner.is_complete() {
            self.event = Event::default();
        }
    }

    /// Ends the body and says what it was.
    pub(super) fn finish(&mut self) -> Shape {
        match std::mem::replace(&mut self.form, Form::Json) {
            Form::Start { .. } => Shape::Empty,
            Form::Json => {
                let scanner = scanner_for(&mut self.scanner, &mut self.reader);
                let root = Json::new(scanner.skeleton());
                if root.is_object() {
                    self.reader.form().read_body(root);
                }
                self.overflowed |= scanner.overflowed();
                self.garbled = scanner.is_malformed();
                Shape::Json {
                    complete: scanner.is_complete(),
                }
            }
            Form::Read => Shape::Json {
                complete: !self.garbled,
            },
            Form::Elements(elements) => {
                self.garbled = elements.is_malformed();
                if elements.is_between() {
                    return Shape::Events;
                }
                Shape::Json {
                    complete: elements.is_complete(),
                }
            }
            Form::Rows(document) => {
                let (_, scanner) = *document;
                self.reader.form().read_body(Json::new(scanner.skeleton()));
                Shape::Json {
                    complete: scanner.is_complete(),
                }
            }
            Form::Lines(mut lines) => {
                self.broken_off();
                lines.finish(&mut |piece| self.piece(piece));
                Shape::Events
            }
            Form::Events(mut sse) => {
                self.broken_off();
                sse.finish(&mut |piece| self.piece(piece));
                Shape::Events
            }
            Form::Frames(_) => Shape::Events,
        }
    }
}

/// The scanner of what the reader keeps.
fn scanner_for<'a>(scanner: &'a mut Option<Box<Scanner>>, reader: &mut Reader) -> &'a mut Scanner {
    scanner.get_or_insert_with(|| Box::new(Scanner::new(reader.form().keep())))
}

impl Event {
    /// From here on the event is scanned.
    fn outgrow(&mut self, scanner: &mut Scanner) {
        self.is_large = true;
        scanner.reset();
        scanner.feed(&std::mem::take(&mut self.held));
    }
}

fn is_end_mark(data: &[u8]) -> bool {
    data.len() <= END_MARK.len() + 2 && data.trim_ascii() == END_MARK
}
