//! What must hold of everything that reads bytes of somebody else, whatever they are.
//!
//! One function per fuzz target. None of them may panic: each asserts what it promises.

use dexcost::capture::{Exchange, RequestFacts, pricing_of};
use dexcost::{
    BodyTrouble, Ending, Event, Observation, PricingEngine, RateRegistry, Timestamp, Unit, money, scrub_url,
};

const CHAT: &str = "https://api.openai.com/v1/chat/completions";
const MESSAGES: &str = "https://api.anthropic.com/v1/messages";
/// A request to every wire form.
const URLS: &[&str] = &[
    CHAT,
    MESSAGES,
    "https://api.openai.com/v1/responses",
    "https://api.openai.com/v1/threads/t/runs",
    "https://api.openai.com/v1/embeddings",
    "https://api.openai.com/v1/images/edits",
    "https://api.openai.com/v1/audio/transcriptions",
    "https://api.openai.com/v1/audio/speech",
    "https://api.voyageai.com/v1/rerank",
    "https://api.mistral.ai/v1/ocr",
    "https://api.mistral.ai/v1/conversations",
    "https://api.anthropic.com/v1/complete",
    "https://api.aleph-alpha.com/complete",
    "https://us-south.ml.cloud.ibm.com/ml/v1/text/generation_stream",
    "https://api-inference.huggingface.co/models/a/b",
    "https://api.replicate.com/v1/predictions",
    "https://api.cloudflare.com/client/v4/accounts/a/ai/run/@cf/m",
    "https://tools.example/mcp",
    "https://generativelanguage.googleapis.com/v1beta/models/g:streamGenerateContent",
    "https://generativelanguage.googleapis.com/v1beta/interactions",
    "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/google/models/e:predict",
    "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse-stream",
    "https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.m/invoke-with-response-stream",
    "https://bedrock-agent-runtime.us-east-1.amazonaws.com/agents/a/agentAliases/b/sessions/c/text",
    "https://api.cohere.com/v2/chat",
    "http://localhost:11434/api/chat",
];
/// What speaks the Model Context Protocol says so in its header fields.
const HEADERS: &[(&str, &str)] = &[("mcp-protocol-version", "2025-11-25")];
const CODINGS: [Option<&str>; 8] = [
    None,
    Some("gzip"),
    Some("deflate"),
    Some("br"),
    Some("zstd"),
    Some("identity"),
    Some("gzip, br"),
    Some("what"),
];
const STATUSES: [u16; 8] = [200, 200, 200, 204, 301, 400, 429, 500];
const ENDINGS: [Ending; 4] = [Ending::Done, Ending::Failed, Ending::Cancelled, Ending::Truncated];

/// How bytes are handed to an exchange.
#[derive(Clone, Copy)]
struct Way {
    url: &'static str,
    coding: Option<&'static str>,
    status: u16,
    ending: Ending,
}

fn observe(way: Way, request: &[u8], response: &[u8], chunk: usize) -> Observation {
    let headers: Vec<(&str, &str)> = way
        .coding
        .map(|coding| ("content-encoding", coding))
        .into_iter()
        .collect();
    let headers = &headers[..];
    let mut exchange = Exchange::begin(&RequestFacts::to_url("POST", way.url, &HEADERS));
    request
        .chunks(chunk)
        .for_each(|piece| exchange.request_data(piece));
    exchange.response(way.status, &headers);
    response.chunks(chunk).for_each(|piece| exchange.data(piece));
    exchange.settle(way.ending)
}

/// The same for any chunking, and a price that is not below zero where counts are possible.
fn check(way: Way, request: &[u8], response: &[u8], chunk: usize) {
    let whole = observe(way, request, response, usize::MAX);
    let pieces = observe(way, request, response, chunk.max(1));
    // How early the decompressor notices that bytes are not deflate depends on how much it sees at once.
    let is_garbled = |seen: &Observation| seen.body_trouble == Some(BodyTrouble::Coding);
    if !is_garbled(&whole) && !is_garbled(&pieces) {
        assert_eq!(pieces, whole, "chunks of {chunk} differ");
    }
    let prices = PricingEngine::new();
    let cost = pricing_of(&whole, &prices, Timestamp::default());
    if !whole.usage_is_suspect && whole.call.reported_cost_usd.is_none() {
        assert!(
            cost.cost_usd
                .is_none_or(|usd| usd.is_zero() || usd.is_sign_positive())
        );
    }
    assert!(whole.usage.count(Unit::InputTokens) == 0 || response.len() > 10);
}

