//! The price card of one call: which of a model's prices hold for it.

use rust_decimal::Decimal;

use crate::pricing::entry::Entry;
use crate::pricing::table::{Code, Component, Rates, Tier};
use crate::provider::BillingQuirks;

/// The prices that hold for one call.
///
/// Every price is found the same way: the prices of the open off-peak window, else those of the range
/// that the prompt falls into, else the listed ones of the tier and of the highest threshold that the
/// prompt exceeds. What is not listed falls back as the rules say, component by component.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Card<'a> {
    entry: Entry<'a>,
    rates: Rates<'a>,
    tier: Tier,
    batch: bool,
    range: Option<Rates<'a>>,
    off_peak: Option<Rates<'a>>,
    /// The prompt, where any threshold may be exceeded.
    prompt: Option<u64>,
    quirks: BillingQuirks,
}

impl<'a> Card<'a> {
    /// The card for a prompt of so many tokens, billed at an instant (seconds since 1970).
    pub(crate) fn new(
        entry: Entry<'a>,
        tier: Tier,
        batch: bool,
        prompt: u64,
        at_seconds: u64,
        quirks: BillingQuirks,
    ) -> Self {
        let rates = entry.rates();
        Self {
            entry,
            rates,
            tier: if quirks.no_tiers || batch {
                Tier::Standard
            } else {
                tier
            },
            batch,
            range: entry
                .range_for_prompt(prompt)
                .map(|range| range.rates)
                .filter(|rates| rates.get(Code::plain(Component::Input)).is_some()),
            off_peak: if batch {
                None
            } else {
                entry.open_off_peak(at_seconds)
            },
            prompt: rates.has_thresholds().then_some(prompt),
            quirks,
        }
    }

