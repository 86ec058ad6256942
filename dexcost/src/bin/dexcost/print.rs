//! How answers are shown: a table for people, JSON lines and CSV for programs.

use std::io::{self, Write};

use clap::Args;
use comfy_table::{Cell, CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};
use dexcost::{Decimal, Sum, money};
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

/// Writes a line to standard output; a reader that has gone away is no error.
pub(crate) fn line(text: impl AsRef<str>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{}", text.as_ref()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        other => other,
    }
}

/// One JSON object a line.
pub(crate) fn json_line(value: &impl Serialize) -> Result<(), Box<dyn std::error::Error>> {
    Ok(line(serde_json::to_string(value)?)?)
}

/// An amount for the eye: a dollar sign, two to six decimals, more where it is smaller than that.
pub(crate) fn usd(amount: Decimal) -> String {
    let rounded = amount.round_dp(6);
    let text = money::plain(if rounded.is_zero() { amount } else { rounded });
    let (sign, digits) = text
        .strip_prefix('-')
        .map_or(("", text.as_str()), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    format!("{sign}${}.{fraction:0<2}", thousands(whole))
}

/// An amount that may be unknown.
pub(crate) fn usd_or_unknown(amount: Option<Decimal>) -> String {
    amount.map_or_else(|| "unknown".to_owned(), usd)
}

/// A sum for the eye; one too wide for a decimal is shown to the last digit.
pub(crate) fn usd_sum(sum: &Sum) -> String {
    sum.to_decimal().map_or_else(|| format!("${sum}"), usd)
}

/// A count with commas.
pub(crate) fn count(number: u64) -> String {
    thousands(&number.to_string())
}

/// A count that is left out where it is zero.
pub(crate) fn count_or_dash(number: u64) -> String {
    if number == 0 {
        "-".to_owned()
    } else {
        count(number)
    }
}

fn thousands(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Text of unknown origin, fit for a terminal: control characters are shown, not obeyed.
pub(crate) fn plain_text(text: &str) -> String {
    let shown: String = text
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    match shown.char_indices().nth(64) {
        Some((at, _)) => format!("{}…", &shown[..at]),
        None => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dexcost::dec;

    #[test]
    fn amounts_are_shown_with_cents_at_least_and_never_as_nothing() {
        assert_eq!(usd(dec!(1234567.5)), "$1,234,567.50");
        assert_eq!(usd(dec!(0.0123456789)), "$0.012346");
        assert_eq!(usd(dec!(0.00000001)), "$0.00000001");
        assert_eq!(usd(dec!(-2)), "-$2.00");
        assert_eq!(usd(dec!(0)), "$0.00");
    }

    #[test]
    fn names_cannot_move_the_cursor() {
        assert_eq!(plain_text("a\u{1b}[2Jb"), "a\u{fffd}[2Jb");
        assert_eq!(plain_text(&"x".repeat(100)).chars().count(), 65);
    }
}
