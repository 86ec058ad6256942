//! Prices of the user's own, over the bundled ones: one immutable snapshot.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::entry::OwnEntry;
use super::names::Biller;
use super::table;
use crate::text::Text;

/// Prices by model.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overlay {
    /// By the lower-cased name; the dated entries newest first, under the name as it was given.
    models: BTreeMap<String, (String, Vec<OwnEntry>)>,
    version: Text,
}

impl Overlay {
    /// Sets the dated prices of a model, in place of earlier ones.
    pub(crate) fn set(&mut self, model: &str, mut entries: Vec<OwnEntry>) {
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.since_seconds));
        self.models
            .insert(model.to_ascii_lowercase(), (model.to_owned(), entries));
    }

    /// The name and the prices of a model that held for a provider at an instant; the earliest ones
    /// where no instant is given.
    pub(crate) fn find(
        &self,
        name: &str,
        provider: Option<Biller<'_>>,
        at_seconds: Option<u64>,
    ) -> Option<(&str, &OwnEntry)> {
        let holds = |entry: &OwnEntry| {
            let theirs = entry.provider.as_deref().map(Biller::of);
            theirs
                .zip(provider)
                .is_none_or(|(theirs, provider)| provider.takes(theirs.name, theirs.family()))
        };
        let folded = name.to_ascii_lowercase();
        let under_provider = provider.map(|provider| format!("{}/{folded}", provider.name));
        [under_provider.as_deref(), Some(folded.as_str())]
            .into_iter()
            .flatten()
            .find_map(|key| {
                let (listed, entries) = self.models.get(key)?;
                let mut theirs = entries.iter().filter(|entry| holds(entry));
                let entry = match at_seconds {
                    Some(at_seconds) => theirs.find(|entry| entry.since_seconds <= at_seconds),
                    None => theirs.next_back(),
                }?;
                Some((listed.as_str(), entry))
            })
    }

    /// Computes the version: the first 12 hex digits of a SHA-256 over the bundled version and every
    /// price here.
    pub(crate) fn seal(&mut self) {
        let mut digest = Sha256::new();
        digest.update(table::VERSION);
        let mut text = String::new();
        for (model, (_, entries)) in &self.models {
            for entry in entries {
                text.clear();
                if write!(text, "\n{model}\t{}", entry.canonical()).is_ok() {
                    digest.update(text.as_bytes());
                }
            }
        }
        let mut version = String::with_capacity(12);
        for byte in digest.finalize().iter().take(6) {
            let _ = write!(version, "{byte:02x}");
        }
        self.version = Text::from(version);
    }

    /// The version of bundled and own prices together.
    pub(crate) const fn version(&self) -> &Text {
        &self.version
    }
}
