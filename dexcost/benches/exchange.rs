//! What watching an exchange costs, beside one memchr pass over the same bytes.

#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::float_arithmetic,
    reason = "a benchmark prints"
)]

mod support;

use std::fmt::Write as _;
use std::hint::black_box;

use dexcost::capture::{Exchange, RequestFacts};
use dexcost::{Ending, Observation, Unit};
use support::{Table, each, ns};

const JSON: [(&str, &str); 2] = [("content-type", "application/json"), ("x-request-id", "req_1")];
const EVENTS: [(&str, &str); 1] = [("content-type", "text/event-stream")];
const CHAT: &str = "https://api.openai.com/v1/chat/completions";
/// What a transport hands over at a time.
const CHUNK: usize = 16 * 1024;

fn main() {
    let table = Table::new("exchange, per call; the baseline is one memchr pass over the same bytes");
    let row = |name: &str, body: &[u8], budget: &str, mut operation: Box<dyn FnMut()>| {
        let count = if body.len() > 100_000 { 60 } else { 20_000 };
        let spread = each(count, &mut operation);
        let baseline = each(count, || memchr::memchr(0, black_box(body)));
        table.row(name, &ns(spread.p50), &ns(baseline.p50), budget);
    };

    row(
        "not a model call",
        b"",
        "100 ns",
        Box::new(|| {
            let exchange = Exchange::begin(&RequestFacts::to_url(
                "GET",
                "https://example.com/v1/orders/17",
                &(),
            ));
            assert!(!black_box(&exchange).is_watching());
        }),
    );
    row(
        "POST to an unknown path",
        b"",
        "100 ns",
        Box::new(|| {
            let exchange = Exchange::begin(&RequestFacts::to_url(
                "POST",
                "https://example.com/v1/orders",
                &(),
            ));
            assert!(!black_box(&exchange).is_watching());
        }),
    );
    let request = request();
    let small = small();
    row(
        "JSON of 1 KB, request of 1 KB",
        &small,
        "3 us",
        Box::new({
            let small = small.clone();
            move || assert_eq!(whole(CHAT, &request, &small).usage.count(Unit::InputTokens), 48)
        }),
    );
    for (name, body, budget) in [
        (
            "JSON of 5 MB, float embeddings in a chat reply",
            embeddings(),
            "0.5 ms",
        ),
        ("JSON of 5 MB, text", text(), "4 ms"),
    ] {
        let fed = body.clone();
        row(
            name,
            &body,
            budget,
            Box::new(move || {
                assert_eq!(whole(CHAT, b"", &fed).usage.count(Unit::InputTokens), 7);
            }),
        );
    }
    for (name, url, event, budget) in [
        ("event without usage", CHAT, event("null").into_bytes(), "200 ns"),
        ("event with usage", CHAT, event(USAGE).into_bytes(), "800 ns"),
        ("Anthropic event", ANTHROPIC, ANTHROPIC_DELTA.into(), "200 ns"),
        ("Gemini event", GEMINI, GEMINI_CHUNK.into(), "800 ns"),
        ("Converse event", CONVERSE, frame(CONVERSE_DELTA), "400 ns"),
        ("InvokeModel event", INVOKE, frame(INVOKE_CHUNK), "800 ns"),
        ("Ollama line", OLLAMA, OLLAMA_LINE.into(), "400 ns"),
    ] {
        stream(&table, name, url, &event, budget);
    }
}

fn whole(url: &str, request: &[u8], response: &[u8]) -> Observation {
    let mut exchange = Exchange::begin(&RequestFacts::to_url("POST", url, &JSON));
    exchange.request_data(request);
    exchange.response(200, &JSON);
    for piece in response.chunks(CHUNK) {
        exchange.data(piece);
    }
    exchange.settle(Ending::Done)
}

/// Each event of a long stream, alone in its chunk.
fn stream(table: &Table, name: &str, url: &str, event: &[u8], budget: &str) {
    let mut exchange = Exchange::begin(&RequestFacts::to_url("POST", url, &EVENTS));
    exchange.response(200, &EVENTS);
    exchange.data(event);
    let spent = support::batched(50, 2_000, || exchange.data(black_box(event)));
    let baseline = support::batched(50, 2_000, || memchr::memchr(0, black_box(event)));
    drop(exchange.settle(Ending::Cancelled));
    table.row(
        &format!("{name}, {} bytes", event.len()),
        &ns(spent),
        &ns(baseline),
        budget,
    );
}

const USAGE: &str = r#"{"prompt_tokens":1200,"completion_tokens":57,"total_tokens":1257,"prompt_tokens_details":{"cached_tokens":1024,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":32,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}"#;
const ANTHROPIC: &str = "https://api.anthropic.com/v1/messages";
const GEMINI: &str =
    "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:streamGenerateContent";
