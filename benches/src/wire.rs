//! Two legs and what carries packets between them, with buffers as a socket driver has them.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::{Duration, Instant, SystemTime},
};

use bytes::BytesMut;
use offhook_media::{Error, Leg, Settings};
use offhook_rtp::Wallclock;
use offhook_sansio::{Datagram, Flow, Machine, Random, Transmit};
use offhook_sdp::{Codec, Direction, NegotiatedMedia};

/// The time of one frame.
pub const FRAME: Duration = Duration::from_millis(20);

/// A leg of host 1 or 2 that talks µ-law to the other one.
///
/// # Errors
/// Never with G.711.
pub fn leg(now: Instant, host: u8) -> Result<Leg, Error> {
    let negotiated = NegotiatedMedia {
        codec: Codec::pcmu(),
        send_payload_type: 0,
        receive_payload_type: 0,
        direction: Direction::SendRecv,
        remote_rtp: address(3u8.saturating_sub(host)),
        remote_rtcp: address(3u8.saturating_sub(host)),
        rtcp_mux: true,
        ptime: FRAME,
        reasons: Vec::new(),
    };
    let wallclock = Wallclock::new(now, SystemTime::UNIX_EPOCH);
    let settings = Settings::new(negotiated, address(host), address(host), wallclock);
    Leg::new(now, settings, Random::from_seed(host.into()))
}

/// One frame of something to hear.
pub fn tone() -> [i16; 160] {
    let wave = |n: usize| ((n as f32 * 0.345).sin() * 9_000.0) as i16;
    std::array::from_fn(wave)
}

/// Carries packets from one leg to another. Like a socket driver it reads into long-lived memory.
#[derive(Debug, Default)]
pub struct Wire {
    buffer: BytesMut,
}

impl Wire {
    /// Delivers all that `from` has to send, and returns how many packets that were.
    pub fn carry(&mut self, now: Instant, from: &mut Leg, to: &mut Leg) -> usize {
        let mut packets = 0usize;
        while let Some(transmit) = from.poll_transmit() {
            to.receive(now, self.datagram(&transmit));
            while to.poll_event().is_some() {}
            packets = packets.saturating_add(1);
        }
        packets
    }

    /// The datagram as its receiver sees it, in memory of its own.
    pub fn datagram(&mut self, transmit: &Transmit) -> Datagram {
        let Transmit { flow, payload } = transmit;
        self.buffer.reserve(LARGEST);
        self.buffer.extend_from_slice(payload);
        let flow = Flow::udp(flow.remote, flow.local);
        Datagram { flow, payload: self.buffer.split() }
    }
}

const fn address(host: u8) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, host)), 4000)
}

/// What one read may bring: an Ethernet frame's datagram.
const LARGEST: usize = 1500;
