//! Recording, opening and ending tasks: what the caller pays.
//!
//! `cargo bench -p dexcost --bench record`

#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::float_arithmetic,
    reason = "a benchmark prints, and fails loudly"
)]

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use dexcost::{Config, CostTracker, LlmCall, TaskOptions, TaskStatus, dec};
use support::{Table, each, ns};

fn tracker(folder: &tempfile::TempDir, name: &str, queue_bytes: usize) -> CostTracker {
    let path = folder.path().join(name);
    CostTracker::new(Config {
        buffer_path: Some(path),
        queue_bytes,
        ..Config::default()
    })
    .unwrap()
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let table = Table::new("The caller's side (p50 / p99)");
    single(&table, &folder);
    concurrent(&table, &folder);
    start_and_end(&table, &folder);
    init(&table, &folder);
}

fn single(table: &Table, folder: &tempfile::TempDir) {
    let tracker = tracker(folder, "single.sqlite", 1 << 30);
    let task = tracker.start_task_sync("bench", TaskOptions::default()).unwrap();
    let clock = each(200_000, std::time::SystemTime::now);
    let llm = each(200_000, || {
        task.record_llm_call(LlmCall::new("openai", "gpt-4o", 800, 150))
            .unwrap()
    });
    let cost = each(200_000, || task.record_cost("pdf_renderer", dec!(0.002)).unwrap());
    let pair = |s: support::Spread| format!("{} / {}", ns(s.p50), ns(s.p99));
    table.row(
        "record_llm_call, priced (baseline: reading the clock)",
        &pair(llm),
        &pair(clock),
        "0.3 / 3 us",
    );
    table.row("record_cost", &pair(cost), &pair(clock), "0.3 / 3 us");
    task.end_blocking(TaskStatus::Success).unwrap();
    tracker.close(Duration::from_secs(60)).unwrap();
}

/// A burst that fits the queue: 64 tasks on as many threads.
fn concurrent(table: &Table, folder: &tempfile::TempDir) {
    const TASKS: usize = 64;
    const EACH: usize = 4_000;
    let tracker = tracker(folder, "burst.sqlite", 1 << 30);
    let barrier = Arc::new(std::sync::Barrier::new(TASKS + 1));
    let threads: Vec<_> = (0..TASKS)
        .map(|_| {
            let (tracker, barrier) = (tracker.clone(), Arc::clone(&barrier));
            std::thread::spawn(move || {
                let task = tracker.start_task_sync("burst", TaskOptions::default()).unwrap();
                barrier.wait();
                for _ in 0..EACH {
                    task.record_llm_call(LlmCall::new("openai", "gpt-4o", 800, 150))
                        .unwrap();
                }
                task
            })
        })
        .collect();
    barrier.wait();
    let start = Instant::now();
    let tasks: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    let seconds = start.elapsed().as_secs_f64();
    let lost = tasks
        .iter()
        .filter(|task| task.end_blocking(TaskStatus::Success).is_err())
        .count();
    let rate = (TASKS * EACH) as f64 / seconds / 1e6;
    table.row(
        "64 concurrent tasks, a burst that fits, records/s in all",
        &format!("{rate:.2} M, {lost} lost"),
        "-",
        ">= 2 M, 0 lost",
    );
    tracker.close(Duration::from_secs(60)).unwrap();
}

fn start_and_end(table: &Table, folder: &tempfile::TempDir) {
    let tracker = tracker(folder, "tasks.sqlite", 1 << 30);
    let spread = each(100_000, || {
        let task = tracker.start_task_sync("bench", TaskOptions::default()).unwrap();
        task.finish(TaskStatus::Success).unwrap();
    });
    table.row(
        "task start + end, not awaiting the disk",
        &ns(spread.p50),
        "-",
        "<= 1 us",
    );
    tracker.close(Duration::from_secs(60)).unwrap();
}

fn init(table: &Table, folder: &tempfile::TempDir) {
    let mut n = 0;
    let spread = each(200, || {
        n += 1;
        tracker(folder, &format!("init-{n}.sqlite"), 64 << 20)
    });
    table.row(
        "CostTracker::new with a new file",
        &ns(spread.p50),
        "-",
        "<= 0.2 ms",
    );
}
