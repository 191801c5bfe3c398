use offhook_sansio::{Random, Writer};
use proptest::prelude::*;

use super::*;
use crate::Header;

const FRAME: u32 = 160;

/// A packet whose payload names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sent {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    marker: bool,
    name: u64,
}

/// Plays a script of arrivals against the ticks of a playout clock.
struct Line {
    start: Instant,
    buffer: JitterBuffer,
    /// Arrivals in microseconds since the start.
    arrivals: Vec<(u64, Sent)>,
    /// By how many microseconds the playout may come late for a tick.
    wobble: u32,
    random: Random,
    /// How much sound a decoder gets out of one packet, in ticks.
    decoded: u32,
}

/// What the playout got at one tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    Packet(u64),
    Missing,
    Empty,
}
use Heard::Packet as Played;

impl Line {
    fn new() -> Self {
        Self::with(&JitterConfig::new(8000, Duration::from_millis(20)))
    }

    fn with(config: &JitterConfig) -> Self {
        Self {
            start: Instant::now(),
            buffer: JitterBuffer::new(config),
            arrivals: vec![],
            wobble: 1,
            random: Random::from_seed(5),
            decoded: FRAME,
        }
    }

    /// The `n`th 20 ms packet of a stream that begins near both wraps.
    fn packet(n: u64) -> Sent {
        Sent {
            ssrc: 1,
            sequence: (n as u16).wrapping_sub(20),
            timestamp: (n as u32).wrapping_mul(FRAME).wrapping_sub(40 * FRAME),
            marker: n == 0,
            name: n,
        }
    }

    /// The `n`th packet comes `delay` microseconds after it was sent.
    fn arrive(&mut self, n: u64, delay: u64) {
        self.arrivals.push((n * 20_000 + delay, Self::packet(n)));
    }

    fn insert(&mut self, at_us: u64, sent: &Sent) -> Inserted {
        let mut room = [0; 20];
        let mut writer = Writer::new(&mut room);
        Header::new(0, sent.sequence, sent.timestamp, sent.ssrc)
            .with_marker(sent.marker)
            .write(&mut writer)
            .unwrap();
        writer.u64(sent.name).unwrap();
        let now = self.start + Duration::from_micros(at_us);
        self.buffer.insert(now, &Packet::parse(&room).unwrap())
    }

    fn take(&mut self, at_us: u64) -> (Heard, u32) {
        match self.buffer.take(self.start + Duration::from_micros(at_us)) {
            Taken::Frame { payload, duration, .. } => {
                (Played(u64::from_be_bytes(payload.try_into().unwrap())), duration)
            }
            Taken::Missing => (Heard::Missing, FRAME),
            Taken::Empty => (Heard::Empty, FRAME),
        }
    }

    /// Plays all that was scripted, a frame each 20 ms from `phase` on, until `end`.
    fn play(&mut self, phase: u64, end_ms: u64) -> Vec<Heard> {
        self.arrivals.sort_by_key(|(at, _)| *at);
        let arrivals = std::mem::take(&mut self.arrivals);
        let mut arrivals = arrivals.iter().peekable();
        let mut heard = vec![];
        let mut tick = phase;
        // Sound left of packets longer than a frame, in ticks.
        let mut left = 0;
        while tick < end_ms * 1000 {
            let now = tick + u64::from(self.random.u32() % self.wobble);
            while let Some((at, sent)) = arrivals.next_if(|(at, _)| *at <= now) {
                self.insert(*at, sent);
            }
            while left < FRAME {
                let (one, _) = self.take(now);
                heard.push(one);
                left += if matches!(one, Played(_)) { self.decoded } else { FRAME };
            }
            left -= FRAME;
            tick += 20_000;
        }
        heard
    }

    fn counts(&self) -> JitterCounts {
        self.buffer.counts
    }
}

/// What lies between the first packet and the end of the stream.
fn running(heard: &[Heard]) -> &[Heard] {
    let played = |it: &Heard| matches!(it, Played(_));
    let first = heard.iter().position(played).unwrap_or(heard.len());
    let last = heard.iter().rposition(played).map_or(first, |it| it + 1);
    &heard[first..last]
}

