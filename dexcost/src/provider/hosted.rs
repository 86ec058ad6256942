//! Providers that are no more than names and hosts, in the order of their names.

use super::record::{BillingQuirks, Kind, Provider, Region, UsageQuirks};

pub(super) const PROVIDERS: &[Provider] = &[
    Provider::at("ai21", &["api.ai21.com"]),
    Provider::at("aleph-alpha", &["api.aleph-alpha.com"]).listed_as("aleph_alpha"),
    Provider::at("assemblyai", &["api.assemblyai.com"]),
    Provider {
        usage: UsageQuirks::STATES_PRICE,
        ..Provider::at("avian", &["api.avian.io"])
    },
    Provider::at("baidu", &["qianfan.baidubce.com"]),
    Provider {
        patterns: &[("", ".api.baseten.co")],
        ..Provider::at("baseten", &["inference.baseten.co"])
    },
    Provider {
        paths: &["cerebras"],
        ..Provider::at("cerebras", &["api.cerebras.ai"])
    },
    Provider::at("chutes", &["llm.chutes.ai"]),
    Provider {
        aliases: &["workers_ai", "cloudflare_workers_ai"],
        ..Provider::at("cloudflare", &["api.cloudflare.com"])
    },
    Provider::at("codestral", &["codestral.mistral.ai"]),
    Provider::listed("text-completion-codestral", "codestral", Kind::Other),
    Provider {
        aliases: &["cohere_ai"],
        patterns: &[("", ".cohere.ai")],
        paths: &["cohere"],
        ..Provider::at("cohere", &["api.cohere.com", "api.cohere.ai"])
    },
    Provider::listed("cohere_chat", "cohere", Kind::Other),
    Provider {
        aliases: &["github_copilot"],
        patterns: &[("", ".githubcopilot.com")],
        ..Provider::at("copilot", &["api.githubcopilot.com"]).listed_as("github_copilot")
    },
    Provider::at("crusoe", &["api.inference.crusoecloud.com"]),
    Provider {
        patterns: &[
            ("", ".azuredatabricks.net"),
            ("", ".cloud.databricks.com"),
            ("", ".gcp.databricks.com"),
        ],
        kind: Kind::Databricks,
        ..Provider::named("databricks")
    },
    Provider::at("deepgram", &["api.deepgram.com"]),
    Provider {
        patterns: &[("", ".deepinfra.com")],
        ..Provider::at("deepinfra", &["api.deepinfra.com"])
    },
    Provider {
        paths: &["deepseek"],
        ..Provider::at("deepseek", &["api.deepseek.com"])
    },
    Provider::at("doubleword", &["api.doubleword.ai"]),
    Provider::at("elevenlabs", &["api.elevenlabs.io"]),
    Provider {
        patterns: &[("", ".fal.run")],
        ..Provider::at("fal_ai", &["fal.run"])
    },
    Provider {
        aliases: &["fireworks_ai"],
        paths: &["fireworks"],
        kind: Kind::Fireworks,
        billing: BillingQuirks {
            half_price_reads: true,
            ..BillingQuirks::NONE
        },
        ..Provider::at("fireworks", &["api.fireworks.ai"]).listed_as("fireworks_ai")
    },
    Provider::at(
        "github-models",
        &["models.github.ai", "models.inference.ai.azure.com"],
    ),
    Provider {
        patterns: &[("", ".inference.heroku.com")],
        ..Provider::at("heroku", &["us.inference.heroku.com"])
    },
    Provider {
        patterns: &[("", ".endpoints.huggingface.cloud")],
        paths: &["huggingface"],
        ..Provider::at(
            "huggingface",
            &["router.huggingface.co", "api-inference.huggingface.co"],
        )
    },
    Provider::at("hyperbolic", &["api.hyperbolic.xyz"]),
    Provider::at("inception", &["api.inceptionlabs.ai"]),
    Provider::listed("text-completion-inception", "inception", Kind::Other),
    Provider::at("inference-net", &["api.inference.net"]),
    Provider {
        aliases: &["jina"],
        ..Provider::at("jina_ai", &["api.jina.ai"])
    },
    Provider::at("lambda-ai", &["api.lambda.ai", "api.lambdalabs.com"]).listed_as("lambda_ai"),
    Provider::at("minimax", &["api.minimax.io", "api.minimax.chat"]),
    Provider {
        aliases: &["mistralai", "mistral_ai"],
        paths: &["mistral"],
        ..Provider::at("mistral", &["api.mistral.ai"])
    },
    Provider {
        aliases: &["moonshotai", "moonshot_ai"],
        ..Provider::at("moonshot", &["api.moonshot.ai", "api.moonshot.cn"])
    },
    Provider::at(
        "nebius",
        &[
            "api.studio.nebius.ai",
            "api.studio.nebius.com",
            "api.tokenfactory.nebius.com",
        ],
    ),
    Provider::at("novita", &["api.novita.ai"]),
    Provider {
        aliases: &["nvidia_nim"],
        ..Provider::at("nvidia", &["integrate.api.nvidia.com"]).listed_as("nvidia_nim")
    },
    Provider {
        aliases: &["perplexity_ai"],
        patterns: &[("", ".api.perplexity.ai")],
        paths: &["perplexity", "perplexity-ai"],
        usage: UsageQuirks::STATES_PRICE,
        ..Provider::at("perplexity", &["api.perplexity.ai"])
    },
    Provider {
        kind: Kind::Replicate,
        ..Provider::at("replicate", &["api.replicate.com"])
    },
    Provider::at("runwayml", &["api.runwayml.com", "api.dev.runwayml.com"]),
    Provider::at("sambanova", &["api.sambanova.ai"]),
    Provider::at("siliconflow", &["api.siliconflow.com", "api.siliconflow.cn"]),
    Provider {
        patterns: &[("", ".snowflakecomputing.com")],
        ..Provider::named("snowflake")
    },
    Provider {
        aliases: &["togetherai", "together_ai"],
        paths: &["together"],
        kind: Kind::Together,
        ..Provider::at("together", &["api.together.xyz", "api.together.ai"]).listed_as("together_ai")
    },
    Provider::at("v0", &["api.v0.dev"]),
    Provider::at("venice", &["api.venice.ai"]),
    Provider {
        aliases: &["voyageai", "voyage_ai"],
        ..Provider::at("voyage", &["api.voyageai.com"])
    },
    Provider {
        patterns: &[("", ".ml.cloud.ibm.com")],
        region: Region::FirstLabel,
        ..Provider::named("watsonx")
    },
    Provider::at("writer", &["api.writer.com"]),
    Provider {
        aliases: &["zhipu", "z_ai"],
        ..Provider::at("zai", &["api.z.ai", "open.bigmodel.cn"])
    },
];
