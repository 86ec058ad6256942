//! Exact products and sums, quick for the usual sizes.

use rust_decimal::Decimal;

use crate::money;

/// The largest mantissa of a decimal.
pub(super) const WIDEST: u128 = (1 << 96) - 1;

/// Powers of ten.
pub(super) static TENS: [u64; 20] = {
    let mut tens = [1u64; 20];
    let mut at = 1;
    while at < 20 {
        tens[at] = tens[at - 1] * 10;
        at += 1;
    }
    tens
};

/// The exact product, or `None` where it does not fit 28 digits.
#[inline]
pub(crate) fn product(a: Decimal, b: Decimal) -> Option<Decimal> {
    let (left, right) = (a.mantissa(), b.mantissa());
    let (scale, max) = (a.scale() + b.scale(), i128::from(u64::MAX));
    if left >= 0 && right >= 0 && left <= max && right <= max && scale <= Decimal::MAX_SCALE {
        let wide = left.unsigned_abs() * right.unsigned_abs();
        if wide <= WIDEST {
            return Some(from_parts(wide, scale));
        }
    }
    money::exact_product(a, b)
}

/// The exact sum, or `None` where it does not fit 28 digits.
#[inline]
pub(crate) fn sum(a: Decimal, b: Decimal) -> Option<Decimal> {
    let (fine, coarse) = if a.scale() >= b.scale() { (a, b) } else { (b, a) };
    let gap = (fine.scale() - coarse.scale()) as usize;
    let (fine_m, coarse_m) = (fine.mantissa(), coarse.mantissa());
    if let Some(ten) = TENS.get(gap)
        && fine_m >= 0
        && (0..=i128::from(u64::MAX)).contains(&coarse_m)
    {
        let wide = coarse_m.unsigned_abs() * u128::from(*ten);
        let total = wide + fine_m.unsigned_abs();
        if wide <= WIDEST && total <= WIDEST {
            return Some(from_parts(total, fine.scale()));
        }
    }
    money::exact_sum(a, b)
}

/// A decimal of a mantissa that is known to fit 96 bits.
#[inline]
pub(super) fn from_parts(mantissa: u128, scale: u32) -> Decimal {
    Decimal::from_parts(
        mantissa as u32,
        (mantissa >> 32) as u32,
        (mantissa >> 64) as u32,
        false,
        scale,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn amounts() -> impl Strategy<Value = Decimal> {
        (0u128..=WIDEST, 0u32..=28, 0u32..96).prop_map(|(m, scale, cut)| from_parts(m >> cut, scale))
    }

    proptest! {
        #[test]
        fn the_quick_way_is_the_exact_way(a in amounts(), b in amounts()) {
            if let Some(quick) = product(a, b) {
                prop_assert_eq!(Some(quick), money::exact_product(a, b));
            } else {
                prop_assert_eq!(money::exact_product(a, b), None);
            }
            if let Some(exact) = money::exact_sum(a, b) {
                prop_assert_eq!(sum(a, b), Some(exact));
            }
        }
    }
}
