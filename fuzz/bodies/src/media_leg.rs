//! A whole leg under any datagrams and any passing of time.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::{Duration, Instant, SystemTime},
};

use offhook_media::{Heard, Leg, Settings};
use offhook_rtp::{Header, Packet, Wallclock, is_rtcp, rtcp::Compound};
use offhook_sansio::{Datagram, Flow, Machine, Random, Transmit, Writer};
use offhook_sdp::{Codec, Direction, NegotiatedMedia};

use crate::{Promised, Script};

/// Runs the input as a list of operations on one leg.
pub fn media_leg(data: &[u8]) {
    let mut script = Script::new(data);
    let mut call = Call::new(&mut script);
    while !script.is_over() {
        match script.u8() % 8 {
            0 => call.receive_next(&mut script),
            1 => call.receive_any(&mut script),
            2 => call.receive_report(&mut script),
            3 => call.send(),
            4 => call.play(),
            5 => call.sleep(Duration::from_millis(u64::from(script.u16()))),
            6 => call.renegotiate(&mut script),
            _ => call.sleep_until_due(),
        }
        call.drain();
    }
    call.end();
}

struct Call {
    leg: Leg,
    now: Instant,
    sequence: u16,
    timestamp: u32,
    frame: Vec<i16>,
}

impl Call {
    fn new(script: &mut Script<'_>) -> Self {
        let now = Instant::now();
        let negotiated = negotiated(script.u8());
        let wallclock = Wallclock::new(now, SystemTime::UNIX_EPOCH);
        let settings = Settings::new(negotiated, LOCAL_RTP, LOCAL_RTCP, wallclock);
        let leg = Leg::new(now, settings, Random::from_seed(1)).promised("G.711 is there");
        let frame = vec![0; leg.frame()];
        Self { leg, now, sequence: script.u16(), timestamp: script.u32(), frame }
    }

    /// An RTP packet that follows the one before, more or less.
    fn receive_next(&mut self, script: &mut Script<'_>) {
        let step = script.u8();
        self.sequence = self.sequence.wrapping_add(u16::from(step % 4));
        self.timestamp = self.timestamp.wrapping_add(u32::from(step / 4).saturating_mul(16));
        let source = script.u8();
        let header = Header::new(source & 8, self.sequence, self.timestamp, u32::from(source & 7));
        let mut bytes = vec![0; 12];
        header.write(&mut Writer::new(&mut bytes)).promised("a header has 12 octets");
        let payload = usize::from(script.u8()).saturating_mul(4);
        bytes.resize(payload.saturating_add(12), source);
        self.receive(RTP, &bytes);
    }

    fn receive_any(&mut self, script: &mut Script<'_>) {
        let flow = match script.u8() % 4 {
            0 => RTP,
            1 => Flow::udp(LOCAL_RTCP, address(2, 5001)),
            2 => Flow::udp(LOCAL_RTP, address(2, script.u16())),
            _ => Flow::udp(LOCAL_RTP, address(3, 5000)),
        };
        let length = usize::from(script.u8()).saturating_mul(4);
        self.receive(flow, script.take(length));
    }

    /// A compound packet of one report, whose fields the input gives, and of any packets after it.
    fn receive_report(&mut self, script: &mut Script<'_>) {
        let sender = script.u8() & 1 == 0;
        let (packet_type, words) = if sender { (200, 12) } else { (201, 7) };
        let mut bytes = vec![0x81, packet_type, 0, words];
        bytes.extend_from_slice(script.take(usize::from(words).saturating_mul(4)));
        bytes.resize(usize::from(words).saturating_add(1).saturating_mul(4), 0);
        let length = usize::from(script.u8() % 16).saturating_mul(4);
        bytes.extend_from_slice(script.take(length));
        self.receive(Flow::udp(LOCAL_RTCP, address(2, 5001)), &bytes);
        self.receive(RTP, &bytes);
    }

