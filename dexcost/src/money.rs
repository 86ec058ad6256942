//! Money: exact decimals, checked sums, plain notation.
//!
//! Every amount is a [`Decimal`] in US dollars. Nothing here rounds in silence: a sum or product
//! that does not fit 28 digits exactly is `None`, and the caller records it as unknown.

use rust_decimal::Decimal;

use crate::error::Error;

/// The exact sum, or `None` where it overflows or would lose a digit.
///
/// ```
/// use dexcost::{dec, money};
///
/// assert_eq!(money::exact_sum(dec!(0.1), dec!(0.2)), Some(dec!(0.3)));
/// assert_eq!(money::exact_sum(dec!(79228162514264337593543950335), dec!(1)), None);
/// assert_eq!(money::exact_sum(dec!(79228162514264337593543950335), dec!(0.1)), None);
/// ```
#[must_use]
pub fn exact_sum(a: Decimal, b: Decimal) -> Option<Decimal> {
    let sum = a.checked_add(b)?;
    if sum.scale() >= a.scale().max(b.scale()) || is_exact_at(sum.scale(), a, b) {
        Some(sum)
    } else {
        None
    }
}

fn is_exact_at(scale: u32, a: Decimal, b: Decimal) -> bool {
    a.normalize().scale() <= scale && b.normalize().scale() <= scale
}

/// The exact product, or `None` where it overflows or would lose a digit.
///
/// ```
/// use dexcost::{dec, money};
///
/// assert_eq!(money::exact_product(dec!(0.0000025), dec!(1000)), Some(dec!(0.0025)));
/// assert_eq!(money::exact_product(dec!(79228162514264337593543950335), dec!(10)), None);
/// ```
#[must_use]
pub fn exact_product(a: Decimal, b: Decimal) -> Option<Decimal> {
    if a.is_zero() || b.is_zero() {
        return Some(Decimal::ZERO);
    }
    let product = a.checked_mul(b)?;
    if product.scale() == a.scale() + b.scale() {
        return Some(product);
    }
    let (a, b) = (a.normalize(), b.normalize());
    let product = a.checked_mul(b)?;
    (product.scale() == a.scale() + b.scale()).then_some(product)
}

/// Plain notation: no exponent, no trailing zeros, zero is `"0"` and never negative.
///
/// ```
/// use dexcost::{dec, money};
///
/// assert_eq!(money::plain(dec!(0.00250)), "0.0025");
/// assert_eq!(money::plain(dec!(-0.00)), "0");
/// assert_eq!(money::plain(dec!(1200)), "1200");
/// ```
#[must_use]
pub fn plain(amount: Decimal) -> String {
    let amount = amount.normalize();
    if amount.is_zero() {
        "0".to_owned()
    } else {
        amount.to_string()
    }
}

/// Reads a decimal from text: digits with an optional sign, fraction and exponent.
///
/// Unlike [`Decimal`]'s own parser it refuses to round: a text with more than 28 significant
/// digits is an error, and so are blanks, underscores and an empty string.
///
/// # Errors
///
/// [`Error::InvalidAmount`] where the text is not a decimal or does not fit exactly.
///
/// ```
/// use dexcost::{dec, money};
///
/// assert_eq!(money::parse("2.5e-6").unwrap(), dec!(0.0000025));
/// assert!(money::parse("1,5").is_err());
/// assert!(money::parse("0.12345678901234567890123456789012").is_err());
/// ```
pub fn parse(text: &str) -> Result<Decimal, Error> {
    let invalid = || Error::InvalidAmount { text: clip(text) };
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], text[at + 1..].parse::<i32>().map_err(|_| invalid())?),
        None => (text, 0),
    };
    let digits = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
    let plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if !plain || !digits.bytes().any(|b| b.is_ascii_digit()) {
        return Err(invalid());
    }
    let value = Decimal::from_str_exact(mantissa).map_err(|_| invalid())?;
    scale_by(value, exponent).ok_or_else(invalid)
}

fn scale_by(value: Decimal, exponent: i32) -> Option<Decimal> {
    if exponent == 0 || value.is_zero() {
        return Some(value);
    }
    let value = value.normalize();
    let scale = i64::from(value.scale()) - i64::from(exponent);
    if (0..=i64::from(Decimal::MAX_SCALE)).contains(&scale) {
        let mut shifted = value;
        shifted.set_scale(u32::try_from(scale).ok()?).ok()?;
        return Some(shifted);
    }
    let power = u32::try_from(-scale).ok().filter(|p| *p <= Decimal::MAX_SCALE)?;
    let mut whole = value;
    whole.set_scale(0).ok()?;
    whole.checked_mul(Decimal::from(10u128.checked_pow(power)?))
}

