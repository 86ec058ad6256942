//! One priced model, wherever its prices come from.

use rust_decimal::Decimal;

use super::table::{self, Code, Component, OffPeak, Range, RateList, Rates, Row, Window};

/// Prices of a model that a user brought, from some instant on.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct OwnEntry {
    /// The provider they hold for; `None` holds for every one.
    pub(crate) provider: Option<String>,
    /// From when they hold, in seconds since 1970; 0 means since always.
    pub(crate) since_seconds: u64,
    /// The prices, sorted by code.
    pub(crate) rates: RateList,
    /// The prompt sizes that codes count from 1, ascending.
    pub(crate) thresholds: Vec<u64>,
    /// Prices inside ranges of prompt tokens or of results.
    pub(crate) ranges: Vec<OwnRange>,
    /// Whether the ranges count results and not prompt tokens.
    pub(crate) ranges_by_results: bool,
    /// Prices of certain hours.
    pub(crate) off_peak: Option<OwnOffPeak>,
    /// Whether grounding is billed by query.
    pub(crate) per_query: bool,
    /// The components whose price was taken from the listed ratio.
    pub(crate) derived: Vec<Component>,
    /// What makes one doubt that its prices are meant.
    pub(crate) doubts: Vec<String>,
}

/// Prices inside one range.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OwnRange {
    /// Start: exclusive for prompt tokens, inclusive for results.
    pub(crate) low: u64,
    /// End, inclusive.
    pub(crate) high: u64,
    /// The prices, sorted by code.
    pub(crate) rates: RateList,
}

/// Prices of certain hours.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OwnOffPeak {
    /// Minutes east of UTC of the zone whose weekdays count.
    pub(crate) zone_minutes: i16,
    /// The hours.
    pub(crate) windows: Vec<Window>,
    /// The prices, sorted by code.
    pub(crate) rates: RateList,
}

/// One priced model.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Entry<'a> {
    /// A row of the bundled table.
    Bundled(Row),
    /// What a user set.
    Own(&'a OwnEntry),
}

impl<'a> Entry<'a> {
    /// The plain prices and their variants.
    pub(crate) fn rates(self) -> Rates<'a> {
        match self {
            Self::Bundled(row) => row.rates(),
            Self::Own(own) => Rates::Own(&own.rates),
        }
    }

    /// From when the prices hold, in seconds since 1970; 0 means since always.
    pub(crate) fn since_seconds(self) -> u64 {
        match self {
            Self::Bundled(row) => row.since_seconds(),
            Self::Own(own) => own.since_seconds,
        }
    }

    /// The plain price of a component.
    pub(crate) fn plain(self, component: Component) -> Option<Decimal> {
        self.rates().get(Code::plain(component))
    }

    /// The prompt size at a place of a [`Code`].
    pub(crate) fn threshold(self, place: usize) -> Option<u64> {
        match self {
            Self::Bundled(_) => table::threshold(place),
            Self::Own(own) => own.thresholds.get(place.checked_sub(1)?).copied(),
        }
    }

    /// The prices for a prompt of so many tokens, where the model has a range table: the first range
    /// that holds the size, beyond the last one the last.
    pub(crate) fn range_for_prompt(self, prompt: u64) -> Option<Range<'a>> {
        if prompt == 0 {
            return None;
        }
        self.pick_range(false, |range| range.low < prompt && prompt <= range.high)
    }

    /// The prices for so many results asked for, start inclusive.
    pub(crate) fn range_for_results(self, results: u64) -> Option<Range<'a>> {
        self.pick_range(true, |range| range.low <= results && results <= range.high)
    }

    fn pick_range(self, by_results: bool, holds: impl Fn(&Range<'_>) -> bool) -> Option<Range<'a>> {
        match self {
            Self::Bundled(row) => {
                let ranges = row.ranges().filter(|ranges| ranges.by_results() == by_results)?;
                ranges.iter().find(&holds).or_else(|| ranges.iter().last())
            }
            Self::Own(own) => {
                if own.ranges_by_results != by_results {
                    return None;
                }
                let mut ranges = own.ranges.iter().map(|range| Range {
                    low: range.low,
                    high: range.high,
                    rates: Rates::Own(&range.rates),
                });
                ranges.clone().find(&holds).or_else(|| ranges.next_back())
            }
        }
    }

    /// The prices of certain hours, where an instant lies in them.
    pub(crate) fn open_off_peak(self, at_seconds: u64) -> Option<Rates<'a>> {
        let off_peak = match self {
            Self::Bundled(row) => row.off_peak()?,
            Self::Own(own) => {
                let own = own.off_peak.as_ref()?;
                OffPeak::own(own.zone_minutes, &own.windows, &own.rates)
            }
        };
        off_peak.is_open(at_seconds).then_some(off_peak.rates)
    }

    /// Whether grounding is billed by query and not by prompt.
    pub(crate) fn bills_per_query(self) -> bool {
        match self {
            Self::Bundled(row) => row.bills_per_query(),
            Self::Own(own) => own.per_query,
        }
    }
}

impl OwnEntry {
    /// The entry as one line in which equal prices are equal text.
    pub(crate) fn canonical(&self) -> String {
        let list = |rates: &RateList| {
            let prices = rates
                .iter()
                .map(|(code, price)| format!("{}={}", code.0, crate::money::plain(*price)));
            prices.collect::<Vec<_>>().join(" ")
        };
        let ranges = self
            .ranges
            .iter()
            .map(|range| format!("({},{}]{}", range.low, range.high, list(&range.rates)));
        let off_peak = self.off_peak.as_ref().map_or_else(String::new, |off_peak| {
            format!(
                "{:+}{:?}{}",
                off_peak.zone_minutes,
                off_peak.windows,
                list(&off_peak.rates)
            )
        });
        format!(
            "{}\t{}\t{}\t{:?}\t{}{}\t{off_peak}\t{}",
            self.provider.as_deref().unwrap_or("*"),
            self.since_seconds,
            list(&self.rates),
            self.thresholds,
            self.ranges_by_results,
            ranges.collect::<Vec<_>>().join(";"),
            self.per_query,
        )
    }
}
