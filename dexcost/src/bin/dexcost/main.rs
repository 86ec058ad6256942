//! The `dexcost` command: what did it cost, for whom, and why.

mod explain;
mod input;
mod jsonl;
mod ledger_json;
mod own;
mod price;
mod print;
mod rates;
mod replay;
mod report;
mod resolve;
mod services;
mod show;
mod source;
mod status;
mod tasks;

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
    Report(report::Args),
    Tasks(tasks::Args),
    Show(show::Args),
    Explain(explain::Args),
    Status(status::Args),
    Rates(rates::Args),
    Services(services::Args),
    Price(Box<price::Args>),
    Resolve(resolve::Args),
    Replay(replay::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match &cli.verb {
        Verb::Report(args) => report::run(args),
        Verb::Tasks(args) => tasks::run(args),
        Verb::Show(args) => show::run(args),
        Verb::Explain(args) => explain::run(args),
        Verb::Status(args) => status::run(args),
        Verb::Rates(args) => rates::run(args),
        Verb::Services(args) => services::run(args),
        Verb::Price(args) => price::run(args),
        Verb::Resolve(args) => resolve::run(args),
        Verb::Replay(args) => replay::run(args),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => fail(&*error),
    }
}

/// Says what went wrong, causes included, and ends with 2.
#[allow(clippy::print_stderr, reason = "a command reports its errors there")]
fn fail(error: &dyn std::error::Error) -> ExitCode {
    let mut said = error.to_string();
    print::error(&format!("dexcost: {said}"));
    let mut cause = error.source();
    while let Some(inner) = cause {
        let text = inner.to_string();
        // Many errors repeat their cause.
        if !said.contains(&text) && !text.contains(&said) && !said.split(": ").any(|part| text.contains(part))
        {
            print::error(&format!("  because: {text}"));
            said = text;
        }
        cause = inner.source();
    }
    ExitCode::from(2)
}
