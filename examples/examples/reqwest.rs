//! reqwest, which is a `tower::Service` itself.

use dexcost_tower::{CaptureLayer, CaptureService};
use examples::{Error, stage::Stage};
use serde_json::json;
use tower::{Layer, Service};

#[dexcost::task(type = "answer", customer = "acme-corp")]
async fn answer(http: &mut CaptureService<reqwest::Client>) -> Result<(), Error> {
    let body =
        json!({"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": "Where is parcel 7?"}]});
    let request = http
        .get_ref()
        .post("http://api.openai.com/v1/chat/completions")
        .json(&body);
    let request = request.build()?;
    http.call(request).await?.bytes().await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let stage = Stage::set("reqwest")?;
    let mut http = CaptureLayer::new().layer(stage.http()?); // <- the line to write
    answer(&mut http).await?;
    stage.end()
}
