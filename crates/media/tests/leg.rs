//! Legs against each other on a virtual network, and against packets written by hand.
#![cfg(test)]

use std::{
    net::SocketAddr,
    time::{Duration, Instant, SystemTime},
};

use bytes::BytesMut;
use offhook_codec::g711::{decode_alaw, decode_mulaw, encode_alaw, encode_mulaw};
use offhook_media::{Error, Event, Heard, Leg, Settings};
use offhook_rtp::{
    Wallclock, is_rtcp,
    rtcp::{Compound, Packet},
};
use offhook_sansio::{Datagram, Flow, Machine, Random, Transmit};
use offhook_sdp::{Codec, Direction, NegotiatedMedia};
use offhook_testkit::{HostId, Impairment, Network, SoundCheck};
use proptest::prelude::*;

fn address(host: u8, port: u16) -> SocketAddr {
    ([192, 0, 2, host], port).into()
}

fn ours() -> SocketAddr {
    address(1, 4000)
}

fn theirs() -> SocketAddr {
    address(2, 4000)
}

fn signalling() -> SocketAddr {
    address(3, 6000)
}

fn stranger() -> SocketAddr {
    address(66, 4000)
}

/// An agreement with a peer whose RTP is at `remote`.
fn agreed(codec: Codec, remote: SocketAddr, mux: bool) -> NegotiatedMedia {
    let number = codec.payload_type.unwrap();
    let mut remote_rtcp = remote;
    remote_rtcp.set_port(remote.port() + u16::from(!mux));
    NegotiatedMedia {
        codec,
        send_payload_type: number,
        receive_payload_type: number,
        direction: Direction::SendRecv,
        remote_rtp: remote,
        remote_rtcp,
        rtcp_mux: mux,
        ptime: Duration::from_millis(20),
        reasons: Vec::new(),
    }
}

fn pcmu() -> NegotiatedMedia {
    agreed(Codec::pcmu(), theirs(), true)
}

fn heading(direction: Direction) -> NegotiatedMedia {
    NegotiatedMedia { direction, ..pcmu() }
}

fn settings(now: Instant, negotiated: NegotiatedMedia, local: SocketAddr) -> Settings {
    let mut rtcp = local;
    rtcp.set_port(local.port() + 1);
    let wallclock = Wallclock::new(now, SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 30));
    Settings::new(negotiated, local, rtcp, wallclock)
}

fn leg(now: Instant, negotiated: NegotiatedMedia) -> Leg {
    let settings = Settings {
        signalling: Some(signalling().ip()),
        cname: "alone".to_owned(),
        ..settings(now, negotiated, ours())
    };
    Leg::new(now, settings, Random::from_seed(1)).unwrap()
}

/// An RTP packet of 20 ms whose samples all have this level, in G.711 µ-law or A-law.
fn rtp(payload_type: u8, sequence: u16, level: i16) -> Vec<u8> {
    let mut packet = vec![0x80, payload_type];
    packet.extend(sequence.to_be_bytes());
    packet.extend((u32::from(sequence) * 160).to_be_bytes());
    packet.extend(0x0102_0304_u32.to_be_bytes());
    packet.extend([if payload_type == 8 { encode_alaw(level) } else { encode_mulaw(level) }; 160]);
    packet
}

/// A receiver report without blocks.
fn report() -> Vec<u8> {
    [&[0x80, 201, 0, 1][..], &0x0102_0304_u32.to_be_bytes()].concat()
}

fn deliver(leg: &mut Leg, now: Instant, from: SocketAddr, packet: &[u8]) {
    let local =
        if leg.negotiated().rtcp_mux || !is_rtcp(packet) { ours() } else { address(1, 4001) };
    let flow = Flow::udp(local, from);
    leg.receive(now, Datagram { flow, payload: BytesMut::from(packet) });
}

fn sent(leg: &mut Leg) -> Vec<Transmit> {
    std::iter::from_fn(|| leg.poll_transmit()).collect()
}