    /// The threshold places that the prompt exceeds, ascending.
    fn crossed(&self) -> impl Iterator<Item = usize> + use<'a> {
        let (entry, inclusive, prompt) = (self.entry, self.quirks.inclusive_thresholds, self.prompt);
        (1..).map_while(move |place| {
            let prompt = prompt?;
            let limit = entry.threshold(place)?;
            (prompt > limit || (inclusive && prompt == limit)).then_some(place)
        })
    }

    /// The prompt sizes that the prompt exceeds and that have prices here, ascending.
    pub(crate) fn thresholds_in_force(&self) -> Vec<u64> {
        let listed = |place: usize| {
            (0..self.rates.len())
                .filter_map(|at| self.rates.nth(at))
                .any(|(code, _)| code.threshold() == place)
        };
        self.crossed()
            .filter(|place| listed(*place))
            .filter_map(|place| self.entry.threshold(place))
            .collect()
    }

    /// The listed price in a tier, above the highest threshold that lists one; without a price of the
    /// tier the plain one stands in, also above the threshold.
    fn listed(&self, component: Component) -> Option<Decimal> {
        let at = |place| {
            let tiered = if self.tier == Tier::Standard {
                None
            } else {
                self.rates.get(Code::of(component, self.tier, place))
            };
            tiered.or_else(|| self.rates.get(Code::of(component, Tier::Standard, place)))
        };
        let mut price = at(0);
        for place in self.crossed() {
            price = at(place).or(price);
        }
        price
    }

    /// The listed price of the batch interface, above the highest threshold that lists one.
    fn batch_listed(&self, component: Component) -> Option<Decimal> {
        let mut price = self.rates.get(Code::of(component, Tier::Batch, 0));
        for place in self.crossed() {
            price = self.rates.get(Code::of(component, Tier::Batch, place)).or(price);
        }
        price
    }

    fn special(&self, component: Component) -> Option<Decimal> {
        let code = Code::plain(component);
        self.off_peak
            .and_then(|rates| rates.get(code))
            .or_else(|| self.range.and_then(|rates| rates.get(code)))
    }

    fn half(price: Option<Decimal>) -> Option<Decimal> {
        price?.checked_mul(Decimal::from_parts(5, 0, 0, false, 1))
    }

    /// A prompt token.
    pub(crate) fn input(&self) -> Option<Decimal> {
        if self.batch {
            return self
                .batch_listed(Component::Input)
                .or_else(|| Self::half(self.plain_input()));
        }
        self.plain_input()
    }

    fn plain_input(&self) -> Option<Decimal> {
        self.special(Component::Input)
            .or_else(|| self.listed(Component::Input))
    }

    /// A completion token. A model that lists nothing, or zero, but a price of image tokens makes
    /// images: that is then the price of its output. The batch interface knows no such stand-in.
    pub(crate) fn output(&self) -> Option<Decimal> {
        let listed = || {
            self.special(Component::Output)
                .or_else(|| self.listed(Component::Output))
        };
        if self.batch {
            return self
                .batch_listed(Component::Output)
                .or_else(|| Self::half(listed()));
        }
        match listed() {
            Some(price) if !price.is_zero() => Some(price),
            price => self.rates.get(Code::plain(Component::OutputImageToken)).or(price),
        }
    }

    /// A token read from a cache; the input price where none is listed.
    pub(crate) fn cache_read(&self) -> Option<Decimal> {
        if self.batch {
            if let Some(input) = self.batch_listed(Component::Input) {
                return self.batch_listed(Component::CacheRead).or(Some(input));
            }
            return Self::half(self.plain_cache_read());
        }
        self.plain_cache_read()
    }

    fn plain_cache_read(&self) -> Option<Decimal> {
        if let Some(price) = self.special(Component::CacheRead) {
            return Some(price);
        }
        if self.range.is_some() {
            return self.plain_input();
        }
        self.listed(Component::CacheRead).or_else(|| {
            let input = self.plain_input();
            if self.quirks.half_price_reads {
                Self::half(input)
            } else {
                input
            }
        })
    }

    /// An audio token read from a cache.
    pub(crate) fn cache_read_audio(&self) -> Option<Decimal> {
        self.modality(Component::CacheReadAudio)
            .or_else(|| self.cache_read())
    }

    /// An image token read from a cache.
    pub(crate) fn cache_read_image(&self) -> Option<Decimal> {
        self.modality(Component::CacheReadImage)
            .or_else(|| self.cache_read())
    }

    /// A token written to a cache for minutes; the input price where none is listed.
    pub(crate) fn cache_write(&self) -> Option<Decimal> {
        if self.batch {
            if let Some(input) = self.batch_listed(Component::Input) {
                return self.batch_listed(Component::CacheWrite).or(Some(input));
            }
            return Self::half(self.plain_cache_write());
        }
        self.plain_cache_write()
    }

    fn plain_cache_write(&self) -> Option<Decimal> {
        if let Some(price) = self.special(Component::CacheWrite) {
            return Some(price);
        }
        if self.range.is_some() {
            return self.plain_input();
        }
        self.listed(Component::CacheWrite).or_else(|| self.plain_input())
    }

    /// A token written for longer; the price of minutes where none is listed.
    pub(crate) fn cache_write_long(&self, component: Component) -> Option<Decimal> {
        if self.batch {
            return self
                .batch_listed(component)
                .or_else(|| {
                    let batched = self.batch_listed(Component::Input).is_none()
                        || self.batch_listed(Component::CacheWrite).is_some();
                    if batched {
                        Self::half(self.listed(component))
                    } else {
                        None
                    }
                })
                .or_else(|| self.cache_write());
        }
        if let Some(range) = self.range {
            return range.get(Code::plain(component)).or_else(|| self.cache_write());
        }
        self.listed(component).or_else(|| self.cache_write())
    }

    /// A reasoning token.
    pub(crate) fn reasoning(&self) -> Option<Decimal> {
        if self.batch || self.quirks.flat_output {
            return self.output();
        }
        let code = Code::plain(Component::Reasoning);
        if let Some(price) = self.off_peak.and_then(|rates| rates.get(code)) {
            return Some(price);
        }
        if let Some(range) = self.range {
            let in_range = range
                .get(code)
                .or_else(|| range.get(Code::plain(Component::Output)));
            if in_range.is_some() {
                return in_range;
            }
        }
        if self.tier != Tier::Standard {
            if let Some(price) = self.rates.get(Code::of(Component::Reasoning, self.tier, 0)) {
                return Some(price);
            }
            if self
                .rates
                .get(Code::of(Component::Output, self.tier, 0))
                .is_some()
            {
                return self.output();
            }
        }
        self.rates.get(code).or_else(|| self.output())
    }

    /// A prompt token of a modality; the input price where none is listed.
    pub(crate) fn input_modality(&self, component: Component) -> Option<Decimal> {
        if self.quirks.flat_input {
            return self.input();
        }
        self.modality(component).or_else(|| self.input())
    }

    /// A completion token of a modality; the output price where none is listed.
    pub(crate) fn output_modality(&self, component: Component) -> Option<Decimal> {
        if self.quirks.flat_output {
            return self.output();
        }
        self.modality(component).or_else(|| self.output())
    }

    fn modality(&self, component: Component) -> Option<Decimal> {
        let plain = || self.rates.get(Code::plain(component));
        if self.batch {
            return self
                .rates
                .get(Code::of(component, Tier::Batch, 0))
                .or_else(|| Self::half(plain()));
        }
        if self.tier == Tier::Standard {
            return plain();
        }
        self.rates.get(Code::of(component, self.tier, 0)).or_else(plain)
    }
}
