//! How far a body has come: what tells a finished body from one that was given up.

use std::sync::atomic::{AtomicBool, Ordering};

use http::{HeaderMap, Method, StatusCode, header};
use http_body::Body;

/// How far a body has come.
///
/// Its consumer may stop polling after the last byte that it expects, or after it was told that
/// this is the end; neither is giving up.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    remaining: Option<u64>,
    told_end: AtomicBool,
}

impl Progress {
    /// The progress of a body nobody has polled yet.
    pub(crate) fn of<B: Body>(body: &B, headers: &HeaderMap) -> Self {
        let stated = || headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok();
        Self {
            remaining: body.size_hint().exact().or_else(stated),
            told_end: AtomicBool::new(body.is_end_stream()),
        }
    }

    /// The progress of a body with so many bytes still to come, `None` where nobody said.
    #[cfg(any(feature = "aws", feature = "ureq"))]
    pub(crate) const fn new(remaining: Option<u64>, is_at_end: bool) -> Self {
        Self {
            remaining,
            told_end: AtomicBool::new(is_at_end),
        }
    }

    /// The progress of the body of a message that has none on the wire, whatever it holds.
    pub(crate) const fn without_body() -> Self {
        Self {
            remaining: Some(0),
            told_end: AtomicBool::new(true),
        }
    }

    /// Notes that so many bytes went out.
    pub(crate) const fn passed(&mut self, bytes: usize) {
        if let Some(remaining) = self.remaining {
            self.remaining = Some(remaining.saturating_sub(bytes as u64));
        }
    }

    /// Notes what the inner body says about its end, and passes the word on.
    pub(crate) fn tell_end(&self, is_end: bool) -> bool {
        if is_end {
            self.told_end.store(true, Ordering::Relaxed);
        }
        is_end
    }

    /// Whether the consumer knows that the body is over.
    pub(crate) fn is_told_end(&self) -> bool {
        self.told_end.load(Ordering::Relaxed)
    }

    /// Whether everything has gone out that ever will.
    pub(crate) fn is_over(&self) -> bool {
        self.remaining == Some(0) || self.is_told_end()
    }
}

/// Whether a response has no body on the wire, so that nobody will poll what it holds.
pub(crate) fn is_bodyless(method: &Method, status: StatusCode) -> bool {
    *method == Method::HEAD
        || status.is_informational()
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
        || (*method == Method::CONNECT && status.is_success())
}
