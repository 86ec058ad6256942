//! Streams: whole, cut off, dropped.

use super::*;

#[test]
fn streams_are_read_whatever_their_chunks() {
    for chunk in 1..=MESSAGES.len() {
        let openai = Call {
            body: STREAM.as_bytes(),
            chunk,
            ..Call::default()
        }
        .run();
        assert_eq!(openai.usage.count(Unit::InputTokens), 10, "chunks of {chunk}");
        assert_eq!(openai.usage.count(Unit::CacheReadTokens), 8);
        assert_eq!(openai.operation_status, OperationStatus::Succeeded);
        assert_eq!(openai.call.finish.as_deref(), Some("stop"));

        let anthropic = Call {
            url: ANTHROPIC,
            body: MESSAGES.as_bytes(),
            chunk,
            ..Call::default()
        }
        .run();
        let count = |unit| anthropic.usage.count(unit);
        assert_eq!(
            (count(Unit::InputTokens), count(Unit::OutputTokens)),
            (28, 9),
            "chunks of {chunk}"
        );
        assert_eq!(
            (count(Unit::CacheWrite5mTokens), count(Unit::CacheWrite1hTokens)),
            (4, 1)
        );
        assert_eq!(anthropic.operation_status, OperationStatus::Succeeded);
    }
}

#[test]
fn a_stream_cut_anywhere_is_one_honest_observation() {
    for (url, stream) in [(OPENAI, STREAM), (ANTHROPIC, MESSAGES)] {
        let mark = if url == OPENAI {
            "data: [DONE]"
        } else {
            "\"message_stop\"}"
        };
        let over = stream.find(mark).unwrap() + mark.len();
        for cut in 0..stream.len() {
            for ending in [Ending::Done, Ending::Failed, Ending::Cancelled, Ending::Truncated] {
                let seen = Call {
                    url,
                    body: &stream.as_bytes()[..cut],
                    ending,
                    ..Call::default()
                }
                .run();
                assert!(seen.captured);
                assert!(seen.usage.count(Unit::InputTokens) <= 28);
                let expected = match ending {
                    _ if cut >= over => OperationStatus::Succeeded,
                    Ending::Failed => OperationStatus::Failed,
                    _ => continue,
                };
                assert_eq!(seen.operation_status, expected, "{url} cut at {cut}, {ending:?}");
            }
        }
    }
}

#[test]
fn a_stream_without_its_end_is_unknown_and_one_that_was_dropped_cancelled() {
    let half = &STREAM[..STREAM
        .find("data: {\"id\":\"c1\",\"model\":\"gpt-x-1\",\"choices\":[{\"index\":0,\"delta\":{}")
        .unwrap()];
    let status = |ending| {
        Call {
            body: half.as_bytes(),
            ending,
            ..Call::default()
        }
        .run()
        .operation_status
    };
    assert_eq!(status(Ending::Done), OperationStatus::Unknown);
    assert_eq!(status(Ending::Cancelled), OperationStatus::Cancelled);
    assert_eq!(status(Ending::Failed), OperationStatus::Failed);
    assert_eq!(status(Ending::Truncated), OperationStatus::Unknown);
}

#[test]
fn what_a_dropped_stream_had_reported_is_kept() {
    let first_event = MESSAGES.find("\n\n").unwrap() + 2;
    let until_delta = MESSAGES.find("event: message_delta").unwrap();
    for cut in [first_event, until_delta] {
        let seen = Call {
            url: ANTHROPIC,
            body: &MESSAGES.as_bytes()[..cut],
            ending: Ending::Cancelled,
            ..Call::default()
        }
        .run();
        assert_eq!(seen.usage.count(Unit::InputTokens), 28);
        assert!(seen.call.parts.is_empty());
        assert_eq!(seen.operation_status, OperationStatus::Cancelled);
    }
}

