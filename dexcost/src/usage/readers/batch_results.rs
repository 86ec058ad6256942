//! Batches: the reply that names a new one, a poll of it, and downloads of its results.
//!
//! References, read 2026-11: <https://platform.openai.com/docs/guides/batch>,
//! <https://docs.claude.com/en/docs/build-with-claude/batch-processing>,
//! <https://ai.google.dev/gemini-api/docs/batch-api>, <https://docs.mistral.ai/capabilities/batch/>,
//! <https://docs.x.ai/docs/guides/batch-api>. Results are lines of JSON, or an array inside a document; each
//! holds an envelope with the caller's name of the request, and in it what the request would have been
//! answered alone. Its form is told by that answer: one batch may ask several endpoints.
//!
//! A file that is no batch output (a file of training data, a batch's own input) has no such envelopes, and
//! nothing is read from it.

use smallvec::SmallVec;

use super::error_signs::{self, KEEP_ERROR};
use super::hosted_tools::{KEEP_ITEM, KEEP_TOOL};
use super::{
    Dialect, KeptFields, Purpose, Reader, Reading, Route, Setup, UsageQuirks, WireForm, gemini_generate,
};
use crate::event::{CallType, ErrorType, OperationStatus};
use crate::text::Text;
use crate::usage::framing::{Json, Keep};
use crate::wire::Headers;

/// What the readers of whole answers look at, all of them together.
const ANSWER: Keep = Keep::Fields(&[
    ("id", Keep::All),
    ("model", Keep::All),
    ("object", Keep::All),
    ("type", Keep::All),
    ("status", Keep::All),
    ("service_tier", Keep::All),
    ("stop_reason", Keep::All),
    ("usage", Keep::All),
    ("usage_info", Keep::All),
    ("tool_usage", Keep::All),
    ("incomplete_details", Keep::Fields(&[("reason", Keep::All)])),
    ("output", KEEP_ITEM),
    ("tools", KEEP_TOOL),
    (
        "choices",
        Keep::Fields(&[("index", Keep::All), ("finish_reason", Keep::All)]),
    ),
    ("candidates", gemini_generate::CANDIDATE),
    ("usageMetadata", Keep::All),
    ("modelVersion", Keep::All),
    ("responseId", Keep::All),
    ("promptFeedback", gemini_generate::BLOCKED),
    // Of these only whether they are there, and how many.
    ("embedding", Keep::Fields(&[])),
    ("embeddings", Keep::Fields(&[])),
    ("data", Keep::Fields(&[])),
    ("results", Keep::Fields(&[])),
    ("size", Keep::All),
    ("quality", Keep::All),
    ("error", KEEP_ERROR),
    ("code", Keep::All),
]);

const KEEP_ENVELOPE_ERROR: Keep = Keep::Fields(&[
    ("type", Keep::All),
    ("code", Keep::All),
    ("status", Keep::All),
    ("error", KEEP_ERROR),
]);

const KEEP_LINE: KeptFields = &[
    ("id", Keep::All),
    ("custom_id", Keep::All),
    ("key", Keep::All),
    ("batch_request_id", Keep::All),
    (
        "metadata",
        Keep::Fields(&[("custom_id", Keep::All), ("key", Keep::All)]),
    ),
    ("error", KEEP_ENVELOPE_ERROR),
    // OpenAI's and Mistral's, with the answer in `body`; Google's is the answer.
    (
        "response",
        Keep::Fields(&[
            ("status_code", Keep::All),
            ("body", ANSWER),
            ("candidates", gemini_generate::CANDIDATE),
            ("usageMetadata", Keep::All),
            ("modelVersion", Keep::All),
            ("responseId", Keep::All),
            ("promptFeedback", gemini_generate::BLOCKED),
            ("embedding", Keep::Fields(&[])),
        ]),
    ),
    // Anthropic's.
    (
        "result",
        Keep::Fields(&[
            ("type", Keep::All),
            ("message", ANSWER),
            ("error", KEEP_ENVELOPE_ERROR),
        ]),
    ),
    // xAI's.
    (
        "batch_result",
        Keep::Fields(&[
            (
                "response",
                Keep::Fields(&[("chat_get_completion", ANSWER), ("responses_create", ANSWER)]),
            ),
            ("error", KEEP_ENVELOPE_ERROR),
        ]),
    ),
];

