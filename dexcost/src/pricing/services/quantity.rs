//! How much of something an exchange consumed: alternatives, each a small formula.
//!
//! ```text
//! quantity := [ conditions " ? " ] formula
//! formula  := sums and products, with blanks around + - * /, of
//!             12.5            a number
//!             body:a.b        the first number at a place (see `source`)
//!             count(place)    how many values; total(place) their sum
//!             chars(place)    code points of all texts; markup(place) those outside tags
//!             items(place)    pieces of the texts that commas or bars part
//!             period(place)   seconds written as "1.5s"; hours, minutes too
//!             span(from, to)  seconds between two instants
//!             up(f) abs(f) max(f, g) min(f, g)
//! unknown     the exchange does not tell
//! nothing     nothing is owed for this exchange
//! ```
//!
//! The first alternative whose conditions hold and whose formula has a value counts. A sum leaves out
//! what is absent, a product does not. A quotient is rounded half-even to 12 fractional digits, as many
//! as a quantity has on the wire; everything else is exact or has no value.

use rust_decimal::Decimal;
use rust_decimal::RoundingStrategy::MidpointNearestEven;

use super::condition::Conditions;
use super::seen::{Gap, Seen};
use super::source::Source;
use super::time;
use crate::money;

/// Fractional digits of a quotient.
const DIGITS: u32 = 12;
/// Formulas nest no deeper.
const DEEPEST: usize = 8;

/// One alternative.
#[derive(Debug)]
pub(super) struct Quantity {
    pub(super) when: Conditions,
    pub(super) formula: Formula,
}

/// What alternatives come to.
#[derive(Debug, PartialEq)]
pub(super) enum Amount {
    /// So much. `is_sure` unless an earlier alternative hung on something that was not seen.
    Known { quantity: Decimal, is_sure: bool },
    /// The exchange does not tell.
    Unknown,
    /// Nothing is owed.
    Nothing,
}

/// A formula.
#[derive(Debug)]
pub(super) enum Formula {
    Number(Decimal),
    Value(Source),
    Count(Source),
    Total(Source),
    Chars(Source),
    Markup(Source),
    Items(Source),
    Period(Source),
    Span(Source, Source),
    Up(Box<Self>),
    Abs(Box<Self>),
    Pair(Operator, Box<(Self, Self)>),
    Unknown,
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Plus,
    Minus,
    Times,
    Over,
    Max,
    Min,
}

/// The first alternative that says something.
pub(super) fn first(alternatives: &[Quantity], seen: &Seen<'_>) -> Amount {
    let mut is_sure = true;
    for alternative in alternatives {
        match alternative.when.hold(seen) {
            Ok(true) => {}
            Ok(false) => continue,
            Err(_) => {
                is_sure = false;
                continue;
            }
        }
        match alternative.formula {
            Formula::Unknown => return Amount::Unknown,
            Formula::Nothing => return Amount::Nothing,
            _ => match alternative.formula.value(seen) {
                Ok(quantity) => return Amount::Known { quantity, is_sure },
                Err(gap) => is_sure &= gap == Gap::Absent,
            },
        }
    }
    Amount::Unknown
}

impl Quantity {
    /// Reads an alternative.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (when, formula) = Conditions::before(text)?;
        let mut rest = formula;
        let formula = parse_sum(&mut rest, 0)?;
        if rest.trim().is_empty() {
            Ok(Self { when, formula })
        } else {
            Err(format!("`{text}` is not understood from `{rest}` on"))
        }
    }
}

impl Formula {
    /// The value, where everything it needs is there.
    pub(super) fn value(&self, seen: &Seen<'_>) -> Result<Decimal, Gap> {
        match self {
            Self::Number(number) => Ok(*number),
            Self::Value(place) => seen.first(place, |value| value.amount()),
            Self::Count(place) => seen.count(place),
            Self::Total(place) => seen.total(place, |value| value.amount()),
            Self::Chars(place) => seen.total(place, |value| value.characters()),
            Self::Markup(place) => seen.total(place, |value| Some(outside_tags(&value.text()?))),
            Self::Items(place) => seen.total(place, |value| Some(items(&value.text()?))),
            Self::Period(place) => seen.first(place, |value| time::period(&value.text()?)),
            Self::Span(from, to) => {
                let instant = |place| seen.first(place, |value| time::instant(&value.text()?));
                instant(to)?.checked_sub(instant(from)?).ok_or(Gap::Absent)
            }
            Self::Up(inner) => Ok(inner.value(seen)?.ceil()),
            Self::Abs(inner) => Ok(inner.value(seen)?.abs()),
            Self::Pair(operator, sides) => operator.apply(sides.0.value(seen), sides.1.value(seen)),
            Self::Unknown | Self::Nothing => Err(Gap::Absent),
        }
    }

    /// Calls `see` with every place that the formula reads.
    pub(super) fn sources<'a>(&'a self, see: &mut dyn FnMut(&'a Source)) {
        match self {
            Self::Value(place)
            | Self::Count(place)
            | Self::Total(place)
            | Self::Chars(place)
            | Self::Markup(place)
            | Self::Items(place)
            | Self::Period(place) => see(place),
            Self::Span(from, to) => {
                see(from);
                see(to);
            }
            Self::Up(inner) | Self::Abs(inner) => inner.sources(see),
            Self::Pair(_, sides) => {
                sides.0.sources(see);
                sides.1.sources(see);
            }
            Self::Number(_) | Self::Unknown | Self::Nothing => {}
        }
    }
}

