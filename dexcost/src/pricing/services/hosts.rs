//! Host patterns, and the index that finds those of a host.
//!
//! A pattern is a host name whose labels may hold stars. A first label `*` stands for one label or
//! more, any other `*` for exactly one, a star inside a label for a part of it. The last two labels
//! are always literal; they are what the index is sorted by. Whoever writes a table still has to know
//! that under some suffixes (`co.uk`, `github.io`) two labels are not one registered name yet.

use std::cmp::Reverse;
use std::ops::Range;

use smallvec::SmallVec;

use super::glob;

/// Why a text is no host pattern.
pub(super) fn fault(pattern: &str) -> Option<&'static str> {
    let mut labels = pattern.rsplit('.');
    let is_label = |label: &str| {
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'*');
        !label.is_empty() && label.len() <= 63 && label.bytes().all(fits)
    };
    if pattern.len() > 253 || !pattern.split('.').all(is_label) {
        return Some("is no host pattern");
    }
    let literal = |label: Option<&str>| label.is_some_and(|label| !label.contains('*'));
    if !literal(labels.next()) || !literal(labels.next()) {
        return Some("the last two labels must be literal");
    }
    None
}

/// Whether a host is what the pattern says, in any case.
pub(super) fn matches(pattern: &str, host: &str) -> bool {
    match (halves(pattern), halves(host)) {
        (Some((pattern, domain)), Some((host, suffix))) => {
            domain.eq_ignore_ascii_case(suffix) && matches_rest(pattern, host)
        }
        _ => false,
    }
}

/// What stands before the last two labels, without the dot, and these.
fn halves(host: &str) -> Option<(&str, &str)> {
    let last = memchr::memrchr(b'.', host.as_bytes())?;
    match memchr::memrchr(b'.', &host.as_bytes()[..last]) {
        Some(dot) => Some((&host[..dot], &host[dot + 1..])),
        None => Some(("", host)),
    }
}

/// Compares what stands before the last two labels, from the right.
fn matches_rest(pattern: &str, host: &str) -> bool {
    // Most patterns under a crowded name begin with a letter, and most with another one.
    if let (Some(wanted), Some(first)) = (pattern.bytes().next(), host.bytes().next())
        && wanted != b'*'
        && wanted != first.to_ascii_lowercase()
    {
        return false;
    }
    let mut host = host;
    let mut pattern = pattern;
    while let Some((before, wanted)) = last_label(pattern) {
        let Some((more, label)) = last_label(host) else {
            return false;
        };
        if wanted == "*" && before.is_none() {
            // The first label of the pattern: one label or more.
            return host.split('.').all(|label| !label.is_empty());
        }
        let is_it = match wanted {
            "*" => !label.is_empty(),
            _ if wanted.contains('*') => glob::matches(wanted.as_bytes(), label.as_bytes()),
            _ => wanted.eq_ignore_ascii_case(label),
        };
        if !is_it {
            return false;
        }
        (pattern, host) = (before.unwrap_or_default(), more.unwrap_or_default());
    }
    host.is_empty()
}

/// The last label and what stands before its dot; `None` where there is no label any more.
fn last_label(labels: &str) -> Option<(Option<&str>, &str)> {
    match memchr::memrchr(b'.', labels.as_bytes()) {
        _ if labels.is_empty() => None,
        Some(dot) => Some((Some(&labels[..dot]), &labels[dot + 1..])),
        None => Some((None, labels)),
    }
}

/// The host of an authority: without port and without the dot of the root.
pub(super) fn host_of(authority: &str) -> &str {
    if authority.starts_with('[') {
        return authority;
    }
    let host = authority.split_once(':').map_or(authority, |(host, _)| host);
    host.strip_suffix('.').unwrap_or(host)
}

/// A hash that is the same in any case.
fn hash(domain: &str) -> u64 {
    domain.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x100_0000_01b3)
    })
}

/// All patterns of a table, by their last two labels.
///
/// A host that no pattern is about costs one hash of a dozen bytes and one binary search.
#[derive(Debug, Default)]
pub(super) struct HostIndex {
    /// Sorted by the hash of the last two labels.
    domains: Vec<Domain>,
    patterns: Vec<Pattern>,
}

#[derive(Debug)]
struct Domain {
    hash: u64,
    name: Box<str>,
    /// Which of the patterns are about it.
    patterns: Range<usize>,
}

#[derive(Debug)]
struct Pattern {
    /// What stands before the last two labels.
    rest: Box<str>,
    weight: u16,
    rows: SmallVec<[u16; 8]>,
}

/// Rows, each once, in the order of the table, and how much of the host the best of their patterns
/// fixes.
pub(super) type Rows = SmallVec<[(u16, u16); 8]>;