const CONVERSE: &str = "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse-stream";
const INVOKE: &str = "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/invoke-with-response-stream";
const OLLAMA: &str = "http://localhost:11434/api/chat";
const GEMINI_CHUNK: &str = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\" and so on\"}],\"role\":\"model\"},\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":1200,\"candidatesTokenCount\":57,\"totalTokenCount\":1289,\"promptTokensDetails\":[{\"modality\":\"TEXT\",\"tokenCount\":1200}],\"thoughtsTokenCount\":32},\"modelVersion\":\"gemini-2.5-pro\",\"responseId\":\"0123456789\"}\r\n\r\n";
const CONVERSE_DELTA: &str =
    r#"{"contentBlockIndex":0,"delta":{"text":" and so on"},"p":"abcdefghijklmnopqrstuvwxyzABCDEF"}"#;
/// A text delta of Anthropic's in base64.
const INVOKE_CHUNK: &str = r#"{"bytes":"eyJ0eXBlIjoiY29udGVudF9ibG9ja19kZWx0YSIsImluZGV4IjowLCJkZWx0YSI6eyJ0eXBlIjoidGV4dF9kZWx0YSIsInRleHQiOiIgYW5kIHNvIG9uIn19","p":"abcdefghijklmnopqrstuvwxyzABCDEF"}"#;
const OLLAMA_LINE: &str = "{\"model\":\"llama3\",\"created_at\":\"2026-01-01T00:00:00Z\",\"message\":{\"role\":\"assistant\",\"content\":\" and\"},\"done\":false}\n";
const ANTHROPIC_DELTA: &str = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\" and so on\"}}\n\n";

/// A message of Amazon's event stream.
fn frame(payload: &str) -> Vec<u8> {
    const HEADERS: &[u8] = b"\x0b:event-type\x07\0\x05chunk\x0d:content-type\x07\0\x10application/json\x0d:message-type\x07\0\x05event";
    let total = u32::try_from(16 + HEADERS.len() + payload.len()).unwrap();
    let mut message = total.to_be_bytes().to_vec();
    message.extend_from_slice(&u32::try_from(HEADERS.len()).unwrap().to_be_bytes());
    message.extend_from_slice(&crc32fast::hash(&message).to_be_bytes());
    message.extend_from_slice(HEADERS);
    message.extend_from_slice(payload.as_bytes());
    message.extend_from_slice(&crc32fast::hash(&message).to_be_bytes());
    message
}

fn event(usage: &str) -> String {
    format!(
        "data: {{\"id\":\"chatcmpl-0123456789\",\"object\":\"chat.completion.chunk\",\"created\":1790000000,\"model\":\"gpt-4o-2024-08-06\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_0123456789\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\" and\"}},\"logprobs\":null,\"finish_reason\":null}}],\"usage\":{usage}}}\n\n"
    )
}

fn request() -> Vec<u8> {
    let prompt = "Say what is the matter. ".repeat(38);
    format!(r#"{{"model":"gpt-4o","messages":[{{"role":"user","content":"{prompt}"}}],"temperature":0.2}}"#)
        .into_bytes()
}

fn small() -> Vec<u8> {
    let answer = "It is a matter of taste. ".repeat(14);
    format!(
        r#"{{"id":"chatcmpl-1","object":"chat.completion","created":1790000000,"model":"gpt-4o-2024-08-06","choices":[{{"index":0,"message":{{"role":"assistant","content":"{answer}","refusal":null,"annotations":[]}},"logprobs":null,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":48,"completion_tokens":14,"total_tokens":62,"prompt_tokens_details":{{"cached_tokens":0,"audio_tokens":0}},"completion_tokens_details":{{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}},"service_tier":"default","system_fingerprint":"fp_1"}}"#
    )
    .into_bytes()
}

const LAST: &str = r#""model":"m","usage":{"prompt_tokens":7,"total_tokens":7}}"#;

fn embeddings() -> Vec<u8> {
    let mut body = String::from(r#"{"object":"list","data":["#);
    let mut seed = 7u64;
    while body.len() < 5 << 20 {
        let comma = if body.ends_with('[') { "" } else { "," };
        write!(body, r#"{comma}{{"object":"embedding","index":0,"embedding":["#).unwrap();
        for at in 0..1536 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let comma = if at == 0 { "" } else { "," };
            write!(body, "{comma}-0.0{:08}", seed >> 38).unwrap();
        }
        body.push_str("]}");
    }
    body.push_str("],");
    body.push_str(LAST);
    body.into_bytes()
}

fn text() -> Vec<u8> {
    let mut body = String::from(r#"{"choices":[{"index":0,"message":{"content":""#);
    while body.len() < 5 << 20 {
        body.push_str(r#"A line of an answer with a \"quote\" in it, and what follows from that.\n"#);
    }
    body.push_str(r#""},"finish_reason":"stop"}],"#);
    body.push_str(LAST);
    body.into_bytes()
}
