//! The elements of an array that lies inside a document, without holding either.
//!
//! A download of results may be one document of hundreds of megabytes: an array somewhere in it, and little
//! around it. The objects of the first array under one of the wanted names that has any are handed on one
//! by one, as pieces. What is no JSON ends the search, and nothing is found in it any more.

use super::Piece;

/// Longer names are none that is looked for.
const LONGEST_NAME: usize = 32;

/// Splits such a document into the elements of its array.
#[derive(Debug)]
pub(crate) struct Rows {
    names: &'static [&'static str],
    /// The field at the top of the document that is passed over.
    ignored: &'static str,
    /// Containers that are open around what is looked at.
    depth: u32,
    /// So deep lies what is in the ignored field; 0 outside it.
    ignored_from: u32,
    name: Name,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Between the tokens of the document.
    Around,
    /// In a string of the document.
    Text { escaped: bool },
    /// In the array, between elements.
    Between { is_empty: bool },
    /// In an element.
    Row {
        depth: u32,
        text: Text,
        is_object: bool,
        is_open: bool,
    },
    /// The array is over.
    Done,
}

/// Where in a string one stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Text {
    Outside,
    Inside,
    Escaped,
}

/// The last string of the document, as far as it can be a name that is looked for.
#[derive(Debug, Default)]
struct Name {
    bytes: [u8; LONGEST_NAME],
    length: usize,
    /// Whether a colon followed it.
    is_field: bool,
}

impl Rows {
    /// The elements of an array under one of these names, anywhere but in the field `ignored` of the document.
    pub(crate) const fn of(names: &'static [&'static str], ignored: &'static str) -> Self {
        Self {
            names,
            ignored,
            depth: 0,
            ignored_from: 0,
            name: Name {
                bytes: [0; LONGEST_NAME],
                length: 0,
                is_field: false,
            },
            state: State::Around,
        }
    }

    /// Takes the next chunk and hands on the pieces of elements in it.
    pub(crate) fn feed(&mut self, bytes: &[u8], sink: &mut dyn FnMut(Piece<'_>)) {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            at += match self.state {
                State::Around => self.around(rest),
                State::Text { escaped } => self.text(rest, escaped),
                State::Between { is_empty } => self.between(rest, is_empty),
                State::Row { .. } => self.row(rest, sink),
                State::Done => return,
            };
        }
    }

    /// Goes to the next token of the document, and says how many bytes that used up.
    fn around(&mut self, bytes: &[u8]) -> usize {
        let Some(at) = bytes
            .iter()
            .position(|byte| matches!(byte, b'"' | b':' | b'{' | b'[' | b'}' | b']' | b','))
        else {
            return bytes.len();
        };
        match bytes[at] {
            b'"' => {
                self.name = Name::default();
                self.state = State::Text { escaped: false };
            }
            b':' => {
                self.name.is_field = true;
                if self.depth == 1 && self.ignored_from == 0 && self.name.is(self.ignored) {
                    self.ignored_from = self.depth + 1;
                }
            }
            b'[' if self.is_wanted() => self.state = State::Between { is_empty: true },
            b'{' | b'[' => {
                self.depth = self.depth.saturating_add(1);
                self.name = Name::default();
            }
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                self.name = Name::default();
                self.leave_ignored();
            }
            _ => {
                self.name = Name::default();
                self.leave_ignored();
            }
        }
        at + 1
    }

    fn leave_ignored(&mut self) {
        if self.depth < self.ignored_from {
            self.ignored_from = 0;
        }
    }

    fn is_wanted(&self) -> bool {
        self.ignored_from == 0 && self.name.is_field && self.names.iter().any(|name| self.name.is(name))
    }

    fn text(&mut self, bytes: &[u8], escaped: bool) -> usize {
        if escaped {
            self.name.put(&bytes[..1]);
            self.state = State::Text { escaped: false };
            return 1;
        }
        let end = memchr::memchr2(b'"', b'\\', bytes);
        self.name.put(&bytes[..end.unwrap_or(bytes.len())]);
        let Some(end) = end else { return bytes.len() };
        self.state = if bytes[end] == b'"' {
            State::Around
        } else {
            // An escape is in none of the names.
            self.name.put(&[b'\\'; LONGEST_NAME]);
            State::Text { escaped: true }
        };
        end + 1
    }

    fn between(&mut self, bytes: &[u8], is_empty: bool) -> usize {
        match bytes[0] {
            b']' => {
                self.name = Name::default();
                self.state = if is_empty { State::Around } else { State::Done };
            }
            b'{' | b'[' => {
                self.state = State::Row {
                    depth: 0,
                    text: Text::Outside,
                    is_object: bytes[0] == b'{',
                    is_open: false,
                };
                return 0;
            }
            b'"' => {
                self.state = State::Row {
                    depth: 0,
                    text: Text::Outside,
                    is_object: false,
                    is_open: false,
                };
                return 0;
            }
            _ => {}
        }
        1
    }

    /// Goes on in an element, up to its end where that is in sight.
    fn row(&mut self, bytes: &[u8], sink: &mut dyn FnMut(Piece<'_>)) -> usize {
        let State::Row {
            mut depth,
            mut text,
            is_object,
            is_open,
        } = self.state
        else {
            return bytes.len();
        };
        let mut at = 0;
        let mut is_over = false;
        while at < bytes.len() && !is_over {
            if text == Text::Escaped {
                text = Text::Inside;
                at += 1;
                continue;
            }
            if text == Text::Inside {
                let Some(end) = memchr::memchr2(b'"', b'\\', &bytes[at..]) else {
                    at = bytes.len();
                    break;
                };
                text = if bytes[at + end] == b'"' {
                    Text::Outside
                } else {
                    Text::Escaped
                };
                at += end + 1;
                is_over = depth == 0 && text == Text::Outside;
                continue;
            }
            match bytes[at] {
                b'"' => text = Text::Inside,
                b'{' | b'[' => depth = depth.saturating_add(1),
                b'}' | b']' => {
                    depth = depth.saturating_sub(1);
                    is_over = depth == 0;
                }
                _ => {}
            }
            at += 1;
        }
        let piece = &bytes[..at];
        match (is_object, is_open, is_over) {
            (false, ..) => {}
            (true, false, true) => sink(Piece::Whole(piece)),
            (true, _, false) => sink(Piece::Part(piece)),
            (true, true, true) => {
                sink(Piece::Part(piece));
                sink(Piece::End);
            }
        }
        self.state = if is_over {
            State::Between { is_empty: false }
        } else {
            State::Row {
                depth,
                text,
                is_object,
                is_open: true,
            }
        };
        at
    }
}

