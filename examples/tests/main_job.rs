//! The main job does what the README says.

#![allow(clippy::unwrap_used, reason = "a test may stop")]

use std::path::Path;
use std::process::Command;

use dexcost::buffer::{BufferReader, TaskFilter};
use dexcost::report::{By, Report, ReportQuery};
use dexcost::{Sum, TaskStatus};

/// Runs the demo and gives what it printed.
fn demo(folder: &Path, arguments: &[&str]) -> String {
    let buffer = folder.join("buffer.sqlite3");
    let output = Command::new(env!("CARGO_BIN_EXE_demo"))
        .args(arguments)
        .arg("--buffer")
        .arg(buffer)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn report(folder: &Path, by: By) -> Report {
    let reader = BufferReader::open(folder.join("buffer.sqlite3")).unwrap();
    Report::read(&reader, &ReportQuery::by(by)).unwrap()
}

#[test]
fn a_day_of_three_customers_ends_with_what_each_of_them_cost() {
    let folder = tempfile::tempdir().unwrap();
    let text = demo(folder.path(), &[]);
    for expected in [
        "acme-corp",
        "globex",
        "initech",
        "post_tickets_id_resolve",
        "dexcost show",
    ] {
        assert!(text.contains(expected), "{expected} is missing in:\n{text}");
    }
    let report = report(folder.path(), By::Customer);
    assert_eq!(report.rows.len(), 3);
    let mut sum = Sum::ZERO;
    report.rows.iter().for_each(|row| sum.merge(&row.total_cost_usd));
    assert_eq!(sum, report.total.total_cost_usd, "the rows add up to the total");
    assert!(!sum.is_zero());
    assert_eq!(report.total.unknown_cost_events, 0, "every model has a price");
    assert!(report.total.retries > 0);
    assert!(report.total.cached_tokens > 0);
}

#[test]
fn the_day_shows_failure_cancellation_and_a_session() {
    let folder = tempfile::tempdir().unwrap();
    demo(folder.path(), &[]);
    let reader = BufferReader::open(folder.path().join("buffer.sqlite3")).unwrap();
    let everything = TaskFilter {
        limit: 10_000,
        ..Default::default()
    };
    let tasks = reader.tasks(&everything).unwrap();
    let of_type = |name: &'static str| tasks.iter().filter(move |task| task.task_type == *name);
    assert_eq!(of_type("nightly_digest").count(), 1);
    assert!(tasks.iter().all(|task| task.status != TaskStatus::Pending));
    let cancelled = of_type("post_chat").filter(|task| task.metadata.get("_ended_by").is_some());
    assert!(cancelled.count() > 0, "callers who lost patience");
    let failed = of_type("post_tickets_id_resolve").filter(|task| task.status == TaskStatus::Failed);
    assert_eq!(failed.count(), 3, "one unlucky ticket for each customer");
}

#[test]
fn with_a_file_of_recordings_the_provider_answers_with_those() {
    let folder = tempfile::tempdir().unwrap();
    let reply = br#"{"id":"x","object":"chat.completion","model":"gpt-4o-2024-08-06","choices":[{"index":0,"message":{"role":"assistant","content":"ok"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}}"#;
    let recording = serde_json::json!({
        "id": "0000000000000001", "source_repo": "ours/fixture", "endpoint": "chat_completions",
        "method": "POST", "url": "https://api.openai.com/v1/chat/completions",
        "request_headers": [["content-type", "application/json"]],
        "request_body": r#"{"model":"gpt-4o","messages":[]}"#, "request_body_encoding": "utf8",
        "status": 200, "response_headers": [["content-type", "application/json"], ["content-length", "1"]],
        "response_body_b64": base64(reply), "response_body_encoding": "identity",
    });
    let file = folder.path().join("traffic.jsonl");
    std::fs::write(&file, format!("{recording}\n\n")).unwrap();
    let text = demo(folder.path(), &[file.to_str().unwrap()]);
    assert!(text.contains("ours/fixture"), "{text}");
    let report = report(folder.path(), By::Model);
    assert_eq!(report.rows.len(), 1);
    assert_eq!((report.total.input_tokens, report.total.output_tokens), (7, 2));
    // 7 x $2.50 and 2 x $10 a million.
    assert_eq!(report.total.total_cost_usd.to_string(), "0.0000375");
}

#[test]
fn a_line_that_is_no_recording_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("traffic.jsonl");
    std::fs::write(&file, "{}\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_demo"))
        .arg(&file)
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("traffic.jsonl, line 1"), "{said}");
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group
            .iter()
            .fold(0_u32, |bits, byte| (bits << 8) | u32::from(*byte))
            << (8 * (3 - group.len()));
        for at in 0..=group.len() {
            text.push(char::from(ALPHABET[(bits >> (18 - 6 * at)) as usize & 63]));
        }
    }
    text
}
