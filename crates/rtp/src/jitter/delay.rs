//! How long packets must wait so that nearly all of them come in time.
//!
//! The relative transit of a packet is its arrival less its timestamp, both in ticks
//! (RFC 3550 §6.4.1). The smallest transit of late belongs to a packet that waited nowhere on its
//! way; what another packet has more than that, the buffer has to make up for.

/// Remembers the transits of the latest packets.
#[derive(Debug)]
pub(super) struct DelayEstimate {
    transits: Box<[i64]>,
    scratch: Box<[i64]>,
    filled: usize,
    next: usize,
    since_update: usize,
    minimum: i64,
    /// The transit that all but the slowest packets stay below.
    upper: i64,
}

impl DelayEstimate {
    pub(super) fn new() -> Self {
        Self {
            transits: vec![0; MEMORY].into_boxed_slice(),
            scratch: vec![0; MEMORY].into_boxed_slice(),
            filled: 0,
            next: 0,
            since_update: 0,
            minimum: 0,
            upper: 0,
        }
    }

    /// Forgets all packets: another source, or another clock.
    pub(super) const fn clear(&mut self) {
        self.filled = 0;
        self.next = 0;
        self.since_update = 0;
    }

    /// How much more than the minimum `transit` is; `None` before the first packet.
    pub(super) fn excess(&self, transit: i64) -> Option<i64> {
        (self.filled > 0).then(|| transit.saturating_sub(self.minimum))
    }

    /// Takes note of a packet.
    pub(super) fn observe(&mut self, transit: i64) {
        if let Some(oldest) = self.transits.get_mut(self.next) {
            *oldest = transit;
        }
        self.next = self.next.wrapping_add(1) % MEMORY;
        self.filled = self.filled.saturating_add(1).min(MEMORY);
        self.since_update = self.since_update.saturating_add(1);
        let warming_up = self.filled <= UPDATE_INTERVAL;
        let outside = transit < self.minimum || transit > self.upper;
        if warming_up || (outside && self.filled < MEMORY) || self.since_update >= UPDATE_INTERVAL {
            self.update();
        } else {
            self.minimum = self.minimum.min(transit);
        }
    }

    /// The transit of the quickest packet of late.
    pub(super) const fn minimum(&self) -> i64 {
        self.minimum
    }

    /// How long a packet that took the quickest way must wait for nearly all others, in ticks.
    pub(super) const fn spread(&self) -> i64 {
        self.upper.saturating_sub(self.minimum)
    }

    fn update(&mut self) {
        self.since_update = 0;
        let known = self.transits.get(..self.filled).unwrap_or_default();
        let Some(scratch) = self.scratch.get_mut(..known.len()) else { return };
        scratch.copy_from_slice(known);
        let late = (known.len() / TOLERATED).max(usize::from(known.len() >= SETTLED));
        let rank = known.len().saturating_sub(late).saturating_sub(1);
        if rank < scratch.len() {
            let (below, upper, _) = scratch.select_nth_unstable(rank);
            self.upper = *upper;
            self.minimum = below.iter().copied().min().unwrap_or(*upper);
        }
    }
}

/// How many packets are remembered: about ten seconds of them.
const MEMORY: usize = 512;
/// After so many packets the estimate is made anew.
const UPDATE_INTERVAL: usize = 16;
/// One packet in so many may be late.
const TOLERATED: usize = 100;
/// Of so many packets a single one may be late in any case.
const SETTLED: usize = 25;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_covers_all_packets_but_the_slowest_hundredth() {
        let mut delay = DelayEstimate::new();
        for n in 0..512 {
            delay.observe(1000 + if n % 64 == 0 { 5000 } else { n % 50 });
        }
        assert_eq!((delay.minimum(), delay.spread()), (1000, 5000));
        let mut delay = DelayEstimate::new();
        for n in 0..512 {
            delay.observe(1000 + if n % 256 == 7 { 5000 } else { n % 50 });
        }
        assert_eq!((delay.minimum(), delay.spread()), (1000, 49));
    }

    #[test]
    fn the_minimum_follows_a_drifting_clock() {
        let mut delay = DelayEstimate::new();
        (0..2_000).for_each(|n| delay.observe(n));
        assert!(delay.minimum() >= 2_000 - 512 - 16, "{}", delay.minimum());
    }

    #[test]
    fn a_quicker_packet_lowers_the_minimum_at_once() {
        let mut delay = DelayEstimate::new();
        (0..600).for_each(|_| delay.observe(100));
        delay.observe(60);
        assert_eq!(delay.minimum(), 60);
        assert_eq!(delay.excess(80), Some(20));
    }
}
