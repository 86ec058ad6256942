//! Prices: what a unit costs, from dated tables.
//!
//! Floor 2: pure. It knows usage and tables, and neither tasks nor machines.

mod bill;
mod engine;
mod entry;
mod explain;
mod names;
mod overlay;
mod overrides;
mod query;
mod rates;
mod sanity;
mod table;

pub use engine::PricingEngine;
pub use explain::Explanation;
pub use query::{CostResult, PriceLine, PriceQuery, Resolution, Rung};
pub use rates::{RateEntry, RateRegistry};
