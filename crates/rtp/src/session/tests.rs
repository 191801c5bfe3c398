use std::time::{Duration, SystemTime};

use offhook_sansio::Writer;

use super::*;
use crate::{
    Header, Wallclock,
    rtcp::{self, CompoundWriter, Item, ReportBlock},
};

const FRAME: Duration = Duration::from_millis(20);

fn config(cname: &str, now: Instant) -> SessionConfig {
    let wallclock = Wallclock::new(now, SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 30));
    SessionConfig::new(cname, 0, 8000, FRAME, wallclock)
}

/// Two sessions and a network between them that loses and delays what the script says.
struct Call {
    start: Instant,
    now: Instant,
    alice: Session,
    bob: Session,
    /// Datagrams on their way: arrival, to Bob, is RTCP, bytes.
    flying: Vec<(Instant, bool, bool, Vec<u8>)>,
    delay: Duration,
    /// What Bob heard: the frames' numbers, `None` for a missing one.
    heard: Vec<Option<u32>>,
    /// When Alice and Bob sent reports.
    reports: [Vec<Instant>; 2],
}

impl Call {
    fn new() -> Self {
        let start = Instant::now();
        Self {
            start,
            now: start,
            alice: Session::new(start, &config("alice", start), Random::from_seed(1)),
            bob: Session::new(start, &config("bob", start), Random::from_seed(2)),
            flying: vec![],
            delay: Duration::from_millis(35),
            heard: vec![],
            reports: [vec![], vec![]],
        }
    }

    /// Lets `frames` frames pass; Alice's frames for which `lost` says so do not arrive.
    fn run(&mut self, frames: u32, lost: impl Fn(u32) -> bool) {
        for _ in 0..frames {
            let number = (self.now - self.start).as_millis() as u32 / 20;
            let mut room = [0; 200];
            let fill = |payload: &mut [u8]| {
                payload[..160].fill(0);
                payload[..4].copy_from_slice(&number.to_be_bytes());
                160
            };
            let length = self.alice.send(self.now, 160, &mut room, fill).unwrap();
            if !lost(number) {
                self.fly(true, false, &room[..length]);
            }
            let length = self.bob.send(self.now, 160, &mut room, fill).unwrap();
            self.fly(false, false, &room[..length]);
            for _ in 0..20 {
                self.now += Duration::from_millis(1);
                self.deliver();
                self.report();
            }
            match self.bob.take(self.now) {
                Taken::Frame { payload, .. } => {
                    let number = payload[..4].try_into().unwrap();
                    self.heard.push(Some(u32::from_be_bytes(number)));
                }
                Taken::Missing => self.heard.push(None),
                Taken::Empty => {}
            }
            self.alice.take(self.now);
        }
    }

    fn fly(&mut self, to_bob: bool, rtcp: bool, bytes: &[u8]) {
        self.flying.push((self.now + self.delay, to_bob, rtcp, bytes.to_vec()));
    }

    fn deliver(&mut self) {
        let now = self.now;
        let (due, flying) =
            std::mem::take(&mut self.flying).into_iter().partition(|(at, ..)| *at <= now);
        self.flying = flying;
        for (_, to_bob, rtcp, bytes) in due {
            let to = if to_bob { &mut self.bob } else { &mut self.alice };
            assert_eq!(crate::is_rtcp(&bytes), rtcp);
            let taken =
                if rtcp { to.receive_rtcp(now, &bytes) } else { to.receive_rtp(now, &bytes) };
            taken.unwrap();
        }
    }

    fn report(&mut self) {
        let mut room = [0; 500];
        for of_alice in [true, false] {
            let session = if of_alice { &mut self.alice } else { &mut self.bob };
            if session.poll_timeout().is_none_or(|due| due > self.now) {
                continue;
            }
            session.handle_timeout(self.now);
            if let Some(length) = session.write_rtcp(self.now, &mut room) {
                self.reports[usize::from(!of_alice)].push(self.now);
                self.fly(of_alice, true, &room[..length]);
            }
        }
    }
}

