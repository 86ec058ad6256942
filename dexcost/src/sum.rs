//! Sums of money that never round and never overflow.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Serialize, Serializer};

/// The places behind the point that a sum keeps; a [`Decimal`] has no more.
const SCALE: u32 = Decimal::MAX_SCALE;

/// An exact sum of any number of [`Decimal`] amounts.
///
/// A `Decimal` holds 28 digits, so the sum of two of them may not be one. This is a 256-bit integer
/// of 10⁻²⁸ dollars: it holds the exact sum of more than 10¹⁸ amounts of any size, whatever the order
/// in which they came, and takes each of them out again without a trace.
///
/// ```
/// use dexcost::{Sum, dec};
///
/// let mut sum = Sum::ZERO;
/// sum.add(dec!(79228162514264337593543950335));
/// sum.add(dec!(0.0000000000000000000000000001));
/// assert_eq!(sum.to_string(), "79228162514264337593543950335.0000000000000000000000000001");
/// assert_eq!(sum.to_decimal(), None);
/// sum.subtract(dec!(79228162514264337593543950335));
/// assert_eq!(sum.to_decimal(), Some(dec!(0.0000000000000000000000000001)));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Sum([u64; 4]);

impl Sum {
    /// Nothing.
    pub const ZERO: Self = Self([0; 4]);

    /// Adds an amount.
    pub fn add(&mut self, amount: Decimal) {
        self.merge(&Self::from(amount));
    }

    /// Takes an amount out.
    pub fn subtract(&mut self, amount: Decimal) {
        self.merge(&Self::from(-amount));
    }

    /// Adds another sum.
    pub fn merge(&mut self, other: &Self) {
        let mut carry = false;
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            let (sum, first) = mine.overflowing_add(theirs);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            *mine = sum;
            carry = first || second;
        }
    }

    /// Whether it is nothing.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.0 == [0; 4]
    }

    /// Whether it is below zero.
    #[must_use]
    pub const fn is_negative(&self) -> bool {
        self.0[3] >> 63 == 1
    }

    /// The sum as a decimal, without trailing zeros; `None` where it needs more than 28 digits.
    #[must_use]
    pub fn to_decimal(&self) -> Option<Decimal> {
        let decimal = Decimal::from_str_exact(&self.to_string()).ok()?;
        (Self::from(decimal) == *self).then_some(decimal)
    }

    /// The sum as a decimal, rounded where it needs more than 28 digits; the largest decimal where it is
    /// larger than that.
    #[must_use]
    pub fn to_rounded_decimal(&self) -> Decimal {
        let largest = if self.is_negative() {
            Decimal::MIN
        } else {
            Decimal::MAX
        };
        self.to_decimal()
            .or_else(|| self.to_string().parse().ok())
            .unwrap_or(largest)
    }

    /// The bytes of the two's complement, least significant first, as few as tell the sign.
    pub(crate) fn to_bytes(self, out: &mut Vec<u8>) {
        let fill = if self.is_negative() { 0xFF } else { 0 };
        let bytes: Vec<u8> = self.0.iter().flat_map(|limb| limb.to_le_bytes()).collect();
        let mut length = bytes.len();
        while length > 0 && bytes[length - 1] == fill {
            length -= 1;
        }
        let sign_is_lost = length < 32 && (length == 0 || (bytes[length - 1] ^ fill) & 0x80 != 0);
        if sign_is_lost && !(length == 0 && fill == 0) {
            length += 1;
        }
        out.extend_from_slice(&bytes[..length]);
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote; `None` for more than 32 bytes.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > 32 {
            return None;
        }
        let negative = bytes.last().is_some_and(|top| top & 0x80 != 0);
        let mut full = [if negative { 0xFF } else { 0 }; 32];
        full[..bytes.len()].copy_from_slice(bytes);
        let mut limbs = [0u64; 4];
        for (limb, chunk) in limbs.iter_mut().zip(full.as_chunks::<8>().0) {
            *limb = u64::from_le_bytes(*chunk);
        }
        Some(Self(limbs))
    }

    fn negated(self) -> Self {
        let mut out = Self(self.0.map(|limb| !limb));
        out.merge(&Self([1, 0, 0, 0]));
        out
    }
}

