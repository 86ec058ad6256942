//! Prices from a user: single ones, and whole files.
//!
//! A file is read and checked as a whole before anything of it is taken over. Numbers are read from
//! their text, never through a float. The format is described in the docs of [`dexcost::pricing`](super).

use rust_decimal::Decimal;
use yaml_rust2::{Yaml, YamlLoader};

use super::entry::{OwnEntry, OwnOffPeak, OwnRange};
use super::sanity;
use super::table::{Code, Component, RateList, Tier, Window};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::money;

/// Thresholds that one entry can have; a [`Code`] has five bits for them.
const MOST_THRESHOLDS: usize = 31;

/// The entry of a price per 1,000 tokens.
pub(crate) fn custom_entry(
    model: &str,
    input_per_1k: Decimal,
    output_per_1k: Decimal,
) -> Result<OwnEntry, Error> {
    let per_token = |name: &'static str, component: Component, per_1k: Decimal| {
        if per_1k.is_sign_negative() && !per_1k.is_zero() {
            return Err(Error::Negative {
                name: name.to_owned(),
            });
        }
        let code = Code::plain(component);
        money::exact_product(per_1k, Decimal::new(1, 3))
            .filter(|price| sanity::is_sane(code, *price))
            .map(|price| (code, price))
            .ok_or_else(|| Error::PriceFile {
                origin: format!("custom price of {model}"),
                at: Some(name.to_owned()),
                reason: format!("{per_1k} USD per 1,000 tokens cannot be meant"),
            })
    };
    Ok(OwnEntry {
        rates: vec![
            per_token("input_per_1k", Component::Input, input_per_1k)?,
            per_token("output_per_1k", Component::Output, output_per_1k)?,
        ],
        ..OwnEntry::default()
    })
}

/// Where in a file something is wrong, and what.
struct Fault {
    at: String,
    reason: String,
}

type Read<T> = Result<T, Fault>;

fn fault<T>(at: &str, reason: impl Into<String>) -> Read<T> {
    Err(Fault {
        at: at.to_owned(),
        reason: reason.into(),
    })
}

/// Reads an overrides file: models with their dated entries.
pub(crate) fn read(origin: &str, text: &str) -> Result<Vec<(String, Vec<OwnEntry>)>, Error> {
    let price_file = |at: Option<String>, reason: String| Error::PriceFile {
        origin: origin.to_owned(),
        at,
        reason,
    };
    let documents = YamlLoader::load_from_str(text).map_err(|error| price_file(None, error.to_string()))?;
    let [document] = documents.as_slice() else {
        return Err(price_file(
            None,
            "one document is needed, with a map `models` at its top".to_owned(),
        ));
    };
    read_models(document).map_err(|Fault { at, reason }| price_file(Some(at), reason))
}

fn read_models(document: &Yaml) -> Read<Vec<(String, Vec<OwnEntry>)>> {
    let Some(top) = document.as_hash() else {
        return fault("top", "a map `models` is needed");
    };
    known_keys("top", document, &["models"])?;
    let Some(models) = top
        .get(&Yaml::String("models".to_owned()))
        .and_then(Yaml::as_hash)
    else {
        return fault("models", "a map of model names is needed");
    };
    models
        .iter()
        .map(|(name, value)| {
            let model = scalar(name).unwrap_or_default();
            if model.trim().is_empty() {
                return fault("models", "a model needs a name");
            }
            let rows: &[Yaml] = value.as_vec().map_or(std::slice::from_ref(value), Vec::as_slice);
            let entries = rows
                .iter()
                .map(|row| read_entry(&model, row))
                .collect::<Read<Vec<_>>>()?;
            for (index, entry) in entries.iter().enumerate() {
                let same = |other: &OwnEntry| {
                    other.since_seconds == entry.since_seconds && other.provider == entry.provider
                };
                if entries.iter().skip(index + 1).any(same) {
                    return fault(&model, "two entries hold from the same date on");
                }
            }
            Ok((model.trim().to_owned(), entries))
        })
        .collect()
}

fn read_entry(model: &str, value: &Yaml) -> Read<OwnEntry> {
    if value.as_hash().is_none() {
        return fault(model, "a map with `prices` is needed");
    }
    known_keys(
        model,
        value,
        &[
            "provider",
            "effective_from",
            "prices",
            "per_query",
            "ranges",
            "off_peak",
        ],
    )?;
    let mut entry = OwnEntry {
        provider: text_at(model, value, "provider")?,
        since_seconds: since(model, value)?,
        per_query: match &value["per_query"] {
            Yaml::BadValue => false,
            Yaml::Boolean(yes) => *yes,
            _ => return fault(model, "`per_query` is true or false"),
        },
        ..OwnEntry::default()
    };
    entry.rates = read_prices(
        &format!("{model}, prices"),
        &value["prices"],
        &mut entry.thresholds,
    )?;
    read_ranges(model, &value["ranges"], &mut entry)?;
    entry.off_peak = read_off_peak(model, &value["off_peak"])?;
    if entry.rates.is_empty() && entry.ranges.is_empty() {
        return fault(
            model,
            "at least one price is needed, under `prices` or in a range",
        );
    }
    Ok(entry)
}

