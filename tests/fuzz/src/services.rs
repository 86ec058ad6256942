//! Calls of priced services, and the catalogs that price them.

use std::sync::LazyLock;

use dexcost::capture::RequestFacts;
use dexcost::testing::MemorySink;
use dexcost::{CostTracker, Ending, Observation, ServiceCatalog};

use crate::input::{line, request_and_reply, split};

static TRACKER: LazyLock<CostTracker> = LazyLock::new(|| MemorySink::new().tracker());

/// A request to every row of the bundled catalog: its first method, host and path, with something in
/// place of what is open.
static REQUESTS: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let rows = include_str!("../../../dexcost/src/pricing/services/bundled.jsonl").lines();
    let first = |row: &serde_json::Value, name: &str, otherwise: &str| {
        let words = row[name].as_str().unwrap_or(otherwise);
        words.split(' ').next().unwrap_or(otherwise).replace('*', "any")
    };
    rows.filter_map(|row| serde_json::from_str::<serde_json::Value>(row).ok())
        .filter(|row| row["hosts"].is_string())
        .map(|row| {
            let (host, path) = (first(&row, "hosts", ""), first(&row, "paths", "/"));
            let path = path.replace(['{', '}'], "");
            (first(&row, "methods", "POST"), format!("https://{host}{path}"))
        })
        .collect()
});

/// A call of a priced service: the first line is method and URL, then header fields of the reply up to
/// an empty line, then request and reply. A line that is no URL stands for some row of the catalog.
pub fn service_call(data: &[u8]) {
    let ([high, low, chunk], rest) = split(data);
    let (first, rest) = line(rest);
    let first = String::from_utf8_lossy(first);
    let number = usize::from(high) * 256 + usize::from(low);
    let some = &REQUESTS[number % REQUESTS.len()];
    let (method, url) = match first.split_once(' ') {
        Some((method, url)) if url.starts_with("https://") => (method, url),
        _ => (&*some.0, &*some.1),
    };
    let (fields, bodies) = header_fields(rest);
    let (request, reply) = request_and_reply(bodies);
    let observe = |chunk: usize| {
        let mut exchange = TRACKER.begin_exchange(&RequestFacts::to_url(method, url, &()));
        request
            .chunks(chunk)
            .for_each(|piece| exchange.request_data(piece));
        exchange.response(200, &&fields[..]);
        reply.chunks(chunk).for_each(|piece| exchange.data(piece));
        exchange.took(1_500);
        exchange.settle(Ending::Done)
    };
    let (whole, pieces): (Observation, Observation) =
        (observe(usize::MAX), observe(usize::from(chunk).max(1)));
    if whole.body_trouble.is_none() && pieces.body_trouble.is_none() {
        assert_eq!(pieces, whole, "{method} {url}: chunks of {chunk} differ");
    }
    if let Some(service) = &whole.service {
        let is_owed = |usd: rust_decimal::Decimal| usd.is_zero() || usd.is_sign_positive();
        assert!(
            service.cost_usd.is_none_or(is_owed),
            "{method} {url}: {:?}",
            service.cost_usd
        );
    }
}

fn header_fields(mut rest: &[u8]) -> (Vec<(String, Vec<u8>)>, &[u8]) {
    let mut fields = Vec::new();
    loop {
        let (field, after) = line(rest);
        let Some(at) = field.iter().position(|byte| *byte == b':') else {
            return (fields, if field.is_empty() { after } else { rest });
        };
        let name = String::from_utf8_lossy(&field[..at]).to_ascii_lowercase();
        // A coding that lies is the business of another target.
        if name != "content-encoding" {
            fields.push((name, field[at + 1..].trim_ascii().to_vec()));
        }
        rest = after;
    }
}

/// A catalog as somebody else wrote it: taken as a whole or not at all.
pub fn service_catalog(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let catalog = ServiceCatalog::new();
    let (version, rows) = (catalog.version(), catalog.len());
    let is_taken = catalog.replace_with(&text).is_ok();
    assert_eq!(catalog.is_bundled(), !is_taken);
    if !is_taken {
        assert_eq!((catalog.version(), catalog.len()), (version, rows));
    }
    // A table that is refused for its size alone was read all the same; one that is large enough is used.
    if let Some((head, row)) = text.split_once("\"rows\":[") {
        let row = row.trim_end_matches(|c: char| "]} \n".contains(c));
        let many = vec![format!("{row}}}"); rows].join(",");
        if catalog
            .replace_with(&format!("{head}\"rows\":[{many}]}}"))
            .is_ok()
        {
            let _anything = catalog.lookup("https://api.example.com/v1/things?x=1");
            assert_ne!(catalog.version().len(), 0);
        }
    }
}
