//! Batches of calls: which task made one, and which of their requests were counted.
//!
//! A batch and its files are known by several names; whoever shows two of them makes both lead to the same
//! task. What was counted is remembered here for the present process; the buffer knows it for good.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::account::cell::TaskCell;
use crate::account::context::Context;
use crate::account::counted::Counted;
use crate::account::task_memory::TaskMemory;
use crate::account::tracked_task::TaskHandle;
use crate::account::tracker::CostTracker;
use crate::loss::{LossKind, LossReason};
use crate::observation::{BatchSight, Observation};

/// So many requests are remembered: those of the largest batch that any provider takes.
const REMEMBERED: usize = 131_072;

/// What is known of batches.
#[derive(Debug)]
pub(super) struct Batches {
    makers: TaskMemory<()>,
    counted: Counted,
}

impl Default for Batches {
    fn default() -> Self {
        Self {
            makers: TaskMemory::default(),
            counted: Counted::of_newest(REMEMBERED),
        }
    }
}

impl Batches {
    /// The task that made the batch of one of these names.
    pub(super) fn task_of(&self, keys: &[u64]) -> Option<Arc<TaskCell>> {
        keys.iter().find_map(|key| self.makers.task(*key))
    }

    /// Learns that a task made the batch of these names.
    pub(super) fn learn(&self, keys: &[u64], maker: &Arc<TaskCell>) {
        for key in keys.iter().filter(|key| !self.makers.has(**key)) {
            self.makers.insert(*key, maker, ());
        }
    }

    /// Lets go of the tasks.
    pub(super) fn close(&self) {
        self.makers.close();
    }

    /// Records a request on who pays for it, unless this process has counted it before. What the sink
    /// refused may be counted when it is shown again.
    fn record(&self, request: Observation, payer: impl FnOnce() -> TaskHandle) -> bool {
        let mut hasher = DefaultHasher::new();
        (&request.provider, &request.call.batch_request_id).hash(&mut hasher);
        let key = hasher.finish();
        if !self.counted.is_first(key) {
            return false;
        }
        let payer = payer();
        let lost = payer.cell().lost();
        payer.record_observation(request, None);
        if payer.cell().lost() != lost {
            self.counted.forget(key);
        }
        true
    }
}

impl CostTracker {
    /// Records what an exchange showed of a batch: who made it, and each of its requests that was not
    /// counted before as a call on the task that made the batch. Where this process does not know that
    /// task, they go to a session for whom `task` works, else to the one of the scope at hand: whoever
    /// fetches results need not be who asked for them. Returns how many were recorded.
    ///
    /// The buffer knows the requests that it holds: another process, or a later one, may record them again,
    /// and they stay on the ledger once. A task that is running counts what was recorded again until its
    /// record reaches the buffer.
    ///
    /// ```
    /// use dexcost::capture::RequestFacts;
    /// use dexcost::testing::MemorySink;
    /// use dexcost::{Ending, TaskOptions, dec};
    ///
    /// let tracker = MemorySink::new().tracker();
    /// let task = tracker.start_task_sync("collect", TaskOptions::default())?;
    /// let url = "https://api.anthropic.com/v1/messages/batches/msgbatch_1/results";
    /// let mut exchange = tracker.begin_exchange(&RequestFacts::to_url("GET", url, &()));
    /// exchange.response(200, &());
    /// exchange.data(br#"{"custom_id":"a","result":{"type":"succeeded","message":{"id":"msg_1","#);
    /// exchange.data(br#""type":"message","model":"claude-haiku-4-5","usage":{"input_tokens":20,"#);
    /// exchange.data(b"\"output_tokens\":5}}}}\n");
    /// let batch = exchange.take_batch().unwrap();
    /// let session = tracker.record_batch(Some(&task), batch.clone());
    /// assert_eq!((session, tracker.record_batch(Some(&task), batch)), (1, 0));
    /// # exchange.settle(Ending::Done);
    /// # Ok::<(), dexcost::Error>(())
    /// ```
    pub fn record_batch(&self, task: Option<&TaskHandle>, batch: BatchSight) -> usize {
        let mut payer = self.learn_of(task, &batch);
        let mut payer = || payer.get_or_insert_with(|| self.session_for(task)).clone();
        let requests = batch.requests.into_iter();
        requests
            .filter_map(|request| self.shared().batches.record(request, &mut payer).then_some(()))
            .count()
    }

    /// The task that made the batch, after what the exchange shows of it was learned.
    fn learn_of(&self, task: Option<&TaskHandle>, batch: &BatchSight) -> Option<TaskHandle> {
        let shared = self.shared();
        if batch.unrecorded > 0 {
            self.note_loss(LossKind::Call, LossReason::TooMany, batch.unrecorded);
        }
        let known = shared.batches.task_of(&batch.keys);
        let new = || task.filter(|_| batch.is_new).map(|task| Arc::clone(task.cell()));
        let maker = known.or_else(new)?;
        shared.batches.learn(&batch.keys, &maker);
        Some(TaskHandle::from_cell(maker))
    }

    fn session_for(&self, task: Option<&TaskHandle>) -> TaskHandle {
        let Some(task) = task else {
            return self.current_task_or_session();
        };
        let whom = task.cell().read(|task| task.attribution.clone());
        let context = Context {
            customer_id: whom.customer_id,
            project_id: whom.project_id,
            agent: whom.agent,
            ..Context::default()
        };
        self.sessions().of_context(self, Some(context))
    }
}

impl TaskHandle {
    /// Records what an exchange showed of a batch: its requests on the task that made it, else on this one.
    pub(super) fn record_batch(&self, batch: BatchSight) {
        let maker = self.tracker().learn_of(Some(self), &batch);
        let payer = maker.as_ref().unwrap_or(self);
        for request in batch.requests {
            self.cell().tracker().batches.record(request, || payer.clone());
        }
    }
}
