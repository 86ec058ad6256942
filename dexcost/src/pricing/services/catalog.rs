//! The catalog: a table that can be replaced, and the user's own rates, which stay.

use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use rust_decimal::Decimal;
use smallvec::SmallVec;

use super::cost::ServiceCost;
use super::domain_rates::{DomainRate, DomainRates};
use super::matched::{Candidate, ServiceBodies, ServiceMatch};
use super::row::{Price, Row, ServiceRule};
use super::seen::{Copied, Seen};
use super::table::Table;
use super::{hosts, paths};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::event::CostConfidence;
use crate::money::Amount;
use crate::text::Text;
use crate::wire::{Headers, RequestFacts};

/// What paid APIs cost: the bundled catalog, or one that replaced it, under the user's own rates.
///
/// A clone is a handle to the same catalog. It is read through atomic snapshots: a lookup takes no
/// lock, and an exchange that has begun is priced by the table that it began with.
///
/// ```
/// use dexcost::ServiceCatalog;
///
/// let catalog = ServiceCatalog::new();
/// let found = catalog.lookup("https://api.tavily.com/search").unwrap();
/// assert_eq!(found.service(), "tavily_search");
/// assert!(catalog.lookup("https://api.tavily.com.example.com/search").is_none());
///
/// catalog.register_domain_rate("api.example.com", "0.01", "request").unwrap();
/// assert!(catalog.lookup("https://api.example.com/anything").is_some());
/// ```
#[derive(Clone, Debug, Default)]
pub struct ServiceCatalog {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// `None` while it is the bundled one.
    table: ArcSwapOption<Table>,
    rates: ArcSwap<DomainRates>,
}

/// Where a listed price was read.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PriceOrigin {
    /// The price of one unit in US dollars; of a percentage, the part.
    pub unit_usd: Decimal,
    /// The day or year as of which it holds.
    pub as_of: Text,
    /// The page, or what else it was read from.
    pub source: Text,
}

impl PriceOrigin {
    /// Whether the price was written down from memory, and not read again at its source.
    #[must_use]
    pub fn is_recalled(&self) -> bool {
        self.source.contains("(recalled)")
    }
}

impl ServiceCatalog {
    /// The bundled catalog. This costs nothing: the table is read when a request first asks for it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What the catalog knows about a URL, whatever the method; `None` where it knows nothing.
    #[must_use]
    pub fn lookup(&self, url: &str) -> Option<ServiceMatch> {
        self.find(&RequestFacts::to_url("", url, &()))
    }

    /// What the catalog knows about a request. An empty method stands for any.
    ///
    /// A host that no row and no rate is about costs two hashes and a search; nothing is allocated.
    #[must_use]
    pub fn find(&self, facts: &RequestFacts<'_>) -> Option<ServiceMatch> {
        let host = hosts::host_of(facts.authority);
        let rates = self.inner.rates.load();
        let rate = if rates.is_empty() { None } else { rates.find(host) };
        let snapshot = self.inner.table.load();
        let table = snapshot.as_ref().unwrap_or_else(|| Table::bundled());
        let mut line = Copied::default();
        let rows = candidates(table, host, facts, &mut line);
        if rows.is_empty() && rate.is_none() {
            return None;
        }
        let rate = rate.map(|rate| (rate.clone(), rates.version()));
        Some(ServiceMatch::new(Arc::clone(table), rows, rate, line))
    }

    /// What a reply costs, for code that has it in hand: `found` is what [`lookup`](Self::lookup) said of
    /// its URL. `None` where no row applies after all.
    ///
    /// ```
    /// use dexcost::{ServiceCatalog, dec};
    ///
    /// let catalog = ServiceCatalog::new();
    /// let found = catalog.lookup("https://api.tavily.com/search").unwrap();
    /// let cost = catalog.extract_cost(found, 200, &(), br#"{"usage":{"credits":2}}"#).unwrap();
    /// assert_eq!((cost.cost_usd, cost.service.as_str()), (Some(dec!(0.016)), "tavily_search"));
    /// ```
    #[must_use]
    pub fn extract_cost(
        &self,
        mut found: ServiceMatch,
        status: u16,
        headers: &dyn Headers,
        body: &[u8],
    ) -> Option<ServiceCost> {
        found.response(status, headers);
        found.cost(&ServiceBodies {
            reply: Some(body),
            ..ServiceBodies::default()
        })
    }

