//! Which providers' model calls are captured.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use arc_swap::ArcSwapOption;

use crate::error::Error;
use crate::provider;

/// The names by which providers are switched on and off, sorted.
///
/// `openai-compatible` stands for every host that is recognised by its path only; `litellm` for
/// LiteLLM's proxy. Calls that are switched off still count as traffic.
///
/// ```
/// assert!(dexcost::ALL_SUPPORTED_INSTRUMENTS.contains(&"anthropic"));
/// ```
pub static ALL_SUPPORTED_INSTRUMENTS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let names: BTreeSet<_> = provider::instruments().collect();
    names.into_iter().collect()
});

/// The instrument that a provider's calls belong to.
fn name_of(id: &str) -> &str {
    match provider::by_name(id) {
        Some(provider) => provider.instrument(),
        None => id,
    }
}

/// The instrument of hosts that nobody knows.
const UNKNOWN: &str = "openai-compatible";

/// A set of instruments that is read at every call and rarely changed.
#[derive(Debug, Default)]
pub(crate) struct Instruments {
    /// `None`: all of them.
    chosen: ArcSwapOption<BTreeSet<&'static str>>,
}

impl Instruments {
    /// All of them, or those of a list; names that are none mean nothing.
    pub(crate) fn new(names: Option<&[String]>) -> Self {
        let chosen = names.map(|names| names.iter().filter_map(|name| known(name).ok()).collect());
        Self {
            chosen: ArcSwapOption::from(chosen.map(Arc::new)),
        }
    }

    /// Refuses a list with a name that is none.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownWord`] for a name that is not in [`ALL_SUPPORTED_INSTRUMENTS`].
    pub(crate) fn check(names: &[String]) -> Result<(), Error> {
        names.iter().try_for_each(|name| known(name).map(drop))
    }

    /// Whether the calls of a provider are captured; `None` is a provider nobody knows.
    pub(crate) fn has(&self, provider: Option<&str>) -> bool {
        let chosen = self.chosen.load();
        chosen.as_ref().is_none_or(|chosen| {
            let name = provider.map_or(UNKNOWN, name_of);
            chosen.contains(name)
        })
    }

    /// Switches one on.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownWord`]; [`Error::AlreadyInstrumented`] where it is on.
    pub(crate) fn instrument(&self, name: &str) -> Result<(), Error> {
        let name = known(name)?;
        if self.has(Some(name)) {
            return Err(Error::AlreadyInstrumented { name });
        }
        self.change(|chosen| chosen.insert(name));
        Ok(())
    }

    /// Switches one off; whether it was on.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownWord`].
    pub(crate) fn uninstrument(&self, name: &str) -> Result<bool, Error> {
        let name = known(name)?;
        let was_on = self.has(Some(name));
        self.change(|chosen| chosen.remove(name));
        Ok(was_on)
    }

    pub(crate) fn all(&self) -> BTreeSet<&'static str> {
        match &*self.chosen.load() {
            Some(chosen) => BTreeSet::clone(chosen),
            None => ALL_SUPPORTED_INSTRUMENTS.iter().copied().collect(),
        }
    }

    fn change(&self, change: impl Fn(&mut BTreeSet<&'static str>) -> bool) {
        self.chosen.rcu(|chosen| {
            let mut next = match chosen {
                Some(chosen) => BTreeSet::clone(chosen),
                None => ALL_SUPPORTED_INSTRUMENTS.iter().copied().collect(),
            };
            change(&mut next);
            (next.len() < ALL_SUPPORTED_INSTRUMENTS.len()).then(|| Arc::new(next))
        });
    }
}

fn known(name: &str) -> Result<&'static str, Error> {
    let all = &*ALL_SUPPORTED_INSTRUMENTS;
    let at = all.binary_search(&name).ok();
    at.and_then(|at| all.get(at).copied())
        .ok_or_else(|| Error::UnknownWord {
            what: "instrument",
            text: name.chars().take(40).collect(),
            known: all.join(", "),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_on_until_something_is_switched_off() {
        let instruments = Instruments::default();
        assert!(instruments.has(Some("openai")) && instruments.has(None));
        assert!(matches!(
            instruments.instrument("openai"),
            Err(Error::AlreadyInstrumented { name: "openai" })
        ));
        assert!(instruments.uninstrument("openai").unwrap());
        assert!(!instruments.uninstrument("openai").unwrap(), "it was off");
        assert!(!instruments.has(Some("openai")) && instruments.has(Some("anthropic")));
        instruments.instrument("openai").unwrap();
        assert!(instruments.chosen.load().is_none(), "all are on again");
    }

    #[test]
    fn a_list_names_the_only_ones_and_an_empty_list_none() {
        let some = Instruments::new(Some(&["litellm".to_owned()]));
        assert!(some.has(Some("litellm-proxy")));
        assert!(!some.has(Some("groq")) && !some.has(None));
        assert_eq!(some.all(), ["litellm"].into());
        let none = Instruments::new(Some(&[]));
        assert!(none.all().is_empty() && !none.has(Some("openai")));
        let wrong = Instruments::check(&["opanai".to_owned()]).unwrap_err();
        assert!(wrong.to_string().contains("openai"), "{wrong}");
    }

    #[test]
    fn every_name_of_the_python_sdk_is_known() {
        for name in [
            "openai",
            "anthropic",
            "litellm",
            "gemini",
            "bedrock",
            "cohere",
            "mcp",
        ] {
            assert_eq!(known(name).unwrap(), name);
        }
    }
}
