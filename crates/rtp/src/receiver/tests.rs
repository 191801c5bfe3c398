use std::time::{Duration, Instant};

use offhook_sansio::Writer;

use super::*;
use crate::{Header, Packet, rtcp::ReportBlock};

/// Packets of any source at any time, without payload.
struct Wire {
    start: Instant,
    receiver: Receiver,
}

impl Wire {
    fn new() -> Self {
        Self { start: Instant::now(), receiver: Receiver::new(8000, 4) }
    }

    fn packet(&mut self, at_ms: u64, ssrc: u32, sequence: u16, timestamp: u32) -> Received {
        let mut room = [0; 12];
        Header::new(0, sequence, timestamp, ssrc).write(&mut Writer::new(&mut room)).unwrap();
        let now = self.start + Duration::from_millis(at_ms);
        self.receiver.receive(now, &Packet::parse(&room).unwrap())
    }

    /// A packet that came in time.
    fn even(&mut self, sequence: u16) -> Received {
        self.packet(u64::from(sequence) * 20, 1, sequence, u32::from(sequence) * 160)
    }

    fn run(&mut self, sequences: impl IntoIterator<Item = u16>) {
        for sequence in sequences {
            self.even(sequence);
        }
    }

    fn report(&mut self) -> ReportBlock {
        self.receiver.report().next().unwrap()
    }

    fn lost(&self) -> i64 {
        self.receiver.totals().lost()
    }
}

#[test]
fn a_source_is_believed_after_two_packets_in_sequence() {
    let mut wire = Wire::new();
    assert_eq!(wire.even(5), Received::Candidate);
    assert_eq!(wire.even(9), Received::Candidate);
    assert_eq!(wire.receiver.totals(), Totals::default());
    assert_eq!(wire.even(10), Received::Playing);
    assert_eq!(wire.receiver.totals(), Totals { received: 2, expected: 2 });
}

#[test]
fn lost_packets_are_those_expected_less_those_received() {
    let mut wire = Wire::new();
    wire.run([0, 1, 2, 5, 4]);
    assert_eq!(wire.lost(), 1);
    let block = wire.report();
    assert_eq!((block.cumulative_lost, block.fraction_lost, block.highest_sequence), (1, 42, 5));
    wire.run([6, 7, 7, 7]);
    let block = wire.report();
    assert_eq!((block.cumulative_lost, block.fraction_lost), (-1, 0));
    assert_eq!(wire.lost(), -1);
}

#[test]
fn a_source_that_was_silent_since_the_last_report_is_not_reported() {
    let mut wire = Wire::new();
    wire.even(0);
    assert_eq!(wire.receiver.report().count(), 0);
    wire.even(1);
    assert_eq!(wire.receiver.report().count(), 1);
    assert_eq!(wire.receiver.report().count(), 0);
}

#[test]
fn sequence_numbers_are_counted_over_the_wrap() {
    let mut wire = Wire::new();
    for n in 65_530..140_000u32 {
        let at = u64::from(n) * 20;
        assert_ne!(wire.packet(at, 1, n as u16, n.wrapping_mul(160)), Received::BadSequence);
    }
    assert_eq!(wire.report().highest_sequence, 139_999);
    assert_eq!(wire.receiver.totals(), Totals { received: 74_470, expected: 74_470 });
}

#[test]
fn a_source_that_begins_at_the_wrap_counts_its_first_two_packets() {
    let mut wire = Wire::new();
    wire.packet(0, 1, 65_535, 0);
    wire.packet(20, 1, 0, 160);
    wire.packet(40, 1, 1, 320);
    assert_eq!(wire.receiver.totals(), Totals { received: 3, expected: 3 });
}

