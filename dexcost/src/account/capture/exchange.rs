//! The state machine of one exchange.

use super::body::Body;
use super::request::RequestWatch;
use super::settle;
use crate::ending::Ending;
use crate::event::ErrorType;
use crate::observation::Observation;
use crate::text::Text;
use crate::usage::readers::{Quirks, Reader, Route, Setup};
use crate::wire::{Headers, RequestFacts};

/// One outbound request with its response, from first byte to ending.
///
/// See the [module](super) for the calling order.
#[derive(Debug)]
#[must_use = "settle it, or what was observed is lost"]
pub struct Exchange {
    watch: Option<Box<Watch>>,
}

/// What is held while an exchange is on its way.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) route: Route,
    pub(super) request: RequestWatch,
    pub(super) status: Option<u16>,
    pub(super) request_id: Option<Text>,
    /// The cost that a proxy states in a header.
    pub(super) header_cost: Option<Text>,
    pub(super) body: Option<Body>,
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

impl Exchange {
    /// Starts watching a request, or decides that it cannot be a model call.
    pub fn begin(request: &RequestFacts<'_>) -> Self {
        let route = Route::of(request.method, request.authority, request.path);
        Self {
            watch: route.map(|route| {
                Box::new(Watch {
                    request: RequestWatch::new(request, &route),
                    route,
                    status: None,
                    request_id: None,
                    header_cost: None,
                    body: None,
                    noted: None,
                })
            }),
        }
    }

    /// Whether this may be a model call. If not, nothing else needs to be reported.
    #[must_use]
    pub fn is_watching(&self) -> bool {
        self.watch.is_some()
    }

    /// Whether [`request_data`](Self::request_data) would be looked at.
    #[must_use]
    pub fn wants_request(&self) -> bool {
        self.watch.as_ref().is_some_and(|watch| watch.status.is_none())
    }

    /// The next piece of the request body.
    pub fn request_data(&mut self, bytes: &[u8]) {
        if let Some(watch) = &mut self.watch {
            watch.request.feed(bytes);
        }
    }

    /// The response's status and header fields.
    pub fn response(&mut self, status: u16, headers: &dyn Headers) {
        let Some(watch) = &mut self.watch else { return };
        watch.status = Some(status);
        watch.request_id = REQUEST_ID.iter().find_map(|name| text(headers.get(name)));
        watch.header_cost = text(headers.get(RESPONSE_COST));
        if is_media(headers.get("content-type")) {
            return;
        }
        let setup = Setup {
            route: &watch.route,
            quirks: watch.route.provider.map(Quirks::of).unwrap_or_default(),
            may_compact: watch.request.may_compact(),
            headers,
        };
        watch.body = Reader::of(&setup).map(|reader| Body::new(headers, reader));
    }

    /// Whether [`data`](Self::data) would be looked at.
    #[must_use]
    pub fn wants_response(&self) -> bool {
        self.watch.as_ref().is_some_and(|watch| watch.body.is_some())
    }

    /// The next piece of the response body, coded as on the wire.
    pub fn data(&mut self, bytes: &[u8]) {
        if let Some(body) = self.watch.as_mut().and_then(|watch| watch.body.as_mut()) {
            body.feed(bytes);
        }
    }

    /// Notes why the exchange is about to fail, where the adapter knows more than the bytes show.
    pub fn note_error(&mut self, error: ErrorType) {
        if let Some(watch) = &mut self.watch {
            watch.noted = Some(error);
        }
    }

    /// Ends the exchange and says what it showed.
    #[must_use]
    pub fn settle(self, ending: Ending) -> Observation {
        match self.watch {
            Some(mut watch) => settle::settle(&mut watch, ending),
            None => Observation::nothing(ending),
        }
    }
}

fn text(value: Option<&[u8]>) -> Option<Text> {
    let value = std::str::from_utf8(value?).ok()?.trim();
    (!value.is_empty() && value.len() <= LONGEST_HEADER).then(|| Text::from(value))
}

/// Whether a body is of a type that no wire form has.
fn is_media(content_type: Option<&[u8]>) -> bool {
    content_type.is_some_and(|kind| {
        [&b"audio/"[..], b"image/", b"video/"].iter().any(|prefix| {
            kind.get(..prefix.len())
                .is_some_and(|k| k.eq_ignore_ascii_case(prefix))
        })
    })
}
