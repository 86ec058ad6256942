//! Images in OpenAI's form: `POST …/images/{generations,edits,variations}`, whole or as events.
//!
//! Reference: <https://platform.openai.com/docs/api-reference/images>, read 2026-11. Models that bill by
//! tokens report usage, text and image apart; those that bill by the piece (DALL·E) report nothing, so
//! the images are counted. xAI (<https://docs.x.ai/docs/guides/image-generations>) states a price and no
//! count. What was made says its size and quality where the model chose them.

use super::error_signs::{self, KEEP_ERROR};
use super::openai_usage::UsageObject;
use super::{KeptFields, Reading, Setup, Terminal, WireForm};
use crate::event::ErrorType;
use crate::text::Text;
use crate::usage::Unit;
use crate::usage::framing::{Json, Keep};

const KEEP: KeptFields = &[
    ("type", Keep::All),
    ("model", Keep::All),
    // Of the images nothing but how many there are.
    ("data", Keep::Fields(&[])),
    ("images", Keep::Fields(&[])),
    ("size", Keep::All),
    ("quality", Keep::All),
    ("usage", Keep::All),
    ("error", KEEP_ERROR),
];

/// Reads images.
#[derive(Debug, Default)]
pub(crate) struct Images {
    usage: UsageObject,
    images: u64,
    size: Option<Text>,
    quality: Option<Text>,
    model: Option<Text>,
    error: Option<ErrorType>,
    completed: bool,
    closed: bool,
    /// Whether the path alone says what it leads to.
    is_telling: bool,
}

impl Images {
    pub(super) fn new(setup: &Setup<'_>) -> Self {
        Self {
            is_telling: setup.route.is_telling,
            ..Self::default()
        }
    }
}

impl WireForm for Images {
    fn keep(&self) -> KeptFields {
        KEEP
    }

    fn read_body(&mut self, body: Json<'_>) {
        let mut fields = body.fields();
        while let Some((name, value)) = fields.next() {
            match name {
                b"model" => self.model = value.text(),
                b"data" | b"images" => self.images = value.items().count() as u64,
                b"size" => self.size = value.text(),
                b"quality" => self.quality = value.text(),
                b"usage" if value.is_object() => self.usage.take(&mut fields),
                b"error" => self.error = self.error.or_else(|| error_signs::of_field(value)),
                // `image_generation.completed`, `image_edit.completed`; partial images come before.
                b"type" if value.str().is_some_and(|kind| kind.ends_with(".completed")) => {
                    self.images += 1;
                    self.completed = true;
                }
                _ => {}
            }
        }
    }

    fn close(&mut self) {
        self.closed = true;
    }

    fn finish(&mut self) -> Reading {
        let mut reading = Reading {
            error: self.error,
            quality: self.quality.take(),
            size: self.size.take(),
            // Several images may come, each with an event of its own.
            terminal: match (self.closed, self.completed) {
                (true, _) => Terminal::Closed,
                (_, true) => Terminal::Counted,
                _ => Terminal::Open,
            },
            ..self.usage.reading(Default::default(), self.model.take())
        };
        if self.images > 0 {
            reading.usage.set(Unit::Images, self.images);
            reading.understood |= self.is_telling;
        }
        reading
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{body, count, stream};
    use super::*;
    use crate::dec;

    fn read(text: &str) -> Reading {
        body(Images::default(), text)
    }

    #[test]
    fn images_without_usage_are_counted() {
        let seen =
            read(r#"{"created":1,"data":[{"url":"https://i"},{"b64_json":"AAAA","revised_prompt":"p"}]}"#);
        assert_eq!(count(&seen, Unit::Images), Some(dec!(2)));
        assert!(!seen.has_usage);
    }

    #[test]
    fn text_and_image_tokens_are_told_apart() {
        let seen = read(
            r#"{"created":1,"data":[{"b64_json":"AAAA"}],"quality":"low","size":"1024x1024","usage":{"input_tokens":221,"input_tokens_details":{"image_tokens":194,"text_tokens":27},"output_tokens":1318,"output_tokens_details":{"image_tokens":1056,"text_tokens":262},"total_tokens":1539}}"#,
        );
        for (unit, quantity) in [
            (Unit::InputTokens, 221),
            (Unit::InputImageTokens, 194),
            (Unit::OutputTokens, 1318),
            (Unit::OutputImageTokens, 1056),
            (Unit::Images, 1),
        ] {
            assert_eq!(count(&seen, unit), Some(quantity.into()), "{unit:?}");
        }
        assert_eq!(seen.quality.as_deref(), Some("low"));
        assert_eq!(seen.size.as_deref(), Some("1024x1024"));
    }

    #[test]
    fn a_price_without_counts_is_taken_over() {
        let seen = read(r#"{"data":[{"b64_json":"A"}],"usage":{"cost_in_usd_ticks":700000000}}"#);
        assert_eq!(seen.cost, Some(dec!(0.07)));
    }

    #[test]
    fn partial_images_of_a_stream_do_not_count() {
        let seen = stream(
            Images::default,
            &[
                r#"{"type":"image_generation.partial_image","b64_json":"AA","partial_image_index":0,"size":"1024x1024"}"#,
                r#"{"type":"image_generation.completed","b64_json":"AAAA","usage":{"input_tokens":5,"output_tokens":272,"output_tokens_details":{"image_tokens":272}}}"#,
            ],
        );
        assert_eq!(count(&seen, Unit::Images), Some(dec!(1)));
        assert_eq!(count(&seen, Unit::OutputImageTokens), Some(dec!(272)));
        assert_eq!(seen.terminal, Terminal::Counted);
    }
}
