//! From a request line to a wire form: by host, then by the shape of the path.

use super::Dialect;
use super::hosts::{self, Answers};
use super::mcp;
use crate::event::CallType;
use crate::text::Text;
use crate::wire::{RequestFacts, split_port};

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A model runs because of it.
    Inference,
    /// Models run inside of what it starts, each with a usage of its own.
    Orchestration,
    /// It shows the result of an earlier call.
    Retrieval,
    /// It calls a tool, which is no model.
    Tool,
}

/// Where a request leads.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) dialect: Dialect,
    pub(crate) purpose: Purpose,
    pub(crate) call_type: CallType,
    /// Who is behind it.
    pub(crate) provider: Option<&'static str>,
    /// Whether the host is known: what an unknown one sends must prove that it is about a model.
    pub(crate) is_known: bool,
    /// Whether the path asks for a stream.
    pub(crate) streams: bool,
    pub(crate) host: Text,
    /// The model, where the path names it: a deployment on Azure, a publisher's model on Vertex.
    pub(crate) model: Option<Text>,
    pub(crate) region: Option<Text>,
    pub(crate) residency: Option<&'static str>,
}

/// A path's end that leads to a model: last segment, the one before (empty: any), wire form, kind.
type Ending = (&'static str, &'static str, Dialect, CallType);

