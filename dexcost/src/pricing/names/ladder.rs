//! The rungs that all providers share, and how one name is looked up.

use std::fmt::Write as _;

use super::Found;
use super::forms::{self, Form};
use super::joined::Joined;
use super::provider::{Biller, Kind};
use crate::pricing::query::Rung;
use crate::pricing::table::{self, Hit, Name, Piece, Row};
use crate::text::same_bytes;

/// What one rung found. It fits a register, as every rung hands it on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// The key and its prices; `None` where the price is no entry.
    pub(super) hit: Option<(Name, Row)>,
    /// The rung.
    pub(super) rung: Rung,
}

/// One climb.
pub(super) struct Ladder<'a, 't> {
    /// Who bills, as far as it is known so far.
    pub(super) provider: Option<Biller<'a>>,
    /// The region, where it is known.
    pub(super) region: Option<&'a str>,
    /// Whether embeddings are asked for, which have buckets of their own.
    pub(super) embedding: bool,
    /// The instant of billing, in seconds since 1970.
    pub(super) at_seconds: u64,
    /// The first retired model met on the way, the last rung, and who billed it.
    pub(super) legacy: Option<(Step, Biller<'a>)>,
    /// Where every step is noted, for people.
    pub(super) trace: Option<&'t mut Vec<String>>,
}

impl<'a> Ladder<'a, '_> {
    /// Finds what a name means, on the first rung or, where that was tried, above it.
    pub(super) fn find(&mut self, name: &'a str, untouched: bool, from_second: bool) -> Option<Found<'a>> {
        let step = match self.provider {
            Some(provider) if from_second => self.normalised(provider, name).or(self.retired()),
            _ => self.climb(name, untouched),
        };
        let Step { hit, rung } = step?;
        let provider = match (self.legacy, hit) {
            (Some((_, provider)), _) if rung == Rung::Legacy => provider,
            (_, Some((_, row))) => self.biller(row),
            (_, None) => self.provider.unwrap_or(Biller::NOBODY),
        };
        Some(Found { hit, rung, provider })
    }

    /// Who bills what was found: the provider of the call, else that of the prices.
    #[inline]
    fn biller(&self, row: Row) -> Biller<'a> {
        self.provider.unwrap_or_else(|| Biller::of_family(row.family()))
    }

    /// What the last rung found.
    pub(super) fn retired(&self) -> Option<Step> {
        self.legacy.map(|(step, _)| step)
    }

    /// From the first rung to the last.
    fn climb(&mut self, name: &'a str, untouched: bool) -> Option<Step> {
        let rung = if untouched { Rung::Exact } else { Rung::Alias };
        let found = match forms::read(name) {
            Form::Plain => self.plain(name, rung),
            Form::Opaque => return None,
            Form::Model {
                model,
                publisher,
                region,
                provider,
            } => {
                self.provider = self.provider.or(Some(Biller::of(provider)));
                self.region = region.or(self.region);
                let by_publisher = publisher.and_then(|publisher| {
                    self.probe(
                        &[b"vertex_ai/", publisher.as_bytes(), b"/", model.as_bytes()],
                        Rung::Alias,
                    )
                });
                by_publisher.or_else(|| self.plain(model, Rung::Alias))
            }
        };
        found.or(self.retired())
    }

    /// A name without a path around it.
    fn plain(&mut self, name: &'a str, rung: Rung) -> Option<Step> {
        let Some(provider) = self.provider else {
            return self.without_provider(name, rung);
        };
        if provider.kind == Kind::Local {
            return self.local(name, provider);
        }
        if provider.kind == Kind::Bedrock
            && let Some(found) = self.bedrock_region(name)
        {
            return Some(found);
        }
        let (bare, found) = self.under_provider(provider, name, rung);
        if found.is_some() {
            return found;
        }
        self.normalised(provider, bare)
    }

    /// `provider/name` and `name`; where the name brings the prefix itself, that one first, then
    /// without it, however often it is repeated. Also returns what is left of the name.
    #[inline]
    fn under_provider(&mut self, provider: Biller<'a>, name: &'a str, rung: Rung) -> (&'a str, Option<Step>) {
        let mut bare = name;
        let mut rung = rung;
        while let Some(rest) = without_prefix(bare, provider.name) {
            if let Some(found) = self.look_up(bare.as_bytes(), rung) {
                return (bare, Some(found));
            }
            bare = rest;
            rung = Rung::Alias;
        }
        let found = self.both(provider, bare.as_bytes(), rung);
        (bare, found)
    }

    /// `provider/name`, then `name`.
    #[inline]
    pub(super) fn both(&mut self, provider: Biller<'a>, name: &[u8], rung: Rung) -> Option<Step> {
        let piece = Piece::of(name)?;
        if let Some(found) = self.under(provider.name, piece, rung) {
            return Some(found);
        }
        let family = provider.family();
        if provider.name.len() != family.len()
            && let Some(found) = self.under(family, piece, rung)
        {
            return Some(found);
        }
        let hit = piece.find();
        if self.trace.is_some() {
            self.note(name, rung, hit);
        }
        self.accept(hit?, rung)
    }

