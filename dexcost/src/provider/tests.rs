//! That one registry answers for every host and name that was ever known.

use super::*;
use crate::clock::Timestamp;
use crate::pricing::{PriceQuery, PricingEngine};
use crate::usage::Usage;
use crate::usage::readers::Route;

const HOSTS: &str = include_str!("known_hosts.txt");
const NAMES: &str = include_str!("known_names.txt");

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.starts_with('#'))
}

fn id_at(host: &str, port: Option<&str>) -> Option<&'static str> {
    owner(host, port).provider("").map(|provider| provider.id)
}

#[test]
fn every_host_has_one_owner_for_capture_and_for_pricing() {
    let (prices, usage) = (PricingEngine::new(), Usage::new());
    for line in lines(HOSTS) {
        let (host, id) = line.split_once(' ').unwrap();
        assert_eq!(id_at(host, None), Some(id), "{host}");
        let captured = Route::of("POST", host, "/v1/chat/completions").unwrap();
        assert_eq!(captured.provider, Some(id), "{host}");
        // A gateway that names who is behind it bills nobody.
        let provider = by_name(id).unwrap();
        if provider.kind == Kind::Proxy {
            continue;
        }
        let query = |model| PriceQuery {
            host: Some(host),
            ..PriceQuery::new(model, &usage, Timestamp::default())
        };
        let by_host = prices.resolve(&query("no-such-model"));
        let by_capture = prices.resolve(&PriceQuery {
            provider: captured.provider,
            ..query("no-such-model")
        });
        assert_eq!(by_host, by_capture, "{host}");
    }
}

#[test]
fn every_name_is_known_in_any_case_and_spelling() {
    for name in lines(NAMES) {
        let provider = by_name(name).unwrap_or_else(|| panic!("{name}"));
        for spelled in [
            name.to_uppercase(),
            name.replace(['-', '.'], "_"),
            name.replace('_', "-"),
        ] {
            let found = by_name(&spelled).unwrap_or_else(|| panic!("{spelled}"));
            assert_eq!(found.id, provider.id, "{spelled}");
        }
        assert_eq!(
            by_name(provider.price_key).unwrap().family,
            provider.family,
            "{name}"
        );
    }
    for unknown in ["", "acme", "openai2", "é", "x"] {
        assert!(by_name(unknown).is_none(), "{unknown}");
    }
}

#[test]
fn no_name_and_no_host_belongs_to_two() {
    let mut hosts: Vec<_> = all().flat_map(|provider| provider.hosts).collect();
    let count = hosts.len();
    hosts.sort_unstable();
    hosts.dedup();
    assert_eq!(hosts.len(), count);
    for provider in all() {
        assert_eq!(by_name(provider.id).unwrap().id, provider.id);
        for alias in provider.aliases {
            assert_eq!(by_name(alias).unwrap().id, provider.id, "{alias}");
        }
        for host in provider.hosts {
            assert_eq!(id_at(host, None), Some(provider.id), "{host}");
        }
        for path in provider.paths {
            let url = format!("/{path}/v1/chat/completions");
            assert_eq!(by_path(&url).unwrap().id, provider.id, "{path}");
        }
    }
}

#[test]
fn the_family_of_every_price_key_is_the_one_in_its_record() {
    for provider in all() {
        assert_eq!(
            family(provider.price_key),
            provider.family,
            "{}",
            provider.price_key
        );
    }
    assert_eq!(family("vertex_ai-language-models"), "vertex_ai");
    assert_eq!(family("acme"), "acme");
}

#[test]
fn the_wire_forms_name_in_a_path_comes_after_any_other() {
    assert_eq!(by_path("/groq/openai/v1/chat/completions").unwrap().id, "groq");
    assert_eq!(by_path("/openai/groq/x").unwrap().id, "groq");
    assert_eq!(by_path("/openai/v1/chat/completions").unwrap().id, "openai");
    assert!(by_path("/v1/chat/completions").is_none());
}

#[test]
fn hosts_with_varying_parts_are_recognised() {
    for (host, id) in [
        ("my-resource.openai.azure.com", "azure"),
        ("us-east5-aiplatform.googleapis.com", "vertex"),
        ("bedrock-runtime.eu-west-1.amazonaws.com", "bedrock"),
        ("adb-1.2.azuredatabricks.net", "databricks"),
        ("us.inference.heroku.com", "heroku"),
    ] {
        assert_eq!(id_at(host, None), Some(id), "{host}");
    }
    assert_eq!(id_at("example.com", None), None);
    assert_eq!(id_at("x.ai.example.com", None), None);
}

