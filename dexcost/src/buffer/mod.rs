//! The buffer: everything that was recorded, in one SQLite file on this machine.
//!
//! ```
//! use std::time::Duration;
//! use dexcost::buffer::{Buffer, BufferOptions, BufferReader};
//! use dexcost::Sink;
//!
//! let folder = std::env::temp_dir().join(format!("dexcost-doc-{}", std::process::id()));
//! let buffer = Buffer::open(BufferOptions::at(folder.join("buffer.sqlite3")))?;
//! buffer.commit().wait(Duration::from_secs(10))?;
//!
//! let reader = BufferReader::open(folder.join("buffer.sqlite3"))?;
//! assert_eq!(reader.status()?.events, 0);
//! buffer.close(Duration::from_secs(10))?;
//! # std::fs::remove_dir_all(folder).unwrap();
//! # Ok::<(), dexcost::Error>(())
//! ```
//!
//! # Promise
//!
//! Callers hand records over ([`Sink::put`]) and go on: no I/O, no syscall, no waiting. One plain thread
//! owns the connection. It commits every 10 ms while there is something to commit and at once when asked
//! ([`Sink::commit`]); when that commit is confirmed, `kill -9` loses nothing that was handed over
//! before it ([`Durability::Full`]: nor does a loss of power). The queue is bounded in bytes, a
//! sixteenth of them for the ends of tasks only. A record for which there is no room is refused and
//! counted; so is everything else that does not reach the file.
//!
//! [`Buffer::open`] never fails for what is wrong with the file, because the program that is measured
//! comes first. A file that is full, locked, read-only, of a later version or somebody else's is tried
//! again, while records wait in the queue. One that is removed or replaced while it is open is begun anew,
//! and counted. A corrupt file is renamed to `<name>.corrupt-<time>` with its side files, counted, and a
//! new one begun. [`Buffer::trouble`] and `dexcost status` tell.
//!
//! # Tables
//!
//! | table | a row is | promise |
//! |---|---|---|
//! | `events` | an event: `seq` in order of arrival, its `id`, its `task`'s row, the rest as a compact `body` | an id is there once in a task; a row changes only to a higher revision |
//! | `spans` | the stretches of `seq` in which ids of a `second` (1,024 ms) lie | every event lies in one |
//! | `tasks` | a task: its `id`, `who`, `status` (0 pending, 1 success, 2 failed, 3 stub), times, `owner`, `revision`, `body` | the totals are what the tracker said; rebuilt from events only by recovery |
//! | `rollups` | exact sums of a (`day`, `who`, `what`) | changes in the transaction of the rows it sums; `what` 0 counts tasks by the day of their start |
//! | `whos`, `whats` | a number for (customer, project, type), (provider, model, service) | never reused, removed once data expires and nothing refers to it; names over 256 bytes are cut here, and only here |
//! | `owners` | an open buffer; its lock file `<name>.owner-<token>` is held while its process lives | goes with its last open task |
//! | `outbox` | an edit of a row that sync has sent before | append-only |
//! | `losses`, `departed` | a count by kind and reason: what never arrived, what left | only grows |
//! | `meta` | counters: events, tasks by status, cursors of sync | equal to what counting would give |
//!
//! A **stub** is a task of which only events arrived (its start was refused, or is still on its way). It
//! has no body; the task's own record replaces it, and its events are then counted for the right customer.
//!
//! # What a crash leaves
//!
//! A transaction is there or not; there is no state between. Before the first one: an empty file, which
//! the next writer migrates. Between lock file and row of an owner: a lock file that means nothing.
//! After: open tasks, whose owner's lock the kernel has released. The next writer takes that lock, closes
//! them as failed with `_ended_by: "interrupted"` in their metadata and with the sums of their events, then
//! removes owner and lock file; if it dies meanwhile, the one after it goes on. Tasks whose owner's lock
//! is held belong to a living process and are left alone. While renaming a corrupt file: side files
//! without their database or the reverse; both kept.
//!
//! # Reports
//!
//! [`BufferReader`] reads beside a living writer; [`Report`](crate::report::Report) sums the rollups.

