//! Names put together on the stack.

use crate::pricing::table::LONGEST_NAME;

/// Room for a name put together from pieces.
pub(super) struct Joined {
    bytes: [u8; LONGEST_NAME],
    len: usize,
}

impl Joined {
    /// The pieces in a row; `None` where they are longer than any name of the tables.
    #[inline]
    pub(super) fn of(pieces: &[&[u8]]) -> Option<Self> {
        let mut joined = Self {
            bytes: [0; LONGEST_NAME],
            len: 0,
        };
        for piece in pieces {
            let end = joined.len + piece.len();
            joined.bytes.get_mut(joined.len..end)?.copy_from_slice(piece);
            joined.len = end;
        }
        Some(joined)
    }

    #[inline]
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Writes one letter for another.
    pub(super) fn replace(&mut self, from: u8, to: u8) {
        self.bytes
            .iter_mut()
            .filter(|byte| **byte == from)
            .for_each(|byte| *byte = to);
    }
}
