//! Bodies that are cut off, wrong or made to harm.

use proptest::prelude::*;

use super::Talk;
use crate::dec;
use crate::event::CostConfidence;
use crate::pricing::services::condition::Conditions;
use crate::pricing::services::quantity::Quantity;
use crate::pricing::services::row::Row;
use crate::pricing::services::source::Source;
use crate::pricing::services::table::Table;
use crate::pricing::services::template::Template;
use crate::pricing::services::{ServiceBodies, ServiceCatalog, ServiceGap};

#[test]
fn what_a_cut_off_body_leaves_open_is_not_guessed() {
    let talk = Talk::post("https://api.exa.ai/contents", "{}", "");
    let found = talk.found(&ServiceCatalog::new()).unwrap();
    let reply = br#"{"results":[{"text":"a"},{"text":"b"},{"te"#;
    let cut = found.cost(&ServiceBodies {
        reply: Some(reply),
        reply_is_cut: true,
        ..ServiceBodies::default()
    });
    let cut = cut.unwrap();
    assert_eq!((cut.cost_usd, cut.gap), (None, Some(ServiceGap::NotReported)));
    let unseen = found.cost(&ServiceBodies::default()).unwrap();
    assert_eq!(unseen.cost_usd, None);
}

#[test]
fn a_default_after_something_unseen_is_an_estimate() {
    let talk = Talk::post("https://api.firecrawl.dev/v2/scrape", "{}", "");
    let found = talk.found(&ServiceCatalog::new()).unwrap();
    let cost = found.cost(&ServiceBodies::default()).unwrap();
    assert_eq!(cost.cost_usd, Some(dec!(0.00083)));
    assert_eq!(cost.confidence, CostConfidence::Estimated);
    let seen = Talk { reply: "{}", ..talk }.cost();
    assert_eq!(seen.confidence, CostConfidence::Computed);
}

#[test]
fn whether_it_is_charged_is_not_left_to_what_was_not_seen() {
    let catalog = ServiceCatalog::new();
    let cost = |url| {
        let talk = Talk::get(url, "");
        talk.found(&catalog)
            .unwrap()
            .cost(&ServiceBodies::default())
            .unwrap()
    };
    let map = cost("https://maps.googleapis.com/maps/api/geocode/json?address=x");
    assert_eq!((map.billable, map.cost_usd), (true, Some(dec!(0.005))));
    let refused = r#"{"status":"OVER_QUERY_LIMIT"}"#;
    assert!(
        !Talk::get("https://maps.googleapis.com/maps/api/geocode/json", refused)
            .cost()
            .billable
    );
    let poll = cost("https://api.assemblyai.com/v2/transcript/t");
    assert!(!poll.billable);
}

