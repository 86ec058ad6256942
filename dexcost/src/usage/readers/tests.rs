//! Tests of readers: bodies and streams by hand, scanned as the exchange scans them.

use rust_decimal::Decimal;

use super::{Dialect, Reading, Route, Setup, UsageQuirks, WireForm};
use crate::usage::Unit;
use crate::usage::framing::{Json, Scanner};
use crate::wire::RequestFacts;

/// A reader of what a POST to this address answers, with these header fields.
pub(super) fn answer_of<R>(url: &str, headers: &[(&str, &str)], make: impl Fn(&Setup<'_>) -> R) -> R {
    let (authority, path) = url.split_at(url.find('/').unwrap());
    make(&Setup {
        route: &Route::of("POST", authority, path).unwrap(),
        quirks: UsageQuirks::default(),
        may_compact: &|| false,
        headers: &headers,
    })
}

/// What a reader makes of a body.
pub(super) fn body(mut reader: impl WireForm, text: &str) -> Reading {
    let mut scanner = Scanner::new(reader.keep());
    scanner.feed(text.as_bytes());
    let root = Json::new(scanner.skeleton());
    if root.is_object() {
        reader.read_body(root);
    }
    for element in root.items() {
        reader.read_body(element);
    }
    reader.finish()
}

/// What a reader makes of the events of a stream, each seen as it came and as its skeleton.
pub(super) fn stream<R: WireForm>(make: impl Fn() -> R, events: &[&str]) -> Reading {
    let (mut whole, mut scanned) = (make(), make());
    for event in events {
        if *event == "[DONE]" {
            whole.close();
            scanned.close();
            continue;
        }
        let mut scanner = Scanner::new(scanned.keep());
        scanner.feed(event.as_bytes());
        whole.event(event.as_bytes());
        scanned.event(scanner.skeleton());
    }
    let (whole, scanned) = (whole.finish(), scanned.finish());
    assert_eq!(format!("{whole:?}"), format!("{scanned:?}"));
    whole
}

/// A quantity that was read.
pub(super) fn count(seen: &Reading, unit: Unit) -> Option<Decimal> {
    seen.usage.get(unit)
}

/// Where the fuzz targets send their requests.
const FUZZED: &str = include_str!("../../../../tests/fuzz/src/forms.txt");

#[test]
fn every_wire_form_is_fuzzed_at_an_address_that_leads_to_it() {
    let mut fuzzed = Vec::new();
    for line in FUZZED.lines().filter(|line| !line.starts_with('#')) {
        let (name, url) = line.split_once(' ').unwrap();
        let method = if url.contains("/resp_1") { "GET" } else { "POST" };
        let fields: &[(&str, &str)] = match name {
            "Mcp" => &[("mcp-protocol-version", "2025-11-25")],
            _ => &[],
        };
        let route = Route::of_request(&RequestFacts::to_url(method, url, &fields)).unwrap();
        assert_eq!(format!("{:?}", route.dialect), name, "{url}");
        fuzzed.push(route.dialect);
    }
    for form in Dialect::READ {
        assert!(fuzzed.contains(form), "{form:?} has no line in forms.txt");
    }
}
