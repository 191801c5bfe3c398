//! What a path does to packets: it delays, loses, duplicates and reorders them.

use std::time::{Duration, Instant};

use offhook_sansio::Random;

/// The faults of one direction of a path.
///
/// Shares are from 0 to 1; what is outside, or not a number, counts as the nearest end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Impairment {
    /// How long every packet travels at least.
    pub delay: Duration,
    /// Each packet travels longer by an even chance between nothing and this. A packet never
    /// overtakes an earlier one by jitter alone: a queue holds back all that stand behind.
    pub jitter: Duration,
    /// The share of packets that get lost, in the long run.
    pub loss: f64,
    /// How many packets in a row a loss takes on average (the Gilbert model). At 1 or below each
    /// packet is lost or not independently of the others.
    pub loss_burst: f64,
    /// The share of packets that arrive twice.
    pub duplication: f64,
    /// The share of packets that are held back, so that later ones overtake them.
    pub reordering: f64,
    /// How much longer a packet that is held back travels.
    pub reordering_hold: Duration,
}

impl Impairment {
    /// A perfect path: every packet arrives once, in order and at once.
    pub const NONE: Self = Self {
        delay: Duration::ZERO,
        jitter: Duration::ZERO,
        loss: 0.0,
        loss_burst: 1.0,
        duplication: 0.0,
        reordering: 0.0,
        reordering_hold: Duration::from_millis(30),
    };
}

impl Default for Impairment {
    /// [`Impairment::NONE`].
    fn default() -> Self {
        Self::NONE
    }
}

/// One direction of a path with its faults, on any clock.
///
/// It decides only when packets arrive; carrying them is its owner's task, be it a virtual
/// network or a relay between real sockets. The same seed decides the same.
///
/// ```
/// use std::time::{Duration, Instant};
/// use offhook_sansio::Random;
/// use offhook_testkit::{Impairer, Impairment};
///
/// let faults = Impairment { delay: Duration::from_millis(40), loss: 0.1, ..Impairment::NONE };
/// let mut path = Impairer::new(faults, Random::from_seed(1));
/// let now = Instant::now();
/// let arrived = (0..1000).flat_map(|_| path.impair(now)).count();
/// assert!((850..950).contains(&arrived));
/// ```
#[derive(Debug)]
pub struct Impairer {
    impairment: Impairment,
    random: Random,
    /// When the last packet that kept its place arrives: none behind it arrives before.
    last: Option<Instant>,
    in_burst: bool,
}

impl Impairer {
    /// A path with these faults.
    pub const fn new(impairment: Impairment, random: Random) -> Self {
        Self { impairment, random, last: None, in_burst: false }
    }

    /// Changes the faults from the next packet on.
    pub const fn set(&mut self, impairment: Impairment) {
        self.impairment = impairment;
    }

    /// The faults as they are.
    pub const fn impairment(&self) -> &Impairment {
        &self.impairment
    }

    /// When a datagram that is sent at `now` arrives: never, once or twice.
    pub fn impair(&mut self, now: Instant) -> Arrivals {
        if self.loses() {
            return Arrivals { next: None, then: None, held_back: false };
        }
        let held_back = self.chance(self.impairment.reordering);
        let next = if held_back { self.overtaken(now) } else { self.in_order(now) };
        let twice = self.chance(self.impairment.duplication);
        let then = if twice { self.in_order(now) } else { None };
        Arrivals { next, then, held_back }
    }

    /// When bytes of a reliable transport that are sent at `now` arrive: later, but in order.
    ///
    /// Loss, duplication and reordering are what such a transport repairs by itself.
    pub fn delay(&mut self, now: Instant) -> Arrivals {
        Arrivals { next: self.in_order(now), then: None, held_back: false }
    }

    /// One step of the Gilbert model: two states, in one of which every packet is lost.
    fn loses(&mut self) -> bool {
        let Impairment { loss, loss_burst, .. } = self.impairment;
        if loss >= 1.0 || loss_burst <= 1.0 || loss_burst.is_nan() {
            return self.chance(loss);
        }
        let end = 1.0 / loss_burst;
        let begin = end * loss / (1.0 - loss);
        self.in_burst = if self.in_burst { !self.chance(end) } else { self.chance(begin) };
        self.in_burst
    }

    fn in_order(&mut self, now: Instant) -> Option<Instant> {
        let arrival = self.travelled(now)?;
        let arrival = self.last.map_or(arrival, |last| last.max(arrival));
        self.last = Some(arrival);
        Some(arrival)
    }

    fn overtaken(&mut self, now: Instant) -> Option<Instant> {
        self.travelled(now)?.checked_add(self.impairment.reordering_hold)
    }

