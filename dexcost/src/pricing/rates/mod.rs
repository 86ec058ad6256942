//! Registered rates: what one unit of a service costs, as the user says.
//!
//! A rates file is YAML with one entry per service:
//!
//! ```yaml
//! rates:
//!   maps.googleapis.com:
//!     per: request
//!     cost_usd: 0.005
//! ```
//!
//! Beside `rates` a file may say who answers at hosts of the user's own: `hosts: {llm.acme.internal: openai}`.
//!
//! `cost_usd` is read as its exact text, quoted or not, and never passes through a float. A file
//! with anything wrong in it is refused as a whole.

mod file;
mod yaml;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use rust_decimal::Decimal;
use serde_json::json;

use crate::canonical;
use crate::error::Error;
use crate::money::{self, Amount};
use crate::privacy::sha256_hex;
use crate::provider::{OwnHosts, Provider};
use crate::text::Text;

/// What one unit of a service costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateEntry {
    /// The service.
    pub service: Text,
    /// What the rate is counted in: `request`, `page`, `minute`.
    pub per: Text,
    /// The price of one, in US dollars; never negative.
    pub cost_usd: Decimal,
}

impl RateEntry {
    /// What so many units cost, or `None` where the product does not fit exactly.
    #[must_use]
    pub fn cost(&self, units: Decimal) -> Option<Decimal> {
        money::exact_product(self.cost_usd, units)
    }
}

/// The rates of the services that no catalog knows.
///
/// It is read through one atomic snapshot, so a lookup takes no lock and a file that is loaded
/// meanwhile is seen as a whole or not at all. Registering copies the registry.
///
/// ```
/// use dexcost::{RateRegistry, dec};
///
/// let rates = RateRegistry::new();
/// rates.register("maps.googleapis.com", "request", "0.005").unwrap();
///
/// let rate = rates.get("maps.googleapis.com").unwrap();
/// assert_eq!(rate.cost(dec!(3)), Some(dec!(0.015)));
/// assert_eq!(rates.get("elsewhere"), None);
/// assert!(rates.register("maps.googleapis.com", "request", "a lot").is_err());
/// ```
#[derive(Debug, Default)]
pub struct RateRegistry {
    rates: ArcSwap<Rates>,
}

#[derive(Clone, Debug, Default)]
struct Rates {
    entries: BTreeMap<Text, RateEntry>,
    hosts: BTreeMap<String, String>,
    /// The same, to be asked.
    own_hosts: OwnHosts,
    /// Computed when it is first asked for.
    version: OnceLock<Text>,
}

impl RateRegistry {
    /// A registry without rates.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Registers what one unit of a service costs, over an earlier rate.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidAmount`] where the price is no exact decimal, [`Error::Negative`] where it
    /// is below zero, [`Error::InvalidSetting`] where service or unit is empty.
    pub fn register(
        &self,
        service: impl Into<Text>,
        per: impl Into<Text>,
        cost_usd: impl Amount,
    ) -> Result<(), Error> {
        let entry = RateEntry {
            service: service.into(),
            per: per.into(),
            cost_usd: cost_usd.into_decimal()?,
        };
        for (name, text) in [("service", &entry.service), ("per", &entry.per)] {
            if text.trim().is_empty() {
                let reason = "is empty".to_owned();
                return Err(Error::InvalidSetting { name, reason });
            }
        }
        if entry.cost_usd.is_sign_negative() && !entry.cost_usd.is_zero() {
            return Err(Error::Negative {
                name: "cost_usd".to_owned(),
            });
        }
        self.take_over(&[entry], &[]);
        Ok(())
    }

    /// The rate of a service.
    #[must_use]
    pub fn get(&self, service: &str) -> Option<RateEntry> {
        self.rates.load().entries.get(service).cloned()
    }

    /// The rate of a service, and the version of the rates that it is from.
    ///
    /// # Errors
    ///
    /// [`Error::UnregisteredService`] where there is none.
    pub fn lookup(&self, service: &str) -> Result<(RateEntry, Text), Error> {
        let rates = self.rates.load();
        match rates.entries.get(service) {
            Some(entry) => Ok((entry.clone(), rates.version())),
            None => Err(Error::UnregisteredService {
                service: service.chars().take(200).collect(),
            }),
        }
    }

