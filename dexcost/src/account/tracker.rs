//! The handle that owns prices, rates, sessions and the sink.

use std::borrow::Cow;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::Value;

use crate::account::batches::Batches;
use crate::account::capture::CaptureOptions;
use crate::account::cell::TaskCell;
use crate::account::context;
use crate::account::counted::Counted;
use crate::account::jobs::Jobs;
use crate::account::options::TaskOptions;
use crate::account::retries::RetryHeuristics;
use crate::account::scope::{self, Surroundings};
use crate::account::sessions::SessionManager;
use crate::account::tools::Tools;
use crate::account::tracked_task::{TaskHandle, TrackedTask, add_link};
use crate::account::wants::Wants;
use crate::clock::Clock;
use crate::error::Error;
use crate::event::Details;
use crate::id::TaskId;
use crate::loss::{Loss, LossKind, LossReason};
use crate::money::Amount;
use crate::pricing::{CostResult, PricingEngine, RateRegistry, ServiceCatalog};
use crate::privacy::Privacy;
use crate::sink::{Commit, Sink};
use crate::task::{Attribution, Task, TaskStatus, Totals};
use crate::text::Text;

/// The longest task type.
const TASK_TYPE_BYTES: usize = 128;

/// Under which name the metadata keep a task type as it was given, where that is not canonical.
const GIVEN_TASK_TYPE: &str = "_task_type";

/// What a tracker is made of. `CostTracker::new` puts it together from a `Config`.
#[derive(Debug)]
pub struct TrackerParts {
    /// Where records go.
    pub sink: Arc<dyn Sink>,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// What model calls cost.
    pub pricing: Arc<PricingEngine>,
    /// What the user's own services cost.
    pub rates: Arc<RateRegistry>,
    /// What is removed before anything is kept.
    pub privacy: Privacy,
    /// Whether and how retries are guessed.
    pub retry_heuristics: Option<RetryHeuristics>,
    /// After how long without a call a session ends.
    pub session_idle: Duration,
    /// What outbound calls are watched for.
    pub capture: CaptureOptions,
    /// What paid APIs cost.
    pub services: ServiceCatalog,
}

/// What all handles of one tracker share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) id: u64,
    pub(super) sink: Arc<dyn Sink>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) pricing: Arc<PricingEngine>,
    pub(super) rates: Arc<RateRegistry>,
    pub(super) privacy: Privacy,
    pub(super) retry_heuristics: Option<RetryHeuristics>,
    pub(super) sessions: SessionManager,
    pub(super) wants: Wants,
    pub(super) services: ServiceCatalog,
    pub(super) counted: Counted,
    pub(super) jobs: Jobs,
    pub(super) batches: Batches,
    pub(super) tools: Tools,
    handle: Mutex<Weak<Handle>>,
}

/// What the clones of a tracker hold.
///
/// Tasks hold [`Shared`], and `Shared` holds tasks: open sessions, and those whose calls run on in the
/// background. Were there nothing else, a tracker that is dropped meanwhile would hold itself. So the last
/// clone ends the sessions and lets go of the others.
#[derive(Debug)]
struct Handle(Arc<Shared>);

impl Deref for Handle {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.sessions.close_all();
        self.0.jobs.close();
        self.0.batches.close();
    }
}

