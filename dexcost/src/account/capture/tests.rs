//! The exchange against replies of our own making.

use proptest::prelude::*;

use super::*;
use crate::ending::Ending;
use crate::event::{ErrorType, OperationStatus};
use crate::observation::{BodyTrouble, Observation, UsageScope};
use crate::usage::Unit;

const OPENAI: &str = "https://api.openai.com/v1/chat/completions";
const ANTHROPIC: &str = "https://api.anthropic.com/v1/messages";
const STREAM: &str = concat!(
    "data: {\"id\":\"c1\",\"model\":\"gpt-x-1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a \\\"usage\\\" b\"},\"finish_reason\":null}],\"usage\":null}\n\n",
    "data: {\"id\":\"c1\",\"model\":\"gpt-x-1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":null}\n\n",
    "data: {\"id\":\"c1\",\"model\":\"gpt-x-1\",\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":4,\"total_tokens\":14,\"prompt_tokens_details\":{\"cached_tokens\":8}}}\n\n",
    "data: [DONE]\n\n",
);
const MESSAGES: &str = concat!(
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m1\",\"model\":\"claude-x-1\",\"usage\":{\"input_tokens\":3,\"cache_read_input_tokens\":20,\"cache_creation_input_tokens\":5,\"cache_creation\":{\"ephemeral_5m_input_tokens\":2,\"ephemeral_1h_input_tokens\":1},\"output_tokens\":1}}}\n\n",
    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
    "event: ping\ndata: {\"type\":\"ping\"}\n\n",
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"hi\"}}\n\n",
    "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"input_tokens\":null,\"output_tokens\":9}}\n\n",
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
);

struct Call<'a> {
    url: &'a str,
    request: &'a [u8],
    status: u16,
    headers: Vec<(&'a str, &'a str)>,
    body: &'a [u8],
    chunk: usize,
    ending: Ending,
}

impl Default for Call<'_> {
    fn default() -> Self {
        Self {
            url: OPENAI,
            request: br#"{"model":"gpt-x","messages":[]}"#,
            status: 200,
            headers: Vec::new(),
            body: b"",
            chunk: usize::MAX,
            ending: Ending::Done,
        }
    }
}

impl Call<'_> {
    fn run(&self) -> Observation {
        let mut exchange = Exchange::begin(&RequestFacts::to_url("POST", self.url, &()));
        exchange.request_data(self.request);
        exchange.response(self.status, &&self.headers[..]);
        for piece in self.body.chunks(self.chunk.max(1)) {
            exchange.data(piece);
        }
        exchange.settle(self.ending)
    }
}

fn seen(body: &str) -> Observation {
    Call {
        body: body.as_bytes(),
        ..Call::default()
    }
    .run()
}

#[test]
fn an_exchange_can_move_between_threads() {
    fn is_send_and_sync<T: Send + Sync>() {}
    is_send_and_sync::<Exchange>();
    assert_eq!(size_of::<Exchange>(), size_of::<usize>());
}

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
    let until_delta = &MESSAGES[..MESSAGES.find("event: message_delta").unwrap()];
    let seen = Call {
        url: ANTHROPIC,
        body: until_delta.as_bytes(),
        ending: Ending::Cancelled,
        ..Call::default()
    }
    .run();
    assert_eq!(seen.usage.count(Unit::InputTokens), 28);
    assert_eq!(seen.operation_status, OperationStatus::Cancelled);
}

#[test]
fn what_a_stream_reported_before_its_first_block_may_be_another_samplings_and_is_kept_as_a_part() {
    let first_event = MESSAGES.find("\n\n").unwrap() + 2;
    let seen = Call {
        url: ANTHROPIC,
        body: &MESSAGES.as_bytes()[..first_event],
        ending: Ending::Cancelled,
        ..Call::default()
    }
    .run();
    assert!(seen.usage.is_empty());
    assert_eq!(seen.call.parts[0].usage.count(Unit::InputTokens), 28);
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

    let early = &stream[..stream.find("event: ping").unwrap()];
    let seen = Call {
        url: ANTHROPIC,
        body: early.as_bytes(),
        ending: Ending::Failed,
        ..Call::default()
    }
    .run();
    assert!(seen.usage.is_empty());
    assert_eq!(seen.call.parts[0].usage.count(Unit::InputTokens), 28);
}

