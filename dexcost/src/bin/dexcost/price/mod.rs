//! `dexcost price`: what does this usage cost, and why.

mod answer;
mod line;
mod reported;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use clap::Parser;
use dexcost::{CallType, Decimal, PriceQuery, PricingEngine, RateRegistry, Timestamp, Unit, Usage, money};

use crate::jsonl;
use crate::own::{self, Own};
use answer::{Priced, add_row, summary_table};
use line::price_line;

/// What a model call costs, with every step that leads there.
#[derive(Parser)]
#[command(
    after_help = "Examples:\n  dexcost price gpt-4o --input 1000 --output 200\n  \
    dexcost price claude-sonnet-4-5 --input 5000 --cached 4000 --output 300 --tier priority\n  \
    dexcost price whisper-1 --call-type transcription --usage audio_seconds=61.5\n  \
    dexcost price --jsonl usage.jsonl.gz --json"
)]
pub(crate) struct Args {
    /// The model, as it is named in the request.
    #[arg(required_unless_present = "jsonl", conflicts_with = "jsonl")]
    model: Option<String>,
    /// Price every line of a file (`-` reads standard input; gzip is recognised).
    #[arg(long, value_name = "FILE")]
    jsonl: Option<PathBuf>,
    /// Print JSON, one object a line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    own: Own,
    /// Prompt tokens, cached ones included.
    #[arg(long, value_name = "TOKENS")]
    input: Option<u64>,
    /// Completion tokens, reasoning included.
    #[arg(long, value_name = "TOKENS")]
    output: Option<u64>,
    /// Prompt tokens that were read from a cache.
    #[arg(long, value_name = "TOKENS")]
    cached: Option<u64>,
    /// Prompt tokens that were written to a cache.
    #[arg(long, value_name = "TOKENS")]
    cache_write: Option<u64>,
    /// Any further unit, as name=quantity (for example reasoning_tokens=500, images=2).
    #[arg(long, value_name = "UNIT=QUANTITY", value_parser = unit_quantity)]
    usage: Vec<(Unit, Decimal)>,
    /// The provider that was called.
    #[arg(long)]
    provider: Option<String>,
    /// The host that was called.
    #[arg(long)]
    host: Option<String>,
    /// The region of the endpoint.
    #[arg(long)]
    region: Option<String>,
    /// The model as the response names it.
    #[arg(long, value_name = "MODEL")]
    response_model: Option<String>,
    /// The service tier (flex, priority, …).
    #[arg(long)]
    tier: Option<String>,
    /// Data residency (us or eu).
    #[arg(long)]
    residency: Option<String>,
    /// Location of a Vertex endpoint.
    #[arg(long)]
    location: Option<String>,
    /// Inference geography, as Anthropic reports it.
    #[arg(long)]
    geo: Option<String>,
    /// Speed class, as Anthropic reports it.
    #[arg(long)]
    speed: Option<String>,
    /// The kind of call (completion, batch, embedding, …).
    #[arg(long, value_name = "KIND", default_value = "completion")]
    call_type: CallType,
    /// When the call was billed (RFC 3339); now, where it is not given.
    #[arg(long, value_name = "INSTANT")]
    at: Option<Timestamp>,
}

fn unit_quantity(text: &str) -> Result<(Unit, Decimal), String> {
    let (unit, quantity) = text.split_once('=').ok_or("write it as unit=quantity")?;
    let unit = unit.parse().map_err(|error: dexcost::Error| error.to_string())?;
    Ok((unit, money::parse(quantity).map_err(|error| error.to_string())?))
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Box<dyn Error>> {
    let (engine, rates) = (args.own.prices()?, args.own.rates()?);
    let now = Timestamp::from(SystemTime::now());
    match (&args.jsonl, &args.model) {
        (Some(path), _) => {
            let mut table = summary_table();
            let code = jsonl::answer_each(
                path,
                args.json,
                |line| price_line(&engine, &rates, line, now),
                |answer| add_row(&mut table, &answer),
            )?;
            if !args.json {
                print(&table.to_string());
            }
            Ok(code)
        }
        (None, Some(model)) => Ok(price_one(args, &engine, &rates, model, now)?),
        (None, None) => Err("name a model, or a file with --jsonl".into()),
    }
}

fn price_one(
    args: &Args,
    engine: &PricingEngine,
    rates: &RateRegistry,
    model: &str,
    now: Timestamp,
) -> Result<ExitCode, serde_json::Error> {
    let counts = [
        (Unit::InputTokens, args.input),
        (Unit::OutputTokens, args.output),
        (Unit::CacheReadTokens, args.cached),
        (Unit::CacheWriteTokens, args.cache_write),
    ];
    let mut usage: Usage = counts
        .into_iter()
        .filter_map(|(unit, count)| count.map(|count| (unit, Decimal::from(count))))
        .collect();
    for (unit, quantity) in &args.usage {
        usage.set(*unit, *quantity);
    }
    let query = PriceQuery {
        provider: own::provider(args.provider.as_deref(), args.host.as_deref(), rates),
        response_model: args.response_model.as_deref(),
        host: args.host.as_deref(),
        region: args.region.as_deref(),
        call_type: args.call_type,
        service_tier: args.tier.as_deref(),
        residency: args.residency.as_deref(),
        location: args.location.as_deref(),
        geo: args.geo.as_deref(),
        speed: args.speed.as_deref(),
        ..PriceQuery::new(model, &usage, args.at.unwrap_or(now))
    };
    let explanation = engine.explain(&query);
    if args.json {
        let answer = serde_json::to_string(&Priced::from(explanation.result()))?;
        let _ = crate::print::json(&answer);
    } else {
        print(&explanation.to_string());
    }
    let known = explanation.result().cost_usd.is_some();
    Ok(if known {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

#[allow(clippy::print_stdout, reason = "a command answers there")]
fn print(text: &str) {
    let _ = crate::print::line(text);
}