fn names(range: std::ops::Range<u64>) -> Vec<Heard> {
    range.map(Played).collect()
}

#[test]
fn a_clean_stream_plays_each_packet_once_and_in_order() {
    let mut random = Random::from_seed(7);
    for round in 0..40u64 {
        let mut line = Line::new();
        line.wobble = 3_000;
        for n in 0..3_000 {
            line.arrive(n, 30_000 + u64::from(random.u32() % 9_900));
        }
        let heard = line.play(round * 500, 61_000);
        assert_eq!(running(&heard), names(0..3_000), "round {round}");
        let before = heard.iter().position(|it| *it == Played(0)).unwrap();
        assert!(heard[..before].iter().all(|it| *it == Heard::Empty));
        let counts = line.counts();
        assert_eq!((counts.discarded, counts.late, counts.resyncs), (0, 0, 0));
    }
}

#[test]
fn pairs_that_come_at_once_after_a_pause_of_40_ms_disturb_nothing() {
    let mut random = Random::from_seed(8);
    for round in 0..40u64 {
        let mut line = Line::new();
        line.wobble = 3_000;
        for n in 0..3_000u64 {
            let held = if (n + round).is_multiple_of(2) { 20_000 } else { 0 };
            line.arrive(n, 30_000 + held + u64::from(random.u32() % 9_900));
        }
        let heard = line.play(round * 500, 61_000);
        assert_eq!(running(&heard), names(0..3_000), "round {round}");
        assert_eq!(line.counts().discarded, 0);
    }
}

#[test]
fn the_first_packet_waits_for_the_initial_delay_and_hardly_longer() {
    for phase in [0, 1_000, 10_000, 19_000] {
        let mut line = Line::new();
        (0..10).for_each(|n| line.arrive(n, 0));
        let heard = line.play(phase, 300);
        let first = heard.iter().position(|it| *it == Played(0)).unwrap() as u64;
        let waited = phase + first * 20_000;
        assert!((40_000..60_000).contains(&waited), "{waited}");
        let delay = line.buffer.delay();
        assert_eq!(delay, Duration::from_micros(waited));
    }
}

#[test]
fn a_lost_packet_is_missing_in_its_place() {
    let mut line = Line::new();
    (0..200).filter(|n| n % 50 != 7).for_each(|n| line.arrive(n, 0));
    let heard = line.play(5_000, 4_200);
    let wanted: Vec<_> =
        (0..200).map(|n| if n % 50 == 7 { Heard::Missing } else { Played(n) }).collect();
    assert_eq!(running(&heard), wanted);
}

#[test]
fn packets_of_ten_to_two_hundred_milliseconds_play_without_a_gap() {
    for length in [10u64, 30, 40, 60, 120, 140, 200] {
        for jitter in [1u64, 9_000] {
            let mut random = Random::from_seed(length);
            let mut line = Line::new();
            let count = 16_800 / length;
            line.decoded = (length * 8) as u32;
            for n in 0..count {
                let timestamp = (n * length * 8) as u32;
                let sent = Sent { timestamp, ..Line::packet(n) };
                line.arrivals.push((n * length * 1000 + u64::from(random.u32()) % jitter, sent));
            }
            let heard = line.play(3_000, 21_000);
            assert_eq!(running(&heard), names(0..count), "{length} ms, jitter {jitter}");
            assert_eq!(line.counts().discarded, 0);
        }
    }
}

#[test]
fn a_frame_says_how_long_it_lasts() {
    let mut line = Line::new();
    for (n, timestamp) in [(0, 0), (1, 240), (2, 480)] {
        line.insert(n * 30_000, &Sent { timestamp, marker: false, ..Line::packet(n) });
    }
    assert_eq!(line.take(60_000), (Played(0), 240));
    assert_eq!(line.take(80_000), (Played(1), 240));
    // No neighbour is queued: the length seen before.
    assert_eq!(line.take(110_000), (Played(2), 240));
}

