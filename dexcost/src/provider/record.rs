//! The record of one provider.

use rust_decimal::Decimal;

use crate::event::CallType;
use crate::usage::Unit;

/// Everything that is known of one provider.
#[derive(Debug)]
pub(crate) struct Provider {
    /// The name on events, and by which its calls are switched on and off unless `instrument` says otherwise.
    pub(crate) id: &'static str,
    /// The name under which the price table lists it.
    pub(crate) price_key: &'static str,
    /// The name of the family whose entries of the price table hold for it.
    pub(crate) family: &'static str,
    /// What is peculiar to the family.
    pub(crate) kind: Kind,
    /// Other spellings, in lower case; `-`, `.` and a blank stand for `_` and need no spelling of their own.
    pub(crate) aliases: &'static [&'static str],
    /// Hosts that are its own, in lower case.
    pub(crate) hosts: &'static [&'static str],
    /// Hosts with a part that varies: what they start with and end with.
    pub(crate) patterns: &'static [(&'static str, &'static str)],
    /// Segments of a proxy's path that name it.
    pub(crate) paths: &'static [&'static str],
    /// The port at which its server listens unless told otherwise, for servers on the user's own machines.
    pub(crate) port: Option<Port>,
    /// How a host's name shows the region.
    pub(crate) region: Region,
    /// Hosts that keep data in one part of the world, and which.
    pub(crate) residency: &'static [(&'static str, &'static str)],
    /// Where the arithmetic of its counts differs.
    pub(crate) usage: UsageQuirks,
    /// Where its bill differs.
    pub(crate) billing: BillingQuirks,
    /// The least that it bills of a unit for one call.
    pub(crate) minimums: &'static [Minimum],
    /// What a session in a container costs by the container's memory.
    pub(crate) containers: &'static [ContainerPrice],
    /// The name by which its calls are switched on and off, where that is not `id`.
    pub(crate) instrument: Option<&'static str>,
    /// Whether its model calls are captured: a host, a path or a port names it.
    pub(crate) is_captured: bool,
    /// Whether a path names who is behind it, and it itself bills nobody.
    pub(crate) names_who_is_behind: bool,
}

/// The least that a provider bills of a unit for one call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Minimum {
    pub(crate) call_type: CallType,
    pub(crate) unit: Unit,
    pub(crate) quantity: Decimal,
    /// The day on which its source was read.
    pub(crate) as_of: &'static str,
}

/// What a session in a container of this memory costs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ContainerPrice {
    /// As requests spell it.
    pub(crate) memory: &'static str,
    pub(crate) usd: Decimal,
    /// The day on which its source was read.
    pub(crate) as_of: &'static str,
}

/// The port of a server on the user's own machines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Port {
    pub(crate) number: &'static str,
    /// Whether other programs listen there as well, so that it says something on this machine only.
    pub(crate) is_shared: bool,
}

/// How a host's name shows the region of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Region {
    /// It does not.
    None,
    /// A label is the name of one of Amazon's regions.
    Amazon,
    /// What comes before `-aiplatform.googleapis.com`.
    Vertex,
    /// The first label.
    FirstLabel,
}

/// The families that need a rule of their own, told apart once.
///
/// A word wide, so that what holds it has no padding: processors stall on reading back as one piece what
/// was just written in several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Kind {
    Anthropic,
    Azure,
    AzureAi,
    Bedrock,
    DashScope,
    Databricks,
    Fireworks,
    Gemini,
    /// Servers on the user's own machines, which bill nothing.
    Local,
    OpenAi,
    OpenRouter,
    /// Gateways that pass any provider through under its own prices.
    Proxy,
    Replicate,
    Together,
    /// Gateways that list `vendor/model` at prices of their own.
    Vercel,
    VertexAi,
    Xai,
    Other,
}

