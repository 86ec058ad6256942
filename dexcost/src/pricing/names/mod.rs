//! The name ladder: from the name on the wire to a key of the tables.
//!
//! Rungs are tried from the top, the first hit wins. An entry holds only for calls to its own
//! provider or family: a price of somebody else is never taken, except on the rungs that say so.
//! Nothing here allocates; a full miss is a handful of hashes.

mod forms;
mod joined;
mod ladder;
mod provider;
mod shapes;
mod stand_ins;

use super::query::Rung;
use super::table::{self, Name, Row};
use ladder::Ladder;

#[cfg(test)]
pub(crate) use provider::family;
pub(crate) use provider::{Kind, Provider, of_host, region_of_host};

/// Names longer than this are not looked at; the longest ARN has 2,048 characters.
const LONGEST_WIRE_NAME: usize = 2_048;

/// What a name was found to mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found<'a> {
    /// The key and its prices; `None` where the price is no entry (free, or the provider's default).
    pub(crate) hit: Option<(Name, Row)>,
    /// The rung of the ladder.
    pub(crate) rung: Rung,
    /// Who bills.
    pub(crate) provider: Provider<'a>,
}

/// What is known about a call besides the model's name.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Hints<'a> {
    /// The provider as the caller spells it.
    pub(crate) provider: Option<&'a str>,
    /// The host.
    pub(crate) host: Option<&'a str>,
    /// The region of the endpoint.
    pub(crate) region: Option<&'a str>,
    /// Whether embeddings are asked for, which have buckets of their own.
    pub(crate) embedding: bool,
    /// The instant of billing, in seconds since 1970.
    pub(crate) at_seconds: u64,
}

/// Finds what a model's name means. `trace` collects every step, for people.
#[inline(always)]
pub(crate) fn resolve<'a>(
    model: &'a str,
    hints: &Hints<'a>,
    trace: Option<&mut Vec<String>>,
) -> Option<Found<'a>> {
    let name = trimmed(model);
    let untouched = name.len() == model.len();
    if name.is_empty() || name.len() > LONGEST_WIRE_NAME {
        return None;
    }
    let given = hints
        .provider
        .filter(|p| !p.is_empty())
        .or_else(|| of_host(hints.host?));
    let provider = given.map(Provider::of).filter(|p| p.kind != Kind::Proxy);
    if provider.is_none()
        && trace.is_none()
        && let Some(found) = listed(name, untouched, hints.at_seconds)
    {
        return Some(found);
    }
    let region = hints.region.or_else(|| hints.host.and_then(region_of_host));
    let mut ladder = Ladder {
        provider,
        region,
        embedding: hints.embedding,
        at_seconds: hints.at_seconds,
        legacy: None,
        trace,
    };
    ladder.find(name, untouched)
}

/// The first rung where no provider is known, which is the usual case: the name is a key.
#[inline]
fn listed(name: &str, untouched: bool, at_seconds: u64) -> Option<Found<'static>> {
    let hit = table::find(name.as_bytes())?;
    let row = hit.name.row(at_seconds);
    if row.is_legacy() {
        return None;
    }
    Some(Found {
        hit: Some((hit.name, row)),
        rung: if untouched && hit.exact {
            Rung::Exact
        } else {
            Rung::Alias
        },
        provider: Provider::of_family(row.family()),
    })
}

/// The name without blanks around it, which it hardly ever has.
#[inline]
fn trimmed(model: &str) -> &str {
    match model.as_bytes() {
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => model,
        _ => model.trim(),
    }
}
