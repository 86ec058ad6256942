//! The fields of an object, one after the other, and how orderly the way to them was.

use super::bytes::{quote, scalar_end, starts_scalar};
use super::ends::{past_blanks, string_end, value_end};
use super::view::{Extent, Json};

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
    /// The fields of the object that these bytes start with; none where they start with none.
    #[inline]
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        let is_object = bytes.first() == Some(&b'{');
        Self {
            bytes,
            at: 1,
            place: if is_object { Place::Opened } else { Place::Cut },
            is_orderly: true,
        }
    }

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
        Self::of(self.value())
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
            let mut inner = Self::of(object);
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
