//! Prices: what a unit costs, from dated tables.
//!
//! Floor 2: pure. It knows usage and tables, and neither tasks nor machines.

mod query;
mod rates;

pub use query::{CostResult, PriceLine, PriceQuery, Rung};
pub use rates::{RateEntry, RateRegistry};

use crate::event::{CostConfidence, PricingSource};
use crate::text::Text;

/// Calculates what model calls cost.
#[derive(Debug, Default)]
pub struct PricingEngine {}

impl PricingEngine {
    /// An engine over the bundled tables.
    #[must_use]
    pub fn new() -> Self {
        Self {}
    }

    /// The cost of one call.
    #[must_use]
    pub fn price(&self, _query: &PriceQuery<'_>) -> CostResult {
        CostResult {
            cost_usd: None,
            cost_confidence: CostConfidence::Unknown,
            pricing_source: PricingSource::Unknown,
            pricing_version: Text::empty(),
            lines: smallvec::SmallVec::new(),
            unpriced: smallvec::SmallVec::new(),
            matched: None,
            rung: Rung::Unknown,
            provider: None,
        }
    }
}
