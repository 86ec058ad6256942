//! dexcost: the cost ledger for AI agents.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

extern crate self as dexcost;

pub mod money;

mod clock;
mod ending;
mod error;
mod event;
mod id;
mod observation;
pub mod pricing;
mod sink;
mod task;
mod text;
mod usage;
mod words;

pub use rust_decimal::{Decimal, dec};

pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use ending::Ending;
pub use error::Error;
pub use event::{
    CallFacts, CallPart, CallType, CostConfidence, CostFamily, Details, ErrorType, Event, EventType,
    OperationStatus, PricingSource,
};
pub use id::{EventId, TaskId};
pub use observation::{Observation, UsageScope};
pub use pricing::{CostResult, Explanation, PriceLine, PriceQuery, PricingEngine, Resolution, Rung};
pub use sink::{Commit, Committer, Record, Refusal, Sink};
pub use task::{Attribution, HostTraffic, Task, TaskStatus, Totals};
pub use text::Text;
pub use usage::{Unit, Usage};
