//! `traceparent`: the trace and the span that a request is part of.

use std::fmt;

use dexcost::TaskId;
use http::{HeaderMap, HeaderName, HeaderValue};

pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The longest value that is looked at; version 00 takes 55 bytes, later ones may add to it.
const LONGEST: usize = 256;

/// A `traceparent` that follows the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TraceParent<'a> {
    /// 32 lower-case hexadecimal digits, not all of them zero.
    pub(crate) trace_id: &'a str,
    /// 16 lower-case hexadecimal digits, not all of them zero.
    pub(crate) span_id: &'a str,
    flags: &'a str,
}

impl<'a> TraceParent<'a> {
    /// What the header fields say; `None` where they say nothing, say it wrongly or say it twice.
    pub(crate) fn of(headers: &'a HeaderMap) -> Option<Self> {
        if !headers.contains_key(TRACEPARENT) {
            return None;
        }
        let mut values = headers.get_all(TRACEPARENT).iter();
        let (value, more) = (values.next()?, values.next());
        if more.is_some() {
            return None;
        }
        Self::parse(value.to_str().ok()?)
    }

    pub(crate) fn parse(value: &'a str) -> Option<Self> {
        if value.len() > LONGEST {
            return None;
        }
        let mut fields = value.splitn(5, '-');
        let mut field = |digits: usize| fields.next().filter(|field| is_hex(field, digits));
        let version = field(2).filter(|version| *version != "ff")?;
        let trace_id = field(32).filter(|id| !is_zero(id))?;
        let span_id = field(16).filter(|id| !is_zero(id))?;
        let flags = field(2)?;
        // Only a version after 00 may go on.
        (version != "00" || fields.next().is_none()).then_some(Self {
            trace_id,
            span_id,
            flags,
        })
    }
}

/// As version 00, the one that this page describes, whichever version it came in.
impl fmt::Display for TraceParent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{}", self.trace_id, self.span_id, self.flags)
    }
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_zero(id: &str) -> bool {
    id.bytes().all(|byte| byte == b'0')
}

/// The beginning of a trace, for a task that is part of none: its id names the trace, the random
/// half of it the span, and nobody is asked to record it.
pub(crate) fn beginning_at(task_id: TaskId) -> Option<HeaderValue> {
    let [high, low] = halves(task_id);
    HeaderValue::try_from(format!("00-{high:016x}{low:016x}-{low:016x}-00")).ok()
}

fn halves(task_id: TaskId) -> [u64; 2] {
    let id = u128::from_be_bytes(*task_id.as_bytes());
    [(id >> 64) as u64, id as u64]
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const SPAN: &str = "b7ad6b7169203331";

    #[test]
    fn what_follows_the_page_is_read() {
        for value in [
            format!("00-{TRACE}-{SPAN}-01"),
            format!("01-{TRACE}-{SPAN}-00"),
            format!("cc-{TRACE}-{SPAN}-01-what-comes-later"),
        ] {
            let parent = TraceParent::parse(&value).unwrap();
            assert_eq!((parent.trace_id, parent.span_id), (TRACE, SPAN), "{value}");
        }
        let later = format!("cc-{TRACE}-{SPAN}-01-more");
        let passed_on = TraceParent::parse(&later).unwrap().to_string();
        assert_eq!(passed_on, format!("00-{TRACE}-{SPAN}-01"));
    }

    #[test]
    fn what_does_not_is_left_unread() {
        for value in [
            String::new(),
            "-".to_owned(),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("0-{TRACE}-{SPAN}-01"),
            format!("00-{TRACE}-{SPAN}"),
            format!("00-{TRACE}-{SPAN}-1"),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("00-{TRACE}-{SPAN}-01-"),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{}-{SPAN}-01", "0".repeat(32)),
            format!("00-{TRACE}-{}-01", "0".repeat(16)),
            format!("00-{TRACE}0-{SPAN}-01"),
            format!("00-{TRACE}-{SPAN}-01 "),
            format!("01-{TRACE}-{SPAN}-01-{}", "x".repeat(256)),
        ] {
            assert_eq!(TraceParent::parse(&value), None, "{value}");
        }
    }

    #[test]
    fn said_twice_is_not_said() {
        let value = HeaderValue::try_from(format!("00-{TRACE}-{SPAN}-01")).unwrap();
        let mut headers = HeaderMap::new();
        headers.append(TRACEPARENT, value.clone());
        assert!(TraceParent::of(&headers).is_some());
        headers.append(TRACEPARENT, value);
        assert!(TraceParent::of(&headers).is_none());
    }

    #[test]
    fn a_task_begins_a_trace_that_is_named_by_it() {
        let id: TaskId = "01936a5e-7c00-7000-8000-000000000001".parse().unwrap();
        let value = beginning_at(id).unwrap();
        let parent = TraceParent::parse(value.to_str().unwrap()).unwrap();
        assert_eq!(parent.trace_id, "01936a5e7c0070008000000000000001");
        assert_eq!(parent.span_id, "8000000000000001");
    }
}