    /// `head/name`.
    #[inline]
    fn under(&mut self, head: &str, name: Piece<'_>, rung: Rung) -> Option<Step> {
        let hit = name.find_under(Piece::of(head.as_bytes())?);
        if self.trace.is_some() {
            self.note(&[head.as_bytes(), b"/", name.as_bytes()].concat(), rung, hit);
        }
        self.accept(hit?, rung)
    }

    /// Nothing but a name: a key as it is, or one whose first segment names the provider.
    fn without_provider(&mut self, name: &'a str, rung: Rung) -> Option<Step> {
        if let Some(found) = self.look_up(name.as_bytes(), rung) {
            return Some(found);
        }
        if let Some((first, rest)) = forms::provider_prefix(name).or_else(|| name.split_once('/')) {
            let provider = Biller::of(first);
            if provider.kind != Kind::Proxy {
                self.provider = Some(provider);
            }
            return match forms::read(rest) {
                Form::Opaque => None,
                Form::Plain => self.plain(rest, Rung::Alias),
                Form::Model { .. } => self.climb(rest, false),
            };
        }
        if let Some(base) = forms::fine_tune_base(name) {
            return self.look_up(base.as_bytes(), Rung::Alias);
        }
        let unstamped = self.dates(None, name);
        if unstamped.is_some() {
            return unstamped;
        }
        if let Some(bare) = forms::without_geo(name) {
            self.provider = Some(Biller::of("bedrock"));
            return self.look_up(bare.as_bytes(), Rung::SuffixStripped);
        }
        None
    }

    /// Looks up a name put together from pieces.
    #[inline]
    pub(super) fn probe(&mut self, pieces: &[&[u8]], rung: Rung) -> Option<Step> {
        let joined = Joined::of(pieces)?;
        self.look_up(joined.as_bytes(), rung)
    }

    /// Looks one name up. The entry must belong to the provider, where one is known.
    #[inline]
    pub(super) fn look_up(&mut self, wanted: &[u8], rung: Rung) -> Option<Step> {
        let hit = table::find(wanted);
        if self.trace.is_some() {
            self.note(wanted, rung, hit);
        }
        self.accept(hit?, rung)
    }

    /// Takes what was found, where it belongs to the provider; a retired model is kept for last.
    #[inline]
    fn accept(&mut self, hit: Hit, rung: Rung) -> Option<Step> {
        let row = hit.name.row(self.at_seconds);
        let mut rung = if hit.exact || rung != Rung::Exact {
            rung
        } else {
            Rung::Alias
        };
        if let Some(provider) = &self.provider
            && !same_bytes(provider.family().as_bytes(), row.family().as_bytes())
        {
            if !provider.borrows(row.provider()) {
                return None;
            }
            rung = match provider.kind {
                // The other list of the same bill.
                Kind::Azure => Rung::Alias,
                _ => Rung::AzureFallback,
            };
        }
        let hit = Some((hit.name, row));
        if row.is_legacy() {
            self.keep_retired(hit, row);
            return None;
        }
        Some(Step { hit, rung })
    }

    #[cold]
    fn keep_retired(&mut self, hit: Option<(Name, Row)>, row: Row) {
        let step = Step {
            hit,
            rung: Rung::Legacy,
        };
        self.legacy = self.legacy.or(Some((step, self.biller(row))));
    }

    #[cold]
    fn note(&mut self, wanted: &[u8], rung: Rung, hit: Option<Hit>) {
        let hit = hit.map(|hit| (hit.name, hit.name.row(self.at_seconds)));
        let accepted = hit.is_some_and(|(_, row)| {
            self.provider
                .is_none_or(|provider| provider.takes(row.provider(), row.family()))
        });
        let Some(trace) = self.trace.as_mut() else { return };
        let mut line = format!("`{}` ({rung}): ", String::from_utf8_lossy(wanted));
        let said = match hit {
            None => write!(line, "not listed"),
            Some((name, row)) if !accepted => {
                write!(line, "`{}` belongs to {}", name.as_str(), row.provider())
            }
            Some((_, row)) if row.is_legacy() => write!(line, "a retired model; kept for last"),
            Some((name, _)) => write!(line, "found `{}`", name.as_str()),
        };
        if said.is_ok() {
            trace.push(line);
        }
    }
}

/// What follows `prefix/`.
#[inline]
pub(super) fn without_prefix<'a>(name: &'a str, prefix: &str) -> Option<&'a str> {
    name.strip_prefix(prefix)?
        .strip_prefix(['/', ':', '|'])
        .map(|rest| rest.trim_start_matches(':'))
        .filter(|rest| !rest.is_empty())
}
