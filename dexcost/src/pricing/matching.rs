//! From a question to the prices that hold for it.

use super::entry::{Entry, OwnEntry};
use super::names::{self, Biller, Found, Hints};
use super::overlay::Overlay;
use super::query::{PriceQuery, Rung};
use super::table::{Name, Row};
use crate::event::CallType;
use crate::provider;
use crate::text::Text;

/// The prices that were found for a call.
#[derive(Clone, Copy)]
pub(super) struct Match<'a> {
    listed: Listed<'a>,
    /// The rung on which they were found.
    pub(super) rung: Rung,
    /// Who bills.
    pub(super) provider: Option<Biller<'a>>,
}

/// A price list and the name that it stands under.
#[derive(Clone, Copy)]
enum Listed<'a> {
    /// Nothing was found, or the price is no entry.
    Nowhere,
    Bundled(Name, Row),
    Own(&'a str, &'a OwnEntry),
}

impl<'a> Match<'a> {
    #[inline]
    fn of(found: Found<'a>) -> Self {
        Self {
            listed: match found.hit {
                Some((name, row)) => Listed::Bundled(name, row),
                None => Listed::Nowhere,
            },
            rung: found.rung,
            provider: Some(found.provider),
        }
    }

    /// The prices; `None` where nothing was found, or where the price is no entry.
    #[inline]
    pub(super) fn entry(&self) -> Option<Entry<'a>> {
        match self.listed {
            Listed::Nowhere => None,
            Listed::Bundled(_, row) => Some(Entry::Bundled(row)),
            Listed::Own(_, entry) => Some(Entry::Own(entry)),
        }
    }

    /// Whether the prices are the user's own.
    pub(super) const fn is_own(&self) -> bool {
        matches!(self.listed, Listed::Own(..))
    }

    /// The name that the prices are listed under.
    #[inline]
    pub(super) fn key(&self) -> Option<Text> {
        match self.listed {
            Listed::Nowhere => None,
            Listed::Bundled(name, _) => Some(Text::lasting(name.as_str())),
            Listed::Own(name, _) => Some(Text::from(name)),
        }
    }

    /// Who bills; nobody in particular where a price of the user's own holds for everyone.
    pub(super) fn biller(&self) -> Biller<'a> {
        self.provider.unwrap_or(Biller::NOBODY)
    }

    /// Whether the entry's prices cannot be meant and are not used.
    pub(super) fn is_refused(&self) -> bool {
        matches!(self.listed, Listed::Bundled(_, row) if row.is_refused())
    }
}

/// The prices for a call out of the bundled tables.
#[inline(always)]
pub(super) fn bundled<'a>(query: &PriceQuery<'a>, trace: Option<&mut Vec<String>>) -> Match<'a> {
    climb(query, at_seconds(query), trace).map_or_else(
        || Match {
            listed: Listed::Nowhere,
            rung: Rung::Unknown,
            provider: query
                .provider
                .or_else(|| query.host.and_then(names::of_host))
                .map(Biller::of),
        },
        Match::of,
    )
}

/// The prices for a call where the user has some: the user's own by the very names of the call, then
/// the name ladder, then the user's own by the key that the ladder found.
///
/// A price that holds from a later day on does not reach back over one that held before it. Where
/// there was none, the earliest is nearer to the truth than to know nothing: events may be older than
/// the first price list, and clocks may stand still in 1970.
pub(super) fn layered<'a>(
    query: &PriceQuery<'a>,
    overlay: &'a Overlay,
    trace: Option<&mut Vec<String>>,
) -> Match<'a> {
    let at_seconds = at_seconds(query);
    let provider = query
        .provider
        .or_else(|| query.host.and_then(names::of_host))
        .map(Biller::of);
    let by_name = |at_seconds: Option<u64>| {
        [Some(query.model), query.response_model]
            .into_iter()
            .flatten()
            .find_map(|name| own(overlay, name.trim(), provider, at_seconds))
    };
    if let Some(found) = by_name(Some(at_seconds)) {
        return found;
    }
    let matched = bundled(query, trace);
    if let Listed::Bundled(name, _) = matched.listed
        && let Some(found) = own(overlay, name.as_str(), matched.provider, Some(at_seconds))
    {
        return found;
    }
    if is_of_the_model(matched.rung) {
        return matched;
    }
    by_name(None).unwrap_or(matched)
}

