//! Tasks: what they cost, how they end, and where they are current.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::sync::Arc;
use std::time::Duration;

use dexcost::testing::MemorySink;
use dexcost::{
    Clock, Context, CostConfidence, CostOptions, CostTracker, Error, ErrorType, EventType, LlmCall,
    ManualClock, PricingSource, Record, Refusal, RetryHeuristics, RetryOptions, Scope, TaskFutureExt,
    TaskOptions, TaskStatus, Timestamp, dec,
};
use serde_json::json;

fn open(tracker: &CostTracker) -> dexcost::TrackedTask {
    tracker
        .start_task_sync("resolve_ticket", TaskOptions::default())
        .unwrap()
}

#[test]
fn a_total_is_the_sum_of_its_families() {
    let sink = MemorySink::new();
    let task = open(&sink.tracker());
    task.record_cost("pdf_renderer", dec!(0.002)).unwrap();
    let compute = CostOptions {
        event_type: EventType::ComputeCost,
        ..Default::default()
    };
    task.record_cost_with("worker", "0.0003", compute).unwrap();
    task.record_llm_call(LlmCall::new("acme", "own-model", 10, 5).cost_usd(dec!(0.01)))
        .unwrap();
    let totals = task.task().totals;
    assert_eq!(totals.external_cost_usd, dec!(0.002));
    assert_eq!(totals.compute_cost_usd, dec!(0.0003));
    assert_eq!(totals.llm_cost_usd, dec!(0.01));
    assert_eq!(totals.total_cost_usd(), dec!(0.0123));
    assert_eq!((totals.total_input_tokens, totals.total_output_tokens), (10, 5));
    assert_eq!(totals.event_count, 3);
    task.end_blocking(TaskStatus::Success).unwrap();
}

#[test]
fn an_unknown_model_is_counted_and_never_zero() {
    let sink = MemorySink::new();
    let task = open(&sink.tracker());
    let event = task
        .record_llm_call(LlmCall::new("nobody", "no-such-model-at-all", 10, 5))
        .unwrap();
    assert_eq!(event.cost_usd, None);
    assert_eq!(event.cost_confidence, CostConfidence::Unknown);
    assert_eq!(task.task().totals.unknown_cost_count, 1);
}

#[test]
fn only_external_compute_and_gpu_costs_are_taken_by_record_cost() {
    let task = open(&MemorySink::new().tracker());
    for event_type in EventType::ALL {
        let options = CostOptions {
            event_type: *event_type,
            ..Default::default()
        };
        let taken = task.record_cost_with("x", "1", options).is_ok();
        assert_eq!(
            taken,
            matches!(
                event_type,
                EventType::ExternalCost | EventType::ComputeCost | EventType::GpuCost
            )
        );
    }
    assert!(matches!(
        task.record_cost("x", "1,5"),
        Err(Error::InvalidAmount { .. })
    ));
}

#[test]
fn no_amount_makes_another_one_unknown() {
    let task = open(&MemorySink::new().tracker());
    task.record_cost("x", dexcost::Decimal::MAX).unwrap();
    task.record_cost("x", dexcost::Decimal::new(1, 28)).unwrap();
    let event = task.record_cost("x", dec!(0.1)).unwrap();
    assert_eq!(event.cost_usd, Some(dec!(0.1)));
    assert_eq!(task.task().totals.total_cost_usd(), dexcost::Decimal::MAX);
    assert_eq!(task.task().totals.unknown_cost_count, 0);
}

#[test]
fn a_task_ends_once() {
    let sink = MemorySink::new();
    let task = open(&sink.tracker());
    task.end_blocking(TaskStatus::Success).unwrap();
    assert!(matches!(
        task.end_blocking(TaskStatus::Failed),
        Err(Error::AlreadyEnded)
    ));
    drop(task);
    assert_eq!(sink.ended().len(), 1);
    assert_eq!(sink.ended()[0].status, TaskStatus::Success);
}

