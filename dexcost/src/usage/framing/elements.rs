//! A JSON array, element by element: a stream to those who close the bracket at its end.
//!
//! Each element goes through the scanner on its own, so an array of any length takes the memory of
//! one element. Of elements that are no objects nothing is kept.

use super::Scanner;

/// Splits an array into its elements.
#[derive(Debug, Default)]
pub(crate) struct Elements {
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Before the opening bracket.
    #[default]
    Start,
    /// Before an element; the array may end instead.
    First,
    /// After a comma.
    Next,
    Inside,
    /// After an element.
    After,
    Closed,
    Malformed,
}

impl Elements {
    /// Takes the next chunk; `sink` is shown the scanner at the end of each element.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], scanner: &mut Scanner, sink: &mut dyn FnMut(&Scanner)) {
        while self.state != State::Malformed {
            if self.state == State::Inside {
                bytes = scanner.feed_up_to_end(bytes);
                if scanner.is_complete() {
                    sink(scanner);
                    self.state = State::After;
                } else if scanner.is_malformed() {
                    self.state = State::Malformed;
                } else {
                    return;
                }
            }
            bytes = bytes.trim_ascii_start();
            let [byte, rest @ ..] = bytes else { return };
            self.state = match (self.state, byte) {
                (State::Start, b'[') => State::First,
                (State::First | State::After, b']') => State::Closed,
                (State::After, b',') => State::Next,
                (State::First | State::Next, b'{') => {
                    scanner.reset();
                    State::Inside
                }
                (State::First | State::Next, _) => {
                    scanner.reset_to_skip();
                    State::Inside
                }
                _ => State::Malformed,
            };
            if self.state != State::Inside {
                bytes = rest;
            }
        }
    }

    /// Whether the array came to its end.
    pub(crate) fn is_complete(&self) -> bool {
        self.state == State::Closed
    }

    /// Whether the array broke off between two elements.
    pub(crate) fn is_between(&self) -> bool {
        matches!(self.state, State::After | State::Next)
    }

    /// Whether what came is no JSON.
    pub(crate) fn is_malformed(&self) -> bool {
        self.state == State::Malformed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::framing::Keep;
    use proptest::prelude::*;

    fn elements(text: &[u8], chunk: usize) -> (Vec<String>, Elements) {
        let (mut elements, mut scanner) = (Elements::default(), Scanner::new(&[("u", Keep::All)]));
        let mut all = Vec::new();
        for piece in text.chunks(chunk.max(1)) {
            elements.feed(piece, &mut scanner, &mut |scanner| {
                all.push(String::from_utf8_lossy(scanner.skeleton()).into_owned());
            });
        }
        (all, elements)
    }

    #[test]
    fn elements_are_handed_on_as_they_close() {
        let text = br#" [{"u":1,"x":[1,2]} ,
            {"u":{"a":"]"}}, [1, [2]], 17, "text, \" ]", null, {"y":0}] "#;
        for chunk in 1..=text.len() {
            let (all, elements) = elements(text, chunk);
            assert_eq!(
                all,
                [r#"{"u":1}"#, r#"{"u":{"a":"]"}}"#, "", "", "", "", "{}"],
                "chunks of {chunk}"
            );
            assert!(elements.is_complete());
        }
    }

    #[test]
    fn what_is_no_array_is_malformed_and_a_cut_is_known() {
        for text in ["[{}}", "[{} {}]", "[,]", "[{},]", "[{}]]", "x"] {
            assert!(elements(text.as_bytes(), 1).1.is_malformed(), "{text}");
        }
        assert!(elements(b"[{},", 9).1.is_between());
        assert!(!elements(b"[{},{", 9).1.is_between());
        assert!(elements(b"[]", 9).1.is_complete());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_chunking_gives_the_same_elements(text in r#"\[((\{"u":1\}|\{"u|\}|1|true|"a\\"|\[|\]|,| )*)"#, chunk in 1usize..6) {
            let ((a, x), (b, y)) = (elements(text.as_bytes(), chunk), elements(text.as_bytes(), usize::MAX));
            prop_assert_eq!((a, x.state), (b, y.state));
        }
    }
}