/// Two packets in sequence: a source that is validated (RFC 3550 §A.1).
fn speak(leg: &mut Leg, now: Instant, from: SocketAddr, sequence: u16) {
    deliver(leg, now, from, &rtp(0, sequence, 1000));
    deliver(leg, now, from, &rtp(0, sequence + 1, 1000));
}

/// Where the next frame of sound goes.
fn goes_to(leg: &mut Leg, now: Instant) -> SocketAddr {
    leg.send_audio(now, &vec![1; leg.frame()]).unwrap();
    sent(leg).pop().expect("nothing was sent").flow.remote
}

/// Plays a frame and gives the last of its samples.
fn hear(leg: &mut Leg, now: Instant) -> (Heard, i16) {
    let mut frame = vec![0; leg.frame()];
    let heard = leg.play_audio(now, &mut frame).unwrap();
    (heard, frame[frame.len() - 1])
}

/// Lets time pass, and gives what was sent meanwhile.
fn wait(leg: &mut Leg, now: &mut Instant, time: Duration) -> Vec<Transmit> {
    let (end, mut all) = (*now + time, Vec::new());
    while let Some(next) = leg.poll_timeout().filter(|next| *next <= end) {
        *now = next.max(*now);
        leg.handle_timeout(*now);
        all.extend(sent(leg));
    }
    *now = end;
    all
}

/// Two legs that talk to each other, each at its own frame time.
struct Pair {
    network: Network<Leg>,
    legs: [HostId; 2],
    /// Milliseconds since the start.
    time: u64,
    noise: Random,
    said: [Vec<i16>; 2],
    heard: [Vec<i16>; 2],
}

impl Pair {
    fn new(impairment: Impairment, codec: &Codec, ptimes: [u64; 2], mux: bool) -> Self {
        let start = Instant::now();
        let mut network = Network::new(start, 11);
        let legs = [0, 1].map(|side: usize| {
            let [local, remote] = [side, 1 - side].map(|side| address(1 + side as u8, 4000));
            let ptime = Duration::from_millis(ptimes[side]);
            let negotiated = NegotiatedMedia { ptime, ..agreed(codec.clone(), remote, mux) };
            let settings =
                Settings { cname: side.to_string(), ..settings(start, negotiated, local) };
            let leg = Leg::new(start, settings, Random::from_seed(side as u64)).unwrap();
            network.host(leg, &[local.ip()])
        });
        network.link(legs[0], legs[1], impairment);
        let noise = Random::from_seed(9);
        Self { network, legs, time: 0, noise, said: [vec![], vec![]], heard: [vec![], vec![]] }
    }

    fn leg(&self, side: usize) -> &Leg {
        self.network.host_ref(self.legs[side])
    }

    /// Both talk for so many milliseconds.
    fn talk(&mut self, time: u64) {
        for _ in 0..time / 10 {
            for side in 0..2 {
                let frame_time = self.leg(side).frame_time().as_millis() as u64;
                if self.time.is_multiple_of(frame_time) {
                    self.frame(side);
                }
            }
            self.time += 10;
            let next = self.network.now() + Duration::from_millis(10);
            self.network.run_until(next, |_| {}).unwrap();
        }
    }

    fn frame(&mut self, side: usize) {
        let samples = self.leg(side).frame();
        // Loud and never silent, so that every frame is unlike any other.
        let noise: Vec<i16> =
            (0..samples).map(|_| 1000 + (self.noise.u32() % 20_000) as i16).collect();
        let mut frame = vec![0; samples];
        self.network.tell(self.legs[side], |leg, now| {
            leg.send_audio(now, &noise).unwrap();
            leg.play_audio(now, &mut frame).unwrap();
        });
        self.said[side].extend(noise);
        self.heard[side].extend(frame);
    }

    /// What `side` heard of the other, in frames of 10 ms.
    fn check(&self, side: usize) -> SoundCheck {
        let coded: Vec<i16> = match self.leg(side).negotiated().codec.encoding.as_ref() {
            "PCMA" => self.said[1 - side].iter().map(|it| decode_alaw(encode_alaw(*it))).collect(),
            _ => self.said[1 - side].iter().map(|it| decode_mulaw(encode_mulaw(*it))).collect(),
        };
        SoundCheck::new(&coded, &self.heard[side], 80)
    }
}

