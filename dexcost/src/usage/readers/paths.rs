//! From a path to a wire form: by its end, else by more of it, or by its host.

use super::Dialect;
use crate::event::CallType;

/// A path's end that leads to a model: last segment, the one before (empty: any, where no other
/// entry fits), wire form, kind. Sorted by the last segment.
type Ending = (&'static str, &'static str, Dialect, CallType);

#[rustfmt::skip]
const ENDINGS: &[Ending] = &[
    ("chat", "text", Dialect::OpenAiChat, CallType::Completion),
    ("chat", "api", Dialect::Ollama, CallType::Completion),
    ("chat", "v1", Dialect::Cohere, CallType::Completion),
    ("chat", "v2", Dialect::Cohere, CallType::Completion),
    ("chat_stream", "text", Dialect::OpenAiChat, CallType::Completion),
    ("classify", "v1", Dialect::Cohere, CallType::Completion),
    ("compact", "responses", Dialect::OpenAiResponses, CallType::Responses),
    ("complete", "v1", Dialect::AnthropicComplete, CallType::Completion),
    ("complete", "", Dialect::AlephAlpha, CallType::Completion),
    ("completions", "chat", Dialect::OpenAiChat, CallType::Completion),
    // Mistral's agents and fill-in-the-middle answer in the same form.
    ("completions", "agents", Dialect::OpenAiChat, CallType::Completion),
    ("completions", "fim", Dialect::OpenAiChat, CallType::Completion),
    // The old completions differ from chat in nothing that is counted.
    ("completions", "", Dialect::OpenAiChat, CallType::Completion),
    ("contextualizedembeddings", "", Dialect::Embeddings, CallType::Embedding),
    ("converse", "", Dialect::BedrockConverse, CallType::Completion),
    ("converse-stream", "", Dialect::BedrockConverse, CallType::Completion),
    ("edits", "images", Dialect::Images, CallType::ImageGeneration),
    ("embed", "api", Dialect::Ollama, CallType::Embedding),
    ("embed", "v1", Dialect::Cohere, CallType::Embedding),
    ("embed", "v2", Dialect::Cohere, CallType::Embedding),
    ("embed", "", Dialect::Embeddings, CallType::Embedding),
    ("embeddings", "api", Dialect::Ollama, CallType::Embedding),
    ("embeddings", "", Dialect::Embeddings, CallType::Embedding),
    ("feature-extraction", "", Dialect::Embeddings, CallType::Embedding),
    ("generate", "api", Dialect::Ollama, CallType::Completion),
    ("generate", "v1", Dialect::Cohere, CallType::Completion),
    ("generate", "", Dialect::TextGeneration, CallType::Completion),
    ("generate_stream", "", Dialect::TextGeneration, CallType::Completion),
    ("generation", "text", Dialect::Watsonx, CallType::Completion),
    ("generation_stream", "text", Dialect::Watsonx, CallType::Completion),
    ("generations", "images", Dialect::Images, CallType::ImageGeneration),
    ("heroku", "agents", Dialect::OpenAiChat, CallType::Completion),
    ("images", "", Dialect::Images, CallType::ImageGeneration),
    ("interactions", "", Dialect::GeminiInteractions, CallType::Completion),
    // SageMaker's endpoints answer as their model does, as on Bedrock.
    ("invocations", "", Dialect::BedrockInvoke, CallType::Completion),
    ("invocations-response-stream", "", Dialect::BedrockInvoke, CallType::Completion),
    ("invoke", "", Dialect::BedrockInvoke, CallType::Completion),
    ("invoke-with-response-stream", "", Dialect::BedrockInvoke, CallType::Completion),
    ("listen", "", Dialect::Transcription, CallType::Transcription),
    ("messages", "v1", Dialect::AnthropicMessages, CallType::Completion),
    ("messages", "anthropic", Dialect::AnthropicMessages, CallType::Completion),
    // Voyage and Perplexity.
    ("multimodalembeddings", "", Dialect::Embeddings, CallType::Embedding),
    ("ocr", "", Dialect::Ocr, CallType::Ocr),
    ("predictions", "", Dialect::Replicate, CallType::Completion),
    ("rerank", "", Dialect::Rerank, CallType::Rerank),
    ("responses", "", Dialect::OpenAiResponses, CallType::Responses),
    ("retrieveAndGenerate", "", Dialect::BedrockAgent, CallType::Completion),
    ("retrieveAndGenerateStream", "", Dialect::BedrockAgent, CallType::Completion),
    ("speak", "v1", Dialect::Speech, CallType::Speech),
    ("speech", "audio", Dialect::Speech, CallType::Speech),
    ("stt", "", Dialect::Transcription, CallType::Transcription),
    ("summarize", "v1", Dialect::Cohere, CallType::Completion),
    ("text", "generation", Dialect::Watsonx, CallType::Completion),
    ("text_stream", "generation", Dialect::Watsonx, CallType::Completion),
    ("transcriptions", "audio", Dialect::Transcription, CallType::Transcription),
    ("translations", "audio", Dialect::Transcription, CallType::Transcription),
    ("tts", "", Dialect::Speech, CallType::Speech),
    ("variations", "images", Dialect::Images, CallType::ImageGeneration),
];

