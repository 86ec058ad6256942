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

fn get<'a>(url: &'a str, body: &'a str) -> ReceivedResponse<'a> {
    post(url, body).method("GET")
}

fn background(status: &str, usage: &str) -> String {
    format!(
        r#"{{"id":"resp_1","object":"response","background":true,"status":"{status}","model":"gpt-4o","output":[],"usage":{usage}}}"#
    )
}

const USED: &str = r#"{"input_tokens":1000,"output_tokens":100,"total_tokens":1100}"#;
/// 1,000 tokens in at 2.50 and 100 out at 10 dollars a million.
const COST: Decimal = dec!(0.0035);

#[test]
fn a_call_in_the_background_is_one_event_that_its_first_finished_poll_completes() {
    let (sink, tracker, task) = opened();
    let poll = format!("{RESPONSES}/resp_1");
    let queued = background("queued", "null");
    let begun = task.record_response(&post(RESPONSES, &queued)).unwrap();
    assert_eq!(
        (begun.cost_usd, begun.operation_status),
        (None, OperationStatus::Unknown)
    );
    assert_eq!(task.task().totals.unknown_cost_count, 1);
    let working = background("in_progress", "null");
    assert!(task.record_response(&get(&poll, &working)).is_none());

    // Whoever asks, the cost falls on the task that made the call.
    let asking = tracker.start_task_sync("asking", TaskOptions::default()).unwrap();
    let done = background("completed", USED);
    let event = asking.record_response(&get(&poll, &done)).unwrap();
    assert_eq!((event.event_id, event.revision), (begun.event_id, 2));
    assert_eq!((event.cost_usd, event.task_id), (Some(COST), task.task_id()));
    assert_eq!(event.operation_status, OperationStatus::Succeeded);
    for asks in [&asking, &task] {
        assert!(
            asks.record_response(&get(&poll, &done)).is_none(),
            "it is counted"
        );
    }

    let totals = task.task().totals;
    assert_eq!((totals.llm_cost_usd, totals.unknown_cost_count), (COST, 0));
    assert_eq!((totals.event_count, totals.total_input_tokens), (1, 1000));
    assert_eq!(asking.task().totals.llm_cost_usd, Decimal::ZERO);
    assert_eq!(sink.events().len(), 1);
}

#[test]
fn a_poll_of_a_call_that_was_not_begun_here_shows_another_ones_usage() {
    let (_sink, tracker, task) = opened();
    let poll = format!("{RESPONSES}/resp_1");
    let done = background("completed", USED);
    assert!(task.record_response(&get(&poll, &done)).is_none());
    assert!(tracker.record_response(&get(&poll, &done)).is_none());
    assert_eq!(tracker.sessions().open_count(), 0);
    // Nor does one that answered at once become another call when it is looked at again.
    task.record_response(&post(RESPONSES, &done)).unwrap();
    assert!(task.record_response(&get(&poll, &done)).is_none());
    assert_eq!(task.task().totals.llm_cost_usd, COST);
}

#[test]
fn an_id_means_another_call_on_another_server() {
    let (_sink, _tracker, task) = opened();
    task.record_response(&post(RESPONSES, &background("queued", "null")));
    let elsewhere = "https://eu.api.openai.com/v1/responses/resp_1";
    let done = background("completed", USED);
    assert!(task.record_response(&get(elsewhere, &done)).is_none());
    let totals = task.task().totals;
    assert_eq!(
        (totals.llm_cost_usd, totals.unknown_cost_count),
        (Decimal::ZERO, 1)
    );
}

#[test]
fn a_call_falls_on_the_task_that_made_it_though_that_has_ended() {
    let (sink, tracker, task) = opened();
    let begun = task
        .record_response(&post(RESPONSES, &background("queued", "null")))
        .unwrap();
    task.end_blocking(dexcost::TaskStatus::Success).unwrap();
    drop(task);
    let asking = tracker.start_task_sync("asking", TaskOptions::default()).unwrap();
    let poll = format!("{RESPONSES}/resp_1");
    let done = background("completed", USED);
    let event = asking.record_response(&get(&poll, &done)).unwrap();
    assert_eq!((event.event_id, event.task_id), (begun.event_id, begun.task_id));
    assert_eq!(asking.task().totals.llm_cost_usd, Decimal::ZERO);
    let Some(dexcost::Record::TaskChanged(renewed)) = sink.records().pop() else {
        panic!("its record is renewed");
    };
    assert_eq!((renewed.task_id, renewed.revision), (begun.task_id, 3));
    assert_eq!(renewed.status, dexcost::TaskStatus::Success);
    let totals = &renewed.totals;
    assert_eq!((totals.llm_cost_usd, totals.unknown_cost_count), (COST, 0));
}

