//! The inbound side: a task per request.
//!
//! | file | thought |
//! |---|---|
//! | `layer` | the layer: what can be said to it |
//! | `settings` | what the clones of a layer and its services share |
//! | `head` | what the settings see of a request |
//! | `origin` | where a fact about a request comes from |
//! | `opening` | what a request says about its task: type, attribution, parent, trace |
//! | `route` | from a route template to a task type |
//! | `service` | the service: opens the task, runs the handler in its scope |
//! | `future` | the response future |
//! | `body` | the response body, at whose end the task ends |
//! | `open` | how a task ends: by status, error, panic, cancellation |
//! | `grpc` | what is different about gRPC |
//! | `reply` | what the client is told: the task's id, and what it cost |
//! | `extract` | extractors for axum handlers |

mod body;
#[cfg(feature = "axum")]
mod extract;
mod future;
mod grpc;
mod head;
mod layer;
mod open;
mod opening;
mod origin;
mod reply;
mod route;
mod service;
mod settings;

pub use body::TaskBody;
#[cfg(feature = "axum")]
pub use extract::{CurrentTask, Identified, Identify, NoCurrentTask};
pub use future::TaskFuture;
pub use head::RequestHead;
pub use layer::TaskLayer;
pub use origin::Origin;
pub use route::task_type_of_route;
pub use service::TaskService;
