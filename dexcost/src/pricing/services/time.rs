//! Instants and periods as replies write them.

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::dec;
use crate::money;

/// Seconds since 1970 of an RFC 3339 instant, or of a number of seconds or milliseconds.
pub(super) fn instant(text: &str) -> Option<Decimal> {
    if let Ok(number) = money::parse(text) {
        // Whoever counts milliseconds is past the year 5138 in seconds.
        let is_millis = number > dec!(100000000000);
        return if is_millis {
            money::exact_product(number, dec!(0.001))
        } else {
            Some(number)
        };
    }
    let nanos = text.parse::<Timestamp>().ok()?.as_nanosecond();
    Decimal::try_from_i128_with_scale(nanos, 9).ok()
}

/// Seconds of a period: `"90s"`, `"1.5s"`, `"2m"`, `"1h"`, or a bare number of seconds.
pub(super) fn period(text: &str) -> Option<Decimal> {
    let text = text.trim();
    let unit = |suffix, seconds| Some((text.strip_suffix(suffix)?, seconds));
    let (number, seconds) = unit("ms", dec!(0.001))
        .or_else(|| unit("s", dec!(1)))
        .or_else(|| unit("m", dec!(60)))
        .or_else(|| unit("h", dec!(3600)))
        .unwrap_or((text, dec!(1)));
    money::exact_product(money::parse(number).ok()?, seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_and_periods_are_exact_seconds() {
        assert_eq!(instant("1970-01-01T00:01:00.250Z"), Some(dec!(60.25)));
        assert_eq!(instant("1700000000"), Some(dec!(1700000000)));
        assert_eq!(instant("1700000000500"), Some(dec!(1700000000.5)));
        assert_eq!(instant("yesterday"), None);
        assert_eq!(period("15s"), Some(dec!(15)));
        assert_eq!(period("1.5s"), Some(dec!(1.5)));
        assert_eq!(period("250ms"), Some(dec!(0.25)));
        assert_eq!(period("2m"), Some(dec!(120)));
        assert_eq!(period("12"), Some(dec!(12)));
        assert_eq!(period("soon"), None);
    }
}
