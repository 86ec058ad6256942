//! Which fields of a document are kept.

/// Which part of a JSON value is kept. Arrays are transparent: what is said of a value holds for
/// each element.
#[derive(Debug)]
pub(crate) enum Keep {
    /// The whole value, long strings left empty.
    All,
    /// Of a string how many characters it has, as a number; of anything else nothing.
    Length,
    /// Of an object these fields; of anything else all.
    Fields(&'static [(&'static str, Keep)]),
}

impl Keep {
    /// What is kept of a field, if anything.
    pub(crate) fn field(fields: &'static [(&'static str, Keep)], name: &[u8]) -> Option<&'static Keep> {
        fields
            .iter()
            // Most names differ in their first byte.
            .find(|(n, _)| n.as_bytes().first() == name.first() && n.as_bytes() == name)
            .map(|(_, keep)| keep)
    }
}
