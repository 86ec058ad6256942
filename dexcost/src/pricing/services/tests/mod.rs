//! The bundled catalog, asked as an exchange would ask it.

mod hostile;
mod kinds;
mod precedence;
mod refresh;
mod rows;

use super::{ServiceBodies, ServiceCatalog, ServiceCost, ServiceMatch};
use crate::wire::RequestFacts;

/// An exchange, described by what differs from an empty one.
#[derive(Clone, Copy, Default)]
struct Talk<'a> {
    url: &'a str,
    method: &'a str,
    sent: &'a [(&'a str, &'a str)],
    request: &'a str,
    status: u16,
    headers: &'a [(&'a str, &'a str)],
    reply: &'a str,
    elapsed_ms: Option<u64>,
}

impl<'a> Talk<'a> {
    fn get(url: &'a str, reply: &'a str) -> Self {
        Self {
            url,
            method: "GET",
            status: 200,
            reply,
            ..Self::default()
        }
    }

    fn post(url: &'a str, request: &'a str, reply: &'a str) -> Self {
        Self {
            method: "POST",
            request,
            ..Self::get(url, reply)
        }
    }

    fn found(&self, catalog: &ServiceCatalog) -> Option<ServiceMatch> {
        let mut found = catalog.find(&RequestFacts::to_url(self.method, self.url, &self.sent))?;
        found.response(self.status, &self.headers);
        Some(found)
    }

    fn cost_in(&self, catalog: &ServiceCatalog) -> Option<ServiceCost> {
        self.found(catalog)?.cost(&ServiceBodies {
            request: Some(self.request.as_bytes()),
            reply: Some(self.reply.as_bytes()),
            sent_bytes: Some(self.request.len() as u64),
            elapsed_ms: self.elapsed_ms,
            ..ServiceBodies::default()
        })
    }

    fn cost(&self) -> ServiceCost {
        self.cost_in(&ServiceCatalog::new()).expect("a row applies")
    }
}
