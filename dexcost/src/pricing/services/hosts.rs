//! Host patterns, and the index that finds those of a host.
//!
//! A pattern is a host name whose labels may hold stars. A first label `*` stands for one label or
//! more, any other `*` for exactly one, a star inside a label for a part of it. The last two labels
//! are always literal, so no pattern can reach beyond one registered name; they are what the index is
//! sorted by.

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
    let (open, pattern) = match pattern.strip_prefix("*.") {
        Some(rest) => (true, rest),
        None => (false, pattern),
    };
    let mut labels = host.rsplit('.');
    for wanted in pattern.rsplit('.') {
        match labels.next() {
            Some(label) if !label.is_empty() && glob::matches(wanted.as_bytes(), label.as_bytes()) => {}
            _ => return false,
        }
    }
    match labels.next() {
        None => !open,
        Some(label) => open && !label.is_empty(),
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

/// A hash of the last two labels, the same in any case; `None` where there is only one.
fn key(host: &str) -> Option<u64> {
    let bytes = host.as_bytes();
    let last = memchr::memrchr(b'.', bytes)?;
    let from = memchr::memrchr(b'.', &bytes[..last]).map_or(0, |dot| dot + 1);
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in &bytes[from..] {
        hash = (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x100_0000_01b3);
    }
    Some(hash)
}

/// All patterns of a table, sorted by the hash of their last two labels.
///
/// A host that no pattern is about costs one hash of a dozen bytes and one binary search.
#[derive(Debug, Default)]
pub(super) struct HostIndex {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    key: u64,
    pattern: Box<str>,
    row: u16,
}

impl HostIndex {
    /// The index of the patterns of each row.
    pub(super) fn new<'a>(hosts: impl Iterator<Item = (u16, &'a str)>) -> Self {
        let mut entries = Vec::with_capacity(320);
        for (row, patterns) in hosts {
            entries.extend(patterns.split_ascii_whitespace().filter_map(|pattern| {
                Some(Entry {
                    key: key(pattern)?,
                    pattern: pattern.into(),
                    row,
                })
            }));
        }
        entries.sort_by_key(|entry| (entry.key, entry.row));
        Self { entries }
    }

    /// The rows with a pattern that this host is, in file order, each once, and how much of the host
    /// the best of its patterns fixes.
    pub(super) fn find(&self, host: &str) -> impl Iterator<Item = (u16, u16)> {
        let key = key(host);
        let from = key.map_or(self.entries.len(), |key| {
            self.entries.partition_point(|entry| entry.key < key)
        });
        let mut near = self.entries[from..]
            .iter()
            .take_while(move |entry| Some(entry.key) == key)
            .peekable();
        std::iter::from_fn(move || {
            loop {
                let first = near.next()?;
                let weigh =
                    |entry: &Entry| matches(&entry.pattern, host).then(|| glob::weight(&entry.pattern));
                let mut best = weigh(first);
                while let Some(more) = near.next_if(|entry| entry.row == first.row) {
                    best = best.max(weigh(more));
                }
                if let Some(best) = best {
                    return Some((first.row, best));
                }
            }
        })
    }

    /// All patterns.
    #[cfg(test)]
    pub(super) fn patterns(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| &*entry.pattern)
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
        assert_eq!(key("localhost"), None);
    }
}
