//! One line of a file with usage to price.

use std::borrow::Cow;
use std::collections::BTreeMap;

use dexcost::{CallType, PriceQuery, PricingEngine, RateRegistry, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::answer::{Answer, Priced};
use super::reported::Reported;
use crate::own;

/// A line as it is written.
#[derive(Deserialize)]
struct Line<'a> {
    id: Option<serde_json::Value>,
    #[serde(borrow)]
    model: Cow<'a, str>,
    #[serde(borrow)]
    provider: Option<Cow<'a, str>>,
    #[serde(borrow)]
    response_model: Option<Cow<'a, str>>,
    #[serde(borrow)]
    host: Option<Cow<'a, str>>,
    #[serde(borrow)]
    region: Option<Cow<'a, str>>,
    call_type: Option<CallType>,
    #[serde(borrow)]
    service_tier: Option<Cow<'a, str>>,
    #[serde(borrow)]
    usage: BTreeMap<Cow<'a, str>, &'a RawValue>,
    #[serde(borrow)]
    options: Option<Options<'a>>,
}

/// What else the price of a line depends on.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Options<'a> {
    #[serde(borrow)]
    residency: Option<Cow<'a, str>>,
    #[serde(borrow)]
    location: Option<Cow<'a, str>>,
    #[serde(borrow)]
    geo: Option<Cow<'a, str>>,
    #[serde(borrow)]
    speed: Option<Cow<'a, str>>,
    billed_at: Option<Timestamp>,
}

/// Prices a line; one that says no instant is billed now.
pub(super) fn price_line(
    engine: &PricingEngine,
    rates: &RateRegistry,
    text: &str,
    now: Timestamp,
) -> Result<Answer, String> {
    let line: Line<'_> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let reported = Reported::read(&line.usage)?;
    let options = line.options.unwrap_or_default();
    let query = PriceQuery {
        provider: own::provider(line.provider.as_deref(), line.host.as_deref(), rates),
        response_model: line.response_model.as_deref(),
        host: line.host.as_deref(),
        region: line.region.as_deref(),
        call_type: line.call_type.unwrap_or_default(),
        service_tier: line.service_tier.as_deref(),
        residency: options.residency.as_deref(),
        location: options.location.as_deref(),
        geo: options.geo.as_deref(),
        speed: options.speed.as_deref(),
        search_context_size: reported.search_context_size.as_deref(),
        resolution: reported.resolution.as_deref(),
        quality: reported.quality.as_deref(),
        ..PriceQuery::new(&line.model, &reported.usage, options.billed_at.unwrap_or(now))
    };
    let result = Priced::from(&engine.price(&query));
    Ok(Answer {
        id: line.id,
        model: line.model.into_owned(),
        result,
    })
}
