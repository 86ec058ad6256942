//! The state machine of one exchange.

use super::batch;
use super::model_call::ModelCall;
use super::other_call::OtherCall;
use super::settle;
use crate::ending::Ending;
use crate::event::ErrorType;
use crate::observation::{BatchSight, Observation};
use crate::usage::readers::Route;
use crate::wire::{Headers, Peer, RequestFacts};

/// One outbound request with its response, from first byte to ending.
///
/// See the [module](super) for the calling order.
#[must_use = "settle it, or what was observed is lost"]
pub struct Exchange {
    call: Call,
}

pub(super) enum Call {
    /// Nobody asked for it.
    Unwatched,
    Model(Box<ModelCall>),
    Other(Box<OtherCall>),
}

/// What it is, and nothing of what it saw.
impl std::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let call = match &self.call {
            Call::Unwatched => "unwatched",
            Call::Model(_) => "model",
            Call::Other(call) if call.is_only_traffic() => "traffic",
            Call::Other(_) => "service",
        };
        f.debug_struct("Exchange")
            .field("call", &call)
            .finish_non_exhaustive()
    }
}

impl Exchange {
    /// Starts watching a request, or decides that it cannot be a model call.
    ///
    /// Of anything else nothing is seen; [`CostTracker::begin_exchange`](crate::CostTracker::begin_exchange)
    /// also watches priced services and counts traffic.
    pub fn begin(request: &RequestFacts<'_>) -> Self {
        let route = Route::of_request(request);
        Self::of(match route.filter(Route::is_worth_watching) {
            Some(route) => Call::Model(Box::new(ModelCall::new(request, route))),
            None => Call::Unwatched,
        })
    }

    pub(super) const fn of(call: Call) -> Self {
        Self { call }
    }

    /// Whether anything is to be seen. If not, nothing else needs to be reported.
    #[must_use]
    pub fn is_watching(&self) -> bool {
        !matches!(self.call, Call::Unwatched)
    }

    /// Says who answers, where the URL does not; a name that nobody knows changes nothing. To be called
    /// before the response.
    pub fn answered_by(&mut self, provider: &str) {
        if let Call::Model(call) = &mut self.call
            && let Some(provider) = crate::provider::by_name(provider)
        {
            call.route.answered_by(provider);
        }
    }

    /// Whether it is neither a model call nor one of a priced service, so that without a task there is
    /// nothing to record it on.
    #[must_use]
    pub fn is_only_traffic(&self) -> bool {
        match &self.call {
            Call::Unwatched | Call::Model(_) => false,
            Call::Other(call) => call.is_only_traffic(),
        }
    }

    /// Whether [`request_data`](Self::request_data) would be looked at.
    #[must_use]
    pub fn wants_request(&self) -> bool {
        match &self.call {
            Call::Unwatched => false,
            Call::Model(call) => call.status.is_none(),
            Call::Other(call) => call.status.is_none(),
        }
    }

    /// The next piece of the request body.
    pub fn request_data(&mut self, bytes: &[u8]) {
        match &mut self.call {
            Call::Unwatched => {}
            Call::Model(call) => call.request_data(bytes),
            Call::Other(call) => call.request_data(bytes),
        }
    }

    /// So many bytes of a request body that the adapter cannot see.
    pub fn request_bytes(&mut self, bytes: u64) {
        match &mut self.call {
            Call::Unwatched => {}
            Call::Model(call) => call.meter.sent(bytes),
            Call::Other(call) => call.meter.sent(bytes),
        }
    }

    /// The address at the other end, where the adapter learns it; it beats what the host's name says.
    pub fn peer(&mut self, address: std::net::IpAddr) {
        match &mut self.call {
            Call::Unwatched => {}
            Call::Model(call) => call.meter.at(Peer::at(address)),
            Call::Other(call) => call.meter.at(Peer::at(address)),
        }
    }

    /// The response's status and header fields.
    pub fn response(&mut self, status: u16, headers: &dyn Headers) {
        match &mut self.call {
            Call::Unwatched => {}
            Call::Model(call) => call.response(status, headers),
            Call::Other(call) => call.response(status, headers),
        }
    }

    /// Whether [`data`](Self::data) would be looked at, be it only to count its bytes.
    #[must_use]
    pub fn wants_response(&self) -> bool {
        self.is_watching()
    }

    /// The next piece of the response body, coded as on the wire.
    pub fn data(&mut self, bytes: &[u8]) {
        match &mut self.call {
            Call::Unwatched => {}
            Call::Model(call) => call.data(bytes),
            Call::Other(call) => call.data(bytes),
        }
    }

    /// The requests of a batch whose results came since the last time, each a call of its own, for
    /// [`CostTracker::record_batch`](crate::CostTracker::record_batch); `None` where there are none, as in
    /// nearly every exchange.
    #[must_use = "they are given once"]
    pub fn take_batch(&mut self) -> Option<BatchSight> {
        match &mut self.call {
            Call::Model(call) => batch::so_far(call),
            Call::Unwatched | Call::Other(_) => None,
        }
    }

    /// So many bytes of a response body that the adapter leaves alone.
    pub fn response_bytes(&mut self, bytes: u64) {
        match &mut self.call {
            Call::Unwatched => {}
            Call::Model(call) => call.meter.received(bytes),
            Call::Other(call) => call.meter.received(bytes),
        }
    }

    /// Notes why the exchange is about to fail, where the adapter knows more than the bytes show.
    pub fn note_error(&mut self, error: ErrorType) {
        match &mut self.call {
            Call::Unwatched => {}
            Call::Model(call) => call.noted = Some(error),
            Call::Other(call) => call.noted = Some(error),
        }
    }

    /// How long it took so far, in milliseconds; some services are billed by it. To be called right before
    /// [`settle`](Self::settle).
    pub fn took(&mut self, milliseconds: u64) {
        if let Call::Other(call) = &mut self.call {
            call.elapsed_ms = Some(milliseconds);
        }
    }

    /// Ends the exchange and says what it showed.
    #[must_use]
    pub fn settle(self, ending: Ending) -> Observation {
        match self.call {
            Call::Unwatched => Observation::nothing(ending),
            Call::Model(mut call) => settle::settle(&mut call, ending),
            Call::Other(call) => call.settle(ending),
        }
    }
}
