//! What the user says of prices and hosts: the files that a program was given.

use std::path::PathBuf;

use dexcost::{Error, PricingEngine, RateRegistry};

/// Files of the user's own
#[derive(clap::Args)]
pub(crate) struct Own {
    /// Prices of your own, in YAML or JSON
    #[arg(long, value_name = "FILE")]
    overrides: Option<PathBuf>,
    /// A rates file, whose `hosts:` say who answers at hosts of your own
    #[arg(long, value_name = "FILE")]
    rates: Option<PathBuf>,
}

impl Own {
    /// The prices, the user's own over the bundled ones.
    pub(crate) fn prices(&self) -> Result<PricingEngine, Error> {
        let engine = PricingEngine::new();
        if let Some(path) = &self.overrides {
            engine.load_overrides(path)?;
        }
        Ok(engine)
    }

    /// The user's rates and hosts.
    pub(crate) fn rates(&self) -> Result<RateRegistry, Error> {
        let rates = RateRegistry::new();
        if let Some(path) = &self.rates {
            rates.load(path)?;
        }
        Ok(rates)
    }
}

/// Who was called: as it is said, else as the user's hosts say.
pub(crate) fn provider<'a>(
    said: Option<&'a str>,
    host: Option<&str>,
    rates: &RateRegistry,
) -> Option<&'a str> {
    said.or_else(|| rates.provider_at(host?))
}
