//! What a leg is made from.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use offhook_rtp::Wallclock;
use offhook_sdp::{Codec, NegotiatedMedia};

/// The settings of a leg.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What offer and answer agreed on.
    pub negotiated: NegotiatedMedia,
    /// The codecs that the far side may send, each with our payload type for it. An agreement may
    /// leave it the choice among several at any time (RFC 3264 §6.1).
    pub receivable: Vec<Codec>,
    /// The socket for RTP.
    pub rtp: SocketAddr,
    /// The socket for RTCP, used when it is not multiplexed (RFC 5761).
    pub rtcp: SocketAddr,
    /// Where the signalling comes from. Media may come from there too, because a peer behind a
    /// NAT describes an address that nobody can reach.
    pub signalling: Option<IpAddr>,
    /// The canonical name in RTCP (RFC 3550 §6.5.1, RFC 7022). It should tell nobody who we are.
    pub cname: String,
    /// The time of sender reports.
    pub wallclock: Wallclock,
    /// How long packets wait to be played.
    pub delay: PlayoutDelay,
}

impl Settings {
    /// Settings without a second host to hear, and with a canonical name for tests.
    pub fn new(
        negotiated: NegotiatedMedia,
        rtp: SocketAddr,
        rtcp: SocketAddr,
        wallclock: Wallclock,
    ) -> Self {
        let cname = String::from("anonymous");
        let delay = PlayoutDelay::default();
        let receivable = vec![negotiated.codec.clone()];
        Self { negotiated, receivable, rtp, rtcp, signalling: None, cname, wallclock, delay }
    }
}

/// How long received packets wait to be played, so that late ones can still take their place.
///
/// The delay follows the jitter that is measured, between the two bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlayoutDelay {
    /// The delay of the first packet.
    pub initial: Duration,
    /// It becomes no shorter.
    pub min: Duration,
    /// It becomes no longer.
    pub max: Duration,
}

/// 40 ms at first, 20 ms at least, 200 ms at most.
impl Default for PlayoutDelay {
    fn default() -> Self {
        Self {
            initial: Duration::from_millis(40),
            min: Duration::from_millis(20),
            max: Duration::from_millis(200),
        }
    }
}
