//! Puts a tracker together from its settings.

use std::sync::Arc;
use std::time::Duration;

use crate::account::{CostTracker, TrackerParts};
use crate::buffer::{Buffer, BufferOptions, default_path};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::console::ConsoleSink;
use crate::error::Error;
use crate::pricing::{PricingEngine, RateRegistry};
use crate::privacy::Privacy;
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
    pub fn new(config: Config) -> Result<Self, Error> {
        config.validate()?;
        Self::with_sink(&config, open_buffer(&config)?)
    }

    /// A tracker with these settings over a sink of one's own.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_sink(config: &Config, sink: Arc<dyn Sink>) -> Result<Self, Error> {
        config.validate()?;
        let sink = if config.is_development() {
            Arc::new(ConsoleSink::to_stderr(sink))
        } else {
            sink
        };
        let rates = RateRegistry::new();
        if let Some(path) = &config.rates_path {
            rates.load(path)?;
        }
        let privacy = Privacy::new()
            .redact(&config.redact_fields)
            .hash_customer_id(config.hash_customer_id)
            .hash_project_id(config.hash_project_id);
        Ok(Self::from_parts(TrackerParts {
            sink,
            clock: Arc::new(SystemClock),
            pricing: Arc::new(PricingEngine::new()),
            rates: Arc::new(rates),
            privacy,
            retry_heuristics: config.retry_heuristics(),
            session_idle: config.session_idle,
        }))
    }
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
