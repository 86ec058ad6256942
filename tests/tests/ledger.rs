//! What lands on a task's ledger: models, priced services, traffic, each exchange once.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use dexcost::testing::MemorySink;
use dexcost::{
    CostConfidence, CostTracker, Decimal, Event, EventType, PricingSource, ReceivedResponse, TaskOptions,
    TrackedTask, Unit, dec,
};

fn opened() -> (Arc<MemorySink>, CostTracker, TrackedTask) {
    let sink = MemorySink::new();
    let tracker = sink.tracker();
    let task = tracker.start_task_sync("ledger", TaskOptions::default()).unwrap();
    (sink, tracker, task)
}

fn get<'a>(url: &'a str, status: u16, body: &'a [u8]) -> ReceivedResponse<'a> {
    ReceivedResponse::new("", url, status, &(), body).method("GET")
}

fn post<'a>(url: &'a str, status: u16, body: &'a [u8]) -> ReceivedResponse<'a> {
    ReceivedResponse::new("", url, status, &(), body)
}

fn amount(event: &Event) -> (Option<Decimal>, CostConfidence, PricingSource) {
    (event.cost_usd, event.cost_confidence, event.pricing_source)
}

const CHAT: &str = "https://api.openai.com/v1/chat/completions";
const REPLY: &[u8] =
    br#"{"object":"chat.completion","model":"gpt-4o","usage":{"prompt_tokens":800,"completion_tokens":150,"total_tokens":950}}"#;
const SEARCH: &str = "https://api.tavily.com/search";

#[test]
fn a_priced_service_is_an_external_cost_with_its_quantity_and_lines() {
    let (_sink, _tracker, task) = opened();
    let body = br#"{"results":[],"usage":{"credits":2}}"#;
    let event = task.record_response(&post(SEARCH, 200, body)).unwrap();
    assert_eq!(event.event_type, EventType::ExternalCost);
    assert_eq!(event.service_name.as_deref(), Some("tavily_search"));
    assert_eq!(
        amount(&event),
        (
            Some(dec!(0.016)),
            CostConfidence::Computed,
            PricingSource::ServiceCatalog
        )
    );
    let lines = event.details.as_ref().unwrap().get("lines").unwrap();
    assert_eq!(lines[0]["quantity"], "2");
    assert_eq!(task.task().totals.external_cost_usd, dec!(0.016));
}

#[test]
fn a_registered_domain_rate_wins_and_a_failed_call_costs_nothing() {
    let (_sink, tracker, task) = opened();
    tracker
        .register_domain_rate("api.tavily.com", "0.01", "request")
        .unwrap();
    let event = task.record_response(&post(SEARCH, 200, b"{}")).unwrap();
    assert_eq!(event.cost_usd, Some(dec!(0.01)));
    assert_eq!(event.pricing_source, PricingSource::RateRegistry);
    let failed = task.record_response(&post(SEARCH, 500, b"{}")).unwrap();
    assert_eq!(
        failed.event_type,
        EventType::Network,
        "it is only a failed exchange"
    );
    assert_eq!(task.task().totals.external_cost_usd, dec!(0.01));
}

#[test]
fn a_host_with_models_and_services_is_split_by_path() {
    let (_sink, _tracker, task) = opened();
    let search = task
        .record_response(&post("https://api.perplexity.ai/search", 200, b"{}"))
        .unwrap();
    assert_eq!(search.event_type, EventType::ExternalCost);
    let chat = task
        .record_response(&post(
            "https://api.perplexity.ai/chat/completions",
            200,
            br#"{"model":"sonar","usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7,"cost":{"total_cost":0.006}}}"#,
        ))
        .unwrap();
    assert_eq!(chat.event_type, EventType::LlmCall);
    assert_eq!(chat.cost_usd, Some(dec!(0.006)));
}

