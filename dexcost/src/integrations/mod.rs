//! For code that dexcost cannot watch: frameworks without access to their HTTP, clients with replies of
//! their own types.
//!
//! | file | thought |
//! |---|---|
//! | `callbacks` | a handler for frameworks that say when a model call starts and ends |
//! | `tracked_clients` | a client beside the tracker that records its typed replies |

mod callbacks;
mod tracked_clients;

pub use callbacks::DexcostCallbackHandler;
pub use tracked_clients::{TrackedAnthropic, TrackedOpenAI};
