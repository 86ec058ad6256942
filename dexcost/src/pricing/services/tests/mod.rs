//! The bundled catalog, asked as an exchange would ask it.

mod hostile;
mod kinds;
mod precedence;
mod refresh;
mod rows;
pub(in crate::pricing) mod shared;

use super::{ServiceBodies, ServiceCatalog, ServiceCost, ServiceMatch, ServiceReader};
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

    /// The cost where the reply is read in pieces as it passes.
    fn read_in(&self, catalog: &ServiceCatalog, size: usize) -> Option<ServiceCost> {
        let found = self.found(catalog)?;
        let mut reader = found.reply_reader();
        if let Some(reader) = &mut reader {
            let pieces = self.reply.as_bytes().chunks(size);
            pieces.for_each(|piece| reader.feed(piece));
        }
        found.cost(&ServiceBodies {
            request: Some(self.request.as_bytes()),
            reply: reader.as_ref().map(ServiceReader::kept),
            reply_is_cut: reader.as_ref().is_some_and(ServiceReader::is_cut),
            sent_bytes: Some(self.request.len() as u64),
            elapsed_ms: self.elapsed_ms,
            ..ServiceBodies::default()
        })
    }

    /// The cost, which is the same whether the reply is kept or read in pieces.
    fn cost(&self) -> ServiceCost {
        let catalog = ServiceCatalog::new();
        let kept = self.cost_in(&catalog).expect("a row applies");
        for size in [1, 7, 4096] {
            let read = self.read_in(&catalog, size);
            assert_eq!(read.as_ref(), Some(&kept), "{} in pieces of {size}", self.url);
        }
        kept
    }
}
