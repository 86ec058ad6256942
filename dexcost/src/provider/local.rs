//! Servers on the user's own machines, which bill nothing, and Ollama's cloud, which does.

use super::record::{Kind, Port, Provider};

pub(super) const PROVIDERS: &[Provider] = &[
    Provider {
        port: Some(Port {
            number: "11434",
            is_shared: false,
        }),
        kind: Kind::Local,
        ..Provider::named("ollama")
    },
    // Billed by the token (<https://ollama.com/cloud>, read 2026-11).
    Provider {
        hosts: &["ollama.com", "api.ollama.com", "www.ollama.com"],
        ..Provider::named(OLLAMA_CLOUD)
    },
    Provider::listed("ollama_chat", "ollama", Kind::Local),
    Provider {
        port: Some(Port {
            number: "8080",
            is_shared: true,
        }),
        kind: Kind::Local,
        ..Provider::named("llamacpp")
    },
    Provider {
        instrument: Some("openai-compatible"),
        ..Provider::named(ANY_LOCAL)
    },
    Provider {
        aliases: &["lmstudio"],
        ..Provider::listed("lm_studio", "lm_studio", Kind::Local)
    },
    Provider::listed("lemonade", "lemonade", Kind::Local),
    Provider::listed("llamafile", "llamafile", Kind::Local),
    Provider::listed("docker_model_runner", "docker_model_runner", Kind::Local),
    // Servers of tools, which run no model.
    Provider::named("mcp"),
];

/// Ollama's cloud, which is not the own machine.
pub(crate) const OLLAMA_CLOUD: &str = "ollama-cloud";

/// Whether a model's name says that Ollama runs it in its cloud (`gpt-oss:120b-cloud`, `kimi-k2:cloud`;
/// <https://docs.ollama.com/cloud>, read 2026-11).
pub(crate) fn is_ollama_cloud(model: &str) -> bool {
    model.ends_with(":cloud") || model.ends_with("-cloud")
}

/// A server on this machine or network that no port names.
pub(crate) const ANY_LOCAL: &str = "openai-compatible-local";
