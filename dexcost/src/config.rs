//! The settings of a tracker, and the one place where the environment is read.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::account::RetryHeuristics;
use crate::account::capture::{CaptureOptions, EgressOrigin, Instruments};
use crate::buffer::Durability;
use crate::error::Error;
use crate::words::words;

words! {
    /// What an API key opens.
    KeyType ("key type") {
        /// Production (`dx_live_…`).
        Live = "live",
        /// The sandbox (`dx_test_…`).
        Test = "test",
    }
}

/// Settings of a tracker. Build one with `..Default::default()`.
///
/// Nothing is needed: without any setting costs go to a file on this machine, no key, no network.
///
/// This version keeps everything on this machine, whatever is set: it has no sync yet. The settings of
/// that are checked and kept, so that programs need not change, and say below that they have no effect
/// yet.
///
/// ```
/// use dexcost::Config;
///
/// let config = Config { hash_customer_id: true, ..Default::default() };
/// assert!(config.is_local());
/// ```
#[derive(Clone, PartialEq)]
pub struct Config {
    /// The API key; without one nothing leaves the machine. Else `DEXCOST_API_KEY`. Its form is checked;
    /// nothing is sent yet.
    pub api_key: Option<String>,
    /// `"local"` keeps everything on this machine even with a key.
    pub storage: Option<String>,
    /// The buffer file; by default one in the platform's state directory. Else `DEXCOST_BUFFER`.
    pub buffer_path: Option<PathBuf>,
    /// `"development"` prints a summary of every finished task to stderr and keeps everything on
    /// this machine. Else `DEXCOST_ENV`.
    pub environment: Option<String>,
    /// The Control Layer. Else `DEXCOST_ENDPOINT`, where that is https or loopback. No effect yet.
    pub endpoint: Option<String>,
    /// Events a sync request holds at most; 100 by default. No effect yet.
    pub batch_size: usize,
    /// Between two sync requests while there is little to send; 5 s by default. No effect yet.
    pub flush_interval: Duration,
    /// Names whose values are removed from metadata and details, at every depth.
    pub redact_fields: Vec<String>,
    /// Keeps a SHA-256 of customers instead of their names.
    pub hash_customer_id: bool,
    /// Keeps a SHA-256 of projects instead of their names.
    pub hash_project_id: bool,
    /// Whether outbound layers watch priced services and traffic beside models; true by default.
    pub track_http: bool,
    /// The providers whose calls are captured, by their names in
    /// [`ALL_SUPPORTED_INSTRUMENTS`](crate::ALL_SUPPORTED_INSTRUMENTS); all by default, none for an empty list.
    pub auto_instrument: Option<Vec<String>>,
    /// From which time on an un-priced exchange becomes an event of its own; no limit by default.
    pub slow_exchange: Option<Duration>,
    /// The cloud that bills this machine's egress (`aws`, `gcp`, `azure`, …). Else `DEXCOST_CLOUD_PROVIDER`.
    /// Without it egress is counted and has no price.
    pub cloud_provider: Option<String>,
    /// Its region. Else `DEXCOST_CLOUD_REGION`.
    pub cloud_region: Option<String>,
    /// Where a newer service catalog is fetched at the start, in the background; needs feature `sync`. A
    /// document that cannot be used changes nothing.
    pub service_catalog_url: Option<String>,
    /// Guesses retries from models and times; see [`RetryHeuristics`].
    pub enable_retry_heuristics: bool,
    /// How far the guess looks back; 30 s by default.
    pub retry_heuristic_window: Option<Duration>,
    /// From which confidence on it flags, 0.0 to 1.0; 0.8 by default.
    pub retry_heuristic_threshold: Option<f64>,
    /// Who answers at hosts of your own: `host` or `host:port`, and the name of a provider, in any case. Calls
    /// to such a host are captured and priced as that provider's.
    ///
    /// ```
    /// let config = dexcost::Config {
    ///     hosts: [("llm.acme.internal".to_owned(), "openai".to_owned())].into(),
    ///     ..Default::default()
    /// };
    /// assert_eq!(config.hosts["llm.acme.internal"], "openai");
    /// ```
    pub hosts: BTreeMap<String, String>,
    /// A rates file to load at the start.
    pub rates_path: Option<PathBuf>,
    /// A file with prices that override the bundled ones.
    pub prices_path: Option<PathBuf>,
    /// How much a commit survives; the death of the process by default.
    pub durability: Durability,
    /// At most this much time of records is at risk; 10 ms by default.
    pub commit_interval: Duration,
    /// Records waiting for the disk may take this much memory; 64 MiB by default, a sixteenth of it for
    /// the ends of tasks only.
    pub queue_bytes: usize,
    /// After how many whole days (UTC) local data expires; 30 by default. Tasks that still run stay.
    pub retention_days: u32,
    /// After how long without a call a session ends; 30 s by default.
    pub session_idle: Duration,
    /// How long [`close`](crate::close) and the guard of [`init`](crate::init) wait for the last
    /// commit; 5 s by default.
    pub close_within: Duration,
    /// Billing variants by platform, such as `cloud_run` = `instance`. No effect yet.
    pub compute_billing_overrides: HashMap<String, String>,
    /// Reserved for accounting by Kubernetes node; has no effect yet.
    pub k8s_node_aware: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            api_key: None,
            storage: None,
            buffer_path: None,
            environment: None,
            endpoint: None,
            batch_size: 100,
            flush_interval: Duration::from_secs(5),
            redact_fields: Vec::new(),
            hash_customer_id: false,
            hash_project_id: false,
            track_http: true,
            auto_instrument: None,
            slow_exchange: None,
            cloud_provider: None,
            cloud_region: None,
            service_catalog_url: None,
            enable_retry_heuristics: false,
            retry_heuristic_window: None,
            retry_heuristic_threshold: None,
            hosts: BTreeMap::new(),
            rates_path: None,
            prices_path: None,
            durability: Durability::Normal,
            commit_interval: Duration::from_millis(10),
            queue_bytes: 64 << 20,
            retention_days: 30,
            session_idle: Duration::from_secs(30),
            close_within: Duration::from_secs(5),
            compute_billing_overrides: HashMap::new(),
            k8s_node_aware: false,
        }
    }
}

