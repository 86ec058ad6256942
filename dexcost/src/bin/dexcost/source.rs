//! Which buffer a verb reads.

use std::path::PathBuf;

use clap::Args;
use dexcost::Timestamp;
use dexcost::buffer::{BufferReader, default_path};

/// The buffer to read.
#[derive(Args)]
pub(crate) struct Source {
    /// The buffer file; by default that of DEXCOST_BUFFER, else the one that programs of this user write
    #[arg(long, short, value_name = "FILE")]
    buffer: Option<PathBuf>,
}

impl Source {
    pub(crate) fn path(&self) -> PathBuf {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        self.buffer
            .clone()
            .or_else(|| variable("DEXCOST_BUFFER").map(PathBuf::from))
            .unwrap_or_else(|| default_path(variable))
    }

    pub(crate) fn open(&self) -> Result<BufferReader, Box<dyn std::error::Error>> {
        let file = self.path();
        if !file.exists() {
            return Err(format!(
                "nothing is recorded in {} yet: run a program that calls dexcost::init, or name its file \
                 with --buffer FILE or DEXCOST_BUFFER",
                file.display()
            )
            .into());
        }
        Ok(BufferReader::open(file)?)
    }
}

/// A day (`2026-11-22`, from its first instant in UTC) or an instant (RFC 3339).
pub(crate) fn instant(text: &str) -> Result<Timestamp, String> {
    let day = format!("{text}T00:00:00Z");
    let instant = if text.len() == 10 { &day } else { text };
    instant
        .parse()
        .map_err(|_| "write a day like 2026-11-22, or an instant like 2026-11-22T09:30:00Z".to_owned())
}
