//! What the catalog found for a request, and what it still has to see.

use std::sync::Arc;

use smallvec::SmallVec;

use super::body::Body;
use super::cost::{self, ServiceCost};
use super::domain_rates::DomainRate;
use super::reader::{Places, ServiceReader};
use super::row::{Row, ServiceRule};
use super::seen::{Copied, Seen};
use super::source::Source;
use super::table::Table;
use crate::text::Text;
use crate::wire::Headers;

/// As much of a request body is looked at.
const REQUEST_CAP: usize = 256 * 1024;

/// A row that the request line leaves open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub(super) row: u16,
    /// How much of host and path it fixes, and how many conditions it has.
    pub(super) weight: (u16, u16, u16),
}

/// What the catalog knows about one request: the rows that may apply to it, best first.
///
/// Which of them does is known once the exchange is over: [`response`](Self::response) takes what the
/// rows need of the reply's headers, [`cost`](Self::cost) reads the bodies. It holds the values that
/// its rows ask for and nothing else of the request, and is meant to be dropped with the exchange.
#[derive(Clone)]
pub struct ServiceMatch {
    pub(super) table: Arc<Table>,
    pub(super) rows: SmallVec<[Candidate; 4]>,
    pub(super) rate: Option<(DomainRate, Text)>,
    pub(super) line: Copied,
    pub(super) headers: Copied,
    pub(super) status: u16,
}

/// What was seen of the bodies of an exchange when it was over.
///
/// Bodies are as they are before any content coding. One that was not looked at is `None`, which is
/// something else than an empty one.
#[derive(Clone, Copy, Debug, Default)]
pub struct ServiceBodies<'a> {
    /// The request body, or its beginning.
    pub request: Option<&'a [u8]>,
    /// Whether the beginning is not all of it.
    pub request_is_cut: bool,
    /// The reply's body, or its beginning.
    pub reply: Option<&'a [u8]>,
    /// Whether the beginning is not all of it.
    pub reply_is_cut: bool,
    /// How many bytes the request body has.
    pub sent_bytes: Option<u64>,
    /// Milliseconds from the request to the end of the reply.
    pub elapsed_ms: Option<u64>,
}

/// How many rows, and nothing of the request.
impl std::fmt::Debug for ServiceMatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServiceMatch")
            .field("rows", &self.rows.len())
            .finish_non_exhaustive()
    }
}

impl ServiceMatch {
    pub(super) fn new(
        table: Arc<Table>,
        rows: SmallVec<[Candidate; 4]>,
        rate: Option<(DomainRate, Text)>,
        line: Copied,
    ) -> Self {
        Self {
            table,
            rows,
            rate,
            line,
            headers: Copied::default(),
            status: 0,
        }
    }

    /// The service: the name in the catalog, or the domain of a rate that the user registered.
    #[must_use]
    pub fn service(&self) -> &str {
        match (self.best(), &self.rate) {
            (Some(row), _) => &row.service,
            (None, Some((rate, _))) => &rate.domain,
            (None, None) => "",
        }
    }

    /// The category of the service, such as `search`; empty where only a registered rate applies.
    #[must_use]
    pub fn category(&self) -> &str {
        self.best().map_or("", |row| &row.category)
    }

