//! `dexcost report`: what it cost, by customer, project, task type, model, provider or day.

use std::process::ExitCode;

use dexcost::report::{By, Report, ReportQuery, ReportRow};
use dexcost::{Sum, Timestamp};

use crate::print::{self, Column, Form, Side};
use crate::source::Source;

/// Shows what it cost, by customer, project, task type, model, provider or day
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    /// customer, project, task-type, model, provider or day
    #[arg(long, default_value = "customer")]
    by: By,
    /// From the day of this instant on: 2026-11-22, or RFC 3339
    #[arg(long, value_name = "DAY", value_parser = day)]
    since: Option<Timestamp>,
    /// Up to and with this day
    #[arg(long, value_name = "DAY", value_parser = day)]
    until: Option<Timestamp>,
    /// Only what is for this customer
    #[arg(long)]
    customer: Option<String>,
    /// Only what is for this project
    #[arg(long)]
    project: Option<String>,
    /// Only tasks of this type
    #[arg(long = "type", value_name = "TYPE")]
    task_type: Option<String>,
    #[command(flatten)]
    form: Form,
}

fn day(text: &str) -> Result<Timestamp, dexcost::Error> {
    if text.len() == 10 {
        format!("{text}T00:00:00Z").parse()
    } else {
        text.parse()
    }
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut query = ReportQuery::by(args.by);
    query.since = args.since;
    query.until = args.until;
    query.customer.clone_from(&args.customer);
    query.project.clone_from(&args.project);
    query.task_type.clone_from(&args.task_type);
    let report = Report::read(&args.source.open()?, &query)?;
    if args.form.json {
        report.rows.iter().try_for_each(print::json_line)?;
    } else if args.form.csv {
        csv(&report)?;
    } else {
        print::line(text(&report))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The report as a table, with a legend of what it does not contain.
pub(crate) fn text(report: &Report) -> String {
    let families = families(&report.total);
    let mut table = print::table(&columns(report, &families));
    for row in &report.rows {
        table.add_row(cells(report, &families, row, name(row)));
    }
    table.add_row(cells(report, &families, &report.total, "total".to_owned()));
    let mut text = table.to_string();
    for note in notes(&report.total) {
        text.push('\n');
        text.push_str(&note);
    }
    text
}

type Family = (&'static str, fn(&ReportRow) -> &Sum);

/// The families that cost anything; one alone is the total and needs no column.
fn families(total: &ReportRow) -> Vec<Family> {
    let all: [Family; 5] = [
        ("models", |row| &row.llm_cost_usd),
        ("services", |row| &row.external_cost_usd),
        ("compute", |row| &row.compute_cost_usd),
        ("gpu", |row| &row.gpu_cost_usd),
        ("network", |row| &row.network_cost_usd),
    ];
    let used: Vec<_> = all
        .into_iter()
        .filter(|(_, cost)| !cost(total).is_zero())
        .collect();
    if used.len() > 1 { used } else { Vec::new() }
}

fn columns(report: &Report, families: &[Family]) -> Vec<Column> {
    let mut columns = vec![Column(report.by.as_str(), Side::Left)];
    let right = |title| Column(title, Side::Right);
    if report.total.tasks.is_some() && report.rows.iter().all(|row| row.tasks.is_some()) {
        columns.extend([right("tasks"), right("failed")]);
    }
    columns.extend([
        right("events"),
        right("tokens in"),
        right("cached"),
        right("tokens out"),
    ]);
    columns.extend(families.iter().map(|(title, _)| right(title)));
    columns.extend([right("cost"), right("share")]);
    columns
}

fn cells(report: &Report, families: &[Family], row: &ReportRow, name: String) -> Vec<comfy_table::Cell> {
    let right = |text: String| print::cell(text, Side::Right);
    let mut cells = vec![print::cell(name, Side::Left)];
    if report.rows.iter().all(|row| row.tasks.is_some()) {
        cells.push(right(print::count(row.tasks.unwrap_or(0))));
        cells.push(right(print::count_or_dash(row.failed_tasks.unwrap_or(0))));
    }
    cells.push(right(print::count(row.events)));
    cells.extend([row.input_tokens, row.cached_tokens, row.output_tokens].map(|n| right(tokens(n))));
    cells.extend(families.iter().map(|(_, cost)| right(print::usd_sum(cost(row)))));
    let mark = if row.unknown_cost_events > 0 { " + ?" } else { "" };
    cells.push(right(print::usd_sum(&row.total_cost_usd) + mark));
    cells.push(right(share(&row.total_cost_usd, &report.total.total_cost_usd)));
    cells
}

fn name(row: &ReportRow) -> String {
    row.name
        .as_deref()
        .map_or_else(|| "(none)".to_owned(), print::plain_text)
}

fn tokens(number: u128) -> String {
    u64::try_from(number).map_or_else(|_| number.to_string(), print::count_or_dash)
}

/// A part in whole percent.
fn share(part: &Sum, whole: &Sum) -> String {
    let (Some(part), Some(whole)) = (part.to_decimal(), whole.to_decimal()) else {
        return "?".to_owned();
    };
    let percent = part
        .checked_mul(dexcost::dec!(100))
        .and_then(|part| part.checked_div(whole));
    percent.map_or_else(|| "-".to_owned(), |percent| format!("{} %", percent.round()))
}

fn notes(total: &ReportRow) -> Vec<String> {
    let mut notes = Vec::new();
    if total.unknown_cost_events > 0 {
        let events = print::count(total.unknown_cost_events);
        notes.push(format!(
            "+ ?  {events} events have no complete known price; what is missing is not in these sums"
        ));
    }
    if total.retries > 0 {
        let (retries, cost) = (print::count(total.retries), print::usd_sum(&total.retry_cost_usd));
        notes.push(format!(
            "     {retries} events were retries and cost {cost}, which is contained in these sums"
        ));
    }
    notes
}

fn csv(report: &Report) -> Result<(), Box<dyn std::error::Error>> {
    let mut out = csv::Writer::from_writer(std::io::stdout().lock());
    out.write_record([
        report.by.as_str(),
        "tasks",
        "failed_tasks",
        "events",
        "failed_events",
        "unknown_cost_events",
        "retries",
        "input_tokens",
        "cached_tokens",
        "output_tokens",
        "llm_cost_usd",
        "external_cost_usd",
        "compute_cost_usd",
        "gpu_cost_usd",
        "network_cost_usd",
        "retry_cost_usd",
        "total_cost_usd",
    ])?;
    for row in &report.rows {
        let or_blank = |number: Option<u64>| number.map(|n| n.to_string()).unwrap_or_default();
        out.write_record([
            row.name.clone().unwrap_or_default(),
            or_blank(row.tasks),
            or_blank(row.failed_tasks),
            row.events.to_string(),
            row.failed_events.to_string(),
            row.unknown_cost_events.to_string(),
            row.retries.to_string(),
            row.input_tokens.to_string(),
            row.cached_tokens.to_string(),
            row.output_tokens.to_string(),
            row.llm_cost_usd.to_string(),
            row.external_cost_usd.to_string(),
            row.compute_cost_usd.to_string(),
            row.gpu_cost_usd.to_string(),
            row.network_cost_usd.to_string(),
            row.retry_cost_usd.to_string(),
            row.total_cost_usd.to_string(),
        ])?;
    }
    Ok(out.flush()?)
}
