//! The promises of the buffer, and what it does about faults.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;

use super::samples::{TODAY, at, ended, event, full_event, full_task, task};
use super::*;
use crate::clock::{Clock, ManualClock, Timestamp};
use crate::event::Event;
use crate::report::{By, Report, ReportQuery};
use crate::task::{Task, TaskStatus};

const LONG: Duration = Duration::from_secs(60);

struct Place {
    _folder: TempDir,
    path: PathBuf,
}

fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("buffer.sqlite3");
    Place {
        _folder: folder,
        path,
    }
}

fn options(path: &Path) -> BufferOptions {
    let clock = Arc::new(ManualClock::at(at(0)));
    BufferOptions::at(path).clock(clock).busy_wait(LONG)
}

fn open(path: &Path) -> Buffer {
    Buffer::open(options(path)).unwrap()
}

fn sync(buffer: &Buffer) {
    buffer.commit().wait(LONG).unwrap();
}

fn put_event(buffer: &Buffer, event: &Event) {
    buffer.put(Record::Event(Arc::new(event.clone()))).unwrap();
}

/// Starts a task, records some events and ends it.
fn run_task(buffer: &Buffer, n: u32, customer: &str, events: u32) -> (Task, Vec<Event>) {
    let started = task(n, customer);
    buffer
        .put(Record::TaskStarted(Arc::new(started.clone())))
        .unwrap();
    let events: Vec<_> = (0..events).map(|e| event(started.task_id, e)).collect();
    events.iter().for_each(|event| put_event(buffer, event));
    let ended = ended(started, &events);
    buffer.put(Record::TaskEnded(Arc::new(ended.clone()))).unwrap();
    (ended, events)
}

fn report(path: &Path, by: By) -> Report {
    Report::read(&BufferReader::open(path).unwrap(), &ReportQuery::by(by)).unwrap()
}

#[test]
fn what_was_committed_can_be_read_beside_the_writer() {
    let place = place();
    let buffer = open(&place.path);
    let (task, events) = run_task(&buffer, 1, "acme", 3);
    sync(&buffer);
    let reader = BufferReader::open(&place.path).unwrap();
    assert_eq!(reader.task(task.task_id).unwrap().unwrap(), task);
    assert_eq!(reader.events(task.task_id).unwrap(), events);
    assert_eq!(reader.event(events[1].event_id).unwrap().unwrap(), events[1]);
    let status = reader.status().unwrap();
    assert_eq!(
        (status.events, status.tasks.success, status.tasks.pending),
        (3, 1, 0)
    );
    assert_eq!((status.owners_alive, status.owners_dead), (1, 0));
    reader.check().unwrap();
}

#[test]
fn the_fullest_records_survive_a_close_and_a_reopening() {
    let place = place();
    let buffer = open(&place.path);
    let task = full_task();
    let event = full_event(task.task_id);
    put_event(&buffer, &event);
    buffer.put(Record::TaskEnded(Arc::new(task.clone()))).unwrap();
    buffer.close(LONG).unwrap();
    assert_eq!(
        buffer.put(Record::Event(Arc::new(event.clone()))),
        Err(Refusal::Closed)
    );
    drop(open(&place.path));
    let reader = BufferReader::open(&place.path).unwrap();
    assert_eq!(reader.events(task.task_id).unwrap(), [event]);
    assert_eq!(reader.task(task.task_id).unwrap().unwrap(), task);
}

#[test]
fn an_event_is_found_by_the_first_digits_of_its_id() {
    let place = place();
    let buffer = open(&place.path);
    let (task, events) = run_task(&buffer, 1, "acme", 20);
    sync(&buffer);
    let reader = BufferReader::open(&place.path).unwrap();
    let id = events[7].event_id.to_string();
    assert_eq!(reader.find_event(&id).unwrap(), Found::One(events[7].clone()));
    assert_eq!(
        reader.find_event(&id[..35]).unwrap(),
        Found::One(events[7].clone())
    );
    assert!(matches!(reader.find_event(&id[..4]).unwrap(), Found::Several(some) if some.len() == 10));
    assert_eq!(
        reader.find_event(&id[25..]).unwrap(),
        Found::One(events[7].clone()),
        "the last digits do too"
    );
    let task_id = task.task_id.to_string();
    assert_eq!(
        reader.find_task(&task_id[25..]).unwrap(),
        Found::One(task.clone())
    );
    assert_eq!(reader.find_event(&"f".repeat(31)).unwrap(), Found::Nothing);
    assert_eq!(
        reader.find_task(&task.task_id.to_string()[..8]).unwrap(),
        Found::One(task)
    );
}