    /// The end of the journey; `None` if the clock cannot express it.
    fn travelled(&mut self, now: Instant) -> Option<Instant> {
        let Impairment { delay, jitter, .. } = self.impairment;
        let extra = if jitter.is_zero() { jitter } else { jitter.mul_f64(self.random.unit()) };
        now.checked_add(delay)?.checked_add(extra)
    }

    /// Whether something of this share happens. What never happens draws no number.
    fn chance(&mut self, share: f64) -> bool {
        share > 0.0 && self.random.unit() < share
    }
}

/// The times at which one packet arrives, in no particular order: none, one or two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrivals {
    next: Option<Instant>,
    then: Option<Instant>,
    held_back: bool,
}

impl Arrivals {
    /// Whether the packet never arrives.
    pub const fn is_lost(&self) -> bool {
        self.next.is_none() && self.then.is_none()
    }

    /// Whether the packet arrives twice.
    pub const fn is_duplicated(&self) -> bool {
        self.next.is_some() && self.then.is_some()
    }

    /// Whether the packet was held back, so that others may overtake it.
    pub const fn is_held_back(&self) -> bool {
        self.held_back
    }
}

impl Iterator for Arrivals {
    type Item = Instant;

    fn next(&mut self) -> Option<Instant> {
        self.next.take().or_else(|| self.then.take())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn arrivals(impairment: Impairment, packets: u32) -> Vec<Vec<Duration>> {
        let start = Instant::now();
        let mut path = Impairer::new(impairment, Random::from_seed(5));
        let sent = (0..packets).map(|index| start + 20 * MS * index);
        sent.map(|at| path.impair(at).map(|arrival| arrival - at).collect()).collect()
    }

    #[test]
    fn a_perfect_path_delivers_at_once() {
        assert!(arrivals(Impairment::NONE, 9).iter().all(|times| times == &[Duration::ZERO]));
    }

    #[test]
    fn jitter_spreads_within_its_bound_and_keeps_order() {
        let jitter = Impairment { delay: 50 * MS, jitter: 100 * MS, ..Impairment::NONE };
        let times: Vec<_> = arrivals(jitter, 2000).concat();
        assert!(times.iter().all(|time| (50 * MS..=150 * MS).contains(time)));
        assert!(times.iter().any(|time| *time < 60 * MS) && times.iter().any(|t| *t > 140 * MS));
        let absolute = |(index, time): (u32, &Duration)| 20 * MS * index + *time;
        assert!((0..).zip(&times).map(absolute).is_sorted());
    }

    #[test]
    fn bursts_keep_the_share_and_lengthen_the_gaps() {
        for (burst, gaps) in [(1.0, 1.05..1.2), (4.0, 3.6..4.4)] {
            let lossy = Impairment { loss: 0.1, loss_burst: burst, ..Impairment::NONE };
            let lost: Vec<bool> = arrivals(lossy, 40_000).iter().map(Vec::is_empty).collect();
            let count = lost.iter().filter(|lost| **lost).count() as f64;
            let begun = lost.windows(2).filter(|pair| pair == &[false, true]).count() as f64;
            assert!((3600.0..4400.0).contains(&count), "{count}");
            assert!(gaps.contains(&(count / begun)), "{}", count / begun);
        }
    }

    #[test]
    fn full_loss_loses_all_and_nonsense_loses_none() {
        let lossy = |loss| Impairment { loss, loss_burst: 3.0, ..Impairment::NONE };
        assert_eq!(arrivals(lossy(1.0), 99).concat().len(), 0);
        assert_eq!(arrivals(lossy(7.0), 99).concat().len(), 0);
        assert_eq!(arrivals(lossy(f64::NAN), 99).concat().len(), 99);
        assert_eq!(arrivals(lossy(-1.0), 99).concat().len(), 99);
    }

    #[test]
    fn duplicates_and_held_back_packets_have_their_share() {
        let duplication = Impairment { duplication: 0.25, ..Impairment::NONE };
        assert!((1180..1320).contains(&arrivals(duplication, 1000).concat().len()));
        let reordering = Impairment { reordering: 0.25, ..Impairment::NONE };
        let times = arrivals(reordering, 1000).concat();
        assert!((200..300).contains(&times.iter().filter(|time| **time == 30 * MS).count()));
    }

    #[test]
    fn a_reliable_transport_only_waits() {
        let bad = Impairment { delay: 5 * MS, loss: 1.0, reordering: 1.0, ..Impairment::NONE };
        let now = Instant::now();
        let mut path = Impairer::new(bad, Random::from_seed(1));
        assert_eq!(path.delay(now).collect::<Vec<_>>(), [now + 5 * MS]);
    }

    #[test]
    fn a_delay_beyond_the_clock_is_a_loss() {
        let never = Impairment { delay: Duration::MAX, ..Impairment::NONE };
        let mut path = Impairer::new(never, Random::from_seed(1));
        assert!(path.impair(Instant::now()).is_lost());
    }
}
