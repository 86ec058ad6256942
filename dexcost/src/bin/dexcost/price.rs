//! `dexcost price`: what does this usage cost, and why.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use clap::Parser;
use dexcost::{CallType, CostResult, Decimal, PriceQuery, PricingEngine, Timestamp, Unit, Usage, money};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::jsonl;

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
    /// Prices of your own, in YAML or JSON.
    #[arg(long, value_name = "FILE")]
    overrides: Option<PathBuf>,
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
    let engine = PricingEngine::new();
    if let Some(path) = &args.overrides {
        engine.load_overrides(path)?;
    }
    let now = Timestamp::from(SystemTime::now());
    match (&args.jsonl, &args.model) {
        (Some(path), _) => {
            let mut table = summary_table();
            let code = jsonl::answer_each(
                path,
                args.json,
                |line| price_line(&engine, line, now),
                |answer| add_row(&mut table, &answer),
            )?;
            if !args.json {
                print(&table.to_string());
            }
            Ok(code)
        }
        (None, Some(model)) => Ok(price_one(args, &engine, model, now)?),
        (None, None) => Err("name a model, or a file with --jsonl".into()),
    }
}

/// One line of a file with usage to price.
#[derive(Deserialize)]
struct Line<'a> {
    id: Option<serde_json::Value>,
    #[serde(borrow)]
    model: Cow<'a, str>,
    #[serde(borrow)]
    provider: Option<Cow<'a, str>>,
    #[serde(borrow)]
    response_model: Option<Cow<'a, str>>,
    #[serde(borrow)]
    host: Option<Cow<'a, str>>,
    #[serde(borrow)]
    region: Option<Cow<'a, str>>,
    call_type: Option<CallType>,
    #[serde(borrow)]
    service_tier: Option<Cow<'a, str>>,
    #[serde(borrow)]
    usage: BTreeMap<Cow<'a, str>, &'a RawValue>,
    #[serde(borrow)]
    options: Option<Options<'a>>,
}

/// What else the price of a line depends on.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Options<'a> {
    #[serde(borrow)]
    residency: Option<Cow<'a, str>>,
    #[serde(borrow)]
    location: Option<Cow<'a, str>>,
    #[serde(borrow)]
    geo: Option<Cow<'a, str>>,
    #[serde(borrow)]
    speed: Option<Cow<'a, str>>,
    billed_at: Option<Timestamp>,
}

/// The answer to a line.
#[derive(Serialize)]
struct Answer {
    id: Option<serde_json::Value>,
    #[serde(skip)]
    model: String,
    #[serde(flatten)]
    result: Priced,
}

/// A cost in its machine-readable form.
#[derive(Serialize)]
struct Priced {
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

fn price_line(engine: &PricingEngine, text: &str, now: Timestamp) -> Result<Answer, String> {
    let line: Line<'_> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let reported = Reported::read(&line.usage)?;
    let options = line.options.unwrap_or_default();
    let query = PriceQuery {
        provider: line.provider.as_deref(),
        response_model: line.response_model.as_deref(),
        host: line.host.as_deref(),
        region: line.region.as_deref(),
        call_type: line.call_type.unwrap_or_default(),
        service_tier: line.service_tier.as_deref(),
        residency: options.residency.as_deref(),
        location: options.location.as_deref(),
        geo: options.geo.as_deref(),
        speed: options.speed.as_deref(),
        search_context_size: reported.search_context_size.as_deref(),
        resolution: reported.resolution.as_deref(),
        quality: reported.quality.as_deref(),
        ..PriceQuery::new(&line.model, &reported.usage, options.billed_at.unwrap_or(now))
    };
    let result = Priced::from(&engine.price(&query));
    Ok(Answer {
        id: line.id,
        model: line.model.into_owned(),
        result,
    })
}

/// The usage of a line, in the nested form that the engine takes.
#[derive(Default)]
struct Reported {
    usage: Usage,
    resolution: Option<String>,
    quality: Option<String>,
    search_context_size: Option<String>,
}

impl Reported {
    /// Lines list disjoint parts: cache writes of no known lifetime beside the others, and modalities
    /// without their cached part. The normal form has totals.
    fn read(fields: &BTreeMap<Cow<'_, str>, &RawValue>) -> Result<Self, String> {
        let mut reported = Self::default();
        for (name, raw) in fields {
            let text = raw.get();
            if text == "null" {
                continue;
            }
            let word = || serde_json::from_str::<String>(text).map_err(|_| format!("`{name}` must be text"));
            match name.as_ref() {
                "resolution" => reported.resolution = Some(word()?),
                "quality" => reported.quality = Some(word()?),
                "search_context_size" => reported.search_context_size = Some(word()?),
                _ => {
                    let quantity = if text.starts_with('"') {
                        word()?
                    } else {
                        text.to_owned()
                    };
                    let quantity = money::parse(&quantity)
                        .map_err(|_| format!("`{name}` must be a number, not {}", clip(text)))?;
                    reported.usage.set(unit_of(name)?, quantity);
                }
            }
        }
        let usage = &mut reported.usage;
        total(
            usage,
            Unit::CacheWriteTokens,
            &[
                Unit::CacheWrite5mTokens,
                Unit::CacheWrite30mTokens,
                Unit::CacheWrite1hTokens,
                Unit::CacheWrite12hTokens,
            ],
        )?;
        total(usage, Unit::InputAudioTokens, &[Unit::CacheReadAudioTokens])?;
        total(usage, Unit::InputImageTokens, &[Unit::CacheReadImageTokens])?;
        total(usage, Unit::InputVideoTokens, &[Unit::CacheReadVideoTokens])?;
        Ok(reported)
    }
}

fn unit_of(name: &str) -> Result<Unit, String> {
    match name {
        "width" => Ok(Unit::ImageWidthPixels),
        "height" => Ok(Unit::ImageHeightPixels),
        _ => name
            .parse()
            .map_err(|_| format!("`{}` is no unit of usage", clip(name))),
    }
}

fn clip(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Adds the parts to their total, where any was reported.
fn total(usage: &mut Usage, whole: Unit, parts: &[Unit]) -> Result<(), String> {
    let mut sum = None;
    for part in parts.iter().filter_map(|part| usage.get(*part)) {
        sum = Some(add(sum.unwrap_or_default(), part, whole)?);
    }
    if let Some(sum) = sum {
        usage.set(whole, add(usage.get(whole).unwrap_or_default(), sum, whole)?);
    }
    Ok(())
}

fn add(a: Decimal, b: Decimal, whole: Unit) -> Result<Decimal, String> {
    a.checked_add(b)
        .ok_or_else(|| format!("the parts of `{whole}` do not fit a decimal"))
}

fn summary_table() -> comfy_table::Table {
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

fn add_row(table: &mut comfy_table::Table, answer: &Answer) {
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

fn price_one(
    args: &Args,
    engine: &PricingEngine,
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
        provider: args.provider.as_deref(),
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
        print(&serde_json::to_string(&Priced::from(explanation.result()))?);
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
    println!("{text}");
}
