//! What was seen of an exchange, as far as rules ask for it.

use std::borrow::Cow;

use rust_decimal::Decimal;
use smallvec::SmallVec;

use super::body::{Body, Value};
use super::source::Source;
use crate::money;
use crate::text::Text;
use crate::wire::{Headers, RequestFacts};

/// The longest value of a header field or query parameter that is looked at.
const LONGEST_VALUE: usize = 8 * 1024;
/// The most values that one exchange keeps.
const MOST_VALUES: usize = 64;

/// Values copied out of a request line or out of header fields, for as long as the exchange lasts.
#[derive(Clone, Debug, Default)]
pub(super) struct Copied {
    values: SmallVec<[(Text, Text); 2]>,
}

impl Copied {
    fn put(&mut self, name: &str, value: &str) {
        if value.len() <= LONGEST_VALUE && self.values.len() < MOST_VALUES {
            self.values.push((Text::from(name), Text::from(value)));
        }
    }

    fn get(&self, name: &str) -> impl Iterator<Item = &str> {
        self.values
            .iter()
            .filter(move |(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    /// Copies a header field.
    pub(super) fn header(&mut self, name: &str, headers: &dyn Headers) {
        if self.get(name).next().is_none()
            && let Some(Ok(value)) = headers.get(name).map(std::str::from_utf8)
        {
            self.put(name, value);
        }
    }

    /// Copies what a source says of a request line.
    pub(super) fn line(&mut self, source: &Source, facts: &RequestFacts<'_>) {
        let name = key(source);
        if self.get(&name).next().is_some() {
            return;
        }
        match source {
            Source::Sent(field) => {
                if let Some(Ok(value)) = facts.headers.get(field).map(std::str::from_utf8) {
                    self.put(&name, value);
                }
            }
            Source::Query(wanted) => {
                for pair in facts.query.split('&') {
                    let (field, value) = pair.split_once('=').unwrap_or((pair, ""));
                    if super::body::decoded(field) == **wanted {
                        self.put(&name, &super::body::decoded(value));
                    }
                }
            }
            Source::Segment(at) => {
                let segments = super::paths::segments(facts.path);
                let at = match usize::try_from(*at) {
                    Ok(at) => Some(at),
                    Err(_) => segments.len().checked_sub(at.unsigned_abs()),
                };
                if let Some(segment) = at.and_then(|at| segments.get(at)) {
                    self.put(&name, segment);
                }
            }
            Source::Path => self.put(&name, facts.path),
            Source::Method => self.put(&name, facts.method),
            _ => {}
        }
    }
}

/// The name under which a value of the request line is kept.
fn key(source: &Source) -> Cow<'_, str> {
    match source {
        Source::Sent(name) | Source::Query(name) => Cow::Borrowed(name),
        Source::Segment(at) => Cow::Owned(at.to_string()),
        Source::Path => Cow::Borrowed("path"),
        _ => Cow::Borrowed("method"),
    }
}

/// Everything that rules can read.
pub(super) struct Seen<'a> {
    pub(super) line: &'a Copied,
    pub(super) headers: &'a Copied,
    /// `None` where it was not looked at.
    pub(super) request: Option<Body<'a>>,
    /// `None` where it was not looked at.
    pub(super) reply: Option<Body<'a>>,
    pub(super) sent_bytes: Option<u64>,
    pub(super) elapsed_ms: Option<u64>,
}

/// Why a place says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    /// It is not there.
    Absent,
    /// It may be there, in what was not seen.
    Unseen,
}

impl Seen<'_> {
    /// Goes through the values at a place, which are `whole` if all of them were seen.
    fn each(&self, source: &Source, see: &mut dyn FnMut(&Value<'_>)) -> bool {
        let body = |body: &Option<Body<'_>>, steps, see: &mut dyn FnMut(&Value<'_>)| match body {
            Some(body) => {
                body.each(steps, see);
                body.is_complete
            }
            None => false,
        };
        match source {
            Source::Body(steps) => return body(&self.reply, steps, see),
            Source::Request(steps) => return body(&self.request, steps, see),
            Source::Header(name) => {
                for value in self.headers.get(name) {
                    see(&Value::Text(Cow::Borrowed(value)));
                }
            }
            Source::SentBytes => match self.sent_bytes {
                Some(bytes) => see(&Value::Number(Decimal::from(bytes))),
                None => return false,
            },
            Source::Elapsed => match self.elapsed_ms {
                Some(millis) => see(&Value::Number(Decimal::new(
                    i64::try_from(millis).unwrap_or(i64::MAX),
                    3,
                ))),
                None => return false,
            },
            _ => {
                for value in self.line.get(&key(source)) {
                    see(&Value::Text(Cow::Borrowed(value)));
                }
            }
        }
        true
    }

    /// The first value at a place that `read` can make something of.
    pub(super) fn first<T>(
        &self,
        source: &Source,
        mut read: impl FnMut(&Value<'_>) -> Option<T>,
    ) -> Result<T, Gap> {
        let mut found = None;
        let whole = self.each(source, &mut |value| {
            if found.is_none() {
                found = read(value);
            }
        });
        found.ok_or(if whole { Gap::Absent } else { Gap::Unseen })
    }

    /// The sum of what `read` makes of all values at a place; nothing is said of a place of which a
    /// part was not seen, or at which there is no value that can be read.
    pub(super) fn total(
        &self,
        source: &Source,
        mut read: impl FnMut(&Value<'_>) -> Option<Decimal>,
    ) -> Result<Decimal, Gap> {
        let mut total = Some(Decimal::ZERO);
        let mut is_any = false;
        let whole = self.each(source, &mut |value| {
            if let Some(part) = read(value) {
                is_any = true;
                total = total.and_then(|total| money::exact_sum(total, part));
            }
        });
        match total {
            _ if !whole => Err(Gap::Unseen),
            Some(total) if is_any => Ok(total),
            _ => Err(Gap::Absent),
        }
    }

    /// How many values there are; 0 where the array is there and empty.
    pub(super) fn count(&self, source: &Source) -> Result<Decimal, Gap> {
        match self.total(source, |_| Some(Decimal::ONE)) {
            Err(Gap::Absent) if self.has_empty_array(source) => Ok(Decimal::ZERO),
            count => count,
        }
    }

    fn has_empty_array(&self, source: &Source) -> bool {
        let (Source::Body(steps) | Source::Request(steps)) = source else {
            return false;
        };
        let body = if matches!(source, Source::Body(_)) {
            &self.reply
        } else {
            &self.request
        };
        body.as_ref().is_some_and(|body| body.has_empty_array(steps))
    }
}
