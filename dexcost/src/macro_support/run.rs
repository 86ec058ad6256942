//! Runs a body as a task.
//!
//! The value of the body is handed through untouched. A body that yields an `Err` ends its task as
//! failed; one that panics or is dropped half-way does too, with the reason in the metadata.

use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::account::{Scope, TrackedTask};
use crate::macro_support::spec::Spec;
use crate::task::TaskStatus;

/// Runs a closure as a task. `failed` tells whether its value is a failure.
pub fn run_sync<T>(spec: Spec, body: impl FnOnce() -> T, failed: impl FnOnce(&T) -> bool) -> T {
    let Some(task) = spec.start() else {
        return body();
    };
    let value = Scope::with_task(&task).run(body);
    finish(&task, failed(&value));
    value
}

/// A future that runs `body` as a task, opened when it is first polled. `failed` tells whether the
/// value is a failure.
pub fn run_async<F, J>(spec: Spec, body: F, failed: J) -> RunAsync<F, J>
where
    F: Future,
    J: FnOnce(&F::Output) -> bool,
{
    RunAsync {
        body: Some(body),
        stage: Stage::New { spec },
        failed: Some(failed),
    }
}

fn finish(task: &TrackedTask, failed: bool) {
    let status = if failed {
        TaskStatus::Failed
    } else {
        TaskStatus::Success
    };
    // The only error is that the task has ended already, and then it has.
    let _ = task.finish(status);
}

pin_project! {
    /// A body that runs as a task.
    #[must_use = "futures do nothing unless polled"]
    pub struct RunAsync<F, J> {
        #[pin]
        body: Option<F>,
        stage: Stage,
        failed: Option<J>,
    }

    impl<F, J> PinnedDrop for RunAsync<F, J> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Stage::Running { task, scope, in_poll } = this.stage {
                // What the body drops may still record.
                scope.run(|| this.body.set(None));
                if *in_poll {
                    // An executor may have caught the panic, so that nothing unwinds any more.
                    let _ = task.finish_failed("panicked");
                }
            }
        }
    }
}

/// How far it is.
#[allow(
    clippy::large_enum_variant,
    reason = "it lies in the future of the function, which is not moved while it runs"
)]
enum Stage {
    New {
        spec: Spec,
    },
    Running {
        task: TrackedTask,
        scope: Scope,
        in_poll: bool,
    },
    /// There is no tracker, or the body has ended.
    Bare,
}

impl Stage {
    fn start(&mut self) {
        if let Self::New { spec } = std::mem::replace(self, Self::Bare)
            && let Some(mut task) = spec.start()
        {
            task.cancel_on_drop();
            let scope = Scope::with_task(&task);
            *self = Self::Running {
                task,
                scope,
                in_poll: false,
            };
        }
    }
}

impl<F, J> Future for RunAsync<F, J>
where
    F: Future,
    J: FnOnce(&F::Output) -> bool,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        if let Stage::New { .. } = this.stage {
            this.stage.start();
        }
        let Some(body) = this.body.as_mut().as_pin_mut() else {
            return Poll::Pending;
        };
        let Stage::Running { task, scope, in_poll } = this.stage else {
            return body.poll(cx);
        };
        *in_poll = true;
        let polled = scope.run(|| body.poll(cx));
        if let Poll::Ready(value) = &polled {
            scope.run(|| this.body.set(None));
            finish(task, this.failed.take().is_some_and(|failed| failed(value)));
            *this.stage = Stage::Bare;
        } else {
            *in_poll = false;
        }
        polled
    }
}
