//! From a request line to a wire form: by host, then by the shape of the path.

use super::Dialect;
use super::mcp;
use super::paths::End;
use super::{path_models, paths};
use crate::event::CallType;
use crate::provider::{self, HostOwner, Provider};
use crate::text::Text;
use crate::wire::RequestFacts;

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
    /// It asks for many calls, to be run later.
    BatchRequest,
    /// It shows what became of a batch, each request of which is a call.
    BatchResults,
}

impl Purpose {
    /// Whether it is about a batch.
    pub(crate) const fn is_batch(self) -> bool {
        matches!(self, Self::BatchRequest | Self::BatchResults)
    }
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
    /// Whether the path alone says that a model is asked, so that a refusal is one of a model.
    pub(crate) is_telling: bool,
    /// Whether the path asks for a stream.
    pub(crate) streams: bool,
    pub(crate) host: Text,
    /// The model, where the path names it: a deployment on Azure, a publisher's model on Vertex.
    pub(crate) model: Option<Text>,
    pub(crate) region: Option<Text>,
    pub(crate) residency: Option<&'static str>,
    /// The batch that is shown, or the file that may hold its results, as the path names it.
    pub(crate) batch: Option<Text>,
}

impl Route {
    /// Where a request leads, if it can have to do with a model or with a tool for one.
    pub(crate) fn of_request(request: &RequestFacts<'_>) -> Option<Self> {
        match Self::of(request.method, request.authority, request.path) {
            Some(route) if route.is_known => Some(route),
            _ if mcp::may_be(request) => Some(Self::to_tool(request.authority)),
            route => route,
        }
    }

    /// Notes who answers, where somebody knows it better than the host tells.
    pub(crate) fn answered_by(&mut self, provider: &'static Provider) {
        self.provider = Some(provider.id);
        self.is_known = true;
    }

    /// Whether the reply can show anything: a file at a host that nobody knows can be any file.
    pub(crate) fn is_worth_watching(&self) -> bool {
        self.is_known || !self.purpose.is_batch()
    }

    /// To a server of tools, whoever runs it.
    fn to_tool(authority: &str) -> Self {
        Self {
            dialect: Dialect::Mcp,
            purpose: Purpose::Tool,
            call_type: CallType::Tool,
            provider: Some("mcp"),
            is_known: false,
            is_telling: false,
            streams: false,
            host: Text::from(&*provider::normal_host(authority).0),
            model: None,
            region: None,
            residency: None,
            batch: None,
        }
    }

    /// Whether the catalog of services may have the price of what is behind it: speech, its transcription,
    /// embeddings, rerankings, and machines that run any model.
    pub(crate) fn may_be_sold_as_service(&self) -> bool {
        let is_service = matches!(
            self.call_type,
            CallType::Speech | CallType::Transcription | CallType::Embedding | CallType::Rerank
        );
        self.provider.is_some() && (is_service || self.dialect == Dialect::TextGeneration)
    }

    /// Where a request leads, if it can have to do with a model.
    pub(crate) fn of(method: &str, authority: &str, path: &str) -> Option<Self> {
        let (host, port) = provider::normal_host(authority);
        let host = &*host;
        let end = End::of(path);
        let mut batch = None;
        let (dialect, purpose, call_type) = match method {
            "POST" => match paths::form_of(host, path, end) {
                Some((dialect, call_type)) => (dialect, Purpose::Inference, call_type),
                None if paths::asks_for_batch(end) => {
                    (Dialect::Batch, Purpose::BatchRequest, CallType::Batch)
                }
                None => return None,
            },
            "GET" => match paths::retrieved(path) {
                Some((dialect, call_type)) => (dialect, Purpose::Retrieval, call_type),
                None => {
                    let (dialect, id) = paths::batch_results(end)?;
                    batch = Some(Text::from(id));
                    (dialect, Purpose::BatchResults, CallType::Batch)
                }
            },
            _ => return None,
        };
        let owner = provider::owner(host, port);
        let found = owner.provider(path);
        let provider = found.map(|provider| provider.id);
        let dialect = match (provider, dialect, end.last) {
            // Writer's chat is OpenAI's under a path of its own.
            (Some("writer"), _, "chat") => Dialect::OpenAiChat,
            // So are the chat models that Databricks serves each at a path.
            (Some("databricks"), _, "invocations") => Dialect::OpenAiChat,
            _ => dialect,
        };
        let model = path_models::model_in(end, dialect).filter(|_| !purpose.is_batch());
        let call_type = match (dialect, model.as_deref()) {
            (Dialect::VertexPredict | Dialect::BedrockInvoke, Some(model)) => {
                path_models::kind_of_model(model).unwrap_or(call_type)
            }
            _ => call_type,
        };
        // The calls inside an agent are what costs; the exchange around them has no usage.
        let purpose = match dialect {
            Dialect::BedrockAgent => Purpose::Orchestration,
            _ => purpose,
        };
        let is_telling = paths::is_telling(path);
        Some(Self {
            dialect,
            purpose,
            call_type,
            provider,
            is_known: match owner {
                HostOwner::Provider(_) => !paths::is_any_model(host, path),
                HostOwner::Local(server) if server.id == "ollama" => {
                    is_telling || dialect == Dialect::Ollama || path.starts_with("/v1/")
                }
                HostOwner::Local(_) => is_telling,
                HostOwner::Unknown => false,
            },
            is_telling,
            streams: paths::streams(end),
            model,
            region: found
                .and_then(|provider| region(host, path, provider))
                .map(Text::from),
            residency: found.and_then(|provider| provider.residency_of(host)),
            host: Text::from(host),
            batch,
        })
    }
}

