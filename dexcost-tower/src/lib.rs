//! Tower layers of dexcost: a task per inbound request, a cost per outbound call.
//!
//! [`TaskLayer`] goes around the handlers of a service, [`CaptureLayer`] around the client that they
//! call models with. Together they answer what each request cost, and for whom, without a line in
//! the handlers:
//!
//! ```
//! use dexcost_tower::{CaptureLayer, TaskLayer};
//! use tower_layer::Layer;
//!
//! // let app = axum::Router::new().route(...).layer(inbound);
//! let inbound = TaskLayer::new().customer_header("x-customer-id");
//!
//! // let client = outbound.layer(reqwest::Client::new());
//! let outbound = CaptureLayer::new();
//! # let _ = (inbound.layer(()), outbound.layer(()));
//! ```
//!
//! # What is recorded onto which task
//! A call belongs to the task that is current where the capture service is called, else to a
//! session that dexcost opens. A scope follows the code, not the process: what a handler spawns
//! is only in it with [`in_current_task`](dexcost::TaskFutureExt::in_current_task).
//!
//! # Clients
//! | client | what to write |
//! |---|---|
//! | any `Service<http::Request<B>>`, such as hyper-util's client | `CaptureLayer::new().layer(client)` |
//! | reqwest | the same, with feature `reqwest` |
//! | reqwest-middleware | `ClientBuilder::new(..).with(CaptureLayer::new())`, with feature `reqwest-middleware` |
//! | the AWS SDK | `.http_client(CaptureLayer::new().layer(http_client))`, with feature `aws` |
//! | ureq | `.middleware(CaptureLayer::new())`, with feature `ureq` |
//! | async-openai | `.with_http_service(..)` over a captured reqwest client |
//! | rig | its `HttpClientExt` over a captured reqwest client |
//! | rmcp | its `StreamableHttpClient` over a captured reqwest client |
//!
//! The last three need no feature; each has an example of its own in the repository.
//!
//! A client that sends from a task of its own, as rmcp does, has left the scope of whoever called. There
//! the scope has to travel with the message: the example of rmcp shows how.
//!
//! # Across services
//! A [`PropagateLayer`] around a client tells the services that the user lists which task calls them
//! and, where wanted, for whom; a [`TaskLayer`] there believes it after
//! [`trust_baggage`](TaskLayer::trust_baggage). Nobody else is told, and nothing is believed unasked.
//!
//! # Layers within layers
//! A call that passes several capture layers is counted once, by the innermost. So a retry
//! middleware between two layers shows its attempts, and one outside of both shows them too. Over
//! `http::Request` this holds through a `Buffer` as well: layers find each other through the
//! request's extensions. A `reqwest::Request` has no public extensions, so there only one layer
//! should be used where a `Buffer` or a spawn lies between, and outside of it.
//!
//! # Request bodies
//! The request names the requested model, and its digest is how retries are found. With reqwest, a
//! body in memory is read where it lies. Over `http::Request<B>` the type `B` is left alone: a body
//! in memory (`Full<Bytes>`, `Bytes`, `String`, `Vec<u8>`, …) is read where it lies, a type-erased
//! one (`BoxBody` and `UnsyncBoxBody` with boxed errors, `axum::body::Body`, `reqwest::Body`) is
//! observed while it is sent, any other goes unseen. Asking the service beneath to take a wrapped
//! body instead would show every body, but would change the type of every client that is put under
//! the layer.
//!
//! # Features
//! | feature | what it gives | what it pulls in |
//! |---|---|---|
//! | `axum` | route templates as task types; the extractors `CurrentTask` and `Identified`; `axum::body::Body` is observed | axum (matched-path only) |
//! | `reqwest` | the capture and the propagate layer over `Service<reqwest::Request>` | reqwest without a TLS stack |
//! | `reqwest-middleware` | the capture layer as a middleware | `reqwest`, reqwest-middleware, async-trait |
//! | `aws` | the capture layer over an HTTP client of the AWS SDK | aws-smithy-runtime-api, aws-smithy-types |
//! | `ureq` | the capture layer as a middleware | ureq without a TLS stack |

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a test fails by panicking"
    )
)]

mod capture;
mod progress;
mod propagate;
mod task;
mod untracked;
mod w3c;

#[cfg(feature = "reqwest")]
pub use capture::ReqwestCaptureFuture;
pub use capture::{CaptureBody, CaptureFuture, CaptureLayer, CaptureService, OWN_TRAFFIC, Uncaptured};
pub use propagate::{PropagateLayer, PropagateService};
#[cfg(feature = "axum")]
pub use task::{CurrentTask, Identified, Identify, NoCurrentTask};
pub use task::{Origin, RequestHead, TaskBody, TaskFuture, TaskLayer, TaskService, task_type_of_route};
pub use untracked::{untracked_calls, untracked_requests};
pub use w3c::{BAGGAGE_AGENT, BAGGAGE_CUSTOMER, BAGGAGE_PROJECT, BAGGAGE_TASK};
