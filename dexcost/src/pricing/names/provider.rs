//! Providers: their names here and on the wire, the families that share prices, their quirks.

use crate::pricing::bill::Quirks;

/// Who serves and bills a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Provider<'a> {
    /// The name under which tables list it.
    pub(crate) name: &'a str,
    /// The family whose entries hold for it.
    pub(crate) family: &'a str,
}

impl<'a> Provider<'a> {
    /// The provider of a name as callers, tables and wires spell it.
    pub(crate) fn of(spelled: &'a str) -> Self {
        let name = table_name(spelled);
        Self {
            name,
            family: family(name),
        }
    }

    /// Whether an entry of the table holds for calls to this provider.
    pub(crate) fn takes(self, entry_provider: &str) -> bool {
        entry_provider == self.name || family(entry_provider) == self.family || self.borrows(entry_provider)
    }

    /// Whether the entry belongs to somebody else whose prices stand in.
    pub(crate) fn borrows(self, entry_provider: &str) -> bool {
        self.family == "azure_ai" && matches!(entry_provider, "azure" | "openai")
    }

    /// Whether grounding follows Google's terms.
    pub(crate) fn is_google(self) -> bool {
        self.family == "gemini" || self.family == "vertex_ai"
    }

    /// Servers on the user's own machines, which bill nothing.
    pub(crate) fn is_local(self) -> bool {
        matches!(
            self.name,
            "ollama" | "ollama_chat" | "lm_studio" | "lemonade" | "llamafile" | "docker_model_runner"
        )
    }

    /// Gateways that pass any provider through under its own prices.
    pub(crate) fn is_proxy(self) -> bool {
        matches!(self.name, "litellm_proxy" | "proxy" | "custom_openai")
    }

    /// Where its bill differs from the common rules.
    pub(crate) fn quirks(self) -> Quirks {
        match self.family {
            "xai" => Quirks {
                inclusive_thresholds: true,
                flat_output: true,
                no_tiers: true,
                ..Quirks::default()
            },
            "dashscope" => Quirks {
                no_tiers: true,
                flat_input: true,
                ..Quirks::default()
            },
            "fireworks_ai" => Quirks {
                half_price_reads: true,
                ..Quirks::default()
            },
            _ => Quirks::default(),
        }
    }
}

/// The spelling of the tables for a name from the wire, from another SDK or from a user.
fn table_name(spelled: &str) -> &str {
    match spelled {
        "together" | "togetherai" | "together.ai" => "together_ai",
        "vertex" | "vertexai" | "vertex_ai_beta" | "google_vertex" | "google-vertex" | "gcp.vertex_ai" => {
            "vertex_ai"
        }
        "google" | "google_ai_studio" | "google-ai-studio" | "google_genai" | "gcp.gemini"
        | "generativelanguage" => "gemini",
        "azure_openai" | "azure-openai" | "az.ai.openai" => "azure",
        "azure_ai_foundry" | "azure_foundry" | "az.ai.inference" => "azure_ai",
        "aws_bedrock" | "aws.bedrock" | "amazon_bedrock" | "amazon-bedrock" => "bedrock",
        "fireworks" | "fireworks.ai" => "fireworks_ai",
        "x-ai" | "x_ai" | "x.ai" => "xai",
        "mistralai" | "mistral_ai" => "mistral",
        "moonshotai" | "moonshot_ai" => "moonshot",
        "voyageai" | "voyage_ai" => "voyage",
        "z-ai" | "z.ai" | "z_ai" | "zhipu" => "zai",
        "vercel" | "vercel-ai-gateway" | "ai-gateway" => "vercel_ai_gateway",
        "github-copilot" => "github_copilot",
        "workers_ai" | "workers-ai" | "cloudflare_workers_ai" => "cloudflare",
        "alibaba" | "aliyun" => "dashscope",
        "lmstudio" | "lm-studio" => "lm_studio",
        "perplexity_ai" => "perplexity",
        "cohere_ai" => "cohere",
        other => other,
    }
}

