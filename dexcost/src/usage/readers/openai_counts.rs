//! The usage object of the OpenAI chat form and its many dialects, and its normal form.

use rust_decimal::Decimal;

use super::count::{Count, counted, is_counted, rest, set, whole};
use crate::money::exact_sum;
use crate::provider::{Reasoning, UsageQuirks};
use crate::usage::framing::{Fields, Json};
use crate::usage::{Unit, Usage};

/// Counts as reported, not yet in the normal form.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    prompt: Count,
    completion: Count,
    /// The same in the words of newer forms. Some gateways write both.
    input: Count,
    output: Count,
    total: Count,
    cached: Count,
    /// The same under one of its other names, beside the details.
    cached_beside: Count,
    cache_write: Count,
    cache_write_beside: Count,
    /// Cache writes by lifetime.
    write_5m: Count,
    write_1h: Count,
    input_audio: Count,
    input_image: Count,
    input_video: Count,
    reasoning: Count,
    reasoning_beside: Count,
    output_audio: Count,
    output_image: Count,
    output_video: Count,
    accepted: Count,
    rejected: Count,
    web_searches: Count,
    audio_seconds: Count,
    citations: Count,
    /// A number that does not fit a decimal was reported, or the report was cut off.
    unreadable: bool,
}

impl Counts {
    /// Notes that the report ended in its middle: parts may be missing from what it names.
    pub(super) fn cut_off(&mut self) {
        self.unreadable = true;
    }

    /// Takes over an input count that stands outside a usage object.
    pub(super) fn set_input(&mut self, value: Json<'_>) {
        set(&mut self.input, value, &mut self.unreadable);
    }

    /// Takes over seconds of audio that stand outside a usage object, unless one reported some.
    pub(super) fn set_audio_seconds(&mut self, value: Json<'_>) {
        // Some write it as a string.
        self.audio_seconds = self.audio_seconds.or_else(|| value.amount());
    }

    /// Where nothing comes out but what was asked for, a total that stands alone is the input.
    pub(super) fn take_total_for_input(&mut self) {
        let total = self.total.take();
        if self.input.is_none() && self.prompt.is_none() {
            self.input = total;
        }
    }

    /// Takes over the field of a usage object at which `fields` stands.
    pub(super) fn field(&mut self, name: &[u8], value: Json<'_>, fields: &mut Fields<'_>) {
        let slot = match name {
            b"prompt_tokens" => &mut self.prompt,
            b"completion_tokens" => &mut self.completion,
            b"input_tokens" => &mut self.input,
            b"output_tokens" => &mut self.output,
            b"total_tokens" => &mut self.total,
            // DeepSeek; Venice, Databricks, doubleword; Together, Moonshot, Hugging Face; Mistral; Inception.
            b"prompt_cache_hit_tokens"
            | b"cache_read_input_tokens"
            | b"cached_tokens"
            | b"num_cached_tokens"
            | b"cached_input_tokens" => {
                let known = self.cached_beside;
                self.set_larger(known, value);
                return;
            }
            b"cache_creation_input_tokens" => &mut self.cache_write_beside,
            // new-api (<https://github.com/QuantumNous/new-api>, read 2026-11).
            b"claude_cache_creation_5_m_tokens" => &mut self.write_5m,
            b"claude_cache_creation_1_h_tokens" => &mut self.write_1h,
            b"reasoning_tokens" => &mut self.reasoning_beside,
            // Mistral; OpenAI's transcriptions by the second.
            b"prompt_audio_seconds" | b"seconds" => &mut self.audio_seconds,
            b"citation_tokens" => &mut self.citations,
            b"prompt_tokens_details"
            | b"prompt_token_details"
            | b"input_tokens_details"
            | b"input_token_details" => {
                return fields.inside(|name, value| self.input_detail(name, value));
            }
            b"completion_tokens_details"
            | b"completion_token_details"
            | b"output_tokens_details"
            | b"output_token_details" => {
                return fields.inside(|name, value| self.output_detail(name, value));
            }
            b"cache_creation" => {
                return fields.inside(|name, value| match name {
                    b"ephemeral_5m_input_tokens" => set(&mut self.write_5m, value, &mut self.unreadable),
                    b"ephemeral_1h_input_tokens" => set(&mut self.write_1h, value, &mut self.unreadable),
                    _ => {}
                });
            }
            b"server_tool_use" | b"server_tool_use_details" => {
                if let Some(value) = value.get("web_search_requests") {
                    set(&mut self.web_searches, value, &mut self.unreadable);
                }
                return;
            }
            _ => return,
        };
        set(slot, value, &mut self.unreadable);
    }