#[test]
fn tasks_are_listed_newest_first_and_by_every_filter() {
    let place = place();
    let buffer = open(&place.path);
    let all: Vec<_> = (0..9)
        .map(|n| run_task(&buffer, n, ["a", "b", "c"][n as usize % 3], 1).0)
        .collect();
    sync(&buffer);
    let reader = BufferReader::open(&place.path).unwrap();
    let of_b = TaskFilter {
        customer: Some("b".to_owned()),
        ..TaskFilter::default()
    };
    let found: Vec<_> = reader.tasks(&of_b).unwrap();
    assert_eq!(found, [all[7].clone(), all[4].clone(), all[1].clone()]);
    let last = TaskFilter {
        limit: 2,
        ..TaskFilter::default()
    };
    assert_eq!(reader.tasks(&last).unwrap(), [all[8].clone(), all[7].clone()]);
    let since = TaskFilter {
        since: Some(all[5].started_at),
        ..TaskFilter::default()
    };
    assert_eq!(reader.tasks(&since).unwrap().len(), 4);
    let failed = TaskFilter {
        status: Some(TaskStatus::Failed),
        ..TaskFilter::default()
    };
    assert_eq!(reader.tasks(&failed).unwrap(), []);
    let other = TaskFilter {
        task_type: Some("other".to_owned()),
        ..TaskFilter::default()
    };
    assert_eq!(reader.tasks(&other).unwrap(), []);
}

#[test]
fn open_tasks_of_a_dead_process_are_closed_as_interrupted_with_the_sums_of_their_events() {
    let place = place();
    let first = open(&place.path);
    let left = task(1, "acme");
    first.put(Record::TaskStarted(Arc::new(left.clone()))).unwrap();
    let events = [event(left.task_id, 1), event(left.task_id, 2)];
    events.iter().for_each(|event| put_event(&first, event));
    let (done, _) = run_task(&first, 2, "acme", 1);
    sync(&first);
    first.crash();

    let before = BufferReader::open(&place.path).unwrap().status().unwrap();
    assert_eq!(
        (before.owners_alive, before.owners_dead, before.tasks.pending),
        (0, 1, 1)
    );
    let second = open(&place.path);
    sync(&second);
    let reader = BufferReader::open(&place.path).unwrap();
    let closed = reader.task(left.task_id).unwrap().unwrap();
    assert_eq!(closed.status, TaskStatus::Failed);
    assert_eq!(closed.metadata["_ended_by"], "interrupted");
    assert_eq!(closed.totals, ended(left, &events).totals);
    assert_eq!(
        closed.ended_at.unwrap(),
        closed.started_at.max(events[1].occurred_at)
    );
    assert_eq!(reader.task(done.task_id).unwrap().unwrap(), done);
    let status = reader.status().unwrap();
    assert_eq!(
        (status.tasks.failed, status.tasks.success, status.interrupted),
        (1, 1, 1)
    );
    assert_eq!((status.owners_alive, status.owners_dead), (1, 0));
    assert_eq!(report(&place.path, By::Customer).rows[0].failed_tasks, Some(1));
}

#[test]
fn tasks_of_a_living_sibling_are_left_alone() {
    let place = place();
    let sibling = open(&place.path);
    let theirs = task(1, "acme");
    sibling
        .put(Record::TaskStarted(Arc::new(theirs.clone())))
        .unwrap();
    sync(&sibling);
    let ours = open(&place.path);
    let (mine, _) = run_task(&ours, 2, "beta", 2);
    sync(&ours);
    let reader = BufferReader::open(&place.path).unwrap();
    assert_eq!(
        reader.task(theirs.task_id).unwrap().unwrap().status,
        TaskStatus::Pending
    );
    assert_eq!(reader.task(mine.task_id).unwrap().unwrap(), mine);
    assert_eq!(reader.status().unwrap().owners_alive, 2);
}

