//! `dexcost tasks`: the tasks that began last.

use std::process::ExitCode;

use dexcost::buffer::TaskFilter;
use dexcost::display;
use dexcost::{Decimal, Task, TaskStatus, Timestamp};

use crate::ledger_json::{self, Below};
use crate::print::{self, Column, Form, Side};
use crate::source::{Source, instant};

/// Lists tasks, the newest first
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    /// Only tasks for this customer
    #[arg(long)]
    customer: Option<String>,
    /// Only tasks for this project
    #[arg(long)]
    project: Option<String>,
    /// Only tasks of this type
    #[arg(long = "type", value_name = "TYPE")]
    task_type: Option<String>,
    /// Only tasks with this status: pending, success or failed
    #[arg(long)]
    status: Option<TaskStatus>,
    /// Only tasks that began at or after this day or instant: 2026-11-22, or RFC 3339
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    since: Option<Timestamp>,
    /// Only tasks that are no part of another one
    #[arg(long)]
    roots: bool,
    /// At most so many
    #[arg(long, short, default_value_t = 20)]
    limit: usize,
    #[command(flatten)]
    form: Form,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let filter = TaskFilter {
        customer: args.customer.clone(),
        project: args.project.clone(),
        task_type: args.task_type.clone(),
        status: args.status,
        since: args.since,
        roots: args.roots,
        limit: args.limit,
    };
    let buffer = args.source.open()?;
    let tasks = buffer.tasks(&filter)?.into_iter();
    let tasks = tasks.map(|task| Below::of(&task, &buffer).map(|below| (task, below)));
    let tasks: Vec<(Task, Below)> = tasks.collect::<Result<_, _>>()?;
    if args.form.json {
        for (task, below) in &tasks {
            print::json(&ledger_json::task(task, *below)?)?;
        }
    } else if args.form.csv {
        csv(&tasks)?;
    } else if tasks.is_empty() {
        print::line("there is no such task")?;
    } else {
        table(&tasks)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn table(tasks: &[(Task, Below)]) -> std::io::Result<()> {
    use Side::{Left, Right};
    let columns = [
        Column("task", Left),
        Column("began (UTC)", Left),
        Column("type", Left),
        Column("customer", Left),
        Column("status", Left),
        Column("ms", Right),
        Column("events", Right),
        Column("cost", Right),
    ];
    // A column of its own only where it says more than the cost.
    let has_parts = tasks.iter().any(|(_, below)| below.tasks > 0);
    let columns: Vec<_> = columns
        .into_iter()
        .chain(has_parts.then_some(Column("with sub-tasks", Right)))
        .collect();
    let mut table = print::table(&columns);
    for (task, below) in tasks {
        let customer = task.attribution.customer_id.as_deref().unwrap_or("-");
        let began = task.started_at.to_string();
        let mut row = vec![
            print::cell(task.task_id, Left),
            print::cell(began[..19].replace('T', " "), Left),
            print::cell(display::name(&task.task_type), Left),
            print::cell(display::name(customer), Left),
            print::cell(status(task), Left),
            print::cell(
                task.duration_ms()
                    .map_or_else(|| "-".to_owned(), display::grouped),
                Right,
            ),
            print::cell(display::grouped(task.totals.event_count), Right),
            print::cell(cost(task, *below), Right),
        ];
        row.extend(has_parts.then(|| print::cell(subtree(task, *below), Right)));
        table.add_row(row);
    }
    print::line(table.to_string())?;
    if tasks
        .iter()
        .any(|(task, below)| task.is_incomplete() || below.incomplete > 0)
    {
        print::line(
            "?  something of it, or of a task below it, has no known price, or a crash cut it short;\n   \
             `dexcost show TASK` says what",
        )?;
    }
    Ok(())
}

/// The cost, with a question mark for what is not known of it, or of the tasks below it.
pub(crate) fn cost(task: &Task, below: Below) -> String {
    marked(task.known_cost_usd(), task, below)
}

/// The same of the task and all below it.
pub(crate) fn subtree(task: &Task, below: Below) -> String {
    marked(below.subtree_usd, task, below)
}

fn marked(known: Option<Decimal>, task: &Task, below: Below) -> String {
    match known {
        None => "?".to_owned(),
        Some(known) if task.is_incomplete() || below.incomplete > 0 => display::dollars(known) + " + ?",
        Some(known) => display::dollars(known),
    }
}

/// The status, with who ended the task where it was not the program.
pub(crate) fn status(task: &Task) -> String {
    match task.metadata.get("_ended_by").and_then(|reason| reason.as_str()) {
        Some(reason) => format!("{} ({})", task.status, display::name(reason)),
        None => task.status.to_string(),
    }
}

fn csv(tasks: &[(Task, Below)]) -> Result<(), Box<dyn std::error::Error>> {
    let mut out = csv::Writer::from_writer(print::Out);
    out.write_record([
        "task_id",
        "task_type",
        "status",
        "customer_id",
        "project_id",
        "started_at",
        "duration_ms",
        "events",
        "unknown_cost_count",
        "total_cost_usd",
        "sub_tasks",
        "subtree_cost_usd",
    ])?;
    for (task, below) in tasks {
        let text = |text: &Option<dexcost::Text>| text.as_deref().unwrap_or_default().to_owned();
        out.write_record([
            task.task_id.to_string(),
            print::csv_text(&task.task_type),
            task.status.to_string(),
            print::csv_text(&text(&task.attribution.customer_id)),
            print::csv_text(&text(&task.attribution.project_id)),
            task.started_at.to_string(),
            task.duration_ms().map(|ms| ms.to_string()).unwrap_or_default(),
            task.totals.event_count.to_string(),
            task.totals.unknown_cost_count.to_string(),
            task.known_cost_usd()
                .map(dexcost::money::plain)
                .unwrap_or_default(),
            below.tasks.to_string(),
            below.subtree_usd.map(dexcost::money::plain).unwrap_or_default(),
        ])?;
    }
    Ok(out.flush()?)
}