const MS: Duration = Duration::from_millis(1);

fn clean(delay: Duration) -> Impairment {
    Impairment { delay, ..Impairment::NONE }
}

#[test]
fn over_a_clean_path_every_frame_is_heard_to_the_sample() {
    for codec in [Codec::pcmu(), Codec::pcma()] {
        for ptime in [10, 20, 30, 40, 60] {
            let mut pair = Pair::new(clean(25 * MS), &codec, [ptime; 2], true);
            pair.talk(12_000);
            for side in 0..2 {
                let check = pair.check(side);
                assert!(check.invented.is_empty(), "{ptime}: {:?}", check.invented);
                // Only what is still on its way is missing.
                let last = check.said - check.missing.len();
                assert_eq!(check.missing, (last..check.said).collect::<Vec<_>>(), "{ptime}");
                assert!(check.missing.len() <= 24, "{ptime}: {:?}", check.missing);
                let statistics = pair.leg(side).statistics(pair.network.now());
                assert_eq!((statistics.frames.concealed, statistics.rtp.lost), (0, 0));
                assert_eq!(statistics.foreign + statistics.not_media + statistics.undecodable, 0);
                assert!(statistics.mos > 4.3, "{}", statistics.mos);
            }
        }
    }
}

#[test]
fn each_side_chooses_its_own_packet_time() {
    for ptime in [10, 30, 40, 60] {
        let mut pair = Pair::new(clean(25 * MS), &Codec::pcmu(), [ptime, 20], true);
        pair.talk(24_000);
        for side in 0..2 {
            let check = pair.check(side);
            let statistics = pair.leg(side).statistics(pair.network.now());
            assert!(check.invented.is_empty(), "{ptime} {side}: {:?}", check.invented);
            assert!(check.share() > 0.99, "{ptime} {side}: {:?}", check.missing);
            assert_eq!(statistics.frames.concealed, 0, "{ptime} {side}");
            assert_eq!(statistics.rtp.discarded, 0, "{ptime} {side}");
        }
    }
}

#[test]
fn lost_packets_are_concealed_one_for_one() {
    let lossy = Impairment { loss: 0.08, ..clean(25 * MS) };
    let mut pair = Pair::new(lossy, &Codec::pcmu(), [20; 2], true);
    pair.talk(40_000);
    for side in 0..2 {
        let statistics = pair.leg(side).statistics(pair.network.now());
        let (lost, concealed) = (statistics.rtp.lost, statistics.frames.concealed);
        assert!((100..220).contains(&lost), "{lost}");
        assert!(concealed.abs_diff(lost as u64) <= 4, "{concealed} concealed for {lost} lost");
        assert!(statistics.frames.speech + concealed > 1980);
        assert!((0.05..0.11).contains(&statistics.frames.concealed_share()));
        assert!(statistics.mos < 4.2, "{}", statistics.mos);
        // All others but those after a loss, whose joint is smoothed, are heard to the sample.
        let check = pair.check(side);
        assert!(check.exact as i64 > 4000 - 5 * lost, "{} of 4000, {lost} lost", check.exact);
    }
}

#[test]
fn jitter_within_the_playout_delay_costs_nothing() {
    let jittery = Impairment { jitter: 25 * MS, ..clean(25 * MS) };
    let mut pair = Pair::new(jittery, &Codec::pcmu(), [20; 2], true);
    pair.talk(40_000);
    for side in 0..2 {
        let statistics = pair.leg(side).statistics(pair.network.now());
        assert!(statistics.frames.concealed < 8, "{:?}", statistics.frames);
        assert_eq!(statistics.rtp.lost, 0);
        assert!((2.0..20.0).contains(&statistics.rtp.jitter), "{}", statistics.rtp.jitter);
    }
}