#[test]
fn a_provider_that_is_switched_off_is_only_traffic() {
    let (sink, tracker, task) = opened();
    assert!(tracker.uninstrument("openai").unwrap());
    assert!(task.record_response(&post(CHAT, 200, REPLY)).is_none());
    assert_eq!(task.task().totals.network_call_count, 1);
    tracker.instrument("openai").unwrap();
    assert!(task.record_response(&post(CHAT, 200, REPLY)).is_some());
    assert_eq!(sink.events().len(), 1);
}

#[test]
fn without_track_http_only_models_are_seen() {
    let (_sink, tracker, task) = opened();
    tracker.set_track_http(false);
    assert!(task.record_response(&post(SEARCH, 200, b"{}")).is_none());
    assert!(task.record_response(&post(CHAT, 200, REPLY)).is_some());
    let totals = task.task().totals;
    assert_eq!(
        (totals.network_call_count, totals.external_cost_usd),
        (1, dec!(0))
    );
}

#[test]
fn a_large_or_failed_exchange_is_an_event_and_a_small_one_only_counts() {
    let (_sink, _tracker, task) = opened();
    let page = "https://example.com/page";
    assert!(task.record_response(&get(page, 200, b"small")).is_none());
    let large = vec![b'x'; 102_400];
    let event = task.record_response(&get(page, 200, &large)).unwrap();
    assert_eq!(event.event_type, EventType::Network);
    assert_eq!(event.service_name.as_deref(), Some("example.com"));
    assert!(event.usage.count(Unit::IngressBytes) > 102_400);
    assert!(event.usage.count(Unit::EgressBytes) > 20);
    assert_eq!(event.cost_usd, None, "nobody knows which cloud sends the bill");
    let missing = task.record_response(&get(page, 404, b"")).unwrap();
    assert_eq!(missing.details.as_ref().unwrap()["http_status"], 404);
    let totals = task.task().totals;
    assert_eq!(totals.network_call_count, 3);
    assert_eq!(totals.network_by_host["example.com"].calls, 3);
    assert_eq!(
        totals.network_bytes_in,
        totals.network_by_host["example.com"].bytes_in
    );
}

#[test]
fn what_stays_in_the_private_network_is_free() {
    let (_sink, _tracker, task) = opened();
    let event = task
        .record_response(&get("http://10.0.0.7:8000/x", 500, b""))
        .unwrap();
    assert_eq!(
        (event.cost_usd, event.cost_confidence),
        (Some(dec!(0)), CostConfidence::Computed)
    );
    assert_eq!(task.task().totals.unknown_cost_count, 0);
}

#[test]
fn traffic_alone_opens_no_session_and_a_priced_service_does() {
    let sink = MemorySink::new();
    let tracker = sink.tracker();
    let large = vec![b'x'; 200_000];
    assert!(
        tracker
            .record_response(&get("https://example.com/", 200, &large))
            .is_none()
    );
    assert_eq!(tracker.sessions().open_count(), 0);
    assert!(tracker.record_response(&post(SEARCH, 200, b"{}")).is_some());
    assert_eq!(tracker.sessions().open_count(), 1);
}

#[test]
fn a_job_that_is_polled_counts_once() {
    let (_sink, _tracker, task) = opened();
    let poll = "https://api.apify.com/v2/actor-runs/run1";
    let body = br#"{"data":{"id":"run1","status":"SUCCEEDED","finishedAt":"2026-11-01T00:00:00Z","usageTotalUsd":0.25}}"#;
    let first = task.record_response(&get(poll, 200, body)).unwrap();
    assert_eq!(first.cost_usd, Some(dec!(0.25)));
    assert!(task.record_response(&get(poll, 200, body)).is_none());
    assert_eq!(task.task().totals.external_cost_usd, dec!(0.25));
}

#[test]
fn hosts_beyond_the_largest_twenty_are_one() {
    let (_sink, _tracker, task) = opened();
    for host in 0..30 {
        let (url, body) = (format!("https://h{host:02}.example/"), vec![0; host]);
        task.record_response(&get(&url, 200, &body));
    }
    let totals = task.task().totals;
    assert_eq!(totals.network_by_host.len(), 21);
    assert_eq!(totals.network_by_host["_other"].calls, 10);
}