#[test]
fn an_advisor_is_a_part_with_its_own_model() {
    let body = r#"{"type":"message","model":"a","stop_reason":"end_turn","usage":{"input_tokens":5,"output_tokens":3,"iterations":[
        {"type":"message","input_tokens":2,"output_tokens":1},
        {"type":"advisor_message","model":"b","input_tokens":40,"output_tokens":8},
        {"type":"message","input_tokens":3,"output_tokens":2}]}}"#;
    let seen = Call {
        url: ANTHROPIC,
        body: body.as_bytes(),
        ..Call::default()
    }
    .run();
    assert_eq!(seen.usage.count(Unit::OutputTokens), 3);
    assert_eq!((seen.call.parts.len(), &*seen.call.parts[0].model), (1, "b"));
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
fn errors_get_canonical_names() {
    for (status, body, error) in [
        (
            429,
            r#"{"error":{"type":"rate_limit_error"}}"#,
            ErrorType::RateLimit,
        ),
        (
            429,
            r#"{"error":{"code":"insufficient_quota","type":"insufficient_quota"}}"#,
            ErrorType::Quota,
        ),
        (
            401,
            r#"{"error":{"code":"invalid_api_key","type":"invalid_request_error"}}"#,
            ErrorType::Auth,
        ),
        (
            404,
            r#"{"error":{"type":"invalid_request_error"}}"#,
            ErrorType::NotFound,
        ),
        (
            400,
            r#"{"error":{"code":"content_filter"}}"#,
            ErrorType::ContentFilter,
        ),
        (
            529,
            r#"{"type":"error","error":{"type":"overloaded_error"}}"#,
            ErrorType::Overloaded,
        ),
        (500, "<html>", ErrorType::ServerError),
        (504, "", ErrorType::Timeout),
        (
            200,
            r#"{"error":{"code":"content_filter"}}"#,
            ErrorType::ContentFilter,
        ),
        (200, "data: {\"error\":{\"code\":429}}\n\n", ErrorType::RateLimit),
        (
            200,
            "data: {\"id\":\"1\",\"model\":\"m\",\"choices\":[]}\n\nerror: {\"error\":{\"message\":\"x\"}}\n\n",
            ErrorType::Other,
        ),
    ] {
        let seen = Call {
            status,
            body: body.as_bytes(),
            ..Call::default()
        }
        .run();
        assert_eq!(
            (seen.operation_status, seen.error_type),
            (OperationStatus::Failed, Some(error)),
            "{status} {body}"
        );
        assert!(seen.captured && seen.usage.is_empty());
    }
}

#[test]
fn a_call_that_never_got_an_answer_failed() {
    let mut exchange = Exchange::begin(&RequestFacts::to_url("POST", OPENAI, &()));
    exchange.note_error(ErrorType::Timeout);
    let seen = exchange.settle(Ending::Failed);
    assert!(seen.captured);
    assert_eq!(seen.error_type, Some(ErrorType::Timeout));
    let seen = Exchange::begin(&RequestFacts::to_url("POST", OPENAI, &())).settle(Ending::Failed);
    assert_eq!(seen.error_type, Some(ErrorType::ConnectionError));
}

