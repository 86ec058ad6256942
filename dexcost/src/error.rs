//! What can go wrong for a caller of dexcost.

use std::path::PathBuf;

/// An error that a caller of dexcost can do something about.
///
/// Nothing on the caller's request path returns one: what cannot be recorded there is counted by
/// reason and shown by `dexcost status`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Text that should be an amount of money is not an exact decimal.
    #[error("`{text}` is not a decimal amount; write it like 0.0025")]
    InvalidAmount {
        /// The first 40 characters of the text.
        text: String,
    },
    /// An amount or a quantity that may not be negative is.
    #[error("`{name}` may not be negative")]
    Negative {
        /// What the amount was meant for.
        name: String,
    },
    /// Text that should be a task or event id is not a UUID.
    #[error("`{text}` is not a task or event id")]
    InvalidId {
        /// The first 40 characters of the text.
        text: String,
    },
    /// Text that should be an instant is not RFC 3339.
    #[error("`{text}` is not an RFC 3339 instant")]
    InvalidTimestamp {
        /// The first 40 characters of the text.
        text: String,
    },
    /// A word that is not one of a closed list.
    #[error("`{text}` is no {what}; known are: {known}")]
    UnknownWord {
        /// What was expected.
        what: &'static str,
        /// The first 40 characters of what was given.
        text: String,
        /// The words that are known, separated by commas.
        known: String,
    },
    /// A JSON document that is no event or task of the form that was expected.
    #[error("not a valid {what}: {reason}")]
    InvalidRecord {
        /// What was expected.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// An event type that `record_cost` does not accept.
    #[error("record_cost takes external_cost, compute_cost or gpu_cost, not {given}")]
    WrongEventType {
        /// The type that was given.
        given: &'static str,
    },
    /// A service for which no rate is registered.
    #[error("no rate is registered for `{service}`; call register_rate or load_rates first")]
    UnregisteredService {
        /// The name of the service.
        service: String,
    },
    /// A key that is neither a live nor a test key. The key itself is not shown.
    #[error("the API key is malformed: it must start with dx_live_ or dx_test_")]
    InvalidApiKey,
    /// `dexcost::init` has not been called, or `close` has.
    #[error("no default tracker: call dexcost::init first, or use a CostTracker of your own")]
    NotInitialized,
    /// `init` was called while a default tracker is installed.
    #[error("a default tracker is installed already: call dexcost::close first")]
    AlreadyInitialized,
    /// There is no current task.
    #[error("no task is current here: open one with #[dexcost::task], start_task or in_task")]
    NoCurrentTask,
    /// `set_context` was called outside any scope.
    #[error("set_context needs a scope (a task or a layer); for a whole program use set_default_context")]
    NoScope,
    /// A provider that is captured already.
    #[error("`{name}` is instrumented already")]
    AlreadyInstrumented {
        /// The instrument.
        name: &'static str,
    },
    /// A callback for a run that is not under way.
    #[error("no run `{run_id}` is under way")]
    UnknownRun {
        /// The first 40 characters of the run's id.
        run_id: String,
    },
    /// A task was ended twice.
    #[error("the task has ended already")]
    AlreadyEnded,
    /// Variant without experiment.
    #[error("a variant needs an experiment_id")]
    VariantWithoutExperiment,
    /// A setting that cannot be used.
    #[error("setting `{name}`: {reason}")]
    InvalidSetting {
        /// The setting.
        name: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Events of a task could not be kept, so its record in the buffer is incomplete.
    #[error("{count} record(s) of the task were lost before they reached the buffer ({reason})")]
    Lost {
        /// How many records.
        count: u64,
        /// Why, as counted by `dexcost status`.
        reason: String,
    },
    /// The tracker is closed, so nothing can be committed any more.
    #[error("the buffer is closed; what is recorded now is counted as lost")]
    Closed,
    /// The buffer cannot be opened, read or written.
    #[error("buffer {}: {reason}", path.display())]
    Buffer {
        /// The file.
        path: PathBuf,
        /// What happened.
        reason: String,
        /// The cause, where there is one.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// A file with rates or prices cannot be used. Nothing of it was taken over.
    #[error("{origin}{}: {reason}", at.as_ref().map(|at| format!(", {at}")).unwrap_or_default())]
    PriceFile {
        /// The file, or a description of where the text came from.
        origin: String,
        /// The entry in it.
        at: Option<String>,
        /// What is wrong.
        reason: String,
    },
    /// A document could not be fetched.
    #[error("{url}: {reason}")]
    Fetch {
        /// Where it should have come from, without secrets.
        url: String,
        /// What happened.
        reason: String,
    },
    /// Reading or writing a file failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The wait for the writer took longer than allowed.
    #[error("the buffer did not confirm within {waited_ms} ms")]
    Timeout {
        /// How long was waited, in milliseconds.
        waited_ms: u64,
    },
}
