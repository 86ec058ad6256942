//! The units that usage is counted in.

use crate::words::words;

words! {
    /// A unit of consumption.
    ///
    /// Token units nest: the two totals hold everything, the others are parts of a total.
    Unit ("unit of usage") {
        /// All prompt tokens: cached, cache-written and of every modality.
        InputTokens = "input_tokens",
        /// All completion tokens, reasoning and every modality included.
        OutputTokens = "output_tokens",
        /// Part of the input: tokens read from a prompt cache.
        CacheReadTokens = "cache_read_tokens",
        /// Part of the input: all tokens written to a prompt cache, whatever their lifetime.
        CacheWriteTokens = "cache_write_tokens",
        /// Part of the cache writes: those kept for five minutes.
        CacheWrite5mTokens = "cache_write_5m_tokens",
        /// Part of the cache writes: those kept for thirty minutes.
        CacheWrite30mTokens = "cache_write_30m_tokens",
        /// Part of the cache writes: those kept for one hour.
        CacheWrite1hTokens = "cache_write_1h_tokens",
        /// Part of the cache writes: those kept for twelve hours.
        CacheWrite12hTokens = "cache_write_12h_tokens",
        /// Part of the input: audio, cached or not.
        InputAudioTokens = "input_audio_tokens",
        /// Part of the input: images, cached or not.
        InputImageTokens = "input_image_tokens",
        /// Part of the input: video, cached or not.
        InputVideoTokens = "input_video_tokens",
        /// Part of the input: documents, cached or not.
        InputDocumentTokens = "input_document_tokens",
        /// Part of the cache reads: audio.
        CacheReadAudioTokens = "cache_read_audio_tokens",
        /// Part of the cache reads: images.
        CacheReadImageTokens = "cache_read_image_tokens",
        /// Part of the cache reads: video.
        CacheReadVideoTokens = "cache_read_video_tokens",
        /// Part of the input: prompts of tools that the provider ran.
        ToolUsePromptTokens = "tool_use_prompt_tokens",
        /// Part of the output: reasoning ("thinking").
        ReasoningTokens = "reasoning_tokens",
        /// Part of the output: audio.
        OutputAudioTokens = "output_audio_tokens",
        /// Part of the output: images.
        OutputImageTokens = "output_image_tokens",
        /// Part of the output: video.
        OutputVideoTokens = "output_video_tokens",
        /// Part of the output: predicted tokens that were accepted.
        AcceptedPredictionTokens = "accepted_prediction_tokens",
        /// Part of the output: predicted tokens that were rejected and are billed all the same.
        RejectedPredictionTokens = "rejected_prediction_tokens",
        /// Tokens of citations that the provider bills apart.
        CitationTokens = "citation_tokens",
        /// Web searches that the provider ran.
        WebSearchRequests = "web_search_requests",
        /// Web pages that the provider fetched.
        WebFetchRequests = "web_fetch_requests",
        /// File searches that the provider ran.
        FileSearchRequests = "file_search_requests",
        /// Grounding lookups in maps.
        GoogleMapsRequests = "google_maps_requests",
        /// Sessions of a code interpreter.
        CodeInterpreterSessions = "code_interpreter_sessions",
        /// Queries of a search or rerank model.
        Queries = "queries",
        /// Search units, as Cohere bills them.
        SearchUnits = "search_units",
        /// Results asked for, where the price depends on it.
        MaxResults = "max_results",
        /// Images made or read.
        Images = "images",
        /// Width of an image in pixels.
        ImageWidthPixels = "image_width_pixels",
        /// Height of an image in pixels.
        ImageHeightPixels = "image_height_pixels",
        /// Pages read.
        Pages = "pages",
        /// Pages annotated.
        AnnotationPages = "annotation_pages",
        /// Seconds of audio.
        AudioSeconds = "audio_seconds",
        /// Seconds of video.
        VideoSeconds = "video_seconds",
        /// Seconds of computing that the provider bills.
        ComputeSeconds = "compute_seconds",
        /// Characters of input.
        InputCharacters = "input_characters",
        /// Wall time of the response in milliseconds, where it is billed.
        ResponseTimeMs = "response_time_ms",
        /// Requests.
        Requests = "requests",
        /// Units of a registered rate, whatever it is counted in.
        RateUnits = "rate_units",
        /// Bytes that left the machine.
        EgressBytes = "egress_bytes",
        /// Bytes that came in.
        IngressBytes = "ingress_bytes",
    }
}

impl Unit {
    /// Whether it is the use of a tool that the provider ran beside the model, at a price of its own.
    pub(crate) const fn is_tool_fee(self) -> bool {
        matches!(
            self,
            Self::WebSearchRequests
                | Self::GoogleMapsRequests
                | Self::FileSearchRequests
                | Self::CodeInterpreterSessions
        )
    }
}
