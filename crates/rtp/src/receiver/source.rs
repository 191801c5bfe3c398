//! One synchronisation source: is it real, what was lost of it, how much does it jitter
//! (RFC 3550 §A.1, §A.3, §A.8).

use std::time::Instant;

use crate::{Packet, clock::MediaClock, rtcp::ReportBlock};

/// The state of one source, as RFC 3550 keeps it for reports.
#[derive(Clone, Debug)]
pub struct Source {
    ssrc: u32,
    clock: MediaClock,
    heard: Instant,
    heard_since_report: bool,
    /// Packets still wanted in sequence before the source is believed.
    probation: u8,
    base_sequence: u16,
    max_sequence: u16,
    /// The count of sequence number cycles, shifted by 16 bits.
    cycles: u32,
    /// The number after the last bad one; two bad ones in a row are a new start.
    bad_sequence: Option<u16>,
    received: u64,
    received_prior: u64,
    expected_prior: u64,
    /// Packets of sequences that ended in a restart.
    past: Totals,
    transit: Option<i64>,
    jitter: f64,
    fraction_lost: Option<u8>,
}

/// Packets of one source or of several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Packets received, with duplicates and late ones.
    pub received: u64,
    /// Packets that the sequence numbers say were sent.
    pub expected: u64,
}

/// What the sequence number of a packet says about it (RFC 3550 §A.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reception {
    /// It counts.
    Valid,
    /// The source has not shown enough packets in sequence.
    Probation,
    /// A very large jump; a second packet after it will be a new start.
    BadSequence,
}

impl Source {
    pub(crate) fn new(now: Instant, clock_rate: u32, packet: &Packet<'_>) -> Self {
        let sequence = packet.sequence();
        Self {
            ssrc: packet.ssrc(),
            clock: MediaClock::new(clock_rate, now),
            heard: now,
            heard_since_report: false,
            probation: MIN_SEQUENTIAL,
            base_sequence: sequence,
            max_sequence: sequence.wrapping_sub(1),
            cycles: 0,
            bad_sequence: None,
            received: 0,
            received_prior: 0,
            expected_prior: 0,
            past: Totals::default(),
            transit: None,
            jitter: 0.0,
            fraction_lost: None,
        }
    }

    /// Counts a packet of this source.
    pub(crate) fn receive(&mut self, now: Instant, packet: &Packet<'_>) -> Reception {
        self.heard = now;
        let reception = self.update_sequence(packet.sequence());
        if reception == Reception::Valid {
            self.heard_since_report = true;
        }
        if reception != Reception::BadSequence {
            self.update_jitter(now, packet.timestamp());
        }
        reception
    }

    /// The synchronisation source identifier.
    pub const fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// When a packet was received last.
    pub const fn heard(&self) -> Instant {
        self.heard
    }

    /// Whether enough packets came in sequence to believe in the source.
    pub const fn is_valid(&self) -> bool {
        self.probation == 0
    }

    /// The highest sequence number received, extended by the count of cycles.
    pub const fn extended_highest_sequence(&self) -> u32 {
        self.cycles.wrapping_add(self.max_sequence as u32)
    }

    /// Packets received and expected since the source was first heard.
    pub fn totals(&self) -> Totals {
        let current = Totals { received: self.received, expected: self.expected() };
        self.past.plus(current)
    }

    /// Interarrival jitter in ticks of the media clock (RFC 3550 §A.8).
    pub const fn jitter(&self) -> f64 {
        self.jitter
    }

    /// Interarrival jitter in milliseconds.
    pub fn jitter_milliseconds(&self) -> f64 {
        self.jitter * 1000.0 / f64::from(self.clock.rate())
    }

    /// The share of packets lost, 0 to 1, in the interval of the latest report; before the first
    /// report, since the start.
    pub fn fraction_lost(&self) -> f64 {
        f64::from(self.fraction_lost.unwrap_or_else(|| self.fraction_since_report())) / 256.0
    }

    /// The report block for this source, if it was heard since the last one. Begins a new
    /// interval. `last_sr` and `delay_since_last_sr` are left zero.
    pub(crate) fn report(&mut self) -> Option<ReportBlock> {
        if !std::mem::take(&mut self.heard_since_report) || !self.is_valid() {
            return None;
        }
        let fraction_lost = self.fraction_since_report();
        self.fraction_lost = Some(fraction_lost);
        self.expected_prior = self.expected();
        self.received_prior = self.received;
        Some(ReportBlock {
            ssrc: self.ssrc,
            fraction_lost,
            cumulative_lost: self.cumulative_lost(),
            highest_sequence: self.extended_highest_sequence(),
            jitter: self.jitter as u32,
            last_sr: 0,
            delay_since_last_sr: 0,
        })
    }