    /// All rates, sorted by service.
    #[must_use]
    pub fn entries(&self) -> Vec<RateEntry> {
        self.rates.load().entries.values().cloned().collect()
    }

    /// Which rates these are: the first twelve hexadecimal digits of the SHA-256 over them. The
    /// same rates have the same version, in whatever order and notation they came.
    ///
    /// ```
    /// use dexcost::RateRegistry;
    ///
    /// let (one, other) = (RateRegistry::new(), RateRegistry::new());
    /// one.register("a", "call", "0.50").unwrap();
    /// other.register("a", "call", "0.5").unwrap();
    /// assert_eq!(one.pricing_version(), other.pricing_version());
    /// assert_eq!(one.pricing_version().len(), 12);
    /// ```
    #[must_use]
    pub fn pricing_version(&self) -> Text {
        self.rates.load().version()
    }

    /// Takes over the rates of a YAML file, over earlier ones of the same services.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the file cannot be read and [`Error::PriceFile`], with file, line and
    /// entry, where anything in it is wrong: a missing, unknown or repeated key, a service twice,
    /// a price that is no exact decimal or negative, an anchor, alias or tag, more than 8 MiB.
    /// Nothing of it is taken over then.
    pub fn load(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        self.load_text(&file::read(path)?, &path.display().to_string())
    }

    /// Takes over the rates of a YAML text; `origin` is what errors call it.
    ///
    /// # Errors
    ///
    /// [`Error::PriceFile`], as with [`load`](Self::load).
    pub fn load_text(&self, yaml: &str, origin: &str) -> Result<(), Error> {
        let contents = yaml::parse(yaml, origin)?;
        self.take_over(&contents.rates, &contents.hosts);
        Ok(())
    }

    /// Writes the rates to a YAML file, sorted by service. A reader sees the old file or the new
    /// one and never a part of it.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the file cannot be written.
    pub fn export(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        file::write(path.as_ref(), &self.to_yaml())
    }

    /// The rates as YAML, sorted by service.
    ///
    /// ```
    /// use dexcost::RateRegistry;
    ///
    /// let rates = RateRegistry::new();
    /// rates.register("pdf", "page", "0.0020").unwrap();
    /// assert_eq!(rates.to_yaml(), "rates:\n  \"pdf\":\n    per: \"page\"\n    cost_usd: \"0.002\"\n");
    /// ```
    #[must_use]
    pub fn to_yaml(&self) -> String {
        let rates = self.rates.load();
        yaml::print(rates.entries.values()) + &yaml::print_hosts(rates.hosts.iter())
    }

    /// Who answers at hosts of the user's own: host, or `host:port`, and the name of a provider, as the section
    /// `hosts` of the files says. A tracker takes them over when it is built, beside
    /// [`Config::hosts`](crate::Config::hosts).
    ///
    /// ```
    /// use dexcost::RateRegistry;
    ///
    /// let rates = RateRegistry::new();
    /// rates.load_text("hosts: {llm.acme.internal: openai}", "rates.yaml").unwrap();
    /// assert_eq!(rates.hosts()["llm.acme.internal"], "openai");
    /// ```
    #[must_use]
    pub fn hosts(&self) -> BTreeMap<String, String> {
        self.rates.load().hosts.clone()
    }

    /// The provider that answers at a host of the user's own, by [`hosts`](Self::hosts).
    ///
    /// ```
    /// let rates = dexcost::RateRegistry::new();
    /// rates.load_text("hosts: {llm.acme.internal: openai}", "rates.yaml").unwrap();
    /// assert_eq!(rates.provider_at("LLM.acme.internal:443"), Some("openai"));
    /// assert_eq!(rates.provider_at("api.openai.com"), None);
    /// ```
    #[must_use]
    pub fn provider_at(&self, authority: &str) -> Option<&'static str> {
        self.owner_of(authority).map(|provider| provider.id)
    }

    pub(crate) fn owner_of(&self, authority: &str) -> Option<&'static Provider> {
        self.rates.load().own_hosts.provider_at(authority)
    }

    fn take_over(&self, entries: &[RateEntry], hosts: &[(String, String)]) {
        self.rates.rcu(|old| {
            let mut next = Rates {
                entries: old.entries.clone(),
                hosts: old.hosts.clone(),
                own_hosts: OwnHosts::default(),
                version: OnceLock::new(),
            };
            for entry in entries {
                next.entries.insert(entry.service.clone(), entry.clone());
            }
            next.hosts.extend(hosts.iter().cloned());
            // Each was checked when its file was read.
            next.own_hosts = OwnHosts::new(&next.hosts).unwrap_or_default();
            Arc::new(next)
        });
    }
}

