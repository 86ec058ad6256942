//! The engine: one question in, one priced answer out.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwapOption;
use rust_decimal::{Decimal, dec};
use smallvec::SmallVec;

use super::bill::{self, Bill, Call, Mix};
use super::entry::{Entry, OwnEntry};
use super::names::{self, Found, Hints, Kind, Provider};
use super::overlay::Overlay;
use super::query::{CostResult, PriceQuery, Resolution, Rung};
use super::{overrides, sanity, table};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::event::{CallType, CostConfidence, PricingSource};
use crate::money::Amount;
use crate::text::Text;
use crate::usage::{Unit, Usage};

/// What Replicate bills for a second of a model that is not listed (2026-11-22).
const REPLICATE_SECOND: Decimal = dec!(0.0014);

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
    /// [`CostConfidence::Unknown`]. Usage that cannot be true (more cached than given, negative) is
    /// clamped and lowers the confidence to [`CostConfidence::Estimated`], as does every stand-in
    /// price.
    #[must_use]
    pub fn price(&self, query: &PriceQuery<'_>) -> CostResult {
        self.with_match(query, None, |matched, overlay| answer(query, matched, overlay))
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
        let entry =
            overrides::custom_entry(model, input_per_1k.into_decimal()?, output_per_1k.into_decimal()?)?;
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
        let models = overrides::read(origin, text)?;
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
    pub(super) fn with_match<T>(
        &self,
        query: &PriceQuery<'_>,
        trace: Option<&mut Vec<String>>,
        then: impl FnOnce(Match<'_>, Option<&Overlay>) -> T,
    ) -> T {
        if !self.is_layered.load(Ordering::Acquire) {
            return then(find(query, None, trace), None);
        }
        let overlay = self.overlay.load();
        let overlay = overlay.as_deref();
        then(find(query, overlay, trace), overlay)
    }
}

fn version(overlay: Option<&Overlay>) -> Text {
    overlay.map_or_else(
        || Text::from_static(table::version()),
        |overlay| overlay.version().clone(),
    )
}

/// The prices that were found for a call.
#[derive(Clone, Copy)]
pub(super) struct Match<'a> {
    /// The prices; `None` where nothing was found, or where the price is no entry.
    pub(super) entry: Option<Entry<'a>>,
    /// The name they are listed under.
    name: Option<MatchedName<'a>>,
    /// The rung on which they were found.
    pub(super) rung: Rung,
    /// Who bills.
    pub(super) provider: Option<Provider<'a>>,
}

#[derive(Clone, Copy)]
enum MatchedName<'a> {
    Bundled(table::Name),
    Own(&'a str),
}

impl<'a> Match<'a> {
    const NOTHING: Match<'static> = Match {
        entry: None,
        name: None,
        rung: Rung::Unknown,
        provider: None,
    };

    fn of(found: Found<'a>) -> Self {
        Self {
            entry: found.hit.map(|(_, row)| Entry::Bundled(row)),
            name: found.hit.map(|(name, _)| MatchedName::Bundled(name)),
            rung: found.rung,
            provider: Some(found.provider),
        }
    }

    /// The name that the prices are listed under.
    pub(super) fn key(&self) -> Option<Text> {
        self.name.map(|name| match name {
            MatchedName::Bundled(name) => Text::from_static(name.as_str()),
            MatchedName::Own(name) => Text::from(name),
        })
    }

    /// Who bills; nobody in particular where a price of the user's own holds for everyone.
    pub(super) fn biller(&self) -> Provider<'a> {
        self.provider.unwrap_or_else(|| Provider::of(""))
    }

    /// Whether the entry's prices cannot be meant and are not used.
    pub(super) fn is_refused(&self) -> bool {
        matches!(self.entry, Some(Entry::Bundled(row)) if row.is_refused())
    }
}

/// The prices for a call: the user's own by the very names of the call, then the name ladder, then
/// the user's own by the key that the ladder found.
fn find<'a>(
    query: &PriceQuery<'a>,
    overlay: Option<&'a Overlay>,
    trace: Option<&mut Vec<String>>,
) -> Match<'a> {
    let at_seconds = query.billed_at.unix_millis() / 1000;
    let own = |name: &str, provider: Option<Provider<'a>>| {
        let (listed, entry): (&'a str, &'a OwnEntry) = overlay?.find(name, provider, at_seconds)?;
        Some(Match {
            entry: Some(Entry::Own(entry)),
            name: Some(MatchedName::Own(listed)),
            rung: Rung::Custom,
            provider: provider.or_else(|| entry.provider.as_deref().map(Provider::of)),
        })
    };
    if overlay.is_some() {
        let provider = query
            .provider
            .or_else(|| query.host.and_then(names::of_host))
            .map(Provider::of);
        let named = [Some(query.model), query.response_model];
        if let Some(found) = named
            .into_iter()
            .flatten()
            .find_map(|name| own(name.trim(), provider))
        {
            return found;
        }
    }
    let Some(found) = climb(query, at_seconds, trace) else {
        return Match {
            provider: query.provider.map(Provider::of),
            ..Match::NOTHING
        };
    };
    let matched = Match::of(found);
    if overlay.is_some()
        && let Some(MatchedName::Bundled(name)) = matched.name
        && let Some(found) = own(name.as_str(), matched.provider)
    {
        return found;
    }
    matched
}

