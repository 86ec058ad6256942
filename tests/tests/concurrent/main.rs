//! Two thousand requests at once through both layers: every event on the right task, none twice, and
//! the parts equal the whole, in memory, in the file and in the report.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod upstream;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use axum::routing::post;
use bytes::Bytes;
use dexcost::buffer::{BufferReader, TaskFilter};
use dexcost::report::{By, Report, ReportQuery, ReportRow};
use dexcost::{
    Config, CostTracker, Decimal, Event, EventType, Sum, Task, TaskFutureExt, TaskStatus, Totals, dec,
};
use dexcost_tower::{CaptureLayer, CaptureService, Origin, TaskLayer};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use tower::{Layer, Service, ServiceExt};
use upstream::{Said, Upstream, What, read};

const REQUESTS: u64 = 2_000;
const CUSTOMERS: u64 = 7;
const WAIT: Duration = Duration::from_secs(60);

/// What a handler needs.
#[derive(Clone)]
struct Agent {
    client: CaptureService<Upstream>,
    /// Calls that were spawned and are not over.
    running: Arc<AtomicUsize>,
}

/// One call of a handler.
#[derive(Clone)]
struct Call {
    url: String,
    answer: &'static str,
    /// So many pieces of the reply are read before it is dropped.
    most: usize,
}

