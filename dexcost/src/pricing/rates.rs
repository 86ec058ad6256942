//! Placeholder until the rates branch is merged; take that one on conflict.
#![allow(missing_docs)]
use crate::{Decimal, Error, Text, money::Amount};
#[derive(Debug, Default)]
pub struct RateRegistry {}
#[derive(Debug, Default, Clone)]
pub struct RateEntry {
    pub cost_usd: Decimal,
}
impl RateRegistry {
    pub fn new() -> Self {
        Self {}
    }
    pub fn get(&self, _s: &str) -> Option<RateEntry> {
        None
    }
    pub fn register(&self, _s: &str, _per: &str, _c: impl Amount) -> Result<(), Error> {
        Ok(())
    }
    pub fn load(&self, _p: impl AsRef<std::path::Path>) -> Result<(), Error> {
        Ok(())
    }
    pub fn export(&self, _p: impl AsRef<std::path::Path>) -> Result<(), Error> {
        Ok(())
    }
    pub fn pricing_version(&self) -> Text {
        Text::empty()
    }
}