#[test]
fn reports_tell_each_side_the_round_trip_and_what_the_other_lost() {
    for mux in [true, false] {
        let lossy = Impairment { loss: 0.1, ..clean(40 * MS) };
        let mut pair = Pair::new(lossy, &Codec::pcmu(), [20; 2], mux);
        pair.talk(60_000);
        for side in 0..2 {
            let now = pair.network.now();
            let rtp = pair.leg(side).statistics(now).rtp;
            let round_trip = rtp.round_trip.expect("a round trip").as_secs_f64();
            assert!((0.0795..0.0805).contains(&round_trip), "{round_trip}");
            let remote = rtp.remote.expect("a report");
            let theirs = pair.leg(1 - side).statistics(now).rtp;
            assert!(remote.lost > 50 && i64::from(remote.lost) <= theirs.lost, "{remote:?}");
        }
    }
}

#[test]
fn a_leg_that_closes_says_bye_and_the_other_falls_silent_without_concealing() {
    let mut pair = Pair::new(clean(5 * MS), &Codec::pcmu(), [20; 2], true);
    pair.talk(2_000);
    let goodbye = {
        let (network, host) = (&mut pair.network, pair.legs[0]);
        network.tell(host, |leg, now| {
            leg.close(now);
            let packets = sent(leg);
            assert_eq!(packets.len(), 1, "one RTCP packet");
            leg.close(now);
            assert!(leg.poll_transmit().is_none(), "closed once");
            assert_eq!(leg.poll_timeout(), None);
            packets[0].payload.to_vec()
        })
    };
    let compound = Compound::parse(&goodbye).unwrap();
    assert!(compound.packets().any(|packet| matches!(packet, Packet::Goodbye(_))));
    let now = pair.network.now();
    pair.network.tell(pair.legs[1], |leg, _| {
        let flow = Flow::udp(theirs(), ours());
        leg.receive(now, Datagram { flow, payload: BytesMut::from(&goodbye[..]) });
        for frame in 0..50 {
            let (heard, _) = hear(leg, now + frame * 20 * MS);
            assert_ne!(heard, Heard::Concealed, "frame {frame}");
            assert!(frame < 10 || heard == Heard::Silence, "frame {frame}");
        }
    });
}

#[test]
fn a_closed_leg_refuses_its_verbs_and_hears_nothing() {
    let now = Instant::now();
    let mut leg = leg(now, pcmu());
    leg.close(now);
    assert!(sent(&mut leg).is_empty(), "who never spoke says no BYE (RFC 3550 §6.3.7)");
    assert_eq!(leg.send_audio(now, &[0; 160]), Err(Error::Closed));
    assert_eq!(leg.play_audio(now, &mut [0; 160]), Err(Error::Closed));
    deliver(&mut leg, now, theirs(), &rtp(0, 1, 1000));
    leg.handle_timeout(now + Duration::from_secs(60));
    assert!(leg.poll_transmit().is_none() && leg.poll_event().is_none());
    assert_eq!(leg.poll_timeout(), None);
    assert_eq!(leg.statistics(now).foreign, 1);
}

#[test]
fn the_first_valid_source_at_the_signalling_host_latches() {
    let now = Instant::now();
    let mut leg = leg(now, pcmu());
    assert_eq!(goes_to(&mut leg, now), theirs(), "as described, before anything has come");
    deliver(&mut leg, now, signalling(), &rtp(0, 1, 1000));
    assert_eq!(leg.poll_event(), None, "one packet is no proof (RFC 3550 §A.1)");
    assert_eq!(goes_to(&mut leg, now), theirs());
    deliver(&mut leg, now, signalling(), &rtp(0, 2, 1000));
    assert_eq!(leg.poll_event(), Some(Event::Receiving { from: signalling() }));
    assert_eq!(goes_to(&mut leg, now), signalling());
    // From now on the described place is foreign, too.
    deliver(&mut leg, now, theirs(), &rtp(0, 3, 1000));
    deliver(&mut leg, now, address(3, 6002), &rtp(0, 3, 1000));
    assert_eq!(leg.statistics(now).foreign, 2);
    deliver(&mut leg, now, signalling(), &rtp(0, 3, 1000));
    assert_eq!(leg.statistics(now).rtp.packets_received, 3);
    assert_eq!(leg.poll_event(), None, "told once");
}

