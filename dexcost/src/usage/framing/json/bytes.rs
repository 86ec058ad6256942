//! What the bytes of JSON mean, one by one.

/// Up to here a string is walked word by word: most are shorter than a jump is worth.
const NEAR: usize = 24;

/// How many bytes a word has.
const WORD: usize = 8;
/// A byte in each place of a word.
const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;
const QUOTES: u64 = ONES * b'"' as u64;
const BACKSLASHES: u64 = ONES * b'\\' as u64;

/// The place of the first quote or backslash among eight bytes.
fn mark(word: [u8; WORD]) -> Option<usize> {
    // The lowest bit that is set belongs to the first byte that is zero; higher ones may err.
    const fn zeros(word: u64) -> u64 {
        word.wrapping_sub(ONES) & !word & HIGH
    }
    let word = u64::from_le_bytes(word);
    let marks = zeros(word ^ QUOTES) | zeros(word ^ BACKSLASHES);
    (marks != 0).then_some(marks.trailing_zeros() as usize / WORD)
}

pub(super) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

/// Whether a byte can be part of a number, `true`, `false` or `null`.
pub(super) const fn is_scalar(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'+' | b'-' | b'.')
}

/// The quote that ends the string in which `bytes[at..]` lies. Where it is not in sight, the error
/// says where to go on looking: one past the end, if the last byte is a backslash.
pub(super) fn quote(bytes: &[u8], mut at: usize) -> Result<usize, usize> {
    let near = at.saturating_add(NEAR);
    while at < near
        && let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk)
    {
        match mark(*word) {
            Some(next) if bytes[at + next] == b'"' => return Ok(at + next),
            Some(next) => at += next + 2,
            None => at += WORD,
        }
    }
    while let Some(next) = memchr::memchr2(b'"', b'\\', bytes.get(at..).unwrap_or_default()) {
        if bytes[at + next] == b'"' {
            return Ok(at + next);
        }
        at += next + 2;
    }
    Err(at.max(bytes.len()))
}

/// The quote that ends a name of at most `most` bytes that has no escapes and is in sight.
pub(super) fn plain_name(bytes: &[u8], most: usize) -> Option<usize> {
    let mut at = 0;
    while at < most {
        let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk) else {
            let rest = bytes.get(at..)?.iter().position(|b| matches!(b, b'"' | b'\\'))?;
            return (at + rest < most && bytes[at + rest] == b'"').then_some(at + rest);
        };
        match mark(*word) {
            Some(next) => return (at + next < most && word[next] == b'"').then_some(at + next),
            None => at += WORD,
        }
    }
    None
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
            prop_assert_eq!(plain_name(bytes, 48), plain.filter(|at| bytes[*at] == b'"'));
        }
    }
}
