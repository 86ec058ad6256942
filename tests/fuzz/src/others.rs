//! Files, URLs, amounts and events as others wrote them.

use dexcost::capture::{Exchange, RequestFacts};
use dexcost::{Ending, Event, PricingEngine, RateRegistry, money, scrub_url};

/// Rates and price overrides: refused or read, and what was read can be written and read again.
pub fn price_files(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let rates = RateRegistry::new();
    if rates.load_text(text, "fuzz").is_ok() {
        let again = RateRegistry::new();
        assert!(again.load_text(&rates.to_yaml(), "again").is_ok());
        assert_eq!(again.pricing_version(), rates.pricing_version());
    }
    let _refused_or_read = PricingEngine::new().set_overrides("fuzz", text);
}

/// URLs are scrubbed once and for all; amounts survive their plain form.
pub fn urls_and_amounts(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let once = scrub_url(&text).into_owned();
    assert_eq!(scrub_url(&once), once);
    if let Ok(amount) = money::parse(&text) {
        assert_eq!(money::parse(&money::plain(amount)).ok(), Some(amount));
    }
    let _route = RequestFacts::to_url("POST", &text, &());
    drop(Exchange::begin(&_route).settle(Ending::Done));
}

/// Events as others wrote them: refused or read, and stable once read.
pub fn events(data: &[u8]) {
    let Ok(value) = serde_json::from_slice(data) else {
        return;
    };
    if let Ok(event) = Event::from_v1(&value) {
        let first = event.to_v1();
        let again = Event::from_v1(&first).map(|event| event.to_v1());
        assert_eq!(again.ok(), Some(first));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seeds_of_events_are_events() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/seeds/events");
        for file in std::fs::read_dir(folder).unwrap() {
            let value = serde_json::from_slice(&std::fs::read(file.unwrap().path()).unwrap()).unwrap();
            Event::from_v1(&value).unwrap();
        }
    }
}
