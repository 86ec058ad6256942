//! Short text: a string that stays inline up to 24 bytes.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::ops::Deref;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

/// A short string: model, provider and service names, reasons, versions.
///
/// Up to 24 bytes it lives inline, so that recording an event does not allocate for it. It reads
/// like a `&str` and is made from anything that is one.
///
/// ```
/// use dexcost::Text;
///
/// let model: Text = "gpt-4o".into();
/// assert_eq!(model, "gpt-4o");
/// assert_eq!(model.len(), 6);
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text(CompactString);

impl Text {
    /// An empty text.
    #[must_use]
    pub const fn empty() -> Self {
        Self(CompactString::const_new(""))
    }

    /// A text from a literal, without allocating.
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        Self(CompactString::const_new(text))
    }

    /// As [`from_static`](Self::from_static), for text that is only known when the program runs: the
    /// former is made for constants and copies byte by byte.
    #[inline]
    pub(crate) fn lasting(text: &'static str) -> Self {
        if text.len() <= size_of::<CompactString>() {
            Self(CompactString::new(text))
        } else {
            Self(CompactString::const_new(text))
        }
    }

    /// The text as a string slice.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.0.as_str()
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self.0.as_str()
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        self.0.as_str()
    }
}

impl From<&str> for Text {
    #[inline]
    fn from(text: &str) -> Self {
        Self(CompactString::new(text))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(CompactString::from(text))
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Self {
        Self(CompactString::new(text))
    }
}

impl From<Cow<'_, str>> for Text {
    fn from(text: Cow<'_, str>) -> Self {
        Self(CompactString::from(text))
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0.into_string()
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.0.as_str() == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.0.as_str() == *other
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.0.as_str(), f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0.as_str())
    }
}
/// Whether two names are equal. Those of up to 16 bytes are compared without a call.
#[inline]
pub(crate) fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    match (a.first_chunk::<8>(), b.first_chunk::<8>()) {
        (Some(front), Some(theirs)) if a.len() <= 16 => {
            front == theirs && a.last_chunk::<8>() == b.last_chunk::<8>()
        }
        (Some(_), _) => a == b,
        _ => match (a.first_chunk::<4>(), b.first_chunk::<4>()) {
            (Some(front), Some(theirs)) => front == theirs && a.last_chunk::<4>() == b.last_chunk::<4>(),
            _ => a == b,
        },
    }
}
