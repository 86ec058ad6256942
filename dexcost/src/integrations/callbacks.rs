//! A handler for frameworks that say when a model call starts and ends.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;

use crate::account::{CostTracker, LlmCall, Scope, TaskHandle};
use crate::error::Error;
use crate::event::{ErrorType, Event};
use crate::text::Text;
use crate::usage::Usage;

/// So many runs may be under way; of more, the longest-running are recorded as they stand.
const MOST_RUNS: usize = 10_000;

/// Records model calls from the callbacks of a framework.
///
/// A call belongs to the task that is current where it *starts*; outside any task, to a session. Runs
/// are told apart by the framework's ids. A run of which nothing but its start is heard is recorded,
/// with unknown cost, once 10,000 newer ones are under way, or when the handler is dropped.
///
/// ```
/// use dexcost::integrations::DexcostCallbackHandler;
/// use dexcost::testing::MemorySink;
/// use dexcost::{TaskOptions, Unit, Usage, dec};
///
/// let sink = MemorySink::new();
/// let tracker = sink.tracker();
/// let handler = DexcostCallbackHandler::new(tracker.clone());
/// let task = tracker.start_task_sync("chain", TaskOptions::default())?;
/// task.run(|| handler.on_llm_start("run-1", "openai", "gpt-4o"));
/// let usage = Usage::new().with(Unit::InputTokens, 800).with(Unit::OutputTokens, 150);
/// let event = handler.on_llm_end("run-1", usage)?;
/// assert_eq!(event.cost_usd, Some(dec!(0.0035)));
/// # Ok::<(), dexcost::Error>(())
/// ```
#[derive(Debug)]
pub struct DexcostCallbackHandler {
    tracker: CostTracker,
    runs: Mutex<Runs>,
}

#[derive(Debug, Default)]
struct Runs {
    open: HashMap<Text, Run>,
    started: u64,
}

#[derive(Debug)]
struct Run {
    number: u64,
    provider: Text,
    model: Text,
    since: Instant,
    task: Option<TaskHandle>,
    scope: Scope,
}

impl DexcostCallbackHandler {
    /// A handler that records on this tracker.
    #[must_use]
    pub fn new(tracker: CostTracker) -> Self {
        Self {
            tracker,
            runs: Mutex::default(),
        }
    }

    /// A model call starts. A second start under one id replaces the first, which is then recorded as it
    /// stands.
    pub fn on_llm_start(&self, run_id: &str, provider: impl Into<Text>, model: impl Into<Text>) {
        let mut run = Run {
            number: 0,
            provider: provider.into(),
            model: model.into(),
            since: Instant::now(),
            task: self.tracker.current_task(),
            scope: Scope::current(),
        };
        let mut runs = self.runs.lock();
        runs.started += 1;
        run.number = runs.started;
        let replaced = runs.open.insert(Text::from(run_id), run);
        let abandoned = replaced.or_else(|| runs.oldest_beyond(MOST_RUNS));
        drop(runs);
        if let Some(run) = abandoned {
            self.abandon(&run);
        }
    }

    /// A model call ended and consumed this; an empty usage is an unknown one, and so is then its cost.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownRun`] where no such run is under way.
    pub fn on_llm_end(&self, run_id: &str, usage: Usage) -> Result<Arc<Event>, Error> {
        let run = self.take(run_id)?;
        self.record(&run, usage, None)
    }

    /// A model call failed. What it cost is not known.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownRun`] where no such run is under way.
    pub fn on_llm_error(&self, run_id: &str, error: ErrorType) -> Result<Arc<Event>, Error> {
        let run = self.take(run_id)?;
        self.record(&run, Usage::new(), Some(error))
    }

    /// How many runs are under way.
    #[must_use]
    pub fn open_runs(&self) -> usize {
        self.runs.lock().open.len()
    }

    fn take(&self, run_id: &str) -> Result<Run, Error> {
        let run = self.runs.lock().open.remove(run_id);
        run.ok_or_else(|| Error::UnknownRun {
            run_id: run_id.chars().take(40).collect(),
        })
    }

    fn record(&self, run: &Run, usage: Usage, error: Option<ErrorType>) -> Result<Arc<Event>, Error> {
        let took = u64::try_from(run.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut call = LlmCall::with_usage(run.provider.clone(), run.model.clone(), usage).latency_ms(took);
        if let Some(error) = error {
            call = call.error_type(error);
        }
        match &run.task {
            Some(task) => task.record_llm_call(call),
            None => run
                .scope
                .run(|| self.tracker.current_task_or_session())
                .record_llm_call(call),
        }
    }

    fn abandon(&self, run: &Run) {
        let _recorded = self.record(run, Usage::new(), Some(ErrorType::Other));
    }
}

impl Runs {
    fn oldest_beyond(&mut self, most: usize) -> Option<Run> {
        if self.open.len() <= most {
            return None;
        }
        let (id, _) = self.open.iter().min_by_key(|(_, run)| run.number)?;
        let id = id.clone();
        self.open.remove(&id)
    }
}

impl Drop for DexcostCallbackHandler {
    fn drop(&mut self) {
        let open = std::mem::take(&mut self.runs.get_mut().open);
        open.into_values().for_each(|run| self.abandon(&run));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::TaskOptions;
    use crate::event::{CostConfidence, OperationStatus};
    use crate::testing::MemorySink;

    #[test]
    fn a_run_counts_on_the_task_in_which_it_started_and_once() {
        let sink = MemorySink::new();
        let tracker = sink.tracker();
        let handler = DexcostCallbackHandler::new(tracker.clone());
        let task = tracker.start_task_sync("t", TaskOptions::default()).unwrap();
        task.run(|| handler.on_llm_start("r", "anthropic", "claude-sonnet-4-5"));
        let event = handler.on_llm_error("r", ErrorType::RateLimit).unwrap();
        assert_eq!(event.task_id, task.task_id());
        assert_eq!(event.operation_status, OperationStatus::Failed);
        assert_eq!(
            (event.cost_usd, event.cost_confidence),
            (None, CostConfidence::Unknown)
        );
        assert!(matches!(
            handler.on_llm_end("r", Usage::new()),
            Err(Error::UnknownRun { .. })
        ));
    }

    #[test]
    fn runs_that_never_end_are_recorded_all_the_same() {
        let sink = MemorySink::new();
        let tracker = sink.tracker();
        let handler = DexcostCallbackHandler::new(tracker.clone());
        handler.on_llm_start("r", "openai", "gpt-4o");
        handler.on_llm_start("r", "openai", "gpt-4o");
        assert_eq!((sink.events().len(), handler.open_runs()), (1, 1));
        drop(handler);
        assert_eq!(sink.events().len(), 2);
        assert!(sink.events().iter().all(|event| event.cost_usd.is_none()));
    }
}
