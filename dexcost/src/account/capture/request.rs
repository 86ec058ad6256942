//! What a request says about the call: its body in passing, and the model that a query names.

use super::digest::Digest;
use super::tool_calls::{Asking, KEEP_TOOL};
use crate::event::CallType;
use crate::text::Text;
use crate::usage::framing::{Decoder, Json, Keep, Multipart, Scanner};
use crate::usage::readers::Route;
use crate::wire::RequestFacts;

const KEEP: &[(&str, Keep)] = &[
    ("model", Keep::All),
    // watsonx.
    ("model_id", Keep::All),
    // Where Google's interactions name what answers, if it is no model.
    ("agent", Keep::All),
    ("stream", Keep::All),
    ("service_tier", Keep::All),
    // Anthropic's: https://docs.anthropic.com/en/docs/build-with-claude/compaction, read 2026-11.
    (
        "context_management",
        Keep::Fields(&[("edits", Keep::Fields(&[("type", Keep::All)]))]),
    ),
];

/// Of a request for images: what the price of one depends on.
const KEEP_IMAGES: &[(&str, Keep)] = &[
    ("model", Keep::All),
    ("stream", Keep::All),
    ("size", Keep::All),
    ("quality", Keep::All),
    ("resolution", Keep::All),
];

/// Of a request for speech: how long the text is (`input` at OpenAI, `text` at xAI and Deepgram).
const KEEP_SPEECH: &[(&str, Keep)] = &[
    ("model", Keep::All),
    ("input", Keep::Length),
    ("text", Keep::Length),
];

/// Of forms what is kept of requests for images and transcripts.
const FORM: &[&str] = &["model", "stream", "service_tier", "size", "quality", "resolution"];

/// A request body in passing: of the prompt nothing is kept but a digest.
#[derive(Debug)]
pub(super) struct RequestWatch {
    digest: Digest,
    decoder: Decoder,
    body: Body,
    keep: &'static [(&'static str, Keep)],
    asked: Asked,
    /// Whether it may call a tool.
    is_tool: bool,
    /// The model, where the query names it (Deepgram).
    model: Option<Text>,
    seen: bool,
}

/// The body with its coding undone.
#[derive(Debug)]
enum Body {
    /// Nothing but blanks so far.
    Start,
    /// A document that came as a whole and was read where it lay.
    Read,
    /// JSON in pieces, or of a size or a kind that is scanned.
    Scanned(Box<Scanner>),
    /// A form: it starts with a delimiter, as no JSON does.
    Form(Box<Multipart>),
    /// No JSON.
    Garbled,
}

/// Larger documents are scanned, also where they come as a whole.
const LARGEST_READ: usize = 16 * 1024;

/// What the request asked for.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) model: Option<Text>,
    pub(super) stream: bool,
    pub(super) service_tier: Option<Text>,
    pub(super) size: Option<Text>,
    pub(super) quality: Option<Text>,
    pub(super) resolution: Option<Text>,
    /// Characters of the text that is to be spoken.
    pub(super) characters: Option<u64>,
    /// The tools that are called.
    pub(super) tools: Vec<Asking>,
    /// How many more calls of tools there are than `tools` holds.
    pub(super) more_tools: usize,
    pub(super) digest: Option<u64>,
}

impl RequestWatch {
    pub(super) fn new(request: &RequestFacts<'_>, route: &Route) -> Self {
        let is_audio = matches!(route.call_type, CallType::Transcription | CallType::Speech);
        Self {
            digest: Digest::after([request.method, &route.host, request.path]),
            decoder: Decoder::new(request.headers.get("content-encoding")),
            body: Body::Start,
            keep: match route.call_type {
                CallType::ImageGeneration => KEEP_IMAGES,
                CallType::Speech => KEEP_SPEECH,
                CallType::Tool => KEEP_TOOL,
                _ => KEEP,
            },
            asked: Asked::default(),
            is_tool: route.call_type == CallType::Tool,
            model: if is_audio { model_in(request.query) } else { None },
            seen: false,
        }
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.seen = true;
        self.digest.feed(bytes);
        let (body, keep, asked) = (&mut self.body, self.keep, &mut self.asked);
        self.decoder
            .feed(bytes, &mut |plain| body.feed(plain, keep, asked));
    }

    /// Whether the model may compact the conversation before it answers: true also where the request
    /// was not seen in full.
    pub(super) fn may_compact(&self) -> bool {
        match &self.body {
            // One that could is scanned.
            Body::Read => false,
            Body::Scanned(scanner) if scanner.is_complete() => {
                let management = Json::new(scanner.skeleton()).get("context_management");
                management.is_some_and(compacts)
            }
            _ => true,
        }
    }

