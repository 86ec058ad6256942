//! Providers: their names here and on the wire, the families that share prices, their quirks.

use crate::pricing::bill::Quirks;

/// Who serves and bills a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Provider<'a> {
    /// The name under which tables list it.
    pub(crate) name: &'a str,
    /// What is peculiar to the family.
    pub(crate) kind: Kind,
}

/// The families that need a rule of their own, told apart once.
///
/// A word wide, so that a [`Provider`] has no padding: processors stall on reading back as one piece
/// what was just written in several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Kind {
    Anthropic,
    Azure,
    AzureAi,
    Bedrock,
    DashScope,
    Databricks,
    Fireworks,
    Gemini,
    /// Servers on the user's own machines, which bill nothing.
    Local,
    OpenAi,
    OpenRouter,
    /// Gateways that pass any provider through under its own prices.
    Proxy,
    Replicate,
    Together,
    VertexAi,
    Xai,
    Other,
}

impl<'a> Provider<'a> {
    /// Nobody in particular.
    pub(crate) const NOBODY: Self = Self {
        name: "",
        kind: Kind::Other,
    };

    /// The provider of a name as callers, tables and wires spell it.
    #[inline]
    pub(crate) fn of(spelled: &'a str) -> Self {
        let name = table_name(spelled);
        Self {
            name,
            kind: kind(family(name)),
        }
    }

    /// The provider that a family is named after.
    #[inline]
    pub(crate) fn of_family(family: &'a str) -> Self {
        Self {
            name: family,
            kind: kind(family),
        }
    }

    /// The family whose entries hold for it.
    #[inline]
    pub(crate) fn family(&self) -> &'a str {
        family(self.name)
    }

    /// Whether an entry of the table holds for calls to this provider.
    pub(crate) fn takes(self, entry_provider: &str, entry_family: &str) -> bool {
        entry_family == self.family() || self.borrows(entry_provider)
    }

    /// Whether the entry belongs to somebody else whose prices stand in.
    #[inline]
    pub(crate) fn borrows(self, entry_provider: &str) -> bool {
        self.kind == Kind::AzureAi && (entry_provider == "azure" || entry_provider == "openai")
    }

    /// Whether grounding follows Google's terms.
    pub(crate) const fn is_google(self) -> bool {
        matches!(self.kind, Kind::Gemini | Kind::VertexAi)
    }

    /// Where its bill differs from the common rules.
    pub(crate) fn quirks(self) -> Quirks {
        match self.kind {
            Kind::Xai => Quirks {
                inclusive_thresholds: true,
                flat_output: true,
                no_tiers: true,
                ..Quirks::default()
            },
            Kind::DashScope => Quirks {
                no_tiers: true,
                flat_input: true,
                ..Quirks::default()
            },
            Kind::Fireworks => Quirks {
                half_price_reads: true,
                ..Quirks::default()
            },
            _ => Quirks::default(),
        }
    }
}

// A `match` over strings compares one after the other. These run for every call, so they branch on the
// length first, which leaves a handful of candidates.

fn kind(family: &str) -> Kind {
    match (family.len(), family) {
        (3, "xai") => Kind::Xai,
        (5, "azure") => Kind::Azure,
        (5, "proxy") => Kind::Proxy,
        (6, "openai") => Kind::OpenAi,
        (6, "gemini") => Kind::Gemini,
        (6, "ollama") => Kind::Local,
        (7, "bedrock") => Kind::Bedrock,
        (8, "azure_ai") => Kind::AzureAi,
        (8, "lemonade" | "llamacpp") => Kind::Local,
        (9, "anthropic") => Kind::Anthropic,
        (9, "vertex_ai") => Kind::VertexAi,
        (9, "dashscope") => Kind::DashScope,
        (9, "replicate") => Kind::Replicate,
        (9, "lm_studio" | "llamafile") => Kind::Local,
        (10, "databricks") => Kind::Databricks,
        (10, "openrouter") => Kind::OpenRouter,
        (11, "together_ai") => Kind::Together,
        (12, "fireworks_ai") => Kind::Fireworks,
        (13, "litellm_proxy" | "custom_openai") => Kind::Proxy,
        (19, "docker_model_runner") => Kind::Local,
        _ => Kind::Other,
    }
}

/// The spelling of the tables for a name from the wire, from another SDK or from a user.
fn table_name(spelled: &str) -> &str {
    match spelled.len() {
        4 => match spelled {
            "x-ai" | "x_ai" | "x.ai" => "xai",
            "z-ai" | "z.ai" | "z_ai" => "zai",
            other => other,
        },
        5 => {
            if spelled == "zhipu" {
                "zai"
            } else {
                spelled
            }
        }
        6 => match spelled {
            "vertex" => "vertex_ai",
            "google" => "gemini",
            "aliyun" => "dashscope",
            "vercel" => "vercel_ai_gateway",
            other => other,
        },
        7 => {
            if spelled == "alibaba" {
                "dashscope"
            } else {
                spelled
            }
        }
        8 => match spelled {
            "together" => "together_ai",
            "vertexai" => "vertex_ai",
            "voyageai" => "voyage",
            "lmstudio" => "lm_studio",
            other => other,
        },
        9 => match spelled {
            "lm-studio" => "lm_studio",
            "mistralai" => "mistral",
            "voyage_ai" => "voyage",
            "cohere_ai" => "cohere",
            "fireworks" => "fireworks_ai",
            other => other,
        },
        10 => match spelled {
            "togetherai" => "together_ai",
            "gcp.gemini" => "gemini",
            "mistral_ai" => "mistral",
            "moonshotai" => "moonshot",
            "ai-gateway" => "vercel_ai_gateway",
            "workers_ai" | "workers-ai" => "cloudflare",
            other => other,
        },
        11 => match spelled {
            "together.ai" => "together_ai",
            "aws_bedrock" | "aws.bedrock" => "bedrock",
            "moonshot_ai" => "moonshot",
            other => other,
        },
        12 => match spelled {
            "google_genai" => "gemini",
            "azure_openai" | "azure-openai" | "az.ai.openai" => "azure",
            "fireworks.ai" => "fireworks_ai",
            other => other,
        },
        13 => match spelled {
            "google_vertex" | "google-vertex" | "gcp.vertex_ai" => "vertex_ai",
            "azure_foundry" => "azure_ai",
            "perplexity_ai" => "perplexity",
            other => other,
        },
        _ => match spelled {
            "vertex_ai_beta" => "vertex_ai",
            "google_ai_studio" | "google-ai-studio" | "generativelanguage" => "gemini",
            "azure_ai_foundry" | "az.ai.inference" => "azure_ai",
            "amazon_bedrock" | "amazon-bedrock" => "bedrock",
            "vercel-ai-gateway" => "vercel_ai_gateway",
            "github-copilot" => "github_copilot",
            "cloudflare_workers_ai" => "cloudflare",
            other => other,
        },
    }
}

/// The family of a provider as tables name it: entries of one family hold for all of it.
#[inline]
pub(crate) fn family(name: &str) -> &str {
    if name.len() < 9 {
        name
    } else {
        family_of_long(name)
    }
}

fn family_of_long(name: &str) -> &str {
    match name {
        "bedrock_converse" | "bedrock_mantle" | "bedrock-agent" => "bedrock",
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
