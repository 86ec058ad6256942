//! The default tracker of a process: sugar over a handle.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use arc_swap::ArcSwapOption;
use parking_lot::Mutex;

use crate::account::{
    Context, CostOptions, CostTracker, LlmCall, ReceivedResponse, TaskHandle, TaskOptions, TrackedTask,
    current_task_of_any_tracker,
};
use crate::config::Config;
use crate::error::Error;
use crate::event::Event;
use crate::money::Amount;
use crate::text::Text;
use crate::untracked;
use crate::wire::Headers;

static DEFAULT: LazyLock<ArcSwapOption<Installed>> = LazyLock::new(ArcSwapOption::empty);

/// Whether there was a default tracker, and it was closed.
static IS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Held while the default tracker is installed or removed, so that two threads cannot do both.
static CHANGING: Mutex<()> = Mutex::new(());

#[derive(Debug)]
struct Installed {
    tracker: CostTracker,
    close_within: std::time::Duration,
}

/// Installs the default tracker.
///
/// Gaps of the configuration are filled from the environment (`DEXCOST_API_KEY`, `DEXCOST_ENV`,
/// `DEXCOST_BUFFER`, `DEXCOST_ENDPOINT`). No network is touched and no runtime is needed; the buffer
/// file is opened by its own thread. Where the file cannot be used the program goes on, and what is
/// lost is counted. The guard closes the tracker when it is dropped; keep it in `main`.
///
/// # Errors
///
/// [`Error::AlreadyInitialized`], [`Error::InvalidApiKey`], [`Error::InvalidSetting`], and
/// [`Error::PriceFile`] or [`Error::Io`] where a rates or prices file cannot be used.
///
/// ```no_run
/// let _dexcost = dexcost::init(dexcost::Config::default())?;
/// # Ok::<(), dexcost::Error>(())
/// ```
pub fn init(config: Config) -> Result<InitGuard, Error> {
    let mut config = config;
    // A path need not be Unicode.
    let variable = std::env::var_os("DEXCOST_BUFFER").filter(|path| !path.is_empty());
    config.buffer_path = config.buffer_path.or_else(|| variable.map(Into::into));
    let config = config.filled_from(|name| std::env::var(name).ok());
    let close_within = config.close_within;
    install_with(close_within, || CostTracker::new(config))
}

/// Installs a tracker of one's own making as the default.
///
/// # Errors
///
/// [`Error::AlreadyInitialized`].
pub fn install(tracker: CostTracker) -> Result<InitGuard, Error> {
    install_with(Config::default().close_within, || Ok(tracker))
}

fn install_with(
    close_within: std::time::Duration,
    make: impl FnOnce() -> Result<CostTracker, Error>,
) -> Result<InitGuard, Error> {
    let _changing = CHANGING.lock();
    if DEFAULT.load().is_some() {
        return Err(Error::AlreadyInitialized);
    }
    let tracker = make()?;
    DEFAULT.store(Some(Arc::new(Installed {
        tracker: tracker.clone(),
        close_within,
    })));
    IS_CLOSED.store(false, Ordering::Release);
    untracked::hand_over(&tracker);
    Ok(InitGuard { tracker })
}

/// Closes the default tracker when it is dropped.
#[derive(Debug)]
#[must_use = "keep it in `main`: the tracker is closed when it is dropped"]
pub struct InitGuard {
    tracker: CostTracker,
}

impl InitGuard {
    /// The tracker that was installed.
    #[must_use]
    pub fn tracker(&self) -> &CostTracker {
        &self.tracker
    }
}

impl Drop for InitGuard {
    fn drop(&mut self) {
        let mine = |installed: &Installed| installed.tracker.is_same(&self.tracker);
        if let Some(installed) = take_if(mine) {
            let _ = installed.tracker.close(installed.close_within);
        }
    }
}

fn take_if(wanted: impl Fn(&Installed) -> bool) -> Option<Arc<Installed>> {
    let _changing = CHANGING.lock();
    if DEFAULT.load().as_deref().is_some_and(wanted) {
        IS_CLOSED.store(true, Ordering::Release);
        DEFAULT.swap(None)
    } else {
        None
    }
}

/// The default tracker; `None` before [`init`] and after [`close`].
#[must_use]
pub fn tracker() -> Option<CostTracker> {
    DEFAULT.load().as_ref().map(|installed| installed.tracker.clone())
}

