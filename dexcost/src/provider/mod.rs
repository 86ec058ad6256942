//! Who answers at a host, what they are called, and where their counts and bills differ from others'.
//!
//! One [`Provider`] is all that is known of one; capture, pricing and the command ask the same list. A
//! provider with rules of its own has them in a file by its name, beside those of its company; one that is
//! no more than names and hosts is a row of [`hosted`]. To add one, write the record and name it in [`ALL`].

mod alibaba;
mod amazon;
mod anthropic;
mod azure;
mod gateways;
mod google;
mod groq;
mod hosted;
mod hosts;
mod local;
mod names;
mod openai;
mod own_hosts;
mod record;
mod xai;

#[cfg(test)]
mod tests;

pub(crate) use hosts::{HostOwner, is_private_name, normal_host, owner};
pub(crate) use local::{ANY_LOCAL, OLLAMA_CLOUD, is_ollama_cloud};
pub(crate) use names::{by_name, by_path, family};
pub(crate) use own_hosts::{OwnHosts, check_own_host};
pub(crate) use record::{BillingQuirks, ContainerPrice, Kind, Minimum, Provider, Reasoning, UsageQuirks};

/// Every provider.
pub(crate) const ALL: &[&[Provider]] = &[
    alibaba::PROVIDERS,
    amazon::PROVIDERS,
    anthropic::PROVIDERS,
    azure::PROVIDERS,
    gateways::PROVIDERS,
    google::PROVIDERS,
    groq::PROVIDERS,
    hosted::PROVIDERS,
    local::PROVIDERS,
    openai::PROVIDERS,
    xai::PROVIDERS,
];

/// Every provider, one after the other.
pub(crate) fn all() -> impl Iterator<Item = &'static Provider> {
    ALL.iter().flat_map(|group| *group)
}

/// The names by which providers' calls are switched on and off, some several times.
pub(crate) fn instruments() -> impl Iterator<Item = &'static str> {
    all()
        .filter(|provider| provider.is_captured)
        .map(Provider::instrument)
}
