//! Lazy reading of a small JSON document: nothing is built, numbers stay text.

use std::borrow::Cow;

use rust_decimal::Decimal;

use super::LONGEST_TEXT;
use super::bytes::scalar_end;
use super::ends::{trim_start, value_end};
use super::fields::Fields;
use crate::text::Text;

/// Whole numbers of so many digits fit 64 bits.
const LONGEST_COUNT: usize = 18;

/// One value of a JSON document, which may be cut off: what is incomplete reads as absent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Json<'a> {
    pub(super) raw: &'a [u8],
    pub(super) extent: Extent,
}

/// How far the bytes of a value go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// Whatever follows the value is there too; the value itself may be cut off.
    Open,
    /// They are a number, `true` or `false`, and no more.
    Scalar,
    /// They are a string without escapes, and no more.
    Plain,
    /// They are a string, and no more.
    Escaped,
}

impl<'a> Json<'a> {
    /// The root value of a document.
    pub(crate) fn new(document: &'a [u8]) -> Self {
        Self::open(trim_start(document))
    }

    pub(super) const fn open(raw: &'a [u8]) -> Self {
        Self {
            raw,
            extent: Extent::Open,
        }
    }

    /// The field of an object; absent, `null` and "not an object" are all `None`. Of a name that
    /// occurs twice the last value counts.
    pub(crate) fn get(self, name: &str) -> Option<Self> {
        self.fields()
            .filter(|(n, _)| *n == name.as_bytes())
            .last()
            .map(|(_, value)| value)
    }

