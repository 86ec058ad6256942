//! Who answers at a host.

use std::net::IpAddr;

use crate::wire::Peer;

/// Hosts that are one provider's, sorted by length and then by name: a search compares names of one length only.
#[rustfmt::skip]
pub(super) const HOSTS: &[(&str, &str)] = &[
    ("api.x.ai", "xai"),
    ("api.z.ai", "zai"),
    ("ollama.com", "ollama"),
    ("api.kilo.ai", "kilo"),
    ("chatgpt.com", "chatgpt"),
    ("api.ai21.com", "ai21"),
    ("api.avian.io", "avian"),
    ("api.groq.com", "groq"),
    ("api.cohere.ai", "cohere"),
    ("api.lambda.ai", "lambda-ai"),
    ("api.novita.ai", "novita"),
    ("api.venice.ai", "venice"),
    ("llm.chutes.ai", "chutes"),
    ("openrouter.ai", "openrouter"),
    ("api.cohere.com", "cohere"),
    ("api.minimax.io", "minimax"),
    ("api.mistral.ai", "mistral"),
    ("api.openai.com", "openai"),
    ("api.portkey.ai", "portkey"),
    ("api.writer.com", "writer"),
    ("api.cerebras.ai", "cerebras"),
    ("api.moonshot.ai", "moonshot"),
    ("api.moonshot.cn", "moonshot"),
    ("api.together.ai", "together"),
    ("api.deepgram.com", "deepgram"),
    ("api.deepseek.com", "deepseek"),
    ("api.fireworks.ai", "fireworks"),
    ("api.minimax.chat", "minimax"),
    ("api.sambanova.ai", "sambanova"),
    ("api.together.xyz", "together"),
    ("api.voyageai.com", "voyage"),
    ("models.github.ai", "github-models"),
    ("open.bigmodel.cn", "zai"),
    ("api.anthropic.com", "anthropic"),
    ("api.deepinfra.com", "deepinfra"),
    ("api.doubleword.ai", "doubleword"),
    ("api.inference.net", "inference-net"),
    ("api.perplexity.ai", "perplexity"),
    ("api.replicate.com", "replicate"),
    ("eu.api.openai.com", "openai"),
    ("us.api.openai.com", "openai"),
    ("api.cloudflare.com", "cloudflare"),
    ("api.hyperbolic.xyz", "hyperbolic"),
    ("api.siliconflow.cn", "siliconflow"),
    ("api.aleph-alpha.com", "aleph-alpha"),
    ("api.siliconflow.com", "siliconflow"),
    ("ai-gateway.vercel.sh", "vercel-gateway"),
    ("api.studio.nebius.ai", "nebius"),
    ("codestral.mistral.ai", "mistral"),
    ("gateway.pydantic.dev", "pydantic-gateway"),
    ("inference.baseten.co", "baseten"),
    ("qianfan.baidubce.com", "baidu"),
    ("api.githubcopilot.com", "copilot"),
    ("api.studio.nebius.com", "nebius"),
    ("router.huggingface.co", "huggingface"),
    ("dashscope.aliyuncs.com", "alibaba"),
    ("integrate.api.nvidia.com", "nvidia"),
    ("aiplatform.googleapis.com", "vertex"),
    ("dashscope-us.aliyuncs.com", "alibaba"),
    ("gateway.ai.cloudflare.com", "cloudflare-gateway"),
    ("api.tokenfactory.nebius.com", "nebius"),
    ("cloudcode-pa.googleapis.com", "gemini"),
    ("dashscope-intl.aliyuncs.com", "alibaba"),
    ("api-inference.huggingface.co", "huggingface"),
    ("api.inference.crusoecloud.com", "crusoe"),
    ("models.inference.ai.azure.com", "github-models"),
    ("firebasevertexai.googleapis.com", "vertex"),
    ("generativelanguage.googleapis.com", "gemini"),
];

