//! Accounts of what is going on: exchanges, tasks, scopes.
//!
//! Floor 4: knows facts and prices, and writes to a `Sink`.

pub mod capture;
