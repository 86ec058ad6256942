//! A call of a priced service on its way: the beginning of its request, and of its reply what the catalog's
//! rows read.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

use crate::event::{CostConfidence, Details, PricingSource};
use crate::observation::ServiceUse;
use crate::pricing::{
    ServiceBodies, ServiceCost, ServiceKind, ServiceLine, ServiceMatch, ServiceObservation, ServiceReader,
};
use crate::usage::framing::Decoder;
use crate::wire::{Headers, RequestFacts};

/// What is held of a call of a priced service.
#[derive(Debug)]
pub(super) struct ServiceCall {
    found: ServiceMatch,
    request: Option<Kept>,
    reply: Option<Read>,
}

/// A reply, its coding undone, of which the fields are kept that the rows read.
#[derive(Debug)]
struct Read {
    decoder: Decoder,
    reader: ServiceReader,
}

/// The beginning of a body, its coding undone.
#[derive(Debug)]
struct Kept {
    decoder: Decoder,
    bytes: Vec<u8>,
    most: usize,
    is_cut: bool,
}

impl Kept {
    fn new(most: usize, headers: &dyn Headers) -> Self {
        Self {
            decoder: Decoder::new(headers.get("content-encoding")),
            bytes: Vec::new(),
            most,
            is_cut: false,
        }
    }

    fn feed(&mut self, bytes: &[u8]) {
        if self.is_cut {
            return;
        }
        let (kept, most, is_cut) = (&mut self.bytes, self.most, &mut self.is_cut);
        self.decoder
            .feed(bytes, &mut |plain| keep(kept, most, is_cut, plain));
    }

    fn finish(&mut self) {
        let (kept, most, is_cut) = (&mut self.bytes, self.most, &mut self.is_cut);
        if !*is_cut {
            self.decoder.finish(&mut |plain| keep(kept, most, is_cut, plain));
        }
        self.is_cut |= self.decoder.trouble().is_some();
    }
}

fn keep(kept: &mut Vec<u8>, most: usize, is_cut: &mut bool, plain: &[u8]) {
    let fits = plain.len().min(most - kept.len());
    kept.extend_from_slice(&plain[..fits]);
    *is_cut |= fits < plain.len();
}

impl ServiceCall {
    pub(super) fn new(found: ServiceMatch, request: &RequestFacts<'_>) -> Self {
        let wanted = found.wants_request_body();
        Self {
            request: wanted.map(|most| Kept::new(most, request.headers)),
            reply: None,
            found,
        }
    }

    pub(super) fn request_data(&mut self, bytes: &[u8]) {
        if let Some(kept) = &mut self.request {
            kept.feed(bytes);
        }
    }

    pub(super) fn response(&mut self, status: u16, headers: &dyn Headers) {
        self.found.response(status, headers);
        self.reply = self.found.reply_reader().map(|reader| Read {
            decoder: Decoder::new(headers.get("content-encoding")),
            reader,
        });
    }

    pub(super) fn data(&mut self, bytes: &[u8]) {
        if let Some(Read { decoder, reader }) = &mut self.reply {
            decoder.feed(bytes, &mut |plain| reader.feed(plain));
        }
    }

    /// A call that the service refused: it stands on the ledger at no cost. `None` where the service has no
    /// price.
    pub(super) fn refusal(&self) -> Option<ServiceUse> {
        let found = &self.found;
        (found.has_registered_rate() || found.is_priced()).then(|| ServiceUse {
            cost_usd: Some(rust_decimal::Decimal::ZERO),
            cost_confidence: CostConfidence::Computed,
            pricing_source: if found.has_registered_rate() {
                PricingSource::RateRegistry
            } else {
                PricingSource::ServiceCatalog
            },
            pricing_version: found.version(),
            ..ServiceUse::of(found.service().into())
        })
    }

    /// What the call used; `None` where nobody bills it.
    pub(super) fn settle(
        mut self,
        is_whole: bool,
        sent_bytes: u64,
        elapsed_ms: Option<u64>,
    ) -> Option<ServiceUse> {
        self.request.iter_mut().for_each(Kept::finish);
        let mut is_readable = true;
        let reads_reply = self.reply.is_some();
        if let Some(Read { decoder, reader }) = &mut self.reply {
            decoder.finish(&mut |plain| reader.feed(plain));
            is_readable = decoder.trouble().is_none() && !reader.is_cut();
        }
        let is_cut = !(is_whole && is_readable);
        let cost = self.found.cost(&ServiceBodies {
            request: self.request.as_ref().map(|kept| &kept.bytes[..]),
            request_is_cut: self.request.as_ref().is_some_and(|kept| kept.is_cut),
            reply: self.reply.as_ref().map(|read| read.reader.kept()),
            reply_is_cut: is_cut,
            sent_bytes: Some(sent_bytes),
            elapsed_ms,
        })?;
        let mut used = use_of(cost)?;
        // What was read before the reply broke off is a floor.
        if is_cut && reads_reply {
            used.cost_confidence = used.cost_confidence.max(CostConfidence::Estimated);
        }
        Some(used)
    }
}

/// What is recorded of an answer of the catalog. A call that is paid by the month costs nothing more,
/// and its event says so; one that nobody bills is only traffic.
fn use_of(cost: ServiceCost) -> Option<ServiceUse> {
    let is_subscription = cost.kind == ServiceKind::Subscription;
    if !cost.billable && !is_subscription {
        return None;
    }
    let mut details = Details::new();
    if !cost.lines.is_empty() {
        details.insert("lines".to_owned(), cost.lines.iter().map(line).collect());
    }
    if !cost.observed.is_empty() {
        details.insert(
            "observed".to_owned(),
            cost.observed.iter().map(observed).collect(),
        );
    }
    if let Some(gap) = cost.gap.filter(|_| cost.model_table.is_none()) {
        details.insert("unpriced".to_owned(), gap.as_str().into());
    }
    let mut used = ServiceUse {
        usage: cost.usage(),
        cost_usd: cost.cost_usd,
        cost_confidence: cost.confidence,
        pricing_source: cost.source,
        pricing_version: cost.version,
        once: cost.once.map(key_of),
        stated_is_refused: cost.stated_is_refused,
        ..ServiceUse::of(cost.service)
    };
    if is_subscription {
        details.insert("billing".to_owned(), "subscription".into());
        used.cost_usd = Some(rust_decimal::Decimal::ZERO);
        used.cost_confidence = CostConfidence::Computed;
    }
    if let Some(model) = cost.model_table {
        used.model = Some(model.model);
        used.provider = Some(model.provider);
        used.call_type = model.call_type;
    }
    used.details = details;
    Some(used)
}

fn line(line: &ServiceLine) -> Value {
    let amount = |amount: Option<rust_decimal::Decimal>| amount.map(crate::money::plain);
    serde_json::json!({
        "unit": line.unit.as_str(),
        "quantity": amount(line.quantity),
        "unit_usd": amount(line.unit_usd),
        "usd": amount(line.usd),
    })
}

fn observed(seen: &ServiceObservation) -> Value {
    serde_json::json!({
        "service": seen.service.as_str(),
        "unit": seen.unit.as_str(),
        "quantity": crate::money::plain(seen.quantity),
        seen.resource_type.as_str(): seen.resource.as_deref(),
    })
}

/// The key under which it is remembered that something was counted.
pub(super) fn key_of(id: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}
