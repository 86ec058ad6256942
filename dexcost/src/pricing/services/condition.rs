//! Conditions on an exchange.
//!
//! ```text
//! conditions := group { " || " group }        group := condition { " & " condition }
//! condition  := [ "!" ] place                 there is something (or there is not)
//!             | place=a|b                     it is one of these; `=|a` also where it is absent
//!             | place!=a|b                    it is there and none of these
//!             | place~a|b                     it contains one of these
//!             | place>12   place<12           it is a number above or below
//! ```
//! Texts are compared in any case.

use rust_decimal::Decimal;
use smallvec::SmallVec;

use super::seen::{Gap, Seen};
use super::source::Source;
use crate::money;

/// Groups of which one must hold; none at all always do.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    groups: Vec<Vec<Condition>>,
}

#[derive(Debug)]
struct Condition {
    place: Source,
    test: Test,
}

#[derive(Debug)]
enum Test {
    Present,
    Absent,
    Is(Vec<Box<str>>),
    IsNot(Vec<Box<str>>),
    Contains(Vec<Box<str>>),
    Above(Decimal),
    Below(Decimal),
}

impl Conditions {
    /// The conditions before a question mark, and what follows it.
    pub(super) fn before(text: &str) -> Result<(Self, &str), String> {
        match text.split_once(" ? ") {
            Some((conditions, rest)) => Ok((Self::parse(conditions)?, rest)),
            None => Ok((Self::default(), text)),
        }
    }

    /// Reads conditions.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let group = |group: &str| group.split(" & ").map(Condition::parse).collect();
        let groups = text.split(" || ").map(group).collect::<Result<_, _>>()?;
        Ok(Self { groups })
    }

    /// Whether they hold; an error where that hangs on something that was not seen.
    pub(super) fn hold(&self, seen: &Seen<'_>) -> Result<bool, Gap> {
        let mut result = Ok(self.groups.is_empty());
        for group in &self.groups {
            match all(group, seen) {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(gap) => result = Err(gap),
            }
        }
        result
    }

    /// How many conditions there are at least to be met.
    pub(super) fn count(&self) -> usize {
        self.groups.iter().map(Vec::len).min().unwrap_or(0)
    }

    /// Calls `see` with every place that they read.
    pub(super) fn sources<'a>(&'a self, see: &mut dyn FnMut(&'a Source)) {
        self.groups
            .iter()
            .flatten()
            .for_each(|condition| see(&condition.place));
    }
}

/// What is false decides, whatever was not seen.
fn all(group: &[Condition], seen: &Seen<'_>) -> Result<bool, Gap> {
    let mut result = Ok(true);
    for condition in group {
        match condition.holds(seen) {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(gap) => result = Err(gap),
        }
    }
    result
}

impl Condition {
    fn parse(text: &str) -> Result<Self, String> {
        let words = |text: &str| text.split('|').map(Box::from).collect::<Vec<Box<str>>>();
        let number = |text: &str| money::parse(text).map_err(|error| error.to_string());
        let Some(at) = text.find(['=', '!', '~', '>', '<']) else {
            let place = Source::parse(text)?;
            return Ok(Self {
                place,
                test: Test::Present,
            });
        };
        let (place, operator) = text.split_at(at);
        let (place, test) = match (operator.split_at(1), operator.strip_prefix("!=")) {
            (_, Some(values)) => (place, Test::IsNot(words(values))),
            (("!", rest), None) if place.is_empty() => (rest, Test::Absent),
            (("=", values), None) => (place, Test::Is(words(values))),
            (("~", values), None) => (place, Test::Contains(words(values))),
            ((">", value), None) => (place, Test::Above(number(value)?)),
            (("<", value), None) => (place, Test::Below(number(value)?)),
            _ => return Err(format!("`{text}` is no condition")),
        };
        let place = Source::parse(place)?;
        Ok(Self { place, test })
    }

    fn holds(&self, seen: &Seen<'_>) -> Result<bool, Gap> {
        let present = || match seen.first(&self.place, |value| value.is_something().then_some(())) {
            Ok(()) => Ok(true),
            Err(Gap::Absent) => Ok(false),
            Err(gap) => Err(gap),
        };
        let words = |words: &[Box<str>], test: &dyn Fn(&str, &str) -> bool| {
            let found = seen.first(&self.place, |value| {
                let text = value.text()?;
                Some(words.iter().any(|word| test(&text, word)))
            });
            // `=|a` holds where there is nothing, too; but not for an empty text that nobody asked for.
            let or_absent = words.iter().any(|word| word.is_empty());
            (found, or_absent)
        };
        match &self.test {
            Test::Present => present(),
            Test::Absent => present().map(|is_there| !is_there),
            Test::Is(list) => match words(list, &|text, word| text.eq_ignore_ascii_case(word)) {
                (Err(Gap::Absent), or_absent) => Ok(or_absent),
                (found, _) => found,
            },
            Test::IsNot(list) => match words(list, &|text, word| text.eq_ignore_ascii_case(word)) {
                (Ok(found), _) => Ok(!found),
                (Err(Gap::Absent), _) => Ok(false),
                (Err(gap), _) => Err(gap),
            },
            Test::Contains(list) => match words(list, &contains) {
                (Err(Gap::Absent), _) => Ok(false),
                (found, _) => found,
            },
            Test::Above(limit) => self.number(seen, |number| number > *limit),
            Test::Below(limit) => self.number(seen, |number| number < *limit),
        }
    }

    fn number(&self, seen: &Seen<'_>, test: impl Fn(Decimal) -> bool) -> Result<bool, Gap> {
        match seen.first(&self.place, |value| value.amount()) {
            Ok(number) => Ok(test(number)),
            Err(Gap::Absent) => Ok(false),
            Err(gap) => Err(gap),
        }
    }
}

fn contains(text: &str, word: &str) -> bool {
    let lower = |text: &str| {
        text.bytes()
            .map(|b| b.to_ascii_lowercase())
            .collect::<SmallVec<[u8; 128]>>()
    };
    memchr::memmem::find(&lower(text), &lower(word)).is_some()
}
