//! `dexcost explain EVENT`: how the cost of an event comes about.

use std::path::PathBuf;
use std::process::ExitCode;

use dexcost::buffer::Found;
use dexcost::display;
use dexcost::{CallFacts, Event, EventType, PriceQuery, PricingEngine, PricingSource, Unit, money};

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
    /// The prices of one's own that the program used
    #[arg(long, value_name = "FILE")]
    overrides: Option<PathBuf>,
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
    let engine = PricingEngine::new();
    if let Some(path) = &args.overrides {
        engine.load_overrides(path)?;
    }
    head(&event)?;
    usage(&event)?;
    print::line(explain(&event, &engine))?;
    Ok(ExitCode::SUCCESS)
}

fn head(event: &Event) -> std::io::Result<()> {
    print::line(format!(
        "{}  {}  {}",
        event.event_type, event.event_id, event.occurred_at
    ))?;
    let cost = print::dollars_or_unknown(event.cost_usd);
    let version = event.pricing_version.as_deref().unwrap_or("-");
    let source = event.pricing_source;
    print::line(format!(
        "recorded   {cost} ({}), source {source}, version {version}",
        event.cost_confidence
    ))
}

fn usage(event: &Event) -> std::io::Result<()> {
    for (unit, quantity) in event.usage.iter() {
        print::line(format!(
            "used       {:<24} {}",
            unit.as_str(),
            money::plain(quantity)
        ))?;
    }
    Ok(())
}

fn explain(event: &Event, engine: &PricingEngine) -> String {
    match event.pricing_source {
        PricingSource::Manual => "The caller passed this amount.".to_owned(),
        PricingSource::ProviderResponse => stated(event),
        PricingSource::RateRegistry => rate(event),
        _ if event.event_type == EventType::LlmCall => from_tables(event, engine),
        PricingSource::Unknown if event.event_type == EventType::Network => {
            "Nobody said which cloud bills the egress of this machine.".to_owned()
        }
        other => match lines(event) {
            Some(lines) => lines,
            None => format!("The amount came from {other}."),
        },
    }
}

/// The addends of a service's cost, as its event keeps them.
fn lines(event: &Event) -> Option<String> {
    let details = event.details.as_ref()?;
    let addends = details.get("lines")?.as_array()?;
    let text = |line: &serde_json::Value, name: &str| {
        line.get(name)
            .and_then(serde_json::Value::as_str)
            .unwrap_or("?")
            .to_owned()
    };
    let addend = |line: &serde_json::Value| {
        format!(
            "{} {} x {} = {} USD",
            text(line, "quantity"),
            display::name(&text(line, "unit")),
            text(line, "unit_usd"),
            text(line, "usd")
        )
    };
    let service = display::name(event.service_name.as_deref().unwrap_or("?")).to_string();
    let addends: Vec<_> = addends.iter().map(addend).collect();
    Some(format!(
        "{service} by the catalog of services:\n  {}",
        addends.join("\n  ")
    ))
}

fn stated(event: &Event) -> String {
    let call = event.call.as_deref();
    if call.is_some_and(|call| call.is_prepaid) {
        return "The call was served from capacity that is paid for by time; it costs nothing itself."
            .to_owned();
    }
    let Some(reported) = call.and_then(|call| call.reported_cost_usd) else {
        return "The provider refused the call and bills nothing for it.".to_owned();
    };
    let mut text = format!(
        "The provider stated {} USD; that beats any table.",
        money::plain(reported)
    );
    if let Some(upstream) = call.and_then(|call| call.upstream_cost_usd) {
        text += &format!(
            " On top it stated {} USD for the caller's own key.",
            money::plain(upstream)
        );
    }
    text
}

fn rate(event: &Event) -> String {
    let service = display::name(event.service_name.as_deref().unwrap_or("?"));
    let (units, cost) = (event.usage.get(Unit::RateUnits), event.cost_usd);
    let each = cost.zip(units).and_then(|(cost, units)| cost.checked_div(units));
    match (units, each) {
        (Some(units), Some(each)) => {
            let (units, each, cost) = (
                money::plain(units),
                money::plain(each),
                cost.map_or_else(String::new, money::plain),
            );
            format!("{service} at its registered rate: {units} x {each} = {cost} USD")
        }
        _ => format!("{service} at its registered rate."),
    }
}

/// What else an event of the tables says of its cost.
fn remarks(call: &CallFacts) -> String {
    let mut text = String::new();
    if let Some(stated) = call.reported_cost_usd.filter(|stated| !stated.is_zero()) {
        let stated = money::plain(stated);
        text += &if call.is_byok {
            format!("\nThe gateway's fee of {stated} USD for the use of the caller's own key comes on top.")
        } else {
            format!("\nThe provider stated {stated} USD, which cannot be; it was refused.")
        };
    }
    if call.is_cut_off {
        text += "\nThe reply broke off: what was counted is a floor.";
    }
    if !call.uncounted.is_empty() {
        let uncounted = display::name(&call.uncounted.join(", "));
        text += &format!("\nNot counted by the provider, so not in the cost: {uncounted}.");
    }
    text
}

fn from_tables(event: &Event, engine: &PricingEngine) -> String {
    let mut call = event.call.as_deref().cloned().unwrap_or_else(CallFacts::default);
    if call.model_requested.is_none() && call.model_returned.is_none() {
        call.model_requested.clone_from(&event.model);
    }
    let query = PriceQuery::of_call(event.provider.as_deref(), &call, &event.usage, event.occurred_at);
    let Some(query) = query else {
        return "The call names no model, so nothing can be priced.".to_owned();
    };
    let mut text = engine.explain(&query).to_string();
    for part in &call.parts {
        let of_part = PriceQuery {
            model: &part.model,
            response_model: None,
            usage: &part.usage,
            ..query.clone()
        };
        text += &format!(
            "\n\nand inside the same call, by {}\n{}",
            display::name(&part.model),
            engine.explain(&of_part)
        );
    }
    text += &remarks(&call);
    if event
        .pricing_version
        .as_deref()
        .is_some_and(|version| version != engine.pricing_version().as_str())
    {
        text += "\nThe event was priced from another version of the table than this command holds.";
    }
    text
}
