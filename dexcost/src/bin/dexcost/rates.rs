//! `dexcost rates FILE`: checks and shows a rates file.

use std::path::PathBuf;
use std::process::ExitCode;

use dexcost::RateRegistry;
use dexcost::display;

use crate::print::{self, Column, Side};

/// Checks a rates file and shows what it registers
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A YAML file: `rates: {<service>: {per: …, cost_usd: …}}`, `hosts: {<host>: <provider>}`
    file: PathBuf,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let rates = RateRegistry::new();
    rates.load(&args.file)?;
    if args.json {
        for rate in rates.entries() {
            print::json_line(&serde_json::json!({
                "service": rate.service,
                "per": rate.per,
                "cost_usd": dexcost::money::plain(rate.cost_usd),
            }))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let columns = [
        Column("service", Side::Left),
        Column("per", Side::Left),
        Column("cost", Side::Right),
    ];
    let mut table = print::table(&columns);
    for rate in rates.entries() {
        table.add_row([
            print::cell(display::name(&rate.service), Side::Left),
            print::cell(display::name(&rate.per), Side::Left),
            print::cell(display::dollars(rate.cost_usd), Side::Right),
        ]);
    }
    print::line(table.to_string())?;
    for (host, provider) in rates.hosts() {
        print::line(format!("at {} answers {provider}", display::name(&host)))?;
    }
    print::line(format!("version {}", rates.pricing_version()))?;
    Ok(ExitCode::SUCCESS)
}
