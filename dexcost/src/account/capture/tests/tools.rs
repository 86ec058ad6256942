//! Tool calls of the Model Context Protocol.

use super::*;

const CALL: &[u8] = br#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"get_weather","arguments":{"city":"x"}}}"#;

fn exchange(url: &str, request: &[u8], status: u16, reply: &[u8]) -> Observation {
    let headers = [("mcp-protocol-version", "2025-11-25")];
    let mut exchange = Exchange::begin(&RequestFacts::to_url("POST", url, &headers));
    exchange.request_data(request);
    exchange.response(status, &[("content-type", "text/event-stream")]);
    exchange.data(reply);
    exchange.settle(Ending::Done)
}

fn call(request: &[u8], status: u16, reply: &[u8]) -> Observation {
    exchange("https://tools.example/mcp", request, status, reply)
}

fn service(seen: &Observation) -> Option<&str> {
    seen.service.as_ref().map(|used| used.service.as_str())
}

#[test]
fn a_tool_call_is_the_use_of_a_service_and_no_model_call() {
    let reply = b"event: message\r\ndata: {\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"content\":[],\"isError\":false}}\r\n\r\n";
    let seen = call(CALL, 200, reply);
    assert_eq!(service(&seen), Some("mcp:get_weather"));
    assert_eq!(seen.usage_scope, UsageScope::None);
    assert_eq!(seen.operation_status, OperationStatus::Succeeded);
    assert!(!seen.captured && seen.usage.is_empty());
    assert_eq!(seen.call.host.as_deref(), Some("tools.example"));
}

#[test]
fn a_tool_that_fails_is_a_failed_call() {
    let seen = call(
        CALL,
        200,
        br#"{"jsonrpc":"2.0","id":2,"result":{"isError":true}}"#,
    );
    assert_eq!(service(&seen), Some("mcp:get_weather"));
    assert_eq!(seen.operation_status, OperationStatus::Failed);
    let seen = call(
        CALL,
        200,
        br#"{"jsonrpc":"2.0","id":2,"error":{"code":-32601,"message":"m"}}"#,
    );
    assert_eq!(seen.error_type, Some(ErrorType::NotFound));
}

#[test]
fn other_messages_are_nothing() {
    for request in [
        &br#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#[..],
        br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        br#"{"method":"tools/call","params":{"name":"x"}}"#,
        b"hello",
        b"",
    ] {
        let seen = call(request, 202, b"");
        assert_eq!((service(&seen), seen.captured), (None, false));
    }
    assert_eq!(service(&call(CALL, 307, b"")), None);
}

#[test]
fn a_call_among_several_messages_counts() {
    let batch = [
        b"[{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":1},",
        CALL,
        b"]",
    ]
    .concat();
    let seen = call(&batch, 200, br#"[{"jsonrpc":"2.0","id":2,"result":{}}]"#);
    assert_eq!(service(&seen), Some("mcp:get_weather"));
}

#[test]
fn calls_that_go_as_one_message_are_each_one_with_its_own_reply() {
    let call_of = |id: &str, tool: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{tool}"}}}}"#)
    };
    let batch = [
        call_of("2", "search"),
        call_of("\"b\"", "fetch"),
        call_of("4", "search"),
    ]
    .join(",");
    let replies = [
        r#"{"jsonrpc":"2.0","id":"b","result":{"isError":true}}"#,
        r#"{"jsonrpc":"2.0","id":4,"error":{"code":-32602}}"#,
        r#"{"jsonrpc":"2.0","id":2,"result":{"content":[]}}"#,
    ];
    let whole = format!("[{}]", replies.join(","));
    let events: String = replies.iter().map(|reply| format!("data: {reply}\n\n")).collect();
    for reply in [whole, events] {
        let seen = call(format!("[{batch}]").as_bytes(), 200, reply.as_bytes());
        assert_eq!(service(&seen), Some("mcp:search"));
        assert_eq!(seen.operation_status, OperationStatus::Succeeded);
        let further = seen.further.iter();
        let further = further.map(|other| (other.service.service.as_str(), other.error_type));
        let expected = [
            ("mcp:fetch", Some(ErrorType::Other)),
            ("mcp:search", Some(ErrorType::InvalidRequest)),
        ];
        assert_eq!(further.collect::<Vec<_>>(), expected);
    }
    let cut = call(format!("[{batch}]").as_bytes(), 200, b"data: {}\n\n");
    assert!(
        cut.further
            .iter()
            .all(|other| other.operation_status == OperationStatus::Unknown)
    );
}

#[test]
fn calls_of_one_message_that_got_no_reply_of_their_own_are_not_taken_for_served() {
    let batch = br#"[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}},{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"b"}}]"#;
    let outcomes = |reply: &str| {
        let seen = call(batch, 200, reply.as_bytes());
        let further = &seen.further[0];
        [
            (seen.operation_status, seen.error_type),
            (further.operation_status, further.error_type),
        ]
    };
    let refused = (OperationStatus::Failed, Some(ErrorType::InvalidRequest));
    assert_eq!(
        outcomes(r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"no batches"}}"#),
        [refused, refused]
    );
    assert_eq!(
        outcomes(r#"[{"jsonrpc":"2.0","id":2,"result":{}}]"#),
        [
            (OperationStatus::Unknown, None),
            (OperationStatus::Succeeded, None)
        ]
    );
}

#[test]
fn a_known_model_host_is_one_whatever_header_fields_say() {
    let seen = exchange(
        OPENAI,
        br#"{"model":"m"}"#,
        200,
        br#"{"usage":{"prompt_tokens":1}}"#,
    );
    assert!(seen.captured && seen.service.is_none());
}

#[test]
fn calls_beyond_those_that_are_told_apart_are_counted() {
    let message = |id: usize| {
        format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"search"}}}}"#)
    };
    let messages = |count: usize| {
        let all: Vec<_> = (0..count).map(message).collect();
        format!("[{}]", all.join(","))
    };
    let seen = |count: usize| {
        let body = messages(count);
        Call {
            url: "https://tools.example/mcp",
            request: body.as_bytes(),
            headers: vec![("content-type", "application/json")],
            body: b"[]",
            ..Call::default()
        }
        .run_with(&[
            ("mcp-protocol-version", "2025-03-26"),
            ("content-type", "application/json"),
        ])
    };
    for (count, told, more) in [(1, 1, 0), (65, 65, 0), (256, 256, 0), (300, 256, 44)] {
        let seen = seen(count);
        assert_eq!(1 + seen.further.len(), told, "{count}");
        assert_eq!(seen.unrecorded_calls, more, "{count}");
    }
}
