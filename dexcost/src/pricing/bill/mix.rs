//! Usage taken apart into pieces that do not overlap, so that each is billed once.

use rust_decimal::Decimal;

use crate::pricing::table::Component;
use crate::usage::{Unit, Usage};

/// What a call consumed, in pieces that do not overlap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mix {
    /// The whole prompt; thresholds look at it.
    pub(crate) prompt: u64,
    /// Prompt tokens that are neither cached nor written, and text.
    pub(crate) text: u64,
    /// The same for audio.
    pub(crate) audio: u64,
    /// The same for images.
    pub(crate) image: u64,
    /// The same for video.
    pub(crate) video: u64,
    /// Tokens read from a cache: text and video.
    pub(crate) read: u64,
    /// Tokens read from a cache: audio.
    pub(crate) read_audio: u64,
    /// Tokens read from a cache: images.
    pub(crate) read_image: u64,
    /// Tokens written to a cache for minutes, or for an unknown time.
    pub(crate) write: u64,
    /// Tokens written for an hour.
    pub(crate) write_1h: u64,
    /// Tokens written for twelve hours.
    pub(crate) write_12h: u64,
    /// Completion tokens that are text and no reasoning.
    pub(crate) out_text: u64,
    /// Reasoning tokens.
    pub(crate) reasoning: u64,
    /// Completion tokens: audio.
    pub(crate) out_audio: u64,
    /// Completion tokens: images.
    pub(crate) out_image: u64,
    /// Completion tokens: video.
    pub(crate) out_video: u64,
    /// Tokens of citations.
    pub(crate) citation: u64,
    /// Whether the usage was impossible and had to be clamped.
    pub(crate) clamped: bool,
    /// Whether any token unit was reported.
    pub(crate) has_tokens: bool,
    /// Whether anything but tokens was reported.
    pub(crate) has_units: bool,
}

/// The token counts as reported, before they are taken apart.
#[derive(Default)]
struct Reported {
    input: Option<u64>,
    output: Option<u64>,
    read: u64,
    write: u64,
    write_minutes: u64,
    write_1h: u64,
    write_12h: u64,
    audio: u64,
    image: u64,
    video: u64,
    read_audio: u64,
    read_image: u64,
    read_video: u64,
    reasoning: u64,
    out_audio: u64,
    out_image: u64,
    out_video: u64,
}

/// A count of tokens: negative is 0, fractions are cut off, more than `u64` holds is its maximum.
/// The second value says whether anything had to be changed.
#[inline]
fn whole(quantity: &Decimal) -> (u64, bool) {
    if quantity.scale() == 0
        && let Ok(count) = u64::try_from(quantity.mantissa())
    {
        return (count, false);
    }
    fraction(quantity)
}

fn fraction(quantity: &Decimal) -> (u64, bool) {
    if quantity.is_sign_negative() {
        return (0, !quantity.is_zero());
    }
    let cut = quantity.trunc();
    match u64::try_from(cut) {
        Ok(count) => (count, cut != *quantity),
        Err(_) => (u64::MAX, true),
    }
}

/// Takes at most what is left of a budget; says whether that was less than asked for.
fn draw(budget: &mut u64, wanted: u64, clamped: &mut bool) -> u64 {
    let taken = wanted.min(*budget);
    *clamped |= taken < wanted;
    *budget -= taken;
    taken
}

impl Mix {
    /// Takes a usage apart.
    ///
    /// The parts are drawn from their totals in the order cache reads, cache writes, modalities, so
    /// that a part which exceeds its total is cut to it and marks the mix as clamped. Where a total
    /// was not reported, it is the sum of its parts.
    #[inline]
    pub(crate) fn of(usage: &Usage) -> Self {
        let mut mix = Self::default();
        for (unit, quantity) in usage.as_slice() {
            let (count, changed) = whole(quantity);
            match unit {
                Unit::InputTokens => {
                    mix.prompt = count;
                    mix.text = count;
                }
                Unit::OutputTokens => mix.out_text = count,
                _ => return Self::of_parts(usage),
            }
            mix.clamped |= changed;
            mix.has_tokens = true;
        }
        mix
    }

