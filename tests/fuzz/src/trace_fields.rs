//! `traceparent` and `baggage` of a request that somebody else sent.

use std::convert::Infallible;
use std::future::Ready;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use dexcost::testing::MemorySink;
use dexcost_tower::TaskLayer;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::Empty;
use tower_layer::Layer;
use tower_service::Service;

/// Answers at once, with what came.
struct Echo;

impl Service<Request<()>> for Echo {
    type Response = Response<Empty<&'static [u8]>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        let mut reply = Response::new(Empty::new());
        *reply.headers_mut() = request.headers().clone();
        std::future::ready(Ok(reply))
    }
}

/// Each line is a header field. The handler sees them as they came; what the task takes of them is short
/// and sound, or noted as refused.
pub fn trace_fields(data: &[u8]) {
    let mut request = Request::new(());
    for line in data.split(|byte| *byte == b'\n').take(64) {
        let at = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let name = HeaderName::from_bytes(&line[..at]);
        let value = HeaderValue::from_bytes(line.get(at + 1..).unwrap_or_default());
        if let (Ok(name), Ok(value)) = (name, value) {
            request.headers_mut().append(name, value);
        }
    }
    let sent = request.headers().clone();
    let sink = MemorySink::new();
    let layer = TaskLayer::new().tracker(sink.tracker()).trust_baggage();
    let mut service = layer.layer(Echo);
    let reply = pin!(service.call(request)).poll(&mut Context::from_waker(Waker::noop()));
    let Poll::Ready(Ok(reply)) = reply else {
        panic!("the handler was ready");
    };
    assert_eq!(*reply.headers(), sent);
    drop(reply);
    let ended = sink.ended();
    assert_eq!(ended.len(), 1);
    let attribution = &ended[0].attribution;
    for fact in [
        &attribution.customer_id,
        &attribution.project_id,
        &attribution.agent,
    ] {
        let is_sound = |text: &str| (1..=256).contains(&text.len()) && text.trim() == text;
        assert!(fact.as_deref().is_none_or(is_sound), "{fact:?}");
    }
    if let Some(parent) = ended[0].metadata.get("_traceparent") {
        let parent = parent.as_str().unwrap_or_default();
        let lengths: Vec<_> = parent.split('-').map(str::len).collect();
        assert_eq!(lengths, [2, 32, 16, 2], "{parent}");
    }
}
