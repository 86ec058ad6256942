//! The queue between callers and the writer: bounded in bytes, never waited for.
//!
//! Records go to one of a few shards by their task, so that the records of one task keep their order
//! and unrelated tasks rarely meet at a lock. A push is a lock that is held for a few instructions, an
//! append to a vector that keeps its capacity from drain to drain, and one load that tells whether
//! the writer sleeps for good. The byte budget is handed to the shards in slices, so the shared
//! counter is touched once in many records.
//!
//! **Waking.** While records keep coming, the writer wakes by itself once per commit interval, and a
//! push wakes nobody. It parks only after it found nothing for a while, and then the first push wakes
//! it. No wake-up is lost: the writer announces that it parks and *then* looks into each shard under
//! its lock; a push that it does not see there takes that lock later and so sees the announcement.
//!
//! **Forks.** A child of `fork` has this memory but no writer. Asking for the process id costs a
//! syscall, so a push asks only when its shard is empty, at every 64th record of a shard, and when the
//! lock is taken, which after a fork may be for ever.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::Thread;

use parking_lot::{Mutex, MutexGuard};

use crate::sink::{Committer, Record, Refusal};

const SHARDS: usize = 16;
/// How much of the budget a shard takes at a time.
const SLICE: usize = 64 << 10;
/// Which part of the budget is kept for the ends of tasks: one that is lost leaves its task running
/// for ever, and with it the totals that say what the lost events cost.
const RESERVE: usize = 16;

#[derive(Debug, Default)]
#[repr(align(128))]
struct Shard(Mutex<Lane>);

#[derive(Debug, Default)]
struct Lane {
    records: Vec<Record>,
    /// Bytes taken out of the budget for this lane.
    taken: usize,
    /// Bytes of `taken` that no record uses yet.
    spare: usize,
    /// Why it takes no more.
    refusal: Option<Refusal>,
}

/// The queue. See the module's own words.
#[derive(Debug)]
pub(super) struct Queue {
    shards: [Shard; SHARDS],
    free: AtomicUsize,
    limit: usize,
    slice: usize,
    parked: AtomicBool,
    urgent: AtomicBool,
    waiting: Mutex<Vec<Committer>>,
    writer: OnceLock<Thread>,
    process: u32,
}

/// What a drain took out.
#[derive(Debug, Default)]
pub(super) struct Drained {
    pub(super) records: Vec<Record>,
    pub(super) bytes: usize,
}

impl Drained {
    /// Drops the first `count` records and returns the share of the bytes that were theirs, about.
    pub(super) fn take(&mut self, count: usize) -> usize {
        let all = self.records.len();
        let bytes = if count >= all {
            self.bytes
        } else {
            self.bytes / all * count
        };
        self.records.drain(..count.min(all));
        self.bytes -= bytes;
        bytes
    }
}