impl Ord for Sum {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let sign = other.is_negative().cmp(&self.is_negative());
        sign.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

impl PartialOrd for Sum {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl From<Decimal> for Sum {
    fn from(amount: Decimal) -> Self {
        let size = amount.mantissa().unsigned_abs();
        let power = 10u128.pow(SCALE - amount.scale());
        let product = Self(wide_product(size, power));
        if amount.is_sign_negative() {
            product.negated()
        } else {
            product
        }
    }
}

fn wide_product(a: u128, b: u128) -> [u64; 4] {
    let (a, b) = ([a as u64, (a >> 64) as u64], [b as u64, (b >> 64) as u64]);
    let mut out = [0u64; 4];
    for (i, x) in a.into_iter().enumerate() {
        let mut carry = 0u128;
        for (j, y) in b.into_iter().enumerate() {
            let sum = u128::from(out[i + j]) + u128::from(x) * u128::from(y) + carry;
            out[i + j] = sum as u64;
            carry = sum >> 64;
        }
        out[i + 2] = carry as u64;
    }
    out
}

/// Divides in place and returns the remainder.
fn divide(limbs: &mut [u64; 4], by: u64) -> u64 {
    let mut rest = 0u128;
    for limb in limbs.iter_mut().rev() {
        let value = (rest << 64) | u128::from(*limb);
        *limb = (value / u128::from(by)) as u64;
        rest = value % u128::from(by);
    }
    rest as u64
}

impl fmt::Display for Sum {
    /// Plain notation: no exponent, no trailing zeros, never a negative zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = if self.is_negative() { self.negated() } else { *self };
        let mut limbs = size.0;
        let mut digits = Vec::with_capacity(80);
        while limbs != [0; 4] || digits.len() <= SCALE as usize {
            digits.push(b'0' + divide(&mut limbs, 10) as u8);
        }
        let zeros = digits
            .iter()
            .take(SCALE as usize)
            .take_while(|d| **d == b'0')
            .count();
        let mut text = String::with_capacity(digits.len() + 1);
        for (place, digit) in digits.iter().enumerate().skip(zeros).rev() {
            text.push(char::from(*digit));
            if place == SCALE as usize && zeros < SCALE as usize {
                text.push('.');
            }
        }
        f.pad_integral(!self.is_negative(), "", &text)
    }
}

impl fmt::Debug for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sum({self})")
    }
}

impl Serialize for Sum {
    /// A plain decimal string.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dec;
    use proptest::prelude::*;

    fn decimals() -> impl Strategy<Value = Decimal> {
        let size = -79_228_162_514_264_337_593_543_950_335_i128..=79_228_162_514_264_337_593_543_950_335;
        (size, 0u32..=28).prop_map(|(size, scale)| Decimal::from_i128_with_scale(size, scale))
    }

    proptest! {
        #[test]
        fn a_sum_prints_what_a_decimal_prints(amount in decimals()) {
            prop_assert_eq!(Sum::from(amount).to_string(), crate::money::plain(amount));
            prop_assert_eq!(Sum::from(amount).to_decimal(), Some(amount));
        }

        #[test]
        fn order_does_not_matter_and_everything_can_be_taken_out(amounts in proptest::collection::vec(decimals(), 0..20)) {
            let mut forth = Sum::ZERO;
            let mut back = Sum::ZERO;
            amounts.iter().for_each(|a| forth.add(*a));
            amounts.iter().rev().for_each(|a| back.add(*a));
            prop_assert_eq!(forth, back);
            let mut bytes = Vec::new();
            forth.to_bytes(&mut bytes);
            prop_assert_eq!(Sum::from_bytes(&bytes), Some(forth));
            amounts.iter().for_each(|a| forth.subtract(*a));
            prop_assert!(forth.is_zero());
        }
    }

    #[test]
    fn sums_compare_by_value() {
        let order = [dec!(-7), dec!(-0.5), dec!(0), dec!(0.0001), dec!(12)].map(Sum::from);
        assert!(order.is_sorted());
        assert!(order[0] < order[1] && order[4] > order[0]);
    }

    #[test]
    fn small_sums_take_few_bytes() {
        for (amount, text) in [
            (dec!(0), "0"),
            (dec!(-0.50), "-0.5"),
            (dec!(1200), "1200"),
            (dec!(-7), "-7"),
        ] {
            let sum = Sum::from(amount);
            assert_eq!(sum.to_string(), text);
            let mut bytes = Vec::new();
            sum.to_bytes(&mut bytes);
            assert!(bytes.len() <= 14, "{bytes:?}");
            assert_eq!(Sum::from_bytes(&bytes), Some(sum));
        }
    }
}
