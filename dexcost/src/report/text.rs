//! A report as a table for the terminal.

use std::fmt;

use rust_decimal::Decimal;

use super::{Report, ReportRow};
use crate::display;
use crate::sum::Sum;

/// Prints the report as a table, with notes on what its sums do not contain.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = columns(self);
        let mut lines = vec![
            columns
                .iter()
                .map(|column| column.title.to_owned())
                .collect::<Vec<_>>(),
        ];
        lines.extend(self.rows.iter().map(|row| cells(self, &columns, row, name(row))));
        lines.push(cells(self, &columns, &self.total, "total".to_owned()));
        let widths: Vec<usize> = (0..columns.len())
            .map(|at| {
                lines
                    .iter()
                    .map(|line| line[at].chars().count())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let rule = "─".repeat(widths.iter().sum::<usize>() + 2 * (widths.len() - 1));
        let last = lines.len() - 1;
        for (number, line) in lines.iter().enumerate() {
            if number == 1 || number == last {
                writeln!(f, "{rule}")?;
            }
            writeln!(f, "{}", aligned(line, &widths))?;
        }
        notes(&self.total)
            .iter()
            .try_for_each(|note| writeln!(f, "{note}"))
    }
}

/// The first cell to the left, all others, being numbers, to the right.
fn aligned(cells: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    for (at, (cell, width)) in cells.iter().zip(widths).enumerate() {
        match at {
            0 => line += &format!("{cell:<width$}"),
            _ => line += &format!("  {cell:>width$}"),
        }
    }
    line.trim_end().to_owned()
}

struct Column {
    title: &'static str,
    cell: fn(&Report, &ReportRow) -> String,
}

fn columns(report: &Report) -> Vec<Column> {
    let mut columns = vec![Column {
        title: report.by.as_str(),
        cell: |_, _| String::new(),
    }];
    if report.rows.iter().all(|row| row.tasks.is_some()) {
        columns.push(Column {
            title: "tasks",
            cell: |_, row| number(row.tasks.unwrap_or(0)),
        });
        columns.push(Column {
            title: "failed",
            cell: |_, row| number(row.failed_tasks.unwrap_or(0)),
        });
    }
    columns.push(Column {
        title: "events",
        cell: |_, row| number(row.events),
    });
    columns.push(Column {
        title: "tokens in",
        cell: |_, row| number(row.input_tokens),
    });
    columns.push(Column {
        title: "cached",
        cell: |_, row| number(row.cached_tokens),
    });
    columns.push(Column {
        title: "tokens out",
        cell: |_, row| number(row.output_tokens),
    });
    columns.extend(families(&report.total));
    columns.push(Column {
        title: "cost",
        cell: |report, row| cost(report, row),
    });
    columns.push(Column {
        title: "share",
        cell: |report, row| share(row, &report.total),
    });
    columns
}

/// The families that cost anything; one alone is the cost and needs no column.
fn families(total: &ReportRow) -> Vec<Column> {
    let used = [
        (
            &total.llm_cost_usd,
            Column {
                title: "models",
                cell: |report, row| amount(report, &row.llm_cost_usd),
            },
        ),
        (
            &total.external_cost_usd,
            Column {
                title: "services",
                cell: |report, row| amount(report, &row.external_cost_usd),
            },
        ),
        (
            &total.compute_cost_usd,
            Column {
                title: "compute",
                cell: |report, row| amount(report, &row.compute_cost_usd),
            },
        ),
        (
            &total.gpu_cost_usd,
            Column {
                title: "gpu",
                cell: |report, row| amount(report, &row.gpu_cost_usd),
            },
        ),
        (
            &total.network_cost_usd,
            Column {
                title: "network",
                cell: |report, row| amount(report, &row.network_cost_usd),
            },
        ),
    ];
    let used: Vec<_> = used
        .into_iter()
        .filter(|(sum, _)| !sum.is_zero())
        .map(|(_, column)| column)
        .collect();
    if used.len() > 1 { used } else { Vec::new() }
}

fn cells(report: &Report, columns: &[Column], row: &ReportRow, name: String) -> Vec<String> {
    let numbers = columns[1..].iter().map(|column| (column.cell)(report, row));
    std::iter::once(name).chain(numbers).collect()
}

