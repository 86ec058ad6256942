//! The inbound side: a task per request.
//!
//! | file | thought |
//! |---|---|
//! | `layer` | the layer with its settings |
//! | `service` | the service: opens the task, runs the handler in its scope |
//! | `future` | the response future |
//! | `body` | the response body, at whose end the task ends |
//! | `open` | how a task ends: by status, error, panic, cancellation |
//! | `opening` | what a request says about its task: type and attribution |
//! | `route` | from a route template to a task type |

mod body;
mod future;
mod layer;
mod open;
mod opening;
mod route;
mod service;

pub use body::TaskBody;
pub use future::TaskFuture;
pub use layer::{RequestHead, TaskLayer};
pub use route::task_type_of_route;
pub use service::TaskService;
