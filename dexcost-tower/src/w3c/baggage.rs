//! `baggage`: named values that travel with a request, percent-encoded.

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

/// What the keys of all members that are ours begin with.
const OURS: &[u8] = b"dexcost.";

/// Takes the members that are ours out of the baggage of a request, whoever put them there, and puts these in
/// their place. All others stay as they are. Where there is no room beside them, none of ours is left.
pub(crate) fn put(headers: &mut HeaderMap, said: &[(&'static str, String)]) {
    if said.is_empty() && !has_ours(headers) {
        return;
    }
    let mut others = Vec::new();
    for member in headers.get_all(BAGGAGE).iter().flat_map(members_of) {
        if !member.is_empty() && !is_ours(member) {
            push(&mut others, member);
        }
    }
    let mut all = others.clone();
    for (key, value) in said {
        push(&mut all, key.as_bytes());
        all.push(b'=');
        encode(value, &mut all);
    }
    let told = if all.len() > LONGEST { others } else { all };
    headers.remove(BAGGAGE);
    if let Some(value) = HeaderValue::from_bytes(&told)
        .ok()
        .filter(|value| !value.is_empty())
    {
        headers.insert(BAGGAGE, value);
    }
}

fn has_ours(headers: &HeaderMap) -> bool {
    headers.get_all(BAGGAGE).iter().flat_map(members_of).any(is_ours)
}

/// The members of a field as they stand there, in whatever bytes.
fn members_of(field: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    field
        .as_bytes()
        .split(|byte| *byte == b',')
        .map(<[u8]>::trim_ascii)
}

fn is_ours(member: &[u8]) -> bool {
    member
        .get(..OURS.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(OURS))
}

fn push(list: &mut Vec<u8>, member: &[u8]) {
    if !list.is_empty() {
        list.push(b',');
    }
    list.extend_from_slice(member);
}

/// Everything but letters, digits and `-._~` gets a percent sign: more than the page asks for, and
/// safe with every reader.
fn encode(value: &str, list: &mut Vec<u8>) {
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => list.push(byte),
            byte => list.extend_from_slice(format!("%{byte:02X}").as_bytes()),
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
        let mut headers = of(&[b"a=1;p=2,dexcost.task=old", b"dexcost.task=older;q, b=2"]);
        put(&mut headers, &[("dexcost.task", "neu, ö=%;\"".to_owned())]);
        let written: Vec<_> = headers.get_all(BAGGAGE).iter().collect();
        assert_eq!(written, ["a=1;p=2,b=2,dexcost.task=neu%2C%20%C3%B6%3D%25%3B%22"]);
        assert_eq!(get(&headers, "dexcost.task"), Ok(Some("neu, ö=%;\"".to_owned())));
    }

    #[test]
    fn the_callers_own_baggage_goes_before_ours() {
        let full = format!("a={}", "x".repeat(8_180));
        let mut headers = of(&[full.as_bytes()]);
        put(&mut headers, &[("dexcost.task", "1234567890".to_owned())]);
        assert_eq!(headers, of(&[full.as_bytes()]));
        let mut headers = of(&[b"\xff=1"]);
        put(&mut headers, &[("dexcost.task", "1".to_owned())]);
        assert_eq!(headers, of(&[b"\xff=1,dexcost.task=1"]));
    }

    #[test]
    fn what_a_request_brings_under_our_names_never_goes_on() {
        let full = format!("a={}", "x".repeat(8_180));
        for (brought, left) in [
            (&[&b"dexcost.customer=evil"[..]][..], None),
            (&[b"a=1, DexCost.task_id = 7;p", b"dexcost.x"], Some(&b"a=1"[..])),
            (&[b"\xff=1,dexcost.agent=\xfe"], Some(b"\xff=1")),
            (&[full.as_bytes(), b"dexcost.project=p"], Some(full.as_bytes())),
        ] {
            let mut headers = of(brought);
            put(&mut headers, &[]);
            assert_eq!(headers, of(left.as_slice()), "nothing to add");
            let mut headers = of(brought);
            put(&mut headers, &[("dexcost.task_id", "x".repeat(9_000))]);
            assert_eq!(headers, of(left.as_slice()), "no room");
        }
        let mut headers = of(&[b"a=1 ,, b=2"]);
        put(&mut headers, &[]);
        assert_eq!(
            headers,
            of(&[b"a=1 ,, b=2"]),
            "what is none of ours stays as it is"
        );
    }
}