#[test]
fn events_without_their_task_are_kept_and_counted_for_the_right_customer_once_it_arrives() {
    let place = place();
    let buffer = open(&place.path);
    let late = task(1, "acme");
    let events = [event(late.task_id, 1), event(late.task_id, 2)];
    put_event(&buffer, &events[0]);
    sync(&buffer);
    assert_eq!(report(&place.path, By::Customer).rows[0].name, None);
    assert_eq!(
        BufferReader::open(&place.path)
            .unwrap()
            .status()
            .unwrap()
            .tasks
            .stubs,
        1
    );
    let done = ended(late.clone(), &events);
    buffer.put(Record::TaskEnded(Arc::new(done))).unwrap();
    put_event(&buffer, &events[1]);
    buffer.put(Record::TaskStarted(Arc::new(late.clone()))).unwrap();
    sync(&buffer);
    let rows = report(&place.path, By::Customer).rows;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(
        (rows[0].name.as_deref(), rows[0].events, rows[0].tasks),
        (Some("acme"), 2, Some(1))
    );
    let reader = BufferReader::open(&place.path).unwrap();
    assert_eq!(reader.status().unwrap().tasks.stubs, 0);
    assert_eq!(
        reader.task(late.task_id).unwrap().unwrap().status,
        TaskStatus::Success,
        "a late start"
    );
}

#[test]
fn an_edit_moves_the_difference_and_an_older_revision_changes_nothing() {
    let place = place();
    let buffer = open(&place.path);
    let (task, events) = run_task(&buffer, 1, "acme", 2);
    let before = Arc::new(events[0].clone());
    let mut after = events[0].clone();
    after.model = Some("claude".into());
    after.cost_usd = None;
    after.revision = 2;
    let edit = Record::EventChanged {
        before: Arc::clone(&before),
        after: Arc::new(after.clone()),
    };
    buffer.put(edit).unwrap();
    let stale = Record::EventChanged {
        before: Arc::clone(&before),
        after: before,
    };
    buffer.put(stale).unwrap();
    sync(&buffer);
    assert_eq!(
        BufferReader::open(&place.path)
            .unwrap()
            .events(task.task_id)
            .unwrap()[0],
        after
    );
    let report = report(&place.path, By::Model);
    assert_eq!(report.rows.len(), 2);
    assert_eq!(report.rows[0].total_cost_usd.to_decimal(), events[1].cost_usd);
    assert_eq!(
        (report.rows[1].name.as_deref(), report.rows[1].unknown_cost_events),
        (Some("claude"), 1)
    );
    assert_eq!(report.total.total_cost_usd, report.rows[0].total_cost_usd);
    assert_eq!((report.rows[0].tasks, report.total.tasks), (None, Some(1)));
}

#[test]
fn the_same_event_twice_is_counted_once_and_the_second_as_a_duplicate() {
    let place = place();
    let buffer = open(&place.path);
    let (_, events) = run_task(&buffer, 1, "acme", 1);
    put_event(&buffer, &events[0]);
    sync(&buffer);
    let status = BufferReader::open(&place.path).unwrap().status().unwrap();
    assert_eq!(status.events, 1);
    let loss = Loss {
        kind: "event".to_owned(),
        reason: "duplicate".to_owned(),
        count: 1,
    };
    assert_eq!(status.losses, std::slice::from_ref(&loss));
    assert_eq!(buffer.losses(), [loss]);
    sync(&buffer);
    assert_eq!(
        BufferReader::open(&place.path).unwrap().status().unwrap().losses[0].count,
        1
    );
}

