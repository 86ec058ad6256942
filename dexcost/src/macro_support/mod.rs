//! What the code that `#[dexcost::task]` generates calls. Not for use by hand.
//!
//! | file | thought |
//! |---|---|
//! | `spec` | what the attribute says about the task |
//! | `run` | runs a body as a task: a future or a closure |
//! | `values` | turns what the attribute's expressions yield into text, JSON, a tracker |
//! | `outcome` | whether the value of a body is a failure |

mod outcome;
mod run;
mod spec;
mod values;

pub use outcome::{Otherwise, Outcome};
pub use run::{RunAsync, run_async, run_sync};
pub use spec::{Spec, not_initialized};
pub use values::{Attribute, NamedBy, Optional, ToAttribution, ToMetadata, ToTracker};
