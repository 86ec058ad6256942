//! Every kind of body that the layers look at, each in several pieces.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use serde_json::json;

/// One exchange: what is asked, and what comes back.
#[derive(Clone, Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) method: &'static str,
    pub(crate) url: &'static str,
    pub(crate) request: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) pieces: Vec<Bytes>,
    /// Whether it is an event of its own: a model call, or one of a priced service.
    pub(crate) is_billed: bool,
}

impl Kind {
    pub(crate) fn request(&self) -> Request<Full<Bytes>> {
        let request = Request::builder().method(self.method).uri(self.url);
        request.body(Full::from(self.request)).unwrap()
    }

    pub(crate) fn head(&self) -> Response<()> {
        let response = Response::builder().header("content-type", self.content_type);
        response.body(()).unwrap()
    }

    pub(crate) fn whole(&self) -> Vec<u8> {
        self.pieces.concat()
    }
}

pub(crate) fn chat() -> Kind {
    Kind {
        name: "a JSON reply of a model",
        method: "POST",
        url: "https://api.openai.com/v1/chat/completions",
        request: r#"{"model":"gpt-4o","messages":[]}"#,
        content_type: "application/json",
        pieces: cut(chat_reply("Certainly, Müller.").to_string().as_bytes(), 37),
        is_billed: true,
    }
}

pub(crate) fn chat_reply(content: &str) -> serde_json::Value {
    json!({
        "id": "chatcmpl-test", "object": "chat.completion", "created": 1_795_000_000,
        "model": "gpt-4o-2024-08-06",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": content},
                     "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 48, "completion_tokens": 14, "total_tokens": 62},
    })
}

pub(crate) fn chat_events() -> Vec<String> {
    let event = |choices: serde_json::Value, usage: serde_json::Value| {
        let event = json!({"id": "c", "object": "chat.completion.chunk", "model": "gpt-4o-2024-08-06",
                           "choices": choices, "usage": usage});
        format!("data: {event}\n\n")
    };
    let said = |text: &str| json!([{"index": 0, "delta": {"content": text}, "finish_reason": null}]);
    let nothing = serde_json::Value::Null;
    vec![
        event(said("Grü"), nothing.clone()),
        event(said("ße"), nothing.clone()),
        event(
            json!([{"index": 0, "delta": {}, "finish_reason": "stop"}]),
            nothing,
        ),
        event(
            json!([]),
            json!({"prompt_tokens": 48, "completion_tokens": 14, "total_tokens": 62}),
        ),
        "data: [DONE]\n\n".to_owned(),
    ]
}

pub(crate) fn every() -> Vec<Kind> {
    let sse = Kind {
        name: "server-sent events",
        content_type: "text/event-stream",
        pieces: chat_events().into_iter().map(Bytes::from).collect(),
        ..chat()
    };
    let lines = [
        json!({"model": "llama3.2", "message": {"role": "assistant", "content": "Yes"}, "done": false}),
        json!({"model": "llama3.2", "message": {"role": "assistant", "content": ""}, "done": true,
               "done_reason": "stop", "prompt_eval_count": 26, "eval_count": 29}),
    ];
    let ndjson = Kind {
        name: "JSON lines",
        url: "http://localhost:11434/api/chat",
        request: r#"{"model":"llama3.2","messages":[]}"#,
        content_type: "application/x-ndjson",
        pieces: lines.iter().map(|line| format!("{line}\n").into()).collect(),
        ..chat()
    };
    let messages = [
        message("messageStart", r#"{"role":"assistant"}"#),
        message(
            "contentBlockDelta",
            r#"{"contentBlockIndex":0,"delta":{"text":"Hi"}}"#,
        ),
        message("messageStop", r#"{"stopReason":"end_turn"}"#),
        message(
            "metadata",
            r#"{"usage":{"inputTokens":30,"outputTokens":6,"totalTokens":36},"metrics":{"latencyMs":9}}"#,
        ),
    ];
    let binary = Kind {
        name: "an event stream of AWS",
        url: "https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-lite-v1%3A0/converse-stream",
        request: r#"{"messages":[]}"#,
        content_type: "application/vnd.amazon.eventstream",
        pieces: cut(&messages.concat(), 41),
        ..chat()
    };
    let service = Kind {
        name: "a reply of a priced service",
        url: "https://api.tavily.com/search",
        request: r#"{"query":"?"}"#,
        pieces: cut(br#"{"results":[],"usage":{"credits":2}}"#, 7),
        ..chat()
    };
    let plain = Kind {
        name: "plain traffic",
        method: "GET",
        url: "https://files.example.com/report.bin",
        request: "",
        content_type: "application/octet-stream",
        pieces: cut(&(0..=255).collect::<Vec<u8>>(), 100),
        is_billed: false,
    };
    vec![chat(), sse, ndjson, binary, service, plain]
}

pub(crate) fn cut(bytes: &[u8], length: usize) -> Vec<Bytes> {
    bytes.chunks(length).map(Bytes::copy_from_slice).collect()
}

/// A message of the binary event stream, as
/// <https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html> (read 2026-11) lays it
/// out: lengths, checksum, header fields, payload, checksum.
pub(crate) fn message(event_type: &str, payload: &str) -> Vec<u8> {
    let mut fields = Vec::new();
    for (name, value) in [(":event-type", event_type), (":message-type", "event")] {
        fields.push(name.len() as u8);
        fields.extend_from_slice(name.as_bytes());
        fields.push(7);
        fields.extend_from_slice(&(value.len() as u16).to_be_bytes());
        fields.extend_from_slice(value.as_bytes());
    }
    let total = 16 + fields.len() + payload.len();
    let mut message = (total as u32).to_be_bytes().to_vec();
    message.extend_from_slice(&(fields.len() as u32).to_be_bytes());
    message.extend_from_slice(&crc32(&message).to_be_bytes());
    message.extend_from_slice(&fields);
    message.extend_from_slice(payload.as_bytes());
    message.extend_from_slice(&crc32(&message).to_be_bytes());
    message
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| (crc >> 1) ^ (0xEDB8_8320 & 0_u32.wrapping_sub(crc & 1));
    let sum = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), step);
    !bytes.iter().fold(!0, sum)
}
