//! How the items of a stream are handed on.

/// A piece of an item of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// A whole item, which lay in one chunk.
    Whole(&'a [u8]),
    /// The next part of an item.
    Part(&'a [u8]),
    /// The end of the item whose parts came before.
    End,
}
