//! The rungs that all providers share, and how one name is looked up.

use std::fmt::Write as _;

use super::forms::{self, Form};
use super::joined::Joined;
use super::provider::{Kind, Provider};
use super::{Found, Hints};
use crate::pricing::query::Rung;
use crate::pricing::table::{self, Hit, Piece, Row};

/// One climb.
pub(super) struct Ladder<'a, 't> {
    /// Who bills, as far as it is known so far.
    pub(super) provider: Option<Provider<'a>>,
    /// The region, where it is known.
    pub(super) region: Option<&'a str>,
    /// What is known besides the name.
    pub(super) hints: Hints<'a>,
    /// The first retired model met on the way; the last rung.
    pub(super) legacy: Option<Found<'a>>,
    /// Where every step is noted, for people.
    pub(super) trace: Option<&'t mut Vec<String>>,
}

impl<'a> Ladder<'a, '_> {
    /// From the first rung to the last.
    pub(super) fn climb(&mut self, name: &'a str, untouched: bool) -> Option<Found<'a>> {
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
                self.provider = self.provider.or(Some(Provider::of(provider)));
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
        found.or(self.legacy)
    }

    /// A name without a path around it.
    fn plain(&mut self, name: &'a str, rung: Rung) -> Option<Found<'a>> {
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
    fn under_provider(
        &mut self,
        provider: Provider<'a>,
        name: &'a str,
        rung: Rung,
    ) -> (&'a str, Option<Found<'a>>) {
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
    pub(super) fn both(&mut self, provider: Provider<'a>, name: &[u8], rung: Rung) -> Option<Found<'a>> {
        let piece = Piece::of(name)?;
        if let Some(found) = self.under(provider.name, piece, rung) {
            return Some(found);
        }
        if provider.name.len() != provider.family.len()
            && let Some(found) = self.under(provider.family, piece, rung)
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
    fn under(&mut self, head: &str, name: Piece<'_>, rung: Rung) -> Option<Found<'a>> {
        let hit = name.find_under(Piece::of(head.as_bytes())?);
        if self.trace.is_some() {
            self.note(&[head.as_bytes(), b"/", name.as_bytes()].concat(), rung, hit);
        }
        self.accept(hit?, rung)
    }

    /// Nothing but a name: a key as it is, or one whose first segment names the provider.
    fn without_provider(&mut self, name: &'a str, rung: Rung) -> Option<Found<'a>> {
        if let Some(found) = self.look_up(name.as_bytes(), rung) {
            return Some(found);
        }
        if let Some((first, rest)) = name.split_once('/') {
            let provider = Provider::of(first);
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
            self.provider = Some(Provider::of("bedrock"));
            return self.look_up(bare.as_bytes(), Rung::SuffixStripped);
        }
        None
    }

    /// Looks up a name put together from pieces.
    #[inline]
    pub(super) fn probe(&mut self, pieces: &[&[u8]], rung: Rung) -> Option<Found<'a>> {
        let joined = Joined::of(pieces)?;
        self.look_up(joined.as_bytes(), rung)
    }

    /// Looks one name up. The entry must belong to the provider, where one is known.
    #[inline]
    pub(super) fn look_up(&mut self, wanted: &[u8], rung: Rung) -> Option<Found<'a>> {
        let hit = table::find(wanted);
        if self.trace.is_some() {
            self.note(wanted, rung, hit);
        }
        self.accept(hit?, rung)
    }

    /// Takes what was found, where it belongs to the provider; a retired model is kept for last.
    #[inline]
    fn accept(&mut self, hit: Hit, rung: Rung) -> Option<Found<'a>> {
        let row = hit.name.row(self.hints.at_seconds);
        if !self.holds(row) {
            return None;
        }
        let provider = self.provider.unwrap_or_else(|| {
            let family = row.family();
            Provider::of_family(family, family)
        });
        let rung = match rung {
            _ if provider.kind == Kind::AzureAi && provider.borrows(row.provider()) => Rung::AzureFallback,
            Rung::Exact if !hit.exact => Rung::Alias,
            rung => rung,
        };
        let found = Found {
            hit: Some((hit.name, row)),
            rung,
            provider,
        };
        if row.is_legacy() {
            self.legacy = self.legacy.or(Some(Found {
                rung: Rung::Legacy,
                ..found
            }));
            return None;
        }
        Some(found)
    }

    /// Whether the row belongs to the provider, where one is known.
    #[inline]
    fn holds(&self, row: Row) -> bool {
        self.provider
            .is_none_or(|provider| provider.takes(row.provider(), row.family()))
    }

    #[cold]
    fn note(&mut self, wanted: &[u8], rung: Rung, hit: Option<Hit>) {
        let hit = hit.map(|hit| (hit.name, hit.name.row(self.hints.at_seconds)));
        let accepted = hit.is_some_and(|(_, row)| self.holds(row));
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

fn without_prefix<'a>(name: &'a str, prefix: &str) -> Option<&'a str> {
    name.strip_prefix(prefix)?
        .strip_prefix('/')
        .filter(|rest| !rest.is_empty())
}