/// What is special about a provider's counts in the OpenAI chat form.
///
/// As recorded from the providers themselves until 2026-11; where a total proves how the parts add up, the
/// total decides for every provider, and nothing needs to stand here.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct UsageQuirks {
    /// How reasoning relates to the completion count where the total does not tell.
    pub(crate) reasoning: Reasoning,
    /// The completion count leaves out what was thought, and nothing names it; the total has it.
    pub(crate) total_has_more: bool,
    /// A stated price of zero is a price: the provider bills by what it states.
    pub(crate) bills_as_stated: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Reasoning {
    /// Part of the completion count.
    #[default]
    Inside,
    /// On top of it.
    Beside,
    /// On top of it for models whose name starts so, although the total does not show it.
    BesideFor(&'static str),
}

/// Where a provider's bill differs from the common rules.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BillingQuirks {
    /// A prompt of exactly the threshold is above it.
    pub(crate) inclusive_thresholds: bool,
    /// All completion tokens cost the same.
    pub(crate) flat_output: bool,
    /// Tiers have no prices of their own.
    pub(crate) no_tiers: bool,
    /// Prompt tokens of every modality cost the same.
    pub(crate) flat_input: bool,
    /// A cache read without a price costs half of the input.
    pub(crate) half_price_reads: bool,
}

impl UsageQuirks {
    pub(super) const NONE: Self = Self {
        reasoning: Reasoning::Inside,
        total_has_more: false,
        bills_as_stated: false,
    };

    pub(super) const STATES_PRICE: Self = Self {
        bills_as_stated: true,
        ..Self::NONE
    };

    /// What is special about the counts of a provider; mostly nothing.
    pub(crate) fn of(provider: &str) -> Self {
        super::by_name(provider).map_or(Self::NONE, |provider| provider.usage)
    }
}

impl BillingQuirks {
    pub(super) const NONE: Self = Self {
        inclusive_thresholds: false,
        flat_output: false,
        no_tiers: false,
        flat_input: false,
        half_price_reads: false,
    };
}

impl Provider {
    /// A provider of whom nothing but the name is known, which is also that of the price table.
    pub(super) const fn named(id: &'static str) -> Self {
        Self {
            id,
            price_key: id,
            family: id,
            kind: Kind::Other,
            aliases: &[],
            hosts: &[],
            patterns: &[],
            paths: &[],
            port: None,
            region: Region::None,
            residency: &[],
            usage: UsageQuirks::NONE,
            billing: BillingQuirks::NONE,
            minimums: &[],
            containers: &[],
            instrument: None,
            is_captured: true,
            names_who_is_behind: false,
        }
    }

    /// The same with hosts of its own.
    pub(super) const fn at(id: &'static str, hosts: &'static [&'static str]) -> Self {
        Self {
            hosts,
            ..Self::named(id)
        }
    }

    /// The same where the price table has another name for it.
    pub(super) const fn listed_as(self, price_key: &'static str) -> Self {
        Self {
            price_key,
            family: price_key,
            ..self
        }
    }

    /// A name of the price table alone, whose entries hold for a family.
    pub(super) const fn listed(price_key: &'static str, family: &'static str, kind: Kind) -> Self {
        Self {
            family,
            kind,
            is_captured: false,
            ..Self::named(price_key)
        }
    }

    /// The least that is billed of a unit for one call of a kind.
    pub(crate) fn minimum(&self, call_type: CallType, unit: Unit) -> Option<&'static Minimum> {
        let is = |minimum: &&Minimum| minimum.call_type == call_type && minimum.unit == unit;
        self.minimums.iter().find(is)
    }

    /// What a session in a container of this memory costs.
    pub(crate) fn container(&self, memory: &str) -> Option<&'static ContainerPrice> {
        self.containers
            .iter()
            .find(|container| container.memory.eq_ignore_ascii_case(memory))
    }

    /// The name by which its calls are switched on and off.
    pub(crate) fn instrument(&self) -> &'static str {
        self.instrument.unwrap_or(self.id)
    }

    /// The region that a host's name carries.
    pub(crate) fn region_of<'a>(&self, host: &'a str) -> Option<&'a str> {
        match self.region {
            Region::None => None,
            Region::Amazon => host.split('.').find(|label| is_amazon_region(label)),
            Region::Vertex if host == "aiplatform.googleapis.com" => Some("global"),
            Region::Vertex => host.strip_suffix("-aiplatform.googleapis.com"),
            Region::FirstLabel => host.split('.').next(),
        }
    }

    /// The part of the world in which a host keeps data.
    pub(crate) fn residency_of(&self, host: &str) -> Option<&'static str> {
        let found = self.residency.iter().find(|(name, _)| *name == host);
        found.map(|(_, residency)| *residency)
    }
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
