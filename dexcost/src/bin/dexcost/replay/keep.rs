//! Keeps replayed events in a buffer.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dexcost::{
    BatchSight, Config, CostTracker, Error, ManualClock, Observation, TaskOptions, TaskStatus, Timestamp,
    TrackedTask,
};

/// So many events wait for a commit at most; far fewer than the queue holds.
const BATCH: u32 = 1_000;
const WITHIN: Duration = Duration::from_secs(60);

/// A task in a buffer that takes the events of a replay, each at the time of its recording.
pub(crate) struct Keep {
    tracker: CostTracker,
    clock: Arc<ManualClock>,
    task: Option<TrackedTask>,
    waiting: u32,
}

impl Keep {
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let clock = Arc::new(ManualClock::default());
        let config = Config {
            buffer_path: Some(path.to_owned()),
            ..Config::default()
        };
        let tracker = CostTracker::with_clock(&config, Arc::clone(&clock) as _)?;
        Ok(Self {
            tracker,
            clock,
            task: None,
            waiting: 0,
        })
    }

    /// Adds what an exchange showed; the first one opens the task.
    pub(crate) fn add(&mut self, mut seen: Observation, at: Timestamp) -> Result<(), Error> {
        let mut batch = seen.batch.take().unwrap_or_default();
        for request in std::mem::take(&mut batch.requests) {
            let one = BatchSight {
                keys: batch.keys.clone(),
                requests: vec![request],
                ..BatchSight::default()
            };
            let mut alone = Observation::nothing(seen.ending);
            alone.batch = Some(Box::new(one));
            self.add_one(alone, at, true)?;
        }
        // Whose the batch is, and what was too much to be told apart.
        seen.batch = Some(batch).filter(|batch| !batch.is_empty());
        self.add_one(seen, at, false)
    }

    fn add_one(&mut self, seen: Observation, at: Timestamp, is_kept: bool) -> Result<(), Error> {
        self.clock.set(at);
        let task = match &self.task {
            Some(task) => task,
            None => self
                .task
                .insert(self.tracker.start_task_sync("replay", TaskOptions::default())?),
        };
        if task.record_observation(seen, None).is_some() || is_kept {
            self.waiting += 1;
        }
        if self.waiting == BATCH {
            self.waiting = 0;
            self.tracker.flush_blocking(WITHIN)?;
        }
        Ok(())
    }

    pub(crate) fn close(self) -> Result<(), Error> {
        if let Some(task) = &self.task {
            task.end_blocking(TaskStatus::Success)?;
        }
        self.tracker.close(WITHIN)
    }
}