/// The model of the response is what was served; the one requested stands in where the response's
/// cannot be priced on a good rung.
fn climb<'a>(
    query: &PriceQuery<'a>,
    at_seconds: u64,
    mut trace: Option<&mut Vec<String>>,
) -> Option<Found<'a>> {
    let hints = Hints {
        provider: query.provider,
        host: query.host,
        region: query.region,
        embedding: query.call_type == CallType::Embedding,
        at_seconds,
    };
    let served = match query.response_model {
        Some(served) if served != query.model => names::resolve(served, hints, trace.as_deref_mut()),
        _ => None,
    };
    let is_good = |found: &Found<'_>| {
        matches!(
            found.rung,
            Rung::Exact | Rung::Alias | Rung::SuffixStripped | Rung::Legacy
        )
    };
    if let Some(found) = served.filter(is_good) {
        return Some(found);
    }
    names::resolve(query.model, hints, trace).or(served)
}

/// The priced answer.
fn answer(query: &PriceQuery<'_>, matched: Match<'_>, overlay: Option<&Overlay>) -> CostResult {
    let mut result = CostResult {
        cost_usd: None,
        cost_confidence: CostConfidence::Unknown,
        pricing_source: match matched.entry {
            Some(Entry::Own(_)) => PricingSource::Custom,
            _ if matched.rung == Rung::Unknown => PricingSource::Unknown,
            _ => PricingSource::Litellm,
        },
        pricing_version: version(overlay),
        lines: SmallVec::new_const(),
        unpriced: SmallVec::new_const(),
        matched: matched.key(),
        rung: matched.rung,
        provider: matched.provider.map(|provider| Text::from(provider.name)),
    };
    let mix = Mix::of(query.usage);
    let mut bill = Bill {
        lines: &mut result.lines,
        unpriced: &mut result.unpriced,
        total: &mut result.cost_usd,
    };
    charge(query, &matched, &mix, &mut bill);
    if result.cost_usd.is_some() && result.unpriced.is_empty() {
        let is_own = matches!(matched.rung, Rung::Exact | Rung::Alias | Rung::Custom);
        result.cost_confidence = if mix.clamped || !is_own {
            CostConfidence::Estimated
        } else {
            CostConfidence::Computed
        };
    }
    result
}

/// Writes the bill for what was found.
fn charge(query: &PriceQuery<'_>, matched: &Match<'_>, mix: &Mix, bill: &mut Bill<'_>) {
    if matched.is_refused() {
        bill.unpriced.push(Text::from_static(sanity::REFUSED));
        return;
    }
    if let Some(entry) = matched.entry {
        let call = Call {
            query,
            entry,
            provider: matched.biller(),
            mix,
        };
        bill::charge(&call, bill);
        add_router_fee(query, &call, bill);
        if query.usage.is_empty() {
            bill.unpriced.push(Text::from_static("usage"));
        }
        return;
    }
    match matched.rung {
        Rung::LocalFree | Rung::FreeVariant => bill.settle_zero(),
        Rung::ProviderDefault => by_wall_time(query, bill),
        _ => bill.unpriced.push(Text::from_static("model")),
    }
}

/// Replicate runs unlisted models at a price per second.
fn by_wall_time(query: &PriceQuery<'_>, bill: &mut Bill<'_>) {
    let seconds = query
        .usage
        .get(Unit::ComputeSeconds)
        .or_else(|| bill::product(query.usage.get(Unit::ResponseTimeMs)?, dec!(0.001)))
        .filter(|seconds| seconds.is_sign_positive());
    match seconds {
        Some(seconds) => bill.add(Unit::ComputeSeconds.as_str(), seconds, Some(REPLICATE_SECOND)),
        None => bill
            .unpriced
            .push(Text::from_static(Unit::ComputeSeconds.as_str())),
    }
}

/// Azure's model router bills its own price for the prompt on top of the model that it chose.
fn add_router_fee(query: &PriceQuery<'_>, call: &Call<'_>, bill: &mut Bill<'_>) {
    let is_router = |model: &str| {
        let name = model.rsplit('/').next().unwrap_or(model);
        name.eq_ignore_ascii_case("model-router") || name.eq_ignore_ascii_case("model_router")
    };
    if !matches!(call.provider.kind, Kind::Azure | Kind::AzureAi)
        || query.response_model.is_none()
        || !is_router(query.model)
    {
        return;
    }
    let Some(router) = table::find(b"azure_ai/model_router") else {
        return;
    };
    let entry = Entry::Bundled(router.row(call.at_seconds()));
    if call.entry.plain(table::Component::Input) == entry.plain(table::Component::Input) {
        return;
    }
    bill.add(
        "router_input_tokens",
        Decimal::from(call.mix.prompt),
        entry.plain(table::Component::Input),
    );
}
