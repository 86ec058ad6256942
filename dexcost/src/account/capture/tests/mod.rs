//! The exchange against replies of our own making.

mod batches;
mod calls;
mod counts;
mod framings;
mod media;
mod odd;
mod privacy;
mod stated_costs;
mod streams;
mod tools;
mod unknown_hosts;
mod wrong_counts;

use super::*;
use crate::ending::Ending;
use crate::event::{ErrorType, OperationStatus};
use crate::observation::{BodyTrouble, Observation, UsageScope};
use crate::usage::Unit;

const OPENAI: &str = "https://api.openai.com/v1/chat/completions";
const ANTHROPIC: &str = "https://api.anthropic.com/v1/messages";
const STREAM: &str = concat!(
    "data: {\"id\":\"c1\",\"model\":\"gpt-x-1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a \\\"usage\\\" b\"},\"finish_reason\":null}],\"usage\":null}\n\n",
    "data: {\"id\":\"c1\",\"model\":\"gpt-x-1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":null}\n\n",
    "data: {\"id\":\"c1\",\"model\":\"gpt-x-1\",\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":4,\"total_tokens\":14,\"prompt_tokens_details\":{\"cached_tokens\":8}}}\n\n",
    "data: [DONE]\n\n",
);
const MESSAGES: &str = concat!(
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m1\",\"model\":\"claude-x-1\",\"usage\":{\"input_tokens\":3,\"cache_read_input_tokens\":20,\"cache_creation_input_tokens\":5,\"cache_creation\":{\"ephemeral_5m_input_tokens\":2,\"ephemeral_1h_input_tokens\":1},\"output_tokens\":1}}}\n\n",
    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
    "event: ping\ndata: {\"type\":\"ping\"}\n\n",
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"hi\"}}\n\n",
    "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"input_tokens\":null,\"output_tokens\":9}}\n\n",
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
);

struct Call<'a> {
    url: &'a str,
    request: &'a [u8],
    status: u16,
    headers: Vec<(&'a str, &'a str)>,
    body: &'a [u8],
    chunk: usize,
    ending: Ending,
}

impl Default for Call<'_> {
    fn default() -> Self {
        Self {
            url: OPENAI,
            request: br#"{"model":"gpt-x","messages":[]}"#,
            status: 200,
            headers: Vec::new(),
            body: b"",
            chunk: usize::MAX,
            ending: Ending::Done,
        }
    }
}

impl Call<'_> {
    fn run(&self) -> Observation {
        self.run_with(&[])
    }

    /// Runs with these header fields of the request.
    fn run_with(&self, headers: &[(&str, &str)]) -> Observation {
        let mut exchange = Exchange::begin(&RequestFacts::to_url("POST", self.url, &headers));
        exchange.request_data(self.request);
        exchange.response(self.status, &&self.headers[..]);
        for piece in self.body.chunks(self.chunk.max(1)) {
            exchange.data(piece);
        }
        exchange.settle(self.ending)
    }
}

fn seen(body: &str) -> Observation {
    Call {
        body: body.as_bytes(),
        ..Call::default()
    }
    .run()
}
