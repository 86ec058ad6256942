//! Tasks, events and rows of reports as lines of JSON: in the form of the wire, but unknown is null.

use dexcost::buffer::BufferReader;
use dexcost::canonical;
use dexcost::report::ReportRow;
use dexcost::{Decimal, Error, Event, Task, money};
use serde_json::{Value, json};

/// What stands below a task: its sub-tasks, theirs, and so on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Below {
    pub(crate) tasks: usize,
    /// Those of which more may have been spent than is known.
    pub(crate) incomplete: usize,
    /// What is known of the cost of the task and of all below it; `None` where nothing of it is.
    pub(crate) subtree_usd: Option<Decimal>,
}

impl Below {
    pub(crate) fn of(task: &Task, buffer: &BufferReader) -> Result<Self, Error> {
        Ok(Self::in_tasks(task, &buffer.descendants(task.task_id)?))
    }

    pub(crate) fn in_tasks(task: &Task, below: &[Task]) -> Self {
        let known = std::iter::once(task)
            .chain(below)
            .filter_map(Task::known_cost_usd);
        // Where 28 digits do not hold the sum, it is shown rounded, as a task's own total is.
        let sum = |a: Decimal, b| money::exact_sum(a, b).unwrap_or_else(|| a.saturating_add(b));
        Self {
            tasks: below.len(),
            incomplete: below.iter().filter(|task| task.is_incomplete()).count(),
            subtree_usd: known.reduce(sum),
        }
    }
}

/// A task, with `incomplete` beside what the wire has, which is also true where a task below it is; how many of
/// those are stands there too. Its total is null where nothing of it is known.
pub(crate) fn task(task: &Task, below: Below) -> serde_json::Result<String> {
    let mut value = serde_json::to_value(task.to_v1())?;
    value["incomplete"] = json!(task.is_incomplete() || below.incomplete > 0);
    value["sub_tasks"] = json!(below.tasks);
    value["subtree_cost_usd"] = json!(below.subtree_usd.map(money::plain));
    value["incomplete_sub_tasks"] = json!(below.incomplete);
    if task.known_cost_usd().is_none() {
        value["total_cost_usd"] = Value::Null;
    }
    Ok(canonical::to_string(&value))
}

/// An event, with its marks beside what the wire has. Its cost is null where it is unknown.
pub(crate) fn event(event: &Event) -> serde_json::Result<String> {
    let mut value = serde_json::to_value(event.to_v1())?;
    if event.cost_usd.is_none() {
        value["cost_usd"] = Value::Null;
    }
    value["incomplete"] = json!(event.is_incomplete());
    if let Some(call) = &event.call {
        let marks = [
            ("prepaid", call.is_prepaid),
            ("cut_off", call.is_cut_off),
            ("byok", call.is_byok),
        ];
        for (name, _) in marks.into_iter().filter(|(_, is_set)| *is_set) {
            value[name] = json!(true);
        }
        if !call.unpriced.is_empty() {
            value["unpriced"] = json!(call.unpriced);
        }
    }
    Ok(canonical::to_string(&value))
}

/// A row of a report. Its total is null where nothing of it is known.
pub(crate) fn row(row: &ReportRow) -> serde_json::Result<String> {
    let mut value = serde_json::to_value(row)?;
    value["incomplete"] = json!(row.is_incomplete());
    if row.total_cost_usd.is_zero() && row.unknown_cost_events > 0 {
        value["total_cost_usd"] = Value::Null;
    }
    Ok(canonical::to_string(&value))
}
