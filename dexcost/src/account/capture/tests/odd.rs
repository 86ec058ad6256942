//! Bytes that are not what they should be.

use proptest::prelude::*;

use super::*;

#[test]
fn bodies_that_are_no_model_reply_do_no_harm() {
    let long = format!(
        r#"{{"model":"{}","usage":{{"prompt_tokens":3}}}}"#,
        "m".repeat(1 << 20)
    );
    let seen_long = seen(&long);
    assert_eq!(
        (
            seen_long.call.model_returned,
            seen_long.usage.count(Unit::InputTokens)
        ),
        (None, 3)
    );
    let deep = format!(
        r#"{{"choices":{}{},"usage":{{"prompt_tokens":3}}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert_eq!(seen(&deep).usage.count(Unit::InputTokens), 3);
    for body in [
        "",
        " \n",
        "null",
        "[]",
        "{",
        "hello",
        "\u{feff}{}",
        "data:\n\n",
        "<!doctype html>",
    ] {
        assert!(seen(body).usage.is_empty(), "{body:?}");
    }
    assert_eq!(
        seen("hello: there\n\n").operation_status,
        OperationStatus::Unknown
    );
}

#[test]
fn headers_may_lie_about_type_and_coding() {
    let call = |headers| {
        Call {
            headers,
            body: STREAM.as_bytes(),
            ..Call::default()
        }
        .run()
    };
    for headers in [
        vec![("content-type", "application/json"), ("content-encoding", "gzip")],
        vec![
            ("content-type", "application/octet-stream"),
            ("content-encoding", "br"),
        ],
        vec![("Content-Type", "text/event-stream")],
        vec![("content-type", "text/html")],
    ] {
        let seen = call(headers);
        assert_eq!(
            (seen.usage.count(Unit::InputTokens), seen.body_trouble),
            (10, None)
        );
    }
}

#[test]
fn gzip_that_breaks_is_marked_and_the_call_still_counts() {
    let seen = Call {
        headers: vec![("content-encoding", "gzip")],
        body: &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xff, 0xff, 0xff],
        ..Call::default()
    }
    .run();
    assert_eq!(
        (seen.captured, seen.body_trouble),
        (true, Some(BodyTrouble::Coding))
    );
    assert_eq!(seen.operation_status, OperationStatus::Unknown);
}

#[test]
fn a_body_that_comes_in_one_large_piece_is_read() {
    let text = "y".repeat(20 << 20);
    let seen = seen(&format!(
        r#"{{"choices":[{{"message":{{"content":"{text}"}}}}],"usage":{{"prompt_tokens":3}}}}"#
    ));
    assert_eq!(
        (seen.usage.count(Unit::InputTokens), seen.body_trouble),
        (3, None)
    );
}