#[test]
fn a_call_plays_every_frame_and_its_reports_tell_the_round_trip() {
    let mut call = Call::new();
    call.run(3_000, |_| false);
    let last = call.heard.len() as u32;
    assert!(last > 2_990, "{last}");
    assert_eq!(call.heard, (0..last).map(Some).collect::<Vec<_>>());
    for session in [&call.alice, &call.bob] {
        let statistics = session.statistics(call.now);
        assert_eq!(statistics.elapsed, Duration::from_secs(60));
        assert_eq!((statistics.packets_sent, statistics.octets_sent), (3_000, 480_000));
        assert!(statistics.packets_received >= 2_998);
        assert_eq!(statistics.packets_received, statistics.packets_expected);
        assert_eq!((statistics.lost, statistics.fraction_lost), (0, 0.0));
        assert_eq!((statistics.concealed, statistics.discarded, statistics.resyncs), (0, 0, 0));
        assert_eq!((statistics.jitter, statistics.drops), (0.0, Drops::default()));
        let round_trip = statistics.round_trip.unwrap();
        assert!(round_trip.abs_diff(Duration::from_millis(70)) < Duration::from_millis(2));
        assert_eq!(statistics.remote.unwrap().fraction_lost, 0.0);
    }
    // 60 s and reports each 2 to 6.2 s, after a first one within 3.1 s.
    for reports in &call.reports {
        assert!((8..30).contains(&reports.len()), "{}", reports.len());
        assert!(reports[0] - call.start < Duration::from_millis(3_100));
    }
}

#[test]
fn the_loss_one_side_sees_is_reported_to_the_other() {
    let mut call = Call::new();
    call.run(3_000, |number| number % 20 == 7);
    let bob = call.bob.statistics(call.now);
    assert_eq!(bob.lost, 150);
    assert!((bob.fraction_lost - 0.05).abs() < 0.015, "{}", bob.fraction_lost);
    assert_eq!(bob.concealed, 150);
    let remote = call.alice.statistics(call.now).remote.unwrap();
    assert!((remote.fraction_lost - 0.05).abs() < 0.015, "{}", remote.fraction_lost);
    assert!((125..=150).contains(&remote.lost), "{}", remote.lost);
    assert_eq!(call.alice.statistics(call.now).lost, 0);
}

#[test]
fn over_an_hour_reports_keep_to_the_bounds_of_the_rfc() {
    let mut call = Call::new();
    call.run(180_000, |_| false);
    for reports in &call.reports {
        let gaps: Vec<_> =
            reports.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect();
        let (low, high) = (5.0 * 0.5 / 1.21828, 5.0 * 1.5 / 1.21828);
        assert!(gaps.iter().all(|gap| *gap >= low && *gap <= high + 0.002), "{gaps:?}");
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        assert!((4.6..5.4).contains(&mean), "{mean}");
    }
    assert_eq!(call.bob.statistics(call.now).concealed, 0);
}

fn reports_of(bytes: &[u8]) -> Vec<rtcp::Packet<'_>> {
    Compound::parse(bytes).unwrap().packets().collect()
}

#[test]
fn a_sender_reports_sr_with_cname_and_says_bye_at_once() {
    let mut call = Call::new();
    call.run(50, |_| false);
    let mut room = [0; 500];
    let length = call.alice.bye(call.now, &mut room);
    let packets = reports_of(&room[..length]);
    let [
        rtcp::Packet::SenderReport(report),
        rtcp::Packet::SourceDescription(description),
        rtcp::Packet::Goodbye(goodbye),
    ] = &packets[..]
    else {
        panic!("{packets:?}");
    };
    assert_eq!((report.info().packets, report.info().octets), (50, 8_000));
    assert_eq!(report.blocks().next().unwrap().ssrc, call.bob.ssrc());
    assert_eq!(description.cname(call.alice.ssrc()), Some(&b"alice"[..]));
    assert_eq!(goodbye.sources().collect::<Vec<_>>(), [call.alice.ssrc()]);
    assert_eq!(call.alice.poll_timeout(), None);
    assert_eq!(call.alice.write_rtcp(call.now, &mut room), None);
    assert_eq!(call.alice.bye(call.now, &mut room), 0);
}

#[test]
fn who_never_sent_anything_says_no_bye() {
    let now = Instant::now();
    let mut session = Session::new(now, &config("quiet", now), Random::from_seed(1));
    assert_eq!(session.bye(now, &mut [0; 500]), 0);
    assert_eq!(session.poll_timeout(), None);
}

/// Waits for the first report, which reconsideration may have put off.
fn first_report(session: &mut Session, room: &mut [u8]) -> (Instant, usize) {
    loop {
        let due = session.poll_timeout().unwrap();
        session.handle_timeout(due);
        if let Some(length) = session.write_rtcp(due, room) {
            return (due, length);
        }
    }
}