#[rustfmt::skip]
const ENDINGS: &[Ending] = &[
    ("completions", "chat", Dialect::OpenAiChat, CallType::Completion),
    // Mistral's agents and fill-in-the-middle answer in the same form.
    ("completions", "agents", Dialect::OpenAiChat, CallType::Completion),
    ("completions", "fim", Dialect::OpenAiChat, CallType::Completion),
    ("messages", "v1", Dialect::AnthropicMessages, CallType::Completion),
    ("messages", "anthropic", Dialect::AnthropicMessages, CallType::Completion),
    // The old completions differ from chat in nothing that is counted.
    ("completions", "", Dialect::OpenAiChat, CallType::Completion),
    ("heroku", "agents", Dialect::OpenAiChat, CallType::Completion),
    ("responses", "", Dialect::OpenAiResponses, CallType::Responses),
    ("compact", "responses", Dialect::OpenAiResponses, CallType::Responses),
    ("chat", "text", Dialect::OpenAiChat, CallType::Completion),
    ("chat_stream", "text", Dialect::OpenAiChat, CallType::Completion),
    ("chat", "api", Dialect::Ollama, CallType::Completion),
    ("generate", "api", Dialect::Ollama, CallType::Completion),
    ("embed", "api", Dialect::Ollama, CallType::Embedding),
    ("embeddings", "api", Dialect::Ollama, CallType::Embedding),
    ("chat", "v1", Dialect::Cohere, CallType::Completion),
    ("chat", "v2", Dialect::Cohere, CallType::Completion),
    ("generate", "v1", Dialect::Cohere, CallType::Completion),
    ("embed", "v1", Dialect::Cohere, CallType::Embedding),
    ("embed", "v2", Dialect::Cohere, CallType::Embedding),
    ("classify", "v1", Dialect::Cohere, CallType::Completion),
    ("summarize", "v1", Dialect::Cohere, CallType::Completion),
    ("chat", "", Dialect::Unread, CallType::Completion),
    ("generate", "", Dialect::Unread, CallType::Completion),
    ("generate_stream", "", Dialect::TextGeneration, CallType::Completion),
    ("complete", "v1", Dialect::AnthropicComplete, CallType::Completion),
    ("complete", "", Dialect::AlephAlpha, CallType::Completion),
    ("interactions", "", Dialect::GeminiInteractions, CallType::Completion),
    ("predictions", "", Dialect::Replicate, CallType::Completion),
    ("text", "generation", Dialect::Watsonx, CallType::Completion),
    ("text_stream", "generation", Dialect::Watsonx, CallType::Completion),
    ("generation", "text", Dialect::Watsonx, CallType::Completion),
    ("generation_stream", "text", Dialect::Watsonx, CallType::Completion),
    ("converse", "", Dialect::BedrockConverse, CallType::Completion),
    ("converse-stream", "", Dialect::BedrockConverse, CallType::Completion),
    ("invoke", "", Dialect::BedrockInvoke, CallType::Completion),
    ("invoke-with-response-stream", "", Dialect::BedrockInvoke, CallType::Completion),
    ("retrieveAndGenerate", "", Dialect::BedrockAgent, CallType::Completion),
    ("retrieveAndGenerateStream", "", Dialect::BedrockAgent, CallType::Completion),
    ("invocations-response-stream", "", Dialect::BedrockInvoke, CallType::Completion),
    ("invocations", "", Dialect::Unread, CallType::Completion),
    ("embeddings", "", Dialect::Embeddings, CallType::Embedding),
    ("feature-extraction", "", Dialect::Embeddings, CallType::Embedding),
    // Voyage and Perplexity.
    ("multimodalembeddings", "", Dialect::Embeddings, CallType::Embedding),
    ("contextualizedembeddings", "", Dialect::Embeddings, CallType::Embedding),
    ("embed", "", Dialect::Unread, CallType::Embedding),
    ("rerank", "", Dialect::Rerank, CallType::Rerank),
    ("ocr", "", Dialect::Ocr, CallType::Ocr),
    ("generations", "images", Dialect::Images, CallType::ImageGeneration),
    ("edits", "images", Dialect::Images, CallType::ImageGeneration),
    ("variations", "images", Dialect::Images, CallType::ImageGeneration),
    ("images", "", Dialect::Images, CallType::ImageGeneration),
    ("transcriptions", "audio", Dialect::Transcription, CallType::Transcription),
    ("translations", "audio", Dialect::Transcription, CallType::Transcription),
    ("stt", "", Dialect::Transcription, CallType::Transcription),
    ("listen", "", Dialect::Transcription, CallType::Transcription),
    ("speech", "audio", Dialect::Speech, CallType::Speech),
    ("tts", "", Dialect::Speech, CallType::Speech),
    ("speak", "v1", Dialect::Speech, CallType::Speech),
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

impl Route {
    /// Where a request leads, if it can have to do with a model or with a tool for one.
    pub(crate) fn of_request(request: &RequestFacts<'_>) -> Option<Self> {
        match Self::of(request.method, request.authority, request.path) {
            Some(route) if route.is_known => Some(route),
            _ if mcp::may_be(request) => Some(Self::to_tool(request.authority)),
            route => route,
        }
    }

    /// To a server of tools, whoever runs it.
    fn to_tool(authority: &str) -> Self {
        Self {
            dialect: Dialect::Mcp,
            purpose: Purpose::Tool,
            call_type: CallType::Tool,
            provider: Some("mcp"),
            is_known: false,
            streams: false,
            host: Text::from(split_port(authority).0.to_ascii_lowercase()),
            model: None,
            region: None,
            residency: None,
        }
    }

    /// Where a request leads, if it can have to do with a model.
    pub(crate) fn of(method: &str, authority: &str, path: &str) -> Option<Self> {
        let (dialect, purpose, call_type) = match method {
            "POST" => {
                let (dialect, call_type) = by_path(path)
                    .or_else(|| by_host(authority, path))
                    .or_else(|| by_place(path))?;
                (dialect, Purpose::Inference, call_type)
            }
            "GET" if is_retrieval(path) => (Dialect::Retrieval, Purpose::Retrieval, CallType::Responses),
            _ => return None,
        };
        let (host, port) = split_port(authority);
        let lower;
        let host = if host.bytes().any(|b| b.is_ascii_uppercase()) {
            lower = host.to_ascii_lowercase();
            lower.as_str()
        } else {
            host
        };
        let answers = hosts::answers(host, port);
        let provider = match answers {
            Answers::Provider(gateway @ ("pydantic-gateway" | "portkey" | "cloudflare-gateway")) => {
                prefix(path).or(Some(gateway))
            }
            Answers::Provider(provider) => Some(provider),
            Answers::Local(kind) => prefix(path).or(Some(kind)),
            Answers::Unknown => prefix(path),
        };
        let dialect = match (provider, dialect, last_segment(path.trim_end_matches('/'))) {
            // Writer's chat is OpenAI's under a path of its own.
            (Some("writer"), _, "chat") => Dialect::OpenAiChat,
            // So are the chat models that Databricks serves each at a path.
            (Some("databricks"), Dialect::Unread, "invocations") => Dialect::OpenAiChat,
            // SageMaker's endpoints answer as their model does, as on Bedrock.
            (Some("sagemaker"), Dialect::Unread, "invocations") => Dialect::BedrockInvoke,
            _ => dialect,
        };
        let model = model_in(path.trim_end_matches('/'), dialect);
        let call_type = match (dialect, model.as_deref()) {
            (Dialect::VertexPredict | Dialect::BedrockInvoke, Some(model)) => {
                kind_of_model(model).unwrap_or(call_type)
            }
            _ => call_type,
        };
        // The calls inside an agent are what costs; the exchange around them has no usage.
        let purpose = match dialect {
            Dialect::BedrockAgent => Purpose::Orchestration,
            _ => purpose,
        };
        Some(Self {
            dialect,
            purpose,
            call_type,
            provider,
            is_known: match answers {
                Answers::Provider(_) => true,
                Answers::Local(kind) => kind == "ollama" || !is_vague(path),
                Answers::Unknown => false,
            },
            streams: path_streams(path),
            model,
            region: provider
                .and_then(|provider| region(host, path, provider))
                .map(Text::from),
            residency: match host {
                "us.api.openai.com" => Some("us"),
                "eu.api.openai.com" => Some("eu"),
                _ => None,
            },
            host: Text::from(host),
        })
    }
}

/// The wire form and kind that the end of a path stands for.
fn by_path(path: &str) -> Option<(Dialect, CallType)> {
    let path = path.trim_end_matches('/');
    let last = last_segment(path);
    let before = last_segment(
        path.get(..path.len() - last.len())
            .unwrap_or_default()
            .trim_end_matches('/'),
    );
    if let Some((model, method)) = at_colon(last) {
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
    ENDINGS
        .iter()
        .find(|(end, parent, ..)| *end == last && (parent.is_empty() || *parent == before))
        .map(|(_, _, dialect, call_type)| (*dialect, *call_type))
}

/// What only the host tells, or more of the path than its end. Hugging Face and Cloudflare run the
/// model that the path, or the host alone, names; Bedrock's agents are named by it, or by no more
/// than a session.
fn by_host(authority: &str, path: &str) -> Option<(Dialect, CallType)> {
    let is_agent = path.starts_with("/agents/")
        && ((path.contains("/agentAliases/") && path.ends_with("/text"))
            || (authority.starts_with("bedrock-agent-runtime") && path.matches('/').count() == 2));
    if is_agent {
        return Some((Dialect::BedrockAgent, CallType::Completion));
    }
    let dialect = match authority {
        "api-inference.huggingface.co" if path.starts_with("/models/") => Dialect::TextGeneration,
        "router.huggingface.co" if path.starts_with("/hf-inference/models/") => Dialect::TextGeneration,
        "api.cloudflare.com" if path.starts_with("/client/v4/") && path.contains(RUN) => Dialect::WorkersAi,
        // Nobody else's conversations run a model.
        "api.mistral.ai" if path.starts_with("/v1/conversations") => Dialect::MistralConversations,
        "gateway.ai.cloudflare.com" if path.contains(WORKERS) => Dialect::WorkersAi,
        _ if path == "/" && authority.ends_with(".endpoints.huggingface.cloud") => Dialect::TextGeneration,
        _ => return None,
    };
    Some((dialect, CallType::Completion))
}

/// Whether the end of a path is a word that any program may use, so that on this machine or network it
/// proves nothing.
fn is_vague(path: &str) -> bool {
    const WORDS: &[&str] = &[
        "chat",
        "complete",
        "embed",
        "generate",
        "images",
        "listen",
        "ocr",
        "predictions",
        "speak",
        "stt",
        "tts",
    ];
    WORDS.contains(&last_segment(path.trim_end_matches('/')))
}

/// What is told by where in the path it stands: runs of assistants, and Snowflake's functions.
fn by_place(path: &str) -> Option<(Dialect, CallType)> {
    let is_run = |end: &str| path.ends_with(end) && path.contains("/threads/");
    if is_run("/runs") || (is_run("/submit_tool_outputs") && path.contains("/runs/")) {
        return Some((Dialect::OpenAiAssistants, CallType::Completion));
    }
    match path.split_once(CORTEX)?.1 {
        "complete" => Some((Dialect::OpenAiChat, CallType::Completion)),
        "embed" => Some((Dialect::Embeddings, CallType::Embedding)),
        _ => None,
    }
}

/// What stands before a model's name on Cloudflare, and before a function's on Snowflake.
const RUN: &str = "/ai/run/";
const WORKERS: &str = "/workers-ai/";
const CORTEX: &str = "/cortex/inference:";

/// Whether a GET shows the result of an earlier call: a response, a completion, a run or a prediction
/// by its id.
fn is_retrieval(path: &str) -> bool {
    let mut segments = path.trim_end_matches('/').rsplit('/');
    let (id, kind) = (
        segments.next().unwrap_or_default(),
        segments.next().unwrap_or_default(),
    );
    [
        ("responses", "resp"),
        ("completions", "chatcmpl"),
        ("runs", "run"),
        ("interactions", ""),
        ("predictions", ""),
    ]
    .iter()
    .any(|(kinds, ids)| kind == *kinds && !id.is_empty() && id.starts_with(ids))
}

/// What stands before and after the last colon.
fn at_colon(segment: &str) -> Option<(&str, &str)> {
    let colon = memchr::memrchr(b':', segment.as_bytes())?;
    Some((segment.get(..colon)?, segment.get(colon + 1..)?))
}

fn last_segment(path: &str) -> &str {
    let from = memchr::memrchr(b'/', path.as_bytes()).map_or(0, |at| at + 1);
    path.get(from..).unwrap_or_default()
}

/// Who a proxy's path says is behind it.
fn prefix(path: &str) -> Option<&'static str> {
    hosts::PREFIXES
        .iter()
        .find(|(name, _)| path.split('/').any(|segment| segment == *name))
        .map(|(_, provider)| *provider)
}

/// Whether the path asks for a stream.
fn path_streams(path: &str) -> bool {
    let last = last_segment(path.trim_end_matches('/'));
    let method = at_colon(last).map_or(last, |(_, method)| method);
    method.contains("stream") || method.ends_with("Stream")
}

/// What kind of call a model's name promises, where one path serves every kind.
fn kind_of_model(model: &str) -> Option<CallType> {
    const SIGNS: &[(&str, CallType)] = &[
        ("embed", CallType::Embedding),
        ("gecko", CallType::Embedding),
        ("rerank", CallType::Rerank),
        ("image", CallType::ImageGeneration),
        ("canvas", CallType::ImageGeneration),
        ("stability.", CallType::ImageGeneration),
    ];
    let (_, kind) = SIGNS.iter().find(|(sign, _)| model.contains(sign))?;
    Some(*kind)
}

/// The model that a path names: Azure's deployment, a publisher's model with its method, Bedrock's.
fn model_in(path: &str, dialect: Dialect) -> Option<Text> {
    let after = |marker: &str| {
        let mut segments = path.split('/');
        segments.find(|segment| *segment == marker)?;
        segments.next()
    };
    let last = last_segment(path);
    let name = match (dialect, at_colon(last)) {
        (Dialect::WorkersAi, _) => between(path, &[RUN, WORKERS], ""),
        (Dialect::TextGeneration, _) => between(path, &["/models/"], ""),
        (Dialect::Replicate, _) => between(path, &["/models/", "/deployments/"], "/predictions"),
        _ if path.contains(CORTEX) => None,
        // Code Assist names the model in the body.
        (_, Some((model, _))) => Some(model).filter(|model| *model != "v1internal"),
        // An ARN has slashes of its own.
        (_, None) if last.starts_with("converse") || last.starts_with("invoke") => {
            let from = path.find("/model/")? + "/model/".len();
            path.get(from..path.len() - last.len() - 1)
        }
        (_, None) if last.starts_with("invocations") => {
            after("serving-endpoints").or_else(|| after("endpoints"))
        }
        (_, None) if last == "feature-extraction" => between(path, &["/models/"], "/pipeline"),
        (_, None) => after("deployments"),
    }?;
    (!name.is_empty() && name.len() <= 256).then(|| Text::from(percent_decoded(name)))
}

/// What stands behind the first of these marks that a path has, up to `end`; all, where that is empty.
fn between<'a>(path: &'a str, marks: &[&str], end: &str) -> Option<&'a str> {
    let rest = marks.iter().find_map(|mark| path.split_once(mark))?.1;
    match end {
        "" => Some(rest),
        end => rest.split_once(end).map(|(name, _)| name),
    }
}

