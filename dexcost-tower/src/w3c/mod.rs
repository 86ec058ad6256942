//! The header fields by which services tell each other what a request is part of.
//!
//! Pages (read 2026-11): <https://www.w3.org/TR/trace-context/> and <https://www.w3.org/TR/baggage/>.
//! Both are what somebody else says: whatever does not follow the page to the letter is left unread.
//!
//! | file | thought |
//! |---|---|
//! | `traceparent` | the trace and the span that a request is part of |
//! | `baggage` | named values that travel with a request |

pub(crate) mod baggage;
pub(crate) mod traceparent;

/// The baggage key under which the calling task travels.
pub const BAGGAGE_TASK: &str = "dexcost.task_id";

/// The baggage key under which the customer travels.
pub const BAGGAGE_CUSTOMER: &str = "dexcost.customer_id";

/// The baggage key under which the project travels.
pub const BAGGAGE_PROJECT: &str = "dexcost.project_id";

/// The baggage key under which the agent travels.
pub const BAGGAGE_AGENT: &str = "dexcost.agent";

/// Under which name a task's metadata holds its links to traces.
pub(crate) const TRACE_LINKS: &str = "_trace_links";

/// Under which name a task's metadata holds the `traceparent` that its request came with.
pub(crate) const TRACE_PARENT: &str = "_traceparent";
