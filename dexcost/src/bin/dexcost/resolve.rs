//! `dexcost resolve`: which price a model's name leads to.

use std::borrow::Cow;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use clap::Parser;
use dexcost::{PriceQuery, PricingEngine, RateRegistry, Resolution, Timestamp, Usage};
use serde::{Deserialize, Serialize};

use crate::jsonl;
use crate::own::{self, Own};

/// Which entry of the price tables a model's name leads to, rung by rung.
#[derive(Parser)]
pub(crate) struct Args {
    /// The model, as it is named in the request.
    #[arg(required_unless_present = "jsonl", conflicts_with = "jsonl")]
    model: Option<String>,
    /// Resolve every line of a file (`-` reads standard input; gzip is recognised).
    #[arg(long, value_name = "FILE")]
    jsonl: Option<PathBuf>,
    /// Print JSON, one object a line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    own: Own,
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
}

/// One line of a file with names to resolve.
#[derive(Deserialize)]
struct Line<'a> {
    id: Option<serde_json::Value>,
    #[serde(borrow)]
    model: Cow<'a, str>,
    #[serde(borrow, alias = "provider")]
    provider_hint: Option<Cow<'a, str>>,
    #[serde(borrow)]
    host: Option<Cow<'a, str>>,
    #[serde(borrow)]
    region: Option<Cow<'a, str>>,
    #[serde(borrow)]
    response_model: Option<Cow<'a, str>>,
}

/// The answer to a line.
#[derive(Serialize)]
struct Answer {
    id: Option<serde_json::Value>,
    #[serde(skip)]
    model: String,
    provider: Option<String>,
    key: Option<String>,
    legacy: bool,
    rung: &'static str,
}

impl Answer {
    fn of(id: Option<serde_json::Value>, model: &str, resolution: &Resolution) -> Self {
        Self {
            id,
            model: model.to_owned(),
            provider: resolution.provider.as_ref().map(ToString::to_string),
            key: resolution.key.as_ref().map(ToString::to_string),
            legacy: resolution.legacy,
            rung: resolution.rung.as_str(),
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Box<dyn Error>> {
    let (engine, rates) = (args.own.prices()?, args.own.rates()?);
    let now = Timestamp::from(SystemTime::now());
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["model", "provider", "key", "rung"]);
    let mut show = |answer: Answer| {
        table.add_row([
            answer.model.as_str(),
            answer.provider.as_deref().unwrap_or("-"),
            answer.key.as_deref().unwrap_or("unknown"),
            answer.rung,
        ]);
    };
    match (&args.jsonl, &args.model) {
        (Some(path), _) => {
            let code = jsonl::answer_each(
                path,
                args.json,
                |line| resolve_line(&engine, &rates, line, now),
                &mut show,
            )?;
            if !args.json {
                print(&table.to_string());
            }
            Ok(code)
        }
        (None, Some(model)) => resolve_one(args, &engine, &rates, model, now),
        (None, None) => Err("name a model, or a file with --jsonl".into()),
    }
}

fn resolve_line(
    engine: &PricingEngine,
    rates: &RateRegistry,
    text: &str,
    now: Timestamp,
) -> Result<Answer, String> {
    let line: Line<'_> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let usage = Usage::new();
    let query = PriceQuery {
        provider: own::provider(line.provider_hint.as_deref(), line.host.as_deref(), rates),
        response_model: line.response_model.as_deref(),
        host: line.host.as_deref(),
        region: line.region.as_deref(),
        ..PriceQuery::new(&line.model, &usage, now)
    };
    Ok(Answer::of(line.id, &line.model, &engine.resolve(&query)))
}

fn resolve_one(
    args: &Args,
    engine: &PricingEngine,
    rates: &RateRegistry,
    model: &str,
    now: Timestamp,
) -> Result<ExitCode, Box<dyn Error>> {
    let usage = Usage::new();
    let query = PriceQuery {
        provider: own::provider(args.provider.as_deref(), args.host.as_deref(), rates),
        response_model: args.response_model.as_deref(),
        host: args.host.as_deref(),
        region: args.region.as_deref(),
        ..PriceQuery::new(model, &usage, now)
    };
    let resolution = engine.resolve(&query);
    if args.json {
        crate::print::json_line(&Answer::of(None, model, &resolution))?;
    } else {
        for step in engine.explain(&query).name_steps() {
            print(&format!("  {step}"));
        }
        let key = resolution.key.as_deref().unwrap_or("unknown");
        let provider = resolution.provider.as_deref().unwrap_or("-");
        print(&format!(
            "{model} -> {key} (provider {provider}, rung {})",
            resolution.rung
        ));
    }
    Ok(if resolution.rung == dexcost::Rung::Unknown {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

#[allow(clippy::print_stdout, reason = "a command answers there")]
fn print(text: &str) {
    let _ = crate::print::line(text);
}
