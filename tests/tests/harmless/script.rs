//! A body and a service that do exactly what a test says, and note what was asked of them.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use tower::Service;

/// What a body does when it is polled.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Data(Bytes),
    Trailers(HeaderMap),
    Fail(&'static str),
    Wait,
    Panic,
}

/// A body that follows a script.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script {
    steps: VecDeque<Step>,
    /// Whether it says how many bytes are left.
    is_sized: bool,
    /// Whether it says that it is at its end before it is polled again.
    tells_end: bool,
    polls: Arc<AtomicUsize>,
}

impl Script {
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self {
            steps: steps.into_iter().collect(),
            ..Self::default()
        }
    }

    /// A body of these pieces.
    pub(crate) fn of(pieces: &[Bytes]) -> Self {
        Self::new(pieces.iter().cloned().map(Step::Data))
    }

    pub(crate) fn sized(mut self) -> Self {
        self.is_sized = true;
        self
    }

    pub(crate) fn telling_its_end(mut self) -> Self {
        self.tells_end = true;
        self
    }

    pub(crate) fn then(mut self, step: Step) -> Self {
        self.steps.push_back(step);
        self
    }

    /// Waits once before every step, and before the end.
    pub(crate) fn hesitating(mut self) -> Self {
        self.steps = self
            .steps
            .into_iter()
            .flat_map(|step| [Step::Wait, step])
            .collect();
        self.then(Step::Wait)
    }

    /// How often it was polled, also once it is under a layer.
    pub(crate) fn polls(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.polls)
    }
}

impl Body for Script {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        self.polls.fetch_add(1, Ordering::Relaxed);
        let Some(step) = self.steps.pop_front() else {
            return Poll::Ready(None);
        };
        Poll::Ready(Some(match step {
            Step::Data(data) => Ok(Frame::data(data)),
            Step::Trailers(fields) => Ok(Frame::trailers(fields)),
            Step::Fail(error) => Err(error),
            Step::Wait => return Poll::Pending,
            Step::Panic => std::panic::panic_any("the body's own trouble"),
        }))
    }

    fn size_hint(&self) -> SizeHint {
        if !self.is_sized {
            return SizeHint::default();
        }
        let lengths = self.steps.iter().map(|step| match step {
            Step::Data(data) => data.remaining() as u64,
            _ => 0,
        });
        SizeHint::with_exact(lengths.sum())
    }

    fn is_end_stream(&self) -> bool {
        self.tells_end && self.steps.is_empty()
    }
}

/// What a service does at each of its places.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    pub(crate) ready: Place,
    pub(crate) call: Place,
    pub(crate) head: Place,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Place {
    #[default]
    Goes,
    Waits,
    Fails,
    Panics,
}

impl Place {
    fn reached(self, is_waiting: bool) -> Poll<Result<(), &'static str>> {
        match self {
            Self::Goes => Poll::Ready(Ok(())),
            Self::Waits if is_waiting => Poll::Pending,
            Self::Waits => Poll::Ready(Ok(())),
            Self::Fails => Poll::Ready(Err("the service's own trouble")),
            Self::Panics => std::panic::panic_any("the service's own trouble"),
        }
    }
}

/// A service with one answer.
#[derive(Debug)]
pub(crate) struct Answering {
    pub(crate) places: Places,
    pub(crate) head: Response<()>,
    pub(crate) body: Script,
    pub(crate) asked: Arc<AtomicUsize>,
    pub(crate) called: Arc<AtomicUsize>,
    was_asked: bool,
}

impl Answering {
    pub(crate) fn new(head: Response<()>, body: Script) -> Self {
        Self {
            places: Places::default(),
            head,
            body,
            asked: Arc::default(),
            called: Arc::default(),
            was_asked: false,
        }
    }

    pub(crate) fn at(mut self, places: Places) -> Self {
        self.places = places;
        self
    }
}

/// The response future of an [`Answering`]; waits once where it is told to wait.
#[derive(Debug)]
pub(crate) struct Answer {
    place: Place,
    is_waiting: bool,
    response: Option<Response<Script>>,
}

impl Future for Answer {
    type Output = Result<Response<Script>, &'static str>;

    fn poll(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Self::Output> {
        let is_waiting = std::mem::replace(&mut self.is_waiting, false);
        match self.place.reached(is_waiting) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) => Poll::Ready(Ok(self.response.take().expect("polled once more"))),
        }
    }
}

impl<B> Service<Request<B>> for Answering {
    type Response = Response<Script>;
    type Error = &'static str;
    type Future = Answer;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let is_waiting = !std::mem::replace(&mut self.was_asked, true);
        self.places.ready.reached(is_waiting)
    }

    fn call(&mut self, _request: Request<B>) -> Answer {
        self.called.fetch_add(1, Ordering::Relaxed);
        if self.places.call == Place::Panics {
            std::panic::panic_any("the service's own trouble");
        }
        let (mut parts, ()) = Response::new(()).into_parts();
        parts.status = self.head.status();
        parts.headers = self.head.headers().clone();
        Answer {
            place: self.places.head,
            is_waiting: true,
            response: Some(Response::from_parts(parts, self.body.clone())),
        }
    }
}
