//! Lazy reading of a small JSON document: nothing is built, numbers stay text.

use std::borrow::Cow;

use rust_decimal::Decimal;

use super::LONGEST_TEXT;
use super::bytes::{is_blank, mark, quote, scalar_end, starts_scalar};
use crate::text::Text;

/// Whole numbers of so many digits fit 64 bits.
const LONGEST_COUNT: usize = 18;

/// One value of a JSON document, which may be cut off: what is incomplete reads as absent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Json<'a> {
    raw: &'a [u8],
    extent: Extent,
}

/// How far the bytes of a value go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
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

    const fn open(raw: &'a [u8]) -> Self {
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
        let is_object = self.is_object();
        Fields {
            bytes: self.raw,
            at: 1,
            place: if is_object { Place::Opened } else { Place::Cut },
            is_orderly: true,
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

/// Fields of an object.
pub(crate) struct Fields<'a> {
    /// The object and whatever follows it; empty where there is none.
    bytes: &'a [u8],
    /// How far it was gone through.
    at: usize,
    place: Place,
    /// Whether all that was gone through is as the grammar wants it.
    is_orderly: bool,
}

/// Where in an object one stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Behind the opening brace.
    Opened,
    /// At a container, or at a value that is cut off.
    Value,
    /// Behind a value.
    Passed,
    /// Behind the object.
    Closed,
    /// The object is cut off, or is none.
    Cut,
}

