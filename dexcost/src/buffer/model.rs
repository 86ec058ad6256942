//! Any sequence of records, edits, crashes and reopenings, beside a model in memory: what was promised
//! is there, and the rollups and counters are what the rows add up to.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::dec;
use proptest::prelude::*;
use rusqlite::Connection;
use rust_decimal::Decimal;

use super::codec::{decode_event, decode_task};
use super::meta::{Counter, Meta, STUB};
use super::rollup::Tally;
use super::samples;
use super::*;
use crate::event::{CostConfidence, Event, EventType, OperationStatus};
use crate::id::EventId;
use crate::task::{Task, TaskStatus};

const LONG: Duration = Duration::from_secs(60);

#[derive(Clone, Debug)]
enum Step {
    Start { customer: u8, lost: bool },
    Record { task: usize, facts: Facts },
    Edit { event: usize, facts: Facts },
    Rename { task: usize, customer: u8 },
    End { task: usize, fails: bool },
    Commit,
    Crash,
    Reopen,
}

#[derive(Clone, Debug)]
struct Facts {
    kind: usize,
    cost: Option<Decimal>,
    day: i64,
    model: u8,
    is_retry: bool,
    fails: bool,
    input: u64,
}

fn facts() -> impl Strategy<Value = Facts> {
    let cost = prop_oneof![
        Just(None),
        (0i64..1_000_000, 0u32..12).prop_map(|(n, scale)| Some(Decimal::new(n, scale))),
        Just(Some(dec!(79228162514264337593543950335))),
        Just(Some(dec!(0.0000000000000000000000000001))),
        Just(Some(dec!(-3.50))),
    ];
    let kinds = 0..EventType::ALL.len();
    let input = prop_oneof![0..5_000u64, Just(u64::MAX)];
    (kinds, cost, 0i64..3, 0u8..3, any::<bool>(), any::<bool>(), input).prop_map(
        |(kind, cost, day, model, is_retry, fails, input)| Facts {
            kind,
            cost,
            day,
            model,
            is_retry,
            fails,
            input,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0u8..3, prop::bool::weighted(0.1)).prop_map(|(customer, lost)| Step::Start { customer, lost }),
        10 => (any::<usize>(), facts()).prop_map(|(task, facts)| Step::Record { task, facts }),
        4 => (any::<usize>(), facts()).prop_map(|(event, facts)| Step::Edit { event, facts }),
        1 => (any::<usize>(), 0u8..3).prop_map(|(task, customer)| Step::Rename { task, customer }),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(task, fails)| Step::End { task, fails }),
        3 => Just(Step::Commit),
        1 => Just(Step::Crash),
        1 => Just(Step::Reopen),
    ]
}

fn apply_facts(event: &mut Event, facts: &Facts) {
    event.event_type = EventType::ALL[facts.kind];
    event.cost_usd = facts.cost;
    event.cost_confidence = if facts.cost.is_some() {
        CostConfidence::Computed
    } else {
        CostConfidence::Unknown
    };
    event.occurred_at = samples::at(facts.day * samples::DAY);
    event.model = (facts.model > 0).then(|| format!("model-{}", facts.model).into());
    event.is_retry = facts.is_retry;
    event.operation_status = if facts.fails {
        OperationStatus::Failed
    } else {
        OperationStatus::Succeeded
    };
    event.usage.set(crate::usage::Unit::InputTokens, facts.input);
}

/// What a program would have in memory.
struct World<'p> {
    path: &'p Path,
    buffer: Buffer,
    tasks: Vec<Task>,
    events: Vec<Event>,
    /// What the last confirmed commit covers.
    promised_tasks: HashMap<TaskId, Task>,
    promised_events: HashMap<EventId, Event>,
}

impl<'p> World<'p> {
    fn new(path: &'p Path) -> Self {
        Self {
            path,
            buffer: open(path),
            tasks: Vec::new(),
            events: Vec::new(),
            promised_tasks: HashMap::new(),
            promised_events: HashMap::new(),
        }
    }