mod codec;
mod loss;
mod meta;
mod options;
mod owner;
mod path;
mod queue;
mod reader;
mod rollup;
mod schema;
mod span;
mod store;
mod weight;
mod writer;

#[cfg(test)]
mod model;
#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::error::Error;
use crate::id::TaskId;
use crate::sink::{Commit, Committer, Record, Refusal, Sink};

pub use crate::loss::{Loss, LossKind, LossReason};
pub use options::{BufferOptions, Durability};
pub use path::default_path;
pub use reader::{BufferReader, Found, Status, TaskCounts, TaskFilter};

pub(crate) use reader::{RollupRow, day_text};
pub(crate) use rollup::Tally;
pub(crate) use writer::NO_WHAT;

/// The buffer's writing side. See the [module](self) for what it promises.
///
/// Dropping it closes it, waiting up to two seconds for the last commit.
#[derive(Debug)]
pub struct Buffer {
    shared: Arc<Shared>,
}

/// What callers and the writer share.
pub(crate) struct Shared {
    options: BufferOptions,
    queue: queue::Queue,
    losses: loss::Losses,
    trouble: Mutex<Option<String>>,
    closing: AtomicBool,
    /// Whether the writer has ended, and who waits for that.
    end: Mutex<End>,
    crashed: AtomicBool,
}

#[derive(Debug, Default)]
struct End {
    outcome: Option<Option<String>>,
    waiting: Vec<Committer>,
}

impl Buffer {
    /// Starts a writer for a file, which is made where it is missing, with its folder.
    ///
    /// Returns before the file is opened. What is wrong with the file is no error here: see
    /// [`trouble`](Self::trouble), or wait for a commit.
    ///
    /// # Errors
    ///
    /// [`Error::Buffer`] where no thread can be started.
    pub fn open(options: BufferOptions) -> Result<Self, Error> {
        Self::start(options, loss::Losses::default())
    }

    fn start(options: BufferOptions, losses: loss::Losses) -> Result<Self, Error> {
        let shared = Arc::new(Shared {
            queue: queue::Queue::new(options.queue_bytes),
            losses,
            trouble: Mutex::default(),
            closing: AtomicBool::new(false),
            end: Mutex::default(),
            crashed: AtomicBool::new(false),
            options,
        });
        let served = Arc::clone(&shared);
        let builder = std::thread::Builder::new().name("dexcost-buffer".to_owned());
        let thread = builder
            .spawn(move || writer::run(served))
            .map_err(|error| Error::Buffer {
                path: shared.options.path.clone(),
                reason: "the writer's thread cannot be started".to_owned(),
                source: Some(Box::new(error)),
            })?;
        shared.queue.serve_by(thread.thread().clone());
        Ok(Self { shared })
    }

    /// A new buffer on the same file, with the same options: what a forked child, or a process
    /// restored from a snapshot, goes on with. What a child refused until then counts there too.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn reopen(&self) -> Result<Self, Error> {
        let losses = loss::Losses::default();
        if self.shared.queue.is_forked() {
            losses.carry_forked(&self.shared.losses);
            crate::id::reseed();
        }
        Self::start(self.shared.options.clone(), losses)
    }

    /// The options it was opened with.
    pub fn options(&self) -> &BufferOptions {
        &self.shared.options
    }

    /// Why the file cannot be written at the moment; `None` where it can, or was not tried yet.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.shared.trouble()
    }

    /// Ends the writer as `kill -9` would: nothing more is written, nothing tidied.
    #[cfg(test)]
    pub(crate) fn crash(self) {
        self.shared.crashed.store(true, Ordering::SeqCst);
        let (committer, end) = Commit::pending();
        self.shared.end.lock().waiting.push(committer);
        let (committer, _unheard) = Commit::pending();
        self.shared.queue.request(committer);
        let _ = end.wait(Duration::from_secs(30));
    }
}