#[test]
fn impossible_quantities_are_no_cost() {
    let url = "https://api.tavily.com/search";
    for credits in ["-3", "\"-3\"", "1e28", "9999999999999999999999999999"] {
        let reply = format!(r#"{{"usage":{{"credits":{credits}}}}}"#);
        let cost = Talk::post(url, "{}", &reply).cost();
        assert_eq!(
            (cost.cost_usd, cost.confidence),
            (None, CostConfidence::Unknown),
            "{credits}"
        );
        assert_eq!(cost.gap, Some(ServiceGap::Impossible), "{credits}");
    }
    for not_said in [
        "null", "true", "\"\"", "\"many\"", "{}", "[3]", "NaN", "1e999", "0x10",
    ] {
        let reply = format!(r#"{{"usage":{{"credits":{not_said}}}}}"#);
        assert_eq!(
            Talk::post(url, "{}", &reply).cost().cost_usd,
            Some(dec!(0.008)),
            "{not_said}"
        );
    }
}

#[test]
fn bodies_made_to_harm_do_none() {
    let catalog = ServiceCatalog::new();
    let deep = format!("{}{}", r#"{"usage":"#.repeat(20_000), "[".repeat(20_000));
    let long = format!(r#"{{"usage":{{"credits":"{}"}}}}"#, "9".repeat(100_000));
    let many = format!(r#"{{"results":[{}]}}"#, vec!["{}"; 50_000].join(","));
    for reply in [
        &deep,
        &long,
        &many,
        "\u{0}\u{1}",
        "}",
        "]]]]",
        "{\"usage\":{\"credits\":1",
        "\"usage\"",
    ] {
        for url in [
            "https://api.tavily.com/search",
            "https://api.exa.ai/search",
            "https://api.exa.ai/contents",
        ] {
            let talk = Talk::post(url, reply, reply);
            assert!(talk.cost_in(&catalog).is_some() && talk.read_in(&catalog, 4096).is_some());
        }
    }
    let numbers = Talk::post("https://api.exa.ai/search", "{}", &many);
    // 0.007 and 49,990 results above ten
    assert_eq!(numbers.cost_in(&catalog).unwrap().cost_usd, Some(dec!(49.997)));
    // A reader does not keep so many, and does not guess how many they are.
    let read = numbers.read_in(&catalog, 4096).unwrap();
    assert_eq!(
        (read.cost_usd, read.confidence),
        (Some(dec!(0.007)), CostConfidence::Unknown)
    );
}

#[test]
fn only_what_rows_ask_for_is_kept_of_a_request() {
    let talk = Talk {
        sent: &[
            ("authorization", "Bearer hunter2"),
            ("x-amz-target", "Translate.TranslateText"),
        ],
        ..Talk::post(
            "https://translate.eu-west-1.amazonaws.com/?secret=hunter2",
            "{}",
            "",
        )
    };
    let found = talk.found(&ServiceCatalog::new()).unwrap();
    assert!(!format!("{:?} {:?}", found.line, found.headers).contains("hunter2"));
}

#[test]
fn a_figure_behind_megabytes_of_text_is_read() {
    let text = "lorem ipsum ".repeat(200_000);
    let reply = format!(
        r#"{{"success":true,"data":{{"markdown":"{text}","metadata":{{"title":"x","creditsUsed":5}}}}}}"#
    );
    let talk = Talk::post("https://api.firecrawl.dev/v2/scrape", "{}", &reply);
    assert_eq!(talk.cost().cost_usd, Some(dec!(0.00415)));
    let mut reader = talk
        .found(&ServiceCatalog::new())
        .unwrap()
        .reply_reader()
        .unwrap();
    reader.feed(reply.as_bytes());
    assert!(reader.kept().len() < 200, "{}", reader.kept().len());
    assert!(!reader.is_cut());
}

#[test]
fn equal_rows_share_what_is_kept_for_good() {
    let first = ServiceCatalog::new().lookup("https://api.exa.ai/search").unwrap();
    let count = || super::super::reader::trees();
    let _ = first.reply_reader();
    let before = count();
    for _ in 0..100 {
        let _ = first.reply_reader();
    }
    assert!(count() < before + 100);
}

/// A URL that the row is about.
fn example(row: &Row) -> String {
    let first = |list: &str, otherwise: &str| {
        let pattern = list.split(' ').next().filter(|pattern| !pattern.is_empty());
        pattern.unwrap_or(otherwise).replace("**", "a").replace('*', "x")
    };
    format!(
        "https://{}{}?q=%F0%9F&model=&x=1",
        first(&row.hosts, ""),
        first(&row.paths, "/")
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_body_does_harm_to_any_row(
        tokens in proptest::collection::vec(proptest::sample::select(&[
            "{", "}", "[", "]", ",", ":", "\"", "\\", "\\ud83d", "null", "true", "-1", "1e30", "0.1", "usage", "data", "credits",
            "results", "status", "completed", "=", "&", "%", "name=\"model\"\r\n\r\n", "\r\n--", "--", "é", " ",
        ][..]), 0..60),
        status in 100u16..600,
    ) {
        let body = tokens.concat();
        let catalog = ServiceCatalog::new();
        for row in Table::bundled().rows() {
            let url = example(row);
            let method = row.methods.split(' ').next().unwrap_or_default();
            let talk = Talk { method, status, sent: &[("x-amz-target", "x")], headers: &[("spb-cost", "1e999")], ..Talk::post(&url, &body, &body) };
            prop_assert!(catalog.lookup(&url).is_some() || !row.when_line.is_empty(), "{}", url);
            for cost in [talk.cost_in(&catalog), talk.read_in(&catalog, 3)].into_iter().flatten() {
                prop_assert!(cost.cost_usd.is_none_or(|usd| !usd.is_sign_negative() || usd.is_zero()));
            }
        }
    }

    #[test]
    fn no_text_does_harm_as_a_rule(
        tokens in proptest::collection::vec(proptest::sample::select(&[
            "body:", "request:", "path:", "a", ".", "[]", "[0]", "[", "(", ")", "count(", "max(", "up(", "span(", ", ", " + ", " / ",
            " ? ", " & ", " || ", "=", "!", "~", ">", "1", "0", "unknown", "{", "}", "é", "|",
        ][..]), 0..24),
    ) {
        let text = tokens.concat();
        let _ = (Quantity::parse(&text), Conditions::parse(&text), Template::parse(&text), Source::parse(&text));
        let talk = Talk::get("https://a.test/", "{}");
        let catalog = ServiceCatalog::new();
        if Quantity::parse(&text).is_ok() {
            let row = serde_json::json!({"hosts": "a.test", "service": "s", "category": "c", "rule": "per_unit", "price": "1",
                "quantity": [text], "confidence": "high", "as_of": "2027", "source": "x"});
            let rows = vec![row.to_string(); catalog.len()].join(",");
            catalog.replace_with(&format!(r#"{{"format":"dexcost-services/1","as_of":"2027-01-01","rows":[{rows}]}}"#)).unwrap();
            prop_assert!(talk.cost_in(&catalog).is_some());
        }
    }
}
