//! The default tracker from `init` to `close`, and the whole way of a task into the file.

use std::time::Duration;

use dexcost::buffer::{BufferReader, TaskFilter};
use dexcost::report::{By, Report, ReportQuery};
use dexcost::{
    Config, Context, CostTracker, Error, LlmCall, Loss, LossKind, LossReason, TaskOptions, TaskStatus, dec,
};

fn config(folder: &tempfile::TempDir) -> Config {
    Config {
        buffer_path: Some(folder.path().join("buffer.sqlite3")),
        ..Config::default()
    }
}

#[dexcost::task]
fn untracked() {}

/// One test, because the default tracker belongs to the process.
#[test]
fn the_default_tracker_can_be_closed_and_initialised_again() {
    let folder = tempfile::tempdir().unwrap();
    dexcost::record_cost("x", dec!(1)).unwrap();
    dexcost::close().unwrap();
    untracked();
    dexcost::note_untracked(LossKind::Call);

    let guard = dexcost::init(config(&folder)).unwrap();
    assert!(matches!(
        dexcost::init(config(&folder)),
        Err(Error::AlreadyInitialized)
    ));
    let task = dexcost::start_task_sync("first", TaskOptions::default()).unwrap();
    task.run(|| dexcost::record_cost("x", dec!(1)).unwrap());
    task.end_blocking(TaskStatus::Success).unwrap();
    dexcost::record_cost("outside", dec!(2)).unwrap();
    dexcost::close().unwrap();
    assert!(dexcost::tracker().is_none());

    let again = dexcost::init(config(&folder)).unwrap();
    drop(guard);
    assert!(
        dexcost::tracker().is_some(),
        "a guard only closes the tracker that it came with"
    );
    dexcost::start_task_sync("second", TaskOptions::default())
        .unwrap()
        .end_blocking(TaskStatus::Success)
        .unwrap();
    drop(again);
    assert!(dexcost::tracker().is_none());

    let reader = BufferReader::open(folder.path().join("buffer.sqlite3")).unwrap();
    let mut tasks = reader.tasks(&TaskFilter::default()).unwrap();
    tasks.sort_by_key(|task| task.task_id);
    let seen: Vec<_> = tasks
        .iter()
        .map(|task| (task.task_type.as_str(), task.status))
        .collect();
    let success = TaskStatus::Success;
    assert_eq!(
        seen,
        [
            ("first", success),
            ("agent_session", success),
            ("second", success)
        ]
    );
    let report = Report::read(&reader, &ReportQuery::by(By::TaskType)).unwrap();
    assert_eq!(report.total.total_cost_usd.to_decimal(), Some(dec!(3)));
    let none = |kind: LossKind, count| Loss {
        kind: kind.to_string(),
        reason: LossReason::NoTracker.to_string(),
        count,
    };
    assert_eq!(
        reader.status().unwrap().losses,
        [
            none(LossKind::Call, 1),
            none(LossKind::Event, 1),
            none(LossKind::Task, 1)
        ]
    );
    assert!(matches!(dexcost::record_cost("x", dec!(1)), Err(Error::Closed)));
    assert!(matches!(
        dexcost::start_task_sync("x", TaskOptions::default()),
        Err(Error::Closed)
    ));
}

#[test]
fn what_end_promised_is_in_the_file_without_any_close() {
    let folder = tempfile::tempdir().unwrap();
    let tracker = CostTracker::new(config(&folder)).unwrap();
    let options = TaskOptions {
        customer_id: Some("acme".into()),
        ..Default::default()
    };
    let task = tracker.start_task_sync("resolve_ticket", options).unwrap();
    let call = task
        .record_llm_call(LlmCall::new("openai", "gpt-4o", 800, 150).cached_tokens(200))
        .unwrap();
    task.link_trace("langfuse", "t1");
    task.mark_retry("timeout");
    task.mark_not_retry(None).unwrap();
    task.end_blocking(TaskStatus::Success).unwrap();

    let reader = BufferReader::open(folder.path().join("buffer.sqlite3")).unwrap();
    let kept = reader.task(task.task_id()).unwrap().unwrap();
    assert_eq!(kept, task.task());
    let events = reader.events(task.task_id()).unwrap();
    assert_eq!(events[0], *call);
    assert_eq!((events[1].is_retry, events[1].revision), (false, 2));
}

#[tokio::test(flavor = "current_thread")]
async fn the_end_can_be_awaited_on_a_single_thread() {
    let folder = tempfile::tempdir().unwrap();
    let tracker = CostTracker::new(config(&folder)).unwrap();
    let task = tracker.start_task("t", TaskOptions::default()).await.unwrap();
    task.end(TaskStatus::Success).await.unwrap();
    tracker.flush().await.unwrap();
    tracker.close(Duration::from_secs(5)).unwrap();
}

