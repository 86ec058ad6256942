//! Framing: from bytes on the wire to JSON values, without I/O and without knowing any provider.
//!
//! Everything here is fed in arbitrary chunks, gives the same result for any chunking, holds a
//! bounded amount of memory whatever it is fed, and never panics. What cannot be read is marked in
//! the result; nothing is an error, because the bytes belong to somebody else.

mod base64;
mod coding;
mod elements;
pub(crate) mod frames;
mod json;
mod lines;
mod multipart;
mod piece;
mod rows;
mod sse;
mod wrapped;

pub(crate) use coding::Decoder;
pub(crate) use elements::Elements;
pub(crate) use frames::{Frame, Frames};
pub(crate) use json::{Fields, Json, Keep, Scanner};
pub(crate) use lines::Lines;
pub(crate) use multipart::Multipart;
pub(crate) use piece::Piece;
pub(crate) use rows::Rows;
pub(crate) use sse::Sse;
pub(crate) use wrapped::Wrapped;
