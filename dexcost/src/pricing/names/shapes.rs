//! The shapes of one provider family, in which a name may be listed otherwise than it travels.

use std::sync::LazyLock;

use super::forms;
use super::joined::Joined;
use super::ladder::{Ladder, Step};
use super::provider::{Biller, Kind};
use crate::pricing::query::Rung;
use crate::pricing::table;
use crate::text::same_bytes;

impl<'a> Ladder<'a, '_> {
    /// The shapes of one provider family, in which the name may be listed otherwise.
    pub(super) fn normalised(&mut self, provider: Biller<'a>, name: &'a str) -> Option<Step> {
        if name.starts_with("ft:") {
            let base = forms::fine_tune_base(name)?;
            return self.both(provider, base.as_bytes(), Rung::Alias);
        }
        let found = match provider.kind {
            Kind::Bedrock => self.bedrock(provider, name),
            Kind::VertexAi | Kind::Gemini | Kind::Databricks => self.google(provider, name),
            Kind::Azure | Kind::AzureAi => self.azure(provider, name),
            Kind::Replicate => forms::without_replicate_version(name)
                .and_then(|bare| self.both(provider, bare.as_bytes(), Rung::Alias)),
            Kind::Fireworks if !name.contains('/') => self.probe(
                &[b"fireworks_ai/accounts/fireworks/models/", name.as_bytes()],
                Rung::Alias,
            ),
            _ => None,
        };
        found
            .or_else(|| self.dates(Some(provider), name))
            .or(self.retired())
            .or_else(|| self.stand_ins(provider, name))
    }

    /// The same date written otherwise, then the name without its date.
    pub(super) fn dates(&mut self, provider: Option<Biller<'a>>, name: &str) -> Option<Step> {
        let dated = forms::dated(name)?;
        let [y, z, c, d, m, n, e, f] = dated.digits;
        let respelled = if dated.dashed {
            Joined::of(&[dated.bare.as_bytes(), &[b'-', y, z, c, d, m, n, e, f]])
        } else {
            Joined::of(&[dated.bare.as_bytes(), &[b'-', y, z, c, d, b'-', m, n, b'-', e, f]])
        }?;
        let mut at = |name: &[u8], rung| match provider {
            Some(provider) => self.both(provider, name, rung),
            None => self.look_up(name, rung),
        };
        at(respelled.as_bytes(), Rung::Alias).or_else(|| at(dated.bare.as_bytes(), Rung::SuffixStripped))
    }

    /// `bedrock/<region>/<model>`, where the region is known and has a price of its own.
    pub(super) fn bedrock_region(&mut self, name: &str) -> Option<Step> {
        let region = self.region?;
        let bare = bedrock_bare(name).0;
        self.probe(
            &[b"bedrock/", region.as_bytes(), b"/", bare.as_bytes()],
            Rung::Exact,
        )
    }

    fn bedrock(&mut self, provider: Biller<'a>, name: &'a str) -> Option<Step> {
        let (bare, region) = bedrock_bare(name);
        if bare.len() != name.len() {
            if let Some(region) = region {
                self.region = Some(region);
                if let Some(found) = self.bedrock_region(bare) {
                    return Some(found);
                }
            }
            if let Some(found) = self.both(provider, bare.as_bytes(), Rung::Alias) {
                return Some(found);
            }
        }
        let short = forms::without_context_length(bare);
        if let Some(found) =
            short.and_then(|short| self.both(provider, short.as_bytes(), Rung::SuffixStripped))
        {
            return Some(found);
        }
        let short = short.unwrap_or(bare);
        let ungeo = forms::without_geo(short);
        let found = ungeo.and_then(|ungeo| {
            self.bedrock_region(ungeo)
                .map(|found| Step {
                    rung: Rung::SuffixStripped,
                    ..found
                })
                .or_else(|| self.both(provider, ungeo.as_bytes(), Rung::SuffixStripped))
        });
        if found.is_some() || !has_listed_vendor(ungeo.unwrap_or(short)) {
            return found;
        }
        self.other_revision(short).or_else(|| self.other_revision(ungeo?))
    }

    /// The same model in another revision, where the table lacks this one: without it, or, where the name has
    /// none, with the first one. Bedrock's models are listed by their bare names.
    fn other_revision(&mut self, name: &str) -> Option<Step> {
        let Some(shorter) = forms::without_revision(name) else {
            return [&b"-v1:0"[..], b"-v1"]
                .into_iter()
                .find_map(|revision| self.probe(&[name.as_bytes(), revision], Rung::SuffixStripped));
        };
        self.look_up(shorter.as_bytes(), Rung::SuffixStripped)
            .or_else(|| {
                let bare = forms::without_revision(shorter)?;
                self.look_up(bare.as_bytes(), Rung::SuffixStripped)
            })
    }

    fn google(&mut self, provider: Biller<'a>, name: &'a str) -> Option<Step> {
        let mut bare = name;
        if let Some((publisher, rest)) = name.split_once('/')
            && matches!(
                publisher,
                "google" | "anthropic" | "meta" | "mistralai" | "models"
            )
        {
            bare = rest;
            if let Some(found) = self.both(provider, rest.as_bytes(), Rung::Alias) {
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
            if let Some(found) = self.both(provider, undated.as_bytes(), rung) {
                return Some(found);
            }
        }
        let unversioned = forms::without_stable_version(bare)
            .and_then(|bare| self.both(provider, bare.as_bytes(), Rung::SuffixStripped));
        unversioned.or_else(|| self.with_publisher(provider, bare))
    }

    /// Models that Vertex serves for others are listed under their publisher, which callers may leave out.
    fn with_publisher(&mut self, provider: Biller<'a>, name: &str) -> Option<Step> {
        const PUBLISHERS: &[&str] = &[
            "meta",
            "mistralai",
            "deepseek-ai",
            "qwen",
            "openai",
            "moonshotai",
            "minimaxai",
            "zai-org",
            "xai",
        ];
        if provider.kind != Kind::VertexAi || name.contains('/') {
            return None;
        }
        PUBLISHERS.iter().find_map(|publisher| {
            self.probe(
                &[b"vertex_ai/", publisher.as_bytes(), b"/", name.as_bytes()],
                Rung::Alias,
            )
        })
    }

    /// Azure writes `gpt-35-…` where OpenAI writes `gpt-3.5-…`; replies use either.
    fn azure(&mut self, provider: Biller<'a>, name: &str) -> Option<Step> {
        let respelled = if let Some(rest) = name.strip_prefix("gpt-3.5") {
            Joined::of(&[b"gpt-35", rest.as_bytes()])
        } else {
            name.strip_prefix("gpt-35")
                .and_then(|rest| Joined::of(&[b"gpt-3.5", rest.as_bytes()]))
        };
        let found = respelled.and_then(|name| self.both(provider, name.as_bytes(), Rung::Alias));
        // Foundry's models answer at the same resources and are listed apart.
        found.or_else(|| match provider.kind {
            Kind::Azure => self.probe(&[b"azure_ai/", name.as_bytes()], Rung::Alias),
            _ => None,
        })
    }
}

