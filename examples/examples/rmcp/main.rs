//! rmcp over a captured client; `transport` holds what its transport trait wants.

mod transport;

use dexcost_tower::CaptureLayer;
use examples::{Error, stage::Stage};
use rmcp::model::CallToolRequestParams as Tool;
use rmcp::service::{Peer, RoleClient, ServiceExt};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig as Config;
use tower::Layer;
use transport::{Captured, for_this_task};

#[dexcost::task(type = "answer", customer = "acme-corp")]
async fn answer(tools: &Peer<RoleClient>) -> Result<(), Error> {
    let call = for_this_task(Tool::new("web_search"));
    tools.send_request(call).await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let stage = Stage::set("rmcp")?;
    let http = Captured(CaptureLayer::new().layer(stage.http()?)); // <- the lines to write
    let server = Config::with_uri(stage.url("/mcp"));
    let client = ().serve(StreamableHttpClientTransport::with_client(http, server)).await?;
    answer(&client).await?;
    client.cancel().await?;
    stage.end()
}
