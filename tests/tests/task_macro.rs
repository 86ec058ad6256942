//! `#[dexcost::task]`: the function's own result is untouched, and each call is a task.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::borrow::Cow;
use std::fmt::{Debug, Display};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use dexcost::testing::MemorySink;
use dexcost::{CostTracker, Task, TaskStatus, dec};
use serde_json::json;

/// Polls a future that never waits.
fn now<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

fn fresh() -> (Arc<MemorySink>, CostTracker) {
    let sink = MemorySink::new();
    let tracker = sink.tracker();
    (sink, tracker)
}

fn only(sink: &MemorySink) -> Arc<Task> {
    let ended = sink.ended();
    assert_eq!(ended.len(), 1, "{ended:#?}");
    Arc::clone(&ended[0])
}

fn ended_by(task: &Task) -> Option<&str> {
    task.metadata.get("_ended_by")?.as_str()
}

fn assert_send<T: Send>(value: T) -> T {
    value
}

#[derive(Debug, PartialEq)]
struct Refused;

impl From<std::num::ParseIntError> for Refused {
    fn from(_: std::num::ParseIntError) -> Self {
        Self
    }
}

#[dexcost::task(tracker = tracker)]
async fn parse(tracker: &CostTracker, text: &str) -> Result<u64, Refused> {
    dexcost::record_cost("parser", dec!(0.002)).unwrap();
    if text.is_empty() {
        return Err(Refused);
    }
    Ok(text.parse::<u32>()?.into())
}

#[dexcost::task(tracker = tracker)]
fn parse_now(tracker: &CostTracker, text: &str) -> Result<u64, Refused> {
    dexcost::record_cost("parser", dec!(0.002)).unwrap();
    if text.is_empty() {
        return Err(Refused);
    }
    Ok(text.parse::<u32>()?.into())
}

#[test]
fn a_result_is_untouched_and_decides_the_status() {
    for (text, expected) in [("7", Ok(7)), ("", Err(Refused)), ("x", Err(Refused))] {
        let (sink, tracker) = fresh();
        assert_eq!(now(parse(&tracker, text)), expected);
        let (sink_now, tracker) = fresh();
        assert_eq!(parse_now(&tracker, text), expected);
        for (sink, name) in [(sink, "parse"), (sink_now, "parse_now")] {
            let task = only(&sink);
            assert_eq!(task.task_type, name);
            assert_eq!(task.status == TaskStatus::Success, expected.is_ok());
            assert_eq!(task.totals.total_cost_usd(), dec!(0.002));
            assert_eq!(ended_by(&task), None);
        }
    }
}

type Answer<T = ()> = std::io::Result<T>;

#[dexcost::task(tracker = tracker)]
async fn aliased(tracker: CostTracker) -> Answer {
    Err(std::io::ErrorKind::NotFound.into())
}

#[dexcost::task(tracker = tracker)]
fn optional(tracker: &CostTracker) -> Option<u8> {
    None
}

#[dexcost::task(tracker = tracker)]
async fn nothing(tracker: &CostTracker) {}

#[test]
fn failure_is_judged_by_the_type_and_not_by_its_spelling() {
    let (sink, tracker) = fresh();
    assert!(now(aliased(tracker)).is_err());
    assert_eq!(only(&sink).status, TaskStatus::Failed);

    let (sink, tracker) = fresh();
    assert_eq!(optional(&tracker), None);
    now(nothing(&tracker));
    assert!(sink.ended().iter().all(|task| task.status == TaskStatus::Success));
}

#[dexcost::task(tracker = tracker)]
async fn panicking(tracker: &CostTracker) {
    panic!("as told")
}

#[dexcost::task(tracker = tracker)]
fn panicking_now(tracker: &CostTracker) -> u8 {
    panic!("as told")
}

