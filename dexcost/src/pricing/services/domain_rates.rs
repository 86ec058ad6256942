//! What calls to a domain cost, as the user says.

use std::sync::OnceLock;

use rust_decimal::Decimal;
use serde_json::json;

use super::{glob, hosts};
use crate::canonical;
use crate::error::Error;
use crate::money::{self, Amount};
use crate::privacy::sha256_hex;
use crate::text::Text;

/// What one unit costs in exchanges with a domain.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct DomainRate {
    /// A host, or `*.` and a domain for everything below it.
    pub(super) domain: Text,
    pub(super) per: Text,
    pub(super) cost_usd: Decimal,
}

impl DomainRate {
    pub(super) fn new(domain: &str, cost_usd: impl Amount, per: Text) -> Result<Self, Error> {
        let invalid = |name, reason: &str| Error::InvalidSetting {
            name,
            reason: reason.to_owned(),
        };
        let given = domain.trim();
        let domain = hosts::host_of(given).to_ascii_lowercase();
        let is_name =
            |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':' | b'[' | b']');
        let name = given.strip_prefix("*.").unwrap_or(given);
        if domain.is_empty() || name.is_empty() || !name.bytes().all(is_name) {
            return Err(invalid("domain", "is no host and no `*.` with a domain"));
        }
        if domain.contains('*') && hosts::fault(&domain).is_some() {
            return Err(invalid(
                "domain",
                "a wildcard needs a domain of two labels at least",
            ));
        }
        if per.trim().is_empty() {
            return Err(invalid("per", "is empty"));
        }
        let cost_usd = cost_usd.into_decimal()?;
        if cost_usd.is_sign_negative() && !cost_usd.is_zero() {
            return Err(Error::Negative {
                name: "cost_usd".to_owned(),
            });
        }
        Ok(Self {
            domain: domain.into(),
            per,
            cost_usd,
        })
    }

    /// Whether it is a price per exchange.
    pub(super) fn is_per_request(&self) -> bool {
        matches!(&*self.per, "request" | "call")
    }
}

/// All of them, sorted by domain.
#[derive(Clone, Debug, Default)]
pub(super) struct DomainRates {
    rates: Vec<DomainRate>,
    version: OnceLock<Text>,
}

impl DomainRates {
    /// These and one more, in place of an earlier one for the same domain.
    pub(super) fn with(&self, rate: DomainRate) -> Self {
        let mut rates: Vec<_> = self
            .rates
            .iter()
            .filter(|r| r.domain != rate.domain)
            .cloned()
            .collect();
        rates.push(rate);
        rates.sort_by(|a, b| a.domain.cmp(&b.domain));
        Self {
            rates,
            version: OnceLock::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rates.is_empty()
    }

    /// The rate of a host: its own, else that of the longest domain above it.
    pub(super) fn find(&self, host: &str) -> Option<&DomainRate> {
        let is_of = |rate: &&DomainRate| {
            rate.domain.eq_ignore_ascii_case(host)
                || (rate.domain.contains('*') && hosts::matches(&rate.domain, host))
        };
        self.rates
            .iter()
            .filter(is_of)
            .max_by_key(|rate| glob::weight(&rate.domain))
    }

    /// The first 12 hex digits of a SHA-256 over them.
    pub(super) fn version(&self) -> Text {
        let compute = || {
            let rate = |r: &DomainRate| json!([&*r.domain, &*r.per, money::plain(r.cost_usd)]);
            let content = self.rates.iter().map(rate).collect();
            let digest = sha256_hex(canonical::to_string(&serde_json::Value::Array(content)));
            Text::from(&digest[..12])
        };
        self.version.get_or_init(compute).clone()
    }
}