#[test]
fn a_single_wild_sequence_number_is_dropped_and_two_in_a_row_are_a_new_start() {
    let mut wire = Wire::new();
    wire.run(0..10);
    assert_eq!(wire.packet(200, 1, 40_000, 0), Received::BadSequence);
    assert_eq!(wire.even(10), Received::Playing);
    assert_eq!(wire.packet(220, 1, 50_000, 0), Received::BadSequence);
    assert_eq!(wire.packet(240, 1, 50_001, 160), Received::Playing);
    assert_eq!(wire.receiver.totals(), Totals { received: 12, expected: 12 });
    assert_eq!(wire.report().highest_sequence, 50_001);
    assert_eq!(wire.receiver.playing().unwrap().jitter(), 0.0);
}

#[test]
fn jitter_follows_the_formula_of_the_rfc() {
    let mut wire = Wire::new();
    let mut jitter = 0.0f64;
    for n in 0..200u16 {
        // Every other packet is 10 ms late: the transit differs by 80 ticks each time.
        let late = u64::from(n % 2) * 10;
        wire.packet(u64::from(n) * 20 + late, 1, n, u32::from(n) * 160);
        if n > 0 {
            jitter += (80.0 - jitter) / 16.0;
        }
    }
    let source = wire.receiver.playing().unwrap();
    assert!((source.jitter() - jitter).abs() < 1e-9, "{} {jitter}", source.jitter());
    assert!((source.jitter_milliseconds() - 10.0).abs() < 0.01);
    assert_eq!(wire.report().jitter, 79);
}

#[test]
fn jitter_is_not_disturbed_by_the_wrap_of_the_timestamp() {
    let mut wire = Wire::new();
    for n in 0..100u16 {
        let timestamp = 0xffff_ff00u32.wrapping_add(u32::from(n) * 160);
        wire.packet(u64::from(n) * 20, 1, n, timestamp);
    }
    assert_eq!(wire.receiver.playing().unwrap().jitter(), 0.0);
}

#[test]
fn another_source_plays_when_the_first_is_silent_or_has_left() {
    let mut wire = Wire::new();
    wire.run(0..5);
    assert_eq!(wire.packet(90, 2, 0, 0), Received::Probation);
    assert_eq!(wire.packet(110, 2, 1, 160), Received::NotPlaying);
    assert_eq!(wire.packet(180, 2, 2, 320), Received::Playing);
    assert_eq!(wire.even(5), Received::NotPlaying);
    assert!(wire.receiver.leave(2));
    assert_eq!(wire.even(6), Received::Playing);
    assert_eq!(wire.receiver.totals(), Totals { received: 10, expected: 10 });
}

#[test]
fn a_source_that_sends_on_after_its_bye_plays_on() {
    let mut wire = Wire::new();
    wire.run(0..5);
    assert!(wire.receiver.leave(1));
    assert!(!wire.receiver.leave(3));
    assert_eq!(wire.even(5), Received::Playing);
    assert_eq!(wire.packet(110, 2, 0, 0), Received::Probation);
    assert_eq!(wire.packet(111, 2, 1, 160), Received::NotPlaying);
}

#[test]
fn a_flood_of_made_up_sources_neither_grows_nor_pushes_out_who_plays() {
    let mut wire = Wire::new();
    wire.run(0..5);
    for ssrc in 100..10_000 {
        assert_eq!(wire.packet(100, ssrc, 0, 0), Received::Probation);
    }
    assert_eq!(wire.even(5), Received::Playing);
    assert_eq!(wire.receiver.totals(), Totals { received: 6, expected: 6 });
    wire.packet(110, 2, 0, 0);
    wire.packet(110, 2, 1, 160);
    (100..200).for_each(|ssrc| assert_eq!(wire.packet(115, ssrc, 0, 0), Received::Probation));
    assert!(wire.receiver.source(2).is_some(), "an unproven source goes first");
    for ssrc in 100..200 {
        assert_eq!(wire.packet(120, ssrc, 0, 0), Received::Probation);
        assert_eq!(wire.packet(120, ssrc, 1, 160), Received::NotPlaying);
    }
    assert_eq!(wire.even(6), Received::Playing);
    assert_eq!(wire.receiver.totals(), Totals { received: 209, expected: 209 });
}
