//! Who may be told.

use dexcost::Text;

/// The hosts that the user listed.
#[derive(Clone, Debug, Default)]
pub(super) struct Hosts(Vec<Host>);

/// One entry of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Host {
    name: Text,
    /// The entry stands for all names below this one, and not for the name itself.
    is_parent: bool,
    port: Option<u16>,
}

impl Hosts {
    /// Adds an entry: `name`, `name:port`, `*.name`. Anything else matches nothing; debug builds
    /// refuse it.
    pub(super) fn add(&mut self, entry: &str) {
        let host = Host::parse(entry);
        debug_assert!(host.is_some(), "`{entry}` is no host");
        self.0.extend(host);
    }

    pub(super) fn contain(&self, name: &str, port: Option<u16>) -> bool {
        let name = bare(name);
        self.0.iter().any(|host| {
            let is_name = if host.is_parent {
                is_below(name, &host.name)
            } else {
                name.eq_ignore_ascii_case(&host.name)
            };
            is_name && host.port.is_none_or(|wanted| port == Some(wanted))
        })
    }
}

impl Host {
    fn parse(entry: &str) -> Option<Self> {
        let (is_parent, entry) = match entry.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, entry),
        };
        // The colons of an IPv6 address stand within brackets.
        let (name, port) = match entry.rsplit_once(':') {
            Some((name, port)) if !port.contains(']') => (name, Some(port.parse().ok()?)),
            _ => (entry, None),
        };
        let name = bare(name);
        let is_plain = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':'));
        (is_plain && !name.is_empty() && !name.starts_with('.')).then(|| Self {
            name: name.into(),
            is_parent,
            port,
        })
    }
}

/// A name without the dot that says it is whole, and without the brackets of an IPv6 address.
fn bare(name: &str) -> &str {
    let name = name.strip_suffix('.').unwrap_or(name);
    let within = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    within.unwrap_or(name)
}

fn is_below(name: &str, parent: &str) -> bool {
    let Some(at) = name.len().checked_sub(parent.len()) else {
        return false;
    };
    let (label, rest) = name.as_bytes().split_at(at);
    rest.eq_ignore_ascii_case(parent.as_bytes()) && label.len() > 1 && label.ends_with(b".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(entries: &[&str]) -> Hosts {
        let mut hosts = Hosts::default();
        entries.iter().for_each(|entry| hosts.add(entry));
        hosts
    }

    #[test]
    fn only_listed_hosts_are_told() {
        let hosts = hosts(&["api.internal", "*.svc.local", "127.0.0.1:8080", "[::1]:9"]);
        for (name, port) in [
            ("api.internal", None),
            ("API.Internal.", Some(443)),
            ("a.svc.local", None),
            ("a.b.svc.local", Some(1)),
            ("127.0.0.1", Some(8080)),
            ("::1", Some(9)),
            ("[::1]", Some(9)),
        ] {
            assert!(hosts.contain(name, port), "{name}");
        }
        for (name, port) in [
            ("evil-api.internal", None),
            ("api.internal.evil.example", None),
            ("x.api.internal", None),
            ("svc.local", None),
            (".svc.local", None),
            ("evilsvc.local", None),
            ("a.svc.local.evil.example", None),
            ("127.0.0.1", Some(80)),
            ("127.0.0.1", None),
            ("", None),
        ] {
            assert!(!hosts.contain(name, port), "{name}");
        }
        assert!(!Hosts::default().contain("api.internal", None));
    }

    #[test]
    fn an_entry_that_is_no_host_is_none() {
        for entry in [
            "", "*", "*.", "http://a", "a b", "a:port", "a/b", "a:99999", ".a", "user@a",
        ] {
            assert_eq!(Host::parse(entry), None, "{entry}");
        }
    }
}