#[test]
fn a_path_tells_the_two_of_azure_apart() {
    for (host, path, id) in [
        ("r.services.ai.azure.com", "/anthropic/v1/messages", "azure_ai"),
        ("r.services.ai.azure.com", "/models/chat/completions", "azure_ai"),
        (
            "r.services.ai.azure.com",
            "/openai/deployments/d/chat/completions",
            "azure",
        ),
        (
            "r.cognitiveservices.azure.com",
            "/anthropic/v1/messages",
            "azure_ai",
        ),
        (
            "r.cognitiveservices.azure.com",
            "/openai/v1/chat/completions",
            "azure",
        ),
        ("r.openai.azure.com", "//openai/deployments/d/embeddings", "azure"),
    ] {
        assert_eq!(owner(host, None).provider(path).unwrap().id, id, "{host}{path}");
    }
}

#[test]
fn servers_at_home_are_known_by_their_port() {
    assert_eq!(id_at("localhost", Some("11434")), Some("ollama"));
    assert_eq!(id_at("192.168.1.7", Some("9")), Some("openai-compatible-local"));
    assert_eq!(id_at("[::1]", None), Some("openai-compatible-local"));
    assert_eq!(id_at("localhost", Some("4000")), Some("litellm-proxy"));
    assert_eq!(id_at("gateway.internal", Some("8787")), Some("pydantic-gateway"));
}

#[test]
fn a_port_that_gateways_share_names_no_server_away_from_this_machine() {
    for host in ["localhost", "127.0.0.1", "127.1.2.3", "[::1]"] {
        assert_eq!(id_at(host, Some("8080")), Some("llamacpp"), "{host}");
    }
    for host in ["gateway.internal", "10.0.0.8", "[fd00::8]", "a.localhost"] {
        assert_eq!(
            id_at(host, Some("8080")),
            Some("openai-compatible-local"),
            "{host}"
        );
    }
}

#[test]
fn a_private_endpoint_is_that_of_the_service_it_names() {
    for (service, expected) in [
        ("bedrock-runtime", Some("bedrock")),
        ("bedrock-runtime-fips", Some("bedrock")),
        ("bedrock-agent-runtime", Some("bedrock-agent")),
        ("execute-api", None),
        ("lambda", None),
    ] {
        let host = format!("vpce-01-a.{service}.eu-west-3.vpce.amazonaws.com");
        assert_eq!(id_at(&host, None), expected, "{host}");
    }
}

#[test]
fn regions_and_residency_are_read_from_the_host() {
    let region = |host: &'static str| match owner(host, None) {
        HostOwner::Provider(provider) => provider.region_of(host),
        _ => None,
    };
    assert_eq!(
        region("bedrock-runtime.us-gov-west-1.amazonaws.com"),
        Some("us-gov-west-1")
    );
    assert_eq!(region("bedrock-mantle.us-east-1.api.aws"), Some("us-east-1"));
    assert_eq!(region("us-east5-aiplatform.googleapis.com"), Some("us-east5"));
    assert_eq!(region("aiplatform.googleapis.com"), Some("global"));
    assert_eq!(region("eu-de.ml.cloud.ibm.com"), Some("eu-de"));
    assert_eq!(
        region("vpce-01-a-b1.bedrock-runtime.eu-west-3.vpce.amazonaws.com"),
        Some("eu-west-3")
    );
    let openai = by_name("openai").unwrap();
    assert_eq!(openai.residency_of("eu.api.openai.com"), Some("eu"));
    assert_eq!(openai.residency_of("api.openai.com"), None);
}

#[test]
fn names_inside_a_network_are_told_from_public_ones() {
    for host in [
        "llm",
        "localhost",
        "10.0.0.5",
        "192.168.1.4",
        "[fd00::8]",
        "llm.acme.internal",
        "llm.local",
        "llm.ns.svc.cluster.local",
        "llm.lan",
        "box.home.arpa",
    ] {
        assert!(is_private_name(host), "{host}");
    }
    for host in [
        "gw.example.org",
        "api.openai.com",
        "8.8.8.8",
        "[2001:db8::1]",
        "local.example",
    ] {
        assert!(!is_private_name(host), "{host}");
    }
}
