//! The law of totals, for any sequence of records and edits: parts equal the whole.

#![allow(clippy::unwrap_used, reason = "a test")]

use dexcost::testing::MemorySink;
use dexcost::{
    CostFamily, CostOptions, Decimal, Event, EventType, LlmCall, Record, RetryOptions, TaskOptions, money,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Step {
    Cost(Decimal, bool),
    Call(Option<Decimal>, u64, u64),
    Retry(Option<Decimal>),
    NotRetry(Option<prop::sample::Index>),
}

fn amount() -> impl Strategy<Value = Decimal> {
    prop_oneof![
        6 => (0..10_000_000_i64, 0..12_u32).prop_map(|(mantissa, scale)| Decimal::new(mantissa, scale)),
        1 => (any::<i64>(), 0..28_u32).prop_map(|(mantissa, scale)| Decimal::new(mantissa, scale)),
        1 => prop::sample::select(vec![Decimal::MAX, Decimal::MIN, Decimal::ZERO, Decimal::new(1, 28)]),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (amount(), any::<bool>()).prop_map(|(cost, compute)| Step::Cost(cost, compute)),
        3 => (prop::option::of(amount()), 0..u64::MAX, 0..9_000_u64).prop_map(|(c, i, o)| Step::Call(c, i, o)),
        2 => prop::option::of(amount()).prop_map(Step::Retry),
        2 => prop::option::of(any::<prop::sample::Index>()).prop_map(Step::NotRetry),
    ]
}

fn take(task: &dexcost::TaskHandle, step: &Step, known: &[dexcost::EventId]) {
    match *step {
        Step::Cost(cost, compute) => {
            let event_type = if compute {
                EventType::ComputeCost
            } else {
                EventType::ExternalCost
            };
            task.record_cost_with(
                "s",
                cost,
                CostOptions {
                    event_type,
                    ..Default::default()
                },
            )
            .unwrap();
        }
        Step::Call(cost, input, output) => {
            let call = LlmCall::new("p", "no-such-model", input, output);
            let call = if let Some(cost) = cost {
                call.cost_usd(cost)
            } else {
                call
            };
            task.record_llm_call(call).unwrap();
        }
        Step::Retry(cost_usd) => {
            task.mark_retry_with(
                "timeout",
                RetryOptions {
                    cost_usd,
                    retry_of: None,
                },
            );
        }
        Step::NotRetry(which) => {
            let which = which.filter(|_| !known.is_empty()).map(|index| *index.get(known));
            let _ = task.mark_not_retry(which);
        }
    }
}

/// Every event as it stands after all edits.
fn standing(records: &[Record]) -> BTreeMap<dexcost::EventId, Event> {
    let mut events = BTreeMap::new();
    for record in records {
        match record {
            Record::Event(event) => drop(events.insert(event.event_id, Event::clone(event))),
            Record::EventChanged { before, after } => {
                assert_eq!(
                    events.insert(after.event_id, Event::clone(after)).as_ref(),
                    Some(&**before)
                );
            }
            _ => {}
        }
    }
    events
}

proptest! {
    #[test]
    fn a_total_is_the_exact_sum_of_its_events(steps in prop::collection::vec(step(), 0..60)) {
        let sink = MemorySink::new();
        let task = sink.tracker().start_task_sync("t", TaskOptions::default()).unwrap();
        for step in steps {
            let known: Vec<_> = sink.events().iter().map(|event| event.event_id).collect();
            take(&task, &step, &known);
        }
        let (totals, events) = (task.task().totals, standing(&sink.records()));
        let sum = |pick: &dyn Fn(&Event) -> bool| {
            let costs = events.values().filter(|event| pick(event)).filter_map(|event| event.cost_usd);
            costs.fold(dexcost::Sum::ZERO, |mut sum, cost| { sum.add(cost); sum })
        };
        let mut are_exact = true;
        for family in CostFamily::ALL {
            let own = sum(&|event| event.event_type.family() == Some(*family));
            // Exact, and rounded only where no decimal holds it.
            prop_assert_eq!(own.to_rounded_decimal(), totals.family(*family));
            are_exact &= own.to_decimal().is_some();
        }
        if are_exact {
            prop_assert_eq!(totals.checked_total_cost_usd(), sum(&|_| true).to_decimal());
        }
        prop_assert_eq!(sum(&|event| event.is_retry).to_rounded_decimal(), totals.retry_cost_usd);
        prop_assert_eq!(totals.retry_count, events.values().filter(|event| event.is_retry).count() as u64);
        prop_assert_eq!(totals.event_count, events.len() as u64);
        let unknown = events.values().filter(|event| event.cost_usd.is_none()).count() as u64;
        prop_assert_eq!(totals.unknown_cost_count, unknown);
        prop_assert!(money::exact_sum(totals.total_cost_usd(), Decimal::ZERO).is_some());
    }
}
