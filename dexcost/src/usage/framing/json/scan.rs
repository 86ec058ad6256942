//! The scanner: one pass over a document, keeping what it was told to keep.

use smallvec::SmallVec;

use super::bytes::{is_blank, plain_text, scalar_end, starts_scalar, text_end};
use super::length::Length;
use super::skeleton::{Copying, Skeleton};
use super::skip::{Skip, SkipEnd};
use super::{Keep, LONGEST_TEXT};

/// The longest field name that can be asked for.
const LONGEST_NAME: usize = 48;
/// Containers that are followed field by field nest no deeper in any wire form.
const DEEPEST: usize = 16;

type Fields = &'static [(&'static str, Keep)];

/// Goes through one JSON document in pieces and keeps its skeleton.
#[derive(Debug)]
pub(crate) struct Scanner {
    keep: Fields,
    /// Whether commas are checked everywhere, also in what is skipped.
    strict: bool,
    state: State,
    open: SmallVec<[Open; 6]>,
    skeleton: Skeleton,
    malformed: bool,
}

/// A container that is followed field by field.
#[derive(Debug)]
struct Open {
    is_object: bool,
    fields: Fields,
    /// Whether a comma was the last thing in it.
    after_comma: bool,
}

#[derive(Debug)]
enum State {
    /// Before a value.
    Value(Want),
    /// In an object, before a field name or the end.
    BeforeName,
    /// In a field name.
    Name(Name),
    /// After a field name, before the colon.
    Colon(Want),
    /// After a value.
    After,
    /// In a number, `true`, `false` or `null`.
    Scalar { copy: bool, length: usize },
    /// In a string value; `from` is where its copy starts.
    Text { copy: Option<usize>, escaped: bool },
    /// In a string value whose length is kept.
    Length(Length),
    /// In a container that is skipped.
    Skip(Skip),
    /// In a container that is copied.
    Copy(Copying),
    /// After the document.
    Done,
}

#[derive(Clone, Copy, Debug)]
enum Want {
    Skip,
    All,
    Length,
    Fields(Fields),
}

#[derive(Debug)]
struct Name {
    bytes: [u8; LONGEST_NAME],
    length: usize,
    escaped: bool,
}

impl Scanner {
    /// A scanner that keeps `fields` of the document's root object.
    pub(crate) fn new(fields: Fields) -> Self {
        Self {
            keep: fields,
            strict: false,
            state: State::Value(Want::Fields(fields)),
            open: SmallVec::new(),
            skeleton: Skeleton::new(),
            malformed: false,
        }
    }

    /// A scanner that also notices a comma too many in what it skips, at the price of short jumps.
    pub(crate) fn strict(fields: Fields) -> Self {
        Self {
            strict: true,
            ..Self::new(fields)
        }
    }

    /// Starts over with a new document; memory is reused.
    pub(crate) fn reset(&mut self) {
        self.state = State::Value(Want::Fields(self.keep));
        self.open.clear();
        self.skeleton.clear();
        self.malformed = false;
    }

