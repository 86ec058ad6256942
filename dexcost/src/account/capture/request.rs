//! What a request's body says about the call.

use super::digest::Digest;
use crate::text::Text;
use crate::usage::framing::{Decoder, Json, Keep, Scanner};
use crate::usage::readers::Route;
use crate::wire::RequestFacts;

const KEEP: &[(&str, Keep)] = &[
    ("model", Keep::All),
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

/// A request body in passing: of the prompt nothing is kept but a digest.
#[derive(Debug)]
pub(super) struct RequestWatch {
    digest: Digest,
    decoder: Decoder,
    scanner: Scanner,
    seen: bool,
}

/// What the request asked for.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) model: Option<Text>,
    pub(super) stream: bool,
    pub(super) service_tier: Option<Text>,
    pub(super) digest: Option<u64>,
}

impl RequestWatch {
    pub(super) fn new(request: &RequestFacts<'_>, route: &Route) -> Self {
        let mut digest = Digest::new();
        for part in [request.method, "\n", &route.host, "\n", request.path, "\n"] {
            digest.feed(part.as_bytes());
        }
        Self {
            digest,
            decoder: Decoder::new(request.headers.get("content-encoding")),
            scanner: Scanner::strict(KEEP),
            seen: false,
        }
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.seen = true;
        self.digest.feed(bytes);
        let scanner = &mut self.scanner;
        self.decoder.feed(bytes, &mut |plain| scanner.feed(plain));
    }

    /// Whether the model may compact the conversation before it answers: true also where the request
    /// was not seen in full.
    pub(super) fn may_compact(&self) -> bool {
        let edits = Json::new(self.scanner.skeleton()).get("context_management");
        let mut edits = edits
            .and_then(|management| management.get("edits"))
            .into_iter()
            .flat_map(Json::items);
        !self.scanner.is_complete()
            || edits.any(|edit| {
                edit.get("type")
                    .and_then(Json::word)
                    .is_some_and(|kind| kind.starts_with("compact"))
            })
    }

    /// What the body said. One that is no JSON says nothing.
    pub(super) fn finish(&mut self) -> Asked {
        let scanner = &mut self.scanner;
        self.decoder.finish(&mut |plain| scanner.feed(plain));
        let mut asked = Asked {
            digest: self.seen.then(|| self.digest.finish()),
            ..Asked::default()
        };
        if self.scanner.is_malformed() {
            return asked;
        }
        for (name, value) in Json::new(self.scanner.skeleton()).fields() {
            match name {
                b"model" => asked.model = value.text().or(asked.model),
                b"agent" if asked.model.is_none() => asked.model = value.text(),
                b"stream" => asked.stream = value.truth().unwrap_or(false),
                b"service_tier" => asked.service_tier = value.text(),
                _ => {}
            }
        }
        asked
    }
}
