//! Counts as Amazon Bedrock reports them beside, or in place of, a model's own.
//!
//! Reference: <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html> and
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html>, read 2026-11. The input
//! is what no cache served; reads and writes come on top, unless the total proves that they are inside.

use super::Reading;
use super::count::{Count, add, is_counted, rest, set, whole};
use super::stated::Stated;
use crate::usage::framing::{Json, Keep};
use crate::usage::{Unit, Usage};
use crate::wire::Headers;

/// The object that ends a stream of InvokeModel.
pub(super) const METRICS: &str = "amazon-bedrock-invocationMetrics";

/// Header fields of InvokeModel, with what they count.
const INPUT: &str = "x-amzn-bedrock-input-token-count";
const OUTPUT: &str = "x-amzn-bedrock-output-token-count";
const CACHE_READ: &str = "x-amzn-bedrock-cache-read-input-token-count";
const CACHE_WRITE: &str = "x-amzn-bedrock-cache-write-input-token-count";

/// What is kept of a trace: the model that a prompt router chose.
pub(super) const KEEP_TRACE: Keep =
    Keep::Fields(&[("promptRouter", Keep::Fields(&[("invokedModelId", Keep::All)]))]);

/// Counts as reported.
#[derive(Clone, Debug, Default)]
pub(super) struct AmazonCounts {
    input: Count,
    output: Count,
    total: Count,
    cache_read: Count,
    cache_write: Count,
    write_5m: Count,
    write_1h: Count,
    web_searches: Count,
    /// What a gateway in front states as its price.
    stated: Stated,
    unreadable: bool,
}

impl AmazonCounts {
    /// The counts in header fields.
    pub(super) fn of_headers(headers: &dyn Headers) -> Self {
        let count = |name: &str| {
            let text = std::str::from_utf8(headers.get(name)?).ok()?;
            crate::money::parse(text.trim()).ok()
        };
        Self {
            input: count(INPUT),
            output: count(OUTPUT),
            cache_read: count(CACHE_READ),
            cache_write: count(CACHE_WRITE),
            ..Self::default()
        }
    }

    /// Adds the price that was stated beside the counts to what was read.
    pub(super) fn report_stated(&self, reading: &mut Reading) {
        self.stated.report(reading);
    }

    pub(super) fn is_unreadable(&self) -> bool {
        self.unreadable
    }

    pub(super) fn is_empty(&self) -> bool {
        self.input.is_none() && self.output.is_none()
    }

    /// Takes over a usage object or the metrics of an invocation.
    pub(super) fn read(&mut self, usage: Json<'_>) {
        let mut fields = usage.fields();
        for (name, value) in &mut fields {
            let slot = match name {
                // Imported models may report in OpenAI's words.
                b"inputTokens" | b"inputTokenCount" | b"prompt_tokens" | b"input_tokens" => &mut self.input,
                b"outputTokens" | b"outputTokenCount" | b"completion_tokens" | b"output_tokens" => {
                    &mut self.output
                }
                b"totalTokens" | b"totalTokenCount" | b"total_tokens" => &mut self.total,
                b"cacheReadInputTokens" | b"cacheReadInputTokenCount" => &mut self.cache_read,
                b"cacheWriteInputTokens" | b"cacheWriteInputTokenCount" => &mut self.cache_write,
                b"cacheDetails" => {
                    self.lifetimes(value);
                    continue;
                }
                b"serverToolUsage" => {
                    if let Some(count) = value.get("webSearchRequests") {
                        set(&mut self.web_searches, count, &mut self.unreadable);
                    }
                    continue;
                }
                _ => {
                    self.stated.field(name, value);
                    continue;
                }
            };
            set(slot, value, &mut self.unreadable);
        }
        self.unreadable |= usage.is_object() && fields.after().is_none();
    }