#[test]
fn a_panic_fails_the_task_and_goes_on_its_way() {
    let (sink, tracker) = fresh();
    let result = std::panic::catch_unwind(|| panicking_now(&tracker));
    assert!(result.is_err());
    assert_eq!(ended_by(&only(&sink)), Some("panicked"));

    // Executors catch a panic around the poll and drop the future afterwards.
    let (sink, tracker) = fresh();
    let mut future = Box::pin(panicking(&tracker));
    let poll = std::panic::AssertUnwindSafe(|| {
        let _ = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    });
    assert!(std::panic::catch_unwind(poll).is_err());
    drop(future);
    let task = only(&sink);
    assert_eq!(
        (task.status, ended_by(&task)),
        (TaskStatus::Failed, Some("panicked"))
    );
}

struct RecordsOnDrop;

impl Drop for RecordsOnDrop {
    fn drop(&mut self) {
        dexcost::record_cost("cleanup", dec!(0.5)).unwrap();
    }
}

#[dexcost::task(tracker = tracker)]
async fn waiting(tracker: &CostTracker) -> Result<(), Refused> {
    let _cleanup = RecordsOnDrop;
    std::future::pending().await
}

#[test]
fn a_future_that_is_dropped_half_way_is_a_cancelled_task_with_the_costs_of_its_end() {
    let (sink, tracker) = fresh();
    let mut future = Box::pin(waiting(&tracker));
    assert!(
        future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_pending()
    );
    assert!(sink.ended().is_empty());
    drop(future);
    let task = only(&sink);
    assert_eq!(
        (task.status, ended_by(&task)),
        (TaskStatus::Failed, Some("cancelled"))
    );
    assert_eq!(task.totals.total_cost_usd(), dec!(0.5));
}

#[test]
fn a_future_that_is_never_polled_is_no_task() {
    let (sink, tracker) = fresh();
    drop(waiting(&tracker));
    assert!(sink.records().is_empty());
}

struct Id(u64);

impl Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "c-{}", self.0)
    }
}

struct Ticket {
    customer: String,
    project: Option<String>,
    agent: Cow<'static, str>,
    variant: Id,
    priority: u8,
}

#[dexcost::task(
    type = "resolve.ticket-2",
    customer = ticket.customer,
    project = &ticket.project,
    agent = ticket.agent,
    experiment = Some("prompt"),
    variant = ticket.variant,
    metadata(priority = ticket.priority, "odd key" = ["a", "b"], type = calls.get(), ratio = 0.5),
    tracker = tracker,
)]
async fn resolve(tracker: &CostTracker, ticket: Ticket, calls: &std::cell::Cell<u32>) -> (String, u64) {
    (ticket.customer, ticket.variant.0)
}

#[test]
fn attribution_sees_the_arguments_and_leaves_them_to_the_body() {
    let (sink, tracker) = fresh();
    let ticket = Ticket {
        customer: "acme".to_owned(),
        project: None,
        agent: "bot".into(),
        variant: Id(4),
        priority: 2,
    };
    let calls = std::cell::Cell::new(3);
    assert_eq!(now(resolve(&tracker, ticket, &calls)), ("acme".to_owned(), 4));
    let task = only(&sink);
    assert_eq!(task.task_type, "resolve.ticket-2");
    let whom = &task.attribution;
    assert_eq!(whom.customer_id.as_deref(), Some("acme"));
    assert_eq!(whom.project_id, None);
    assert_eq!(whom.agent.as_deref(), Some("bot"));
    assert_eq!(whom.experiment_id.as_deref(), Some("prompt"));
    assert_eq!(whom.variant.as_deref(), Some("c-4"));
    assert_eq!(
        json!(task.metadata),
        json!({"priority": 2, "odd key": ["a", "b"], "type": 3, "ratio": 0.5})
    );
}

fn counted(calls: &std::cell::Cell<u32>) -> &'static str {
    calls.set(calls.get() + 1);
    "acme"
}

#[dexcost::task(customer = counted(calls), tracker = tracker)]
fn counting(tracker: &CostTracker, calls: &std::cell::Cell<u32>) -> u32 {
    calls.get()
}

#[test]
fn expressions_are_evaluated_once_and_before_the_body() {
    let calls = std::cell::Cell::new(0);
    assert_eq!(counting(&fresh().1, &calls), 1);
    assert_eq!(calls.get(), 1);
}

