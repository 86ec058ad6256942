//! Which row applies, and what the user's rates do.

use proptest::prelude::*;

use super::Talk;
use crate::dec;
use crate::event::{CostConfidence, PricingSource};
use crate::pricing::services::{ServiceCatalog, ServiceGap, ServiceKind};

#[test]
fn the_most_specific_host_and_path_wins() {
    for (method, url, service) in [
        (
            "GET",
            "https://www.googleapis.com/customsearch/v1?q=x",
            "google_custom_search",
        ),
        (
            "GET",
            "https://www.googleapis.com/youtube/v3/search",
            "youtube_data_api",
        ),
        ("POST", "https://api.vercel.com/v1/sandboxes", "vercel_sandbox"),
        ("POST", "https://api.vercel.com/v13/deployments", "vercel_api"),
        (
            "POST",
            "https://x.cognitiveservices.azure.com/vision/v3.2/analyze",
            "azure_computer_vision",
        ),
        (
            "GET",
            "https://my.bucket.s3.eu-west-1.amazonaws.com/key",
            "aws_s3",
        ),
        (
            "POST",
            "https://api.together.ai/v1/chat/completions",
            "together_ai",
        ),
        (
            "POST",
            "https://us1-merry-cat-1-kafka.upstash.io/topics/x",
            "upstash_kafka",
        ),
        (
            "POST",
            "https://us1-merry-cat-1.upstash.io/set/a/b",
            "upstash_redis",
        ),
        (
            "POST",
            "https://us-documentai.googleapis.com/v1/projects/p/locations/us/processors/1:process",
            "google_document_ai",
        ),
    ] {
        let talk = Talk {
            method,
            ..Talk::get(url, "")
        };
        let found = talk
            .found(&ServiceCatalog::new())
            .unwrap_or_else(|| panic!("{url}"));
        assert_eq!(found.service(), service, "{url}");
    }
}

