//! The header fields of the `http` crate, as the exchange looks at them.

use dexcost::capture::Headers;
use http::{HeaderMap, HeaderValue};

/// Header fields with a summary of their names.
///
/// The exchange asks for some twenty names of which few are there, and a look-up by name parses and
/// hashes it. The summary answers most of them at once.
pub(super) struct Fields<'a> {
    map: &'a HeaderMap,
    names: u64,
    wire_bytes: u64,
}

impl<'a> Fields<'a> {
    pub(super) fn of(map: &'a HeaderMap) -> Self {
        let (mut names, mut wire_bytes) = (0, 0);
        for (name, value) in map {
            names |= bit(name.as_str());
            wire_bytes += name.as_str().len() + value.len() + ": \r\n".len();
        }
        Self {
            map,
            names,
            wire_bytes: wire_bytes as u64,
        }
    }
}

impl Headers for Fields<'_> {
    fn get(&self, name: &str) -> Option<&[u8]> {
        if self.names & bit(name) == 0 {
            return None;
        }
        self.map.get(name).map(HeaderValue::as_bytes)
    }

    fn first_of(&self, names: &[&str]) -> Option<&[u8]> {
        let may_be_there = names.iter().filter(|name| self.names & bit(name) != 0);
        may_be_there
            .filter_map(|name| self.map.get(*name))
            .map(HeaderValue::as_bytes)
            .next()
    }

    fn wire_bytes(&self) -> u64 {
        self.wire_bytes
    }
}

/// One bit of 64 for a name: from its length, its first and its last letter.
#[inline]
fn bit(name: &str) -> u64 {
    let letter = |byte: Option<&u8>| byte.map_or(0, |byte| usize::from(*byte));
    let bytes = name.as_bytes();
    1 << ((bytes.len() * 5 + letter(bytes.first()) * 3 + letter(bytes.last())) % 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_that_is_there_is_found_and_no_other() {
        let mut map = HeaderMap::new();
        for name in ["content-type", "x-request-id", "cf-ray", "date"] {
            map.insert(name, HeaderValue::from_static("here"));
        }
        let fields = Fields::of(&map);
        for name in map.keys() {
            assert_eq!(fields.get(name.as_str()), Some(&b"here"[..]));
        }
        assert_eq!(fields.get("request-id"), None);
        assert_eq!(fields.get("x-request-ie"), None);
        assert_eq!(Fields::of(&HeaderMap::new()).get("date"), None);
        assert_eq!(fields.first_of(&["server", "x-request-id"]), Some(&b"here"[..]));
        assert_eq!(fields.first_of(&["server", "request-id"]), None);
    }
}
