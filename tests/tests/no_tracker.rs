//! A program, or a unit test of a handler, in which nobody ever made a tracker.

#![allow(clippy::unwrap_used, reason = "a test")]

use dexcost::{Context, Error, LlmCall, TaskOptions, TaskStatus, dec};

#[test]
fn recording_without_a_tracker_is_checked_and_counted_and_no_error() {
    let event = dexcost::record_cost("x", dec!(1)).unwrap();
    assert_eq!(event.cost_usd, Some(dec!(1)));
    let call = dexcost::record_llm_call(LlmCall::new("openai", "gpt-4o", 800, 150)).unwrap();
    assert_eq!(call.cost_usd, Some(dec!(0.0035)));
    dexcost::mark_retry("rate_limit").unwrap();
    dexcost::link_trace("langfuse", "t").unwrap();
    dexcost::set_context(Context::default()).unwrap();
    assert!(matches!(
        dexcost::record_cost("x", "a lot"),
        Err(Error::InvalidAmount { .. })
    ));
    assert!(matches!(
        dexcost::record_usage("nobody", dec!(1)),
        Err(Error::UnregisteredService { .. })
    ));
    let task = dexcost::start_task_sync("x", TaskOptions::default()).unwrap();
    task.run(|| dexcost::record_cost("x", dec!(2)).unwrap());
    assert_eq!(task.task().totals.total_cost_usd(), dec!(2));
    task.end_blocking(TaskStatus::Success).unwrap();
    assert!(matches!(dexcost::track_http(true), Err(Error::NotInitialized)));
}