#[test]
fn a_report_before_the_first_sound_neither_latches_nor_hides_it() {
    let now = Instant::now();
    let mut leg = leg(now, pcmu());
    deliver(&mut leg, now, signalling(), &report());
    assert_eq!((goes_to(&mut leg, now), leg.poll_event()), (theirs(), None));
    deliver(&mut leg, now, theirs(), &rtp(0, 1, 1000));
    deliver(&mut leg, now, theirs(), &rtp(0, 2, 1000));
    assert_eq!(leg.poll_event(), Some(Event::Receiving { from: theirs() }));
}

#[test]
fn a_packet_of_no_sound_or_of_too_much_is_refused() {
    let now = Instant::now();
    for (ms, good) in [(0, false), (10, true), (200, true), (201, false), (5000, false)] {
        let ptime = Duration::from_millis(ms);
        let negotiated = NegotiatedMedia { ptime, ..pcmu() };
        let settings = settings(now, negotiated, ours());
        assert_eq!(Leg::new(now, settings, Random::from_seed(1)).is_ok(), good, "{ms} ms");
    }
}

#[test]
fn another_port_of_the_described_host_latches_until_it_has_latched() {
    let now = Instant::now();
    let mut leg = leg(now, pcmu());
    let mapped = address(2, 50_000);
    deliver(&mut leg, now, mapped, &rtp(0, 1, 1000));
    deliver(&mut leg, now, mapped, &rtp(0, 2, 1000));
    assert_eq!(goes_to(&mut leg, now), mapped);
    deliver(&mut leg, now, theirs(), &rtp(0, 3, 1000));
    assert_eq!((goes_to(&mut leg, now), leg.statistics(now).foreign), (mapped, 1));
}

#[test]
fn a_foreign_host_is_never_heard_and_never_latches() {
    let mut now = Instant::now();
    let mut leg = leg(now, pcmu());
    for sequence in 0..50 {
        deliver(&mut leg, now, stranger(), &rtp(0, sequence, 9000));
        deliver(&mut leg, now, stranger(), &report());
        now += 20 * MS;
        assert_eq!(hear(&mut leg, now).0, Heard::Silence);
    }
    assert_eq!(goes_to(&mut leg, now), theirs());
    assert_eq!(leg.statistics(now).foreign, 100);
    assert_eq!(leg.poll_event(), None);
}

#[test]
fn what_is_no_valid_packet_does_not_latch() {
    let now = Instant::now();
    let mut leg = leg(now, pcmu());
    let wrong_type = rtp(8, 1, 1000);
    let cut = &rtp(0, 1, 1000)[..11];
    for bad in [&wrong_type[..], cut, &[0x80, 201, 0, 9], b"INVITE", &[], &[0, 1, 0, 0]] {
        deliver(&mut leg, now, signalling(), bad);
    }
    assert_eq!(goes_to(&mut leg, now), theirs());
    assert_eq!(leg.poll_event(), None);
    let statistics = leg.statistics(now);
    assert_eq!((statistics.not_media, statistics.foreign), (3, 0));
    let drops = statistics.rtp.drops;
    assert_eq!((drops.payload_type, drops.malformed, drops.malformed_rtcp), (1, 1, 1));
}

#[test]
fn a_packet_on_another_socket_than_its_own_is_refused() {
    let now = Instant::now();
    let mut leg = leg(now, agreed(Codec::pcmu(), theirs(), false));
    for (local, packet) in [(address(1, 4001), rtp(0, 1, 1000)), (ours(), report())] {
        let flow = Flow::udp(local, theirs());
        leg.receive(now, Datagram { flow, payload: BytesMut::from(&packet[..]) });
    }
    assert_eq!(leg.statistics(now).foreign, 2);
}