    /// The fields of an object that are not `null`, in order; none where it is no object.
    pub(crate) fn fields(self) -> Fields<'a> {
        Fields::of(self.raw)
    }

    /// The elements of an array; none where it is no array.
    pub(crate) fn items(self) -> Items<'a> {
        Items {
            rest: self.raw.strip_prefix(b"[").unwrap_or_default(),
        }
    }

    pub(crate) fn is_object(self) -> bool {
        self.raw.first() == Some(&b'{')
    }

    pub(crate) fn is_array(self) -> bool {
        self.raw.first() == Some(&b'[')
    }

    pub(crate) fn is_null(self) -> bool {
        self.raw.starts_with(b"null")
    }

    /// Whether it is a string, object or array with nothing in it.
    pub(crate) fn is_empty(self) -> bool {
        match self.raw.split_first() {
            Some((b'{', rest)) => trim_start(rest).starts_with(b"}"),
            Some((b'[', rest)) => trim_start(rest).starts_with(b"]"),
            Some((b'"', rest)) => rest.starts_with(b"\""),
            _ => false,
        }
    }

    /// How many characters (code points) a string of any length has.
    pub(crate) fn characters(self) -> Option<u64> {
        let end = value_end(self.raw)?;
        let inner = self.raw.strip_prefix(b"\"")?.get(..end.checked_sub(2)?)?;
        let mut count = 0;
        let mut at = 0;
        while let Some(byte) = inner.get(at) {
            let (length, counts) = match (byte, inner.get(at + 1..at + 4)) {
                // The second half of a pair belongs to the first.
                (b'\\', Some([b'u', b'd' | b'D', half])) => {
                    (6, matches!(half, b'0'..=b'9' | b'a' | b'A' | b'b' | b'B'))
                }
                (b'\\', _) if inner.get(at + 1) == Some(&b'u') => (6, true),
                (b'\\', _) => (2, true),
                // A byte that goes on with a character.
                (0x80..=0xbf, _) => (1, false),
                _ => (1, true),
            };
            at += length;
            count += u64::from(counts);
        }
        Some(count)
    }

    /// Whether it is this string, written without escapes.
    pub(crate) fn is_word(self, word: &str) -> bool {
        self.behind(word).is_some_and(|rest| rest.starts_with(b"\""))
    }

    /// Whether it is a string that begins like this, written without escapes.
    pub(crate) fn begins_with(self, word: &str) -> bool {
        self.behind(word).is_some()
    }

    fn behind(self, word: &str) -> Option<&'a [u8]> {
        self.raw.strip_prefix(b"\"")?.strip_prefix(word.as_bytes())
    }

    /// The string, where it is one of a length that names have; never an empty one.
    pub(crate) fn text(self) -> Option<Text> {
        self.str()
            .filter(|text| !text.is_empty())
            .map(|text| Text::from(&*text))
    }

    /// The string, where it is one of a length that names have.
    pub(crate) fn str(self) -> Option<Cow<'a, str>> {
        if self.extent == Extent::Plain
            && let [b'"', inner @ .., b'"'] = self.raw
        {
            let text = Some(inner).filter(|inner| inner.len() <= LONGEST_TEXT)?;
            return std::str::from_utf8(text).ok().map(Cow::Borrowed);
        }
        let end = value_end(self.raw)?;
        let inner = self.raw.get(1..end.checked_sub(1)?)?;
        if self.raw[0] != b'"' || inner.len() > LONGEST_TEXT {
            return None;
        }
        if memchr::memchr(b'\\', inner).is_none() {
            return std::str::from_utf8(inner).ok().map(Cow::Borrowed);
        }
        serde_json::from_slice(&self.raw[..end]).ok().map(Cow::Owned)
    }

    /// The string, where it is a literal without escapes.
    pub(crate) fn word(self) -> Option<&'a str> {
        match self.str()? {
            Cow::Borrowed(word) => Some(word),
            Cow::Owned(_) => None,
        }
    }

    pub(crate) fn truth(self) -> Option<bool> {
        match self.scalar()? {
            b"true" => Some(true),
            b"false" => Some(false),
            _ => None,
        }
    }

    /// Whether it is `false`, zero, or an empty string, object or array.
    pub(crate) fn is_nothing(self) -> bool {
        self.is_empty() || self.truth() == Some(false) || self.number().is_some_and(|number| number.is_zero())
    }

    /// The number, exactly as written; `None` where it is none or has more digits than a decimal.
    #[inline]
    pub(crate) fn number(self) -> Option<Decimal> {
        let digits = self.scalar()?;
        match count(digits) {
            Some(count) => Some(Decimal::from(count)),
            None => decimal(std::str::from_utf8(digits).ok()?),
        }
    }

    /// The number, also where it is written as a string.
    pub(crate) fn amount(self) -> Option<Decimal> {
        self.number().or_else(|| decimal(self.word()?))
    }

    /// Whether it is a number, be it too long to be read.
    pub(crate) fn is_number(self) -> bool {
        matches!(self.raw.first(), Some(b'0'..=b'9' | b'-'))
    }

    /// A scalar whose end is in sight: digits at a cut may be half a number.
    #[inline]
    fn scalar(self) -> Option<&'a [u8]> {
        if self.extent == Extent::Scalar {
            return Some(self.raw);
        }
        let end = scalar_end(self.raw)?;
        (end > 0).then(|| &self.raw[..end])
    }
}

/// A whole number of few digits.
#[inline]
fn count(digits: &[u8]) -> Option<u64> {
    if digits.len() > LONGEST_COUNT {
        return None;
    }
    digits.iter().try_fold(0u64, |count, digit| match digit {
        b'0'..=b'9' => Some(count * 10 + u64::from(digit - b'0')),
        _ => None,
    })
}

/// Digits that a binary float added ("7.099999999999999e-05") are kept; only more than fit a
/// decimal are refused.
fn decimal(text: &str) -> Option<Decimal> {
    crate::money::parse(text).ok()
}

/// Elements of an array.
pub(crate) struct Items<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Items<'a> {
    type Item = Json<'a>;

    fn next(&mut self) -> Option<Json<'a>> {
        let rest = trim_start(self.rest);
        let rest = trim_start(rest.strip_prefix(b",").unwrap_or(rest));
        self.rest = &[];
        if rest.is_empty() || rest[0] == b']' {
            return None;
        }
        let end = value_end(rest).unwrap_or(rest.len());
        if end > 0 {
            self.rest = &rest[end..];
        }
        Some(Json::open(rest))
    }
}
