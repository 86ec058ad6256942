//! Fields on bytes: a key of number and kind, then a varint or so many bytes.
//!
//! A reader skips fields that it does not know, so a later version may add some.

use rust_decimal::Decimal;

use super::Malformed;

/// Writes fields to a buffer that is used again and again.
#[derive(Debug, Default)]
pub(crate) struct Encoder {
    pub(crate) bytes: Vec<u8>,
}

impl Encoder {
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
    }

    pub(crate) fn number(&mut self, field: u8, value: u64) {
        self.bytes.push(field << 1);
        self.varint(u128::from(value));
    }

    /// A number that is left out where it is zero.
    pub(crate) fn count(&mut self, field: u8, value: u64) {
        if value != 0 {
            self.number(field, value);
        }
    }

    pub(crate) fn blob(&mut self, field: u8, value: &[u8]) {
        self.bytes.push((field << 1) | 1);
        self.varint(value.len() as u128);
        self.bytes.extend_from_slice(value);
    }

    pub(crate) fn text(&mut self, field: u8, value: Option<&str>) {
        if let Some(value) = value {
            self.blob(field, value.as_bytes());
        }
    }

    pub(crate) fn decimal(&mut self, field: u8, value: Decimal) {
        self.nested(field, |inner| inner.bare_decimal(value));
    }

    /// A field whose length is known only when it is written; short ones are moved by no byte.
    pub(crate) fn nested(&mut self, field: u8, write: impl FnOnce(&mut Self)) {
        self.bytes.push((field << 1) | 1);
        let at = self.bytes.len();
        self.bytes.push(0);
        write(self);
        let length = self.bytes.len() - at - 1;
        if length < 0x80 {
            self.bytes[at] = length as u8;
            return;
        }
        let mut prefix = Self::default();
        prefix.varint(length as u128);
        self.bytes.splice(at..=at, prefix.bytes);
    }

    pub(crate) fn byte(&mut self, value: u8) {
        self.bytes.push(value);
    }

    /// Sign and scale in a byte, then the digits as a number.
    pub(crate) fn bare_decimal(&mut self, value: Decimal) {
        let sign = if value.is_sign_negative() { 0x80 } else { 0 };
        self.bytes.push(value.scale() as u8 | sign);
        self.varint(value.mantissa().unsigned_abs());
    }

    fn varint(&mut self, mut value: u128) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }
}

/// One field as it was read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'a> {
    Number(u64),
    Blob(&'a [u8]),
}

impl<'a> Value<'a> {
    pub(crate) fn number(self) -> Result<u64, Malformed> {
        match self {
            Self::Number(value) => Ok(value),
            Self::Blob(_) => Err(Malformed("a number is bytes")),
        }
    }

    pub(crate) fn blob(self) -> Result<&'a [u8], Malformed> {
        match self {
            Self::Blob(value) => Ok(value),
            Self::Number(_) => Err(Malformed("bytes are a number")),
        }
    }

    pub(crate) fn text(self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.blob()?).map_err(|_| Malformed("text is not UTF-8"))
    }

    pub(crate) fn decimal(self) -> Result<Decimal, Malformed> {
        Decoder::new(self.blob()?).bare_decimal()
    }

    pub(crate) fn id(self) -> Result<[u8; 16], Malformed> {
        self.blob()?
            .try_into()
            .map_err(|_| Malformed("an id is not 16 bytes"))
    }
}

/// Reads what [`Encoder`] wrote.
#[derive(Debug)]
pub(crate) struct Decoder<'a> {
    bytes: &'a [u8],
}

impl<'a> Decoder<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// The next field, or `None` at the end.
    pub(crate) fn field(&mut self) -> Result<Option<(u8, Value<'a>)>, Malformed> {
        let Some(key) = self.byte()? else { return Ok(None) };
        let value = self.varint()?;
        if key & 1 == 0 {
            let value = u64::try_from(value).map_err(|_| Malformed("a number is too large"))?;
            return Ok(Some((key >> 1, Value::Number(value))));
        }
        let length = usize::try_from(value).map_err(|_| Malformed("a length is too large"))?;
        let (blob, rest) = self
            .bytes
            .split_at_checked(length)
            .ok_or(Malformed("bytes are missing"))?;
        self.bytes = rest;
        Ok(Some((key >> 1, Value::Blob(blob))))
    }

    pub(crate) fn byte(&mut self) -> Result<Option<u8>, Malformed> {
        let Some((first, rest)) = self.bytes.split_first() else {
            return Ok(None);
        };
        self.bytes = rest;
        Ok(Some(*first))
    }

    pub(crate) fn bare_decimal(&mut self) -> Result<Decimal, Malformed> {
        let head = self.byte()?.ok_or(Malformed("a decimal is empty"))?;
        let size = i128::try_from(self.varint()?).map_err(|_| Malformed("a decimal is too large"))?;
        let size = if head & 0x80 == 0 { size } else { -size };
        Decimal::try_from_i128_with_scale(size, u32::from(head & 0x7F))
            .map_err(|_| Malformed("a decimal is out of range"))
    }

    fn varint(&mut self) -> Result<u128, Malformed> {
        // Most numbers are a byte.
        if let Some((first, rest)) = self.bytes.split_first()
            && first & 0x80 == 0
        {
            self.bytes = rest;
            return Ok(u128::from(*first));
        }
        let mut value = 0u128;
        for shift in (0..=119).step_by(7) {
            let byte = self.byte()?.ok_or(Malformed("a number is cut off"))?;
            value |= u128::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed("a number is too long"))
    }
}
