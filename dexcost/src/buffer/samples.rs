//! Events and tasks for tests.

use crate::dec;
use rust_decimal::Decimal;
use serde_json::json;

use crate::clock::Timestamp;
use crate::event::*;
use crate::id::{EventId, TaskId};
use crate::task::*;
use crate::usage::{Unit, Usage};

pub(crate) const DAY: i64 = 86_400_000_000;
/// 2026-11-22T00:00:00Z.
pub(crate) const TODAY: i64 = 20_779 * DAY;

pub(crate) fn at(micros: i64) -> Timestamp {
    Timestamp::from_unix_micros(TODAY + micros)
}

pub(crate) fn event(task: TaskId, n: u32) -> Event {
    let when = at(i64::from(n) * 1_000);
    Event {
        event_id: EventId::at(when),
        task_id: task,
        event_type: EventType::LlmCall,
        occurred_at: when,
        cost_usd: Some(Decimal::from_i128_with_scale(i128::from(n) + 1, 7)),
        cost_confidence: CostConfidence::Computed,
        pricing_source: PricingSource::Litellm,
        pricing_version: Some("1.83.0".into()),
        service_name: None,
        provider: Some("openai".into()),
        model: Some("gpt-4o".into()),
        usage: Usage::new()
            .with(Unit::InputTokens, 1_000 + n)
            .with(Unit::OutputTokens, 200),
        latency_ms: Some(812),
        operation_status: OperationStatus::Succeeded,
        error_type: None,
        is_retry: false,
        retry_reason: None,
        retry_of: None,
        call: None,
        details: None,
        revision: 1,
    }
}

pub(crate) fn full_event(task: TaskId) -> Event {
    let earlier = event(task, 1).event_id;
    Event {
        cost_usd: Some(dec!(-12345678901234567890.12345670)),
        service_name: Some("a service with a name of more than twenty-four bytes".into()),
        usage: Usage::new()
            .with(Unit::AudioSeconds, dec!(1.123456789012345678901234567))
            .with(Unit::IngressBytes, -5)
            .with(Unit::InputTokens, u64::MAX),
        operation_status: OperationStatus::Failed,
        error_type: Some(ErrorType::ContentFilter),
        is_retry: true,
        retry_reason: Some("rate_limit".into()),
        retry_of: Some(earlier),
        call: Some(Box::new(CallFacts {
            call_type: CallType::Transcription,
            model_requested: Some("gpt-4o".into()),
            model_returned: Some("gpt-4o-2024-08-06".into()),
            matched: Some("gpt-4o".into()),
            rung: Some("exact".into()),
            service_tier: Some("flex".into()),
            service_tier_requested: Some("auto".into()),
            finish: Some("stop".into()),
            request_id: Some("r".into()),
            response_id: Some("x".repeat(300).into()),
            host: Some("api.example.com".into()),
            region: Some("eu".into()),
            residency: Some("eu".into()),
            geo: Some("us".into()),
            speed: Some("fast".into()),
            search_context_size: Some("low".into()),
            resolution: Some("720p".into()),
            quality: Some("hd".into()),
            streamed: true,
            attempt: Some(3),
            reported_cost_usd: Some(dec!(0.1)),
            upstream_cost_usd: Some(dec!(0.07)),
            is_cut_off: true,
            is_prepaid: true,
            is_byok: true,
            container_memory: Some("4g".into()),
            batch_request_id: Some("batch_req_1".into()),
            uncounted: vec!["output_tokens".into()],
            unpriced: vec!["one".into(), "two".into()],
            parts: vec![CallPart {
                model: "advisor".into(),
                usage: Usage::new().with(Unit::OutputTokens, 5),
            }],
        })),
        details: json!({"a": [1, {"b": null}], "c": "d"})
            .as_object()
            .cloned()
            .map(Box::new),
        revision: 7,
        ..event(task, 2)
    }
}

pub(crate) fn task(n: u32, customer: &str) -> Task {
    let started_at = at(i64::from(n) * 1_000_000);
    Task {
        task_id: TaskId::at(started_at),
        task_type: "resolve_ticket".into(),
        status: TaskStatus::Pending,
        started_at,
        ended_at: None,
        attribution: Attribution {
            customer_id: Some(customer.into()),
            project_id: Some("support".into()),
            ..Attribution::default()
        },
        parent_task_id: None,
        metadata: Details::new(),
        totals: Totals::default(),
        revision: 1,
    }
}

pub(crate) fn full_task() -> Task {
    let mut task = task(1, "acme");
    task.status = TaskStatus::Failed;
    task.ended_at = Some(at(9_000_000));
    task.attribution.agent = Some("agent".into());
    task.attribution.experiment_id = Some("e".into());
    task.attribution.variant = Some("v".into());
    task.parent_task_id = Some(TaskId::from_bytes([3; 16]));
    task.metadata = json!({"k": {"n": 1.5}}).as_object().cloned().unwrap_or_default();
    task.totals.add(&event(task.task_id, 1));
    task.totals.network_bytes_out = 5;
    task.totals.network_by_host.insert(
        "h".to_owned(),
        HostTraffic {
            bytes_in: 1,
            bytes_out: 5,
            calls: 2,
        },
    );
    task.revision = 4;
    task
}

/// The task after these events, ended well.
pub(crate) fn ended(mut task: Task, events: &[Event]) -> Task {
    for event in events {
        task.totals.add(event);
    }
    task.status = TaskStatus::Success;
    task.ended_at = Some(task.started_at.plus(std::time::Duration::from_secs(1)));
    task.revision += 1;
    task
}
