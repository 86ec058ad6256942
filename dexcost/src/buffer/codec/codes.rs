//! The numbers under which words stand in the file.
//!
//! A word's code is its place in these lists. They only grow at their end: a word that moved would
//! change the meaning of every file that exists. A word that is missing here does not compile.

use crate::event::{CallType, CostConfidence, ErrorType, EventType, OperationStatus, PricingSource};
use crate::task::TaskStatus;
use crate::usage::Unit;

use super::Malformed;

/// A word with a code.
pub(crate) trait Coded: Copy + 'static {
    /// The code.
    fn code(self) -> u64;

    /// The word of a code.
    ///
    /// # Errors
    ///
    /// Where no word has it: a later version wrote the file.
    fn of(code: u64) -> Result<Self, Malformed>;
}

macro_rules! codes {
    ($($word:ident: [$($variant:ident),+ $(,)?];)+) => {$(
        impl Coded for $word {
            fn code(self) -> u64 {
                const LIST: &[$word] = &[$($word::$variant),+];
                const CODES: [u8; LIST.len()] = {
                    assert!(LIST.len() == $word::ALL.len(), "a new word needs a code: append it to its list in codes.rs");
                    let mut codes = [u8::MAX; LIST.len()];
                    let mut at = 0;
                    while at < LIST.len() {
                        codes[LIST[at] as usize] = at as u8;
                        at += 1;
                    }
                    codes
                };
                u64::from(CODES[self as usize])
            }

            fn of(code: u64) -> Result<Self, Malformed> {
                const LIST: &[$word] = &[$($word::$variant),+];
                let place = usize::try_from(code).ok();
                place.and_then(|at| LIST.get(at)).copied().ok_or(Malformed("a word of a later version"))
            }
        }
    )+};
}

codes! {
    TaskStatus: [Pending, Success, Failed];
    EventType: [LlmCall, ExternalCost, ComputeCost, GpuCost, Network, RetryMarker, GpuUtilizationSignal];
    CostConfidence: [Exact, Computed, Estimated, Unknown];
    PricingSource: [Litellm, Custom, Manual, RateRegistry, ServiceCatalog, ProviderResponse, Unknown, EgressTable];
    OperationStatus: [Succeeded, Failed, Cancelled, Unknown];
    ErrorType: [
        RateLimit, Timeout, ServerError, Overloaded, ConnectionError, Auth, Quota, InvalidRequest, NotFound,
        ContentFilter, InvalidResponse, Other,
    ];
    CallType: [
        Completion, Responses, Batch, Embedding, ImageGeneration, Speech, Transcription, Rerank, Ocr, Search,
        Video, Tool, Decisions,
    ];
    Unit: [
        InputTokens, OutputTokens, CacheReadTokens, CacheWriteTokens, CacheWrite5mTokens, CacheWrite30mTokens,
        CacheWrite1hTokens, CacheWrite12hTokens, InputAudioTokens, InputImageTokens, InputVideoTokens,
        InputDocumentTokens, CacheReadAudioTokens, CacheReadImageTokens, CacheReadVideoTokens,
        ToolUsePromptTokens, ReasoningTokens, OutputAudioTokens, OutputImageTokens, OutputVideoTokens,
        AcceptedPredictionTokens, RejectedPredictionTokens, CitationTokens, WebSearchRequests,
        WebFetchRequests, FileSearchRequests, GoogleMapsRequests, CodeInterpreterSessions, Queries,
        SearchUnits, MaxResults, Images, ImageWidthPixels, ImageHeightPixels, Pages, AnnotationPages,
        AudioSeconds, VideoSeconds, ComputeSeconds, InputCharacters, ResponseTimeMs, Requests, RateUnits,
        EgressBytes, IngressBytes,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_comes_back_from_its_code() {
        for unit in Unit::ALL {
            assert_eq!(Unit::of(unit.code()).unwrap(), *unit);
        }
        for word in ErrorType::ALL {
            assert_eq!(ErrorType::of(word.code()).unwrap(), *word);
        }
        assert!(Unit::of(200).is_err());
    }
}