impl Config {
    /// These settings with their gaps filled from environment variables.
    ///
    /// `variable` looks one up: `|name| std::env::var(name).ok()` in programs, a closure in tests.
    /// An endpoint from the environment is only taken where it is https or loopback.
    ///
    /// ```
    /// use dexcost::Config;
    ///
    /// let variable = |name: &str| (name == "DEXCOST_ENV").then(|| "development".to_owned());
    /// assert!(Config::default().filled_from(variable).is_development());
    /// ```
    #[must_use]
    pub fn filled_from(mut self, variable: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name: &str| variable(name).filter(|value| !value.is_empty());
        self.api_key = self.api_key.or_else(|| get("DEXCOST_API_KEY"));
        self.environment = self.environment.or_else(|| get("DEXCOST_ENV"));
        self.buffer_path = self
            .buffer_path
            .or_else(|| get("DEXCOST_BUFFER").map(PathBuf::from));
        self.cloud_provider = self.cloud_provider.or_else(|| get("DEXCOST_CLOUD_PROVIDER"));
        self.cloud_region = self.cloud_region.or_else(|| get("DEXCOST_CLOUD_REGION"));
        self.endpoint = self
            .endpoint
            .or_else(|| get("DEXCOST_ENDPOINT").filter(|url| is_safe_endpoint(url)));
        self
    }

    /// What the key opens; `None` without a key.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidApiKey`] where the key is neither a live nor a test key.
    pub fn key_type(&self) -> Result<Option<KeyType>, Error> {
        validate_api_key(self.api_key.as_deref())
    }

    /// Whether the key opens the sandbox only.
    #[must_use]
    pub fn is_sandbox(&self) -> bool {
        matches!(self.key_type(), Ok(Some(KeyType::Test)))
    }

    /// Whether the environment is `development`.
    #[must_use]
    pub fn is_development(&self) -> bool {
        self.environment.as_deref() == Some("development")
    }