impl Queue {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            shards: Default::default(),
            free: AtomicUsize::new(limit),
            limit,
            slice: SLICE.min(limit / (2 * SHARDS)),
            parked: AtomicBool::new(false),
            urgent: AtomicBool::new(false),
            waiting: Mutex::default(),
            writer: OnceLock::new(),
            process: std::process::id(),
        }
    }

    /// Names the thread that is to be woken.
    pub(super) fn serve_by(&self, writer: Thread) {
        let _ = self.writer.set(writer);
    }

    /// Whether this process is a fork of the one that made the queue.
    pub(super) fn is_forked(&self) -> bool {
        std::process::id() != self.process
    }

    /// Appends a record of so many bytes to the lane of its task.
    pub(super) fn push(&self, key: u64, bytes: usize, record: Record) -> Result<(), (Refusal, Record)> {
        let shard = &self.shards[key as usize % SHARDS];
        let Some(mut lane) = self.lock(shard) else {
            return Err((Refusal::Forked, record));
        };
        if let Some(refusal) = lane.refusal {
            return Err((refusal, record));
        }
        if lane.records.len().is_multiple_of(64) && self.is_forked() {
            // What the lane held at the fork is the parent's, who writes it.
            lane.records.clear();
            lane.refusal = Some(Refusal::Forked);
            return Err((Refusal::Forked, record));
        }
        let mut pressed = false;
        if lane.spare < bytes {
            let may_all = matches!(record, Record::TaskEnded(_));
            let Some(pressure) = self.take(&mut lane, bytes, may_all) else {
                drop(lane);
                self.hurry();
                return Err((Refusal::QueueFull, record));
            };
            pressed = pressure;
        }
        lane.spare -= bytes;
        lane.records.push(record);
        drop(lane);
        if pressed {
            self.hurry();
        } else if self.parked.load(Ordering::Relaxed) {
            self.wake();
        }
        Ok(())
    }

    fn lock<'a>(&self, shard: &'a Shard) -> Option<MutexGuard<'a, Lane>> {
        shard.0.try_lock().or_else(|| {
            if self.is_forked() {
                None
            } else {
                Some(shard.0.lock())
            }
        })
    }

    /// Takes a slice of the budget, or what is just needed. Tells whether half of it is gone.
    fn take(&self, lane: &mut Lane, bytes: usize, may_all: bool) -> Option<bool> {
        let needed = bytes - lane.spare;
        let reserve = self.limit / RESERVE;
        let take = |amount: usize, left_over: usize| {
            let update = |free: usize| free.checked_sub(amount).filter(|left| *left >= left_over);
            let before = self
                .free
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, update)
                .ok()?;
            Some((amount, before))
        };
        let (amount, before) = take(needed.max(self.slice), reserve)
            .or_else(|| take(needed, if may_all { 0 } else { reserve }))?;
        lane.taken += amount;
        lane.spare += amount;
        let half = self.limit / 2;
        Some(before >= half && before - amount < half)
    }

    /// Wakes a writer that parks or waits for its interval.
    fn hurry(&self) {
        if !self.urgent.swap(true, Ordering::AcqRel) {
            self.parked.store(false, Ordering::Release);
            if let Some(writer) = self.writer.get() {
                writer.unpark();
            }
        }
    }

    fn wake(&self) {
        if self.parked.swap(false, Ordering::AcqRel)
            && let Some(writer) = self.writer.get()
        {
            writer.unpark();
        }
    }

    /// Leaves a request for a commit and wakes the writer. `None` where nobody will serve it.
    pub(super) fn request(&self, committer: Committer) {
        self.waiting.lock().push(committer);
        self.hurry();
    }

    /// The requests so far. Taken before a drain, they are covered by its commit.
    pub(super) fn requests(&self) -> Vec<Committer> {
        std::mem::take(&mut *self.waiting.lock())
    }

    /// Whether somebody wants a commit now. Asking takes the wish away.
    pub(super) fn is_urgent(&self) -> bool {
        self.urgent.swap(false, Ordering::AcqRel)
    }

    /// Whether somebody wants a commit now.
    pub(super) fn is_hurried(&self) -> bool {
        self.urgent.load(Ordering::Acquire)
    }

    /// Gives the memory of a burst back.
    pub(super) fn trim(&self) {
        for shard in &self.shards {
            shard.0.lock().records.shrink_to(1_024);
        }
    }

    /// Moves everything that waits to `into`.
    pub(super) fn drain(&self, into: &mut Drained) {
        for shard in &self.shards {
            let mut lane = shard.0.lock();
            if lane.records.is_empty() {
                continue;
            }
            into.bytes += std::mem::take(&mut lane.taken);
            lane.spare = 0;
            if into.records.is_empty() && into.records.capacity() >= lane.records.capacity() {
                std::mem::swap(&mut into.records, &mut lane.records);
            } else {
                into.records.append(&mut lane.records);
            }
        }
    }

    /// Gives bytes back to the budget once their records are gone.
    pub(super) fn release(&self, bytes: usize) {
        self.free.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Takes no more records.
    pub(super) fn close(&self) {
        if self.is_forked() {
            return;
        }
        for shard in &self.shards {
            shard.0.lock().refusal.get_or_insert(Refusal::Closed);
        }
    }

    /// Announces that the writer parks; `false` where there is something to do after all.
    pub(super) fn may_park(&self) -> bool {
        self.parked.store(true, Ordering::SeqCst);
        let idle = self.waiting.lock().is_empty()
            && !self.urgent.load(Ordering::SeqCst)
            && self.shards.iter().all(|shard| shard.0.lock().records.is_empty());
        if !idle {
            self.parked.store(false, Ordering::SeqCst);
        }
        idle
    }

    /// Whether nobody has woken the writer since it announced that it parks.
    pub(super) fn is_parked(&self) -> bool {
        self.parked.load(Ordering::Acquire)
    }

    pub(super) fn unpark(&self) {
        self.parked.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::samples;
    use std::sync::Arc;

    fn record() -> Record {
        Record::TaskStarted(Arc::new(samples::task(1, "acme")))
    }

    fn fill(queue: &Queue, bytes: usize) -> usize {
        (0u64..5_000)
            .filter(|n| queue.push(*n, bytes, record()).is_ok())
            .count()
    }

    #[test]
    fn the_budget_is_never_exceeded_and_comes_back_whole() {
        let queue = Queue::new(1 << 20);
        for _ in 0..3 {
            let taken = fill(&queue, 1_000);
            assert!((930..=983).contains(&taken), "{taken}");
            let mut drained = Drained::default();
            queue.drain(&mut drained);
            assert_eq!(drained.records.len(), taken);
            assert!(drained.bytes <= 1 << 20);
            assert!(matches!(
                queue.push(0, 2_000, record()),
                Err((Refusal::QueueFull, _)) | Ok(())
            ));
            let mut rest = Drained::default();
            queue.drain(&mut rest);
            let half = drained.take(taken / 2);
            queue.release(half + drained.take(taken) + rest.bytes);
            assert_eq!(queue.free.load(Ordering::Relaxed), 1 << 20);
        }
    }

    #[test]
    fn a_burst_of_one_task_may_use_almost_all_of_the_budget() {
        let queue = Queue::new(1 << 20);
        let taken = (0..)
            .take_while(|_| queue.push(7, 1_000, record()).is_ok())
            .count();
        assert!((975..=983).contains(&taken), "{taken}");
    }

    #[test]
    fn a_queue_that_is_full_still_takes_the_ends_of_tasks_within_its_budget() {
        let queue = Queue::new(1 << 20);
        fill(&queue, 1_000);
        let end = || Record::TaskEnded(Arc::new(samples::task(1, "acme")));
        let ends = (0u64..1_000).filter(|n| queue.push(*n, 1_000, end()).is_ok());
        assert!((60..=120).contains(&ends.count()));
        assert!(matches!(
            queue.push(0, 1_000, record()),
            Err((Refusal::QueueFull, _))
        ));
        let mut drained = Drained::default();
        queue.drain(&mut drained);
        assert!(drained.bytes <= 1 << 20);
    }

    #[test]
    fn a_fork_refuses_and_keeps_nothing() {
        let mut queue = Queue::new(1 << 20);
        queue.process += 1;
        for _ in 0..3 {
            let refused = queue.push(0, 100, record()).map_err(|(refusal, _)| refusal);
            assert_eq!(refused, Err(Refusal::Forked));
        }
        assert!(queue.shards.iter().all(|shard| shard.0.lock().records.is_empty()));
    }

    #[test]
    fn records_of_one_key_come_out_in_the_order_in_which_they_went_in() {
        let queue = Queue::new(1 << 20);
        let tasks: Vec<_> = (0..100).map(|n| Arc::new(samples::task(n, "acme"))).collect();
        for task in &tasks {
            queue.push(3, 10, Record::TaskStarted(Arc::clone(task))).unwrap();
        }
        let mut drained = Drained::default();
        queue.drain(&mut drained);
        let out = drained.records.iter().map(|record| match record {
            Record::TaskStarted(task) => Arc::clone(task),
            _ => unreachable!(),
        });
        assert!(out.eq(tasks));
    }
}
