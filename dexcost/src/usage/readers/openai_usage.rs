//! A usage object in OpenAI's form, in whatever body it lies, with the price that a provider may
//! state in it.

use super::Reading;
use super::openai_counts::Counts;
use super::stated::Stated;
use crate::provider::UsageQuirks;
use crate::text::Text;
use crate::usage::framing::Fields;

/// What usage objects reported so far; a later one overrides field by field.
#[derive(Debug, Default)]
pub(super) struct UsageObject {
    pub(super) counts: Counts,
    stated: Stated,
    is_seen: bool,
}

impl UsageObject {
    /// Takes over the object that is the value of the field at which `fields` stands.
    pub(super) fn take(&mut self, fields: &mut Fields<'_>) {
        self.is_seen = true;
        let mut usage = fields.enter();
        while let Some((name, value)) = usage.next() {
            if !self.stated.field(name, value) {
                self.counts.field(name, value, &mut usage);
            }
        }
        if usage.after().is_none() {
            self.counts.cut_off();
        }
        fields.leave(&usage);
    }

    /// Whether there was one.
    pub(super) const fn is_seen(&self) -> bool {
        self.is_seen
    }

    /// What it says of the call; everything else of the reading is still to be said.
    pub(super) fn reading(&self, quirks: UsageQuirks, model: Option<Text>) -> Reading {
        let (usage, is_suspect) = self.counts.normal(quirks, model.as_deref());
        let mut reading = Reading {
            has_usage: self.is_seen || !usage.is_empty(),
            understood: usage.has_tokens(),
            usage,
            is_suspect,
            model,
            ..Reading::default()
        };
        self.stated.report(&mut reading);
        reading
    }
}