#[test]
fn a_new_agreement_latches_anew_only_if_the_peer_has_moved() {
    let now = Instant::now();
    let mut leg = leg(now, pcmu());
    let pcmu_only = [Codec::pcmu()];
    deliver(&mut leg, now, signalling(), &rtp(0, 0, 1000));
    speak(&mut leg, now, signalling(), 1);
    leg.renegotiate(&pcmu(), &pcmu_only).unwrap();
    assert_eq!(goes_to(&mut leg, now), signalling(), "it stays where it was");

    let moved = address(2, 7000);
    leg.renegotiate(&agreed(Codec::pcmu(), moved, true), &pcmu_only).unwrap();
    assert_eq!(goes_to(&mut leg, now), moved);
    speak(&mut leg, now, address(2, 7070), 3);
    assert_eq!(goes_to(&mut leg, now), address(2, 7070));
    deliver(&mut leg, now, signalling(), &rtp(0, 5, 1000));
    assert_eq!(leg.statistics(now).foreign, 1);
}

#[test]
fn a_peer_that_holds_without_an_address_gets_nothing_even_if_it_speaks() {
    let now = Instant::now();
    let mut leg = leg(now, pcmu());
    let nowhere = agreed(Codec::pcmu(), ([0, 0, 0, 0], 4000).into(), false);
    leg.renegotiate(&nowhere, &[Codec::pcmu()]).unwrap();
    for sequence in 0..5 {
        deliver(&mut leg, now, signalling(), &rtp(0, sequence, 1000));
    }
    leg.send_audio(now, &[1000; 160]).unwrap();
    leg.handle_timeout(now + Duration::from_secs(60));
    assert_eq!(sent(&mut leg), []);
}

#[test]
fn a_renegotiation_keeps_numbers_and_figures_and_may_change_the_codec() {
    let now = Instant::now();
    let mut leg = leg(now, pcmu());
    let number = |leg: &mut Leg| {
        leg.send_audio(now, &[1000; 160]).unwrap();
        let packet = sent(leg).pop().unwrap().payload;
        let sequence = u16::from_be_bytes([packet[2], packet[3]]);
        (sequence, packet[1] & 0x7f, packet[8..12].to_vec(), packet[12])
    };
    let before = number(&mut leg);
    let pcma = agreed(Codec::pcma(), theirs(), true);
    leg.renegotiate(&pcma, &[Codec::pcma()]).unwrap();
    let after = number(&mut leg);
    assert_eq!(after.0, before.0.wrapping_add(1));
    assert_eq!((before.1, after.1), (0, 8));
    assert_eq!(after.2, before.2, "the SSRC");
    assert_eq!(after.3, encode_alaw(1000));
    assert_eq!(leg.statistics(now).rtp.packets_sent, 2);
    // The codec of before is not agreed on any more.
    deliver(&mut leg, now, theirs(), &rtp(0, 1, 1000));
    assert_eq!(leg.statistics(now).rtp.drops.payload_type, 1);
}

#[test]
fn a_peer_may_switch_among_the_codecs_that_were_agreed_on() {
    let mut now = Instant::now();
    let settings = Settings {
        receivable: vec![Codec::pcmu(), Codec::pcma()],
        ..settings(now, pcmu(), ours())
    };
    let mut leg = Leg::new(now, settings, Random::from_seed(1)).unwrap();
    let mut levels = Vec::new();
    for sequence in 0..40 {
        let payload_type = if sequence % 2 == 0 { 0 } else { 8 };
        deliver(&mut leg, now, theirs(), &rtp(payload_type, sequence, 5000));
        levels.push(hear(&mut leg, now));
        now += 20 * MS;
    }
    let laws = [decode_mulaw(encode_mulaw(5000)), decode_alaw(encode_alaw(5000))];
    let speech: Vec<_> = levels.iter().skip_while(|(heard, _)| *heard == Heard::Silence).collect();
    assert!(speech.len() > 30);
    for (index, (heard, level)) in speech.into_iter().enumerate() {
        assert_eq!((*heard, *level), (Heard::Speech, laws[index % 2]));
    }
}

