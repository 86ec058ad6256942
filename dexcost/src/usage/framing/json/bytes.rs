//! What the bytes of JSON mean, one by one.

/// Up to here a string is walked byte by byte: most are shorter than a jump is worth.
const NEAR: usize = 24;

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
    let near = bytes.len().min(at.saturating_add(NEAR));
    while at < near {
        match bytes[at] {
            b'"' => return Ok(at),
            b'\\' => at += 2,
            _ => at += 1,
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
