//! Code that has only a reply in hand.

use std::sync::Arc;

use crate::account::capture::Exchange;
use crate::account::tracked_task::TaskHandle;
use crate::account::tracker::CostTracker;
use crate::ending::Ending;
use crate::event::Event;
use crate::observation::Observation;
use crate::task::HostTraffic;
use crate::text::Text;
use crate::wire::{Headers, RequestFacts};

/// A reply that some client received, to be recorded after the fact.
///
/// ```
/// use dexcost::{ReceivedResponse, Unit};
///
/// let body = br#"{"object":"chat.completion","model":"gpt-4o","usage":{"prompt_tokens":10,"completion_tokens":2}}"#;
/// let received = ReceivedResponse::new("openai", "https://api.openai.com/v1/chat/completions", 200, &(), body);
/// assert_eq!(received.observe().usage.count(Unit::InputTokens), 10);
/// ```
#[must_use = "record it on a task or a tracker"]
#[derive(Clone, Copy)]
pub struct ReceivedResponse<'a> {
    provider: &'a str,
    method: &'a str,
    url: &'a str,
    request_headers: &'a dyn Headers,
    request_body: Option<&'a [u8]>,
    status: u16,
    headers: &'a dyn Headers,
    body: &'a [u8],
    latency_ms: Option<u64>,
    ending: Ending,
    is_metered: bool,
}

impl<'a> ReceivedResponse<'a> {
    /// The reply to a `POST` at `url`.
    ///
    /// `provider` says who answered where the host does not, as with a proxy; empty leaves it to the
    /// URL. The form of the reply is that of the URL's path. The body is as it came or with its content coding undone; either is recognised. A
    /// stream's body is what came of it, all events.
    pub fn new(
        provider: &'a str,
        url: &'a str,
        status: u16,
        headers: &'a dyn Headers,
        body: &'a [u8],
    ) -> Self {
        Self {
            provider,
            method: "POST",
            url,
            request_headers: &(),
            request_body: None,
            status,
            headers,
            body,
            latency_ms: None,
            ending: Ending::Done,
            is_metered: true,
        }
    }

    /// The method of the request, in upper case; `POST` by default.
    pub fn method(mut self, method: &'a str) -> Self {
        self.method = method;
        self
    }

    /// The body of the request: it names the requested model, and retries are found by its digest.
    pub fn request_body(mut self, body: &'a [u8]) -> Self {
        self.request_body = Some(body);
        self
    }

    /// The header fields of the request.
    pub fn request_headers(mut self, headers: &'a dyn Headers) -> Self {
        self.request_headers = headers;
        self
    }

    /// How long it took from the request to the end of the reply, in milliseconds.
    pub fn latency_ms(mut self, milliseconds: u64) -> Self {
        self.latency_ms = Some(milliseconds);
        self
    }

    /// How the reply ended; [`Ending::Done`] by default.
    pub fn ending(mut self, ending: Ending) -> Self {
        self.ending = ending;
        self
    }

    /// Leaves the traffic uncounted: what is at hand is not what went over the network.
    pub fn unmetered(mut self) -> Self {
        self.is_metered = false;
        self
    }

    /// What the exchange showed, before it is recorded: a model call at most. Priced services and
    /// traffic are only seen by a tracker.
    #[must_use]
    pub fn observe(&self) -> Observation {
        self.run(Exchange::begin(&self.request()))
    }

    fn request(&self) -> RequestFacts<'a> {
        RequestFacts::to_url(self.method, self.url, self.request_headers)
    }

    fn run(&self, mut exchange: Exchange) -> Observation {
        exchange.answered_by(self.provider);
        if let Some(body) = self.request_body.filter(|_| exchange.wants_request()) {
            exchange.request_data(body);
        }
        exchange.response(self.status, self.headers);
        exchange.data(self.body);
        if let Some(latency_ms) = self.latency_ms {
            exchange.took(latency_ms);
        }
        let mut seen = exchange.settle(self.ending);
        if !self.provider.is_empty() && seen.provider.is_some() {
            seen.provider = Some(Text::from(self.provider));
        }
        if !self.is_metered {
            seen.traffic = HostTraffic::default();
        }
        seen
    }
}

impl TaskHandle {
    /// Records a reply that some client received, by the same rules as a layer does.
    ///
    /// Returns the event, `None` where the reply is worth none: a poll, a list of models, a page.
    pub fn record_response(&self, received: &ReceivedResponse<'_>) -> Option<Arc<Event>> {
        let seen = received.run(self.tracker().begin_exchange(&received.request()));
        self.record_observation(seen, received.latency_ms)
    }
}

impl CostTracker {
    /// Records a reply that some client received on the current task, else on the session of the scope
    /// at hand; see [`TaskHandle::record_response`].
    pub fn record_response(&self, received: &ReceivedResponse<'_>) -> Option<Arc<Event>> {
        let seen = received.run(self.begin_exchange(&received.request()));
        self.record_observation(self.current_task().as_ref(), seen, received.latency_ms)
    }
}
