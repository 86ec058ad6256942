//! Who answers at a host.

use std::borrow::Cow;
use std::net::IpAddr;

use super::record::Provider;
use super::{all, amazon, azure, by_name, by_path, local};
use crate::wire::{Peer, split_port};

/// What is known of who answers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum HostOwner {
    /// This provider does.
    Provider(&'static Provider),
    /// A server on this machine or network does, by its port of this kind.
    Local(&'static Provider),
    /// Not a known provider.
    Unknown,
}

impl HostOwner {
    /// Whose call a request to the host is, as far as host and path tell.
    pub(crate) fn provider(self, path: &str) -> Option<&'static Provider> {
        match self {
            Self::Provider(gateway) if gateway.names_who_is_behind => by_path(path).or(Some(gateway)),
            Self::Provider(provider) => {
                let other = azure::by_path(provider, path).and_then(by_name);
                other.or(Some(provider))
            }
            Self::Local(server) => by_path(path).or(Some(server)),
            Self::Unknown => by_path(path),
        }
    }
}

/// So many slots that most hosts have one of their own.
const SLOTS: usize = 512;

/// Hosts that are one provider's, by their hash: place of the provider's group and its place there, from 1.
static BY_HOST: [(u8, u8); SLOTS] = slots();

const fn slots() -> [(u8, u8); SLOTS] {
    let (mut slots, mut group) = ([(0, 0); SLOTS], 0);
    while group < super::ALL.len() {
        let mut row = 0;
        while row < super::ALL[group].len() {
            let hosts = super::ALL[group][row].hosts;
            let mut at = 0;
            while at < hosts.len() {
                let mut slot = slot_of(hosts[at].as_bytes());
                while slots[slot].1 != 0 {
                    slot = (slot + 1) % SLOTS;
                }
                slots[slot] = (group as u8, row as u8 + 1);
                at += 1;
            }
            row += 1;
        }
        group += 1;
    }
    slots
}

/// The slot of a host, from its length and a few of its letters: most begin and end alike.
const fn slot_of(host: &[u8]) -> usize {
    let (length, mut hash) = (host.len(), host.len());
    let mut at = 0;
    while at < 8 {
        let place = length * (at + 1) / 9;
        if place < length {
            hash = hash.wrapping_mul(37).wrapping_add(host[place] as usize);
        }
        at += 1;
    }
    hash % SLOTS
}

fn exact(host: &str) -> Option<&'static Provider> {
    let start = slot_of(host.as_bytes());
    let slots = (0..SLOTS).map(|step| BY_HOST[(start + step) % SLOTS]);
    slots
        .take_while(|(_, row)| *row != 0)
        .filter_map(|(group, row)| super::ALL.get(usize::from(group))?.get(usize::from(row) - 1))
        .find(|provider| provider.hosts.contains(&host))
}

fn by_pattern(host: &str) -> Option<&'static Provider> {
    let is_like = |(start, end): &(&str, &str)| {
        host.len() > start.len() + end.len() && host.ends_with(end) && host.starts_with(start)
    };
    all().find(|provider| provider.patterns.iter().any(is_like))
}

/// Who answers at a host (in lower case, without a root dot) and port.
pub(crate) fn owner(host: &str, port: Option<&str>) -> HostOwner {
    if let Some(provider) = exact(host).or_else(|| by_pattern(host)) {
        return HostOwner::Provider(provider);
    }
    if host.ends_with(".vpce.amazonaws.com") {
        return private_endpoint(host).map_or(HostOwner::Unknown, HostOwner::Provider);
    }
    if Peer::named(host) != Peer::Internal {
        return HostOwner::Unknown;
    }
    let listens = |provider: &&Provider| {
        provider
            .port
            .is_some_and(|known| Some(known.number) == port && (!known.is_shared || is_loopback(host)))
    };
    let server = all().find(listens).or_else(|| by_name(local::ANY_LOCAL));
    server.map_or(HostOwner::Unknown, HostOwner::Local)
}

/// Which of Amazon's services answers at a private endpoint.
fn private_endpoint(host: &str) -> Option<&'static Provider> {
    let has = |start: &str| host.split('.').any(|label| label.starts_with(start));
    let found = amazon::ENDPOINTS.iter().find(|(start, _)| has(start));
    found.and_then(|(_, provider)| by_name(provider))
}

/// Whether a host is this machine.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Whether nobody outside the user's own network answers to a name: an address of it, a name of one
/// label, or one below a name that the public does not resolve.
pub(crate) fn is_private_name(host: &str) -> bool {
    const ENDS: &[&str] = &[
        ".local",
        ".internal",
        ".svc.cluster.local",
        ".cluster.local",
        ".localhost",
        ".lan",
        ".home.arpa",
        ".intranet",
        ".corp",
        ".private",
    ];
    let is_one_label = !host.starts_with('[') && !host.contains(['.', ':']);
    is_one_label || Peer::named(host) == Peer::Internal || ENDS.iter().any(|end| host.ends_with(end))
}

/// A host as the tables have it: in lower case, without port, and without the root's dot.
pub(crate) fn normal_host(authority: &str) -> (Cow<'_, str>, Option<&str>) {
    let (host, port) = split_port(authority);
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        (Cow::Owned(host.to_ascii_lowercase()), port)
    } else {
        (Cow::Borrowed(host), port)
    }
}