#[test]
fn a_dropped_task_failed_and_says_so() {
    let sink = MemorySink::new();
    let tracker = sink.tracker();
    drop(open(&tracker));
    let mut cancelled = open(&tracker);
    cancelled.cancel_on_drop();
    drop(cancelled);
    let panicking = std::panic::catch_unwind(|| {
        let _task = open(&tracker);
        panic!("on purpose");
    });
    assert!(panicking.is_err());
    let ends: Vec<_> = sink
        .ended()
        .iter()
        .map(|task| (task.status, task.metadata["_ended_by"].clone()))
        .collect();
    assert_eq!(
        ends,
        [
            (TaskStatus::Failed, json!("dropped")),
            (TaskStatus::Failed, json!("cancelled")),
            (TaskStatus::Failed, json!("panicked")),
        ]
    );
}

#[test]
fn a_cost_that_arrives_after_the_end_still_counts() {
    let sink = MemorySink::new();
    let task = open(&sink.tracker());
    let handle = task.handle();
    task.end_blocking(TaskStatus::Success).unwrap();
    handle.record_cost("late", dec!(0.5)).unwrap();
    let Some(Record::TaskChanged(renewed)) = sink.records().pop() else {
        panic!("not renewed")
    };
    assert_eq!(renewed.totals.total_cost_usd(), dec!(0.5));
    assert_eq!((renewed.status, renewed.revision), (TaskStatus::Success, 3));
}

#[test]
fn losses_are_told_to_whoever_awaits_the_end() {
    let sink = MemorySink::new();
    let task = open(&sink.tracker());
    sink.refuse(Some(Refusal::QueueFull));
    task.record_cost("x", dec!(1)).unwrap();
    task.record_cost("x", dec!(1)).unwrap();
    sink.refuse(None);
    let Err(Error::Lost { count, reason }) = task.end_blocking(TaskStatus::Success) else {
        panic!("not told")
    };
    assert_eq!((count, reason.as_str()), (2, "queue_full"));
    let lost: Vec<_> = task
        .tracker()
        .losses()
        .into_iter()
        .map(|loss| (loss.kind, loss.count))
        .collect();
    assert_eq!(lost, [("event".to_owned(), 2)]);
}

#[test]
fn children_inherit_and_know_their_parent() {
    let sink = MemorySink::new();
    let tracker = sink.tracker();
    let options = TaskOptions {
        customer_id: Some("acme".into()),
        experiment_id: Some("e1".into()),
        variant: Some("b".into()),
        ..Default::default()
    };
    let parent = tracker.start_task_sync("pipeline", options).unwrap();
    let _entered = parent.enter();
    let child = tracker
        .start_task_sync(
            "step",
            TaskOptions {
                project_id: Some("p".into()),
                ..Default::default()
            },
        )
        .unwrap();
    let child = child.task();
    assert_eq!(child.parent_task_id, Some(parent.task_id()));
    assert_eq!(child.attribution.customer_id.as_deref(), Some("acme"));
    assert_eq!(child.attribution.project_id.as_deref(), Some("p"));
    assert_eq!(child.attribution.variant.as_deref(), Some("b"));
    let alone = TaskOptions {
        variant: Some("b".into()),
        ..Default::default()
    };
    assert!(matches!(
        tracker.start_task_sync("x", alone),
        Err(Error::VariantWithoutExperiment)
    ));
}

#[test]
fn hashing_happens_once_down_the_tree() {
    let sink = MemorySink::new();
    let config = dexcost::Config {
        hash_customer_id: true,
        ..Default::default()
    };
    let tracker = CostTracker::with_sink(&config, sink.clone()).unwrap();
    let options = TaskOptions {
        customer_id: Some("acme".into()),
        ..Default::default()
    };
    let parent = tracker.start_task_sync("a", options).unwrap();
    let _entered = parent.enter();
    let child = tracker.start_task_sync("b", TaskOptions::default()).unwrap();
    let customer = parent.task().attribution.customer_id.unwrap();
    assert_eq!(customer.len(), 64);
    assert_eq!(child.task().attribution.customer_id, Some(customer));
}

#[test]
fn trackers_do_not_see_each_others_tasks() {
    let (one, two) = (MemorySink::new().tracker(), MemorySink::new().tracker());
    let task = open(&one);
    let _entered = task.enter();
    assert_eq!(one.current_task().unwrap().task_id(), task.task_id());
    assert!(two.current_task().is_none());
    let other = open(&two);
    assert_eq!(other.task().parent_task_id, None);
    other.run(|| {
        assert_eq!(one.current_task().unwrap().task_id(), task.task_id());
        assert_eq!(two.current_task().unwrap().task_id(), other.task_id());
        assert_eq!(dexcost::current_task().unwrap().task_id(), other.task_id());
    });
}

