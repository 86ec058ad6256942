//! The response body, at whose end the task ends.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use dexcost::Scope;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::grpc::GrpcStatus;
use super::open::{OpenTask, Outcome};
use super::reply::Reply;
use crate::progress::Progress;

pin_project! {
    /// The response body of a request that is a task.
    ///
    /// Every frame passes through untouched; each poll runs in the task's scope, so that what a
    /// streamed answer costs lands on it. The task ends with the body.
    #[derive(Debug)]
    pub struct TaskBody<B> {
        #[pin]
        inner: Option<B>,
        tracked: Option<Tracked>,
        // What is still to be said after the inner body, where the client is told what it cost.
        trailers: Option<Box<HeaderMap>>,
    }

    impl<B> PinnedDrop for TaskBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(tracked) = this.tracked {
                tracked.task.run(&tracked.scope, || this.inner.set(None));
                tracked.leave();
            }
        }
    }
}

/// What a response brings along until the end of its body.
#[derive(Debug)]
pub(super) struct Tracked {
    scope: Scope,
    task: OpenTask,
    outcome: Outcome,
    progress: Progress,
    cost_trailer: Option<Arc<Reply>>,
}

impl<B> TaskBody<B> {
    pub(super) const fn passing(inner: B) -> Self {
        Self {
            inner: Some(inner),
            tracked: None,
            trailers: None,
        }
    }
}

impl Tracked {
    pub(super) fn new(
        scope: Scope,
        task: OpenTask,
        outcome: Outcome,
        progress: Progress,
        cost_trailer: Option<Arc<Reply>>,
    ) -> Self {
        Self {
            scope,
            task,
            outcome,
            progress,
            cost_trailer,
        }
    }

    /// A body with whose end the task ends. One without anything to give is at its end already.
    pub(super) fn around<B>(mut self, inner: B) -> TaskBody<B> {
        if self.progress.is_told_end() {
            self.task.end(&mut self.outcome);
        }
        TaskBody {
            inner: Some(inner),
            tracked: self.task.is_open().then_some(self),
            trailers: None,
        }
    }
}

impl<B: Body> Body for TaskBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let Some(inner) = this.inner.as_mut().as_pin_mut() else {
            return Poll::Ready(this.trailers.take().map(|fields| Ok(Frame::trailers(*fields))));
        };
        let Some(tracked) = this.tracked.as_mut() else {
            return inner.poll_frame(cx);
        };
        let frame = ready!(tracked.task.run(&tracked.scope, || inner.poll_frame(cx)));
        let is_end = match &frame {
            None | Some(Err(_)) => true,
            Some(Ok(frame)) => match frame.data_ref() {
                Some(data) => {
                    tracked.progress.passed(bytes::Buf::remaining(data));
                    this.inner
                        .as_ref()
                        .as_pin_ref()
                        .is_none_or(|inner| inner.is_end_stream())
                }
                None => true,
            },
        };
        if !is_end {
            return Poll::Ready(frame);
        }
        // First the inner body, whose drop may still record something, then the task.
        tracked.task.run(&tracked.scope, || this.inner.set(None));
        let (frame, trailers) = tracked.settle(frame);
        *this.trailers = trailers;
        *this.tracked = None;
        Poll::Ready(frame)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Some(inner) => inner.size_hint(),
            None => SizeHint::with_exact(0),
        }
    }

    /// True only once the inner body says so: who hears it may never poll again.
    fn is_end_stream(&self) -> bool {
        let is_end = self.trailers.is_none() && self.inner.as_ref().is_none_or(Body::is_end_stream);
        match &self.tracked {
            Some(tracked) if tracked.cost_trailer.is_some() => false,
            Some(tracked) => tracked.progress.tell_end(is_end),
            None => is_end,
        }
    }
}

type FrameOf<D, E> = Option<Result<Frame<D>, E>>;

impl Tracked {
    /// Ends the task on the last frame of the inner body. What comes back is that frame, with what
    /// the task cost where it can hold it, and else the trailers that are to follow it.
    fn settle<D, E>(&mut self, mut frame: FrameOf<D, E>) -> (FrameOf<D, E>, Option<Box<HeaderMap>>) {
        if let Some(Err(_)) = frame {
            self.task.fail("body_error");
            return (frame, None);
        }
        let trailers = match &mut frame {
            Some(Ok(last)) => last.trailers_mut(),
            _ => None,
        };
        if let (Some(call), Some(trailers)) = (&mut self.outcome.grpc, &trailers) {
            call.status = GrpcStatus::of(trailers).or(call.status);
        }
        let mut following = None;
        if let (Some(reply), Some(task)) = (self.cost_trailer.take(), self.task.handle()) {
            let fields = match trailers {
                Some(trailers) => trailers,
                None => following.get_or_insert_default(),
            };
            reply.tell_cost(task, fields);
        }
        self.task.end(&mut self.outcome);
        match (&frame, following) {
            (None, Some(fields)) => (Some(Ok(Frame::trailers(fields))), None),
            (_, following) => (frame, following.map(Box::new)),
        }
    }

    /// The body is dropped. Where all of it had gone out it is finished; else it was given up, and
    /// the drop of the open task says so.
    fn leave(&mut self) {
        if self.progress.is_over() {
            self.task.end(&mut self.outcome);
        }
    }
}