    /// One fact under several names: an explicit zero under one does not hide another.
    fn set_larger(&mut self, known: Count, value: Json<'_>) {
        set(&mut self.cached_beside, value, &mut self.unreadable);
        if let (Some(known), Some(now)) = (known, self.cached_beside) {
            self.cached_beside = Some(known.max(now));
        }
    }

    fn input_detail(&mut self, name: &[u8], value: Json<'_>) {
        let slot = match name {
            b"cached_tokens" => &mut self.cached,
            b"cache_write_tokens" | b"cache_creation_tokens" | b"cached_creation_tokens" => {
                &mut self.cache_write
            }
            b"audio_tokens" => &mut self.input_audio,
            b"image_tokens" => &mut self.input_image,
            b"video_tokens" => &mut self.input_video,
            _ => return,
        };
        set(slot, value, &mut self.unreadable);
    }

    fn output_detail(&mut self, name: &[u8], value: Json<'_>) {
        let slot = match name {
            b"reasoning_tokens" => &mut self.reasoning,
            b"audio_tokens" => &mut self.output_audio,
            b"image_tokens" => &mut self.output_image,
            b"video_tokens" => &mut self.output_video,
            b"accepted_prediction_tokens" => &mut self.accepted,
            b"rejected_prediction_tokens" => &mut self.rejected,
            _ => return,
        };
        set(slot, value, &mut self.unreadable);
    }

    /// Takes llama.cpp's timings for counts: the prompt is what was evaluated and what was cached.
    pub(super) fn timings(&mut self, timings: Json<'_>) {
        let count = |name: &str| timings.get(name).and_then(Json::number);
        if let Some(evaluated) = count("prompt_n") {
            self.prompt = exact_sum(evaluated, count("cache_n").unwrap_or_default());
        }
        self.cached_beside = count("cache_n").or(self.cached_beside);
        self.completion = count("predicted_n").or(self.completion);
    }

    /// The normal form, and whether the counts contradict each other.
    pub(super) fn normal(&self, quirks: UsageQuirks, model: Option<&str>) -> (Usage, bool) {
        let cached = larger(self.cached, self.cached_beside);
        let cache_write = larger(self.cache_write, self.cache_write_beside);
        let reasoning = larger(self.reasoning, self.reasoning_beside);
        let sides = self.sides();
        let cache = whole([cached, cache_write]);
        let input = self.whole_input(&sides, cache, reasoning);
        let output = self.whole_output(input, sides.output, quirks, model, reasoning);
        // Half a report is completed by its total.
        let (input, output) = (
            input.or_else(|| rest(self.total, output)),
            output.or_else(|| rest(self.total, input)),
        );
        let reported = [
            (Unit::InputTokens, &input),
            (Unit::OutputTokens, &output),
            (Unit::CacheReadTokens, &cached),
            (Unit::CacheWriteTokens, &cache_write),
            (Unit::CacheWrite5mTokens, &self.write_5m),
            (Unit::CacheWrite1hTokens, &self.write_1h),
            (Unit::ReasoningTokens, &reasoning),
            (Unit::InputAudioTokens, &self.input_audio),
            (Unit::InputImageTokens, &self.input_image),
            (Unit::InputVideoTokens, &self.input_video),
            (Unit::OutputAudioTokens, &self.output_audio),
            (Unit::OutputImageTokens, &self.output_image),
            (Unit::OutputVideoTokens, &self.output_video),
            (Unit::AcceptedPredictionTokens, &self.accepted),
            (Unit::RejectedPredictionTokens, &self.rejected),
            (Unit::CitationTokens, &self.citations),
            (Unit::WebSearchRequests, &self.web_searches),
            (Unit::AudioSeconds, &self.audio_seconds),
        ];
        let usage = Usage::of_reported(&reported);
        let suspect = self.unreadable || sides.disagree || is_impossible(&usage);
        (usage, suspect)
    }

