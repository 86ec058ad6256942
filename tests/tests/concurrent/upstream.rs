//! Everything that the handlers call, in one service, with a log of what it really said.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tower::Service;

/// What an exchange was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Model,
    Service,
    Plain,
}

/// One exchange as this side saw it.
#[derive(Debug)]
pub(crate) struct Said {
    /// The number of the inbound request that it was made for.
    pub(crate) request: u64,
    pub(crate) what: What,
    /// What it was answered; `None` for a connection that failed.
    pub(crate) status: Option<StatusCode>,
    /// Tokens in and out, where it ran a model.
    pub(crate) tokens: (u64, u64),
    pub(crate) bytes_out: u64,
    /// Bytes of the reply that were taken; 0 where even its head was not.
    pub(crate) bytes_in: AtomicU64,
}

/// The world outside.
#[derive(Clone, Debug, Default)]
pub(crate) struct Upstream {
    said: Arc<Mutex<Vec<Arc<Said>>>>,
}

impl Upstream {
    pub(crate) fn said(&self) -> Vec<Arc<Said>> {
        self.said.lock().unwrap().clone()
    }
}

#[derive(Debug)]
pub(crate) struct ConnectionLost;

impl Service<Request<Full<Bytes>>> for Upstream {
    type Response = Response<Paced>;
    type Error = ConnectionLost;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Paced>, ConnectionLost>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), ConnectionLost>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        let said = Arc::clone(&self.said);
        let (parts, body) = request.into_parts();
        let field = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap());
        let mark = field("x-mark").unwrap().to_owned();
        let numbers: Vec<u64> = mark.split('-').map(|number| number.parse().unwrap()).collect();
        let (number, call) = (numbers[0], numbers[1]);
        let tokens = (number + 1, call + 1);
        let status = match field("x-answer").unwrap() {
            "lost" => None,
            status => Some(status.parse().unwrap()),
        };
        let (what, pieces) = pieces(&parts.uri, &mark, tokens, status);
        let mut reply = Response::builder().status(status.unwrap_or_default());
        reply = reply.header("x-request-id", format!("q-{mark}"));
        let fields: usize = reply
            .headers_ref()
            .unwrap()
            .iter()
            .map(|(n, v)| n.as_str().len() + v.len() + 4)
            .sum();
        let entry = Arc::new(Said {
            request: number,
            what,
            status,
            tokens: if what == What::Model && status == Some(StatusCode::OK) {
                tokens
            } else {
                (0, 0)
            },
            bytes_out: bytes_out(&parts, &body),
            bytes_in: AtomicU64::new(0),
        });
        said.lock().unwrap().push(Arc::clone(&entry));
        let pause = Duration::from_micros((number * 37 + call * 911) % 3_000);
        Box::pin(async move {
            tokio::time::sleep(pause).await;
            if entry.status.is_none() {
                return Err(ConnectionLost);
            }
            let head = "HTTP/1.1 200 OK\r\n\r\n".len() + fields;
            entry.bytes_in.fetch_add(head as u64, Ordering::Relaxed);
            let body = Paced {
                pieces,
                is_pausing: false,
                entry,
            };
            Ok(reply.body(body).unwrap())
        })
    }
}

/// Bytes of a request as an HTTP/1.1 message.
fn bytes_out(parts: &http::request::Parts, body: &Full<Bytes>) -> u64 {
    let target = parts.uri.path_and_query().unwrap().as_str();
    let host = parts.uri.authority().unwrap().as_str();
    let line = format!("{} {target} HTTP/1.1\r\nhost: {host}\r\n\r\n", parts.method);
    let fields = parts.headers.iter().map(|(n, v)| n.as_str().len() + v.len() + 4);
    (line.len() + fields.sum::<usize>()) as u64 + body.size_hint().exact().unwrap()
}

