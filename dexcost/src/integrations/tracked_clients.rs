//! A client beside the tracker that records its typed replies.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;
use serde_json::Value;

use crate::account::{Claim, CostTracker, ReceivedResponse, Scope};
use crate::error::Error;
use crate::event::Event;
use crate::global;
use crate::loss::LossKind;
use crate::untracked::note_untracked;

/// Declares a wrapper around a client of one provider.
macro_rules! tracked_client {
    ($(#[$doc:meta])* $name:ident, $provider:literal, $url:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name<C> {
            client: C,
            recorder: Recorder,
        }

        impl<C> $name<C> {
            /// A client whose replies are recorded on the default tracker, looked up at each of them.
            pub const fn new(client: C) -> Self {
                Self {
                    client,
                    recorder: Recorder {
                        provider: $provider,
                        url: $url,
                        tracker: None,
                    },
                }
            }

            /// Records on this tracker instead of the default one.
            #[must_use]
            pub fn tracker(mut self, tracker: CostTracker) -> Self {
                self.recorder.tracker = Some(tracker);
                self
            }

            /// Records a reply of the client, on the current task, else on a session; `None` where it is
            /// no reply of a model.
            ///
            /// # Errors
            ///
            /// [`Error::Closed`] after the default tracker was closed, [`Error::InvalidRecord`] where the
            /// reply cannot be serialised.
            pub fn record(&self, reply: &impl Serialize) -> Result<Option<Arc<Event>>, Error> {
                self.recorder.record(reply, None)
            }

            /// Awaits a call of the client, records its reply, and hands on its result unchanged. A reply that
            /// a layer beneath has counted is not counted again; a call that failed leaves nothing, since an
            /// error does not say what was asked for. What cannot be recorded is no error of the call.
            ///
            /// # Errors
            ///
            /// The call's own.
            pub async fn call<T: Serialize, E>(&self, call: impl Future<Output = Result<T, E>>) -> Result<T, E> {
                let (since, claim) = (Instant::now(), Claim::new());
                let result = Scope::with_claim(claim.clone()).attach(call).await;
                if let Ok(reply) = result.as_ref()
                    && !claim.is_taken()
                {
                    self.recorder.outcome(reply, since);
                }
                result
            }
        }

        impl<C> Deref for $name<C> {
            type Target = C;

            fn deref(&self) -> &C {
                &self.client
            }
        }
    };
}

tracked_client! {
    /// An OpenAI client, of whatever crate, beside the tracker that records its replies.
    ///
    /// For clients under which no layer can be put. The replies are their own types: whatever serialises
    /// to the JSON that the provider sent (chat completions, completions, responses, embeddings). A
    /// streamed reply is not one value; put a layer under the client for those.
    ///
    /// ```
    /// use dexcost::TrackedOpenAI;
    /// use dexcost::testing::MemorySink;
    /// use dexcost::dec;
    ///
    /// let sink = MemorySink::new();
    /// let client = TrackedOpenAI::new("any client").tracker(sink.tracker());
    /// let reply = serde_json::json!({
    ///     "object": "chat.completion", "model": "gpt-4o",
    ///     "usage": {"prompt_tokens": 800, "completion_tokens": 150},
    /// });
    /// let event = client.record(&reply)?.unwrap();
    /// assert_eq!(event.cost_usd, Some(dec!(0.0035)));
    /// # Ok::<(), dexcost::Error>(())
    /// ```
    TrackedOpenAI, "openai", openai_url
}

tracked_client! {
    /// An Anthropic client, of whatever crate, beside the tracker that records its replies.
    ///
    /// As [`TrackedOpenAI`], for replies of the messages interface.
    TrackedAnthropic, "anthropic", anthropic_url
}

/// Where a reply of this kind comes from; `None` for what no model said.
type UrlOf = fn(&Value) -> Option<&'static str>;

fn openai_url(reply: &Value) -> Option<&'static str> {
    let has_embeddings = || reply.pointer("/data/0/embedding").is_some();
    match reply.get("object").and_then(Value::as_str) {
        Some("chat.completion") => Some("https://api.openai.com/v1/chat/completions"),
        Some("text_completion") => Some("https://api.openai.com/v1/completions"),
        Some("response") => Some("https://api.openai.com/v1/responses"),
        Some("list") if has_embeddings() => Some("https://api.openai.com/v1/embeddings"),
        _ => None,
    }
}

fn anthropic_url(reply: &Value) -> Option<&'static str> {
    let is_message = reply.get("type").and_then(Value::as_str) == Some("message");
    is_message.then_some("https://api.anthropic.com/v1/messages")
}

#[derive(Clone, Debug)]
struct Recorder {
    provider: &'static str,
    url: UrlOf,
    tracker: Option<CostTracker>,
}

impl Recorder {
    fn tracker(&self) -> Result<CostTracker, Error> {
        self.tracker.clone().map_or_else(global::required, Ok)
    }

    fn record(&self, reply: &impl Serialize, latency_ms: Option<u64>) -> Result<Option<Arc<Event>>, Error> {
        let tracker = match self.tracker() {
            Err(Error::NotInitialized) => {
                note_untracked(LossKind::Call);
                return Ok(None);
            }
            tracker => tracker?,
        };
        let wrong = |error: serde_json::Error| Error::InvalidRecord {
            what: "reply",
            reason: error.to_string(),
        };
        let reply = serde_json::to_value(reply).map_err(wrong)?;
        let Some(url) = (self.url)(&reply) else {
            return Ok(None);
        };
        let body = serde_json::to_vec(&reply).map_err(wrong)?;
        let mut received = ReceivedResponse::new(self.provider, url, 200, &(), &body);
        if let Some(latency_ms) = latency_ms {
            received = received.latency_ms(latency_ms);
        }
        Ok(tracker.record_response(&received.unmetered()))
    }

    fn outcome<T: Serialize>(&self, reply: &T, since: Instant) {
        let took = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        let _recorded = self.record(reply, Some(took));
    }
}
