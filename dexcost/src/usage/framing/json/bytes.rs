//! What the bytes of JSON mean, one by one.

use memchr::memchr2;

/// How many bytes are looked at together.
const BLOCK: usize = 16;
/// Most strings end within so many blocks.
const NEAR: usize = 2;

/// The place of the first quote or backslash.
#[inline]
pub(super) fn mark(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while at < NEAR * BLOCK
        && let Some(block) = bytes.get(at..).and_then(<[u8]>::first_chunk)
    {
        if let Some(found) = mark_in(block) {
            return Some(at + found);
        }
        at += BLOCK;
    }
    far_mark(bytes, at)
}

#[inline(never)]
fn far_mark(bytes: &[u8], from: usize) -> Option<usize> {
    Some(from + memchr2(b'"', b'\\', bytes.get(from..)?)?)
}

/// The searcher that every processor of the kind has can be inlined; the best one is chosen while the
/// program runs.
#[cfg(target_arch = "x86_64")]
#[inline]
fn mark_in(block: &[u8; BLOCK]) -> Option<usize> {
    use memchr::arch::x86_64::sse2::memchr::Two;
    match Two::new(b'"', b'\\') {
        Some(searcher) => searcher.find(block),
        None => memchr2(b'"', b'\\', block),
    }
}

#[cfg(not(target_arch = "x86_64"))]
#[inline]
fn mark_in(block: &[u8; BLOCK]) -> Option<usize> {
    memchr2(b'"', b'\\', block)
}

pub(super) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

/// Whether a byte can be part of a number, `true`, `false` or `null`.
#[inline]
pub(super) fn is_scalar(byte: u8) -> bool {
    SCALAR[byte as usize]
}

static SCALAR: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0u8;
    while byte < u8::MAX {
        table[byte as usize] = matches!(byte, b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'+' | b'-' | b'.');
        byte += 1;
    }
    table
};

/// Whether a number, `true`, `false` or `null` can start so; Python's `NaN` and `Infinity` too.
#[inline]
pub(super) const fn starts_scalar(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'-' | b't' | b'f' | b'n' | b'N' | b'I')
}

/// Where the number, `true`, `false` or `null` ends that `bytes` start with; `None` where that is not
/// in sight.
#[inline]
pub(super) fn scalar_end(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| !is_scalar(*byte))
}

/// The quote that ends the string in which `bytes[at..]` lies. Where it is not in sight, the error
/// says where to go on looking: one past the end, if the last byte is a backslash.
pub(super) fn quote(bytes: &[u8], mut at: usize) -> Result<usize, usize> {
    while let Some(next) = bytes.get(at..).and_then(mark) {
        if bytes[at + next] == b'"' {
            return Ok(at + next);
        }
        at += next + 2;
    }
    Err(at.max(bytes.len()))
}

/// The quote that ends a string of less than `most` bytes that has no escapes and is in sight.
pub(super) fn plain_text(bytes: &[u8], most: usize) -> Option<usize> {
    mark(bytes).filter(|at| *at < most && bytes[*at] == b'"')
}

/// Where the string ends in which `bytes` lie; `escaped` carries a backslash from piece to piece.
pub(super) fn text_end(bytes: &[u8], escaped: &mut bool) -> Option<usize> {
    let from = usize::from(*escaped && !bytes.is_empty());
    if bytes.is_empty() {
        return None;
    }
    match quote(bytes, from) {
        Ok(end) => {
            *escaped = false;
            Some(end)
        }
        Err(next) => {
            *escaped = next > bytes.len();
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same, byte by byte.
    fn slowly(bytes: &[u8], mut at: usize) -> Result<usize, usize> {
        while at < bytes.len() {
            match bytes[at] {
                b'"' => return Ok(at),
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
        Err(at.max(bytes.len()))
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_first_mark_is_found_wherever_it_lies(text in "[a\"\\\\\u{80}-\u{ff}!#]{0,60}", from in 0usize..8) {
            let bytes = text.as_bytes();
            let from = from.min(bytes.len());
            prop_assert_eq!(quote(bytes, from), slowly(bytes, from));
            let plain = bytes.iter().take(48).position(|b| matches!(b, b'"' | b'\\'));
            prop_assert_eq!(plain_text(bytes, 48), plain.filter(|at| bytes[*at] == b'"'));
        }
    }
}
