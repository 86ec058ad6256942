//! What a tracker watches outbound calls for.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::text::Text;

/// What a tracker watches outbound calls for.
///
/// ```
/// use dexcost::capture::CaptureOptions;
///
/// let options = CaptureOptions::default();
/// assert!(options.track_http && options.auto_instrument.is_none());
/// ```
#[derive(Clone, Debug)]
pub struct CaptureOptions {
    /// Whether priced services and traffic are watched beside models; true by default.
    pub track_http: bool,
    /// The providers whose calls are captured; all by default. See
    /// [`ALL_SUPPORTED_INSTRUMENTS`](crate::ALL_SUPPORTED_INSTRUMENTS).
    pub auto_instrument: Option<Vec<String>>,
    /// From which time on an un-priced exchange is an event of its own; no limit by default.
    pub slow_exchange: Option<Duration>,
    /// Who answers at hosts of the user's own: `host` or `host:port`, and the name of a provider; one that
    /// nobody knows makes the list mean nothing.
    pub hosts: BTreeMap<String, String>,
    /// The cloud that bills this machine's egress; unknown by default, and then egress has no price.
    pub egress_from: Option<EgressOrigin>,
}

impl Default for CaptureOptions {
    fn default() -> Self {
        Self {
            track_http: true,
            auto_instrument: None,
            slow_exchange: None,
            hosts: BTreeMap::new(),
            egress_from: None,
        }
    }
}

/// Where bytes leave from: who bills them, and at which region's price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EgressOrigin {
    /// The cloud, as in the table of egress prices: `aws`, `gcp`, `azure`, …
    pub provider: Text,
    /// Its region; `None` takes the price that holds in any region, where there is one.
    pub region: Option<Text>,
}
