//! The agent service: a support desk. This is what a user of dexcost writes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use dexcost::dec;
use dexcost_tower::{CaptureLayer, CaptureService, TaskLayer};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tower::{Layer, ServiceExt};

use crate::Error;
use crate::recordings::Recording;

/// The house rules that every prompt begins with: long enough for the providers to cache it.
const HANDBOOK: &str = "You work at the support desk. Be brief, kind and exact. Never promise a date that the \
carrier has not confirmed. Refund delivery fees without being asked where the parcel is late by more than two \
days. Escalate whatever mentions a lawyer, an injury or a journalist. ";

/// How often a call is tried.
const ATTEMPTS: u32 = 3;

/// The service and what it works with.
#[derive(Clone, Debug)]
pub struct Desk {
    http: CaptureService<reqwest::Client>,
    handbook: Arc<str>,
    recordings: Arc<Vec<Recording>>,
}

impl Desk {
    /// A desk whose models are reached through `provider`.
    ///
    /// # Errors
    ///
    /// Where no HTTP client can be built.
    pub fn new(provider: SocketAddr, recordings: Arc<Vec<Recording>>) -> Result<Self, Error> {
        let client = reqwest::Client::builder()
            .proxy(reqwest::Proxy::all(format!("http://{provider}"))?)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            http: CaptureLayer::new().layer(client),
            handbook: HANDBOOK.repeat(16).into(),
            recordings,
        })
    }

    /// Serves on a loopback port until `stop` says so; then finishes what it has begun.
    ///
    /// # Errors
    ///
    /// Where no loopback port can be had.
    pub async fn serve(self) -> Result<(SocketAddr, Running), Error> {
        let layer = TaskLayer::new()
            .customer_header("x-customer-id")
            .project_header("x-project-id")
            .skip(["/healthz"]);
        let app = Router::new()
            .route("/healthz", get(|| async { "ok" }))
            .route("/tickets/{id}/resolve", post(resolve))
            .route("/documents/{id}/summary", post(summary))
            .route("/chat", post(chat))
            .route("/replay/{number}", post(replay))
            .layer(layer)
            .with_state(self);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            axum::serve(listener, app).with_graceful_shutdown(stopped).await
        });
        Ok((addr, Running { stop, served }))
    }

    /// Sums up a customer's day; nobody asked for it, so it belongs to no request.
    ///
    /// # Errors
    ///
    /// Where the model does not answer.
    pub async fn digest(&self, customer: &str) -> Result<(), Error> {
        let body = json!({
            "model": "gpt-4.1-mini",
            "stream": true,
            "stream_options": {"include_usage": true},
            "user": customer,
            "messages": [{"role": "user", "content": format!("What did {customer} write to us today?")}],
        });
        let reply = self.ask(OPENAI, &body).await.map_err(|trouble| trouble.0)?;
        reply.bytes().await?;
        Ok(())
    }

    /// Asks a model, again where it has no time right now.
    async fn ask(&self, url: &str, body: &Value) -> Result<reqwest::Response, Trouble> {
        for attempt in 1..=ATTEMPTS {
            let mut request = reqwest::Request::new(reqwest::Method::POST, url.parse()?);
            *request.body_mut() = Some(body.to_string().into());
            let reply = self.http.clone().oneshot(request).await?;
            match reply.status().as_u16() {
                200..300 => return Ok(reply),
                429 | 500.. if attempt < ATTEMPTS => {
                    drop(reply.bytes().await);
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                status => return Err(format!("the model answered with {status}").into()),
            }
        }
        Err("no attempt is left".into())
    }

    async fn ask_for_text(&self, url: &str, body: &Value) -> Result<String, Trouble> {
        let reply = self.ask(url, body).await?;
        let reply: Value = reply.json().await?;
        let text = reply["choices"][0]["message"]["content"].as_str();
        Ok(text
            .or(reply["content"][0]["text"].as_str())
            .unwrap_or_default()
            .to_owned())
    }
}

