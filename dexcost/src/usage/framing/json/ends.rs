//! Where values end.

use super::bytes::{is_blank, mark, quote, scalar_end};
use super::view::Extent;

/// Where the value ends that `bytes` start with; `None` where it is cut off, or there is none.
pub(super) fn value_end(bytes: &[u8]) -> Option<usize> {
    match bytes.first()? {
        b'"' => text_end(bytes, 1),
        b'{' | b'[' => container_end(bytes),
        _ => scalar_end(bytes).filter(|end| *end > 0),
    }
}

/// Where the string ends that `bytes` start with, and whether it has escapes.
#[inline]
pub(super) fn string_end(bytes: &[u8]) -> Option<(usize, Extent)> {
    let first = 1 + mark(bytes.get(1..)?)?;
    if *bytes.get(first)? == b'"' {
        return Some((first + 1, Extent::Plain));
    }
    Some((text_end(bytes, first)?, Extent::Escaped))
}

/// One past the quote that ends the string in which `bytes[from..]` lies.
fn text_end(bytes: &[u8], from: usize) -> Option<usize> {
    quote(bytes, from).ok().map(|end| end + 1)
}

/// Brackets match, as far as they are worth following, and no container ends after a comma.
fn container_end(bytes: &[u8]) -> Option<usize> {
    let (mut depth, mut objects) = (0u32, 0u64);
    let mut at = 0;
    loop {
        let byte = *bytes.get(at)?;
        match byte {
            b'"' => {
                at = text_end(bytes, at + 1)?;
                continue;
            }
            b'{' | b'[' => {
                depth = depth.saturating_add(1);
                if depth <= u64::BITS {
                    objects = objects << 1 | u64::from(byte == b'{');
                }
            }
            b'}' | b']' => {
                let is_other = depth <= u64::BITS && (objects & 1 == 1) != (byte == b'}');
                if is_other || bytes[..at].trim_ascii_end().ends_with(b",") {
                    return None;
                }
                if depth <= u64::BITS {
                    objects >>= 1;
                }
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
}

pub(super) fn trim_start(bytes: &[u8]) -> &[u8] {
    bytes.get(past_blanks(bytes, 0)..).unwrap_or_default()
}

/// The first place from `at` on that is no blank.
#[inline]
pub(super) fn past_blanks(bytes: &[u8], mut at: usize) -> usize {
    // Nearly all JSON is compact, and blanks are below all that has a meaning.
    while let Some(byte) = bytes.get(at)
        && *byte <= b' '
        && is_blank(*byte)
    {
        at += 1;
    }
    at
}
