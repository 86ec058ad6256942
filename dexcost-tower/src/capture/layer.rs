//! The layer, its settings, its service.

use dexcost::capture::{Exchange, RequestFacts};
use dexcost::{Claim, CostTracker};
use tower_layer::Layer;

use super::watch::{Handed, Payer, Watch};
use crate::untracked;

/// Prices every model call and every call of a priced service that goes out, and counts what all calls
/// move over the network, onto the task that makes them.
///
/// It goes over any `Service<http::Request<B>>` and, with feature `reqwest`, over any
/// `Service<reqwest::Request>`, of which `reqwest::Client` is one. The caller sees the same replies
/// and the same errors as without it; bodies pass through at once and untouched, observed by
/// reference. One thing shows: reqwest wraps an error in the midst of a body once for each body around
/// it, so under the layer such an error lies deeper in the chain of sources.
///
/// The task is the one that is current where the service is *called*. Put the layer outside a
/// `Buffer` and anything else that moves the call to another task of the runtime.
///
/// ```
/// use dexcost_tower::CaptureLayer;
/// use tower_layer::Layer;
///
/// let client = "any service over http::Request";
/// let captured = CaptureLayer::new().layer(client);
/// assert_eq!(captured.get_ref(), &client);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a layer does nothing until a service is put under it"]
pub struct CaptureLayer {
    tracker: Option<CostTracker>,
}

impl CaptureLayer {
    /// A layer that records on the default tracker, looked up at each call.
    ///
    /// While there is none, calls pass through and are [counted](crate::untracked_calls).
    pub const fn new() -> Self {
        Self { tracker: None }
    }

    /// Records on this tracker instead of the default one.
    pub fn tracker(mut self, tracker: CostTracker) -> Self {
        self.tracker = Some(tracker);
        self
    }
}

impl<S> Layer<S> for CaptureLayer {
    type Service = CaptureService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        CaptureService {
            inner,
            settings: self.clone(),
        }
    }
}

/// The service of a [`CaptureLayer`].
#[derive(Clone, Debug)]
pub struct CaptureService<S> {
    pub(super) inner: S,
    pub(super) settings: CaptureLayer,
}

impl<S> CaptureService<S> {
    /// `inner` with every model call priced onto the current task of the default tracker.
    pub const fn new(inner: S) -> Self {
        Self {
            inner,
            settings: CaptureLayer::new(),
        }
    }

    /// The service beneath.
    pub const fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The service beneath, for changing.
    pub const fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The service beneath, alone.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

/// A request extension: this request is not to be captured.
///
/// ```
/// use dexcost_tower::Uncaptured;
///
/// let request = http::Request::post("https://api.openai.com/v1/chat/completions")
///     .extension(Uncaptured)
///     .body(())?;
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uncaptured;

/// The name of a header field that says the same as [`Uncaptured`], for requests that have no
/// extensions. dexcost sets it on its own traffic.
pub const OWN_TRAFFIC: &str = "dexcost-own-traffic";

impl CaptureLayer {
    /// Starts watching a request; `None` where it is none of ours.
    ///
    /// `handed` is what an outer layer put into the request. What is only traffic is watched where there
    /// is a task to count it on, and else costs a look at its method, host and path.
    pub(super) fn begin(&self, request: &RequestFacts<'_>, handed: Option<&Handed>) -> Option<Watch> {
        if request.headers.get(OWN_TRAFFIC).is_some() {
            return None;
        }
        let Some(tracker) = self.tracker.clone().or_else(dexcost::tracker) else {
            if Exchange::begin(request).is_watching() {
                untracked::count_call();
            }
            return None;
        };
        let exchange = tracker.begin_exchange(request);
        if !exchange.is_watching() {
            return None;
        }
        let payer = Payer::current(tracker, handed);
        if exchange.is_only_traffic() && !payer.is_task() {
            return None;
        }
        let identity = request.identity();
        Claim::take_enclosing_for(identity);
        if let Some(handed) = handed {
            handed.claim.take();
        }
        Some(Watch::new(exchange, payer, Claim::for_request(identity)))
    }
}
