//! rmcp, over the transport of the example.

use dexcost::TaskFutureExt;
use rmcp::ServiceExt;
use rmcp::model::{CallToolRequestParams, ServerResult};
use rmcp::service::{RoleClient, RunningService};
use rmcp::transport::StreamableHttpClientTransport as Transport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig as Config;
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::wire::{Got, Reply, Wire};

#[path = "../../../examples/examples/rmcp/transport.rs"]
mod transport;

use transport::{Captured, for_this_task};

/// An MCP server with one tool, answering with JSON or with a stream.
fn server(streams: bool) -> Wire {
    Wire::start(move |got| Some(answer(got, streams)))
}

fn answer(got: &Got, streams: bool) -> Reply {
    let Ok(asked) = serde_json::from_slice::<Value>(&got.body) else {
        return Reply::json(405, "{}");
    };
    let result = match asked["method"].as_str().unwrap() {
        "initialize" => json!({
            "protocolVersion": asked["params"]["protocolVersion"],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "search", "version": "1"},
        }),
        "tools/call" => json!({"content": [{"type": "text", "text": "found"}], "isError": false}),
        _ => return Reply::new(202, "text/plain", &[]),
    };
    let message = json!({"jsonrpc": "2.0", "id": asked["id"], "result": result}).to_string();
    if streams {
        Reply::sse(&[&format!("event: message\ndata: {message}\n\n")])
    } else {
        Reply::json(200, &message)
    }
}

async fn client(bench: &Bench, wire: &Wire) -> RunningService<RoleClient, ()> {
    let url = wire.url("127.0.0.1", "/mcp");
    let transport = Transport::with_client(Captured(bench.reqwest(wire)), Config::with_uri(url));
    ().serve(transport).await.unwrap()
}

#[tokio::test]
async fn a_tool_is_called_through_the_layer_as_json_and_as_a_stream() {
    for streams in [false, true] {
        let (bench, wire) = (Bench::new(), server(streams));
        let client = client(&bench, &wire).await;
        let asking = async {
            let request = for_this_task(CallToolRequestParams::new("web_search"));
            client.send_request(request).await.unwrap()
        };
        let ServerResult::CallToolResult(result) = asking.in_task(&bench.task).await else {
            panic!("no result of a tool");
        };
        assert_eq!(result.content[0].as_text().unwrap().text, "found");
        client.cancel().await.unwrap();
        let others = bench.tracker.sessions().open_count();
        assert_eq!(others, 0, "nothing lands beside the task");
    }
}
