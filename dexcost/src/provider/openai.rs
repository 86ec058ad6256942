//! OpenAI.

use super::record::{ContainerPrice, Kind, Provider};
use crate::dec;

pub(super) const PROVIDERS: &[Provider] = &[
    Provider {
        hosts: &["api.openai.com", EU, US],
        paths: &["openai"],
        kind: Kind::OpenAi,
        residency: &[(EU, "eu"), (US, "us")],
        containers: CONTAINERS,
        ..Provider::named("openai")
    },
    Provider::listed("text-completion-openai", "openai", Kind::OpenAi),
    // A subscription, not the API.
    Provider::at("chatgpt", &["chatgpt.com"]),
];

/// Sessions of the code interpreter (<https://platform.openai.com/docs/pricing>).
const CONTAINERS: &[ContainerPrice] = &[
    ContainerPrice {
        memory: "1g",
        usd: dec!(0.03),
        as_of: "2026-08-31",
    },
    ContainerPrice {
        memory: "4g",
        usd: dec!(0.12),
        as_of: "2026-08-31",
    },
    ContainerPrice {
        memory: "16g",
        usd: dec!(0.48),
        as_of: "2026-08-31",
    },
    ContainerPrice {
        memory: "64g",
        usd: dec!(1.92),
        as_of: "2026-08-31",
    },
];

const EU: &str = "eu.api.openai.com";
const US: &str = "us.api.openai.com";
