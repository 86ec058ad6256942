//! Which buffer a verb reads.

use std::path::PathBuf;

use clap::Args;
use dexcost::Error;
use dexcost::buffer::{BufferReader, default_path};

/// The buffer to read.
#[derive(Args)]
pub(crate) struct Source {
    /// The buffer file; by default the one that programs of this user write
    #[arg(long, short, value_name = "FILE", env = "DEXCOST_BUFFER")]
    buffer: Option<PathBuf>,
}

impl Source {
    pub(crate) fn path(&self) -> PathBuf {
        self.buffer
            .clone()
            .unwrap_or_else(|| default_path(|name| std::env::var_os(name)))
    }

    pub(crate) fn open(&self) -> Result<BufferReader, Error> {
        BufferReader::open(self.path())
    }
}
