//! xAI.

use super::record::{BillingQuirks, Kind, Provider, Reasoning, UsageQuirks};

pub(super) const PROVIDERS: &[Provider] = &[Provider {
    aliases: &["x_ai"],
    hosts: &["api.x.ai"],
    patterns: &[("", ".x.ai")],
    paths: &["xai", "grok"],
    kind: Kind::Xai,
    usage: UsageQuirks {
        // https://docs.x.ai/docs/models, read 2026-11: `completion_tokens` leaves reasoning out.
        reasoning: Reasoning::Beside,
        ..UsageQuirks::STATES_PRICE
    },
    billing: BillingQuirks {
        inclusive_thresholds: true,
        flat_output: true,
        no_tiers: true,
        ..BillingQuirks::NONE
    },
    ..Provider::named("xai")
}];
