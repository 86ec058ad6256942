//! The OpenAI chat form: `POST …/chat/completions`, whole or as server-sent events.
//!
//! Reference: <https://platform.openai.com/docs/api-reference/chat/object> and
//! <https://platform.openai.com/docs/api-reference/chat-streaming>, read 2026-11. A stream carries
//! usage in a last chunk without choices (OpenAI, and only when asked to), in the chunk with the
//! finish reason, or in every chunk, cumulative. Later reports win field by field.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::error_signs::{self, KEEP_ERROR};
use super::openai_counts::Counts;
use super::scan::{said, says};
use super::stated::Stated;
use super::{KeptFields, Reading, Setup, Terminal, WireForm};
use crate::event::ErrorType;
use crate::provider::UsageQuirks;
use crate::text::Text;
use crate::usage::framing::{Fields, Json, Keep};

const KEEP: KeptFields = &[
    ("id", Keep::All),
    ("model", Keep::All),
    ("object", Keep::All),
    ("service_tier", Keep::All),
    ("usage", Keep::All),
    (
        "choices",
        // Moonshot's streams carry usage in the choice.
        Keep::Fields(&[
            ("index", Keep::All),
            ("finish_reason", Keep::All),
            ("usage", Keep::All),
            ("error", KEEP_ERROR),
        ]),
    ),
    ("error", KEEP_ERROR),
    // Groq's own place for usage, the only one where it was not asked for.
    (
        "x_groq",
        Keep::Fields(&[("usage", Keep::All), ("error", KEEP_ERROR)]),
    ),
    // llama.cpp's counts, the only ones where a stream carries no usage.
    (
        "timings",
        Keep::Fields(&[
            ("cache_n", Keep::All),
            ("prompt_n", Keep::All),
            ("predicted_n", Keep::All),
        ]),
    ),
    // Errors without an `error` field (Mistral).
    ("type", Keep::All),
    ("code", Keep::All),
];

/// So many events are looked at in full to learn the model's name; Azure leaves it empty at first.
const INTRODUCTION: u8 = 4;

static USAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(r#""usage""#));
static FINISH: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(r#""finish_reason""#));
static TIER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(r#""service_tier""#));
static TIMINGS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(r#""timings""#));
static ERROR: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(r#""error""#));

/// Reads the OpenAI chat form.
#[derive(Debug)]
pub(crate) struct OpenAiChat {
    quirks: UsageQuirks,
    counts: Counts,
    stated: Stated,
    events: u8,
    has_usage: bool,
    /// Whether an object says that it is one of this form.
    is_named: bool,
    model: Option<Text>,
    id: Option<Text>,
    service_tier: Option<Text>,
    finish: Option<Text>,
    search_context_size: Option<Text>,
    error: Option<ErrorType>,
    closed: bool,
}

impl OpenAiChat {
    pub(super) fn new(setup: &Setup<'_>) -> Self {
        Self::at(setup.quirks)
    }

    /// The reader where these quirks are to be expected.
    pub(super) fn at(quirks: UsageQuirks) -> Self {
        Self {
            quirks,
            counts: Counts::default(),
            stated: Stated::default(),
            events: 0,
            has_usage: false,
            is_named: false,
            model: None,
            id: None,
            service_tier: None,
            finish: None,
            search_context_size: None,
            error: None,
            closed: false,
        }
    }

    fn is_introduced(&self) -> bool {
        self.model.is_some() || self.events >= INTRODUCTION
    }

    /// Whether the event has no tier to tell. Groq names it with the usage only.
    fn has_tier_of(&self, event: &[u8]) -> bool {
        self.service_tier.is_some() || !says(&TIER, event)
    }

    /// Takes over a usage object that is a field of its event: where nothing follows the object in which
    /// it stands, it stood at the top.
    fn counts_at_the_top(&mut self, usage: &[u8]) -> bool {
        let before = (
            self.counts.clone(),
            self.stated,
            self.service_tier.clone(),
            self.search_context_size.clone(),
        );
        let mut fields = Json::new(usage).fields();
        self.usage_fields(&mut fields);
        let mut event = fields.outer();
        event.by_ref().for_each(drop);
        if !self.closed && event.after().is_some_and(|rest| rest.trim_ascii().is_empty()) {
            self.has_usage = true;
            return true;
        }
        (
            self.counts,
            self.stated,
            self.service_tier,
            self.search_context_size,
        ) = before;
        false
    }

    /// Reads a body or an event in one pass; counts are taken over where they stand. Gives back what
    /// follows it, if it is whole and orderly.
    fn read<'a>(&mut self, value: Json<'a>) -> Option<&'a [u8]> {
        if !value.is_object() {
            return None;
        }
        if self.closed {
            self.late_usage(value);
            return None;
        }
        self.events = self.events.saturating_add(1);
        let (mut elsewhere, mut counted) = (Elsewhere::default(), false);
        let mut fields = value.fields();
        while let Some((name, field)) = fields.next() {
            match name {
                b"id" if self.id.is_none() => self.id = field.text(),
                b"model" if self.model.is_none() => self.model = field.text(),
                b"service_tier" => self.service_tier = field.text().or_else(|| self.service_tier.take()),
                b"choices" => fields.each(|choice| self.choice(choice, &mut elsewhere)),
                b"usage" if field.is_object() => {
                    counted = true;
                    let mut usage = fields.enter();
                    self.usage(&mut usage);
                    fields.leave(&usage);
                }
                b"timings" => {
                    fields.leave_order_open();
                    elsewhere.timings = Some(field);
                }
                b"x_groq" => {
                    fields.leave_order_open();
                    elsewhere.groq(field);
                }
                b"error" => {
                    fields.leave_order_open();
                    self.error = self.error.or_else(|| error_signs::of_field(field));
                }
                b"object" if field.is_word("error") => {
                    self.error = self.error.or_else(|| Some(error_signs::of_object(value)));
                }
                b"object" => self.is_named |= is_of_form(field),
                _ => {}
            }
        }
        self.error = self.error.or(elsewhere.error);
        match elsewhere.usage.filter(|_| !counted) {
            Some(usage) => self.usage(&mut usage.fields()),
            None if !self.has_usage => {
                if let Some(timings) = elsewhere.timings {
                    self.counts.timings(timings);
                }
            }
            None => {}
        }
        fields.after_order()
    }

    /// Takes the finish reason over: the first choice's, else any. An empty one says nothing, but
    /// stands where no other does.
    fn choice<'a>(&mut self, choice: &mut Fields<'a>, elsewhere: &mut Elsewhere<'a>) {
        let (mut reason, mut is_first) = (None, true);
        while let Some((name, value)) = choice.next() {
            match name {
                b"finish_reason" => reason = value.str(),
                b"index" => is_first = value.number().is_none_or(|index| index.is_zero()),
                b"usage" => elsewhere.usage(value),
                b"error" => {
                    choice.leave_order_open();
                    elsewhere.error = elsewhere.error.or_else(|| error_signs::of_field(value));
                }
                _ => {}
            }
        }
        let Some(reason) = reason else { return };
        let stands = self.finish.as_deref().is_some_and(|f| !f.is_empty());
        if (is_first && !reason.is_empty()) || !stands {
            self.finish = Some(Text::from(&*reason));
        }
    }

    /// Takes over a usage object that comes after the stream's end mark, and nothing else.
    fn late_usage(&mut self, value: Json<'_>) {
        let mut fields = value.fields();
        while let Some((name, field)) = fields.next() {
            if name == b"usage" && field.is_object() {
                let mut usage = fields.enter();
                self.usage(&mut usage);
                fields.leave(&usage);
            }
        }
    }

    fn usage(&mut self, usage: &mut Fields<'_>) {
        self.has_usage = true;
        self.usage_fields(usage);
        if usage.after().is_none() {
            self.counts.cut_off();
        }
    }

    fn usage_fields(&mut self, usage: &mut Fields<'_>) {
        while let Some((name, value)) = usage.next() {
            match name {
                b"service_tier" => self.service_tier = value.text().or_else(|| self.service_tier.take()),
                b"search_context_size" => self.search_context_size = value.text(),
                _ => {
                    if !self.stated.field(name, value) {
                        self.counts.field(name, value, usage);
                    }
                }
            }
        }
    }
}

impl WireForm for OpenAiChat {
    fn keep(&self) -> KeptFields {
        KEEP
    }

    fn read_body(&mut self, body: Json<'_>) {
        self.read(body);
    }

    fn read_whole(&mut self, document: &[u8]) -> bool {
        let rest = self.read(Json::new(document));
        let is_whole = rest.is_some_and(|rest| rest.trim_ascii_start().is_empty());
        if !is_whole {
            *self = Self::at(self.quirks);
        }
        is_whole
    }

    /// Reads the next event of a stream. Most say nothing new, and most of those that do add only
    /// counts: neither kind is taken apart as a whole.
    fn event(&mut self, event: &[u8]) {
        if self.is_introduced() && !says(&FINISH, event) && !says(&ERROR, event) {
            match said(&USAGE, event) {
                _ if !self.has_tier_of(event) => {}
                Some(usage) if self.counts_at_the_top(usage) => return,
                None if self.has_usage || !says(&TIMINGS, event) => return,
                _ => {}
            }
        }
        self.read(Json::new(event));
    }

    fn close(&mut self) {
        self.closed = true;
    }

    fn finish(&mut self) -> Reading {
        let (usage, is_suspect) = self.counts.normal(self.quirks, self.model.as_deref());
        let finished = self.finish.as_deref().is_some_and(|f| !f.is_empty());
        let mut reading = Reading {
            terminal: match (self.closed, finished, self.has_usage) {
                (true, ..) => Terminal::Closed,
                (_, true, true) => Terminal::Counted,
                (_, true, false) => Terminal::Finished,
                _ => Terminal::Open,
            },
            understood: self.is_named || finished || usage.has_tokens(),
            has_usage: self.has_usage || !usage.is_empty(),
            usage,
            is_suspect,
            model: self.model.take(),
            id: self.id.take(),
            service_tier: self.service_tier.take(),
            finish: self.finish.take(),
            search_context_size: self.search_context_size.take(),
            error: self.error,
            ..Reading::default()
        };
        self.stated.report(&mut reading);
        reading
    }
}

/// Whether an object is a completion of a chat or of a text, or a chunk of one.
fn is_of_form(object: Json<'_>) -> bool {
    object.begins_with("chat.completion") || object.begins_with("text_completion")
}

/// Where counts and errors stand in some dialects of the form, beside their usual places.
#[derive(Default)]
struct Elsewhere<'a> {
    usage: Option<Json<'a>>,
    timings: Option<Json<'a>>,
    error: Option<ErrorType>,
}

impl<'a> Elsewhere<'a> {
    fn usage(&mut self, usage: Json<'a>) {
        self.usage = self.usage.or(Some(usage).filter(|usage| usage.is_object()));
    }

    fn groq(&mut self, groq: Json<'a>) {
        for (name, value) in groq.fields() {
            match name {
                b"usage" => self.usage(value),
                b"error" => self.error = self.error.or_else(|| error_signs::of_field(value)),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::stream;
    use super::*;
    use crate::usage::Unit;

    /// The prompt that this event reports after one that told the model.
    fn input(event: &str) -> Option<u64> {
        let first = r#"{"id":"c","model":"m","choices":[]}"#;
        let read = stream(|| OpenAiChat::at(UsageQuirks::default()), &[first, event]);
        read.usage.reported_count(Unit::InputTokens)
    }

    #[test]
    fn counts_of_an_event_stand_at_its_top_whatever_follows_them() {
        for event in [
            r#"{"usage":{"prompt_tokens":5}}"#,
            r#"{"choices":[],"usage":{"prompt_tokens":5},"obfuscation":"a}b","more":[{"n":1}]}"#,
            r#"{ "usage" : {"prompt_tokens" : 5 } , "n" : null } "#,
            r#"{"choices":[{"usage":{"prompt_tokens":9}}],"usage":{"prompt_tokens":5}}"#,
        ] {
            assert_eq!(input(event), Some(5), "{event}");
        }
        for event in [
            r#"{"tool":{"usage":{"prompt_tokens":9}},"usage":null}"#,
            r#"{"tools":[{"usage":{"prompt_tokens":9}}]}"#,
        ] {
            assert_eq!(input(event), None, "{event}");
        }
    }

    #[test]
    fn of_a_usage_that_is_none_nothing_is_taken_over() {
        let first = r#"{"id":"c","model":"m","choices":[]}"#;
        let event = r#"{"tool":{"usage":{"search_context_size":"high"}}}"#;
        let read = stream(|| OpenAiChat::at(UsageQuirks::default()), &[first, event]);
        assert_eq!(read.search_context_size, None);
    }

    #[test]
    fn a_document_is_read_where_it_lies_only_if_it_is_whole_and_orderly() {
        let read = |document: &str| {
            let mut reader = OpenAiChat::at(UsageQuirks::default());
            let is_read = reader.read_whole(document.as_bytes());
            let read = reader.finish();
            assert_eq!(is_read, read.model.is_some(), "{document}");
            is_read
        };
        assert!(read(
            r#"{"model":"m","choices":[{"message":{"a":[1,2]}},{}],"x":{"y":[]}} "#
        ));
        for document in [
            r#"{"model":"m""#,
            r#"{"model":"m",}"#,
            r#"{"model":"m" "n":1}"#,
            r#"{"model":"m","n":x}"#,
            r#"{"model":"m"} {"model":"n"}"#,
            r#"{"model":"m","choices":[{"a":1} {"b":2}]}"#,
            r#"{"model":"m","choices":[{"a":1},]}"#,
            r#"{"model":"m","x":{"y":[1}}"#,
            r#"{"model":"m","x":[{"y":1,}]}"#,
        ] {
            assert!(!read(document), "{document}");
        }
    }
}
