//! What a tracker wants to know of outbound calls; read at every call, changed rarely.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::RwLock;

use crate::account::capture::{CaptureOptions, EgressOrigin, Instruments};
use crate::account::tracker::CostTracker;
use crate::error::Error;
use crate::provider::OwnHosts;

/// The settings of capture in a form that can change while the program runs.
#[derive(Debug)]
pub(super) struct Wants {
    pub(super) instruments: Instruments,
    /// Who answers at the user's own hosts.
    pub(super) hosts: OwnHosts,
    http: AtomicBool,
    slow_exchange: Option<Duration>,
    egress_from: RwLock<Option<EgressOrigin>>,
}

impl Wants {
    pub(super) fn new(options: CaptureOptions) -> Self {
        Self {
            instruments: Instruments::new(options.auto_instrument.as_deref()),
            hosts: OwnHosts::new(&options.hosts).unwrap_or_default(),
            http: AtomicBool::new(options.track_http),
            slow_exchange: options.slow_exchange,
            egress_from: RwLock::new(options.egress_from),
        }
    }

    pub(super) fn tracks_http(&self) -> bool {
        self.http.load(Ordering::Relaxed)
    }

    /// Whether an exchange took so long that it is worth an event.
    pub(super) fn is_slow(&self, latency_ms: Option<u64>) -> bool {
        match (self.slow_exchange, latency_ms) {
            (Some(limit), Some(took)) => u128::from(took) > limit.as_millis(),
            _ => false,
        }
    }

    pub(super) fn egress_from(&self) -> Option<EgressOrigin> {
        self.egress_from.read().clone()
    }
}

impl CostTracker {
    /// Switches the capture of a provider's calls on, by its name in
    /// [`ALL_SUPPORTED_INSTRUMENTS`](crate::ALL_SUPPORTED_INSTRUMENTS).
    ///
    /// # Errors
    ///
    /// [`Error::AlreadyInstrumented`] where it is on, [`Error::UnknownWord`] for a name that is none.
    pub fn instrument(&self, name: &str) -> Result<(), Error> {
        self.shared().wants.instruments.instrument(name)
    }

    /// Switches the capture of a provider's calls off; says whether it was on. Calls that are under way
    /// are still recorded.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownWord`] for a name that is none.
    pub fn uninstrument(&self, name: &str) -> Result<bool, Error> {
        self.shared().wants.instruments.uninstrument(name)
    }

    /// The providers whose calls are captured.
    #[must_use]
    pub fn instrumented(&self) -> std::collections::BTreeSet<&'static str> {
        self.shared().wants.instruments.all()
    }

    /// Switches the watching of priced services and of traffic on or off, from the next call on.
    pub fn set_track_http(&self, on: bool) {
        self.shared().wants.http.store(on, Ordering::Relaxed);
    }

    /// Says which cloud bills the egress of this machine, once it is known. Tasks that end from now on
    /// are priced by it; `None` leaves egress without a price.
    pub fn set_egress_origin(&self, origin: Option<EgressOrigin>) {
        *self.shared().wants.egress_from.write() = origin;
    }
}
