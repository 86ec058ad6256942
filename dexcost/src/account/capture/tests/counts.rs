//! Counts and stated prices, brought into the normal form.

use super::*;

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
fn counts_whose_report_was_cut_off_are_marked() {
    for (url, body) in [
        (
            OPENAI,
            r#"{"model":"m","usage":{"prompt_tokens":352,"prompt_tokens_details":{"cach"#,
        ),
        (
            ANTHROPIC,
            r#"{"type":"message","usage":{"input_tokens":352,"cache_"#,
        ),
    ] {
        let seen = Call {
            url,
            body: body.as_bytes(),
            ending: Ending::Failed,
            ..Call::default()
        }
        .run();
        assert_eq!(seen.usage.count(Unit::InputTokens), 352);
        assert!(seen.usage_is_suspect && seen.operation_status == OperationStatus::Failed);
    }
}
