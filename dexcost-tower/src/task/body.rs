//! The response body, at whose end the task ends.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use dexcost::Scope;
use http::StatusCode;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::open::OpenTask;
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

#[derive(Debug)]
struct Tracked {
    scope: Scope,
    task: OpenTask,
    status: StatusCode,
    progress: Progress,
}

impl<B> TaskBody<B> {
    pub(super) const fn passing(inner: B) -> Self {
        Self {
            inner: Some(inner),
            tracked: None,
        }
    }

    /// A body with whose end the task ends. One without anything to give is at its end already.
    pub(super) fn tracked(
        inner: B,
        scope: Scope,
        mut task: OpenTask,
        status: StatusCode,
        progress: Progress,
    ) -> Self {
        if progress.is_told_end() {
            task.end(status);
        }
        let tracked = Tracked {
            scope,
            task,
            status,
            progress,
        };
        Self {
            inner: Some(inner),
            tracked: tracked.task.is_open().then_some(tracked),
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
            return Poll::Ready(None);
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
        if is_end {
            // First the inner body, whose drop may still record something, then the task.
            tracked.task.run(&tracked.scope, || this.inner.set(None));
            match &frame {
                Some(Err(_)) => tracked.task.fail("body_error"),
                _ => tracked.task.end(tracked.status),
            }
            *this.tracked = None;
        }
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
        let is_end = self.inner.as_ref().is_none_or(Body::is_end_stream);
        match &self.tracked {
            Some(tracked) => tracked.progress.tell_end(is_end),
            None => is_end,
        }
    }
}

impl Tracked {
    /// The body is dropped. Where all of it had gone out it is finished; else it was given up, and
    /// the drop of the open task says so.
    fn leave(&mut self) {
        if self.progress.is_over() {
            self.task.end(self.status);
        }
    }
}
