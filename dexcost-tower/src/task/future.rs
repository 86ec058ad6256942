//! The response future.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use dexcost::Scope;
use http::{Method, Response};
use http_body::Body;
use pin_project_lite::pin_project;

use super::body::{self, TaskBody};
use super::grpc::{GrpcCall, GrpcStatus};
use super::open::{OpenTask, Outcome};
use super::reply::{Reply, Telling};
use crate::progress::{Progress, is_bodyless};

pin_project! {
    /// The response future of a [`TaskService`](crate::TaskService).
    ///
    /// Each poll runs in the scope of the request's task. Dropped before the response, the task
    /// counts as cancelled.
    #[must_use = "futures do nothing unless polled"]
    pub struct TaskFuture<F> {
        #[pin]
        inner: Option<F>,
        tracked: Option<Tracked>,
    }

    impl<F> PinnedDrop for TaskFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(tracked) = this.tracked {
                tracked.task.run(&tracked.scope, || this.inner.set(None));
            }
        }
    }
}

/// What a request brings along until its response.
pub(super) struct Tracked {
    pub(super) scope: Scope,
    pub(super) method: Method,
    pub(super) task: OpenTask,
    pub(super) grpc: Option<Box<GrpcCall>>,
    pub(super) telling: Option<Telling>,
}

impl<F> TaskFuture<F> {
    pub(super) const fn passing(inner: F) -> Self {
        Self {
            inner: Some(inner),
            tracked: None,
        }
    }

    pub(super) const fn tracked(inner: F, tracked: Tracked) -> Self {
        Self {
            inner: Some(inner),
            tracked: Some(tracked),
        }
    }
}

impl<F, R, E> Future for TaskFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body,
{
    type Output = Result<Response<TaskBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(inner) = this.inner.as_pin_mut() else {
            return Poll::Pending;
        };
        let Some(tracked) = this.tracked.as_mut() else {
            return inner.poll(cx).map_ok(|response| response.map(TaskBody::passing));
        };
        let result = ready!(tracked.task.run(&tracked.scope, || inner.poll(cx)));
        let Some(tracked) = this.tracked.take() else {
            return Poll::Pending;
        };
        Poll::Ready(tracked.settle(result))
    }
}

impl Tracked {
    fn settle<R: Body, E>(mut self, result: Result<Response<R>, E>) -> Result<Response<TaskBody<R>>, E> {
        let mut response = match result {
            Ok(response) => response,
            Err(error) => {
                self.task.fail("service_error");
                return Err(error);
            }
        };
        let status = response.status();
        let progress = if is_bodyless(&self.method, status) {
            Progress::without_body()
        } else {
            Progress::of(response.body(), response.headers())
        };
        if let Some(call) = &mut self.grpc {
            call.status = GrpcStatus::of(response.headers());
        }
        let cost_trailer = self.tell(&mut response, &progress);
        let outcome = Outcome {
            status,
            grpc: self.grpc,
        };
        Ok(response.map(|body| {
            body::Tracked::new(self.scope, self.task, outcome, progress, cost_trailer).around(body)
        }))
    }

    fn tell<R: Body>(&self, response: &mut Response<R>, progress: &Progress) -> Option<Arc<Reply>> {
        let (telling, task) = (self.telling.as_ref()?, self.task.handle()?);
        let is_exact = response.body().size_hint().exact().is_some();
        telling.head(task, response.headers_mut(), progress.is_told_end(), is_exact)
    }
}

impl<F> std::fmt::Debug for TaskFuture<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TaskFuture").finish_non_exhaustive()
    }
}
