//! What may be kept of what the caller hands over.
//!
//! A [`Privacy`] policy is applied to everything that enters the ledger, before it reaches a queue
//! or a disk:
//! - members with listed names are deleted, at every depth ([`Privacy::redact`]);
//! - customer and project are replaced by their SHA-256 where asked for;
//! - URLs lose their userinfo and the values of secret query parameters ([`scrub_url`]);
//! - metadata and details over 10,240 bytes are replaced by a note of their size.
//!
//! The last two hold always, the first two where they are configured.

mod hash;
mod limit;
mod redact;
mod scrub;

use crate::event::{Details, Event};
use crate::task::{Attribution, Task};
use crate::text::Text;

pub(crate) use hash::sha256_hex;
pub use scrub::scrub_url;

/// The rules for what may be kept.
///
/// ```
/// use dexcost::{Attribution, Details, Privacy};
/// use serde_json::json;
///
/// let privacy = Privacy::new().redact(["email"]).hash_customer_id(true);
///
/// let mut details: Details = serde_json::from_value(json!({"to": [{"email": "a@b.c", "n": 1}]})).unwrap();
/// privacy.apply_to_details(&mut details);
/// assert_eq!(json!(details), json!({"to": [{"n": 1}]}));
///
/// let mut whom = Attribution { customer_id: Some("acme".into()), ..Attribution::default() };
/// privacy.apply_to_attribution(&mut whom);
/// assert_eq!(whom.customer_id.unwrap().len(), 64);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Privacy {
    names: redact::Names,
    hash_customer_id: bool,
    hash_project_id: bool,
}

impl Privacy {
    /// No names redacted, nothing hashed.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Also deletes members with these names; upper and lower case are the same.
    #[must_use]
    pub fn redact<I>(mut self, names: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        for name in names {
            self.names.add(name.as_ref());
        }
        self
    }

    /// Whether the customer is replaced by the SHA-256 of its id, in hexadecimal.
    #[must_use]
    pub const fn hash_customer_id(mut self, hash: bool) -> Self {
        self.hash_customer_id = hash;
        self
    }

    /// Whether the project is replaced by the SHA-256 of its id, in hexadecimal.
    #[must_use]
    pub const fn hash_project_id(mut self, hash: bool) -> Self {
        self.hash_project_id = hash;
        self
    }

    /// Applies the policy to a task that begins: its attribution and its metadata.
    ///
    /// Once per task: ids that are hashed already would be hashed again. Metadata that is added
    /// later passes through [`apply_to_details`](Self::apply_to_details).
    pub fn apply_to_task(&self, task: &mut Task) {
        self.apply_to_attribution(&mut task.attribution);
        self.apply_to_details(&mut task.metadata);
    }

    /// Applies the policy to an event: its details.
    pub fn apply_to_event(&self, event: &mut Event) {
        if let Some(details) = event.details.as_deref_mut() {
            self.apply_to_details(details);
        }
    }

    /// Hashes the ids that are to be hashed. Not idempotent.
    pub fn apply_to_attribution(&self, attribution: &mut Attribution) {
        if self.hash_customer_id {
            hash(&mut attribution.customer_id);
        }
        if self.hash_project_id {
            hash(&mut attribution.project_id);
        }
    }

    /// Redacts, scrubs and limits an object. Applying it again changes nothing more.
    pub fn apply_to_details(&self, details: &mut Details) {
        if details.is_empty() {
            return;
        }
        if !self.names.is_empty() {
            self.names.redact(details);
        }
        scrub::scrub_object(details);
        limit::limit(details);
    }
}

fn hash(id: &mut Option<Text>) {
    if let Some(id) = id {
        *id = sha256_hex(id.as_bytes()).into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::arbitrary;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    #[test]
    fn only_the_ids_that_are_asked_for_are_hashed() {
        let whom = Attribution {
            customer_id: Some("abc".into()),
            project_id: Some("abc".into()),
            agent: Some("abc".into()),
            ..Attribution::default()
        };
        let mut hashed = whom.clone();
        Privacy::new()
            .hash_project_id(true)
            .apply_to_attribution(&mut hashed);
        assert_eq!(hashed.customer_id, whom.customer_id);
        assert_eq!(hashed.project_id, Some(sha256_hex("abc").into()));
        assert_eq!(hashed.agent, whom.agent);
    }

    #[test]
    fn urls_inside_details_are_scrubbed_under_every_policy() {
        let Value::Object(mut details) = json!({"seen": [{"url": "https://u:p@h/x?token=t&n=1"}], "n": 5})
        else {
            unreachable!()
        };
        Privacy::new().apply_to_details(&mut details);
        assert_eq!(
            json!(details),
            json!({"seen": [{"url": "https://h/x?token=REDACTED&n=1"}], "n": 5})
        );
    }

    #[test]
    fn redaction_comes_before_the_limit() {
        let mut details = Details::from_iter([
            ("blob".to_owned(), Value::from("x".repeat(20_000))),
            ("n".to_owned(), Value::from(1)),
        ]);
        Privacy::new().redact(["blob"]).apply_to_details(&mut details);
        assert_eq!(json!(details), json!({"n": 1}));
    }

    proptest! {
        #[test]
        fn the_policy_settles_after_one_application(mut event in arbitrary::event(), mut metadata in arbitrary::object()) {
            let privacy = Privacy::new().redact(["a", ""]);
            privacy.apply_to_event(&mut event);
            privacy.apply_to_details(&mut metadata);
            let (event_before, metadata_before) = (event.clone(), metadata.clone());
            privacy.apply_to_event(&mut event);
            privacy.apply_to_details(&mut metadata);
            prop_assert_eq!(event, event_before);
            prop_assert_eq!(metadata, metadata_before);
        }
    }
}
