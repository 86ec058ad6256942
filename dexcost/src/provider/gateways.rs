//! Gateways in front of other providers.

use super::record::{Kind, Port, Provider, Reasoning, UsageQuirks};

pub(super) const PROVIDERS: &[Provider] = &[
    Provider {
        hosts: &["openrouter.ai"],
        paths: &["openrouter"],
        kind: Kind::OpenRouter,
        usage: UsageQuirks::STATES_PRICE,
        ..Provider::named("openrouter")
    },
    Provider {
        aliases: &["vercel", "ai_gateway"],
        hosts: &["ai-gateway.vercel.sh"],
        kind: Kind::Vercel,
        usage: UsageQuirks {
            // It passes Gemini's candidates through as the completion; the thoughts stand beside.
            reasoning: Reasoning::BesideFor("google/"),
            ..UsageQuirks::STATES_PRICE
        },
        ..Provider::named("vercel-gateway").listed_as("vercel_ai_gateway")
    },
    Provider {
        hosts: &["gateway.ai.cloudflare.com"],
        kind: Kind::Proxy,
        names_who_is_behind: true,
        ..Provider::named("cloudflare-gateway")
    },
    Provider {
        hosts: &["api.portkey.ai"],
        kind: Kind::Proxy,
        names_who_is_behind: true,
        ..Provider::named("portkey")
    },
    Provider {
        hosts: &["gateway.pydantic.dev"],
        kind: Kind::Proxy,
        port: Some(Port {
            number: "8787",
            is_shared: false,
        }),
        names_who_is_behind: true,
        ..Provider::named("pydantic-gateway")
    },
    Provider {
        aliases: &["litellm"],
        kind: Kind::Proxy,
        port: Some(Port {
            number: "4000",
            is_shared: false,
        }),
        instrument: Some("litellm"),
        ..Provider::named("litellm-proxy").listed_as("litellm_proxy")
    },
    Provider::listed("proxy", "proxy", Kind::Proxy),
    Provider::listed("custom_openai", "custom_openai", Kind::Proxy),
    Provider::at("kilo", &["api.kilo.ai"]),
];
