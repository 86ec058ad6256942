//! Provider readers: from one JSON value to counts and names.
//!
//! A reader knows one wire form and no framing. It is shown the skeleton of a JSON body, or of one
//! event of a stream after the other, and keeps what it needs; [`WireForm::finish`] turns that into
//! the normal form of [`Usage`]. To add a wire form: one file with a reader, one line in
//! `wire_forms!`, and the paths that lead to it in `route`.

mod aleph_alpha;
mod amazon_counts;
mod anthropic_complete;
mod anthropic_messages;
mod batch_results;
mod bedrock_agent;
mod bedrock_converse;
mod bedrock_families;
mod bedrock_invoke;
mod cohere;
mod count;
mod embeddings;
mod error_signs;
mod gemini_counts;
mod gemini_generate;
mod gemini_interactions;
mod gemini_words;
mod hosted_tools;
mod images;
mod mcp;
mod mistral_conversations;
mod ocr;
mod ollama;
mod openai_assistants;
mod openai_chat;
mod openai_counts;
mod openai_responses;
mod openai_usage;
mod path_models;
mod paths;
mod replicate;
mod rerank;
mod route;
mod scan;
mod speech;
mod stated;
mod text_generation;
mod transcription;
mod vertex_predict;
mod watsonx;
mod workers_ai;

#[cfg(test)]
mod tests;

use rust_decimal::Decimal;
use smallvec::SmallVec;

use super::Usage;
use super::framing::{Json, Keep};
use crate::event::{CallPart, ErrorType};
use crate::provider::UsageQuirks;
use crate::text::Text;
use crate::wire::Headers;

pub(crate) use batch_results::{BatchReading, BatchResult, ROWS as BATCH_ROWS};
pub(crate) use error_signs::{from_status, of_word as error_of_word};
pub(crate) use mcp::{RpcId, ToolReply};
pub(crate) use route::{Purpose, Route};

/// Which fields of a document a reader looks at.
pub(crate) type KeptFields = &'static [(&'static str, Keep)];

/// What every reader does.
pub(crate) trait WireForm {
    /// The fields of a body, or of an event, that the reader looks at.
    fn keep(&self) -> KeptFields;

    /// Reads a body that is no stream.
    fn read_body(&mut self, body: Json<'_>);

    /// Reads the first document of a body where it lies in memory as it came, if it is whole and the
    /// reader can do that in one pass. False where not, and then nothing was read.
    ///
    /// To be answered only by readers to which a body and a first event are the same.
    fn read_whole(&mut self, _document: &[u8]) -> bool {
        false
    }

    /// Reads the next event of a stream: its data, or the skeleton of it.
    fn event(&mut self, event: &[u8]) {
        self.read_body(Json::new(event));
    }

    /// Notes the stream's `[DONE]`.
    fn close(&mut self) {}

    /// Whether a body is JSON lines whatever it is announced as.
    fn is_lines(&self) -> bool {
        false
    }

    /// What is kept of a document that holds an array of events; `None` where there is no such array.
    fn rows(&self) -> Option<KeptFields> {
        None
    }

    /// Whether the events of a binary stream are objects that hold the real event in base64.
    fn wraps_events(&self) -> bool {
        false
    }

    /// What was read.
    fn finish(&mut self) -> Reading;
}

/// What is known of an exchange when its response begins.
pub(crate) struct Setup<'a> {
    pub(crate) route: &'a Route,
    pub(crate) quirks: UsageQuirks,
    /// Whether the request lets the model compact the conversation first, as far as is known.
    pub(crate) may_compact: &'a dyn Fn() -> bool,
    /// The header fields of the response.
    pub(crate) headers: &'a dyn Headers,
}

