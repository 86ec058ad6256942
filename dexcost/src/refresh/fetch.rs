//! One GET, with everything refused that a table does not need.

use std::fmt;
use std::time::Duration;

use crate::error::Error;
use crate::privacy::scrub_url;

/// Longer documents are refused.
const LARGEST: u64 = 8 << 20;

/// A client for documents.
#[derive(Clone)]
pub struct Fetch {
    agent: ureq::Agent,
    key: Option<String>,
}

impl Fetch {
    /// A client that gives up after so long.
    #[must_use]
    pub fn within(limit: Duration) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(limit))
            .max_redirects(0)
            .max_redirects_will_error(true)
            .http_status_as_error(true)
            .user_agent(concat!("dexcost-rust/", env!("CARGO_PKG_VERSION")))
            .build();
        Self {
            agent: config.into(),
            key: None,
        }
    }

    /// Sends this API key along. Only where the document comes from the Control Layer itself.
    #[must_use]
    pub fn with_key(mut self, key: Option<String>) -> Self {
        self.key = key;
        self
    }

    /// The document at a URL.
    ///
    /// # Errors
    ///
    /// [`Error::Fetch`]: no answer in time, another status than 2xx, a redirect, more than 8 MiB, no UTF-8.
    pub fn text(&self, url: &str) -> Result<String, Error> {
        let refused = |error: ureq::Error| Error::Fetch {
            url: scrub_url(url).into_owned(),
            reason: error.to_string(),
        };
        let mut request = self.agent.get(url).header("dexcost-own-traffic", "1");
        if let Some(key) = &self.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let mut response = request.call().map_err(refused)?;
        let body = response.body_mut().with_config().limit(LARGEST);
        body.read_to_string().map_err(refused)
    }
}

impl fmt::Debug for Fetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.key.as_ref().map(|_| "REDACTED");
        f.debug_struct("Fetch").field("key", &key).finish_non_exhaustive()
    }
}

/// Whether two URLs have scheme, host and port in common. What has no scheme has no origin.
pub(crate) fn is_same_origin(a: &str, b: &str) -> bool {
    fn origin(url: &str) -> Option<(String, String, u16)> {
        let (scheme, rest) = url.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        let authority = rest.split(['/', '?', '#']).next()?;
        if authority.contains('@') {
            return None;
        }
        let (host, port) = crate::wire::split_port(authority);
        let port = match (port, scheme.as_str()) {
            (Some(port), _) => port.parse().ok()?,
            (None, "https") => 443,
            (None, "http") => 80,
            (None, _) => return None,
        };
        Some((scheme, host.to_ascii_lowercase(), port))
    }
    origin(a).is_some_and(|a| Some(a) == origin(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_goes_to_its_own_origin_only() {
        let own = "https://api.dexcost.io";
        for same in ["https://API.dexcost.io/v1/x", "https://api.dexcost.io:443?y"] {
            assert!(is_same_origin(own, same), "{same}");
        }
        for other in [
            "http://api.dexcost.io/",
            "https://api.dexcost.io:8443/",
            "https://api.dexcost.io.evil.test/",
            "https://api.dexcost.io@evil.test/",
            "https://evil.test/https://api.dexcost.io",
            "api.dexcost.io",
            "",
        ] {
            assert!(!is_same_origin(own, other), "{other}");
        }
    }

    #[test]
    fn a_key_is_never_shown() {
        let fetch = Fetch::within(Duration::from_secs(1)).with_key(Some("dx_live_topsecret".into()));
        assert!(!format!("{fetch:?}").contains("topsecret"));
    }
}
