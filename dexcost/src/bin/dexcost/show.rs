//! `dexcost show TASK`: one task with its events.

use std::collections::HashMap;
use std::process::ExitCode;

use dexcost::buffer::Found;
use dexcost::display;
use dexcost::{CostFamily, Event, Task, TaskId};

use crate::ledger_json::{self, Below};
use crate::print::{self, Column, Side};
use crate::source::Source;
use crate::tasks;

/// Shows one task with its events
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    /// The task's id, or enough of its first or last digits (`dexcost tasks` lists them)
    task: String,
    /// The task, then each event, as one JSON object a line
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let buffer = args.source.open()?;
    let task = match buffer.find_task(&args.task)? {
        Found::One(task) => task,
        Found::Nothing => {
            let text = format!("no task has an id that begins or ends with {}", args.task);
            return Err(text.into());
        }
        Found::Several(tasks) => {
            return Err(ambiguous(
                &args.task,
                tasks.iter().map(|task| task.task_id.to_string()),
            ));
        }
    };
    let events = buffer.events(task.task_id)?;
    let parts = buffer.descendants(task.task_id)?;
    let below = Below::in_tasks(&task, &parts);
    if args.json {
        print::json(&ledger_json::task(&task, below)?)?;
        for event in &events {
            print::json(&ledger_json::event(event)?)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    head(&task)?;
    list(&task, &events)?;
    sums(&task, below)?;
    if !parts.is_empty() {
        print::line("")?;
        tree(&task, &parts)?;
        print::line(format!("with sub-tasks {}", tasks::subtree(&task, below)))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Says which ids begin with digits that are too few.
pub(crate) fn ambiguous(digits: &str, ids: impl Iterator<Item = String>) -> Box<dyn std::error::Error> {
    let ids: Vec<_> = ids.map(|id| format!("\n  {id}")).collect();
    format!(
        "{digits} is too little, for it is in several ids:{}\n\
         Ids of about the same time begin alike: the last digits tell them apart.",
        ids.concat()
    )
    .into()
}

fn head(task: &Task) -> std::io::Result<()> {
    let name = |text: &Option<dexcost::Text>| text.as_deref().map_or_else(|| "-".to_owned(), display::name);
    print::line(format!(
        "{}  {}  {}",
        display::name(&task.task_type),
        tasks::status(task),
        task.task_id
    ))?;
    let whom = &task.attribution;
    print::line(format!(
        "  customer {}   project {}   agent {}",
        name(&whom.customer_id),
        name(&whom.project_id),
        name(&whom.agent)
    ))?;
    let took = task.duration_ms().map_or_else(
        || "still running".to_owned(),
        |ms| format!("took {} ms", display::grouped(ms)),
    );
    print::line(format!("  began {}   {took}", task.started_at))?;
    if let Some(parent) = task.parent_task_id {
        print::line(format!("  part of {parent}"))?;
    }
    Ok(())
}

fn list(task: &Task, events: &[Event]) -> std::io::Result<()> {
    use Side::{Left, Right};
    let columns = [
        Column("event", Left),
        Column("at ms", Right),
        Column("what", Left),
        Column("in", Right),
        Column("out", Right),
        Column("cached", Right),
        Column("cost", Right),
        Column("confidence", Left),
        Column("notes", Left),
    ];
    let mut table = print::table(&columns);
    for event in events {
        let at = event.occurred_at.since(task.started_at).as_millis();
        let tokens = |tokens: Option<u64>| tokens.map_or_else(|| "-".to_owned(), display::grouped);
        table.add_row([
            print::cell(event.event_id, Left),
            print::cell(at, Right),
            print::cell(what(event), Left),
            print::cell(tokens(event.input_tokens()), Right),
            print::cell(tokens(event.output_tokens()), Right),
            print::cell(tokens(event.cached_tokens()), Right),
            print::cell(print::dollars_or_unknown(event.cost_usd), Right),
            print::cell(event.cost_confidence, Left),
            print::cell(notes(event), Left),
        ]);
    }
    print::line(table.to_string())
}

fn what(event: &Event) -> String {
    let model = match (&event.provider, &event.model) {
        (Some(provider), Some(model)) => Some(format!("{provider} {model}")),
        (None, Some(name)) | (Some(name), None) => Some(name.to_string()),
        (None, None) => None,
    };
    let name = model.or_else(|| event.service_name.as_deref().map(str::to_owned));
    name.map_or_else(|| event.event_type.to_string(), |name| display::name(&name))
}

fn notes(event: &Event) -> String {
    let mut notes = Vec::new();
    if event.is_retry {
        notes.push(format!("retry: {}", event.retry_reason.as_deref().unwrap_or("?")));
    }
    if let Some(error) = event.error_type {
        notes.push(error.to_string());
    } else if event.operation_status != dexcost::OperationStatus::Succeeded {
        notes.push(event.operation_status.to_string());
    }
    if let Some(call) = &event.call {
        if let Some(tier) = call.service_tier.as_deref().filter(|tier| *tier != "default") {
            notes.push(format!("tier {}", display::name(tier)));
        }
        if call.is_prepaid {
            notes.push("prepaid".to_owned());
        }
        if call.is_cut_off {
            notes.push("cut off: a floor".to_owned());
        }
        if !call.unpriced.is_empty() {
            notes.push(format!(
                "no price for {}",
                display::name(&call.unpriced.join(", "))
            ));
        }
    }
    notes.join("; ")
}

/// The tasks below, each under its parent.
fn tree(task: &Task, parts: &[Task]) -> std::io::Result<()> {
    let columns = [
        Column("sub-task", Side::Left),
        Column("type", Side::Left),
        Column("status", Side::Left),
        Column("events", Side::Right),
        Column("cost", Side::Right),
    ];
    let mut table = print::table(&columns);
    let mut children: HashMap<TaskId, Vec<&Task>> = HashMap::new();
    // The last first, since the last of a stack is taken first.
    for part in parts.iter().rev() {
        if let Some(parent) = part.parent_task_id {
            children.entry(parent).or_default().push(part);
        }
    }
    let mut take = |id, depth| {
        let found = children.remove(&id).unwrap_or_default();
        found.into_iter().map(move |child| (child, depth))
    };
    // Each list of children is taken once, so a record that is its own ancestor ends here.
    let mut open: Vec<(&Task, usize)> = take(task.task_id, 0).collect();
    while let Some((part, depth)) = open.pop() {
        let indent = "  ".repeat(depth.min(DEEPEST_INDENT));
        table.add_row([
            print::cell(format!("{indent}{}", part.task_id), Side::Left),
            print::cell(display::name(&part.task_type), Side::Left),
            print::cell(tasks::status(part), Side::Left),
            print::cell(display::grouped(part.totals.event_count), Side::Right),
            print::cell(tasks::cost(part, Below::default()), Side::Right),
        ]);
        open.extend(take(part.task_id, depth + 1));
    }
    print::line(table.to_string())
}

/// Deeper ones stand no further to the right.
const DEEPEST_INDENT: usize = 8;

fn sums(task: &Task, below: Below) -> std::io::Result<()> {
    let totals = &task.totals;
    let parts = CostFamily::ALL
        .iter()
        .filter(|family| !totals.family(**family).is_zero());
    let parts: Vec<_> = parts
        .map(|family| format!("{family} {}", display::dollars(totals.family(*family))))
        .collect();
    let detail = if parts.is_empty() {
        String::new()
    } else {
        format!(" = {}", parts.join(" + "))
    };
    print::line(format!("total {}{detail}", tasks::cost(task, below)))?;
    if task.is_interrupted() {
        print::line("a crash cut it short: calls that were in flight are not in the total")?;
    }
    if below.incomplete > 0 {
        let text = format!(
            "of {} below it, {} may have cost more than is known",
            display::counted(below.tasks as u64, "task"),
            below.incomplete
        );
        print::line(text)?;
    }
    if totals.retry_count > 0 {
        let retries = format!(
            "of which {} in {}",
            display::dollars(totals.retry_cost_usd),
            display::counted(totals.retry_count, "repeated event")
        );
        print::line(retries)?;
    }
    if totals.unknown_cost_count > 0 {
        let unknown = format!(
            "{} without a complete price, of {}; what is missing is not in the total",
            display::counted(totals.unknown_cost_count, "event"),
            totals.event_count
        );
        print::line(unknown)?;
    }
    Ok(())
}
