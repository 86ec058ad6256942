//! What a price costs: lookup, miss and whole bills, beside a `HashMap` of strings in the same run.
//!
//! `cargo bench -p dexcost --bench pricing [-- WORDS OF THE ROWS]`

#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its table"
)]

use std::collections::HashMap;
use std::hint::black_box;
use std::time::Instant;

use dexcost::capture::RequestFacts;
use dexcost::{
    Decimal, EgressDestination, EgressPricing, PriceQuery, PricingEngine, ServiceBodies, ServiceCatalog,
    Timestamp, Unit, Usage, dec,
};

const ROUNDS: usize = 400;
const CALLS: u32 = 2_000;

/// Nanoseconds a call: the median over rounds, and the 99th percentile of the rounds.
fn measure<T>(mut call: impl FnMut() -> T) -> (u64, u64) {
    let mut rounds: Vec<u64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..CALLS {
                // By reference: moving the answer is not part of the call.
                black_box(&call());
            }
            u64::try_from(start.elapsed().as_nanos() * 10 / u128::from(CALLS)).unwrap()
        })
        .collect();
    rounds.sort_unstable();
    (rounds[ROUNDS / 2], rounds[ROUNDS * 99 / 100])
}

/// Measures and prints one row, unless an argument asks for others.
fn row<T>(what: &str, budget: &str, call: impl FnMut() -> T) {
    let asked: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with("--"))
        .collect();
    if !asked.is_empty() && !asked.iter().any(|arg| what.contains(arg.as_str())) {
        return;
    }
    let (median, high) = measure(call);
    println!(
        "{what:<46} {:>6}.{} {:>6}.{}   {budget}",
        median / 10,
        median % 10,
        high / 10,
        high % 10
    );
}

fn main() {
    let engine = PricingEngine::new();
    let at = Timestamp::from_unix_micros(1_795_338_000_000_000);
    let nothing = Usage::new();
    let plain = Usage::new()
        .with(Unit::InputTokens, 1_234)
        .with(Unit::OutputTokens, 567);
    let complex = Usage::new()
        .with(Unit::InputTokens, 300_000)
        .with(Unit::CacheReadTokens, 100_000)
        .with(Unit::CacheWriteTokens, 20_000)
        .with(Unit::CacheWrite1hTokens, 5_000)
        .with(Unit::OutputTokens, 4_000)
        .with(Unit::ReasoningTokens, 1_500)
        .with(Unit::WebSearchRequests, 2);
    let query = |provider, model, usage| PriceQuery {
        provider,
        ..PriceQuery::new(model, usage, at)
    };
    let mut map: HashMap<String, (Decimal, Decimal)> = HashMap::new();
    for number in 0..5_000 {
        map.insert(format!("model-{number}"), (dec!(0.0000025), dec!(0.00001)));
    }
    map.insert("gpt-4o".to_owned(), (dec!(0.0000025), dec!(0.00001)));

    println!("{:<46} {:>8} {:>8}   budget", "ns a call", "p50", "p99");
    row("HashMap<String, _>: hit (baseline)", "", || {
        map.get(black_box("gpt-4o")).copied()
    });
    row("HashMap<String, _>: miss (baseline)", "", || {
        map.get(black_box("gpt-4o-mini-foo")).copied()
    });
    let hit = query(None, "gpt-4o", &nothing);
    row("lookup, hit", "<= 30", || engine.resolve(black_box(&hit)));
    let under = query(Some("groq"), "qwen/qwen3.8-27b", &nothing);
    row("lookup, hit under the provider's prefix", "<= 30", || {
        engine.resolve(black_box(&under))
    });
    let miss = query(Some("openai"), "gpt-4o-mini-foo", &nothing);
    row("lookup, miss of the whole ladder", "<= 80", || {
        engine.resolve(black_box(&miss))
    });
    let dated = query(Some("openai"), "gpt-9-turbo-2031-02-03", &nothing);
    row("lookup, miss of a dated name", "<= 80", || {
        engine.resolve(black_box(&dated))
    });
    let bedrock = query(Some("bedrock"), "us.acme.brain-20250101-v1:0", &nothing);
    row("lookup, miss of a Bedrock name", "<= 80", || {
        engine.resolve(black_box(&bedrock))
    });
    let price_plain = query(Some("openai"), "gpt-4o", &plain);
    row("price, input and output tokens", "<= 100", || {
        engine.price(black_box(&price_plain))
    });
    let price_complex = query(Some("vertex_ai"), "claude-sonnet-4-5@20250929", &complex);
    row("price, caches, threshold, reasoning, search", "", || {
        engine.price(black_box(&price_complex))
    });
    engine
        .set_custom_pricing("in-house-7b", "0.0002", "0.0006")
        .unwrap();
    row("price, with an overlay, bundled model", "", || {
        engine.price(black_box(&price_plain))
    });
    row("PricingEngine::new", "", PricingEngine::new);
    services();
}

/// The service catalog: what it costs a request that is none of its business, and one that is.
fn services() {
    row("ServiceCatalog::new", "", ServiceCatalog::new);
    let catalog = ServiceCatalog::new();
    let url = |url| RequestFacts::to_url("POST", url, &());
    let start = Instant::now();
    black_box(catalog.find(&url("https://example.com/")));
    let first = start.elapsed();
    let start = Instant::now();
    black_box(catalog.find(&url("https://api.tavily.com/search")));
    println!(
        "catalog, first request of all {first:?}, first of a service {:?}",
        start.elapsed()
    );
    let unknown = url("https://internal.example.com/v1/things/42?x=y");
    row("catalog, a host that no row is about", "<= 100", || {
        catalog.find(black_box(&unknown))
    });
    let crowded = url("https://bedrock-runtime.us-east-1.amazonaws.com/model/x/converse");
    row("catalog, an unknown host under a crowded name", "", || {
        catalog.find(black_box(&crowded))
    });
    let known = url("https://api.tavily.com/search");
    row("catalog, a service", "", || catalog.find(black_box(&known)));
    row("catalog, a service with its cost", "", || {
        let mut found = catalog.find(black_box(&known))?;
        found.response(200, &());
        found.cost(&ServiceBodies {
            reply: Some(br#"{"results":[],"usage":{"credits":2}}"#),
            ..ServiceBodies::default()
        })
    });
    let egress = EgressPricing::new();
    row("egress of a task", "", || {
        egress.cost(
            "aws",
            Some("sa-east-1"),
            EgressDestination::Internet,
            black_box(123_456),
        )
    });
}
