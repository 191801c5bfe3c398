//! Where a message goes whose connection is gone (RFC 3261 §18.1.1, §18.2.2, RFC 3263 §5).

use std::net::IpAddr;

use offhook_sansio::{Flow, Protocol, Transmit};
use offhook_sip::{NextHop, Target};
use offhook_sip_message::{Host, Message, Route, Via};

use super::Driver;

/// Where a message is to go.
pub(super) enum Way {
    Target(Target),
    Hop(NextHop),
}

impl Driver {
    /// Where the messages of a lost connection go.
    pub(super) fn way_of(&self, transmit: &Transmit) -> Option<Way> {
        let lost = self.pool.lost(transmit.flow);
        // A WebSocket client cannot be connected to (RFC 7118 §5).
        let websocket = matches!(transmit.flow.protocol, Protocol::Ws | Protocol::Wss);
        let message = Message::parse(transmit.payload.clone()).ok()?;
        match (message, lost) {
            (Message::Response(_), _) if websocket => None,
            (Message::Response(response), _) => {
                let via = response.header::<Via>().ok()??;
                way_back(&via, transmit.flow)
            }
            (Message::Request(_), Some(Some(target))) => Some(Way::Target(target.clone())),
            (Message::Request(_), _) if websocket => None,
            (Message::Request(request), Some(None)) => {
                let route = request.headers_of::<Route>().flatten().next();
                let uri = route.map(|route| route.address.uri);
                let uri = uri.or_else(|| request.uri().ok())?;
                NextHop::of_uri(&uri).ok().map(Way::Hop)
            }
            (Message::Request(_), None) => Some(Way::Target(address(transmit.flow))),
        }
    }
}

/// The way of a response whose connection is gone: to the address that the request came from, and
/// the port of the sent-by (RFC 3261 §18.2.2).
fn way_back(via: &Via, flow: Flow) -> Option<Way> {
    let Some(ip) = via.received().or_else(|| via.host.ip()) else {
        return NextHop::of_via(via).ok().map(Way::Hop);
    };
    let port = via.port.unwrap_or(if flow.protocol == Protocol::Tls { 5061 } else { 5060 });
    let (protocol, domain) = (flow.protocol, via.host.clone());
    Some(Way::Target(Target { protocol, address: (ip, port).into(), domain }))
}

/// The target that an address alone makes: over TLS its certificate has to show the address.
fn address(flow: Flow) -> Target {
    let domain = match flow.remote.ip() {
        IpAddr::V4(ip) => Host::V4(ip),
        IpAddr::V6(ip) => Host::V6(ip),
    };
    Target { protocol: flow.protocol, address: flow.remote, domain }
}
