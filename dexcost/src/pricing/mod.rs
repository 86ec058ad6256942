//! Prices: what a unit costs, from dated tables.
//!
//! Floor 2: pure. It knows usage and tables, and neither tasks nor machines.
//!
//! [`PricingEngine`] answers a [`PriceQuery`]. The way to an answer has three steps, each a module:
//!
//! 1. **The name** (`names`): a ladder of rungs from the name on the wire to a key of the tables. A
//!    price of another provider is never taken; every rung below an exact or alias match is estimated
//!    and named in the answer ([`Rung`]).
//! 2. **The prices** (`matching`, over `table` and `overlay`): the row that held when the call was billed, from the bundled
//!    tables or from the user. A price that cannot be meant is not used.
//! 3. **The bill** (`answer`, `bill`): usage taken apart so that each piece is billed once, the price card of the
//!    call (range, threshold, tier, hour), one line a piece, tool fees on top.
//!
//! # Overrides file
//!
//! YAML or JSON. Prices are US dollars for **one** unit, written as decimals; they are read exactly.
//!
//! ```yaml
//! models:
//!   in-house-7b:                      # a name as it appears in requests, or a key of the tables
//!     prices:
//!       input: 0.0000002
//!       output: 0.0000006
//!   gpt-4o:
//!     - provider: openai              # optional: only for calls to this provider
//!       prices: {input: 0.000002, output: 0.000008, cache_read: 0.000001}
//!     - provider: openai
//!       effective_from: 2027-01-01    # calls billed earlier keep the price above
//!       prices:
//!         input: 0.0000015
//!         input>200000: 0.000003      # above so many prompt tokens
//!         output: 0.000006
//!         output@batch: 0.000003      # tiers: batch, flex, priority, balanced, ultrafast, decisions
//!       off_peak:
//!         zone: "+08:00"              # whose weekdays count; hours are UTC
//!         windows: [{days: [6, 7], hours: ["00:00-00:00"]}, {hours: ["22:00-02:00"]}]
//!         prices: {input: 0.00000075}
//!   ranged-model:
//!     ranges:                         # the whole call at the prices of its range
//!       - {above: 0, up_to: 32000, prices: {input: 0.000001, output: 0.000002}}
//!       - {above: 32000, up_to: 128000, prices: {input: 0.000002, output: 0.000004}}
//! ```
//!
//! Names of prices: `input`, `output`, `cache_read`, `cache_write`, `cache_write_1h`, `cache_write_12h`,
//! `reasoning`, `input_audio`, `output_audio`, `cache_read_audio`, `cache_read_image`,
//! `input_image_token`, `output_image_token`, `input_video_token`, `output_video_token`, `citation` (per
//! token); `input_image`, `output_image`, `input_pixel`, `input_character`, `query`, `request`,
//! `input_second`, `output_second`, `wall_second`, `page`, `annotation_page`, `code_session`,
//! `maps_query`, `search_low`, `search_medium`, `search_high` and the like (per unit); `x_residency_us`,
//! `x_residency_eu`, `x_regional`, `x_geo_us`, `x_speed_fast` (factors on token prices). An unknown name
//! is an error that lists all. The prices of a model are its whole price list: nothing of a bundled
//! entry of the same name shows through.
//!
//! A call that is older than every price of its model takes the earliest one, as an estimate; a price
//! that the bundled tables know for that day comes before it.

mod answer;
mod bill;
mod egress;
mod engine;
mod entry;
mod explain;
mod matching;
mod names;
mod overlay;
mod overrides;
mod query;
mod rates;
mod sanity;
mod services;
mod sized;
pub(crate) mod stated_cost;
mod table;

#[cfg(test)]
mod tests;

pub(crate) use answer::Cost;
pub use egress::{EgressCost, EgressDestination, EgressPricing};
pub use engine::PricingEngine;
pub use explain::Explanation;
pub(crate) use query::Itemized;
pub use query::{CostResult, PriceLine, PriceQuery, Resolution, Rung};
pub use rates::{RateEntry, RateRegistry};
pub use services::{
    PriceOrigin, ServiceBodies, ServiceCatalog, ServiceCost, ServiceFee, ServiceGap, ServiceKind,
    ServiceLine, ServiceMatch, ServiceModel, ServiceObservation, ServiceReader, ServiceRow, ServiceRule,
};
