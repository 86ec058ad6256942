//! What keeping costs: hand-over, durable rate beside raw SQLite, reports.
//!
//! `cargo bench -p dexcost --bench buffer [-- PART…] [large]`; parts are `put`, `burst`, `durable`,
//! `report` (beside a bare read of the rollups). `large` reads the report over ten million events too, which takes a while to generate.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::float_arithmetic,
    reason = "a bench prints figures and may stop"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dexcost::buffer::{Buffer, BufferOptions, BufferReader};
use dexcost::report::{By, Report, ReportQuery};
use dexcost::*;
use rusqlite::{Connection, params};

const LONG: Duration = Duration::from_secs(600);
const BATCH: usize = 8_000;
const START: i64 = 1_795_305_600_000_000;

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with("--"))
        .collect();
    let parts: Vec<&str> = arguments
        .iter()
        .map(String::as_str)
        .filter(|a| *a != "large")
        .collect();
    let large = arguments.iter().any(|a| a == "large");
    let wanted = |part: &str| parts.is_empty() || parts.contains(&part);
    println!(
        "{:<52} {:>14} {:>14} {:>8}",
        "operation", "ours", "baseline", "ratio"
    );
    if wanted("put") {
        put();
    }
    if wanted("burst") {
        burst();
    }
    if wanted("durable") {
        durable("durable events/s", plain_event);
        durable("durable events/s, with call facts", rich_event);
    }
    if wanted("report") {
        report(200_000);
        if large {
            report(10_000_000);
        }
    }
}