#[test]
fn a_full_queue_refuses_and_the_losses_stand_in_the_file() {
    let place = place();
    let blocker = locked(&place.path);
    let buffer = Buffer::open(options(&place.path).queue_bytes(40_000)).unwrap();
    let one = task(1, "acme");
    let results: Vec<_> = (0..500)
        .map(|n| buffer.put(Record::Event(Arc::new(event(one.task_id, n)))))
        .collect();
    let refused = results.iter().filter(|r| **r == Err(Refusal::QueueFull)).count() as u64;
    assert!(refused > 300 && refused < 500, "{refused}");
    drop(blocker);
    buffer.close(LONG).unwrap();
    let status = BufferReader::open(&place.path).unwrap().status().unwrap();
    assert_eq!(status.events + refused, 500);
    assert_eq!(
        status.losses,
        [Loss {
            kind: "event".to_owned(),
            reason: "queue_full".to_owned(),
            count: refused
        }]
    );
}

/// A connection that holds the write lock of a fresh, migrated file.
fn locked(path: &Path) -> Connection {
    drop(open(path));
    let conn = Connection::open(path).unwrap();
    conn.execute_batch("BEGIN IMMEDIATE").unwrap();
    conn
}

#[test]
fn a_locked_file_is_tried_again_and_nothing_is_lost() {
    let place = place();
    let blocker = locked(&place.path);
    let buffer = Buffer::open(options(&place.path).busy_wait(Duration::from_millis(50))).unwrap();
    let (task, events) = run_task(&buffer, 1, "acme", 5);
    let refused = buffer.commit().wait(LONG).unwrap_err();
    assert!(refused.to_string().contains("locked"), "{refused}");
    assert!(buffer.trouble().unwrap().contains("locked"));
    drop(blocker);
    while buffer.commit().wait(LONG).is_err() {}
    assert_eq!(buffer.trouble(), None);
    assert_eq!(
        BufferReader::open(&place.path)
            .unwrap()
            .events(task.task_id)
            .unwrap(),
        events
    );
}

#[test]
fn a_full_disk_keeps_what_was_committed_and_counts_the_rest() {
    let place = place();
    let buffer = Buffer::open(options(&place.path).max_pages(60)).unwrap();
    let (task, events) = run_task(&buffer, 1, "acme", 10);
    sync(&buffer);
    let other = super::samples::task(2, "acme");
    let many = 5_000;
    (0..many).for_each(|n| put_event(&buffer, &event(other.task_id, n)));
    let full = buffer.commit().wait(LONG).unwrap_err();
    assert!(full.to_string().contains("full"), "{full}");
    assert!(buffer.close(LONG).is_err());
    let lost = &buffer.losses()[0];
    assert_eq!(
        (lost.kind.as_str(), lost.reason.as_str()),
        ("event", "disk_error")
    );
    let reader = BufferReader::open(&place.path).unwrap();
    let kept = reader.status().unwrap().events - events.len() as u64;
    assert_eq!(kept + lost.count, u64::from(many), "committed or counted");
    assert_eq!(reader.events(task.task_id).unwrap(), events);
    reader.check().unwrap();
}

#[test]
fn a_corrupt_file_is_set_aside_untouched_and_a_new_one_begun() {
    let place = place();
    std::fs::write(
        &place.path,
        b"this is no database, however hard one looks at it".repeat(200),
    )
    .unwrap();
    let before = std::fs::read(&place.path).unwrap();
    let buffer = open(&place.path);
    let (task, _) = run_task(&buffer, 1, "acme", 1);
    sync(&buffer);
    let reader = BufferReader::open(&place.path).unwrap();
    assert!(reader.task(task.task_id).unwrap().is_some());
    let status = reader.status().unwrap();
    assert_eq!(status.set_aside.len(), 1);
    assert_eq!(
        std::fs::read(place.path.with_file_name(&status.set_aside[0])).unwrap(),
        before
    );
    assert_eq!(
        status.losses,
        [Loss {
            kind: "file".to_owned(),
            reason: "corrupt".to_owned(),
            count: 1
        }]
    );
}

#[test]
fn a_torn_file_never_stops_the_program() {
    let place = place();
    let buffer = open(&place.path);
    (0..50).for_each(|n| drop(run_task(&buffer, n, "acme", 20)));
    buffer.close(LONG).unwrap();
    drop(buffer);
    let sound = std::fs::read(&place.path).unwrap();
    for keep in [0, 50, 4_096, 8_192, sound.len() / 2, sound.len() - 4_096] {
        std::fs::write(&place.path, &sound[..keep]).unwrap();
        let buffer = open(&place.path);
        let (task, events) = run_task(&buffer, 1, "beta", 3);
        sync(&buffer);
        let reader = BufferReader::open(&place.path).unwrap();
        assert_eq!(reader.events(task.task_id).unwrap(), events, "{keep}");
    }
}

