//! `multipart/form-data` (RFC 7578), read for its small fields: files pass by unseen.
//!
//! The delimiter is taken from the first line, which the standard makes it, and not from the header,
//! which need not be at hand.

use memchr::memmem::Finder;
use smallvec::SmallVec;

use crate::text::Text;

/// Longer values are no names and no numbers.
const LONGEST_VALUE: usize = 512;
/// The longest line of a part's head that is looked at, and the longest delimiter by far.
const LONGEST_LINE: usize = 512;

/// Goes through a form in pieces and keeps the fields that it was told to keep.
#[derive(Debug)]
pub(crate) struct Multipart {
    names: &'static [&'static str],
    state: State,
    /// The line being read, or what may be the start of a delimiter.
    held: SmallVec<[u8; 128]>,
    delimiter: Finder<'static>,
    fields: SmallVec<[(&'static str, Text); 4]>,
}

#[derive(Debug)]
enum State {
    /// In the first line.
    First,
    /// In the head of a part: the field that it is, and whether it is a file.
    Head {
        field: Option<&'static str>,
        is_file: bool,
    },
    /// In the value of a field that is kept.
    Value(&'static str),
    /// In anything else.
    Skip,
    /// After a delimiter, up to the end of its line.
    Delimited,
    /// After the form, or in what is none.
    Over,
}

impl Multipart {
    /// A form of which the fields of these names are kept.
    pub(crate) fn new(names: &'static [&'static str]) -> Self {
        Self {
            names,
            state: State::First,
            held: SmallVec::new(),
            delimiter: Finder::new(b"").into_owned(),
            fields: SmallVec::new(),
        }
    }

    /// The fields that came, in their order.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'static str, &Text)> {
        self.fields.iter().map(|(name, value)| (*name, value))
    }

    /// Takes the next piece of the form.
    pub(crate) fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !matches!(self.state, State::Over) {
            let used = match self.state {
                State::Value(_) | State::Skip => self.content(bytes),
                _ => self.line(bytes),
            };
            bytes = bytes.get(used..).unwrap_or_default();
        }
    }

    /// A line, or as much of it as has come.
    fn line(&mut self, bytes: &[u8]) -> usize {
        let end = memchr::memchr(b'\n', bytes);
        let piece = &bytes[..end.map_or(bytes.len(), |at| at + 1)];
        let fits = LONGEST_LINE.saturating_sub(self.held.len()).min(piece.len());
        self.held.extend_from_slice(&piece[..fits]);
        if end.is_some() {
            let line = std::mem::take(&mut self.held);
            self.whole_line(&line);
        } else if matches!(self.state, State::First) && self.held.len() >= LONGEST_LINE {
            self.state = State::Over;
        }
        piece.len()
    }

    fn whole_line(&mut self, line: &[u8]) {
        let text = line.trim_ascii_end();
        match &mut self.state {
            State::First if text.starts_with(b"--") && text.len() > 2 && line.ends_with(b"\n") => {
                let mut delimiter = if line.ends_with(b"\r\n") {
                    b"\r\n".to_vec()
                } else {
                    b"\n".to_vec()
                };
                delimiter.extend_from_slice(text);
                self.delimiter = Finder::new(&delimiter).into_owned();
                self.state = HEAD;
            }
            State::Delimited if !text.starts_with(b"--") => self.state = HEAD,
            State::Head { field, is_file } if text.is_empty() => {
                self.state = match field {
                    Some(name) if !*is_file => State::Value(name),
                    _ => State::Skip,
                };
                // A value may be empty: the delimiter's line end is then the head's.
                let line_end = if line.ends_with(b"\r\n") {
                    &b"\r\n"[..]
                } else {
                    b"\n"
                };
                self.held.extend_from_slice(line_end);
            }
            State::Head { field, is_file } => {
                if let Some(rest) = disposition(text) {
                    *field = self.names.iter().copied().find(|name| says(rest, "name", name));
                    *is_file = memchr::memmem::find(rest, b"filename").is_some();
                }
            }
            _ => self.state = State::Over,
        }
    }

    /// The content of a part up to its delimiter. What may be the start of one is held, and of a field
    /// that is kept all of it, as long as it fits.
    fn content(&mut self, bytes: &[u8]) -> usize {
        let needle = self.delimiter.needle().len();
        if let Some(used) = self.seam(bytes, needle) {
            return used;
        }
        if let Some(at) = self.delimiter.find(bytes) {
            self.state = State::Delimited;
            return at + needle;
        }
        let tail = bytes.len().saturating_sub(needle - 1);
        self.held.extend_from_slice(&bytes[tail..]);
        bytes.len()
    }

    /// Joins the piece to what is held. `None` once nothing needs to be held: a delimiter then lies in
    /// the piece alone.
    fn seam(&mut self, bytes: &[u8], needle: usize) -> Option<usize> {
        let before = self.held.len();
        if before == 0 {
            return None;
        }
        let kept = matches!(self.state, State::Value(_));
        let room = if kept {
            (LONGEST_VALUE + needle).saturating_sub(before)
        } else {
            needle - 1
        };
        let taken = room.min(bytes.len());
        self.held.extend_from_slice(&bytes[..taken]);
        if let Some(at) = self.delimiter.find(&self.held) {
            self.part_ended(at);
            return Some((at + needle).saturating_sub(before));
        }
        if kept && taken < room {
            return Some(taken);
        }
        // Too long for what is kept, if it was.
        self.state = State::Skip;
        if !kept && taken < bytes.len() {
            self.held.clear();
            return None;
        }
        let tail = self.held.len().saturating_sub(needle - 1);
        self.held.drain(..tail);
        Some(taken)
    }

    /// A part whose content ends at `end` of what is held.
    fn part_ended(&mut self, end: usize) {
        if let State::Value(name) = self.state {
            // Without the line end that the head lent.
            let value = self.held.get(..end).unwrap_or_default();
            let value = value.strip_prefix(b"\r").unwrap_or(value);
            let value = value.strip_prefix(b"\n").unwrap_or(value);
            if let Ok(text) = std::str::from_utf8(value)
                && !text.is_empty()
                && text.len() <= LONGEST_VALUE
                && self.fields.iter().all(|(known, _)| *known != name)
            {
                self.fields.push((name, Text::from(text)));
            }
        }
        self.held.clear();
        self.state = State::Delimited;
    }
}

