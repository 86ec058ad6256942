//! The closed vocabularies of events.

use crate::words::words;

words! {
    /// What kind of cost fact an event is.
    EventType ("event type") {
        /// A model call.
        LlmCall = "llm_call",
        /// A paid API or anything else that somebody bills.
        ExternalCost = "external_cost",
        /// Serverless or machine time.
        ComputeCost = "compute_cost",
        /// GPU time.
        GpuCost = "gpu_cost",
        /// Bytes that left the machine.
        Network = "network",
        /// A retry that was marked by hand.
        RetryMarker = "retry_marker",
        /// Evidence of GPU use; never money.
        GpuUtilizationSignal = "gpu_utilization_signal",
    }
}

impl EventType {
    /// The family whose total the event's cost belongs to; `None` for signals, which cost nothing.
    #[must_use]
    pub const fn family(self) -> Option<CostFamily> {
        match self {
            Self::LlmCall => Some(CostFamily::Llm),
            Self::ExternalCost | Self::RetryMarker => Some(CostFamily::External),
            Self::ComputeCost => Some(CostFamily::Compute),
            Self::GpuCost => Some(CostFamily::Gpu),
            Self::Network => Some(CostFamily::Network),
            Self::GpuUtilizationSignal => None,
        }
    }

    /// Whether events of this type can cost money.
    #[must_use]
    pub const fn is_money(self) -> bool {
        self.family().is_some()
    }
}

words! {
    /// One of the five families that a task's total is the sum of.
    CostFamily ("cost family") {
        /// Model calls.
        Llm = "llm",
        /// Paid APIs and marked retries.
        External = "external",
        /// Serverless and machine time.
        Compute = "compute",
        /// GPU time.
        Gpu = "gpu",
        /// Egress.
        Network = "network",
    }
}

words! {
    /// How far a cost can be trusted.
    CostConfidence ("cost confidence") {
        /// The amount on the bill, as stated by who bills it or by the caller.
        Exact = "exact",
        /// Measured usage times a listed price.
        Computed = "computed",
        /// A stand-in price, or usage that is not fully trustworthy.
        Estimated = "estimated",
        /// Something of it has no known price.
        Unknown = "unknown",
    }
}

words! {
    /// Where a price came from.
    PricingSource ("pricing source") {
        /// The bundled table of model prices.
        Litellm = "litellm",
        /// Prices that the user set.
        Custom = "custom",
        /// The amount that the caller passed.
        Manual = "manual",
        /// A registered rate.
        RateRegistry = "rate_registry",
        /// The bundled catalog of services.
        ServiceCatalog = "service_catalog",
        /// The bundled table of egress prices.
        EgressTable = "egress_table",
        /// The amount that the provider stated.
        ProviderResponse = "provider_response",
        /// No price was found.
        Unknown = "unknown",
    }
}

words! {
    /// How an operation ended.
    OperationStatus ("operation status") {
        /// It did what it was asked for.
        Succeeded = "succeeded",
        /// It failed.
        Failed = "failed",
        /// The caller gave up on it.
        Cancelled = "cancelled",
        /// It cannot be known.
        Unknown = "unknown",
    }
}

words! {
    /// Why a call failed, in words that are the same for every provider.
    ErrorType ("error type") {
        /// Too many requests or tokens per time.
        RateLimit = "rate_limit",
        /// Nothing came in time.
        Timeout = "timeout",
        /// The provider failed (5xx).
        ServerError = "server_error",
        /// The provider had no capacity.
        Overloaded = "overloaded",
        /// The connection failed or broke.
        ConnectionError = "connection_error",
        /// Key missing, wrong or without the right.
        Auth = "auth",
        /// Credit or quota is used up.
        Quota = "quota",
        /// The request was wrong.
        InvalidRequest = "invalid_request",
        /// Model, deployment or path does not exist.
        NotFound = "not_found",
        /// Prompt or answer was refused by a content filter.
        ContentFilter = "content_filter",
        /// The answer cannot be read.
        InvalidResponse = "invalid_response",
        /// Anything else.
        Other = "other",
    }
}

impl ErrorType {
    /// Whether the same call may well succeed when it is repeated.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        matches!(
            self,
            Self::RateLimit | Self::Timeout | Self::ServerError | Self::Overloaded | Self::ConnectionError
        )
    }
}

words! {
    /// What kind of model call it was; decides which price components apply.
    CallType ("call type") {
        /// Chat or text completion.
        Completion = "completion",
        /// OpenAI's Responses form.
        Responses = "responses",
        /// A completion through the provider's batch interface.
        Batch = "batch",
        /// Embeddings.
        Embedding = "embedding",
        /// Image generation or editing.
        ImageGeneration = "image_generation",
        /// Text to speech.
        Speech = "speech",
        /// Speech to text.
        Transcription = "transcription",
        /// Reranking.
        Rerank = "rerank",
        /// Reading documents.
        Ocr = "ocr",
        /// Search.
        Search = "search",
        /// Video generation.
        Video = "video",
        /// A fee of a tool that the provider ran.
        Tool = "tool",
        /// A decision of a router or classifier.
        Decisions = "decisions",
    }
}

#[allow(clippy::derivable_impls, reason = "the words macro declares the variants")]
impl Default for CallType {
    fn default() -> Self {
        Self::Completion
    }
}
