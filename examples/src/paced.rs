//! A body that comes in pieces, as a model speaks.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::time::{Instant, Sleep, sleep};

/// Gives its pieces one by one, with a pause before each but the first.
pub(crate) struct Paced {
    pieces: VecDeque<Bytes>,
    pause: Duration,
    timer: Pin<Box<Sleep>>,
}

impl Paced {
    pub(crate) fn new(pieces: impl IntoIterator<Item = Bytes>, pause: Duration) -> Self {
        Self {
            pieces: pieces.into_iter().collect(),
            pause,
            timer: Box::pin(sleep(Duration::ZERO)),
        }
    }
}

impl Body for Paced {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.pieces.is_empty() {
            return Poll::Ready(None);
        }
        if !self.pause.is_zero() {
            ready!(self.timer.as_mut().poll(cx));
            let next = Instant::now() + self.pause;
            self.timer.as_mut().reset(next);
        }
        Poll::Ready(self.pieces.pop_front().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty()
    }
}
