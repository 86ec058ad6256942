//! The size limit of metadata and details.

use serde_json::Value;

use crate::canonical::size_of_object;
use crate::event::Details;

/// The most bytes of canonical JSON that metadata or details may take.
pub(super) const MOST_BYTES: usize = 10_240;

/// Puts a note in the place of an object over the limit.
pub(super) fn limit(object: &mut Details) {
    if object.is_empty() {
        return;
    }
    let size = size_of_object(object);
    if size <= MOST_BYTES {
        return;
    }
    *object = Details::new();
    object.insert("_truncated".to_owned(), Value::Bool(true));
    object.insert("_original_size_bytes".to_owned(), Value::from(size));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of_size(bytes: usize) -> Details {
        let frame = r#"{"k":""}"#.len();
        Details::from_iter([(
            "k".to_owned(),
            Value::from("é".repeat(4) + &"x".repeat(bytes - frame - 8)),
        )])
    }

    #[test]
    fn metadata_of_just_the_limit_is_kept() {
        let mut metadata = of_size(10_240);
        let before = metadata.clone();
        limit(&mut metadata);
        assert_eq!(metadata, before);
    }

    #[test]
    fn one_byte_more_leaves_a_note_of_the_size() {
        let mut metadata = of_size(10_241);
        limit(&mut metadata);
        assert_eq!(
            Value::Object(metadata),
            json!({"_truncated": true, "_original_size_bytes": 10_241})
        );
    }
}
