//! What can be wrong with a file, and the checks that every part of it shares.

use yaml_rust2::Yaml;

/// Where in a file something is wrong, and what.
pub(super) struct Fault {
    /// The entry.
    pub(super) at: String,
    /// What is wrong with it.
    pub(super) reason: String,
}

/// What was read, or why it cannot be used.
pub(super) type Read<T> = Result<T, Fault>;

/// An entry that cannot be used.
pub(super) fn fault<T>(at: &str, reason: impl Into<String>) -> Read<T> {
    Err(Fault {
        at: at.to_owned(),
        reason: reason.into(),
    })
}

/// The text of a scalar; a number is its own text.
pub(super) fn scalar(value: &Yaml) -> Option<String> {
    match value {
        Yaml::String(text) | Yaml::Real(text) => Some(text.clone()),
        Yaml::Integer(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The text under a key, if it is there.
pub(super) fn text_at(at: &str, value: &Yaml, key: &str) -> Read<Option<String>> {
    match &value[key] {
        Yaml::BadValue => Ok(None),
        Yaml::String(text) => Ok(Some(text.clone())),
        _ => fault(at, format!("`{key}` must be text")),
    }
}

/// Refuses a map with keys that mean nothing here.
pub(super) fn known_keys(at: &str, value: &Yaml, known: &[&str]) -> Read<()> {
    let Some(map) = value.as_hash() else {
        return fault(at, "a map is needed");
    };
    for key in map.keys() {
        let key = scalar(key).unwrap_or_default();
        if !known.contains(&key.as_str()) {
            return fault(
                at,
                format!("`{key}` is not known here; known are: {}", known.join(", ")),
            );
        }
    }
    Ok(())
}