    /// Whether the user registered a rate for any domain.
    #[must_use]
    pub fn has_registered_rates(&self) -> bool {
        !self.inner.rates.load().is_empty()
    }

    /// What one request to a service costs, by its first row that names a flat price in US dollars; `None`
    /// where it has none. Reads the whole table: for set-up, not for each call.
    ///
    /// ```
    /// use dexcost::{ServiceCatalog, dec};
    ///
    /// let fee = ServiceCatalog::new().fee_of("perplexity_search").unwrap();
    /// assert_eq!(fee.usd_per_request, dec!(0.005));
    /// ```
    #[must_use]
    pub fn fee_of(&self, service: &str) -> Option<ServiceFee> {
        self.with_table(|table| {
            table.rows().find_map(|row| {
                let is_flat = row.rule == ServiceRule::PerRequest
                    && row.service == service
                    && row.currency.is_empty()
                    && row.quantity.is_empty();
                match row.price {
                    Price::Each(usd) if is_flat => Some(ServiceFee {
                        usd_per_request: usd,
                        confidence: super::cost::confidence(row.trust),
                        version: table.version.clone(),
                    }),
                    _ => None,
                }
            })
        })
    }

    /// Where the listed prices of a service were read, row by row. Reads the whole table.
    ///
    /// ```
    /// let origins = dexcost::ServiceCatalog::new().origins_of("brave_search");
    /// assert_eq!((origins[0].unit_usd, origins[0].is_recalled()), (dexcost::dec!(0.005), true));
    /// ```
    #[must_use]
    pub fn origins_of(&self, service: &str) -> Vec<PriceOrigin> {
        let origin = |row: &Row| {
            let unit_usd = match row.price {
                Price::Each(usd) => usd,
                Price::Part { rate, .. } => rate,
                Price::None => return None,
            };
            Some(PriceOrigin {
                unit_usd,
                as_of: row.as_of.clone(),
                source: Text::from(&*row.source),
            })
        };
        self.with_table(|table| {
            let rows = table.rows().filter(|row| row.service == service);
            rows.filter_map(origin).collect()
        })
    }

    /// Registers what exchanges with a domain cost, over an earlier rate and over the catalog.
    ///
    /// The domain is a host or, for everything below it, `*.example.com`; the longest one that fits
    /// wins. `per` is `request` for a price of each answer with a status of 2xx, or a unit in which
    /// the catalog counts what this host delivers (`credit`, say): then the catalog says how many, and
    /// this rate what one costs. Where it cannot say how many, the cost is unknown.
    ///
    /// It is no rate of the `RateRegistry`, on purpose: those are charged by `record_usage`, by hand,
    /// and one that was charged by itself as well would count twice.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidAmount`] where the price is no exact decimal, [`Error::Negative`] where it is
    /// below zero, [`Error::InvalidSetting`] where the domain is none or the unit is empty.
    pub fn register_domain_rate(
        &self,
        domain: &str,
        cost_usd: impl Amount,
        per: impl Into<Text>,
    ) -> Result<(), Error> {
        let rate = DomainRate::new(domain, cost_usd, per.into())?;
        self.inner.rates.rcu(|rates| Arc::new(rates.with(rate.clone())));
        Ok(())
    }