#[test]
fn reordered_packets_are_put_in_order_and_duplicates_are_dropped() {
    let mut line = Line::new();
    for n in 0..500u64 {
        let late = if n % 5 == 1 { 25_000 } else { 0 };
        line.arrive(n, 10_000 + late);
        if n % 7 == 0 {
            line.arrive(n, 32_000);
        }
    }
    let heard = line.play(0, 10_300);
    assert_eq!(running(&heard), names(0..500));
    let counts = line.counts();
    assert_eq!((counts.duplicate, counts.reordered, counts.late), (72, 100, 0));
}

#[test]
fn a_late_packet_is_waited_for_when_nothing_else_is_there() {
    let mut line = Line::new();
    for n in 0..200u64 {
        line.arrive(n, if n == 50 { 100_000 } else { 0 }.max(if n > 50 { 100_000 } else { 0 }));
    }
    let heard = line.play(0, 4_400);
    let played: Vec<_> = running(&heard).iter().filter(|it| **it != Heard::Missing).collect();
    assert_eq!(played.len() as u64 + line.counts().discarded, 200);
    assert_eq!(&running(&heard)[..51 + 3], {
        let mut wanted = names(0..50);
        wanted.extend([Heard::Missing; 3]);
        wanted.push(Played(50));
        wanted
    });
    assert_eq!(line.counts().late, 0);
}

#[test]
fn under_heavy_jitter_the_delay_grows_until_nearly_all_packets_come_in_time() {
    let mut random = Random::from_seed(3);
    let mut line = Line::new();
    (0..6_000).for_each(|n| line.arrive(n, u64::from(random.u32()) % 120_000));
    let heard = line.play(0, 121_000);
    let steady = &running(&heard)[1_000..];
    let missing = steady.iter().filter(|it| **it == Heard::Missing).count();
    assert!(missing * 50 < steady.len(), "{missing} of {}", steady.len());
    assert!(line.buffer.delay() < Duration::from_millis(200));
    assert!(line.counts().late < 150, "{:?}", line.counts());
}

#[test]
fn packets_that_are_always_overtaken_make_the_delay_grow() {
    let mut line = Line::new();
    (0..1_000).for_each(|n| line.arrive(n, if n % 2 == 1 { 75_000 } else { 0 }));
    let heard = line.play(0, 20_500);
    let heard = running(&heard);
    assert_eq!(heard[heard.len() - 900..], names(100..1_000));
    assert!(line.buffer.delay() < Duration::from_millis(110), "{:?}", line.buffer.delay());
}

#[test]
fn a_peer_that_marks_every_packet_is_understood_after_two() {
    let mut line = Line::new();
    line.decoded = 240;
    for n in 0..500u64 {
        let timestamp = n as u32 * 240;
        let sent = Sent { timestamp, marker: true, ..Line::packet(n) };
        line.arrivals.push((n * 30_000, sent));
    }
    let heard = line.play(0, 15_500);
    let heard = running(&heard);
    assert_eq!(heard[heard.len() - 498..], names(2..500));
    assert!(heard.len() <= 502, "{}", heard.len());
}

#[test]
fn after_a_bad_time_the_delay_shrinks_one_frame_at_a_time() {
    let mut random = Random::from_seed(4);
    let mut line = Line::new();
    for n in 0..3_000u64 {
        let jitter = if n < 500 { u64::from(random.u32()) % 150_000 } else { 0 };
        line.arrive(n, jitter);
    }
    let heard = line.play(0, 60_500);
    assert!(line.buffer.delay() <= Duration::from_millis(60), "{:?}", line.buffer.delay());
    let numbers: Vec<_> = running(&heard)
        .iter()
        .filter_map(|it| if let Played(n) = it { Some(*n) } else { None })
        .filter(|n| *n > 600)
        .collect();
    assert!(numbers.windows(2).all(|pair| pair[1] - pair[0] <= 2));
    let tail = &running(&heard)[running(&heard).len() - 500..];
    assert_eq!(tail, names(2_500..3_000));
}

#[test]
fn the_delay_never_exceeds_its_maximum_for_long() {
    let mut line = Line::new();
    for n in 0..1_000u64 {
        line.arrive(n, if (100..110).contains(&n) { (110 - n) * 20_000 + 100_000 } else { 0 });
    }
    line.play(0, 20_100);
    assert!(line.buffer.delay() <= Duration::from_millis(80), "{:?}", line.buffer.delay());
}

