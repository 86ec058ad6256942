//! The report in the terminal.

use std::fmt::Write;
use std::path::Path;

use dexcost::buffer::{BufferReader, TaskFilter};
use dexcost::report::{By, Report, ReportQuery};

use crate::Error;

/// Longer tables end with the sum of the rows that are left out.
const MOST_ROWS: usize = 16;

/// What the buffer at `path` holds, by customer, task type and model, and what to try next.
///
/// # Errors
///
/// Where the file cannot be read.
pub fn report(path: &Path) -> Result<String, Error> {
    let reader = BufferReader::open(path)?;
    let mut text = String::new();
    for by in [By::Customer, By::TaskType, By::Model] {
        writeln!(
            text,
            "{}",
            Report::read(&reader, &ReportQuery::by(by))?.top(MOST_ROWS)
        )?;
    }
    hints(&mut text, &reader, path)?;
    Ok(text)
}

fn hints(text: &mut String, reader: &BufferReader, path: &Path) -> Result<(), Error> {
    let path = path.display();
    let everything = TaskFilter {
        limit: 100_000,
        ..Default::default()
    };
    let tasks = reader.tasks(&everything)?;
    let costliest = tasks.iter().max_by_key(|task| task.totals.total_cost_usd());
    writeln!(
        text,
        "All of it stays in {path}. Install the command, and look closer:"
    )?;
    writeln!(text, "  cargo install --path dexcost --features cli")?;
    writeln!(text, "  dexcost report --buffer {path} --by project")?;
    writeln!(text, "  dexcost tasks  --buffer {path}")?;
    if let Some(task) = costliest {
        writeln!(text, "  dexcost show   --buffer {path} {}", task.task_id)?;
    }
    Ok(())
}