#[test]
fn a_cut_write_ahead_log_loses_its_tail_and_nothing_before() {
    let place = place();
    let buffer = open(&place.path);
    let (first, events) = run_task(&buffer, 1, "acme", 3);
    sync(&buffer);
    let wal = store::beside(&place.path, "-wal");
    let kept = std::fs::metadata(&wal).unwrap().len();
    run_task(&buffer, 2, "acme", 300);
    sync(&buffer);
    let copy = tempfile::tempdir().unwrap();
    let path = copy.path().join("b.sqlite3");
    std::fs::copy(&place.path, &path).unwrap();
    let log = std::fs::read(&wal).unwrap();
    std::fs::write(
        store::beside(&path, "-wal"),
        &log[..usize::try_from(kept).unwrap() + 1_000],
    )
    .unwrap();
    let buffer = open(&path);
    sync(&buffer);
    let reader = BufferReader::open(&path).unwrap();
    assert_eq!(reader.events(first.task_id).unwrap(), events);
    assert_eq!(reader.status().unwrap().events, 3);
    reader.check().unwrap();
}

#[test]
fn a_file_of_a_later_version_or_of_another_program_is_not_touched() {
    for statement in ["PRAGMA user_version = 99", "CREATE TABLE theirs (x)"] {
        let place = place();
        Connection::open(&place.path)
            .unwrap()
            .execute_batch(statement)
            .unwrap();
        let before = std::fs::read(&place.path).unwrap();
        let buffer = open(&place.path);
        run_task(&buffer, 1, "acme", 1);
        assert!(buffer.commit().wait(LONG).is_err());
        assert!(buffer.trouble().is_some());
        assert!(buffer.close(LONG).is_err());
        assert_eq!(buffer.losses().iter().map(|loss| loss.count).sum::<u64>(), 3);
        assert_eq!(std::fs::read(&place.path).unwrap(), before);
        assert!(BufferReader::open(&place.path).is_err());
    }
}