fn name(row: &ReportRow) -> String {
    row.name
        .as_deref()
        .map_or_else(|| "(none)".to_owned(), display::name)
}

fn number(count: impl Into<u128>) -> String {
    match count.into() {
        0 => "-".to_owned(),
        count => display::grouped(count),
    }
}

fn amount(report: &Report, sum: &Sum) -> String {
    if sum.is_zero() {
        "-".to_owned()
    } else {
        aligned_dollars(report, sum)
    }
}

fn cost(report: &Report, row: &ReportRow) -> String {
    let mark = match (row.is_incomplete(), report.total.is_incomplete()) {
        (true, _) => " + ?",
        (false, true) => "    ",
        (false, false) => "",
    };
    aligned_dollars(report, &row.total_cost_usd) + mark
}

/// An amount with as many decimals as every other of the report: the larger the total, the fewer. One
/// that they cannot show is shown as below the least that they can.
fn aligned_dollars(report: &Report, sum: &Sum) -> String {
    let places = match report.total.total_cost_usd.to_decimal() {
        Some(total) if total >= Decimal::ONE_HUNDRED => 2,
        Some(total) if total >= Decimal::ONE => 4,
        _ => 6,
    };
    let Some(amount) = sum.to_decimal() else {
        return display::dollars_of(sum);
    };
    let rounded = amount.round_dp(places);
    if rounded.is_zero() && !amount.is_zero() {
        return format!("<{}", display::dollars(Decimal::new(1, places)));
    }
    let text = display::dollars(rounded);
    let shown = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    text + &"0".repeat((places as usize).saturating_sub(shown))
}

/// A row's part of the total in whole percent.
fn share(row: &ReportRow, total: &ReportRow) -> String {
    let (part, whole) = (row.total_cost_usd.to_decimal(), total.total_cost_usd.to_decimal());
    let percent = part
        .zip(whole)
        .and_then(|(part, whole)| part.checked_mul(100.into())?.checked_div(whole));
    match percent {
        Some(percent) if percent.is_zero() => "-".to_owned(),
        Some(percent) if percent < Decimal::ONE => "<1 %".to_owned(),
        Some(percent) => format!("{} %", percent.round()),
        None => "-".to_owned(),
    }
}

fn notes(total: &ReportRow) -> Vec<String> {
    let mut notes = Vec::new();
    if total.unknown_cost_events > 0 {
        let have = match total.unknown_cost_events {
            1 => "1 event has".to_owned(),
            events => format!("{} events have", display::grouped(events)),
        };
        notes.push(format!(
            "+ ?  {have} no complete price; what is missing is not in these sums."
        ));
    }
    if let Some(tasks) = total.interrupted_tasks.filter(|tasks| *tasks > 0) {
        let were = match tasks {
            1 => "1 task was".to_owned(),
            tasks => format!("{} tasks were", display::grouped(tasks)),
        };
        notes.push(format!(
            "+ ?  {were} cut short by a crash; calls in flight are not in these sums."
        ));
    }
    if total.retries > 0 {
        let are = match total.retries {
            1 => "1 event is a retry and cost".to_owned(),
            retries => format!("{} events are retries and cost", display::grouped(retries)),
        };
        let cost = display::dollars_of(&total.retry_cost_usd);
        notes.push(format!("     {are} {cost}, contained in these sums."));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::super::By;
    use super::*;
    use crate::buffer::Tally;
    use crate::buffer::samples;

    #[test]
    fn a_report_prints_as_an_aligned_table_whose_rows_add_up() {
        let mut tally = Tally::default();
        let mut event = samples::full_event(crate::TaskId::from_bytes([7; 16]));
        event.is_retry = false;
        event.cost_usd = Some(crate::dec!(0.25));
        tally.add_event(&event);
        let row = ReportRow::new(Some("acme".to_owned()), &tally, false);
        let report = Report {
            by: By::Model,
            rows: vec![row],
            total: ReportRow::new(None, &tally, false),
        };
        let text = report.to_string();
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].starts_with("model"), "{text}");
        assert!(
            lines[2].starts_with("acme") && lines[2].ends_with("$0.250000  100 %"),
            "{text}"
        );
        assert!(
            lines[4].starts_with("total") && lines[4].ends_with("$0.250000  100 %"),
            "{text}"
        );
    }
}
