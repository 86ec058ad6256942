//! What providers state of a call's cost, whether it is believed, and how sure a cost is.

use super::*;
use crate::clock::Timestamp;
use crate::dec;
use crate::event::{CostConfidence, PricingSource};
use crate::pricing::{CostResult, PricingEngine};
use rust_decimal::Decimal;

const OPENROUTER: &str = "https://openrouter.ai/api/v1/chat/completions";
const PROXY: &str = "https://proxy.example.org/v1/chat/completions";
const ASKED: &[u8] = br#"{"model":"openai/gpt-4o-mini","messages":[]}"#;

fn priced(seen: &Observation) -> CostResult {
    pricing_of(seen, &PricingEngine::new(), Timestamp::default())
}

/// 1,000 tokens in and 100 out, with more in the usage object. The table says 0.00021.
fn router(more: &str) -> Observation {
    let body = format!(
        r#"{{"model":"openai/gpt-4o-mini","choices":[{{"finish_reason":"stop"}}],"usage":{{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100{more}}}}}"#
    );
    Call {
        url: OPENROUTER,
        request: ASKED,
        body: body.as_bytes(),
        ..Call::default()
    }
    .run()
}

fn proxied(stated: &str) -> Observation {
    Call {
        url: PROXY,
        request: br#"{"model":"gpt-4o-mini","messages":[]}"#,
        headers: vec![("x-litellm-response-cost", stated)],
        body: br#"{"object":"chat.completion","model":"gpt-4o-mini","choices":[],"usage":{"prompt_tokens":1000,"completion_tokens":100}}"#,
        ..Call::default()
    }
    .run()
}

