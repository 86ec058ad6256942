//! Files that earlier versions wrote are read by this one, and written on.
//!
//! Each fixture `buffer-v<schema>.sqlite3` was made by the code of that version from `buffer.json`'s
//! tasks and events. To make one for a new schema: `cargo test -p dexcost-tests --test buffer_versions --
//! --ignored`, before the first release that writes it; never again afterwards.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use dexcost::buffer::{Buffer, BufferOptions, BufferReader, TaskFilter};
use dexcost::report::{By, Report, ReportQuery};
use dexcost::*;
use serde_json::Value;

const LONG: Duration = Duration::from_secs(60);

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(name)
}

fn golden() -> (Vec<Task>, Vec<Event>) {
    let text = std::fs::read_to_string(fixture("buffer.json")).unwrap();
    let golden: Value = serde_json::from_str(&text).unwrap();
    let tasks = serde_json::from_value(golden["tasks"].clone()).unwrap();
    let events = serde_json::from_value(golden["events"].clone()).unwrap();
    (tasks, events)
}

#[test]
fn a_file_of_schema_1_is_read_and_written_on() {
    is_read_and_written_on("buffer-v1.sqlite3");
}

#[test]
fn a_file_of_schema_2_is_read_and_written_on() {
    is_read_and_written_on("buffer-v2.sqlite3");
}

fn is_read_and_written_on(file: &str) {
    let (tasks, events) = golden();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("buffer.sqlite3");
    std::fs::copy(fixture(file), &path).unwrap();
    let options = BufferOptions::at(&path).keep(None);
    for round in 0..2 {
        let reader = BufferReader::open(&path).unwrap();
        assert_eq!(
            reader.tasks(&TaskFilter::default()).unwrap(),
            tasks,
            "round {round}"
        );
        for event in &events {
            assert_eq!(reader.event(event.event_id).unwrap().as_ref(), Some(event));
        }
        let total = Report::read(&reader, &ReportQuery::by(By::Model)).unwrap().total;
        assert_eq!(total.events, events.len() as u64);
        assert_eq!(total.total_cost_usd.to_string(), "1.0000123");
        reader.check().unwrap();
        Buffer::open(options.clone()).unwrap().close(LONG).unwrap();
    }
    let buffer = Buffer::open(options).unwrap();
    let again = Record::Event(Arc::new(events[0].clone()));
    buffer.put(again).unwrap();
    buffer.commit().wait(LONG).unwrap();
    assert_eq!(buffer.losses()[0].reason, "duplicate");
}

#[test]
#[ignore = "makes the fixture of a schema; run once per schema"]
fn make() {
    let (tasks, events) = golden();
    let path = fixture("buffer-v2.sqlite3");
    let buffer = Buffer::open(BufferOptions::at(path).keep(None)).unwrap();
    for task in tasks.iter().rev() {
        buffer.put(Record::TaskEnded(Arc::new(task.clone()))).unwrap();
    }
    for event in events {
        buffer.put(Record::Event(Arc::new(event))).unwrap();
    }
    buffer.close(LONG).unwrap();
}

#[test]
fn a_file_of_schema_1_learns_whose_sub_task_is_whose_and_which_tasks_a_crash_cut_short() {
    let (tasks, _) = golden();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("buffer.sqlite3");
    std::fs::copy(fixture("buffer-v1.sqlite3"), &path).unwrap();
    let read = || {
        let reader = BufferReader::open(&path).unwrap();
        let below = |task: &Task| reader.descendants(task.task_id).unwrap().len();
        let below: Vec<usize> = tasks.iter().map(below).collect();
        let total = Report::read(&reader, &ReportQuery::by(By::Customer))
            .unwrap()
            .total;
        (below, total.interrupted_tasks)
    };
    assert_eq!(read().1, Some(0));
    Buffer::open(BufferOptions::at(&path).keep(None))
        .unwrap()
        .close(LONG)
        .unwrap();
    let children = |task: &Task| {
        tasks
            .iter()
            .filter(|child| child.parent_task_id == Some(task.task_id))
            .count()
    };
    let interrupted = tasks.iter().filter(|task| task.is_interrupted()).count() as u64;
    let children: Vec<usize> = tasks.iter().map(children).collect();
    assert_eq!(read(), (children, Some(interrupted)));
}
