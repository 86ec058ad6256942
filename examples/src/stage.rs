//! What the examples of single clients stand on: a provider on loopback, a ledger of their own, the
//! report at the end.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use dexcost::buffer::BufferReader;
use dexcost::report::{By, Report, ReportQuery};
use dexcost::{Config, InitGuard, dec};

use crate::Error;
use crate::provider::{self, Replies};

/// A provider on loopback and a ledger under `target/examples`.
#[derive(Debug)]
pub struct Stage {
    provider: SocketAddr,
    buffer: PathBuf,
    guard: InitGuard,
}

impl Stage {
    /// Starts the provider, in a thread of its own since not every program has a runtime, and makes
    /// a new ledger the default one.
    ///
    /// # Errors
    ///
    /// Where no loopback port or no file can be had.
    pub fn set(name: &str) -> Result<Self, Error> {
        let folder = Path::new("target").join("examples-ledger").join(name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        let buffer = folder.join("dexcost.sqlite3");
        let guard = dexcost::init(Config {
            buffer_path: Some(buffer.clone()),
            ..Default::default()
        })?;
        // Where a client reaches the provider by its address, nobody knows what the model costs there.
        for (model, input, output) in [
            ("gpt-4.1-mini-2025-04-14", dec!(0.0004), dec!(0.0016)),
            (
                "anthropic.claude-3-5-haiku-20241022-v1:0",
                dec!(0.0008),
                dec!(0.004),
            ),
        ] {
            guard.tracker().set_custom_pricing(model, input, output)?;
        }
        Ok(Self {
            provider: provider()?,
            buffer,
            guard,
        })
    }

    /// The URL of a path at the provider.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.provider)
    }

    /// A client that reaches every provider on loopback, over plain HTTP whatever the URL says.
    ///
    /// # Errors
    ///
    /// Where no client can be built.
    pub fn http(&self) -> Result<reqwest::Client, Error> {
        let proxy = reqwest::Proxy::all(self.url(""))?;
        Ok(reqwest::Client::builder().proxy(proxy).build()?)
    }

    /// Prints what it cost, by model.
    ///
    /// # Errors
    ///
    /// Where the ledger cannot be read.
    #[allow(clippy::print_stdout, reason = "a program for a terminal")]
    pub fn end(self) -> Result<(), Error> {
        dexcost::close()?;
        drop(self.guard);
        let reader = BufferReader::open(&self.buffer)?;
        println!("{}", Report::read(&reader, &ReportQuery::by(By::Model))?);
        Ok(())
    }
}

/// Starts the provider; it ends with the program.
fn provider() -> Result<SocketAddr, Error> {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let _ = tell.send(provider::start(Replies::Made).await);
            std::future::pending::<Result<(), std::io::Error>>().await
        })
    });
    told.recv()?
}