/// Whether Bedrock lists anything by the vendor that a name begins with: of nobody else a model has another
/// revision.
fn has_listed_vendor(name: &str) -> bool {
    static VENDORS: LazyLock<Vec<&str>> = LazyLock::new(|| {
        let bedrock = table::all().filter(|name| name.row(u64::MAX).family() == "bedrock");
        let vendors = bedrock.filter_map(|name| vendor_of(bedrock_bare(name.as_str()).0));
        let mut vendors: Vec<_> = vendors.collect();
        vendors.sort_unstable();
        vendors.dedup();
        vendors
    });
    let is = |vendor: &str, listed: &&str| same_bytes(listed.as_bytes(), vendor.as_bytes());
    vendor_of(name).is_some_and(|vendor| VENDORS.iter().any(|listed| is(vendor, listed)))
}

/// What stands before the first dot of a name, without its geography.
fn vendor_of(name: &str) -> Option<&str> {
    let name = forms::without_geo(name).unwrap_or(name);
    let dot = memchr::memchr(b'.', name.as_bytes())?;
    name.get(..dot)
}

/// A Bedrock id without route and region path, and that region.
fn bedrock_bare(name: &str) -> (&str, Option<&str>) {
    if memchr::memchr(b'/', name.as_bytes()).is_none() {
        return (name, None);
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vendors_are_those_of_bedrocks_own_list() {
        for listed in ["anthropic.x", "us.amazon.x", "openai.x-v1:0", "ai21.x"] {
            assert!(has_listed_vendor(listed), "{listed}");
        }
        for other in ["acme.brain", "us.acme.brain", "us.", "brain", ""] {
            assert!(!has_listed_vendor(other), "{other}");
        }
    }
}
