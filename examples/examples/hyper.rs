//! hyper-util's client, as any `tower::Service<http::Request<B>>`.

use bytes::Bytes;
use dexcost_tower::CaptureLayer;
use examples::{Error, stage::Stage};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tower::{Layer, Service};

const ASK: &str = r#"{"model":"gpt-4.1-mini","messages":[{"role":"user","content":"Where is parcel 7?"}]}"#;

#[dexcost::task(type = "answer", customer = "acme-corp")]
async fn answer(url: String) -> Result<(), Error> {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let mut client = CaptureLayer::new().layer(client); // <- the line to write

    let request = http::Request::post(url).body(Full::<Bytes>::from(ASK))?;
    client.call(request).await?.into_body().collect().await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let stage = Stage::set("hyper")?;
    answer(stage.url("/v1/chat/completions")).await?;
    stage.end()
}
