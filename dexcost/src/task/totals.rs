//! The sums of a task and the law that they obey.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::event::{CostFamily, Event, EventType};
use crate::money;

/// What a task cost and consumed.
///
/// The law: [`total_cost_usd`](Self::total_cost_usd) is the sum of the five families, and every
/// event's cost is in exactly one of them. Retry cost is a view over flagged events, not an addend.
/// Sums that need more than 28 digits are shown rounded; the ledger's own stay exact.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Totals {
    /// Sum of model calls.
    #[serde(with = "crate::money::as_text")]
    pub llm_cost_usd: Decimal,
    /// Sum of paid APIs and marked retries.
    #[serde(with = "crate::money::as_text")]
    pub external_cost_usd: Decimal,
    /// Sum of serverless and machine time.
    #[serde(with = "crate::money::as_text")]
    pub compute_cost_usd: Decimal,
    /// Sum of GPU time.
    #[serde(with = "crate::money::as_text")]
    pub gpu_cost_usd: Decimal,
    /// Sum of egress.
    #[serde(with = "crate::money::as_text")]
    pub network_cost_usd: Decimal,
    /// Prompt tokens of all model calls.
    pub total_input_tokens: u64,
    /// Completion tokens of all model calls.
    pub total_output_tokens: u64,
    /// Prompt tokens of all model calls that were read from a cache.
    pub total_cached_tokens: u64,
    /// Events of this task, signals included.
    pub event_count: u64,
    /// Events of which something could not be priced.
    pub unknown_cost_count: u64,
    /// Events that are flagged as retries.
    pub retry_count: u64,
    /// What the flagged events cost; contained in the families.
    #[serde(with = "crate::money::as_text")]
    pub retry_cost_usd: Decimal,
    /// Bytes that came in.
    pub network_bytes_in: u64,
    /// Bytes that left the machine.
    pub network_bytes_out: u64,
    /// Exchanges over the network.
    pub network_call_count: u64,
    /// Traffic by host, the largest twenty, the rest as `_other`.
    pub network_by_host: BTreeMap<String, HostTraffic>,
}

/// What went to and came from one host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HostTraffic {
    /// Bytes that came in.
    pub bytes_in: u64,
    /// Bytes that left the machine.
    pub bytes_out: u64,
    /// Exchanges.
    pub calls: u64,
}

impl HostTraffic {
    /// Bytes in both directions.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes_in.saturating_add(self.bytes_out)
    }

    /// Adds what was moved elsewhere or later.
    pub const fn add(&mut self, other: Self) {
        self.bytes_in = self.bytes_in.saturating_add(other.bytes_in);
        self.bytes_out = self.bytes_out.saturating_add(other.bytes_out);
        self.calls = self.calls.saturating_add(other.calls);
    }
}

impl Totals {
    /// The sum of the five families, or `None` where it does not fit 28 digits exactly.
    #[must_use]
    pub fn checked_total_cost_usd(&self) -> Option<Decimal> {
        CostFamily::ALL.iter().try_fold(Decimal::ZERO, |sum, family| {
            money::exact_sum(sum, self.family(*family))
        })
    }

    /// The sum of the five families. Where it does not fit 28 digits exactly it is rounded.
    #[must_use]
    pub fn total_cost_usd(&self) -> Decimal {
        self.checked_total_cost_usd().unwrap_or_else(|| {
            CostFamily::ALL.iter().fold(Decimal::ZERO, |sum, family| {
                sum.saturating_add(self.family(*family))
            })
        })
    }

    /// The sum of one family.
    #[must_use]
    pub const fn family(&self, family: CostFamily) -> Decimal {
        match family {
            CostFamily::Llm => self.llm_cost_usd,
            CostFamily::External => self.external_cost_usd,
            CostFamily::Compute => self.compute_cost_usd,
            CostFamily::Gpu => self.gpu_cost_usd,
            CostFamily::Network => self.network_cost_usd,
        }
    }

    fn family_mut(&mut self, family: CostFamily) -> &mut Decimal {
        match family {
            CostFamily::Llm => &mut self.llm_cost_usd,
            CostFamily::External => &mut self.external_cost_usd,
            CostFamily::Compute => &mut self.compute_cost_usd,
            CostFamily::Gpu => &mut self.gpu_cost_usd,
            CostFamily::Network => &mut self.network_cost_usd,
        }
    }