    fn put(&self, record: Record) {
        self.buffer.put(record).unwrap();
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Start { customer, lost } => {
                let task = samples::task(1, &format!("customer-{customer}"));
                if !lost {
                    self.put(Record::TaskStarted(Arc::new(task.clone())));
                }
                self.tasks.push(task);
            }
            Step::Record { task, facts } if !self.tasks.is_empty() => {
                let mut event = samples::event(self.tasks[task % self.tasks.len()].task_id, 1);
                apply_facts(&mut event, facts);
                self.put(Record::Event(Arc::new(event.clone())));
                self.events.push(event);
            }
            Step::Edit { event, facts } if !self.events.is_empty() => {
                let place = event % self.events.len();
                let event = &mut self.events[place];
                let before = Arc::new(event.clone());
                apply_facts(event, facts);
                event.revision += 1;
                let after = Arc::new(event.clone());
                self.put(Record::EventChanged { before, after });
            }
            Step::Rename { task, customer } if !self.tasks.is_empty() => {
                let place = task % self.tasks.len();
                self.tasks[place].attribution.customer_id = Some(format!("customer-{customer}").into());
                self.tasks[place].revision += 1;
                self.put(Record::TaskChanged(Arc::new(self.tasks[place].clone())));
            }
            Step::End { task, fails } if !self.tasks.is_empty() => {
                let place = task % self.tasks.len();
                let task = &mut self.tasks[place];
                task.status = if *fails {
                    TaskStatus::Failed
                } else {
                    TaskStatus::Success
                };
                task.ended_at = Some(task.started_at);
                task.revision += 1;
                let ended = Arc::new(task.clone());
                self.put(Record::TaskEnded(ended));
            }
            Step::Commit => self.commit(),
            Step::Crash => self.again(Buffer::crash),
            Step::Reopen => {
                self.commit();
                self.again(|buffer| buffer.close(LONG).unwrap());
            }
            _ => {}
        }
    }

    fn commit(&mut self) {
        self.buffer.commit().wait(LONG).unwrap();
        // A lost start is only promised once the task changed or ended.
        let arrived = self.tasks.iter().filter(|task| self.is_known(task));
        self.promised_tasks = arrived.map(|task| (task.task_id, task.clone())).collect();
        self.promised_events = self
            .events
            .iter()
            .map(|event| (event.event_id, event.clone()))
            .collect();
    }

    fn is_known(&self, task: &Task) -> bool {
        BufferReader::open(self.path)
            .unwrap()
            .task(task.task_id)
            .unwrap()
            .is_some()
    }

    /// Ends the process, begins another, checks what is there and goes on from it.
    fn again(&mut self, end: impl FnOnce(Buffer)) {
        let next = std::mem::take(&mut self.tasks);
        drop(next);
        let spare = self.path.with_file_name("spare.sqlite3");
        end(std::mem::replace(&mut self.buffer, open(&spare)));
        self.buffer = open(self.path);
        self.buffer.commit().wait(LONG).unwrap();
        let reader = BufferReader::open(self.path).unwrap();
        for (id, promised) in &self.promised_events {
            let found = reader.event(*id).unwrap().expect("a promised event is gone");
            assert!(found.revision >= promised.revision);
            assert!(found.revision > promised.revision || found == *promised);
        }
        for (id, promised) in &self.promised_tasks {
            let found = reader.task(*id).unwrap().expect("a promised task is gone");
            assert!(found.revision >= promised.revision);
            assert_ne!(found.status, TaskStatus::Pending);
        }
        self.events = self
            .promised_events
            .keys()
            .map(|id| reader.event(*id).unwrap().unwrap())
            .collect();
        self.events.sort_by_key(|event| event.event_id);
        self.promised_tasks.clear();
        self.promised_events = self
            .events
            .iter()
            .map(|event| (event.event_id, event.clone()))
            .collect();
        check(self.path);
    }
}

fn open(path: &Path) -> Buffer {
    let clock = Arc::new(crate::clock::ManualClock::at(samples::at(0)));
    Buffer::open(
        BufferOptions::at(path)
            .clock(clock)
            .commit_interval(Duration::from_millis(1)),
    )
    .unwrap()
}

/// The rollups and counters, counted afresh from the rows.
fn check(path: &Path) {
    let conn = Connection::open(path).unwrap();
    let mut expected: HashMap<(i64, i64, i64), Tally> = HashMap::new();
    let mut counts = Meta::default();
    let mut statement = conn
        .prepare("SELECT e.id, t.id, e.body, t.who FROM events e JOIN tasks t ON t.task = e.task")
        .unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let body: Vec<u8> = row.get(2).unwrap();
        let event = decode_event(row.get(0).unwrap(), row.get(1).unwrap(), &body).unwrap();
        let what = conn
            .query_row(
                "SELECT what FROM whats WHERE provider IS ?1 AND model IS ?2 AND service IS ?3",
                [
                    event.provider.as_deref(),
                    event.model.as_deref(),
                    event.service_name.as_deref(),
                ],
                |row| row.get(0),
            )
            .unwrap();
        let key = (event.occurred_at.day_number(), row.get(3).unwrap(), what);
        expected.entry(key).or_default().add_event(&event);
        counts.add(Counter::Events, 1);
    }
    let mut statement = conn.prepare("SELECT id, body, who, status FROM tasks").unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let status: i64 = row.get(3).unwrap();
        counts.add(Counter::of_status(status), 1);
        if status != STUB {
            let body: Vec<u8> = row.get(1).unwrap();
            let task = decode_task(row.get(0).unwrap(), &body).unwrap();
            let key = (task.started_at.day_number(), row.get(2).unwrap(), NO_WHAT);
            expected
                .entry(key)
                .or_default()
                .count_task(task.status, task.is_interrupted(), 1);
        }
    }
    expected.retain(|_, tally| !tally.is_zero());

    let mut statement = conn.prepare("SELECT day, who, what, body FROM rollups").unwrap();
    let rows = statement.query_map([], |row| {
        let body: Vec<u8> = row.get(3)?;
        Ok((
            (row.get(0)?, row.get(1)?, row.get(2)?),
            Tally::decode(&body).unwrap(),
        ))
    });
    let found: HashMap<(i64, i64, i64), Tally> = rows.unwrap().map(Result::unwrap).collect();
    assert_eq!(found, expected);
    let meta = Meta::read(&conn).unwrap();
    for counter in [
        Counter::Events,
        Counter::Pending,
        Counter::Success,
        Counter::Failed,
        Counter::Stubs,
    ] {
        assert_eq!(meta.get(counter), counts.get(counter), "{counter}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn rollups_equal_the_sum_of_their_events_whatever_happens(steps in proptest::collection::vec(step(), 1..60)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("buffer.sqlite3");
        let mut world = World::new(&path);
        steps.iter().for_each(|step| world.take(step));
        world.commit();
        check(&path);
        world.again(Buffer::crash);
    }
}
