//! A made-up call, from its packets to its ladder, capture file and page.
//!
//! The files stay in the temporary folder of the build, so that a person can look at them.
#![cfg(test)]

use std::{
    f64::consts::TAU,
    fs,
    net::SocketAddr,
    path::Path,
    time::{Duration, UNIX_EPOCH},
};

use offhook_sansio::{Flow, Random};
use offhook_trace::{
    Direction, Figures, PartyId, PartyReport, QualityRow, Recording, Report, ladder, pcap,
    quality_table,
};

const RATE: u32 = 8000;

struct Call {
    recording: Recording,
    parties: [PartyId; 2],
    sip: [SocketAddr; 2],
    rtp: [SocketAddr; 2],
}

impl Call {
    fn new() -> Self {
        let mut recording = Recording::new();
        let parties = ["Alice", "Bob"].map(|name| recording.party(name));
        let addresses = |port| [1, 2].map(|host| SocketAddr::from(([10, 77, 0, host], port)));
        Self { recording, parties, sip: addresses(5060), rtp: addresses(40_000) }
    }

    /// A packet from one of the two to the other, at `at` milliseconds.
    fn carry(
        &mut self,
        at: u64,
        from: usize,
        took: Option<u64>,
        ends: [SocketAddr; 2],
        bytes: &[u8],
    ) {
        let to = 1 - from;
        let (sent, received) = (Flow::udp(ends[from], ends[to]), Flow::udp(ends[to], ends[from]));
        let ms = Duration::from_millis;
        self.recording.packet(ms(at), self.parties[from], Direction::Sent, sent, bytes);
        if let Some(took) = took {
            self.recording.packet(
                ms(at + took),
                self.parties[to],
                Direction::Received,
                received,
                bytes,
            );
        }
    }

    fn message(
        &mut self,
        at: u64,
        from: usize,
        took: Option<u64>,
        start: &str,
        cseq: &str,
        sdp: bool,
    ) {
        let body = if sdp { self.session_description(from) } else { String::new() };
        let content_type = if sdp { "Content-Type: application/sdp\r\n" } else { "" };
        let branch = cseq.replace(' ', "");
        let text = format!(
            "{start}\r\nVia: SIP/2.0/UDP 10.77.0.1:5060;branch=z9hG4bK{branch}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:alice@10.77.0.1>;tag=a\r\n\
             To: <sip:bob@10.77.0.2>;tag=b\r\nCall-ID: sample@10.77.0.1\r\nCSeq: {cseq}\r\n\
             Contact: <sip:{}>\r\n{content_type}Content-Length: {}\r\n\r\n{body}",
            self.sip[from],
            body.len(),
        );
        self.carry(at, from, took, self.sip, text.as_bytes());
    }

    fn session_description(&self, from: usize) -> String {
        let rtp = self.rtp[from];
        format!(
            "v=0\r\no=- 1 1 IN IP4 {0}\r\ns=-\r\nc=IN IP4 {0}\r\nt=0 0\r\nm=audio {1} RTP/AVP 0\r\n\
             a=rtpmap:0 PCMU/8000\r\n",
            rtp.ip(),
            rtp.port(),
        )
    }

    fn media(
        &mut self,
        from: usize,
        milliseconds: std::ops::Range<u64>,
        lost: &mut dyn FnMut() -> bool,
    ) {
        for (sequence, at) in (0_u16..).zip(milliseconds.step_by(20)) {
            let mut packet = vec![0x80, 0];
            packet.extend(sequence.to_be_bytes());
            packet.extend((u32::from(sequence) * 160).to_be_bytes());
            packet.extend([7, 7, 7, from as u8]);
            packet.extend([0xFF; 160]);
            let took = (!lost()).then_some(30);
            self.carry(at, from, took, self.rtp, &packet);
        }
    }
}

fn sample() -> Recording {
    let mut random = Random::from_seed(3);
    let mut call = Call::new();
    let invite = "INVITE sip:bob@10.77.0.2 SIP/2.0";
    call.message(0, 0, None, invite, "1 INVITE", true);
    call.message(500, 0, Some(31), invite, "1 INVITE", true);
    call.message(533, 1, Some(30), "SIP/2.0 100 Trying", "1 INVITE", false);
    call.message(540, 1, Some(30), "SIP/2.0 180 Ringing", "1 INVITE", false);
    call.message(2100, 1, None, "SIP/2.0 200 OK", "1 INVITE", true);
    call.message(2600, 1, Some(30), "SIP/2.0 200 OK", "1 INVITE", true);
    call.message(2631, 0, Some(31), "ACK sip:bob@10.77.0.2:5060 SIP/2.0", "1 ACK", false);
    call.media(0, 2640..18_000, &mut || random.unit() < 0.01);
    call.media(1, 2670..18_000, &mut || random.unit() < 0.04);
    call.message(18_010, 1, Some(30), "BYE sip:alice@10.77.0.1:5060 SIP/2.0", "7 BYE", false);
    call.message(18_045, 0, Some(30), "SIP/2.0 200 OK", "7 BYE", false);
    call.recording
}

/// Something with the outline of speech: syllables, pauses, a voice between them.
fn voice(pitch: f64, phase: f64, seconds: f64) -> Vec<i16> {
    let samples = (seconds * f64::from(RATE)) as u32;
    let sample = |index| {
        let time = f64::from(index) / f64::from(RATE);
        let syllable = (TAU * 1.9 * time).sin().max(0.0).powi(2) * (0.6 + 0.4 * (3.1 * time).sin());
        let turn = if (((time + phase) / 3.2) as u32).is_multiple_of(2) { 1.0 } else { 0.02 };
        let voice = (TAU * pitch * time).sin() + 0.5 * (TAU * 2.7 * pitch * time).sin();
        (7000.0 * turn * syllable * voice) as i16
    };
    (0..samples).map(sample).collect()
}

