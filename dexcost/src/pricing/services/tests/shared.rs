//! The table of price facts from which the rows were written, where it is at hand.

use crate::pricing::services::row::{Row, Trust};
use crate::pricing::services::table::Table;

/// The records of a CSV text, quotes taken off.
pub(in crate::pricing) fn csv_records(text: &str) -> impl Iterator<Item = Vec<String>> {
    let mut rest = text.chars().peekable();
    std::iter::from_fn(move || {
        rest.peek()?;
        let (mut record, mut field, mut quoted) = (Vec::new(), String::new(), false);
        while let Some(character) = rest.next() {
            match character {
                '"' if quoted && rest.peek() == Some(&'"') => {
                    field.push('"');
                    rest.next();
                }
                '"' => quoted = !quoted,
                ',' if !quoted => record.push(std::mem::take(&mut field)),
                '\n' if !quoted => break,
                '\r' if !quoted => {}
                _ => field.push(character),
            }
        }
        record.push(field);
        Some(record)
    })
}

#[test]
#[allow(clippy::print_stdout, reason = "a test that skips says so")]
fn every_listed_row_survives_with_its_source_and_date() {
    let Some(shared) = std::env::var_os("DEXCOST_SHARED") else {
        println!("SKIPPED every_listed_row_survives_with_its_source_and_date: DEXCOST_SHARED is not set");
        return;
    };
    let text = std::fs::read_to_string(std::path::Path::new(&shared).join("prices/services.csv")).unwrap();
    let table = Table::bundled();
    let mut seen = 0;
    for record in csv_records(&text).skip(1) {
        let [
            domains,
            service,
            category,
            _,
            rule,
            unit,
            usd,
            _,
            confidence,
            as_of,
            source,
            _,
            _,
            note,
        ] = &record[..]
        else {
            panic!("{record:?}");
        };
        seen += 1;
        let is_it = |row: &&Row| {
            *row.service == **service
                && *row.category == **category
                && row.rule.as_str() == rule
                && *row.unit == **unit
                && *row.price_text == **usd
                && trust(row.trust) == confidence
                && *row.as_of == **as_of
                && *row.source == **source
                && *row.note == **note
        };
        let rows: Vec<&Row> = table.rows().filter(is_it).collect();
        assert!(!rows.is_empty(), "{record:?}");
        for domain in domains.split(' ') {
            let host = domain.replace('*', "x1");
            let is_taken = table
                .index
                .find(&host)
                .iter()
                .any(|(row, _)| *table.row(*row).unwrap().service == **service);
            assert!(
                is_taken || service == "upstash_kafka",
                "{service} does not take {domain}"
            );
        }
    }
    assert!(seen > 200, "{seen}");
}

const fn trust(trust: Trust) -> &'static str {
    match trust {
        Trust::High => "high",
        Trust::Medium => "medium",
        Trust::Low => "low",
    }
}

#[test]
#[allow(clippy::print_stdout, reason = "a test that skips says so")]
fn every_listed_observer_survives() {
    let Some(shared) = std::env::var_os("DEXCOST_SHARED") else {
        println!("SKIPPED every_listed_observer_survives: DEXCOST_SHARED is not set");
        return;
    };
    let path = std::path::Path::new(&shared).join("contract/service-usage-observers.json");
    let manifest: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for observer in manifest["observers"].as_array().unwrap() {
        let text = |name: &str| observer[name].as_str().unwrap();
        let row = Table::bundled()
            .rows()
            .find(|row| row.observer.is_some() && *row.service == *text("service_key"))
            .unwrap_or_else(|| panic!("{observer}"));
        let ours = row.observer.as_ref().unwrap();
        assert_eq!(
            (&*ours.provider, &*ours.service),
            (text("provider_name"), text("provider_service"))
        );
        assert_eq!(
            (&*row.unit, &*row.source),
            (text("usage_metric"), text("source_url"))
        );
        assert_eq!(
            (&*row.category, &*ours.resource_type),
            (text("component"), text("resource_type"))
        );
        let domains: Vec<&str> = observer["domains"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|d| d.as_str())
            .collect();
        assert_eq!(&*row.hosts, domains.join(" "));
    }
}
