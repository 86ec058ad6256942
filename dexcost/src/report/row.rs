//! One row of a report.

use serde::Serialize;

use crate::buffer::Tally;
use crate::sum::Sum;

/// What one customer, model, day, … cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReportRow {
    /// Whose row it is; `None` where the events name nobody, and in the total.
    pub name: Option<String>,
    /// The sum of the five families, in US dollars.
    pub total_cost_usd: Sum,
    /// Model calls.
    pub llm_cost_usd: Sum,
    /// Paid APIs and marked retries.
    pub external_cost_usd: Sum,
    /// Serverless and machine time.
    pub compute_cost_usd: Sum,
    /// GPU time.
    pub gpu_cost_usd: Sum,
    /// Egress.
    pub network_cost_usd: Sum,
    /// What events that are flagged as retries cost; contained in the families.
    pub retry_cost_usd: Sum,
    /// Events that are flagged as retries.
    pub retries: u64,
    /// Tasks that began; `None` by model and provider, since one task may use many.
    pub tasks: Option<u64>,
    /// Those of them that failed.
    pub failed_tasks: Option<u64>,
    /// Those of them that a crash cut short: calls that were in flight are not in the sums.
    pub interrupted_tasks: Option<u64>,
    /// Events, signals included.
    pub events: u64,
    /// Events whose operation failed.
    pub failed_events: u64,
    /// Events of which something could not be priced: the total is too low by what they cost.
    pub unknown_cost_events: u64,
    /// Prompt tokens of model calls, cached ones included.
    pub input_tokens: u128,
    /// Completion tokens of model calls.
    pub output_tokens: u128,
    /// Prompt tokens that were read from a cache.
    pub cached_tokens: u128,
}

impl ReportRow {
    pub(super) fn new(name: Option<String>, tally: &Tally, with_tasks: bool) -> Self {
        let [llm, external, compute, gpu, network] = tally.cost;
        let mut total = Sum::ZERO;
        tally.cost.iter().for_each(|family| total.merge(family));
        Self {
            name,
            total_cost_usd: total,
            llm_cost_usd: llm,
            external_cost_usd: external,
            compute_cost_usd: compute,
            gpu_cost_usd: gpu,
            network_cost_usd: network,
            retry_cost_usd: tally.retry_cost,
            retries: count(tally.retries),
            tasks: with_tasks.then(|| count(tally.tasks)),
            failed_tasks: with_tasks.then(|| count(tally.failed_tasks)),
            interrupted_tasks: with_tasks.then(|| count(tally.interrupted_tasks)),
            events: count(tally.events),
            failed_events: count(tally.failed_events),
            unknown_cost_events: count(tally.unknown),
            input_tokens: whole(tally.input_tokens),
            output_tokens: whole(tally.output_tokens),
            cached_tokens: whole(tally.cached_tokens),
        }
    }

    /// Whether more may have been spent than its sums say: an event has no complete price, or a crash cut a
    /// task short.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        self.unknown_cost_events > 0 || self.interrupted_tasks.is_some_and(|tasks| tasks > 0)
    }

    /// One row in place of several; `None` in place of none.
    pub(super) fn sum_of(name: String, rows: &[Self]) -> Option<Self> {
        let (first, others) = rows.split_first()?;
        let mut sum = Self {
            name: Some(name),
            ..first.clone()
        };
        others.iter().for_each(|row| sum.add(row));
        Some(sum)
    }

    fn add(&mut self, row: &Self) {
        self.total_cost_usd.merge(&row.total_cost_usd);
        self.llm_cost_usd.merge(&row.llm_cost_usd);
        self.external_cost_usd.merge(&row.external_cost_usd);
        self.compute_cost_usd.merge(&row.compute_cost_usd);
        self.gpu_cost_usd.merge(&row.gpu_cost_usd);
        self.network_cost_usd.merge(&row.network_cost_usd);
        self.retry_cost_usd.merge(&row.retry_cost_usd);
        self.retries += row.retries;
        self.tasks = self.tasks.zip(row.tasks).map(|(a, b)| a + b);
        self.failed_tasks = self.failed_tasks.zip(row.failed_tasks).map(|(a, b)| a + b);
        let interrupted = self.interrupted_tasks.zip(row.interrupted_tasks);
        self.interrupted_tasks = interrupted.map(|(a, b)| a + b);
        self.events += row.events;
        self.failed_events += row.failed_events;
        self.unknown_cost_events += row.unknown_cost_events;
        self.input_tokens += row.input_tokens;
        self.output_tokens += row.output_tokens;
        self.cached_tokens += row.cached_tokens;
    }
}

fn count(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

fn whole(value: i128) -> u128 {
    u128::try_from(value).unwrap_or(0)
}
