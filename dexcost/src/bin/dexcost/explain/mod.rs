//! `dexcost explain EVENT`: how the cost of an event comes about.

mod derivation;

use std::process::ExitCode;

use dexcost::buffer::Found;
use dexcost::display;
use dexcost::{Event, ServiceCatalog, canonical, money};
use serde_json::{Value, json};

use self::derivation::{Addend, Derivation};
use crate::own::Own;
use crate::print;
use crate::show;
use crate::source::Source;

/// Explains the cost of an event, in steps that can be checked by hand
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    /// The event's id, or enough of its first or last digits (`dexcost show TASK` lists them)
    event: String,
    #[command(flatten)]
    own: Own,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let event = match args.source.open()?.find_event(&args.event)? {
        Found::One(event) => event,
        Found::Nothing => {
            let text = format!("no event has an id that begins or ends with {}", args.event);
            return Err(text.into());
        }
        Found::Several(events) => {
            let ids = events.iter().map(|event| event.event_id.to_string());
            return Err(show::ambiguous(&args.event, ids));
        }
    };
    let engine = args.own.prices()?;
    let derivation = Derivation::of(&event, &engine, &ServiceCatalog::new());
    if args.json {
        print::json(&canonical::to_string(&as_json(&event, &derivation)))?;
    } else {
        print::line(as_text(&event, &derivation))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn as_text(event: &Event, derivation: &Derivation) -> String {
    let mut lines = vec![
        format!("{}  {}  {}", event.event_type, event.event_id, event.occurred_at),
        format!(
            "recorded   {} ({}), source {}, version {}",
            event
                .cost_usd
                .map_or_else(|| "unknown".to_owned(), display::dollars),
            event.cost_confidence,
            event.pricing_source,
            event.pricing_version.as_deref().unwrap_or("-")
        ),
    ];
    for (unit, quantity) in event.usage.iter() {
        lines.push(format!(
            "used       {:<24} {}",
            unit.as_str(),
            money::plain(quantity)
        ));
    }
    section("name", &derivation.name_steps, &mut lines);
    section("price", &derivation.price_steps, &mut lines);
    let bill: Vec<_> = derivation.addends.iter().map(addend).collect();
    let missing = derivation.unpriced.iter();
    let missing: Vec<_> = missing.map(|what| format!("{what:<24} no price")).collect();
    section("bill", &[bill, missing].concat(), &mut lines);
    if !derivation.addends.is_empty() || !derivation.unpriced.is_empty() || derivation.total().is_some() {
        lines.push(match derivation.total() {
            Some(total) => format!("total {} USD", money::plain(total)),
            None => "total unknown".to_owned(),
        });
    }
    lines.extend(derivation.remarks.iter().cloned());
    lines.join("\n")
}

fn section(title: &str, steps: &[String], lines: &mut Vec<String>) {
    if !steps.is_empty() {
        lines.push(title.to_owned());
        lines.extend(steps.iter().map(|step| format!("  {step}")));
    }
}

fn addend(addend: &Addend) -> String {
    let amount = |amount: Option<_>| amount.map_or_else(|| "?".to_owned(), money::plain);
    format!(
        "{:<24} {} x {} = {}",
        display::name(&addend.what),
        amount(addend.quantity),
        amount(addend.unit_usd),
        amount(addend.usd)
    )
}

fn as_json(event: &Event, derivation: &Derivation) -> Value {
    let amount = |amount: Option<_>| amount.map(money::plain);
    let addends = derivation.addends.iter().map(|addend| {
        json!({
            "what": addend.what,
            "quantity": amount(addend.quantity),
            "unit_usd": amount(addend.unit_usd),
            "usd": amount(addend.usd),
        })
    });
    json!({
        "event_id": event.event_id,
        "event_type": event.event_type,
        "occurred_at": event.occurred_at,
        "cost_usd": amount(event.cost_usd),
        "cost_confidence": event.cost_confidence,
        "pricing_source": event.pricing_source,
        "pricing_version": event.pricing_version,
        "usage": event.usage,
        "name": derivation.name_steps,
        "price": derivation.price_steps,
        "bill": addends.collect::<Vec<_>>(),
        "unpriced": derivation.unpriced,
        "total_usd": amount(derivation.total()),
        "adds_up": derivation.total() == event.cost_usd,
        "remarks": derivation.remarks,
    })
}
