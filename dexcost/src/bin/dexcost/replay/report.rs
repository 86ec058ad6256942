//! The readable form: what was called, how often, and what it cost.

use std::collections::{BTreeMap, HashSet};
use std::io;

use dexcost::display;
use dexcost::{Decimal, Unit, Usage, money};

use super::answer::Answer;
use crate::print::{self, Column, Side};

/// A name as it is shown.
fn name(text: Option<&str>) -> String {
    display::name(text.unwrap_or("?")).to_string()
}

/// Calls by provider and model, and by service.
#[derive(Default)]
pub(crate) struct Report {
    rows: BTreeMap<(String, String), Row>,
    exchanges: u64,
    calls: u64,
    /// Requests of batches that were counted, by provider and id: results may be fetched often.
    batched: HashSet<(String, String)>,
}

#[derive(Default)]
struct Row {
    calls: u64,
    failed: u64,
    input: Decimal,
    output: Decimal,
    cost: Decimal,
    unpriced: u64,
}

impl Report {
    pub(crate) fn add(&mut self, answer: &Answer) {
        self.exchanges += 1;
        for request in &answer.batch {
            let key = (
                answer.provider.clone().unwrap_or_default(),
                request.id.clone().unwrap_or_default(),
            );
            if !self.batched.insert(key) {
                continue;
            }
            let who = (name(answer.provider.as_deref()), name(request.model.as_deref()));
            let is_failed = request.operation_status == "failed";
            self.count(who, request.cost, &request.counted, is_failed);
        }
        let (who, cost) = match &answer.service {
            Some(service) => ((name(Some(&service.name)), String::new()), service.cost),
            None if answer.captured => (
                (name(answer.provider.as_deref()), name(answer.model())),
                answer.cost,
            ),
            None => return,
        };
        self.count(who, cost, &answer.counted, answer.operation_status == "failed");
    }

    fn count(&mut self, who: (String, String), cost: Option<Decimal>, usage: &Usage, is_failed: bool) {
        self.calls += 1;
        let row = self.rows.entry(who).or_default();
        let add = |sum: &mut Decimal, more: Option<Decimal>| {
            if let Some(whole) = money::exact_sum(*sum, more.unwrap_or_default()) {
                *sum = whole;
            }
        };
        row.calls += 1;
        row.failed += u64::from(is_failed);
        row.unpriced += u64::from(cost.is_none());
        add(&mut row.input, usage.get(Unit::InputTokens));
        add(&mut row.output, usage.get(Unit::OutputTokens));
        add(&mut row.cost, cost);
    }

    pub(crate) fn print(&self) -> io::Result<()> {
        let columns = [
            Column("provider or service", Side::Left),
            Column("model", Side::Left),
            Column("calls", Side::Right),
            Column("failed", Side::Right),
            Column("input tokens", Side::Right),
            Column("output tokens", Side::Right),
            Column("cost", Side::Right),
            Column("without price", Side::Right),
        ];
        let mut table = print::table(&columns);
        for ((provider, model), row) in &self.rows {
            table.add_row([
                print::cell(provider, Side::Left),
                print::cell(model, Side::Left),
                print::cell(row.calls, Side::Right),
                print::cell(row.failed, Side::Right),
                print::cell(row.input, Side::Right),
                print::cell(row.output, Side::Right),
                print::cell(display::dollars(row.cost), Side::Right),
                print::cell(row.unpriced, Side::Right),
            ]);
        }
        print::line(table.to_string())?;
        print::line(format!(
            "{} calls of models and priced services in {} exchanges",
            self.calls, self.exchanges
        ))
    }
}