#[test]
fn an_unknown_host_must_prove_that_a_model_spoke() {
    let url = "https://gateway.example.com/v1/chat/completions";
    let call = |status, body: &'static str| {
        Call {
            url,
            status,
            body: body.as_bytes(),
            ..Call::default()
        }
        .run()
    };
    assert!(call(200, r#"{"usage":{"prompt_tokens":1,"completion_tokens":1}}"#).captured);
    assert!(!call(200, r#"{"ok":true}"#).captured);
    assert!(!call(404, "not here").captured);
    assert!(call(429, r#"{"error":{"type":"rate_limit"}}"#).captured);
}

#[test]
fn other_calls_on_the_same_hosts_are_none() {
    for (method, path) in [
        ("GET", "v1/models"),
        ("POST", "v1/files"),
        ("HEAD", "v1/chat/completions"),
    ] {
        let url = format!("https://api.openai.com/{path}");
        let exchange = Exchange::begin(&RequestFacts::to_url(method, &url, &()));
        assert!(!exchange.is_watching() && !exchange.wants_request() && !exchange.wants_response());
        assert!(!exchange.settle(Ending::Done).captured);
    }
}

#[test]
fn a_retrieval_is_a_repeat_and_not_a_call() {
    let mut exchange = Exchange::begin(&RequestFacts::to_url(
        "GET",
        "https://api.openai.com/v1/responses/resp_1",
        &(),
    ));
    exchange.response(200, &());
    exchange.data(br#"{"usage":{"input_tokens":5}}"#);
    let seen = exchange.settle(Ending::Done);
    assert_eq!((seen.captured, seen.usage_scope), (false, UsageScope::Repeat));
    assert!(seen.usage.is_empty());
}

#[test]
fn impossible_counts_are_kept_and_marked() {
    for usage in [
        r#"{"prompt_tokens":7,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":163}}"#,
        r#"{"prompt_tokens":-7,"completion_tokens":1}"#,
        r#"{"prompt_tokens":7.5,"completion_tokens":1}"#,
        r#"{"prompt_tokens":7,"completion_tokens":1,"completion_tokens_details":{"reasoning_tokens":2}}"#,
        r#"{"prompt_tokens":7,"completion_tokens":999999999999999999999999999999999999}"#,
    ] {
        let seen = seen(&format!(r#"{{"model":"m","usage":{usage}}}"#));
        assert!(seen.usage_is_suspect && seen.captured, "{usage}");
    }
    assert!(
        !seen(r#"{"model":"m","usage":{"prompt_tokens":7,"completion_tokens":18446744073709551616}}"#)
            .usage_is_suspect
    );
}

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
fn stated_costs_are_read_to_the_last_digit() {
    let cost = |body: &str| seen(body).call.reported_cost_usd.map(crate::money::plain);
    assert_eq!(
        cost(r#"{"usage":{"cost":0.00019199999999999998}}"#).as_deref(),
        Some("0.00019199999999999998")
    );
    assert_eq!(
        cost(r#"{"usage":{"cost":{"total_cost":5.07e-3}}}"#).as_deref(),
        Some("0.00507")
    );
    assert_eq!(
        cost(r#"{"usage":{"cost_in_usd_ticks":1489500}}"#).as_deref(),
        Some("0.00014895")
    );
    let proxy = Call {
        headers: vec![("x-litellm-response-cost", "7.1e-05")],
        body: b"{}",
        ..Call::default()
    }
    .run();
    assert_eq!(
        proxy.call.reported_cost_usd.map(crate::money::plain).as_deref(),
        Some("0.000071")
    );
}

#[test]
fn providers_that_put_usage_elsewhere_or_count_apart_are_normalised() {
    let counts = |url: &str, body: &str| {
        let seen = Call {
            url,
            body: body.as_bytes(),
            ..Call::default()
        }
        .run();
        (
            seen.usage.count(Unit::InputTokens),
            seen.usage.count(Unit::OutputTokens),
            seen.usage.count(Unit::CacheReadTokens),
        )
    };
    // Groq without include_usage, Moonshot in the choice, llama.cpp's timings.
    assert_eq!(
        counts(
            OPENAI,
            "data: {\"model\":\"m\",\"choices\":[],\"x_groq\":{\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}}\n\n"
        ),
        (3, 2, 0)
    );
    assert_eq!(
        counts(
            OPENAI,
            "data: {\"model\":\"m\",\"choices\":[{\"finish_reason\":\"stop\",\"usage\":{\"prompt_tokens\":3,\"cached_tokens\":1}}]}\n\n"
        ),
        (3, 0, 1)
    );
    assert_eq!(
        counts(
            OPENAI,
            "data: {\"model\":\"m\",\"choices\":[],\"timings\":{\"cache_n\":4,\"prompt_n\":3,\"predicted_n\":2}}\n\n"
        ),
        (7, 2, 4)
    );
    // Reasoning on top of the completion where the total says so.
    let reasoning = r#"{"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":17,"completion_tokens_details":{"reasoning_tokens":5}}}"#;
    assert_eq!(
        counts("https://api.x.ai/v1/chat/completions", reasoning),
        (10, 7, 0)
    );
    let inside = reasoning.replace("17", "12").replace(":5}", ":1}");
    assert_eq!(
        counts("https://api.x.ai/v1/chat/completions", &inside),
        (10, 2, 0)
    );
    // Audio on top of the prompt where the total says so.
    let audio = r#"{"usage":{"prompt_tokens":9,"completion_tokens":5,"total_tokens":114,"prompt_tokens_details":{"audio_tokens":100}}}"#;
    assert_eq!(
        counts("https://api.mistral.ai/v1/chat/completions", audio),
        (109, 5, 0)
    );
    // Thoughts that only the total counts.
    let google = "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions";
    assert_eq!(
        counts(
            google,
            r#"{"usage":{"prompt_tokens":9,"completion_tokens":5,"total_tokens":50}}"#
        ),
        (9, 41, 0)
    );
    let gateway = "https://ai-gateway.vercel.sh/v1/chat/completions";
    let thoughts = r#"{"model":"google/g","usage":{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14,"completion_tokens_details":{"reasoning_tokens":30}}}"#;
    assert_eq!(counts(gateway, thoughts), (9, 35, 0));
    assert_eq!(
        counts(gateway, &thoughts.replace("google/", "openai/")),
        (9, 5, 0)
    );
}

#[test]
fn the_same_request_has_the_same_digest() {
    let digest = |request: &[u8], url| {
        Call {
            url,
            request,
            ..Call::default()
        }
        .run()
        .request_digest
    };
    let first = digest(br#"{"model":"a"}"#, OPENAI);
    assert!(first.is_some());
    assert_eq!(digest(br#"{"model":"a"}"#, OPENAI), first);
    assert_ne!(digest(br#"{"model":"b"}"#, OPENAI), first);
    assert_ne!(digest(br#"{"model":"a"}"#, ANTHROPIC), first);
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
    fn events_in_any_order_are_read_alike(
        pieces in "(data: |data:|\n\n|\r\n|\n|\\{\"usage\":|null|\\{\"prompt_tokens\":5\\}|\\}|\\[DONE\\]|,\"model\":\"m\"|,\"choices\":\\[\\{\"finish_reason\":\"stop\"\\}\\]|\\{\"model\":\"\"|,\"error\":\"x\")*",
        chunk in 1usize..6,
    ) {
        assert_chunks_make_no_difference(OPENAI, pieces.as_bytes(), chunk);
    }
}