    /// The prompt and the completion of the family of names that was counted. Where both were and differ,
    /// the total decides; where it does not, the larger counts stand, in doubt.
    fn sides(&self) -> Sides {
        let (older, newer) = ((self.prompt, self.completion), (self.input, self.output));
        if newer == (None, None) {
            return Sides::of(older);
        }
        let differ = |a: Count, b: Count| is_counted(a) && is_counted(b) && a != b;
        if !differ(older.0, newer.0) && !differ(older.1, newer.1) {
            return Sides::of((counted(older.0, newer.0), counted(older.1, newer.1)));
        }
        let is_total =
            |sides: &(Count, Count)| self.total.is_some() && whole([sides.0, sides.1]) == self.total;
        match [older, newer].into_iter().find(is_total) {
            Some(proven) => Sides::of(proven),
            None => Sides {
                disagree: true,
                ..Sides::of((larger(older.0, newer.0), larger(older.1, newer.1)))
            },
        }
    }

    /// The prompt with everything in it. Mistral counts audio beside the prompt, and some gateways in
    /// front of Anthropic what a cache served; the total proves it.
    fn whole_input(&self, sides: &Sides, cache: Count, reasoning: Count) -> Count {
        let (Some(input), Some(total)) = (sides.input, self.total) else {
            return sides.input;
        };
        let completed = |input: Decimal| exact_sum(input, sides.output.unwrap_or_default());
        let proves = |input: Decimal| {
            let all = completed(input);
            all == Some(total)
                || (is_counted(reasoning) && all.and_then(|all| exact_sum(all, reasoning?)) == Some(total))
        };
        let is_positive =
            |count: &Count| is_counted(*count) && count.is_some_and(|count| count.is_sign_positive());
        let beside = [self.input_audio, cache].into_iter().filter(is_positive);
        let mut sums = beside.filter_map(|count| exact_sum(input, count?));
        if completed(input) == Some(total) {
            return sides.input;
        }
        sums.find(|sum| proves(*sum)).or(sides.input)
    }

    /// The completion with everything in it.
    fn whole_output(
        &self,
        input: Count,
        output: Count,
        quirks: UsageQuirks,
        model: Option<&str>,
        reasoning: Count,
    ) -> Count {
        let output = output?;
        let counted = || exact_sum(input.unwrap_or_default(), output);
        let unnamed = quirks.total_has_more && reasoning.is_none_or(|r| r.is_zero());
        if unnamed && let (Some(total), Some(counted)) = (self.total, counted()) {
            let more = exact_sum(total, -counted)?.max(Decimal::ZERO);
            return exact_sum(output, more);
        }
        let reasoning = reasoning.filter(|r| !r.is_zero() && !r.is_sign_negative());
        let Some(reasoning) = reasoning else {
            return Some(output);
        };
        let with_reasoning = exact_sum(output, reasoning);
        let beside = match (self.total, quirks.reasoning) {
            (_, Reasoning::BesideFor(prefix)) => model.is_some_and(|m| m.starts_with(prefix)),
            (Some(total), _) => counted().and_then(|c| exact_sum(c, reasoning)) == Some(total),
            (None, quirk) => quirk == Reasoning::Beside,
        };
        if beside { with_reasoning } else { Some(output) }
    }
}

/// The two sides of a call as reported.
struct Sides {
    input: Count,
    output: Count,
    /// Whether two names of a unit were counted, differently, and nothing proves one of them.
    disagree: bool,
}

impl Sides {
    fn of((input, output): (Count, Count)) -> Self {
        Self {
            input,
            output,
            disagree: false,
        }
    }
}

/// Of one fact under two names the larger count.
#[inline]
fn larger(a: Count, b: Count) -> Count {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (a, b) => a.or(b),
    }
}

/// Whether a usage cannot be: negative or fractional tokens, or parts that exceed their whole.
pub(super) fn is_impossible(usage: &Usage) -> bool {
    let [mut input, mut read, mut written, mut output, mut reasoning] = [Decimal::ZERO; 5];
    for (unit, quantity) in usage.as_slice() {
        let is_fraction = quantity.scale() > 0 && *unit != Unit::AudioSeconds && !quantity.fract().is_zero();
        if is_fraction || (quantity.is_sign_negative() && !quantity.is_zero()) {
            return true;
        }
        match unit {
            Unit::InputTokens => input = *quantity,
            Unit::CacheReadTokens => read = *quantity,
            Unit::CacheWriteTokens => written = *quantity,
            Unit::OutputTokens => output = *quantity,
            Unit::ReasoningTokens => reasoning = *quantity,
            _ => {}
        }
    }
    let in_cache = match (read.is_zero(), written.is_zero()) {
        (_, true) => Some(read),
        (true, _) => Some(written),
        _ => exact_sum(read, written),
    };
    in_cache.is_none_or(|cache| cache > input) || reasoning > output
}