#[test]
fn who_only_listens_reports_rr() {
    let now = Instant::now();
    let mut session = Session::new(now, &config("listener", now), Random::from_seed(1));
    let mut room = [0; 500];
    assert_eq!(session.write_rtcp(now, &mut room), None);
    let (due, length) = first_report(&mut session, &mut room);
    let packets = reports_of(&room[..length]);
    let [rtcp::Packet::ReceiverReport(report), rtcp::Packet::SourceDescription(_)] = packets[..]
    else {
        panic!("{packets:?}");
    };
    assert_eq!((report.ssrc(), report.blocks().count()), (session.ssrc(), 0));
    assert!(session.poll_timeout().unwrap() > due);
}

#[test]
fn a_report_for_which_there_is_no_room_is_left_out() {
    let now = Instant::now();
    let mut session = Session::new(now, &config("x", now), Random::from_seed(1));
    for _ in 0..20 {
        let due = session.poll_timeout().unwrap();
        session.handle_timeout(due);
        assert_eq!(session.write_rtcp(due, &mut [0; 10]), None);
        assert!(session.poll_timeout().unwrap() > due);
    }
}

#[test]
fn a_bye_of_the_peer_ends_nothing_but_its_source() {
    let mut call = Call::new();
    call.run(100, |_| false);
    let mut room = [0; 500];
    let bye = CompoundWriter::report(&mut room, call.alice.ssrc(), None, &[]).unwrap();
    let length = bye.goodbye(call.alice.ssrc(), "forged").unwrap().written();
    call.bob.receive_rtcp(call.now, &room[..length]).unwrap();
    let before = call.heard.len();
    call.run(100, |_| false);
    assert_eq!(call.heard[before..].len(), 100);
    assert!(call.heard[before..].iter().all(Option::is_some));
    assert!(call.bob.poll_timeout().is_some());
}

#[test]
fn after_a_true_bye_the_playout_is_silent_without_concealment() {
    let mut call = Call::new();
    call.run(100, |_| false);
    let mut room = [0; 500];
    let length = call.alice.bye(call.now, &mut room);
    call.fly(true, true, &room[..length]);
    call.now += call.delay;
    call.deliver();
    let mut taken = vec![];
    for _ in 0..10 {
        call.now += FRAME;
        taken.push(match call.bob.take(call.now) {
            Taken::Frame { .. } => 'f',
            Taken::Missing => 'm',
            Taken::Empty => '.',
        });
    }
    let taken: String = taken.into_iter().collect();
    assert!(taken.starts_with('f') && taken.trim_start_matches('f').trim_matches('.').is_empty());
}

/// An RTP packet of a stranger.
fn packet(ssrc: u32, payload_type: u8, sequence: u16) -> Vec<u8> {
    let mut room = vec![0; 172];
    let timestamp = u32::from(sequence) * 160;
    Header::new(payload_type, sequence, timestamp, ssrc)
        .write(&mut Writer::new(&mut room))
        .unwrap();
    room
}

#[test]
fn what_is_dropped_is_counted_by_reason() {
    let mut call = Call::new();
    call.run(50, |_| false);
    let now = call.now;
    let bob = &mut call.bob;
    assert!(matches!(bob.receive_rtp(now, &[0x80, 0]), Err(Dropped::Malformed(_))));
    assert!(matches!(bob.receive_rtcp(now, &[0x80, 200]), Err(Dropped::MalformedRtcp(_))));
    assert_eq!(bob.receive_rtp(now, &packet(9, 96, 0)), Err(Dropped::PayloadType(96)));
    assert_eq!(bob.receive_rtp(now, &packet(9, 0, 0)), Err(Dropped::Probation));
    assert_eq!(bob.receive_rtp(now, &packet(9, 0, 1)), Err(Dropped::NotPlaying));
    assert_eq!(bob.receive_rtp(now, &packet(9, 0, 40_000)), Err(Dropped::BadSequence));
    let drops = bob.statistics(now).drops;
    let wanted = Drops {
        malformed: 1,
        malformed_rtcp: 1,
        payload_type: 1,
        probation: 1,
        not_playing: 1,
        bad_sequence: 1,
        ..Drops::default()
    };
    assert_eq!(drops, wanted);
    bob.set_receive_payload_types(&[96, 200]);
    assert_eq!(bob.receive_rtp(now, &packet(9, 0, 2)), Err(Dropped::PayloadType(0)));
    assert_eq!(bob.receive_rtp(now, &packet(9, 96, 2)), Err(Dropped::NotPlaying));
}