    /// Whether a component bills a part of it.
    pub(crate) const fn uses(&self, component: Component) -> bool {
        let count = match component {
            Component::CacheRead => self.read,
            Component::CacheWrite => self.write,
            Component::CacheWrite1h => self.write_1h,
            Component::CacheWrite12h => self.write_12h,
            Component::InputAudio => self.audio,
            Component::CacheReadAudio => self.read_audio,
            Component::CacheReadImage => self.read_image,
            Component::InputImageToken => self.image,
            Component::InputVideoToken => self.video,
            Component::Reasoning => self.reasoning,
            Component::OutputAudio => self.out_audio,
            Component::OutputImageToken => self.out_image,
            Component::OutputVideoToken => self.out_video,
            _ => 0,
        };
        count > 0
    }

    /// Whether there is nothing but text, what was cached of it for up to an hour, and reasoning.
    #[inline]
    pub(crate) const fn is_common(&self) -> bool {
        let rare = self.audio
            | self.image
            | self.video
            | self.read_audio
            | self.read_image
            | self.write_12h
            | self.out_audio
            | self.out_image
            | self.out_video
            | self.citation;
        rare == 0 && !self.has_units
    }

    /// The same where more than the two totals was reported.
    fn of_parts(usage: &Usage) -> Self {
        let mut mix = Self::default();
        let reported = mix.read_counts(usage);
        mix.split_input(&reported);
        mix.split_output(&reported);
        mix
    }

    fn read_counts(&mut self, usage: &Usage) -> Reported {
        let mut reported = Reported::default();
        for (unit, quantity) in usage.as_slice() {
            let slot = match unit {
                Unit::InputTokens => reported.input.insert(0),
                Unit::OutputTokens => reported.output.insert(0),
                Unit::CacheReadTokens => &mut reported.read,
                Unit::CacheWriteTokens => &mut reported.write,
                Unit::CacheWrite5mTokens | Unit::CacheWrite30mTokens => &mut reported.write_minutes,
                Unit::CacheWrite1hTokens => &mut reported.write_1h,
                Unit::CacheWrite12hTokens => &mut reported.write_12h,
                Unit::InputAudioTokens => &mut reported.audio,
                Unit::InputImageTokens => &mut reported.image,
                Unit::InputVideoTokens => &mut reported.video,
                Unit::CacheReadAudioTokens => &mut reported.read_audio,
                Unit::CacheReadImageTokens => &mut reported.read_image,
                Unit::CacheReadVideoTokens => &mut reported.read_video,
                Unit::ReasoningTokens => &mut reported.reasoning,
                Unit::OutputAudioTokens => &mut reported.out_audio,
                Unit::OutputImageTokens => &mut reported.out_image,
                Unit::OutputVideoTokens => &mut reported.out_video,
                Unit::CitationTokens => &mut self.citation,
                Unit::InputDocumentTokens
                | Unit::ToolUsePromptTokens
                | Unit::AcceptedPredictionTokens
                | Unit::RejectedPredictionTokens => continue,
                _ => {
                    self.has_units = true;
                    continue;
                }
            };
            let (count, changed) = whole(quantity);
            *slot = slot.saturating_add(count);
            self.clamped |= changed;
            self.has_tokens = true;
        }
        reported
    }

    fn split_input(&mut self, reported: &Reported) {
        let lifetimes = reported
            .write_minutes
            .saturating_add(reported.write_1h)
            .saturating_add(reported.write_12h);
        let writes = reported.write.max(lifetimes);
        let uncached = |whole: u64, cached: u64| whole.saturating_sub(cached);
        let modalities = uncached(reported.audio, reported.read_audio)
            .saturating_add(uncached(reported.image, reported.read_image))
            .saturating_add(uncached(reported.video, reported.read_video));
        let prompt = reported
            .input
            .unwrap_or_else(|| reported.read.saturating_add(writes).saturating_add(modalities));
        self.prompt = prompt;
        let mut left = prompt;
        let clamped = &mut self.clamped;
        let mut reads = draw(&mut left, reported.read, clamped);
        self.read_audio = draw(&mut reads, reported.read_audio, clamped);
        self.read_image = draw(&mut reads, reported.read_image, clamped);
        self.read = reads;
        self.write_12h = draw(&mut left, reported.write_12h, clamped);
        self.write_1h = draw(&mut left, reported.write_1h, clamped);
        self.write = draw(
            &mut left,
            writes - reported.write_1h.saturating_add(reported.write_12h).min(writes),
            clamped,
        );
        self.audio = draw(&mut left, uncached(reported.audio, reported.read_audio), clamped);
        self.image = draw(&mut left, uncached(reported.image, reported.read_image), clamped);
        self.video = draw(&mut left, uncached(reported.video, reported.read_video), clamped);
        self.text = left;
    }

