//! Tests that try to prove that the layers disturb whoever they are put around: bodies that change,
//! pieces that come late, memory that grows, errors that are swallowed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::type_complexity,
    reason = "a test"
)]

mod body;
mod cancelled;
mod codings;
mod futures;
mod hostile;
mod kinds;
#[cfg(target_os = "linux")]
mod memory;
mod pressure;
mod refused;
mod script;
mod server;
mod upgrades;
mod without_body;

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use dexcost::testing::MemorySink;
use dexcost::{CostTracker, Event, Record, Task, TaskOptions, TrackedTask};
use dexcost_tower::{CaptureLayer, TaskLayer};

/// A tracker in memory with one open task.
struct Bench {
    sink: Arc<MemorySink>,
    tracker: CostTracker,
    task: TrackedTask,
}

impl Bench {
    fn new() -> Self {
        let sink = MemorySink::new();
        let tracker = sink.tracker();
        let task = tracker
            .start_task_sync("resolve_ticket", TaskOptions::default())
            .unwrap();
        Self { sink, tracker, task }
    }

    fn outbound(&self) -> CaptureLayer {
        CaptureLayer::new().tracker(self.tracker.clone())
    }

    fn inbound(&self) -> TaskLayer {
        TaskLayer::new().tracker(self.tracker.clone())
    }

    /// The one event there is; it must be on the task.
    fn event(&self) -> Arc<Event> {
        let events = self.sink.events();
        assert_eq!(events.len(), 1, "one call, one event");
        assert_eq!(events[0].task_id, self.task.task_id());
        Arc::clone(&events[0])
    }

    /// How many exchanges were settled on the task.
    fn settled(&self) -> u64 {
        self.task.task().totals.network_call_count
    }
}

/// The tasks that ended, each as it stands after what came late.
fn as_they_stand(sink: &MemorySink) -> Vec<Arc<Task>> {
    let (records, mut ended) = (sink.records(), sink.ended());
    for task in &mut ended {
        let changed = records.iter().rev().find_map(|record| match record {
            Record::TaskChanged(changed) if changed.task_id == task.task_id => Some(changed),
            _ => None,
        });
        if let Some(changed) = changed.filter(|changed| changed.revision > task.revision) {
            *task = Arc::clone(changed);
        }
    }
    ended
}

/// Polls a future that is ready at once, without any runtime.
fn now<F: Future>(future: F) -> F::Output {
    match once(&mut pin!(future)) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("not ready"),
    }
}

/// Polls a future once.
fn once<F: Future>(future: &mut std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}
