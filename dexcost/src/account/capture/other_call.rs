//! A request that is no model call: perhaps to a priced service, in any case traffic.

use super::digest::Digest;
use super::meter::Meter;
use super::service_call::ServiceCall;
use crate::ending::Ending;
use crate::event::{CallFacts, ErrorType, OperationStatus};
use crate::observation::Observation;
use crate::pricing::ServiceMatch;
use crate::text::Text;
use crate::usage::readers::from_status;
use crate::wire::{Headers, RequestFacts};

/// What is held of a request while it is on its way.
#[derive(Debug)]
pub(super) struct OtherCall {
    pub(super) meter: Meter,
    pub(super) status: Option<u16>,
    pub(super) noted: Option<ErrorType>,
    pub(super) elapsed_ms: Option<u64>,
    host: Text,
    service: Option<ServiceCall>,
    /// Of a call of a service, to recognise its repetition.
    digest: Option<Digest>,
    /// Whether all that the digest is made of was seen: a body may pass unseen.
    is_seen: bool,
}

impl OtherCall {
    pub(super) fn new(request: &RequestFacts<'_>, found: Option<ServiceMatch>) -> Self {
        let host = request.host();
        Self {
            meter: Meter::of(request, &host),
            status: None,
            noted: None,
            elapsed_ms: None,
            digest: found.is_some().then(|| {
                let mut digest = Digest::after([request.method, &host, request.path]);
                digest.feed(request.query.as_bytes());
                digest
            }),
            is_seen: matches!(request.method, "GET" | "HEAD" | "DELETE"),
            service: found.map(|found| ServiceCall::new(found, request)),
            host,
        }
    }

    pub(super) fn is_only_traffic(&self) -> bool {
        self.service.is_none()
    }

    pub(super) fn request_data(&mut self, bytes: &[u8]) {
        self.meter.sent(bytes.len() as u64);
        self.is_seen = true;
        if let Some(digest) = &mut self.digest {
            digest.feed(bytes);
        }
        if let Some(service) = &mut self.service {
            service.request_data(bytes);
        }
    }

    pub(super) fn response(&mut self, status: u16, headers: &dyn Headers) {
        self.status = Some(status);
        self.meter.answered(headers);
        if let Some(service) = &mut self.service {
            service.response(status, headers);
        }
    }

    pub(super) fn data(&mut self, bytes: &[u8]) {
        self.meter.received(bytes.len() as u64);
        if let Some(service) = &mut self.service {
            service.data(bytes);
        }
    }

    pub(super) fn settle(mut self, ending: Ending) -> Observation {
        let (operation_status, error_type) = self.outcome(ending);
        let is_whole = operation_status == OperationStatus::Succeeded;
        let (sent, elapsed_ms) = (self.meter.body_sent(), self.elapsed_ms);
        let service = self.service.take();
        let is_refused = self.status.is_some_and(|status| status >= 400);
        let refusal = service
            .as_ref()
            .filter(|_| is_refused)
            .and_then(ServiceCall::refusal);
        let used = service.and_then(|service| service.settle(is_whole, sent, elapsed_ms));
        let used = used.or(refusal);
        let is_seen = self.is_seen;
        let digest = self.digest.filter(|_| is_seen && used.is_some());
        Observation {
            operation_status,
            error_type,
            http_status: self.status,
            request_digest: digest.map(|digest| digest.finish()),
            service: used.map(Box::new),
            traffic: self.meter.traffic(),
            peer: self.meter.peer(),
            call: Box::new(CallFacts {
                host: Some(self.host),
                ..CallFacts::default()
            }),
            ..Observation::nothing(ending)
        }
    }

    fn outcome(&self, ending: Ending) -> (OperationStatus, Option<ErrorType>) {
        if let Some(error) = self.status.and_then(from_status) {
            return (OperationStatus::Failed, Some(error));
        }
        match ending {
            Ending::Failed => {
                let error = self.noted.unwrap_or(ErrorType::ConnectionError);
                (OperationStatus::Failed, Some(error))
            }
            Ending::Cancelled => (OperationStatus::Cancelled, None),
            Ending::Done if self.status.is_some() => (OperationStatus::Succeeded, None),
            Ending::Done | Ending::Truncated => (OperationStatus::Unknown, None),
        }
    }
}
