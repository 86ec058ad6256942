//! Documents inside documents: an object whose field `bytes` holds the real one in base64.

use super::base64::Base64;

/// The field that holds the document.
const FIELD: &[u8] = b"bytes";

/// Takes the inner document out of an object that comes in pieces.
#[derive(Debug, Default)]
pub(crate) struct Wrapped {
    state: State,
    depth: u32,
    /// The last string at the top, so far as it can be the field's name: its start and its length.
    name: [u8; FIELD.len()],
    length: usize,
    base64: Base64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Outside strings.
    #[default]
    Between,
    /// After the field's name and its colon.
    BeforeField,
    Text {
        escaped: bool,
    },
    /// In the field.
    Field,
}

impl Wrapped {
    /// Appends what the next piece holds of the inner document to `plain`.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], plain: &mut Vec<u8>) {
        while let [byte, rest @ ..] = bytes {
            match &mut self.state {
                State::Field => {
                    let end = memchr::memchr(b'"', bytes);
                    self.base64.feed(&bytes[..end.unwrap_or(bytes.len())], plain);
                    let Some(end) = end else { return };
                    self.state = State::Between;
                    bytes = &bytes[end + 1..];
                    continue;
                }
                State::Text { escaped: true } => self.state = State::Text { escaped: false },
                State::Text { escaped } => match byte {
                    b'"' => self.state = State::Between,
                    b'\\' => *escaped = true,
                    _ => {
                        if let Some(slot) = self.name.get_mut(self.length) {
                            *slot = *byte;
                        }
                        self.length = self.length.saturating_add(1);
                    }
                },
                State::Between | State::BeforeField => self.between(*byte),
            }
            bytes = rest;
        }
    }

    /// Gets ready for the next object.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    fn between(&mut self, byte: u8) {
        match byte {
            b'"' if self.state == State::BeforeField => {
                self.base64 = Base64::default();
                self.state = State::Field;
            }
            b'"' => {
                self.length = 0;
                self.state = State::Text { escaped: false };
            }
            b':' if self.depth == 1 && self.length == FIELD.len() && self.name == FIELD => {
                self.state = State::BeforeField;
            }
            b' ' | b'\n' | b'\r' | b'\t' => {}
            _ => {
                self.depth = match byte {
                    b'{' | b'[' => self.depth.saturating_add(1),
                    b'}' | b']' => self.depth.saturating_sub(1),
                    _ => self.depth,
                };
                self.state = State::Between;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inner(text: &str, size: usize) -> String {
        let (mut wrapped, mut plain) = (Wrapped::default(), Vec::new());
        for piece in text.as_bytes().chunks(size.max(1)) {
            wrapped.feed(piece, &mut plain);
        }
        String::from_utf8(plain).unwrap()
    }

    #[test]
    fn the_field_is_found_wherever_it_stands() {
        for text in [
            r#"{"bytes":"aGVsbG8="}"#,
            r#"{"p":"abc","bytes" : "aGVsbG8="}"#,
            r#"{"x":{"bytes":"bm8="},"y":"bytes","z":["bytes"],"q":"\"bytes\":\"bm8=\"","bytes":"aGVsbG8=","p":"bm8="}"#,
        ] {
            for size in 1..=text.len() {
                assert_eq!(inner(text, size), "hello", "{text} in pieces of {size}");
            }
        }
        assert_eq!(inner(r#"{"bytes":"Pz8\/"}"#, 3), "???");
        assert_eq!(inner(r#"{"bytes":null,"message":"aGVsbG8="}"#, 3), "");
    }
}
