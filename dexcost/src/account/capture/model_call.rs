//! A model call on its way: the request in passing, then the reader of its reply.

use super::body::Body;
use super::meter::Meter;
use super::prepaid;
use super::request::RequestWatch;
use super::service_call::ServiceCall;
use crate::event::{CallType, ErrorType};
use crate::pricing::ServiceMatch;
use crate::provider::UsageQuirks;
use crate::text::Text;
use crate::usage::readers::{Reader, Route, Setup};
use crate::wire::{Headers, RequestFacts};

/// What is held of a model call while it is on its way.
#[derive(Debug)]
pub(super) struct ModelCall {
    pub(super) meter: Meter,
    pub(super) route: Route,
    pub(super) request: RequestWatch,
    pub(super) status: Option<u16>,
    pub(super) request_id: Option<Text>,
    /// The cost that a proxy states in a header.
    pub(super) header_cost: Option<Text>,
    /// Whether the reply's header fields say that the call was served from prepaid capacity.
    pub(super) is_prepaid: bool,
    pub(super) body: Option<Box<Body>>,
    /// The service as which the catalog prices it, where it does.
    pub(super) service: Option<Box<ServiceCall>>,
    /// Whether the reply is of a type that no wire form has.
    pub(super) is_opaque: bool,
    pub(super) noted: Option<ErrorType>,
}

/// Where providers put the id of a request, the telling ones first.
const REQUEST_ID: &[&str] = &[
    "x-request-id",
    "request-id",
    "x-amzn-requestid",
    "apim-request-id",
    "inference-id",
    "mistral-correlation-id",
    "x-ds-trace-id",
    "x-debug-trace-id",
    "x-generation-id",
    "x-global-transaction-id",
    "x-litellm-call-id",
    "x-inference-request-id",
    "x-kong-request-id",
    "dg-request-id",
    "x-trace-id",
    "x-ms-client-request-id",
];

/// LiteLLM's proxy (<https://docs.litellm.ai/docs/proxy/response_headers>, read 2026-11).
const RESPONSE_COST: &str = "x-litellm-response-cost";

/// Longer header values are no ids and no amounts.
const LONGEST_HEADER: usize = 256;

impl ModelCall {
    pub(super) fn new(request: &RequestFacts<'_>, route: Route) -> Self {
        Self {
            meter: Meter::of(request, &route.host),
            request: RequestWatch::new(request, &route),
            route,
            status: None,
            request_id: None,
            header_cost: None,
            is_prepaid: false,
            body: None,
            service: None,
            is_opaque: false,
            noted: None,
        }
    }

    /// The call, priced by the catalog of services as far as that can tell the price.
    pub(super) fn sold_as(mut self, request: &RequestFacts<'_>, found: Option<ServiceMatch>) -> Self {
        self.service = found.map(|found| Box::new(ServiceCall::new(found, request)));
        self
    }

    pub(super) fn request_data(&mut self, bytes: &[u8]) {
        self.meter.sent(bytes.len() as u64);
        self.request.feed(bytes);
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
        // The first is nearly always the one; where it is no id, another may be.
        self.request_id = headers.first_of(REQUEST_ID).and_then(|first| {
            text(Some(first)).or_else(|| REQUEST_ID.iter().find_map(|name| text(headers.get(name))))
        });
        self.header_cost = text(headers.get(RESPONSE_COST));
        self.is_prepaid = prepaid::by_headers(self.route.provider, headers);
        let content_type = headers.get("content-type");
        self.is_opaque = is_opaque(content_type, self.route.call_type);
        if self.is_opaque {
            return;
        }
        let setup = Setup {
            route: &self.route,
            quirks: self.route.provider.map(UsageQuirks::of).unwrap_or_default(),
            may_compact: &|| self.request.may_compact(),
            headers,
        };
        self.body = Some(Box::new(Body::new(headers, content_type, Reader::of(&setup))));
    }

    pub(super) fn data(&mut self, bytes: &[u8]) {
        self.meter.received(bytes.len() as u64);
        if let Some(body) = &mut self.body {
            body.feed(bytes);
        }
        if let Some(service) = &mut self.service {
            service.data(bytes);
        }
    }
}

fn text(value: Option<&[u8]>) -> Option<Text> {
    let value = std::str::from_utf8(value?).ok()?.trim();
    (!value.is_empty() && value.len() <= LONGEST_HEADER).then(|| Text::from(value))
}

/// Whether a body is of a type that no wire form has: media, and what may come in place of JSON where
/// speech or a transcript was asked for.
fn is_opaque(content_type: Option<&[u8]>, call_type: CallType) -> bool {
    let starts = |prefix: &[u8]| {
        content_type.is_some_and(|kind| {
            kind.get(..prefix.len())
                .is_some_and(|k| k.eq_ignore_ascii_case(prefix))
        })
    };
    let is_events = starts(b"text/event-stream");
    match call_type {
        CallType::Speech => !is_events && !starts(b"application/json"),
        CallType::Transcription if starts(b"text/") || starts(b"application/x-subrip") => !is_events,
        _ => starts(b"audio/") || starts(b"image/") || starts(b"video/"),
    }
}
