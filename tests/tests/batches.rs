//! Batches of calls: made here or elsewhere, fetched once or often, each request is on the ledger once.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dexcost::buffer::{BufferReader, TaskFilter};
use dexcost::capture::RequestFacts;
use dexcost::report::{By, Report, ReportQuery};
use dexcost::testing::MemorySink;
use dexcost::{
    Config, CostTracker, Decimal, Ending, Observation, Task, TaskFutureExt, TaskOptions, TaskStatus,
    TrackedTask, dec,
};
use dexcost_tower::CaptureLayer;
use http_body_util::{BodyExt, Full};
use tower::{Layer, ServiceExt, service_fn};

const LONG: Duration = Duration::from_secs(60);
const BATCHES: &str = "https://api.openai.com/v1/batches";
const FILE: &str = "https://api.openai.com/v1/files/file-out/content";
const JOB: &str = r#"{"id":"batch_1","object":"batch","status":"completed","output_file_id":"file-out","error_file_id":null}"#;
/// What a line costs: half of 2.50 and of 10 US dollars per million tokens.
const LINE_USD: Decimal = dec!(0.00175);

fn line(n: usize) -> String {
    format!(
        r#"{{"id":"batch_req_{n}","custom_id":"{n}","response":{{"status_code":200,"body":{{"id":"chatcmpl-{n}","object":"chat.completion","model":"gpt-4o-2024-08-06","choices":[{{"index":0,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100}}}}}},"error":null}}"#
    ) + "\n"
}

fn lines(count: usize) -> String {
    (0..count).map(line).collect()
}

fn open(tracker: &CostTracker, task_type: &'static str, customer: &'static str) -> TrackedTask {
    let options = TaskOptions {
        customer_id: Some(customer.into()),
        ..TaskOptions::default()
    };
    tracker.start_task_sync(task_type, options).unwrap()
}

fn seen(tracker: &CostTracker, method: &str, url: &str, body: &str) -> Observation {
    let mut exchange = tracker.begin_exchange(&RequestFacts::to_url(method, url, &()));
    exchange.response(200, &());
    exchange.data(body.as_bytes());
    exchange.settle(Ending::Done)
}

fn cost(task: &TrackedTask) -> Decimal {
    task.task().totals.total_cost_usd()
}

#[test]
fn requests_fall_on_the_task_that_made_the_batch_also_when_it_has_ended() {
    let tracker = MemorySink::new().tracker();
    let maker = open(&tracker, "translate", "acme");
    let made = r#"{"id":"batch_1","object":"batch","status":"validating","output_file_id":null}"#;
    tracker.record_observation(Some(&maker), seen(&tracker, "POST", BATCHES, made), None);
    maker.end_blocking(TaskStatus::Success).unwrap();

    let other = open(&tracker, "collect", "initech");
    let poll = seen(&tracker, "GET", &format!("{BATCHES}/batch_1"), JOB);
    tracker.record_observation(Some(&other), poll, None);
    for _ in 0..2 {
        let download = seen(&tracker, "GET", FILE, &lines(3));
        tracker.record_observation(Some(&other), download, None);
    }
    assert_eq!(cost(&maker), LINE_USD * dec!(3));
    assert_eq!(cost(&other), Decimal::ZERO);
    assert_eq!(maker.task().totals.event_count, 3);
}

#[test]
fn requests_of_a_batch_from_elsewhere_go_to_a_session_for_the_same_customer() {
    let sink = MemorySink::new();
    let tracker = sink.tracker();
    let task = open(&tracker, "collect", "acme");
    let download = seen(&tracker, "GET", FILE, &lines(2));
    tracker.record_observation(Some(&task), download, None);
    assert_eq!(cost(&task), Decimal::ZERO);
    tracker.sessions().close_all();
    let ended = sink.ended();
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0].attribution.customer_id.as_deref(), Some("acme"));
    assert_eq!(ended[0].totals.total_cost_usd(), LINE_USD * dec!(2));
}

#[test]
fn what_the_sink_refuses_is_counted_when_it_is_shown_again() {
    let sink = MemorySink::new();
    let tracker = sink.tracker();
    let batch = |count| *seen(&tracker, "GET", FILE, &lines(count)).batch.unwrap();
    sink.refuse(Some(dexcost::Refusal::QueueFull));
    assert_eq!(tracker.record_batch(None, batch(2)), 2);
    sink.refuse(None);
    assert_eq!(tracker.record_batch(None, batch(2)), 2);
    assert_eq!(tracker.record_batch(None, batch(2)), 0);
    assert_eq!(sink.events().len(), 2);
}