impl HostIndex {
    /// The index of the patterns of each row.
    pub(super) fn new<'a>(hosts: impl Iterator<Item = (u16, &'a str)>) -> Self {
        let mut listed = Vec::with_capacity(512);
        for (row, patterns) in hosts {
            listed.extend(patterns.split_ascii_whitespace().filter_map(|pattern| {
                let (rest, domain) = halves(pattern)?;
                Some((hash(domain), domain, rest, row))
            }));
        }
        listed.sort_unstable();
        let mut index = Self::default();
        for domain in listed.chunk_by(|one, next| one.1 == next.1) {
            let from = index.patterns.len();
            for same in domain.chunk_by(|one, next| one.2 == next.2) {
                let (_, name, rest, _) = same[0];
                let is_open = rest.contains('*');
                index.patterns.push(Pattern {
                    rest: rest.into(),
                    weight: glob::weight(rest) + glob::weight(name) - u16::from(is_open),
                    rows: same.iter().map(|(_, _, _, row)| *row).collect(),
                });
            }
            index.domains.push(Domain {
                hash: domain[0].0,
                name: domain[0].1.into(),
                patterns: from..index.patterns.len(),
            });
        }
        index
    }

    /// The rows with a pattern that this host is.
    pub(super) fn find(&self, host: &str) -> Rows {
        let mut rows = Rows::new();
        let Some((rest, name)) = halves(host) else {
            return rows;
        };
        let hash = hash(name);
        let from = self.domains.partition_point(|domain| domain.hash < hash);
        let near = self.domains[from..]
            .iter()
            .take_while(|domain| domain.hash == hash);
        for domain in near.filter(|domain| domain.name.eq_ignore_ascii_case(name)) {
            let patterns = &self.patterns[domain.patterns.clone()];
            for pattern in patterns
                .iter()
                .filter(|pattern| matches_rest(&pattern.rest, rest))
            {
                rows.extend(pattern.rows.iter().map(|row| (*row, pattern.weight)));
            }
        }
        // The best pattern of a row first, and of that only the first.
        rows.sort_unstable_by_key(|(row, weight)| (*row, Reverse(*weight)));
        rows.dedup_by_key(|(row, _)| *row);
        rows
    }

    /// All patterns.
    #[cfg(test)]
    pub(super) fn patterns(&self) -> Vec<String> {
        let of = |domain: &Domain| {
            let patterns = self.patterns[domain.patterns.clone()].iter();
            let name = domain.name.clone();
            patterns.map(move |pattern| {
                format!("{}.{name}", pattern.rest)
                    .trim_start_matches('.')
                    .to_owned()
            })
        };
        self.domains.iter().flat_map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_takes_its_own_hosts_and_no_look_alike() {
        for (pattern, host, expected) in [
            ("api.stripe.com", "API.Stripe.com", true),
            ("api.stripe.com", "evilapi.stripe.com", false),
            ("api.stripe.com", "api.stripe.com.evil.test", false),
            ("*.pinecone.io", "a.b.pinecone.io", true),
            ("*.pinecone.io", "pinecone.io", false),
            ("*.pinecone.io", "notpinecone.io", false),
            (
                "*.s3.*.amazonaws.com",
                "my.bucket.s3.eu-west-1.amazonaws.com",
                true,
            ),
            ("*.s3.*.amazonaws.com", "s3.eu-west-1.amazonaws.com", false),
            ("s3.*.amazonaws.com", "s3.eu-west-1.amazonaws.com", true),
            ("s3.*.amazonaws.com", "s3.a.b.amazonaws.com", false),
            ("49999-*.e2b.dev", "49999-abc.e2b.dev", true),
            ("49999-*.e2b.dev", "49999-abc.x.e2b.dev", false),
            ("*.pinecone.io", ".pinecone.io", false),
            ("*.pinecone.io", "a..pinecone.io", false),
            ("pinecone.io", "PINECONE.io", true),
            ("hook.*.make.com", "hook..make.com", false),
            ("hook.*.make.com", "x.hook.eu1.make.com", false),
        ] {
            assert_eq!(matches(pattern, host), expected, "{pattern} {host}");
        }
    }

    #[test]
    fn a_pattern_without_a_registered_name_is_refused() {
        for bad in ["*.com", "com", "a.*.com", "a..com", "", "a.b/c.com", "*", "A.com"] {
            assert!(fault(bad).is_some(), "{bad}");
        }
        for good in ["a.com", "*.a.com", "api-*.pusher.com", "s3.*.amazonaws.com"] {
            assert_eq!(fault(good), None, "{good}");
        }
    }

    #[test]
    fn port_root_dot_and_brackets_are_no_part_of_the_name() {
        assert_eq!(host_of("api.x.ai:8443"), "api.x.ai");
        assert_eq!(host_of("api.x.ai."), "api.x.ai");
        assert_eq!(host_of("[::1]:80"), "[::1]:80");
        assert_eq!(halves("localhost"), None);
        assert_eq!(halves("x.ai"), Some(("", "x.ai")));
    }
}
