//! The thread that owns the connection.
//!
//! It gathers what callers handed over, writes it in one transaction (of at most [`CHUNK`] records),
//! and confirms. A transaction that fails is rolled back and its records stay in memory, inside the
//! queue's budget, until an attempt succeeds or the buffer is closed: a full disk or a lock that passes
//! costs nothing, one that stays costs the records for which there is no room.

mod expire;
mod hash;
mod ledger;
mod names;
mod recover;
mod repeats;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};

use crate::error::Error;
use crate::loss::{LossKind, LossReason};
use crate::sink::Committer;

use super::Shared;
use super::loss::LossCounts;
use super::owner::Owner;
use super::queue::Drained;
use super::store::{self, Trouble};
use ledger::Ledger;

pub(crate) use ledger::NO_WHAT;

/// The most records of one transaction.
const CHUNK: usize = 8_192;
/// After so many intervals without a record the writer parks.
const QUIET_ROUNDS: u32 = 50;
/// How often dead owners and old rows are looked for.
const HOUSEKEEPING: Duration = Duration::from_secs(3_600);
/// The pauses between attempts on a file that is in trouble.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LAST_PAUSE: Duration = Duration::from_secs(1);

/// Runs until the buffer is closed.
pub(super) fn run(shared: Arc<Shared>) {
    let mut keeper = Keeper {
        pending: Drained::default(),
        requests: Vec::new(),
        owner: None,
        persisted: LossCounts::default(),
        quiet: 0,
        pause: FIRST_PAUSE,
        corruptions: 0,
        shared,
    };
    let farewell = Farewell(Arc::clone(&keeper.shared));
    keeper.keep();
    let outcome = keeper.leave();
    farewell.0.finished(outcome);
}

/// Tells everybody who waits where the writer panics (a clock of the caller's may), so that nobody
/// waits for ever.
struct Farewell(Arc<Shared>);

impl Drop for Farewell {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let outcome = self.0.failure("the writer ended unexpectedly");
            self.0.finished(Err(outcome));
        }
    }
}

struct Keeper {
    shared: Arc<Shared>,
    pending: Drained,
    requests: Vec<Committer>,
    owner: Option<Owner>,
    /// The losses that stand in the file.
    persisted: LossCounts,
    quiet: u32,
    pause: Duration,
    corruptions: u32,
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.shared.queue.drain(&mut self.pending);
            self.give_up();
        }
    }
}

impl Keeper {
    /// Opens and serves, again and again while there is trouble.
    fn keep(&mut self) {
        loop {
            let outcome = store::open(&self.shared.options).and_then(|conn| self.serve(&conn));
            let Err(trouble) = outcome else { return };
            if self.shared.is_crashed() {
                return;
            }
            self.shared.report(Some(trouble.text()));
            if let Trouble::Removed = trouble {
                self.shared.losses.count(LossKind::File, LossReason::Removed, 1);
                continue;
            }
            if let Trouble::Corrupt(_) = trouble
                && self.set_aside()
            {
                continue;
            }
            self.refuse_requests(trouble.text());
            if self.shared.closing.load(Ordering::Acquire) {
                self.collect();
                return;
            }
            self.rest();
        }
    }

    fn set_aside(&mut self) -> bool {
        self.corruptions += 1;
        let options = &self.shared.options;
        let surely = self.corruptions > 2;
        let aside = store::set_aside(&options.path, options.clock.now(), surely).unwrap_or(false);
        if aside {
            self.corruptions = 0;
            self.shared.losses.count(LossKind::File, LossReason::Corrupt, 1);
        }
        aside
    }

    /// Waits before the next attempt; a request for a commit ends the pause.
    fn rest(&mut self) {
        std::thread::park_timeout(self.pause);
        if self.shared.queue.is_urgent() {
            std::thread::park_timeout(FIRST_PAUSE / 4);
        }
        self.pause = (self.pause * 2).min(LAST_PAUSE);
    }

    fn refuse_requests(&mut self, reason: &str) {
        self.requests.append(&mut self.shared.queue.requests());
        for request in self.requests.drain(..) {
            request.done(Err(self.shared.failure(reason)));
        }
    }