#[test]
fn a_buffer_that_cannot_be_opened_leaves_the_program_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a-file");
    std::fs::write(&file, "not a folder").unwrap();
    let tracker = CostTracker::new(Config {
        buffer_path: Some(file.join("buffer.sqlite3")),
        ..Config::default()
    })
    .unwrap();
    let task = tracker.start_task_sync("t", TaskOptions::default()).unwrap();
    assert!(task.record_cost("x", dec!(1)).is_ok());
    assert!(
        task.end(TaskStatus::Success)
            .wait(Duration::from_secs(5))
            .is_err()
    );
    assert_eq!(task.task().totals.total_cost_usd(), dec!(1));
    assert!(
        tracker.losses().is_empty(),
        "while the tracker is open, what waits may still be written"
    );
    assert!(tracker.close(Duration::from_secs(5)).is_err());
    assert!(task.record_cost("late", dec!(1)).is_ok());
    let mut losses = tracker.losses();
    losses.iter().for_each(|loss| assert_eq!(loss.count, 1));
    let mut seen: Vec<_> = losses
        .drain(..)
        .map(|loss| format!("{} {}", loss.kind, loss.reason))
        .collect();
    seen.sort();
    assert_eq!(
        seen,
        [
            "event closed",
            "event disk_error",
            "task_changed closed",
            "task_ended disk_error",
            "task_started disk_error"
        ]
    );
    assert!(matches!(
        tracker.flush_blocking(Duration::from_secs(5)),
        Err(Error::Closed)
    ));
}

#[test]
fn recording_inside_drop_and_during_a_panic_works() {
    struct Recorder(dexcost::TaskHandle);
    impl Drop for Recorder {
        fn drop(&mut self) {
            let _ = self.0.record_cost("from_drop", dec!(0.25));
            self.0
                .run(|| dexcost::record_cost("from_drop", dec!(0.25)).map(drop))
                .unwrap();
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let tracker = CostTracker::new(config(&folder)).unwrap();
    let task = tracker.start_task_sync("t", TaskOptions::default()).unwrap();
    let handle = task.handle();
    let outcome = std::panic::catch_unwind(move || {
        let _recorder = Recorder(handle);
        panic!("on purpose");
    });
    assert!(outcome.is_err());
    assert_eq!(task.task().totals.total_cost_usd(), dec!(0.5));
    let _ = task.end(TaskStatus::Success).wait(Duration::from_secs(5));
}

#[test]
fn whom_a_task_is_for_may_be_said_after_its_costs_and_late_costs_follow_it() {
    let folder = tempfile::tempdir().unwrap();
    let tracker = CostTracker::new(config(&folder)).unwrap();
    let task = tracker.start_task_sync("t", TaskOptions::default()).unwrap();
    task.run(|| {
        dexcost::record_cost("early", dec!(1)).unwrap();
        tracker.flush_blocking(Duration::from_secs(5)).unwrap();
        dexcost::set_context(Context {
            customer_id: Some("acme".into()),
            ..Default::default()
        })
        .unwrap();
        dexcost::record_cost("known", dec!(0.5)).unwrap();
    });
    task.end_blocking(TaskStatus::Success).unwrap();
    // The last bytes of a stream that outlives the task.
    task.record_cost("late", dec!(0.25)).unwrap();
    tracker.flush_blocking(Duration::from_secs(5)).unwrap();

    let reader = BufferReader::open(folder.path().join("buffer.sqlite3")).unwrap();
    let report = Report::read(&reader, &ReportQuery::by(By::Customer)).unwrap();
    assert_eq!(report.rows.len(), 1);
    assert_eq!(report.rows[0].name.as_deref(), Some("acme"));
    assert_eq!(
        (report.rows[0].events, report.rows[0].total_cost_usd.to_decimal()),
        (3, Some(dec!(1.75)))
    );
    let kept = reader.task(task.task_id()).unwrap().unwrap();
    assert_eq!(kept, task.task());
    assert_eq!(
        (kept.status, kept.totals.total_cost_usd()),
        (TaskStatus::Success, dec!(1.75))
    );
}

#[test]
fn a_task_that_outlives_its_tracker_is_closed_by_the_next_and_its_rest_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let first = CostTracker::new(config(&folder)).unwrap();
    let task = first.start_task_sync("t", TaskOptions::default()).unwrap();
    task.record_cost("x", dec!(1)).unwrap();
    first.close(Duration::from_secs(5)).unwrap();
    let second = CostTracker::new(config(&folder)).unwrap();
    second.flush_blocking(Duration::from_secs(5)).unwrap();
    assert!(task.end_blocking(TaskStatus::Success).is_err());
    assert_eq!(first.losses()[0].reason, "closed");
    let reader = BufferReader::open(folder.path().join("buffer.sqlite3")).unwrap();
    let kept = reader.task(task.task_id()).unwrap().unwrap();
    assert_eq!(kept.status, TaskStatus::Failed);
    assert_eq!(kept.metadata["_ended_by"], "interrupted");
    assert_eq!(kept.totals.total_cost_usd(), dec!(1));
}

#[cfg(target_os = "linux")]
#[test]
fn a_buffer_may_lie_under_a_path_that_is_no_utf8() {
    use std::os::unix::ffi::OsStringExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder
        .path()
        .join(std::ffi::OsString::from_vec(b"\xFF?#%.db".to_vec()));
    let config = Config {
        buffer_path: Some(path.clone()),
        ..Config::default()
    };
    let tracker = CostTracker::new(config).unwrap();
    tracker
        .start_task_sync("t", TaskOptions::default())
        .unwrap()
        .end_blocking(TaskStatus::Success)
        .unwrap();
    drop(tracker);
    assert_eq!(
        BufferReader::open(&path).unwrap().status().unwrap().tasks.success,
        1
    );
}