impl Sink for Buffer {
    fn put(&self, record: Record) -> Result<(), Refusal> {
        let bytes = weight::weight(&record);
        let key = lane_of(&record);
        match self.shared.queue.push(key, bytes, record) {
            Ok(()) => Ok(()),
            Err((refusal, record)) => {
                self.shared.losses.count(record.loss_kind(), refusal.into(), 1);
                Err(refusal)
            }
        }
    }

    fn commit(&self) -> Commit {
        if self.shared.queue.is_forked() {
            return Commit::ready(Err(self
                .shared
                .failure("the process is a fork; reopen the buffer")));
        }
        let (committer, commit) = Commit::pending();
        self.shared.queue.request(committer);
        if self.shared.end.lock().outcome.is_some() {
            // The writer ended before it saw the request; dropping it reports the buffer closed.
            drop(self.shared.queue.requests());
        }
        commit
    }

    fn close(&self, within: Duration) -> Result<(), Error> {
        if self.shared.queue.is_forked() {
            return Err(self.shared.failure("the process is a fork; reopen the buffer"));
        }
        self.shared.queue.close();
        self.shared.closing.store(true, Ordering::Release);
        let (committer, end) = Commit::pending();
        {
            let mut state = self.shared.end.lock();
            match &state.outcome {
                Some(None) => return Ok(()),
                Some(Some(reason)) => return Err(self.shared.failure(reason)),
                None => state.waiting.push(committer),
            }
        }
        let (committer, _unheard) = Commit::pending();
        self.shared.queue.request(committer);
        end.wait(within)
    }

    fn note_loss(&self, kind: LossKind, reason: LossReason, count: u64) {
        self.shared.losses.count(kind, reason, count);
    }

    fn losses(&self) -> Vec<Loss> {
        self.shared.losses.list()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if !self.shared.crashed.load(Ordering::Relaxed) {
            let _ = self.close(Duration::from_secs(2));
        }
    }
}

impl Shared {
    fn report(&self, trouble: Option<&str>) {
        let mut current = self.trouble.lock();
        if current.as_deref() == trouble {
            return;
        }
        *current = trouble.map(str::to_owned);
        // Whoever listens may ask this buffer something.
        drop(current);
        if let Some(reason) = trouble {
            tracing::warn!(file = %self.options.path.display(), reason, "the dexcost buffer cannot be written");
        }
    }

    fn trouble(&self) -> Option<String> {
        self.trouble.lock().clone()
    }

    fn failure(&self, reason: &str) -> Error {
        Error::Buffer {
            path: self.options.path.clone(),
            reason: reason.to_owned(),
            source: None,
        }
    }

    fn is_crashed(&self) -> bool {
        self.crashed.load(Ordering::SeqCst)
    }

    /// The writer's last word.
    fn finished(&self, outcome: Result<(), Error>) {
        self.queue.close();
        let mut end = self.end.lock();
        end.outcome = Some(outcome.as_ref().err().map(ToString::to_string));
        let mut outcome = Some(outcome);
        for waiting in end.waiting.drain(..) {
            let again = || Err(self.failure("closed with losses"));
            waiting.done(outcome.take().unwrap_or_else(again));
        }
        drop(end);
        // Only now: a request from before is dropped here, a later one by its own caller, who sees
        // the outcome.
        drop(self.queue.requests());
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("path", &self.options.path)
            .field("losses", &self.losses.total())
            .field("trouble", &*self.trouble.lock())
            .finish_non_exhaustive()
    }
}

/// Records of one task go the same way and keep their order.
fn lane_of(record: &Record) -> u64 {
    let id: &TaskId = match record {
        Record::TaskStarted(task) | Record::TaskChanged(task) | Record::TaskEnded(task) => &task.task_id,
        Record::Event(event) => &event.task_id,
        Record::EventChanged { after, .. } => &after.task_id,
    };
    let bytes = id.as_bytes();
    u64::from_le_bytes([
        bytes[8], bytes[9], bytes[10], bytes[11], bytes[12], bytes[13], bytes[14], bytes[15],
    ]) >> 8
}
