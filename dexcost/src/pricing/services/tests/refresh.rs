//! Replacing the table.

use super::Talk;
use crate::Timestamp;
use crate::dec;
use crate::pricing::services::ServiceCatalog;

fn document(rows: &[String]) -> String {
    format!(
        r#"{{"format":"dexcost-services/1","as_of":"2027-01-01","rows":[{}]}}"#,
        rows.join(",\n")
    )
}

fn rows(count: usize, price: &str) -> Vec<String> {
    (0..count)
        .map(|at| {
            format!(
                r#"{{"hosts":"h{at}.new.test","service":"new","category":"c","rule":"per_request","unit":"request","price":"{price}","confidence":"high","as_of":"2027-01-01","source":"x"}}"#
            )
        })
        .collect()
}

#[test]
fn a_good_table_takes_over_and_the_users_rates_stay() {
    let catalog = ServiceCatalog::new();
    let handle = catalog.clone();
    catalog.register_domain_rate("mine.test", "7", "request").unwrap();
    let (version, size) = (catalog.version(), catalog.len());
    assert!(catalog.is_bundled());
    let begun = Talk::get("https://ipinfo.io/8.8.8.8", "{}")
        .found(&catalog)
        .unwrap();
    catalog.replace_with(&document(&rows(size, "0.5"))).unwrap();
    assert!(!handle.is_bundled());
    assert_ne!(handle.version(), version);
    assert_eq!(handle.version().len(), 12);
    assert_eq!(handle.as_of(), "2027-01-01");
    // 2027-01-31, and a day of the year before.
    assert_eq!(
        handle.days_old(Timestamp::from_unix_micros(1_801_353_600_000_000)),
        30
    );
    assert_eq!(
        handle.days_old(Timestamp::from_unix_micros(1_798_000_000_000_000)),
        0
    );
    assert_eq!(
        Talk::get("https://h3.new.test/", "")
            .cost_in(&handle)
            .unwrap()
            .cost_usd,
        Some(dec!(0.5))
    );
    assert_eq!(
        Talk::get("https://mine.test/", "")
            .cost_in(&handle)
            .unwrap()
            .cost_usd,
        Some(dec!(7))
    );
    assert_eq!(
        Talk::get("https://ipinfo.io/8.8.8.8", "{}").cost_in(&handle),
        None
    );
    let late = begun.cost(&crate::pricing::ServiceBodies::default()).unwrap();
    assert_eq!((late.cost_usd, late.version), (Some(dec!(0.0004)), version));
}

#[test]
fn a_bad_table_replaces_nothing() {
    let catalog = ServiceCatalog::new();
    let size = catalog.len();
    let good = document(&rows(size, "0.5"));
    let with = |from: &str, to: &str| good.replacen(from, to, 1);
    for (why, bad) in [
        ("empty", String::new()),
        ("no JSON", "<html>".to_owned()),
        ("cut off", good[..good.len() / 2].to_owned()),
        ("another format", with("dexcost-services/1", "dexcost-services/2")),
        ("no date", with("2027-01-01\",\"rows", "soon\",\"rows")),
        ("older", with("2027-01-01\",\"rows", "2020-01-01\",\"rows")),
        ("no rows", document(&[])),
        ("too few rows", document(&rows(size / 3, "0.5"))),
        ("an open host", with("h0.new.test", "*.test")),
        ("a negative price", with(r#""price":"0.5""#, r#""price":"-0.5""#)),
        ("an absurd price", with(r#""price":"0.5""#, r#""price":"5000""#)),
        (
            "a price that is a number",
            with(r#""price":"0.5""#, r#""price":0.5"#),
        ),
        ("a rule that is none", with("per_request", "per_whim")),
        ("a field that is none", with(r#""category""#, r#""categories""#)),
        ("a row without source", with(r#""source":"x""#, r#""source":"""#)),
        (
            "a formula that is none",
            with(r#""price""#, r#""quantity":["body:a +"],"price""#),
        ),
        (
            "a formula nested too deep",
            with(
                r#""price""#,
                &format!(r#""quantity":["{}1"],"price""#, "up(".repeat(60)),
            ),
        ),
    ] {
        assert!(catalog.replace_with(&bad).is_err(), "{why}");
        assert!(catalog.is_bundled(), "{why}");
    }
    catalog.replace_with(&format!(r#"{{"data":{good}}}"#)).unwrap();
    assert_eq!(catalog.len(), size);
}

#[test]
fn the_bundled_table_may_be_served_as_it_is() {
    let Ok(text) = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../data/services.json"))
    else {
        return;
    };
    let catalog = ServiceCatalog::new();
    let (version, size) = (catalog.version(), catalog.len());
    catalog.replace_with(&text).unwrap();
    assert_eq!((catalog.version(), catalog.len()), (version, size));
    let rows = include_str!("../bundled.jsonl").lines().skip(1);
    for row in rows {
        assert!(text.contains(row), "data/pack.py has not been run: {row:.80}");
    }
}
