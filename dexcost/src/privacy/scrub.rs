//! Scrubbing of URLs: no userinfo, no secret parameter is kept.
//!
//! This reads text and not URLs, on purpose. Whoever logs a broken URL still must not leak its
//! key, so there is no parser here that could refuse it: whatever stands before an `@` of the
//! authority goes, and whatever looks like `name=value` is judged by its name.

use std::borrow::Cow;

use serde_json::{Map, Value};

const REDACTED: &str = "REDACTED";

/// Names of parameters that carry secrets, with `_` for `-`.
const SECRET: &[&str] = &[
    "access_key",
    "access_key_id",
    "access_token",
    "accesskey",
    "api_key",
    "api_token",
    "apikey",
    "assertion",
    "auth",
    "auth_token",
    "authorization",
    "authtoken",
    "awsaccesskeyid",
    "bearer",
    "client_secret",
    "code_verifier",
    "credential",
    "credentials",
    "id_token",
    "jwt",
    "key",
    "ocp_apim_subscription_key",
    "passphrase",
    "passwd",
    "password",
    "private_key",
    "pwd",
    "refresh_token",
    "secret",
    "secret_key",
    "session",
    "session_id",
    "session_token",
    "sessionid",
    "jsessionid",
    "sig",
    "signature",
    "subscription_key",
    "token",
    "x_amz_credential",
    "x_amz_security_token",
    "x_amz_signature",
    "x_api_key",
    "x_goog_api_key",
];

/// Names of parameters that carry text a user wrote.
const FREE_TEXT: &[&str] = &[
    "callback",
    "custom_intent",
    "custom_topic",
    "extra",
    "keyterm",
    "keywords",
    "replace",
    "search",
    "tag",
];

/// Endings of names that carry secrets.
const SECRET_ENDINGS: &[&str] = &["_signature", "_credential", "_security_token"];

/// How often text is percent-decoded before it is judged: `%2561` is `a` to a sloppy server.
const DECODINGS: usize = 3;

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

