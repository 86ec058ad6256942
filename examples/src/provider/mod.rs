//! A model provider on loopback: the wire forms of OpenAI's chat and Anthropic's messages, streaming
//! and not, of Bedrock's Converse and of an MCP server, with replies of our own making. What it says follows from what it is asked, so that a
//! run costs the same every time.
//!
//! Clients reach it as an HTTP proxy: they call `http://api.openai.com/…`, and it answers.

mod anthropic;
mod bedrock;
mod mcp;
mod openai;
mod script;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use serde_json::Value;

use crate::Error;
use crate::paced::Paced;
use crate::recordings::{self, Recording};
use script::{Memory, Script};

/// The longest request that is read.
const LONGEST_REQUEST: usize = 16 << 20;

/// Between two pieces of a stream.
const PAUSE: Duration = Duration::from_millis(1);

/// What the provider answers with.
#[derive(Debug)]
pub enum Replies {
    /// Replies of our own making.
    Made,
    /// What was recorded; a request says which it means by [`recordings::WHICH`].
    Recorded(Arc<Vec<Recording>>),
}

#[derive(Debug)]
struct Provider {
    replies: Replies,
    memory: Memory,
}

/// Starts a provider; it runs as long as the runtime does.
///
/// # Errors
///
/// Where no loopback port can be had.
pub async fn start(replies: Replies) -> Result<SocketAddr, Error> {
    let provider = Arc::new(Provider {
        replies,
        memory: Memory::default(),
    });
    let app = Router::new().fallback(answer).with_state(provider);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(addr)
}

async fn answer(State(provider): State<Arc<Provider>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LONGEST_REQUEST).await else {
        return plain(StatusCode::BAD_REQUEST, "application/json", Bytes::new());
    };
    if let Replies::Recorded(recordings) = &provider.replies {
        return recordings::reply(recordings, &head.headers);
    }
    let Ok(asked) = serde_json::from_slice::<Value>(&body) else {
        return plain(StatusCode::BAD_REQUEST, "application/json", Bytes::new());
    };
    let script = Script::of(&asked, &body, &provider.memory);
    match head.uri.path() {
        "/v1/chat/completions" => openai::reply(&asked, &script),
        "/v1/messages" => anthropic::reply(&asked, &script),
        "/mcp" => mcp::reply(&asked),
        path if path.ends_with("/converse") => bedrock::reply(&script),
        _ => plain(StatusCode::NOT_FOUND, "application/json", Bytes::new()),
    }
}

/// A response in one piece.
pub(crate) fn plain(status: StatusCode, content_type: &'static str, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let content_type = http::HeaderValue::from_static(content_type);
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, content_type);
    response
}

fn json(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    plain(status, "application/json", body.to_string().into())
}

/// A stream of server-sent events, as a model speaks.
fn events(events: Vec<String>) -> Response {
    let pieces = events.into_iter().map(Bytes::from);
    let mut response = plain(StatusCode::OK, "text/event-stream", Bytes::new());
    *response.body_mut() = Body::new(Paced::new(pieces, PAUSE));
    response
}
