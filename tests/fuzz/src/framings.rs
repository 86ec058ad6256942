//! One target per framing, each in every wire form that comes in it or could.

use base64::Engine;

use crate::exchange::{CODINGS, FORMS, Way};
use crate::input::{line, pick, split};

fn urls() -> impl Iterator<Item = &'static str> {
    FORMS.iter().map(|(_, url)| *url)
}

fn urls_of(names: &'static [&'static str]) -> impl Iterator<Item = &'static str> {
    let is_meant = move |form: &&(&str, &str)| names.contains(&form.0);
    FORMS.iter().filter(is_meant).map(|(_, url)| *url)
}

/// Server-sent events, in every wire form.
pub fn server_sent_events(data: &[u8]) {
    let ([how, chunk, _], rest) = split(data);
    let start: &[u8] = if how & 1 == 0 { b"data: " } else { b"" };
    let stream = [start, rest].concat();
    for url in urls() {
        let way = Way {
            content_type: "text/event-stream",
            ..Way::to(url)
        };
        way.check(b"{}", &stream, &stream, chunk);
    }
}

/// JSON lines.
pub fn json_lines(data: &[u8]) {
    let ([how, chunk, _], rest) = split(data);
    for url in urls_of(&["Ollama", "Cohere", "OpenAiChat", "TextGeneration"]) {
        let way = Way {
            content_type: if how & 1 == 0 { "application/x-ndjson" } else { "" },
            ..Way::to(url)
        };
        let lines = [b"{", rest].concat();
        way.check(b"{}", &lines, &lines, chunk);
    }
}

/// An array whose elements come one by one, as Gemini streams without server-sent events.
pub fn json_array(data: &[u8]) {
    let ([_, chunk, _], rest) = split(data);
    let body = [b"[", rest].concat();
    for url in urls() {
        Way::to(url).check(b"{}", &body, &body, chunk);
    }
}

/// A JSON body of every wire form, as request and as reply.
pub fn json_body(data: &[u8]) {
    let ([_, chunk, _], rest) = split(data);
    let body = [b"{", rest].concat();
    for url in urls() {
        Way::to(url).check(&body, &body, &body, chunk);
    }
}

/// The binary event stream: each line is a message, the name of its event first. Of the three bytes
/// the first says whether the documents are wrapped in base64, the third where a bit falls over.
pub fn aws_event_stream(data: &[u8]) {
    let ([how, chunk, fault], rest) = split(data);
    let mut stream = Vec::new();
    for text in rest.split(|byte| *byte == b'\n') {
        let at = text.iter().position(|byte| *byte == b' ').unwrap_or(text.len());
        let (name, payload) = (&text[..at.min(200)], text.get(at + 1..).unwrap_or_default());
        if how & 1 == 0 {
            message(name, payload, &mut stream);
        } else {
            let inner = base64::engine::general_purpose::STANDARD.encode(payload);
            message(
                name,
                format!(r#"{{"bytes":"{inner}","p":"a"}}"#).as_bytes(),
                &mut stream,
            );
        }
    }
    if fault & 1 == 1 {
        let at = usize::from(fault) * 7 % stream.len();
        stream[at] ^= 1 << (fault >> 5);
    }
    for url in urls_of(&["BedrockConverse", "BedrockInvoke", "BedrockAgent"]) {
        // A bit that fell over in a number makes another number.
        let reported: &[u8] = if fault & 1 == 1 { b"1e999" } else { rest };
        let way = Way {
            content_type: "application/vnd.amazon.eventstream",
            ..Way::to(url)
        };
        way.check(b"{}", &stream, reported, chunk);
    }
}

fn message(name: &[u8], payload: &[u8], stream: &mut Vec<u8>) {
    let mut fields = Vec::new();
    let kind: &[u8] = if name.ends_with(b"Exception") {
        b"exception"
    } else {
        b"event"
    };
    let type_name: &[u8] = if kind == b"event" {
        b":event-type"
    } else {
        b":exception-type"
    };
    for (field, value) in [(type_name, name), (&b":message-type"[..], kind)] {
        fields.push(field.len() as u8);
        fields.extend_from_slice(field);
        fields.push(7);
        fields.extend_from_slice(&(value.len() as u16).to_be_bytes());
        fields.extend_from_slice(value);
    }
    let start = stream.len();
    stream.extend_from_slice(&((16 + fields.len() + payload.len()) as u32).to_be_bytes());
    stream.extend_from_slice(&(fields.len() as u32).to_be_bytes());
    stream.extend_from_slice(&crc32fast::hash(&stream[start..]).to_be_bytes());
    stream.extend_from_slice(&fields);
    stream.extend_from_slice(payload);
    stream.extend_from_slice(&crc32fast::hash(&stream[start..]).to_be_bytes());
}

/// Every content coding over bytes that may not be it.
pub fn content_coding(data: &[u8]) {
    let ([coding, chunk, _], rest) = split(data);
    let way = Way {
        coding: pick(&CODINGS, coding),
        ..Way::to(FORMS[0].1)
    };
    way.check(b"", rest, b"1e999", chunk);
}

/// A form as request: the first line is its delimiter.
pub fn multipart(data: &[u8]) {
    let ([how, chunk, _], rest) = split(data);
    let (delimiter, parts) = line(rest);
    let start = [b"--", delimiter, b"\r\n"].concat();
    let form = [if how & 1 == 0 { &start[..] } else { b"" }, parts].concat();
    for url in urls_of(&["Transcription", "Images", "OpenAiChat"]) {
        Way::to(url).check(&form, b"{}", b"", chunk);
    }
}