fn pieces(
    uri: &http::Uri,
    mark: &str,
    (input, output): (u64, u64),
    status: Option<StatusCode>,
) -> (What, VecDeque<Bytes>) {
    let one = |value: Value| vec![value.to_string()];
    let events = |events: &[(&str, Value)]| {
        let event = |(name, value): &(&str, Value)| match *name {
            "" => format!("data: {value}\n\n"),
            name => format!("event: {name}\ndata: {value}\n\n"),
        };
        events.iter().map(event).collect::<Vec<_>>()
    };
    let id = format!("r-{mark}");
    let (host, path) = (uri.host().unwrap(), uri.path());
    let streams = uri.query() == Some("alt=sse") || uri.query() == Some("stream");
    let openai = json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output});
    let (what, texts) = match host {
        _ if host.ends_with(".service.test") => (What::Service, one(json!({"ok": true}))),
        _ if host.ends_with(".plain.test") => (What::Plain, vec!["plain ".repeat(40); 3]),
        _ if status != Some(StatusCode::OK) => (What::Model, one(json!({"error": {"type": "requests", "code": "rate_limit_exceeded"}}))),
        "api.openai.com" if streams => (What::Model, [events(&[
            ("", json!({"id": id, "object": "chat.completion.chunk", "model": "gpt-4o", "choices": [{"index": 0, "delta": {"content": "Y"}, "finish_reason": null}]})),
            ("", json!({"id": id, "object": "chat.completion.chunk", "model": "gpt-4o", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})),
            ("", json!({"id": id, "object": "chat.completion.chunk", "model": "gpt-4o", "choices": [], "usage": openai})),
        ]), vec!["data: [DONE]\n\n".to_owned()]].concat()),
        "api.openai.com" => (What::Model, one(json!({"id": id, "object": "chat.completion", "model": "gpt-4o", "usage": openai,
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "Y"}, "finish_reason": "stop"}]}))),
        "api.anthropic.com" if streams => (What::Model, events(&[
            ("message_start", json!({"type": "message_start", "message": {"id": id, "type": "message", "model": "claude-sonnet-4-5", "usage": {"input_tokens": input, "output_tokens": 1}}})),
            ("content_block_delta", json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Y"}})),
            ("message_delta", json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": output}})),
            ("message_stop", json!({"type": "message_stop"})),
        ])),
        "api.anthropic.com" => (What::Model, one(json!({"id": id, "type": "message", "model": "claude-sonnet-4-5", "stop_reason": "end_turn",
            "content": [], "usage": {"input_tokens": input, "output_tokens": output}}))),
        _ => {
            let usage = json!({"promptTokenCount": input, "candidatesTokenCount": output, "totalTokenCount": input + output});
            let reply = json!({"responseId": id, "modelVersion": "gemini-2.5-flash", "usageMetadata": usage,
                               "candidates": [{"index": 0, "finishReason": "STOP", "content": {"parts": [{"text": "Y"}]}}]});
            let begun = json!({"responseId": id, "modelVersion": "gemini-2.5-flash",
                               "candidates": [{"index": 0, "content": {"parts": [{"text": "Y"}]}}]});
            (What::Model, if path.contains("stream") { events(&[("", begun), ("", reply)]) } else { one(reply) })
        }
    };
    (what, texts.into_iter().map(Bytes::from).collect())
}

/// A body that yields before every piece.
#[derive(Debug)]
pub(crate) struct Paced {
    pieces: VecDeque<Bytes>,
    is_pausing: bool,
    entry: Arc<Said>,
}

impl Body for Paced {
    type Data = Bytes;
    type Error = ConnectionLost;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ConnectionLost>>> {
        self.is_pausing = !self.is_pausing;
        if self.is_pausing {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let piece = self.pieces.pop_front();
        let taken = piece.as_ref().map_or(0, Bytes::len);
        self.entry.bytes_in.fetch_add(taken as u64, Ordering::Relaxed);
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }
}

/// Reads a body to its end, or only so many pieces of it.
pub(crate) async fn read<B: Body + Unpin>(mut body: B, most: usize) {
    for _ in 0..most {
        let Some(frame) = body.frame().await else { return };
        if frame.is_err() {
            return;
        }
    }
}
