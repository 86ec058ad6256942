//! What is billed by anything but tokens: images, seconds, characters, pages, queries.

use rust_decimal::Decimal;

use super::tokens::{self, Replaced};
use super::{Bill, Call, product};
use crate::event::CallType;
use crate::pricing::table::{Code, Component};
use crate::usage::Unit;

/// Bills what the kind of call is billed by.
pub(super) fn charge(call: &Call<'_>, bill: &mut Bill<'_>) {
    if !call.mix.has_units {
        tokens::charge(call, Replaced::default(), bill);
        return;
    }
    let done = match call.query.call_type {
        CallType::ImageGeneration => images(call, bill),
        CallType::Speech => characters(call, bill),
        CallType::Transcription => transcription(call, bill),
        CallType::Rerank => queries(call, bill),
        CallType::Ocr => pages(call, bill),
        CallType::Search => search(call, bill),
        CallType::Video => video(call, bill),
        _ => wall_time(call, bill),
    };
    if !done {
        mixed(call, bill);
    }
    leftovers(call, bill);
}

/// Charges the units that the kind of call has no rule for, where the model lists a price of them. One
/// without any price leaves the bill incomplete, unless the tokens are another measure of the same.
fn leftovers(call: &Call<'_>, bill: &mut Bill<'_>) {
    for (unit, _) in call.query.usage.iter() {
        let Some((components, is_measured_by_tokens)) = prices_of(unit) else {
            continue;
        };
        let Some(count) = quantity(call, unit).filter(|count| !count.is_zero()) else {
            continue;
        };
        let is_covered = is_measured_by_tokens && call.mix.has_tokens;
        if is_covered || bill.has_charged(unit) {
            continue;
        }
        let listed = first_price(call, components);
        // Every call is a request: it is no quantity of its own where nobody bills it.
        if listed.is_some() || unit != Unit::Requests || !call.mix.has_tokens {
            bill.add_unit(unit, count, listed);
        }
    }
}

/// The components that a unit may be billed by, and whether tokens measure the same. `None` for tokens,
/// and for what is no quantity of its own.
const fn prices_of(unit: Unit) -> Option<(&'static [Component], bool)> {
    Some(match unit {
        Unit::Queries | Unit::SearchUnits => (&[Component::Query], false),
        Unit::Requests => (&[Component::Request], false),
        Unit::Pages => (&[Component::Page, Component::OcrCredit], false),
        Unit::AnnotationPages => (&[Component::AnnotationPage, Component::Page], false),
        Unit::ComputeSeconds => (
            &[
                Component::WallSecond,
                Component::InputSecond,
                Component::OutputSecond,
            ],
            true,
        ),
        Unit::Images => (&[Component::InputImage, Component::OutputImage], true),
        Unit::InputCharacters => (&[Component::InputCharacter], true),
        Unit::AudioSeconds => (
            &[
                Component::InputAudioSecond,
                Component::InputSecond,
                Component::OutputSecond,
                Component::WallSecond,
            ],
            true,
        ),
        Unit::VideoSeconds => (
            &[
                Component::InputVideoSecond,
                Component::OutputVideoSecond,
                Component::OutputSecond,
            ],
            true,
        ),
        _ => return None,
    })
}

/// A quantity as it is billed: negative is nothing, and the provider may bill a least quantity.
fn quantity(call: &Call<'_>, unit: Unit) -> Option<Decimal> {
    let reported = call.query.usage.get(unit)?;
    if reported.is_sign_negative() || reported.is_zero() {
        return Some(Decimal::ZERO);
    }
    let least = call.minimum(unit);
    Some(least.map_or(reported, |least| reported.max(least.quantity)))
}

fn price(call: &Call<'_>, component: Component) -> Option<Decimal> {
    call.entry.plain(component)
}

/// The first listed price that is not zero; else a listed zero.
fn first_price(call: &Call<'_>, components: &[Component]) -> Option<Decimal> {
    let listed = || components.iter().filter_map(|c| price(call, *c));
    listed().find(|p| !p.is_zero()).or_else(|| listed().next())
}

