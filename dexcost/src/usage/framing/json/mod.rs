//! JSON, scanned as it streams.
//!
//! A [`Scanner`] goes through a document of any size once and copies out only the fields that a
//! [`Keep`] names: the skeleton, itself a small JSON document. Everything else, prompts and answers
//! above all, is skipped in long jumps and never stored. [`Json`] then reads the skeleton lazily,
//! numbers as their exact text.

mod bytes;
mod ends;
mod fields;
mod keep;
mod length;
mod scan;
mod skeleton;
mod skip;
mod view;

pub(crate) use fields::Fields;
pub(crate) use keep::Keep;
pub(crate) use scan::Scanner;
pub(crate) use view::Json;

/// Strings longer than this are no names and no words of a vocabulary; they are left empty.
const LONGEST_TEXT: usize = 512;
