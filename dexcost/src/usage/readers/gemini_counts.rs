//! The usage object of Google's models, in its two spellings, and its normal form.
//!
//! `promptTokenCount` and `total_input_tokens` include what a cache served. The prompts of tools that
//! Google ran, and thoughts, stand beside the prompt and the candidates, unless the total proves that
//! the candidates hold the thoughts.

use rust_decimal::Decimal;

use super::count::{Count, ForeignCounts, add, counted, rest, set, some, whole};
use super::gemini_words::{Modality, modality};
use crate::money::exact_sum;
use crate::usage::framing::Json;
use crate::usage::{Unit, Usage};

/// Counts as reported.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    prompt: Count,
    tool_use: Count,
    candidates: Count,
    thoughts: Count,
    cached: Count,
    total: Count,
    foreign: ForeignCounts,
    input: Modalities,
    cache: Modalities,
    output: Modalities,
    searches: Count,
    maps: Count,
    /// A number that does not fit a decimal was reported, or the report was cut off.
    unreadable: bool,
}

/// Tokens that are no text.
#[derive(Clone, Debug, Default)]
struct Modalities {
    image: Decimal,
    video: Decimal,
    audio: Decimal,
    document: Decimal,
}

impl Counts {
    /// Notes that the report ended in its middle.
    pub(super) fn cut_off(&mut self) {
        self.unreadable = true;
    }

    pub(super) fn is_unreadable(&self) -> bool {
        self.unreadable
    }

    /// Whether anything was counted.
    pub(super) fn is_counted(&self) -> bool {
        self.prompt.is_some() || self.candidates.is_some() || self.thoughts.is_some()
    }

    /// Whether a usage object counts something that was generated.
    pub(super) fn has_generated(usage: Json<'_>) -> bool {
        usage.fields().any(|(name, _)| {
            matches!(
                name,
                b"candidatesTokenCount"
                    | b"candidates_token_count"
                    | b"thoughtsTokenCount"
                    | b"thoughts_token_count"
                    | b"responseTokenCount"
                    | b"response_token_count"
            )
        })
    }

    /// Takes over one field of the usage object.
    pub(super) fn field(&mut self, name: &[u8], value: Json<'_>) {
        let slot = match name {
            b"promptTokenCount" | b"prompt_token_count" | b"total_input_tokens" => &mut self.prompt,
            b"toolUsePromptTokenCount" | b"tool_use_prompt_token_count" | b"total_tool_use_tokens" => {
                &mut self.tool_use
            }
            // The last name is that of live sessions.
            b"candidatesTokenCount"
            | b"candidates_token_count"
            | b"total_output_tokens"
            | b"responseTokenCount"
            | b"response_token_count" => &mut self.candidates,
            b"thoughtsTokenCount"
            | b"thoughts_token_count"
            | b"total_thought_tokens"
            | b"total_reasoning_tokens" => &mut self.thoughts,
            b"cachedContentTokenCount" | b"cached_content_token_count" | b"total_cached_tokens" => {
                &mut self.cached
            }
            b"totalTokenCount" | b"total_token_count" | b"total_tokens" => &mut self.total,
            // Embeddings have it in the singular.
            b"promptTokensDetails"
            | b"prompt_tokens_details"
            | b"promptTokenDetails"
            | b"prompt_token_details"
            | b"input_tokens_by_modality" => return self.input.read(value),
            b"cacheTokensDetails" | b"cache_tokens_details" | b"cached_tokens_by_modality" => {
                return self.cache.read(value);
            }
            b"candidatesTokensDetails"
            | b"candidates_tokens_details"
            | b"output_tokens_by_modality"
            | b"responseTokensDetails"
            | b"response_tokens_details" => return self.output.read(value),
            b"grounding_tool_count" => return self.tools(value),
            _ => {
                self.foreign.field(name, value, &mut self.unreadable);
                return;
            }
        };
        set(slot, value, &mut self.unreadable);
    }

    /// Tools that Google ran, by kind.
    fn tools(&mut self, tools: Json<'_>) {
        for tool in tools.items() {
            let kind = tool.get("type").and_then(Json::word).unwrap_or_default();
            let slot = match kind {
                "google_search" | "web_search" => &mut self.searches,
                "google_maps" => &mut self.maps,
                _ => continue,
            };
            if let Some(count) = tool.get("count") {
                set(slot, count, &mut self.unreadable);
            }
        }
    }

    /// The normal form.
    pub(super) fn normal(&self) -> Usage {
        let (input, output) = self.sides();
        let reported = [
            (Unit::InputTokens, input),
            (Unit::OutputTokens, output),
            (Unit::CacheReadTokens, self.cached),
            (Unit::ReasoningTokens, self.thoughts),
            (Unit::ToolUsePromptTokens, self.tool_use),
            (Unit::InputImageTokens, some(self.input.image)),
            (Unit::InputVideoTokens, some(self.input.video)),
            (Unit::InputAudioTokens, some(self.input.audio)),
            (Unit::InputDocumentTokens, some(self.input.document)),
            (Unit::CacheReadImageTokens, some(self.cache.image)),
            (Unit::CacheReadVideoTokens, some(self.cache.video)),
            (Unit::CacheReadAudioTokens, some(self.cache.audio)),
            (Unit::OutputImageTokens, some(self.output.image)),
            (Unit::OutputVideoTokens, some(self.output.video)),
            (Unit::OutputAudioTokens, some(self.output.audio)),
            (Unit::WebSearchRequests, self.searches),
            (Unit::GoogleMapsRequests, self.maps),
        ];
        Usage::of_reported(&reported)
    }

    /// What went in and what came out; the side that was not counted is what the total leaves.
    fn sides(&self) -> (Count, Count) {
        let prompt = counted(self.prompt, self.foreign.prompt);
        let candidates = counted(self.candidates, self.foreign.completion);
        let input = prompt.and_then(|prompt| whole([Some(prompt), self.tool_use]));
        let output = match (candidates, self.thoughts) {
            (Some(candidates), Some(thoughts)) => {
                let is_inside = thoughts <= candidates
                    && self.total.is_some()
                    && add(input, Some(candidates)) == self.total;
                if is_inside {
                    Some(candidates)
                } else {
                    whole([Some(candidates), Some(thoughts)])
                }
            }
            (Some(candidates), None) => Some(candidates),
            (None, thoughts) => rest(self.total, input).or(thoughts),
        };
        (input.or_else(|| rest(self.total, output)), output)
    }
}

impl Modalities {
    /// Takes over a list of counts by modality, each of which may come in several entries.
    fn read(&mut self, entries: Json<'_>) {
        let mut sums = Self::default();
        for entry in entries.items() {
            let count = ["tokenCount", "token_count", "tokens"]
                .iter()
                .find_map(|name| entry.get(name)?.amount());
            let slot = match entry.get("modality").map_or(Modality::Text, modality) {
                Modality::Text => continue,
                Modality::Image => &mut sums.image,
                Modality::Video => &mut sums.video,
                Modality::Audio => &mut sums.audio,
                Modality::Document => &mut sums.document,
            };
            if let Some(sum) = count.and_then(|count| exact_sum(*slot, count)) {
                *slot = sum;
            }
        }
        *self = sums;
    }
}
