//! Hosts that nobody knows, and the spellings of names that gateways and platforms use.

use super::*;

fn at(host: &str, model: &str) -> CostResult {
    let usage = Usage::new()
        .with(Unit::InputTokens, 1000)
        .with(Unit::OutputTokens, 100);
    let query = PriceQuery {
        host: Some(host),
        ..PriceQuery::new(model, &usage, noon())
    };
    PricingEngine::new().price(&query)
}

#[test]
fn at_a_public_host_that_nobody_knows_the_makers_price_is_an_estimate() {
    for model in [
        "gpt-4o-mini",
        "openai/gpt-4o-mini",
        "openai:gpt-4o-mini",
        "litellm/openai/gpt-4o-mini",
    ] {
        let cost = at("gw.example.org", model);
        assert_eq!(
            (cost.cost_usd, cost.cost_confidence, cost.rung),
            (Some(dec!(0.00021)), CostConfidence::Estimated, Rung::UnknownHost),
            "{model}"
        );
    }
}

#[test]
fn inside_a_network_nobody_can_know_a_price_and_explain_says_what_to_write() {
    for host in [
        "llm",
        "10.0.0.5",
        "llm.acme.internal",
        "llm.local",
        "llm.ns.svc.cluster.local:8000",
    ] {
        let cost = at(host, "gpt-4o-mini");
        assert_eq!((cost.cost_usd, cost.rung), (None, Rung::Unknown), "{host}");
    }
    let usage = Usage::new().with(Unit::InputTokens, 1);
    for (host, provider) in [
        ("llm", None),
        ("10.0.0.5:8000", None),
        ("llm.local", Some("openai-compatible-local")),
    ] {
        let query = PriceQuery {
            provider,
            host: Some(host),
            ..PriceQuery::new("gpt-4o-mini", &usage, noon())
        };
        let explanation = PricingEngine::new().explain(&query).to_string();
        assert!(explanation.contains("Config::hosts"), "{explanation}");
    }
}

#[test]
fn names_are_found_without_the_parts_that_a_table_spells_otherwise() {
    let engine = PricingEngine::new();
    let usage = Usage::new();
    for (provider, model, key) in [
        ("azure", "grok-3", "azure_ai/grok-3"),
        ("azure", "claude-opus-4-6", "azure_ai/claude-opus-4-6"),
        (
            "azure_ai",
            "llama-3.3-70b-instruct",
            "azure_ai/Llama-3.3-70B-Instruct",
        ),
        (
            "bedrock-mantle",
            "openai.gpt-oss-120b",
            "bedrock_mantle/openai.gpt-oss-120b",
        ),
        (
            "vercel-gateway",
            "anthropic/claude-haiku-4.5",
            "vercel_ai_gateway/anthropic/claude-haiku-4.5",
        ),
        ("lambda-ai", "hermes3-8b", "lambda_ai/hermes3-8b"),
        ("codestral", "codestral-latest", "codestral/codestral-latest"),
        (
            "vertex",
            "llama-3.1-405b-instruct-maas",
            "vertex_ai/meta/llama-3.1-405b-instruct-maas",
        ),
        (
            "",
            "openrouter:anthropic/claude-haiku-4.5",
            "openrouter/anthropic/claude-haiku-4.5",
        ),
        ("", "azure:gpt-4o-mini", "azure/gpt-4o-mini"),
        ("OpenAI", "gpt-4o-mini", "gpt-4o-mini"),
        ("Azure-OpenAI", "gpt-4o-mini", "azure/gpt-4o-mini"),
    ] {
        let query = PriceQuery {
            provider: Some(provider),
            ..PriceQuery::new(model, &usage, noon())
        };
        assert_eq!(
            engine.resolve(&query).key.as_deref(),
            Some(key),
            "{provider} {model}"
        );
    }
}

#[test]
fn a_bedrock_revision_that_the_table_lacks_leads_to_the_same_model() {
    let engine = PricingEngine::new();
    let usage = Usage::new();
    let resolve = |model: &str| {
        let query = PriceQuery {
            provider: Some("bedrock"),
            ..PriceQuery::new(model, &usage, noon())
        };
        engine.resolve(&query)
    };
    let listed = resolve("anthropic.claude-opus-4-6-v1");
    assert!(listed.key.is_some());
    for model in [
        "anthropic.claude-opus-4-6-v1:0",
        "anthropic.claude-opus-4-6",
        "arn:aws:bedrock:us-east-1:1:inference-profile/anthropic.claude-opus-4-6-v1:0",
    ] {
        let found = resolve(model);
        assert_eq!(
            (&found.key, found.rung),
            (&listed.key, Rung::SuffixStripped),
            "{model}"
        );
    }
    let geo = resolve("us.anthropic.claude-opus-4-6-v1:0");
    assert!(
        geo.key
            .is_some_and(|key| key.contains("anthropic.claude-opus-4-6"))
    );
    assert_eq!(resolve("acme.brain-v1:0").key, None);
}

#[test]
fn a_model_of_ollamas_cloud_is_never_free() {
    let engine = PricingEngine::new();
    let usage = Usage::new().with(Unit::InputTokens, 100);
    let cost = |provider, model: &str| {
        let query = PriceQuery {
            provider: Some(provider),
            ..PriceQuery::new(model, &usage, noon())
        };
        engine.price(&query).cost_usd
    };
    for (provider, model) in [
        ("ollama", "gpt-oss:120b-cloud"),
        ("ollama", "kimi-k2:cloud"),
        ("ollama-cloud", "gpt-oss:120b"),
    ] {
        assert_ne!(cost(provider, model), Some(dec!(0)), "{provider} {model}");
    }
    assert_eq!(cost("ollama", "llama3.2"), Some(dec!(0)));
}