/// The user's own prices under a name: those that held at an instant, or the earliest.
fn own<'a>(
    overlay: &'a Overlay,
    name: &str,
    provider: Option<Biller<'a>>,
    at_seconds: Option<u64>,
) -> Option<Match<'a>> {
    let (listed, entry) = overlay.find(name, provider, at_seconds)?;
    Some(Match {
        listed: Listed::Own(listed, entry),
        rung: Rung::Custom,
        provider: provider.or_else(|| entry.provider.as_deref().map(Biller::of)),
    })
}

#[inline(always)]
fn climb<'a>(query: &PriceQuery<'a>, at_seconds: u64, trace: Option<&mut Vec<String>>) -> Option<Found<'a>> {
    let hints = Hints {
        provider: query.provider,
        host: query.host,
        region: query.region,
        embedding: query.call_type == CallType::Embedding,
        at_seconds,
    };
    match hints.host.filter(|_| is_nobody(query.provider)) {
        Some(host) if is_nobody(names::of_host(host)) => climb_for_unknown_host(query, host, &hints, trace),
        _ => climb_for_call(query, &hints, trace),
    }
}

/// Whether a provider is none, or no more than some server inside the network.
fn is_nobody(provider: Option<&str>) -> bool {
    provider.is_none_or(|id| id.is_empty() || id == provider::ANY_LOCAL)
}

#[inline(always)]
fn climb_for_call<'a>(
    query: &PriceQuery<'a>,
    hints: &Hints<'a>,
    trace: Option<&mut Vec<String>>,
) -> Option<Found<'a>> {
    match query.response_model {
        Some(served) if served != query.model => climb_for_either(served, query.model, hints, trace),
        _ => names::resolve(query.model, hints, trace),
    }
}

/// Nobody knows who answers: in public the price of the model's maker stands in, inside a network nobody
/// can know what a model costs there.
fn climb_for_unknown_host<'a>(
    query: &PriceQuery<'a>,
    host: &str,
    hints: &Hints<'a>,
    mut trace: Option<&mut Vec<String>>,
) -> Option<Found<'a>> {
    let (host, _) = provider::normal_host(host);
    let is_private = provider::is_private_name(&host);
    if let Some(trace) = trace.as_deref_mut() {
        let stands = if is_private {
            "no price"
        } else {
            "the maker's price, as an estimate"
        };
        trace.push(format!(
            "nobody knows who answers at `{host}`: {stands}; to say who does, write `hosts: {{{host}: openai}}`, say, \
             in the rates file, or set `Config::hosts`, or name the provider"
        ));
    }
    if is_private {
        return None;
    }
    let mut found = climb_for_call(query, hints, trace)?;
    if found.rung != Rung::Legacy {
        found.rung = Rung::UnknownHost;
    }
    Some(found)
}

/// The model of the response is what was served; the one requested stands in where the response's
/// cannot be priced on a good rung.
fn climb_for_either<'a>(
    served: &'a str,
    requested: &'a str,
    hints: &Hints<'a>,
    mut trace: Option<&mut Vec<String>>,
) -> Option<Found<'a>> {
    let served = names::resolve(served, hints, trace.as_deref_mut());
    if let Some(found) = served
        && is_of_the_model(found.rung)
    {
        return served;
    }
    names::resolve(requested, hints, trace).or(served)
}

/// Whether a price found on this rung is the model's own, or that of the same model without a date.
const fn is_of_the_model(rung: Rung) -> bool {
    matches!(
        rung,
        Rung::Exact | Rung::Alias | Rung::SuffixStripped | Rung::UnknownHost | Rung::Legacy
    )
}

fn at_seconds(query: &PriceQuery<'_>) -> u64 {
    query.billed_at.unix_millis() / 1000
}