    /// `update_seq` of RFC 3550 §A.1.
    fn update_sequence(&mut self, sequence: u16) -> Reception {
        if self.probation > 0 {
            return self.prove(sequence);
        }
        let ahead = sequence.wrapping_sub(self.max_sequence);
        if ahead < MAX_DROPOUT {
            if sequence < self.max_sequence {
                self.cycles = self.cycles.wrapping_add(SEQUENCE_MODULUS);
            }
            self.max_sequence = sequence;
        } else if ahead <= 0u16.wrapping_sub(MAX_MISORDER) {
            if self.bad_sequence != Some(sequence) {
                self.bad_sequence = Some(sequence.wrapping_add(1));
                return Reception::BadSequence;
            }
            self.begin(sequence);
        }
        self.received = self.received.saturating_add(1);
        Reception::Valid
    }

    /// Wants [`MIN_SEQUENTIAL`] packets in sequence. Those are stored by the jitter buffer
    /// meanwhile and played then, so that they count as received.
    fn prove(&mut self, sequence: u16) -> Reception {
        let in_sequence = sequence == self.max_sequence.wrapping_add(1);
        self.max_sequence = sequence;
        if !in_sequence {
            self.probation = MIN_SEQUENTIAL.saturating_sub(1);
            return Reception::Probation;
        }
        self.probation = self.probation.saturating_sub(1);
        if self.probation > 0 {
            return Reception::Probation;
        }
        let first = sequence.wrapping_sub(u16::from(MIN_SEQUENTIAL).saturating_sub(1));
        self.begin(first);
        if sequence < first {
            self.cycles = SEQUENCE_MODULUS;
        }
        self.max_sequence = sequence;
        self.received = u64::from(MIN_SEQUENTIAL);
        Reception::Valid
    }

    /// `init_seq` of RFC 3550 §A.1.
    fn begin(&mut self, sequence: u16) {
        if self.received > 0 {
            self.past = self.totals();
            self.transit = None;
        }
        self.base_sequence = sequence;
        self.max_sequence = sequence;
        self.bad_sequence = None;
        self.cycles = 0;
        self.received = 0;
        self.received_prior = 0;
        self.expected_prior = 0;
    }

    /// RFC 3550 §A.8, in the order of arrival.
    ///
    /// The formula presumes one clock. A step of more than [`CLOCK_CHANGE`] seconds is taken for
    /// another clock and not for jitter, which would need minutes to decay.
    fn update_jitter(&mut self, now: Instant, timestamp: u32) {
        let transit = self.clock.ticks_at(now).wrapping_sub(i64::from(timestamp));
        if let Some(before) = self.transit.replace(transit) {
            // Timestamps wrap around, so only the low 32 bits of the difference count.
            let difference = (transit.wrapping_sub(before) as i32).unsigned_abs();
            if u64::from(difference) < u64::from(self.clock.rate()).saturating_mul(CLOCK_CHANGE) {
                self.jitter += (f64::from(difference) - self.jitter) / 16.0;
            }
        }
    }

    /// Packets expected in the present sequence (RFC 3550 §A.3).
    fn expected(&self) -> u64 {
        if !self.is_valid() {
            return 0;
        }
        let highest = u64::from(self.extended_highest_sequence());
        highest.saturating_sub(u64::from(self.base_sequence)).saturating_add(1)
    }

    /// Clamped to the 24 bits of the field instead of wrapping around (RFC 3550 §A.3).
    fn cumulative_lost(&self) -> i32 {
        let lost = i64::try_from(self.expected())
            .unwrap_or(i64::MAX)
            .saturating_sub(i64::try_from(self.received).unwrap_or(i64::MAX));
        lost.clamp(-0x80_0000, 0x7f_ffff) as i32
    }

    /// RFC 3550 §A.3: the share in 256ths since the last report; a gain counts as no loss.
    fn fraction_since_report(&self) -> u8 {
        let expected = self.expected().saturating_sub(self.expected_prior);
        let received = self.received.saturating_sub(self.received_prior);
        let lost = expected.saturating_sub(received);
        let fraction = lost.saturating_mul(256).checked_div(expected).unwrap_or(0);
        u8::try_from(fraction).unwrap_or(u8::MAX)
    }
}

impl Totals {
    /// Packets lost, less than zero if there were duplicates.
    pub fn lost(&self) -> i64 {
        let signed = |count| i64::try_from(count).unwrap_or(i64::MAX);
        signed(self.expected).saturating_sub(signed(self.received))
    }

    pub(crate) const fn plus(self, other: Self) -> Self {
        Self {
            received: self.received.saturating_add(other.received),
            expected: self.expected.saturating_add(other.expected),
        }
    }
}

/// RFC 3550 §A.1.
const MIN_SEQUENTIAL: u8 = 2;
const MAX_DROPOUT: u16 = 3000;
const MAX_MISORDER: u16 = 100;
/// RTP_SEQ_MOD of RFC 3550 §A.1.
const SEQUENCE_MODULUS: u32 = 1 << 16;
/// Seconds.
const CLOCK_CHANGE: u64 = 5;