const FILES: Keep = Keep::Fields(&[("responsesFile", Keep::All)]);

/// What is looked at around an array of results: the names of the batch and of its files.
const KEEP_BATCH: KeptFields = &[
    ("id", Keep::All),
    ("name", Keep::All),
    ("batch_id", Keep::All),
    ("output_file_id", Keep::All),
    ("error_file_id", Keep::All),
    ("output_file", Keep::All),
    ("error_file", Keep::All),
    ("response", FILES),
    ("metadata", Keep::Fields(&[("output", FILES)])),
];

/// The arrays of results: xAI's, Google's, Mistral's.
pub(crate) const ROWS: &[&str] = &["results", "inlinedResponses", "outputs"];

/// So many results are held until somebody takes them.
const MOST_HELD: usize = 16_384;

/// Reads batches.
#[derive(Debug)]
pub(crate) struct BatchResults {
    /// As far as requests in the batch share it.
    route: Box<Route>,
    quirks: UsageQuirks,
    /// What the batch and its files are called.
    names: SmallVec<[Text; 3]>,
    results: Vec<BatchResult>,
    /// How many results there were.
    count: u64,
    /// How many of them were not held.
    unheld: u64,
}

/// What became of one request of a batch.
#[derive(Debug)]
pub(crate) struct BatchResult {
    /// What tells it from every other of its provider.
    pub(crate) id: Text,
    pub(crate) call_type: CallType,
    pub(crate) status: OperationStatus,
    pub(crate) error: Option<ErrorType>,
    pub(crate) http_status: Option<u16>,
    /// What it was answered.
    pub(crate) reading: Reading,
}

/// What was read of a batch.
#[derive(Debug, Default)]
pub(crate) struct BatchReading {
    /// What the batch and its files are called.
    pub(crate) names: SmallVec<[Text; 3]>,
    pub(crate) results: Vec<BatchResult>,
    /// How many more results there were than are held at a time.
    pub(crate) unheld: u64,
}

impl BatchResults {
    pub(super) fn new(setup: &Setup<'_>) -> Self {
        let mut names = SmallVec::new();
        names.extend(setup.route.batch.clone());
        names.extend(batch_of_file(setup.headers));
        Self {
            route: Box::new(setup.route.clone()),
            quirks: setup.quirks,
            names,
            results: Vec::new(),
            count: 0,
            unheld: 0,
        }
    }

    /// The results so far, which are let go of.
    pub(crate) fn take(&mut self) -> BatchReading {
        BatchReading {
            names: self.names.clone(),
            results: std::mem::take(&mut self.results),
            unheld: std::mem::take(&mut self.unheld),
        }
    }

    pub(crate) fn has_results(&self) -> bool {
        !self.results.is_empty()
    }

    /// The names in the document that describes the batch.
    fn names_in(&mut self, batch: Json<'_>) {
        let output = batch.get("metadata").and_then(|metadata| metadata.get("output"));
        let files = batch.get("response").into_iter().chain(output);
        let own = [
            "id",
            "name",
            "batch_id",
            "output_file_id",
            "error_file_id",
            "output_file",
            "error_file",
        ];
        let own = own.iter().filter_map(|name| batch.get(name));
        let all = own.chain(files.filter_map(|files| files.get("responsesFile")));
        for name in all.filter_map(Json::text) {
            // Google's are paths.
            let name = Text::from(name.rsplit('/').next().unwrap_or_default());
            if !name.is_empty() && !self.names.contains(&name) {
                self.names.push(name);
            }
        }
    }

