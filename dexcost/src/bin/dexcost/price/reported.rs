//! The usage of a line.

use std::borrow::Cow;
use std::collections::BTreeMap;

use dexcost::{Decimal, Unit, Usage, money};
use serde_json::value::RawValue;

/// The usage of a line, in the nested form that the engine takes.
#[derive(Default)]
pub(super) struct Reported {
    pub(super) usage: Usage,
    pub(super) resolution: Option<String>,
    pub(super) quality: Option<String>,
    pub(super) search_context_size: Option<String>,
}

impl Reported {
    /// Lines list disjoint parts: cache writes of no known lifetime beside the others, and modalities
    /// without their cached part. The normal form has totals.
    pub(super) fn read(fields: &BTreeMap<Cow<'_, str>, &RawValue>) -> Result<Self, String> {
        let mut reported = Self::default();
        for (name, raw) in fields {
            let text = raw.get();
            if text == "null" {
                continue;
            }
            let word = || serde_json::from_str::<String>(text).map_err(|_| format!("`{name}` must be text"));
            match name.as_ref() {
                "resolution" => reported.resolution = Some(word()?),
                "quality" => reported.quality = Some(word()?),
                "search_context_size" => reported.search_context_size = Some(word()?),
                _ => {
                    let quantity = if text.starts_with('"') {
                        word()?
                    } else {
                        text.to_owned()
                    };
                    let quantity = money::parse(&quantity)
                        .map_err(|_| format!("`{name}` must be a number, not {}", clip(text)))?;
                    reported.usage.set(unit_of(name)?, quantity);
                }
            }
        }
        let usage = &mut reported.usage;
        total(
            usage,
            Unit::CacheWriteTokens,
            &[
                Unit::CacheWrite5mTokens,
                Unit::CacheWrite30mTokens,
                Unit::CacheWrite1hTokens,
                Unit::CacheWrite12hTokens,
            ],
        )?;
        total(usage, Unit::InputAudioTokens, &[Unit::CacheReadAudioTokens])?;
        total(usage, Unit::InputImageTokens, &[Unit::CacheReadImageTokens])?;
        total(usage, Unit::InputVideoTokens, &[Unit::CacheReadVideoTokens])?;
        Ok(reported)
    }
}

fn unit_of(name: &str) -> Result<Unit, String> {
    match name {
        "width" => Ok(Unit::ImageWidthPixels),
        "height" => Ok(Unit::ImageHeightPixels),
        _ => name
            .parse()
            .map_err(|_| format!("`{}` is no unit of usage", clip(name))),
    }
}

fn clip(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Adds the parts to their total, where any was reported.
fn total(usage: &mut Usage, whole: Unit, parts: &[Unit]) -> Result<(), String> {
    let mut sum = None;
    for part in parts.iter().filter_map(|part| usage.get(*part)) {
        sum = Some(add(sum.unwrap_or_default(), part, whole)?);
    }
    if let Some(sum) = sum {
        usage.set(whole, add(usage.get(whole).unwrap_or_default(), sum, whole)?);
    }
    Ok(())
}

fn add(a: Decimal, b: Decimal, whole: Unit) -> Result<Decimal, String> {
    a.checked_add(b)
        .ok_or_else(|| format!("the parts of `{whole}` do not fit a decimal"))
}