    /// The rows that may apply, best first.
    pub fn rows(&self) -> impl Iterator<Item = ServiceRow<'_>> {
        self.candidates().map(|row| ServiceRow { row })
    }

    /// Whether the catalog says what a request costs, and not only that somebody else pays.
    #[must_use]
    pub fn is_priced(&self) -> bool {
        let has_price = |rule| {
            matches!(
                rule,
                ServiceRule::Reported
                    | ServiceRule::PerRequest
                    | ServiceRule::PerUnit
                    | ServiceRule::Percent
                    | ServiceRule::ModelTable
                    | ServiceRule::Time
            )
        };
        self.rows()
            .any(|row| has_price(row.rule()) && !row.is_paid_by_callee())
    }

    /// The version of the registered rates where one of them applies, else of the table that the rows are of.
    pub(crate) fn version(&self) -> Text {
        match &self.rate {
            Some((_, version)) => version.clone(),
            None => self.table.version.clone(),
        }
    }

    /// Whether the user registered a rate for the domain.
    #[must_use]
    pub fn has_registered_rate(&self) -> bool {
        self.rate.is_some()
    }

    /// How many bytes of the request body are to be kept for [`cost`](Self::cost), if any.
    #[must_use]
    pub fn wants_request_body(&self) -> Option<usize> {
        let reads = self.candidates().any(|row| row.reads.request);
        reads.then_some(REQUEST_CAP)
    }

    /// A reader for the reply's body that keeps what [`cost`](Self::cost) needs of it, however long it
    /// is; `None` where nothing is needed. Texts longer than 512 bytes are left empty.
    #[must_use]
    pub fn reply_reader(&self) -> Option<ServiceReader> {
        let mut places = Places::default();
        for row in self.candidates() {
            row.sources(&mut |source| places.add(source));
        }
        (!places.is_empty()).then(|| ServiceReader::new(&places))
    }

    /// Takes the status and, of the reply's headers, what the rows ask for.
    pub fn response(&mut self, status: u16, headers: &dyn Headers) {
        self.status = status;
        let mut copied = Copied::default();
        for row in self.candidates().filter(|row| row.reads.headers) {
            row.sources(&mut |source| {
                if let Source::Header(name) = source {
                    copied.header(name, headers);
                }
            });
        }
        self.headers = copied;
    }

    /// What the exchange costs; `None` where none of the rows applies after all.
    ///
    /// ```
    /// use dexcost::capture::RequestFacts;
    /// use dexcost::{ServiceBodies, ServiceCatalog, dec};
    ///
    /// let catalog = ServiceCatalog::new();
    /// let facts = RequestFacts::to_url("POST", "https://api.tavily.com/search", &());
    /// let mut found = catalog.find(&facts).unwrap();
    /// found.response(200, &());
    /// let cost = found.cost(&ServiceBodies {
    ///     reply: Some(br#"{"results":[],"usage":{"credits":2}}"#),
    ///     ..ServiceBodies::default()
    /// });
    /// assert_eq!(cost.unwrap().cost_usd, Some(dec!(0.016)));
    /// ```
    #[must_use]
    pub fn cost(&self, bodies: &ServiceBodies<'_>) -> Option<ServiceCost> {
        let body = |bytes: Option<_>, is_cut: bool| {
            bytes.map(|bytes| Body {
                bytes,
                is_complete: !is_cut,
            })
        };
        let seen = Seen {
            line: &self.line,
            headers: &self.headers,
            request: body(bodies.request, bodies.request_is_cut),
            reply: body(bodies.reply, bodies.reply_is_cut),
            sent_bytes: bodies.sent_bytes,
            elapsed_ms: bodies.elapsed_ms,
        };
        cost::of(self, &seen)
    }

    /// The rows, best first.
    pub(super) fn candidates(&self) -> impl Iterator<Item = &Row> {
        self.rows
            .iter()
            .filter_map(|candidate| self.table.row(candidate.row))
    }

    fn best(&self) -> Option<&Row> {
        let is_priced = |row: &&Row| row.rule != ServiceRule::Observe;
        self.candidates()
            .find(is_priced)
            .or_else(|| self.candidates().next())
    }
}

/// One row of the catalog, for a reader.
#[derive(Clone, Copy, Debug)]
pub struct ServiceRow<'a> {
    row: &'a Row,
}

impl<'a> ServiceRow<'a> {
    /// The service.
    #[must_use]
    pub fn service(&self) -> &'a str {
        &self.row.service
    }

    /// Its category.
    #[must_use]
    pub fn category(&self) -> &'a str {
        &self.row.category
    }

    /// How it is priced.
    #[must_use]
    pub fn rule(&self) -> ServiceRule {
        self.row.rule
    }

    /// Whether whoever runs the function that is called pays for it, and not the caller.
    #[must_use]
    pub fn is_paid_by_callee(&self) -> bool {
        self.row.is_callees
    }

    /// What is counted; empty where nothing is.
    #[must_use]
    pub fn unit(&self) -> &'a str {
        &self.row.unit
    }

    /// The price of one as it is written, `0.029 + 0.30` being a part and a fee; empty where none is
    /// published.
    #[must_use]
    pub fn price(&self) -> &'a str {
        &self.row.price_text
    }

    /// The hosts that it is about, parted by blanks.
    #[must_use]
    pub fn hosts(&self) -> &'a str {
        &self.row.hosts
    }

    /// The paths that it is about, parted by blanks; empty for all.
    #[must_use]
    pub fn paths(&self) -> &'a str {
        &self.row.paths
    }

    /// The day, month or year as of which the price holds.
    #[must_use]
    pub fn as_of(&self) -> &'a str {
        &self.row.as_of
    }

    /// Where the price was read.
    #[must_use]
    pub fn source(&self) -> &'a str {
        &self.row.source
    }

    /// What else is known.
    #[must_use]
    pub fn note(&self) -> &'a str {
        &self.row.note
    }
}