#[test]
fn a_folder_that_cannot_be_made_costs_the_records_and_not_the_program() {
    let place = place();
    std::fs::write(&place.path, b"a file, no folder").unwrap();
    let buffer = open(&place.path.join("deeper").join("buffer.sqlite3"));
    run_task(&buffer, 1, "acme", 1);
    assert!(buffer.commit().wait(LONG).is_err());
    assert!(buffer.close(LONG).is_err());
    assert_eq!(buffer.losses().len(), 3);
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_the_file_and_its_new_folder() {
    use std::os::unix::fs::PermissionsExt;
    let place = place();
    let path = place.path.with_file_name("new").join("deep").join("b.sqlite3");
    let buffer = open(&path);
    sync(&buffer);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    assert_eq!(mode(&store::beside(&path, "-wal")), 0o600);
}

#[test]
fn old_tasks_leave_with_their_events_and_are_counted() {
    let place = place();
    let clock = Arc::new(ManualClock::at(at(0)));
    let options = options(&place.path).clock(Arc::clone(&clock) as _);
    let buffer = Buffer::open(options.clone()).unwrap();
    (0..3).for_each(|n| drop(run_task(&buffer, n, "acme", 4)));
    let open_task = task(9, "acme");
    buffer
        .put(Record::TaskStarted(Arc::new(open_task.clone())))
        .unwrap();
    sync(&buffer);
    clock.advance(Duration::from_secs(32 * 86_400));
    let second = Buffer::open(options).unwrap();
    sync(&second);
    second.close(LONG).unwrap();
    let reader = BufferReader::open(&place.path).unwrap();
    let status = reader.status().unwrap();
    assert_eq!(
        (status.events, status.tasks.success, status.tasks.pending),
        (0, 0, 1)
    );
    let left: Vec<_> = status
        .departed
        .iter()
        .map(|d| (d.kind.as_str(), d.reason.as_str(), d.count))
        .collect();
    assert_eq!(left, [("event", "expired", 12), ("task", "expired", 3)]);
    assert_eq!(report(&place.path, By::Day).rows, []);
    reader.check().unwrap();
}

#[test]
fn what_several_writers_let_go_at_once_is_counted_once() {
    for _ in 0..20 {
        let place = place();
        let clock = Arc::new(ManualClock::at(at(0)));
        let options = options(&place.path).clock(Arc::clone(&clock) as _);
        let first = Buffer::open(options.clone()).unwrap();
        (0..3).for_each(|n| drop(run_task(&first, n, "acme", 4)));
        first.close(LONG).unwrap();
        clock.advance(Duration::from_secs(32 * 86_400));
        let writers: Vec<_> = (0..3).map(|_| Buffer::open(options.clone()).unwrap()).collect();
        writers.iter().for_each(sync);
        writers.iter().for_each(|writer| writer.close(LONG).unwrap());
        let status = BufferReader::open(&place.path).unwrap().status().unwrap();
        let left: Vec<_> = status
            .departed
            .iter()
            .map(|d| (d.kind.as_str(), d.count))
            .collect();
        assert_eq!(left, [("event", 12), ("task", 3)]);
        assert_eq!((status.events, status.tasks.success), (0, 0));
    }
}

#[test]
fn a_clock_that_is_set_back_changes_nothing_but_the_times() {
    let place = place();
    let clock = Arc::new(ManualClock::at(at(0)));
    let buffer = Buffer::open(options(&place.path).keep(None).clock(Arc::clone(&clock) as _)).unwrap();
    let (now, _) = run_task(&buffer, 5, "acme", 2);
    clock.set(Timestamp::from_unix_micros(TODAY / 2));
    let (mut past, mut events) = (task(1, "acme"), vec![]);
    past.started_at = Timestamp::from_unix_micros(0);
    let mut early = event(past.task_id, 1);
    early.occurred_at = Timestamp::from_unix_micros(0);
    events.push(early);
    buffer.put(Record::TaskStarted(Arc::new(past.clone()))).unwrap();
    put_event(&buffer, &events[0]);
    sync(&buffer);
    let reader = BufferReader::open(&place.path).unwrap();
    assert_eq!(reader.tasks(&TaskFilter::default()).unwrap(), [now, past]);
    let days: Vec<_> = report(&place.path, By::Day)
        .rows
        .into_iter()
        .map(|row| row.name.unwrap())
        .collect();
    assert_eq!(days, ["1970-01-01", "2026-11-22"]);
}

#[test]
fn names_of_a_megabyte_are_kept_whole_and_cut_in_reports() {
    let place = place();
    let buffer = open(&place.path);
    let mut huge = task(1, &"ü".repeat(500_000));
    huge.metadata
        .insert("k".repeat(1_000_000), "v".repeat(1_000_000).into());
    let mut call = event(huge.task_id, 1);
    call.model = Some("m".repeat(1 << 20).into());
    buffer.put(Record::TaskStarted(Arc::new(huge.clone()))).unwrap();
    put_event(&buffer, &call);
    sync(&buffer);
    let reader = BufferReader::open(&place.path).unwrap();
    assert_eq!(reader.task(huge.task_id).unwrap().unwrap(), huge);
    assert_eq!(reader.events(huge.task_id).unwrap(), [call]);
    assert!(
        report(&place.path, By::Model).rows[0]
            .name
            .as_ref()
            .unwrap()
            .len()
            < 300
    );
}

#[test]
fn a_task_that_changes_hands_takes_its_events_along() {
    let place = place();
    let buffer = open(&place.path);
    let (mut task, _) = run_task(&buffer, 1, "acme", 3);
    sync(&buffer);
    task.attribution.customer_id = Some("beta".into());
    task.revision += 1;
    buffer.put(Record::TaskChanged(Arc::new(task))).unwrap();
    sync(&buffer);
    let rows = report(&place.path, By::Customer).rows;
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (rows[0].name.as_deref(), rows[0].events, rows[0].tasks),
        (Some("beta"), 3, Some(1))
    );
}