/// Tokens, with the pieces that the model bills by the character, piece or second taken out.
fn mixed(call: &Call<'_>, bill: &mut Bill<'_>) {
    let mut replaced = Replaced::default();
    let mut by_unit = |unit: Unit, component: Component, flag: &mut bool| {
        let Some(count) = quantity(call, unit).filter(|count| !count.is_zero()) else {
            return;
        };
        if let Some(price) = price(call, component) {
            // A price of zero may be that of one side only: another may still be listed.
            if price.is_zero() {
                bill.add(unit.as_str(), count, Some(price));
            } else {
                bill.add_unit(unit, count, Some(price));
            }
            *flag = true;
        } else if !call.mix.has_tokens {
            bill.add_unit(unit, count, None);
        }
    };
    by_unit(
        Unit::InputCharacters,
        Component::InputCharacter,
        &mut replaced.text,
    );
    by_unit(Unit::Images, Component::InputImage, &mut replaced.image);
    by_unit(
        Unit::AudioSeconds,
        Component::InputAudioSecond,
        &mut replaced.audio,
    );
    by_unit(
        Unit::VideoSeconds,
        Component::InputVideoSecond,
        &mut replaced.video,
    );
    let mut ignored = false;
    if quantity(call, Unit::Requests).is_some() && price(call, Component::Request).is_some() {
        by_unit(Unit::Requests, Component::Request, &mut ignored);
    }
    tokens::charge(call, replaced, bill);
}

/// Images made: by the piece (input key before output key), by the pixel, else by tokens.
fn images(call: &Call<'_>, bill: &mut Bill<'_>) -> bool {
    let Some(count) = quantity(call, Unit::Images) else {
        return false;
    };
    if call.mix.has_tokens
        && (price(call, Component::Input).is_some() || price(call, Component::OutputImageToken).is_some())
    {
        return false;
    }
    let sized = sized_image(call).and_then(|component| price(call, component));
    let piece = sized.or_else(|| first_price(call, &[Component::InputImage, Component::OutputImage]));
    if piece.is_some() {
        bill.add_unit(Unit::Images, count, piece);
        return true;
    }
    let pixels = quantity(call, Unit::ImageWidthPixels)
        .zip(quantity(call, Unit::ImageHeightPixels))
        .and_then(|(width, height)| product(product(width, height)?, count));
    let pixel = first_price(call, &[Component::InputPixel, Component::OutputPixel]);
    match (pixels, pixel) {
        (Some(pixels), Some(pixel)) => {
            bill.charged.push(Unit::Images);
            bill.add("image_pixels", pixels, Some(pixel));
        }
        _ => bill.add_unit(Unit::Images, count, None),
    }
    true
}

fn sized_image(call: &Call<'_>) -> Option<Component> {
    let size = call.query.resolution.or(call.query.quality)?;
    let sizes = [
        ("0.5k", Component::OutputImageHalfK),
        ("1k", Component::OutputImage1k),
        ("2k", Component::OutputImage2k),
        ("4k", Component::OutputImage4k),
        ("512", Component::OutputImage512),
        ("1024", Component::OutputImage1024),
        ("1536", Component::OutputImage1536),
    ];
    sizes
        .iter()
        .find(|(name, _)| size.eq_ignore_ascii_case(name))
        .map(|(_, component)| *component)
}

/// Speech: by the character, else by tokens.
fn characters(call: &Call<'_>, bill: &mut Bill<'_>) -> bool {
    let Some(count) = quantity(call, Unit::InputCharacters) else {
        return false;
    };
    let listed = price(call, Component::InputCharacter);
    if listed.is_none() && call.mix.has_tokens {
        return false;
    }
    bill.add_unit(Unit::InputCharacters, count, listed);
    true
}

