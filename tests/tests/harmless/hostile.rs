//! Replies that are made to hurt whoever reads them.

use std::time::{Duration, Instant};

use bytes::Bytes;
use dexcost::{Event, Unit};
use http::{HeaderName, HeaderValue, Response};
use http_body_util::BodyExt;
use tower::{Layer, Service};

use crate::kinds::{self, Kind, cut};
use crate::script::{Answering, Script};
use crate::{Bench, now};

/// Sends a reply through both layers; it must come out as it went in. The events that it made.
fn through(kind: &Kind, head: Response<()>, pieces: &[Bytes]) -> Vec<std::sync::Arc<Event>> {
    let bench = Bench::new();
    let answering = Answering::new(head, Script::of(pieces));
    let mut both = bench.inbound().layer(bench.outbound().layer(answering));
    let mut body = now(both.call(kind.request())).unwrap().into_body();
    for piece in pieces {
        let found = now(body.frame()).unwrap().unwrap().into_data().unwrap();
        assert_eq!((found.as_ptr(), found.len()), (piece.as_ptr(), piece.len()));
    }
    assert!(now(body.frame()).is_none());
    drop(body);
    assert_eq!(bench.sink.ended()[0].totals.network_call_count, 1);
    bench.sink.events()
}

fn tokens(events: &[std::sync::Arc<Event>]) -> (u64, u64) {
    assert_eq!(events.len(), 1);
    let usage = &events[0].usage;
    (usage.count(Unit::InputTokens), usage.count(Unit::OutputTokens))
}

fn said(body: &str, length: usize) -> (u64, u64) {
    let kind = kinds::chat();
    tokens(&through(&kind, kind.head(), &cut(body.as_bytes(), length)))
}

#[test]
fn lines_may_end_in_any_way_and_break_at_every_byte() {
    let plain = kinds::chat_events().concat();
    let kind = &kinds::every()[1];
    for ends in ["\n", "\r\n", "\r"] {
        let stream = plain.replace('\n', ends);
        for at in 0..stream.len() {
            let pieces = [
                Bytes::copy_from_slice(&stream.as_bytes()[..at]),
                Bytes::copy_from_slice(&stream.as_bytes()[at..]),
            ];
            let found = tokens(&through(kind, kind.head(), &pieces));
            assert_eq!(found, (48, 14), "{ends:?} at {at}");
        }
    }
}

#[test]
fn comments_and_data_of_many_lines_are_events_like_any() {
    let usage = r#"{"id":"c","object":"chat.completion.chunk","model":"gpt-4o","choices":[],"#;
    let stream = format!(
        ": ping\n\n:\nevent: message\nid: 7\nretry: 10\ndata: {usage}\ndata: \"usage\":{{\"prompt_tokens\":48,\ndata:\"completion_tokens\":14}}}}\n: still here\n\ndata: [DONE]\n\n"
    );
    let kind = &kinds::every()[1];
    for length in [1, 2, 3, 64, 4096] {
        let pieces = cut(stream.as_bytes(), length);
        assert_eq!(tokens(&through(kind, kind.head(), &pieces)), (48, 14), "{length}");
    }
}

#[test]
fn ten_megabytes_on_one_line_are_read_in_passing() {
    let text = "Straße \\u00e9 ".repeat(10 << 20 >> 4);
    let reply = kinds::chat_reply(&text).to_string();
    assert!(reply.len() > 10 << 20);
    for length in [1_371, usize::MAX] {
        assert_eq!(said(&reply, length.min(reply.len())), (48, 14));
    }
    let event = format!("data: {reply}\n\ndata: [DONE]\n\n");
    let kind = &kinds::every()[1];
    let pieces = cut(event.as_bytes(), 16_384);
    assert_eq!(tokens(&through(kind, kind.head(), &pieces)), (48, 14));
}

#[test]
fn nesting_that_would_exhaust_a_stack_is_walked_through() {
    let usage = r#""usage":{"prompt_tokens":48,"completion_tokens":14}}"#;
    let deep = 100_000;
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let nested = format!("{}0{}", open.repeat(deep), close.repeat(deep));
        let closed = format!(r#"{{"model":"gpt-4o","choices":[{{"message":{nested}}}],{usage}"#);
        assert_eq!(said(&closed, 4096), (48, 14));
        // In the very place that is read, and never closed.
        let open = format!(r#"{{"model":"gpt-4o","usage":{}"#, open.repeat(deep));
        assert_eq!(said(&open, 4096), (0, 0));
    }
}

#[test]
fn numbers_that_are_no_counts_are_none() {
    let digits = "9".repeat(10_000);
    let numbers = [
        digits.as_str(),
        "1e999999999",
        "1e-999999999",
        "-1",
        "-0",
        "1.5",
        "0.0000000000000000000000000000000000000000000001",
        "99999999999999999999999999999",
        "18446744073709551616",
        "0x10",
        "1e",
        "\"48\"",
        "\"1e999999999\"",
        "null",
        "[48]",
        "{\"a\":48}",
        "true",
        "NaN",
    ];
    for number in numbers {
        for length in [1, 4096] {
            let reply = format!(
                r#"{{"model":"gpt-4o","choices":[],"usage":{{"prompt_tokens":{number},"completion_tokens":14}}}}"#
            );
            let kind = kinds::chat();
            let events = through(&kind, kind.head(), &cut(reply.as_bytes(), length));
            assert_eq!(events.len(), 1, "{number:.40}");
            let cost = events[0].cost_usd.unwrap_or_default();
            assert!(!cost.is_sign_negative() || cost.is_zero(), "{number:.40}: {cost}");
        }
    }
}

#[test]
fn types_that_lie_are_not_believed_and_not_changed() {
    let kinds = kinds::every();
    for kind in &kinds {
        let expected: Vec<_> = through(kind, kind.head(), &kind.pieces)
            .iter()
            .map(|event| (event.usage.clone(), event.cost_usd))
            .collect();
        for other in &kinds {
            // Of JSON lines nothing but the type tells that the first is not all.
            let events = through(kind, other.head(), &kind.pieces);
            let found: Vec<_> = events
                .iter()
                .map(|event| (event.usage.clone(), event.cost_usd))
                .collect();
            assert_eq!(found, expected, "{} as {}", kind.name, other.content_type);
        }
    }
}

#[test]
fn header_fields_of_any_size_and_number_pass_and_are_not_kept() {
    for kind in kinds::every() {
        let mut head = kind.head();
        let fields = head.headers_mut();
        for number in 0..2_000 {
            let name = HeaderName::try_from(format!("x-{number}")).unwrap();
            fields.append(name, HeaderValue::from_static("v"));
        }
        let long = vec![b'l'; 1 << 20];
        let values: [&[u8]; 4] = [b"\xff\xfe", b"", b"-1", &long];
        for name in [
            "x-request-id",
            "content-length",
            "content-type",
            "content-encoding",
            "transfer-encoding",
            "x-litellm-response-cost",
            "x-amzn-bedrock-input-token-count",
            "retry-after",
        ] {
            for value in values {
                fields.append(name, HeaderValue::from_bytes(value).unwrap());
            }
        }
        for event in through(&kind, head, &kind.pieces) {
            let kept = event.to_v1().to_string();
            assert!(kept.len() < 8_192, "{}: {} bytes are kept", kind.name, kept.len());
        }
    }
}

#[test]
fn a_megabyte_byte_by_byte_takes_no_time_that_grows() {
    let text = "x".repeat(1 << 20);
    let reply = kinds::chat_reply(&text).to_string();
    let start = Instant::now();
    assert_eq!(said(&reply, 1), (48, 14));
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}