impl<'a> Fields<'a> {
    /// What follows the object, once all its fields were seen; `None` where it is cut off.
    pub(crate) fn after(&self) -> Option<&'a [u8]> {
        match self.place {
            Place::Closed => self.bytes.get(self.at..),
            _ => None,
        }
    }

    /// The same, where all that was gone through on the way is as the grammar wants it. Containers that were
    /// passed count as orderly where their brackets match and none ends after a comma.
    pub(crate) fn after_order(&self) -> Option<&'a [u8]> {
        self.after().filter(|_| self.is_orderly)
    }

    /// The rest of the object in which this one stands as a value, once all its fields were seen.
    pub(crate) fn outer(&self) -> Self {
        Self {
            bytes: self.bytes,
            at: self.at,
            place: match self.place {
                Place::Closed => Place::Passed,
                _ => Place::Cut,
            },
            is_orderly: true,
        }
    }

    /// The value of the last field, and whatever follows it.
    fn value(&self) -> &'a [u8] {
        match self.place {
            Place::Value => self.bytes.get(self.at..).unwrap_or_default(),
            _ => &[],
        }
    }

    /// The fields of the object that is the value of the last field. To be followed by
    /// [`leave`](Self::leave), so that the object need not be passed again.
    pub(crate) fn enter(&self) -> Self {
        Json::open(self.value()).fields()
    }

    /// Goes on after an object that was gone through.
    pub(crate) fn leave(&mut self, inner: &Self) {
        if inner.place == Place::Closed {
            self.at += inner.at;
            self.place = Place::Passed;
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

    /// Goes through the objects of the array that is the value of the last field. What is no such array is
    /// left to be passed.
    pub(crate) fn each(&mut self, mut see: impl FnMut(&mut Self)) {
        let passed = self.elements(&mut see);
        self.is_orderly &= passed.is_some();
        if let Some(length) = passed {
            self.at += length;
            self.place = Place::Passed;
        }
    }

    /// The length of the array, where it is one of objects only.
    fn elements(&mut self, see: &mut impl FnMut(&mut Self)) -> Option<usize> {
        let value = self.value().strip_prefix(b"[")?;
        let mut at = past_blanks(value, 0);
        if *value.get(at)? == b']' {
            return Some(at + 2);
        }
        loop {
            let object = value.get(at..)?;
            let mut inner = Json::open(object).fields();
            see(&mut inner);
            inner.by_ref().for_each(drop);
            at = past_blanks(value, at + object.len() - inner.after()?.len());
            self.is_orderly &= inner.is_orderly;
            match value.get(at)? {
                b',' => at = past_blanks(value, at + 1),
                b']' => return Some(at + 2),
                _ => return None,
            }
        }
    }

    /// Notes that a container is read here in part whose whole order would have to be looked at.
    pub(crate) fn leave_order_open(&mut self) {
        self.is_orderly = false;
    }

    /// Goes to the next field; its name, and where its value stands. `None` at the end of the object and of
    /// what is in sight.
    #[inline]
    fn advance(&mut self) -> Option<(&'a [u8], usize)> {
        let bytes = self.bytes;
        let from = match std::mem::replace(&mut self.place, Place::Cut) {
            place @ (Place::Closed | Place::Cut) => {
                self.place = place;
                return None;
            }
            Place::Opened | Place::Passed => self.at,
            Place::Value => self.at + value_end(bytes.get(self.at..)?)?,
        };
        let is_first = from == 1;
        let mut at = past_blanks(bytes, from);
        match bytes.get(at)? {
            b'}' => {
                self.at = at + 1;
                self.place = Place::Closed;
                return None;
            }
            b',' if !is_first => at = past_blanks(bytes, at + 1),
            _ if !is_first => return None,
            _ => {}
        }
        if *bytes.get(at)? != b'"' {
            return None;
        }
        let end = quote(bytes, at + 1).ok()?;
        let name = bytes.get(at + 1..end)?;
        at = past_blanks(bytes, end + 1);
        if *bytes.get(at)? != b':' {
            return None;
        }
        Some((name, past_blanks(bytes, at + 1)))
    }

    /// Passes a value, if it is no container and its end is in sight; else stays there.
    #[inline]
    fn pass(&mut self, at: usize) -> Option<Json<'a>> {
        let value = self.bytes.get(at..)?;
        let end = match value.first()? {
            b'{' | b'[' => None,
            b'"' => string_end(value),
            first => match scalar_end(value) {
                Some(end) if end > 0 => {
                    self.is_orderly &= starts_scalar(*first);
                    Some((end, Extent::Scalar))
                }
                _ => None,
            },
        };
        let Some((end, extent)) = end else {
            self.at = at;
            self.place = Place::Value;
            return Some(Json::open(value));
        };
        self.at = at + end;
        self.place = Place::Passed;
        let raw = value.get(..end)?;
        Some(Json { raw, extent })
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a [u8], Json<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (name, at) = self.advance()?;
            let value = self.pass(at)?;
            if !value.raw.starts_with(b"null") {
                return Some((name, value));
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
        Some(Json::open(rest))
    }
}

/// Where the value ends that `bytes` start with; `None` where it is cut off, or there is none.
fn value_end(bytes: &[u8]) -> Option<usize> {
    match bytes.first()? {
        b'"' => text_end(bytes, 1),
        b'{' | b'[' => container_end(bytes),
        _ => scalar_end(bytes).filter(|end| *end > 0),
    }
}

/// Where the string ends that `bytes` start with, and whether it has escapes.
#[inline]
fn string_end(bytes: &[u8]) -> Option<(usize, Extent)> {
    let first = 1 + mark(bytes.get(1..)?)?;
    if *bytes.get(first)? == b'"' {
        return Some((first + 1, Extent::Plain));
    }
    Some((text_end(bytes, first)?, Extent::Escaped))
}

/// One past the quote that ends the string in which `bytes[from..]` lies.
fn text_end(bytes: &[u8], from: usize) -> Option<usize> {
    quote(bytes, from).ok().map(|end| end + 1)
}

/// Brackets match, as far as they are worth following, and no container ends after a comma.
fn container_end(bytes: &[u8]) -> Option<usize> {
    let (mut depth, mut objects) = (0u32, 0u64);
    let mut at = 0;
    loop {
        let byte = *bytes.get(at)?;
        match byte {
            b'"' => {
                at = text_end(bytes, at + 1)?;
                continue;
            }
            b'{' | b'[' => {
                depth = depth.saturating_add(1);
                if depth <= u64::BITS {
                    objects = objects << 1 | u64::from(byte == b'{');
                }
            }
            b'}' | b']' => {
                let is_other = depth <= u64::BITS && (objects & 1 == 1) != (byte == b'}');
                if is_other || bytes[..at].trim_ascii_end().ends_with(b",") {
                    return None;
                }
                if depth <= u64::BITS {
                    objects >>= 1;
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

fn trim_start(bytes: &[u8]) -> &[u8] {
    bytes.get(past_blanks(bytes, 0)..).unwrap_or_default()
}

/// The first place from `at` on that is no blank.
#[inline]
fn past_blanks(bytes: &[u8], mut at: usize) -> usize {
    // Nearly all JSON is compact, and blanks are below all that has a meaning.
    while let Some(byte) = bytes.get(at)
        && *byte <= b' '
        && is_blank(*byte)
    {
        at += 1;
    }
    at
}