#[test]
fn every_truncation_of_a_packet_or_report_is_refused_or_harmless() {
    let mut call = Call::new();
    call.run(50, |_| false);
    let mut room = [0; 500];
    let now = call.now;
    let length = call.alice.send(now, 160, &mut room, |_| 160).unwrap();
    for cut in 0..length {
        let taken = call.bob.receive_rtp(now, &room[..cut]);
        match cut {
            0..12 => assert!(matches!(taken, Err(Dropped::Malformed(_))), "{cut}"),
            12 => assert_eq!(taken, Ok(())),
            _ => assert_eq!(taken, Err(Dropped::Duplicate)),
        }
    }
    let length = call.alice.bye(now, &mut room);
    // The compound is an SR with one block (52), SDES (16) and BYE (8).
    assert_eq!(length, 76);
    for cut in 0..length {
        assert_eq!(call.bob.receive_rtcp(now, &room[..cut]).is_ok(), [52, 68].contains(&cut));
    }
}

#[test]
fn a_single_stray_packet_before_the_call_is_not_heard() {
    let mut call = Call::new();
    call.bob.receive_rtp(call.now, &packet(9, 0, 0)).unwrap();
    assert_eq!(call.bob.take(call.now + Duration::from_millis(200)), Taken::Empty);
    call.run(100, |_| false);
    assert_eq!(call.heard[0], Some(0));
    assert_eq!(call.bob.remote_ssrc(), Some(call.alice.ssrc()));
}

#[test]
fn a_stranger_with_our_ssrc_makes_us_take_another_once() {
    let mut call = Call::new();
    call.run(500, |_| false);
    let (old, now) = (call.alice.ssrc(), call.now);
    assert_eq!(call.alice.receive_rtp(now, &packet(old, 0, 5)), Err(Dropped::OwnSsrc));
    let new = call.alice.ssrc();
    assert_ne!(new, old);
    assert!(call.alice.poll_timeout().unwrap() <= now);
    let mut room = [0; 500];
    let length = call.alice.write_rtcp(now, &mut room).unwrap();
    let packets = reports_of(&room[..length]);
    let [
        rtcp::Packet::ReceiverReport(report),
        rtcp::Packet::SourceDescription(_),
        rtcp::Packet::Goodbye(goodbye),
    ] = &packets[..]
    else {
        panic!("{packets:?}")
    };
    assert_eq!((report.ssrc(), report.blocks().count()), (old, 0));
    assert_eq!(goodbye.sources().collect::<Vec<_>>(), [old]);
    assert!(call.alice.poll_timeout().unwrap() > now);
    assert_eq!(call.alice.receive_rtp(now, &packet(new, 0, 5)), Err(Dropped::OwnSsrc));
    assert_eq!(call.alice.ssrc(), new);
}

#[test]
fn a_report_with_our_ssrc_is_a_collision_only_under_another_name() {
    let mut call = Call::new();
    call.run(50, |_| false);
    let (own, now) = (call.alice.ssrc(), call.now);
    let report = |name: &str| {
        let mut room = [0; 100];
        let item = Item { item_type: Item::CNAME, text: name.as_bytes() };
        let report = CompoundWriter::report(&mut room, own, None, &[]).unwrap();
        let length = report.description(own, &item).unwrap().written();
        room[..length].to_vec()
    };
    assert_eq!(call.alice.receive_rtcp(now, &report("alice")), Err(Dropped::OwnSsrc));
    assert_eq!(call.alice.ssrc(), own);
    assert_eq!(call.alice.receive_rtcp(now, &report("mallory")), Err(Dropped::OwnSsrc));
    assert_ne!(call.alice.ssrc(), own);
}

#[test]
fn an_echo_of_our_own_packets_is_heard_only_when_asked_for() {
    for plays_own in [false, true] {
        let start = Instant::now();
        let config = SessionConfig { plays_own, ..config("alice", start) };
        let mut session = Session::new(start, &config, Random::from_seed(1));
        let ssrc = session.ssrc();
        let mut frames = 0;
        for n in 0..50 {
            let now = start + FRAME * n;
            let mut room = [0; 200];
            let length = session.send(now, 160, &mut room, |_| 160).unwrap();
            assert_eq!(session.receive_rtp(now, &room[..length]).is_ok(), plays_own);
            frames += u32::from(matches!(session.take(now), Taken::Frame { .. }));
        }
        assert_eq!((frames > 40, session.ssrc()), (plays_own, ssrc));
    }
}

