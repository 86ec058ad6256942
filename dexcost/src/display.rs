//! Amounts, counts and names for the eye.
//!
//! For terminals only: what programs read keeps every digit (see [`money::plain`]).

use rust_decimal::Decimal;

use crate::money;
use crate::sum::Sum;

/// An amount with a dollar sign, commas and at least cents; six decimals at most, unless it is
/// smaller than that.
///
/// ```
/// use dexcost::{dec, display};
///
/// assert_eq!(display::dollars(dec!(1234567.5)), "$1,234,567.50");
/// assert_eq!(display::dollars(dec!(0.0123456789)), "$0.012346");
/// assert_eq!(display::dollars(dec!(0.00000001)), "$0.00000001");
/// assert_eq!(display::dollars(dec!(-2)), "-$2.00");
/// ```
#[must_use]
pub fn dollars(amount: Decimal) -> String {
    let rounded = amount.round_dp(6);
    let text = money::plain(if rounded.is_zero() { amount } else { rounded });
    let (sign, digits) = text
        .strip_prefix('-')
        .map_or(("", text.as_str()), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    format!("{sign}${}.{fraction:0<2}", with_commas(whole))
}

/// A sum as [`dollars`]; one that is too wide for a decimal is shown to the last digit.
#[must_use]
pub fn dollars_of(sum: &Sum) -> String {
    sum.to_decimal().map_or_else(|| format!("${sum}"), dollars)
}

/// A whole number with commas.
///
/// ```
/// assert_eq!(dexcost::display::grouped(1_234_567_u64), "1,234,567");
/// ```
#[must_use]
pub fn grouped(number: impl Into<u128>) -> String {
    with_commas(&number.into().to_string())
}

/// A number of things, with an `s` where it is not one.
///
/// ```
/// assert_eq!(dexcost::display::counted(1_u64, "event"), "1 event");
/// assert_eq!(dexcost::display::counted(1_200_u64, "event"), "1,200 events");
/// ```
#[must_use]
pub fn counted(number: impl Into<u128>, thing: &str) -> String {
    let number = number.into();
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", grouped(number))
}

fn with_commas(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Whether a character shows itself and changes nothing of what stands around it: no control character, no
/// override of the direction of text, nothing without a width.
///
/// ```
/// use dexcost::display::is_plain;
///
/// assert!(is_plain('é') && is_plain(' '));
/// assert!(!is_plain('\u{1b}') && !is_plain('\u{202e}') && !is_plain('\u{200b}'));
/// ```
#[must_use]
pub fn is_plain(c: char) -> bool {
    !c.is_control()
        && !matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}'
        )
}

/// A character as it is shown on a terminal.
fn shown(c: char) -> char {
    if is_plain(c) { c } else { '\u{fffd}' }
}

/// Lines of text with something of unknown origin in them, fit for a terminal.
///
/// ```
/// assert_eq!(dexcost::display::lines("a\u{1b}[2J\nb"), "a\u{fffd}[2J\nb");
/// ```
#[must_use]
pub fn lines(text: &str) -> String {
    text.chars()
        .map(|c| if c == '\n' { c } else { shown(c) })
        .collect()
}

/// Text of unknown origin, fit for a terminal: characters that are not [plain](is_plain) are shown, not
/// obeyed, and what is beyond 64 characters is left out.
///
/// ```
/// assert_eq!(dexcost::display::name("a\u{1b}[2Jb"), "a\u{fffd}[2Jb");
/// ```
#[must_use]
pub fn name(text: &str) -> String {
    let mut name: String = text.chars().take(64).map(shown).collect();
    if text.chars().nth(64).is_some() {
        name.push('…');
    }
    name
}