/// Methods of Google's models, after the colon.
#[rustfmt::skip]
const METHODS: &[(&str, Dialect, CallType)] = &[
    ("generateContent", Dialect::GeminiGenerate, CallType::Completion),
    ("streamGenerateContent", Dialect::GeminiGenerate, CallType::Completion),
    // Whatever a publisher's model answers.
    ("rawPredict", Dialect::BedrockInvoke, CallType::Completion),
    ("streamRawPredict", Dialect::BedrockInvoke, CallType::Completion),
    ("generateAnswer", Dialect::GeminiGenerate, CallType::Completion),
    ("embedContent", Dialect::GeminiGenerate, CallType::Embedding),
    ("batchEmbedContents", Dialect::GeminiGenerate, CallType::Embedding),
    ("predict", Dialect::VertexPredict, CallType::Completion),
];

/// The end of a path, by which most wire forms are told.
#[derive(Clone, Copy)]
pub(super) struct End<'a> {
    /// The path without the slashes at its end.
    pub(super) path: &'a str,
    /// Its last segment.
    pub(super) last: &'a str,
    /// What stands before and after the last colon of that.
    pub(super) at_colon: Option<(&'a str, &'a str)>,
}

impl<'a> End<'a> {
    pub(super) fn of(path: &'a str) -> Self {
        let path = trimmed(path);
        let last = last_segment(path);
        Self {
            path,
            last,
            at_colon: at_colon(last),
        }
    }
}

/// The wire form and kind of call that a POST to a path at a host (in lower case, without port) stands for.
pub(super) fn form_of(host: &str, path: &str, end: End<'_>) -> Option<(Dialect, CallType)> {
    by_end(end)
        .or_else(|| by_host(host, path))
        .or_else(|| by_place(path))
}

/// The wire form and kind that the end of a path stands for.
fn by_end(end: End<'_>) -> Option<(Dialect, CallType)> {
    let End { path, last, at_colon } = end;
    if let Some((model, method)) = at_colon {
        // Anthropic's token counting on Vertex has the form of a model.
        if model == "count-tokens" {
            return None;
        }
        let (_, dialect, call_type) = METHODS.iter().find(|(name, ..)| *name == method)?;
        let dialect = match method {
            "rawPredict" | "streamRawPredict" if path.contains("/publishers/anthropic/") => {
                Dialect::AnthropicMessages
            }
            "rawPredict" | "streamRawPredict" if path.contains("/publishers/mistralai/") => {
                Dialect::OpenAiChat
            }
            _ => *dialect,
        };
        return Some((dialect, *call_type));
    }
    let before = last_segment(trimmed(path.get(..path.len() - last.len()).unwrap_or_default()));
    // Most ends differ in length or first byte: cheaper than a search that compares whole words.
    ENDINGS
        .iter()
        .filter(|(end, ..)| end.len() == last.len() && end.as_bytes().first() == last.as_bytes().first())
        .find(|(end, parent, ..)| *end == last && (parent.is_empty() || *parent == before))
        .map(|(_, _, dialect, call_type)| (*dialect, *call_type))
}

/// What only the host tells, or more of the path than its end. Hugging Face and Cloudflare run the
/// model that the path, or the host alone, names; Bedrock's agents are named by it, or by no more
/// than a session.
fn by_host(host: &str, path: &str) -> Option<(Dialect, CallType)> {
    let is_agent = path.starts_with("/agents/")
        && ((path.contains("/agentAliases/") && path.ends_with("/text"))
            || (host.starts_with("bedrock-agent-runtime") && path.matches('/').count() == 2));
    if is_agent {
        return Some((Dialect::BedrockAgent, CallType::Completion));
    }
    let dialect = match host {
        "api-inference.huggingface.co" if path.starts_with("/models/") => Dialect::TextGeneration,
        "router.huggingface.co" if path.starts_with("/hf-inference/models/") => Dialect::TextGeneration,
        "api.cloudflare.com" if path.starts_with("/client/v4/") && path.contains(RUN) => Dialect::WorkersAi,
        // Nobody else's conversations run a model.
        "api.mistral.ai" if path.starts_with("/v1/conversations") => Dialect::MistralConversations,
        "gateway.ai.cloudflare.com" if path.contains(WORKERS) => Dialect::WorkersAi,
        _ if path == "/" && host.ends_with(".endpoints.huggingface.cloud") => Dialect::TextGeneration,
        _ => return None,
    };
    Some((dialect, CallType::Completion))
}

