//! Calls that are served from capacity which is paid for by time: they cost nothing themselves.
//!
//! Vertex names the kind of traffic
//! (<https://cloud.google.com/vertex-ai/generative-ai/docs/provisioned-throughput/use-provisioned-throughput>). Bedrock
//! has provisioned models by their name
//! (<https://docs.aws.amazon.com/bedrock/latest/userguide/prov-throughput.html>) and a reserved tier, from which
//! calls overflow to the standard one, so that only the tier that was served tells
//! (<https://docs.aws.amazon.com/bedrock/latest/userguide/service-tiers-inference.html>). OpenAI has a scale tier, for
//! models before GPT-5.6 (<https://openai.com/api-reserved-tier/>; the reserved tier of later ones is named by no
//! reply). On Azure calls of a provisioned deployment may spill over to one that is paid by the token
//! (<https://learn.microsoft.com/en-us/azure/foundry/openai/how-to/spillover-traffic-management>); the header fields
//! that tell a provisioned one are those of replies that were published, no page names them. Read 2026-11.

use crate::event::CallFacts;
use crate::text::Text;
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
    let is = |tier: &Option<Text>, name: &str| {
        tier.as_deref()
            .is_some_and(|tier| tier.eq_ignore_ascii_case(name))
    };
    let served = &call.service_tier;
    match provider {
        // What stands in the place of a tier there tells how the call was served.
        Some("vertex") => {
            let traffic = if served.is_some() {
                served
            } else {
                &call.service_tier_requested
            };
            is(traffic, "PROVISIONED_THROUGHPUT")
        }
        Some("bedrock") => {
            is(served, "reserved")
                || call
                    .model_requested
                    .as_deref()
                    .is_some_and(|model| model.contains(":provisioned-model/"))
        }
        // What was asked for is no proof: only the tier that was served.
        Some("openai") => is(served, "scale"),
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
