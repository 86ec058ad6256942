//! Google's own API and Vertex.

use super::record::{Kind, Provider, Region, UsageQuirks};

/// Google's OpenAI layer: thoughts are generated and billed, and only the total counts them.
const USAGE: UsageQuirks = UsageQuirks {
    total_has_more: true,
    ..UsageQuirks::NONE
};

pub(super) const PROVIDERS: &[Provider] = &[
    Provider {
        aliases: &[
            "google",
            "gcp_gemini",
            "google_genai",
            "google_ai_studio",
            "generativelanguage",
        ],
        hosts: &["generativelanguage.googleapis.com", "cloudcode-pa.googleapis.com"],
        paths: &["gemini", "google-ai-studio"],
        kind: Kind::Gemini,
        usage: USAGE,
        ..Provider::named("gemini")
    },
    Provider {
        aliases: &[
            "vertexai",
            "vertex_ai_beta",
            "google_vertex",
            "google_vertex_ai",
            "gcp_vertex_ai",
        ],
        hosts: &["aiplatform.googleapis.com", "firebasevertexai.googleapis.com"],
        patterns: &[
            ("", "-aiplatform.googleapis.com"),
            ("aiplatform.", ".rep.googleapis.com"),
        ],
        paths: &["vertex", "vertex_ai", "google-vertex", "google-vertex-ai"],
        kind: Kind::VertexAi,
        region: Region::Vertex,
        usage: USAGE,
        ..Provider::named("vertex").listed_as("vertex_ai")
    },
];
