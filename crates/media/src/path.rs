//! Where a leg's packets go and where they may come from.
//!
//! The session description names an address, but a peer behind a NAT does not know its own. So the
//! first packet that is valid RTP settles where the far side really is (symmetric RTP, RFC 4961),
//! once, and only among the hosts that the signalling vouches for: the one in the description and
//! the one that the signalling itself comes from. Anybody else could otherwise take the sound over
//! by sending one packet.

use std::net::{IpAddr, SocketAddr};

use offhook_sansio::Flow;
use offhook_sdp::NegotiatedMedia;

/// The two flows of a leg: RTP, and RTCP where it is not multiplexed (RFC 5761).
#[derive(Debug)]
pub(crate) struct Path {
    rtp: Lane,
    rtcp: Lane,
    mux: bool,
    signalling: Option<IpAddr>,
}

/// One of a leg's flows.
#[derive(Debug)]
struct Lane {
    local: SocketAddr,
    /// As the session description says.
    described: SocketAddr,
    /// Where valid packets were seen to come from.
    latched: Option<SocketAddr>,
}

/// What a packet's place says that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Rtp,
    Rtcp,
}

impl Path {
    pub(crate) fn new(
        rtp: SocketAddr,
        rtcp: SocketAddr,
        signalling: Option<IpAddr>,
        negotiated: &NegotiatedMedia,
    ) -> Self {
        Self {
            rtp: Lane::new(rtp, negotiated.remote_rtp),
            rtcp: Lane::new(rtcp, negotiated.remote_rtcp),
            mux: negotiated.rtcp_mux,
            signalling,
        }
    }

    /// Follows a new description. A far side that stays where it was stays latched.
    pub(crate) fn renegotiate(&mut self, negotiated: &NegotiatedMedia) {
        self.rtp.redescribe(negotiated.remote_rtp);
        self.rtcp.redescribe(negotiated.remote_rtcp);
        self.mux = negotiated.rtcp_mux;
    }

    /// Whether a packet of this kind may come on this flow.
    pub(crate) fn admits(&self, flow: Flow, kind: Kind) -> bool {
        let lane = self.lane(kind);
        flow.local == lane.local && lane.admits(flow.remote, self.signalling)
    }

    /// Whether the far side has described this place as its own.
    pub(crate) fn describes(&self, remote: SocketAddr) -> bool {
        [self.rtp.described, self.rtcp.described].contains(&remote)
    }

    /// A valid packet came on an admitted flow: from now on nobody else is heard there. Reports
    /// settle nothing where they share the flow of the sound.
    pub(crate) const fn latch(&mut self, flow: Flow, kind: Kind) {
        match kind {
            Kind::Rtp => self.rtp.latched = Some(flow.remote),
            Kind::Rtcp if !self.mux => self.rtcp.latched = Some(flow.remote),
            Kind::Rtcp => {}
        }
    }

    /// The flow to send on; `None` while the far side describes no address: it holds, and nothing
    /// may be sent to it, wherever it was before (RFC 3264 §8.4).
    pub(crate) fn flow(&self, kind: Kind) -> Option<Flow> {
        let lane = self.lane(kind);
        let held = lane.described.ip().is_unspecified();
        (!held).then(|| Flow::udp(lane.local, lane.latched.unwrap_or(lane.described)))
    }

    fn lane(&self, kind: Kind) -> &Lane {
        match kind {
            Kind::Rtcp if !self.mux => &self.rtcp,
            Kind::Rtp | Kind::Rtcp => &self.rtp,
        }
    }
}

impl Lane {
    const fn new(local: SocketAddr, described: SocketAddr) -> Self {
        Self { local, described, latched: None }
    }

    fn redescribe(&mut self, described: SocketAddr) {
        if self.described != described {
            self.described = described;
            self.latched = None;
        }
    }

    fn admits(&self, remote: SocketAddr, signalling: Option<IpAddr>) -> bool {
        match self.latched {
            Some(latched) => remote == latched,
            None => remote.ip() == self.described.ip() || Some(remote.ip()) == signalling,
        }
    }
}
