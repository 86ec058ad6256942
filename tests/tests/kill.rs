//! `kill -9` at any moment: what was promised is there, what was open is closed as interrupted, and a
//! living sibling's tasks are left alone.
//!
//! The child is this very binary, told by its environment to record under load. `DEXCOST_KILL_ROUNDS`
//! says how often it is killed; the acceptance run uses 200.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test")]

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use dexcost::buffer::{BufferReader, TaskFilter};
use dexcost::report::{By, Report, ReportQuery};
use dexcost::*;

const CHILD: &str = "DEXCOST_KILL_CHILD";
const ROUNDS: &str = "DEXCOST_KILL_ROUNDS";
const LONG: Duration = Duration::from_secs(60);

/// Nothing by itself: the process that is killed.
#[test]
fn child() {
    let Ok(path) = std::env::var(CHILD) else { return };
    let tracker = tracker(Path::new(&path));
    tracker.flush_blocking(LONG).unwrap();
    say("ready");
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let tracker = &tracker;
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                for n in 0u32.. {
                    runtime.block_on(work(tracker, n * 4 + thread));
                }
            });
        }
    });
}

fn tracker(path: &Path) -> CostTracker {
    CostTracker::new(Config {
        buffer_path: Some(path.to_owned()),
        ..Config::default()
    })
    .unwrap()
}

/// One line in one write, so that a line that ends is a whole one.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("\n{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// Runs a task; of most, says so once its end has returned.
async fn work(tracker: &CostTracker, n: u32) {
    let options = TaskOptions {
        customer_id: Some(format!("customer-{}", n % 7)),
        ..TaskOptions::default()
    };
    let task = tracker.start_task("resolve_ticket", options).await.unwrap();
    for call in 0..n % 23 {
        record(&task, call);
        if n.is_multiple_of(3) && call % 4 == 1 {
            // So that some tasks are on the disk while they run.
            let _ = tracker.flush().await;
        }
    }
    match n % 5 {
        4 => task.finish(TaskStatus::Success).unwrap(),
        3 => {
            task.end_blocking(TaskStatus::Success).unwrap();
            promise(&task);
        }
        _ => {
            task.end(TaskStatus::Success).await.unwrap();
            promise(&task);
        }
    }
}

/// One of everything that can be recorded.
fn record(task: &TaskHandle, call: u32) {
    let llm = LlmCall::new("openai", "gpt-4o", u64::from(call) * 37 + 1, 5);
    match call % 6 {
        0 => drop(
            task.record_cost("maps", Decimal::new(i64::from(call) + 1, 9))
                .unwrap(),
        ),
        3 => drop(task.mark_retry("timeout")),
        4 => drop(task.mark_not_retry(None)),
        5 => task.link_trace("langfuse", "trace"),
        _ => drop(task.record_llm_call(llm).unwrap()),
    }
}

fn promise(task: &TaskHandle) {
    let totals = task.task().totals;
    let (id, cost) = (task.task_id(), totals.total_cost_usd());
    say(&format!("promised {id} {} {cost}", totals.event_count));
}

/// What the child promised: events and cost by task.
type Promises = HashMap<TaskId, (u64, Decimal)>;

#[test]
fn whatever_moment_a_process_is_killed_at_what_it_promised_is_complete() {
    let rounds: u32 = std::env::var(ROUNDS)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(12);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("buffer.sqlite3");
    let sibling = tracker(&path);
    let open = sibling
        .start_task_sync("sibling", TaskOptions::default())
        .unwrap();
    sibling.flush_blocking(LONG).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();

    let began = open.task().started_at.unix_micros();
    let mut random = Random(u64::from(std::process::id()) << 20 | u64::from(began as u32));
    println!("rounds: {rounds}, seed: {}", random.0);
    let mut promised = Promises::new();
    for round in 0..rounds {
        let until = Duration::from_micros(random.next() % 120_000);
        let fresh = kill_after(&path, until);
        runtime.block_on(work(&sibling, round));
        sibling.flush_blocking(LONG).unwrap();
        recover(&path);
        let reader = BufferReader::open(&path).unwrap();
        check_promises(&reader, &fresh);
        check_status(&reader, &open.task());
        promised.extend(fresh);
    }
    let reader = BufferReader::open(&path).unwrap();
    check_promises(&reader, &promised);
    check_everything(&reader, &promised, rounds);
    reader.check().unwrap();
    println!("promised: {}, {:?}", promised.len(), reader.status().unwrap());
}

