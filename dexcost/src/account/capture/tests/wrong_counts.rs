//! Usage reports that are wrong in ways that gateways and providers have been seen to be, in every form.

use super::*;
use crate::clock::Timestamp;
use crate::event::CostConfidence;
use crate::pricing::PricingEngine;

/// A form of answer that counts tokens: how it names what went in, came out and both together.
struct Form {
    url: &'static str,
    /// The answer, with `USAGE` where the fields of the usage object stand.
    reply: &'static str,
    input: &'static str,
    output: &'static str,
    total: Option<&'static str>,
}

const CONVERSE: &str =
    "https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-3-haiku-20240307-v1:0/converse";
const GEMINI: &str =
    "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent";

const OPENAI_NAMES: Form = Form {
    url: OPENAI,
    reply: "",
    input: "prompt_tokens",
    output: "completion_tokens",
    total: Some("total_tokens"),
};

const FORMS: &[Form] = &[
    Form {
        reply: r#"{"object":"chat.completion","model":"gpt-4o-mini","choices":[{"index":0,"finish_reason":"stop"}],"usage":{USAGE}}"#,
        ..OPENAI_NAMES
    },
    Form {
        url: "https://api.openai.com/v1/completions",
        reply: r#"{"object":"text_completion","model":"gpt-3.5-turbo-instruct","choices":[],"usage":{USAGE}}"#,
        ..OPENAI_NAMES
    },
    Form {
        url: "https://api.groq.com/openai/v1/chat/completions",
        reply: r#"{"model":"llama-3.1-8b-instant","choices":[{"finish_reason":"stop"}],"x_groq":{"usage":{USAGE}}}"#,
        ..OPENAI_NAMES
    },
    Form {
        url: "https://api.openai.com/v1/responses",
        reply: r#"{"object":"response","status":"completed","model":"gpt-4o-mini","usage":{USAGE}}"#,
        input: "input_tokens",
        output: "output_tokens",
        ..OPENAI_NAMES
    },
    Form {
        url: ANTHROPIC,
        reply: r#"{"type":"message","model":"claude-haiku-4-5-20251001","stop_reason":"end_turn","usage":{USAGE}}"#,
        input: "input_tokens",
        output: "output_tokens",
        total: None,
    },
    Form {
        url: GEMINI,
        reply: r#"{"candidates":[{"finishReason":"STOP"}],"modelVersion":"gemini-2.5-flash","usageMetadata":{USAGE}}"#,
        input: "promptTokenCount",
        output: "candidatesTokenCount",
        total: Some("totalTokenCount"),
    },
    Form {
        url: CONVERSE,
        reply: r#"{"stopReason":"end_turn","usage":{USAGE}}"#,
        input: "inputTokens",
        output: "outputTokens",
        total: Some("totalTokens"),
    },
    Form {
        url: "https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-micro-v1:0/invoke",
        reply: r#"{"stopReason":"end_turn","usage":{USAGE}}"#,
        input: "inputTokens",
        output: "outputTokens",
        total: Some("totalTokens"),
    },
    Form {
        url: "https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-3-haiku-20240307-v1:0/invoke",
        reply: r#"{"type":"message","model":"claude-3-haiku-20240307","stop_reason":"end_turn","usage":{USAGE}}"#,
        input: "input_tokens",
        output: "output_tokens",
        total: None,
    },
    Form {
        url: "https://api.mistral.ai/v1/conversations",
        reply: r#"{"object":"conversation.response","conversation_id":"c","outputs":[],"usage":{USAGE}}"#,
        ..OPENAI_NAMES
    },
];

/// Names of the same units in other families.
const FOREIGN: &[&str] = &[
    "prompt_tokens",
    "completion_tokens",
    "input_tokens",
    "output_tokens",
];

impl Form {
    fn observe(&self, usage: &str) -> Observation {
        let body = self.reply.replace("USAGE", usage);
        Call {
            url: self.url,
            request: br#"{"model":"gpt-4o-mini","messages":[]}"#,
            body: body.as_bytes(),
            ..Call::default()
        }
        .run()
    }

    /// Input and output, counted under the form's own names.
    fn counts(&self, input: i64, output: i64) -> String {
        format!(r#""{}":{input},"{}":{output}"#, self.input, self.output)
    }

    fn foreign(&self) -> impl Iterator<Item = &'static str> {
        FOREIGN
            .iter()
            .copied()
            .filter(|name| *name != self.input && *name != self.output)
    }
}

