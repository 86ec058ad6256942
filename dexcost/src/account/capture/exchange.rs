//! The state machine of one exchange.

use super::facts::{Headers, RequestFacts};
use crate::ending::Ending;
use crate::event::{CallFacts, ErrorType, OperationStatus};
use crate::observation::{Observation, UsageScope};
use crate::usage::{Unit, Usage};

/// One outbound request with its response, from first byte to ending.
///
/// See the [module](super) for the calling order.
#[derive(Debug)]
#[must_use = "settle it, or what was observed is lost"]
pub struct Exchange {
    watch: Option<Box<Watch>>,
}

#[derive(Debug, Default)]
struct Watch {
    host: String,
    request: Vec<u8>,
    status: Option<u16>,
    body: Vec<u8>,
    error: Option<ErrorType>,
}

impl Exchange {
    /// Starts watching a request, or decides that it cannot be a model call.
    pub fn begin(request: &RequestFacts<'_>) -> Self {
        let inference = request.method == "POST" && request.path.ends_with("/chat/completions");
        Self {
            watch: inference.then(|| {
                Box::new(Watch {
                    host: request.authority.to_owned(),
                    ..Watch::default()
                })
            }),
        }
    }

    /// Whether this may be a model call. If not, nothing else needs to be reported.
    #[must_use]
    pub fn is_watching(&self) -> bool {
        self.watch.is_some()
    }

    /// Whether [`request_data`](Self::request_data) would be looked at.
    #[must_use]
    pub fn wants_request(&self) -> bool {
        self.watch.is_some()
    }

    /// The next piece of the request body.
    pub fn request_data(&mut self, bytes: &[u8]) {
        if let Some(watch) = &mut self.watch {
            watch.request.extend_from_slice(bytes);
        }
    }

    /// The response's status and header fields.
    pub fn response(&mut self, status: u16, _headers: &dyn Headers) {
        if let Some(watch) = &mut self.watch {
            watch.status = Some(status);
        }
    }

    /// Whether [`data`](Self::data) would be looked at.
    #[must_use]
    pub fn wants_response(&self) -> bool {
        self.watch.is_some()
    }

    /// The next piece of the response body, coded as on the wire.
    pub fn data(&mut self, bytes: &[u8]) {
        if let Some(watch) = &mut self.watch {
            watch.body.extend_from_slice(bytes);
        }
    }

    /// Notes why the exchange is about to fail, where the adapter knows more than the bytes show.
    pub fn note_error(&mut self, error: ErrorType) {
        if let Some(watch) = &mut self.watch {
            watch.error = Some(error);
        }
    }

    /// Ends the exchange and says what it showed.
    #[must_use]
    pub fn settle(self, ending: Ending) -> Observation {
        let Some(watch) = self.watch else {
            return Observation::nothing(ending);
        };
        let mut seen = Observation::nothing(ending);
        let json: serde_json::Value = serde_json::from_slice(&watch.body).unwrap_or_default();
        let request: serde_json::Value = serde_json::from_slice(&watch.request).unwrap_or_default();
        let count = |key: &str| json["usage"][key].as_u64();
        seen.captured = true;
        seen.usage_scope = UsageScope::Call;
        seen.provider = Some(watch.host.split('.').nth(1).unwrap_or_default().into());
        seen.http_status = watch.status;
        seen.usage = Usage::new();
        for (unit, key) in [
            (Unit::InputTokens, "prompt_tokens"),
            (Unit::OutputTokens, "completion_tokens"),
        ] {
            if let Some(n) = count(key) {
                seen.usage.set(unit, n);
            }
        }
        seen.call = CallFacts {
            model_requested: request["model"].as_str().map(Into::into),
            model_returned: json["model"].as_str().map(Into::into),
            host: Some((&watch.host).into()),
            ..CallFacts::default()
        };
        seen.operation_status = match ending {
            Ending::Done => OperationStatus::Succeeded,
            Ending::Failed => OperationStatus::Failed,
            Ending::Cancelled => OperationStatus::Cancelled,
            Ending::Truncated => OperationStatus::Unknown,
        };
        seen.error_type = watch.error;
        seen
    }
}
