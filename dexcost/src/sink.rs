//! Where records go: the seam between accounting and keeping.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::error::Error;
use crate::event::Event;
use crate::loss::{Loss, LossKind, LossReason};
use crate::task::Task;

/// A change of the ledger that is to be kept.
#[derive(Clone, Debug)]
pub enum Record {
    /// A task began.
    TaskStarted(Arc<Task>),
    /// A running or ended task changed (a link, an edit after its end).
    TaskChanged(Arc<Task>),
    /// A task ended; its totals are final.
    TaskEnded(Arc<Task>),
    /// An event was recorded.
    Event(Arc<Event>),
    /// An event that was recorded before changed; `revision` is higher than before.
    EventChanged {
        /// As it stood before.
        before: Arc<Event>,
        /// As it stands now.
        after: Arc<Event>,
    },
}

/// Why a record was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The queue is full.
    QueueFull,
    /// The sink is closed.
    Closed,
    /// The process is a fork of the one that opened the sink.
    Forked,
}

impl Refusal {
    /// The word under which `dexcost status` counts it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::Closed => "closed",
            Self::Forked => "forked",
        }
    }
}

/// Takes records off the caller's hands at once and keeps them in its own time.
pub trait Sink: Send + Sync + std::fmt::Debug {
    /// Hands a record over. Never blocks, never panics.
    ///
    /// # Errors
    ///
    /// The reason where the record was not taken. The sink has counted the loss.
    fn put(&self, record: Record) -> Result<(), Refusal>;

    /// Asks that everything handed over so far be committed now.
    fn commit(&self) -> Commit;

    /// Commits what is left, within the time limit, and takes no more.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`] or [`Error::Buffer`] where not everything could be committed.
    fn close(&self, within: Duration) -> Result<(), Error>;

    /// Counts what was lost before it could become a record. A sink that keeps no such counts does
    /// nothing.
    fn note_loss(&self, kind: LossKind, reason: LossReason, count: u64) {
        let _ = (kind, reason, count);
    }

    /// What was lost since the sink was opened, by kind and reason.
    fn losses(&self) -> Vec<Loss> {
        Vec::new()
    }
}

/// The confirmation of a commit; await it, or block on it with [`Commit::wait`].
#[derive(Debug)]
#[must_use = "a commit is only known to be done once it was awaited"]
pub struct Commit(CommitState);

#[derive(Debug)]
enum CommitState {
    Ready(Option<Result<(), Error>>),
    Pending(oneshot::Receiver<Result<(), Error>>),
    Polled(oneshot::AsyncReceiver<Result<(), Error>>),
}

/// The side of a [`Commit`] that confirms it.
#[derive(Debug)]
pub struct Committer(oneshot::Sender<Result<(), Error>>);

impl Committer {
    /// Confirms; nobody may be waiting any more, which is fine.
    pub fn done(self, result: Result<(), Error>) {
        let _ = self.0.send(result);
    }
}

impl Commit {
    /// A commit whose outcome is known already.
    pub const fn ready(result: Result<(), Error>) -> Self {
        Self(CommitState::Ready(Some(result)))
    }

    /// A commit and the handle that confirms it. A handle that is dropped reports the sink closed.
    pub fn pending() -> (Committer, Self) {
        let (sender, receiver) = oneshot::channel();
        (Committer(sender), Self(CommitState::Pending(receiver)))
    }

    /// Blocks the thread until the commit is done.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`] where it took longer than `within`, else what the sink reported.
    pub fn wait(self, within: Duration) -> Result<(), Error> {
        match self.0 {
            CommitState::Ready(result) => result.unwrap_or(Ok(())),
            CommitState::Polled(_) => Err(Error::Closed),
            CommitState::Pending(receiver) => match receiver.recv_timeout(within) {
                Ok(result) => result,
                Err(oneshot::RecvTimeoutError::Timeout) => Err(Error::Timeout {
                    waited_ms: u64::try_from(within.as_millis()).unwrap_or(u64::MAX),
                }),
                Err(oneshot::RecvTimeoutError::Disconnected) => Err(Error::Closed),
            },
        }
    }
}

impl Future for Commit {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let state = std::mem::replace(&mut self.0, CommitState::Ready(None));
        let mut receiver = match state {
            CommitState::Ready(result) => return Poll::Ready(result.unwrap_or(Ok(()))),
            CommitState::Pending(receiver) => receiver.into_future(),
            CommitState::Polled(receiver) => receiver,
        };
        match Pin::new(&mut receiver).poll(cx) {
            Poll::Ready(outcome) => Poll::Ready(outcome.unwrap_or_else(|_| Err(Error::Closed))),
            Poll::Pending => {
                self.0 = CommitState::Polled(receiver);
                Poll::Pending
            }
        }
    }
}
