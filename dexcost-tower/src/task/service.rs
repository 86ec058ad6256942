//! The service: opens the task, runs the handler in its scope.

use std::sync::Arc;
use std::task::{Context, Poll};

use dexcost::CostTracker;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::body::TaskBody;
use super::future::{TaskFuture, Tracked};
use super::grpc::{self, GrpcCall};
use super::head::RequestHead;
use super::open::OpenTask;
use super::reply::Telling;
use super::settings::Settings;
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

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let Some(opened) = self.settings.open(&RequestHead::of(&request)) else {
            return TaskFuture::passing(self.inner.call(request));
        };
        let Opened {
            mut task,
            grpc,
            telling,
        } = opened;
        if self.settings.hands_out_task
            && let Some(handle) = task.handle()
        {
            let handle = handle.clone();
            request.extensions_mut().insert(handle);
        }
        let scope = task.scope();
        let method = request.method().clone();
        let future = task.run(&scope, || self.inner.call(request));
        TaskFuture::tracked(
            future,
            Tracked {
                scope,
                method,
                task,
                grpc,
                telling,
            },
        )
    }
}

/// What a request begins with.
struct Opened {
    task: OpenTask,
    grpc: Option<Box<GrpcCall>>,
    telling: Option<Telling>,
}

impl Settings {
    /// Opens the task of a request; `None` where it is to have none.
    fn open(&self, head: &RequestHead<'_>) -> Option<Opened> {
        if !self.wants(head) {
            return None;
        }
        let Some(tracker) = self.tracker.clone().or_else(dexcost::tracker) else {
            untracked::count_request();
            return None;
        };
        self.open_on(&tracker, head)
    }

    fn open_on(&self, tracker: &CostTracker, head: &RequestHead<'_>) -> Option<Opened> {
        let mut grpc = grpc::is_call(head).then(Box::<GrpcCall>::default);
        let task_type = self.task_type(head, grpc.as_deref_mut());
        let task = tracker.start_task_sync(task_type, self.options(head)).ok()?;
        Some(Opened {
            task: OpenTask::new(task),
            grpc,
            telling: self.reply.as_ref().map(|reply| Telling::to(reply, head)),
        })
    }
}
