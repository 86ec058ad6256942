//! A running task: what a user records on and ends.

use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use serde_json::{Map, Value};

use crate::account::cell::TaskCell;
use crate::account::scope::{Scope, ScopeGuard};
use crate::error::Error;
use crate::event::Details;
use crate::id::TaskId;
use crate::sink::Commit;
use crate::task::{Task, TaskStatus};

/// Under which name a task's metadata holds its links to traces.
const TRACE_LINKS: &str = "_trace_links";

/// How long [`TrackedTask::end_blocking`] waits for the disk at most.
const END_WITHIN: Duration = Duration::from_secs(30);

/// A running task that costs can be recorded on; cheap to clone, and all clones are the same task.
///
/// It cannot end the task: only the [`TrackedTask`] it came from can.
#[derive(Clone, Debug)]
pub struct TaskHandle(Arc<TaskCell>);

impl TaskHandle {
    pub(super) fn from_cell(cell: Arc<TaskCell>) -> Self {
        Self(cell)
    }

    pub(super) fn cell(&self) -> &Arc<TaskCell> {
        &self.0
    }

    /// The task's identifier.
    #[must_use]
    pub fn task_id(&self) -> TaskId {
        self.0.task_id()
    }

    /// The task's record as it stands now, totals included.
    #[must_use]
    pub fn task(&self) -> Task {
        self.0.read(Clone::clone)
    }

    /// Whether the task has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.0.read(|task| task.status != TaskStatus::Pending)
    }

    /// Makes the task current until the guard is dropped, for synchronous code.
    ///
    /// In asynchronous code use [`TaskFutureExt::in_task`](crate::TaskFutureExt::in_task).
    pub fn enter(&self) -> ScopeGuard {
        Scope::with_task(self).enter()
    }

    /// Runs a closure with the task as the current one.
    pub fn run<T>(&self, closure: impl FnOnce() -> T) -> T {
        Scope::with_task(self).run(closure)
    }

    /// Sets one fact of the task's metadata.
    ///
    /// Names with a leading underscore are dexcost's own; what is set under one may be overwritten.
    pub fn set_metadata(&self, name: impl Into<String>, value: impl Into<Value>) {
        let (name, value) = (name.into(), value.into());
        self.0.change_metadata(|metadata| {
            metadata.insert(name, value);
        });
    }

    /// Links a trace or run of another platform to this task.
    pub fn link_trace(&self, provider: &str, trace_id: &str) {
        self.0
            .change_metadata(|metadata| add_link(metadata, provider, trace_id));
    }

    /// The traces that were linked to this task, oldest first.
    #[must_use]
    pub fn trace_links(&self) -> Vec<TraceLink> {
        self.0.read(|task| match task.metadata.get(TRACE_LINKS) {
            Some(Value::Array(links)) => links.iter().filter_map(TraceLink::read).collect(),
            _ => Vec::new(),
        })
    }
}

// No code of the user runs while a lock of ours is held, so a panic leaves every state whole.
impl std::panic::UnwindSafe for TaskHandle {}
impl std::panic::RefUnwindSafe for TaskHandle {}

pub(super) fn add_link(metadata: &mut Details, provider: &str, trace_id: &str) {
    let link = Map::from_iter([
        ("provider".to_owned(), Value::from(provider)),
        ("trace_id".to_owned(), Value::from(trace_id)),
    ]);
    let links = metadata
        .entry(TRACE_LINKS)
        .or_insert_with(|| Value::Array(Vec::new()));
    if !links.is_array() {
        *links = Value::Array(Vec::new());
    }
    if let Value::Array(links) = links {
        links.push(Value::Object(link));
    }
}

/// A link from a task to a trace of another platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceLink {
    /// The platform (`langfuse`, `langsmith`, …).
    pub provider: String,
    /// The trace or run there.
    pub trace_id: String,
}

impl TraceLink {
    fn read(link: &Value) -> Option<Self> {
        let field = |name: &str| link.get(name)?.as_str().map(str::to_owned);
        Some(Self {
            provider: field("provider")?,
            trace_id: field("trace_id")?,
        })
    }
}