    fn receive(&mut self, flow: Flow, payload: &[u8]) {
        self.leg.receive(self.now, Datagram { flow, payload: payload.into() });
    }

    fn send(&mut self) {
        self.leg.send_audio(self.now, &self.frame).promised("a frame of the right length is sent");
    }

    fn play(&mut self) {
        let heard = self.leg.play_audio(self.now, &mut self.frame);
        match heard.promised("a frame of the right length is filled") {
            Heard::Speech | Heard::Concealed | Heard::Silence => {}
        }
    }

    fn sleep(&mut self, time: Duration) {
        self.now += time;
        self.handle_timeout();
    }

    fn sleep_until_due(&mut self) {
        let Some(due) = self.leg.poll_timeout() else { return };
        assert!(due.saturating_duration_since(self.now) < Duration::from_secs(3600 * 24));
        self.now = self.now.max(due);
        self.handle_timeout();
    }

    fn handle_timeout(&mut self) {
        self.leg.handle_timeout(self.now);
        let due = self.leg.poll_timeout();
        assert!(due.is_none_or(|due| due > self.now), "a handled timeout is over");
    }

    fn renegotiate(&mut self, script: &mut Script<'_>) {
        let agreement = negotiated(script.u8());
        let receivable = [agreement.codec.clone()];
        self.leg.renegotiate(&agreement, &receivable).promised("the clock rate stays");
    }

    /// What is sent is well-formed and goes to the peer.
    fn drain(&mut self) {
        let mut sent = 0;
        while let Some(Transmit { flow, payload }) = self.leg.poll_transmit() {
            sent += 1;
            assert!(sent <= 3, "one operation sends few packets");
            assert_eq!(flow.remote.ip(), address(2, 0).ip(), "media goes to the peer only");
            if is_rtcp(&payload) {
                Compound::parse(&payload).promised("our report is read");
            } else {
                Packet::parse(&payload).promised("our packet is read");
            }
        }
        while self.leg.poll_event().is_some() {
            sent += 1;
            assert!(sent <= 5, "one operation reports little");
        }
    }

    fn end(&mut self) {
        let statistics = self.leg.statistics(self.now);
        assert!((0.0..=100.0).contains(&statistics.r_factor), "R is {}", statistics.r_factor);
        assert!((1.0..=4.5).contains(&statistics.mos), "MOS is {}", statistics.mos);
        assert!((0.0..=1.0).contains(&statistics.rtp.fraction_lost), "a share is a share");
        assert!(statistics.rtp.jitter >= 0.0 && statistics.rtp.jitter.is_finite());
        assert!(!statistics.to_string().is_empty());
        self.leg.close(self.now);
        self.drain();
        assert_eq!(self.leg.poll_timeout(), None, "a closed leg wants nothing");
        assert!(self.leg.send_audio(self.now, &self.frame).is_err());
        self.receive(RTP, &[0x80; 40]);
        self.drain();
    }
}

fn negotiated(choice: u8) -> NegotiatedMedia {
    let codec = if choice & 1 == 0 { Codec::pcmu() } else { Codec::pcma() };
    let payload_type = if choice & 1 == 0 { 0 } else { 8 };
    let rtcp_mux = choice & 2 == 0;
    NegotiatedMedia {
        codec,
        send_payload_type: payload_type,
        receive_payload_type: payload_type,
        direction: Direction::new(choice & 4 == 0, choice & 8 == 0),
        remote_rtp: address(2, 5000),
        remote_rtcp: address(2, if rtcp_mux { 5000 } else { 5001 }),
        rtcp_mux,
        ptime: Duration::from_millis(u64::from(choice >> 4).saturating_add(1).saturating_mul(10)),
        reasons: Vec::new(),
    }
}

const LOCAL_RTP: SocketAddr = address(1, 4000);
const LOCAL_RTCP: SocketAddr = address(1, 4001);
const RTP: Flow = Flow::udp(LOCAL_RTP, address(2, 5000));

const fn address(host: u8, port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, host)), port)
}