impl Operator {
    fn apply(self, left: Result<Decimal, Gap>, right: Result<Decimal, Gap>) -> Result<Decimal, Gap> {
        let (left, right) = match (left, right) {
            (Ok(left), Ok(right)) => (left, right),
            (Ok(one), Err(Gap::Absent)) | (Err(Gap::Absent), Ok(one)) if self == Self::Plus => {
                return Ok(one);
            }
            (Err(Gap::Unseen), _) | (_, Err(Gap::Unseen)) => return Err(Gap::Unseen),
            _ => return Err(Gap::Absent),
        };
        match self {
            Self::Plus => money::exact_sum(left, right),
            Self::Minus => money::exact_sum(left, -right),
            Self::Times => money::exact_product(left, right),
            Self::Over => left
                .checked_div(right)
                .map(|quotient| quotient.round_dp_with_strategy(DIGITS, MidpointNearestEven)),
            Self::Max => Some(left.max(right)),
            Self::Min => Some(left.min(right)),
        }
        .ok_or(Gap::Absent)
    }
}

/// Code points outside `<…>`.
fn outside_tags(text: &str) -> Decimal {
    let mut inside = false;
    let mut count = 0u64;
    for character in text.chars() {
        match character {
            '<' => inside = true,
            '>' if inside => inside = false,
            _ => count += u64::from(!inside),
        }
    }
    Decimal::from(count)
}

fn items(text: &str) -> Decimal {
    let pieces = text.split([',', '|']).filter(|piece| !piece.trim().is_empty());
    Decimal::from(pieces.count())
}

fn parse_sum(rest: &mut &str, depth: usize) -> Result<Formula, String> {
    let mut left = parse_product(rest, depth)?;
    loop {
        let operator = match () {
            () if take(rest, " + ") => Operator::Plus,
            () if take(rest, " - ") => Operator::Minus,
            () => return Ok(left),
        };
        left = Formula::Pair(operator, Box::new((left, parse_product(rest, depth)?)));
    }
}

fn parse_product(rest: &mut &str, depth: usize) -> Result<Formula, String> {
    let mut left = parse_factor(rest, depth)?;
    loop {
        let operator = match () {
            () if take(rest, " * ") => Operator::Times,
            () if take(rest, " / ") => Operator::Over,
            () => return Ok(left),
        };
        left = Formula::Pair(operator, Box::new((left, parse_factor(rest, depth)?)));
    }
}

fn take(rest: &mut &str, what: &str) -> bool {
    match rest.strip_prefix(what) {
        Some(more) => {
            *rest = more;
            true
        }
        None => false,
    }
}

fn parse_factor(rest: &mut &str, depth: usize) -> Result<Formula, String> {
    if depth > DEEPEST {
        return Err("a formula is nested too deep".to_owned());
    }
    if take(rest, "(") {
        let inner = parse_sum(rest, depth + 1)?;
        return closed(rest, inner);
    }
    let end = rest.find([' ', ',', '(', ')']).unwrap_or(rest.len());
    let (word, more) = rest.split_at(end);
    *rest = more;
    if word.starts_with(|first: char| first.is_ascii_digit()) {
        return money::parse(word)
            .map(Formula::Number)
            .map_err(|error| error.to_string());
    }
    if !take(rest, "(") {
        return match word {
            "unknown" => Ok(Formula::Unknown),
            "nothing" => Ok(Formula::Nothing),
            _ => Source::parse(word).map(Formula::Value),
        };
    }
    let formula = match word {
        "count" => Formula::Count(place(rest)?),
        "total" => Formula::Total(place(rest)?),
        "chars" => Formula::Chars(place(rest)?),
        "markup" => Formula::Markup(place(rest)?),
        "items" => Formula::Items(place(rest)?),
        "period" => Formula::Period(place(rest)?),
        "span" => {
            let from = place(rest)?;
            comma(rest)?;
            Formula::Span(from, place(rest)?)
        }
        "up" => Formula::Up(Box::new(parse_sum(rest, depth + 1)?)),
        "abs" => Formula::Abs(Box::new(parse_sum(rest, depth + 1)?)),
        "max" | "min" => {
            let operator = if word == "max" {
                Operator::Max
            } else {
                Operator::Min
            };
            let left = parse_sum(rest, depth + 1)?;
            comma(rest)?;
            Formula::Pair(operator, Box::new((left, parse_sum(rest, depth + 1)?)))
        }
        _ => return Err(format!("`{word}` is no function")),
    };
    closed(rest, formula)
}

fn place(rest: &mut &str) -> Result<Source, String> {
    let end = rest.find([' ', ',', '(', ')']).unwrap_or(rest.len());
    let (word, more) = rest.split_at(end);
    *rest = more;
    Source::parse(word)
}

fn comma(rest: &mut &str) -> Result<(), String> {
    take(rest, ", ")
        .then_some(())
        .ok_or_else(|| format!("a comma is missing before `{rest}`"))
}

fn closed(rest: &mut &str, formula: Formula) -> Result<Formula, String> {
    if take(rest, ")") {
        Ok(formula)
    } else {
        Err(format!("a bracket is missing before `{rest}`"))
    }
}
