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
