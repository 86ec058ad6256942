//! What a request is watched as, by what a tracker wants to know.

use super::exchange::{Call, Exchange};
use super::model_call::ModelCall;
use super::other_call::OtherCall;
use crate::account::tracker::CostTracker;
use crate::usage::readers::Route;
use crate::wire::RequestFacts;

impl CostTracker {
    /// Starts watching a request as what this tracker wants to know of it: a model call, a call of a
    /// priced service, or, with [`track_http`](Self::set_track_http), traffic.
    ///
    /// A model call goes to its reader where the host or the path names a provider that is
    /// [instrumented](Self::instrument). What is neither model nor service is only worth its bytes;
    /// whoever has no task to count them on need not watch it: see [`Exchange::is_only_traffic`].
    pub fn begin_exchange(&self, request: &RequestFacts<'_>) -> Exchange {
        let wants = &self.shared().wants;
        let route = Route::of(request.method, request.authority, request.path)
            .filter(|route| wants.instruments.has(route.provider));
        if let Some(route) = route {
            return Exchange::of(Call::Model(Box::new(ModelCall::new(request, route))));
        }
        if !wants.tracks_http() {
            return Exchange::of(Call::Unwatched);
        }
        Exchange::of(Call::Other(Box::new(OtherCall::new(request))))
    }
}
