//! The response body, observed in passing.

use std::io::IoSlice;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use dexcost::Ending;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::trouble;
use super::watch::Watch;
use crate::progress::Progress;

pin_project! {
    /// The response body of a captured call.
    ///
    /// Every frame passes through untouched and at once. The call is settled at the body's end, and
    /// a body has five of them: nothing more to give, an error, trailers, a last piece after which
    /// nobody polls again, and a drop. Each settles it, once.
    pub struct CaptureBody<B> {
        #[pin]
        inner: B,
        observed: Option<Observed>,
    }
}

/// The call that a body belongs to, with how far the body has come.
struct Observed {
    watch: Watch,
    progress: Progress,
}

/// Nothing of what passes through.
impl<B> std::fmt::Debug for CaptureBody<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CaptureBody")
            .field("is_watched", &self.observed.is_some())
            .finish_non_exhaustive()
    }
}

impl<B> CaptureBody<B> {
    /// A body that nobody watches.
    pub(super) const fn passing(inner: B) -> Self {
        Self {
            inner,
            observed: None,
        }
    }
}

impl<B: Body> CaptureBody<B> {
    /// A body that is watched to its end. One without anything to give is at its end already.
    pub(super) fn watched(inner: B, mut watch: Watch, progress: Progress) -> Self {
        if progress.is_told_end() {
            watch.settle(Ending::Done);
        }
        let observed = watch.is_live().then_some(Observed { watch, progress });
        Self { inner, observed }
    }
}

impl<B: Body> Body for CaptureBody<B>
where
    B::Error: 'static,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.inner.as_mut().poll_frame(cx));
        if let Some(observed) = this.observed {
            let is_settled = match &frame {
                None => observed.settle(Ending::Done),
                Some(Err(error)) => observed.fail(error),
                Some(Ok(frame)) => match frame.data_ref() {
                    Some(data) => observed.data(data, this.inner.is_end_stream()),
                    None => observed.settle(Ending::Done),
                },
            };
            if is_settled {
                *this.observed = None;
            }
        }
        Poll::Ready(frame)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }

    /// True only once the inner body says so: who hears it may never poll again.
    fn is_end_stream(&self) -> bool {
        let is_end = self.inner.is_end_stream();
        match &self.observed {
            Some(observed) => observed.progress.tell_end(is_end),
            None => is_end,
        }
    }
}

impl Observed {
    fn settle(&mut self, ending: Ending) -> bool {
        self.watch.settle(ending);
        true
    }

    fn fail<E: 'static>(&mut self, error: &E) -> bool {
        self.watch.fail(trouble::of(error));
        true
    }

    fn data(&mut self, data: &impl Buf, is_end: bool) -> bool {
        self.progress.passed(data.remaining());
        if !each_chunk(data, |chunk| self.watch.data(chunk)) {
            return self.settle(Ending::Truncated);
        }
        is_end && self.settle(Ending::Done)
    }
}

impl Drop for Observed {
    fn drop(&mut self) {
        self.watch.settle(if self.progress.is_over() {
            Ending::Done
        } else {
            Ending::Cancelled
        });
    }
}

/// Shows the bytes of a buffer without consuming them; false where it does not show them all.
///
/// Nearly every body gives its data as one piece of contiguous memory.
pub(super) fn each_chunk(data: &impl Buf, mut look: impl FnMut(&[u8])) -> bool {
    let first = data.chunk();
    if first.len() == data.remaining() {
        look(first);
        return true;
    }
    let mut slices = [IoSlice::new(&[]); 32];
    let filled = data.chunks_vectored(&mut slices);
    let shown: usize = slices[..filled].iter().map(|slice| slice.len()).sum();
    slices[..filled].iter().for_each(|slice| look(slice));
    shown == data.remaining()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_in_several_pieces_is_shown_piece_by_piece() {
        let data = (&b"one"[..]).chain(&b"two"[..]).chain(&b"three"[..]);
        let mut seen = Vec::new();
        assert!(each_chunk(&data, |chunk| seen.extend_from_slice(chunk)));
        assert_eq!(seen, b"onetwothree");
        assert_eq!(data.remaining(), 11, "nothing is consumed");
    }
}