impl Rates {
    fn version(&self) -> Text {
        let compute = || {
            let rate = |e: &RateEntry| json!({"per": e.per.as_str(), "cost_usd": money::plain(e.cost_usd)});
            let entries = self.entries.values();
            let content = entries.map(|e| (e.service.to_string(), rate(e))).collect();
            let digest = sha256_hex(canonical::to_string(&serde_json::Value::Object(content)));
            Text::from(&digest[..12])
        };
        self.version.get_or_init(compute).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dec;

    #[test]
    fn a_file_with_one_bad_entry_changes_nothing() {
        let rates = RateRegistry::new();
        rates.register("kept", "call", "1").unwrap();
        let version = rates.pricing_version();
        let yaml = "rates:\n  new: {per: call, cost_usd: 2}\n  kept: {per: call, cost_usd: much}\n";
        let error = rates.load_text(yaml, "my.yaml").unwrap_err().to_string();
        assert!(
            error.starts_with("my.yaml, line 3, rates.kept.cost_usd: "),
            "{error}"
        );
        assert_eq!(rates.entries().len(), 1);
        assert_eq!(rates.pricing_version(), version);
    }

    #[test]
    fn what_is_exported_is_loaded_as_the_same_rates() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rates.yaml");
        let (one, other) = (RateRegistry::new(), RateRegistry::new());
        one.export(&path).unwrap();
        other.load(&path).unwrap();
        assert_eq!(other.entries(), []);
        for (service, per, cost) in [
            ("z", "1000", dec!(0.0000000000000000000000000001)),
            ("~", "null", dec!(0)),
            (
                "a: \"b\" #\n\t\u{1}é\u{85}\u{feff}😀",
                "- x",
                dec!(79228162514264337593543950335),
            ),
        ] {
            one.register(service, per, cost).unwrap();
        }
        one.export(&path).unwrap();
        other.load(&path).unwrap();
        assert_eq!(other.entries(), one.entries());
        assert_eq!(other.pricing_version(), one.pricing_version());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn rates_that_make_no_sense_are_refused() {
        let rates = RateRegistry::new();
        assert!(matches!(
            rates.register("a", "b", "-0.1"),
            Err(Error::Negative { .. })
        ));
        assert!(matches!(
            rates.register("a", "b", "1,5"),
            Err(Error::InvalidAmount { .. })
        ));
        assert!(matches!(
            rates.register(" ", "b", 1),
            Err(Error::InvalidSetting { .. })
        ));
        assert!(matches!(
            rates.register("a", "", 1),
            Err(Error::InvalidSetting { .. })
        ));
        assert!(rates.entries().is_empty());
        assert!(matches!(rates.lookup("a"), Err(Error::UnregisteredService { service }) if service == "a"));
    }

    #[test]
    fn the_version_tells_rates_apart_and_knows_no_order() {
        let (one, other) = (RateRegistry::new(), RateRegistry::new());
        one.register("a", "x", 1).unwrap();
        one.register("b", "x", 2).unwrap();
        other.register("b", "x", 2).unwrap();
        assert_ne!(one.pricing_version(), other.pricing_version());
        other.register("a", "x", "1.000").unwrap();
        assert_eq!(one.pricing_version(), other.pricing_version());
        other.register("a", "y", 1).unwrap();
        assert_ne!(one.pricing_version(), other.pricing_version());
    }

    #[test]
    fn rates_that_are_registered_at_once_are_all_there() {
        let rates = RateRegistry::new();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let rates = &rates;
                scope.spawn(move || {
                    for n in 0..50 {
                        rates.register(format!("{thread}-{n}"), "call", n).unwrap();
                    }
                });
            }
        });
        assert_eq!(rates.entries().len(), 200);
    }
}
