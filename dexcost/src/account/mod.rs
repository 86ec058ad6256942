//! Accounting: which task is current, what it costs so far, and where its records go.
//!
//! Floor 4. Everything here hands records to a [`Sink`](crate::Sink) and goes on; nothing waits for
//! a disk unless it is asked to.
//!
//! | file | thought |
//! |---|---|
//! | `tracker` | the handle that owns prices, rates, sessions and the sink |
//! | `tracked_task` | a running task: what a user records on and ends |
//! | `cell` | its shared state: the record, its totals, its retries |
//! | `received` | code that has only a reply in hand |
//! | `recording` | what can be recorded, each with its options |
//! | `observed` | from what an exchange showed to an event |
//! | `retries` | when a call is the repetition of an earlier one |
//! | `scope` | the stretch of code in which a task is current |
//! | `context` | whom the code at hand works for |
//! | `capture` | one outbound call, watched from its first byte to its ending |
//! | `traffic` | what a task moved over the network, by host |
//! | `network` | from traffic to network events and the price of egress |
//! | `batches` | batches of calls: who made them, which of their requests were counted |
//! | `counted` | which uses were counted already |
//! | `jobs` | calls that run on after they were answered |
//! | `tools` | what a call of a tool costs |
//! | `wants` | what a tracker wants to know of outbound calls |
//! | `sessions` | tasks that dexcost opens for costs outside any task |

mod batches;
pub mod capture;
mod cell;
mod context;
mod counted;
mod jobs;
mod network;
mod observed;
mod options;
mod received;
mod recording;
mod retries;
mod scope;
mod sessions;
mod task_memory;
mod tools;
mod tracked_task;
mod tracker;
mod traffic;
mod wants;

pub use context::{Context, clear_context, default_context, get_context, set_default_context};
pub use options::{CostOptions, LlmCall, RetryOptions, TaskOptions};
pub use received::ReceivedResponse;
pub use retries::RetryHeuristics;
pub use scope::{Claim, InScope, Scope, ScopeGuard, TaskFutureExt};
pub use sessions::SessionManager;
pub use tracked_task::{End, TaskHandle, TraceLink, TrackedTask};
pub use tracker::{CostTracker, Flush, TrackerParts};

pub(crate) use context::set_context;
pub(crate) use scope::current_task_of_any_tracker;
pub(crate) use tracker::trackers_made;
