//! Puts a tracker together from its settings.

use std::sync::Arc;
use std::time::Duration;

use crate::account::{CostTracker, TrackerParts};
use crate::buffer::{Buffer, BufferOptions, default_path};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::console::ConsoleSink;
use crate::error::Error;
use crate::pricing::{PricingEngine, RateRegistry, ServiceCatalog};
use crate::privacy::Privacy;
use crate::provider::OwnHosts;
use crate::sink::Sink;

impl CostTracker {
    /// A tracker with these settings and a buffer of its own. The environment is not read; see
    /// [`Config::filled_from`].
    ///
    /// # Errors
    ///
    /// [`Error::InvalidApiKey`], [`Error::InvalidSetting`], and [`Error::PriceFile`] or
    /// [`Error::Io`] where a rates or prices file cannot be used. A buffer file that cannot be used
    /// is no error: the tracker counts what is lost.
    #[allow(clippy::needless_pass_by_value, reason = "a literal is written in the call")]
    pub fn new(config: Config) -> Result<Self, Error> {
        Self::with_clock(&config, Arc::new(SystemClock))
    }

    /// A tracker with these settings, a buffer of its own, and a clock of one's own.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_clock(config: &Config, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        config.validate()?;
        let buffer = open_buffer(config)?;
        let tracker = Self::from_parts(parts(config, buffer, clock)?);
        tracker.refresh(config);
        Ok(tracker)
    }

    /// A tracker with these settings over a sink of one's own.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_sink(config: &Config, sink: Arc<dyn Sink>) -> Result<Self, Error> {
        config.validate()?;
        Ok(Self::from_parts(parts(config, sink, Arc::new(SystemClock))?))
    }
}

impl CostTracker {
    /// Begins to fetch what the settings say is to be fetched, on a thread of its own.
    #[cfg(feature = "sync")]
    fn refresh(&self, config: &Config) {
        use crate::refresh::{Fetch, is_same_origin};
        let Some(url) = &config.service_catalog_url else {
            return;
        };
        let is_own = config
            .endpoint
            .as_deref()
            .is_some_and(|own| is_same_origin(own, url));
        let key = config.api_key.clone().filter(|_| is_own && !config.is_local());
        let fetch = Fetch::within(std::time::Duration::from_secs(15)).with_key(key);
        self.refresh_services_later(url.clone(), fetch);
    }

    #[cfg(not(feature = "sync"))]
    #[allow(clippy::unused_self, reason = "what cannot be fetched is not")]
    fn refresh(&self, config: &Config) {
        if config.service_catalog_url.is_some() {
            tracing::warn!("service_catalog_url needs feature `sync`; the bundled catalog stays");
        }
    }
}

fn parts(config: &Config, sink: Arc<dyn Sink>, clock: Arc<dyn Clock>) -> Result<TrackerParts, Error> {
    let sink = if config.is_development() {
        Arc::new(ConsoleSink::to_stderr(sink))
    } else {
        sink
    };
    let rates = RateRegistry::new();
    if let Some(path) = &config.rates_path {
        rates.load(path)?;
    }
    let mut capture = config.capture();
    capture.hosts = rates.hosts();
    capture.hosts.extend(config.hosts.clone());
    OwnHosts::new(&capture.hosts)?;
    let pricing = PricingEngine::new();
    if let Some(path) = &config.prices_path {
        pricing.load_overrides(path)?;
    }
    let privacy = Privacy::new()
        .redact(&config.redact_fields)
        .hash_customer_id(config.hash_customer_id)
        .hash_project_id(config.hash_project_id);
    Ok(TrackerParts {
        sink,
        clock,
        pricing: Arc::new(pricing),
        rates: Arc::new(rates),
        privacy,
        retry_heuristics: config.retry_heuristics(),
        session_idle: config.session_idle,
        capture,
        services: ServiceCatalog::new(),
    })
}

/// Opens the buffer's file on its own thread; nothing here waits for the disk.
fn open_buffer(config: &Config) -> Result<Arc<dyn Sink>, Error> {
    let path = config
        .buffer_path
        .clone()
        .unwrap_or_else(|| default_path(|name| std::env::var_os(name)));
    let options = BufferOptions::at(path)
        .queue_bytes(config.queue_bytes)
        .commit_interval(config.commit_interval)
        .durability(config.durability)
        .keep(Some(Duration::from_secs(
            u64::from(config.retention_days) * 86_400,
        )));
    Ok(Arc::new(Buffer::open(options)?))
}
