//! Who bills a call: the provider by the name under which the price table lists it.

use crate::provider::{self, BillingQuirks};

pub(crate) use crate::provider::{Kind, family};

/// Who serves and bills a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Biller<'a> {
    /// The name under which tables list it.
    pub(crate) name: &'a str,
    /// What is peculiar to the family.
    pub(crate) kind: Kind,
}

impl<'a> Biller<'a> {
    /// Nobody in particular.
    pub(crate) const NOBODY: Self = Self {
        name: "",
        kind: Kind::Other,
    };

    /// The provider of a name as callers, tables and wires spell it, in any case.
    #[inline]
    pub(crate) fn of(spelled: &'a str) -> Self {
        match provider::by_name(spelled) {
            Some(provider) => Self {
                name: provider.price_key,
                kind: provider.kind,
            },
            None => Self {
                name: spelled,
                kind: Kind::Other,
            },
        }
    }

    /// The provider that a family is named after.
    #[inline]
    pub(crate) fn of_family(family: &'a str) -> Self {
        Self {
            name: family,
            ..Self::of(family)
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
        match self.kind {
            Kind::AzureAi => entry_provider == "azure" || entry_provider == "openai",
            // The other list of the same resource.
            Kind::Azure => entry_provider == "azure_ai",
            _ => false,
        }
    }

    /// Whether grounding follows Google's terms.
    pub(crate) const fn is_google(self) -> bool {
        matches!(self.kind, Kind::Gemini | Kind::VertexAi)
    }

    /// Where its bill differs from the common rules.
    pub(crate) fn quirks(self) -> BillingQuirks {
        let provider = Some(self.name).filter(|_| self.kind != Kind::Other);
        provider
            .and_then(provider::by_name)
            .map_or_else(BillingQuirks::default, |provider| provider.billing)
    }
}

/// The provider that a host belongs to, by its name on events, where the host alone tells.
pub(crate) fn of_host(host: &str) -> Option<&'static str> {
    let (host, port) = provider::normal_host(host);
    provider::owner(&host, port)
        .provider("")
        .map(|provider| provider.id)
}

/// The region in a host's name: Bedrock's, or Vertex's location.
pub(crate) fn region_of_host(host: &str) -> Option<&str> {
    let host = host.split(':').next().unwrap_or(host);
    match provider::owner(host, None) {
        provider::HostOwner::Provider(provider) => {
            provider.region_of(host).filter(|region| !region.is_empty())
        }
        _ => None,
    }
}

/// The part of the world in which a host keeps data.
pub(crate) fn residency_of_host(host: &str) -> Option<&'static str> {
    match provider::owner(host, None) {
        provider::HostOwner::Provider(provider) => provider.residency_of(host),
        _ => None,
    }
}