/// Whether a path alone says that a model is called: its end is one that no other program uses.
pub(super) fn is_telling(path: &str) -> bool {
    const ENDS: &[&str] = &[
        "/chat/completions",
        "/v1/embeddings",
        "/v1/rerank",
        "/audio/transcriptions",
        "/audio/translations",
        "/audio/speech",
        "/images/generations",
        ":generateContent",
        ":streamGenerateContent",
    ];
    let path = trimmed(path);
    ENDS.iter().any(|end| path.ends_with(end))
}

/// Whether what answers at a provider's path may be any model of its customers, a classifier of tables
/// as well as one that is counted: SageMaker's endpoints, those of Databricks and Hugging Face, and
/// predictions by a model that no publisher made.
pub(super) fn is_any_model(host: &str, path: &str) -> bool {
    let path = trimmed(path);
    path.ends_with("/invocations")
        || path.ends_with("/invocations-response-stream")
        || (path.is_empty() && host.ends_with(".endpoints.huggingface.cloud"))
        || (path.ends_with(":predict") && !path.contains("/publishers/"))
}

/// What is told by where in the path it stands: runs of assistants, and Snowflake's functions.
fn by_place(path: &str) -> Option<(Dialect, CallType)> {
    let is_run = |end: &str| path.ends_with(end) && path.contains("/threads/");
    if is_run("/runs") || (is_run("/submit_tool_outputs") && path.contains("/runs/")) {
        return Some((Dialect::OpenAiAssistants, CallType::Completion));
    }
    let (function_of, function) = at_colon(last_segment(path))?;
    if function_of != "inference" || !path.contains(CORTEX) {
        return None;
    }
    match function {
        "complete" => Some((Dialect::OpenAiChat, CallType::Completion)),
        "embed" => Some((Dialect::Embeddings, CallType::Embedding)),
        _ => None,
    }
}

/// What stands before a model's name on Cloudflare, and before a function's on Snowflake.
pub(super) const RUN: &str = "/ai/run/";
pub(super) const WORKERS: &str = "/workers-ai/";
pub(super) const CORTEX: &str = "/cortex/inference:";

/// The wire form and kind of the earlier call of which a GET shows the result: a response, a completion, a
/// run, an interaction or a prediction by its id.
pub(super) fn retrieved(path: &str) -> Option<(Dialect, CallType)> {
    let mut segments = trimmed(path).rsplit('/');
    let (id, kind) = (
        segments.next().unwrap_or_default(),
        segments.next().unwrap_or_default(),
    );
    let (dialect, call_type, ids) = match kind {
        "responses" => (Dialect::OpenAiResponses, CallType::Responses, "resp"),
        "completions" => (Dialect::OpenAiChat, CallType::Completion, "chatcmpl"),
        "runs" => (Dialect::OpenAiAssistants, CallType::Completion, "run"),
        "interactions" => (Dialect::GeminiInteractions, CallType::Completion, ""),
        "predictions" => (Dialect::Replicate, CallType::Completion, ""),
        _ => return None,
    };
    (!id.is_empty() && id.starts_with(ids)).then_some((dialect, call_type))
}

/// Whether a POST to a path asks for a batch of calls.
pub(super) fn asks_for_batch(end: End<'_>) -> bool {
    match (end.last, end.at_colon) {
        ("batches", _) => true,
        ("jobs", _) => end.path.ends_with("/batch/jobs"),
        (_, Some((_, method))) => matches!(method, "batchGenerateContent" | "asyncBatchEmbedContent"),
        _ => false,
    }
}

/// The wire form in which a GET shows what became of a batch, and the name of that or of the file that may
/// hold it.
pub(super) fn batch_results<'a>(end: End<'a>) -> Option<(Dialect, &'a str)> {
    let (front, parent) = parted(end.path, end.last);
    let found = match (end.last, parent) {
        ("results" | "content", id) => {
            let (front, kind) = parted(front, id);
            match (end.last, kind) {
                ("results", "batches") if front.ends_with("/messages/batches") => (Dialect::BatchLines, id),
                ("results", "batches") => (Dialect::Batch, id),
                ("content", "files") => (Dialect::BatchLines, id),
                _ => return None,
            }
        }
        (id, "batches") => (Dialect::Batch, id),
        (id, "jobs") if front.ends_with("/batch/jobs") => (Dialect::Batch, id),
        (_, "files") => match end.at_colon {
            Some((id, "download")) => (Dialect::BatchLines, id),
            _ => return None,
        },
        _ => return None,
    };
    Some(found).filter(|(_, id)| !id.is_empty())
}