#[test]
fn many_threads_lose_nothing_and_each_task_keeps_its_order() {
    let place = place();
    let buffer = open(&place.path);
    let all: Vec<_> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..16)
            .map(|n| {
                let buffer = &buffer;
                scope.spawn(move || run_task(buffer, n, "acme", 500))
            })
            .collect();
        handles.into_iter().map(|handle| handle.join().unwrap()).collect()
    });
    sync(&buffer);
    let reader = BufferReader::open(&place.path).unwrap();
    for (task, events) in all {
        assert_eq!(reader.events(task.task_id).unwrap(), events);
        assert_eq!(reader.task(task.task_id).unwrap().unwrap(), task);
    }
    assert_eq!(report(&place.path, By::Customer).total.events, 8_000);
    assert!(buffer.losses().is_empty());
}

#[test]
fn a_record_after_a_long_silence_is_committed_without_being_asked_for() {
    let place = place();
    let buffer = Buffer::open(options(&place.path).commit_interval(Duration::from_millis(1))).unwrap();
    sync(&buffer);
    for round in 1..=3 {
        while !buffer.shared.queue.is_parked() {
            std::thread::yield_now();
        }
        let one = task(round, "acme");
        put_event(&buffer, &event(one.task_id, 1));
        let reader = BufferReader::open(&place.path).unwrap();
        while reader.status().unwrap().events < u64::from(round) {
            std::thread::yield_now();
        }
    }
}

#[test]
fn a_buffer_that_was_never_used_leaves_one_file_behind() {
    let place = place();
    let buffer = open(&place.path);
    buffer.close(LONG).unwrap();
    assert!(buffer.close(LONG).is_ok(), "closed twice");
    assert!(buffer.commit().wait(LONG).is_err(), "a commit after the end");
    let names: Vec<_> = std::fs::read_dir(place.path.parent().unwrap())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(names, ["buffer.sqlite3"]);
}

#[test]
fn a_reopened_buffer_goes_on_in_the_same_file() {
    let place = place();
    let first = open(&place.path);
    run_task(&first, 1, "acme", 1);
    let second = first.reopen().unwrap();
    run_task(&second, 2, "acme", 1);
    sync(&first);
    sync(&second);
    assert_eq!(
        BufferReader::open(&place.path).unwrap().status().unwrap().events,
        2
    );
}

#[cfg(unix)]
#[test]
fn a_read_only_copy_can_be_read() {
    use std::os::unix::fs::PermissionsExt;
    let place = place();
    let buffer = open(&place.path);
    let (task, events) = run_task(&buffer, 1, "acme", 2);
    buffer.close(LONG).unwrap();
    let folder = place.path.parent().unwrap();
    std::fs::set_permissions(&place.path, PermissionsExt::from_mode(0o400)).unwrap();
    std::fs::set_permissions(folder, PermissionsExt::from_mode(0o500)).unwrap();
    let found = BufferReader::open(&place.path).and_then(|reader| reader.events(task.task_id));
    std::fs::set_permissions(folder, PermissionsExt::from_mode(0o700)).unwrap();
    assert_eq!(found.unwrap(), events);
}

#[test]
fn a_commit_beside_a_close_is_answered_whoever_comes_first() {
    for _ in 0..50 {
        let place = place();
        let buffer = open(&place.path);
        std::thread::scope(|scope| {
            scope.spawn(|| while buffer.commit().wait(LONG).is_ok() {});
            buffer.close(LONG).unwrap();
        });
        let answer = buffer.commit().wait(LONG);
        assert!(matches!(answer, Err(Error::Closed)), "{answer:?}");
    }
}

/// Every name in the file, of customers, projects, types, providers, models and services.
fn names(path: &Path) -> Vec<String> {
    let conn = Connection::open(path).unwrap();
    let sql = "SELECT customer FROM whos UNION SELECT project FROM whos UNION SELECT type FROM whos
               UNION SELECT provider FROM whats UNION SELECT model FROM whats UNION SELECT service FROM whats";
    let mut statement = conn.prepare(sql).unwrap();
    let rows = statement
        .query_map([], |row| row.get::<_, Option<String>>(0))
        .unwrap();
    rows.filter_map(Result::unwrap).collect()
}

