//! The engine: one question in, one priced answer out.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwapOption;

use super::answer::{Cost, answer, version};
use super::matching::{self, Match};
use super::overlay::Overlay;
use super::overrides::{self, PerTokens};
use super::query::{CostResult, Itemized, PriceQuery, Resolution, Rung};
use super::sized;
use rust_decimal::Decimal;

use crate::clock::Timestamp;
use crate::error::Error;
use crate::event::CallType;
use crate::money::Amount;
use crate::text::Text;
use crate::usage::{Unit, Usage};

/// Calculates what model calls cost.
///
/// The bundled tables are compiled in, so an engine costs nothing to make. Prices of your own go over
/// them, by [`set_custom_pricing`](Self::set_custom_pricing) or from a file
/// ([`load_overrides`](Self::load_overrides)), also while calls are being priced: every call sees one
/// consistent set.
///
/// ```
/// use dexcost::{PriceQuery, PricingEngine, Timestamp, Unit, Usage, dec};
///
/// let engine = PricingEngine::new();
/// engine.set_custom_pricing("in-house-7b", "0.0002", "0.0006")?;
/// let usage = Usage::new().with(Unit::InputTokens, 1500).with(Unit::OutputTokens, 500);
/// let result = engine.price(&PriceQuery::new("in-house-7b", &usage, Timestamp::from_unix_micros(0)));
/// assert_eq!(result.cost_usd, Some(dec!(0.0006)));
/// # Ok::<(), dexcost::Error>(())
/// ```
#[derive(Default)]
pub struct PricingEngine {
    overlay: ArcSwapOption<Overlay>,
    /// Whether there is an overlay at all: most programs have none, and this is cheaper to ask.
    is_layered: AtomicBool,
}

impl fmt::Debug for PricingEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PricingEngine")
            .field("pricing_version", &self.pricing_version())
            .finish_non_exhaustive()
    }
}

impl PricingEngine {
    /// An engine over the bundled tables. Does nothing but that: no parsing, no allocation.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The cost of one call.
    ///
    /// The answer is never a silent zero: where nothing could be priced, `cost_usd` is `None`; where
    /// only a part could, the parts are summed and `unpriced` names the others. Both have confidence
    /// [`Unknown`](crate::CostConfidence::Unknown). Usage that cannot be true (more cached than given,
    /// negative) is clamped and lowers the confidence to
    /// [`Estimated`](crate::CostConfidence::Estimated), as does every stand-in price.
    #[must_use]
    pub fn price(&self, query: &PriceQuery<'_>) -> CostResult {
        let mut bill = Itemized::default();
        let cost = self.itemized(query, Some(&mut bill));
        bill.with(cost)
    }

    /// The cost of one call as [`price`](Self::price) computes it, without the lines of the bill.
    #[inline]
    pub(crate) fn cost(&self, query: &PriceQuery<'_>) -> Cost {
        self.with_match(query, None, |matched, overlay| {
            answer(query, matched, overlay, None)
        })
    }

    /// What [`cost`](Self::cost) says; the addends, and whose price it is, go to `bill` where that is given.
    #[inline]
    pub(crate) fn itemized(&self, query: &PriceQuery<'_>, bill: Option<&mut Itemized>) -> Cost {
        self.with_match(query, None, |matched, overlay| match bill {
            None => answer(query, matched, overlay, None),
            Some(bill) => {
                let provider = matched.provider.map(|provider| Text::from(provider.name));
                bill.provider = bill.provider.take().or(provider);
                answer(query, matched, overlay, Some(&mut bill.lines))
            }
        })
    }

    /// What a name means: provider, key and rung, without a price.
    #[must_use]
    pub fn resolve(&self, query: &PriceQuery<'_>) -> Resolution {
        self.with_match(query, None, |matched, _| Resolution {
            provider: matched.provider.map(|provider| Text::from(provider.name)),
            key: matched.key(),
            legacy: matched.rung == Rung::Legacy,
            rung: matched.rung,
        })
    }

    /// Sets the price of a model, in US dollars per 1,000 tokens, for every provider and for good.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidAmount`] where text is not an exact decimal, [`Error::Negative`] for a negative
    /// price, and [`Error::PriceFile`] for one that cannot be meant (above 400 dollars per million
    /// prompt tokens or 1,000 per million completion tokens).
    pub fn set_custom_pricing(
        &self,
        model: &str,
        input_per_1k: impl Amount,
        output_per_1k: impl Amount,
    ) -> Result<(), Error> {
        let (input, output) = (input_per_1k.into_decimal()?, output_per_1k.into_decimal()?);
        self.set_custom(model, input, output, PerTokens::Thousand)
    }

    /// Sets the price of a model, in US dollars per million tokens, as most price lists state it.
    ///
    /// ```
    /// use dexcost::{PricingEngine, dec};
    ///
    /// let prices = PricingEngine::new();
    /// prices.set_custom_pricing_per_million("in-house-7b", "0.20", dec!(0.60))?;
    /// let cost = prices.get_cost("in-house-7b", 1_000, 100, 0, 0);
    /// assert_eq!(cost.cost_usd, Some(dec!(0.00026)));
    /// # Ok::<(), dexcost::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::InvalidAmount`] where text is not an exact decimal, [`Error::Negative`] for a negative
    /// price, and [`Error::PriceFile`] for one that cannot be meant (above 400 dollars per million
    /// prompt tokens or 1,000 per million completion tokens).
    pub fn set_custom_pricing_per_million(
        &self,
        model: &str,
        input_per_million: impl Amount,
        output_per_million: impl Amount,
    ) -> Result<(), Error> {
        let (input, output) = (
            input_per_million.into_decimal()?,
            output_per_million.into_decimal()?,
        );
        self.set_custom(model, input, output, PerTokens::Million)
    }