#[test]
fn a_stated_cost_that_cannot_be_is_refused_and_the_table_prices_the_call() {
    for stated in [
        "-1", "-0.5", "nan", "inf", "-inf", "1e400", "free", "10000.01", "7.9e28", "0.2101", "0x10",
    ] {
        let cost = priced(&proxied(stated));
        assert_eq!(cost.cost_usd, Some(dec!(0.00021)), "{stated}");
        assert_ne!(cost.pricing_source, PricingSource::ProviderResponse, "{stated}");
    }
    for stated in [
        "-1",
        "1e30",
        "1000000",
        "\"free\"",
        "true",
        "[1]",
        r#"{"total_cost":-3}"#,
    ] {
        let cost = priced(&router(&format!(r#","cost":{stated}"#)));
        assert_eq!(cost.cost_usd, Some(dec!(0.00021)), "{stated}");
    }
    let ticks = priced(&router(r#","cost_in_usd_ticks":-5"#));
    assert_eq!(ticks.cost_usd, Some(dec!(0.00021)));
}

#[test]
fn a_stated_cost_that_can_be_is_exact_up_to_a_thousand_times_the_listed_one() {
    for (stated, expected) in [
        ("0.21", dec!(0.21)),
        ("2e-05", dec!(0.00002)),
        ("0.0003", dec!(0.0003)),
    ] {
        let cost = priced(&proxied(stated));
        assert_eq!(
            (cost.cost_usd, cost.cost_confidence),
            (Some(expected), CostConfidence::Exact),
            "{stated}"
        );
    }
}

#[test]
fn a_proxy_that_states_zero_does_not_know() {
    for stated in ["0", "0.0", ""] {
        let cost = priced(&proxied(stated));
        assert_eq!(cost.cost_usd, Some(dec!(0.00021)), "{stated:?}");
    }
}

#[test]
fn nothing_is_stated_by_null_and_what_is_refused_is_told_from_it() {
    let null = router(r#","cost":null"#);
    assert!(!null.stated_cost_is_invalid && null.call.reported_cost_usd.is_none());
    assert!(router(r#","cost":"free""#).stated_cost_is_invalid);
    assert!(proxied("nan").stated_cost_is_invalid);
    assert!(!proxied("0").stated_cost_is_invalid);
}

#[test]
fn with_the_callers_own_key_a_fee_is_not_the_bill() {
    let cost = |more: &str| {
        let cost = priced(&router(more));
        (cost.cost_usd, cost.cost_confidence)
    };
    let (exact, estimated) = (CostConfidence::Exact, CostConfidence::Estimated);
    for (more, expected, confidence) in [
        (
            r#","cost":0.00001,"is_byok":true,"cost_details":{"upstream_inference_cost":0.0002}"#,
            dec!(0.00021),
            exact,
        ),
        (r#","cost":0,"is_byok":true"#, dec!(0.00021), estimated),
        (r#","is_byok":true,"cost":0.00001"#, dec!(0.00022), estimated),
        (
            r#","cost":0,"is_byok":true,"cost_details":{"upstream_inference_cost":0}"#,
            dec!(0.00021),
            estimated,
        ),
        (
            r#","cost":0,"is_byok":true,"cost_details":{"upstream_inference_cost":null}"#,
            dec!(0.00021),
            estimated,
        ),
        (r#","cost":0,"is_byok":false"#, dec!(0), exact),
    ] {
        assert_eq!(cost(more), (Some(expected), confidence), "{more}");
    }
}

#[test]
fn gateways_state_their_price_in_every_form() {
    let stated = r#""pydantic_ai_gateway":{"cost_estimate":0.000123}"#;
    for (url, reply) in [
        (
            "https://gateway.pydantic.dev/proxy/bedrock/model/us.amazon.nova-micro-v1%3A0/converse",
            format!(r#"{{"stopReason":"end_turn","usage":{{"inputTokens":20,"outputTokens":5,{stated}}}}}"#),
        ),
        (
            "https://gateway.pydantic.dev/proxy/google-vertex/v1beta/models/gemini-2.5-flash:generateContent",
            format!(r#"{{"candidates":[{{"finishReason":"STOP"}}],"usageMetadata":{{"promptTokenCount":20,"candidatesTokenCount":5,{stated}}}}}"#),
        ),
        (
            "https://gateway.pydantic.dev/proxy/anthropic/v1/messages",
            format!(r#"{{"type":"message","model":"claude-haiku-4-5","stop_reason":"end_turn","usage":{{"input_tokens":20,"output_tokens":5,{stated}}}}}"#),
        ),
        (
            "https://gateway.pydantic.dev/proxy/openai/v1/responses",
            format!(r#"{{"object":"response","status":"completed","model":"gpt-4o-mini","usage":{{"input_tokens":20,"output_tokens":5,{stated}}}}}"#),
        ),
        (
            "https://router.huggingface.co/v1/chat/completions",
            r#"{"model":"org/m","choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":20,"completion_tokens":5,"estimated_cost":0.000123}}"#.to_owned(),
        ),
    ] {
        let seen = Call {
            url,
            body: reply.as_bytes(),
            ..Call::default()
        }
        .run();
        assert_eq!(priced(&seen).cost_usd, Some(dec!(0.000123)), "{url}");
    }
}

/// The confidence of what a stream costs that ends after these events.
fn confidence_of(url: &str, events: &[&str]) -> CostConfidence {
    let body: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    let seen = Call {
        url,
        request: br#"{"model":"gpt-4o-mini","stream":true}"#,
        headers: vec![("content-type", "text/event-stream")],
        body: body.as_bytes(),
        ..Call::default()
    }
    .run();
    priced(&seen).cost_confidence
}

#[test]
fn what_a_reply_said_when_it_broke_off_is_a_floor() {
    const GEMINI: &str = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse";
    let start = r#"{"type":"message_start","message":{"model":"claude-haiku-4-5","usage":{"input_tokens":2500,"output_tokens":3}}}"#;
    let block = r#"{"type":"content_block_start","index":0,"content_block":{"type":"text"}}"#;
    let delta = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":40}}"#;
    let open = r#"{"candidates":[{"index":0}],"modelVersion":"gemini-2.5-flash","usageMetadata":{"promptTokenCount":20,"candidatesTokenCount":3}}"#;
    let over = r#"{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":20,"candidatesTokenCount":9}}"#;
    let chunk = r#"{"model":"gpt-4o-mini","choices":[{"index":0,"delta":{}}],"usage":{"prompt_tokens":20,"completion_tokens":1}}"#;
    let last = r#"{"model":"gpt-4o-mini","choices":[{"index":0,"finish_reason":"stop"}],"usage":{"prompt_tokens":20,"completion_tokens":9}}"#;
    for (url, events, expected) in [
        (ANTHROPIC, &[start, block][..], CostConfidence::Estimated),
        (ANTHROPIC, &[start, block, delta], CostConfidence::Computed),
        (GEMINI, &[open], CostConfidence::Estimated),
        (GEMINI, &[open, over], CostConfidence::Computed),
        (OPENAI, &[chunk], CostConfidence::Estimated),
        (OPENAI, &[chunk, last], CostConfidence::Computed),
    ] {
        assert_eq!(confidence_of(url, events), expected, "{url} {events:?}");
    }
}

#[test]
fn a_fee_that_was_read_before_the_rest_is_no_exact_price() {
    let body = r#"{"model":"openai/gpt-4o-mini","usage":{"prompt_tokens":1000,"completion_tokens":100,"cost":0.0002},"choices":[{"mess"#;
    let seen = Call {
        url: OPENROUTER,
        request: ASKED,
        body: body.as_bytes(),
        ..Call::default()
    }
    .run();
    assert!(seen.call.is_cut_off);
    assert_eq!(priced(&seen).cost_confidence, CostConfidence::Estimated);
}

#[test]
fn prepaid_capacity_costs_nothing_itself_and_keeps_its_tokens() {
    const VERTEX: &str = "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash:generateContent";
    const AZURE: &str = "https://r.openai.azure.com/openai/deployments/d/chat/completions";
    const PROVISIONED: &str = "https://bedrock-runtime.us-east-1.amazonaws.com/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Aprovisioned-model%2Fx/converse";
    let vertex = |traffic: &str| {
        format!(
            r#"{{"candidates":[{{"finishReason":"STOP"}}],"modelVersion":"gemini-2.5-flash","usageMetadata":{{"promptTokenCount":1000,"candidatesTokenCount":100,"trafficType":{traffic}}}}}"#
        )
    };
    let chat = r#"{"model":"gpt-4o-mini-2024-07-18","choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":1000,"completion_tokens":100}}"#;
    let converse = r#"{"stopReason":"end_turn","usage":{"inputTokens":1000,"outputTokens":100}}"#;
    let busy: &[(&str, &str)] = &[("azure-openai-deployment-utilization", "12%")];
    for (url, body, headers, is_prepaid) in [
        (VERTEX, vertex(r#""PROVISIONED_THROUGHPUT""#), &[][..], true),
        (VERTEX, vertex("2"), &[], true),
        (VERTEX, vertex(r#""ON_DEMAND""#), &[], false),
        (AZURE, chat.to_owned(), busy, true),
        (AZURE, chat.to_owned(), &[], false),
        (PROVISIONED, converse.to_owned(), &[], true),
    ] {
        let seen = Call {
            url,
            headers: headers.to_vec(),
            body: body.as_bytes(),
            ..Call::default()
        }
        .run();
        let cost = priced(&seen);
        assert_eq!(seen.call.is_prepaid, is_prepaid, "{url}");
        assert_eq!(cost.cost_usd == Some(Decimal::ZERO), is_prepaid, "{url}");
        assert_eq!(cost.cost_confidence, CostConfidence::Computed, "{url}");
        assert_eq!(seen.usage.count(Unit::InputTokens), 1000, "{url}");
    }
}

#[test]
fn a_tier_is_priced_as_served_and_one_that_nobody_knows_is_an_estimate() {
    let cost = |tier: &str| {
        let body = format!(
            r#"{{"type":"message","model":"claude-haiku-4-5-20251001","stop_reason":"end_turn","usage":{{"input_tokens":100,"output_tokens":40,"service_tier":"{tier}"}}}}"#
        );
        let seen = Call {
            url: ANTHROPIC,
            body: body.as_bytes(),
            ..Call::default()
        }
        .run();
        let cost = priced(&seen);
        (cost.cost_usd, cost.cost_confidence)
    };
    assert_eq!(cost("standard"), (Some(dec!(0.0003)), CostConfidence::Computed));
    assert_eq!(cost("batch"), (Some(dec!(0.00015)), CostConfidence::Computed));
    assert_eq!(cost("warp"), (Some(dec!(0.0003)), CostConfidence::Estimated));
}

#[test]
fn what_a_service_said_before_its_reply_broke_off_is_an_estimate() {
    let confidence = |ending| {
        let facts = RequestFacts::to_url("POST", "https://api.tavily.com/search", &());
        let mut exchange = Exchange::begin_with(&facts, &crate::pricing::ServiceCatalog::new());
        exchange.response(200, &());
        exchange.data(br#"{"usage":{"credits":2}}"#);
        let service = exchange.settle(ending).service.unwrap();
        (service.cost_usd, service.cost_confidence)
    };
    let (whole, cut) = (confidence(Ending::Done), confidence(Ending::Failed));
    assert_eq!((whole.0, cut.0), (Some(dec!(0.016)), Some(dec!(0.016))));
    assert!(whole.1 < CostConfidence::Estimated && cut.1 == CostConfidence::Estimated);
}
