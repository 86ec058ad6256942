//! Prices from a user: single ones, and whole files.
//!
//! A file is read and checked as a whole before anything of it is taken over. Numbers are read from
//! their text, never through a float. The format is described in the docs of [`dexcost::pricing`](super).

mod bounds;
mod derived;
mod fault;
mod hours;
mod prices;
mod ranges;

use rust_decimal::Decimal;
use yaml_rust2::{Yaml, YamlLoader};

use super::entry::OwnEntry;
use super::sanity;
use super::table::{Code, Component};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::money;
pub(crate) use derived::complete;
use fault::{Fault, Read, fault, known_keys, scalar, text_at};
use hours::read_off_peak;
use prices::read_prices;
use ranges::read_ranges;

/// So many tokens as a price is told for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PerTokens {
    Thousand,
    Million,
}

/// The entry of a price per so many tokens.
pub(crate) fn custom_entry(
    model: &str,
    input: Decimal,
    output: Decimal,
    per: PerTokens,
) -> Result<OwnEntry, Error> {
    let (zeros, tokens, names) = match per {
        PerTokens::Thousand => (3, "1,000", ["input_per_1k", "output_per_1k"]),
        PerTokens::Million => (6, "1,000,000", ["input_per_million", "output_per_million"]),
    };
    let per_token = |name: &'static str, component: Component, price: Decimal| {
        if price.is_sign_negative() && !price.is_zero() {
            return Err(Error::Negative {
                name: name.to_owned(),
            });
        }
        let code = Code::plain(component);
        money::exact_product(price, Decimal::new(1, zeros))
            .filter(|price| sanity::is_sane(code, *price))
            .map(|price| (code, price))
            .ok_or_else(|| Error::PriceFile {
                origin: format!("custom price of {model}"),
                at: Some(name.to_owned()),
                reason: format!("{price} USD per {tokens} tokens cannot be meant"),
            })
    };
    Ok(OwnEntry {
        rates: vec![
            per_token(names[0], Component::Input, input)?,
            per_token(names[1], Component::Output, output)?,
        ],
        ..OwnEntry::default()
    })
}

/// Reads an overrides file: models with their dated entries.
pub(crate) fn read(origin: &str, text: &str) -> Result<Vec<(String, Vec<OwnEntry>)>, Error> {
    let price_file = |at: Option<String>, reason: String| Error::PriceFile {
        origin: origin.to_owned(),
        at,
        reason,
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    bounds::check(text).map_err(|reason| price_file(None, reason))?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dec;
    use crate::pricing::table::Tier;

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
}
