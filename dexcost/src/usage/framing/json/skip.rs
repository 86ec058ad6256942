//! Containers of which nothing is kept.

use memchr::memchr3;

use super::bytes::{is_blank, text_end};

/// In a container that is skipped.
#[derive(Debug)]
pub(super) struct Skip {
    depth: u32,
    is_object: bool,
    in_text: bool,
    escaped: bool,
    after_comma: bool,
}

pub(super) enum SkipEnd {
    More,
    Closed,
    Malformed,
}

impl Skip {
    pub(super) const fn new(is_object: bool) -> Self {
        Self {
            depth: 1,
            is_object,
            in_text: false,
            escaped: false,
            after_comma: false,
        }
    }

    /// Jumps to the end of the container, counting only the brackets of its own kind: between two
    /// of them those of the other kind are balanced.
    pub(super) fn run(&mut self, bytes: &[u8], strict: bool) -> (usize, SkipEnd) {
        if strict {
            return self.walk(bytes);
        }
        let (opening, closing) = if self.is_object {
            (b'{', b'}')
        } else {
            (b'[', b']')
        };
        let mut at = 0;
        while at < bytes.len() {
            if self.in_text {
                match text_end(&bytes[at..], &mut self.escaped) {
                    Some(end) => at += end + 1,
                    None => break,
                }
                self.in_text = false;
            }
            let Some(next) = memchr3(opening, closing, b'"', &bytes[at..]) else {
                break;
            };
            let byte = bytes[at + next];
            at += next + 1;
            if byte == b'"' {
                self.in_text = true;
            } else if byte == opening {
                self.depth = self.depth.saturating_add(1);
            } else {
                self.depth -= 1;
                if self.depth == 0 {
                    return (at, SkipEnd::Closed);
                }
            }
        }
        (bytes.len(), SkipEnd::More)
    }

    /// Walks through the container, looking at every byte outside strings.
    fn walk(&mut self, bytes: &[u8]) -> (usize, SkipEnd) {
        let mut at = 0;
        while at < bytes.len() {
            if self.in_text {
                match text_end(&bytes[at..], &mut self.escaped) {
                    Some(end) => at += end + 1,
                    None => break,
                }
                self.in_text = false;
                continue;
            }
            let byte = bytes[at];
            at += 1;
            match byte {
                b'"' => self.in_text = true,
                b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                b'}' | b']' => {
                    if self.after_comma {
                        return (at, SkipEnd::Malformed);
                    }
                    self.depth -= 1;
                    if self.depth == 0 {
                        return (at, SkipEnd::Closed);
                    }
                }
                _ => {}
            }
            if !is_blank(byte) {
                self.after_comma = byte == b',';
            }
        }
        (bytes.len(), SkipEnd::More)
    }
}
