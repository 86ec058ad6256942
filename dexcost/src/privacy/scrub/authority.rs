//! Where the authority of a URL is, and what of it may not be kept.

use std::borrow::Cow;

/// The URL without what stands before the `@` of its authority.
pub(super) fn without_userinfo(url: &str) -> Cow<'_, str> {
    if !has_at(url) {
        return without_bad_port(url);
    }
    let Some(start) = authority_start(url) else {
        return Cow::Borrowed(url);
    };
    let rest = &url[start..];
    let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
    let cut = match last_at(&rest[..end]) {
        Some(cut) => cut,
        // `user:pa/ss@host`: no port reads like this, so the authority goes on to the last `@`.
        None if bad_port(&rest[..end]).is_some() => match last_at(rest) {
            Some(cut) => cut,
            None => return without_bad_port(url),
        },
        None => return Cow::Borrowed(url),
    };
    Cow::Owned([&url[..start], &rest[cut..]].concat())
}

/// `user:password` where the host was cut off reads as a port that is no number.
fn without_bad_port(url: &str) -> Cow<'_, str> {
    let Some(start) = authority_start(url).filter(|_| url.contains("//")) else {
        return Cow::Borrowed(url);
    };
    let rest = &url[start..];
    let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
    match bad_port(&rest[..end]) {
        Some(colon) => Cow::Owned([&url[..start], &rest[..colon], &rest[end..]].concat()),
        None => Cow::Borrowed(url),
    }
}

/// Where the colon of a port stands that is no number.
fn bad_port(authority: &str) -> Option<usize> {
    let host_end = if authority.starts_with('[') {
        authority.find(']')?
    } else {
        0
    };
    let colon = host_end + authority[host_end..].find(':')?;
    let port = &authority[colon + 1..];
    (!port.bytes().all(|b| b.is_ascii_digit())).then_some(colon)
}

fn has_at(text: &str) -> bool {
    last_at(text).is_some()
}

/// The place behind the last `@`, plain or percent-encoded (even twice).
fn last_at(text: &str) -> Option<usize> {
    let plain = text.rfind('@').map(|at| at + 1);
    let coded = text.rfind("40").map(|at| (at, at + 2)).filter(|(at, _)| {
        let before = text[..*at].trim_end_matches("25");
        before.ends_with('%')
    });
    plain.max(coded.map(|(_, end)| end))
}

/// Where the authority begins: behind the scheme and its slashes, or at once where neither is.
/// `None` for a path.
pub(super) fn authority_start(url: &str) -> Option<usize> {
    let blank = url.len() - url.trim_start().len();
    let text = &url[blank..];
    let scheme = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')))
        .filter(|at| *at > 0 && text[*at..].starts_with(':'))
        .map_or(0, |at| at + 1);
    let slashes = text[scheme..]
        .bytes()
        .take_while(|b| matches!(b, b'/' | b'\\'))
        .count();
    match (scheme, slashes) {
        (0, 1) => None,
        // `user:pass@host`: what looks like a scheme is a user.
        (_, 0) if !is_web_scheme(&text[..scheme]) => Some(blank),
        _ => Some(blank + scheme + slashes),
    }
}

fn is_web_scheme(scheme: &str) -> bool {
    ["http:", "https:", "ws:", "wss:", "ftp:"]
        .iter()
        .any(|s| s.eq_ignore_ascii_case(scheme))
}

/// Where the scheme begins whose colon stands here.
pub(super) fn scheme_start(text: &str, colon: usize) -> usize {
    let before = text[..colon].char_indices().rev();
    let scheme = before.take_while(|(_, c)| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    scheme.last().map_or(colon, |(at, _)| at)
}
