//! The outbound side: every model call priced onto the current task.
//!
//! | file | thought |
//! |---|---|
//! | `layer` | the layer, its settings, its service |
//! | `over_http` | the service over `http::Request<B>`, its future |
//! | `over_reqwest` | the service over `reqwest::Request`, its future |
//! | `over_reqwest_middleware` | the layer as a middleware of reqwest-middleware |
//! | `over_ureq` | the layer as a middleware of ureq |
//! | `over_aws` | the service over an HTTP client of the AWS SDK |
//! | `body` | the response body, observed in passing |
//! | `fields` | header fields, as the exchange looks at them |
//! | `watch` | what must be settled exactly once, and onto whom |
//! | `peek` | request bodies that can be read without changing their type |
//! | `trouble` | why the inner service failed, in canonical words |

mod body;
mod fields;
mod layer;
#[cfg(feature = "aws")]
mod over_aws;
mod over_http;
#[cfg(feature = "reqwest")]
mod over_reqwest;
#[cfg(feature = "reqwest-middleware")]
mod over_reqwest_middleware;
#[cfg(feature = "ureq")]
mod over_ureq;
mod peek;
mod trouble;
mod watch;

pub use body::CaptureBody;
pub use layer::{CaptureLayer, CaptureService, OWN_TRAFFIC, Uncaptured};
pub use over_http::CaptureFuture;
#[cfg(feature = "reqwest")]
pub use over_reqwest::ReqwestCaptureFuture;
