//! The response future.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use dexcost::Scope;
use http::{Method, Response};
use http_body::Body;
use pin_project_lite::pin_project;

use super::body::TaskBody;
use super::open::OpenTask;
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

struct Tracked {
    scope: Scope,
    method: Method,
    task: OpenTask,
}

impl<F> TaskFuture<F> {
    pub(super) const fn passing(inner: F) -> Self {
        Self {
            inner: Some(inner),
            tracked: None,
        }
    }

    pub(super) const fn tracked(inner: F, scope: Scope, method: Method, task: OpenTask) -> Self {
        Self {
            inner: Some(inner),
            tracked: Some(Tracked { scope, method, task }),
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
        let response = match result {
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
        Ok(response.map(|body| TaskBody::tracked(body, self.scope, self.task, status, progress)))
    }
}

impl<F> std::fmt::Debug for TaskFuture<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TaskFuture").finish_non_exhaustive()
    }
}