const KIND: &str = "from_a_constant";

#[dexcost::task(type = KIND, tracker = tracker)]
fn computed_type(tracker: &CostTracker) {}

#[test]
fn a_type_may_be_computed() {
    let (sink, tracker) = fresh();
    computed_type(&tracker);
    assert_eq!(only(&sink).task_type, KIND);
}

#[dexcost::task(tracker = tracker, customer = "acme")]
async fn outer(tracker: &CostTracker) -> Result<u64, Refused> {
    let value = inner("5").await?;
    dexcost::record_cost("outer", dec!(1)).unwrap();
    Ok(value)
}

#[dexcost::task]
async fn inner(text: &str) -> Result<u64, Refused> {
    dexcost::record_cost("inner", dec!(2)).unwrap();
    Ok(text.parse::<u64>()?)
}

#[test]
fn a_task_within_a_task_is_its_child_on_the_same_tracker() {
    let (sink, tracker) = fresh();
    assert_eq!(now(outer(&tracker)), Ok(5));
    let ended = sink.ended();
    let (inner, outer) = (&ended[0], &ended[1]);
    assert_eq!(
        (inner.task_type.as_str(), outer.task_type.as_str()),
        ("inner", "outer")
    );
    assert_eq!(inner.parent_task_id, Some(outer.task_id));
    assert_eq!(inner.attribution.customer_id.as_deref(), Some("acme"));
    assert_eq!(inner.totals.total_cost_usd(), dec!(2));
    assert_eq!(outer.totals.total_cost_usd(), dec!(1));
    assert!(dexcost::current_task().is_none());
}

#[dexcost::task(tracker = tracker)]
fn factorial(tracker: &CostTracker, n: u64) -> u64 {
    if n == 0 { 1 } else { n * factorial(tracker, n - 1) }
}

#[dexcost::task(tracker = tracker)]
async fn countdown(tracker: &CostTracker, n: u64) -> u64 {
    if n == 0 {
        return 0;
    }
    1 + Box::pin(countdown(tracker, n - 1)).await
}

#[test]
fn recursion_opens_one_task_inside_the_other() {
    let (sink, tracker) = fresh();
    assert_eq!(factorial(&tracker, 4), 24);
    assert_eq!(now(countdown(&tracker, 3)), 3);
    let ended = sink.ended();
    assert_eq!(ended.len(), 5 + 4);
    assert_eq!(
        ended.iter().filter(|task| task.parent_task_id.is_none()).count(),
        2
    );
    assert_eq!(ended[0].parent_task_id, Some(ended[1].task_id));
}

struct Service<'a, T> {
    tracker: CostTracker,
    name: &'a str,
    items: Vec<T>,
}

impl<'a, T> Service<'a, T>
where
    T: Clone + Debug + Send + Sync,
{
    #[dexcost::task(tracker = self.tracker, customer = self.name)]
    async fn first(&self) -> Option<&T> {
        self.items.first()
    }

    /// Documented, and seen from outside.
    #[must_use]
    #[dexcost::task(tracker = &self.tracker)]
    pub(crate) fn name(&self) -> &'a str {
        self.name
    }

    #[dexcost::task(tracker = self.tracker)]
    async fn push(&mut self, mut item: Option<T>, (times, _): (usize, u8)) -> usize {
        for _ in 0..times {
            self.items.extend(item.clone());
        }
        item = None;
        self.items.len() + usize::from(item.is_some())
    }

    #[dexcost::task(tracker = self.tracker)]
    fn into_items(self) -> Vec<T> {
        self.items
    }

    #[dexcost::task(tracker = tracker)]
    fn many<const N: usize>(tracker: impl Into<Option<CostTracker>> + Clone + Tracked, item: T) -> [T; N] {
        std::array::from_fn(|_| item.clone())
    }

    #[dexcost::task(tracker = self.tracker)]
    fn iter(&self) -> impl Iterator<Item = &T> + use<'_, 'a, T> {
        self.items.iter()
    }

    #[dexcost::task(tracker = self.tracker)]
    async fn shown(&self) -> Result<impl Debug + use<'a, T>, Box<dyn std::error::Error + Send + Sync>> {
        let first = self.items.first().ok_or("empty")?;
        if self.items.len() > 100 {
            return Err(Box::new(std::io::Error::other("too many")));
        }
        Ok(first.clone())
    }

    #[dexcost::task(tracker = self.tracker)]
    async fn boxed(self: Box<Self>) -> Box<dyn Debug + Send + 'a>
    where
        T: 'a,
    {
        Box::new(self.items)
    }
}