/// A service that runs.
#[derive(Debug)]
pub struct Running {
    stop: oneshot::Sender<()>,
    served: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Running {
    /// Stops the service once it has finished what it has begun.
    ///
    /// # Errors
    ///
    /// What the service ended with.
    pub async fn stop(self) -> Result<(), Error> {
        let _ = self.stop.send(());
        Ok(self.served.await??)
    }
}

const OPENAI: &str = "http://api.openai.com/v1/chat/completions";
const ANTHROPIC: &str = "http://api.anthropic.com/v1/messages";

/// Finds out what a ticket is about: a small, cheap model.
#[dexcost::task(type = "triage")]
async fn triage(desk: &Desk, customer: &str, ticket: &str) -> Result<String, Trouble> {
    let body = json!({
        "model": "gpt-4.1-mini",
        "user": customer,
        "messages": [
            {"role": "system", "content": &*desk.handbook},
            {"role": "user", "content": format!("Which kind of ticket is {ticket}? One word.")},
        ],
    });
    desk.ask_for_text(OPENAI, &body).await
}

/// Writes the answer: a larger model, streamed, with the handbook in its cache.
#[dexcost::task(type = "draft_answer", metadata(ticket = ticket))]
async fn draft_answer(desk: &Desk, customer: &str, ticket: &str, kind: &str) -> Result<String, Trouble> {
    let body = json!({
        "model": "claude-sonnet-4-5",
        "max_tokens": 1_024,
        "stream": true,
        "metadata": {"user_id": customer},
        "system": [{"type": "text", "text": &*desk.handbook, "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": format!("Answer {ticket}; it is about: {kind}")}],
    });
    Ok(desk.ask(ANTHROPIC, &body).await?.text().await?)
}

/// Two models and a renderer for each ticket.
async fn resolve(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<String, Trouble> {
    let customer = customer(&headers);
    let kind = triage(&desk, customer, &id).await?;
    let answer = draft_answer(&desk, customer, &id, &kind).await?;
    dexcost::record_cost("pdf_renderer", dec!(0.002))?;
    Ok(answer)
}

/// A model that thinks first, and pages at a rate that was registered at the start.
async fn summary(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<String, Trouble> {
    dexcost::record_usage("page_scan", dec!(3))?;
    let body = json!({
        "model": "o4-mini",
        "user": customer(&headers),
        "messages": [{"role": "user", "content": format!("Summarise document {id}. {}", desk.handbook)}],
    });
    desk.ask_for_text(OPENAI, &body).await
}

/// Hands a stream through to the caller, who may lose patience.
async fn chat(State(desk): State<Desk>, headers: HeaderMap, question: String) -> Result<Response, Trouble> {
    let body = json!({
        "model": "claude-haiku-4-5",
        "max_tokens": 512,
        "stream": true,
        "metadata": {"user_id": customer(&headers)},
        "messages": [{"role": "user", "content": question}],
    });
    let reply: reqwest::Body = desk.ask(ANTHROPIC, &body).await?.into();
    Ok(Response::new(Body::new(reply)))
}

/// Makes a recorded call again; the provider answers with what was recorded.
async fn replay(State(desk): State<Desk>, Path(number): Path<usize>) -> Result<String, Trouble> {
    let recording = desk.recordings.get(number).ok_or("no such recording")?;
    let reply = desk.http.clone().oneshot(recording.request(number)?).await?;
    Ok(reply.bytes().await?.len().to_string())
}

fn customer(headers: &HeaderMap) -> &str {
    let value = headers.get("x-customer-id").and_then(|value| value.to_str().ok());
    value.unwrap_or("nobody")
}

/// Whatever goes wrong while a request is handled; the caller sees a 502.
#[derive(Debug)]
struct Trouble(Error);

impl<E: Into<Error>> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        (StatusCode::BAD_GATEWAY, self.0.to_string()).into_response()
    }
}
