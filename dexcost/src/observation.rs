//! What one exchange showed: of a model call before any price, of a priced service with what it costs.

use crate::ending::Ending;
use rust_decimal::Decimal;

use crate::event::{CallFacts, CallType, CostConfidence, Details, ErrorType, OperationStatus, PricingSource};
use crate::task::HostTraffic;
use crate::text::Text;
use crate::usage::Usage;
use crate::wire::Peer;
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
    pub call: Box<CallFacts>,
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
    /// Whether the provider stated a cost that is no amount: negative, or not a number.
    pub stated_cost_is_invalid: bool,
    /// What kept the body from being read in full, where something did.
    pub body_trouble: Option<BodyTrouble>,
    /// A digest of the request line and body: the same for a repetition of the same request. It
    /// holds for one process only, is never stored, and nothing can be read back from it. `None`
    /// where the body was not seen.
    pub request_digest: Option<u64>,
    /// What it shows of a call that runs on after it was answered.
    pub job: Option<JobSight>,
    /// The containers in which the provider ran code, as keys that hold for one process only. Of the
    /// sessions in [`usage`](Self::usage) only those count whose container no call used before.
    pub containers: Vec<u64>,
    /// The priced service that was called, where it was no model.
    pub service: Option<Box<ServiceUse>>,
    /// The service as which the catalog prices the model call, over the table of models; it costs what
    /// this says.
    pub sold_as: Option<Box<ServiceUse>>,
    /// Tools that were called beside it, where several calls went as one message.
    pub further: Vec<FurtherUse>,
    /// How many more tools were called in the same message than are told apart.
    pub unrecorded_calls: u64,
    /// What it shows of a batch of calls.
    pub batch: Option<Box<BatchSight>>,
    /// What went over the network, measured as HTTP/1.1 messages where the adapter sits: content
    /// codings as sent, no transport encryption, no frames. No call where the traffic is not counted.
    pub traffic: HostTraffic,
    /// Where the other end is.
    pub peer: Peer,
}

/// What an exchange shows of a model call that runs on after it was answered and is polled.
#[derive(Clone, Debug, PartialEq)]
pub struct JobSight {
    /// The provider's id of it, as a key that holds for one process only.
    pub key: u64,
    /// What it consumed, where the exchange shows its end: a poll, or the reply to what tools found for it;
    /// empty where nothing was reported. `None` where it was begun.
    pub consumed: Option<Usage>,
}

/// What an exchange shows of a batch of calls: that it was made, or what became of its requests.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchSight {
    /// Under what the batch is known, its files among it, as keys that hold for one process only.
    pub keys: Vec<u64>,
    /// Whether this exchange made the batch.
    pub is_new: bool,
    /// Requests of the batch, each as the call that it was, to be counted once however often it is shown:
    /// [`CallFacts::batch_request_id`](crate::CallFacts::batch_request_id) tells it from all others of the
    /// provider.
    pub requests: Vec<Observation>,
    /// How many more requests there were than are held at a time.
    pub unrecorded: u64,
}

impl BatchSight {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.requests.is_empty() && self.unrecorded == 0
    }
}

/// The use of a priced service in one exchange.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceUse {
    /// The service, as the catalog names it.
    pub service: Text,
    /// What was consumed, as far as the exchange showed it.
    pub usage: Usage,
    /// What it costs in US dollars; `None` where no price is known.
    pub cost_usd: Option<Decimal>,
    /// How far the cost can be trusted.
    pub cost_confidence: CostConfidence,
    /// Where the price came from.
    pub pricing_source: PricingSource,
    /// Which version of that source.
    pub pricing_version: Text,
    /// The model whose price in the model table applies, where the service is priced so.
    pub model: Option<Text>,
    /// The provider of that model.
    pub provider: Option<Text>,
    /// What kind of call of that model it is.
    pub call_type: CallType,
    /// What makes several exchanges one use: the id of a job that is polled, say.
    pub once: Option<u64>,
    /// How the cost comes about: its lines, what has no price, how it is billed.
    pub details: Details,
    /// Whether the reply states an amount that was not believed.
    pub stated_is_refused: bool,
}

/// A further use of a service in the same exchange, with an outcome of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct FurtherUse {
    /// What was used.
    pub service: ServiceUse,
    /// How it ended.
    pub operation_status: OperationStatus,
    /// Why it failed.
    pub error_type: Option<ErrorType>,
}

impl ServiceUse {
    /// The use of a service of which nothing else is known.
    #[must_use]
    pub fn of(service: Text) -> Self {
        Self {
            service,
            usage: Usage::new(),
            cost_usd: None,
            cost_confidence: CostConfidence::Unknown,
            pricing_source: PricingSource::Unknown,
            pricing_version: Text::empty(),
            model: None,
            provider: None,
            call_type: CallType::Completion,
            once: None,
            details: Details::new(),
            stated_is_refused: false,
        }
    }
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
            call: Box::default(),
            operation_status: OperationStatus::Unknown,
            error_type: None,
            http_status: None,
            ending,
            usage_is_suspect: false,
            stated_cost_is_invalid: false,
            body_trouble: None,
            request_digest: None,
            job: None,
            containers: Vec::new(),
            service: None,
            sold_as: None,
            further: Vec::new(),
            unrecorded_calls: 0,
            batch: None,
            traffic: HostTraffic::default(),
            peer: Peer::default(),
        }
    }
}
