//! The rungs whose price is not the model's own: buckets, vendors behind a router, defaults, and what
//! is free.

use super::forms;
use super::joined::Joined;
use super::ladder::{Ladder, Step};
use super::provider::{Biller, Kind};
use crate::pricing::query::Rung;

impl<'a> Ladder<'a, '_> {
    /// The rungs whose price is not the model's own.
    pub(super) fn stand_ins(&mut self, provider: Biller<'a>, name: &'a str) -> Option<Step> {
        match provider.kind {
            Kind::AzureAi => self.probe(&[b"azure/", name.as_bytes()], Rung::AzureFallback),
            Kind::OpenRouter | Kind::Vercel => self.router(provider, name),
            Kind::Together => self.bucket(together_bucket(name, self.embedding)?),
            Kind::Fireworks if !name.starts_with("accounts/") || name.starts_with("accounts/fireworks/") => {
                self.bucket(fireworks_bucket(name)?)
            }
            Kind::Replicate => Some(Step {
                hit: None,
                rung: Rung::ProviderDefault,
            }),
            _ => None,
        }
    }

    fn bucket(&mut self, key: &str) -> Option<Step> {
        self.look_up(key.as_bytes(), Rung::SizeBucket)
    }

    /// OpenRouter lists `vendor/model`, with variants after a colon; the vendor's price stands in.
    fn router(&mut self, provider: Biller<'a>, name: &'a str) -> Option<Step> {
        let (bare, variant) =
            forms::router_variant(name).map_or((name, None), |(bare, variant)| (bare, Some(variant)));
        if variant == Some("free") {
            return Some(Step {
                hit: None,
                rung: Rung::FreeVariant,
            });
        }
        if variant.is_some()
            && let Some(found) = self
                .both(provider, bare.as_bytes(), Rung::SuffixStripped)
                .or(self.retired())
        {
            return Some(found);
        }
        let (vendor, model) = bare.split_once('/')?;
        let vendor = router_vendor(vendor)?;
        let mut model = Joined::of(&[model.as_bytes()])?;
        if vendor.kind == Kind::Anthropic {
            model.replace(b'.', b'-');
        }
        self.provider = Some(vendor);
        let found = self.both(vendor, model.as_bytes(), Rung::VendorFallback);
        self.provider = Some(provider);
        self.legacy = None;
        found
    }

    pub(super) fn local(&mut self, name: &str, provider: Biller<'a>) -> Option<Step> {
        let (_, bare) = name
            .split_once('/')
            .filter(|(first, _)| *first == provider.name)
            .unwrap_or(("", name));
        if crate::provider::is_ollama_cloud(bare) {
            return None;
        }
        let listed = self.both(provider, bare.as_bytes(), Rung::Exact);
        listed.or(Some(Step {
            hit: None,
            rung: Rung::LocalFree,
        }))
    }
}

/// The maker that a router names in front of a model.
fn router_vendor(vendor: &str) -> Option<Biller<'static>> {
    let provider = crate::provider::by_name(vendor)?;
    let is_maker = !matches!(
        provider.kind,
        Kind::Local | Kind::Proxy | Kind::OpenRouter | Kind::Vercel | Kind::Replicate
    );
    is_maker.then(|| Biller::of(provider.price_key))
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
