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

/// Writes lines to standard output. What is not plain in them is shown, not obeyed.
pub(crate) fn line(text: impl AsRef<str>) -> io::Result<()> {
    writeln!(Out, "{}", display::lines(text.as_ref()))
}

/// Writes a JSON document as a line. Characters that are not plain are escaped, which is the same document.
pub(crate) fn json(document: &str) -> io::Result<()> {
    writeln!(Out, "{}", escaped(document))
}

/// One JSON object a line.
pub(crate) fn json_line(value: &impl Serialize) -> Result<(), Box<dyn std::error::Error>> {
    Ok(json(&serde_json::to_string(value)?)?)
}

/// A JSON document whose characters are all plain: others stand in strings only.
pub(crate) fn escaped(document: &str) -> String {
    let mut text = String::with_capacity(document.len());
    for c in document.chars() {
        if display::is_plain(c) {
            text.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                text += &format!("\\u{unit:04x}");
            }
        }
    }
    text
}

/// Text of unknown origin for a cell of CSV: plain, and no formula to a spreadsheet.
pub(crate) fn csv_text(text: &str) -> String {
    let text = display::lines(text).replace('\n', "\u{fffd}");
    if text.starts_with(['=', '+', '-', '@']) {
        format!("'{text}")
    } else {
        text
    }
}

/// Writes what went wrong to standard error.
#[allow(clippy::print_stderr, reason = "a command reports its errors there")]
pub(crate) fn error(text: &str) {
    eprintln!("{}", display::lines(text));
}

/// An amount that may be unknown.
pub(crate) fn dollars_or_unknown(amount: Option<Decimal>) -> String {
    amount.map_or_else(|| "unknown".to_owned(), display::dollars)
}