fn line(name: &str, ours: &str, baseline: &str, ratio: &str) {
    println!("{name:<52} {ours:>14} {baseline:>14} {ratio:>8}");
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn open(path: &Path, queue: usize) -> Buffer {
    let buffer = Buffer::open(BufferOptions::at(path).queue_bytes(queue).keep(None)).unwrap();
    buffer.commit().wait(LONG).unwrap();
    buffer
}

fn plain_event(task: TaskId, n: usize) -> Event {
    let at = Timestamp::from_unix_micros(START + n as i64 * 40);
    Event {
        event_id: EventId::at(at),
        task_id: task,
        event_type: EventType::LlmCall,
        occurred_at: at,
        cost_usd: Some(Decimal::from_i128_with_scale(4_125 + (n % 977) as i128, 7)),
        cost_confidence: CostConfidence::Computed,
        pricing_source: PricingSource::Litellm,
        pricing_version: Some("2026-11-20".into()),
        service_name: None,
        provider: Some(["openai", "anthropic", "google"][n % 3].into()),
        model: Some(["gpt-4o-mini", "claude-sonnet-4-5", "gemini-2.5-flash"][n % 3].into()),
        usage: Usage::new()
            .with(Unit::InputTokens, 1_200 + (n % 500) as u64)
            .with(Unit::OutputTokens, 250)
            .with(Unit::CacheReadTokens, 800),
        latency_ms: Some(900 + (n % 300) as u64),
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

fn rich_event(task: TaskId, n: usize) -> Event {
    Event {
        call: Some(Box::new(CallFacts {
            model_requested: Some("gpt-4o-mini".into()),
            model_returned: Some("gpt-4o-mini-2024-07-18".into()),
            matched: Some("gpt-4o-mini".into()),
            rung: Some("exact".into()),
            finish: Some("stop".into()),
            response_id: Some("chatcmpl-BvN2dKq8ZrT1uYx0WcEfGhIjKlMn".into()),
            host: Some("api.openai.com".into()),
            streamed: true,
            ..CallFacts::default()
        })),
        ..plain_event(task, n)
    }
}

fn task(n: usize) -> Task {
    let at = Timestamp::from_unix_micros(START);
    Task {
        task_id: TaskId::at(at),
        task_type: ["resolve_ticket", "summarise", "triage"][n % 3].into(),
        status: TaskStatus::Pending,
        started_at: at,
        ended_at: None,
        attribution: Attribution {
            customer_id: Some(format!("customer-{}", n % 20).into()),
            ..Attribution::default()
        },
        parent_task_id: None,
        metadata: serde_json::Map::new(),
        totals: Totals::default(),
        revision: 1,
    }
}

/// Events of 64 tasks in turn.
fn events(count: usize, make: fn(TaskId, usize) -> Event) -> (Vec<Task>, Vec<Arc<Event>>) {
    let tasks: Vec<Task> = (0..64).map(task).collect();
    let events = (0..count)
        .map(|n| Arc::new(make(tasks[n % 64].task_id, n)))
        .collect();
    (tasks, events)
}

fn put() {
    let folder = folder();
    let buffer = open(&folder.path().join("b.sqlite3"), 512 << 20);
    let (_, events) = events(200_000, plain_event);
    let mut times: Vec<u64> = Vec::with_capacity(events.len());
    let all = Instant::now();
    for (n, event) in events.into_iter().enumerate() {
        let start = Instant::now();
        buffer.put(Record::Event(event)).unwrap();
        times.push(start.elapsed().as_nanos() as u64);
        // About the pace at which a busy service records; a burst is another row.
        if n % 64 == 0 {
            while all.elapsed() < Duration::from_nanos(n as u64 * 4_000) {
                std::hint::spin_loop();
            }
        }
    }
    times.sort_unstable();
    let at = |share: f64| format!("{} ns", times[(times.len() as f64 * share) as usize]);
    let mut clock: Vec<u64> = (0..10_000)
        .map(|_| Instant::now().elapsed().as_nanos() as u64)
        .collect();
    clock.sort_unstable();
    let floor = format!("{} ns", clock[5_000]);
    line(
        "put, writer at work, p50 (baseline: reading the clock)",
        &at(0.5),
        &floor,
        "",
    );
    line(
        "put, writer at work, p99",
        &at(0.99),
        &format!("{} ns", clock[9_900]),
        "",
    );
}

fn burst() {
    let folder = folder();
    let buffer = open(&folder.path().join("b.sqlite3"), 512 << 20);
    let per_task = 6_000;
    let tasks: Vec<Task> = (0..64).map(task).collect();
    let made: Vec<Vec<Arc<Event>>> = tasks
        .iter()
        .map(|t| {
            (0..per_task)
                .map(|n| Arc::new(plain_event(t.task_id, n)))
                .collect()
        })
        .collect();
    let start = Instant::now();
    std::thread::scope(|scope| {
        for events in made {
            scope.spawn(|| {
                for event in events {
                    buffer.put(Record::Event(event)).unwrap();
                }
            });
        }
    });
    let rate = (64 * per_task) as f64 / start.elapsed().as_secs_f64();
    buffer.commit().wait(LONG).unwrap();
    let lost: u64 = buffer.losses().iter().map(|loss| loss.count).sum();
    line(
        "64 tasks, one thread each, burst, hand-overs/s",
        &format!("{:.2} M", rate / 1e6),
        "",
        "",
    );
    line("  lost", &lost.to_string(), "0", "");
}

fn durable(name: &str, make: fn(TaskId, usize) -> Event) {
    let count = 400_000;
    let mut ours: Vec<f64> = Vec::new();
    let mut same: Vec<f64> = Vec::new();
    let mut lean: Vec<f64> = Vec::new();
    for _ in 0..3 {
        let (path, folder) = {
            let f = folder();
            (f.path().join("b.sqlite3"), f)
        };
        ours.push(ours_durable(&path, count, make));
        lean.push(raw(&folder.path().join("lean.sqlite3"), &path, count, false));
        same.push(raw(&folder.path().join("same.sqlite3"), &path, count, true));
    }
    let middle = |rates: &mut Vec<f64>| {
        rates.sort_by(f64::total_cmp);
        rates[rates.len() / 2]
    };
    let (ours, lean, same) = (middle(&mut ours), middle(&mut lean), middle(&mut same));
    let kilo = |rate: f64| format!("{:.0} k", rate / 1e3);
    line(
        name,
        &kilo(ours),
        &kilo(lean),
        &format!("{:.0} %", 100.0 * ours / lean),
    );
    line(
        "  beside raw rusqlite with an index by id as well",
        &kilo(ours),
        &kilo(same),
        &format!("{:.0} %", 100.0 * ours / same),
    );
}

fn ours_durable(path: &Path, count: usize, make: fn(TaskId, usize) -> Event) -> f64 {
    let buffer = open(path, 2 << 30);
    let tasks: Vec<Task> = (0..64).map(task).collect();
    for task in &tasks {
        buffer.put(Record::TaskStarted(Arc::new(task.clone()))).unwrap();
    }
    buffer.commit().wait(LONG).unwrap();
    // As in life, events are made while the writer is at work: one batch ahead of it.
    let start = Instant::now();
    let mut behind = None;
    for batch in 0..count / BATCH {
        for n in batch * BATCH..(batch + 1) * BATCH {
            let event = Arc::new(make(tasks[n % 64].task_id, n));
            buffer.put(Record::Event(event)).unwrap();
        }
        let commit = buffer.commit();
        if let Some(last) = behind.replace(commit) {
            last.wait(LONG).unwrap();
        }
    }
    buffer.commit().wait(LONG).unwrap();
    let rate = count as f64 / start.elapsed().as_secs_f64();
    assert!(buffer.losses().is_empty());
    let status = BufferReader::open(path).unwrap().status().unwrap();
    assert_eq!(status.events, count as u64);
    rate
}

/// The very rows that ours wrote, by hand: prepared, 1,000 a transaction, indexed by task.
fn raw(path: &Path, ours: &Path, count: usize, by_id: bool) -> f64 {
    let source = Connection::open(ours).unwrap();
    let mut statement = source
        .prepare("SELECT e.id, t.id, e.body FROM events e JOIN tasks t USING (task)")
        .unwrap();
    let rows: Vec<([u8; 16], [u8; 16], Vec<u8>)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(rows.len(), count);
    let conn = Connection::open(path).unwrap();
    conn.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
         CREATE TABLE events (seq INTEGER PRIMARY KEY, id BLOB, task BLOB, body BLOB);
         CREATE INDEX by_task ON events (task);",
    )
    .unwrap();
    if by_id {
        conn.execute_batch("CREATE UNIQUE INDEX by_id ON events (id)")
            .unwrap();
    }
    let start = Instant::now();
    let mut insert = conn
        .prepare("INSERT INTO events (id, task, body) VALUES (?1, ?2, ?3)")
        .unwrap();
    for chunk in rows.chunks(1_000) {
        conn.execute_batch("BEGIN").unwrap();
        for (id, task, body) in chunk {
            insert.execute(params![&id[..], &task[..], &body[..]]).unwrap();
        }
        conn.execute_batch("COMMIT").unwrap();
    }
    count as f64 / start.elapsed().as_secs_f64()
}

/// Events over 30 days, 100 customers, 3 types, 3 models: 27,000 rollup rows where there are enough.
fn report(count: usize) {
    let folder = folder();
    let path = folder.path().join("b.sqlite3");
    let buffer = open(&path, 256 << 20);
    let day = 86_400_000_000;
    let tasks: Vec<Task> = (0..3_000)
        .map(|n| {
            let mut task = task(n);
            task.attribution.customer_id = Some(format!("customer-{}", n / 3 % 100).into());
            task.started_at = Timestamp::from_unix_micros(START - day * (n as i64 / 300));
            task
        })
        .collect();
    for task in &tasks {
        buffer.put(Record::TaskStarted(Arc::new(task.clone()))).unwrap();
    }
    for n in 0..count {
        let mut event = plain_event(tasks[n % tasks.len()].task_id, n / 7);
        event.occurred_at = Timestamp::from_unix_micros(START - day * (n as i64 / 5_000 % 30));
        while buffer.put(Record::Event(Arc::new(event.clone()))).is_err() {
            buffer.commit().wait(LONG).unwrap();
        }
    }
    buffer.commit().wait(LONG).unwrap();
    let bare = median(|| bare_read(&path));
    for by in [By::Customer, By::Model, By::Day] {
        let mut rows = 0;
        let took = median(|| {
            let reader = BufferReader::open(&path).unwrap();
            let report = Report::read(&reader, &ReportQuery::by(by)).unwrap();
            assert_eq!(report.total.events, count as u64);
            rows = report.rows.len();
        });
        let name = format!("report --by {by}, {count} events, {rows} rows");
        let millis = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
        let ratio = format!("{:.1} x", took.as_secs_f64() / bare.as_secs_f64());
        line(&name, &millis(took), &millis(bare), &ratio);
    }
}

/// Steps over the same rows without looking at them.
fn bare_read(path: &Path) {
    let conn = Connection::open(path).unwrap();
    let mut statement = conn.prepare("SELECT day, who, what, body FROM rollups").unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        std::hint::black_box(row.get_ref(3).unwrap());
    }
}

fn median(mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..9)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[4]
}
