//! Server-sent events, after the grammar of the WHATWG HTML standard, section 9.2.6
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).
//!
//! Two liberties: an event at the end of the stream counts without its blank line, because some
//! servers leave it out; and a field called `error` is read like `data`, because some servers send
//! their errors that way.

use memchr::memchr2;

use super::Piece;

/// Splits a stream into the data of its events, without copying any.
#[derive(Debug, Default)]
pub(crate) struct Sse {
    line: Line,
    /// Whether a line feed is to be ignored, because it follows a carriage return.
    after_return: bool,
    /// Whether the present event has data.
    has_data: bool,
}

#[derive(Debug)]
enum Line {
    /// In the field name: so many bytes, and the first of them.
    Name { bytes: [u8; 5], length: usize },
    /// After the colon of a data field; a blank there does not count.
    Blank,
    /// In the value of a data field.
    Data,
    /// In a comment or another field.
    Ignored,
}

impl Default for Line {
    fn default() -> Self {
        Self::Name {
            bytes: [0; 5],
            length: 0,
        }
    }
}

impl Line {
    const START: Self = Self::Name {
        bytes: [0; 5],
        length: 0,
    };
}

impl Sse {
    /// Takes the next chunk and hands on the pieces of data in it.
    pub(crate) fn feed(&mut self, bytes: &[u8], sink: &mut dyn FnMut(Piece<'_>)) {
        let mut at = 0;
        if self.after_return && !bytes.is_empty() {
            self.after_return = false;
            at = usize::from(bytes[0] == b'\n');
        }
        while at < bytes.len() {
            let rest = &bytes[at..];
            if let Some((data, used)) = self.whole_event(rest) {
                sink(Piece::Whole(data));
                at += used;
                continue;
            }
            at += match &mut self.line {
                Line::Name { .. } => self.name(rest, sink),
                Line::Blank => {
                    self.line = Line::Data;
                    usize::from(rest[0] == b' ')
                }
                Line::Data | Line::Ignored => self.value(rest, sink),
            };
        }
    }

    /// Ends the stream: an event that is still open counts.
    pub(crate) fn finish(&mut self, sink: &mut dyn FnMut(Piece<'_>)) {
        if self.has_data {
            self.has_data = false;
            sink(Piece::End);
        }
        self.line = Line::START;
    }

    /// The common case: one data line and a blank line, all in sight.
    fn whole_event<'a>(&mut self, rest: &'a [u8]) -> Option<(&'a [u8], usize)> {
        if self.has_data || !matches!(self.line, Line::Name { length: 0, .. }) {
            return None;
        }
        let value = rest.strip_prefix(b"data:")?;
        let value = value.strip_prefix(b" ").unwrap_or(value);
        let end = memchr2(b'\n', b'\r', value)?;
        let first = line_end(&value[end..])?;
        let second = line_end(&value[end + first..])?;
        Some((&value[..end], rest.len() - value.len() + end + first + second))
    }

    fn name(&mut self, rest: &[u8], sink: &mut dyn FnMut(Piece<'_>)) -> usize {
        let Line::Name { bytes, length } = &mut self.line else {
            return 0;
        };
        for (at, byte) in rest.iter().enumerate() {
            let is_data = matches!(
                (*length, &bytes[..]),
                (4, [b'd', b'a', b't', b'a', _]) | (5, b"error")
            );
            match byte {
                b':' => {
                    if is_data {
                        self.begin_line(sink);
                    }
                    self.line = if is_data { Line::Blank } else { Line::Ignored };
                    return at + 1;
                }
                b'\n' | b'\r' => {
                    let is_blank = *length == 0;
                    self.line = Line::START;
                    if is_blank && self.has_data {
                        self.has_data = false;
                        sink(Piece::End);
                    } else if is_data {
                        self.begin_line(sink);
                    }
                    return at + self.end_of_line(&rest[at..]);
                }
                _ => {
                    if let Some(slot) = bytes.get_mut(*length) {
                        *slot = *byte;
                    }
                    *length = length.saturating_add(1);
                }
            }
        }
        rest.len()
    }

    /// A data line begins: lines of one event are joined by line feeds.
    fn begin_line(&mut self, sink: &mut dyn FnMut(Piece<'_>)) {
        sink(Piece::Part(if self.has_data { b"\n" } else { b"" }));
        self.has_data = true;
    }

    fn value(&mut self, rest: &[u8], sink: &mut dyn FnMut(Piece<'_>)) -> usize {
        let end = memchr2(b'\n', b'\r', rest);
        let value = &rest[..end.unwrap_or(rest.len())];
        if matches!(self.line, Line::Data) && !value.is_empty() {
            sink(Piece::Part(value));
        }
        match end {
            Some(at) => {
                self.line = Line::START;
                at + self.end_of_line(&rest[at..])
            }
            None => rest.len(),
        }
    }

    /// The length of the line end that `rest` starts with, remembering one that is cut in two.
    fn end_of_line(&mut self, rest: &[u8]) -> usize {
        match rest {
            [b'\r'] => {
                self.after_return = true;
                1
            }
            [b'\r', b'\n', ..] => 2,
            _ => 1,
        }
    }
}

/// The length of a line end, where it is one and its whole length is in sight.
fn line_end(rest: &[u8]) -> Option<usize> {
    match rest {
        [b'\n', ..] => Some(1),
        [b'\r', b'\n', ..] => Some(2),
        [b'\r', _, ..] => Some(1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn events(stream: &[u8], chunk: usize) -> Vec<String> {
        let (mut sse, mut events, mut open) = (Sse::default(), Vec::new(), Vec::new());
        let mut take = |piece: Piece<'_>| match piece {
            Piece::Whole(data) => events.push(String::from_utf8_lossy(data).into_owned()),
            Piece::Part(data) => open.extend_from_slice(data),
            Piece::End => events.push(String::from_utf8_lossy(&std::mem::take(&mut open)).into_owned()),
        };
        for piece in stream.chunks(chunk.max(1)) {
            sse.feed(piece, &mut take);
        }
        sse.finish(&mut take);
        events
    }

    #[test]
    fn the_grammar_is_followed_whatever_ends_a_line() {
        let text = ": hello\n\nevent: x\ndata: one\nid: 7\n\ndata:two\ndata:  three\n\ndata\n\nretry: 1\n\ndata:\n\ndatax: no\n\n";
        for end in ["\n", "\r\n", "\r"] {
            let stream = text.replace('\n', end);
            for chunk in 1..=stream.len() {
                assert_eq!(
                    events(stream.as_bytes(), chunk),
                    ["one", "two\n three", "", ""],
                    "{end:?} in chunks of {chunk}"
                );
            }
        }
    }

    #[test]
    fn an_event_without_its_blank_line_counts() {
        assert_eq!(events(b"data: a\n\ndata: b", 3), ["a", "b"]);
        assert_eq!(events(b"data: a\n\ndata: b\n", 99), ["a", "b"]);
    }

    #[test]
    fn an_error_field_is_data() {
        assert_eq!(events(b"error: {}\n\n", 99), ["{}"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_chunking_gives_the_same_events(stream in "(data|da|:|error| |x|\n|\r|\\{)*", chunk in 1usize..6) {
            prop_assert_eq!(events(stream.as_bytes(), chunk), events(stream.as_bytes(), usize::MAX));
        }
    }
}
