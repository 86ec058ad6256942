//! Prices of the user's own, and prices that are not used.

use super::*;

#[test]
fn custom_prices_win_over_the_tables_and_are_checked() {
    let engine = PricingEngine::new();
    let before = engine.pricing_version();
    engine.set_custom_pricing("gpt-4o", "0.001", dec!(0.002)).unwrap();
    let result = engine.get_cost("gpt-4o", 1000, 1000, 0, 0);
    assert_eq!((result.cost_usd, result.rung), (Some(dec!(0.003)), Rung::Custom));
    assert_ne!(engine.pricing_version(), before);
    assert_eq!(engine.pricing_version().len(), 12);
    assert!(engine.set_custom_pricing("x", "-0.1", "0").is_err());
    assert!(engine.set_custom_pricing("x", "0", "1000").is_err());
    assert!(engine.set_custom_pricing("x", "0.1.2", "0").is_err());
    engine.clear_overrides();
    assert_eq!(engine.pricing_version(), before);
    assert_ne!(engine.get_cost("gpt-4o", 1000, 1000, 0, 0).rung, Rung::Custom);
}

#[test]
fn a_file_with_one_slip_changes_nothing() {
    let engine = engine();
    let before = engine.pricing_version();
    assert!(
        engine
            .set_overrides(
                "bad",
                "models: {bare: {prices: {input: 0.1}}, x: {prices: {input: -1}}}"
            )
            .is_err()
    );
    assert_eq!(engine.pricing_version(), before);
}

#[test]
fn an_absurd_listed_price_is_unknown_and_a_dear_one_is_not() {
    let absurd = priced("azure_ai/jais-30b-chat", &[(Unit::InputTokens, 100)], |_| {});
    assert_eq!(
        (absurd.cost_usd, absurd.cost_confidence),
        (None, CostConfidence::Unknown)
    );
    let dear = priced("o1-pro", &[(Unit::OutputTokens, 1_000_000)], |_| {});
    assert_eq!(dear.cost_usd, Some(dec!(600)));
}

#[test]
fn a_price_per_million_is_a_thousandth_of_one_per_thousand() {
    let (one, other) = (PricingEngine::new(), PricingEngine::new());
    one.set_custom_pricing("x", "0.0025", dec!(0.01)).unwrap();
    other
        .set_custom_pricing_per_million("x", "2.5", dec!(10))
        .unwrap();
    let cost = |engine: &PricingEngine| engine.get_cost("x", 1000, 100, 0, 0).cost_usd;
    assert_eq!(
        (cost(&one), cost(&other)),
        (Some(dec!(0.0035)), Some(dec!(0.0035)))
    );
    let error = other
        .set_custom_pricing_per_million("x", "2500", "0")
        .unwrap_err();
    assert!(error.to_string().contains("per 1,000,000 tokens"), "{error}");
}

#[test]
fn a_file_that_would_grow_is_refused_and_a_byte_order_mark_is_no_part_of_a_name() {
    let engine = PricingEngine::new();
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (this, last) in "bcdefghijklm".chars().zip('a'..) {
        bomb += &format!("{this}: &{this} [{}]\n", vec![format!("*{last}"); 9].join(", "));
    }
    for text in [
        bomb,
        "models: &m {x: {prices: {input: 0.000001}}}".to_owned(),
        "[".repeat(100_000),
        "{a: ".repeat(100_000),
        "- ".repeat(100_000),
    ] {
        let error = engine.set_overrides("bomb.yaml", &text).unwrap_err().to_string();
        assert!(error.contains("bomb.yaml"), "{error}");
    }
    let text = "\u{feff}models:\n  gpt-4.1: {prices: {input: 0.000001, output: 0.000004}}\n";
    assert_eq!(engine.set_overrides("bom.yaml", text).unwrap(), 1);
    assert_eq!(
        engine.get_cost("gpt-4.1", 1000, 0, 0, 0).cost_usd,
        Some(dec!(0.001))
    );
}

#[test]
fn what_an_own_price_leaves_open_keeps_its_listed_ratio() {
    let engine = PricingEngine::new();
    // Listed: 2, 8 and 0.5 US dollars per million prompt, completion and cached tokens.
    let text = "models: {gpt-4.1: {prices: {input: 0.000001, output: 0.000004}}}";
    engine.set_overrides("own.yaml", text).unwrap();
    let plain = engine.get_cost("gpt-4.1", 1000, 100, 0, 0);
    assert_eq!(
        (plain.cost_usd, plain.cost_confidence),
        (Some(dec!(0.0014)), CostConfidence::Computed)
    );
    let cached = engine.get_cost("gpt-4.1", 1000, 100, 800, 0);
    // 200 x 0.000001 + 800 x 0.00000025 + 100 x 0.000004
    assert_eq!(
        (cached.cost_usd, cached.cost_confidence),
        (Some(dec!(0.0008)), CostConfidence::Estimated)
    );
    let usage = Usage::new()
        .with(Unit::InputTokens, 10)
        .with(Unit::CacheReadTokens, 5);
    let explanation = engine
        .explain(&PriceQuery::new("gpt-4.1", &usage, noon()))
        .to_string();
    assert!(explanation.contains("listed ratio"), "{explanation}");
    // A model that nobody lists bills a cached token as any other.
    engine
        .set_custom_pricing_per_million("in-house", "1", "4")
        .unwrap();
    let unlisted = engine.get_cost("in-house", 1000, 0, 800, 0);
    assert_eq!(unlisted.cost_usd, Some(dec!(0.001)));
    // One that is named stands.
    let named = "models: {gpt-4.1: {prices: {input: 0.000001, output: 0.000004, cache_read: 0.0000009}}}";
    engine.set_overrides("own.yaml", named).unwrap();
    let cached = engine.get_cost("gpt-4.1", 1000, 0, 1000, 0);
    assert_eq!(
        (cached.cost_usd, cached.cost_confidence),
        (Some(dec!(0.0009)), CostConfidence::Computed)
    );
}

#[test]
fn a_price_far_off_the_listed_one_is_doubted_with_both_figures() {
    let prices = PricingEngine::new();
    prices
        .set_custom_pricing("gpt-4o-mini", "0.15", "0.0006")
        .unwrap();
    let usage = Usage::new().with(Unit::InputTokens, 1000);
    let query = PriceQuery::new("gpt-4o-mini", &usage, Timestamp::from_unix_micros(1));
    let explanation = prices.explain(&query);
    let doubt = "the own input price is 0.00015 USD a token, the listed one 0.00000015: is its unit right?"
        .to_owned();
    assert!(explanation.price_steps().contains(&doubt), "{explanation}");
    assert!(!explanation.to_string().contains("own output price"));
    assert_eq!(explanation.result().cost_usd, Some(dec!(0.15)));
}
