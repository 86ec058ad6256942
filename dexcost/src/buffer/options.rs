//! How a buffer is to be opened.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, SystemClock};

/// What a commit survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// The death of the process (`kill -9`, a panic, an abort): WAL with `synchronous=NORMAL`.
    #[default]
    Normal,
    /// The loss of power too: `synchronous=FULL`, one `fsync` a commit.
    Full,
}

/// The settings of a [`Buffer`](super::Buffer).
///
/// ```
/// use std::time::Duration;
/// use dexcost::buffer::{BufferOptions, Durability};
///
/// let options = BufferOptions::at("/tmp/dexcost-example/buffer.sqlite3")
///     .queue_bytes(8 << 20)
///     .commit_interval(Duration::from_millis(5))
///     .durability(Durability::Full);
/// assert_eq!(options.path().file_name().unwrap(), "buffer.sqlite3");
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct BufferOptions {
    pub(super) path: PathBuf,
    pub(super) queue_bytes: usize,
    pub(super) commit_interval: Duration,
    pub(super) durability: Durability,
    pub(super) keep: Option<Duration>,
    pub(super) busy_wait: Duration,
    pub(super) max_pages: Option<u32>,
    pub(super) clock: Arc<dyn Clock>,
}

impl BufferOptions {
    /// A buffer in this file, everything else as documented at each setter.
    pub fn at(path: impl AsRef<Path>) -> Self {
        Self {
            path: path.as_ref().to_owned(),
            queue_bytes: 64 << 20,
            commit_interval: Duration::from_millis(10),
            durability: Durability::Normal,
            keep: Some(Duration::from_secs(30 * 86_400)),
            busy_wait: Duration::from_secs(2),
            max_pages: None,
            clock: Arc::new(SystemClock),
        }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes of records may wait for the writer; 64 MiB where it is not set.
    pub const fn queue_bytes(mut self, bytes: usize) -> Self {
        self.queue_bytes = bytes;
        self
    }

    /// How long a record may wait for company before it is committed; 10 ms where it is not set.
    pub const fn commit_interval(mut self, interval: Duration) -> Self {
        self.commit_interval = interval;
        self
    }

    /// What a commit survives; [`Durability::Normal`] where it is not set.
    pub const fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// How long ended tasks, their events and the report rows of a day are kept; 30 days where it
    /// is not set, `None` for ever. Rows that are still to be sent are never purged for their age.
    pub const fn keep(mut self, age: Option<Duration>) -> Self {
        self.keep = age;
        self
    }

    /// How long the writer waits for a file that another process has locked before it reports the
    /// attempt as failed; 2 s where it is not set. It then tries again. Callers never wait for it.
    pub const fn busy_wait(mut self, wait: Duration) -> Self {
        self.busy_wait = wait;
        self
    }

    /// The size that the file may not exceed, in pages of 4,096 bytes; unlimited where it is not
    /// set. A file that has reached it behaves like one on a full disk.
    pub const fn max_pages(mut self, pages: u32) -> Self {
        self.max_pages = Some(pages);
        self
    }

    /// Where the writer takes the time from; the machine's clock where it is not set.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }
}