#[test]
fn guards_that_are_dropped_out_of_order_leave_the_right_task_current() {
    let tracker = MemorySink::new().tracker();
    let (outer, inner) = (open(&tracker), open(&tracker));
    let outer_guard = outer.enter();
    let inner_guard = inner.enter();
    drop(outer_guard);
    assert_eq!(tracker.current_task().unwrap().task_id(), inner.task_id());
    drop(inner_guard);
    assert!(tracker.current_task().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_tasks_on_few_threads_never_mix() {
    let sink = MemorySink::new();
    let tracker = sink.tracker();
    let mut running = Vec::new();
    for n in 0..64_u32 {
        let tracker = tracker.clone();
        running.push(tokio::spawn(async move {
            let task = tracker.start_task("mixed", TaskOptions::default()).await.unwrap();
            async {
                for _ in 0..20 {
                    tokio::task::yield_now().await;
                    dexcost::record_cost("unit", n).unwrap();
                    let inner = async { dexcost::record_cost("spawned", 0_u32).map(|event| event.task_id) };
                    let spawned = tokio::spawn(inner.in_current_task()).await.unwrap().unwrap();
                    assert_eq!(spawned, dexcost::current_task().unwrap().task_id());
                }
            }
            .in_task(&task)
            .await;
            assert_eq!(task.task().totals.total_cost_usd(), (n * 20).into());
            task.end(TaskStatus::Success).await.unwrap();
        }));
    }
    for task in running {
        task.await.unwrap();
    }
    assert_eq!(sink.ended().len(), 64);
    assert!(dexcost::current_task().is_none());
}

#[test]
fn a_scope_moves_to_another_thread() {
    let tracker = MemorySink::new().tracker();
    let task = open(&tracker);
    let scope = task.run(Scope::current);
    let id = task.task_id();
    std::thread::spawn(move || scope.run(|| assert_eq!(dexcost::current_task().unwrap().task_id(), id)))
        .join()
        .unwrap();
}

#[test]
fn a_context_belongs_to_its_scope() {
    let tracker = MemorySink::new().tracker();
    let customer = |name: &str| Context {
        customer_id: Some(name.into()),
        ..Default::default()
    };
    assert!(matches!(
        dexcost::set_context(customer("nobody")),
        Err(Error::NoScope)
    ));
    let task = open(&tracker);
    task.run(|| {
        dexcost::set_context(customer("acme")).unwrap();
        assert_eq!(
            open(&tracker).task().attribution.customer_id.as_deref(),
            Some("acme")
        );
        customer("other").run(|| {
            assert_eq!(
                dexcost::get_context().unwrap().customer_id.as_deref(),
                Some("other")
            );
        });
        assert_eq!(
            dexcost::get_context().unwrap().customer_id.as_deref(),
            Some("acme")
        );
        dexcost::clear_context();
        assert!(dexcost::get_context().is_none_or(|context| context.is_empty()));
    });
    assert!(dexcost::get_context().is_none());
    assert_eq!(
        task.task().attribution.customer_id.as_deref(),
        Some("acme"),
        "gaps of the task are filled"
    );
}

#[test]
fn a_cost_outside_any_task_opens_one_session_per_scope() {
    let sink = MemorySink::new();
    let clock = Arc::new(ManualClock::at(Timestamp::from_unix_micros(1_000_000)));
    let tracker = CostTracker::from_parts(sink.parts(clock.clone()));
    let first = tracker.current_task_or_session();
    assert_eq!(first.task().task_type, "agent_session");
    assert_eq!(tracker.current_task_or_session().task_id(), first.task_id());
    let agent = Context {
        agent: Some("support_bot".into()),
        customer_id: Some("acme".into()),
        ..Default::default()
    };
    let scoped = agent.run(|| tracker.current_task_or_session()).task();
    assert_eq!(
        (
            scoped.task_type.as_str(),
            scoped.attribution.customer_id.as_deref()
        ),
        ("support_bot", Some("acme"))
    );
    clock.advance(Duration::from_secs(31));
    assert_ne!(tracker.current_task_or_session().task_id(), first.task_id());
    assert_eq!(first.task().status, TaskStatus::Success);
    tracker.flush_blocking(Duration::from_secs(1)).unwrap();
    assert_eq!(tracker.sessions().open_count(), 0);
    assert!(sink.ended().iter().all(|task| task.status == TaskStatus::Success));
}

#[test]
fn retries_are_a_view_that_can_be_taken_back() {
    let sink = MemorySink::new();
    let task = open(&sink.tracker());
    let failed = task.record_cost("search", dec!(0.1)).unwrap();
    let options = RetryOptions {
        cost_usd: Some(dec!(0.02)),
        retry_of: Some(failed.event_id),
    };
    let marker = task.mark_retry_with("timeout", options);
    task.mark_retry("rate_limit");
    let totals = task.task().totals;
    assert_eq!((totals.retry_count, totals.retry_cost_usd), (2, dec!(0.02)));
    assert_eq!(totals.total_cost_usd(), dec!(0.12));
    assert_eq!(task.mark_not_retry(None).unwrap().retry_reason, None);
    let changed = task.mark_not_retry(Some(marker.event_id)).unwrap();
    assert_eq!((changed.is_retry, changed.revision), (false, 2));
    let totals = task.task().totals;
    assert_eq!((totals.retry_count, totals.retry_cost_usd), (0, dec!(0)));
    assert_eq!(totals.total_cost_usd(), dec!(0.12));
    assert!(task.mark_not_retry(None).is_none());
}

#[test]
fn the_heuristic_flags_a_call_soon_after_a_transient_failure_of_the_same_model() {
    let sink = MemorySink::new();
    let clock = Arc::new(ManualClock::at(Timestamp::from_unix_micros(1_000_000)));
    let parts = dexcost::TrackerParts {
        retry_heuristics: Some(RetryHeuristics::default()),
        ..sink.parts(clock.clone())
    };
    let task = open(&CostTracker::from_parts(parts));
    let call = |model: &str| LlmCall::new("openai", model, 1, 1).cost_usd(dec!(0.01));
    let failed = task
        .record_llm_call(call("gpt-4o").error_type(ErrorType::RateLimit))
        .unwrap();
    clock.advance(Duration::from_secs(3));
    assert!(
        !task.record_llm_call(call("gpt-4o-mini")).unwrap().is_retry,
        "another model"
    );
    let retry = task.record_llm_call(call("gpt-4o")).unwrap();
    assert_eq!((retry.is_retry, retry.retry_of), (true, Some(failed.event_id)));
    assert!(
        !task.record_llm_call(call("gpt-4o")).unwrap().is_retry,
        "the newest call succeeded"
    );
    task.record_llm_call(call("gpt-4o").error_type(ErrorType::Timeout))
        .unwrap();
    clock.advance(Duration::from_secs(20));
    assert!(
        !task.record_llm_call(call("gpt-4o")).unwrap().is_retry,
        "0.9 x (1 - 20/30) is below 0.8"
    );
}

#[test]
fn usage_is_priced_from_the_registry() {
    let tracker = MemorySink::new().tracker();
    let task = open(&tracker);
    assert!(matches!(
        task.record_usage("maps", 3_u32),
        Err(Error::UnregisteredService { .. })
    ));
    tracker.register_rate("maps", "request", "0.005").unwrap();
    let event = task.record_usage("maps", 3_u32).unwrap();
    assert_eq!(
        (event.cost_usd, event.pricing_source),
        (Some(dec!(0.015)), PricingSource::RateRegistry)
    );
    assert!(matches!(
        task.record_usage("maps", "-1"),
        Err(Error::Negative { .. })
    ));
}

#[test]
fn traces_are_linked_in_the_metadata() {
    let task = open(&MemorySink::new().tracker());
    task.link_trace("langfuse", "t1");
    task.link_trace("langsmith", "r2");
    assert_eq!(
        task.trace_links()
            .iter()
            .map(|link| link.trace_id.as_str())
            .collect::<Vec<_>>(),
        ["t1", "r2"]
    );
    assert_eq!(
        task.task().metadata["_trace_links"][0],
        json!({"provider": "langfuse", "trace_id": "t1"})
    );
}

#[test]
fn a_clock_that_falls_back_never_ends_a_task_before_it_began() {
    let sink = MemorySink::new();
    let clock = Arc::new(ManualClock::at(Timestamp::from_unix_micros(9_000_000)));
    let task = open(&CostTracker::from_parts(sink.parts(clock.clone())));
    clock.set(Timestamp::from_unix_micros(1));
    task.end_blocking(TaskStatus::Success).unwrap();
    assert_eq!(task.task().duration_ms(), Some(0));
}

#[test]
fn handles_are_send_and_sync() {
    fn check<T: Send + Sync>() {}
    check::<CostTracker>();
    check::<dexcost::TaskHandle>();
    check::<dexcost::TrackedTask>();
    check::<Scope>();
    check::<dexcost::InScope<std::future::Ready<()>>>();
}

fn for_customer(name: &str) -> Context {
    Context {
        customer_id: Some(name.into()),
        ..Default::default()
    }
}

fn customer(task: &dexcost::TaskHandle) -> Option<String> {
    task.task().attribution.customer_id.map(|name| name.to_string())
}

#[test]
fn what_is_nearer_is_inherited_first() {
    let tracker = MemorySink::new().tracker();
    for_customer("around").run(|| {
        let options = TaskOptions {
            customer_id: Some("acme".into()),
            ..Default::default()
        };
        let parent = tracker.start_task_sync("parent", options).unwrap();
        parent.run(|| {
            assert_eq!(customer(&open(&tracker)).as_deref(), Some("acme"));
            for_customer("within").run(|| assert_eq!(customer(&open(&tracker)).as_deref(), Some("within")));
            for_customer("").run(|| assert_eq!(customer(&open(&tracker)).as_deref(), Some("acme")));
        });
        assert_eq!(customer(&open(&tracker)).as_deref(), Some("around"));
        let nobody = open(&tracker);
        nobody.run(|| assert_eq!(customer(&open(&tracker)).as_deref(), Some("around")));
    });
}

#[test]
fn a_session_is_never_charged_for_another_customer() {
    let sink = MemorySink::new();
    let tracker = sink.tracker();
    Context::default().run(|| {
        let of = |name: &str| {
            dexcost::set_context(for_customer(name)).unwrap();
            tracker.current_task_or_session()
        };
        let (one, again, two) = (of("one"), of("one"), of("two"));
        assert_eq!(one.task_id(), again.task_id());
        assert_eq!(
            (customer(&one).as_deref(), customer(&two).as_deref()),
            (Some("one"), Some("two"))
        );
        assert_eq!(one.task().status, TaskStatus::Success);
    });
}

#[test]
fn a_tracker_that_is_dropped_ends_its_sessions_and_frees_itself() {
    let sink = MemorySink::new();
    // A clock that stands still: no session is ever idle.
    let clock = Arc::new(ManualClock::at(Timestamp::from_unix_micros(0)));
    let tracker = CostTracker::from_parts(sink.parts(clock));
    let session = tracker.current_task_or_session();
    let of_task = session.tracker();
    drop(tracker);
    assert!(sink.ended().is_empty(), "there is another handle");
    assert!(of_task.is_same(&session.tracker()));
    drop(of_task);
    assert_eq!(sink.ended()[0].status, TaskStatus::Success);
    drop(session);
    let weak = Arc::downgrade(&sink);
    drop(sink);
    // The thread that watches sessions may be on its way out.
    while weak.upgrade().is_some() {
        std::thread::yield_now();
    }
}

#[test]
fn a_chain_of_scopes_may_be_longer_than_the_stack_is_deep() {
    let tracker = MemorySink::new().tracker();
    let task = open(&tracker);
    let chain = (0..200_000).fold(Scope::current(), |outer, _| outer.run(|| Scope::with_task(&task)));
    chain.run(|| assert!(dexcost::current_task().is_some()));
    drop(chain);
}

#[test]
fn what_a_context_or_a_session_brings_along_is_redacted_too() {
    let sink = MemorySink::new();
    let config = dexcost::Config {
        redact_fields: vec!["email".into()],
        hash_customer_id: true,
        ..Default::default()
    };
    let tracker = CostTracker::with_sink(&config, sink.clone()).unwrap();
    let metadata = serde_json::json!({"email": "a@b.c", "seen": {"Email": 1, "n": 2}});
    let context = Context {
        metadata: metadata.as_object().cloned().unwrap(),
        ..for_customer("acme")
    };
    context.run(|| {
        let (task, session) = (open(&tracker), tracker.current_task_or_session());
        for record in [task.task(), session.task()] {
            assert_eq!(record.metadata["seen"], serde_json::json!({"n": 2}));
            assert!(!record.metadata.contains_key("email"));
            assert_eq!(record.attribution.customer_id.unwrap().len(), 64);
        }
        task.set_metadata("late", metadata.clone());
        assert_eq!(
            task.task().metadata["late"],
            serde_json::json!({"seen": {"n": 2}})
        );
        let options = dexcost::CostOptions {
            details: metadata.as_object().cloned(),
            ..Default::default()
        };
        let event = task.record_cost_with("x", 1_u32, options).unwrap();
        assert_eq!(
            serde_json::json!(event.details),
            serde_json::json!({"seen": {"n": 2}})
        );
        task.finish(TaskStatus::Success).unwrap();
    });
}

#[test]
fn metadata_beyond_the_limit_becomes_a_note_of_its_size_and_the_task_goes_on() {
    let tracker = MemorySink::new().tracker();
    let task = open(&tracker);
    task.set_metadata("blob", "x".repeat(20_000));
    assert_eq!(task.task().metadata["_truncated"], true);
    task.set_metadata("after", 1);
    assert_eq!(task.task().metadata["after"], 1);
    task.finish_failed("tired").unwrap();
    assert_eq!(task.task().metadata["_ended_by"], "tired");
}

#[test]
fn sessions_of_scopes_that_are_gone_do_not_pile_up() {
    let sink = MemorySink::new();
    let clock = Arc::new(ManualClock::at(Timestamp::from_unix_micros(0)));
    let tracker = CostTracker::from_parts(sink.parts(clock.clone()));
    let outside = tracker.current_task_or_session();
    let scope = Scope::with_context(for_customer("kept"));
    let kept = scope.run(|| tracker.current_task_or_session());
    for n in 0..1_000_u32 {
        for_customer(&n.to_string()).run(|| tracker.current_task_or_session().record_cost("x", n).unwrap());
    }
    assert!(tracker.sessions().open_count() <= 64);
    tracker.sessions().close_idle(clock.now());
    assert_eq!(tracker.sessions().open_count(), 2);
    assert_eq!(sink.ended().len(), 1_000);
    // What may still be used is not touched, however it is entered.
    let again = scope.clone().enter();
    assert_eq!(tracker.current_task_or_session().task_id(), kept.task_id());
    drop(again);
    assert!(!outside.has_ended() && !kept.has_ended());
}

#[test]
fn task_types_are_canonical_and_identities_have_no_blanks_around_them() {
    let tracker = MemorySink::new().tracker();
    let long = "x".repeat(300);
    for (given, canonical) in [
        ("resolve_ticket", "resolve_ticket"),
        ("Resolve Ticket", "resolve_ticket"),
        ("GET /tickets/{id}", "get_tickets_id_"),
        ("  --Grüße!? ", "gr_e_"),
        ("a.b-c_9", "a.b-c_9"),
        ("", "task"),
        (" ¡! ", "task"),
        (&long, &long[..128]),
    ] {
        let task = tracker.start_task_sync(given, TaskOptions::default()).unwrap();
        let kept = task.task();
        assert_eq!(kept.task_type, canonical, "{given}");
        let original = kept.metadata.get("_task_type").and_then(|given| given.as_str());
        assert_eq!(original, (given != canonical).then_some(given));
    }
    let options = TaskOptions {
        customer_id: Some(" acme\t".into()),
        project_id: Some("  ".into()),
        ..TaskOptions::default()
    };
    let task = tracker.start_task_sync("t", options).unwrap();
    let whom = task.task().attribution;
    assert_eq!(
        (whom.customer_id.as_deref(), whom.project_id),
        (Some("acme"), None)
    );
    let context = Context {
        customer_id: Some("\n globex ".into()),
        ..Context::default()
    };
    let task = context.run(|| tracker.start_task_sync("t", TaskOptions::default()).unwrap());
    assert_eq!(task.task().attribution.customer_id.as_deref(), Some("globex"));
}