    /// Replaces the table by the one in a document, as a whole or not at all. The user's rates stay.
    ///
    /// The document is JSON as `data/FORMAT.md` describes it, alone or as `data` of an object.
    ///
    /// # Errors
    ///
    /// [`Error::PriceFile`] where anything in it is wrong: no JSON, another format, no rows, a row
    /// that cannot be read or has no date or source, a host pattern whose last two
    /// labels are not literal, a negative or absurd price, more than 8 MiB; or where it has less than half
    /// the rows of the table in use, or is older. The table in use stays then.
    pub fn replace_with(&self, document: &str) -> Result<(), Error> {
        let table = Table::parse(document)?;
        let snapshot = self.inner.table.load();
        let current = snapshot.as_ref().unwrap_or_else(|| Table::bundled());
        let refuse = |reason: String| Error::PriceFile {
            origin: "service catalog".to_owned(),
            at: None,
            reason,
        };
        if table.len() * 2 < current.len() {
            return Err(refuse(format!(
                "has {} rows in place of {}",
                table.len(),
                current.len()
            )));
        }
        if table.as_of < current.as_of {
            return Err(refuse(format!(
                "is of {}, older than {}",
                table.as_of, current.as_of
            )));
        }
        self.inner.table.store(Some(Arc::new(table)));
        Ok(())
    }

    /// The first 12 hex digits of the SHA-256 of the table.
    #[must_use]
    pub fn version(&self) -> Text {
        self.with_table(|table| table.version.clone())
    }

    /// The date (`YYYY-MM-DD`) as of which the table was put together.
    #[must_use]
    pub fn as_of(&self) -> Text {
        self.with_table(|table| table.as_of.clone())
    }

    /// How many days have passed since that date at an instant; 0 where it lies ahead.
    ///
    /// ```
    /// use dexcost::{ServiceCatalog, Timestamp};
    ///
    /// let catalog = ServiceCatalog::new();
    /// let day: Timestamp = Timestamp::from_unix_micros(1_798_761_600_000_000); // 2027-01-01
    /// assert!(catalog.days_old(day) >= 1);
    /// ```
    #[must_use]
    pub fn days_old(&self, at: Timestamp) -> u32 {
        let days = |date: &str| {
            let date: jiff::civil::Date = date.parse().ok()?;
            let epoch = jiff::civil::Date::constant(1970, 1, 1);
            Some(i64::from(epoch.until(date).ok()?.get_days()))
        };
        let today = i64::try_from(at.unix_millis() / 86_400_000).unwrap_or(i64::MAX);
        let passed = days(&self.as_of()).map_or(0, |as_of| today.saturating_sub(as_of));
        u32::try_from(passed.max(0)).unwrap_or(u32::MAX)
    }

    /// How many rows the table has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.with_table(Table::len)
    }

    /// Whether the table has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it is the table that came with this crate.
    #[must_use]
    pub fn is_bundled(&self) -> bool {
        self.inner.table.load().is_none()
    }

    fn with_table<T>(&self, read: impl FnOnce(&Table) -> T) -> T {
        let snapshot = self.inner.table.load();
        read(snapshot.as_ref().unwrap_or_else(|| Table::bundled()))
    }
}

/// The flat price of a service.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ServiceFee {
    /// What one request costs, in US dollars.
    pub usd_per_request: Decimal,
    /// How far it can be trusted.
    pub confidence: CostConfidence,
    /// The version of the table.
    pub version: Text,
}

/// The rows that a request line leaves open, best first: by host, by path, by the number of
/// conditions, by their order in the table.
fn candidates(
    table: &Table,
    host: &str,
    facts: &RequestFacts<'_>,
    line: &mut Copied,
) -> SmallVec<[Candidate; 4]> {
    let mut found: SmallVec<[Candidate; 4]> = SmallVec::new();
    let mut segments = None;
    for (at, host) in table.index.find(host) {
        let segments: &paths::Segments<'_> = segments.get_or_insert_with(|| paths::segments(facts.path));
        let Some(row) = table.row(at) else { continue };
        let Some((path, conditions)) = row.fit(facts, segments) else {
            continue;
        };
        if row.reads.request_line {
            row.sources(&mut |source| line.line(source, facts));
        }
        let seen = Seen {
            line,
            headers: &Copied::default(),
            request: None,
            reply: None,
            sent_bytes: None,
            elapsed_ms: None,
        };
        if row
            .when_line
            .iter()
            .all(|conditions| conditions.hold(&seen) == Ok(true))
        {
            found.push(Candidate {
                row: at,
                weight: (host, path, conditions),
            });
        }
    }
    found.sort_by_key(|candidate| (std::cmp::Reverse(candidate.weight), candidate.row));
    found
}