#[test]
fn a_request_that_is_no_json_names_no_model() {
    let asked = |request: &'static str| {
        Call {
            request: request.as_bytes(),
            ..Call::default()
        }
        .run()
        .call
        .model_requested
    };
    assert_eq!(
        asked(r#"{"tools":[{"a":{"b":1}}],"model":"m"}"#).as_deref(),
        Some("m")
    );
    assert_eq!(asked(r#"{"model":"m","tools":[{"a":{"b":1,}}]}"#), None);
}

/// A reply in every shape that is read where it lies.
const REPLY: &str = concat!(
    " {\"id\":\"c1\",\"object\":\"chat.completion\", \"model\" : \"gpt\\u002dx\",\"choices\":[{\"index\":0,\"message\":",
    "{\"content\":\"a \\\"usage\\\" } ]\",\"tools\":[]},\"finish_reason\":null},{\"index\":1,\"finish_reason\":\"stop\"}],",
    "\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":4.0,\"total_tokens\":14,\"prompt_tokens_details\":",
    "{\"cached_tokens\":8}},\"service_tier\":\"default\",\"error\":null}\n",
);
const REQUEST: &str = concat!(
    "{\"model\":\"m\",\"messages\":[{\"content\":\"a \\\"model\\\" } ]\",\"n\":[1, 2]}],\"stream\":true,",
    "\"context_management\":{\"edits\":[{\"type\":\"compact_1\"}]},\"service_tier\":\"flex\"}",
);

/// A text with some of its bytes replaced, taken out, or doubled.
fn marred(text: &str, changes: &[(usize, u8, u8)]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for (at, change, byte) in changes {
        let at = at % bytes.len().max(1);
        match change {
            0 => bytes[at] = *byte,
            1 => bytes.insert(at, *byte),
            2 if bytes.len() > 1 => drop(bytes.remove(at)),
            _ => bytes.truncate(at.max(1)),
        }
    }
    bytes
}

fn changes() -> impl Strategy<Value = Vec<(usize, u8, u8)>> {
    let byte = prop_oneof![prop::sample::select(b"{}[]\",:\\ 0n".to_vec()), any::<u8>()];
    proptest::collection::vec((0usize..900, 0u8..4, byte), 0..4)
}

/// Usage and status of a body must not depend on how it was cut into chunks.
fn assert_chunks_make_no_difference(url: &str, body: &[u8], chunk: usize) {
    let run = |chunk| {
        Call {
            url,
            body,
            chunk,
            ..Call::default()
        }
        .run()
    };
    let (whole, pieces) = (run(usize::MAX), run(chunk));
    assert_eq!(
        Observation {
            request_digest: None,
            ..pieces
        },
        Observation {
            request_digest: None,
            ..whole
        }
    );
}

#[test]
fn a_field_without_a_value_is_no_json_however_it_comes() {
    for body in [r#"{"usage":}"#, r#"{"model":"m","usage": }"#] {
        assert_eq!(seen(body).operation_status, OperationStatus::Failed, "{body}");
        assert_chunks_make_no_difference(OPENAI, body.as_bytes(), 1);
    }
}

#[test]
fn what_follows_a_document_spoils_it_however_it_comes() {
    let body = br#"{"model":"m"} "n":1,"o":123,{"usage":{"prompt_tokens":4}}"#;
    for chunk in 1..body.len() {
        assert_chunks_make_no_difference(OPENAI, body, chunk);
    }
    let lines = br#"{"model":"m"} {"usage":{"prompt_tokens":3}}"#;
    for chunk in 1..lines.len() {
        assert_chunks_make_no_difference(OPENAI, lines, chunk);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(body in proptest::collection::vec(any::<u8>(), 0..200), chunk in 1usize..9) {
        assert_chunks_make_no_difference(OPENAI, &body, chunk);
        assert_chunks_make_no_difference(ANTHROPIC, &body, chunk);
    }

    #[test]
    fn a_reply_with_a_byte_changed_never_panics(at in 0usize..700, byte in any::<u8>(), chunk in 1usize..9) {
        for (url, text) in [(OPENAI, STREAM), (ANTHROPIC, MESSAGES)] {
            let mut body = text.as_bytes().to_vec();
            let at = at % body.len();
            body[at] = byte;
            assert_chunks_make_no_difference(url, &body, chunk);
        }
    }

    #[test]
    fn a_document_is_read_alike_at_once_and_in_pieces(changes in changes(), chunk in 1usize..400) {
        let body = marred(REPLY, &changes);
        assert_chunks_make_no_difference(OPENAI, &body, chunk);
        let request = marred(REQUEST, &changes);
        let asked = |chunk| {
            let mut exchange = Exchange::begin(&RequestFacts::to_url("POST", ANTHROPIC, &()));
            request.chunks(chunk).for_each(|piece| exchange.request_data(piece));
            exchange.response(200, &());
            exchange.data(MESSAGES.as_bytes());
            exchange.settle(Ending::Done)
        };
        prop_assert_eq!(asked(usize::MAX), asked(chunk));
    }

    #[test]
    fn events_in_any_order_are_read_alike(
        pieces in "(data: |data:|\n\n|\r\n|\n|\\{\"usage\":|null|\\{\"prompt_tokens\":5\\}|\\}|\\[DONE\\]|,\"model\":\"m\"|,\"choices\":\\[\\{\"finish_reason\":\"stop\"\\}\\]|\\{\"model\":\"\"|,\"error\":\"x\")*",
        chunk in 1usize..6,
    ) {
        assert_chunks_make_no_difference(OPENAI, pieces.as_bytes(), chunk);
    }
}
