//! What an exchange moves over the network, measured as HTTP messages.

use crate::task::HostTraffic;
use crate::wire::{Headers, Peer, RequestFacts};

/// Counts the bytes of one exchange.
#[derive(Debug)]
pub(super) struct Meter {
    head_out: u64,
    body_out: u64,
    /// What the request says its body takes; used where the body was not seen.
    declared_out: u64,
    bytes_in: u64,
    peer: Peer,
}

/// `HTTP/1.1 200 OK` with its line end, and the blank line after the fields.
const STATUS_LINE_BYTES: u64 = "HTTP/1.1 200 OK\r\n\r\n".len() as u64;

impl Meter {
    pub(super) fn of(request: &RequestFacts<'_>, host: &str) -> Self {
        let declared = || {
            std::str::from_utf8(request.headers.get("content-length")?)
                .ok()?
                .parse()
                .ok()
        };
        Self {
            head_out: request.wire_bytes(),
            body_out: 0,
            declared_out: declared().unwrap_or(0),
            bytes_in: 0,
            peer: Peer::named(host),
        }
    }

    pub(super) fn sent(&mut self, bytes: u64) {
        self.body_out = self.body_out.saturating_add(bytes);
    }

    pub(super) fn answered(&mut self, headers: &dyn Headers) {
        self.received(STATUS_LINE_BYTES + headers.wire_bytes());
    }

    pub(super) fn received(&mut self, bytes: u64) {
        self.bytes_in = self.bytes_in.saturating_add(bytes);
    }

    pub(super) fn at(&mut self, peer: Peer) {
        self.peer = peer;
    }

    pub(super) fn peer(&self) -> Peer {
        self.peer
    }

    /// Bytes of the request body, as far as they were seen or declared.
    pub(super) fn body_sent(&self) -> u64 {
        match self.body_out {
            0 => self.declared_out,
            seen => seen,
        }
    }

    /// What was moved so far, as one call.
    pub(super) fn traffic(&self) -> HostTraffic {
        HostTraffic {
            bytes_in: self.bytes_in,
            bytes_out: self.head_out.saturating_add(self.body_sent()),
            calls: 1,
        }
    }
}
