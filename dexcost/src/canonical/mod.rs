//! Canonical JSON: one text for one value, so that hashes and comparisons mean something.
//!
//! The rules:
//! - keys sorted by their UTF-8 bytes, no blanks between tokens;
//! - characters stand unescaped except where JSON wants an escape;
//! - money and quantities are plain decimal strings (they reach this module as text already);
//! - numbers stay as they are. A [`Value`] cannot hold a non-finite one, so none can come out.
//!
//! Beside it stand the v1 forms of events and tasks, which other SDKs and the Control Layer read:
//! [`Event::to_v1`](crate::Event::to_v1) and [`Task::to_v1`](crate::Task::to_v1).

mod event_v1;
mod task_v1;
mod v1;

use std::fmt::Write;

use serde_json::{Map, Value};

/// The canonical text of a JSON value.
///
/// The order in which the members were inserted does not matter, whatever map `serde_json` was
/// built with.
///
/// ```
/// use dexcost::canonical;
/// use serde_json::json;
///
/// let value = json!({"é": "π\n", "b": [1, 2.5, null], "a": {"z": true, "y": "0.002"}});
/// assert_eq!(canonical::to_string(&value), r#"{"a":{"y":"0.002","z":true},"b":[1,2.5,null],"é":"π\n"}"#);
/// ```
#[must_use]
pub fn to_string(value: &Value) -> String {
    let mut out = String::new();
    write_value(value, &mut out);
    out
}

fn write_value(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        // Writing to a string cannot fail.
        Value::Number(number) => write!(out, "{number}").unwrap_or_default(),
        Value::String(text) => write_text(text, out),
        Value::Array(items) => write_array(items, out),
        Value::Object(members) => write_object(members, out),
    }
}

fn write_array(items: &[Value], out: &mut String) {
    out.push('[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_value(item, out);
    }
    out.push(']');
}

fn write_object(members: &Map<String, Value>, out: &mut String) {
    // A map may keep insertion order: any crate of the graph can switch that on.
    let mut sorted: Vec<_> = members.iter().collect();
    sorted.sort_unstable_by_key(|(key, _)| key.as_str());
    out.push('{');
    for (index, (key, value)) in sorted.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_text(key, out);
        out.push(':');
        write_value(value, out);
    }
    out.push('}');
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match escape(character) {
            Some(escape) => out.push_str(escape),
            None if character < ' ' => {
                write!(out, "\\u{:04x}", u32::from(character)).unwrap_or_default();
            }
            None => out.push(character),
        }
    }
    out.push('"');
}

/// The escape that JSON has a short form for.
const fn escape(character: char) -> Option<&'static str> {
    match character {
        '"' => Some("\\\""),
        '\\' => Some("\\\\"),
        '\u{8}' => Some("\\b"),
        '\u{c}' => Some("\\f"),
        '\n' => Some("\\n"),
        '\r' => Some("\\r"),
        '\t' => Some("\\t"),
        _ => None,
    }
}

/// How many bytes [`to_string`] would yield for an object, without building the text.
pub(crate) fn size_of_object(members: &Map<String, Value>) -> usize {
    let separators = members.len().saturating_sub(1);
    let parts: usize = members
        .iter()
        .map(|(key, value)| size_of_text(key) + 1 + size_of(value))
        .sum();
    2 + separators + parts
}

fn size_of(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(true) => 4,
        Value::Bool(false) => 5,
        Value::Number(number) => {
            let mut counter = Counter(0);
            write!(counter, "{number}").unwrap_or_default();
            counter.0
        }
        Value::String(text) => size_of_text(text),
        Value::Array(items) => 2 + items.len().saturating_sub(1) + items.iter().map(size_of).sum::<usize>(),
        Value::Object(members) => size_of_object(members),
    }
}

fn size_of_text(text: &str) -> usize {
    let extra = |byte: u8| match escape(char::from(byte)) {
        Some(_) => 1,
        None if byte < b' ' => 5,
        None => 0,
    };
    2 + text.len() + text.bytes().map(extra).sum::<usize>()
}

struct Counter(usize);

impl Write for Counter {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod arbitrary;

#[cfg(test)]
mod tests {
    use super::arbitrary::json;
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn only_what_json_must_escape_is_escaped() {
        let text = to_string(&json!("\u{0}\u{1f}\u{7f}\u{2028}/é😀\"\\"));
        assert_eq!(text, "\"\\u0000\\u001f\u{7f}\u{2028}/é😀\\\"\\\\\"");
    }

    #[test]
    fn keys_sort_by_bytes_and_not_by_utf16_units() {
        let text = to_string(&json!({"\u{ffff}": 1, "\u{10000}": 2, "a": 3, "Z": 4, "": 5}));
        assert_eq!(text, "{\"\":5,\"Z\":4,\"a\":3,\"\u{ffff}\":1,\"\u{10000}\":2}");
    }

    proptest! {
        #[test]
        fn canonical_json_reads_back_as_the_same_value(value in json()) {
            let text = to_string(&value);
            let back: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&back, &value);
            prop_assert_eq!(to_string(&back), text);
        }

        #[test]
        fn the_size_is_known_without_writing(value in json()) {
            prop_assert_eq!(size_of(&value), to_string(&value).len());
        }
    }
}
