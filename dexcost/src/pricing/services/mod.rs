//! The service catalog: what paid APIs other than models cost.
//!
//! [`ServiceCatalog`] answers two questions. When a request goes out, [`ServiceCatalog::find`] says
//! which rows of the catalog may apply and what they have to see of the exchange. When it is over,
//! [`ServiceMatch::cost`] says what it costs:
//!
//! 1. by the rate that the user registered for the domain;
//! 2. by the amount that the reply states, which is what the provider bills;
//! 3. by the row that fixes most of the host, then most of the path, then has the most conditions, then
//!    stands first. Rows with the same match and another unit add to it;
//! 4. not at all. A host that no row is about costs the caller a hash and a search.
//!
//! A row applies to statuses of 2xx unless it names others. A row about a job that is polled says which
//! reply is the last one and which job it is about, so that it is counted once.
//!
//! # Form
//! The rows are text, in the program as in a document from a URL (`data/FORMAT.md`). The bundled
//! ones are indexed by host in one pass when they are first asked for, and a row is read when an
//! exchange first matches it: a program talks to a handful of services and should not pay for two
//! hundred. A packed binary would save some microseconds once for each of those, and would need a
//! second reader beside the one for documents.
//!
//! # Bodies
//! A reply is read as it passes, whatever its size: [`ServiceReader`] keeps the fields that rows ask for
//! and nothing else of it. Of a request the beginning is kept while the exchange lasts, because some rows
//! count its characters. Numbers never pass through a float. What a cut-off body leaves open is not guessed: an array of which the end is missing
//! has no length, and a rule that could not be decided makes the cost an estimate.

mod body;
mod catalog;
mod condition;
mod cost;
mod domain_rates;
mod glob;
mod hosts;
mod matched;
mod paths;
mod quantity;
mod reader;
mod row;
mod seen;
mod source;
mod table;
mod template;
mod time;
mod units;

pub use catalog::{PriceOrigin, ServiceCatalog, ServiceFee};
pub use cost::{ServiceCost, ServiceGap, ServiceKind, ServiceLine, ServiceModel, ServiceObservation};
pub use matched::{ServiceBodies, ServiceMatch, ServiceRow};
pub use reader::ServiceReader;
pub use row::ServiceRule;

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(super) use tests::shared::csv_records;