#[test]
fn conditions_on_the_body_choose_among_rows_of_one_path() {
    let url = "https://api.exa.ai/search";
    for (request, usd) in [
        ("{}", dec!(0.007)),
        (r#"{"type":"instant"}"#, dec!(0.004)),
        (r#"{"type":"deep"}"#, dec!(0.012)),
        (r#"{"type":"deep-reasoning"}"#, dec!(0.015)),
    ] {
        assert_eq!(
            Talk::post(url, request, r#"{"results":[]}"#).cost().cost_usd,
            Some(usd),
            "{request}"
        );
    }
    let twelve = format!(r#"{{"results":[{}]}}"#, ["{}"; 12].join(","));
    assert_eq!(Talk::post(url, "{}", &twelve).cost().cost_usd, Some(dec!(0.009)));
}

#[test]
fn reads_writes_and_listings_of_a_bucket_differ() {
    let cost = |method, url| {
        let talk = Talk {
            method,
            ..Talk::get(url, "")
        };
        talk.cost_in(&ServiceCatalog::new()).map(|cost| cost.cost_usd)
    };
    let object = "https://b.s3.us-east-1.amazonaws.com/key";
    assert_eq!(cost("GET", object), Some(Some(dec!(0.0000004))));
    assert_eq!(cost("PUT", object), Some(Some(dec!(0.000005))));
    assert_eq!(cost("DELETE", object), None);
    for list in [
        "https://b.s3.us-east-1.amazonaws.com/?list-type=2",
        "https://b.s3.amazonaws.com/",
        "https://s3.eu-west-1.amazonaws.com/b",
    ] {
        assert_eq!(cost("GET", list), Some(Some(dec!(0.000005))), "{list}");
    }
    assert_eq!(
        cost("GET", "https://s3.eu-west-1.amazonaws.com/b/key"),
        Some(Some(dec!(0.0000004)))
    );
}

#[test]
fn a_registered_rate_comes_before_everything() {
    let catalog = ServiceCatalog::new();
    catalog
        .register_domain_rate("*.example.com", "0.02", "request")
        .unwrap();
    catalog
        .register_domain_rate("API.example.com", "0.01", "request")
        .unwrap();
    let cost = |url| Talk::get(url, "").cost_in(&catalog);
    let own = cost("https://api.example.com:8443/x").unwrap();
    assert_eq!(own.cost_usd, Some(dec!(0.01)));
    assert_eq!(own.source, PricingSource::RateRegistry);
    assert_eq!(
        (own.confidence, own.version.len()),
        (CostConfidence::Computed, 12)
    );
    assert_eq!(&*own.service, "api.example.com");
    assert_eq!(
        cost("https://b.c.example.com/").unwrap().cost_usd,
        Some(dec!(0.02))
    );
    assert_eq!(cost("https://example.com/"), None);
    catalog
        .register_domain_rate("api.exa.ai", "0.5", "request")
        .unwrap();
    let over_stated = Talk::post(
        "https://api.exa.ai/search",
        "{}",
        r#"{"costDollars":{"total":1}}"#,
    );
    assert_eq!(over_stated.cost_in(&catalog).unwrap().cost_usd, Some(dec!(0.5)));
    let failed = Talk {
        status: 500,
        ..over_stated
    };
    assert!(!failed.cost_in(&catalog).unwrap().billable);
}

#[test]
fn a_rate_for_a_unit_takes_the_quantity_from_the_catalog() {
    let catalog = ServiceCatalog::new();
    catalog
        .register_domain_rate("api.tavily.com", "0.005", "credit")
        .unwrap();
    let talk = Talk::post(
        "https://api.tavily.com/search",
        "{}",
        r#"{"usage":{"credits":4}}"#,
    );
    assert_eq!(talk.cost_in(&catalog).unwrap().cost_usd, Some(dec!(0.02)));
    catalog
        .register_domain_rate("api.tavily.com", "0.005", "furlong")
        .unwrap();
    let cost = talk.cost_in(&catalog).unwrap();
    assert_eq!((cost.cost_usd, cost.gap), (None, Some(ServiceGap::NotReported)));
    assert_eq!(cost.kind, ServiceKind::Priced);
}

#[test]
fn a_rate_that_cannot_be_meant_is_refused() {
    let catalog = ServiceCatalog::new();
    for (domain, cost, per) in [
        ("", "1", "request"),
        ("*.com", "1", "request"),
        ("a b.com", "1", "request"),
        ("https://a.com/x", "1", "request"),
        ("a.com", "-1", "request"),
        ("a.com", "much", "request"),
        ("a.com", "1", " "),
    ] {
        assert!(
            catalog.register_domain_rate(domain, cost, per).is_err(),
            "{domain} {cost} {per}"
        );
    }
    assert!(catalog.lookup("https://a.com/x").is_none());
}

/// Rows about one host that leave nothing to the order in which they stand.
const ROWS: [&str; 6] = [
    r#""paths":"/a","rule":"per_request","price":"1""#,
    r#""paths":"/a","methods":"POST","rule":"per_request","price":"2""#,
    r#""paths":"/a/**","rule":"per_request","price":"3""#,
    r#""paths":"/*","rule":"per_request","price":"4""#,
    r#""rule":"free""#,
    r#""paths":"/a","methods":"POST","when":["request:deep=true"],"rule":"per_request","price":"5""#,
];

fn row(body: &str, hosts: &str) -> String {
    format!(
        r#"{{"hosts":"{hosts}","service":"s","category":"c",{body},"confidence":"high","as_of":"2026","source":"x"}}"#
    )
}

proptest! {
    #[test]
    fn neither_order_nor_case_nor_slashes_change_what_applies(
        order in Just((0..ROWS.len()).collect::<Vec<_>>()).prop_shuffle(),
        upper in any::<[bool; 9]>(),
        slashes in 0usize..3,
        filler in 150usize..400,
    ) {
        let mut rows: Vec<String> = (0..filler).map(|at| row(ROWS[0], &format!("h{at}.other.test"))).collect();
        rows.extend(order.iter().map(|at| row(ROWS[*at], "api.here.test")));
        rows.push(row(ROWS[4], "*.here.test"));
        let catalog = ServiceCatalog::new();
        let document = format!(r#"{{"format":"dexcost-services/1","as_of":"2027-01-01","rows":[{}]}}"#, rows.join(","));
        catalog.replace_with(&document).unwrap();
        let host: String = "api.here.test".chars().enumerate()
            .map(|(at, c)| if upper[at % 9] { c.to_ascii_uppercase() } else { c })
            .collect();
        let tail = "/".repeat(slashes);
        for (method, path, request, usd) in [
            ("GET", "/a", "{}", Some(dec!(1))),
            ("POST", "/a", "{}", Some(dec!(2))),
            ("POST", "/a", r#"{"deep":true}"#, Some(dec!(5))),
            ("GET", "/a/b/c", "{}", Some(dec!(3))),
            ("GET", "/other", "{}", Some(dec!(4))),
            ("GET", "/x/y", "{}", Some(dec!(0))),
        ] {
            let url = format!("https://{host}{tail}{path}{tail}");
            let talk = Talk { method, ..Talk::post(&url, request, "{}") };
            prop_assert_eq!(talk.cost_in(&catalog).unwrap().cost_usd, usd, "{} {}", method, url);
        }
    }
}
