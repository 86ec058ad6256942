//! Lazy reading of a small JSON document: nothing is built, numbers stay text.

use std::borrow::Cow;

use rust_decimal::Decimal;

use super::LONGEST_TEXT;
use super::bytes::{is_blank, is_scalar, plain_text, quote, scalar_end};
use crate::text::Text;

/// Whole numbers of so many digits fit 64 bits.
const LONGEST_COUNT: usize = 18;

/// One value of a JSON document, which may be cut off: what is incomplete reads as absent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Json<'a> {
    /// The value and whatever follows it.
    raw: &'a [u8],
}

impl<'a> Json<'a> {
    /// The root value of a document.
    pub(crate) fn new(document: &'a [u8]) -> Self {
        Self {
            raw: trim_start(document),
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
        Fields {
            rest: self.raw.strip_prefix(b"{").unwrap_or_default(),
            value: &[],
            is_first: true,
        }
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

    /// The string, where it is one of a length that names have; never an empty one.
    pub(crate) fn text(self) -> Option<Text> {
        self.str()
            .filter(|text| !text.is_empty())
            .map(|text| Text::from(&*text))
    }

    /// The string, where it is one of a length that names have.
    pub(crate) fn str(self) -> Option<Cow<'a, str>> {
        if let [b'"', inner @ ..] = self.raw
            && let Some(end) = plain_text(inner, LONGEST_TEXT + 1)
        {
            return std::str::from_utf8(&inner[..end]).ok().map(Cow::Borrowed);
        }
        let end = value_end(self.raw)?;
        let inner = self.raw.get(1..end.checked_sub(1)?)?;
        if self.raw[0] != b'"' || inner.len() > LONGEST_TEXT {
            return None;
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
        let mut count = 0;
        for (at, byte) in self.raw.iter().take(LONGEST_COUNT + 1).enumerate() {
            match byte {
                b'0'..=b'9' => count = count * 10 + u64::from(byte - b'0'),
                byte if at == 0 || is_scalar(*byte) => break,
                _ => return Some(Decimal::from(count)),
            }
        }
        decimal(std::str::from_utf8(self.scalar()?).ok()?)
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
    fn scalar(self) -> Option<&'a [u8]> {
        let end = scalar_end(self.raw)?;
        (end > 0).then(|| &self.raw[..end])
    }
}

/// Digits that a binary float added ("7.099999999999999e-05") are kept; only more than fit a
/// decimal are refused.
fn decimal(text: &str) -> Option<Decimal> {
    crate::money::parse(text).ok()
}

/// Fields of an object.
pub(crate) struct Fields<'a> {
    /// What follows the last value, if it is known where that ends.
    rest: &'a [u8],
    /// The last value, until it is passed.
    value: &'a [u8],
    /// Whether no field was seen yet, so that no comma precedes the next.
    is_first: bool,
}

impl<'a> Fields<'a> {
    /// What follows the object, once all its fields were seen; `None` where it is cut off.
    pub(crate) fn after(&self) -> Option<&'a [u8]> {
        trim_start(self.rest).strip_prefix(b"}")
    }

    /// The fields of the object that is the value of the last field. To be followed by
    /// [`leave`](Self::leave), so that the object need not be passed again.
    pub(crate) fn enter(&self) -> Self {
        Json { raw: self.value }.fields()
    }

    /// Goes on after an object that was gone through.
    pub(crate) fn leave(&mut self, inner: &Self) {
        if let Some(rest) = inner.after() {
            self.rest = rest;
            self.value = &[];
        }
    }

    /// Goes through the fields of the object that is the value of the last field.
    pub(crate) fn inside(&mut self, mut see: impl FnMut(&[u8], Json<'a>)) {
        let mut inner = self.enter();
        for (name, value) in &mut inner {
            see(name, value);
        }
        self.leave(&inner);
    }

    /// Goes through the objects of the array that is the value of the last field.
    pub(crate) fn each(&mut self, mut see: impl FnMut(&mut Self)) {
        let [b'[', elements @ ..] = self.value else { return };
        let mut rest = trim_start(elements);
        while rest.starts_with(b"{") {
            let mut inner = Json { raw: rest }.fields();
            see(&mut inner);
            inner.by_ref().for_each(drop);
            let Some(after) = inner.after() else { return };
            rest = trim_start(after);
            if let [b',', next @ ..] = rest {
                rest = trim_start(next);
            }
        }
        if let [b']', after @ ..] = rest {
            self.rest = after;
            self.value = &[];
        }
    }

    /// Goes to the end of the last value.
    fn pass(&mut self) {
        let value = std::mem::take(&mut self.value);
        if !value.is_empty() {
            self.rest = &value[value_end(value).unwrap_or(value.len())..];
        }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a [u8], Json<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.pass();
            let rest = std::mem::take(&mut self.rest);
            let rest = match trim_start(rest) {
                [b',', name @ ..] if !self.is_first => trim_start(name),
                name if self.is_first => name,
                end => {
                    self.rest = end;
                    return None;
                }
            };
            let [b'"', named @ ..] = rest else {
                self.rest = if self.is_first { rest } else { &[] };
                return None;
            };
            self.is_first = false;
            let end = quote(named, 0).ok()?;
            let (name, rest) = (&named[..end], trim_start(&named[end + 1..]));
            let value = trim_start(rest.strip_prefix(b":")?);
            self.value = value;
            if !value.starts_with(b"null") && !value.is_empty() {
                return Some((name, Json { raw: value }));
            }
        }
    }
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
        Some(Json { raw: rest })
    }
}

/// Where the value ends that `bytes` start with; `None` where it is cut off.
fn value_end(bytes: &[u8]) -> Option<usize> {
    match bytes.first()? {
        b'"' => text_end(bytes, 1),
        b'{' | b'[' => container_end(bytes),
        _ => scalar_end(bytes),
    }
}

/// One past the quote that ends the string in which `bytes[from..]` lies.
fn text_end(bytes: &[u8], from: usize) -> Option<usize> {
    quote(bytes, from).ok().map(|end| end + 1)
}

/// No container ends after a comma.
fn container_end(bytes: &[u8]) -> Option<usize> {
    let mut depth = 0usize;
    let mut at = 0;
    loop {
        match bytes.get(at)? {
            b'"' => {
                at = text_end(bytes, at + 1)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                if bytes[..at].trim_ascii_end().ends_with(b",") {
                    return None;
                }
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
}

#[inline]
fn trim_start(bytes: &[u8]) -> &[u8] {
    match bytes {
        [first, ..] if *first > b' ' => bytes,
        _ => past_blanks(bytes),
    }
}

fn past_blanks(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes;
    while let [first, more @ ..] = rest
        && is_blank(*first)
    {
        rest = more;
    }
    rest
}
