//! Capture: one outbound request with its response, watched from first byte to ending.
//!
//! [`Exchange`] is a state machine without I/O. An adapter (a tower layer, a middleware, the
//! `replay` command) moves bytes past it by reference and never waits for it:
//!
//! ```
//! use dexcost::capture::{Exchange, RequestFacts};
//! use dexcost::{Ending, Unit, dec};
//!
//! let headers = [("content-type", "application/json")];
//! let facts = RequestFacts::to_url("POST", "https://api.openai.com/v1/chat/completions", &headers);
//! let mut exchange = Exchange::begin(&facts);
//! if exchange.wants_request() {
//!     exchange.request_data(br#"{"model":"gpt-4o","messages":[]}"#);
//! }
//! exchange.response(200, &headers);
//! if exchange.wants_response() {
//!     exchange.data(br#"{"model":"gpt-4o-2024-08-06","usage":{"prompt_tokens":48,"#);
//!     exchange.data(br#""completion_tokens":14,"total_tokens":62}}"#);
//! }
//! let seen = exchange.settle(Ending::Done);
//! assert!(seen.captured);
//! assert_eq!(seen.usage.get(Unit::InputTokens), Some(dec!(48)));
//! assert_eq!(seen.call.model_returned.as_deref(), Some("gpt-4o-2024-08-06"));
//! ```
//!
//! # For adapters
//! 1. [`CostTracker::begin_exchange`](crate::CostTracker::begin_exchange) with the request line and headers
//!    (without a tracker [`Exchange::begin`] or [`Exchange::begin_with`]). Where
//!    [`Exchange::is_watching`] is false, drop it and pass through; so too where it
//!    [is only traffic](Exchange::is_only_traffic) and there is no task to count it on.
//! 2. [`Exchange::request_data`] for each piece of the request body, in order, where
//!    [`Exchange::wants_request`]. A body that is not seen costs the requested model and the digest;
//!    its size goes into [`Exchange::request_bytes`] where it is known.
//! 3. [`Exchange::peer`] where the address at the other end is known, then [`Exchange::response`] with
//!    status and headers. Interim (1xx) responses are not reported.
//! 4. [`Exchange::data`] for each piece of the response body, still coded as on the wire, where
//!    [`Exchange::wants_response`]. After it [`Exchange::take_batch`], so that a long download of results is
//!    recorded as it comes: what nobody takes is held until the end, the first 16,384 requests of it.
//! 5. [`Exchange::took`], then [`Exchange::settle`], once: [`Ending::Done`](crate::Ending::Done) at the natural end,
//!    `Failed` on a transport error (after [`Exchange::note_error`] where the adapter knows that it
//!    was a timeout), `Cancelled` where the consumer dropped it, `Truncated` where the adapter
//!    stopped watching. A drop after the terminal event of a stream, or after a complete JSON body,
//!    counts as done: the exchange knows.
//!
//! An `Exchange` is two pointers wide, `Send + Sync` and never panics. What it holds is capped, whatever the
//! size of the bodies; of the bodies of priced services it holds what their prices depend on until it is
//! settled, and nothing of any body leaves it.

mod batch;
mod begin;
mod body;
mod digest;
mod exchange;
mod instruments;
mod meter;
mod model_call;
mod options;
mod other_call;
mod plain;
mod prepaid;
mod pricing;
mod request;
mod service_call;
mod settle;
mod tool_calls;

#[cfg(test)]
mod tests;

pub use exchange::Exchange;
pub use instruments::ALL_SUPPORTED_INSTRUMENTS;
pub(crate) use instruments::Instruments;
pub use options::{CaptureOptions, EgressOrigin};
pub(crate) use pricing::cost_of;
pub use pricing::{explanation_of, pricing_of};

pub use crate::wire::{Headers, RequestFacts};