impl TrackerParts {
    /// The parts of a tracker over a sink, with a clock, and nothing of the user's own.
    pub(crate) fn over(sink: Arc<dyn Sink>, clock: Arc<dyn Clock>) -> Self {
        Self {
            sink,
            clock,
            pricing: Arc::new(PricingEngine::new()),
            rates: Arc::new(RateRegistry::new()),
            privacy: Privacy::default(),
            retry_heuristics: None,
            session_idle: Duration::from_secs(30),
            capture: CaptureOptions::default(),
            services: ServiceCatalog::new(),
        }
    }
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// How many trackers this process ever made.
pub(crate) fn trackers_made() -> u64 {
    NEXT_ID.load(Ordering::Relaxed) - 1
}

/// Opens tasks and owns what they need: prices, rates, sessions and the buffer.
///
/// Cheap to clone; all clones are the same tracker. Several trackers may live in one process, each
/// with a buffer of its own. When the last clone is dropped, open sessions end; tasks that are still
/// open go on.
#[derive(Clone, Debug)]
pub struct CostTracker(Arc<Handle>);

impl CostTracker {
    /// A tracker of these parts.
    #[must_use]
    pub fn from_parts(parts: TrackerParts) -> Self {
        Self::of(&Arc::new(Shared {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            sink: parts.sink,
            clock: parts.clock,
            pricing: parts.pricing,
            rates: parts.rates,
            privacy: parts.privacy,
            retry_heuristics: parts.retry_heuristics,
            sessions: SessionManager::new(parts.session_idle),
            wants: Wants::new(parts.capture),
            services: parts.services,
            counted: Counted::default(),
            jobs: Jobs::default(),
            batches: Batches::default(),
            tools: Tools::default(),
            handle: Mutex::default(),
        }))
    }

    /// A clone, or the first where there is none any more.
    fn of(shared: &Arc<Shared>) -> Self {
        let mut known = shared.handle.lock();
        let handle = known.upgrade().unwrap_or_else(|| {
            let handle = Arc::new(Handle(Arc::clone(shared)));
            *known = Arc::downgrade(&handle);
            handle
        });
        Self(handle)
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.0.0
    }

