//! What several exchanges show is counted once, and several calls in one exchange are each counted.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use dexcost::testing::MemorySink;
use dexcost::{
    CostTracker, Decimal, ErrorType, OperationStatus, ReceivedResponse, TaskOptions, TrackedTask, Unit, dec,
};

fn opened() -> (Arc<MemorySink>, CostTracker, TrackedTask) {
    let sink = MemorySink::new();
    let tracker = sink.tracker();
    let task = tracker.start_task_sync("once", TaskOptions::default()).unwrap();
    (sink, tracker, task)
}

fn post<'a>(url: &'a str, body: &'a str) -> ReceivedResponse<'a> {
    ReceivedResponse::new("", url, 200, &(), body.as_bytes())
}

const RESPONSES: &str = "https://api.openai.com/v1/responses";

fn interpreted(containers: &[&str]) -> String {
    let calls = containers
        .iter()
        .map(|id| format!(r#"{{"type":"code_interpreter_call","container_id":"{id}"}}"#));
    let calls: Vec<String> = calls.collect();
    format!(
        r#"{{"id":"resp_1","object":"response","status":"completed","model":"gpt-4o","output":[{}],"usage":{{"input_tokens":0,"output_tokens":0}}}}"#,
        calls.join(",")
    )
}

#[test]
fn a_container_is_paid_for_once_however_many_calls_run_code_in_it() {
    let (_sink, tracker, task) = opened();
    let cost = |task: &TrackedTask, containers: &[&str]| -> (Option<Decimal>, u64) {
        let reply = interpreted(containers);
        let event = task.record_response(&post(RESPONSES, &reply)).unwrap();
        (event.cost_usd, event.usage.count(Unit::CodeInterpreterSessions))
    };
    assert_eq!(cost(&task, &["cntr_a", "cntr_a"]), (Some(dec!(0.03)), 1));
    assert_eq!(cost(&task, &["cntr_a"]), (Some(Decimal::ZERO), 0));
    assert_eq!(cost(&task, &["cntr_b", "cntr_a"]), (Some(dec!(0.03)), 1));
    let other = tracker.start_task_sync("other", TaskOptions::default()).unwrap();
    assert_eq!(cost(&other, &["cntr_b"]), (Some(Decimal::ZERO), 0));
    assert_eq!(task.task().totals.llm_cost_usd, dec!(0.06));
}

#[test]
fn tools_that_are_called_in_one_message_are_an_event_each() {
    let (sink, tracker, task) = opened();
    tracker.register_rate("mcp:search", "call", "0.01").unwrap();
    let call = |id: u32, tool: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{tool}"}}}}"#)
    };
    let asked = format!(
        "[{},{},{}]",
        call(1, "search"),
        call(2, "fetch"),
        call(3, "search")
    );
    let reply = r#"[{"jsonrpc":"2.0","id":3,"result":{}},{"jsonrpc":"2.0","id":2,"result":{"isError":true}},{"jsonrpc":"2.0","id":1,"result":{}}]"#;
    let headers = [("mcp-protocol-version", "2025-03-26")];
    let received = post("https://tools.example/mcp", reply)
        .request_headers(&headers)
        .request_body(asked.as_bytes());
    task.record_response(&received).unwrap();
    let events = sink.events();
    let of = |event: &dexcost::Event| {
        (
            event.service_name.clone().unwrap(),
            event.cost_usd,
            event.error_type,
        )
    };
    let shown: Vec<_> = events.iter().map(|event| of(event)).collect();
    let cent = Some(dec!(0.01));
    assert_eq!(
        shown,
        [
            ("mcp:search".into(), cent, None),
            ("mcp:fetch".into(), None, Some(ErrorType::Other)),
            ("mcp:search".into(), cent, None),
        ]
    );
    assert_eq!(events[1].operation_status, OperationStatus::Failed);
    let totals = task.task().totals;
    assert_eq!(
        (totals.external_cost_usd, totals.network_call_count),
        (dec!(0.02), 1)
    );
}