impl Name {
    fn put(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if let Some(place) = self.bytes.get_mut(self.length) {
                *place = *byte;
            }
            self.length = self.length.saturating_add(1);
            if self.length > LONGEST_NAME {
                return;
            }
        }
    }

    fn is(&self, name: &str) -> bool {
        self.bytes.get(..self.length) == Some(name.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows(document: &[u8], chunk: usize) -> Vec<String> {
        let mut rows = Rows::of(&["results", "rows"], "metadata");
        let (mut all, mut open) = (Vec::new(), Vec::new());
        for piece in document.chunks(chunk.max(1)) {
            rows.feed(piece, &mut |piece| match piece {
                Piece::Whole(row) => all.push(String::from_utf8_lossy(row).into_owned()),
                Piece::Part(part) => open.extend_from_slice(part),
                Piece::End => {
                    let row = std::mem::take(&mut open);
                    all.push(String::from_utf8_lossy(&row).into_owned());
                }
            });
        }
        all
    }

    #[test]
    fn the_objects_of_the_array_are_handed_on_in_any_chunks() {
        let document = br#" {"name":"results","metadata":{"rows":[{"no":0}]},"n":[1,"rows"],"results":[],
            "a":{"rows":{"rows" : [{"a":"}]\""} , 7,"x]",[1,{}], {"b":[{}]}]}},"results":[{"no":1}]}"#;
        for chunk in 1..=document.len() {
            assert_eq!(
                rows(document, chunk),
                [r#"{"a":"}]\""}"#, r#"{"b":[{}]}"#],
                "chunks of {chunk}"
            );
        }
    }

    #[test]
    fn an_element_that_breaks_off_is_never_ended() {
        assert!(rows(br#"{"results":[{"a":1"#, 3).is_empty());
        assert_eq!(rows(br#"{"results":[{"a":1},{"b""#, 100), [r#"{"a":1}"#]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_chunking_of_anything_gives_the_same_elements(
            document in "(\\{|\\}|\\[|\\]|\"results\"|\"metadata\"|:|,|\"|\\\\|1| )*",
            chunk in 1usize..9,
        ) {
            prop_assert_eq!(rows(document.as_bytes(), chunk), rows(document.as_bytes(), usize::MAX));
        }
    }
}