#[test]
fn what_cannot_be_agreed_on_leaves_the_leg_as_it_was() {
    let now = Instant::now();
    let foreign = Codec { encoding: "G729".into(), payload_type: Some(18), ..Codec::pcmu() };
    let wide = Codec { clock_rate: 16_000, payload_type: Some(96), ..Codec::pcmu() };
    let refused = Leg::new(
        now,
        settings(now, agreed(foreign.clone(), theirs(), true), ours()),
        Random::from_seed(1),
    );
    assert_eq!(refused.unwrap_err(), Error::NoCodec("G729/8000".to_owned()));
    let mut leg = leg(now, pcmu());
    let moved = address(2, 7000);
    let refused = leg.renegotiate(&agreed(foreign.clone(), moved, true), &[foreign]);
    assert!(matches!(refused, Err(Error::NoCodec(_))));
    let refused = leg.renegotiate(&agreed(wide.clone(), moved, true), &[wide]);
    assert_eq!(refused, Err(Error::ClockRate { running: 8000, new: 16_000 }));
    assert_eq!(leg.negotiated(), &pcmu());
    assert_eq!(goes_to(&mut leg, now), theirs());
    deliver(&mut leg, now, theirs(), &rtp(0, 1, 1000));
    assert_eq!(leg.statistics(now).rtp.drops.payload_type, 0);
}

#[test]
fn sound_flows_only_in_the_agreed_direction_and_reports_in_both() {
    for direction in
        [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive]
    {
        let mut now = Instant::now();
        let mut leg = leg(now, heading(direction));
        let (mut packets, mut reports, mut heard) = (0, 0, 0);
        for sequence in 0..1000 {
            leg.send_audio(now, &[1000; 160]).unwrap();
            deliver(&mut leg, now, theirs(), &rtp(0, sequence, 1000));
            heard += u32::from(hear(&mut leg, now).0 == Heard::Speech);
            for packet in sent(&mut leg).into_iter().chain(wait(&mut leg, &mut now, 20 * MS)) {
                match is_rtcp(&packet.payload) {
                    true => reports += 1,
                    false => packets += 1,
                }
            }
        }
        assert_eq!(packets, if direction.sends() { 1000 } else { 0 }, "{direction}");
        assert_eq!(heard > 990, direction.receives(), "{direction}: {heard}");
        assert!(direction.receives() || heard == 0, "{direction}: {heard}");
        assert!(reports >= 2, "{direction}: {reports}");
    }
}

#[test]
fn a_resumed_stream_goes_on_where_its_timestamps_would_be() {
    let now = Instant::now();
    let mut leg = leg(now, pcmu());
    let stamp = |leg: &mut Leg| {
        leg.send_audio(now, &[1000; 160]).unwrap();
        let packet = sent(leg).pop()?.payload;
        let sequence = u16::from_be_bytes([packet[2], packet[3]]);
        Some((sequence, u32::from_be_bytes(packet[4..8].try_into().unwrap()), packet[1] >> 7))
    };
    let (sequence, timestamp, _) = stamp(&mut leg).unwrap();
    leg.renegotiate(&heading(Direction::RecvOnly), &[Codec::pcmu()]).unwrap();
    assert!((0..10).all(|_| stamp(&mut leg).is_none()));
    leg.renegotiate(&pcmu(), &[Codec::pcmu()]).unwrap();
    let resumed = stamp(&mut leg).unwrap();
    assert_eq!(resumed.0, sequence.wrapping_add(1));
    assert_eq!(resumed.1, timestamp.wrapping_add(11 * 160));
    assert_eq!(resumed.2, 1, "a talkspurt begins (RFC 3551 §4.1)");
}

#[test]
fn nothing_is_ever_sent_to_an_unspecified_address() {
    for remote in ["0.0.0.0:4000", "[::]:4000"] {
        for direction in [Direction::SendRecv, Direction::RecvOnly, Direction::Inactive] {
            for mux in [true, false] {
                let mut now = Instant::now();
                let nowhere = agreed(Codec::pcmu(), remote.parse().unwrap(), mux);
                let mut leg = leg(now, NegotiatedMedia { direction, ..nowhere });
                let mut packets = Vec::new();
                for _ in 0..500 {
                    leg.send_audio(now, &[1000; 160]).unwrap();
                    packets.extend(wait(&mut leg, &mut now, 20 * MS));
                }
                packets.extend(wait(&mut leg, &mut now, Duration::from_secs(60)));
                leg.close(now);
                packets.extend(sent(&mut leg));
                assert!(packets.is_empty(), "{remote} {direction} {mux}: {packets:?}");
            }
        }
    }
}

