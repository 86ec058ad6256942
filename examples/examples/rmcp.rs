//! rmcp over a captured client: its transport is a trait, of which only the sending of a message is
//! worth writing.

use std::{collections::HashMap, sync::Arc};

use dexcost::Scope;
use dexcost_tower::{CaptureLayer, CaptureService};
use examples::stage::Stage;
use futures_util::stream::{BoxStream, StreamExt};
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use rmcp::ServiceExt;
use rmcp::model::{CallToolRequest, CallToolRequestParams, ClientJsonRpcMessage as Message, GetExtensions};
use rmcp::transport::StreamableHttpClientTransport as Transport;
use rmcp::transport::streamable_http_client::{
    StreamableHttpClient, StreamableHttpClientTransportConfig as Config, StreamableHttpError as Error,
    StreamableHttpPostResponse as Reply,
};
use sse_stream::{Sse, SseStream};
use tower::{Layer, Service};

type Id = Option<Arc<str>>;
type Fields = HashMap<HeaderName, HeaderValue>;
type Result<T> = std::result::Result<T, Error<reqwest::Error>>;

#[derive(Clone)]
pub(crate) struct Captured(pub(crate) CaptureService<reqwest::Client>);

impl StreamableHttpClient for Captured {
    type Error = reqwest::Error;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: Message,
        session: Id,
        token: Option<String>,
        fields: Fields,
    ) -> Result<Reply> {
        let request = self.0.get_ref().post(&*uri).headers(fields.into_iter().collect());
        let request = request
            .header(ACCEPT, "application/json, text/event-stream")
            .json(&message);
        let request = session
            .into_iter()
            .fold(request, |request, id| request.header("mcp-session-id", &*id));
        let request = token
            .into_iter()
            .fold(request, reqwest::RequestBuilder::bearer_auth)
            .build();
        let request = request.map_err(Error::Client)?;
        let calling = scope_of(&message).run(|| self.0.clone().call(request));
        let reply = calling
            .await
            .and_then(reqwest::Response::error_for_status)
            .map_err(Error::Client)?;
        let field = |name: &str| Some(reply.headers().get(name)?.to_str().ok()?.to_owned());
        let session = field("mcp-session-id");
        match field(CONTENT_TYPE.as_str()).as_deref() {
            Some(kind) if kind.starts_with("text/event-stream") => Ok(Reply::Sse(
                SseStream::from_bytes_stream(reply.bytes_stream()).boxed(),
                session,
            )),
            Some(kind) if kind.starts_with("application/json") => {
                Ok(Reply::Json(reply.json().await.map_err(Error::Client)?, session))
            }
            _ => Ok(Reply::Accepted),
        }
    }

    async fn get_stream(
        &self,
        uri: Arc<str>,
        session: Id,
        last: Option<String>,
        token: Option<String>,
        fields: Fields,
    ) -> Result<BoxStream<'static, std::result::Result<Sse, sse_stream::Error>>> {
        self.0
            .get_ref()
            .get_stream(uri, session, last, token, fields)
            .await
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session: Arc<str>,
        token: Option<String>,
        fields: Fields,
    ) -> Result<()> {
        self.0.get_ref().delete_session(uri, session, token, fields).await
    }
}

/// rmcp sends from a task of its own; the scope of whoever calls travels with the message.
fn scope_of(message: &Message) -> Scope {
    let scope = match message {
        Message::Request(request) => request.request.extensions().get::<Scope>().cloned(),
        _ => None,
    };
    scope.unwrap_or_else(Scope::current)
}

/// Calls a tool for the current task.
pub(crate) fn call(tool: CallToolRequestParams) -> CallToolRequest {
    let mut call = CallToolRequest::new(tool);
    call.extensions.insert(Scope::current());
    call
}

#[tokio::main]
async fn main() -> std::result::Result<(), examples::Error> {
    let stage = Stage::set("rmcp")?;
    let http = Captured(CaptureLayer::new().layer(stage.http()?));
    let client = ().serve(Transport::with_client(http, Config::with_uri(stage.url("/mcp")))).await?;
    client
        .send_request(call(CallToolRequestParams::new("web_search")).into())
        .await?;
    client.cancel().await?;
    stage.end()
}