#[test]
fn clocks_that_drift_apart_cost_single_frames() {
    // 500 ppm: 300 ms in ten minutes.
    for drift in [-1i64, 1] {
        let mut line = Line::new();
        for n in 0..30_000u64 {
            let at = (n * 20_000) as i64 + 1_000_000 + drift * (n as i64 * 10);
            line.arrivals.push((at as u64, Line::packet(n)));
        }
        let heard = line.play(0, 600_500);
        let missing = running(&heard).iter().filter(|it| **it == Heard::Missing).count();
        let disturbed = missing as u64 + line.counts().discarded;
        assert!((8..=20).contains(&disturbed), "{drift}: {missing} {:?}", line.counts());
        assert_eq!((line.counts().late, line.counts().resyncs), (0, 0));
    }
}

#[test]
fn the_stream_is_empty_before_it_begins_and_after_it_has_stopped() {
    let mut line = Line::new();
    (0..20).for_each(|n| line.arrive(n, 0));
    (100..120).for_each(|n| line.arrive(n, 0));
    let heard = line.play(0, 3_000);
    let silence = heard.iter().position(|it| *it == Played(19)).unwrap() + 1;
    // 300 ms are concealed, then it is silence.
    assert_eq!(heard[silence..silence + 15], [Heard::Missing; 15]);
    let again = heard.iter().position(|it| *it == Played(100)).unwrap();
    assert!(heard[silence + 15..again].iter().all(|it| *it == Heard::Empty));
    assert_eq!(heard[again..again + 20], names(100..120));
}

#[test]
fn after_a_bye_what_is_queued_is_played_and_nothing_is_missed() {
    let mut line = Line::new();
    (0..5).for_each(|n| line.arrive(n, 0));
    let heard = line.play(0, 100);
    assert_eq!(heard.last(), Some(&Played(2)));
    line.buffer.end();
    let rest: Vec<_> = (0..4).map(|n| line.take(100_000 + n * 20_000).0).collect();
    assert_eq!(rest, [Played(3), Played(4), Heard::Empty, Heard::Empty]);
    line.insert(200_000, &Line::packet(10));
    assert_eq!(line.take(240_000).0, Played(10));
}

#[test]
fn silence_between_talkspurts_takes_its_time() {
    // The sequence goes on, the timestamp has moved by the frames of silence.
    for silence in [1, 3, 8] {
        let mut line = Line::new();
        (0..10).for_each(|n| line.arrive(n, 0));
        for n in 10..20u64 {
            let timestamp = Line::packet(n + silence).timestamp;
            let sent = Sent { timestamp, marker: n == 10, ..Line::packet(n) };
            line.arrivals.push(((n + silence) * 20_000, sent));
        }
        let heard = line.play(0, 700);
        let mut wanted = names(0..10);
        wanted.extend((0..silence).map(|_| Heard::Missing));
        wanted.extend(names(10..20));
        assert_eq!(running(&heard), wanted);
    }
}

#[test]
fn a_packet_whose_place_was_concealed_is_late_and_not_played() {
    let mut line = Line::new();
    (0..100).for_each(|n| line.arrive(n, if n == 50 { 200_000 } else { 0 }));
    let heard = line.play(0, 2_100);
    let mut wanted = names(0..100);
    wanted[50] = Heard::Missing;
    assert_eq!(running(&heard), wanted);
    let counts = line.counts();
    assert_eq!((counts.late, counts.reordered, counts.missing), (1, 1, 1 + 3));
}

#[test]
fn sound_beyond_the_maximum_delay_is_discarded_at_once() {
    let mut line = Line::new();
    // A stall of 240 ms, after which all comes at once.
    for n in 0..125u64 {
        let at = if (100..112).contains(&n) { 112 * 20_000 } else { n * 20_000 };
        line.arrivals.push((at, Line::packet(n)));
    }
    line.play(0, 112 * 20 + 200);
    assert!(line.buffer.delay() <= Duration::from_millis(200), "{:?}", line.buffer.delay());
    assert!((2..=5).contains(&line.counts().discarded), "{:?}", line.counts());
    assert_eq!(line.counts().resyncs, 0);
}