/// Where the scheme begins whose colon stands here.
fn scheme_start(text: &str, colon: usize) -> usize {
    let before = text[..colon].char_indices().rev();
    let scheme = before.take_while(|(_, c)| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    scheme.last().map_or(colon, |(at, _)| at)
}

/// The URL without what stands before the `@` of its authority.
fn without_userinfo(url: &str) -> Cow<'_, str> {
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
fn authority_start(url: &str) -> Option<usize> {
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

/// Whether the value of a parameter of this name may not be kept.
fn is_judged(name: &str) -> bool {
    let name = normal(name);
    // `auth[password]` and `filter[0].token` count by their parts too.
    std::iter::once(name.as_str())
        .chain(name.split(['[', ']', '.']))
        .any(|part| {
            SECRET.contains(&part)
                || FREE_TEXT.contains(&part)
                || SECRET_ENDINGS.iter().any(|ending| part.ends_with(ending))
        })
}

/// The name decoded, in lower case, without blanks and control characters, with `_` for `-`.
fn normal(name: &str) -> String {
    let kept = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
    let lower = |c: char| if c == '-' { '_' } else { c.to_ascii_lowercase() };
    decode(name).chars().filter(|c| kept(*c)).map(lower).collect()
}

/// The text percent-decoded until nothing changes, at most [`DECODINGS`] times.
fn decode(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for _ in 0..DECODINGS {
        if !text.contains('%') {
            break;
        }
        text = Cow::Owned(decode_once(&text));
    }
    text
}

fn decode_once(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match (byte, hex(bytes.get(at + 1)), hex(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                out.push(high << 4 | low);
                at += 3;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn hex(digit: Option<&u8>) -> Option<u8> {
    let value = char::from(*digit?).to_digit(16)?;
    u8::try_from(value).ok()
}

/// Scrubs every URL in the texts of an object, at every depth.
pub(super) fn scrub_object(object: &mut Map<String, Value>) {
    let mut pending: Vec<&mut Value> = object.values_mut().collect();
    while let Some(value) = pending.pop() {
        match value {
            Value::Array(items) => pending.extend(items),
            Value::Object(members) => pending.extend(members.values_mut()),
            Value::String(text) => {
                if let Some(scrubbed) = scrub_text(text) {
                    *text = scrubbed;
                }
            }
            _ => {}
        }
    }
}

/// The text with each URL in it scrubbed; `None` where nothing had to change.
fn scrub_text(text: &str) -> Option<String> {
    if !text.contains("://") {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    for word in text.split_inclusive(char::is_whitespace) {
        let Some(colon) = word.find("://") else {
            out.push_str(word);
            continue;
        };
        let scheme = scheme_start(word, colon);
        let end = word.trim_end().len().max(colon);
        out.push_str(&word[..scheme]);
        out.push_str(&scrub_url(&word[scheme..end]));
        out.push_str(&word[end..]);
    }
    (out != text).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::select;

    const CANARY: &str = "s3cr3t";

    fn clean(url: &str) -> String {
        let scrubbed = scrub_url(url).into_owned();
        assert!(!scrubbed.contains(CANARY), "{url} -> {scrubbed}");
        scrubbed
    }

    #[test]
    fn userinfo_goes_whatever_it_holds() {
        for (url, expected) in [
            ("https://s3cr3t@h.example/p", "https://h.example/p"),
            (
                "https://u:s3cr3t@h.example:8443/p?a=1",
                "https://h.example:8443/p?a=1",
            ),
            ("https://u:p@s3cr3t@h.example", "https://h.example"),
            ("//u:s3cr3t@h.example/p", "//h.example/p"),
            ("u:s3cr3t@h.example/p", "h.example/p"),
            ("HTTPS:/u:s3cr3t@h.example/", "HTTPS:/h.example/"),
            ("https:u:s3cr3t@h.example/", "https:h.example/"),
            (r"https:\\u:s3cr3t@h.example\p", r"https:\\h.example\p"),
            ("  https://u:s3cr3t@h.example", "  https://h.example"),
            ("postgres://u:s3cr3t@[::1]:5432/db", "postgres://[::1]:5432/db"),
            ("https://u:s3cr3t%40h.example/p", "https://h.example/p"),
            ("https://u:s3cr3t%2540h.example/p", "https://h.example/p"),
        ] {
            assert_eq!(clean(url), expected);
        }
    }

    #[test]
    fn a_password_that_breaks_the_url_does_not_leak() {
        for url in [
            "https://u:s3cr3t/x@h.example/p",
            "https://u:a/s3cr3t@h.example/p",
            "https://u:a?s3cr3t@h.example/p",
            "https://u:a#s3cr3t@h.example/p",
            "https://u:s3cr3t",
            "https://u:s3cr3t/p?q=1",
            "https://[u:s3cr3t@h",
            "https://é:s3cr3t@@",
        ] {
            clean(url);
        }
    }

    #[test]
    fn judged_parameters_lose_their_value_and_nothing_else_does() {
        for (url, expected) in [
            ("https://h/p?TOKEN=s3cr3t&n=1", "https://h/p?TOKEN=REDACTED&n=1"),
            (
                "https://h/p?n=1&%61pi%5fkey=s3cr3t#top",
                "https://h/p?n=1&%61pi%5fkey=REDACTED#top",
            ),
            ("https://h/p?%2561uth=s3cr3t", "https://h/p?%2561uth=REDACTED"),
            (
                "https://h/p?X-Amz-Signature=s3cr3t&X-Amz-Date=1",
                "https://h/p?X-Amz-Signature=REDACTED&X-Amz-Date=1",
            ),
            (
                "https://h/p?x-goog-credential=s3cr3t",
                "https://h/p?x-goog-credential=REDACTED",
            ),
            (
                "https://h/p?a=1;password=s3cr3t;b=2",
                "https://h/p?a=1;password=REDACTED;b=2",
            ),
            (
                "https://h/p;session=s3cr3t/q?b=2",
                "https://h/p;session=REDACTED/q?b=2",
            ),
            (
                "https://h/#access_token=s3cr3t&n=1",
                "https://h/#access_token=REDACTED&n=1",
            ),
            ("https://h/p?auth[key]=s3cr3t", "https://h/p?auth[key]=REDACTED"),
            ("https://h/p?keyterm=s3cr3t+words", "https://h/p?keyterm=REDACTED"),
            ("https://h/p?token%3Ds3cr3t", "https://h/p?token%3DREDACTED"),
            ("https://h/p?token==s3cr3t", "https://h/p?token=REDACTED"),
            ("token=s3cr3t", "token=REDACTED"),
            ("?to\tken=s3cr3t", "?to\tken=REDACTED"),
        ] {
            assert_eq!(clean(url), expected);
        }
    }

    #[test]
    fn urls_inside_parameters_are_judged_too() {
        for url in [
            "https://h/p?next=https://g/?token=s3cr3t",
            "https://h/p?next=https%3A%2F%2Fg%2F%3Ftoken%3Ds3cr3t",
            "https://h/p?next=https%253A%252F%252Fg%252F%253Ftoken%253Ds3cr3t",
            "https://h/p?next=https%3A%2F%2Fu%3As3cr3t%40g%2F",
            "https://h/p?a=b%26token%3Ds3cr3t",
            "https://h/https://u:s3cr3t@g/",
        ] {
            clean(url);
        }
    }

    #[test]
    fn harmless_urls_are_not_touched_and_not_copied() {
        for url in [
            "",
            "?",
            "https://h",
            "https://h.example:8080/v1/chat/completions?page=2&model=gpt-4o&api-version=2024-06-01",
            "https://registry.example/@scope/name",
            "https://h/p?token=&n=1",
            "https://h/p?next=https%3A%2F%2Fg%2Fq",
            "/v1/models?limit=5#tokens",
            "https://[2001:db8::1]:443/p",
            "https://h/p?token=REDACTED",
            "https://h/p?tokens=5&keys=7&authority=x",
        ] {
            assert!(
                matches!(scrub_url(url), Cow::Borrowed(_)),
                "{url} -> {}",
                scrub_url(url)
            );
        }
    }

    #[test]
    fn a_url_within_a_sentence_is_scrubbed_and_the_sentence_stays() {
        assert_eq!(
            scrub_text("GET (https://u:p@h/?sig=x failed:\nsee https://h/ok ").as_deref(),
            Some("GET (https://h/?sig=REDACTED failed:\nsee https://h/ok ")
        );
        assert_eq!(scrub_text("see https://h/ok, a@b"), None);
    }

    fn secret_name() -> impl Strategy<Value = String> {
        let known: Vec<&str> = SECRET.iter().chain(FREE_TEXT).copied().collect();
        (select(known), any::<u64>()).prop_map(|(name, bits)| {
            let spell = |(at, c): (usize, char)| match bits >> (at % 32 * 2) & 3 {
                0 => c.to_string(),
                1 => c.to_ascii_uppercase().to_string(),
                2 if c == '_' => "-".to_owned(),
                2 => format!("%{:02x}", u32::from(c)),
                _ => format!("%25{:02X}", u32::from(c)),
            };
            name.chars().enumerate().map(spell).collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn no_text_makes_it_panic_and_a_second_pass_changes_nothing(text in any::<String>()) {
            let once = scrub_url(&text).into_owned();
            prop_assert_eq!(scrub_url(&once), once.as_str());
        }

        #[test]
        fn text_made_of_url_parts_settles_too(parts in proptest::collection::vec(select(vec![
            "https:", "//", "/", "@", ":", "?", "&", ";", "#", "=", "%40", "%2540", "%3D", "%26", "%2F", "%", "%2", "token", "a",
            "é", "[", "]", "\\", " ", "80", "next", "http",
        ]), 0..14)) {
            let text = parts.concat();
            let once = scrub_url(&text).into_owned();
            prop_assert_eq!(scrub_url(&once), once.as_str(), "{}", text);
        }

        #[test]
        fn no_secret_parameter_survives(
            before in "[a-z=&;?/%]{0,12}", separator in select(vec!["?", "&", ";", "#"]), name in secret_name(),
            after in "([&;#?][a-z=%]{0,8})?",
        ) {
            let url = format!("https://h.example/{before}{separator}{name}={CANARY}{after}");
            prop_assert!(!scrub_url(&url).contains(CANARY), "{} -> {}", url, scrub_url(&url));
        }

        #[test]
        fn no_password_survives(
            scheme in select(vec!["https://", "http:/", "HTTP://", "//", "wss:\\\\", "redis://", ""]),
            user in "[a-z0-9.%+-]{0,6}", noise in "[a-z@:%?#/ é]{0,6}", host in "[a-z.]{1,8}", tail in "(/[a-z]{0,5})?",
        ) {
            let url = format!("{scheme}{user}:{CANARY}{noise}@{host}{tail}");
            prop_assert!(!scrub_url(&url).contains(CANARY), "{} -> {}", url, scrub_url(&url));
        }
    }
}
