//! The rows of the table, read from its text where they are asked for: once for each task at most.

use rust_decimal::Decimal;

use super::EgressDestination;
use crate::event::CostConfidence;
use crate::money;

/// The version, then one row a line; `data/pack.py` makes it.
const BUNDLED: &str = include_str!("bundled.tsv");

/// Prices from some regions of a provider to one class of destinations.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) provider: &'static str,
    pub(super) destination: &'static str,
    /// Names or patterns, parted by blanks; `any` for all.
    pub(super) regions: &'static str,
    /// Bytes of a gigabyte.
    pub(super) gigabyte: u64,
    tiers: &'static str,
    pub(super) as_of: &'static str,
    pub(super) source: &'static str,
    #[cfg(test)]
    pub(super) note: &'static str,
}

/// One step of a ladder of prices.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tier {
    /// Gigabytes of the month above which it begins.
    pub(super) above: Decimal,
    /// Gigabytes of the month up to which it holds; `None` without end.
    pub(super) up_to: Option<Decimal>,
    pub(super) usd: Decimal,
    pub(super) confidence: CostConfidence,
}

/// The version of the table.
pub(super) fn version() -> &'static str {
    BUNDLED.lines().next().unwrap_or_default()
}

/// All rows.
pub(super) fn rows() -> impl Iterator<Item = Row> {
    BUNDLED.lines().skip(1).filter_map(Row::parse)
}

/// The row for a region, else that for all regions of the provider.
pub(super) fn find(provider: &str, region: Option<&str>, destination: EgressDestination) -> Option<Row> {
    let of_provider =
        |row: &Row| row.destination == destination.as_str() && row.provider.eq_ignore_ascii_case(provider);
    let own = |region: &str| rows().find(|row| of_provider(row) && row.is_of(region));
    region
        .and_then(own)
        .or_else(|| rows().find(|row| of_provider(row) && row.regions == "any"))
}

impl Row {
    fn parse(line: &'static str) -> Option<Self> {
        let mut fields = line.split('\t');
        Some(Self {
            provider: fields.next()?,
            destination: fields.next()?,
            regions: fields.next()?,
            gigabyte: match fields.next()? {
                "2^30" => 1 << 30,
                "10^9" => 1_000_000_000,
                _ => return None,
            },
            tiers: fields.next()?,
            as_of: fields.next()?,
            source: fields.next()?,
            #[cfg(test)]
            note: fields.next()?,
        })
    }

    /// Whether a region is among its own. A pattern ends in a star.
    fn is_of(&self, region: &str) -> bool {
        self.regions.split(' ').any(|own| match own.strip_suffix('*') {
            Some(start) => region
                .get(..start.len())
                .is_some_and(|from| from.eq_ignore_ascii_case(start)),
            None => region.eq_ignore_ascii_case(own),
        })
    }

    /// The steps of its ladder, from the first byte of the month on.
    pub(super) fn tiers(&self) -> impl Iterator<Item = Tier> + use<> {
        self.tiers.split(' ').filter_map(|tier| {
            let (bounds, price) = tier.split_once('=')?;
            let (above, up_to) = bounds.split_once('-')?;
            let (usd, confidence) = price.split_once('/')?;
            let number = |text: &str| money::parse(text).ok();
            Some(Tier {
                above: number(above)?,
                up_to: if up_to.is_empty() {
                    None
                } else {
                    Some(number(up_to)?)
                },
                usd: number(usd)?,
                confidence: if confidence == "high" {
                    CostConfidence::Computed
                } else {
                    CostConfidence::Estimated
                },
            })
        })
    }
}
