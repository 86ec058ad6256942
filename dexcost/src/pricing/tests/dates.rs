//! Prices that depend on the day and the hour.

use super::*;

#[test]
fn off_peak_prices_hold_in_their_hours_on_their_days() {
    let entries = [(Unit::InputTokens, 100), (Unit::OutputTokens, 10)];
    let billed = |instant: &str| priced("night", &entries, |query| query.billed_at = at(instant)).cost_usd;
    let (peak, off_peak) = (Some(dec!(0.0012)), Some(dec!(0.0007)));
    // 2026-11-22 is a Sunday; 22:30 UTC is already Monday in the zone of the table.
    assert_eq!(billed("2026-11-22T22:30:00Z"), off_peak);
    assert_eq!(billed("2026-11-22T21:59:59Z"), peak);
    assert_eq!(billed("2026-11-23T01:59:59Z"), off_peak);
    assert_eq!(billed("2026-11-23T02:00:00Z"), peak);
    assert_eq!(billed("2026-11-23T22:00:00Z"), peak);
}

#[test]
fn a_price_change_does_not_rewrite_history() {
    let billed = |instant: &str| {
        priced("dated", &[(Unit::InputTokens, 100)], |query| {
            query.billed_at = at(instant);
        })
        .cost_usd
    };
    assert_eq!(billed("2026-05-31T23:59:59Z"), Some(dec!(0.001)));
    assert_eq!(billed("2026-06-01T00:00:00Z"), Some(dec!(0.002)));
}

#[test]
fn what_is_older_than_every_price_takes_the_earliest_as_an_estimate() {
    let engine = PricingEngine::new();
    let prices = "models: {late: [
        {effective_from: 2027-01-01, prices: {input: 0.00002}},
        {effective_from: 2026-06-01, prices: {input: 0.00001}}],
      gpt-4o: [{effective_from: 2027-01-01, prices: {input: 0.0003}}],
      llama: [{provider: ollama, effective_from: 2026-01-01, prices: {input: 0.00005}}]}";
    engine.set_overrides("test", prices).unwrap();
    let usage = usage(&[(Unit::InputTokens, 100)]);
    let billed = |model, provider, micros| {
        let query = PriceQuery {
            provider,
            ..PriceQuery::new(model, &usage, Timestamp::from_unix_micros(micros))
        };
        engine.price(&query)
    };
    let broken_clock = billed("late", None, 0);
    assert_eq!(
        (
            broken_clock.cost_usd,
            broken_clock.cost_confidence,
            broken_clock.rung
        ),
        (Some(dec!(0.001)), CostConfidence::Estimated, Rung::Custom)
    );
    let in_time = billed("late", None, noon().unix_micros());
    assert_eq!(
        (in_time.cost_usd, in_time.cost_confidence),
        (Some(dec!(0.001)), CostConfidence::Computed)
    );
    // A price that is known for the day comes first; one that stands in for anything does not.
    let listed = billed("gpt-4o", None, noon().unix_micros());
    assert_eq!((listed.cost_usd, listed.rung), (Some(dec!(0.00025)), Rung::Exact));
    assert_eq!(billed("gpt-4o", None, 0).cost_usd, Some(dec!(0.00025)));
    assert_eq!(billed("llama", Some("ollama"), 0).cost_usd, Some(dec!(0.005)));
    assert_eq!(billed("llama", Some("groq"), 0).cost_usd, None);
}