fn heard(said: &[i16], breaks: &[std::ops::Range<Duration>], start: Duration) -> Vec<i16> {
    let mut heard = vec![0; 480];
    heard.extend(said);
    heard.truncate(said.len());
    for range in breaks {
        let index = |at: Duration| ((at - start).as_secs_f64() * f64::from(RATE)) as usize;
        heard[index(range.start)..index(range.end)].fill(0);
    }
    heard
}

fn quality(direction: &str, lost: i64, r_factor: f64, mos: f64) -> Option<QualityRow> {
    Some(QualityRow {
        direction: direction.to_owned(),
        packets: (768 - lost) as u64,
        lost,
        late: 3,
        jitter_ms: 4.21,
        round_trip_ms: Some(61.0),
        r_factor,
        mos,
    })
}

fn series(worst: f64, phase: f64) -> Vec<(Duration, Figures)> {
    let figures = |second: u32| {
        let wave = (f64::from(second) * 0.7 + phase).sin().max(0.0);
        Figures {
            jitter_ms: 2.0 + worst * 2.5 * wave,
            loss_percent: worst * wave,
            mos: 4.4 - worst * 0.22 * wave,
            round_trip_ms: (second > 5).then_some(60.0 + 4.0 * wave),
        }
    };
    (3..18).map(|second| (Duration::from_secs(second.into()), figures(second))).collect()
}

fn report() -> Report {
    let start = Duration::from_millis(2640);
    let seconds = |from: f64, to: f64| Duration::from_secs_f64(from)..Duration::from_secs_f64(to);
    let (alice, bob) = (voice(190.0, 0.0, 15.4), voice(110.0, 3.2, 15.4));
    let breaks =
        vec![seconds(6.5, 6.6), seconds(7.1, 7.32), seconds(12.9, 13.0), seconds(13.3, 13.4)];
    let alice_heard = heard(&bob, &breaks, start);
    let bob_heard = heard(&alice, &[], start);
    let party = |name: &str, said, heard| PartyReport {
        name: name.to_owned(),
        said,
        heard,
        sample_rate: RATE,
        sound_start: start,
        ..PartyReport::default()
    };
    Report {
        title: "Alice calls Bob".to_owned(),
        duration: Some(Duration::from_millis(15_410)),
        codec: Some("PCMU".to_owned()),
        recording: sample(),
        parties: vec![
            PartyReport {
                breaks,
                quality: quality("Bob → Alice", 31, 74.0, 3.79),
                series: series(6.0, 0.0),
                ..party("Alice", alice, alice_heard)
            },
            PartyReport {
                quality: quality("Alice → Bob", 8, 88.1, 4.28),
                series: series(1.5, 2.0),
                ..party("Bob", bob, bob_heard)
            },
        ],
    }
}

fn keep(name: &str, bytes: &[u8]) {
    fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name), bytes).unwrap();
}

#[test]
fn the_page_is_complete_in_itself_and_small() {
    let html = report().html();
    keep("report.html", html.as_bytes());
    assert!(html.len() < 200_000, "{} bytes", html.len());
    for part in ["Alice calls Bob", "Fair sound", "15.4 s", "3.79", "Bob → Alice", "INVITE (1)"] {
        assert!(html.contains(part), "{part}");
    }
    for foreign in ["<script", "src=", "href=", "@import", "url("] {
        assert!(!html.contains(foreign), "{foreign}");
    }
    assert_eq!(html.matches("class='wave ").count(), 4);
    let breaks = html.split("class='break'").skip(1).map(|rest| rest.split("/>").next().unwrap());
    assert_eq!(breaks.map(|path| path.matches('M').count()).collect::<Vec<_>>(), [0, 0, 0, 4]);
}

#[test]
fn the_capture_holds_what_a_party_sent_and_received() {
    let recording = sample();
    for (party, name) in recording.parties() {
        let mut file = Vec::new();
        let written = pcap::write(
            &recording,
            party,
            UNIX_EPOCH + Duration::from_secs(1_800_000_000),
            &mut file,
        );
        let packets = recording.packets().iter().filter(|packet| packet.party == party).count();
        assert_eq!(written.unwrap(), pcap::Written { packets: packets as u64, left_out: 0 });
        keep(&format!("{name}.pcap"), &file);
    }
}

#[test]
fn the_ladder_tells_the_call() {
    let text = ladder::text(&sample());
    keep("ladder.txt", text.as_bytes());
    keep("ladder.svg", ladder::svg(&sample()).as_bytes());
    let line = |number: usize| text.lines().nth(number).unwrap();
    assert!(line(2).contains("INVITE (1) + SDP") && line(2).ends_with("✗     │  lost"), "{text}");
    assert!(line(3).contains("INVITE (1) + SDP") && line(3).ends_with("▶│  again"), "{text}");
    assert!(line(4).contains("◀") && line(4).contains("100 Trying (1 INVITE)"), "{text}");
    assert!(line(9).contains("═ RTP PCMU · 768 packets · 15.3 s ═"), "{text}");
    assert_eq!(text.lines().count(), 13, "{text}");
    println!(
        "{text}\n{}",
        quality_table(
            &report().parties.into_iter().filter_map(|party| party.quality).collect::<Vec<_>>()
        )
    );
}