use dexcost::__macro::ToTracker as Tracked;

#[test]
fn methods_with_every_receiver_generics_and_lifetimes_are_tasks() {
    let (sink, tracker) = fresh();
    let name = String::from("acme");
    let mut service = Service {
        tracker,
        name: &name,
        items: vec![1_u8],
    };
    assert_eq!(now(service.first()), Some(&1));
    assert_eq!(service.name(), "acme");
    assert_eq!(now(service.push(Some(2), (2, 0))), 3);
    assert_eq!(service.iter().sum::<u8>(), 5);
    assert_eq!(format!("{:?}", now(service.shown()).unwrap()), "1");
    let copy = Service {
        tracker: service.tracker.clone(),
        name: &name,
        items: vec![9_u8],
    };
    assert_eq!(format!("{:?}", now(Box::new(copy).boxed())), "[9]");
    let tracker = service.tracker.clone();
    assert_eq!(service.into_items(), [1, 2, 2]);
    assert_eq!(Service::<u8>::many::<2>(tracker, 7), [7, 7]);
    let types: Vec<_> = sink
        .ended()
        .iter()
        .map(|task| task.task_type.to_string())
        .collect();
    assert_eq!(
        types,
        [
            "first",
            "name",
            "push",
            "iter",
            "shown",
            "boxed",
            "into_items",
            "many"
        ]
    );
}

trait Agent {
    fn answer(&self, question: &str) -> impl Future<Output = Result<usize, Refused>> + Send;
    fn think(&self) -> usize;
}

#[async_trait::async_trait]
trait DynAgent: Sync {
    async fn answer(&self, question: &str) -> Result<usize, Refused>;
    async fn wait(&self) {
        std::future::pending::<()>().await;
    }
}

impl Agent for CostTracker {
    #[dexcost::task(tracker = self, type = "answer")]
    async fn answer(&self, question: &str) -> Result<usize, Refused> {
        if question.is_empty() {
            Err(Refused)?;
        }
        Ok(question.len())
    }

    #[dexcost::task(tracker = self)]
    fn think(&self) -> usize {
        0
    }
}

struct Boxed(CostTracker);

#[async_trait::async_trait]
impl DynAgent for Boxed {
    #[dexcost::task(tracker = self.0, customer = question)]
    async fn answer(&self, question: &str) -> Result<usize, Refused> {
        dexcost::record_cost("x", dec!(1)).unwrap();
        (question == "why").then_some(1).ok_or(Refused)
    }
}

#[test]
fn methods_of_traits_are_tasks_with_and_without_async_trait() {
    let (sink, tracker) = fresh();
    assert_eq!(now(assert_send(Agent::answer(&tracker, ""))), Err(Refused));
    assert_eq!(tracker.think(), 0);
    assert_eq!(sink.ended()[0].status, TaskStatus::Failed);

    let (sink, tracker) = fresh();
    let agent: Box<dyn DynAgent> = Box::new(Boxed(tracker));
    assert_eq!(now(agent.answer("why")), Ok(1));
    drop(agent.wait());
    assert_eq!(now(agent.answer("no")), Err(Refused));
    let ended = sink.ended();
    assert_eq!(ended[0].attribution.customer_id.as_deref(), Some("why"));
    assert_eq!(ended[0].totals.total_cost_usd(), dec!(1));
    assert_eq!(ended[1].status, TaskStatus::Failed);
}

