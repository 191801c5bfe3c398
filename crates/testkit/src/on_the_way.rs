//! The packets between their hosts, ordered by their arrival.

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
    time::Instant,
};

use offhook_sansio::Datagram;

use crate::HostId;

/// Packets that were sent and have not arrived.
#[derive(Debug, Default)]
pub(crate) struct OnTheWay {
    arrivals: BinaryHeap<Reverse<Arrival>>,
    /// Numbers the packets: those of the same moment arrive in the order in which they were sent.
    next_number: u64,
}

impl OnTheWay {
    /// Puts a packet on its way to arrive at `at`.
    pub(crate) fn push(&mut self, at: Instant, to: HostId, datagram: Datagram) {
        let number = self.next_number;
        self.next_number += 1;
        self.arrivals.push(Reverse(Arrival { at, number, to, datagram }));
    }

    /// When the next packet arrives.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.arrivals.peek().map(|Reverse(arrival)| arrival.at)
    }

    /// The next packet that has arrived at `now`.
    pub(crate) fn arrived(&mut self, now: Instant) -> Option<(HostId, Datagram)> {
        self.next().filter(|at| *at <= now)?;
        self.arrivals.pop().map(|Reverse(Arrival { to, datagram, .. })| (to, datagram))
    }

    pub(crate) fn len(&self) -> usize {
        self.arrivals.len()
    }
}

#[derive(Debug)]
struct Arrival {
    at: Instant,
    number: u64,
    to: HostId,
    datagram: Datagram,
}

impl Arrival {
    const fn order(&self) -> (Instant, u64) {
        (self.at, self.number)
    }
}

impl Ord for Arrival {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order().cmp(&other.order())
    }
}

impl PartialOrd for Arrival {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Arrival {
    fn eq(&self, other: &Self) -> bool {
        self.order() == other.order()
    }
}

impl Eq for Arrival {}