/// Runs a child, kills it after a while and returns what it had promised by then.
fn kill_after(path: &Path, until: Duration) -> Promises {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = lines(&mut child);
    let mut log: Vec<String> = Vec::new();
    while log.last().is_none_or(|line| line != "ready") {
        log.push(lines.recv_timeout(LONG).unwrap());
    }
    let end = Instant::now() + until;
    loop {
        match lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(line) => log.push(line),
            Err(RecvTimeoutError::Timeout) => break,
            Err(RecvTimeoutError::Disconnected) => panic!("the child ended by itself"),
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    log.extend(lines);
    log.iter().filter_map(|line| promised(line)).collect()
}

fn lines(child: &mut Child) -> Receiver<String> {
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        while out.read_line(&mut line).is_ok_and(|read| read > 0) {
            if line.ends_with('\n') && sender.send(line.trim().to_owned()).is_err() {
                return;
            }
            line.clear();
        }
    });
    receiver
}

fn promised(line: &str) -> Option<(TaskId, (u64, Decimal))> {
    let mut words = line.strip_prefix("promised ")?.split(' ');
    let mut next = || words.next().unwrap();
    Some((
        next().parse().unwrap(),
        (next().parse().unwrap(), next().parse().unwrap()),
    ))
}

/// A new writer comes and goes; what the dead one left is closed before its first commit.
fn recover(path: &Path) {
    let tracker = tracker(path);
    tracker.flush_blocking(LONG).unwrap();
    tracker.close(LONG).unwrap();
}

fn check_promises(reader: &BufferReader, promised: &Promises) {
    for (id, (count, cost)) in promised {
        let task = reader
            .task(*id)
            .unwrap()
            .unwrap_or_else(|| panic!("{id} is gone"));
        assert_eq!(task.status, TaskStatus::Success, "{id}");
        check_task(reader, &task);
        assert_eq!(
            (task.totals.event_count, task.totals.total_cost_usd()),
            (*count, *cost),
            "{id}"
        );
    }
}

/// The sums of a task are those of its events.
fn check_task(reader: &BufferReader, task: &Task) {
    let mut totals = Totals::default();
    for event in reader.events(task.task_id).unwrap() {
        totals.add(&event);
    }
    assert_eq!(task.totals, totals, "{}", task.task_id);
}

fn check_status(reader: &BufferReader, open: &Task) {
    let status = reader.status().unwrap();
    assert_eq!(
        status.tasks.pending, 1,
        "only the sibling's task is open: {status:?}"
    );
    assert_eq!(reader.task(open.task_id).unwrap().unwrap(), *open);
    assert_eq!(status.tasks.failed, status.interrupted, "{status:?}");
    assert_eq!((status.owners_alive, status.owners_dead), (1, 0), "{status:?}");
    assert_eq!(status.losses, []);
    let total = Report::read(reader, &ReportQuery::by(By::Customer))
        .unwrap()
        .total;
    assert_eq!(total.events, status.events);
    assert_eq!(total.failed_tasks, Some(status.tasks.failed));
    let tasks = status.tasks.success + status.tasks.failed + status.tasks.pending;
    assert_eq!((total.tasks, status.tasks.stubs), (Some(tasks), 0));
}

fn check_everything(reader: &BufferReader, promised: &Promises, rounds: u32) {
    let everything = TaskFilter {
        limit: usize::MAX,
        ..TaskFilter::default()
    };
    let tasks = reader.tasks(&everything).unwrap();
    let status = reader.status().unwrap();
    let mut cost = Sum::ZERO;
    let mut interrupted = 0;
    for task in &tasks {
        if task.status == TaskStatus::Failed {
            assert_eq!(task.metadata["_ended_by"], "interrupted");
            assert!(!promised.contains_key(&task.task_id));
            interrupted += 1;
        }
        if task.status != TaskStatus::Pending {
            check_task(reader, task);
        }
        cost.add(task.totals.total_cost_usd());
    }
    assert_eq!(interrupted, status.interrupted);
    assert!(
        interrupted > 0 || rounds < 5,
        "nothing was interrupted, so nothing was tried"
    );
    // A task may have been committed while its promise was still on its way.
    assert!(status.tasks.success >= promised.len() as u64);
    assert_eq!(
        tasks.iter().map(|task| task.totals.event_count).sum::<u64>(),
        status.events
    );
    assert_eq!(
        Report::read(reader, &ReportQuery::by(By::Day))
            .unwrap()
            .total
            .total_cost_usd,
        cost
    );
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
