//! Images, speech and transcripts: what only the request says, and replies that are no JSON.

use super::*;

const FORM: &[u8] = b"--b1\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\nContent-Type: audio/wav\r\n\r\nRIFF\x00\xff\r\n--b\r\n--b1\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-x\r\n--b1--\r\n";

fn call<'a>(path: &'a str, request: &'a [u8], kind: &'a str, body: &'a [u8]) -> Observation {
    Call {
        url: path,
        request,
        headers: vec![("content-type", kind)],
        body,
        ..Call::default()
    }
    .run()
}

#[test]
fn the_model_of_a_form_is_read_past_the_file() {
    let url = "https://api.openai.com/v1/audio/transcriptions";
    let seen = call(
        url,
        FORM,
        "application/json",
        br#"{"text":"hi","usage":{"type":"duration","seconds":3}}"#,
    );
    assert_eq!(seen.call.model_requested.as_deref(), Some("whisper-x"));
    assert_eq!(seen.usage.count(Unit::AudioSeconds), 3);
    assert_eq!(seen.operation_status, OperationStatus::Succeeded);
}

#[test]
fn a_transcript_in_plain_text_is_a_success_without_counts() {
    let url = "https://api.openai.com/v1/audio/transcriptions";
    let seen = call(url, FORM, "text/plain; charset=utf-8", b"[music] hello\n");
    assert_eq!(seen.operation_status, OperationStatus::Succeeded);
    assert!(seen.captured && seen.usage.is_empty() && seen.body_trouble.is_none());
}

#[test]
fn speech_is_billed_by_the_characters_asked_for() {
    let request = "{\"model\":\"tts-x\",\"input\":\"h\u{e9}llo \\\"w\\\"\",\"voice\":\"v\"}";
    let url = "https://api.openai.com/v1/audio/speech";
    let seen = call(url, request.as_bytes(), "audio/mpeg", b"\xff\xf3\x00");
    assert_eq!(seen.usage.count(Unit::InputCharacters), 9);
    assert_eq!(seen.operation_status, OperationStatus::Succeeded);
    let refused = Call {
        url,
        request: request.as_bytes(),
        status: 400,
        headers: vec![("content-type", "application/json")],
        body: br#"{"error":{"type":"invalid_request_error"}}"#,
        ..Call::default()
    }
    .run();
    assert!(refused.usage.is_empty());
    assert_eq!(refused.error_type, Some(ErrorType::InvalidRequest));
}

#[test]
fn speech_that_breaks_off_is_a_failure() {
    let seen = Call {
        url: "https://api.x.ai/v1/tts",
        request: br#"{"text":"hello"}"#,
        headers: vec![("content-type", "audio/mpeg")],
        body: b"\xff",
        ending: Ending::Failed,
        ..Call::default()
    }
    .run();
    assert_eq!(seen.operation_status, OperationStatus::Failed);
}

#[test]
fn images_by_the_piece_carry_what_their_price_depends_on() {
    let seen = call(
        "https://api.openai.com/v1/images/generations",
        br#"{"model":"dall-e-3","prompt":"p","quality":"hd","size":"1024x1792","n":1}"#,
        "application/json",
        br#"{"created":1,"data":[{"url":"u","revised_prompt":"r"}]}"#,
    );
    assert_eq!(seen.usage.count(Unit::Images), 1);
    assert_eq!(seen.usage.count(Unit::ImageHeightPixels), 1792);
    assert_eq!(seen.call.quality.as_deref(), Some("hd"));
}

#[test]
fn the_model_may_stand_in_the_query() {
    let seen = call(
        "https://api.deepgram.com/v1/listen?model=nova-x&punctuate=true",
        b"RIFF",
        "application/json",
        br#"{"metadata":{"request_id":"r","duration":2.5},"results":{}}"#,
    );
    assert_eq!(seen.call.model_requested.as_deref(), Some("nova-x"));
    assert_eq!(seen.usage.get(Unit::AudioSeconds), Some(crate::dec!(2.5)));
}

#[test]
fn a_call_that_was_only_taken_is_not_called_a_success() {
    let seen = call(
        "https://api.openai.com/v1/responses",
        br#"{"model":"gpt-x","background":true}"#,
        "application/json",
        br#"{"id":"resp_1","object":"response","status":"queued","model":"gpt-x","usage":null}"#,
    );
    assert_eq!(seen.operation_status, OperationStatus::Unknown);
    assert_eq!(seen.usage_scope, UsageScope::Call);
}