#[tokio::test]
async fn a_long_download_is_recorded_while_it_comes() {
    let sink = MemorySink::new();
    let tracker = sink.tracker();
    let task = open(&tracker, "collect", "acme");
    let inner = service_fn(|_: http::Request<Full<Bytes>>| async {
        let body = http_body_util::StreamBody::new(futures_util::stream::iter(
            (0..5).map(|n| Ok::<_, Infallible>(http_body::Frame::data(Bytes::from(line(n))))),
        ));
        Ok::<_, Infallible>(http::Response::new(body))
    });
    let layer = CaptureLayer::new().tracker(tracker.clone());
    let request = http::Request::get(FILE).body(Full::default()).unwrap();
    async {
        let mut body = layer.layer(inner).oneshot(request).await.unwrap().into_body();
        for n in 1..=5 {
            body.frame().await.unwrap().unwrap();
            assert_eq!(sink.events().len(), n);
        }
        assert!(body.frame().await.is_none());
    }
    .in_task(&task)
    .await;
    assert_eq!(sink.events().len(), 5, "and not again at its end");
}

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("buffer.sqlite3")
    }

    fn tracker(&self) -> CostTracker {
        let config = Config {
            buffer_path: Some(self.path()),
            ..Config::default()
        };
        CostTracker::new(config).unwrap()
    }

    /// The tasks of the file; their sums are those of the report.
    fn tasks(&self) -> Vec<Arc<Task>> {
        let reader = BufferReader::open(self.path()).unwrap();
        reader.check().unwrap();
        let total = Report::read(&reader, &ReportQuery::by(By::Model)).unwrap().total;
        let tasks = reader.tasks(&TaskFilter::default()).unwrap();
        let sum: Decimal = tasks.iter().map(|task| task.totals.total_cost_usd()).sum();
        assert_eq!(sum.normalize().to_string(), total.total_cost_usd.to_string());
        tasks.into_iter().map(Arc::new).collect()
    }
}

#[test]
fn two_processes_that_fetch_the_same_results_have_them_on_the_ledger_once() {
    let place = Place::new();
    // Two trackers on one file know of each other what two processes do; then a restart.
    let (first, second) = (place.tracker(), place.tracker());
    let tasks = [open(&first, "collect", "acme"), open(&second, "collect", "acme")];
    for (tracker, task) in [&first, &second].into_iter().zip(&tasks) {
        task.record_cost("search", dec!(1)).unwrap();
        task.record_observation(seen(tracker, "GET", FILE, &lines(40)), None);
    }
    for task in &tasks {
        assert_eq!(cost(task), dec!(1) + LINE_USD * dec!(40));
        task.end_blocking(TaskStatus::Success).unwrap();
    }
    first.close(LONG).unwrap();
    second.close(LONG).unwrap();
    let third = place.tracker();
    third.record_observation(None, seen(&third, "GET", FILE, &lines(41)), None);
    third.close(LONG).unwrap();

    let tasks = place.tasks();
    assert_eq!(tasks.len(), 3);
    let total: Decimal = tasks.iter().map(|task| task.totals.total_cost_usd()).sum();
    assert_eq!(total, dec!(2) + LINE_USD * dec!(41));
    let events: u64 = tasks.iter().map(|task| task.totals.event_count).sum();
    assert_eq!(events, 2 + 41);
}

#[test]
fn what_comes_after_a_repeat_on_the_same_task_is_counted_as_ever() {
    let place = Place::new();
    let first = place.tracker();
    first.record_observation(None, seen(&first, "GET", FILE, &lines(3)), None);
    first.close(LONG).unwrap();
    let second = place.tracker();
    let task = open(&second, "collect", "acme");
    task.record_observation(seen(&second, "GET", FILE, &lines(3)), None);
    task.end_blocking(TaskStatus::Success).unwrap();
    task.record_cost("late", dec!(0.5)).unwrap();
    second.close(LONG).unwrap();
    let tasks = place.tasks();
    let task = tasks.iter().find(|task| task.task_type == "collect").unwrap();
    assert_eq!(task.totals.total_cost_usd(), dec!(0.5));
    assert_eq!(task.totals.event_count, 1);
}
