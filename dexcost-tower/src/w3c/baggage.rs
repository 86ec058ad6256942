//! `baggage`: named values that travel with a request, percent-encoded.

use std::fmt::Write;

use http::{HeaderMap, HeaderName, HeaderValue};

pub(crate) const BAGGAGE: HeaderName = HeaderName::from_static("baggage");

/// The longest baggage, in bytes over all of its fields, that is read or written; the least that
/// the page has every platform pass on.
const LONGEST: usize = 8_192;

/// Why a member cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unusable;

/// The value of a member; `None` where there is none of this key.
///
/// Keys are compared to the letter. One that stands there with two different values says nothing:
/// either could be the wrong one.
pub(crate) fn get(headers: &HeaderMap, key: &str) -> Result<Option<String>, Unusable> {
    if !headers.contains_key(BAGGAGE) {
        return Ok(None);
    }
    let mut left = LONGEST;
    let mut found: Option<String> = None;
    for field in headers.get_all(BAGGAGE) {
        left = left.checked_sub(field.len()).ok_or(Unusable)?;
        // A field of other bytes may hide anything.
        let field = field.to_str().map_err(|_| Unusable)?;
        for (_, value) in members(field).filter(|(name, _)| *name == key) {
            let value = decoded(value).ok_or(Unusable)?;
            if found.as_ref().is_some_and(|found| *found != value) {
                return Err(Unusable);
            }
            found = Some(value);
        }
    }
    Ok(found)
}

/// The members of one field by key and value, still encoded; their properties are left out.
fn members(field: &str) -> impl Iterator<Item = (&str, &str)> {
    field.split(',').filter_map(|member| {
        let said = member.split(';').next()?;
        let (key, value) = said.split_once('=')?;
        Some((trim(key), trim(value)))
    })
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// The text behind the percent signs; `None` where it is no UTF-8 or a sign is half.
fn decoded(value: &str) -> Option<String> {
    let mut bytes = value.bytes();
    let mut out = Vec::with_capacity(value.len());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                u8::try_from(digit()? << 4 | digit()?).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(out).ok()
}

/// Puts members into the baggage of a request: they replace those of the same keys, all others
/// stay. Where it would grow beyond what must be passed on, it is left as it is.
pub(crate) fn put(headers: &mut HeaderMap, said: &[(&'static str, String)]) {
    let mut text = String::new();
    for field in headers.get_all(BAGGAGE) {
        // What cannot be read cannot be sorted: the caller's own baggage goes before ours.
        let Ok(field) = field.to_str() else { return };
        let others = field.split(',').filter(|member| {
            let key = members(member).next().map(|(key, _)| key);
            !trim(member).is_empty() && !said.iter().any(|(ours, _)| key == Some(*ours))
        });
        others.for_each(|member| push(&mut text, trim(member)));
    }
    for (key, value) in said {
        push(&mut text, key);
        text.push('=');
        encode(value, &mut text);
    }
    if text.len() > LONGEST {
        return;
    }
    if let Ok(value) = HeaderValue::try_from(text) {
        headers.insert(BAGGAGE, value);
    }
}

fn push(text: &mut String, member: &str) {
    if !text.is_empty() {
        text.push(',');
    }
    text.push_str(member);
}

/// Everything but letters, digits and `-._~` gets a percent sign: more than the page asks for, and
/// safe with every reader.
fn encode(value: &str, text: &mut String) {
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                text.push(char::from(byte));
            }
            // Writing to a string cannot fail.
            byte => write!(text, "%{byte:02X}").unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(fields: &[&[u8]]) -> HeaderMap {
        let value = |field: &&[u8]| (BAGGAGE, HeaderValue::from_bytes(field).unwrap());
        fields.iter().map(value).collect()
    }

    #[test]
    fn members_are_found_in_any_field_whatever_stands_around_them() {
        let headers = of(&[
            b"a=1 , tenant =\tM%C3%BCller%20%26%20S%c3%b6hne ; secret=no;x",
            b",,b=2;tenant=other,empty=",
        ]);
        assert_eq!(get(&headers, "tenant"), Ok(Some("Müller & Söhne".to_owned())));
        assert_eq!(get(&headers, "b"), Ok(Some("2".to_owned())));
        assert_eq!(get(&headers, "empty"), Ok(Some(String::new())));
        assert_eq!(get(&headers, "secret"), Ok(None));
        assert_eq!(get(&headers, "Tenant"), Ok(None));
        assert_eq!(get(&HeaderMap::new(), "tenant"), Ok(None));
    }

    #[test]
    fn what_is_broken_or_said_in_two_ways_is_refused() {
        let long = format!("a={},tenant=acme", "x".repeat(8_192));
        for fields in [
            &[&b"tenant=%4"[..]][..],
            &[b"tenant=%zz"],
            &[b"tenant=%+1"],
            &[b"tenant=%ff"],
            &[b"tenant=acme,tenant=globex"],
            &[b"tenant=acme", b"tenant=globex"],
            &[b"tenant=acme", b"\xff"],
            &[long.as_bytes()],
        ] {
            assert_eq!(get(&of(fields), "tenant"), Err(Unusable), "{fields:?}");
        }
        assert_eq!(
            get(&of(&[b"tenant=acme,tenant=acme"]), "tenant"),
            Ok(Some("acme".to_owned()))
        );
    }

    #[test]
    fn what_is_put_is_found_again_and_nothing_else_changes() {
        let mut headers = of(&[b"a=1;p=2,task=old", b"task=older;q, b=2"]);
        put(&mut headers, &[("task", "neu, ö=%;\"".to_owned())]);
        let written: Vec<_> = headers.get_all(BAGGAGE).iter().collect();
        assert_eq!(written, ["a=1;p=2,b=2,task=neu%2C%20%C3%B6%3D%25%3B%22"]);
        assert_eq!(get(&headers, "task"), Ok(Some("neu, ö=%;\"".to_owned())));
    }

    #[test]
    fn the_callers_own_baggage_goes_before_ours() {
        let full = format!("a={}", "x".repeat(8_180));
        for own in [full.as_bytes(), b"\xff=1"] {
            let mut headers = of(&[own]);
            put(&mut headers, &[("task", "1234567890".to_owned())]);
            assert_eq!(headers, of(&[own]));
        }
    }
}