/// The default tracker, or why there is none.
pub(crate) fn required() -> Result<CostTracker, Error> {
    tracker().ok_or_else(|| {
        if IS_CLOSED.load(Ordering::Acquire) {
            Error::Closed
        } else {
            Error::NotInitialized
        }
    })
}

/// Commits everything recorded so far; open sessions end.
///
/// Before [`init`] it does nothing.
///
/// # Errors
///
/// [`Error::Buffer`] and [`Error::Lost`].
pub async fn flush() -> Result<(), Error> {
    match tracker() {
        Some(tracker) => tracker.flush().await,
        None => Ok(()),
    }
}

/// Closes the default tracker: ends its sessions, commits what is left, and forgets it, so that
/// [`init`] may be called again. Blocks for at most `Config::close_within`.
///
/// Before [`init`] it does nothing.
///
/// # Errors
///
/// [`Error::Timeout`] and [`Error::Buffer`] where not everything could be committed.
pub fn close() -> Result<(), Error> {
    match take_if(|_| true) {
        Some(installed) => installed.tracker.close(installed.close_within),
        None => Ok(()),
    }
}

/// The current task, whichever tracker it belongs to.
#[must_use]
pub fn current_task() -> Option<TaskHandle> {
    current_task_of_any_tracker()
}

/// The current task, else the session that the default tracker has or opens for this scope, else a task that
/// nobody keeps.
fn current_or_session() -> Result<TaskHandle, Error> {
    match (current_task(), required()) {
        (Some(task), _) => Ok(task),
        (None, Ok(tracker)) => Ok(tracker.current_task_or_session()),
        (None, Err(Error::NotInitialized)) => untracked::nobodys_task(),
        (None, Err(error)) => Err(error),
    }
}

/// Opens a task on the default tracker. Before [`init`] it is a task that nobody keeps, and counted.
///
/// It is not current by that: run code in it with [`TrackedTask::run`](TaskHandle::run), a future with
/// [`in_task`](crate::TaskFutureExt::in_task), or hold what [`TrackedTask::enter`](TaskHandle::enter) returns.
///
/// # Errors
///
/// [`Error::Closed`] after the tracker was closed, and [`Error::VariantWithoutExperiment`].
pub async fn start_task(task_type: impl Into<Text>, options: TaskOptions) -> Result<TrackedTask, Error> {
    start_task_sync(task_type, options)
}

/// Opens a task on the default tracker, in synchronous code; see [`start_task`].
///
/// ```
/// let task = dexcost::start_task_sync("resolve_ticket", dexcost::TaskOptions::default())?;
/// task.run(|| dexcost::record_cost("pdf_renderer", "0.002"))?;
/// assert_eq!(task.task().totals.total_cost_usd(), dexcost::dec!(0.002));
/// # Ok::<(), dexcost::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Closed`] after the tracker was closed, and [`Error::VariantWithoutExperiment`].
pub fn start_task_sync(task_type: impl Into<Text>, options: TaskOptions) -> Result<TrackedTask, Error> {
    match required() {
        Ok(tracker) => tracker.start_task_sync(task_type, options),
        Err(Error::NotInitialized) => untracked::start_task(task_type, options),
        Err(error) => Err(error),
    }
}

/// Records what a service cost, on the current task, else on a session.
///
/// Before [`init`] what is recorded is checked and counted, and kept nowhere: a unit test of a handler needs
/// no tracker. That holds for all that records.
///
/// # Errors
///
/// [`Error::InvalidAmount`]; [`Error::Closed`] outside a task after the tracker was closed.
pub fn record_cost(service: impl Into<Text>, cost_usd: impl Amount) -> Result<Arc<Event>, Error> {
    current_or_session()?.record_cost(service, cost_usd)
}

/// Records what a service cost, with everything that can be said about it.
///
/// # Errors
///
/// As [`record_cost`], and [`Error::WrongEventType`].
pub fn record_cost_with(
    service: impl Into<Text>,
    cost_usd: impl Amount,
    options: CostOptions,
) -> Result<Arc<Event>, Error> {
    current_or_session()?.record_cost_with(service, cost_usd, options)
}

/// Records so many units of a service at its registered rate.
///
/// # Errors
///
/// As [`TaskHandle::record_usage`], and [`Error::Closed`].
pub fn record_usage(service: &str, units: impl Amount) -> Result<Arc<Event>, Error> {
    current_or_session()?.record_usage(service, units)
}

