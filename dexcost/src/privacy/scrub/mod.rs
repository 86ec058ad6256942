//! Scrubbing of URLs: no userinfo, no secret parameter is kept.
//!
//! This reads text and not URLs, on purpose. Whoever logs a broken URL still must not leak its
//! key, so there is no parser here that could refuse it: whatever stands before an `@` of the
//! authority goes, and whatever looks like `name=value` is judged by its name.

mod authority;
mod names;
mod text;

use std::borrow::Cow;

use authority::{authority_start, scheme_start, without_userinfo};
use names::{decode, is_judged};

pub(super) use text::scrub_object;

const REDACTED: &str = "REDACTED";
/// How many URLs inside URLs are followed; what lies deeper is redacted as a whole.
const DEEPEST: usize = 4;

/// How often one URL is looked at again after something was taken out of it.
const PASSES: usize = 16;

/// The URL without userinfo and without the values of secret and free-text parameters.
///
/// Names are compared without case, percent-decoded, with `-` and `_` alike; parameters are
/// looked for in the query, in the fragment and in path parameters, and in URLs that are values
/// of parameters. Text that is no URL comes back as it is, unless it holds such a parameter.
///
/// ```
/// use dexcost::scrub_url;
///
/// assert_eq!(
///     scrub_url("https://me:pw@api.example.com/v1/x?API%5Fkey=s3cret&page=2"),
///     "https://api.example.com/v1/x?API%5Fkey=REDACTED&page=2",
/// );
/// assert_eq!(scrub_url("https://example.com/a?b=c"), "https://example.com/a?b=c");
/// ```
#[must_use]
pub fn scrub_url(url: &str) -> Cow<'_, str> {
    scrub_nested(url, 0)
}

fn scrub_nested(url: &str, depth: usize) -> Cow<'_, str> {
    let mut scrubbed = Cow::Borrowed(url);
    for _ in 0..PASSES {
        match scrub_once(&scrubbed, depth) {
            Some(changed) => scrubbed = Cow::Owned(changed),
            None => break,
        }
    }
    scrubbed
}

fn scrub_once(url: &str, depth: usize) -> Option<String> {
    if let Cow::Owned(bare) = without_userinfo(url) {
        return Some(bare);
    }
    scrub_inner(url, depth).or_else(|| scrub_parameters(url, depth))
}

/// Scrubs a URL that stands in the path or query of this one as it is, as proxies have it.
fn scrub_inner(url: &str, depth: usize) -> Option<String> {
    let outer = authority_start(url).unwrap_or(0);
    let colon = outer + url[outer..].find("://")?;
    let start = scheme_start(url, colon);
    if start == 0 {
        return None;
    }
    if depth >= DEEPEST {
        return Some([&url[..start], REDACTED].concat());
    }
    match scrub_nested(&url[start..], depth + 1) {
        Cow::Owned(inner) => Some([&url[..start], &inner].concat()),
        Cow::Borrowed(_) => None,
    }
}

/// The text with the values of judged parameters replaced; `None` where there is none.
fn scrub_parameters(text: &str, depth: usize) -> Option<String> {
    let mut out: Option<String> = None;
    let mut kept = 0;
    let mut start = 0;
    let mut in_path = true;
    while start <= text.len() {
        let end = piece_end(text, start, in_path);
        if let Some((from, to)) = redacted_range(text, start, end, in_path, depth) {
            let out = out.get_or_insert_with(String::new);
            out.push_str(&text[kept..from]);
            out.push_str(REDACTED);
            kept = to;
        }
        in_path &= !text[end..].starts_with(['?', '#', '&']);
        start = end + 1;
    }
    out.map(|mut out| {
        out.push_str(&text[kept..]);
        out
    })
}

/// Where the piece that may be a parameter ends. In the path a slash ends one too.
fn piece_end(text: &str, start: usize, in_path: bool) -> usize {
    let ends = |c: char| matches!(c, '?' | '&' | ';' | '#') || (in_path && matches!(c, '/' | '\\'));
    text[start..].find(ends).map_or(text.len(), |at| start + at)
}

/// Which part of the piece is to be replaced.
fn redacted_range(
    text: &str,
    start: usize,
    end: usize,
    in_path: bool,
    depth: usize,
) -> Option<(usize, usize)> {
    let piece = &text[start..end];
    let split = piece
        .find('=')
        .map(|at| (at, 1))
        .or_else(|| piece.find("%3D").or(piece.find("%3d")).map(|at| (at, 3)));
    let Some((equals, width)) = split else {
        let judged = !in_path && leaks_nested(piece, depth);
        return judged.then_some((start, end));
    };
    let value = start + equals + width;
    if value == end {
        return None;
    }
    if is_judged(&piece[..equals]) {
        return (&text[value..end] != REDACTED).then_some((value, end));
    }
    leaks_nested(&text[value..end], depth).then_some((value, end))
}

/// Whether the value of a harmless parameter holds a URL or a query that is not harmless.
fn leaks_nested(value: &str, depth: usize) -> bool {
    let decoded = decode(value);
    if !decoded.contains(['=', '@']) && !decoded.contains("//") {
        return false;
    }
    depth >= DEEPEST
        || matches!(scrub_nested(&decoded, depth + 1), Cow::Owned(scrubbed) if scrubbed != *decoded)
}

#[cfg(test)]
mod tests;