const HEAD: State = State::Head {
    field: None,
    is_file: false,
};

/// The parameters of a `Content-Disposition` field.
fn disposition(line: &[u8]) -> Option<&[u8]> {
    const NAME: &[u8] = b"content-disposition:";
    let (name, rest) = line.split_at_checked(NAME.len())?;
    name.eq_ignore_ascii_case(NAME).then_some(rest)
}

/// Whether the parameters say `parameter="value"`, with or without quotes.
fn says(parameters: &[u8], parameter: &str, value: &str) -> bool {
    parameters.split(|b| *b == b';').any(|pair| {
        let Some(at) = memchr::memchr(b'=', pair) else {
            return false;
        };
        let (name, said) = (pair[..at].trim_ascii(), pair[at + 1..].trim_ascii());
        let said = said
            .strip_prefix(b"\"")
            .and_then(|said| said.strip_suffix(b"\""))
            .unwrap_or(said);
        name.eq_ignore_ascii_case(parameter.as_bytes()) && said == value.as_bytes()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NAMES: &[&str] = &["model", "n", "size"];

    fn read(form: &[u8], chunk: usize) -> Vec<(String, String)> {
        let mut multipart = Multipart::new(NAMES);
        for piece in form.chunks(chunk.max(1)) {
            multipart.feed(piece);
            assert!(multipart.held.len() <= LONGEST_VALUE + 2 * LONGEST_LINE);
        }
        multipart
            .fields()
            .map(|(name, value)| (name.to_owned(), value.as_str().to_owned()))
            .collect()
    }

    fn form(end: &str) -> Vec<u8> {
        let mut form = Vec::new();
        let file = [
            0xff, 0xfe, b'\r', b'\n', b'-', b'-', b'B', b'O', 0, b'\n', b'\r', b'\n', b'-',
        ];
        let parts: [(&str, &[u8]); 6] = [
            ("form-data; name=\"file\"; filename=\"model\"", &file),
            ("form-data; name=\"model\"", b"whisper-x"),
            ("form-data; name=\"prompt\"", b"name=\"n\"\r\n--BOUND"),
            ("form-data; name=n", b"2"),
            ("form-data; name=\"size\"", b""),
            ("form-data; name=\"model\"", b"another"),
        ];
        for (disposition, content) in parts {
            form.extend_from_slice(
                format!("--BOUNDARY{end}Content-Disposition: {disposition}{end}").as_bytes(),
            );
            form.extend_from_slice(format!("Content-Type: text/plain{end}{end}").as_bytes());
            form.extend_from_slice(content);
            form.extend_from_slice(end.as_bytes());
        }
        form.extend_from_slice(format!("--BOUNDARY--{end}").as_bytes());
        form
    }

    #[test]
    fn fields_are_found_between_files_in_any_chunks() {
        for end in ["\r\n", "\n"] {
            let form = form(end);
            for chunk in 1..=form.len() {
                assert_eq!(
                    read(&form, chunk),
                    [
                        ("model".to_owned(), "whisper-x".to_owned()),
                        ("n".to_owned(), "2".to_owned())
                    ],
                    "{end:?} in chunks of {chunk}"
                );
            }
        }
    }

    #[test]
    fn a_value_that_is_no_name_is_not_kept_and_hides_nothing() {
        let long = "x".repeat(5000);
        let form = format!(
            "--B\r\nContent-Disposition: form-data; name=\"size\"\r\n\r\n{long}\r\n--B\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n--B--"
        );
        for chunk in [1, 7, 600, 10_000] {
            assert_eq!(
                read(form.as_bytes(), chunk),
                [("model".to_owned(), "m".to_owned())]
            );
        }
    }

    #[test]
    fn what_is_no_form_says_nothing() {
        for text in ["-", "--", "--\n", "-- x", "{\"model\":\"m\"}\n", "\n\n\n", ""] {
            assert!(read(text.as_bytes(), 2).is_empty(), "{text:?}");
        }
        assert!(read(&vec![b'-'; 100_000], 4096).is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_chunking_gives_the_same_fields(
            text in "--B\r\n(Content-Disposition: form-data; name=n\r\n|\r\n|--B|x|\n|\r|-){0,12}",
            chunk in 1usize..9,
        ) {
            prop_assert_eq!(read(text.as_bytes(), chunk), read(text.as_bytes(), usize::MAX));
        }
    }
}
