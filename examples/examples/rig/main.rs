//! rig over a captured client; `transport` holds what its transport trait wants.

mod transport;

use dexcost_tower::CaptureLayer;
use examples::{Error, stage::Stage};
use rig_core::completion::CompletionRequest;
use rig_core::providers::openai::{OpenAI, OpenAIConfig};
use tower::Layer;
use transport::Captured;

#[dexcost::task(type = "answer", customer = "acme-corp")]
async fn answer(openai: &OpenAI) -> Result<(), Error> {
    let ask = CompletionRequest::new("Where is parcel 7?");
    openai.chat("gpt-4.1-mini").call(ask).await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let stage = Stage::set("rig")?;
    let http = Captured(CaptureLayer::new().layer(stage.http()?)); // <- the lines to write:
    let config = OpenAIConfig::new("none").with_base_url("http://api.openai.com/v1");
    let openai = config.connect(http); // a transport of one's own
    answer(&openai).await?;
    stage.end()
}