/// The family of a provider as tables name it: entries of one family hold for all of it.
pub(crate) fn family(name: &str) -> &str {
    match name {
        "bedrock_converse" | "bedrock_mantle" => "bedrock",
        "cohere_chat" => "cohere",
        "azure_text" => "azure",
        "text-completion-openai" => "openai",
        "text-completion-codestral" => "codestral",
        "text-completion-inception" => "inception",
        "qwencloud" | "qwen_ai_platform" => "dashscope",
        "sagemaker_chat" => "sagemaker",
        "ollama_chat" => "ollama",
        _ if name.starts_with("vertex_ai-") => "vertex_ai",
        _ if name.starts_with("fireworks_ai-") => "fireworks_ai",
        _ => name,
    }
}

/// The provider that a host belongs to, where the host alone tells.
pub(crate) fn of_host(host: &str) -> Option<&'static str> {
    let host = host.split(':').next().unwrap_or(host);
    let is = |suffix: &str| {
        host.len() >= suffix.len()
            && host.as_bytes()[host.len() - suffix.len()..].eq_ignore_ascii_case(suffix.as_bytes())
            && (host.len() == suffix.len()
                || matches!(host.as_bytes()[host.len() - suffix.len() - 1], b'.' | b'-'))
    };
    const HOSTS: &[(&str, &str)] = &[
        ("api.openai.com", "openai"),
        ("openai.azure.com", "azure"),
        ("cognitiveservices.azure.com", "azure"),
        ("services.ai.azure.com", "azure_ai"),
        ("models.ai.azure.com", "azure_ai"),
        ("api.anthropic.com", "anthropic"),
        ("generativelanguage.googleapis.com", "gemini"),
        ("aiplatform.googleapis.com", "vertex_ai"),
        ("api.x.ai", "xai"),
        ("api.mistral.ai", "mistral"),
        ("codestral.mistral.ai", "codestral"),
        ("api.groq.com", "groq"),
        ("api.deepseek.com", "deepseek"),
        ("api.together.xyz", "together_ai"),
        ("api.together.ai", "together_ai"),
        ("api.fireworks.ai", "fireworks_ai"),
        ("api.deepinfra.com", "deepinfra"),
        ("api.perplexity.ai", "perplexity"),
        ("api.cohere.com", "cohere"),
        ("api.cohere.ai", "cohere"),
        ("api.cerebras.ai", "cerebras"),
        ("api.sambanova.ai", "sambanova"),
        ("api.moonshot.ai", "moonshot"),
        ("api.moonshot.cn", "moonshot"),
        ("api.minimax.io", "minimax"),
        ("api.z.ai", "zai"),
        ("api.voyageai.com", "voyage"),
        ("api.replicate.com", "replicate"),
        ("api.jina.ai", "jina_ai"),
        ("api.studio.nebius.com", "nebius"),
        ("api.novita.ai", "novita"),
        ("api.hyperbolic.xyz", "hyperbolic"),
        ("api.ai21.com", "ai21"),
        ("openrouter.ai", "openrouter"),
        ("ai-gateway.vercel.sh", "vercel_ai_gateway"),
        ("api.elevenlabs.io", "elevenlabs"),
        ("api.deepgram.com", "deepgram"),
        ("api.assemblyai.com", "assemblyai"),
        ("api.v0.dev", "v0"),
        ("api.runwayml.com", "runwayml"),
        ("dashscope.aliyuncs.com", "dashscope"),
        ("dashscope-intl.aliyuncs.com", "dashscope"),
        ("cloud.databricks.com", "databricks"),
        ("azuredatabricks.net", "databricks"),
        ("inference.baseten.co", "baseten"),
        ("fal.run", "fal_ai"),
    ];
    if host.starts_with("bedrock-runtime") && is("amazonaws.com") {
        return Some("bedrock");
    }
    HOSTS
        .iter()
        .find(|(suffix, _)| is(suffix))
        .map(|(_, provider)| *provider)
}

/// The region in a host's name: Bedrock's, or Vertex's location.
pub(crate) fn region_of_host(host: &str) -> Option<&str> {
    if let Some(rest) = host
        .strip_prefix("bedrock-runtime.")
        .or_else(|| host.strip_prefix("bedrock-runtime-fips."))
    {
        return rest.split('.').next().filter(|region| !region.is_empty());
    }
    match host.strip_suffix("aiplatform.googleapis.com") {
        Some("") => Some("global"),
        Some(rest) => rest.strip_suffix('-').filter(|region| !region.is_empty()),
        None => None,
    }
}
