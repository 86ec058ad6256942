#![doc = include_str!("docs/crate.md")]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a test fails by panicking"
    )
)]

extern crate self as dexcost;

pub mod buffer;
pub mod canonical;
pub mod display;
pub mod money;
pub mod pricing;
pub mod report;
pub mod testing;

#[doc = include_str!("docs/coming_from_python.md")]
pub mod coming_from_python {}

mod account;
mod builder;
mod clock;
mod config;
mod console;
mod ending;
mod error;
mod event;
mod global;
mod id;
pub mod integrations;
mod literal;
mod loss;
mod macro_support;
mod observation;
mod privacy;
mod provider;
#[cfg(feature = "sync")]
mod refresh;
mod sink;
mod sum;
mod task;
mod text;
mod untracked;
mod usage;
mod wire;
mod words;

/// For the code that the macros generate; not part of the public interface.
#[doc(hidden)]
pub mod __macro {
    pub use crate::macro_support::*;
}

pub use rust_decimal::Decimal;

pub use account::capture;
pub use account::capture::ALL_SUPPORTED_INSTRUMENTS;
pub use account::{
    Claim, Context, CostOptions, CostTracker, End, Flush, InScope, LlmCall, ReceivedResponse,
    RetryHeuristics, RetryOptions, Scope, ScopeGuard, SessionManager, TaskFutureExt, TaskHandle, TaskOptions,
    TraceLink, TrackedTask, TrackerParts, clear_context, default_context, get_context, set_default_context,
};
pub use buffer::Durability;
pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use config::{Config, KeyType, validate_api_key};
#[cfg(feature = "macros")]
pub use dexcost_macros::task;
pub use ending::Ending;
pub use error::Error;
pub use event::{
    CallFacts, CallPart, CallType, CostConfidence, CostFamily, Details, ErrorType, Event, EventType,
    OperationStatus, PricingSource,
};
pub use global::{
    InitGuard, close, current_task, flush, init, install, instrument, link_trace, mark_retry, record_cost,
    record_cost_with, record_llm_call, record_response, record_usage, register_domain_rate, set_context,
    start_task, start_task_sync, track_http, tracker, uninstrument,
};
pub use id::{EventId, TaskId};
pub use integrations::{TrackedAnthropic, TrackedOpenAI};
#[doc(hidden)]
pub use literal::__literal;
pub use loss::{Loss, LossKind, LossReason};
pub use observation::{BatchSight, BodyTrouble, FurtherUse, JobSight, Observation, ServiceUse, UsageScope};
pub use pricing::{
    CostResult, EgressCost, EgressDestination, EgressPricing, Explanation, PriceLine, PriceOrigin,
    PriceQuery, PricingEngine, RateEntry, RateRegistry, Resolution, Rung, ServiceBodies, ServiceCatalog,
    ServiceCost, ServiceFee, ServiceGap, ServiceKind, ServiceLine, ServiceMatch, ServiceModel,
    ServiceObservation, ServiceReader, ServiceRow, ServiceRule,
};
pub use privacy::{Privacy, scrub_url};
#[cfg(feature = "sync")]
pub use refresh::Fetch;
pub use sink::{Commit, Committer, Record, Refusal, Sink};
pub use sum::Sum;
pub use task::{Attribution, HostTraffic, Task, TaskStatus, Totals};
pub use text::Text;
pub use untracked::note_untracked;
pub use usage::{Unit, Usage};
pub use wire::Peer;