#[test]
fn names_leave_with_the_last_data_that_refers_to_them_in_every_process() {
    let place = place();
    let clock = Arc::new(ManualClock::at(at(0)));
    let options = options(&place.path).clock(Arc::clone(&clock) as _);
    // Remembers the names, and outlives them.
    let sibling = Buffer::open(options.clone()).unwrap();
    run_task(&sibling, 1, "gone-customer", 2);
    let open_task = task(2, "open-customer");
    sibling
        .put(Record::TaskStarted(Arc::new(open_task.clone())))
        .unwrap();
    sync(&sibling);
    assert!(names(&place.path).contains(&"gone-customer".to_owned()));

    clock.advance(Duration::from_secs(32 * 86_400));
    let second = Buffer::open(options).unwrap();
    sync(&second);
    second.close(LONG).unwrap();
    let left = names(&place.path);
    assert!(
        !left
            .iter()
            .any(|name| name == "gone-customer" || name == "gpt-4o"),
        "{left:?}"
    );
    assert!(
        left.contains(&"open-customer".to_owned()),
        "its task is still there"
    );

    let mut again = task(3, "gone-customer");
    again.started_at = clock.now();
    let mut call = event(again.task_id, 1);
    call.occurred_at = clock.now();
    sibling.put(Record::TaskStarted(Arc::new(again))).unwrap();
    put_event(&sibling, &call);
    sync(&sibling);
    assert_eq!(
        report(&place.path, By::Customer).rows[0].name.as_deref(),
        Some("gone-customer")
    );
    assert_eq!(
        report(&place.path, By::Model).rows[0].name.as_deref(),
        Some("gpt-4o")
    );
}

#[derive(Debug)]
struct BrokenClock;

impl Clock for BrokenClock {
    fn now(&self) -> Timestamp {
        panic!("no time")
    }
}

#[test]
fn a_clock_that_panics_costs_the_records_and_keeps_nobody_waiting() {
    let place = place();
    let buffer = Buffer::open(options(&place.path).clock(Arc::new(BrokenClock))).unwrap();
    let mut handed_over = 0;
    while buffer.put(Record::TaskStarted(Arc::new(task(1, "acme")))).is_ok() {
        handed_over += 1;
        assert!(buffer.commit().wait(LONG).is_err());
    }
    assert!(buffer.close(LONG).is_err());
    let lost = |buffer: &Buffer| buffer.losses().iter().map(|loss| loss.count).sum::<u64>();
    while lost(&buffer) < handed_over + 1 {
        std::thread::yield_now();
    }
    assert_eq!(lost(&buffer), handed_over + 1);
}

#[cfg(unix)]
#[test]
fn a_file_that_is_removed_under_the_writer_is_begun_anew_and_counted() {
    let place = place();
    let buffer = open(&place.path);
    run_task(&buffer, 1, "acme", 2);
    sync(&buffer);
    for side in ["", "-wal", "-shm"] {
        std::fs::remove_file(store::beside(&place.path, side)).unwrap();
    }
    let (kept, events) = run_task(&buffer, 2, "acme", 3);
    sync(&buffer);
    let reader = BufferReader::open(&place.path).unwrap();
    assert_eq!(reader.task(kept.task_id).unwrap().unwrap(), kept);
    assert_eq!(reader.events(kept.task_id).unwrap(), events);
    let status = reader.status().unwrap();
    assert_eq!((status.tasks.success, status.owners_alive), (1, 1));
    let lost = |loss: &Loss| (loss.kind.clone(), loss.reason.clone(), loss.count);
    assert_eq!(
        status.losses.iter().map(lost).collect::<Vec<_>>(),
        [("file".to_owned(), "removed".to_owned(), 1)]
    );
    reader.check().unwrap();
}

#[test]
fn a_wait_without_end_is_no_overflow() {
    let place = place();
    let buffer = open(&place.path);
    buffer.commit().wait(Duration::MAX).unwrap();
    buffer.close(Duration::MAX).unwrap();
}
