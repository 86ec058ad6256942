//! Newer tables from elsewhere: fetched, checked as a whole, swapped in at once.
//!
//! Needs feature `sync`. A table that cannot be fetched or is not better than the one in use changes
//! nothing. Redirects are refused, a document is read up to 8 MiB, and the API key goes to the Control
//! Layer's own origin only.

mod fetch;

use std::time::Duration;

use crate::account::CostTracker;
use crate::error::Error;

pub use fetch::Fetch;
pub(crate) use fetch::is_same_origin;

/// How long one fetch may take.
const WITHIN: Duration = Duration::from_secs(15);

impl CostTracker {
    /// Replaces the catalog of services by the document at a URL. Blocks for at most 15 s; see
    /// [`ServiceCatalog::replace_with`](crate::ServiceCatalog::replace_with) for what is refused.
    ///
    /// # Errors
    ///
    /// [`Error::Fetch`] where the document cannot be had, [`Error::PriceFile`] where it cannot be used. The
    /// catalog in use stays then.
    pub fn refresh_services(&self, url: &str) -> Result<(), Error> {
        self.refresh_services_by(url, &Fetch::within(WITHIN))
    }

    /// As [`refresh_services`](Self::refresh_services), by a client with settings of its own.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn refresh_services_by(&self, url: &str, fetch: &Fetch) -> Result<(), Error> {
        let document = fetch.text(url)?;
        self.services().replace_with(&document)
    }

    /// Refreshes the catalog on a thread of its own. What goes wrong is logged; the catalog in use says
    /// itself how old it is.
    pub(crate) fn refresh_services_later(&self, url: String, fetch: Fetch) {
        let catalog = self.services().clone();
        let refresh = move || {
            let outcome = fetch.text(&url).and_then(|text| catalog.replace_with(&text));
            if let Err(error) = outcome {
                tracing::warn!(%error, as_of = %catalog.as_of(), "the catalog of services stays as it is");
            }
        };
        let thread = std::thread::Builder::new().name("dexcost-refresh".to_owned());
        if let Err(error) = thread.spawn(refresh) {
            tracing::warn!(%error, "the catalog of services is not refreshed");
        }
    }
}