/// Hosts with a part that varies: what they start with and end with.
#[rustfmt::skip]
pub(super) const PATTERNS: &[(&str, &str, &str)] = &[
    ("", ".openai.azure.com", "azure"),
    ("", ".openai.azure.us", "azure"),
    ("", ".cognitiveservices.azure.com", "azure"),
    ("", ".services.ai.azure.com", "azure"),
    ("", ".models.ai.azure.com", "azure"),
    ("", ".inference.ml.azure.com", "azure"),
    ("", "-aiplatform.googleapis.com", "vertex"),
    ("aiplatform.", ".rep.googleapis.com", "vertex"),
    ("bedrock-runtime.", ".amazonaws.com", "bedrock"),
    ("bedrock-runtime-fips.", ".amazonaws.com", "bedrock"),
    ("bedrock-runtime.", ".amazonaws.com.cn", "bedrock"),
    ("bedrock-mantle.", ".api.aws", "bedrock-mantle"),
    ("bedrock-runtime.", ".api.aws", "bedrock"),
    ("bedrock-runtime-fips.", ".api.aws", "bedrock"),
    ("bedrock-agent-runtime.", ".amazonaws.com", "bedrock-agent"),
    ("bedrock-agent-runtime-fips.", ".amazonaws.com", "bedrock-agent"),
    ("bedrock-agent-runtime.", ".api.aws", "bedrock-agent"),
    ("runtime.sagemaker.", ".amazonaws.com", "sagemaker"),
    ("runtime-fips.sagemaker.", ".amazonaws.com", "sagemaker"),
    ("", ".githubcopilot.com", "copilot"),
    ("", ".endpoints.huggingface.cloud", "huggingface"),
    ("", ".azuredatabricks.net", "databricks"),
    ("", ".cloud.databricks.com", "databricks"),
    ("", ".gcp.databricks.com", "databricks"),
    ("", ".snowflakecomputing.com", "snowflake"),
    ("", ".ml.cloud.ibm.com", "watsonx"),
    ("", ".inference.heroku.com", "heroku"),
    ("", ".cohere.ai", "cohere"),
    ("", ".api.perplexity.ai", "perplexity"),
    ("", ".x.ai", "xai"),
    ("", ".deepinfra.com", "deepinfra"),
    ("", ".maas.aliyuncs.com", "alibaba"),
];

/// Segments of a proxy's path that name who is behind it.
#[rustfmt::skip]
pub(super) const PREFIXES: &[(&str, &str)] = &[
    ("anthropic", "anthropic"),
    ("azure", "azure"),
    ("azure-openai", "azure"),
    ("bedrock", "bedrock"),
    ("aws-bedrock", "bedrock"),
    ("cerebras", "cerebras"),
    ("cohere", "cohere"),
    ("deepseek", "deepseek"),
    ("fireworks", "fireworks"),
    ("gemini", "gemini"),
    ("google-ai-studio", "gemini"),
    ("google-vertex", "vertex"),
    ("google-vertex-ai", "vertex"),
    ("grok", "xai"),
    ("groq", "groq"),
    ("huggingface", "huggingface"),
    ("mistral", "mistral"),
    ("openrouter", "openrouter"),
    ("perplexity", "perplexity"),
    ("perplexity-ai", "perplexity"),
    ("together", "together"),
    ("vertex", "vertex"),
    ("vertex_ai", "vertex"),
    ("xai", "xai"),
    // Last, because it also names the wire form: `/groq/openai/v1/…`.
    ("openai", "openai"),
];

/// Services behind a private endpoint of Amazon's: how one of the host's labels starts, the longer first.
#[rustfmt::skip]
const ENDPOINTS: &[(&str, &str)] = &[
    ("bedrock-agent-runtime", "bedrock-agent"),
    ("bedrock-runtime", "bedrock"),
];

/// The port of llama.cpp's server, which is also that of many a gateway: away from this machine it says nothing.
const LLAMACPP: (&str, &str) = ("8080", "llamacpp");

/// Ports at which servers of this kind listen unless told otherwise.
const PORTS: &[(&str, &str)] = &[
    ("11434", "ollama"),
    ("4000", "litellm-proxy"),
    ("8787", "pydantic-gateway"),
];

/// Every provider that a host, a path or a port can name, in no order, some several times; `mcp`
/// for servers of the Model Context Protocol, `openai-compatible-local` for those at home that no port names.
pub(crate) fn providers() -> impl Iterator<Item = &'static str> {
    let hosts = HOSTS.iter().map(|(_, provider)| *provider);
    let patterns = PATTERNS.iter().map(|(_, _, provider)| *provider);
    let ports = PORTS.iter().chain([&LLAMACPP]);
    let others = PREFIXES.iter().chain(ports).map(|(_, provider)| *provider);
    hosts.chain(patterns).chain(others).chain(["mcp", LOCAL])
}

/// A server on this machine or network that no port names.
const LOCAL: &str = "openai-compatible-local";

/// What is known of who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answers {
    /// This provider does.
    Provider(&'static str),
    /// A server on this machine or network does, by its port of this kind.
    Local(&'static str),
    /// Nobody we know.
    Unknown,
}

/// Who answers at a host (in lower case) and port.
pub(super) fn answers(host: &str, port: Option<&str>) -> Answers {
    let order = |name: &str| name.len().cmp(&host.len()).then_with(|| name.cmp(host));
    if let Ok(at) = HOSTS.binary_search_by(|(name, _)| order(name)) {
        return HOSTS
            .get(at)
            .map_or(Answers::Unknown, |(_, provider)| Answers::Provider(provider));
    }
    let pattern = PATTERNS.iter().find(|(start, end, _)| {
        host.len() > start.len() + end.len() && host.ends_with(end) && host.starts_with(start)
    });
    if let Some((_, _, provider)) = pattern {
        return Answers::Provider(provider);
    }
    if host.ends_with(".vpce.amazonaws.com") {
        return private_endpoint(host).map_or(Answers::Unknown, Answers::Provider);
    }
    if Peer::named(host) != Peer::Internal {
        return Answers::Unknown;
    }
    if port == Some(LLAMACPP.0) && is_loopback(host) {
        return Answers::Local(LLAMACPP.1);
    }
    let kind = PORTS.iter().find(|(number, _)| Some(*number) == port);
    Answers::Local(kind.map_or(LOCAL, |(_, kind)| kind))
}

/// Which of Amazon's services answers at a private endpoint.
fn private_endpoint(host: &str) -> Option<&'static str> {
    let has = |start: &str| host.split('.').any(|label| label.starts_with(start));
    let found = ENDPOINTS.iter().find(|(start, _)| has(start));
    found.map(|(_, provider)| *provider)
}