    /// Takes the next piece of the document.
    pub(crate) fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.malformed {
            let used = self.step(bytes);
            bytes = bytes.get(used..).unwrap_or_default();
        }
    }

    /// Takes the next piece of the document and gives back what follows its end.
    pub(crate) fn feed_up_to_end<'a>(&mut self, mut bytes: &'a [u8]) -> &'a [u8] {
        while !bytes.is_empty() && !self.malformed && !matches!(self.state, State::Done) {
            let used = self.step(bytes);
            bytes = bytes.get(used..).unwrap_or_default();
        }
        bytes
    }

    /// Starts over with a new document of which nothing is kept.
    pub(crate) fn reset_to_skip(&mut self) {
        self.reset();
        self.state = State::Value(Want::Skip);
    }

    /// Whether the document came to its end and nothing in it was amiss.
    pub(crate) fn is_complete(&self) -> bool {
        !self.malformed && matches!(self.state, State::Done)
    }

    /// Whether what came is no JSON.
    pub(crate) fn is_malformed(&self) -> bool {
        self.malformed
    }

    /// Whether more was to be kept than can be.
    pub(crate) fn overflowed(&self) -> bool {
        self.skeleton.overflowed()
    }

    /// What was kept: JSON, cut off where the document was.
    pub(crate) fn skeleton(&self) -> &[u8] {
        self.skeleton.bytes()
    }

    /// Goes on in the present state and says how many bytes that used up.
    fn step(&mut self, bytes: &[u8]) -> usize {
        match &mut self.state {
            State::Skip(skip) => {
                let (used, end) = skip.run(bytes, self.strict);
                match end {
                    SkipEnd::More => {}
                    SkipEnd::Closed => self.value_ended(),
                    SkipEnd::Malformed => self.malformed = true,
                }
                used
            }
            State::Text { .. } => self.text(bytes),
            State::Name(_) => self.name(bytes),
            State::Copy(copying) => {
                let (used, closed) = copying.run(bytes, &mut self.skeleton);
                if closed {
                    self.value_ended();
                }
                used
            }
            State::Scalar { .. } => self.scalar(bytes),
            State::Length(_) => self.length(bytes),
            _ => self.structure(bytes),
        }
    }

    /// One byte between values, or the blanks before it.
    fn structure(&mut self, bytes: &[u8]) -> usize {
        let Some(at) = bytes.iter().position(|b| !is_blank(*b)) else {
            return bytes.len();
        };
        let byte = bytes[at];
        match (&self.state, byte) {
            (State::Value(want), b'{' | b'[') => {
                let want = *want;
                self.container(byte, want);
            }
            (State::Value(Want::Length), b'"') => self.state = State::Length(Length::default()),
            (State::Value(want), b'"') => {
                let copy = !matches!(want, Want::Skip);
                return at + self.begin_text(&bytes[at..], copy);
            }
            (State::Value(_), b']') if self.open.last().is_some_and(|o| !o.is_object && !o.after_comma) => {
                self.close(byte);
            }
            (State::Value(want), byte) if starts_scalar(byte) => {
                let copy = !matches!(want, Want::Skip | Want::Length);
                if matches!(want, Want::Length) {
                    self.skeleton.put(b"null");
                }
                self.state = State::Scalar { copy, length: 0 };
                return at + self.scalar(&bytes[at..]);
            }
            (State::BeforeName, b'"') => return at + self.begin_name(&bytes[at..]),
            (State::BeforeName, b'}') if self.open.last().is_some_and(|o| !o.after_comma) => self.close(byte),
            (State::Colon(want), b':') => self.state = State::Value(*want),
            (State::After, b',') => {
                self.comma();
                // The common case: no blanks before the next name.
                if let (State::BeforeName, Some(b'"')) = (&self.state, bytes.get(at + 1)) {
                    return at + 1 + self.begin_name(&bytes[at + 1..]);
                }
            }
            (State::After, b'}' | b']') => self.close(byte),
            _ => self.malformed = true,
        }
        at + 1
    }

    /// `bytes` start with the quote of a string.
    fn begin_text(&mut self, bytes: &[u8], copy: bool) -> usize {
        if copy {
            self.skeleton.put(b"\"");
        }
        self.state = State::Text {
            copy: copy.then_some(self.skeleton.len()),
            escaped: false,
        };
        1 + self.text(&bytes[1..])
    }

    /// `bytes` start with the quote of a field name.
    fn begin_name(&mut self, bytes: &[u8]) -> usize {
        let inner = &bytes[1..];
        // The common case: the whole name is in sight, and the colon follows it.
        let Some(end) = plain_text(inner, LONGEST_NAME) else {
            self.state = State::Name(Name {
                bytes: [0; LONGEST_NAME],
                length: 0,
                escaped: false,
            });
            return 1;
        };
        let want = self.named(inner.get(..end));
        if inner.get(end + 1) == Some(&b':') {
            self.state = State::Value(want);
            return 1 + end + 2;
        }
        1 + end + 1
    }

    fn container(&mut self, byte: u8, want: Want) {
        let is_object = byte == b'{';
        match want {
            Want::Fields(fields) if self.open.len() < DEEPEST => {
                self.skeleton.put(&[byte]);
                self.open.push(Open {
                    is_object,
                    fields,
                    after_comma: false,
                });
                self.state = if is_object {
                    State::BeforeName
                } else {
                    State::Value(want)
                };
            }
            Want::All => {
                self.skeleton.put(&[byte]);
                self.state = State::Copy(Copying::new());
            }
            Want::Skip | Want::Length | Want::Fields(_) => {
                if !matches!(want, Want::Skip) {
                    self.skeleton.put(b"null");
                }
                self.state = State::Skip(Skip::new(is_object));
            }
        }
    }

    fn comma(&mut self) {
        let Some(open) = self.open.last_mut() else {
            self.malformed = true;
            return;
        };
        open.after_comma = true;
        let (is_object, fields) = (open.is_object, open.fields);
        if is_object {
            self.state = State::BeforeName;
        } else {
            self.skeleton.separate();
            self.state = State::Value(Want::Fields(fields));
        }
    }

    fn close(&mut self, byte: u8) {
        match self.open.pop() {
            Some(open) if open.is_object == (byte == b'}') => {
                self.skeleton.put(&[byte]);
                self.value_ended();
            }
            _ => self.malformed = true,
        }
    }

    fn value_ended(&mut self) {
        match self.open.last_mut() {
            Some(open) => {
                open.after_comma = false;
                self.state = State::After;
            }
            None => self.state = State::Done,
        }
    }

    fn name(&mut self, bytes: &[u8]) -> usize {
        let State::Name(name) = &mut self.state else {
            return 0;
        };
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                b'"' if !name.escaped => {
                    let (bytes, length) = (name.bytes, name.length);
                    self.named(bytes.get(..length));
                    return at + 1;
                }
                b'\\' => name.escaped = !name.escaped,
                _ => name.escaped = false,
            }
            if let Some(slot) = name.bytes.get_mut(name.length) {
                *slot = *byte;
            }
            name.length = name.length.saturating_add(1);
        }
        bytes.len()
    }

    /// A field name came to its end; `None` where it is longer than any that is asked for.
    fn named(&mut self, name: Option<&[u8]>) -> Want {
        let fields = self.open.last().map_or(self.keep, |open| open.fields);
        let kept = name.and_then(|name| Keep::field(fields, name));
        let want = match kept {
            None => Want::Skip,
            Some(Keep::All) => Want::All,
            Some(Keep::Length) => Want::Length,
            Some(Keep::Fields(fields)) => Want::Fields(fields),
        };
        if !matches!(want, Want::Skip) {
            self.skeleton.separate();
            self.skeleton.put(b"\"");
            self.skeleton.put(name.unwrap_or_default());
            self.skeleton.put(b"\":");
        }
        self.state = State::Colon(want);
        want
    }

    fn length(&mut self, bytes: &[u8]) -> usize {
        let State::Length(length) = &mut self.state else {
            return 0;
        };
        let Some(used) = length.feed(bytes) else {
            return bytes.len();
        };
        let characters = length.characters().to_string();
        self.skeleton.put(characters.as_bytes());
        self.value_ended();
        used
    }

    fn text(&mut self, bytes: &[u8]) -> usize {
        let State::Text { copy, escaped } = &mut self.state else {
            return 0;
        };
        let copy = *copy;
        let end = text_end(bytes, escaped);
        let piece = &bytes[..end.unwrap_or(bytes.len())];
        if let Some(from) = copy {
            self.skeleton.put_text(from, piece);
        }
        match end {
            Some(at) => {
                if copy.is_some() {
                    self.skeleton.put(b"\"");
                }
                self.value_ended();
                at + 1
            }
            None => bytes.len(),
        }
    }

    fn scalar(&mut self, bytes: &[u8]) -> usize {
        let State::Scalar { copy, length } = &mut self.state else {
            return 0;
        };
        let end = scalar_end(bytes);
        let piece = &bytes[..end.unwrap_or(bytes.len())];
        let (copy, fits) = (*copy, LONGEST_TEXT.saturating_sub(*length));
        *length = length.saturating_add(piece.len());
        if copy {
            self.skeleton.put(&piece[..piece.len().min(fits)]);
        }
        if end.is_some() {
            self.value_ended();
        }
        piece.len()
    }
}