#[test]
fn a_made_up_time_in_a_report_gives_no_round_trip() {
    let mut call = Call::new();
    call.run(50, |_| false);
    let block = ReportBlock {
        ssrc: call.alice.ssrc(),
        fraction_lost: 64,
        cumulative_lost: 3,
        highest_sequence: 0,
        jitter: 80,
        last_sr: 0x1234_5678,
        delay_since_last_sr: 0,
    };
    let mut room = [0; 100];
    let length = CompoundWriter::report(&mut room, 9, None, &[block]).unwrap().written();
    call.alice.receive_rtcp(call.now, &room[..length]).unwrap();
    let statistics = call.alice.statistics(call.now);
    assert_eq!(statistics.round_trip, None);
    let remote = statistics.remote.unwrap();
    assert_eq!((remote.fraction_lost, remote.lost, remote.jitter), (0.25, 3, 10.0));
}

#[test]
fn in_a_large_session_the_bye_waits_for_its_turn() {
    let now = Instant::now();
    let mut session = Session::new(now, &config("one of many", now), Random::from_seed(1));
    let mut room = [0; 500];
    session.send(now, 160, &mut room, |_| 160).unwrap();
    for ssrc in 0..60 {
        let length = CompoundWriter::report(&mut room, ssrc, None, &[]).unwrap().written();
        session.receive_rtcp(now, &room[..length]).unwrap();
    }
    assert_eq!(session.bye(now, &mut room), 0);
    for ssrc in 0..55 {
        let bye = CompoundWriter::report(&mut room, ssrc, None, &[]).unwrap();
        let length = bye.goodbye(ssrc, "").unwrap().written();
        session.receive_rtcp(now, &room[..length]).unwrap();
    }
    let mut written = None;
    let mut turns = 0;
    while let Some(due) = session.poll_timeout() {
        session.handle_timeout(due);
        written = session.write_rtcp(due, &mut room).map(|length| (due, length));
        turns += 1;
        assert!(turns < 100);
    }
    let (due, length) = written.unwrap();
    assert!(matches!(reports_of(&room[..length]).last(), Some(rtcp::Packet::Goodbye(_))));
    // 55 others say BYE in 75 % of 500 octets a second, which takes them some 15 s.
    assert!(due - now > Duration::from_secs(5), "{:?}", due - now);
}

#[test]
fn contributing_sources_count_as_members() {
    let now = Instant::now();
    let mut session = Session::new(now, &config("a", now), Random::from_seed(1));
    let mut room = [0; 500];
    session.send(now, 160, &mut room, |_| 160).unwrap();
    for sequence in 0..5u16 {
        let csrcs: Vec<_> = (0..15).map(|n| u32::from(sequence) * 15 + n).collect();
        let header = Header::new(0, sequence, 160 * u32::from(sequence), 99);
        let mut writer = Writer::new(&mut room);
        header.with_csrcs(&csrcs).unwrap().write(&mut writer).unwrap();
        let length = writer.written();
        session.receive_rtp(now, &room[..length]).unwrap();
    }
    // More than 50 members: the BYE has to wait.
    assert_eq!(session.bye(now, &mut room), 0);
    assert!(session.poll_timeout().unwrap() > now);
}

#[test]
fn members_that_fall_silent_are_forgotten() {
    let now = Instant::now();
    let mut session = Session::new(now, &config("a", now), Random::from_seed(1));
    let mut room = [0; 500];
    session.send(now, 160, &mut room, |_| 160).unwrap();
    for ssrc in 0..60 {
        let length = CompoundWriter::report(&mut room, ssrc, None, &[]).unwrap().written();
        session.receive_rtcp(now, &room[..length]).unwrap();
    }
    while let Some(due) = session.poll_timeout().filter(|due| *due < now + Duration::from_secs(90))
    {
        session.handle_timeout(due);
        session.write_rtcp(due, &mut room);
    }
    // Nobody else is left, so that the BYE goes out at once.
    assert!(session.bye(now + Duration::from_secs(90), &mut room) > 0);
}

#[test]
fn a_name_longer_than_its_field_is_cut_at_a_character() {
    let now = Instant::now();
    let name = "ä".repeat(200);
    let mut session = Session::new(now, &config(&name, now), Random::from_seed(1));
    let mut room = [0; 500];
    session.send(now, 160, &mut room, |_| 160).unwrap();
    let length = session.bye(now, &mut room);
    let packets = reports_of(&room[..length]);
    let rtcp::Packet::SourceDescription(description) = packets[1] else { panic!("{packets:?}") };
    assert_eq!(description.cname(session.ssrc()), Some("ä".repeat(127).as_bytes()));
}