/// Transcription: by tokens where they are reported and priced, else by the second (output key
/// before input key, a zero output key does not count).
fn transcription(call: &Call<'_>, bill: &mut Bill<'_>) -> bool {
    let Some(seconds) = quantity(call, Unit::AudioSeconds) else {
        return false;
    };
    if call.mix.has_tokens && price(call, Component::Input).is_some() {
        return false;
    }
    let listed = first_price(
        call,
        &[
            Component::OutputSecond,
            Component::InputSecond,
            Component::WallSecond,
            Component::InputAudioSecond,
        ],
    );
    bill.add_unit(Unit::AudioSeconds, seconds, listed);
    true
}

/// Reranking: search units or queries, else tokens.
fn queries(call: &Call<'_>, bill: &mut Bill<'_>) -> bool {
    let Some((unit, count)) = [Unit::SearchUnits, Unit::Queries]
        .into_iter()
        .find_map(|unit| quantity(call, unit).map(|count| (unit, count)))
    else {
        return false;
    };
    let listed = price(call, Component::Query);
    if listed.is_none() && call.mix.has_tokens {
        return false;
    }
    bill.add_unit(unit, count, listed);
    true
}

/// Documents: pages, and annotated pages at the annotation price or else the page price; or credits.
fn pages(call: &Call<'_>, bill: &mut Bill<'_>) -> bool {
    let (read, annotated) = (quantity(call, Unit::Pages), quantity(call, Unit::AnnotationPages));
    if read.is_none() && annotated.is_none() {
        return false;
    }
    let page = price(call, Component::Page).or_else(|| price(call, Component::OcrCredit));
    bill.add_unit(Unit::Pages, read.unwrap_or_default(), page);
    let annotation = price(call, Component::AnnotationPage).or(page);
    bill.add_unit(Unit::AnnotationPages, annotated.unwrap_or_default(), annotation);
    true
}

/// Search: a price a query, which may depend on how many results were asked for.
fn search(call: &Call<'_>, bill: &mut Bill<'_>) -> bool {
    let Some(count) = quantity(call, Unit::Queries) else {
        return false;
    };
    let by_results = || {
        let results = call.query.usage.count(Unit::MaxResults);
        call.entry
            .range_for_results(results)?
            .rates
            .get(Code::plain(Component::Query))
    };
    let listed = price(call, Component::Query).or_else(by_results);
    bill.add_unit(Unit::Queries, count, listed);
    true
}

/// Video: the price of video seconds, of the resolution, or the plain one.
fn video(call: &Call<'_>, bill: &mut Bill<'_>) -> bool {
    let Some(seconds) = quantity(call, Unit::VideoSeconds) else {
        return false;
    };
    let resolution = call.query.resolution.and_then(|resolution| {
        let sizes = [
            ("480p", Component::OutputSecond480p),
            ("720p", Component::OutputSecond720p),
            ("768p", Component::OutputSecond768p),
            ("1080p", Component::OutputSecond1080p),
            ("2k", Component::OutputSecond2k),
            ("1440p", Component::OutputSecond2k),
            ("4k", Component::OutputSecond4k),
            ("2160p", Component::OutputSecond4k),
        ];
        let size = sizes
            .iter()
            .find(|(name, _)| resolution.eq_ignore_ascii_case(name))?;
        price(call, size.1)
    });
    let listed = price(call, Component::OutputVideoSecond)
        .or(resolution)
        .or_else(|| price(call, Component::OutputSecond));
    bill.add_unit(Unit::VideoSeconds, seconds, listed);
    true
}

/// Machines rented by the second, where the model lists no price of tokens.
fn wall_time(call: &Call<'_>, bill: &mut Bill<'_>) -> bool {
    if price(call, Component::Input).is_some() || price(call, Component::Output).is_some() {
        return false;
    }
    let seconds = quantity(call, Unit::ComputeSeconds).or_else(|| {
        product(
            quantity(call, Unit::ResponseTimeMs)?,
            Decimal::from_parts(1, 0, 0, false, 3),
        )
    });
    let listed = [
        Component::WallSecond,
        Component::InputSecond,
        Component::OutputSecond,
    ]
    .into_iter()
    .find_map(|component| price(call, component));
    let (Some(seconds), Some(listed)) = (seconds, listed) else {
        return false;
    };
    bill.add_unit(Unit::ComputeSeconds, seconds, Some(listed));
    true
}
