//! rmcp's transport over a captured reqwest client, and the task that a tool is called for.

use std::{collections::HashMap, sync::Arc};

use dexcost::Scope;
use dexcost_tower::CaptureService;
use futures_util::stream::{BoxStream, StreamExt};
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::Response;
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, ClientJsonRpcMessage, ClientRequest, GetExtensions,
};
use rmcp::transport::streamable_http_client::{
    StreamableHttpClient, StreamableHttpError as Error, StreamableHttpPostResponse as Reply,
};
use sse_stream::{Sse, SseStream};
use tower::Service;

#[derive(Clone)]
pub(crate) struct Captured(pub(crate) CaptureService<reqwest::Client>);

type Id = Arc<str>;
type Text = Option<String>;
type Fields = HashMap<HeaderName, HeaderValue>;
type Result<T> = std::result::Result<T, Error<reqwest::Error>>;
type Events = BoxStream<'static, std::result::Result<Sse, sse_stream::Error>>;
type Message = ClientJsonRpcMessage;

/// A call of a tool that remembers who calls: rmcp sends it from a task of its own.
pub(crate) fn for_this_task(tool: CallToolRequestParams) -> ClientRequest {
    let mut call = CallToolRequest::new(tool);
    call.extensions.insert(Scope::current());
    ClientRequest::CallToolRequest(call)
}

fn scope(message: &Message) -> Scope {
    let remembered = match message {
        Message::Request(call) => call.request.extensions().get().cloned(),
        _ => None,
    };
    remembered.unwrap_or_else(Scope::current)
}

impl StreamableHttpClient for Captured {
    type Error = reqwest::Error;

    async fn post_message(
        &self,
        to: Id,
        say: Message,
        id: Option<Id>,
        key: Text,
        more: Fields,
    ) -> Result<Reply> {
        let client = self.0.get_ref();
        let mut request = client.post(&*to).headers(more.into_iter().collect());
        request = request.header(ACCEPT, "application/json, text/event-stream");
        if let Some(id) = id {
            request = request.header("mcp-session-id", &*id);
        }
        if let Some(key) = key {
            request = request.bearer_auth(key);
        }
        let request = request.json(&say).build().map_err(Error::Client)?;
        let calling = scope(&say).run(|| self.0.clone().call(request));
        let reply = calling.await.map_err(Error::Client)?;
        read(reply.error_for_status().map_err(Error::Client)?).await
    }

    async fn get_stream(
        &self,
        to: Id,
        id: Option<Id>,
        last: Text,
        key: Text,
        more: Fields,
    ) -> Result<Events> {
        self.0.get_ref().get_stream(to, id, last, key, more).await
    }

    async fn delete_session(&self, to: Id, id: Id, key: Text, more: Fields) -> Result<()> {
        self.0.get_ref().delete_session(to, id, key, more).await
    }
}

async fn read(reply: Response) -> Result<Reply> {
    let field = |name: &str| Some(reply.headers().get(name)?.to_str().ok()?.to_owned());
    let (id, kind) = (field("mcp-session-id"), field(CONTENT_TYPE.as_str()));
    match kind.unwrap_or_default().as_str() {
        kind if kind.starts_with("text/event-stream") => {
            let events = SseStream::from_bytes_stream(reply.bytes_stream());
            Ok(Reply::Sse(events.boxed(), id))
        }
        kind if kind.starts_with("application/json") => {
            Ok(Reply::Json(reply.json().await.map_err(Error::Client)?, id))
        }
        _ => Ok(Reply::Accepted),
    }
}
