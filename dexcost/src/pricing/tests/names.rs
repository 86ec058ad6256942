//! What names lead to.

use super::*;
use crate::pricing::names::{Hints, resolve};
use crate::pricing::table;

/// Names, what is known beside them, and the key and rung that they lead to.
#[test]
fn names_on_the_wire_lead_to_their_keys() {
    let engine = PricingEngine::new();
    let usage = Usage::new();
    for (model, provider, key, rung) in [
        ("gpt-4o", None, "gpt-4o", Rung::Exact),
        ("GPT-4O", Some("openai"), "gpt-4o", Rung::Alias),
        ("openai/openai/gpt-4o", None, "gpt-4o", Rung::Alias),
        ("o3-2031-02-02", Some("openai"), "o3", Rung::SuffixStripped),
        (
            "ft:gpt-4o-2024-08-06:acme::x",
            None,
            "ft:gpt-4o-2024-08-06",
            Rung::Alias,
        ),
        ("gpt-4o", Some("azure"), "azure/gpt-4o", Rung::Exact),
        (
            "models/gemini-2.5-flash-lite",
            Some("gemini"),
            "gemini/gemini-2.5-flash-lite",
            Rung::Alias,
        ),
        (
            "bedrock/converse/us.amazon.nova-2-lite-v1:0",
            None,
            "us.amazon.nova-2-lite-v1:0",
            Rung::Alias,
        ),
        (
            "xx-mixtral-8x7b",
            Some("fireworks_ai"),
            "fireworks-ai-moe-up-to-56b",
            Rung::SizeBucket,
        ),
        (
            "acme/brain-13b",
            Some("together_ai"),
            "together-ai-8.1b-21b",
            Rung::SizeBucket,
        ),
    ] {
        let query = PriceQuery {
            provider,
            ..PriceQuery::new(model, &usage, noon())
        };
        let resolution = engine.resolve(&query);
        assert_eq!(
            (resolution.key.as_deref(), resolution.rung),
            (Some(key), rung),
            "{model}"
        );
    }
    for (model, provider) in [
        ("gpt-4o-mini-foo", Some("openai")),
        ("gpt-4o", Some("groq")),
        ("claude-sonnet-4-5", Some("openai")),
        ("gpt-4o", Some("vllm")),
        ("tunedModels/x", Some("gemini")),
        (
            "arn:aws:bedrock:us-east-1:1:application-inference-profile/x",
            Some("bedrock"),
        ),
        ("ft:gpt-5-2025-08-07:acme::x", Some("openai")),
        ("gpt-4o\0", None),
        ("  ", None),
    ] {
        let query = PriceQuery {
            provider,
            ..PriceQuery::new(model, &usage, noon())
        };
        assert_eq!(engine.resolve(&query).key, None, "{model}");
    }
}

#[test]
fn a_local_server_costs_nothing_and_says_why() {
    let result = priced("anything", &[(Unit::InputTokens, 5)], |query| {
        query.provider = Some("ollama");
    });
    assert_eq!(
        (result.cost_usd, result.rung),
        (Some(Decimal::ZERO), Rung::LocalFree)
    );
}

#[test]
fn a_name_of_a_megabyte_is_unknown() {
    let usage = usage(&[(Unit::InputTokens, 1)]);
    for filler in ["a", "é", "\0", "arn:", "/", "openai/", "-2026-01-01"] {
        let name = filler.repeat((1 << 20) / filler.len());
        let query = PriceQuery {
            provider: Some("bedrock"),
            ..PriceQuery::new(&name, &usage, noon())
        };
        assert_eq!(engine().price(&query).cost_usd, None);
    }
}

#[test]
fn an_unknown_model_has_no_cost() {
    let result = priced("no-such-model", &[(Unit::InputTokens, 100)], |_| {});
    assert_eq!(
        (result.cost_usd, result.cost_confidence),
        (None, CostConfidence::Unknown)
    );
    assert_eq!(
        (result.pricing_source, result.rung, result.matched),
        (PricingSource::Unknown, Rung::Unknown, None)
    );
}

#[test]
fn the_short_way_to_a_name_is_the_way_up_the_ladder() {
    let at = |name: &str, provider: Option<&str>, trace: Option<&mut Vec<String>>| {
        let hints = Hints {
            provider,
            at_seconds: u64::MAX,
            ..Hints::default()
        };
        resolve(name, &hints, trace).map(|found| (found.hit, found.rung, found.provider.name.to_owned()))
    };
    let others = [
        "openai",
        "azure_ai",
        "bedrock",
        "vertex_ai",
        "openrouter",
        "ollama",
        "qwencloud",
    ];
    for name in (0..table::len()).filter_map(table::Name::at).step_by(5) {
        let own = name.row(u64::MAX).provider();
        let key = name.as_str();
        let bare = key.split_once('/').map_or(key, |(_, rest)| rest);
        for provider in others.into_iter().map(Some).chain([None, Some(own)]) {
            for name in [key, bare, &key.to_uppercase(), &format!(" {bare}")] {
                assert_eq!(
                    at(name, provider, None),
                    at(name, provider, Some(&mut Vec::new())),
                    "{name} of {provider:?}"
                );
            }
        }
    }
}