/// The date from which an entry holds; always, where none is given.
fn since(model: &str, value: &Yaml) -> Read<u64> {
    let Some(text) = text_at(model, value, "effective_from")? else {
        return Ok(0);
    };
    let instant = if text.len() == 10 {
        format!("{text}T00:00:00Z")
    } else {
        text.clone()
    };
    match instant.parse::<Timestamp>() {
        Ok(instant) => Ok(instant.unix_millis() / 1000),
        Err(_) => fault(
            model,
            format!("`effective_from: {text}` is no date like 2026-11-22"),
        ),
    }
}

/// Reads `component[>threshold][@tier]: price` pairs, sorted by code.
fn read_prices(at: &str, value: &Yaml, thresholds: &mut Vec<u64>) -> Read<RateList> {
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

fn read_ranges(model: &str, value: &Yaml, entry: &mut OwnEntry) -> Read<()> {
    let at = format!("{model}, ranges");
    let Some(rows) = value.as_vec() else {
        return if matches!(value, Yaml::BadValue) {
            Ok(())
        } else {
            fault(&at, "a list of ranges is needed")
        };
    };
    for (index, row) in rows.iter().enumerate() {
        known_keys(
            &at,
            row,
            &["above", "up_to", "from_results", "to_results", "prices"],
        )?;
        let number = |key: &str| match &row[key] {
            Yaml::Integer(number) => u64::try_from(*number).ok(),
            _ => None,
        };
        let by_results = number("from_results").is_some();
        let (low, high) = if by_results {
            ("from_results", "to_results")
        } else {
            ("above", "up_to")
        };
        let (Some(low), Some(high)) = (number(low), number(high)) else {
            return fault(
                &at,
                "each range needs whole numbers `above` and `up_to` (prompt tokens), or `from_results` and `to_results`",
            );
        };
        if low > high || (index > 0 && by_results != entry.ranges_by_results) {
            return fault(
                &at,
                format!("the range from {low} to {high} is upside down or of another kind than the first"),
            );
        }
        entry.ranges_by_results = by_results;
        let rates = flat_prices(&format!("{at}, {low}-{high}"), &row["prices"])?;
        entry.ranges.push(OwnRange { low, high, rates });
    }
    Ok(())
}

/// Prices without thresholds and tiers, at least one.
fn flat_prices(at: &str, value: &Yaml) -> Read<RateList> {
    let rates = read_prices(at, value, &mut Vec::new())?;
    if rates.is_empty() {
        return fault(at, "prices are needed");
    }
    if rates.iter().any(|(code, _)| code.0 > 0xff) {
        return fault(at, "no thresholds or tiers can be given here");
    }
    Ok(rates)
}

fn read_off_peak(model: &str, value: &Yaml) -> Read<Option<OwnOffPeak>> {
    let at = format!("{model}, off_peak");
    if matches!(value, Yaml::BadValue) {
        return Ok(None);
    }
    known_keys(&at, value, &["zone", "windows", "prices"])?;
    let zone_minutes = match text_at(&at, value, "zone")? {
        None => 0,
        Some(zone) => match zone_minutes(&zone) {
            Some(minutes) => minutes,
            None => return fault(&at, format!("`zone: {zone}` is no offset like +08:00")),
        },
    };
    let mut windows = Vec::new();
    for row in value["windows"].as_vec().map_or(&[][..], Vec::as_slice) {
        known_keys(&at, row, &["days", "hours"])?;
        read_window(&at, row, &mut windows)?;
    }
    if windows.is_empty() {
        return fault(&at, "`windows` needs at least one entry with `hours`");
    }
    let rates = flat_prices(&at, &value["prices"])?;
    Ok(Some(OwnOffPeak {
        zone_minutes,
        windows,
        rates,
    }))
}

/// `days: [1, 2]` (1 is Monday; every day where absent) and `hours: ["22:00-02:00"]` in UTC.
fn read_window(at: &str, row: &Yaml, windows: &mut Vec<Window>) -> Read<()> {
    let mut mask = 0u8;
    for day in row["days"].as_vec().map_or(&[][..], Vec::as_slice) {
        match day {
            Yaml::Integer(day @ 1..=7) => mask |= 1 << (day - 1),
            _ => return fault(at, "days are numbers from 1 (Monday) to 7"),
        }
    }
    let mask = if mask == 0 { 0x7f } else { mask };
    for span in row["hours"].as_vec().map_or(&[][..], Vec::as_slice) {
        let text = scalar(span).unwrap_or_default();
        let Some((start, end)) = text
            .split_once('-')
            .and_then(|(start, end)| minute(start).zip(minute(end)))
        else {
            return fault(at, format!("`{text}` are no hours like 22:00-02:00"));
        };
        windows.push((mask, start, end));
    }
    Ok(())
}

fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

fn zone_minutes(text: &str) -> Option<i16> {
    if text == "UTC" {
        return Some(0);
    }
    let (sign, rest) = text
        .strip_prefix('+')
        .map(|rest| (1, rest))
        .or_else(|| text.strip_prefix('-').map(|rest| (-1, rest)))?;
    Some(sign * minute(rest)?.cast_signed())
}

/// The text of a scalar; a number is its own text.
fn scalar(value: &Yaml) -> Option<String> {
    match value {
        Yaml::String(text) | Yaml::Real(text) => Some(text.clone()),
        Yaml::Integer(number) => Some(number.to_string()),
        _ => None,
    }
}

fn text_at(at: &str, value: &Yaml, key: &str) -> Read<Option<String>> {
    match &value[key] {
        Yaml::BadValue => Ok(None),
        Yaml::String(text) => Ok(Some(text.clone())),
        _ => fault(at, format!("`{key}` must be text")),
    }
}

fn known_keys(at: &str, value: &Yaml, known: &[&str]) -> Read<()> {
    let Some(map) = value.as_hash() else {
        return fault(at, "a map is needed");
    };
    for key in map.keys() {
        let key = scalar(key).unwrap_or_default();
        if !known.contains(&key.as_str()) {
            return fault(
                at,
                format!("`{key}` is not known here; known are: {}", known.join(", ")),
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::dec;

    fn refused(text: &str) -> String {
        read("prices.yaml", text).unwrap_err().to_string()
    }

    #[test]
    fn yaml_and_json_are_read_alike_and_exactly() {
        let yaml = "models:\n  brain-1:\n    prices:\n      input: 0.000000123456789012345678\n      output>1000@priority: 2e-06\n";
        let json = r#"{"models": {"brain-1": {"prices": {"input": 0.000000123456789012345678, "output>1000@priority": "0.000002"}}}}"#;
        let (from_yaml, from_json) = (read("y", yaml).unwrap(), read("j", json).unwrap());
        assert_eq!(from_yaml, from_json);
        let entry = &from_yaml[0].1[0];
        assert_eq!(
            entry.rates[0],
            (Code::plain(Component::Input), dec!(0.000000123456789012345678))
        );
        assert_eq!(
            entry.rates[1],
            (Code::of(Component::Output, Tier::Priority, 1), dec!(0.000002))
        );
        assert_eq!(entry.thresholds, [1000]);
    }

    #[test]
    fn every_slip_is_an_error_that_names_the_entry() {
        for (text, named, reason) in [
            (
                "models:\n  a:\n    prices: {input: -1}",
                "a, prices, input",
                "negative",
            ),
            (
                "models:\n  a:\n    prices: {input: cheap}",
                "a, prices, input",
                "no exact decimal",
            ),
            (
                "models:\n  a:\n    prices: {input: 2.5}",
                "a, prices, input",
                "cannot be meant",
            ),
            (
                "models:\n  a:\n    prices: {inputs: 0.1}",
                "a, prices",
                "is no price",
            ),
            (
                "models:\n  a:\n    prices: {input@gold: 0.1}",
                "a, prices",
                "is no tier",
            ),
            (
                "models:\n  a:\n    prices: {input>many: 0.1}",
                "a, prices",
                "number of tokens",
            ),
            ("models:\n  a:\n    price: {input: 0.1}", "a:", "not known here"),
            ("models:\n  a: {}", "a:", "at least one price"),
            (
                "models:\n  a:\n    effective_from: soon\n    prices: {input: 0.0001}",
                "a:",
                "no date",
            ),
            (
                "models:\n  a:\n    - prices: {input: 0.0001}\n    - prices: {input: 0.0002}",
                "a:",
                "same date",
            ),
            (
                "models:\n  a:\n    off_peak: {windows: [{hours: ['25:00-26:00']}], prices: {input: 0}}\n    prices: {input: 0}",
                "a, off_peak",
                "no hours",
            ),
            (
                "models:\n  a:\n    ranges: [{above: 5, up_to: 1, prices: {input: 0}}]",
                "a, ranges",
                "upside down",
            ),
            ("model: {}", "top", "not known here"),
            ("[1]", "top", "needed"),
        ] {
            let error = refused(text);
            assert!(
                error.contains("prices.yaml") && error.contains(named) && error.contains(reason),
                "{text}: {error}"
            );
        }
        assert!(refused("models: {a: [").contains("prices.yaml"));
        assert!(refused("").contains("one document"));
    }

    #[test]
    fn hours_and_zones_are_minutes() {
        assert_eq!(
            (minute("22:30"), minute("24:00"), minute("x")),
            (Some(1350), None, None)
        );
        assert_eq!(
            (
                zone_minutes("+08:00"),
                zone_minutes("-03:30"),
                zone_minutes("UTC")
            ),
            (Some(480), Some(-210), Some(0))
        );
    }
}
