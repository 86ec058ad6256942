//! `dexcost replay FILE`: recorded traffic through the exchange state machine.

mod answer;
mod keep;
mod recording;
mod report;

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use dexcost::capture::{Exchange, RequestFacts};
use dexcost::{BatchSight, Clock, Ending, Observation, RateRegistry, ServiceCatalog, SystemClock, Timestamp};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use self::answer::Answer;
use self::keep::Keep;
use self::recording::Recording;
use self::report::Report;
use crate::own::Own;
use crate::print;

/// How much of a body is fed at a time, where nothing is said: results of a batch are taken in between.
const PIECE: usize = 64 * 1024;

/// Reads recorded exchanges and says what they show and cost
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Recordings, one JSON object a line, or a HAR 1.2 file; either may be gzipped
    file: PathBuf,
    /// One JSON object per exchange, in input order
    #[arg(long)]
    json: bool,
    /// Feed response bodies in pieces of so many bytes
    #[arg(long, value_name = "N")]
    chunk: Option<usize>,
    /// Break the connection after so many bytes of each response body
    #[arg(long, value_name = "N")]
    cut: Option<usize>,
    #[command(flatten)]
    own: Own,
    /// Keep the events in this buffer too, on one task of type `replay`
    #[arg(long, value_name = "FILE")]
    buffer: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let (prices, rates, services) = (args.own.prices()?, args.own.rates()?, ServiceCatalog::new());
    let now = SystemClock.now();
    let (mut report, mut unreadable) = (Report::default(), 0u64);
    let mut keep = args.buffer.as_deref().map(Keep::open).transpose()?;
    let bar = progress(args.json);
    for (number, recording) in recording::read(&args.file)?.enumerate() {
        bar.inc(1);
        match recording {
            Ok(recording) => {
                let seen = replay(&recording, args, &services, &rates);
                let answer = Answer::new(&recording, &seen, &prices, recording.at.unwrap_or(now));
                if let Some(keep) = &mut keep {
                    keep.add(seen, recording.at.unwrap_or(now))?;
                }
                if args.json {
                    print::json_line(&answer)?;
                } else {
                    report.add(&answer);
                }
            }
            Err(problem) => {
                unreadable += 1;
                complain(&bar, number + 1, &problem);
            }
        }
    }
    bar.finish_and_clear();
    if let Some(keep) = keep {
        keep.close()?;
    }
    if !args.json {
        report.print()?;
    }
    Ok(if unreadable == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Moves one recording through an exchange.
fn replay(
    recording: &Recording,
    args: &Args,
    services: &ServiceCatalog,
    rates: &RateRegistry,
) -> Observation {
    let facts = RequestFacts::to_url(&recording.method, &recording.url, &recording.request_headers);
    let mut exchange = Exchange::begin_at_hosts(&facts, services, rates);
    if let Some(body) = recording
        .request_body
        .as_deref()
        .filter(|_| exchange.wants_request())
    {
        exchange.request_data(body);
    }
    exchange.response(recording.status, &recording.response_headers);
    let body = &recording.response_body[..];
    let kept = args.cut.unwrap_or(body.len()).min(body.len());
    let mut batch = BatchSight::default();
    if exchange.wants_response() {
        for piece in body[..kept].chunks(args.chunk.unwrap_or(PIECE).max(1)) {
            exchange.data(piece);
            let taken = exchange.take_batch().unwrap_or_default();
            batch.unrecorded += taken.unrecorded;
            batch.requests.extend(taken.requests);
        }
    }
    let mut seen = exchange.settle(if kept < body.len() {
        Ending::Failed
    } else {
        Ending::Done
    });
    if !batch.is_empty() {
        let last = seen.batch.get_or_insert_default();
        last.unrecorded += batch.unrecorded;
        batch.requests.append(&mut last.requests);
        let mut known = HashSet::new();
        batch
            .requests
            .retain(|request| known.insert(request.call.batch_request_id.clone()));
        last.requests = batch.requests;
    }
    if recording.made_up_request {
        // Its URL is no evidence of what was asked for.
        seen.call.model_requested = None;
    }
    seen
}

#[allow(clippy::print_stderr, reason = "a command reports its errors there")]
fn complain(bar: &ProgressBar, number: usize, problem: &io::Error) {
    bar.suspend(|| print::error(&format!("dexcost: record {number} cannot be read: {problem}")));
}

fn progress(quiet: bool) -> ProgressBar {
    let target = if quiet {
        ProgressDrawTarget::hidden()
    } else {
        ProgressDrawTarget::stderr()
    };
    let bar = ProgressBar::with_draw_target(None, target);
    bar.set_style(
        ProgressStyle::with_template("{spinner} {human_pos} exchanges, {per_sec}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner()),
    );
    bar
}

/// When a recording was made, where it says so.
fn instant(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}
