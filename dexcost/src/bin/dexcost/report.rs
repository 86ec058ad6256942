//! `dexcost report`: what it cost, by customer, project, task type, model, provider or day.

use std::process::ExitCode;

use dexcost::Timestamp;
use dexcost::report::{By, Report, ReportQuery};

use crate::ledger_json;
use crate::print::{self, Form};
use crate::source::{Source, instant};

/// Shows what it cost, by customer, project, task type, model, provider or day
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    /// customer, project, task-type, model, provider or day
    #[arg(long, default_value = "customer")]
    by: By,
    /// From this day on: 2026-11-22, or the whole day of an instant (RFC 3339)
    #[arg(long, value_name = "DAY", value_parser = instant)]
    since: Option<Timestamp>,
    /// Up to and with this day
    #[arg(long, value_name = "DAY", value_parser = instant)]
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
    /// In the table, sum up what is beyond so many rows
    #[arg(long, value_name = "ROWS", default_value_t = 40)]
    top: usize,
    #[command(flatten)]
    form: Form,
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
        for row in &report.rows {
            print::json(&ledger_json::row(row)?)?;
        }
    } else if args.form.csv {
        csv(&report)?;
    } else if report.rows.is_empty() {
        print::line("nothing is recorded that this report is about")?;
    } else {
        print::line(report.top(args.top).to_string().trim_end())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn csv(report: &Report) -> Result<(), Box<dyn std::error::Error>> {
    let mut out = csv::Writer::from_writer(print::Out);
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
        "interrupted_tasks",
    ])?;
    for row in &report.rows {
        let or_blank = |number: Option<u64>| number.map(|n| n.to_string()).unwrap_or_default();
        out.write_record([
            print::csv_text(row.name.as_deref().unwrap_or_default()),
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
            or_blank(row.interrupted_tasks),
        ])?;
    }
    Ok(out.flush()?)
}
