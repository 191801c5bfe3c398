//! When reports are sent (RFC 3550 §6.2, §6.3, §A.7).
//!
//! The names are those of §6.3: tp, tn, pmembers, initial, avg_rtcp_size.

use std::time::{Duration, Instant};

use offhook_sansio::Random;

/// The timing of one participant's reports, with reconsideration and reverse reconsideration.
#[derive(Debug)]
pub struct Schedule {
    /// tp: when a report was sent last, or the start.
    last: Instant,
    /// tn: when the next one is due.
    next: Instant,
    /// The number of members when `next` was computed.
    previous_members: usize,
    initial: bool,
    /// avg_rtcp_size: octets of a compound packet with the headers below it.
    average_size: f64,
    /// rtcp_bw: octets per second for the reports of all members.
    bandwidth: f64,
}

/// Who takes part in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Population {
    /// All members, ourselves included.
    pub members: usize,
    /// Those who have sent data since the second last report, ourselves included.
    pub senders: usize,
    /// Whether we are one of the senders.
    pub we_sent: bool,
}

impl Schedule {
    /// A schedule that starts at `now`. `session_bandwidth` is in bits per second, of which
    /// reports get 5 %; `size` is the probable size of the first compound packet in octets.
    pub fn new(now: Instant, session_bandwidth: u32, size: usize, random: &mut Random) -> Self {
        let mut schedule = Self {
            last: now,
            next: now,
            previous_members: 1,
            initial: true,
            average_size: on_the_wire(size),
            bandwidth: f64::from(session_bandwidth.max(1)) / 8.0 * RTCP_FRACTION,
        };
        let alone = Population { members: 1, senders: 0, we_sent: false };
        schedule.next = after(now, schedule.interval(alone, random));
        schedule
    }

    /// When the next report is due.
    pub const fn next(&self) -> Instant {
        self.next
    }

    /// A compound packet of `size` octets was received.
    pub fn received(&mut self, size: usize) {
        self.average(size);
    }

    /// The timer has expired: whether to send a report now (RFC 3550 §6.3.6). If not, the next
    /// expiry has been set.
    pub fn reconsider(&mut self, now: Instant, of: Population, random: &mut Random) -> bool {
        if now < self.next {
            return false;
        }
        let next = after(self.last, self.interval(of, random));
        self.previous_members = of.members;
        if next > now {
            self.next = next;
        }
        next <= now
    }

    /// A report of `size` octets was sent; the interval is drawn anew (RFC 3550 §6.3.6, §A.7).
    pub fn sent(&mut self, now: Instant, size: usize, of: Population, random: &mut Random) {
        self.average(size);
        self.last = now;
        self.next = after(now, self.interval(of, random));
        self.initial = false;
        self.previous_members = of.members;
    }

    /// Members have left: the next report comes sooner (RFC 3550 §6.3.4).
    pub fn reverse_reconsider(&mut self, now: Instant, of: Population) {
        if of.members >= self.previous_members {
            return;
        }
        // Counts of a bounded table are exact in f64.
        let share = of.members as f64 / self.previous_members as f64;
        self.next = after(now, self.next.saturating_duration_since(now).mul_f64(share));
        let since = now.saturating_duration_since(self.last).mul_f64(share);
        self.last = now.checked_sub(since).unwrap_or(self.last);
        self.previous_members = of.members;
    }

    /// Leaving a large session: the timing begins anew with a BYE of `size` octets, so that not
    /// all say BYE at once (RFC 3550 §6.3.7).
    pub fn leave(&mut self, now: Instant, size: usize, random: &mut Random) {
        self.last = now;
        self.initial = true;
        self.previous_members = 1;
        self.average_size = on_the_wire(size);
        self.next = after(now, self.interval(LEAVING, random));
    }

    /// Td: the interval without randomness (RFC 3550 §6.3.1).
    pub fn deterministic_interval(&self, of: Population) -> Duration {
        let minimum = if self.initial { RTCP_MIN_TIME / 2.0 } else { RTCP_MIN_TIME };
        let (members, senders) = (of.members as f64, of.senders as f64);
        let few_senders = senders <= members * SENDER_FRACTION;
        let (count, bandwidth) = match (few_senders, of.we_sent) {
            (true, true) => (senders, self.bandwidth * SENDER_FRACTION),
            (true, false) => (members - senders, self.bandwidth * (1.0 - SENDER_FRACTION)),
            (false, _) => (members, self.bandwidth),
        };
        let interval = (self.average_size * count / bandwidth).max(minimum);
        Duration::from_secs_f64(interval.min(LONGEST_INTERVAL))
    }

    /// T: spread at random from half to one and a half times, and compensated (RFC 3550 §6.3.1).
    fn interval(&self, of: Population, random: &mut Random) -> Duration {
        self.deterministic_interval(of).mul_f64((random.unit() + 0.5) / COMPENSATION)
    }

    fn average(&mut self, size: usize) {
        self.average_size = on_the_wire(size) / 16.0 + self.average_size * 15.0 / 16.0;
    }
}

/// `interval` is at most a day and a quarter, which every clock can still count.
fn after(moment: Instant, interval: Duration) -> Instant {
    moment.checked_add(interval).unwrap_or(moment)
}

/// The size of a packet with the UDP and IPv4 headers that carry it (RFC 3550 §6.2).
fn on_the_wire(size: usize) -> f64 {
    (size.saturating_add(UDP_AND_IP)) as f64
}

/// While a BYE waits, members counts the others' BYEs and nobody sends (RFC 3550 §6.3.7).
pub(crate) const LEAVING: Population = Population { members: 1, senders: 0, we_sent: false };

/// RTCP_MIN_TIME of RFC 3550 §A.7, in seconds.
const RTCP_MIN_TIME: f64 = 5.0;
/// RTCP_SENDER_BW_FRACTION.
const SENDER_FRACTION: f64 = 0.25;
/// COMPENSATION: e − 3/2.
const COMPENSATION: f64 = std::f64::consts::E - 1.5;
/// The share of the session bandwidth for RTCP (RFC 3550 §6.2).
const RTCP_FRACTION: f64 = 0.05;
const UDP_AND_IP: usize = 28;
/// A day: keeps absurd settings within what an `Instant` can hold.
const LONGEST_INTERVAL: f64 = 86_400.0;
