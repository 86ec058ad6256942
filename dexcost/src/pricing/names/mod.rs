//! The name ladder: from the name on the wire to a key of the tables.
//!
//! Rungs are tried from the top, the first hit wins. An entry holds only for calls to its own
//! provider or family: a price of somebody else is never taken, except on the rungs that say so.
//! Nothing here allocates; a full miss is a handful of hashes.

mod forms;
mod provider;

use std::fmt::Write as _;

use super::query::Rung;
use super::table::{self, LONGEST_NAME, Name, Row};
use forms::Form;

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
pub(crate) fn resolve<'a>(
    model: &'a str,
    hints: Hints<'a>,
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
        .or_else(|| hints.host.and_then(of_host));
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
        hints,
        legacy: None,
        trace,
    };
    ladder.climb(name, untouched)
}

/// The first rung where no provider is known, which is the usual case: the name is a key.
#[inline]
fn listed(name: &str, untouched: bool, at_seconds: u64) -> Option<Found<'static>> {
    let hit = table::find(name.as_bytes())?;
    let row = hit.row(at_seconds);
    if row.is_legacy() {
        return None;
    }
    let exact = untouched && hit.as_str() == name;
    Some(Found {
        hit: Some((hit, row)),
        rung: if exact { Rung::Exact } else { Rung::Alias },
        provider: Provider::of_family(row.family(), row.family()),
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

struct Ladder<'a, 't> {
    provider: Option<Provider<'a>>,
    region: Option<&'a str>,
    hints: Hints<'a>,
    /// The first retired model met on the way; the last rung.
    legacy: Option<Found<'a>>,
    trace: Option<&'t mut Vec<String>>,
}

/// Room for a name put together from pieces, on the stack.
struct Joined {
    bytes: [u8; LONGEST_NAME],
    len: usize,
}

impl Joined {
    /// The pieces in a row; `None` where they are longer than any name of the tables.
    #[inline]
    fn of(pieces: &[&str]) -> Option<Self> {
        let mut joined = Self {
            bytes: [0; LONGEST_NAME],
            len: 0,
        };
        for piece in pieces {
            let end = joined.len + piece.len();
            joined
                .bytes
                .get_mut(joined.len..end)?
                .copy_from_slice(piece.as_bytes());
            joined.len = end;
        }
        Some(joined)
    }

    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl<'a> Ladder<'a, '_> {
    fn climb(&mut self, name: &'a str, untouched: bool) -> Option<Found<'a>> {
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
                let by_publisher = publisher
                    .and_then(|publisher| self.probe(&["vertex_ai/", publisher, "/", model], Rung::Alias));
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
        let found = self.both(provider, bare, rung);
        (bare, found)
    }

    /// `provider/name`, then `name`.
    #[inline]
    fn both(&mut self, provider: Provider<'a>, name: &str, rung: Rung) -> Option<Found<'a>> {
        let joined = Joined::of(&[provider.name, "/", name])?;
        if let Some(found) = self.look_up(joined.as_bytes(), rung) {
            return Some(found);
        }
        if provider.name.len() != provider.family.len()
            && let Some(found) = self.probe(&[provider.family, "/", name], rung)
        {
            return Some(found);
        }
        self.look_up(name.as_bytes(), rung)
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
            return self.probe(&[base], Rung::Alias);
        }
        let unstamped = self.dates(None, name);
        if unstamped.is_some() {
            return unstamped;
        }
        if let Some(bare) = forms::without_geo(name) {
            self.provider = Some(Provider::of("bedrock"));
            return self.probe(&[bare], Rung::SuffixStripped);
        }
        None
    }

    /// The shapes of one provider family, in which the name may be listed otherwise.
    fn normalised(&mut self, provider: Provider<'a>, name: &'a str) -> Option<Found<'a>> {
        if name.starts_with("ft:") {
            let base = forms::fine_tune_base(name)?;
            return self.both(provider, base, Rung::Alias);
        }
        let found = match provider.kind {
            Kind::Bedrock => self.bedrock(provider, name),
            Kind::VertexAi | Kind::Gemini | Kind::Databricks => self.google(provider, name),
            Kind::Azure | Kind::AzureAi => self.azure(provider, name),
            Kind::Replicate => {
                forms::without_replicate_version(name).and_then(|bare| self.both(provider, bare, Rung::Alias))
            }
            Kind::Fireworks if !name.contains('/') => {
                self.probe(&["fireworks_ai/accounts/fireworks/models/", name], Rung::Alias)
            }
            _ => None,
        };
        found
            .or_else(|| self.dates(Some(provider), name))
            .or(self.legacy)
            .or_else(|| self.stand_ins(provider, name))
    }

    /// The same date written otherwise, then the name without its date.
    fn dates(&mut self, provider: Option<Provider<'a>>, name: &str) -> Option<Found<'a>> {
        let dated = forms::dated(name)?;
        let dash = if dated.dashed { "" } else { "-" };
        let respelled = Joined::of(&[dated.bare, "-", dated.year, dash, dated.month, dash, dated.day])?;
        let respelled = std::str::from_utf8(respelled.as_bytes()).unwrap_or("");
        let mut at = |name: &str, rung| match provider {
            Some(provider) => self.both(provider, name, rung),
            None => self.look_up(name.as_bytes(), rung),
        };
        at(respelled, Rung::Alias).or_else(|| at(dated.bare, Rung::SuffixStripped))
    }

    /// `bedrock/<region>/<model>`, where the region is known and has a price of its own.
    fn bedrock_region(&mut self, name: &str) -> Option<Found<'a>> {
        let region = self.region?;
        let bare = bedrock_bare(name).0;
        self.probe(&["bedrock/", region, "/", bare], Rung::Exact)
    }

    fn bedrock(&mut self, provider: Provider<'a>, name: &'a str) -> Option<Found<'a>> {
        let (bare, region) = bedrock_bare(name);
        if bare.len() != name.len() {
            if let Some(region) = region {
                self.region = Some(region);
                if let Some(found) = self.bedrock_region(bare) {
                    return Some(found);
                }
            }
            if let Some(found) = self.both(provider, bare, Rung::Alias) {
                return Some(found);
            }
        }
        let short = forms::without_context_length(bare);
        if let Some(found) = short.and_then(|short| self.both(provider, short, Rung::SuffixStripped)) {
            return Some(found);
        }
        let ungeo = forms::without_geo(short.unwrap_or(bare))?;
        self.bedrock_region(ungeo)
            .map(|found| Found {
                rung: Rung::SuffixStripped,
                ..found
            })
            .or_else(|| self.both(provider, ungeo, Rung::SuffixStripped))
    }

    fn google(&mut self, provider: Provider<'a>, name: &'a str) -> Option<Found<'a>> {
        let mut bare = name;
        if let Some((publisher, rest)) = name.split_once('/')
            && matches!(
                publisher,
                "google" | "anthropic" | "meta" | "mistralai" | "models"
            )
        {
            bare = rest;
            if let Some(found) = self.both(provider, rest, Rung::Alias) {
                return Some(found);
            }
        }
        if provider.kind == Kind::VertexAi
            && let Some((undated, version)) = bare.split_once('@')
        {
            let rung = if version == "latest" || version == "default" {
                Rung::Alias
            } else {
                Rung::SuffixStripped
            };
            if let Some(found) = self.both(provider, undated, rung) {
                return Some(found);
            }
        }
        let unversioned = forms::without_stable_version(bare)?;
        self.both(provider, unversioned, Rung::SuffixStripped)
    }

    /// Azure writes `gpt-35-…` where OpenAI writes `gpt-3.5-…`; replies use either.
    fn azure(&mut self, provider: Provider<'a>, name: &str) -> Option<Found<'a>> {
        let respelled = if let Some(rest) = name.strip_prefix("gpt-3.5") {
            Joined::of(&["gpt-35", rest])?
        } else {
            Joined::of(&["gpt-3.5", name.strip_prefix("gpt-35")?])?
        };
        let respelled = std::str::from_utf8(respelled.as_bytes()).unwrap_or("");
        self.both(provider, respelled, Rung::Alias)
    }

    /// The rungs whose price is not the model's own.
    fn stand_ins(&mut self, provider: Provider<'a>, name: &'a str) -> Option<Found<'a>> {
        match provider.kind {
            Kind::AzureAi => self.probe(&["azure/", name], Rung::AzureFallback),
            Kind::OpenRouter => self.router(provider, name),
            Kind::Together => self.bucket(together_bucket(name, self.hints.embedding)?),
            Kind::Fireworks if !name.starts_with("accounts/") || name.starts_with("accounts/fireworks/") => {
                self.bucket(fireworks_bucket(name)?)
            }
            Kind::Replicate => Some(Found {
                hit: None,
                rung: Rung::ProviderDefault,
                provider,
            }),
            _ => None,
        }
    }

    fn bucket(&mut self, key: &str) -> Option<Found<'a>> {
        self.probe(&[key], Rung::SizeBucket)
    }

    /// OpenRouter lists `vendor/model`, with variants after a colon; the vendor's price stands in.
    fn router(&mut self, provider: Provider<'a>, name: &'a str) -> Option<Found<'a>> {
        let (bare, variant) =
            forms::router_variant(name).map_or((name, None), |(bare, variant)| (bare, Some(variant)));
        if variant == Some("free") {
            return Some(Found {
                hit: None,
                rung: Rung::FreeVariant,
                provider,
            });
        }
        if variant.is_some()
            && let Some(found) = self.both(provider, bare, Rung::SuffixStripped).or(self.legacy)
        {
            return Some(found);
        }
        let (vendor, model) = bare.split_once('/')?;
        let vendor = router_vendor(vendor)?;
        let mut dashed = [0u8; LONGEST_NAME];
        let dashed = dashed.get_mut(..model.len())?;
        dashed.copy_from_slice(model.as_bytes());
        if vendor.kind == Kind::Anthropic {
            dashed.iter_mut().filter(|b| **b == b'.').for_each(|b| *b = b'-');
        }
        let model = std::str::from_utf8(dashed).unwrap_or("");
        self.provider = Some(vendor);
        let found = self.both(vendor, model, Rung::VendorFallback);
        self.provider = Some(provider);
        self.legacy = None;
        found.map(|found| Found { provider, ..found })
    }

    fn local(&mut self, name: &str, provider: Provider<'a>) -> Option<Found<'a>> {
        let (_, bare) = name
            .split_once('/')
            .filter(|(first, _)| *first == provider.name)
            .unwrap_or(("", name));
        let listed = self.both(provider, bare, Rung::Exact);
        listed.or(Some(Found {
            hit: None,
            rung: Rung::LocalFree,
            provider,
        }))
    }

    /// Looks up a name put together from pieces.
    #[inline]
    fn probe(&mut self, pieces: &[&str], rung: Rung) -> Option<Found<'a>> {
        let joined = Joined::of(pieces)?;
        self.look_up(joined.as_bytes(), rung)
    }

    /// Looks one name up. The entry must belong to the provider, where one is known.
    #[inline]
    fn look_up(&mut self, wanted: &[u8], rung: Rung) -> Option<Found<'a>> {
        let hit = table::find(wanted);
        if self.trace.is_some() {
            self.note(wanted, rung, hit);
        }
        self.accept(hit?, wanted, rung)
    }

    #[inline]
    fn accept(&mut self, name: Name, wanted: &[u8], rung: Rung) -> Option<Found<'a>> {
        let row = name.row(self.hints.at_seconds);
        if !self.holds(row) {
            return None;
        }
        let provider = self
            .provider
            .unwrap_or_else(|| Provider::of_family(row.family(), row.family()));
        let rung = match rung {
            _ if provider.borrows(row.provider()) => Rung::AzureFallback,
            Rung::Exact if name.as_str().as_bytes() != wanted => Rung::Alias,
            rung => rung,
        };
        let found = Found {
            hit: Some((name, row)),
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
    fn note(&mut self, wanted: &[u8], rung: Rung, hit: Option<Name>) {
        let hit = hit.map(|name| (name, name.row(self.hints.at_seconds)));
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

/// A Bedrock id without route and region path, and that region.
fn bedrock_bare(name: &str) -> (&str, Option<&str>) {
    let mut bare = name.strip_prefix("bedrock/").unwrap_or(name);
    let mut region = None;
    while let Some((first, rest)) = bare.split_once('/') {
        if forms::is_region(first) {
            region = Some(first);
        } else if !matches!(
            first,
            "converse" | "converse_like" | "invoke" | "async_invoke" | "bedrock"
        ) {
            break;
        }
        bare = rest;
    }
    (bare, region)
}

/// OpenRouter's names of vendors.
fn router_vendor(vendor: &str) -> Option<Provider<'static>> {
    let name = match vendor {
        "openai" => "openai",
        "anthropic" => "anthropic",
        "google" => "gemini",
        "x-ai" => "xai",
        "deepseek" => "deepseek",
        "mistralai" => "mistral",
        "cohere" => "cohere",
        "perplexity" => "perplexity",
        "moonshotai" => "moonshot",
        "minimax" => "minimax",
        "z-ai" => "zai",
        "qwen" => "dashscope",
        "ai21" => "ai21",
        _ => return None,
    };
    Some(Provider::of(name))
}

/// Together's price bucket of a size.
fn together_bucket(name: &str, embedding: bool) -> Option<&'static str> {
    if embedding {
        return match forms::millions(name)? {
            0..=150 => Some("together-ai-embedding-up-to-150m"),
            151..=350 => Some("together-ai-embedding-151m-to-350m"),
            _ => None,
        };
    }
    match forms::billions(name)?.0 {
        0..=4 => Some("together-ai-up-to-4b"),
        5..=8 => Some("together-ai-4.1b-8b"),
        9..=21 => Some("together-ai-8.1b-21b"),
        22..=41 => Some("together-ai-21.1b-41b"),
        42..=80 => Some("together-ai-41.1b-80b"),
        81..=110 => Some("together-ai-81.1b-110b"),
        _ => None,
    }
}

/// Fireworks' price bucket of a size. Its default bucket lists zero, which is no price.
fn fireworks_bucket(name: &str) -> Option<&'static str> {
    match forms::billions(name)? {
        (0..=56, true) => Some("fireworks-ai-moe-up-to-56b"),
        (57..=176, true) => Some("fireworks-ai-56b-to-176b"),
        (0..=4, _) => Some("fireworks-ai-up-to-4b"),
        (5..=16, _) => Some("fireworks-ai-4.1b-to-16b"),
        _ => Some("fireworks-ai-above-16b"),
    }
}