    /// Adds an event. The sums stay exact where its cost [`fits`](Self::fits), else they are rounded.
    pub fn add(&mut self, event: &Event) {
        self.event_count = self.event_count.saturating_add(1);
        if event.event_type == EventType::LlmCall {
            self.add_tokens(event);
        }
        if event.is_incomplete() {
            self.unknown_cost_count += 1;
        }
        let cost = event.cost_usd.unwrap_or_default();
        if event.is_retry {
            self.retry_count += 1;
            self.retry_cost_usd = self.retry_cost_usd.saturating_add(cost);
        }
        if let Some(family) = event.event_type.family() {
            let sum = self.family_mut(family);
            *sum = sum.saturating_add(cost);
        }
    }

    pub(super) fn set_family(&mut self, family: CostFamily, sum: Decimal) {
        *self.family_mut(family) = sum;
    }

    /// Whether the event's cost can be added exactly, so that parts still equal the whole.
    #[must_use]
    pub fn fits(&self, event: &Event) -> bool {
        let Some(cost) = event.cost_usd.filter(|_| event.event_type.is_money()) else {
            return true;
        };
        let sums = [
            self.llm_cost_usd,
            self.external_cost_usd,
            self.compute_cost_usd,
            self.gpu_cost_usd,
            self.network_cost_usd,
            self.retry_cost_usd,
        ];
        (is_small(cost) && sums.iter().all(|sum| is_small(*sum))) || self.fits_exactly(event, cost)
    }

    fn fits_exactly(&self, event: &Event, cost: Decimal) -> bool {
        let others = CostFamily::ALL
            .iter()
            .filter(|family| event.event_type.family() != Some(**family));
        let own = event
            .event_type
            .family()
            .map_or(Decimal::ZERO, |family| self.family(family));
        let sum = money::exact_sum(own, cost);
        let total = others.fold(sum, |sum, family| money::exact_sum(sum?, self.family(*family)));
        total.is_some() && money::exact_sum(self.retry_cost_usd, cost).is_some()
    }

    /// Takes an event out again that was added before, as it stood then.
    pub fn remove(&mut self, event: &Event) {
        self.event_count = self.event_count.saturating_sub(1);
        if event.event_type == EventType::LlmCall {
            self.remove_tokens(event);
        }
        if event.is_incomplete() {
            self.unknown_cost_count = self.unknown_cost_count.saturating_sub(1);
        }
        let cost = event.cost_usd.unwrap_or_default();
        if let Some(family) = event.event_type.family() {
            let sum = self.family_mut(family);
            *sum = sum.saturating_sub(cost);
        }
        if event.is_retry {
            self.retry_count = self.retry_count.saturating_sub(1);
            self.retry_cost_usd = self.retry_cost_usd.saturating_sub(cost);
        }
    }

    fn add_tokens(&mut self, event: &Event) {
        let add = |sum: &mut u64, tokens: Option<u64>| *sum = sum.saturating_add(tokens.unwrap_or(0));
        add(&mut self.total_input_tokens, event.input_tokens());
        add(&mut self.total_output_tokens, event.output_tokens());
        add(&mut self.total_cached_tokens, event.cached_tokens());
    }

    fn remove_tokens(&mut self, event: &Event) {
        let remove = |sum: &mut u64, tokens: Option<u64>| *sum = sum.saturating_sub(tokens.unwrap_or(0));
        remove(&mut self.total_input_tokens, event.input_tokens());
        remove(&mut self.total_output_tokens, event.output_tokens());
        remove(&mut self.total_cached_tokens, event.cached_tokens());
    }
}

/// Whether seven such amounts certainly add up exactly: below 2^52 units of 10^-12 and coarser
/// scales, so that their aligned sum stays below 2^96. What real tasks cost is always small.
fn is_small(amount: Decimal) -> bool {
    amount.scale() <= 12 && amount.mantissa().unsigned_abs() < 1 << 52
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dec;

    #[test]
    fn small_amounts_add_up_exactly_at_any_scale() {
        let largest = Decimal::from((1_u64 << 52) - 1);
        let finest = Decimal::new((1 << 52) - 1, 12);
        let sum = (0..6).try_fold(finest, |sum, _| money::exact_sum(sum, largest));
        assert!(is_small(largest) && is_small(finest) && sum.is_some());
        assert!(!is_small(dec!(0.0000000000001)));
    }
}
