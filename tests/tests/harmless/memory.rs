//! A gigabyte flows through, and the process does not grow.
//!
//! Each flow has a process of its own, this very binary, told by its environment: other tests would
//! be seen in its memory.

use std::process::Command;

use bytes::Bytes;
use http_body_util::BodyExt;
use tower::{Layer, Service};

use crate::kinds::{self, Kind};
use crate::{Bench, now};

const FLOW: &str = "DEXCOST_HARMLESS_FLOW";
const TOTAL: u64 = 1 << 30;
/// As much may come and go with buffers of the allocator.
const MOST_GROWTH: u64 = 4 << 20;

/// A body that is made while it is read: a beginning, a middle that repeats, an end.
struct Flow {
    first: Option<Bytes>,
    middle: Bytes,
    left: u64,
    last: Option<Bytes>,
}

impl http_body::Body for Flow {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        let next = if let Some(first) = self.first.take() {
            Some(first)
        } else if self.left > 0 {
            self.left = self.left.saturating_sub(self.middle.len() as u64);
            Some(self.middle.clone())
        } else {
            self.last.take()
        };
        std::task::Poll::Ready(next.map(|data| Ok(http_body::Frame::data(data))))
    }
}

fn flow(kind: &str) -> (Kind, Flow) {
    let chat = kinds::chat();
    let (kind, first, middle, last) = match kind {
        "plain" => (
            kinds::every().pop().unwrap(),
            String::new(),
            "0123456789abcdef".repeat(4096),
            String::new(),
        ),
        "text" => (
            chat,
            r#"{"model":"gpt-4o","choices":[{"message":{"content":""#.to_owned(),
            "Lorem ipsum \\u00e9 \\\"dolor\\\" ".repeat(2048),
            r#""}}],"usage":{"prompt_tokens":48,"completion_tokens":14}}"#.to_owned(),
        ),
        "values" => (
            chat,
            r#"{"model":"gpt-4o","choices":[{"logprobs":["#.to_owned(),
            r#"{"token":"text","list":[1,-2.5e3,{"a":null,"b":true}]},"#.repeat(1024),
            r#"{}]}],"usage":{"prompt_tokens":48,"completion_tokens":14}}"#.to_owned(),
        ),
        "events" => (
            kinds::every().swap_remove(1),
            String::new(),
            kinds::chat_events()[0].repeat(512),
            kinds::chat_events()[3..].concat(),
        ),
        _ => (
            kinds::every().swap_remove(1),
            "data: {\"choices\":[{\"delta\":{\"content\":\"".to_owned(),
            "one event of any length ".repeat(4096),
            format!("\"}}}}]}}\n\n{}", kinds::chat_events()[3..].concat()),
        ),
    };
    let flow = Flow {
        first: Some(first.into()),
        middle: middle.into(),
        left: TOTAL,
        last: Some(last.into()),
    };
    (kind, flow)
}

/// Bytes of this process that lie in memory: the second number of `/proc/self/statm`, in pages.
fn resident_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = text.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

/// Nothing by itself: the process that a flow goes through.
#[test]
fn child() {
    let Ok(name) = std::env::var(FLOW) else { return };
    let bench = Bench::new();
    let (kind, flow) = flow(&name);
    let mut flow = Some(flow);
    let head = kind.head();
    let answer = |_request| {
        let (mut parts, ()) = http::Response::new(()).into_parts();
        parts.headers = head.headers().clone();
        let reply = http::Response::from_parts(parts, flow.take().unwrap());
        async { Ok::<_, &'static str>(reply) }
    };
    let mut both = bench
        .inbound()
        .layer(bench.outbound().layer(tower::service_fn(answer)));
    let mut body = now(both.call(kind.request())).unwrap().into_body();
    let (mut passed, mut before, mut most) = (0, 0, 0);
    for frame in 0.. {
        let Some(piece) = now(body.frame()) else { break };
        passed += piece.unwrap().into_data().unwrap().len() as u64;
        if frame == 64 {
            before = resident_bytes();
        } else if frame % 256 == 0 {
            most = most.max(resident_bytes());
        }
    }
    most = most.max(resident_bytes());
    assert!(passed >= TOTAL);
    assert!(
        before > 0 && most < before + MOST_GROWTH,
        "from {before} to {most} bytes"
    );
    let ended = bench.sink.ended();
    assert_eq!(ended[0].totals.network_bytes_in / TOTAL, 1, "all of it was seen");
    if kind.is_billed {
        assert_eq!(ended[0].totals.total_input_tokens, 48, "{name}");
    }
}

#[test]
fn a_gigabyte_flows_through_without_being_held() {
    let run = |name: &&'static str| {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "memory::child", "--nocapture"])
            .env(FLOW, name)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stderr).into_owned();
        assert!(child.status.success(), "{name}: {said}");
    };
    ["plain", "text", "values", "events", "event"]
        .iter()
        .for_each(run);
}
