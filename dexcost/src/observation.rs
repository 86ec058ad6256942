//! What one exchange with a provider showed, before any price.

use crate::ending::Ending;
use crate::event::{CallFacts, ErrorType, OperationStatus};
use crate::text::Text;
use crate::usage::Usage;
use crate::words::words;

words! {
    /// Whether the usage that an exchange shows is to be counted.
    UsageScope ("usage scope") {
        /// The exchange is the call; count it.
        Call = "call",
        /// It shows the usage of another call (a poll, a retrieval): never add it up.
        Repeat = "repeat",
        /// It is not about usage.
        None = "none",
    }
}

/// What one exchange showed: the output of the exchange state machine, the input of pricing.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// Who was called (`openai`, `anthropic`, …); `None` where nobody we know.
    pub provider: Option<Text>,
    /// Whether an event is to be recorded for it.
    pub captured: bool,
    /// Whether its usage is to be counted.
    pub usage_scope: UsageScope,
    /// What was consumed, in the normal form of [`Usage`]; empty where nothing was reported.
    pub usage: Usage,
    /// Names, tier, ids, the stated cost and whatever else the price depends on.
    pub call: CallFacts,
    /// How the operation ended.
    pub operation_status: OperationStatus,
    /// Why it failed.
    pub error_type: Option<ErrorType>,
    /// The HTTP status; `None` where no response came.
    pub http_status: Option<u16>,
    /// How the exchange ended on our side.
    pub ending: Ending,
    /// Whether reported counts contradicted each other, so that they had to be clamped.
    pub usage_is_suspect: bool,
    /// What kept the body from being read in full, where something did.
    pub body_trouble: Option<BodyTrouble>,
    /// A digest of the request line and body: the same for a repetition of the same request. It
    /// holds for one process only, is never stored, and nothing can be read back from it. `None`
    /// where the body was not seen.
    pub request_digest: Option<u64>,
}

words! {
    /// What kept a response body from being read in full. The caller's bytes are untouched by it.
    BodyTrouble ("body trouble") {
        /// The content coding is unknown, or the bytes are not what it promises.
        Coding = "coding",
        /// The body is not the JSON or event stream that the path promises.
        Format = "format",
        /// A cap of ours was hit: the body decodes to too much, or needs too much memory to decode.
        TooLarge = "too_large",
    }
}

impl Observation {
    /// An exchange that showed nothing of interest.
    #[must_use]
    pub fn nothing(ending: Ending) -> Self {
        Self {
            provider: None,
            captured: false,
            usage_scope: UsageScope::None,
            usage: Usage::new(),
            call: CallFacts::default(),
            operation_status: OperationStatus::Unknown,
            error_type: None,
            http_status: None,
            ending,
            usage_is_suspect: false,
            body_trouble: None,
            request_digest: None,
        }
    }
}
