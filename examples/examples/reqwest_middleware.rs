//! reqwest-middleware, beneath a retry middleware: every attempt is counted.

use dexcost_tower::CaptureLayer;
use examples::{Error, stage::Stage};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use reqwest_retry::{RetryTransientMiddleware, policies::ExponentialBackoff};
use serde_json::json;

#[dexcost::task(type = "answer", customer = "acme-corp")]
async fn answer(http: &ClientWithMiddleware) -> Result<(), Error> {
    let body =
        json!({"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": "Where is parcel 7?"}]});
    let request = http.post("http://api.openai.com/v1/chat/completions").json(&body);
    request.send().await?.bytes().await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let stage = Stage::set("reqwest_middleware")?;
    let retry = ExponentialBackoff::builder().build_with_max_retries(2);
    let http = ClientBuilder::new(stage.http()?)
        .with(RetryTransientMiddleware::new_with_policy(retry))
        .with(CaptureLayer::new()) // <- the line to write
        .build();
    answer(&http).await?;
    stage.end()
}