fn percent_decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut bytes = text.as_bytes();
    while let [first, rest @ ..] = bytes {
        let escape = match (first, rest) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        match escape {
            Some((high, low)) => {
                plain.push(high << 4 | low);
                bytes = &rest[2..];
            }
            None => {
                plain.push(*first);
                bytes = rest;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

fn region<'a>(host: &'a str, path: &'a str, provider: &str) -> Option<&'a str> {
    if provider == "vertex" {
        let mut segments = path.split('/');
        if segments.any(|segment| segment == "locations") {
            return segments.next();
        }
    }
    hosts::region(host, provider)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(url: &str) -> Route {
        let (authority, path) = url.split_at(url.find('/').unwrap());
        Route::of("POST", authority, path).unwrap()
    }

    #[test]
    fn known_hosts_name_the_provider() {
        let chat = route("api.x.ai/v1/chat/completions");
        assert_eq!(
            (chat.provider, chat.dialect, chat.is_known),
            (Some("xai"), Dialect::OpenAiChat, true)
        );
        let messages = route("API.Anthropic.com/v1/messages");
        assert_eq!(
            (messages.provider, messages.dialect),
            (Some("anthropic"), Dialect::AnthropicMessages)
        );
        for url in ["api.writer.com:443/v1/chat", "api.writer.com/v1/chat/"] {
            assert_eq!(route(url).dialect, Dialect::OpenAiChat);
        }
    }

    #[test]
    fn a_proxy_is_known_by_its_path() {
        let groq = route("proxy.example.com/groq/openai/v1/chat/completions");
        assert_eq!((groq.provider, groq.is_known), (Some("groq"), false));
        assert_eq!(
            route("proxy.example.com/anthropic/v1/messages").provider,
            Some("anthropic")
        );
        assert_eq!(route("proxy.example.com/v1/chat/completions").provider, None);
    }

    #[test]
    fn models_in_the_path_are_read() {
        let azure = route("r.openai.azure.com//openai/deployments/my%20model/chat/completions");
        assert_eq!(azure.model.as_deref(), Some("my model"));
        let vertex = route(
            "us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/publishers/anthropic/models/claude-x@2:rawPredict",
        );
        assert_eq!(vertex.model.as_deref(), Some("claude-x@2"));
        assert_eq!(
            (vertex.dialect, vertex.region.as_deref()),
            (Dialect::AnthropicMessages, Some("us-east5"))
        );
        assert_eq!(
            route("r.services.ai.azure.com/models/chat/completions").model,
            None
        );
    }

    #[test]
    fn what_runs_no_model_leads_nowhere() {
        for path in [
            "/v1/models",
            "/v1/messages/count_tokens",
            "/v1/messages/batches",
            "/v1/files",
            "/v1/moderations",
            "/v1/batches",
            "/v1/conversations",
            "/v1/vector_stores/vs/search",
            "/v1/responses/input_tokens",
            "/v1/responses/resp_1/cancel",
            "/v1/realtime/client_secrets",
            "/v1/threads",
            "/v1/assistants",
            "/v1/predictions/p/cancel",
            "/v1/threads/t/messages",
            "/",
            "",
            "/v1beta/models/g:countTokens",
        ] {
            assert!(Route::of("POST", "api.openai.com", path).is_none(), "{path}");
        }
        assert!(Route::of("GET", "api.openai.com", "/v1/chat/completions").is_none());
        assert!(Route::of("HEAD", "api.openai.com", "/v1/chat/completions").is_none());
    }

    #[test]
    fn a_retrieval_shows_an_earlier_call() {
        for (host, path) in [
            ("api.openai.com", "/v1/responses/resp_1"),
            ("api.openai.com", "/v1/threads/t/runs/run_1"),
            ("api.replicate.com", "/v1/predictions/abc"),
        ] {
            let poll = Route::of("GET", host, path).unwrap();
            assert_eq!(poll.purpose, Purpose::Retrieval, "{path}");
        }
        for path in [
            "/v1/predictions",
            "/v1/responses/resp_1/input_items",
            "/v1/threads/t/runs",
        ] {
            assert!(Route::of("GET", "api.openai.com", path).is_none(), "{path}");
        }
    }

    #[test]
    fn a_model_may_stand_in_the_path_alone() {
        for (url, model) in [
            (
                "api.cloudflare.com/client/v4/accounts/a/ai/run/@cf/meta/llama-x",
                "@cf/meta/llama-x",
            ),
            (
                "gateway.ai.cloudflare.com/v1/a/g/workers-ai/@cf/meta/llama-x",
                "@cf/meta/llama-x",
            ),
            (
                "api.replicate.com/v1/models/meta/llama-x/predictions",
                "meta/llama-x",
            ),
            ("api.replicate.com/v1/deployments/me/mine/predictions", "me/mine"),
            ("api-inference.huggingface.co/models/org/m", "org/m"),
            (
                "router.huggingface.co/hf-inference/models/org/m/pipeline/feature-extraction",
                "org/m",
            ),
            (
                "runtime.sagemaker.us-east-1.amazonaws.com/endpoints/mine/invocations",
                "mine",
            ),
        ] {
            let (authority, path) = url.split_at(url.find('/').unwrap());
            let route = Route::of("POST", authority, path).unwrap();
            assert_eq!(route.model.as_deref(), Some(model), "{url}");
            assert!(route.is_known, "{url}");
        }
        assert_eq!(route("api.replicate.com/v1/predictions").model, None);
        assert_eq!(
            route("x.endpoints.huggingface.cloud/").dialect,
            Dialect::TextGeneration
        );
    }

    #[test]
    fn a_common_word_on_a_local_host_proves_nothing() {
        for (url, known) in [
            ("localhost:3000/api/chat", false),
            ("localhost:8080/images", false),
            ("localhost:11434/api/chat", true),
            ("localhost:8080/v1/embeddings", true),
            ("localhost:8080/v1/audio/transcriptions", true),
        ] {
            assert_eq!(route(url).is_known, known, "{url}");
        }
    }

    #[test]
    fn conversations_run_a_model_at_mistral_only() {
        for path in ["/v1/conversations", "/v1/conversations/conv_1"] {
            let url = format!("api.mistral.ai{path}");
            assert_eq!(route(&url).dialect, Dialect::MistralConversations);
            assert!(Route::of("POST", "api.openai.com", path).is_none());
        }
    }

    #[test]
    fn what_is_told_by_its_place_in_the_path_is_found() {
        for (url, dialect) in [
            ("api.openai.com/v1/threads/runs", Dialect::OpenAiAssistants),
            ("api.openai.com/v1/threads/t/runs", Dialect::OpenAiAssistants),
            (
                "api.openai.com/v1/threads/t/runs/run_1/submit_tool_outputs",
                Dialect::OpenAiAssistants,
            ),
            (
                "a.snowflakecomputing.com/api/v2/cortex/inference:complete",
                Dialect::OpenAiChat,
            ),
            (
                "a.snowflakecomputing.com/api/v2/cortex/inference:embed",
                Dialect::Embeddings,
            ),
            ("us-south.ml.cloud.ibm.com/ml/v1/text/chat", Dialect::OpenAiChat),
            (
                "us-south.ml.cloud.ibm.com/ml/v1/text/generation_stream",
                Dialect::Watsonx,
            ),
            ("api.githubcopilot.com/responses", Dialect::OpenAiResponses),
            ("r.openai.azure.com/openai/responses", Dialect::OpenAiResponses),
            (
                "chatgpt.com/backend-api/codex/responses",
                Dialect::OpenAiResponses,
            ),
        ] {
            assert_eq!(route(url).dialect, dialect, "{url}");
            assert_eq!(route(url).model, None, "{url}");
        }
    }
}
