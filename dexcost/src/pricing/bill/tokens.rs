//! Tokens: the usual case.

use rust_decimal::Decimal;

use super::{Bill, Call, Mix, multiplier, product};
use crate::pricing::table::Component;
use crate::usage::Unit;

/// Pieces of the mix that another unit pays for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Replaced {
    /// Text, paid by the character.
    pub(super) text: bool,
    /// Audio, paid by the second.
    pub(super) audio: bool,
    /// Images, paid by the piece.
    pub(super) image: bool,
    /// Video, paid by the second.
    pub(super) video: bool,
}

/// Bills every piece of the mix at its own price.
pub(super) fn charge(call: &Call<'_>, replaced: Replaced, bill: &mut Bill<'_>) {
    let card = call.card();
    let factor = multiplier(call);
    let mix: &Mix = call.mix;
    let mut add = |what: Unit, count: u64, price: &dyn Fn() -> Option<Decimal>| {
        if count == 0 {
            return;
        }
        let price = match (price(), factor) {
            (Some(price), Some(factor)) => product(price, factor),
            (price, _) => price,
        };
        bill.add_tokens(what, count, price);
    };
    if !replaced.text {
        add(Unit::InputTokens, mix.text, &|| card.input());
    }
    add(Unit::CacheReadTokens, mix.read, &|| card.cache_read());
    add(Unit::CacheReadAudioTokens, mix.read_audio, &|| {
        card.cache_read_audio()
    });
    add(Unit::CacheReadImageTokens, mix.read_image, &|| {
        card.cache_read_image()
    });
    add(Unit::CacheWriteTokens, mix.write, &|| card.cache_write());
    add(Unit::CacheWrite1hTokens, mix.write_1h, &|| {
        card.cache_write_long(Component::CacheWrite1h)
    });
    add(Unit::CacheWrite12hTokens, mix.write_12h, &|| {
        card.cache_write_long(Component::CacheWrite12h)
    });
    if !replaced.audio {
        add(Unit::InputAudioTokens, mix.audio, &|| {
            card.input_modality(Component::InputAudio)
        });
    }
    if !replaced.image {
        add(Unit::InputImageTokens, mix.image, &|| {
            card.input_modality(Component::InputImageToken)
        });
    }
    if !replaced.video {
        add(Unit::InputVideoTokens, mix.video, &|| {
            card.input_modality(Component::InputVideoToken)
        });
    }
    add(Unit::OutputTokens, mix.out_text, &|| card.output());
    add(Unit::ReasoningTokens, mix.reasoning, &|| card.reasoning());
    add(Unit::OutputAudioTokens, mix.out_audio, &|| {
        card.output_modality(Component::OutputAudio)
    });
    add(Unit::OutputImageTokens, mix.out_image, &|| {
        card.output_modality(Component::OutputImageToken)
    });
    add(Unit::OutputVideoTokens, mix.out_video, &|| {
        card.output_modality(Component::OutputVideoToken)
    });
    if mix.citation > 0 {
        // Providers that do not list citations bill nothing for them.
        if let Some(price) = call.entry.plain(Component::Citation) {
            add(Unit::CitationTokens, mix.citation, &|| Some(price));
        }
    }
}
