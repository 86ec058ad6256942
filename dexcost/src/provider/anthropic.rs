//! Anthropic.

use super::record::{Kind, Provider};

pub(super) const PROVIDERS: &[Provider] = &[Provider {
    hosts: &["api.anthropic.com"],
    paths: &["anthropic"],
    kind: Kind::Anthropic,
    ..Provider::named("anthropic")
}];