fn split(data: &[u8]) -> ([u8; 3], &[u8]) {
    match data {
        [a, b, c, rest @ ..] => ([*a, *b, *c], rest),
        rest => ([0; 3], rest),
    }
}

fn pick<T: Copy>(from: &[T], number: u8) -> T {
    from[usize::from(number) % from.len()]
}

/// An exchange from end to end: four bytes say how, one zero byte parts request and response.
pub fn exchange(data: &[u8]) {
    let ([how, chunk, end], rest) = split(data);
    let (form, rest) = rest.split_first().unwrap_or((&0, rest));
    let at = rest.iter().position(|byte| *byte == 0).unwrap_or(0);
    let (request, response) = rest.split_at(at);
    let way = Way {
        url: pick(URLS, *form),
        coding: pick(&CODINGS, how),
        status: pick(&STATUSES, end >> 2),
        ending: pick(&ENDINGS, end),
    };
    let response = response.strip_prefix(b"\0").unwrap_or(response);
    check(way, request, response, chunk.into());
}

fn plain(url: &'static str) -> Way {
    Way {
        url,
        coding: None,
        status: 200,
        ending: Ending::Done,
    }
}

/// Server-sent events of every wire form.
pub fn event_stream(data: &[u8]) {
    let ([chunk, ..], rest) = split(data);
    let stream = [b"data: ", rest].concat();
    for url in URLS {
        check(plain(url), b"{}", &stream, chunk.into());
    }
}

/// A JSON body of every wire form, as request and as response; and a form.
pub fn json_body(data: &[u8]) {
    let ([chunk, ..], rest) = split(data);
    let body = [b"{", rest].concat();
    for url in URLS {
        check(plain(url), &body, &body, chunk.into());
    }
    let form = [b"--b\r\nContent-Disposition: form-data; name=\"model\"\r\n", rest].concat();
    check(plain(CHAT), &form, b"{}", chunk.into());
}

/// Every content coding over bytes that may not be it.
pub fn content_coding(data: &[u8]) {
    let ([coding, chunk, _], rest) = split(data);
    let way = Way {
        coding: pick(&CODINGS, coding),
        ..plain(CHAT)
    };
    check(way, b"", rest, chunk.into());
}

/// Rates and price overrides: refused or read, and what was read can be written and read again.
pub fn price_files(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let rates = RateRegistry::new();
    if rates.load_text(text, "fuzz").is_ok() {
        let again = RateRegistry::new();
        assert!(again.load_text(&rates.to_yaml(), "again").is_ok());
        assert_eq!(again.pricing_version(), rates.pricing_version());
    }
    let _refused_or_read = PricingEngine::new().set_overrides("fuzz", text);
}

/// URLs are scrubbed once and for all; amounts survive their plain form.
pub fn urls_and_amounts(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let once = scrub_url(&text).into_owned();
    assert_eq!(scrub_url(&once), once);
    if let Ok(amount) = money::parse(&text) {
        assert_eq!(money::parse(&money::plain(amount)).ok(), Some(amount));
    }
    let _route = RequestFacts::to_url("POST", &text, &());
    drop(Exchange::begin(&_route).settle(Ending::Done));
}

/// Events as others wrote them: refused or read, and stable once read.
pub fn events(data: &[u8]) {
    let Ok(value) = serde_json::from_slice(data) else {
        return;
    };
    if let Ok(event) = Event::from_v1(&value) {
        let first = event.to_v1();
        let again = Event::from_v1(&first).map(|event| event.to_v1());
        assert_eq!(again.ok(), Some(first));
    }
}
