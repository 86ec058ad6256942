//! `dexcost services lookup URL`: what the service catalog knows about a URL.

use std::process::ExitCode;

use dexcost::capture::RequestFacts;
use dexcost::{ServiceCatalog, ServiceRow};

use crate::print::{self, Column, Side};

/// Asks the service catalog
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    Lookup(Lookup),
}

/// Shows the rows that may apply to a URL, best first; ends with 1 where there are none
#[derive(clap::Args)]
struct Lookup {
    /// The URL of a request
    url: String,
    /// Only rows for this method
    #[arg(long, default_value = "")]
    method: String,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let Verb::Lookup(asked) = &args.verb;
    let catalog = ServiceCatalog::new();
    let found = catalog.find(&RequestFacts::to_url(&asked.method, &asked.url, &()));
    let rows: Vec<ServiceRow<'_>> = found.iter().flat_map(|found| found.rows()).collect();
    if asked.json {
        for row in &rows {
            print::json_line(&json(*row))?;
        }
    } else {
        print::line(table(&rows))?;
        let (version, as_of) = (catalog.version(), catalog.as_of());
        print::line(format!("catalog {version} of {as_of}, {} rows", catalog.len()))?;
    }
    Ok(ExitCode::from(u8::from(rows.is_empty())))
}

fn table(rows: &[ServiceRow<'_>]) -> String {
    if rows.is_empty() {
        return "no row of the catalog is about this URL".to_owned();
    }
    let columns = [
        Column("service", Side::Left),
        Column("rule", Side::Left),
        Column("usd", Side::Right),
        Column("for one", Side::Left),
        Column("as of", Side::Left),
        Column("source", Side::Left),
    ];
    let mut table = print::table(&columns);
    for row in rows {
        table.add_row([
            print::cell(row.service(), Side::Left),
            print::cell(row.rule(), Side::Left),
            print::cell(row.price(), Side::Right),
            print::cell(row.unit(), Side::Left),
            print::cell(row.as_of(), Side::Left),
            print::cell(row.source(), Side::Left),
        ]);
    }
    table.to_string()
}

fn json(row: ServiceRow<'_>) -> serde_json::Value {
    serde_json::json!({
        "service": row.service(),
        "category": row.category(),
        "hosts": row.hosts(),
        "paths": row.paths(),
        "rule": row.rule(),
        "unit": row.unit(),
        "price": row.price(),
        "as_of": row.as_of(),
        "source": row.source(),
        "note": row.note(),
    })
}
