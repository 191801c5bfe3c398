//! RTP: a frame of samples to a packet, a packet to its parts, a packet through a session.

use std::{
    hint::black_box,
    time::{Duration, Instant, SystemTime},
};

use criterion::Criterion;
use offhook_benches::{FRAME, tone};
use offhook_codec::{
    Encoder,
    g711::{G711, Law},
};
use offhook_rtp::{Packet, Sender, Session, SessionConfig, Taken, Wallclock};
use offhook_sansio::Random;

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    send(&mut criterion);
    parse(&mut criterion);
    receive(&mut criterion);
    criterion.final_summary();
}

/// 160 samples become µ-law behind an RTP header.
fn send(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("rtp send");
    let (samples, now) = (tone(), Instant::now());
    let mut room = [0; 1500];
    let mut codec = G711::new(Law::Mu);
    let mut sender = Sender::new(1, 0, 8000, &mut Random::from_seed(1));
    group.bench_function("offhook", |bencher| {
        bencher.iter(|| {
            sender.packetize(now, 160, &mut room, |payload| {
                codec.encode(black_box(&samples), payload).unwrap_or(0)
            })
        });
    });
    let (mut payload, mut sequence, mut timestamp) = ([0; 160], 0u16, 0u32);
    group.bench_function("rtp-types, the same codec", |bencher| {
        bencher.iter(|| {
            codec.encode(black_box(&samples), &mut payload).unwrap_or(0);
            sequence = sequence.wrapping_add(1);
            timestamp = timestamp.wrapping_add(160);
            theirs(&payload, sequence, timestamp).write_into(&mut room)
        });
    });
    group.bench_function("the codec alone", |bencher| {
        bencher.iter(|| codec.encode(black_box(&samples), &mut payload));
    });
    group.finish();
}

fn theirs(
    payload: &[u8; 160],
    sequence: u16,
    timestamp: u32,
) -> rtp_types::RtpPacketBuilder<&[u8], &[u8]> {
    rtp_types::RtpPacketBuilder::new()
        .payload_type(0)
        .sequence_number(sequence)
        .timestamp(timestamp)
        .ssrc(1)
        .payload(payload.as_slice())
}

/// A packet is checked, and each of its fields is asked for.
fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("rtp parse");
    let packets = packets(1);
    let bytes = packets.first().map_or(&[][..], Vec::as_slice);
    group.bench_function("offhook", |bencher| {
        bencher.iter(|| {
            let packet = Packet::parse(black_box(bytes)).ok()?;
            let numbers = (packet.sequence(), packet.timestamp(), packet.ssrc());
            Some((packet.marker(), packet.payload_type(), numbers, packet.payload().len()))
        });
    });
    group.bench_function("rtp-types", |bencher| {
        bencher.iter(|| {
            let packet = rtp_types::RtpPacket::parse(black_box(bytes)).ok()?;
            let numbers = (packet.sequence_number(), packet.timestamp(), packet.ssrc());
            Some((packet.marker_bit(), packet.payload_type(), numbers, packet.payload().len()))
        });
    });
    group.finish();
}

/// A packet is checked, counted, queued and taken out again.
fn receive(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("rtp receive");
    let packets = packets(65_536);
    let mut now = Instant::now();
    let mut session = session(now);
    let mut next = packets.iter().cycle();
    group.bench_function("offhook, with the jitter buffer", |bencher| {
        bencher.iter(|| {
            now += FRAME;
            let packet = next.next().map_or(&[][..], Vec::as_slice);
            let received = session.receive_rtp(now, packet).is_ok();
            (received, matches!(session.take(now), Taken::Frame { .. }))
        });
    });
    let statistics = session.statistics(now);
    assert!(statistics.drops.malformed + statistics.drops.late == 0, "{statistics:?}");
    group.finish();
}

/// One round of sequence numbers, so that the list can be sent again and again.
fn packets(count: usize) -> Vec<Vec<u8>> {
    let now = Instant::now();
    let mut sender = Sender::new(7, 0, 8000, &mut Random::from_seed(7));
    let packet = |_| {
        let mut room = vec![0; 172];
        let written = sender.packetize(now, 160, &mut room, |payload| payload.len());
        room.truncate(written.unwrap_or(0));
        room
    };
    (0..count).map(packet).collect()
}

fn session(now: Instant) -> Session {
    let wallclock = Wallclock::new(now, SystemTime::UNIX_EPOCH);
    let config = SessionConfig::new("bench", 0, 8000, FRAME, wallclock);
    Session::new(now, &config, Random::from_seed(1))
}
