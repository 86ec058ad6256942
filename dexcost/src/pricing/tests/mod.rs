//! The rules of the bill, each with made-up prices; names, dates and own prices have files of their own.

mod dates;
mod hosts;
mod names;
mod own;
mod properties;
mod units;

use crate::dec;
use rust_decimal::Decimal;

use super::{CostResult, PriceQuery, PricingEngine, Rung};
use crate::clock::Timestamp;
use crate::event::{CallType, CostConfidence, PricingSource};
use crate::usage::{Unit, Usage};

const PRICES: &str = r#"
models:
  brain:
    prices:
      input: 0.00001
      output: 0.00004
      cache_read: 0.000001
      cache_write: 0.0000125
      cache_write_1h: 0.00002
      reasoning: 0.00005
      input_audio: 0.00003
      cache_read_audio: 0.000003
      input>1000: 0.00002
      output>1000: 0.00006
      input@priority: 0.00003
      input>1000@priority: 0.00005
      input@batch: 0.000004
      search_low: 0.01
      search_medium: 0.02
      search_high: 0.03
      x_geo_us: 1.1
      x_speed_fast: 2
  bare:
    prices: {input: 0.00001, output: 0.00002}
  ranged:
    prices: {output: 0.00009}
    ranges:
      - {above: 0, up_to: 100, prices: {input: 0.00001, output: 0.00002}}
      - {above: 100, up_to: 200, prices: {input: 0.00003}}
  night:
    prices: {input: 0.00001, output: 0.00002}
    off_peak:
      zone: "+08:00"
      windows: [{days: [1], hours: ["22:00-02:00"]}]
      prices: {input: 0.000005}
  dated:
    - prices: {input: 0.00001}
    - effective_from: 2026-06-01
      prices: {input: 0.00002}
  pictures:
    prices: {output_image: 0.04, input_pixel: 0.0000001, output_video_second: 0.3}
  painter:
    prices: {input: 0.00001, output_image_token: 0.00003}
  clips:
    prices: {output_second: 0.1, output_second_1080p: 0.25}
  ears:
    prices: {input_second: 0.0002, output_second: 0}
  reader:
    prices: {page: 0.001, annotation_page: 0.003}
  finder:
    ranges:
      - {from_results: 0, to_results: 25, prices: {query: 0.005}}
      - {from_results: 26, to_results: 100, prices: {query: 0.025}}
"#;

fn engine() -> PricingEngine {
    let engine = PricingEngine::new();
    engine.set_overrides("test", PRICES).unwrap();
    engine
}

