//! What is printed of a call shows nothing of what was said.

use bytes::Bytes;
use dexcost::capture::{Exchange, RequestFacts};
use dexcost::{Ending, ServiceCatalog};
use dexcost_tower::CaptureLayer;
use http_body_util::{BodyExt, Full};
use tower::{Layer, Service, service_fn};

use crate::bench::Bench;

const SECRET: &str = "canary4711";

/// A secret in plain text, and as the bytes that a derived `Debug` of a buffer would print.
fn assert_silent(printed: &str) {
    assert!(!printed.contains(SECRET), "{printed}");
    let bytes = format!("{:?}", SECRET.as_bytes());
    assert!(!printed.contains(bytes.trim_matches(['[', ']'])), "{printed}");
}

#[test]
fn an_exchange_prints_neither_prompt_nor_query_nor_reply() {
    for (url, kind) in [
        ("https://api.openai.com/v1/chat/completions", "model"),
        ("https://api.tavily.com/search", "service"),
        ("https://weather.example/today", "traffic"),
    ] {
        let (url, body) = (
            format!("{url}?key={SECRET}&q={SECRET}"),
            format!(r#"{{"model":"{SECRET}","messages":"{SECRET}","query":"{SECRET}""#),
        );
        let headers = [("content-type", "application/json"), ("x-api-key", SECRET)];
        let facts = RequestFacts::to_url("POST", &url, &headers);
        if let Some(found) = ServiceCatalog::new().find(&facts) {
            assert_silent(&format!("{found:?}"));
        }
        let mut exchange = Exchange::begin_with(&facts, &ServiceCatalog::new());
        exchange.request_data(body.as_bytes());
        exchange.response(200, &headers);
        exchange.data(body.as_bytes());
        let printed = format!("{exchange:?}");
        assert!(printed.contains(kind), "{printed}");
        assert_silent(&printed);
        let _seen = exchange.settle(Ending::Cancelled);
    }
}

#[tokio::test]
async fn a_body_that_is_watched_prints_nothing_of_itself() {
    let bench = Bench::new();
    let layer: CaptureLayer = bench.layer();
    let said = format!(r#"{{"choices":[{{"message":{{"content":"{SECRET}"}}}}]"#);
    let reply = Bytes::from(said.clone());
    let mut client = layer.layer(service_fn(move |_request: http::Request<Full<Bytes>>| {
        let reply = http::Response::builder()
            .header("content-type", "application/json")
            .body(Full::new(reply.clone()).map_frame(|frame| frame));
        std::future::ready(reply)
    }));
    let url = format!("https://api.openai.com/v1/chat/completions?key={SECRET}");
    let request = http::Request::post(url).body(Full::from(said)).unwrap();
    let reply = bench.task.run(|| client.call(request)).await.unwrap();
    let mut body = reply.into_body();
    assert_silent(&format!("{body:?}"));
    body.frame().await.unwrap().unwrap();
    assert_silent(&format!("{body:?}"));
}
