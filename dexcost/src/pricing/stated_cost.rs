//! What a provider may state as the cost of one exchange, and still be believed.

use rust_decimal::Decimal;

use crate::dec;

/// More is not believed of one exchange, in US dollars.
const LARGEST_USD: Decimal = dec!(10000);

/// So many times what the tables say is not believed.
const LARGEST_RATIO: Decimal = dec!(1000);

/// Whether an amount can be the cost of an exchange at all: it is not negative and not absurd.
pub(crate) fn is_possible(usd: Decimal) -> bool {
    (usd.is_sign_positive() || usd.is_zero()) && usd <= LARGEST_USD
}

/// Whether an amount is near enough to what the tables say, where they price the exchange above zero.
pub(crate) fn is_near(usd: Decimal, listed_usd: Option<Decimal>) -> bool {
    listed_usd
        .filter(|listed| listed.is_sign_positive() && !listed.is_zero())
        .and_then(|listed| listed.checked_mul(LARGEST_RATIO))
        .is_none_or(|most| usd <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_believed_up_to_their_limits() {
        for (usd, possible) in [
            (dec!(0), true),
            (dec!(-0.0), true),
            (dec!(10000), true),
            (dec!(10000.01), false),
            (dec!(-0.0001), false),
            (Decimal::MAX, false),
        ] {
            assert_eq!(is_possible(usd), possible, "{usd}");
        }
        assert!(is_near(dec!(2), Some(dec!(0.002))));
        assert!(!is_near(dec!(2.01), Some(dec!(0.002))));
        assert!(is_near(dec!(2), Some(dec!(0))) && is_near(dec!(2), None));
    }
}