#[test]
fn a_poll_outside_any_task_opens_no_session() {
    let (_sink, tracker, task) = opened();
    task.record_response(&post(RESPONSES, &background("queued", "null")))
        .unwrap();
    let poll = format!("{RESPONSES}/resp_1");
    let done = background("completed", USED);
    let event = tracker.record_response(&get(&poll, &done)).unwrap();
    assert_eq!((event.task_id, event.cost_usd), (task.task_id(), Some(COST)));
    assert!(tracker.record_response(&get(&poll, &done)).is_none());
    assert_eq!(tracker.sessions().open_count(), 0);
}

#[test]
fn a_call_that_was_called_off_did_not_succeed() {
    for (status, ended, error) in [
        ("cancelled", OperationStatus::Cancelled, None),
        ("failed", OperationStatus::Failed, Some(ErrorType::Other)),
    ] {
        let (_sink, _tracker, task) = opened();
        task.record_response(&post(RESPONSES, &background("queued", "null")))
            .unwrap();
        let poll = format!("{RESPONSES}/resp_1");
        let event = task
            .record_response(&get(&poll, &background(status, "null")))
            .unwrap();
        assert_eq!((event.operation_status, event.error_type), (ended, error));
        assert_eq!(event.cost_usd, None, "{status}");
    }
}

const RUNS: &str = "https://api.openai.com/v1/threads/thread_1/runs";
const RUN_USED: &str = r#"{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100}"#;

fn run(status: &str, usage: &str) -> String {
    format!(r#"{{"id":"run_1","object":"thread.run","status":"{status}","model":"gpt-4o","usage":{usage}}}"#)
}

fn assert_is_one_call(task: &TrackedTask) {
    let totals = task.task().totals;
    assert_eq!((totals.llm_cost_usd, totals.event_count), (COST, 1));
    assert_eq!(totals.unknown_cost_count, 0);
}

#[test]
fn a_run_that_waits_for_tools_is_one_call() {
    let (_sink, _tracker, task) = opened();
    let (outputs, poll) = (
        format!("{RUNS}/run_1/submit_tool_outputs"),
        format!("{RUNS}/run_1"),
    );
    let queued = run("queued", "null");
    task.record_response(&post(RUNS, &queued)).unwrap();
    let waiting = run("requires_action", "null");
    assert!(task.record_response(&get(&poll, &waiting)).is_none());
    assert!(task.record_response(&post(&outputs, &queued)).is_none());
    let done = run("completed", RUN_USED);
    let event = task.record_response(&get(&poll, &done)).unwrap();
    assert_eq!(event.cost_usd, Some(COST));
    assert_is_one_call(&task);
}

#[test]
fn a_run_that_ends_in_the_reply_to_what_tools_found_is_one_call() {
    let (_sink, _tracker, task) = opened();
    let (outputs, poll) = (
        format!("{RUNS}/run_1/submit_tool_outputs"),
        format!("{RUNS}/run_1"),
    );
    let events = |run: &str| format!("event: thread.run\ndata: {run}\n\nevent: done\ndata: [DONE]\n\n");
    let waiting = events(&run("requires_action", "null"));
    task.record_response(&post(RUNS, &waiting)).unwrap();
    let done = run("completed", RUN_USED);
    let event = task.record_response(&post(&outputs, &events(&done))).unwrap();
    assert_eq!(event.revision, 2);
    assert!(task.record_response(&get(&poll, &done)).is_none());
    assert_is_one_call(&task);
}

#[test]
fn a_run_that_was_not_done_in_time_failed() {
    let (_sink, _tracker, task) = opened();
    task.record_response(&post(RUNS, &run("queued", "null"))).unwrap();
    let poll = format!("{RUNS}/run_1");
    let event = task
        .record_response(&get(&poll, &run("expired", "null")))
        .unwrap();
    assert_eq!(event.operation_status, OperationStatus::Failed);
    assert_eq!(event.error_type, Some(ErrorType::Timeout));
}

#[test]
fn a_prediction_is_one_event_with_the_time_that_its_poll_shows() {
    let (_sink, _tracker, task) = opened();
    let predictions = "https://api.replicate.com/v1/predictions";
    let prediction = |status: &str, metrics: &str| {
        format!(r#"{{"id":"p1","model":"me/mine","status":"{status}","error":null{metrics}}}"#)
    };
    let begun = task
        .record_response(&post(predictions, &prediction("starting", "")))
        .unwrap();
    assert_eq!(begun.cost_usd, None);
    let poll = format!("{predictions}/p1");
    let done = prediction("succeeded", r#","metrics":{"predict_time":2.5}"#);
    let event = task.record_response(&get(&poll, &done)).unwrap();
    assert_eq!(event.usage.get(Unit::ComputeSeconds), Some(dec!(2.5)));
    assert_eq!(event.event_id, begun.event_id);
    assert!(task.record_response(&get(&poll, &done)).is_none());
    assert_eq!(task.task().totals.event_count, 1);
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
