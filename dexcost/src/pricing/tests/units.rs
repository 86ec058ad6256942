//! Units other than tokens: charged in every kind of call where they are priced, incomplete where they are not.

use super::*;
use crate::event::CallType;
use crate::pricing::table::{self, Code, Component};

/// Units, and the components that may bill them.
const BILLED: &[(Unit, &[Component])] = &[
    (Unit::Queries, &[Component::Query]),
    (Unit::SearchUnits, &[Component::Query]),
    (Unit::Requests, &[Component::Request]),
    (Unit::Pages, &[Component::Page]),
    (Unit::InputCharacters, &[Component::InputCharacter]),
    (Unit::Images, &[Component::InputImage, Component::OutputImage]),
    (
        Unit::AudioSeconds,
        &[
            Component::InputAudioSecond,
            Component::InputSecond,
            Component::OutputSecond,
        ],
    ),
    (
        Unit::VideoSeconds,
        &[Component::InputVideoSecond, Component::OutputVideoSecond],
    ),
    (Unit::ComputeSeconds, &[Component::WallSecond]),
];

#[test]
fn a_unit_that_a_model_prices_is_charged_in_every_kind_of_call() {
    let engine = PricingEngine::new();
    let mut charged = 0;
    for name in (0..table::len()).filter_map(table::Name::at) {
        let row = name.row(noon().unix_millis() / 1000);
        if row.is_refused() || row.is_legacy() {
            continue;
        }
        for (unit, components) in BILLED {
            let priced = components.iter().any(|component| {
                row.rates()
                    .get(Code::plain(*component))
                    .is_some_and(|usd| !usd.is_zero())
            });
            let usage = Usage::new().with(*unit, 20);
            for call_type in CallType::ALL {
                let query = PriceQuery {
                    call_type: *call_type,
                    ..PriceQuery::new(name.as_str(), &usage, noon())
                };
                let result = engine.price(&query);
                let is_charged = result.cost_usd.is_some_and(|usd| !usd.is_zero());
                let is_incomplete = result.cost_confidence == CostConfidence::Unknown;
                if priced {
                    assert!(
                        is_charged || is_incomplete,
                        "{} {unit:?} {call_type:?}",
                        name.as_str()
                    );
                    charged += u32::from(is_charged);
                }
                // What is not priced is never zero without a mark, but where a price of zero is listed.
                let lists_zero = || {
                    (0..row.rates().len()).any(|at| row.rates().nth(at).is_some_and(|(_, usd)| usd.is_zero()))
                };
                let is_silent_zero = result.cost_usd.is_some_and(|usd| usd.is_zero()) && !is_incomplete;
                assert!(
                    !is_silent_zero || lists_zero() || result.rung == Rung::LocalFree,
                    "{} {unit:?} {call_type:?}",
                    name.as_str()
                );
            }
        }
    }
    assert!(charged > 4_000, "{charged}");
}

#[test]
fn a_query_of_an_embedding_model_is_charged_beside_and_without_tokens() {
    // 0.00007 a query, 2 of them.
    let result = priced(
        "twelvelabs.marengo-embed-2-7-v1:0",
        &[(Unit::Queries, 2)],
        |query| {
            query.call_type = CallType::Embedding;
        },
    );
    assert_eq!(
        (result.cost_usd, result.cost_confidence),
        (Some(dec!(0.00014)), CostConfidence::Computed)
    );
}

#[test]
fn a_least_quantity_is_billed_and_raises_no_larger_one() {
    let cost = |provider, seconds: rust_decimal::Decimal| {
        let usage = Usage::new().with(Unit::AudioSeconds, seconds);
        let query = PriceQuery {
            provider: Some(provider),
            call_type: CallType::Transcription,
            ..PriceQuery::new("whisper-large-v3", &usage, noon())
        };
        PricingEngine::new().price(&query).cost_usd
    };
    // 0.00003083 a second, ten at least.
    assert_eq!(cost("groq", dec!(2.5)), Some(dec!(0.0003083)));
    assert_eq!(cost("groq", dec!(10)), Some(dec!(0.0003083)));
    assert_eq!(cost("groq", dec!(25)), Some(dec!(0.00077075)));
    assert_eq!(cost("groq", dec!(0)), Some(dec!(0)));
}

#[test]
fn a_container_costs_by_its_memory() {
    let cost = |memory| {
        let usage = Usage::new().with(Unit::CodeInterpreterSessions, 1);
        let query = PriceQuery {
            provider: Some("openai"),
            container_memory: memory,
            call_type: CallType::Responses,
            ..PriceQuery::new("gpt-4.1", &usage, noon())
        };
        let result = PricingEngine::new().price(&query);
        (result.cost_usd, result.cost_confidence)
    };
    for (memory, usd) in [
        (None, dec!(0.03)),
        (Some("1g"), dec!(0.03)),
        (Some("4g"), dec!(0.12)),
        (Some("16g"), dec!(0.48)),
        (Some("64g"), dec!(1.92)),
    ] {
        assert_eq!(cost(memory), (Some(usd), CostConfidence::Computed), "{memory:?}");
    }
    assert_eq!(cost(Some("3t")), (None, CostConfidence::Unknown));
}
