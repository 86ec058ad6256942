//! What the v1 forms of events and tasks share.

use crate::privacy::sha256_hex;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::error::Error;
use crate::event::Details;
use crate::text::Text;

/// The member of `details` and `metadata` under which v1 forms carry what v1 has no field for.
pub(super) const EXTRAS: &str = "_dexcost";

/// The version that each v1 form states.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) enum SchemaVersion {
    #[default]
    #[serde(rename = "1")]
    One,
}

/// Reads a member that must be there, if only as null.
pub(super) fn required<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer)
}

pub(super) fn read<T: DeserializeOwned>(what: &'static str, value: &Value) -> Result<T, Error> {
    T::deserialize(value).map_err(|error| invalid(what, &error))
}

pub(super) fn invalid(what: &'static str, reason: &dyn std::fmt::Display) -> Error {
    Error::InvalidRecord {
        what,
        reason: reason.to_string(),
    }
}

/// Puts the extras into an object, over whatever the user had under our name.
pub(super) fn put_extras<T: Serialize>(object: &mut Details, extras: &T) {
    object.remove(EXTRAS);
    match serde_json::to_value(extras) {
        Ok(Value::Object(extras)) if !extras.is_empty() => {
            object.insert(EXTRAS.to_owned(), Value::Object(extras));
        }
        _ => {}
    }
}

/// Takes the extras out of an object; absent ones are all default.
pub(super) fn take_extras<T: DeserializeOwned + Default>(
    what: &'static str,
    object: &mut Details,
) -> Result<T, Error> {
    object
        .remove(EXTRAS)
        .map_or_else(|| Ok(T::default()), |extras| read(what, &extras))
}

/// The longest id that v1 takes, in characters.
const LONGEST: usize = 256;

/// An id as v1 takes it: an empty one is absent, and one over 256 characters stands as its digest,
/// because cutting it short could make two customers one.
pub(super) fn opaque(id: Option<&Text>) -> Option<Text> {
    let id = id.filter(|id| !id.is_empty())?;
    if id.chars().nth(LONGEST).is_none() {
        return Some(id.clone());
    }
    Some(format!("sha256:{}", sha256_hex(id.as_bytes())).into())
}

/// The first 256 characters.
pub(super) fn clipped(text: &Text) -> Text {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => Text::from(&text[..end]),
        None => text.clone(),
    }
}
