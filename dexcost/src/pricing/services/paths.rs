//! Path patterns: segments that may hold stars; `**` stands for any number of segments.

use smallvec::SmallVec;

use super::glob;

/// Segments of a path. Empty ones do not count, so slashes at the end or doubled change nothing.
pub(super) type Segments<'a> = SmallVec<[&'a str; 12]>;

/// The segments of a path.
pub(super) fn segments(path: &str) -> Segments<'_> {
    path.split('/').filter(|segment| !segment.is_empty()).collect()
}

/// Why a text is no path pattern.
pub(super) fn fault(pattern: &str) -> Option<&'static str> {
    let open = segments(pattern)
        .iter()
        .filter(|segment| **segment == "**")
        .count();
    match pattern {
        _ if !pattern.starts_with('/') => Some("a path starts with a slash"),
        _ if open > 2 => Some("`**` stands at most twice in a path"),
        _ if pattern.len() > 200 => Some("is too long"),
        _ => None,
    }
}

/// How much of a path a pattern fixes: four times its literal bytes, and a little more where the number
/// of segments is fixed, or all of it.
pub(super) fn weight(pattern: &str) -> u16 {
    let literal = pattern.bytes().filter(|b| !matches!(b, b'*' | b'/')).count();
    let fixes_number = 2 * usize::from(!pattern.contains("**"));
    u16::try_from(4 * literal + fixes_number + usize::from(!pattern.contains('*'))).unwrap_or(u16::MAX)
}

/// Whether the segments of a path are what the pattern says.
pub(super) fn matches(pattern: &str, path: &[&str]) -> bool {
    matches_segments(&segments(pattern), path)
}

fn matches_segments(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern, path) {
        ([], path) => path.is_empty(),
        (["**", rest @ ..], _) => (0..=path.len()).any(|from| matches_segments(rest, &path[from..])),
        ([wanted, rest @ ..], [segment, more @ ..]) => {
            is_segment(wanted, segment) && matches_segments(rest, more)
        }
        _ => false,
    }
}

/// Paths mean what they say in their own case.
fn is_segment(wanted: &str, segment: &str) -> bool {
    if wanted.contains('*') {
        glob::matches(wanted.as_bytes(), segment.as_bytes())
    } else {
        wanted == segment
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_match_one_by_one() {
        for (pattern, path, expected) in [
            ("/search", "/search", true),
            ("/search", "//search/", true),
            ("/search", "/search/more", false),
            ("/search", "/Search", false),
            ("/", "/", true),
            ("/", "/x", false),
            ("/*", "/x", true),
            ("/v1/*/execute", "/v1/act/execute", true),
            ("/v1/*/execute", "/v1/execute", false),
            ("/**/scrape", "/v2/batch/scrape", true),
            ("/**/scrape", "/scrape", true),
            ("/v1/listen/**", "/v1/listen", true),
            ("/v1/listen/**", "/v1/listening", false),
            ("/v1/*_to_video", "/v1/image_to_video", true),
            ("/**/*runs*/**", "/v2/acts/me~x/runs/last", true),
        ] {
            assert_eq!(matches(pattern, &segments(path)), expected, "{pattern} {path}");
        }
    }
}
