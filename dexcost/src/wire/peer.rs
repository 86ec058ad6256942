//! Where the other end of an exchange is: inside the private network, where bytes are free, or outside.

use std::net::{IpAddr, Ipv6Addr};

use crate::words::words;

words! {
    /// Where the other end of an exchange is.
    Peer ("peer") {
        /// This machine or a private network: what goes there is free.
        Internal = "internal",
        /// The internet, by its address.
        External = "external",
        /// A name whose address is not known; counted as external, with lower confidence.
        Assumed = "assumed_external",
    }
}

#[allow(clippy::derivable_impls, reason = "the words macro declares the variants")]
impl Default for Peer {
    fn default() -> Self {
        Self::Assumed
    }
}

impl Peer {
    /// Where an address is: loopback, private, link-local and unique-local ones are internal.
    ///
    /// ```
    /// use dexcost::Peer;
    ///
    /// assert_eq!(Peer::at("10.1.2.3".parse().unwrap()), Peer::Internal);
    /// assert_eq!(Peer::at("::ffff:192.168.0.1".parse().unwrap()), Peer::Internal);
    /// assert_eq!(Peer::at("1.1.1.1".parse().unwrap()), Peer::External);
    /// ```
    #[must_use]
    pub fn at(address: IpAddr) -> Self {
        let is_internal = match address.to_canonical() {
            IpAddr::V4(v4) => {
                v4.is_loopback() || v4.is_private() || v4.is_link_local() || v4.is_unspecified()
            }
            IpAddr::V6(v6) => is_internal_v6(v6),
        };
        if is_internal {
            Self::Internal
        } else {
            Self::External
        }
    }

    /// Where a host is, as far as its name tells: an address is judged as such, the names that are
    /// reserved for this machine and for private networks (RFC 6761, RFC 6762, `.internal`) are
    /// internal, any other is [assumed](Self::Assumed) to be external.
    ///
    /// ```
    /// use dexcost::Peer;
    ///
    /// assert_eq!(Peer::named("localhost"), Peer::Internal);
    /// assert_eq!(Peer::named("[fd00::1]"), Peer::Internal);
    /// assert_eq!(Peer::named("api.openai.com"), Peer::Assumed);
    /// ```
    #[must_use]
    pub fn named(host: &str) -> Self {
        // Nearly every host is a name: an address ends in a digit or a bracket.
        let may_be_address = host.ends_with(|c: char| c.is_ascii_digit() || c == ']');
        if may_be_address && let Ok(address) = host.trim_matches(['[', ']']).parse() {
            return Self::at(address);
        }
        let is_reserved = host == "localhost"
            || [".localhost", ".local", ".internal"]
                .iter()
                .any(|end| host.ends_with(end));
        if is_reserved {
            Self::Internal
        } else {
            Self::Assumed
        }
    }
}

fn is_internal_v6(v6: Ipv6Addr) -> bool {
    v6.is_loopback() || v6.is_unspecified() || v6.is_unique_local() || v6.is_unicast_link_local()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_networks_are_internal_and_everything_else_is_not() {
        for host in [
            "127.0.0.1",
            "10.0.0.1",
            "172.16.0.9",
            "192.168.1.1",
            "169.254.169.254",
            "[::1]",
            "[fe80::1]",
            "[fd12::1]",
            "[::ffff:10.0.0.1]",
            "a.localhost",
            "db.internal",
            "printer.local",
        ] {
            assert_eq!(Peer::named(host), Peer::Internal, "{host}");
        }
        for host in ["8.8.8.8", "172.32.0.1", "[2606:4700::1111]", "11.0.0.1"] {
            assert_eq!(Peer::named(host), Peer::External, "{host}");
        }
        for host in [
            "localhost.example.com",
            "internal",
            "example.com",
            "",
            "10.0.0.1.example",
        ] {
            assert_eq!(Peer::named(host), Peer::Assumed, "{host}");
        }
    }
}
