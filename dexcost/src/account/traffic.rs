//! What a task moved over the network: by host, and what of its egress has no price yet.
//!
//! Every exchange counts in the totals. One that costs nothing else and is large, failed or slow is an
//! event of its own. The egress of all others, those of models and services too, is priced at the
//! task's end as one summary event, so that the parts equal the whole.

use std::sync::Arc;

use crate::event::Event;
use crate::task::{HostTraffic, Totals};
use crate::text::Text;
use crate::wire::Peer;

/// So many hosts are told apart while a task runs; the smallest go to the rest beyond that.
const MOST_HOSTS: usize = 256;
/// So many are named in the task's record.
const NAMED_HOSTS: usize = 20;
/// The name of the rest.
const OTHER: &str = "_other";
/// So many events wait for their price; the egress of more goes into the summary.
const MOST_PENDING: usize = 1_024;

/// The network side of a running task.
#[derive(Debug, Default)]
pub(super) struct TaskTraffic {
    hosts: Vec<(Text, HostTraffic)>,
    other: HostTraffic,
    is_published: bool,
    /// Egress that no event of its own covers.
    unpriced: Egress,
    /// Network events without a price.
    pending: Vec<Arc<Event>>,
}

/// Bytes that left for the internet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Egress {
    pub(super) bytes: u64,
    /// How many of them went to names whose address nobody knew.
    pub(super) assumed_bytes: u64,
    pub(super) calls: u64,
}

impl Egress {
    fn add(&mut self, bytes: u64, peer: Peer) {
        if peer == Peer::Internal || bytes == 0 {
            return;
        }
        self.bytes = self.bytes.saturating_add(bytes);
        self.calls += 1;
        if peer == Peer::Assumed {
            self.assumed_bytes = self.assumed_bytes.saturating_add(bytes);
        }
    }
}

impl TaskTraffic {
    /// Counts an exchange.
    pub(super) fn count(&mut self, totals: &mut Totals, host: &str, traffic: HostTraffic) {
        totals.network_bytes_in = totals.network_bytes_in.saturating_add(traffic.bytes_in);
        totals.network_bytes_out = totals.network_bytes_out.saturating_add(traffic.bytes_out);
        totals.network_call_count = totals.network_call_count.saturating_add(traffic.calls);
        self.is_published = false;
        match self.hosts.iter_mut().find(|(name, _)| *name == *host) {
            Some((_, sum)) => sum.add(traffic),
            None => {
                if self.hosts.len() == MOST_HOSTS {
                    self.fold_smallest();
                }
                self.hosts.push((Text::from(host), traffic));
            }
        }
    }

    /// Notes egress that is priced at the end, in the summary.
    pub(super) fn leave_unpriced(&mut self, bytes: u64, peer: Peer) {
        self.unpriced.add(bytes, peer);
    }

    /// Whether so many network events wait for a price that the egress of more goes into the summary.
    pub(super) fn is_full(&self) -> bool {
        self.pending.len() >= MOST_PENDING
    }

    /// Keeps a network event until it can be priced.
    pub(super) fn wait(&mut self, event: &Arc<Event>) {
        self.pending.push(Arc::clone(event));
    }

    pub(super) fn take_unpriced(&mut self) -> Egress {
        std::mem::take(&mut self.unpriced)
    }

    pub(super) fn take_pending(&mut self) -> Vec<Arc<Event>> {
        std::mem::take(&mut self.pending)
    }

    /// Brings the hosts of the task's record up to date: the largest by name, the rest as one.
    pub(super) fn publish(&mut self, totals: &mut Totals) {
        if self.is_published || self.hosts.is_empty() {
            return;
        }
        self.is_published = true;
        let mut by_size: Vec<_> = self.hosts.iter().collect();
        by_size.sort_by_key(|(name, traffic)| (std::cmp::Reverse(traffic.bytes()), name.clone()));
        let mut rest = self.other;
        let (named, small) = by_size.split_at(by_size.len().min(NAMED_HOSTS));
        small.iter().for_each(|(_, traffic)| rest.add(*traffic));
        totals.network_by_host = named
            .iter()
            .map(|(name, traffic)| (name.as_str().to_owned(), *traffic))
            .collect();
        if rest.calls > 0 {
            totals.network_by_host.insert(OTHER.to_owned(), rest);
        }
    }

    fn fold_smallest(&mut self) {
        let sizes = self.hosts.iter().enumerate();
        let Some((at, _)) = sizes.min_by_key(|(_, (_, traffic))| traffic.bytes()) else {
            return;
        };
        let (_, traffic) = self.hosts.swap_remove(at);
        self.other.add(traffic);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn moved(bytes_in: u64, bytes_out: u64) -> HostTraffic {
        HostTraffic {
            bytes_in,
            bytes_out,
            calls: 1,
        }
    }

    #[test]
    fn the_largest_twenty_hosts_are_named_and_the_rest_is_one() {
        let (mut traffic, mut totals) = (TaskTraffic::default(), Totals::default());
        for host in 0..25_u64 {
            traffic.count(&mut totals, &format!("h{host:02}"), moved(host * 10, 1));
        }
        traffic.publish(&mut totals);
        assert_eq!(totals.network_by_host.len(), 21);
        assert!(totals.network_by_host.contains_key("h24"));
        assert!(!totals.network_by_host.contains_key("h04"));
        assert_eq!(totals.network_by_host[OTHER].calls, 5);
    }

    #[test]
    fn what_stays_at_home_leaves_nothing_to_price() {
        let mut egress = Egress::default();
        egress.add(500, Peer::Internal);
        egress.add(70, Peer::External);
        egress.add(30, Peer::Assumed);
        let expected = Egress {
            bytes: 100,
            assumed_bytes: 30,
            calls: 2,
        };
        assert_eq!(egress, expected);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn hosts_add_up_to_the_totals_however_many_there_are(calls in proptest::collection::vec((0u16..600, 0u64..9_000), 0..900)) {
            let (mut traffic, mut totals) = (TaskTraffic::default(), Totals::default());
            for (host, bytes) in &calls {
                traffic.count(&mut totals, &host.to_string(), moved(*bytes, bytes / 3));
            }
            traffic.publish(&mut totals);
            let mut sum = HostTraffic::default();
            totals.network_by_host.values().for_each(|host| sum.add(*host));
            let whole = HostTraffic {
                bytes_in: totals.network_bytes_in,
                bytes_out: totals.network_bytes_out,
                calls: totals.network_call_count,
            };
            prop_assert_eq!(sum, whole);
            prop_assert!(totals.network_by_host.len() <= NAMED_HOSTS + 1);
        }
    }
}