impl Agent {
    async fn make(&mut self, mark: String, call: Call) {
        let request = Request::post(&call.url)
            .header("x-mark", &mark)
            .header("x-answer", call.answer)
            .body(Full::from(format!(r#"{{"model":"asked-{mark}","stream":true}}"#)))
            .unwrap();
        let client = self.client.ready().await.unwrap();
        if let Ok(reply) = client.call(request).await {
            read(reply.into_body(), call.most).await;
        }
    }

    async fn work(mut self, number: u64) {
        for step in 0..4 + number % 3 {
            let mark = format!("{number}-{step}");
            let call = |url: &str| Call {
                url: url.replace('#', &number.to_string()),
                answer: "200",
                most: usize::MAX,
            };
            let chat = || call("https://api.openai.com/v1/chat/completions");
            let stream = || call("https://api.openai.com/v1/chat/completions?stream");
            match (number * 5 + step * 7) % 13 {
                0 => self.make(mark, chat()).await,
                1 => self.make(mark, stream()).await,
                2 => self.make(mark, call("https://api.anthropic.com/v1/messages")).await,
                3 => self.make(mark, call("https://api.anthropic.com/v1/messages?stream")).await,
                4 => self.make(mark, call("https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent")).await,
                5 => self.make(mark, call("https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse")).await,
                6 => self.make(mark, call("https://s#.service.test/v2/things")).await,
                7 => self.make(mark, call("https://h#.plain.test/a?b=c")).await,
                8 => self.make(mark, Call { answer: "500", ..call("https://h#.plain.test/a") }).await,
                9 => {
                    self.make(mark.clone(), Call { answer: "429", ..chat() }).await;
                    self.make(mark, chat()).await;
                }
                10 => self.make(mark, Call { most: 1, ..stream() }).await,
                11 => self.make(mark, Call { answer: "lost", ..chat() }).await,
                _ => self.spawned(mark, stream()).await,
            }
        }
    }

    /// Makes a call from a task of the runtime that outlives a request that is given up.
    async fn spawned(&self, mark: String, call: Call) {
        let mut agent = self.clone();
        self.running.fetch_add(1, Ordering::SeqCst);
        let work = async move {
            agent.make(mark, call).await;
            drop(agent.client);
            agent.running.fetch_sub(1, Ordering::SeqCst);
        };
        tokio::spawn(work.in_current_task()).await.unwrap();
    }
}

async fn handle(State(agent): State<Agent>, Path(number): Path<u64>) -> impl IntoResponse {
    agent.work(number).await;
    assert!(number % 29 != 7, "a handler's own trouble");
    match number % 11 {
        4 => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::OK,
    }
}

const fn is_given_up(number: u64) -> bool {
    number % 17 == 3
}

/// Sends all requests at once, and waits until nothing runs any more.
async fn send_all(tracker: &CostTracker, upstream: &Upstream) {
    let inbound = TaskLayer::new()
        .tracker(tracker.clone())
        .customer_header("x-customer")
        .metadata("number", Origin::header("x-number"));
    let running = Arc::new(AtomicUsize::new(0));
    let agent = Agent {
        client: CaptureLayer::new()
            .tracker(tracker.clone())
            .layer(upstream.clone()),
        running: Arc::clone(&running),
    };
    let app = Router::new()
        .route("/run/{number}", post(handle))
        .layer(inbound)
        .with_state(agent);
    let mut sent = Vec::new();
    for number in 0..REQUESTS {
        let request = Request::post(format!("/run/{number}"))
            .header("x-customer", format!("customer-{}", number % CUSTOMERS))
            .header("x-number", number)
            .body(axum::body::Body::from(Bytes::new()))
            .unwrap();
        let app = app.clone();
        sent.push(tokio::spawn(async move {
            let exchange = async { app.oneshot(request).await.unwrap().into_body().collect().await };
            if is_given_up(number) {
                let patience = Duration::from_micros(number % 40 * 100);
                let _given_up = tokio::time::timeout(patience, exchange).await;
            } else {
                exchange.await.unwrap();
            }
        }));
    }
    for exchange in sent {
        let _panicked_where_the_handler_did = exchange.await;
    }
    while running.load(Ordering::SeqCst) > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// What is expected of the events of one task, by what the world outside says.
fn check_task(task: &Task, events: &[Event], said: &[&Arc<Said>]) {
    let number = number_of(task);
    let of = |event_type| events.iter().filter(move |event| event.event_type == event_type);
    let mark = format!("asked-{number}-");
    for event in of(EventType::LlmCall) {
        let call = event.call.as_ref().unwrap();
        // Gemini names the model in the path.
        let is_by_path = event.provider.as_deref() == Some("gemini");
        let asked = call.model_requested.as_deref().unwrap();
        assert!(is_by_path || asked.starts_with(&*mark), "task {number}: {asked}");
        let ids = [&call.request_id, &call.response_id];
        let is_ours = |id: &str| id[2..].starts_with(&format!("{number}-"));
        assert!(
            ids.iter().all(|id| id.as_deref().is_none_or(is_ours)),
            "task {number}"
        );
        assert_eq!(event.retry_of.is_some(), event.is_retry);
        let first = event
            .retry_of
            .map(|first| events.iter().any(|event| event.event_id == first));
        assert_ne!(
            first,
            Some(false),
            "task {number}: a retry of another task's call"
        );
    }
    let services = |event: &&Event| {
        event.call.as_ref().unwrap().host.as_deref() == Some(&*format!("s{number}.service.test"))
    };
    assert!(
        of(EventType::ExternalCost).all(|event| services(&event)),
        "task {number}"
    );
    let count = |what, is_meant: fn(&Said) -> bool| {
        said.iter()
            .filter(|said| said.what == what && is_meant(said))
            .count()
    };
    assert_eq!(
        of(EventType::LlmCall).count(),
        count(What::Model, |_| true),
        "task {number}"
    );
    if is_given_up(number) {
        return;
    }
    let served = count(What::Service, |_| true);
    assert_eq!(of(EventType::ExternalCost).count(), served, "task {number}");
    assert_eq!(
        task.totals.external_cost_usd,
        dec!(0.002) * Decimal::from(served),
        "task {number}"
    );
    let failed = of(EventType::Network).filter(|event| event.service_name.as_deref() != Some("_egress"));
    assert_eq!(
        failed.count(),
        count(What::Plain, |said| said.status != Some(StatusCode::OK)),
        "task {number}"
    );
    let expected = match number {
        number if number % 29 == 7 || number % 11 == 4 => TaskStatus::Failed,
        _ => TaskStatus::Success,
    };
    assert_eq!(task.status, expected, "task {number}");
    // A stream that was dropped after its first piece has reported nothing, or only its input.
    let (input, _) = said
        .iter()
        .fold((0, 0), |sum, said| (sum.0 + said.tokens.0, sum.1 + said.tokens.1));
    let dropped = events
        .iter()
        .filter(|event| event.operation_status == dexcost::OperationStatus::Cancelled);
    let missing = dropped.count() as u64 * (number + 1);
    assert_eq!(task.totals.total_input_tokens, input - missing, "task {number}");
}

fn number_of(task: &Task) -> u64 {
    task.metadata["number"].as_str().unwrap().parse().unwrap()
}

/// The totals of a task are those of its events, and its traffic that of its exchanges.
fn check_sums(task: &Task, events: &[Event], said: &[&Arc<Said>]) {
    let mut sum = Totals::default();
    events.iter().for_each(|event| sum.add(event));
    let totals = &task.totals;
    sum.network_bytes_in = said
        .iter()
        .map(|said| said.bytes_in.load(Ordering::Relaxed))
        .sum();
    sum.network_bytes_out = said.iter().map(|said| said.bytes_out).sum();
    sum.network_call_count = said.len() as u64;
    sum.network_by_host = totals.network_by_host.clone();
    assert_eq!(*totals, sum, "task {}", number_of(task));
    let mut hosts = dexcost::HostTraffic::default();
    totals.network_by_host.values().for_each(|host| hosts.add(*host));
    assert_eq!(
        (hosts.bytes_in, hosts.bytes_out, hosts.calls),
        (
            sum.network_bytes_in,
            sum.network_bytes_out,
            sum.network_call_count
        )
    );
}

fn sum_of(amounts: impl Iterator<Item = Decimal>) -> Sum {
    let mut sum = Sum::ZERO;
    amounts.for_each(|amount| sum.add(amount));
    sum
}

/// A row of a report is the sum of these tasks, family by family.
fn check_row(row: &ReportRow, tasks: &[&Task]) {
    let family = |amount: fn(&Totals) -> Decimal| sum_of(tasks.iter().map(|task| amount(&task.totals)));
    let count = |amount: fn(&Totals) -> u64| tasks.iter().map(|task| amount(&task.totals)).sum::<u64>();
    assert_eq!(
        row.total_cost_usd,
        family(Totals::total_cost_usd),
        "{:?}",
        row.name
    );
    assert_eq!(row.llm_cost_usd, family(|totals| totals.llm_cost_usd));
    assert_eq!(row.external_cost_usd, family(|totals| totals.external_cost_usd));
    assert_eq!(row.network_cost_usd, family(|totals| totals.network_cost_usd));
    assert_eq!(row.retry_cost_usd, family(|totals| totals.retry_cost_usd));
    assert_eq!(row.events, count(|totals| totals.event_count));
    assert_eq!(row.retries, count(|totals| totals.retry_count));
    assert_eq!(
        row.input_tokens,
        u128::from(count(|totals| totals.total_input_tokens))
    );
    assert_eq!(
        row.output_tokens,
        u128::from(count(|totals| totals.total_output_tokens))
    );
    assert_eq!(row.unknown_cost_events, count(|totals| totals.unknown_cost_count));
    assert_eq!(row.tasks, Some(tasks.len() as u64));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_thousand_concurrent_mixed_requests_through_inbound_and_outbound_layers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("buffer.sqlite3");
    let tracker = CostTracker::new(Config {
        buffer_path: Some(path.clone()),
        cloud_provider: Some("aws".to_owned()),
        cloud_region: Some("us-east-1".to_owned()),
        ..Config::default()
    })
    .unwrap();
    tracker
        .register_domain_rate("*.service.test", dec!(0.002), "request")
        .unwrap();
    let upstream = Upstream::default();
    send_all(&tracker, &upstream).await;
    tracker.flush_blocking(WAIT).unwrap();
    assert_eq!(tracker.losses(), [], "nothing was lost");
    assert_eq!(
        tracker.sessions().open_count(),
        0,
        "nothing fell beside the tasks"
    );

    let said = upstream.said();
    let mut by_request: HashMap<u64, Vec<&Arc<Said>>> = HashMap::new();
    said.iter()
        .for_each(|said| by_request.entry(said.request).or_default().push(said));
    let reader = BufferReader::open(&path).unwrap();
    let filter = TaskFilter {
        limit: usize::MAX,
        ..TaskFilter::default()
    };
    let tasks = reader.tasks(&filter).unwrap();
    assert_eq!(tasks.len() as u64, REQUESTS);
    assert_eq!(
        tasks.iter().map(number_of).collect::<HashSet<_>>().len() as u64,
        REQUESTS
    );
    let given_up = |task: &&Task| task.metadata.get("_ended_by").is_some_and(|by| by == "cancelled");
    assert!(
        tasks.iter().filter(given_up).count() > 20,
        "some were given up under way"
    );
    let mut once = HashSet::new();
    for task in &tasks {
        let number = number_of(task);
        let customer = format!("customer-{}", number % CUSTOMERS);
        assert_eq!(task.attribution.customer_id.as_deref(), Some(&*customer));
        let events = reader.events(task.task_id).unwrap();
        let said = by_request.get(&number).map_or(&[][..], Vec::as_slice);
        check_task(task, &events, said);
        check_sums(task, &events, said);
        assert!(
            events.iter().all(|event| once.insert(event.event_id)),
            "an event twice"
        );
    }

    let report = Report::read(&reader, &ReportQuery::by(By::Customer)).unwrap();
    let mut customers: BTreeMap<Option<String>, Vec<&Task>> = BTreeMap::new();
    for task in &tasks {
        let customer = task.attribution.customer_id.as_deref().map(str::to_owned);
        customers.entry(customer).or_default().push(task);
    }
    assert_eq!(report.rows.len() as u64, CUSTOMERS);
    for row in &report.rows {
        check_row(row, &customers[&row.name]);
    }
    check_row(&report.total, &tasks.iter().collect::<Vec<_>>());
    assert!(!report.total.llm_cost_usd.is_zero() && !report.total.external_cost_usd.is_zero());
    assert!(report.total.retries > 0 && report.total.failed_events > 0);
}
