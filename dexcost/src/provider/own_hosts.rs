//! Who answers at hosts of the user's own.

use std::collections::BTreeMap;

use super::{Provider, by_name, normal_host};
use crate::error::Error;

/// Which provider answers at which host, as the user says.
#[derive(Clone, Debug, Default)]
pub(crate) struct OwnHosts(BTreeMap<String, &'static Provider>);

impl OwnHosts {
    /// The hosts of a list: `host` or `host:port`, in any case, with the name of a provider.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] for a host that is none and for a provider that nobody knows.
    pub(crate) fn new(hosts: &BTreeMap<String, String>) -> Result<Self, Error> {
        let known = |(host, name): (&String, &String)| match check_own_host(host, name) {
            Ok(provider) => Ok((host.trim().to_ascii_lowercase(), provider)),
            Err(reason) => Err(Error::InvalidSetting {
                name: "hosts",
                reason,
            }),
        };
        hosts.iter().map(known).collect::<Result<_, _>>().map(Self)
    }

    /// Who answers at an authority, where the user says so; with the port first.
    pub(crate) fn provider_at(&self, authority: &str) -> Option<&'static Provider> {
        if self.0.is_empty() {
            return None;
        }
        let (host, port) = normal_host(authority);
        let with_port = port.and_then(|port| self.0.get(&format!("{host}:{port}")));
        with_port.or_else(|| self.0.get(&*host)).copied()
    }
}

/// The provider that is said to answer at a host; else what is wrong with that.
pub(crate) fn check_own_host(host: &str, name: &str) -> Result<&'static Provider, String> {
    if host.trim().is_empty() || host.contains(['/', ' ', '@']) {
        return Err(format!(
            "`{host}` is no host; write `llm.example.com` or `llm.example.com:8080`"
        ));
    }
    by_name(name).ok_or_else(|| format!("nobody knows the provider `{name}` of `{host}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(list: &[(&str, &str)]) -> Result<OwnHosts, Error> {
        let owned = list
            .iter()
            .map(|(host, name)| ((*host).to_owned(), (*name).to_owned()));
        OwnHosts::new(&owned.collect())
    }

    #[test]
    fn a_host_is_found_in_any_spelling_and_its_port_comes_first() {
        let own = hosts(&[
            ("LLM.Acme.internal", "OpenAI"),
            ("llm.acme.internal:8080", "mistral"),
        ])
        .unwrap();
        let id = |authority: &str| own.provider_at(authority).map(|provider| provider.id);
        assert_eq!(id("llm.acme.internal"), Some("openai"));
        assert_eq!(id("llm.ACME.internal.:443"), Some("openai"));
        assert_eq!(id("llm.acme.internal:8080"), Some("mistral"));
        assert_eq!(id("other.acme.internal"), None);
    }

    #[test]
    fn what_cannot_be_meant_is_an_error_that_names_it() {
        for (host, name, reason) in [
            ("llm.internal", "opnai", "opnai"),
            ("https://llm.internal/v1", "openai", "is no host"),
            ("", "openai", "is no host"),
        ] {
            let error = hosts(&[(host, name)]).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
