//! The way back: where a server sends its responses (RFC 3261 §18.2.2, RFC 3581 §4).

use std::net::{IpAddr, SocketAddr};

use offhook_sansio::Flow;
use offhook_sip_message::Via;

use super::default_port;

/// Where the responses to one request go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReplyPath {
    pub(crate) flow: Flow,
}

impl ReplyPath {
    /// The path of the responses to a request with `via` on top that came on `flow`.
    ///
    /// They leave from the socket the request came to, as RFC 3581 §4 wants it for NATs.
    pub(crate) fn of(via: &Via, flow: Flow) -> Self {
        if flow.protocol.is_reliable() {
            return Self { flow };
        }
        let port = via.port.unwrap_or(default_port(flow.protocol));
        let remote = match maddr(via) {
            Some(maddr) => SocketAddr::new(maddr, port),
            None if via.has_rport() => flow.remote,
            None => SocketAddr::new(flow.remote.ip(), port),
        };
        Self { flow: Flow { remote, ..flow } }
    }
}

/// A unicast address to answer to instead of the source; a name or a group is not followed.
fn maddr(via: &Via) -> Option<IpAddr> {
    let maddr: IpAddr = via.maddr()?.trim_matches(['[', ']']).parse().ok()?;
    (!maddr.is_multicast() && !maddr.is_unspecified()).then_some(maddr)
}
