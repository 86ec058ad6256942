//! The service: opens the task, runs the handler in its scope.

use std::sync::Arc;
use std::task::{Context, Poll};

use dexcost::CostTracker;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::body::TaskBody;
use super::future::TaskFuture;
use super::layer::{RequestHead, Settings};
use super::open::OpenTask;
use crate::untracked;

/// The service of a [`TaskLayer`](crate::TaskLayer).
#[derive(Clone, Debug)]
pub struct TaskService<S> {
    pub(super) inner: S,
    pub(super) settings: Arc<Settings>,
}

impl<S> TaskService<S> {
    /// The service beneath.
    pub const fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The service beneath, for changing.
    pub const fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The service beneath, alone.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, B, R> Service<Request<B>> for TaskService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Body,
{
    type Response = Response<TaskBody<R>>;
    type Error = S::Error;
    type Future = TaskFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let Some(mut task) = self.settings.open(&RequestHead::of(&request)) else {
            return TaskFuture::passing(self.inner.call(request));
        };
        let scope = task.scope();
        let method = request.method().clone();
        let future = task.run(&scope, || self.inner.call(request));
        TaskFuture::tracked(future, scope, method, task)
    }
}

impl Settings {
    /// Opens the task of a request; `None` where it is to have none.
    fn open(&self, head: &RequestHead<'_>) -> Option<OpenTask> {
        if !self.wants(head) {
            return None;
        }
        let Some(tracker) = self.tracker.clone().or_else(dexcost::tracker) else {
            untracked::count_request();
            return None;
        };
        self.open_on(&tracker, head)
    }

    fn open_on(&self, tracker: &CostTracker, head: &RequestHead<'_>) -> Option<OpenTask> {
        let options = self.options(head.headers);
        let task = tracker.start_task_sync(self.task_type(head), options).ok()?;
        Some(OpenTask::new(task))
    }
}
