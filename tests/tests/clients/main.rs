//! Clients: each with the real crate against a loopback server.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::type_complexity,
    reason = "a test"
)]

#[path = "../wire/mod.rs"]
mod wire;

mod async_openai;
mod bedrock;
mod bench;
mod calls_within;
mod hyper;
mod mcp;
mod nothing_shown;
mod reqwest_middleware;
mod rig;
mod uploads;
mod ureq;
