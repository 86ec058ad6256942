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

use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use dexcost::buffer::BufferReader;
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
    sustained(&table, &folder);
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

/// A burst that fits the queue: 64 tasks, on as many threads as an executor would run and on one each.
fn concurrent(table: &Table, folder: &tempfile::TempDir) {
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    for (threads, name) in [(workers, "one worker per core"), (TASKS, "a thread each")] {
        let tracker = tracker(folder, &format!("burst-{threads}.sqlite"), 1 << 30);
        burst(&tracker, threads);
        let (seconds, lost) = burst(&tracker, threads);
        let rate = (TASKS * EACH) as f64 / seconds / 1e6;
        table.row(
            &format!("64 concurrent tasks, {name}: a burst, records/s in all"),
            &format!("{rate:.2} M, {lost} lost"),
            "-",
            ">= 2 M, 0 lost",
        );
        tracker.close(Duration::from_secs(60)).unwrap();
    }
}

const TASKS: usize = 64;
const EACH: usize = 2_000;

/// Seconds that the records took, and how many tasks lost any.
fn burst(tracker: &CostTracker, threads: usize) -> (f64, usize) {
    let barrier = Arc::new(Barrier::new(threads + 1));
    let workers: Vec<_> = (0..threads)
        .map(|_| {
            let (tracker, barrier) = (tracker.clone(), Arc::clone(&barrier));
            std::thread::spawn(move || {
                let open = || tracker.start_task_sync("burst", TaskOptions::default()).unwrap();
                let tasks: Vec<_> = (0..TASKS / threads).map(|_| open()).collect();
                barrier.wait();
                let begun = Instant::now();
                for _ in 0..EACH {
                    for task in &tasks {
                        task.record_llm_call(LlmCall::new("openai", "gpt-4o", 800, 150))
                            .unwrap();
                    }
                }
                (tasks, begun, Instant::now())
            })
        })
        .collect();
    barrier.wait();
    let done: Vec<_> = workers.into_iter().map(|worker| worker.join().unwrap()).collect();
    let begun = done.iter().map(|(_, begun, _)| *begun).min();
    let ended = done.iter().map(|(_, _, ended)| *ended).max();
    let seconds = ended.unwrap().duration_since(begun.unwrap()).as_secs_f64();
    let tasks = done.iter().flat_map(|(tasks, ..)| tasks);
    (
        seconds,
        tasks
            .filter(|task| task.end_blocking(TaskStatus::Success).is_err())
            .count(),
    )
}

/// As fast as it goes for two seconds, with the default queue: what the disk does not take is counted.
fn sustained(table: &Table, folder: &tempfile::TempDir) {
    let path = folder.path().join("sustained.sqlite");
    let config = Config {
        buffer_path: Some(path.clone()),
        ..Config::default()
    };
    let tracker = CostTracker::new(config).unwrap();
    let task = tracker
        .start_task_sync("sustained", TaskOptions::default())
        .unwrap();
    let (start, mut records) = (Instant::now(), 0_u64);
    while start.elapsed() < Duration::from_secs(2) {
        for _ in 0..1_000 {
            task.record_llm_call(LlmCall::new("openai", "gpt-4o", 800, 150))
                .unwrap();
        }
        records += 1_000;
    }
    let rate = records as f64 / start.elapsed().as_secs_f64() / 1e6;
    let _ = task.end_blocking(TaskStatus::Success);
    tracker.close(Duration::from_secs(60)).unwrap();
    let status = BufferReader::open(path).unwrap().status().unwrap();
    let of_events = status.losses.iter().filter(|loss| loss.kind == "event");
    let lost: u64 = of_events.map(|loss| loss.count).sum();
    assert_eq!(status.events + lost, records, "every record is kept or counted");
    let text = format!("{rate:.2} M/s, {lost} lost");
    table.row(
        "sustained on one thread, default queue: offered, lost",
        &text,
        "-",
        "counted",
    );
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
    let mut open = Vec::new();
    let spread = each(100, || {
        n += 1;
        open.push(tracker(folder, &format!("init-{n}.sqlite"), 64 << 20));
    });
    table.row("init with a new file", &ns(spread.p50), "-", "<= 0.2 ms");
    open.iter()
        .for_each(|tracker| tracker.flush_blocking(Duration::from_secs(60)).unwrap());
    let before = resident_bytes();
    let more = tracker(folder, "memory.sqlite", 64 << 20);
    let task = more.start_task_sync("t", TaskOptions::default()).unwrap();
    task.record_llm_call(LlmCall::new("openai", "gpt-4o", 800, 150))
        .unwrap();
    task.end_blocking(TaskStatus::Success).unwrap();
    let added = resident_bytes().saturating_sub(before) as f64 / f64::from(1 << 20);
    table.row(
        "memory added by one more tracker, its file open",
        &format!("{added:.2} MiB"),
        "-",
        "<= 3 MiB",
    );
}

/// Resident memory of this process; 0 where the platform does not tell.
fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split_whitespace().nth(1)?.parse::<u64>().ok());
    pages.unwrap_or(0) * 4096
}