fn usage(entries: &[(Unit, i64)]) -> Usage {
    entries
        .iter()
        .map(|(unit, count)| (*unit, Decimal::from(*count)))
        .collect()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn noon() -> Timestamp {
    at("2026-11-18T12:00:00Z")
}

fn cost(model: &str, entries: &[(Unit, i64)]) -> Option<Decimal> {
    priced(model, entries, |_| {}).cost_usd
}

fn priced(model: &str, entries: &[(Unit, i64)], edit: impl FnOnce(&mut PriceQuery<'_>)) -> CostResult {
    let usage = usage(entries);
    let mut query = PriceQuery::new(model, &usage, noon());
    edit(&mut query);
    engine().price(&query)
}

#[test]
fn cache_reads_and_writes_have_their_own_prices_by_lifetime() {
    let result = priced(
        "brain",
        &[
            (Unit::InputTokens, 1000),
            (Unit::CacheReadTokens, 300),
            (Unit::CacheWriteTokens, 200),
            (Unit::CacheWrite1hTokens, 50),
            (Unit::OutputTokens, 10),
        ],
        |_| {},
    );
    // 500 x 0.00001 + 300 x 0.000001 + 150 x 0.0000125 + 50 x 0.00002 + 10 x 0.00004
    assert_eq!(result.cost_usd, Some(dec!(0.008575)));
    assert_eq!(result.cost_confidence, CostConfidence::Computed);
    assert_eq!(
        (result.pricing_source, result.rung),
        (PricingSource::Custom, Rung::Custom)
    );
}

#[test]
fn a_cache_without_a_price_is_billed_as_input() {
    let entries = [
        (Unit::InputTokens, 100),
        (Unit::CacheReadTokens, 60),
        (Unit::CacheWriteTokens, 40),
    ];
    assert_eq!(cost("bare", &entries), Some(dec!(0.001)));
}

#[test]
fn above_a_threshold_the_whole_call_is_repriced_and_at_it_nothing_is() {
    assert_eq!(
        cost("brain", &[(Unit::InputTokens, 1000), (Unit::OutputTokens, 10)]),
        Some(dec!(0.0104))
    );
    assert_eq!(
        cost("brain", &[(Unit::InputTokens, 1001), (Unit::OutputTokens, 10)]),
        Some(dec!(0.02062))
    );
}

#[test]
fn a_tier_replaces_only_the_prices_that_it_lists() {
    let entries = [(Unit::InputTokens, 100), (Unit::OutputTokens, 10)];
    let in_tier =
        |tier: &'static str| priced("brain", &entries, |query| query.service_tier = Some(tier)).cost_usd;
    assert_eq!(in_tier("priority"), Some(dec!(0.0034)));
    assert_eq!(in_tier("fast"), Some(dec!(0.0034)));
    for plain in ["default", "auto", "standard", "flex", "anything"] {
        assert_eq!(in_tier(plain), Some(dec!(0.0014)), "{plain}");
    }
    let above = priced("brain", &[(Unit::InputTokens, 2000)], |query| {
        query.service_tier = Some("PRIORITY");
    });
    assert_eq!(above.cost_usd, Some(dec!(0.1)));
}

#[test]
fn batch_takes_its_own_prices_and_halves_the_others() {
    let entries = [(Unit::InputTokens, 100), (Unit::OutputTokens, 10)];
    let batch = |model| priced(model, &entries, |query| query.call_type = CallType::Batch).cost_usd;
    assert_eq!(batch("brain"), Some(dec!(0.0006)));
    assert_eq!(batch("bare"), Some(dec!(0.0006)));
}

#[test]
fn audio_and_cached_audio_take_their_own_prices() {
    let entries = [
        (Unit::InputTokens, 100),
        (Unit::InputAudioTokens, 60),
        (Unit::CacheReadTokens, 30),
        (Unit::CacheReadAudioTokens, 20),
    ];
    // text 30, audio 40, cached text 10, cached audio 20
    assert_eq!(cost("brain", &entries), Some(dec!(0.00157)));
    assert_eq!(cost("bare", &entries), Some(dec!(0.001)));
}

#[test]
fn reasoning_is_part_of_the_output_at_its_own_price() {
    let entries = [(Unit::OutputTokens, 100), (Unit::ReasoningTokens, 40)];
    assert_eq!(cost("brain", &entries), Some(dec!(0.0044)));
    assert_eq!(cost("bare", &entries), Some(dec!(0.002)));
}

#[test]
fn a_range_table_prices_the_whole_call_and_its_last_range_has_no_end() {
    assert_eq!(
        cost("ranged", &[(Unit::InputTokens, 100), (Unit::OutputTokens, 10)]),
        Some(dec!(0.0012))
    );
    assert_eq!(
        cost("ranged", &[(Unit::InputTokens, 101), (Unit::OutputTokens, 10)]),
        Some(dec!(0.00393))
    );
    assert_eq!(cost("ranged", &[(Unit::InputTokens, 1000)]), Some(dec!(0.03)));
}

#[test]
fn factors_apply_to_tokens_and_not_to_fees() {
    let entries = [(Unit::InputTokens, 100), (Unit::WebSearchRequests, 1)];
    let result = priced("brain", &entries, |query| {
        query.geo = Some("us");
        query.speed = Some("fast");
    });
    assert_eq!(result.cost_usd, Some(dec!(0.0222)));
}

#[test]
fn regional_hosts_bring_their_factor() {
    let engine = PricingEngine::new();
    let prices = "models: {near: {prices: {input: 0.0001, x_regional: 1.1, x_residency_eu: 1.2}}}";
    engine.set_overrides("test", prices).unwrap();
    let usage = usage(&[(Unit::InputTokens, 100)]);
    let on = |provider, host| {
        let query = PriceQuery {
            provider: Some(provider),
            host: Some(host),
            ..PriceQuery::new("near", &usage, noon())
        };
        engine.price(&query).cost_usd
    };
    assert_eq!(
        on("vertex_ai", "us-east5-aiplatform.googleapis.com"),
        Some(dec!(0.011))
    );
    assert_eq!(on("vertex_ai", "aiplatform.googleapis.com"), Some(dec!(0.01)));
    assert_eq!(on("openai", "eu.api.openai.com"), Some(dec!(0.012)));
    assert_eq!(on("openai", "api.openai.com"), Some(dec!(0.01)));
}

#[test]
fn a_search_costs_by_the_size_of_its_context() {
    let search = |size| {
        priced("brain", &[(Unit::WebSearchRequests, 2)], |query| {
            query.search_context_size = size;
        })
        .cost_usd
    };
    assert_eq!(search(Some("low")), Some(dec!(0.02)));
    assert_eq!(search(Some("high")), Some(dec!(0.06)));
    assert_eq!(search(None), Some(dec!(0.04)));
    assert_eq!(search(Some("default")), Some(dec!(0.04)));
}

#[test]
fn what_is_not_billed_by_tokens_has_its_own_units() {
    let of = |model, kind, entries: &[(Unit, i64)]| {
        priced(model, entries, |query| query.call_type = kind).cost_usd
    };
    assert_eq!(
        of("pictures", CallType::ImageGeneration, &[(Unit::Images, 3)]),
        Some(dec!(0.12))
    );
    assert_eq!(
        of("pictures", CallType::Video, &[(Unit::VideoSeconds, 5)]),
        Some(dec!(1.5))
    );
    assert_eq!(
        of("ears", CallType::Transcription, &[(Unit::AudioSeconds, 10)]),
        Some(dec!(0.002))
    );
    assert_eq!(
        of(
            "reader",
            CallType::Ocr,
            &[(Unit::Pages, 4), (Unit::AnnotationPages, 2)]
        ),
        Some(dec!(0.01))
    );
    assert_eq!(
        of(
            "finder",
            CallType::Search,
            &[(Unit::Queries, 1), (Unit::MaxResults, 26)]
        ),
        Some(dec!(0.025))
    );
    assert_eq!(
        of(
            "finder",
            CallType::Search,
            &[(Unit::Queries, 2), (Unit::MaxResults, 500)]
        ),
        Some(dec!(0.05))
    );
    let sharp = priced("clips", &[(Unit::VideoSeconds, 2)], |query| {
        query.call_type = CallType::Video;
        query.resolution = Some("1080p");
    });
    assert_eq!(sharp.cost_usd, Some(dec!(0.5)));
}

#[test]
fn a_model_that_lists_only_image_tokens_bills_all_its_output_as_such() {
    let entries = [(Unit::OutputTokens, 100), (Unit::OutputImageTokens, 60)];
    assert_eq!(cost("painter", &entries), Some(dec!(0.003)));
}

#[test]
fn a_component_without_a_price_is_listed_and_the_rest_is_summed() {
    let result = priced(
        "dated",
        &[(Unit::InputTokens, 100), (Unit::OutputTokens, 5)],
        |_| {},
    );
    assert_eq!(
        (result.cost_usd, result.cost_confidence),
        (Some(dec!(0.002)), CostConfidence::Unknown)
    );
    assert_eq!(result.unpriced.as_slice(), ["output_tokens"]);
}

#[test]
fn no_usage_is_unknown_and_an_explicit_zero_is_zero() {
    let nothing = priced("bare", &[], |_| {});
    assert_eq!(
        (nothing.cost_usd, nothing.cost_confidence),
        (None, CostConfidence::Unknown)
    );
    let zero = priced("bare", &[(Unit::InputTokens, 0)], |_| {});
    assert_eq!(
        (zero.cost_usd, zero.cost_confidence),
        (Some(Decimal::ZERO), CostConfidence::Computed)
    );
}

#[test]
fn impossible_usage_is_clamped_and_lowers_the_confidence() {
    let result = priced(
        "bare",
        &[(Unit::InputTokens, 10), (Unit::CacheReadTokens, 50)],
        |_| {},
    );
    assert_eq!(
        (result.cost_usd, result.cost_confidence),
        (Some(dec!(0.0001)), CostConfidence::Estimated)
    );
}

#[test]
fn an_amount_that_does_not_fit_is_unknown_with_a_reason() {
    let engine = PricingEngine::new();
    let fine = "models: {fine: {prices: {input: 0.0000000000000000000000000001, request: 0}}}";
    engine.set_overrides("test", fine).unwrap();
    let usage = Usage::new()
        .with(Unit::InputTokens, u64::MAX)
        .with(Unit::OutputTokens, 0);
    let priced = engine.price(&PriceQuery::new("fine", &usage, noon()));
    assert_eq!(priced.cost_confidence, CostConfidence::Computed);
    let wide = "models: {wide: {prices: {input: 0.0001234567890123456789012345, output: 0.0009}}}";
    engine.set_overrides("test", wide).unwrap();
    let priced = engine.price(&PriceQuery::new("wide", &usage, noon()));
    assert_eq!(
        (priced.cost_usd, priced.cost_confidence),
        (None, CostConfidence::Unknown)
    );
    assert_eq!(priced.unpriced.as_slice(), ["input_tokens: overflow"]);
}

#[test]
fn explaining_shows_the_steps_and_the_same_sum() {
    let usage = usage(&[(Unit::InputTokens, 2000), (Unit::OutputTokens, 10)]);
    let query = PriceQuery {
        service_tier: Some("priority"),
        ..PriceQuery::new("brain", &usage, noon())
    };
    let explanation = engine().explain(&query);
    let text = explanation.to_string();
    for step in [
        "tier priority",
        "above 1000",
        "2000 x 0.00005 = 0.1",
        "total 0.1006 USD",
    ] {
        assert!(text.contains(step), "{step}: {text}");
    }
}
