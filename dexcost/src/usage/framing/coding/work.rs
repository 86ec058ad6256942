//! How much work the codings of one body may make, and how much memory those of all bodies may hold.
//!
//! Work is counted in bytes as they come out of a stage, those between two stages many times over, because
//! what one stage makes of a few bytes is the next one's input. What costs time and makes no bytes (the head
//! of a member or frame, a block) counts as some. So the time that one piece of a body takes is bounded by
//! its length, whatever it decodes to.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Up to here a body may decode to anything.
pub(super) const FREE_BYTES: u64 = 16 << 20;
/// Beyond that, to this many times what came in. Text shrinks to a tenth, rarely to a hundredth.
const LARGEST_RATIO: u64 = 256;
/// A byte between two stages counts as so many at the end.
const BETWEEN_STAGES: u64 = 64;
/// What the head of a member or frame counts as: tables are made for it.
pub(super) const HEAD_BYTES: u64 = 16 * 1024;
/// What a block counts as.
pub(super) const BLOCK_BYTES: u64 = 4 * 1024;

/// What a stage reports.
#[derive(Clone, Copy)]
pub(super) enum Made<'a> {
    /// Bytes that came out.
    Bytes(&'a [u8]),
    /// Work that makes no bytes, as so many.
    Work(u64),
}

/// The work of one body so far.
#[derive(Debug, Default)]
pub(super) struct Work {
    coded: u64,
    done: u64,
}

/// What the work of one body may still grow by, while a piece of it is decoded.
#[derive(Debug)]
pub(super) struct Allowance {
    limit: u64,
    done: Cell<u64>,
}

impl Work {
    /// Takes so many bytes more into account, and says what they allow.
    pub(super) fn allowance_for(&mut self, bytes: usize) -> Allowance {
        self.coded = self.coded.saturating_add(bytes as u64);
        Allowance {
            limit: FREE_BYTES.max(self.coded.saturating_mul(LARGEST_RATIO)),
            done: Cell::new(self.done),
        }
    }

    /// Notes what was done of an allowance. False where it was too much.
    pub(super) const fn note(&mut self, allowance: &Allowance) -> bool {
        self.done = allowance.done.get();
        self.done <= allowance.limit
    }

    #[cfg(test)]
    pub(super) const fn done(&self) -> u64 {
        self.done
    }
}

impl Allowance {
    /// Does so much work; false where it is too much.
    pub(super) fn spend(&self, bytes: u64) -> bool {
        let done = self.done.get().saturating_add(bytes);
        self.done.set(done);
        done <= self.limit
    }

    /// Does the work that bytes stand for which come out of a stage.
    pub(super) fn spend_output(&self, bytes: usize, is_last: bool) -> bool {
        let bytes = bytes as u64;
        self.spend(if is_last {
            bytes
        } else {
            bytes.saturating_mul(BETWEEN_STAGES)
        })
    }
}

/// A body may hold this much of what it decoded without being asked.
const SMALL_WINDOW: usize = 256 * 1024;
/// All bodies together hold at most so much beyond that.
const MOST_HELD: usize = 64 << 20;

/// What the windows of all bodies hold.
static HELD: AtomicUsize = AtomicUsize::new(0);

/// The memory that the window of one stage has come to hold: what it decoded, up to the size of the window.
#[derive(Debug)]
pub(super) struct Window {
    decoded: usize,
    held: usize,
    /// What all windows hold together.
    all: &'static AtomicUsize,
}

impl Default for Window {
    fn default() -> Self {
        Self::beside(&HELD)
    }
}

impl Window {
    /// A window beside others.
    const fn beside(all: &'static AtomicUsize) -> Self {
        Self {
            decoded: 0,
            held: 0,
            all,
        }
    }

    /// Notes that so many bytes more were decoded into a window of at most `largest` bytes. False where the
    /// windows of all bodies would hold too much.
    pub(super) fn grow(&mut self, bytes: usize, largest: usize) -> bool {
        self.decoded = self.decoded.saturating_add(bytes).min(largest);
        let held = self.decoded.saturating_sub(SMALL_WINDOW);
        let more = held.saturating_sub(self.held);
        if more == 0 {
            return true;
        }
        let before = self.all.fetch_add(more, Ordering::Relaxed);
        if before.saturating_add(more) > MOST_HELD {
            self.all.fetch_sub(more, Ordering::Relaxed);
            return false;
        }
        self.held = held;
        true
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        self.all.fetch_sub(self.held, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_share_one_budget_and_give_it_back() {
        let large = 8 << 20;
        static OF_THIS_TEST: AtomicUsize = AtomicUsize::new(0);
        let window = || Window::beside(&OF_THIS_TEST);
        let mut windows: Vec<Window> = (0..20).map(|_| window()).collect();
        let grown = windows
            .iter_mut()
            .filter_map(|window| window.grow(large, large).then_some(()));
        let grown = grown.count();
        assert!((6..=8).contains(&grown), "{grown}");
        let mut small = window();
        assert!(
            small.grow(SMALL_WINDOW, large),
            "ordinary bodies are never refused"
        );
        drop(windows);
        assert!(small.grow(large, large));
    }
}