/// Declares the wire forms: for each its place in [`Dialect`] and its reader, which is made by
/// `new(&Setup)`. Readers live in an enum, not in boxes of a trait: one allocation holds them with the body.
macro_rules! wire_forms {
    ($($(#[$doc:meta])+ $form:ident = $module:ident::$reader:ident,)+) => {
        /// A wire form.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Dialect {
            $($(#[$doc])+ $form,)+
        }

        #[cfg(test)]
        impl Dialect {
            /// Every wire form that has a reader.
            pub(crate) const READ: &[Self] = &[$(Self::$form,)+];
        }

        /// The reader of one exchange.
        #[derive(Debug)]
        #[allow(
            clippy::large_enum_variant,
            reason = "it lives in the one allocation of a body"
        )]
        pub(crate) enum Reader {
            $($form($module::$reader),)+
        }

        impl Reader {
            /// The reader of a wire form.
            pub(crate) fn of(setup: &Setup<'_>) -> Self {
                match setup.route.dialect {
                    $(Dialect::$form => Self::$form($module::$reader::new(setup)),)+
                }
            }

            /// Its results, where it reads those of a batch.
            pub(crate) fn batch(&mut self) -> Option<&mut batch_results::BatchResults> {
                match self {
                    Self::Batch(reader) | Self::BatchLines(reader) => Some(reader),
                    _ => None,
                }
            }

            /// What it does.
            pub(crate) fn form(&mut self) -> &mut dyn WireForm {
                match self {
                    $(Self::$form(reader) => reader,)+
                }
            }
        }
    };
}

wire_forms! {
    /// OpenAI's chat completions and everything that speaks the same.
    OpenAiChat = openai_chat::OpenAiChat,
    /// Anthropic's messages.
    AnthropicMessages = anthropic_messages::AnthropicMessages,
    /// Gemini's content generation, and embeddings with the same usage.
    GeminiGenerate = gemini_generate::GeminiGenerate,
    /// Google's interactions.
    GeminiInteractions = gemini_interactions::GeminiInteractions,
    /// Vertex's predictions.
    VertexPredict = vertex_predict::VertexPredict,
    /// Amazon Bedrock's Converse.
    BedrockConverse = bedrock_converse::BedrockConverse,
    /// A model family's own form, told by the answer: InvokeModel, SageMaker, Vertex's rawPredict.
    BedrockInvoke = bedrock_invoke::BedrockInvoke,
    /// Amazon Bedrock's agents.
    BedrockAgent = bedrock_agent::BedrockAgent,
    /// Cohere's API.
    Cohere = cohere::Cohere,
    /// Ollama's own API.
    Ollama = ollama::Ollama,
    /// OpenAI's responses.
    OpenAiResponses = openai_responses::OpenAiResponses,
    /// Runs of OpenAI's assistants.
    OpenAiAssistants = openai_assistants::OpenAiAssistants,
    /// Embeddings in OpenAI's form.
    Embeddings = embeddings::Embeddings,
    /// Reranking, whoever bills it.
    Rerank = rerank::Rerank,
    /// Images in OpenAI's form.
    Images = images::Images,
    /// Speech to text.
    Transcription = transcription::Transcription,
    /// Text to speech.
    Speech = speech::Speech,
    /// Mistral's conversations with agents.
    MistralConversations = mistral_conversations::MistralConversations,
    /// Mistral's document reading.
    Ocr = ocr::Ocr,
    /// Anthropic's old completions.
    AnthropicComplete = anthropic_complete::AnthropicComplete,
    /// Aleph Alpha's completions.
    AlephAlpha = aleph_alpha::AlephAlpha,
    /// watsonx text generation.
    Watsonx = watsonx::Watsonx,
    /// Text generation inference.
    TextGeneration = text_generation::TextGeneration,
    /// Replicate's predictions.
    Replicate = replicate::Replicate,
    /// Tool calls of the Model Context Protocol.
    Mcp = mcp::Mcp,
    /// Cloudflare's Workers AI.
    WorkersAi = workers_ai::WorkersAi,
    /// A batch, as the reply that names it and polls show it; results may lie in it.
    Batch = batch_results::BatchResults,
    /// The results of a batch as JSON lines.
    BatchLines = batch_results::BatchResults,
}

/// What a reader has read.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// What was consumed, in the normal form.
    pub(crate) usage: Usage,
    /// Whether there was a usage object.
    pub(crate) has_usage: bool,
    /// Whether counts contradict each other or cannot be counts.
    pub(crate) is_suspect: bool,
    /// Whether the reply proves that a model spoke: by a count that the wire form knows, or by marks that
    /// only it has. Where nobody knows the host, nothing else does.
    pub(crate) understood: bool,
    /// Whether a body of one document was an item of a stream whose end is missing.
    pub(crate) is_item: bool,
    pub(crate) model: Option<Text>,
    pub(crate) id: Option<Text>,
    pub(crate) service_tier: Option<Text>,
    /// As what kind of traffic a call was served, where that is told in place of a tier.
    pub(crate) traffic: Option<Text>,
    pub(crate) finish: Option<Text>,
    pub(crate) geo: Option<Text>,
    pub(crate) speed: Option<Text>,
    pub(crate) search_context_size: Option<Text>,
    /// The size of images, as the provider spells it.
    pub(crate) size: Option<Text>,
    /// The quality of images, as the provider spells it.
    pub(crate) quality: Option<Text>,
    /// Whether a server on the own machine let another one answer.
    pub(crate) is_remote: bool,
    /// Whether the call was taken and had not run when it was answered.
    pub(crate) is_pending: bool,
    /// What the provider says it charges, in US dollars.
    pub(crate) cost: Option<Decimal>,
    /// What the provider says its own provider charges to the caller's key, on top.
    pub(crate) upstream_cost: Option<Decimal>,
    /// Whether the caller's own key at that provider was used.
    pub(crate) is_byok: bool,
    /// Whether something stood where a cost is stated that is no amount.
    pub(crate) cost_is_invalid: bool,
    /// Whether the counts are the last ones, although no mark said that the stream is over.
    pub(crate) has_final_counts: bool,
    pub(crate) parts: Vec<CallPart>,
    /// Memory of those containers, as the provider spells it.
    pub(crate) container_memory: Option<Text>,
    /// The containers in which the provider ran code: each is billed once, however many calls use it.
    pub(crate) containers: SmallVec<[Text; 1]>,
    /// How calls of tools went, each by the id of its message.
    pub(crate) replies: Vec<ToolReply>,
    pub(crate) error: Option<ErrorType>,
    pub(crate) terminal: Terminal,
    /// What was read of a batch, each request of which is a call.
    pub(crate) batch: Option<Box<BatchReading>>,
}

/// How far a stream had come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Terminal {
    /// The model was still answering.
    #[default]
    Open,
    /// The answer is complete; usage may be missing.
    Finished,
    /// The answer is complete and its usage was reported.
    Counted,
    /// The provider said that nothing more will come.
    Closed,
}
