//! What offer and answer have agreed on, seen from our side.

use std::{net::SocketAddr, time::Duration};

use super::{
    matching::Match,
    packet_time::packet_time,
    remote::{Remote, shown},
};
use crate::{codec::Codec, description::Direction, error::Error};

/// The settings of one audio stream that both sides agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NegotiatedMedia {
    /// The codec for both directions.
    ///
    /// The format parameters are those that the peer asks for. The payload type is the one that
    /// we receive with.
    pub codec: Codec,
    /// The payload type that the peer wants in the packets it receives.
    pub send_payload_type: u8,
    /// The payload type that we announced for the packets we receive.
    pub receive_payload_type: u8,
    /// Which way media flows, from our point of view.
    pub direction: Direction,
    /// Where to send RTP.
    ///
    /// An unspecified address (`0.0.0.0`) is the hold of RFC 2543: neither RTP nor RTCP may be
    /// sent to the peer (RFC 3264 §8.4). The direction then does not send.
    pub remote_rtp: SocketAddr,
    /// Where to send RTCP: equal to `remote_rtp` with `rtcp_mux`.
    pub remote_rtcp: SocketAddr,
    /// Whether RTP and RTCP share one port.
    pub rtcp_mux: bool,
    /// How much media a packet holds that we send.
    pub ptime: Duration,
    /// Why it came out so, in sentences for people.
    pub reasons: Vec<String>,
}

/// Our side of the stream that the agreement is made from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) direction: Direction,
    pub(super) ptime: Duration,
    pub(super) rtcp_mux: bool,
}

/// Combines the peer's stream with our terms.
pub(super) fn agree(
    remote: &Remote,
    matched: &Match,
    ours: Terms,
) -> Result<NegotiatedMedia, Error> {
    let mut reasons = remote.notes.clone();
    reasons.push(format!("{} is the peer's first codec that we have", shown(&matched.codec)));
    let ptime = packet_time(remote, matched.codec.clock_rate, ours.ptime, &mut reasons);
    let rtcp_mux = ours.rtcp_mux && remote.rtcp_mux;
    let remote_rtcp = if rtcp_mux { remote.rtp } else { remote.rtcp()? };
    reasons.push(why_rtcp(ours.rtcp_mux, remote.rtcp_mux).to_owned());
    let direction = ours.direction.within(remote.direction.reversed());
    if direction != ours.direction {
        reasons.push(format!("{direction} here, for the peer wants {}", remote.direction));
    }
    Ok(NegotiatedMedia {
        codec: matched.codec.clone(),
        send_payload_type: matched.send,
        receive_payload_type: matched.receive,
        direction,
        remote_rtp: remote.rtp,
        remote_rtcp,
        rtcp_mux,
        ptime,
        reasons,
    })
}

const fn why_rtcp(ours: bool, theirs: bool) -> &'static str {
    match (ours, theirs) {
        (true, true) => "RTP and RTCP share one port: both sides want it",
        (true, false) => "RTCP has its own port: the peer did not ask for rtcp-mux",
        (false, _) => "RTCP has its own port: rtcp-mux is not wanted here",
    }
}