    /// Whether the settings say that nothing may leave this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.api_key.is_none() || self.storage.as_deref() == Some("local") || self.is_development()
    }

    pub(crate) fn capture(&self) -> CaptureOptions {
        CaptureOptions {
            track_http: self.track_http,
            auto_instrument: self.auto_instrument.clone(),
            slow_exchange: self.slow_exchange,
            hosts: self.hosts.clone(),
            egress_from: self.cloud_provider.as_deref().map(|provider| EgressOrigin {
                provider: provider.into(),
                region: self.cloud_region.as_deref().map(Into::into),
            }),
        }
    }

    pub(crate) fn retry_heuristics(&self) -> Option<RetryHeuristics> {
        let default = RetryHeuristics::default();
        self.enable_retry_heuristics.then(|| RetryHeuristics {
            window: self.retry_heuristic_window.unwrap_or(default.window),
            threshold: self.retry_heuristic_threshold.unwrap_or(default.threshold),
        })
    }

    /// Refuses settings that cannot be meant.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidApiKey`], [`Error::InvalidSetting`], and [`Error::UnknownWord`] for an instrument that is none.
    pub fn validate(&self) -> Result<(), Error> {
        self.key_type()?;
        self.auto_instrument
            .as_deref()
            .map_or(Ok(()), Instruments::check)?;
        let wrong = |name, reason: &str| {
            Err(Error::InvalidSetting {
                name,
                reason: reason.to_owned(),
            })
        };
        if self
            .storage
            .as_deref()
            .is_some_and(|storage| !matches!(storage, "local" | "cloud"))
        {
            return wrong("storage", "must be \"local\" or \"cloud\"");
        }
        if self
            .retry_heuristic_threshold
            .is_some_and(|threshold| !(0.0..=1.0).contains(&threshold))
        {
            return wrong("retry_heuristic_threshold", "must lie between 0.0 and 1.0");
        }
        if self.commit_interval.is_zero() || self.commit_interval > Duration::from_secs(60) {
            return wrong("commit_interval", "must be more than zero and at most 60 s");
        }
        if self.queue_bytes < 64 << 10 {
            return wrong("queue_bytes", "must be at least 65,536");
        }
        Ok(())
    }
}

/// The kind of an API key; `None` for none.
///
/// # Errors
///
/// [`Error::InvalidApiKey`] where the key starts with neither `dx_live_` nor `dx_test_`, or has
/// nothing after that. The key is not shown.
///
/// ```
/// use dexcost::{KeyType, validate_api_key};
///
/// assert_eq!(validate_api_key(Some("dx_test_abc")).unwrap(), Some(KeyType::Test));
/// assert_eq!(validate_api_key(None).unwrap(), None);
/// assert!(!validate_api_key(Some("sk-secret")).unwrap_err().to_string().contains("secret"));
/// ```
pub fn validate_api_key(key: Option<&str>) -> Result<Option<KeyType>, Error> {
    let Some(key) = key else { return Ok(None) };
    let opens = |prefix: &str| key.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty());
    match key {
        _ if opens("dx_live_") => Ok(Some(KeyType::Live)),
        _ if opens("dx_test_") => Ok(Some(KeyType::Test)),
        _ => Err(Error::InvalidApiKey),
    }
}

/// Whether a URL from the environment may be sent keys: https, or this machine.
fn is_safe_endpoint(url: &str) -> bool {
    if url.starts_with("https://") {
        return true;
    }
    let Some(rest) = url.strip_prefix("http://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let loopback = host
        .parse::<std::net::IpAddr>()
        .is_ok_and(|address| address.is_loopback());
    !authority.contains('@') && (host == "localhost" || loopback)
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("api_key", &self.api_key.as_ref().map(|_| "REDACTED"))
            .field("storage", &self.storage)
            .field("buffer_path", &self.buffer_path)
            .field("environment", &self.environment)
            .field("endpoint", &self.endpoint)
            .field("hash_customer_id", &self.hash_customer_id)
            .field("durability", &self.durability)
            .field("commit_interval", &self.commit_interval)
            .field("queue_bytes", &self.queue_bytes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_from_the_environment_must_be_https_or_loopback() {
        let endpoint = |url: &str| {
            let variable = |name: &str| (name == "DEXCOST_ENDPOINT").then(|| url.to_owned());
            Config::default().filled_from(variable).endpoint
        };
        for good in [
            "https://x.test",
            "http://localhost:8080",
            "http://127.0.0.1/v1",
            "http://[::1]:9",
        ] {
            assert_eq!(endpoint(good).as_deref(), Some(good));
        }
        for bad in [
            "http://x.test",
            "http://localhost.evil.test",
            "http://127.0.0.1@evil.test",
            "ftp://localhost",
            "",
        ] {
            assert_eq!(endpoint(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_key_is_never_shown() {
        let config = Config {
            api_key: Some("dx_live_topsecret".into()),
            ..Default::default()
        };
        assert!(!format!("{config:?}").contains("topsecret"));
    }

    #[test]
    fn what_is_set_in_code_beats_the_environment() {
        let config = Config {
            environment: Some("production".into()),
            ..Default::default()
        };
        assert!(
            !config
                .filled_from(|_| Some("development".into()))
                .is_development()
        );
    }
}
