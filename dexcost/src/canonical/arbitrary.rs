//! Arbitrary records and JSON for property tests.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use rust_decimal::Decimal;
use serde_json::Value;

use crate::clock::Timestamp;
use crate::event::*;
use crate::id::{EventId, TaskId};
use crate::task::{Attribution, HostTraffic, Task, TaskStatus, Totals};
use crate::text::Text;
use crate::usage::{Unit, Usage};

/// Any JSON value, floats and odd keys included; no key begins with our own underscore.
pub(crate) fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            btree_map(key(), inner, 0..5).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn key() -> impl Strategy<Value = String> {
    any::<String>().prop_map(|key| key.trim_start_matches('_').to_owned())
}

/// An object.
pub(crate) fn object() -> impl Strategy<Value = Details> {
    btree_map(key(), json(), 0..5).prop_map(|map| map.into_iter().collect())
}

fn money() -> impl Strategy<Value = Decimal> {
    (0..=i64::MAX, 0..=18_u32).prop_map(|(digits, scale)| Decimal::new(digits, scale))
}

fn text() -> impl Strategy<Value = Text> {
    any::<String>().prop_map(Text::from)
}

/// An id as the schemas take it.
fn id() -> impl Strategy<Value = Option<Text>> {
    option::of(".{1,40}".prop_map(Text::from))
}

fn instant() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp::from_unix_micros)
}

fn usage() -> impl Strategy<Value = Usage> {
    let quantity = (any::<i64>(), 0..=9_u32).prop_map(|(digits, scale)| Decimal::new(digits, scale));
    let whole = any::<u64>().prop_map(Decimal::from);
    btree_map(select(Unit::ALL), prop_oneof![quantity, whole], 0..5).prop_map(Usage::from_iter)
}

fn call() -> impl Strategy<Value = CallFacts> {
    let names = (text(), option::of(text()), select(CallType::ALL), any::<bool>());
    let rest = (
        option::of(any::<u32>()),
        option::of(money()),
        vec(text(), 0..3),
        usage(),
    );
    (names, rest).prop_map(
        |((model, tier, call_type, streamed), (attempt, stated, unpriced, part))| CallFacts {
            call_type,
            model_requested: Some(model.clone()),
            service_tier: tier,
            streamed,
            attempt,
            reported_cost_usd: stated,
            unpriced,
            parts: vec![CallPart { model, usage: part }],
            ..CallFacts::default()
        },
    )
}

fn event_id() -> impl Strategy<Value = EventId> {
    any::<[u8; 16]>().prop_map(EventId::from_bytes)
}

fn task_id() -> impl Strategy<Value = TaskId> {
    any::<[u8; 16]>().prop_map(TaskId::from_bytes)
}

/// An event that keeps the one rule of events: without a cost the confidence is `unknown`.
pub(crate) fn event() -> impl Strategy<Value = Event> {
    let ids = (event_id(), task_id(), option::of(event_id()), instant());
    let cost = (
        option::of(money()),
        select(CostConfidence::ALL),
        select(PricingSource::ALL),
        option::of(text()),
    );
    let names = (
        select(EventType::ALL),
        option::of(text()),
        option::of(text()),
        option::of(text()),
    );
    let ending = (
        select(OperationStatus::ALL),
        option::of(select(ErrorType::ALL)),
        option::of(any::<u64>()),
    );
    let rest = (
        any::<bool>(),
        option::of(text()),
        option::of(call()),
        object(),
        any::<u32>(),
        usage(),
    );
    (ids, cost, names, ending, rest).prop_map(|(ids, cost, names, ending, rest)| Event {
        event_id: ids.0,
        task_id: ids.1,
        event_type: names.0,
        occurred_at: ids.3,
        cost_usd: cost.0,
        cost_confidence: if cost.0.is_some() {
            cost.1
        } else {
            CostConfidence::Unknown
        },
        pricing_source: cost.2,
        pricing_version: cost.3,
        service_name: names.1,
        provider: names.2,
        model: names.3,
        usage: rest.5,
        latency_ms: ending.2,
        operation_status: ending.0,
        error_type: ending.1,
        is_retry: rest.0,
        retry_reason: rest.1,
        retry_of: ids.2,
        call: rest.2.map(Box::new),
        details: Some(rest.3).filter(|d| !d.is_empty()).map(Box::new),
        revision: rest.4,
    })
}

fn totals() -> impl Strategy<Value = Totals> {
    let traffic = any::<(u64, u64, u64)>().prop_map(|(bytes_in, bytes_out, calls)| HostTraffic {
        bytes_in,
        bytes_out,
        calls,
    });
    let money = (money(), money(), money(), money(), money(), money());
    let counts = any::<(u64, u64, u64, u64, u64, u64)>();
    let network = (
        any::<(u64, u64, u64)>(),
        btree_map(any::<String>(), traffic, 0..3),
    );
    (money, counts, network).prop_map(|(money, counts, network)| Totals {
        llm_cost_usd: money.0,
        external_cost_usd: money.1,
        compute_cost_usd: money.2,
        gpu_cost_usd: money.3,
        network_cost_usd: money.4,
        retry_cost_usd: money.5,
        total_input_tokens: counts.0,
        total_output_tokens: counts.1,
        total_cached_tokens: counts.2,
        event_count: counts.3,
        unknown_cost_count: counts.4,
        retry_count: counts.5,
        network_bytes_in: network.0.0,
        network_bytes_out: network.0.1,
        network_call_count: network.0.2,
        network_by_host: network.1,
    })
}

/// A task whose ids fit the schemas and whose variant has an experiment.
pub(crate) fn task() -> impl Strategy<Value = Task> {
    let head = (
        task_id(),
        ".{0,40}",
        select(TaskStatus::ALL),
        instant(),
        option::of(instant()),
    );
    let whom = (id(), id(), id(), id(), id());
    let rest = (option::of(task_id()), object(), totals(), any::<u32>());
    (head, whom, rest).prop_map(|(head, whom, rest)| Task {
        task_id: head.0,
        task_type: head.1.into(),
        status: head.2,
        started_at: head.3,
        ended_at: head.4,
        attribution: Attribution {
            customer_id: whom.0,
            project_id: whom.1,
            agent: whom.2,
            variant: whom.3.filter(|_| whom.4.is_some()),
            experiment_id: whom.4,
        },
        parent_task_id: rest.0,
        metadata: rest.1,
        totals: rest.2,
        revision: rest.3,
    })
}