    /// Cache writes by lifetime.
    fn lifetimes(&mut self, details: Json<'_>) {
        (self.write_5m, self.write_1h) = (None, None);
        for detail in details.items() {
            let Some(tokens) = detail.get("inputTokens") else {
                continue;
            };
            let slot = match detail.get("ttl").and_then(Json::word) {
                Some("5m") => &mut self.write_5m,
                Some("1h") => &mut self.write_1h,
                _ => continue,
            };
            let mut count = None;
            set(&mut count, tokens, &mut self.unreadable);
            *slot = add(*slot, count);
        }
    }

    /// These counts, and of `other` what is missing.
    pub(super) fn or(mut self, other: &Self) -> Self {
        self.input = self.input.or(other.input);
        self.output = self.output.or(other.output);
        self.cache_read = self.cache_read.or(other.cache_read);
        self.cache_write = self.cache_write.or(other.cache_write);
        self
    }

    /// Sets the input and output that a model reported in words of its own.
    pub(super) fn with(mut self, input: Count, output: Count) -> Self {
        self.input = input.or(self.input);
        self.output = output.or(self.output);
        self
    }

    /// The normal form: the input with its cache reads and writes.
    pub(super) fn normal(&self) -> Usage {
        let cached = whole([self.cache_read, self.cache_write]);
        let is_inside =
            is_counted(cached) && self.total.is_some() && add(self.input, self.output) == self.total;
        let input = if is_inside || self.input.is_none() {
            self.input
        } else {
            whole([self.input, cached])
        };
        // Half a report is completed by its total.
        Usage::of_reported(&[
            (Unit::InputTokens, input.or_else(|| rest(self.total, self.output))),
            (
                Unit::OutputTokens,
                self.output.or_else(|| rest(self.total, input)),
            ),
            (Unit::CacheReadTokens, self.cache_read),
            (Unit::CacheWriteTokens, self.cache_write),
            (Unit::CacheWrite5mTokens, self.write_5m),
            (Unit::CacheWrite1hTokens, self.write_1h),
            (Unit::WebSearchRequests, self.web_searches),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(usage: &str, unit: Unit) -> u64 {
        let mut counts = AmazonCounts::default();
        counts.read(Json::new(usage.as_bytes()));
        counts.normal().count(unit)
    }

    #[test]
    fn caches_come_on_top_unless_the_total_proves_them_inside() {
        let on_top = r#"{"inputTokens":4,"outputTokens":5,"totalTokens":39,"cacheReadInputTokens":20,"cacheReadInputTokenCount":20,"cacheWriteInputTokens":10,"cacheWriteInputTokenCount":10}"#;
        assert_eq!(count(on_top, Unit::InputTokens), 34);
        let inside = r#"{"inputTokens":34,"outputTokens":5,"totalTokens":39,"cacheReadInputTokens":20}"#;
        assert_eq!(count(inside, Unit::InputTokens), 34);
    }

    #[test]
    fn lifetimes_of_cache_writes_are_told_apart() {
        let usage = r#"{"inputTokens":1,"outputTokens":1,"cacheWriteInputTokens":30,"cacheDetails":[{"ttl":"5m","inputTokens":10},{"ttl":"1h","inputTokens":15},{"ttl":"5m","inputTokens":5}]}"#;
        assert_eq!(count(usage, Unit::CacheWrite5mTokens), 15);
        assert_eq!(count(usage, Unit::CacheWrite1hTokens), 15);
    }

    #[test]
    fn header_fields_count_too() {
        let headers = [
            ("X-Amzn-Bedrock-Input-Token-Count", "7"),
            ("x-amzn-bedrock-output-token-count", " 3 "),
            ("x-amzn-bedrock-cache-read-input-token-count", "x"),
        ];
        let usage = AmazonCounts::of_headers(&headers).normal();
        assert_eq!(usage.count(Unit::InputTokens), 7);
        assert_eq!(usage.count(Unit::OutputTokens), 3);
        assert_eq!(usage.get(Unit::CacheReadTokens), None);
    }
}
