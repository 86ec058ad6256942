//! `dexcost status`: what a buffer holds, and what it lost.

use std::process::ExitCode;

use dexcost::{LossReason, display};

use crate::print;
use crate::source::Source;

/// Shows what the buffer holds, who writes to it, and every loss by kind and reason
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    /// One JSON object
    #[arg(long)]
    json: bool,
    /// Reads the whole file and checks that it is sound
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let buffer = args.source.open()?;
    let status = buffer.status()?;
    if args.json {
        print::json_line(&status)?;
    } else {
        show(&buffer.path().display().to_string(), &status)?;
    }
    if args.check {
        buffer.check()?;
        if !args.json {
            print::line("sound      every page of the file was read and checked")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show(path: &str, status: &dexcost::buffer::Status) -> std::io::Result<()> {
    let tasks = &status.tasks;
    print::line(format!("buffer     {path}"))?;
    print::line(format!(
        "size       {} bytes, schema {}",
        display::grouped(status.file_bytes),
        status.schema
    ))?;
    print::line(format!(
        "tasks      {} succeeded, {} failed ({} interrupted), {} running",
        display::grouped(tasks.success),
        display::grouped(tasks.failed),
        display::grouped(status.interrupted),
        display::grouped(tasks.pending),
    ))?;
    print::line(format!("events     {}", display::grouped(status.events)))?;
    print::line(format!(
        "writers    {} alive, {} gone with open tasks",
        status.owners_alive, status.owners_dead
    ))?;
    if let Some(unsent) = status.unsent_events {
        print::line(format!("unsent     {} events", display::grouped(unsent)))?;
    }
    for file in &status.set_aside {
        print::line(format!("set aside  {file} (it was corrupt)"))?;
    }
    if status.losses.is_empty() {
        print::line("losses     none")?;
    }
    for loss in &status.losses {
        print::line(format!(
            "lost       {} {} ({})",
            display::grouped(loss.count),
            loss.kind,
            loss.reason
        ))?;
    }
    let mut reasons: Vec<_> = status.losses.iter().map(|loss| loss.reason.as_str()).collect();
    reasons.sort_unstable();
    reasons.dedup();
    for reason in reasons {
        if let Some(meaning) = reason.parse().ok().and_then(meaning) {
            print::line(format!("           {reason}: {meaning}"))?;
        }
    }
    for left in &status.departed {
        print::line(format!(
            "left       {} {} ({})",
            display::grouped(left.count),
            left.kind,
            left.reason
        ))?;
    }
    Ok(())
}

/// What somebody who reads a reason may want to know.
const fn meaning(reason: LossReason) -> Option<&'static str> {
    Some(match reason {
        LossReason::QueueFull => "records came faster than the disk took them; see `Config::queue_bytes`",
        LossReason::Closed => "recorded after the tracker was closed",
        LossReason::Forked => "recorded in a forked child, which has to call `close` and `init` first",
        LossReason::DiskError => "the file could not be written until the tracker was closed",
        LossReason::EncodeError => "too large for a row",
        LossReason::Duplicate => "an id that was there already",
        LossReason::Corrupt => "the file was damaged; it was set aside and a new one begun",
        LossReason::Removed => "the file was removed while a program wrote to it; a new one was begun",
        LossReason::NoTracker => "nothing could record it; call `dexcost::init` earlier",
        _ => return None,
    })
}