    fn split_output(&mut self, reported: &Reported) {
        let parts = reported
            .reasoning
            .saturating_add(reported.out_audio)
            .saturating_add(reported.out_image)
            .saturating_add(reported.out_video);
        let mut left = reported.output.unwrap_or(parts);
        let clamped = &mut self.clamped;
        self.out_audio = draw(&mut left, reported.out_audio, clamped);
        self.out_image = draw(&mut left, reported.out_image, clamped);
        self.out_video = draw(&mut left, reported.out_video, clamped);
        self.reasoning = draw(&mut left, reported.reasoning, clamped);
        self.out_text = left;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dec;

    fn usage(entries: &[(Unit, i64)]) -> Usage {
        entries.iter().map(|(u, q)| (*u, Decimal::from(*q))).collect()
    }

    #[test]
    fn the_pieces_add_up_to_the_totals() {
        let mix = Mix::of(&usage(&[
            (Unit::InputTokens, 1000),
            (Unit::CacheReadTokens, 300),
            (Unit::CacheReadAudioTokens, 100),
            (Unit::InputAudioTokens, 150),
            (Unit::CacheWriteTokens, 200),
            (Unit::CacheWrite1hTokens, 50),
            (Unit::OutputTokens, 90),
            (Unit::ReasoningTokens, 40),
        ]));
        assert_eq!((mix.read, mix.read_audio, mix.audio), (200, 100, 50));
        assert_eq!((mix.write, mix.write_1h, mix.text), (150, 50, 450));
        assert_eq!((mix.out_text, mix.reasoning, mix.clamped), (50, 40, false));
    }

    #[test]
    fn totals_alone_are_read_as_anything_else_is() {
        for (input, output) in [
            (None, None),
            (Some(dec!(7)), None),
            (None, Some(dec!(-1))),
            (Some(dec!(2.5)), Some(Decimal::MAX)),
            (Some(dec!(-0)), Some(dec!(3.0))),
        ] {
            let totals = [(Unit::OutputTokens, output), (Unit::InputTokens, input)];
            let usage: Usage = totals
                .into_iter()
                .filter_map(|(unit, count)| count.map(|count| (unit, count)))
                .collect();
            assert_eq!(Mix::of(&usage), Mix::of_parts(&usage), "{usage:?}");
        }
    }

    #[test]
    fn a_part_above_its_total_is_cut_and_said_so() {
        let mix = Mix::of(&usage(&[
            (Unit::InputTokens, 10),
            (Unit::CacheReadTokens, 50),
            (Unit::OutputTokens, 5),
            (Unit::ReasoningTokens, 9),
        ]));
        assert_eq!((mix.text, mix.read, mix.out_text, mix.reasoning), (0, 10, 0, 5));
        assert!(mix.clamped);
    }

    #[test]
    fn impossible_counts_are_clamped() {
        let mix = Mix::of(
            &Usage::new()
                .with(Unit::InputTokens, dec!(-3))
                .with(Unit::OutputTokens, dec!(2.5)),
        );
        assert_eq!((mix.prompt, mix.out_text, mix.clamped), (0, 2, true));
        let huge = Mix::of(&Usage::new().with(Unit::InputTokens, Decimal::MAX));
        assert_eq!((huge.prompt, huge.clamped), (u64::MAX, true));
    }

    #[test]
    fn a_total_that_was_not_reported_is_the_sum_of_its_parts() {
        let mix = Mix::of(&usage(&[
            (Unit::CacheReadTokens, 7),
            (Unit::CacheWrite5mTokens, 3),
        ]));
        assert_eq!((mix.prompt, mix.read, mix.write, mix.text), (10, 7, 3, 0));
    }
}
