//! What we bring to a negotiation.

use std::{net::SocketAddr, time::Duration};

use crate::{codec::Codec, description::Direction};

/// What one party can do and wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// The codecs in order of preference.
    ///
    /// The order counts in our offers. An answer takes the first codec of the peer's offer that
    /// is in this list, so that both directions use the same one (RFC 3264 §6.1).
    pub codecs: Vec<Codec>,
    /// How much media a packet should hold: 10 to 200 milliseconds. Outside of that the nearer
    /// bound counts; what is no whole number of RTP clock ticks is cut to a multiple of 10.
    pub ptime: Duration,
    /// Whether RTP and RTCP may share a port (RFC 5761).
    pub rtcp_mux: bool,
    /// Which way media may flow, from our point of view.
    pub direction: Direction,
}

/// Where the peer reaches our media: addresses as they are seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LocalMedia {
    /// For `c=` and `m=`.
    pub rtp: SocketAddr,
    /// For `a=rtcp`, which is written when this is not the port after the RTP port.
    pub rtcp: SocketAddr,
}
