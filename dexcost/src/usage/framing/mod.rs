//! Framing: from bytes on the wire to JSON values, without I/O and without knowing any provider.
//!
//! Everything here is fed in arbitrary chunks, gives the same result for any chunking, holds a
//! bounded amount of memory whatever it is fed, and never panics. What cannot be read is marked in
//! the result; nothing is an error, because the bytes belong to somebody else.

mod coding;
mod json;
mod sse;

pub(crate) use coding::Decoder;
pub(crate) use json::{Fields, Json, Keep, Scanner};
pub(crate) use sse::{Piece, Sse};
