//! Images whose price stands under a name with their quality and size: `hd/1024-x-1792/dall-e-3`.
//!
//! Only what is billed by the piece is looked up so; what reports tokens is billed by them.

use smallvec::SmallVec;

use super::query::PriceQuery;
use crate::event::CallType;
use crate::usage::Unit;

/// The names to try before the model's own, the most telling first; none where the call made no images
/// of a known size.
pub(super) fn names(query: &PriceQuery<'_>) -> SmallVec<[String; 2]> {
    let usage = query.usage;
    let has_tokens = [Unit::InputTokens, Unit::OutputTokens]
        .iter()
        .any(|unit| usage.get(*unit).is_some());
    let (width, height) = (
        usage.count(Unit::ImageWidthPixels),
        usage.count(Unit::ImageHeightPixels),
    );
    if query.call_type != CallType::ImageGeneration || has_tokens || width == 0 || height == 0 {
        return SmallVec::new();
    }
    let model = query.model;
    let plain = format!("{width}-x-{height}/{model}");
    match query
        .quality
        .filter(|quality| !quality.eq_ignore_ascii_case("auto"))
    {
        Some(quality) => [format!("{quality}/{plain}"), plain].into(),
        // What is made where nothing else is asked for.
        None => [format!("standard/{plain}"), plain].into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::pricing::PricingEngine;
    use crate::usage::Usage;

    fn cost(
        model: &str,
        quality: Option<&str>,
        (width, height): (u32, u32),
    ) -> Option<rust_decimal::Decimal> {
        let usage = Usage::new()
            .with(Unit::Images, 2)
            .with(Unit::ImageWidthPixels, width)
            .with(Unit::ImageHeightPixels, height);
        let query = PriceQuery {
            provider: Some("openai"),
            call_type: CallType::ImageGeneration,
            quality,
            ..PriceQuery::new(model, &usage, Timestamp::from_unix_micros(1_700_000_000_000_000))
        };
        PricingEngine::new().price(&query).cost_usd
    }

    fn rounded(cost: Option<rust_decimal::Decimal>) -> String {
        cost.map(|cost| cost.round_dp(3).normalize().to_string())
            .unwrap_or_default()
    }

    #[test]
    fn size_and_quality_decide_the_price_of_an_image() {
        for (model, quality, size, each_twice) in [
            ("dall-e-2", None, (256, 256), "0.032"),
            ("dall-e-2", Some("standard"), (512, 512), "0.036"),
            ("dall-e-2", None, (1024, 1024), "0.04"),
            ("dall-e-3", None, (1024, 1024), "0.08"),
            ("dall-e-3", Some("auto"), (1024, 1792), "0.16"),
            ("dall-e-3", Some("hd"), (1024, 1024), "0.16"),
            ("dall-e-3", Some("hd"), (1792, 1024), "0.24"),
        ] {
            assert_eq!(
                rounded(cost(model, quality, size)),
                each_twice,
                "{model} {quality:?} {size:?}"
            );
        }
    }

    #[test]
    fn a_size_that_no_table_has_falls_back_to_the_model() {
        assert_eq!(rounded(cost("dall-e-3", Some("hd"), (333, 333))), "0.08");
    }
}
