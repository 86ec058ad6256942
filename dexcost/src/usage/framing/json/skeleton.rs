//! What was kept of a document.

use super::LONGEST_TEXT;
use super::bytes::text_end;

/// The most that is kept of one document.
const LARGEST: usize = 64 * 1024;
/// What most skeletons fit.
const FIRST: usize = 512;
/// One byte more than fits marks a string that was given up.
const GIVEN_UP: &[u8] = &[b' '; LONGEST_TEXT + 1];

/// A small JSON document, copied together as the large one passes.
#[derive(Debug)]
pub(super) struct Skeleton {
    bytes: Vec<u8>,
    overflowed: bool,
}

impl Skeleton {
    pub(super) fn new() -> Self {
        Self {
            bytes: Vec::with_capacity(FIRST),
            overflowed: false,
        }
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.overflowed = false;
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether more was to be kept than can be.
    pub(super) fn overflowed(&self) -> bool {
        self.overflowed
    }

    /// Puts a comma where a value precedes.
    pub(super) fn separate(&mut self) {
        if !matches!(self.bytes.last(), None | Some(b'{' | b'[' | b',')) {
            self.put(b",");
        }
    }

    pub(super) fn put(&mut self, bytes: &[u8]) {
        if self.bytes.len() + bytes.len() <= LARGEST && !self.overflowed {
            self.bytes.extend_from_slice(bytes);
        } else {
            self.overflowed = true;
        }
    }

    /// Copies a piece of a string whose copy starts at `from`, unless it has become too long.
    pub(super) fn put_text(&mut self, from: usize, piece: &[u8]) {
        let length = self.bytes.len().saturating_sub(from);
        if length + piece.len() <= LONGEST_TEXT {
            self.put(piece);
        } else if length <= LONGEST_TEXT {
            self.put(GIVEN_UP.get(length..).unwrap_or_default());
        }
    }
}

/// In a container that is copied as it is, but for long strings.
#[derive(Debug)]
pub(super) struct Copying {
    depth: u32,
    /// In a string that is long or cut in two; its copy starts here.
    in_text: Option<usize>,
    escaped: bool,
}

impl Copying {
    pub(super) const fn new() -> Self {
        Self {
            depth: 1,
            in_text: None,
            escaped: false,
        }
    }

    /// Copies up to the end of the container. Says how many bytes that used up, and whether the end
    /// was among them.
    pub(super) fn run(&mut self, bytes: &[u8], skeleton: &mut Skeleton) -> (usize, bool) {
        // What lies between `from` and `at` is to be copied as it is.
        let (mut at, mut from) = (0, 0);
        while at < bytes.len() {
            if let Some(start) = self.in_text {
                let rest = &bytes[at..];
                let end = text_end(rest, &mut self.escaped);
                skeleton.put_text(start, &rest[..end.unwrap_or(rest.len())]);
                let Some(end) = end else {
                    return (bytes.len(), false);
                };
                from = at + end;
                at = from + 1;
                self.in_text = None;
                continue;
            }
            let byte = bytes[at];
            at += 1;
            match byte {
                b'"' => match text_end(&bytes[at..], &mut self.escaped) {
                    Some(end) if end <= LONGEST_TEXT => at += end + 1,
                    _ => {
                        self.escaped = false;
                        skeleton.put(&bytes[from..at]);
                        from = at;
                        self.in_text = Some(skeleton.len());
                    }
                },
                b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        skeleton.put(&bytes[from..at]);
                        return (at, true);
                    }
                }
                _ => {}
            }
        }
        skeleton.put(bytes.get(from..).unwrap_or_default());
        (bytes.len(), false)
    }
}
