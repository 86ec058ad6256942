//! async-openai through its tower hook, beneath its own retry layer: every attempt is counted.

use async_openai::middleware::{HttpRequestFactory, retry::OpenAIRetryLayer};
use async_openai::{Client, config::OpenAIConfig, error::OpenAIError};
use dexcost_tower::CaptureLayer;
use examples::{Error, stage::Stage};
use serde_json::json;
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};

fn openai(http: reqwest::Client) -> Client<OpenAIConfig> {
    let http = CaptureLayer::new().layer(http); // <- the lines to write, from here …
    let send = service_fn(move |request: HttpRequestFactory| {
        let http = http.clone();
        async move { Ok::<_, OpenAIError>(http.oneshot(request.build().await?).await?) }
    });
    let service = ServiceBuilder::new()
        .layer(OpenAIRetryLayer::default())
        .service(send);
    let config = OpenAIConfig::new().with_api_base("http://api.openai.com/v1");
    Client::with_config(config).with_http_service(service) // … to here
}

#[dexcost::task(type = "answer", customer = "acme-corp")]
async fn answer(openai: &Client<OpenAIConfig>) -> Result<(), Error> {
    let ask =
        json!({"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": "Where is parcel 7?"}]});
    openai.chat().create(serde_json::from_value(ask)?).await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let stage = Stage::set("async_openai")?;
    answer(&openai(stage.http()?)).await?;
    stage.end()
}
