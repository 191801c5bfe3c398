//! What an endpoint and a call are told at their start.

use std::{net::SocketAddr, time::Duration};

use offhook_media::PlayoutDelay;
use offhook_sansio::Flow;
use offhook_sdp::{Capabilities, Codec, Direction};
use offhook_sip_message::{ByteString, HeaderName, NameAddr, Uri};

/// The settings of an endpoint.
#[derive(Clone, Debug)]
pub struct Config {
    /// Who this endpoint is: the `From` of its calls (RFC 3261 §8.1.1.3).
    pub identity: NameAddr,
    /// The codecs, frame time and RTCP multiplexing that calls offer and accept, best first.
    pub capabilities: Capabilities,
    /// How long received sound waits to be played.
    pub delay: PlayoutDelay,
    /// The settings of the SIP layer: timers, limits, the `User-Agent` header.
    pub sip: offhook_sip::Config,
}

impl Config {
    /// The defaults, for an endpoint whose address is `identity`.
    pub fn new(identity: Uri) -> Self {
        Self {
            identity: NameAddr { display_name: None, uri: identity },
            capabilities: Capabilities {
                codecs: vec![Codec::pcmu(), Codec::pcma()],
                ptime: FRAME_TIME,
                rtcp_mux: true,
                direction: Direction::SendRecv,
            },
            delay: PlayoutDelay::default(),
            sip: offhook_sip::Config::default(),
        }
    }
}

/// A call to be placed.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Whom to call: the Request-URI and the `To` (RFC 3261 §8.1.1).
    pub target: Uri,
    /// The flow to the next hop. Its remote address is what the target's host resolved to.
    pub flow: Flow,
    /// More header fields for the INVITE.
    pub headers: Vec<(HeaderName, ByteString)>,
}

impl Outgoing {
    /// A call to `target` over `flow`, with no more header fields than it needs.
    pub const fn new(target: Uri, flow: Flow) -> Self {
        Self { target, flow, headers: Vec::new() }
    }
}

/// The sockets of one call's media, as this host and as the peer see them.
///
/// The public addresses differ from the local ones behind a NAT with a fixed mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaSockets {
    /// The address of the RTP socket.
    pub rtp: SocketAddr,
    /// The address of the RTCP socket, used when the peer does not multiplex (RFC 5761).
    pub rtcp: SocketAddr,
    /// Where the peer reaches the RTP socket.
    pub public_rtp: SocketAddr,
    /// Where the peer reaches the RTCP socket.
    pub public_rtcp: SocketAddr,
}

impl MediaSockets {
    /// RTP on `rtp` and RTCP on the port above (RFC 3550 §11), with no NAT in between.
    ///
    /// On port 65535, which has no port above, both share the one socket.
    pub const fn pair(rtp: SocketAddr) -> Self {
        let mut rtcp = rtp;
        rtcp.set_port(rtp.port().saturating_add(1));
        Self { rtp, rtcp, public_rtp: rtp, public_rtcp: rtcp }
    }
}

/// What RFC 3551 §4.2 recommends for a packet of speech.
const FRAME_TIME: Duration = Duration::from_millis(20);
