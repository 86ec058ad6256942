//! How a task ends: by status, error, panic, cancellation.

use dexcost::{Scope, TaskHandle, TaskStatus, TrackedTask};
use http::StatusCode;

use super::grpc::{GrpcCall, GrpcStatus};

/// The open task of a request: the one value that moves from the call to the future to the body.
///
/// Whoever sees the end ends it. If nobody does it was given up, and its drop says so: as panicked
/// during unwinding, else as cancelled.
#[derive(Debug)]
pub(super) struct OpenTask(Option<TrackedTask>);

/// What the end of a task is judged by.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) status: StatusCode,
    pub(super) grpc: Option<Box<GrpcCall>>,
}

impl OpenTask {
    pub(super) fn new(mut task: TrackedTask) -> Self {
        task.cancel_on_drop();
        Self(Some(task))
    }

    pub(super) fn scope(&self) -> Scope {
        match &self.0 {
            Some(task) => Scope::with_task(task),
            None => Scope::current(),
        }
    }

    /// The task, where it is open.
    pub(super) fn handle(&self) -> Option<&TaskHandle> {
        self.0.as_deref()
    }

    pub(super) const fn is_open(&self) -> bool {
        self.0.is_some()
    }

    /// Ends the task by the status that its response had.
    pub(super) fn end(&mut self, outcome: &mut Outcome) {
        let Some(task) = self.0.take() else { return };
        let status = outcome.status;
        if status.is_server_error() {
            task.set_metadata("http_status", status.as_u16());
            let _ = task.finish(TaskStatus::Failed);
            return;
        }
        match &mut outcome.grpc {
            // With any other status it was no gRPC that answered.
            Some(call) if status == StatusCode::OK => call.end(&task),
            _ => {
                let _ = task.finish(TaskStatus::Success);
            }
        }
    }

    /// Ends the task as failed, for a reason that is not in its status.
    pub(super) fn fail(&mut self, reason: &'static str) {
        if let Some(task) = self.0.take() {
            let _ = task.finish_failed(reason);
        }
    }

    /// Runs code of the user in the task's scope; where it panics, the task ends as panicked and
    /// the panic goes on.
    ///
    /// The end has to be noticed here: a layer around may catch the panic and drop the future
    /// later, when nothing is unwinding any more.
    pub(super) fn run<T>(&mut self, scope: &Scope, code: impl FnOnce() -> T) -> T {
        let _on_unwind = OnUnwind(&mut self.0);
        scope.run(code)
    }
}

impl GrpcCall {
    fn end(&mut self, task: &TrackedTask) {
        let status = self.status.unwrap_or(GrpcStatus::UNKNOWN);
        if status == GrpcStatus::CANCELLED {
            let _ = task.finish_failed("cancelled");
        } else if status.is_failure() {
            task.set_metadata("grpc_status", status.name());
            let _ = task.finish(TaskStatus::Failed);
        } else {
            let _ = task.finish(TaskStatus::Success);
        }
        if status == GrpcStatus::OK
            && let Some(unproven) = self.unproven.take()
        {
            unproven.prove();
        }
    }
}

struct OnUnwind<'a>(&'a mut Option<TrackedTask>);

impl Drop for OnUnwind<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            *self.0 = None;
        }
    }
}