/// Whether a host is this machine.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Whether a label is the name of a region, as `us-gov-west-1` is. Endpoints in private networks
/// have labels that look alike.
fn is_amazon_region(label: &str) -> bool {
    let mut parts = label.split('-');
    let (first, last) = (parts.next().unwrap_or_default(), parts.next_back());
    first.len() == 2
        && first.bytes().all(|byte| byte.is_ascii_lowercase())
        && matches!(parts.clone().count(), 1..=2)
        && parts.all(|part| part.bytes().all(|byte| byte.is_ascii_lowercase()))
        && last.is_some_and(|last| last.len() == 1 && last.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The region that a host's name carries, where its provider has regions.
pub(super) fn region<'a>(host: &'a str, provider: &str) -> Option<&'a str> {
    match provider {
        "bedrock" | "bedrock-mantle" | "bedrock-agent" | "sagemaker" => {
            host.split('.').find(|label| is_amazon_region(label))
        }
        "vertex" => host.strip_suffix("-aiplatform.googleapis.com"),
        "watsonx" => host.split('.').next(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_hosts_is_sorted() {
        assert!(HOSTS.is_sorted_by(|a, b| (a.0.len(), a.0) < (b.0.len(), b.0)));
    }

    #[test]
    fn hosts_with_varying_parts_are_recognised() {
        for (host, provider) in [
            ("my-resource.openai.azure.com", "azure"),
            ("us-east5-aiplatform.googleapis.com", "vertex"),
            ("bedrock-runtime.eu-west-1.amazonaws.com", "bedrock"),
            ("adb-1.2.azuredatabricks.net", "databricks"),
            ("us.inference.heroku.com", "heroku"),
        ] {
            assert_eq!(answers(host, None), Answers::Provider(provider), "{host}");
        }
        assert_eq!(answers("example.com", None), Answers::Unknown);
        assert_eq!(answers("x.ai.example.com", None), Answers::Unknown);
    }

    #[test]
    fn servers_at_home_are_told_by_their_port() {
        assert_eq!(answers("localhost", Some("11434")), Answers::Local("ollama"));
        assert_eq!(
            answers("192.168.1.7", Some("9")),
            Answers::Local("openai-compatible-local")
        );
        assert_eq!(answers("[::1]", None), Answers::Local("openai-compatible-local"));
    }

    #[test]
    fn a_port_that_gateways_share_names_no_server_away_from_this_machine() {
        for host in ["localhost", "127.0.0.1", "127.1.2.3", "[::1]"] {
            assert_eq!(answers(host, Some("8080")), Answers::Local("llamacpp"), "{host}");
        }
        for host in ["gateway.internal", "10.0.0.8", "[fd00::8]", "a.localhost"] {
            assert_eq!(answers(host, Some("8080")), Answers::Local(LOCAL), "{host}");
        }
        assert!(providers().any(|provider| provider == "llamacpp"));
    }

    #[test]
    fn a_private_endpoint_is_that_of_the_service_it_names() {
        for (service, expected) in [
            ("bedrock-runtime", Answers::Provider("bedrock")),
            ("bedrock-runtime-fips", Answers::Provider("bedrock")),
            ("bedrock-agent-runtime", Answers::Provider("bedrock-agent")),
            ("execute-api", Answers::Unknown),
            ("lambda", Answers::Unknown),
        ] {
            let host = format!("vpce-01-a.{service}.eu-west-3.vpce.amazonaws.com");
            assert_eq!(answers(&host, None), expected, "{host}");
        }
    }

    #[test]
    fn regions_are_read_from_the_host() {
        assert_eq!(
            region("bedrock-runtime.us-gov-west-1.amazonaws.com", "bedrock"),
            Some("us-gov-west-1")
        );
        assert_eq!(
            region("us-east5-aiplatform.googleapis.com", "vertex"),
            Some("us-east5")
        );
        assert_eq!(region("aiplatform.googleapis.com", "vertex"), None);
        assert_eq!(
            region(
                "vpce-01-a-b1.bedrock-runtime.eu-west-3.vpce.amazonaws.com",
                "bedrock"
            ),
            Some("eu-west-3")
        );
    }
}