/// Records a model call.
///
/// # Errors
///
/// As [`TaskHandle::record_llm_call`], and [`Error::Closed`].
pub fn record_llm_call(call: LlmCall) -> Result<Arc<Event>, Error> {
    current_or_session()?.record_llm_call(call)
}

/// Records a reply that some client received, by the same rules as a layer does, on the current task,
/// else on a session.
///
/// `provider` says who answered where the URL does not; empty leaves it to the URL. For more that can
/// be said see [`ReceivedResponse`]. `None` where the reply is worth no event.
///
/// # Errors
///
/// [`Error::Closed`] outside a task after the tracker was closed.
pub fn record_response(
    provider: &str,
    url: &str,
    status: u16,
    headers: &dyn Headers,
    body: &[u8],
) -> Result<Option<Arc<Event>>, Error> {
    let received = ReceivedResponse::new(provider, url, status, headers, body);
    match (current_task(), required()) {
        (Some(task), _) => Ok(task.record_response(&received)),
        (None, Ok(tracker)) => Ok(tracker.record_response(&received)),
        (None, Err(Error::NotInitialized)) => Ok(untracked::nobodys_task()?.record_response(&received)),
        (None, Err(error)) => Err(error),
    }
}

/// Switches the capture of a provider's calls on; see [`CostTracker::instrument`].
///
/// # Errors
///
/// [`Error::NotInitialized`], and as there.
pub fn instrument(name: &str) -> Result<(), Error> {
    required()?.instrument(name)
}

/// Switches the capture of a provider's calls off; see [`CostTracker::uninstrument`].
///
/// # Errors
///
/// [`Error::NotInitialized`], and as there.
pub fn uninstrument(name: &str) -> Result<bool, Error> {
    required()?.uninstrument(name)
}

/// Registers what exchanges with a domain cost; see [`CostTracker::register_domain_rate`].
///
/// # Errors
///
/// [`Error::NotInitialized`], and as there.
pub fn register_domain_rate(domain: &str, cost_usd: impl Amount, per: impl Into<Text>) -> Result<(), Error> {
    required()?.register_domain_rate(domain, cost_usd, per)
}

/// Switches the watching of priced services and of traffic on or off; see
/// [`CostTracker::set_track_http`].
///
/// # Errors
///
/// [`Error::NotInitialized`].
pub fn track_http(on: bool) -> Result<(), Error> {
    required()?.set_track_http(on);
    Ok(())
}

/// The current task; before [`init`] one that nobody keeps.
fn current_or_nobodys() -> Result<TaskHandle, Error> {
    match (current_task(), required()) {
        (Some(task), _) => Ok(task),
        (None, Err(Error::NotInitialized)) => untracked::nobodys_task(),
        (None, _) => Err(Error::NoCurrentTask),
    }
}

/// Marks that the operation at hand is a retry.
///
/// # Errors
///
/// [`Error::NoCurrentTask`] where no task is current, though there is or was a tracker.
pub fn mark_retry(reason: impl Into<Text>) -> Result<Arc<Event>, Error> {
    Ok(current_or_nobodys()?.mark_retry(reason))
}

/// Links a trace of another platform to the current task.
///
/// # Errors
///
/// [`Error::NoCurrentTask`] where no task is current, though there is or was a tracker.
pub fn link_trace(provider: &str, trace_id: &str) -> Result<(), Error> {
    if current_task().is_some() || !matches!(required(), Err(Error::NotInitialized)) {
        current_or_nobodys()?.link_trace(provider, trace_id);
    }
    Ok(())
}

/// Sets the context of the scope that this is called in; see [`Context`].
///
/// Tasks, sessions and captured calls that follow in the scope, and in scopes within it, inherit it. Where
/// the scope is that of a task, gaps in the task's own attribution are filled; what was set on the task
/// stays. In a program without any tracker it does nothing outside a scope.
///
/// # Errors
///
/// [`Error::NoScope`] outside any scope: there it would leak into whatever runs on the thread next. Use
/// [`set_default_context`](crate::set_default_context) for a program that works for one customer only.
pub fn set_context(context: Context) -> Result<(), Error> {
    match crate::account::set_context(context) {
        Err(Error::NoScope) if untracked::is_untracked() => Ok(()),
        outcome => outcome,
    }
}