    /// Serves callers through one connection. `Ok` where the buffer was closed and all is written.
    fn serve(&mut self, conn: &Connection) -> Result<(), Trouble> {
        let owner = self.register(conn)?;
        let mut ledger = Ledger::new(conn, owner)?;
        let mut tidied: Option<Instant> = None;
        let mut more_to_expire = false;
        let path = &Arc::clone(&self.shared).options.path;
        let opened = store::identity(path);
        loop {
            let closing = self.shared.closing.load(Ordering::Acquire);
            if tidied.is_none_or(|at| at.elapsed() >= HOUSEKEEPING) {
                recover::recover(&mut ledger, &self.shared.options.path)?;
                more_to_expire = true;
                tidied = Some(Instant::now());
            }
            self.collect();
            if self.has_work() && store::identity(path) != opened {
                return Err(Trouble::Removed);
            }
            self.write(&mut ledger)?;
            self.shared.report(None);
            self.pause = FIRST_PAUSE;
            for request in self.requests.drain(..) {
                request.done(Ok(()));
            }
            if closing {
                self.unregister(conn, owner);
                return Ok(());
            }
            if let (true, Some(keep)) = (more_to_expire, self.shared.options.keep) {
                more_to_expire = expire::expire(&mut ledger, self.shared.options.clock.now(), keep)?;
            }
            if !more_to_expire {
                self.wait();
            }
            if self.shared.is_crashed() {
                return Err(Trouble::Failing("crashed".to_owned()));
            }
        }
    }

    fn register(&mut self, conn: &Connection) -> Result<i64, Trouble> {
        let options = &self.shared.options;
        let now = options.clock.now();
        let owner = match &mut self.owner {
            Some(owner) => owner,
            none => none.insert(Owner::new(&options.path, now)?),
        };
        conn.execute(
            "INSERT OR IGNORE INTO owners (token, process, opened_at) VALUES (?1, ?2, ?3)",
            params![owner.token, std::process::id(), now.unix_micros()],
        )?;
        let sql = "SELECT owner FROM owners WHERE token = ?1";
        Ok(conn.query_row(sql, [&owner.token], |row| row.get(0))?)
    }

    /// Leaves the list of owners, unless tasks are still open: the next writer closes those.
    fn unregister(&mut self, conn: &Connection, owner: i64) {
        let sql = "DELETE FROM owners WHERE owner = ?1
                   AND NOT EXISTS (SELECT 1 FROM tasks WHERE status IN (0, 3) AND owner = ?1)";
        let _ = conn.execute(sql, [owner]);
        if let Some(owner) = self.owner.take() {
            owner.retire();
        }
    }

    /// Takes over what was handed in so far. Requests first: the commit that follows covers them.
    fn collect(&mut self) {
        self.shared.queue.is_urgent();
        self.requests.append(&mut self.shared.queue.requests());
        self.shared.queue.drain(&mut self.pending);
        self.quiet = if self.pending.records.is_empty() {
            self.quiet + 1
        } else {
            0
        };
        if self.quiet == QUIET_ROUNDS {
            self.shared.queue.trim();
            self.pending.records.shrink_to(CHUNK);
        }
    }

    /// Writes everything that is pending. What was committed is gone from memory afterwards.
    fn write(&mut self, ledger: &mut Ledger<'_>) -> Result<(), Trouble> {
        while !self.pending.records.is_empty() || self.has_news_of_losses() {
            let count = self.pending.records.len().min(CHUNK);
            let chunk = &self.pending.records[..count];
            let losses = self.shared.losses.read();
            ledger.transact(|ledger| {
                chunk.iter().try_for_each(|record| ledger.apply(record))?;
                ledger.persist_losses(&self.persisted, &losses)
            })?;
            self.persisted = losses;
            for (kind, reason) in ledger.take_rejected() {
                self.shared.losses.count(kind, reason, 1);
                self.persisted[kind as usize][reason as usize] += 1;
            }
            let bytes = self.pending.take(count);
            self.shared.queue.release(bytes);
        }
        Ok(())
    }

    fn has_work(&self) -> bool {
        !(self.pending.records.is_empty() && self.requests.is_empty())
    }

    fn has_news_of_losses(&self) -> bool {
        self.shared.losses.read() != self.persisted
    }

    /// Waits for company for the records that are there, and for records where there are none.
    fn wait(&mut self) {
        let queue = &self.shared.queue;
        if self.quiet > QUIET_ROUNDS && queue.may_park() {
            let until = Instant::now() + HOUSEKEEPING;
            while queue.is_parked() && !self.shared.is_crashed() {
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    queue.unpark();
                    return;
                }
                std::thread::park_timeout(left);
            }
            self.quiet = 0;
        }
        let until = Instant::now() + self.shared.options.commit_interval;
        while !queue.is_hurried() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::park_timeout(left);
        }
    }

    /// Counts what could not be written any more.
    fn give_up(&mut self) -> u64 {
        let lost = self.pending.records.len() as u64;
        for record in self.pending.records.drain(..) {
            self.shared
                .losses
                .count(record.loss_kind(), LossReason::DiskError, 1);
        }
        lost
    }

    /// Says what could not be written any more.
    fn leave(mut self) -> Result<(), Error> {
        if self.shared.is_crashed() {
            return Ok(());
        }
        let lost = self.give_up();
        if let Some(owner) = &self.owner {
            owner.retire();
        }
        if lost == 0 {
            return Ok(());
        }
        let reason = self
            .shared
            .trouble()
            .unwrap_or_else(|| "the buffer was closed".to_owned());
        Err(Error::Lost { count: lost, reason })
    }
}