/// The region of a call: Vertex has it in the path, too.
fn region<'a>(host: &'a str, path: &'a str, provider: &Provider) -> Option<&'a str> {
    if provider.id == "vertex" {
        let mut segments = path.split('/');
        if segments.any(|segment| segment == "locations") {
            return segments.next();
        }
    }
    provider.region_of(host)
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
            "/v1/files",
            "/v1/moderations",
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
    fn batches_are_told_by_the_path() {
        for (method, path, dialect, id) in [
            ("POST", "/v1/messages/batches", Some(Dialect::Batch), None),
            ("POST", "/openai/batches", Some(Dialect::Batch), None),
            ("POST", "/v1/batch/jobs", Some(Dialect::Batch), None),
            (
                "POST",
                "/v1beta/models/g:batchGenerateContent",
                Some(Dialect::Batch),
                None,
            ),
            ("POST", "/v1/batches/b/cancel", None, None),
            ("GET", "/v1/batches/b", Some(Dialect::Batch), Some("b")),
            ("GET", "/v1/batches/b/results", Some(Dialect::Batch), Some("b")),
            (
                "GET",
                "/v1/messages/batches/b/results",
                Some(Dialect::BatchLines),
                Some("b"),
            ),
            ("GET", "/v1/batch/jobs/b", Some(Dialect::Batch), Some("b")),
            (
                "GET",
                "/openai/v1/files/f/content/",
                Some(Dialect::BatchLines),
                Some("f"),
            ),
            (
                "GET",
                "/download/v1beta/files/f:download",
                Some(Dialect::BatchLines),
                Some("f"),
            ),
            ("GET", "/v1/batches", None, None),
            ("GET", "/v1/files", None, None),
            ("GET", "/v1/files/f", None, None),
            ("GET", "/v1/vector_stores/v/files/f", None, None),
        ] {
            let route = Route::of(method, "api.openai.com", path);
            assert_eq!(
                route.as_ref().map(|route| route.dialect),
                dialect,
                "{method} {path}"
            );
            let route = route.as_ref();
            assert_eq!(
                route.and_then(|route| route.batch.as_deref()),
                id,
                "{method} {path}"
            );
            assert!(
                route.is_none_or(|route| route.purpose.is_batch()),
                "{method} {path}"
            );
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
            assert_eq!(route.is_known, !url.ends_with("/invocations"), "{url}");
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
            ("localhost:4566/2015-03-31/functions/f/invocations", false),
            ("forms.default.svc.cluster.local/surveys/7/responses", false),
            ("chat.internal/v1/messages", false),
            ("localhost:8000/v1/chat/completions", true),
        ] {
            assert_eq!(route(url).is_known, known, "{url}");
        }
    }

    #[test]
    fn what_customers_deploy_may_be_any_model() {
        for (url, known) in [
            (
                "runtime.sagemaker.us-east-1.amazonaws.com/endpoints/x/invocations",
                false,
            ),
            (
                "adb-1.2.azuredatabricks.net/serving-endpoints/x/invocations",
                false,
            ),
            (
                "adb-1.2.azuredatabricks.net/serving-endpoints/chat/completions",
                true,
            ),
            ("x.endpoints.huggingface.cloud/", false),
            (
                "us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/endpoints/123:predict",
                false,
            ),
            (
                "us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/publishers/google/models/m:predict",
                true,
            ),
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
    fn a_host_is_the_same_however_it_is_spelled() {
        for host in [
            "api.mistral.ai:443",
            "API.Mistral.ai",
            "api.mistral.ai.",
            "api.MISTRAL.ai.:443",
        ] {
            let found = route(&format!("{host}/v1/conversations"));
            assert_eq!(found.dialect, Dialect::MistralConversations, "{host}");
            assert_eq!(
                (found.provider, &*found.host),
                (Some("mistral"), "api.mistral.ai"),
                "{host}"
            );
        }
        let headers = [("mcp-protocol-version", "2025-11-25")];
        let tool = RequestFacts::to_url("POST", "https://Tools.example.:8443/mcp", &headers);
        assert_eq!(&*Route::of_request(&tool).unwrap().host, "tools.example");
        let chat = route("api.openai.com./v1/chat/completions");
        assert_eq!((chat.provider, chat.is_known), (Some("openai"), true));
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
