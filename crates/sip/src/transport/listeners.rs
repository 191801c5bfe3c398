//! The sockets that the owner listens on, and the addresses that peers know them by; and what a
//! connection of the owner is known by (RFC 3261 §18.1.1).

use std::net::SocketAddr;

use offhook_sansio::{Flow, Protocol};
use offhook_sip_message::Via;

use super::default_port;

/// The listeners of one user agent: a handful, so a list.
#[derive(Debug, Default)]
pub(crate) struct Listeners(Vec<Listener>);

#[derive(Debug)]
struct Listener {
    protocol: Protocol,
    local: SocketAddr,
    /// What goes into `Via` and `Contact`; behind a 1:1 NAT it differs from `local`.
    public: SocketAddr,
}

impl Listeners {
    /// Adds a listener, or gives a known one another public address.
    pub(crate) fn listen(&mut self, protocol: Protocol, local: SocketAddr, public: SocketAddr) {
        self.0.retain(|known| (known.protocol, known.local) != (protocol, local));
        self.0.push(Listener { protocol, local, public });
    }

    /// The public address of the near end of `flow`; `None` if nothing listens there.
    ///
    /// The near end of a connection is no listener, as a rule. Peers that lose it connect to a
    /// listener of its protocol (§18.2.2). Without one nobody but the far end of this connection
    /// reaches this side, and its own address says as much as any other.
    pub(crate) fn public(&self, flow: Flow) -> Option<SocketAddr> {
        let ours = |known: &&Listener| (known.protocol, known.local) == (flow.protocol, flow.local);
        if let Some(known) = self.0.iter().find(ours) {
            return Some(known.public);
        }
        let like = |known: &&Listener| {
            known.protocol == flow.protocol && known.public.is_ipv4() == flow.local.is_ipv4()
        };
        let near_end = self.0.iter().find(like).map_or(flow.local, |known| known.public);
        flow.protocol.is_reliable().then_some(near_end)
    }

    /// Whether `via`, which came back on `flow`, has a sent-by that this side writes into requests
    /// (RFC 3261 §18.1.2).
    pub(crate) fn sent(&self, via: &Via, flow: Flow) -> bool {
        // This side writes addresses only, never names.
        let Some(ip) = via.host.ip() else { return false };
        let wrote = |protocol: Protocol, public: SocketAddr| {
            via.transport.eq_ignore_ascii_case(protocol.as_str())
                && public == SocketAddr::new(ip, via.port.unwrap_or(default_port(protocol)))
        };
        self.0.iter().any(|known| wrote(known.protocol, known.public))
            || self.public(flow).is_some_and(|public| wrote(flow.protocol, public))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn via(text: &str) -> Via {
        offhook_sip_message::Header::parse(&text.into()).unwrap()
    }

    #[test]
    fn a_sent_by_is_ours_only_with_address_port_and_transport() {
        let mut listeners = Listeners::default();
        let local = "[2001:db8::1]:5060".parse().unwrap();
        listeners.listen(Protocol::Udp, local, local);
        let flow = Flow::udp(local, local);
        assert!(listeners.sent(&via("SIP/2.0/UDP [2001:db8::1]:5060;branch=z9hG4bK1"), flow));
        assert!(listeners.sent(&via("SIP/2.0/udp [2001:DB8:0::1];branch=z9hG4bK1"), flow));
        for foreign in ["UDP [2001:db8::1]:5061", "TCP [2001:db8::1]", "UDP [2001:db8::2]", "UDP h"]
        {
            assert!(!listeners.sent(&via(&format!("SIP/2.0/{foreign}")), flow), "{foreign}");
        }
    }

    #[test]
    fn a_listener_may_get_another_public_address() {
        let mut listeners = Listeners::default();
        let local = ([0, 0, 0, 0], 5060).into();
        let flow = Flow::udp(local, ([192, 0, 2, 2], 5060).into());
        assert_eq!(listeners.public(flow), None);
        listeners.listen(Protocol::Udp, local, ([192, 0, 2, 1], 5060).into());
        listeners.listen(Protocol::Udp, local, ([192, 0, 2, 9], 5060).into());
        assert_eq!(listeners.public(flow), Some(([192, 0, 2, 9], 5060).into()));
    }

    #[test]
    fn a_connection_is_known_by_its_listener_or_by_itself() {
        let mut listeners = Listeners::default();
        let (local, remote) = (([192, 0, 2, 1], 40_000).into(), ([192, 0, 2, 2], 5060).into());
        let flow = Flow { protocol: Protocol::Tcp, local, remote };
        listeners.listen(Protocol::Udp, ([0, 0, 0, 0], 5060).into(), ([192, 0, 2, 1], 5060).into());
        assert_eq!(listeners.public(flow), Some(local));
        assert!(listeners.sent(&via("SIP/2.0/TCP 192.0.2.1:40000;branch=z9hG4bK1"), flow));
        assert!(!listeners.sent(&via("SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bK1"), flow));
        let public = ([192, 0, 2, 1], 5070).into();
        listeners.listen(Protocol::Tcp, ([0, 0, 0, 0], 5070).into(), public);
        assert_eq!(listeners.public(flow), Some(public));
        assert!(listeners.sent(&via("SIP/2.0/TCP 192.0.2.1:5070;branch=z9hG4bK1"), flow));
        assert_eq!(listeners.public(Flow { protocol: Protocol::Udp, ..flow }), None);
    }
}
