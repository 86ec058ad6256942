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
use super::table::{self, Hit, Name, Piece, Row};
use crate::text::same_bytes;
use forms::Form;
use ladder::Ladder;

#[cfg(test)]
pub(crate) use provider::family;
pub(crate) use provider::{Biller, Kind, of_host, region_of_host, residency_of_host};

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
    pub(crate) provider: Biller<'a>,
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
    let provider = given.map(Biller::of).filter(|p| p.kind != Kind::Proxy);
    let first = if trace.is_some() {
        First::Unclear
    } else {
        match provider {
            None => listed(name, untouched, hints.at_seconds),
            Some(provider) => listed_for(provider, name, untouched, hints.at_seconds),
        }
    };
    if let First::Found(found) = first {
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
    ladder.find(name, untouched, matches!(first, First::Nothing))
}

/// What a look at the first rung alone says. It answers for most calls, and needs no ladder.
enum First<'a> {
    /// The name is a key.
    Found(Found<'a>),
    /// It is none; the other rungs may be tried.
    Nothing,
    /// The ladder has to be climbed from its foot.
    Unclear,
}

/// The first rung where no provider is known: the name is a key.
#[inline(always)]
fn listed(name: &str, untouched: bool, at_seconds: u64) -> First<'static> {
    let Some(hit) = table::find(name.as_bytes()) else {
        return First::Unclear;
    };
    let row = hit.name.row(at_seconds);
    if row.is_legacy() {
        return First::Unclear;
    }
    First::Found(Found {
        hit: Some((hit.name, row)),
        rung: rung_of(untouched && hit.exact),
        provider: Biller::of_family(row.family()),
    })
}

/// The first rung where a provider is known: `provider/name`, then `name`.
#[inline(always)]
fn listed_for<'a>(provider: Biller<'a>, name: &str, untouched: bool, at_seconds: u64) -> First<'a> {
    let family = provider.family();
    if family.len() != provider.name.len()
        || matches!(provider.kind, Kind::Local | Kind::Bedrock | Kind::AzureAi)
    {
        return First::Unclear;
    }
    let (Some(head), Some(piece)) = (Piece::of(provider.name.as_bytes()), Piece::of(name.as_bytes())) else {
        return First::Unclear;
    };
    let is_bare = if piece.has_slash() {
        forms::read(name) == Form::Plain && ladder::without_prefix(name, provider.name).is_none()
    } else {
        !name.starts_with("arn:")
    };
    if !is_bare {
        return First::Unclear;
    }
    let take = |hit: Hit| {
        let row = hit.name.row(at_seconds);
        if !same_bytes(row.family().as_bytes(), family.as_bytes()) {
            None
        } else if row.is_legacy() {
            Some(First::Unclear)
        } else {
            Some(First::Found(Found {
                hit: Some((hit.name, row)),
                rung: rung_of(untouched && hit.exact),
                provider,
            }))
        }
    };
    piece
        .find_under(head)
        .and_then(take)
        .or_else(|| piece.find().and_then(take))
        .unwrap_or(First::Nothing)
}

const fn rung_of(as_written: bool) -> Rung {
    if as_written { Rung::Exact } else { Rung::Alias }
}

/// The name without blanks around it, which it hardly ever has.
#[inline]
fn trimmed(model: &str) -> &str {
    match model.as_bytes() {
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => model,
        _ => model.trim(),
    }
}