    fn result(&mut self, line: Json<'_>) {
        let Some(envelope) = Envelope::of(line, self.route.dialect == Dialect::Batch) else {
            return;
        };
        let number = self.count;
        self.count += 1;
        let form = envelope.answer.map(form_of);
        // What checks content is free.
        if form.is_some_and(|form| form.is_none()) {
            return;
        }
        if self.results.len() == MOST_HELD {
            self.unheld += 1;
            return;
        }
        let (dialect, call_type) = form
            .flatten()
            .unwrap_or((Dialect::OpenAiChat, CallType::Completion));
        let reading = match envelope.answer {
            Some(answer) => self.read(answer, dialect, call_type),
            None => Reading::default(),
        };
        let own = line.get("id").and_then(Json::text);
        let id = own.or_else(|| reading.id.clone()).unwrap_or_else(|| {
            let batch = self.names.first().map(Text::as_str).unwrap_or_default();
            match &envelope.custom_id {
                Some(custom_id) => Text::from(format!("{batch}/{custom_id}")),
                None => Text::from(format!("{batch}/#{number}")),
            }
        });
        let (status, error) = envelope.outcome(reading.error);
        self.results.push(BatchResult {
            id,
            call_type,
            status,
            error,
            http_status: envelope.http_status,
            reading,
        });
    }

    /// Reads an answer as the reader of its form does that has come alone.
    fn read(&self, answer: Json<'_>, dialect: Dialect, call_type: CallType) -> Reading {
        let route = Route {
            dialect,
            call_type,
            purpose: Purpose::Inference,
            ..(*self.route).clone()
        };
        let mut reader = Reader::of(&Setup {
            route: &route,
            quirks: self.quirks,
            may_compact: &|| false,
            headers: &(),
        });
        reader.form().read_body(answer);
        reader.form().finish()
    }
}

impl WireForm for BatchResults {
    fn keep(&self) -> KeptFields {
        KEEP_LINE
    }

    fn is_lines(&self) -> bool {
        self.route.dialect == Dialect::BatchLines
    }

    fn rows(&self) -> Option<KeptFields> {
        (self.route.dialect == Dialect::Batch).then_some(KEEP_BATCH)
    }

    fn read_body(&mut self, body: Json<'_>) {
        if self.route.dialect == Dialect::Batch {
            self.names_in(body);
        }
    }

    fn event(&mut self, event: &[u8]) {
        self.result(Json::new(event));
    }

    fn finish(&mut self) -> Reading {
        Reading {
            batch: Some(Box::new(self.take())),
            ..Reading::default()
        }
    }
}

/// What stands around the answer to one request.
struct Envelope<'a> {
    custom_id: Option<Text>,
    http_status: Option<u16>,
    /// What became of it, in Anthropic's words, or in a code of OpenAI's.
    word: Option<Text>,
    error: Option<Json<'a>>,
    answer: Option<Json<'a>>,
}

impl<'a> Envelope<'a> {
    /// `None` where the line is none of a batch's results. Those of a document need no name.
    fn of(line: Json<'a>, is_row: bool) -> Option<Self> {
        let text = |from: Json<'a>, name: &str| from.get(name).and_then(Json::text);
        let names = ["custom_id", "key", "batch_request_id"];
        let custom_id = names.iter().find_map(|name| text(line, name)).or_else(|| {
            let metadata = line.get("metadata")?;
            text(metadata, "custom_id").or_else(|| text(metadata, "key"))
        });
        // One that is too long to be a name is one all the same.
        let is_named = || names.iter().any(|name| line.get(name).is_some());
        if custom_id.is_none() && !is_row && !is_named() {
            return None;
        }
        let mut envelope = Self {
            custom_id,
            http_status: None,
            word: None,
            error: line.get("error"),
            answer: None,
        };
        if let Some(result) = line.get("result") {
            envelope.word = text(result, "type");
            envelope.error = result.get("error");
            envelope.answer = result.get("message");
        } else if let Some(result) = line.get("batch_result") {
            envelope.error = result.get("error");
            envelope.answer = result.get("response").and_then(|response| {
                response
                    .fields()
                    .map(|(_, answer)| answer)
                    .find(|answer| answer.is_object())
            });
        } else if let Some(response) = line.get("response") {
            let status = response.get("status_code").and_then(Json::number);
            envelope.http_status = status.and_then(|status| status.try_into().ok());
            envelope.answer = match response.get("body") {
                Some(body) => Some(body).filter(|body| body.is_object()),
                None => Some(response).filter(|response| status.is_none() && response.is_object()),
            };
        }
        let code = || text(envelope.error?, "code");
        envelope.word = envelope.word.take().or_else(code);
        (envelope.answer.is_some()
            || envelope.error.is_some()
            || envelope.word.is_some()
            || envelope.http_status.is_some())
        .then_some(envelope)
    }

