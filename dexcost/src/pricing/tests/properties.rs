//! What holds for every call.

use proptest::prelude::*;

use super::*;
use crate::pricing::{Itemized, table};

fn any_unit() -> impl Strategy<Value = Unit> {
    prop::sample::select(Unit::ALL.to_vec())
}

fn any_quantity() -> impl Strategy<Value = Decimal> {
    prop_oneof![
        (0i64..500_000).prop_map(Decimal::from),
        any::<i64>().prop_map(Decimal::from),
        (any::<i64>(), 0u32..20).prop_map(|(mantissa, scale)| Decimal::new(mantissa, scale)),
        Just(Decimal::MAX),
        Just(Decimal::MIN),
    ]
}

fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        (0..table::len()).prop_map(|at| table::Name::at(at).map_or("", table::Name::as_str).to_owned()),
        "\\PC{0,80}",
        "(ft:|arn:aws:bedrock:|models/|projects/|publishers/|us\\.|bedrock/|openrouter/)?[a-z0-9:./@-]{0,60}(-2026-02-03|-20260203|@latest|:free|-001)?",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn nothing_panics_and_the_lines_are_the_cost(
        name in any_name(),
        provider in prop::option::of(prop::sample::select(vec!["openai", "bedrock", "vertex_ai", "xai", "azure_ai", "openrouter", "together_ai", "replicate", "dashscope", "nobody", ""])),
        quantities in prop::collection::vec((any_unit(), any_quantity()), 0..8),
        kind in prop::sample::select(CallType::ALL.to_vec()),
        tier in prop::option::of("[a-zA-Z]{0,12}"),
        micros in any::<i64>(),
    ) {
        let usage: Usage = quantities.into_iter().collect();
        let query = PriceQuery {
            provider,
            call_type: kind,
            service_tier: tier.as_deref(),
            geo: Some("us"),
            ..PriceQuery::new(&name, &usage, Timestamp::from_unix_micros(micros))
        };
        let engine = PricingEngine::new();
        let explanation = engine.explain(&query);
        let result = explanation.result();
        let itemized = engine.itemized(&query, Some(&mut Itemized::default()));
        prop_assert_eq!(engine.cost(&query), itemized);
        let mut sum = Decimal::ZERO;
        for line in &result.lines {
            prop_assert_eq!(Some(line.usd), line.quantity.checked_mul(line.unit_usd));
            prop_assert!(!line.usd.is_sign_negative());
            sum += line.usd;
        }
        prop_assert_eq!(result.cost_usd.unwrap_or_default(), sum);
        prop_assert_eq!(result.cost_usd.is_none(), result.cost_usd.is_none() && result.cost_confidence == CostConfidence::Unknown);
        prop_assert!(!explanation.to_string().is_empty());
    }

    #[test]
    fn more_tokens_never_cost_less_in_one_regime(
        at in 0..table::len(),
        tokens in (0u64..30_000, 0u64..30_000),
        more in (0u64..2_000, 0u64..2_000),
        cached in 0u64..40_000,
        tier in prop::option::of(prop::sample::select(vec!["flex", "priority"])),
        batch in any::<bool>(),
    ) {
        // Below the first threshold and the first end of a range every model has one regime.
        let model = table::Name::at(at).map_or("", table::Name::as_str);
        let engine = PricingEngine::new();
        let price = |input: u64, output: u64| {
            let usage = Usage::new()
                .with(Unit::InputTokens, input)
                .with(Unit::OutputTokens, output)
                .with(Unit::CacheReadTokens, cached);
            let kind = if batch { CallType::Batch } else { CallType::Completion };
            let query = PriceQuery { service_tier: tier, call_type: kind, ..PriceQuery::new(model, &usage, noon()) };
            engine.price(&query).cost_usd.unwrap_or_default()
        };
        let less = price(tokens.0, tokens.1);
        prop_assert!(price(tokens.0 + more.0, tokens.1) >= less);
        prop_assert!(price(tokens.0, tokens.1 + more.1) >= less);
    }
}
