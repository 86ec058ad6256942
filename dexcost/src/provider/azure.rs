//! Microsoft's clouds: Azure OpenAI, and Foundry, which sells models of other makers.
//!
//! Both answer at the same resources, so the path tells them apart where the host does not
//! (<https://learn.microsoft.com/azure/ai-foundry/foundry-models/concepts/endpoints>, read 2026-11).

use super::record::{Kind, Provider};

pub(super) const PROVIDERS: &[Provider] = &[
    Provider {
        aliases: &["azure_openai", "az_ai_openai"],
        patterns: &[
            ("", ".openai.azure.com"),
            ("", ".openai.azure.us"),
            ("", ".cognitiveservices.azure.com"),
        ],
        paths: &["azure", "azure-openai"],
        kind: Kind::Azure,
        ..Provider::named(OPENAI)
    },
    Provider {
        aliases: &["azure_foundry", "azure_ai_foundry", "az_ai_inference"],
        patterns: &[
            ("", ".services.ai.azure.com"),
            ("", ".models.ai.azure.com"),
            ("", ".inference.ml.azure.com"),
        ],
        kind: Kind::AzureAi,
        ..Provider::named(FOUNDRY)
    },
    Provider::listed("azure_text", OPENAI, Kind::Azure),
];

const OPENAI: &str = "azure";
const FOUNDRY: &str = "azure_ai";

/// Who of the two answers at a path, where the path tells.
pub(super) fn by_path(provider: &Provider, path: &str) -> Option<&'static str> {
    let starts = |start: &str| path.trim_start_matches('/').starts_with(start);
    match provider.kind {
        Kind::Azure if starts("anthropic/") || starts("models/") => Some(FOUNDRY),
        Kind::AzureAi if starts("openai/deployments/") => Some(OPENAI),
        _ => None,
    }
}