#[test]
fn a_compaction_is_a_part_and_not_in_the_counts() {
    let stream = MESSAGES.replace("{\"type\":\"text\",\"text\":\"\"}", "{\"type\":\"compaction\"}").replace(
        "\"usage\":{\"input_tokens\":null,\"output_tokens\":9}",
        "\"usage\":{\"input_tokens\":7,\"cache_read_input_tokens\":0,\"cache_creation_input_tokens\":0,\"output_tokens\":9,\"iterations\":[{\"type\":\"compaction\",\"input_tokens\":3,\"cache_read_input_tokens\":20,\"cache_creation_input_tokens\":5,\"output_tokens\":4},{\"type\":\"message\",\"input_tokens\":7,\"output_tokens\":9}]}",
    );
    let seen = Call {
        url: ANTHROPIC,
        body: stream.as_bytes(),
        ..Call::default()
    }
    .run();
    assert_eq!(seen.usage.count(Unit::InputTokens), 7);
    assert_eq!(seen.call.parts.len(), 1);
    assert_eq!(seen.call.parts[0].model, "claude-x-1");
    assert_eq!(seen.call.parts[0].usage.count(Unit::InputTokens), 28);

    // Broken off after the block that tells, and before it where the request allows for it.
    for until in ["event: ping", "event: content_block_start"] {
        let seen = Call {
            url: ANTHROPIC,
            request:
                br#"{"model":"m","context_management":{"edits":[{"type":"compact_20260112","trigger":{}}]}}"#,
            body: &stream.as_bytes()[..stream.find(until).unwrap()],
            ending: Ending::Failed,
            ..Call::default()
        }
        .run();
        assert!(seen.usage.is_empty());
        assert_eq!(seen.call.parts[0].usage.count(Unit::InputTokens), 28);
    }
}

#[test]
fn a_tier_that_comes_with_the_usage_is_read() {
    let stream = STREAM.replace(
        "\"choices\":[],",
        "\"service_tier\":\"on_demand\",\"choices\":[],",
    );
    let seen = Call {
        body: stream.as_bytes(),
        request: br#"{"service_tier":"auto"}"#,
        ..Call::default()
    }
    .run();
    assert_eq!(seen.call.service_tier.as_deref(), Some("on_demand"));
    assert_eq!(seen.call.service_tier_requested.as_deref(), Some("auto"));
}

#[test]
fn a_message_is_over_with_its_last_event_only() {
    let status = |stream: &str| {
        Call {
            url: ANTHROPIC,
            body: stream.as_bytes(),
            ..Call::default()
        }
        .run()
        .operation_status
    };
    let unstopped = &MESSAGES[..MESSAGES.find("event: message_stop").unwrap()];
    assert_eq!(status(unstopped), OperationStatus::Unknown);
    let marked = format!("{unstopped}data: [DONE]\n\n");
    assert_eq!(status(&marked), OperationStatus::Succeeded);
}

#[test]
fn a_tier_that_only_a_middle_event_names_is_read() {
    let stream = STREAM.replacen(
        "data: ",
        "data: {\"model\":\"gpt-x-1\",\"choices\":[]}\n\ndata: {\"service_tier\":\"flex\",\"choices\":[]}\n\ndata: ",
        1,
    );
    let seen = seen(&stream);
    assert_eq!(seen.call.service_tier.as_deref(), Some("flex"));
    assert_eq!(seen.usage.count(Unit::InputTokens), 10);
}

#[test]
fn events_of_any_size_are_read_alike() {
    let text = "y".repeat(40_000);
    for stream in [
        STREAM.replace("\"content\":\"a ", &format!("\"content\":\"{text} ")),
        STREAM.replace("\"delta\":{}", &format!("\"delta\":{{\"audio\":\"{text}\"}}")),
    ] {
        for chunk in [7, 1000, usize::MAX] {
            let seen = Call {
                body: stream.as_bytes(),
                chunk,
                ..Call::default()
            }
            .run();
            assert_eq!(seen.usage.count(Unit::InputTokens), 10);
            assert_eq!(seen.operation_status, OperationStatus::Succeeded);
        }
    }
}
