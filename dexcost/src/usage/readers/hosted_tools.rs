//! Tools that the provider ran inside a Responses call, and what it bills for them.
//!
//! References: <https://platform.openai.com/docs/pricing#built-in-tools> and
//! <https://docs.x.ai/docs/guides/tools/overview>, read 2026-11. Newer responses report them in
//! `tool_usage` (OpenAI) or `usage.server_side_tool_usage_details` (xAI); else they are counted from the
//! output. Of a web search only `search` actions are billed, not the opening of pages. A code interpreter
//! is billed by the container, which several calls may share. Images are made by a model of its own, with
//! its own price.

use rust_decimal::Decimal;
use smallvec::SmallVec;

use super::Reading;
use crate::event::CallPart;
use crate::text::Text;
use crate::usage::framing::{Json, Keep};
use crate::usage::{Unit, Usage};

/// What is kept of an output item.
pub(super) const KEEP_ITEM: Keep = Keep::Fields(&[
    ("type", Keep::All),
    ("status", Keep::All),
    ("action", Keep::Fields(&[("type", Keep::All)])),
    ("container_id", Keep::All),
]);

/// What is kept of a tool that was offered.
pub(super) const KEEP_TOOL: Keep = Keep::Fields(&[
    ("type", Keep::All),
    ("model", Keep::All),
    ("container", Keep::Fields(&[("memory_limit", Keep::All)])),
]);

/// What makes images where the tool names no model (the tool's documented default).
const IMAGE_MODEL: &str = "gpt-image-1";

/// More containers in one call are not told apart.
const MOST_CONTAINERS: usize = 16;

/// Counts of hosted tool calls.
#[derive(Debug, Default)]
pub(super) struct HostedTools {
    /// From the output of the response.
    whole: Counted,
    /// From finished items on the way: some backends leave the output of the response empty, and a
    /// stream that breaks off has none.
    done: Counted,
    /// Web searches as reported.
    web_searches: Option<Decimal>,
    images: Usage,
    image_model: Option<Text>,
    container_memory: Option<Text>,
}

#[derive(Debug, Default)]
struct Counted {
    items: u32,
    web_searches: u32,
    file_searches: u32,
    images: u32,
    containers: SmallVec<[Text; 1]>,
}

impl HostedTools {
    /// Counts the output of a response.
    pub(super) fn output(&mut self, output: Json<'_>) {
        self.whole = Counted::default();
        output.items().for_each(|item| self.whole.add(item));
    }

    /// Counts an item of a stream.
    pub(super) fn item_done(&mut self, item: Json<'_>) {
        self.done.add(item);
    }

    /// Learns which model makes images, and how large the container is that code runs in.
    pub(super) fn offered(&mut self, tools: Json<'_>) {
        for tool in tools.items() {
            match tool.get("type").and_then(Json::word) {
                Some("image_generation") if self.image_model.is_none() => {
                    self.image_model = tool.get("model").and_then(Json::text);
                }
                Some("code_interpreter") if self.container_memory.is_none() => {
                    let container = tool.get("container");
                    let memory = container.and_then(|container| container.get("memory_limit"));
                    self.container_memory = memory.and_then(Json::text);
                }
                _ => {}
            }
        }
    }

    /// Looks at a usage object (xAI).
    pub(super) fn usage(&mut self, usage: Json<'_>) {
        let details = usage
            .get("server_side_tool_usage_details")
            .or_else(|| usage.get("server_tool_use_details"));
        let searches = details.and_then(|details| details.get("web_search_calls"));
        self.web_searches = searches.and_then(Json::number).or(self.web_searches);
    }

    /// Takes over what OpenAI reports beside the usage.
    pub(super) fn tool_usage(&mut self, tools: Json<'_>) {
        let searches = tools
            .get("web_search")
            .and_then(|search| search.get("num_requests"));
        self.web_searches = searches.and_then(Json::number).or(self.web_searches);
        let Some(images) = tools.get("image_gen") else {
            return;
        };
        let detail = |of: &str, what: &str| images.get(of)?.get(what)?.number();
        let count = |name: &str| images.get(name).and_then(Json::number);
        self.images = Usage::of_reported(&[
            (Unit::InputTokens, count("input_tokens")),
            (Unit::OutputTokens, count("output_tokens")),
            (
                Unit::InputImageTokens,
                detail("input_tokens_details", "image_tokens"),
            ),
            (
                Unit::OutputImageTokens,
                detail("output_tokens_details", "image_tokens"),
            ),
        ]);
    }

    /// Adds what is billed to a reading.
    pub(super) fn report(&mut self, reading: &mut Reading) {
        let counted = if self.whole.items > 0 {
            &mut self.whole
        } else {
            &mut self.done
        };
        reading.containers = std::mem::take(&mut counted.containers);
        let containers = reading.containers.len();
        reading.container_memory = self.container_memory.take().filter(|_| containers > 0);
        let searches = self.web_searches.or_else(|| some(counted.web_searches));
        let reported = [
            (Unit::WebSearchRequests, searches),
            (Unit::FileSearchRequests, some(counted.file_searches)),
            (
                Unit::CodeInterpreterSessions,
                (containers > 0).then(|| containers.into()),
            ),
        ];
        for (unit, count) in reported {
            // What the usage object itself reported stands. Without one, none of a tool is no usage.
            let is_news = |count: &Decimal| reading.has_usage || !count.is_zero();
            if let Some(count) = count
                .filter(is_news)
                .filter(|_| reading.usage.get(unit).is_none())
            {
                reading.usage.set(unit, count);
            }
        }
        let images = counted.images;
        reading.parts.extend(self.images(images));
    }