#[dexcost::task(tracker = tracker)]
fn future_by_hand<'a>(
    tracker: &'a CostTracker,
    n: &'a u8,
) -> Pin<Box<dyn Future<Output = Result<u8, Refused>> + Send + 'a>> {
    let doubled = n * 2;
    Box::pin(async move {
        dexcost::record_cost("x", dec!(3)).unwrap();
        if doubled > 4 {
            return Err(Refused);
        }
        Ok(doubled)
    })
}

#[dexcost::task(tracker = tracker)]
fn opaque_future(tracker: &CostTracker) -> impl Future<Output = u8> + use<> {
    async { 3 }
}

#[test]
fn a_function_that_returns_a_future_is_a_task_while_the_future_runs() {
    let (sink, tracker) = fresh();
    let future = future_by_hand(&tracker, &3);
    assert!(sink.records().is_empty());
    assert_eq!(now(future), Err(Refused));
    let task = only(&sink);
    assert_eq!(task.status, TaskStatus::Failed);
    assert_eq!(task.totals.total_cost_usd(), dec!(3));
    assert_eq!(now(opaque_future(&tracker)), 3);
}

#[tracing::instrument(skip_all)]
#[dexcost::task(tracker = tracker)]
async fn instrumented_outside(tracker: &CostTracker) -> Result<u8, Refused> {
    Err(Refused)
}

#[dexcost::task(tracker = tracker)]
#[tracing::instrument(skip_all, err(Debug))]
async fn instrumented_inside(tracker: &CostTracker) -> Result<u8, Refused> {
    Err(Refused)
}

#[test]
fn tracing_may_stand_on_either_side() {
    let (sink, tracker) = fresh();
    assert!(now(instrumented_outside(&tracker)).is_err());
    assert!(now(instrumented_inside(&tracker)).is_err());
    assert!(sink.ended().iter().all(|task| task.status == TaskStatus::Failed));
    assert_eq!(sink.ended().len(), 2);
}

#[dexcost::task]
async fn untracked(text: String) -> Result<String, Refused> {
    assert!(dexcost::current_task().is_none());
    Ok(text)
}

#[dexcost::task]
fn untracked_now(text: &str) -> &str {
    text
}

#[test]
fn without_a_tracker_the_function_just_runs_and_is_counted() {
    let before = dexcost::__macro::not_initialized();
    assert_eq!(now(untracked("a".to_owned())), Ok("a".to_owned()));
    assert_eq!(untracked_now("b"), "b");
    assert_eq!(dexcost::__macro::not_initialized() - before, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_of_concurrent_futures_stay_apart() {
    #[dexcost::task(tracker = tracker, customer = n)]
    async fn one(tracker: CostTracker, n: u32) -> u32 {
        for _ in 0..n {
            tokio::task::yield_now().await;
            dexcost::record_cost("step", dec!(1)).unwrap();
        }
        n
    }
    let (sink, tracker) = fresh();
    let running: Vec<_> = (0..20).map(|n| tokio::spawn(one(tracker.clone(), n))).collect();
    for (n, task) in running.into_iter().enumerate() {
        assert_eq!(task.await.unwrap() as usize, n);
    }
    assert_eq!(sink.ended().len(), 20);
    for task in sink.ended() {
        assert_eq!(
            task.attribution.customer_id.as_deref(),
            Some(task.totals.event_count.to_string().as_str())
        );
    }
}

#[dexcost::task(tracker = tracker)]
async fn forever(tracker: &CostTracker) -> ! {
    loop {
        std::future::pending::<()>().await;
    }
}

#[dexcost::task(tracker = tracker)]
fn never(tracker: &CostTracker) -> ! {
    panic!("as told")
}

#[test]
fn functions_that_do_not_return_are_tasks_too() {
    let (sink, tracker) = fresh();
    assert!(std::panic::catch_unwind(|| never(&tracker)).is_err());
    let mut future = Box::pin(forever(&tracker));
    assert!(
        future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_pending()
    );
    drop(future);
    let ended = sink.ended();
    assert_eq!(ended_by(&ended[0]), Some("panicked"));
    assert_eq!(ended_by(&ended[1]), Some("cancelled"));
}
