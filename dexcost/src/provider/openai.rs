//! OpenAI.

use super::record::{Kind, Provider};

pub(super) const PROVIDERS: &[Provider] = &[
    Provider {
        hosts: &["api.openai.com", EU, US],
        paths: &["openai"],
        kind: Kind::OpenAi,
        residency: &[(EU, "eu"), (US, "us")],
        ..Provider::named("openai")
    },
    Provider::listed("text-completion-openai", "openai", Kind::OpenAi),
    // A subscription, not the API.
    Provider::at("chatgpt", &["chatgpt.com"]),
];

const EU: &str = "eu.api.openai.com";
const US: &str = "us.api.openai.com";
