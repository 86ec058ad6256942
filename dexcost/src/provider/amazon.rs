//! Amazon's services that run models.

use super::record::{Kind, Provider, Region};

pub(super) const PROVIDERS: &[Provider] = &[
    Provider {
        aliases: &["aws_bedrock", "amazon_bedrock"],
        patterns: &[
            ("bedrock-runtime.", ".amazonaws.com"),
            ("bedrock-runtime-fips.", ".amazonaws.com"),
            ("bedrock-runtime.", ".amazonaws.com.cn"),
            ("bedrock-runtime.", ".api.aws"),
            ("bedrock-runtime-fips.", ".api.aws"),
        ],
        paths: &["bedrock", "aws-bedrock"],
        kind: Kind::Bedrock,
        region: Region::Amazon,
        ..Provider::named("bedrock")
    },
    // The OpenAI and Anthropic forms of Bedrock, with entries of their own in the price table.
    Provider {
        patterns: &[
            ("bedrock-mantle.", ".api.aws"),
            ("bedrock-mantle-fips.", ".api.aws"),
        ],
        kind: Kind::Bedrock,
        family: "bedrock",
        region: Region::Amazon,
        price_key: "bedrock_mantle",
        ..Provider::named("bedrock-mantle")
    },
    Provider {
        patterns: &[
            ("bedrock-agent-runtime.", ".amazonaws.com"),
            ("bedrock-agent-runtime-fips.", ".amazonaws.com"),
            ("bedrock-agent-runtime.", ".api.aws"),
        ],
        kind: Kind::Bedrock,
        family: "bedrock",
        region: Region::Amazon,
        ..Provider::named("bedrock-agent")
    },
    Provider::listed("bedrock_converse", "bedrock", Kind::Bedrock),
    Provider {
        patterns: &[
            ("runtime.sagemaker.", ".amazonaws.com"),
            ("runtime-fips.sagemaker.", ".amazonaws.com"),
        ],
        region: Region::Amazon,
        ..Provider::named("sagemaker")
    },
    Provider::listed("sagemaker_chat", "sagemaker", Kind::Other),
];

/// Services behind a private endpoint: how one of the host's labels starts, the longer first.
pub(super) const ENDPOINTS: &[(&str, &str)] = &[
    ("bedrock-agent-runtime", "bedrock-agent"),
    ("bedrock-mantle", "bedrock-mantle"),
    ("bedrock-runtime", "bedrock"),
];
