//! How answers are shown: a table for people, JSON lines and CSV for programs.

use std::io::{self, Write};

use clap::Args;
use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle};
use dexcost::{Decimal, display};
use serde::Serialize;

/// The forms in which a list can be had.
#[derive(Args, Clone, Copy, Default)]
#[group(multiple = false)]
pub(crate) struct Form {
    /// One JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
    /// Comma-separated values with a header line
    #[arg(long)]
    pub(crate) csv: bool,
}

/// A column: its title and whether its values stand to the right.
pub(crate) struct Column(pub(crate) &'static str, pub(crate) Side);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Left,
    Right,
}

/// A line under the header, and nothing else that is not text.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// A table that is as wide as its content, or as `COLUMNS` says.
pub(crate) fn table(columns: &[Column]) -> Table {
    let mut table = Table::new();
    table
        .load_style(STYLE)
        .set_content_arrangement(ContentArrangement::Dynamic);
    if let Some(width) = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok())
    {
        table.set_width(width);
    }
    table.set_header(columns.iter().map(|column| cell(column.0, column.1)));
    // On a narrow terminal names may take several lines; ids and numbers stay whole.
    for (at, column) in columns.iter().enumerate() {
        if (at == 0 || column.1 == Side::Right)
            && let Some(column) = table.column_mut(at)
        {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    table
}

pub(crate) fn cell(text: impl ToString, side: Side) -> Cell {
    let alignment = if side == Side::Right {
        CellAlignment::Right
    } else {
        CellAlignment::Left
    };
    Cell::new(text).set_alignment(alignment)
}

/// Standard output, whose reader may go away: that ends the command, and is no error.
pub(crate) struct Out;

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        heard(io::stdout().lock().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        heard(io::stdout().lock().flush())
    }
}

fn heard<T>(outcome: io::Result<T>) -> io::Result<T> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        other => other,
    }
}

/// Writes a line to standard output.
pub(crate) fn line(text: impl AsRef<str>) -> io::Result<()> {
    writeln!(Out, "{}", text.as_ref())
}

/// One JSON object a line.
pub(crate) fn json_line(value: &impl Serialize) -> Result<(), Box<dyn std::error::Error>> {
    Ok(line(serde_json::to_string(value)?)?)
}

/// An amount that may be unknown.
pub(crate) fn dollars_or_unknown(amount: Option<Decimal>) -> String {
    amount.map_or_else(|| "unknown".to_owned(), display::dollars)
}
