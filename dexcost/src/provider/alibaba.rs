//! Alibaba's models and the clouds that sell them under other names.

use super::record::{BillingQuirks, Kind, Provider};

const BILLING: BillingQuirks = BillingQuirks {
    no_tiers: true,
    flat_input: true,
    ..BillingQuirks::NONE
};

pub(super) const PROVIDERS: &[Provider] = &[
    Provider {
        aliases: &["aliyun", "qwen"],
        hosts: &[
            "dashscope.aliyuncs.com",
            "dashscope-us.aliyuncs.com",
            "dashscope-intl.aliyuncs.com",
        ],
        patterns: &[("", ".maas.aliyuncs.com")],
        kind: Kind::DashScope,
        billing: BILLING,
        ..Provider::named("alibaba").listed_as("dashscope")
    },
    Provider {
        billing: BILLING,
        ..Provider::listed("qwencloud", "dashscope", Kind::DashScope)
    },
    Provider {
        billing: BILLING,
        ..Provider::listed("qwen_ai_platform", "dashscope", Kind::DashScope)
    },
];
