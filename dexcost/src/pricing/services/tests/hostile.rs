//! Bodies that are cut off, wrong or made to harm.

use super::Talk;
use crate::dec;
use crate::event::CostConfidence;
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
            let _ = Talk::post(url, reply, reply).cost();
        }
    }
    let numbers = Talk::post("https://api.exa.ai/search", "{}", &many).cost();
    // 0.007 and 49,990 results above ten
    assert_eq!(numbers.cost_usd, Some(dec!(49.997)));
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