fn sides(seen: &Observation) -> (u64, u64) {
    (
        seen.usage.count(Unit::InputTokens),
        seen.usage.count(Unit::OutputTokens),
    )
}

fn confidence(seen: &Observation) -> CostConfidence {
    pricing_of(seen, &PricingEngine::new(), Timestamp::default()).cost_confidence
}

#[test]
fn zeros_of_another_family_of_names_erase_no_count() {
    for form in FORMS {
        let zeros: Vec<_> = form.foreign().map(|name| format!(r#""{name}":0"#)).collect();
        let (zeros, counts) = (zeros.join(","), form.counts(100, 40));
        for usage in [format!("{counts},{zeros}"), format!("{zeros},{counts}")] {
            let seen = form.observe(&usage);
            assert_eq!(sides(&seen), (100, 40), "{} {usage}", form.url);
            assert!(!seen.usage_is_suspect, "{} {usage}", form.url);
        }
    }
}

#[test]
fn counts_under_the_names_of_another_family_stand_where_the_own_are_zero() {
    for form in FORMS {
        let (input, output) = if form.input == "prompt_tokens" {
            ("input_tokens", "output_tokens")
        } else {
            ("prompt_tokens", "completion_tokens")
        };
        let foreign = format!(r#""{input}":100,"{output}":40"#);
        let usage = format!("{},{foreign}", form.counts(0, 0));
        assert_eq!(sides(&form.observe(&usage)), (100, 40), "{} {usage}", form.url);
    }
}

#[test]
fn where_two_families_differ_the_total_decides() {
    let form = &FORMS[0];
    let older = r#""prompt_tokens":100,"completion_tokens":40"#;
    let newer = r#""input_tokens":90,"output_tokens":30"#;
    for (total, expected, is_suspect) in [
        (140, (100, 40), false),
        (120, (90, 30), false),
        (7, (100, 40), true),
    ] {
        let seen = form.observe(&format!(r#"{older},{newer},"total_tokens":{total}"#));
        assert_eq!(
            (sides(&seen), seen.usage_is_suspect),
            (expected, is_suspect),
            "{total}"
        );
    }
}

#[test]
fn half_a_report_is_completed_by_its_total() {
    for form in FORMS {
        let Some(total) = form.total else { continue };
        for (name, other) in [(form.input, form.output), (form.output, form.input)] {
            for left_out in [String::new(), format!(r#","{other}":null"#)] {
                let seen = form.observe(&format!(r#""{name}":20,"{total}":70{left_out}"#));
                let expected = if name == form.input { (20, 50) } else { (50, 20) };
                assert_eq!(sides(&seen), expected, "{} {name}", form.url);
                assert!(seen.call.uncounted.is_empty(), "{} {name}", form.url);
            }
        }
    }
}

#[test]
fn half_a_report_without_a_total_is_incomplete() {
    for form in FORMS {
        for (name, missing) in [(form.input, "output_tokens"), (form.output, "input_tokens")] {
            let seen = form.observe(&format!(r#""{name}":20"#));
            assert_eq!(seen.call.uncounted, [missing], "{} {name}", form.url);
            assert_eq!(confidence(&seen), CostConfidence::Unknown, "{} {name}", form.url);
        }
    }
}

#[test]
fn what_generates_no_text_has_no_side_to_miss() {
    let seen = Call {
        url: "https://api.openai.com/v1/embeddings",
        request: br#"{"model":"text-embedding-3-small","input":"x"}"#,
        body: br#"{"object":"list","model":"text-embedding-3-small","data":[],"usage":{"prompt_tokens":20,"total_tokens":25}}"#,
        ..Call::default()
    }
    .run();
    assert_eq!(seen.usage.get(Unit::OutputTokens), None);
    assert!(seen.call.uncounted.is_empty());
    assert_eq!(confidence(&seen), CostConfidence::Computed);
}

#[test]
fn a_negative_count_leaves_the_event_incomplete_and_lowers_nothing() {
    for form in FORMS {
        for (input, output) in [(100, -9), (-9, 40), (-9, -9)] {
            let seen = form.observe(&form.counts(input, output));
            let cost = pricing_of(&seen, &PricingEngine::new(), Timestamp::default());
            assert_eq!(cost.cost_confidence, CostConfidence::Unknown, "{}", form.url);
            assert!(
                cost.cost_usd.is_none_or(|usd| usd.is_sign_positive()),
                "{}",
                form.url
            );
            if input < 0 && output < 0 {
                assert_eq!(cost.cost_usd, None, "{}", form.url);
            }
        }
    }
}

#[test]
fn a_negative_part_does_not_lower_the_whole() {
    for (form, usage) in [
        (
            &FORMS[4],
            r#""input_tokens":100,"cache_read_input_tokens":-50,"output_tokens":4"#,
        ),
        (
            &FORMS[5],
            r#""promptTokenCount":100,"toolUsePromptTokenCount":-50,"candidatesTokenCount":4"#,
        ),
        (
            &FORMS[6],
            r#""inputTokens":100,"cacheReadInputTokens":-50,"outputTokens":4"#,
        ),
    ] {
        let seen = form.observe(usage);
        assert_eq!(confidence(&seen), CostConfidence::Unknown, "{usage}");
        let cost = pricing_of(&seen, &PricingEngine::new(), Timestamp::default());
        assert!(cost.unpriced.iter().any(|unit| unit == "input_tokens"), "{usage}");
    }
}

#[test]
fn caches_that_the_prompt_leaves_out_are_added_where_the_total_proves_it() {
    let form = &FORMS[0];
    for (usage, input) in [
        (
            r#""prompt_tokens":368,"completion_tokens":19,"total_tokens":10923,"cache_read_input_tokens":10536"#,
            10_904,
        ),
        (
            r#""prompt_tokens":100,"completion_tokens":20,"total_tokens":3120,"cache_read_input_tokens":2000,"cache_creation_input_tokens":1000"#,
            3_100,
        ),
        (
            r#""prompt_tokens":100,"completion_tokens":20,"total_tokens":2120,"prompt_tokens_details":{"cached_tokens":2000}"#,
            2_100,
        ),
        // The total says that they are inside, or nothing.
        (
            r#""prompt_tokens":8000,"completion_tokens":20,"total_tokens":8020,"cache_read_input_tokens":2000"#,
            8_000,
        ),
        (
            r#""prompt_tokens":8000,"completion_tokens":20,"cache_read_input_tokens":2000"#,
            8_000,
        ),
    ] {
        assert_eq!(
            form.observe(usage).usage.count(Unit::InputTokens),
            input,
            "{usage}"
        );
    }
}

#[test]
fn cache_counts_are_read_under_the_names_of_gateways() {
    let seen = FORMS[0].observe(
        r#""prompt_tokens":10000,"completion_tokens":10,"total_tokens":10010,"prompt_tokens_details":{"cached_tokens":1000,"cached_creation_tokens":5000},"claude_cache_creation_5_m_tokens":4000,"claude_cache_creation_1_h_tokens":1000"#,
    );
    for (unit, expected) in [
        (Unit::CacheReadTokens, 1000),
        (Unit::CacheWriteTokens, 5000),
        (Unit::CacheWrite5mTokens, 4000),
        (Unit::CacheWrite1hTokens, 1000),
    ] {
        assert_eq!(seen.usage.count(unit), expected, "{unit:?}");
    }
    let inception = FORMS[0].observe(r#""prompt_tokens":100,"completion_tokens":1,"cached_input_tokens":40"#);
    assert_eq!(inception.usage.count(Unit::CacheReadTokens), 40);
}

fn streamed(url: &'static str, body: &str) -> Observation {
    let call = |chunk| Call {
        url,
        request: br#"{"model":"m","stream":true}"#,
        headers: vec![("content-type", "text/event-stream")],
        body: body.as_bytes(),
        chunk,
        ..Call::default()
    };
    let whole = call(usize::MAX).run();
    for chunk in [1, 7] {
        assert_eq!(call(chunk).run().usage, whole.usage, "in pieces of {chunk}");
    }
    whole
}

#[test]
fn usage_counts_after_the_mark_of_the_end() {
    let late = concat!(
        "data: {\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
        "data: [DONE]\n\n",
        "data: {\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":11,\"completion_tokens\":3}}\n\n",
    );
    assert_eq!(sides(&streamed(OPENAI, late)), (11, 3));
    let response = concat!(
        "data: {\"type\":\"response.created\",\"response\":{\"status\":\"in_progress\"}}\n\n",
        "data: [DONE]\n\n",
        "data: {\"type\":\"response.completed\",\"response\":{\"status\":\"completed\",\"usage\":{\"input_tokens\":11,\"output_tokens\":3}}}\n\n",
    );
    assert_eq!(
        sides(&streamed("https://api.openai.com/v1/responses", response)),
        (11, 3)
    );
}

/// A stream of Anthropic's with these usage objects in its start, its delta and its stop.
fn message(start: &str, delta: &str, stop: &str) -> Observation {
    let usage = |usage: &str| match usage {
        "" => String::new(),
        usage => format!(r#","usage":{{{usage}}}"#),
    };
    let (delta, stop) = (usage(delta), usage(stop));
    streamed(
        ANTHROPIC,
        &format!(
            "data: {{\"type\":\"message_start\",\"message\":{{\"model\":\"m\",\"usage\":{{{start}}}}}}}\n\n\
             data: {{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{{\"type\":\"text\"}}}}\n\n\
             data: {{\"type\":\"message_delta\",\"delta\":{{\"stop_reason\":\"end_turn\"}}{delta}}}\n\n\
             data: {{\"type\":\"message_stop\"{stop}}}\n\n"
        ),
    )
}

#[test]
fn usage_counts_in_the_stop_of_a_message() {
    let start = r#""input_tokens":100,"output_tokens":1"#;
    let seen = message(
        start,
        "",
        r#""input_tokens":100,"cache_read_input_tokens":50,"output_tokens":40"#,
    );
    assert_eq!(sides(&seen), (150, 40));
    assert_eq!(seen.operation_status, OperationStatus::Succeeded);
}

#[test]
fn a_later_prompt_of_zero_corrects_nothing() {
    let start = r#""input_tokens":100,"cache_read_input_tokens":50,"cache_creation_input_tokens":7,"output_tokens":1"#;
    let zeros =
        r#""input_tokens":0,"cache_read_input_tokens":0,"cache_creation_input_tokens":0,"output_tokens":40"#;
    assert_eq!(sides(&message(start, zeros, "")), (157, 40));
    let chat = concat!(
        "data: {\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{}}],\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":1}}\n\n",
        "data: {\"model\":\"m\",\"choices\":[{\"index\":0,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":0,\"completion_tokens\":9}}\n\n",
        "data: [DONE]\n\n",
    );
    assert_eq!(sides(&streamed(OPENAI, chat)), (100, 9));
}

#[test]
fn what_comes_out_of_an_image_endpoint_is_images() {
    let cost = |details: &str| {
        let body = format!(
            r#"{{"data":[{{"b64_json":"a"}}],"usage":{{"input_tokens":23,"output_tokens":1056,"input_tokens_details":{{"text_tokens":23}}{details}}}}}"#
        );
        let seen = Call {
            url: "https://api.openai.com/v1/images/generations",
            request: br#"{"model":"gpt-image-1.5","prompt":"x"}"#,
            body: body.as_bytes(),
            ..Call::default()
        }
        .run();
        let cost = pricing_of(&seen, &PricingEngine::new(), Timestamp::default());
        (cost.cost_usd, cost.cost_confidence)
    };
    // 23 x 0.000005 + 1056 x 0.000032
    assert_eq!(cost(""), (Some(crate::dec!(0.033907)), CostConfidence::Estimated));
    let details = r#","output_tokens_details":{"image_tokens":1000,"text_tokens":56}"#;
    // 23 x 0.000005 + 1000 x 0.000032 + 56 x 0.00001
    assert_eq!(
        cost(details),
        (Some(crate::dec!(0.032675)), CostConfidence::Computed)
    );
}

#[test]
fn a_response_in_the_background_has_no_usage_whatever_its_tools_did_so_far() {
    let body = br#"{"id":"resp_1","object":"response","status":"queued","model":"gpt-5.4","tools":[{"type":"web_search"}],"output":[{"type":"web_search_call","status":"completed"}],"tool_usage":{"web_search":{"num_requests":0}},"usage":null}"#;
    let seen = Call {
        url: "https://api.openai.com/v1/responses",
        body,
        ..Call::default()
    }
    .run();
    assert!(seen.usage.is_empty());
    assert!(
        seen.job.is_some_and(|job| job.consumed.is_none()),
        "it is to be completed"
    );
}

#[test]
fn fees_of_tools_without_the_tokens_beside_them_are_not_all() {
    let body = br#"{"id":"resp_1","object":"response","status":"completed","model":"gpt-5.4","output":[{"type":"file_search_call","status":"completed"}]}"#;
    let seen = Call {
        url: "https://api.openai.com/v1/responses",
        request: br#"{"model":"gpt-5.4"}"#,
        body,
        ..Call::default()
    }
    .run();
    assert_eq!(seen.call.uncounted, ["input_tokens", "output_tokens"]);
    let cost = pricing_of(&seen, &PricingEngine::new(), Timestamp::default());
    assert_eq!(
        (cost.cost_usd, cost.cost_confidence),
        (Some(crate::dec!(0.0025)), CostConfidence::Unknown)
    );
}