#[test]
fn another_source_starts_over_even_if_its_numbers_would_fit() {
    let mut line = Line::new();
    (0..3).for_each(|n| assert_eq!(line.insert(n * 20_000, &Line::packet(n)), Inserted::Queued));
    let other = Sent { ssrc: 2, ..Line::packet(2) };
    assert_eq!(line.insert(60_000, &other), Inserted::Reset);
    assert_eq!(line.buffer.len(), 1);
    assert_eq!(line.insert(60_000, &other), Inserted::Duplicate);
}

#[test]
fn a_new_source_starts_over_without_a_burst() {
    let mut line = Line::new();
    (0..50).for_each(|n| line.arrive(n, 0));
    for n in 50..100u64 {
        let sent = Line::packet(n);
        let (sequence, timestamp) = (sent.sequence ^ 0x5555, sent.timestamp ^ 0x8000_0000);
        let sent = Sent { ssrc: 2, sequence, timestamp, ..sent };
        let sequence = 7_000u16.wrapping_add(n as u16);
        line.arrivals.push((n * 20_000, Sent { sequence, ..sent }));
    }
    let heard = line.play(0, 2_100);
    let wait = heard.iter().position(|it| *it == Played(50)).unwrap();
    let before = heard[..wait].iter().rposition(|it| *it != Heard::Missing).unwrap();
    assert!(wait - before <= 3, "{heard:?}");
    assert_eq!(heard[wait..wait + 50], names(50..100));
    assert_eq!(line.counts().resyncs, 1);
}

#[test]
fn a_jump_of_the_timestamp_starts_over_without_a_burst_or_a_long_gap() {
    for jump in [8_000u32, 0x4000_0000, 0x8000_0000, 0xf000_0000, 0u32.wrapping_sub(8_000)] {
        let mut line = Line::new();
        for n in 0..100u64 {
            let sent = Line::packet(n);
            let moved = if n < 50 { 0 } else { jump };
            let timestamp = sent.timestamp.wrapping_add(moved);
            line.arrivals.push((n * 20_000, Sent { timestamp, ..sent }));
        }
        let heard = line.play(0, 2_100);
        let wait = heard.iter().position(|it| *it == Played(50)).unwrap();
        assert_eq!(heard[wait..wait + 50], names(50..100), "{jump:x}");
        let gap = heard[..wait].iter().rev().take_while(|it| **it == Heard::Missing).count();
        assert!(gap <= 3, "{jump:x}: {gap}");
        assert_eq!(line.counts().resyncs, 1);
    }
}

#[test]
fn a_jump_of_the_sequence_starts_over_without_a_burst() {
    for jump in [70u16, 1_000, 0x7000, 0x8000, 0xf000, 0u16.wrapping_sub(200)] {
        let mut line = Line::new();
        for n in 0..100u64 {
            let sent = Line::packet(n);
            let sequence = sent.sequence.wrapping_add(if n < 50 { 0 } else { jump });
            line.arrivals.push((n * 20_000, Sent { sequence, ..sent }));
        }
        let heard = line.play(0, 2_100);
        let wait = heard.iter().position(|it| *it == Played(50)).unwrap();
        assert_eq!(heard[wait..wait + 50], names(50..100), "{jump:x}");
        let counts = line.counts();
        assert_eq!(counts.resyncs, 1, "{jump:x}");
        assert_eq!(counts.played + counts.discarded, 100, "{jump:x}");
    }
}

#[test]
fn a_stall_that_ends_in_a_flood_is_caught_up_within_a_second() {
    let mut line = Line::new();
    for n in 0..500u64 {
        // Everything sent in three seconds comes at their end.
        let at = if (100..250).contains(&n) { 5_000_000 + n } else { n * 20_000 };
        line.arrivals.push((at, Line::packet(n)));
    }
    let heard = line.play(0, 11_000);
    let tail: Vec<_> = heard.iter().filter(|it| matches!(it, Played(300..))).collect();
    assert_eq!(tail.len(), 200);
    assert!(line.buffer.delay() <= Duration::from_millis(200), "{:?}", line.buffer.delay());
    let after = heard.iter().position(|it| *it == Played(300)).unwrap();
    assert!(after <= 313, "{after}");
}

