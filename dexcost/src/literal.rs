//! Amounts written down in code.

use rust_decimal::Decimal;

/// An exact [`Decimal`](crate::Decimal) from a literal, checked when the program is compiled.
///
/// ```
/// use dexcost::dec;
///
/// assert_eq!(dec!(0.002).to_string(), "0.002");
/// assert_eq!(dec!(-1_000).to_string(), "-1000");
/// assert_eq!(dec!(2.5e-6).to_string(), "0.0000025");
/// ```
///
/// What is no exact decimal does not compile:
///
/// ```compile_fail
/// dexcost::dec!(0.12345678901234567890123456789012);
/// ```
#[macro_export]
macro_rules! dec {
    ($amount:literal) => {
        const { $crate::__literal(::core::stringify!($amount)) }
    };
    (-$amount:literal) => {
        const { $crate::__literal(::core::concat!("-", ::core::stringify!($amount))) }
    };
}

/// The decimal of a literal's text.
///
/// # Panics
///
/// When the program is compiled: where the text is no decimal that fits 28 digits exactly.
#[doc(hidden)]
#[must_use]
#[allow(
    clippy::panic,
    reason = "it runs in the compiler and its panic is the error message"
)]
pub const fn __literal(text: &str) -> Decimal {
    let bytes = text.as_bytes();
    let negative = !bytes.is_empty() && bytes[0] == b'-';
    let (mut at, mut mantissa, mut scale, mut fraction, mut digits) =
        (negative as usize, 0_u128, 0_i64, false, 0);
    while at < bytes.len() && bytes[at] != b'e' && bytes[at] != b'E' {
        match bytes[at] {
            digit @ b'0'..=b'9' => {
                mantissa = mantissa * 10 + (digit - b'0') as u128;
                digits += 1;
                scale += fraction as i64;
                assert!(
                    mantissa < 1 << 96,
                    "dec!: more digits than an exact decimal holds"
                );
            }
            b'.' if !fraction => fraction = true,
            b'_' | b' ' => {}
            _ => panic!("dec!: write a plain decimal such as 0.002"),
        }
        at += 1;
    }
    assert!(digits > 0, "dec!: write a plain decimal such as 0.002");
    scale -= exponent(bytes, at + 1);
    while scale < 0 {
        mantissa *= 10;
        scale += 1;
        assert!(
            mantissa < 1 << 96,
            "dec!: more digits than an exact decimal holds"
        );
    }
    assert!(scale <= 28, "dec!: more than 28 digits after the point");
    Decimal::from_parts(
        (mantissa & 0xFFFF_FFFF) as u32,
        ((mantissa >> 32) & 0xFFFF_FFFF) as u32,
        (mantissa >> 64) as u32,
        negative,
        scale as u32,
    )
}

#[allow(
    clippy::panic,
    reason = "it runs in the compiler and its panic is the error message"
)]
const fn exponent(bytes: &[u8], mut at: usize) -> i64 {
    let negative = at < bytes.len() && bytes[at] == b'-';
    if at < bytes.len() && (bytes[at] == b'-' || bytes[at] == b'+') {
        at += 1;
    }
    let mut value = 0_i64;
    while at < bytes.len() {
        assert!(
            bytes[at].is_ascii_digit() && value < 100,
            "dec!: the exponent is no small whole number"
        );
        value = value * 10 + (bytes[at] - b'0') as i64;
        at += 1;
    }
    if negative { -value } else { value }
}

#[cfg(test)]
mod tests {
    #[test]
    fn literals_are_exact() {
        assert_eq!(crate::dec!(0.1) + crate::dec!(0.2), crate::dec!(0.3));
        assert_eq!(
            crate::dec!(79228162514264337593543950335),
            rust_decimal::Decimal::MAX
        );
        assert_eq!(crate::dec!(1.5e3).to_string(), "1500");
        assert_eq!(crate::dec!(-0.5), -crate::dec!(0.5));
    }
}