/// A task that was opened and has to be ended, once.
///
/// Dropped without an end it ends as failed, with the reason in its metadata under `_ended_by`:
/// `panicked` during unwinding, `cancelled` where it was told so, else `dropped`.
#[derive(Debug)]
#[must_use = "a task that is dropped without `end` ends as failed"]
pub struct TrackedTask {
    handle: TaskHandle,
    ends_on_drop_as: &'static str,
}

impl TrackedTask {
    pub(super) fn new(handle: TaskHandle) -> Self {
        Self {
            handle,
            ends_on_drop_as: "dropped",
        }
    }

    /// The task without the duty to end it.
    #[must_use]
    pub fn handle(&self) -> TaskHandle {
        self.handle.clone()
    }

    /// Calls it cancelled, not dropped, where the task is dropped without an end.
    ///
    /// For futures whose drop means that their caller gave up.
    pub fn cancel_on_drop(&mut self) {
        self.ends_on_drop_as = "cancelled";
    }

    /// Ends the task at once; awaiting the result waits until the task and all its events are
    /// committed to the buffer.
    ///
    /// [`TaskStatus::Pending`] is no end and is taken as failed.
    ///
    /// # Errors
    ///
    /// When awaited: [`Error::AlreadyEnded`] on a second call, [`Error::Lost`] where records of the
    /// task never reached the buffer, [`Error::Buffer`] where the commit failed.
    pub fn end(&self, status: TaskStatus) -> End {
        if let Err(error) = self.handle.0.end(status, None) {
            return End {
                commit: Commit::ready(Err(error)),
                task: None,
            };
        }
        let commit = self.handle.0.tracker().sink.commit();
        End {
            commit,
            task: Some(Arc::clone(&self.handle.0)),
        }
    }

    /// Ends the task and blocks until it is committed, for at most 30 s.
    ///
    /// # Errors
    ///
    /// As [`end`](Self::end), and [`Error::Timeout`].
    pub fn end_blocking(&self, status: TaskStatus) -> Result<(), Error> {
        self.end(status).wait(END_WITHIN)
    }

    /// Ends the task and goes on; the commit follows within the commit interval.
    ///
    /// # Errors
    ///
    /// [`Error::AlreadyEnded`] on a second call.
    pub fn finish(&self, status: TaskStatus) -> Result<(), Error> {
        self.handle.0.end(status, None)
    }

    /// Ends the task as failed, with the reason in its metadata, and goes on.
    ///
    /// # Errors
    ///
    /// [`Error::AlreadyEnded`] on a second call.
    pub fn finish_failed(&self, reason: &'static str) -> Result<(), Error> {
        self.handle.0.end(TaskStatus::Failed, Some(reason))
    }
}

impl Deref for TrackedTask {
    type Target = TaskHandle;

    fn deref(&self) -> &TaskHandle {
        &self.handle
    }
}

impl Drop for TrackedTask {
    fn drop(&mut self) {
        let reason = if std::thread::panicking() {
            "panicked"
        } else {
            self.ends_on_drop_as
        };
        let _ = self.handle.0.end(TaskStatus::Failed, Some(reason));
    }
}

/// The end of a task; awaiting it waits for the commit. The task has ended even if nobody awaits.
#[derive(Debug)]
#[must_use = "await the end, or the task is only committed within the commit interval; `finish` says so"]
pub struct End {
    commit: Commit,
    task: Option<Arc<TaskCell>>,
}

impl End {
    /// Blocks until the commit, for at most `within`.
    ///
    /// # Errors
    ///
    /// As awaiting it, and [`Error::Timeout`].
    pub fn wait(self, within: Duration) -> Result<(), Error> {
        self.commit.wait(within)?;
        complete(self.task.as_deref())
    }
}

fn complete(task: Option<&TaskCell>) -> Result<(), Error> {
    match task.and_then(TaskCell::lost) {
        Some((count, reason)) => Err(Error::Lost {
            count,
            reason: reason.as_str().to_owned(),
        }),
        None => Ok(()),
    }
}

impl Future for End {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match Pin::new(&mut self.commit).poll(cx) {
            Poll::Ready(Ok(())) => Poll::Ready(complete(self.task.as_deref())),
            other => other,
        }
    }
}
