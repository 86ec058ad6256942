//! Calls that are served from capacity which is paid for by time: they cost nothing themselves.
//!
//! Vertex names the kind of traffic
//! (<https://cloud.google.com/vertex-ai/generative-ai/docs/provisioned-throughput/use-provisioned-throughput>), Bedrock
//! has provisioned models by their name and a reserved tier
//! (<https://docs.aws.amazon.com/bedrock/latest/userguide/prov-throughput.html>), OpenAI a scale tier
//! (<https://openai.com/api-scale-tier/>), and Azure tells a provisioned deployment by header fields; what spilled
//! over to another deployment is paid by the token
//! (<https://learn.microsoft.com/azure/ai-foundry/openai/how-to/spillover-traffic-management>). All read 2026-11.

use crate::event::CallFacts;
use crate::wire::Headers;

/// Azure's kind of offer: `paygo` where tokens are billed.
const AZURE_OFFER: &str = "azureai-fe-offer-type";
/// How busy the provisioned deployment is that answered; others do not say.
const AZURE_UTILIZATION: &str = "azure-openai-deployment-utilization";
/// Whether another deployment answered for the provisioned one.
const AZURE_SPILLOVER: &[&str] = &["x-ms-is-spilled-over", "x-ms-spillover-from-deployment"];

/// Whether the header fields of a reply say so.
pub(super) fn by_headers(provider: Option<&str>, headers: &dyn Headers) -> bool {
    if !provider.is_some_and(|provider| provider.starts_with("azure")) {
        return false;
    }
    let has_spilled = AZURE_SPILLOVER.iter().any(|name| {
        headers
            .get(name)
            .is_some_and(|value| !value.is_empty() && !value.eq_ignore_ascii_case(b"false"))
    });
    let is_provisioned = headers
        .get(AZURE_OFFER)
        .is_some_and(|offer| !offer.is_empty() && !offer.eq_ignore_ascii_case(b"paygo"))
        || headers.get(AZURE_UTILIZATION).is_some();
    is_provisioned && !has_spilled
}

/// Whether the facts of a call say so: its kind of traffic, its tier or its model.
pub(super) fn by_facts(provider: Option<&str>, call: &CallFacts) -> bool {
    let tier = call
        .service_tier
        .as_deref()
        .or(call.service_tier_requested.as_deref());
    let is_tier = |name: &str| tier.is_some_and(|tier| tier.eq_ignore_ascii_case(name));
    match provider {
        Some("vertex") => is_tier("PROVISIONED_THROUGHPUT"),
        Some("bedrock") => {
            is_tier("reserved")
                || call
                    .model_requested
                    .as_deref()
                    .is_some_and(|model| model.contains(":provisioned-model/"))
        }
        // What was asked for is no proof: only the tier that was served.
        Some("openai") => call.service_tier.as_deref() == Some("scale"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn azure_tells_a_provisioned_deployment_by_its_headers() {
        let told = |headers: &[(&str, &str)]| by_headers(Some("azure"), &headers);
        assert!(told(&[("azure-openai-deployment-utilization", "27.7%")]));
        assert!(told(&[
            ("azureai-fe-offer-type", "ptu"),
            ("x-ms-is-spilled-over", "false")
        ]));
        assert!(!told(&[("azureai-fe-offer-type", "paygo")]));
        assert!(!told(&[
            ("azureai-fe-offer-type", "ptu"),
            ("x-ms-is-spilled-over", "true")
        ]));
        assert!(!told(&[
            ("azure-openai-deployment-utilization", "100%"),
            ("x-ms-spillover-from-deployment", "mine")
        ]));
        assert!(!told(&[]));
        let elsewhere = [("azure-openai-deployment-utilization", "1%")];
        assert!(!by_headers(Some("openai"), &elsewhere.as_slice()));
    }
}
