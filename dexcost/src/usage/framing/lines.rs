//! JSON lines: one document a line (<https://jsonlines.org>, `application/x-ndjson`).
//!
//! Empty lines are passed over, and so is the carriage return of a line that ends in two bytes:
//! it is a blank of JSON. The last line counts without its line feed.

use memchr::memchr;

use super::Piece;

/// Splits a stream into its lines, without copying any.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// Whether the present line has come in part.
    is_open: bool,
}

impl Lines {
    /// Takes the next chunk and hands on the pieces of lines in it.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], sink: &mut dyn FnMut(Piece<'_>)) {
        while !bytes.is_empty() {
            let Some(end) = memchr(b'\n', bytes) else {
                self.part(bytes, sink);
                return;
            };
            let line = &bytes[..end];
            bytes = &bytes[end + 1..];
            if self.is_open {
                self.part(line, sink);
                self.finish(sink);
            } else if !line.trim_ascii().is_empty() {
                sink(Piece::Whole(line));
            }
        }
    }

    /// Ends the stream: a line that is still open counts.
    pub(crate) fn finish(&mut self, sink: &mut dyn FnMut(Piece<'_>)) {
        if std::mem::take(&mut self.is_open) {
            sink(Piece::End);
        }
    }

    fn part(&mut self, part: &[u8], sink: &mut dyn FnMut(Piece<'_>)) {
        let part = if self.is_open {
            part
        } else {
            part.trim_ascii_start()
        };
        if !part.is_empty() {
            self.is_open = true;
            sink(Piece::Part(part));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(stream: &[u8], chunk: usize) -> Vec<String> {
        let (mut lines, mut all, mut open) = (Lines::default(), Vec::new(), Vec::new());
        let mut take = |piece: Piece<'_>| match piece {
            Piece::Whole(line) => all.push(String::from_utf8_lossy(line).trim().to_owned()),
            Piece::Part(part) => open.extend_from_slice(part),
            Piece::End => {
                let line = std::mem::take(&mut open);
                all.push(String::from_utf8_lossy(&line).trim().to_owned());
            }
        };
        for piece in stream.chunks(chunk.max(1)) {
            lines.feed(piece, &mut take);
        }
        lines.finish(&mut take);
        all
    }

    #[test]
    fn lines_are_handed_on_whatever_ends_them() {
        let text = "{\"a\":1}\r\n\r\n\n  {\"b\":2}\n{}";
        for chunk in 1..=text.len() {
            assert_eq!(lines(text.as_bytes(), chunk), ["{\"a\":1}", "{\"b\":2}", "{}"]);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_chunking_gives_the_same_lines(stream in "(\\{\\}|a|\n|\r| )*", chunk in 1usize..6) {
            prop_assert_eq!(lines(stream.as_bytes(), chunk), lines(stream.as_bytes(), usize::MAX));
        }
    }
}