    /// Opens a task. It is not current anywhere yet: see [`TaskHandle::enter`] and
    /// [`TaskFutureExt::in_task`](crate::TaskFutureExt::in_task).
    ///
    /// The current task, if any, is its parent; what the options leave open is inherited.
    ///
    /// # Errors
    ///
    /// [`Error::VariantWithoutExperiment`].
    #[allow(
        clippy::unused_async,
        reason = "opening will be allowed to wait, for remote parents, without a break"
    )]
    pub async fn start_task(
        &self,
        task_type: impl Into<Text>,
        options: TaskOptions,
    ) -> Result<TrackedTask, Error> {
        self.start_task_sync(task_type, options)
    }

    /// Opens a task, in synchronous code. It does not wait for anything either.
    ///
    /// # Errors
    ///
    /// [`Error::VariantWithoutExperiment`].
    pub fn start_task_sync(
        &self,
        task_type: impl Into<Text>,
        options: TaskOptions,
    ) -> Result<TrackedTask, Error> {
        if options.variant.is_some() && options.experiment_id.is_none() {
            return Err(Error::VariantWithoutExperiment);
        }
        let mut around = scope::surroundings(self.0.id);
        around.context = around.context.or_else(context::default_context);
        Ok(self.open(task_type.into(), options, &around))
    }

    /// Opens a task with everything that it may inherit from given.
    pub(super) fn open(&self, task_type: Text, options: TaskOptions, around: &Surroundings) -> TrackedTask {
        let parent = around.parent.as_deref();
        let text = |given: Option<String>| {
            let given = given?;
            Some(Text::from(given.trim())).filter(|text| !text.is_empty())
        };
        let mut attribution = Attribution {
            customer_id: text(options.customer_id),
            project_id: text(options.project_id),
            agent: text(options.agent),
            experiment_id: text(options.experiment_id),
            variant: text(options.variant),
        };
        self.0.privacy.apply_to_attribution(&mut attribution);
        let mut metadata = options.metadata;
        let mut of_context = Attribution::default();
        if let Some(context) = &around.context {
            of_context = context.attribution();
            self.0.privacy.apply_to_attribution(&mut of_context);
            for (name, value) in &context.metadata {
                metadata.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        // What the parent has is hashed already.
        let of_parent = parent.map(|parent| parent.read(|task| task.attribution.clone()));
        let of_parent = of_parent.unwrap_or_default();
        attribution = if around.is_nearer {
            attribution.or(&of_context).or(&of_parent)
        } else {
            attribution.or(&of_parent).or(&of_context)
        };
        link_current_span(&mut metadata);
        let other = match task_type_of(&task_type) {
            Cow::Borrowed(same) if same == task_type.as_str() => None,
            other => Some(Text::from(&*other)),
        };
        if other.is_some() {
            let given = Value::from(task_type.as_str());
            metadata.entry(GIVEN_TASK_TYPE).or_insert(given);
        }
        let task_type = other.unwrap_or(task_type);
        self.0.privacy.apply_to_details(&mut metadata);
        let now = self.0.clock.now();
        let task = Task {
            task_id: TaskId::at(now),
            task_type,
            status: TaskStatus::Pending,
            started_at: now,
            ended_at: None,
            attribution,
            parent_task_id: options.parent_task_id.or_else(|| parent.map(TaskCell::task_id)),
            metadata,
            totals: Totals::default(),
            revision: 1,
        };
        let cell = TaskCell::open(Arc::clone(self.shared()), task);
        TrackedTask::new(TaskHandle::from_cell(cell))
    }

    /// The current task of this tracker.
    #[must_use]
    pub fn current_task(&self) -> Option<TaskHandle> {
        scope::current_task(self.0.id).map(TaskHandle::from_cell)
    }

    /// The current task of this tracker, or the session of the scope at hand.
    ///
    /// Only for costs that are billable: this is what opens a session.
    #[must_use]
    pub fn current_task_or_session(&self) -> TaskHandle {
        self.current_task()
            .unwrap_or_else(|| self.0.sessions.current(self))
    }

    /// The tasks that dexcost opened for costs outside any task.
    #[must_use]
    pub fn sessions(&self) -> &SessionManager {
        &self.0.sessions
    }

    /// What model calls cost.
    #[must_use]
    pub fn pricing(&self) -> &PricingEngine {
        &self.0.pricing
    }

    /// What the user's own services cost.
    #[must_use]
    pub fn rates(&self) -> &RateRegistry {
        &self.0.rates
    }

    /// What paid APIs other than models cost.
    #[must_use]
    pub fn services(&self) -> &ServiceCatalog {
        &self.0.services
    }

    /// Registers what exchanges with a domain cost, over the catalog of services.
    ///
    /// # Errors
    ///
    /// As [`ServiceCatalog::register_domain_rate`].
    pub fn register_domain_rate(
        &self,
        domain: &str,
        cost_usd: impl Amount,
        per: impl Into<Text>,
    ) -> Result<(), Error> {
        self.0.services.register_domain_rate(domain, cost_usd, per)
    }

    /// Registers what one unit of a service costs.
    ///
    /// # Errors
    ///
    /// As [`RateRegistry::register`].
    pub fn register_rate(&self, service: &str, per: &str, cost_usd: impl Amount) -> Result<(), Error> {
        self.0.rates.register(service, per, cost_usd)
    }

    /// Loads rates from a YAML file.
    ///
    /// # Errors
    ///
    /// As [`RateRegistry::load`]; nothing of a wrong file is taken over.
    pub fn load_rates(&self, path: impl AsRef<std::path::Path>) -> Result<(), Error> {
        self.0.rates.load(path)
    }

    /// Writes the rates to a YAML file, sorted by service.
    ///
    /// # Errors
    ///
    /// As [`RateRegistry::export`].
    pub fn export_rates(&self, path: impl AsRef<std::path::Path>) -> Result<(), Error> {
        self.0.rates.export(path)
    }

    /// What a completion of `model` costs; see [`PricingEngine::get_cost`].
    #[must_use]
    pub fn get_cost(
        &self,
        model: &str,
        input_tokens: u64,
        output_tokens: u64,
        cached_tokens: u64,
    ) -> CostResult {
        self.0
            .pricing
            .get_cost(model, input_tokens, output_tokens, cached_tokens, 0)
    }

    /// Sets what a model costs in US dollars per 1,000 tokens, over the tables, from now on;
    /// [`pricing().set_custom_pricing_per_million`](PricingEngine::set_custom_pricing_per_million) takes it per
    /// million.
    ///
    /// # Errors
    ///
    /// As [`PricingEngine::set_custom_pricing`].
    pub fn set_custom_pricing(
        &self,
        model: &str,
        input_per_1k: impl Amount,
        output_per_1k: impl Amount,
    ) -> Result<(), Error> {
        self.0
            .pricing
            .set_custom_pricing(model, input_per_1k, output_per_1k)
    }

    /// Asks that everything recorded so far be committed now; awaiting waits for it.
    ///
    /// Open sessions end as successes. Awaiting yields [`Error::Buffer`] where the commit failed, and
    /// [`Error::Closed`] after [`close`](Self::close).
    pub fn flush(&self) -> Flush {
        self.0.sessions.close_all();
        Flush(self.0.sink.commit())
    }

    /// Flushes and blocks until it is done, for at most `within`.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`], [`Error::Buffer`], and [`Error::Closed`] after [`close`](Self::close).
    pub fn flush_blocking(&self, within: Duration) -> Result<(), Error> {
        self.flush().0.wait(within)
    }

    /// Ends the sessions, commits what is left, and takes no more records.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`] and [`Error::Buffer`] where not everything could be committed.
    pub fn close(&self, within: Duration) -> Result<(), Error> {
        self.0.sessions.close_all();
        self.0.sink.close(within)
    }

    /// What was lost since the tracker was made, by kind and reason: refused by a full queue or after
    /// [`close`](Self::close), or never written because the file cannot be used.
    ///
    /// `dexcost status` shows the counts of all processes that use the file, as far as it could be
    /// written.
    #[must_use]
    pub fn losses(&self) -> Vec<Loss> {
        self.0.sink.losses()
    }

    /// Counts what passed this program without being recorded.
    pub(crate) fn note_loss(&self, kind: LossKind, reason: LossReason, count: u64) {
        if count > 0 {
            self.0.sink.note_loss(kind, reason, count);
        }
    }

    /// Whether both are handles of one tracker.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl TaskHandle {
    /// The tracker that the task belongs to.
    #[must_use]
    pub fn tracker(&self) -> CostTracker {
        CostTracker::of(self.cell().tracker())
    }
}

/// A task type in its canonical form: lower-case letters, digits and `._-`, at most 128 of them, the first a
/// letter or digit. Each run of anything else becomes one `_`; where nothing is left it is `task`.
fn task_type_of(given: &str) -> Cow<'_, str> {
    let is_letter = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9');
    let is_sign = |byte: &u8| matches!(byte, b'.' | b'_' | b'-');
    let bytes = given.as_bytes();
    let is_canonical = bytes.len() <= TASK_TYPE_BYTES
        && bytes.first().is_some_and(is_letter)
        && bytes.iter().all(|byte| is_letter(byte) || is_sign(byte));
    if is_canonical {
        return Cow::Borrowed(given);
    }
    let mut canonical = String::new();
    let mut is_run = false;
    for c in given.chars().flat_map(char::to_lowercase) {
        let kept = u8::try_from(c)
            .ok()
            .filter(|byte| is_letter(byte) || is_sign(byte));
        let next = match kept {
            Some(byte) => char::from(byte),
            None if is_run => continue,
            None => '_',
        };
        is_run = kept.is_none();
        if canonical.len() == TASK_TYPE_BYTES {
            break;
        }
        if !canonical.is_empty() || next.is_ascii_alphanumeric() {
            canonical.push(next);
        }
    }
    if canonical.is_empty() {
        return Cow::Borrowed("task");
    }
    Cow::Owned(canonical)
}

/// Links the `tracing` span that the task is opened in, where there is one.
fn link_current_span(metadata: &mut Details) {
    if let Some(span) = tracing::Span::current().id() {
        add_link(metadata, "tracing", &span.into_u64().to_string());
    }
}

/// A flush; awaiting it waits for the commit.
#[derive(Debug)]
#[must_use = "await the flush to know that it is done"]
pub struct Flush(Commit);

impl Future for Flush {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx)
    }
}

// No code of the user runs while a lock of ours is held, so a panic leaves every state whole.
impl std::panic::UnwindSafe for CostTracker {}
impl std::panic::RefUnwindSafe for CostTracker {}