/// What stands before the last segment of a path, and the segment before that.
fn parted<'a>(path: &'a str, last: &str) -> (&'a str, &'a str) {
    let front = path.get(..path.len() - last.len()).unwrap_or_default();
    let front = front.strip_suffix('/').unwrap_or(front);
    (front, last_segment(front))
}

/// What stands before and after the last colon.
fn at_colon(segment: &str) -> Option<(&str, &str)> {
    let colon = memchr::memrchr(b':', segment.as_bytes())?;
    Some((segment.get(..colon)?, segment.get(colon + 1..)?))
}

/// A path without the slashes at its end.
fn trimmed(mut path: &str) -> &str {
    while let Some(rest) = path.strip_suffix('/') {
        path = rest;
    }
    path
}

fn last_segment(path: &str) -> &str {
    let from = memchr::memrchr(b'/', path.as_bytes()).map_or(0, |at| at + 1);
    path.get(from..).unwrap_or_default()
}

/// Whether the path asks for a stream.
pub(super) fn streams(end: End<'_>) -> bool {
    let method = end.at_colon.map_or(end.last, |(_, method)| method);
    has(method, "stream") || method.ends_with("Stream")
}

/// Where a mark stands in a path. Both are short, and few places start as the mark does: a search that
/// prepares itself for the mark takes longer.
pub(super) fn find(path: &str, mark: &str) -> Option<usize> {
    let first = mark.as_bytes().first();
    path.as_bytes()
        .windows(mark.len())
        .position(|place| place.first() == first && place == mark.as_bytes())
}

/// Whether a mark stands anywhere in a path.
pub(super) fn has(path: &str, mark: &str) -> bool {
    find(path, mark).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_ends_is_sorted_and_any_parent_comes_last() {
        assert!(ENDINGS.is_sorted_by_key(|(end, ..)| *end));
        for (at, (end, parent, ..)) in ENDINGS.iter().enumerate() {
            let is_last = ENDINGS.get(at + 1).is_none_or(|(next, ..)| next != end);
            assert!(!parent.is_empty() || is_last, "{end}");
        }
    }

    #[test]
    fn wire_forms_are_told_by_the_path() {
        for (authority, path, dialect) in [
            ("h", "/api/chat", Some(Dialect::Ollama)),
            ("h", "/api/embed", Some(Dialect::Ollama)),
            ("h", "/v2/chat", Some(Dialect::Cohere)),
            ("h", "/v1/chat/completions", Some(Dialect::OpenAiChat)),
            ("h", "/chat", None),
            ("h", "/model/m/converse-stream", Some(Dialect::BedrockConverse)),
            ("h", "/model/m/count-tokens", None),
            ("h", "/guardrail/g/version/1/apply", None),
            ("h", "/v1beta/models/g:batchGenerateContent", None),
            ("h", "/v1beta/models/g:countTokens", None),
            ("h", "/v1beta/cachedContents", None),
            ("h", "/v1beta/interactions", Some(Dialect::GeminiInteractions)),
            (
                "h",
                "/v1/p/publishers/ai21/models/j:rawPredict",
                Some(Dialect::BedrockInvoke),
            ),
            (
                "h",
                "/v1/p/publishers/anthropic/models/count-tokens:rawPredict",
                None,
            ),
            (
                "h",
                "/agents/a/agentAliases/b/sessions/c/text",
                Some(Dialect::BedrockAgent),
            ),
            ("h", "/agents/a", None),
            (
                "bedrock-agent-runtime.us-east-1.amazonaws.com",
                "/agents/a",
                Some(Dialect::BedrockAgent),
            ),
            (
                "bedrock-agent-runtime.us-east-1.amazonaws.com",
                "/knowledgebases/k/retrieve",
                None,
            ),
        ] {
            let form = form_of(authority, path, End::of(path)).map(|(form, _)| form);
            assert_eq!(form, dialect, "{path}");
        }
    }

    #[test]
    fn streams_may_be_asked_for_by_the_path() {
        for path in [
            "/m/g:streamGenerateContent",
            "/m/g:streamRawPredict",
            "/retrieveAndGenerateStream",
            "/model/m/invoke-with-response-stream",
        ] {
            assert!(streams(End::of(path)), "{path}");
        }
        assert!(!streams(End::of("/m/g:generateContent")));
    }
}
