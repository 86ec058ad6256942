//! Egress: what bytes that leave a cloud cost.
//!
//! Rows are by provider, region of the sender and class of destination, with prices that fall as the
//! account's month goes on. A process does not know how far its account's month has gone, so
//! [`EgressPricing::cost`] takes the first price, which is the list price of the first gigabyte:
//! the highest of the ladder, the same for every task, and additive, so that the parts of a task make
//! up the whole. Free allowances (100 GB a month and the like) belong to the account and not to a task;
//! they are never applied. Who knows the account's month so far asks
//! [`EgressPricing::cost_after`], which goes up the ladder.
//!
//! A provider or region that the table does not have is unpriced, which is not free and not the price
//! of some other cloud.
//!
//! A gigabyte is 2^30 bytes at AWS, Google Cloud and Azure, whatever their pages call it, and 10^9
//! bytes elsewhere; each row says which.

mod row;
#[cfg(test)]
mod tests;

use rust_decimal::Decimal;
use rust_decimal::RoundingStrategy::MidpointNearestEven;

use self::row::{Row, Tier};
use crate::event::CostConfidence;
use crate::money;
use crate::text::Text;
use crate::words::words;

/// Fractional digits of gigabytes; a thousandth of a byte.
const DIGITS: u32 = 12;

words! {
    /// Where bytes go.
    EgressDestination ("egress destination") {
        /// To the internet: the provider's usual way.
        Internet = "internet",
        /// To the internet by Google Cloud's standard tier.
        InternetStandard = "internet_standard",
        /// To China (without Hong Kong), where that has a price of its own.
        InternetChina = "internet_china",
        /// To Australia, where that has a price of its own.
        InternetAustralia = "internet_australia",
        /// To another region of the provider.
        Region = "region",
        /// To another zone of the region.
        Zone = "zone",
        /// Through a NAT gateway, on top of the price of the way from there.
        Nat = "nat",
    }
}

/// What outgoing traffic costs.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct EgressCost {
    /// The cost in US dollars.
    pub cost_usd: Decimal,
    /// How far it can be trusted.
    pub confidence: CostConfidence,
    /// Gigabytes as the provider bills them, rounded half-even to 12 fractional digits.
    pub gigabytes: Decimal,
    /// The price of the first of them in US dollars.
    pub usd_per_gigabyte: Decimal,
    /// The version of the table.
    pub version: Text,
    /// The day as of which the price holds.
    pub as_of: &'static str,
    /// Where it was read.
    pub source: &'static str,
}

/// The bundled list prices of outgoing traffic.
///
/// ```
/// use dexcost::{EgressDestination, EgressPricing, dec};
///
/// let prices = EgressPricing::new();
/// let cost = prices.cost("aws", Some("us-east-1"), EgressDestination::Internet, 1 << 30).unwrap();
/// assert_eq!((cost.cost_usd, cost.gigabytes), (dec!(0.09), dec!(1)));
/// assert!(prices.cost("some cloud", None, EgressDestination::Internet, 1).is_none());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct EgressPricing;

impl EgressPricing {
    /// The bundled prices.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }

    /// What so many bytes cost at the first price of the ladder.
    ///
    /// `provider` is the cloud where the sender runs (`aws`, `gcp`, `azure`, `oci`, `fly`, `vercel`, …;
    /// `lambda` is the GPU cloud of that name), `region` its region there. `None` where the table has no
    /// price: an unknown provider, an unknown region of one whose prices differ, another destination.
    #[must_use]
    pub fn cost(
        &self,
        provider: &str,
        region: Option<&str>,
        destination: EgressDestination,
        bytes: u64,
    ) -> Option<EgressCost> {
        let row = row::find(provider, region, destination)?;
        let first = row.tiers().next()?;
        let gigabytes = row.gigabytes(bytes)?;
        let cost_usd = money::exact_product(first.usd, gigabytes)?;
        Some(answer(&row, &first, first.confidence, gigabytes, cost_usd))
    }

    /// What so many bytes cost after the account has sent `sent_before` bytes this month.
    ///
    /// Bytes that reach into the next step of the ladder are priced step by step. A step begins above
    /// its lower bound and takes in its upper one.
    ///
    /// ```
    /// use dexcost::{EgressDestination, EgressPricing, dec};
    ///
    /// let prices = EgressPricing::new();
    /// let ten_tib = 10 << 40;
    /// let cost = prices.cost_after("aws", Some("us-east-1"), EgressDestination::Internet, 2 << 30, ten_tib - (1 << 30));
    /// assert_eq!(cost.unwrap().cost_usd, dec!(0.175));
    /// ```
    #[must_use]
    pub fn cost_after(
        &self,
        provider: &str,
        region: Option<&str>,
        destination: EgressDestination,
        bytes: u64,
        sent_before: u64,
    ) -> Option<EgressCost> {
        let row = row::find(provider, region, destination)?;
        let from = row.gigabytes(sent_before)?;
        let to = row.gigabytes(sent_before.checked_add(bytes)?)?;
        let is_last = |tier: &Tier| tier.up_to.is_none_or(|up_to| from < up_to);
        let first = row.tiers().find(is_last)?;
        let mut cost_usd = Decimal::ZERO;
        let mut confidence = first.confidence;
        for tier in row.tiers() {
            let start = from.max(tier.above);
            let end = tier.up_to.map_or(to, |up_to| to.min(up_to));
            if end > start {
                cost_usd = money::exact_sum(cost_usd, money::exact_product(tier.usd, end - start)?)?;
                confidence = confidence.max(tier.confidence);
            }
        }
        Some(answer(&row, &first, confidence, to - from, cost_usd))
    }

    /// The first 12 hex digits of the SHA-256 of the table.
    #[must_use]
    pub fn version(&self) -> &'static str {
        row::version()
    }
}

fn answer(
    row: &Row,
    first: &Tier,
    confidence: CostConfidence,
    gigabytes: Decimal,
    cost_usd: Decimal,
) -> EgressCost {
    EgressCost {
        cost_usd,
        confidence,
        gigabytes,
        usd_per_gigabyte: first.usd,
        version: Text::lasting(row::version()),
        as_of: row.as_of,
        source: row.source,
    }
}

impl Row {
    /// Bytes in the provider's gigabytes.
    fn gigabytes(&self, bytes: u64) -> Option<Decimal> {
        let quotient = Decimal::from(bytes).checked_div(Decimal::from(self.gigabyte))?;
        Some(quotient.round_dp_with_strategy(DIGITS, MidpointNearestEven))
    }
}
