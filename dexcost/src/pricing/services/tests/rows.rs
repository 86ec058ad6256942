//! Every row of the bundled catalog.

use std::collections::BTreeSet;

use crate::pricing::services::table::Table;
use crate::pricing::services::{ServiceCatalog, ServiceRule};

#[test]
fn every_row_can_be_read() {
    let table = Table::bundled();
    assert_eq!(table.rows().count(), table.len());
    let services: BTreeSet<_> = table.rows().map(|row| &*row.service).collect();
    assert!(services.len() >= 195, "{}", services.len());
    let observers = table.rows().filter(|row| row.rule == ServiceRule::Observe);
    assert_eq!(observers.count(), 28);
    assert_eq!(table.version.len(), 12);
}

/// A host that the pattern takes.
fn example(pattern: &str) -> String {
    pattern.replace('*', "x1")
}

#[test]
fn every_pattern_takes_its_own_and_none_a_foreign_host() {
    let catalog = ServiceCatalog::new();
    let index = &Table::bundled().index;
    let patterns: BTreeSet<String> = index.patterns().into_iter().collect();
    assert!(patterns.len() > 230, "{}", patterns.len());
    for pattern in patterns {
        let own = example(&pattern);
        assert!(!index.find(&own).is_empty(), "{pattern} does not take {own}");
        let labels: Vec<&str> = own.split('.').collect();
        let registered = labels[labels.len() - 2..].join(".");
        for foreign in [
            format!("{own}.evil.test"),
            format!("{own}.example.com"),
            format!("evil{registered}"),
            format!("evil-{registered}"),
            format!("api.evil{registered}"),
            format!("{registered}.evil.test"),
            registered.replace('.', "-") + ".com",
            format!("{registered}x"),
            format!("{}.test", labels[labels.len() - 2]),
        ] {
            assert!(
                catalog.lookup(&format!("https://{foreign}/v1/search")).is_none(),
                "{foreign}"
            );
        }
        if !pattern.contains('*') {
            let evil = format!("evil{own}");
            for (row, _) in index.find(&evil) {
                let row = Table::bundled().row(row).unwrap();
                assert!(
                    row.hosts.contains("*."),
                    "{pattern}: evil{own} is taken by {}",
                    row.hosts
                );
            }
        }
    }
}

#[test]
fn user_info_ports_and_queries_do_not_make_a_foreign_host_known() {
    let catalog = ServiceCatalog::new();
    for url in [
        "https://api.stripe.com@evil.test/v1/charges",
        "https://evil.test/?u=https://api.stripe.com/v1/charges",
        "https://evil.test#@api.stripe.com/v1/charges",
        "https://evil.test:443/api.stripe.com/v1/charges",
        "https://api.stripe.com\\@evil.test/v1/charges",
        "https://localhost/v1/charges",
        "https://127.0.0.1/v1/charges",
        "https://[::1]/v1/charges",
        "https://.com/",
        "https://./",
        "https://",
        "",
    ] {
        assert!(catalog.lookup(url).is_none(), "{url}");
    }
    for url in [
        "https://me:pw@api.stripe.com:443/v1/charges",
        "api.stripe.com./v1/charges",
    ] {
        assert!(catalog.lookup(url).is_some(), "{url}");
    }
}

#[test]
fn no_two_rows_about_the_same_requests_disagree() {
    let table = Table::bundled();
    let rows: Vec<_> = table
        .rows()
        .filter(|row| row.rule != ServiceRule::Observe)
        .collect();
    for (at, row) in rows.iter().enumerate() {
        for other in &rows[at + 1..] {
            if row.matching == other.matching {
                assert_eq!(row.service, other.service, "{}", row.matching);
                let is_one_price = row.rule == ServiceRule::Reported || row.unit != other.unit;
                assert!(is_one_price, "{}: two prices for one {}", row.matching, row.unit);
            }
        }
    }
}