    /// What the request said. A body that is neither JSON nor a form says nothing.
    pub(super) fn finish(&mut self) -> &mut Asked {
        let (body, keep, asked) = (&mut self.body, self.keep, &mut self.asked);
        self.decoder.finish(&mut |plain| body.feed(plain, keep, asked));
        match &self.body {
            Body::Form(form) => form.fields().for_each(|(name, value)| asked.part(name, value)),
            Body::Scanned(scanner) if !scanner.is_malformed() => {
                let root = Json::new(scanner.skeleton());
                root.fields().for_each(|(name, value)| asked.field(name, value));
                if self.is_tool {
                    (asked.tools, asked.more_tools) = Asking::in_messages(root);
                }
            }
            Body::Garbled => *asked = Asked::default(),
            _ => {}
        }
        asked.digest = self.seen.then(|| self.digest.finish());
        asked.model = asked.model.take().or_else(|| self.model.take());
        asked
    }
}

impl Body {
    fn feed(&mut self, bytes: &[u8], keep: &'static [(&'static str, Keep)], asked: &mut Asked) {
        if matches!(self, Self::Start) {
            *self = match bytes.trim_ascii_start().first() {
                None => return,
                Some(b'-') => Self::Form(Box::new(Multipart::new(FORM))),
                Some(_) if read_whole(bytes, keep, asked) => {
                    *self = Self::Read;
                    return;
                }
                Some(_) => Self::Scanned(Box::new(Scanner::strict(keep))),
            };
        }
        match self {
            Self::Form(form) => form.feed(bytes),
            Self::Scanned(scanner) => scanner.feed(bytes),
            Self::Read if !bytes.trim_ascii().is_empty() => *self = Self::Garbled,
            Self::Start | Self::Read | Self::Garbled => {}
        }
    }
}

/// Reads a document where it lies, if it is a whole one and nothing in it has to be scanned; else nothing is
/// read.
fn read_whole(bytes: &[u8], keep: &'static [(&'static str, Keep)], asked: &mut Asked) -> bool {
    let is_whole = bytes.len() <= LARGEST_READ && read_fields(bytes, keep, asked).is_some();
    if !is_whole {
        *asked = Asked::default();
    }
    is_whole
}

fn read_fields(bytes: &[u8], keep: &'static [(&'static str, Keep)], asked: &mut Asked) -> Option<()> {
    let mut fields = Json::new(bytes).fields();
    for (name, value) in &mut fields {
        match Keep::field(keep, name) {
            Some(Keep::All) => asked.field(name, value),
            Some(_) => return None,
            None => {}
        }
    }
    let rest = fields.after_order()?;
    rest.trim_ascii().is_empty().then_some(())
}

/// Whether what a request says of the management of its context lets the model compact it.
fn compacts(management: Json<'_>) -> bool {
    let mut edits = management.get("edits").into_iter().flat_map(Json::items);
    edits.any(|edit| {
        let kind = edit.get("type").and_then(Json::word);
        kind.is_some_and(|kind| kind.starts_with("compact"))
    })
}

impl Asked {
    fn field(&mut self, name: &[u8], value: Json<'_>) {
        match name {
            b"model" | b"model_id" => self.model = value.text().or_else(|| self.model.take()),
            b"agent" if self.model.is_none() => self.model = value.text(),
            b"stream" => self.stream = value.truth().unwrap_or(false),
            b"service_tier" => self.service_tier = value.text(),
            b"size" => self.size = value.text(),
            b"quality" => self.quality = value.text(),
            b"resolution" => self.resolution = value.text(),
            b"input" | b"text" => self.characters = value.number().and_then(|n| n.try_into().ok()),
            _ => {}
        }
    }

    fn part(&mut self, name: &str, value: &Text) {
        let slot = match name {
            "model" => &mut self.model,
            "service_tier" => &mut self.service_tier,
            "size" => &mut self.size,
            "quality" => &mut self.quality,
            "resolution" => &mut self.resolution,
            "stream" => {
                self.stream = value.as_str() == "true";
                return;
            }
            _ => return,
        };
        *slot = Some(value.clone());
    }
}

/// The model that a query names. One with escapes is no name that a table has.
fn model_in(query: &str) -> Option<Text> {
    let name = query.split('&').find_map(|pair| pair.strip_prefix("model="))?;
    let is_name = !name.is_empty() && name.len() <= 128 && !name.contains(['%', '+']);
    is_name.then(|| Text::from(name))
}
