//! What the command answers: JSON for programs, a table for people.

use dexcost::{CostResult, money};
use serde::Serialize;

/// The answer to a line.
#[derive(Serialize)]
pub(super) struct Answer {
    pub(super) id: Option<serde_json::Value>,
    #[serde(skip)]
    pub(super) model: String,
    #[serde(flatten)]
    pub(super) result: Priced,
}

/// A cost in its machine-readable form.
#[derive(Serialize)]
pub(super) struct Priced {
    cost_usd: Option<String>,
    lines: Vec<PricedLine>,
    unpriced: Vec<String>,
    cost_confidence: &'static str,
    pricing_source: &'static str,
    pricing_version: String,
    matched: Option<String>,
    rung: &'static str,
}

#[derive(Serialize)]
struct PricedLine {
    what: String,
    quantity: String,
    unit_usd: String,
    usd: String,
}

impl From<&CostResult> for Priced {
    fn from(result: &CostResult) -> Self {
        let line = |line: &dexcost::PriceLine| PricedLine {
            what: line.what.to_string(),
            quantity: money::plain(line.quantity),
            unit_usd: money::plain(line.unit_usd),
            usd: money::plain(line.usd),
        };
        Self {
            cost_usd: result.cost_usd.map(money::plain),
            lines: result.lines.iter().map(line).collect(),
            unpriced: result.unpriced.iter().map(ToString::to_string).collect(),
            cost_confidence: result.cost_confidence.as_str(),
            pricing_source: result.pricing_source.as_str(),
            pricing_version: result.pricing_version.to_string(),
            matched: result.matched.as_ref().map(ToString::to_string),
            rung: result.rung.as_str(),
        }
    }
}

/// An empty table of answers.
pub(super) fn summary_table() -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
    table.set_header([
        "id",
        "model",
        "cost (USD)",
        "confidence",
        "matched",
        "rung",
        "unpriced",
    ]);
    table
}

/// Adds an answer to it.
pub(super) fn add_row(table: &mut comfy_table::Table, answer: &Answer) {
    let result = &answer.result;
    let id = match &answer.id {
        Some(serde_json::Value::String(id)) => id.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    table.add_row([
        id.as_str(),
        &answer.model,
        result.cost_usd.as_deref().unwrap_or("unknown"),
        result.cost_confidence,
        result.matched.as_deref().unwrap_or("-"),
        result.rung,
        &result.unpriced.join(", "),
    ]);
}