#[test]
fn a_frame_has_the_length_that_was_agreed_on() {
    let now = Instant::now();
    for (ptime, samples) in [(10, 80), (20, 160), (30, 240), (40, 320), (60, 480)] {
        let ptime = Duration::from_millis(ptime);
        let mut leg = leg(now, NegotiatedMedia { ptime, ..pcmu() });
        assert_eq!((leg.frame(), leg.frame_time(), leg.sample_rate()), (samples, ptime, 8000));
        for given in [0, samples - 1, samples + 1] {
            let refused = Error::FrameLength { expected: samples, given };
            assert_eq!(leg.send_audio(now, &vec![0; given]), Err(refused.clone()));
            assert_eq!(leg.play_audio(now, &mut vec![0; given]), Err(refused));
        }
        assert!(leg.poll_transmit().is_none());
        leg.send_audio(now, &vec![0; samples]).unwrap();
        assert_eq!(sent(&mut leg)[0].payload.len(), 12 + samples);
    }
}

#[test]
fn figures_are_told_in_one_line() {
    let now = Instant::now();
    let fresh = leg(now, pcmu()).statistics(now);
    assert_eq!(
        fresh.to_string(),
        "PCMU/8000: 0 packets sent, 0 received, 0 lost, 0 late, jitter 0.0 ms, nothing heard"
    );
    assert_eq!((fresh.r_factor, fresh.mos), (0.0, 1.0));

    let mut pair = Pair::new(clean(40 * MS), &Codec::pcma(), [20; 2], true);
    pair.talk(30_000);
    let line = pair.leg(0).statistics(pair.network.now()).to_string();
    let start = "PCMA/8000: 1500 packets sent, 1499 received, 0 lost, 0 late, jitter 0.0 ms, round \
                 trip 80.";
    assert!(line.starts_with(start), "{line}");
    assert!(line.contains(" ms, MOS 4."), "{line}");
    assert!(!line.contains('\n'));
}

#[test]
fn figures_since_a_moment_leave_out_what_was_before() {
    let mut pair =
        Pair::new(Impairment { loss: 0.3, ..clean(5 * MS) }, &Codec::pcmu(), [20; 2], true);
    pair.talk(10_000);
    let before = pair.leg(0).statistics(pair.network.now());
    pair.network.link(pair.legs[0], pair.legs[1], clean(5 * MS));
    pair.talk(10_000);
    let now = pair.leg(0).statistics(pair.network.now());
    let (bad, good) = (before.since(&Default::default()), now.since(&before));
    assert!((0.2..0.4).contains(&bad.loss), "{bad:?}");
    // The packet after the last lost one shows that it was lost.
    assert!(good.loss < 0.01 && good.mos > 4.2, "{good:?}");
    assert!(bad.mos < 3.5, "{bad:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_sound_goes_only_where_it_may(
        datagrams in prop::collection::vec(
            (0..5usize, 0..3usize, prop::collection::vec(any::<u8>(), 0..80), any::<bool>()),
            0..100,
        ),
        mux in any::<bool>(),
    ) {
        let mut now = Instant::now();
        let mut leg = leg(now, agreed(Codec::pcmu(), theirs(), mux));
        let places = [theirs(), address(2, 4001), signalling(), stranger(), address(2, 9)];
        for (from, local, mut bytes, looks_right) in datagrams {
            if looks_right && let [first, second, ..] = &mut bytes[..] {
                (*first, *second) = (0x80 | (*first & 0x1f), [0, 0, 200, 201, 203][*second as usize % 5]);
            }
            let flow = Flow::udp(address(1, 4000 + local as u16), places[from]);
            leg.receive(now, Datagram { flow, payload: BytesMut::from(&bytes[..]) });
            hear(&mut leg, now);
            leg.send_audio(now, &[1; 160]).unwrap();
            for packet in sent(&mut leg).into_iter().chain(wait(&mut leg, &mut now, 20 * MS)) {
                prop_assert!(packet.flow.remote.ip() != stranger().ip());
                prop_assert!([4000, 4001].contains(&packet.flow.local.port()));
            }
        }
    }
}