    /// The images as a part with a model of its own: by tokens where they were reported.
    fn images(&self, made: u32) -> Option<CallPart> {
        let by_tokens = self.images.iter().any(|(_, quantity)| !quantity.is_zero());
        let usage = if by_tokens {
            self.images.clone()
        } else {
            Usage::new().with(Unit::Images, some(made)?)
        };
        let default = || Text::from_static(IMAGE_MODEL);
        Some(CallPart {
            model: self.image_model.clone().unwrap_or_else(default),
            usage,
        })
    }
}

impl Counted {
    fn add(&mut self, item: Json<'_>) {
        self.items = self.items.saturating_add(1);
        let word = |name: &str| item.get(name).and_then(Json::str);
        // What failed is not billed. Of what ran, some backends leave the status at `searching`.
        let has_failed = matches!(
            word("status").as_deref(),
            Some("failed" | "incomplete" | "cancelled")
        );
        let count = match word("type").as_deref() {
            Some("web_search_call" | "file_search_call") if has_failed => return,
            Some("web_search_call") => {
                let action = item.get("action").and_then(|action| action.get("type"));
                match action.and_then(Json::str).as_deref() {
                    Some("open_page" | "find_in_page" | "find") => return,
                    _ => &mut self.web_searches,
                }
            }
            Some("file_search_call") => &mut self.file_searches,
            Some("image_generation_call") if word("status").as_deref() != Some("failed") => &mut self.images,
            Some("code_interpreter_call") => return self.container(item),
            _ => return,
        };
        *count = count.saturating_add(1);
    }

    /// Notes whose container a code interpreter ran in.
    fn container(&mut self, item: Json<'_>) {
        let Some(id) = item.get("container_id").and_then(Json::text) else {
            return;
        };
        if self.containers.len() < MOST_CONTAINERS && !self.containers.contains(&id) {
            self.containers.push(id);
        }
    }
}

fn some(count: u32) -> Option<Decimal> {
    (count > 0).then(|| count.into())
}

#[cfg(test)]
mod tests {
    use super::super::openai_responses::OpenAiResponses;
    use super::super::tests::{body, count, stream};
    use super::*;
    use crate::dec;

    fn read(text: &str) -> Reading {
        body(OpenAiResponses::default(), text)
    }

    const CALLS: &str = r#"[{"type":"web_search_call","status":"completed","action":{"type":"search","queries":["a","b"]}},{"type":"web_search_call","action":{"type":"open_page","url":"u"}},{"type":"web_search_call","action":{"type":"find_in_page"}},{"type":"file_search_call","queries":["q"],"results":null},{"type":"code_interpreter_call","container_id":"c1","code":"1"},{"type":"code_interpreter_call","container_id":"c1","code":"2"},{"type":"code_interpreter_call","container_id":"c2"}]"#;

    #[test]
    fn calls_are_counted_from_the_output() {
        let seen = read(&format!(r#"{{"output":{CALLS},"usage":{{"input_tokens":1}}}}"#));
        assert_eq!(count(&seen, Unit::WebSearchRequests), Some(dec!(1)));
        assert_eq!(count(&seen, Unit::FileSearchRequests), Some(dec!(1)));
        assert_eq!(count(&seen, Unit::CodeInterpreterSessions), Some(dec!(2)));
        assert!(seen.parts.is_empty());
    }

    #[test]
    fn what_is_reported_beats_what_was_counted() {
        let seen = read(&format!(
            r#"{{"output":{CALLS},"tool_usage":{{"web_search":{{"num_requests":3}}}},"usage":{{}}}}"#
        ));
        assert_eq!(count(&seen, Unit::WebSearchRequests), Some(dec!(3)));
        let seen = read(
            r#"{"output":[],"usage":{"server_side_tool_usage_details":{"web_search_calls":2,"x_search_calls":1}}}"#,
        );
        assert_eq!(count(&seen, Unit::WebSearchRequests), Some(dec!(2)));
    }

    #[test]
    fn items_of_a_stream_count_where_the_response_lists_none() {
        let item =
            r#"{"type":"response.output_item.done","item":{"type":"file_search_call","status":"completed"}}"#;
        let added = r#"{"type":"response.output_item.added","item":{"type":"file_search_call","status":"in_progress"}}"#;
        let empty = r#"{"type":"response.completed","response":{"output":[],"usage":{"input_tokens":1}}}"#;
        let seen = stream(OpenAiResponses::default, &[added, item, empty]);
        assert_eq!(count(&seen, Unit::FileSearchRequests), Some(dec!(1)));
        let full = r#"{"type":"response.completed","response":{"output":[{"type":"file_search_call"}]}}"#;
        let seen = stream(OpenAiResponses::default, &[added, item, full]);
        assert_eq!(count(&seen, Unit::FileSearchRequests), Some(dec!(1)));
    }

    #[test]
    fn images_are_a_part_with_a_model_of_its_own() {
        let seen = read(
            r#"{"tools":[{"type":"image_generation","model":"gpt-image-9"}],"tool_usage":{"image_gen":{"input_tokens":9,"input_tokens_details":{"image_tokens":4,"text_tokens":5},"output_tokens":272,"output_tokens_details":{"image_tokens":272},"total_tokens":281}},"usage":{"input_tokens":1}}"#,
        );
        assert_eq!(seen.parts[0].model.as_str(), "gpt-image-9");
        assert_eq!(seen.parts[0].usage.count(Unit::OutputImageTokens), 272);
        let seen = read(
            r#"{"tools":[{"type":"image_generation"}],"output":[{"type":"image_generation_call","status":"completed","result":"AAAA"}]}"#,
        );
        assert_eq!(seen.parts[0].model.as_str(), IMAGE_MODEL);
        assert_eq!(seen.parts[0].usage.count(Unit::Images), 1);
    }
}
