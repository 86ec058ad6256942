//! URLs in the texts of details and metadata.

use serde_json::{Map, Value};

use super::authority::scheme_start;
use super::scrub_url;

/// Scrubs every URL in the texts of an object, at every depth.
pub(in crate::privacy) fn scrub_object(object: &mut Map<String, Value>) {
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
pub(super) fn scrub_text(text: &str) -> Option<String> {
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
