//! The AWS SDK's client of Bedrock's runtime, through its HTTP client; feature `aws`.

use aws_sdk_bedrockruntime::Client;
use aws_sdk_bedrockruntime::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_bedrockruntime::types::{ContentBlock, ConversationRole, Message};
use dexcost_tower::CaptureLayer;
use examples::{Error, stage::Stage};
use tower::Layer;

#[dexcost::task(type = "answer", customer = "acme-corp")]
async fn answer(bedrock: &Client) -> Result<(), Error> {
    let ask = Message::builder().role(ConversationRole::User);
    let ask = ask
        .content(ContentBlock::Text("Where is parcel 7?".into()))
        .build()?;
    let call = bedrock
        .converse()
        .model_id("anthropic.claude-3-5-haiku-20241022-v1:0");
    call.messages(ask).send().await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let stage = Stage::set("bedrock")?;
    let http = aws_smithy_http_client::Builder::new().build_http();
    let config = Config::builder()
        .http_client(CaptureLayer::new().layer(http)) // <- the line to write
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("none", "none", None, None, "loopback"))
        .endpoint_url(stage.url(""));
    answer(&Client::from_conf(config.build())).await?;
    stage.end()
}
