//! The `dexcost` command: what did it cost, for whom, and why.

mod jsonl;
mod price;
mod resolve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "dexcost",
    version,
    about = "The cost ledger for AI agents",
    propagate_version = true
)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Price(Box<price::Args>),
    Resolve(resolve::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome: Result<ExitCode, Box<dyn std::error::Error>> = match &cli.verb {
        Verb::Price(args) => price::run(args),
        Verb::Resolve(args) => resolve::run(args),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => fail(&*error),
    }
}

/// Says what went wrong, causes included, and ends with 2.
#[allow(clippy::print_stderr, reason = "a command reports its errors there")]
fn fail(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("dexcost: {error}");
    let mut cause = error.source();
    while let Some(inner) = cause {
        eprintln!("  because: {inner}");
        cause = inner.source();
    }
    ExitCode::from(2)
}
