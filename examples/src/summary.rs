//! The report in the terminal.

use std::fmt::Write;
use std::path::Path;

use dexcost::Sum;
use dexcost::buffer::{BufferReader, TaskFilter};
use dexcost::report::{By, Report, ReportQuery, ReportRow};

use crate::Error;

/// Longer tables end with how many rows more there are.
const MOST_ROWS: usize = 16;

/// Longer names are cut off.
const LONGEST_NAME: usize = 40;

/// What the buffer at `path` holds, by customer, task type and model, and what to try next.
///
/// # Errors
///
/// Where the file cannot be read.
pub fn report(path: &Path) -> Result<String, Error> {
    let reader = BufferReader::open(path)?;
    let mut text = String::new();
    for by in [By::Customer, By::TaskType, By::Model] {
        table(&mut text, &Report::read(&reader, &ReportQuery::by(by))?)?;
        text.push('\n');
    }
    hints(&mut text, &reader, path)?;
    Ok(text)
}

fn table(text: &mut String, report: &Report) -> Result<(), Error> {
    let shown = &report.rows[..report.rows.len().min(MOST_ROWS)];
    let names = shown.iter().map(|row| name(row).chars().count());
    let width = names.max().unwrap_or(0).clamp(12, LONGEST_NAME);
    let mut line = |name: &str, cells: [String; 7]| {
        let [tasks, failed, events, input, cached, output, cost] = cells;
        let name: String = name.chars().take(LONGEST_NAME).collect();
        writeln!(
            text,
            "{name:<width$}  {tasks:>6} {failed:>6} {events:>7} {input:>11} {cached:>11} {output:>10}  {cost:>14}"
        )
    };
    let titles = [
        "tasks",
        "failed",
        "events",
        "tokens in",
        "cached",
        "tokens out",
        "cost",
    ];
    line(&format!("by {}", report.by.as_str()), titles.map(str::to_owned))?;
    for row in shown {
        line(name(row), cells(row))?;
    }
    let hidden = report.rows.len() - shown.len();
    if hidden > 0 {
        line(&format!("({hidden} more)"), Default::default())?;
    }
    line("total", cells(&report.total))?;
    notes(text, report)
}

/// What the figures do not say by themselves; under the first table only.
fn notes(text: &mut String, report: &Report) -> Result<(), Error> {
    let total = &report.total;
    if report.by != By::Customer {
        return Ok(());
    }
    if total.retries > 0 {
        let retries = total.retries;
        writeln!(
            text,
            "{retries} of the events repeat a call that the provider had refused."
        )?;
    }
    if total.unknown_cost_events > 0 {
        let unknown = total.unknown_cost_events;
        writeln!(
            text,
            "+ ?: {unknown} events have no known price and are not in the sums."
        )?;
    }
    Ok(())
}

fn name(row: &ReportRow) -> &str {
    row.name.as_deref().unwrap_or("(none)")
}

fn cells(row: &ReportRow) -> [String; 7] {
    let count = |count: Option<u64>| grouped(count.unwrap_or(0).into());
    let unknown = if row.unknown_cost_events > 0 { " + ?" } else { "" };
    [
        count(row.tasks),
        count(row.failed_tasks),
        grouped(row.events.into()),
        grouped(row.input_tokens),
        grouped(row.cached_tokens),
        grouped(row.output_tokens),
        usd(&row.total_cost_usd) + unknown,
    ]
}

/// A count in groups of three digits; nothing is a dash.
fn grouped(count: u128) -> String {
    if count == 0 {
        return "-".to_owned();
    }
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn usd(sum: &Sum) -> String {
    match sum.to_decimal() {
        Some(amount) => format!("${:.6}", amount.round_dp(6)),
        None => "?".to_owned(),
    }
}

fn hints(text: &mut String, reader: &BufferReader, path: &Path) -> Result<(), Error> {
    let path = path.display();
    let everything = TaskFilter {
        limit: 100_000,
        ..Default::default()
    };
    let tasks = reader.tasks(&everything)?;
    let costliest = tasks.iter().max_by_key(|task| task.totals.total_cost_usd());
    writeln!(text, "All of it stays in {path}. Next, try:")?;
    writeln!(text, "  dexcost report --buffer {path} --by project")?;
    writeln!(text, "  dexcost tasks  --buffer {path}")?;
    if let Some(task) = costliest {
        writeln!(text, "  dexcost show   --buffer {path} {}", task.task_id)?;
    }
    Ok(())
}
