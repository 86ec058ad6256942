//! The main job: an agent service, measured end to end, on this machine alone.
//!
//! `cargo run --release --bin demo [RECORDINGS.jsonl[.gz]] [--buffer FILE]`
//!
//! Starts a provider on loopback and an agent service that calls it, lets three customers work with
//! the service, and ends with what each of them cost. No key, no network. With a file of recorded
//! traffic the provider answers with the recordings instead.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dexcost::{Config, Context, dec};
use examples::customers::{self, Outcome};
use examples::desk::Desk;
use examples::provider::{self, Replies};
use examples::{Error, recordings, summary};

const USAGE: &str = "usage: demo [RECORDINGS.jsonl[.gz]] [--buffer FILE]";

struct Arguments {
    recordings: Option<PathBuf>,
    buffer: Option<PathBuf>,
}

impl Arguments {
    fn read(mut given: impl Iterator<Item = String>) -> Option<Self> {
        let mut arguments = Self {
            recordings: None,
            buffer: None,
        };
        while let Some(argument) = given.next() {
            match argument.as_str() {
                "--buffer" => arguments.buffer = Some(given.next()?.into()),
                flag if flag.starts_with('-') => return None,
                file if arguments.recordings.is_none() => arguments.recordings = Some(file.into()),
                _ => return None,
            }
        }
        Some(arguments)
    }
}

#[tokio::main]
#[allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for a terminal"
)]
async fn main() -> ExitCode {
    let Some(arguments) = Arguments::read(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match run(arguments).await {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("demo: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<String, Error> {
    let recordings = match &arguments.recordings {
        Some(path) => Some(Arc::new(recordings::read(path)?)),
        None => None,
    };
    let path = match arguments.buffer {
        Some(path) => path,
        None => fresh_buffer()?,
    };
    let guard = dexcost::init(Config {
        buffer_path: Some(path.clone()),
        ..Default::default()
    })?;
    guard.tracker().register_rate("page_scan", "page", dec!(0.0015))?;

    let begun = Instant::now();
    let outcome = work(recordings).await?;
    let took = begun.elapsed();
    dexcost::flush().await?;
    Ok(format!("{}\n\n{}", story(outcome, took), summary::report(&path)?))
}

/// Lets the customers work with the service, and stops it.
async fn work(recordings: Option<Arc<Vec<recordings::Recording>>>) -> Result<Outcome, Error> {
    let replies = match &recordings {
        Some(recordings) => Replies::Recorded(Arc::clone(recordings)),
        None => Replies::Made,
    };
    let provider = provider::start(replies).await?;
    let desk = Desk::new(provider, recordings.clone().unwrap_or_default())?;
    let (service, running) = desk.clone().serve().await?;
    let outcome = match &recordings {
        Some(recordings) => customers::recorded(service, recordings).await?,
        None => {
            let outcome = customers::day(service).await?;
            nightly(&desk).await?;
            outcome
        }
    };
    running.stop().await?;
    Ok(outcome)
}

/// A call outside any task: it lands on a session, named after the agent.
async fn nightly(desk: &Desk) -> Result<(), Error> {
    let context = Context {
        customer_id: Some("acme-corp".into()),
        agent: Some("nightly_digest".into()),
        ..Default::default()
    };
    context.scope(desk.digest("acme-corp")).await
}

fn story(outcome: Outcome, took: Duration) -> String {
    format!(
        "{} requests in {:.1} s, {} answered with an error, {} abandoned half-way.",
        outcome.requests,
        took.as_secs_f64(),
        outcome.failed,
        outcome.abandoned
    )
}

/// Where the buffer lies by default: a new one for every run.
fn fresh_buffer() -> Result<PathBuf, Error> {
    let folder = Path::new("target").join("demo");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    Ok(folder.join("dexcost.sqlite3"))
}