#[test]
fn two_hundred_milliseconds_of_g711_fit_a_slot() {
    let mut buffer = JitterBuffer::new(&JitterConfig::new(8000, Duration::from_millis(20)));
    let mut room = [0; 12 + 1600];
    Header::new(0, 1, 1, 1).write(&mut Writer::new(&mut room)).unwrap();
    let inserted = buffer.insert(Instant::now(), &Packet::parse(&room).unwrap());
    assert_eq!(inserted, Inserted::Queued);
}

#[test]
fn a_payload_beyond_the_slots_is_refused() {
    let mut config = JitterConfig::new(8000, Duration::from_millis(20));
    config.payload = 7;
    let mut line = Line::with(&config);
    assert_eq!(line.insert(0, &Line::packet(0)), Inserted::TooLarge);
    assert_eq!((line.counts().too_large, line.take(90_000).0), (1, Heard::Empty));
}

#[test]
fn settings_that_make_no_sense_do_no_harm() {
    let config = JitterConfig {
        clock_rate: 0,
        frame: Duration::ZERO,
        initial_delay: Duration::MAX,
        min_delay: Duration::MAX,
        max_delay: Duration::ZERO,
        starvation: Duration::ZERO,
        packets: 0,
        payload: 8,
    };
    let mut line = Line::with(&config);
    for n in 0..50 {
        line.insert(n * 20_000, &Line::packet(n));
        line.take(n * 20_000);
    }
}

proptest! {
    /// Whatever the network does within the window of the delay, the output is the sorted set of
    /// what came, with a missing frame for each that did not.
    #[test]
    fn order_and_gaps_are_restored(
        delays in prop::collection::vec((0u64..39, any::<bool>(), 0u8..10), 40..120),
        phase in 0u64..20,
    ) {
        let mut line = Line::new();
        let last = delays.len() as u64 - 1;
        let lost = |n: u64, chance: u8| n != 0 && n != last && chance < 2;
        for (n, (delay, twice, chance)) in (0..).zip(&delays) {
            // The first packet takes the quickest way, so that the delay begins at its least.
            let delay = if n == 0 { 0 } else { *delay };
            if !lost(n, *chance) {
                line.arrive(n, delay * 1000);
                if *twice {
                    line.arrive(n, 39_000);
                }
            }
        }
        // A run of losses longer than the delay cannot be told from a delay; it may be longer.
        let heard = line.play(phase * 1000, (last + 10) * 20);
        let played: Vec<_> = running(&heard).iter().filter(|it| **it != Heard::Missing).copied().collect();
        let came: Vec<_> = (0..).zip(&delays)
            .filter(|(n, (_, _, chance))| !lost(*n, *chance)).map(|(n, _)| Played(n)).collect();
        prop_assert_eq!(&played, &came);
        let missing = running(&heard).len() - played.len();
        prop_assert!(missing >= delays.len() - came.len());
        let single_losses = (1..last).all(|n| {
            !lost(n, delays[n as usize].2) || !lost(n + 1, delays[n as usize + 1].2)
        });
        if single_losses && delays.iter().all(|(delay, _, _)| *delay <= 15) {
            let wanted: Vec<_> = (0..).zip(&delays)
                .map(|(n, (_, _, chance))| if lost(n, *chance) { Heard::Missing } else { Played(n) })
                .collect();
            prop_assert_eq!(running(&heard), &wanted[..]);
        }
    }

    #[test]
    fn no_sequence_of_packets_breaks_it(
        steps in prop::collection::vec((any::<u16>(), any::<u32>(), 0u32..3, any::<bool>(), 0u64..400), 0..300)
    ) {
        let mut line = Line::new();
        let mut at = 0;
        for (n, (sequence, timestamp, ssrc, small, pause)) in (0..).zip(steps) {
            at += pause * 1000;
            let sequence = if small { sequence % 100 } else { sequence };
            let timestamp = if small { timestamp % 80_000 } else { timestamp };
            line.insert(at, &Sent { ssrc, sequence, timestamp, marker: ssrc == 1, name: n });
            line.take(at);
            prop_assert!(line.buffer.len() <= 64);
        }
    }
}