    fn set_custom(&self, model: &str, input: Decimal, output: Decimal, per: PerTokens) -> Result<(), Error> {
        let mut entry = overrides::custom_entry(model, input, output, per)?;
        overrides::complete(model, &mut entry);
        self.change(|overlay| overlay.set(model, vec![entry.clone()]));
        Ok(())
    }

    /// Takes over prices from a file, over the bundled ones and over earlier ones of the same model.
    ///
    /// YAML and JSON are read alike; the format is described at [`dexcost::pricing`](super).
    /// Returns how many models it prices.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the file cannot be read; [`Error::PriceFile`], naming the entry, where it
    /// cannot be used. Nothing of the file is taken over then.
    pub fn load_overrides(&self, path: impl AsRef<Path>) -> Result<usize, Error> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|source| Error::Io {
            path: path.to_owned(),
            source,
        })?;
        self.set_overrides(&path.display().to_string(), &text)
    }

    /// Takes over prices from the text of an overrides file; `origin` names it in errors.
    ///
    /// # Errors
    ///
    /// As [`load_overrides`](Self::load_overrides).
    pub fn set_overrides(&self, origin: &str, text: &str) -> Result<usize, Error> {
        let mut models = overrides::read(origin, text)?;
        for (model, entries) in &mut models {
            entries
                .iter_mut()
                .for_each(|entry| overrides::complete(model, entry));
        }
        let count = models.len();
        self.change(|overlay| {
            for (model, entries) in &models {
                overlay.set(model, entries.clone());
            }
        });
        Ok(count)
    }

    /// Forgets every price of your own.
    pub fn clear_overrides(&self) {
        self.is_layered.store(false, Ordering::Release);
        self.overlay.store(None);
    }

    fn change(&self, edit: impl Fn(&mut Overlay)) {
        self.overlay.rcu(|current| {
            let mut next = current.as_deref().cloned().unwrap_or_default();
            edit(&mut next);
            next.seal();
            Some(Arc::new(next))
        });
        self.is_layered.store(true, Ordering::Release);
    }

    /// The cost of a chat completion from plain counts, billed now.
    ///
    /// `input_tokens` is the whole prompt, cached and cache-written tokens included.
    ///
    /// ```
    /// use dexcost::{PricingEngine, dec};
    ///
    /// let engine = PricingEngine::new();
    /// engine.set_custom_pricing("in-house-7b", "0.1", "0.2")?;
    /// let result = engine.get_cost("in-house-7b", 1000, 500, 0, 0);
    /// assert_eq!(result.cost_usd, Some(dec!(0.2)));
    /// # Ok::<(), dexcost::Error>(())
    /// ```
    #[must_use]
    pub fn get_cost(
        &self,
        model: &str,
        input_tokens: u64,
        output_tokens: u64,
        cached_tokens: u64,
        cache_creation_tokens: u64,
    ) -> CostResult {
        let usage = Usage::new()
            .with(Unit::InputTokens, input_tokens)
            .with(Unit::OutputTokens, output_tokens)
            .with(Unit::CacheReadTokens, cached_tokens)
            .with(Unit::CacheWriteTokens, cache_creation_tokens);
        self.price(&PriceQuery::new(
            model,
            &usage,
            Timestamp::from(std::time::SystemTime::now()),
        ))
    }

    /// Twelve hexadecimal digits that stand for the content of all tables in force.
    #[must_use]
    pub fn pricing_version(&self) -> Text {
        version(self.overlay.load().as_deref())
    }

    /// Finds the prices for a call and hands them on.
    #[inline]
    pub(super) fn with_match<T>(
        &self,
        query: &PriceQuery<'_>,
        trace: Option<&mut Vec<String>>,
        then: impl FnOnce(&Match<'_>, Option<&Overlay>) -> T,
    ) -> T {
        if query.call_type == CallType::ImageGeneration
            && let Some(name) = self.sized(query)
        {
            return self.with_match_of(&named(query, &name), trace, then);
        }
        self.with_match_of(query, trace, then)
    }

    /// The name with size and quality under which the price of these images stands, if it does.
    #[cold]
    fn sized(&self, query: &PriceQuery<'_>) -> Option<String> {
        let is_listed = |name: &String| {
            self.with_match_of(&named(query, name), None, |matched, _| {
                matched.key().is_some_and(|key| key.ends_with(name.as_str()))
            })
        };
        sized::names(query).into_iter().find(is_listed)
    }

    /// The same for the model under its own name.
    #[inline]
    fn with_match_of<T>(
        &self,
        query: &PriceQuery<'_>,
        trace: Option<&mut Vec<String>>,
        then: impl FnOnce(&Match<'_>, Option<&Overlay>) -> T,
    ) -> T {
        if !self.is_layered.load(Ordering::Acquire) {
            return then(&matching::bundled(query, trace), None);
        }
        let overlay = self.overlay.load();
        match overlay.as_deref() {
            Some(overlay) => then(&matching::layered(query, overlay, trace), Some(overlay)),
            None => then(&matching::bundled(query, trace), None),
        }
    }
}

/// The same question about another model.
fn named<'a>(query: &PriceQuery<'a>, name: &'a str) -> PriceQuery<'a> {
    PriceQuery {
        model: name,
        response_model: None,
        ..query.clone()
    }
}