fn clip(text: &str) -> String {
    text.chars().take(40).collect()
}

/// What may be given as an amount of money: a [`Decimal`], or text that parses as one.
///
/// A float has no way in, on purpose: `0.1 + 0.2` is not `0.3` there.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an exact amount of money",
    label = "a `Decimal` or a string is needed here",
    note = "write `dec!(0.002)` or `\"0.002\"`; floats are refused because they cannot hold most amounts"
)]
pub trait Amount: sealed::Sealed {
    /// The amount as a decimal.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidAmount`] where text does not parse as a decimal.
    fn into_decimal(self) -> Result<Decimal, Error>;
}

impl Amount for Decimal {
    fn into_decimal(self) -> Result<Decimal, Error> {
        Ok(self)
    }
}

impl Amount for &str {
    fn into_decimal(self) -> Result<Decimal, Error> {
        parse(self)
    }
}

impl Amount for String {
    fn into_decimal(self) -> Result<Decimal, Error> {
        parse(&self)
    }
}

impl Amount for &String {
    fn into_decimal(self) -> Result<Decimal, Error> {
        parse(self)
    }
}

macro_rules! whole_amounts {
    ($($int:ty),*) => {$(
        impl Amount for $int {
            fn into_decimal(self) -> Result<Decimal, Error> {
                Ok(Decimal::from(self))
            }
        }
        impl sealed::Sealed for $int {}
    )*};
}
whole_amounts!(u32, u64, i32, i64);

mod sealed {
    pub trait Sealed {}
    impl Sealed for rust_decimal::Decimal {}
    impl Sealed for &str {}
    impl Sealed for String {}
    impl Sealed for &String {}
}

/// Serde form of money: a plain decimal string, never a JSON number.
pub mod as_text {
    use rust_decimal::Decimal;
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes the amount as [`super::plain`] text.
    ///
    /// # Errors
    ///
    /// Only those of the serializer.
    pub fn serialize<S: Serializer>(amount: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::plain(*amount))
    }

    /// Reads the amount from text.
    ///
    /// # Errors
    ///
    /// Where the value is not a string or the string is not a decimal.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        super::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// Serde form of an amount that may be unknown: a plain decimal string or null.
pub mod as_optional_text {
    use rust_decimal::Decimal;
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes the amount as [`super::plain`] text, unknown as null.
    ///
    /// # Errors
    ///
    /// Only those of the serializer.
    pub fn serialize<S: Serializer>(amount: &Option<Decimal>, serializer: S) -> Result<S::Ok, S::Error> {
        match amount {
            Some(amount) => serializer.serialize_str(&super::plain(*amount)),
            None => serializer.serialize_none(),
        }
    }

    /// Reads the amount from text or null.
    ///
    /// # Errors
    ///
    /// Where the value is neither null nor a string that is a decimal.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|t| super::parse(&t))
            .transpose()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dec;

    #[test]
    fn a_sum_that_would_round_is_unknown() {
        let wide = dec!(1922816251426433759354395033.5);
        assert_eq!(exact_sum(wide, dec!(0.01)), None);
        assert_eq!(
            exact_sum(wide, dec!(0.10)),
            Some(dec!(1922816251426433759354395033.6))
        );
    }

    #[test]
    fn a_product_that_would_round_is_unknown() {
        assert_eq!(
            exact_product(dec!(0.00000000000000001), dec!(0.00000000000000001)),
            None
        );
        assert_eq!(
            exact_product(dec!(0.0000000000000000100), dec!(100.000000000000)),
            Some(dec!(0.000000000000001))
        );
    }

    #[test]
    fn exponents_are_read_exactly() {
        assert_eq!(parse("3e-09").unwrap(), dec!(0.000000003));
        assert_eq!(parse("1.5E3").unwrap(), dec!(1500));
        assert_eq!(parse("-2e0").unwrap(), dec!(-2));
        for bad in [
            "", ".", "-", "1e", "1e400", "1e-40", "nan", "inf", "1_000", " 1", "0x1", "१",
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
