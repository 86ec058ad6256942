//! rmcp, over the transport of the example.

use dexcost::{OperationStatus, TaskFutureExt, TaskOptions};
use rmcp::ServiceExt;
use rmcp::model::{CallToolRequestParams, ServerResult};
use rmcp::service::{RoleClient, RunningService};
use rmcp::transport::StreamableHttpClientTransport as Transport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig as Config;
use serde_json::{Value, json};

use crate::bench::{Bench, nobody};
use crate::wire::{Got, Reply, Wire, eventually};

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
async fn a_tool_call_is_an_event_of_the_task_as_json_and_as_a_stream() {
    for streams in [false, true] {
        let (bench, wire) = (Bench::new(), server(streams));
        let client = client(&bench, &wire).await;
        let request = async { for_this_task(CallToolRequestParams::new("web_search")) };
        let request = request.in_task(&bench.task).await;
        let ServerResult::CallToolResult(result) = client.send_request(request).await.unwrap() else {
            panic!("no result of a tool");
        };
        assert_eq!(result.content[0].as_text().unwrap().text, "found");
        client.cancel().await.unwrap();
        eventually("the call is settled", || !bench.events().is_empty()).await;
        let event = bench.event();
        assert_eq!(event.service_name.as_deref(), Some("mcp:web_search"));
        assert_eq!(event.cost_usd, None, "what a tool costs only its provider knows");
        assert_eq!(event.operation_status, OperationStatus::Succeeded);
    }
}

#[tokio::test]
async fn on_one_connection_every_call_lands_on_the_task_that_made_it() {
    let (bench, wire) = (Bench::new(), server(true));
    let client = client(&bench, &wire).await;
    let mut tasks = Vec::new();
    for _ in 0..16 {
        let task = bench
            .tracker
            .start_task("one_of_many", TaskOptions::default())
            .await
            .unwrap();
        let calling = async {
            let request = for_this_task(CallToolRequestParams::new("web_search"));
            client.send_request(request).await.unwrap();
        };
        calling.in_task(&task).await;
        tasks.push(task);
    }
    client.cancel().await.unwrap();
    eventually("all are settled", || bench.sink.events().len() == 16).await;
    for task in tasks {
        let events = bench.sink.events();
        let own = events.iter().filter(|event| event.task_id == task.task_id());
        assert_eq!(own.count(), 1);
    }
    assert_eq!(bench.tracker.sessions().open_count(), 0);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_the_callers_error() {
    let bench = Bench::new();
    let wire = nobody();
    let url = wire.url("127.0.0.1", "/mcp");
    let transport = Transport::with_client(Captured(bench.reqwest(&wire)), Config::with_uri(url));
    assert!(().serve(transport).await.is_err());
}
