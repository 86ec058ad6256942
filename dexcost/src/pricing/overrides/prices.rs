//! Lists of prices by name.

use yaml_rust2::Yaml;

use super::fault::{Read, fault, scalar};
use crate::money;
use crate::pricing::sanity;
use crate::pricing::table::{Code, Component, RateList, Tier};

/// Thresholds that one entry can have; a [`Code`] has five bits for them.
const MOST_THRESHOLDS: usize = 31;

/// Reads `component[>threshold][@tier]: price` pairs, sorted by code.
pub(super) fn read_prices(at: &str, value: &Yaml, thresholds: &mut Vec<u64>) -> Read<RateList> {
    if matches!(value, Yaml::BadValue) {
        return Ok(Vec::new());
    }
    let Some(map) = value.as_hash() else {
        return fault(at, "a map of prices is needed");
    };
    let mut read = Vec::with_capacity(map.len());
    for (key, price) in map {
        let key = scalar(key).unwrap_or_default();
        let (component, threshold, tier) = component_of(at, &key)?;
        let at = format!("{at}, {key}");
        let Some(text) = scalar(price) else {
            return fault(&at, "a decimal is needed");
        };
        let Ok(price) = money::parse(&text) else {
            return fault(
                &at,
                format!(
                    "`{}` is no exact decimal",
                    text.chars().take(40).collect::<String>()
                ),
            );
        };
        if price.is_sign_negative() && !price.is_zero() {
            return fault(&at, "a price may not be negative");
        }
        if !sanity::is_sane(Code::plain(component), price) {
            return fault(
                &at,
                format!(
                    "{price} USD for one unit cannot be meant; prices are per unit, not per thousand or million"
                ),
            );
        }
        if let Some(threshold) = threshold {
            thresholds.push(threshold);
        }
        read.push((component, threshold, tier, price));
    }
    thresholds.sort_unstable();
    thresholds.dedup();
    if thresholds.len() > MOST_THRESHOLDS {
        return fault(at, format!("more than {MOST_THRESHOLDS} thresholds"));
    }
    let place = |threshold: Option<u64>| {
        threshold
            .and_then(|t| thresholds.binary_search(&t).ok())
            .map_or(0, |place| place + 1)
    };
    let mut rates: RateList = read
        .into_iter()
        .map(|(component, threshold, tier, price)| (Code::of(component, tier, place(threshold)), price))
        .collect();
    rates.sort_unstable_by_key(|(code, _)| *code);
    if rates.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return fault(at, "a price is given twice");
    }
    Ok(rates)
}

/// Takes `input>200000@priority` apart.
fn component_of(at: &str, key: &str) -> Read<(Component, Option<u64>, Tier)> {
    let (rest, tier) = key
        .split_once('@')
        .map_or((key, None), |(rest, tier)| (rest, Some(tier)));
    let (name, threshold) = rest
        .split_once('>')
        .map_or((rest, None), |(name, threshold)| (name, Some(threshold)));
    let Some(component) = Component::parse(name) else {
        let known: Vec<_> = Component::ALL
            .iter()
            .map(|component| component.as_str())
            .collect();
        return fault(
            at,
            format!("`{name}` is no price; known are: {}", known.join(", ")),
        );
    };
    let tier = match tier {
        None => Tier::Standard,
        Some(name) => match Tier::ALL.iter().skip(1).find(|tier| tier.as_str() == name) {
            Some(tier) => *tier,
            None => {
                return fault(
                    at,
                    format!(
                        "`{name}` is no tier; known are: batch, flex, priority, balanced, ultrafast, decisions"
                    ),
                );
            }
        },
    };
    let threshold = match threshold.map(str::parse::<u64>) {
        None => None,
        Some(Ok(threshold)) => Some(threshold),
        Some(Err(_)) => {
            return fault(
                at,
                format!("`{key}`: a threshold is a number of tokens, like input>200000"),
            );
        }
    };
    Ok((component, threshold, tier))
}

/// Prices without thresholds and tiers, at least one.
pub(super) fn flat_prices(at: &str, value: &Yaml) -> Read<RateList> {
    let rates = read_prices(at, value, &mut Vec::new())?;
    if rates.is_empty() {
        return fault(at, "prices are needed");
    }
    if rates.iter().any(|(code, _)| code.0 > 0xff) {
        return fault(at, "no thresholds or tiers can be given here");
    }
    Ok(rates)
}