    fn outcome(&self, in_answer: Option<ErrorType>) -> (OperationStatus, Option<ErrorType>) {
        let failed = |error| (OperationStatus::Failed, Some(error));
        match self.word.as_deref() {
            Some("canceled" | "cancelled" | "batch_cancelled") => return (OperationStatus::Cancelled, None),
            Some("expired" | "batch_expired") => return failed(ErrorType::Timeout),
            _ => {}
        }
        let stated = self
            .error
            .map(|error| error_signs::of_object(error.get("error").unwrap_or(error)));
        let by_status = self.http_status.and_then(error_signs::from_status);
        match in_answer.or(stated).or(by_status) {
            Some(error) => failed(error),
            None if self.answer.is_some() => (OperationStatus::Succeeded, None),
            None => failed(ErrorType::Other),
        }
    }
}

/// The form of an answer, by a field that only one has; `None` where it is not the answer of a model that is
/// paid for.
fn form_of(answer: Json<'_>) -> Option<(Dialect, CallType)> {
    let mut is_checked = false;
    let mut is_google = false;
    for (name, value) in answer.fields() {
        let found = match name {
            b"candidates" | b"promptFeedback" => (Dialect::GeminiGenerate, CallType::Completion),
            b"embedding" => (Dialect::GeminiGenerate, CallType::Embedding),
            b"usageMetadata" => {
                is_google = true;
                continue;
            }
            b"results" => {
                is_checked = true;
                continue;
            }
            b"usage_info" => (Dialect::Ocr, CallType::Ocr),
            b"choices" => (Dialect::OpenAiChat, CallType::Completion),
            b"type" if value.is_word("message") => (Dialect::AnthropicMessages, CallType::Completion),
            b"object" if value.is_word("response") => (Dialect::OpenAiResponses, CallType::Responses),
            b"object" if value.is_word("list") => (Dialect::Embeddings, CallType::Embedding),
            b"data" if answer.get("object").is_none() => (Dialect::Images, CallType::ImageGeneration),
            _ => continue,
        };
        return Some(found);
    }
    if is_google {
        return Some((Dialect::GeminiGenerate, CallType::Completion));
    }
    (!is_checked || answer.get("usage").is_some()).then_some((Dialect::OpenAiChat, CallType::Completion))
}

/// The batch that a file is the output of, where its name says so, as OpenAI's does:
/// `attachment; filename="batch_abc_output.jsonl"`.
fn batch_of_file(headers: &dyn Headers) -> Option<Text> {
    let value = std::str::from_utf8(headers.get("content-disposition")?).ok()?;
    let name = value.split("filename=").nth(1)?.trim_start_matches('"');
    let batch = name.strip_suffix('"').unwrap_or(name).strip_suffix(".jsonl")?;
    let batch = batch
        .strip_suffix("_output")
        .or_else(|| batch.strip_suffix("_error"))?;
    batch.starts_with("batch_").then(|| Text::from(batch))
}
