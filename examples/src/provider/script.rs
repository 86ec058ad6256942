//! What the model says, and what it took: a function of what it is asked.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

/// What the provider remembers between requests.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Requests that were refused once.
    refused: Mutex<HashSet<u64>>,
    /// Who has which prompt in the cache.
    cached: Mutex<HashSet<u64>>,
}

impl Memory {
    fn is_new(set: &Mutex<HashSet<u64>>, key: u64) -> bool {
        set.lock().unwrap_or_else(PoisonError::into_inner).insert(key)
    }
}

/// How a request is answered.
#[derive(Debug)]
pub(super) enum Fate {
    /// With an answer.
    Answered,
    /// Too many requests; the next time it is answered.
    Limited,
    /// No capacity, however often one asks.
    Overloaded,
}

/// One answer and its usage.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) fate: Fate,
    pub(super) id: u64,
    /// The answer, as it is streamed.
    pub(super) pieces: Vec<&'static str>,
    /// Prompt tokens that are in no cache.
    pub(super) fresh: u64,
    pub(super) cache_read: u64,
    pub(super) cache_write: u64,
    /// Tokens of the answer.
    pub(super) spoken: u64,
    /// Tokens that were thought and not said.
    pub(super) thought: u64,
}

const WORDS: &[&str] = &[
    "The ",
    "parcel ",
    "left ",
    "our ",
    "warehouse ",
    "yesterday, ",
    "and ",
    "the ",
    "carrier ",
    "expects ",
    "it ",
    "by ",
    "noon. ",
    "We ",
    "are ",
    "sorry ",
    "for ",
    "the ",
    "wait ",
    "and ",
    "refund ",
    "the ",
    "delivery ",
    "fee. ",
];

/// Shorter prompts are not cached by any provider.
const LEAST_CACHED: u64 = 1_024;

impl Script {
    pub(super) fn of(asked: &Value, body: &[u8], memory: &Memory) -> Self {
        let id = hash(body);
        let text = String::from_utf8_lossy(body);
        let fate = if text.contains("[unlucky]") {
            Fate::Overloaded
        } else if id.is_multiple_of(9) && Memory::is_new(&memory.refused, id) {
            Fate::Limited
        } else {
            Fate::Answered
        };
        let system = system_prompt(asked);
        let held = tokens(&system) / 128 * 128;
        let whole = tokens(&text).max(held + 16);
        let who = format!("{}{}{}{system}", asked["model"], asked["user"], asked["metadata"]);
        let (cache_read, cache_write) = match &fate {
            Fate::Answered if held >= LEAST_CACHED => {
                if Memory::is_new(&memory.cached, hash(who.as_bytes())) {
                    (0, held)
                } else {
                    (held, 0)
                }
            }
            _ => (0, 0),
        };
        let thinks = asked["model"]
            .as_str()
            .is_some_and(|model| model.starts_with('o'));
        let length = 12 + usize::try_from(id % 37).unwrap_or(0);
        Self {
            fate,
            id,
            pieces: (0..length).map(|n| WORDS[n % WORDS.len()]).collect(),
            fresh: whole - cache_read - cache_write,
            cache_read,
            cache_write,
            spoken: length as u64 + id % 11,
            thought: if thinks { 192 + id % 700 } else { 0 },
        }
    }

    /// The whole answer.
    pub(super) fn text(&self) -> String {
        self.pieces.concat()
    }
}

/// About as many tokens as a tokenizer would find in English text.
fn tokens(text: &str) -> u64 {
    text.len() as u64 / 4
}

fn system_prompt(asked: &Value) -> String {
    let of_messages = || {
        let first = asked["messages"].get(0)?;
        (first["role"] == "system").then(|| first["content"].to_string())
    };
    match &asked["system"] {
        Value::Null => of_messages().unwrap_or_default(),
        system => system.to_string(),
    }
}

/// FNV-1a: the same in every run.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
