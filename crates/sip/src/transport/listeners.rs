//! The sockets that the owner listens on, and the addresses that peers know them by.

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
    pub(crate) fn public(&self, flow: Flow) -> Option<SocketAddr> {
        let ours = |known: &&Listener| (known.protocol, known.local) == (flow.protocol, flow.local);
        self.0.iter().find(ours).map(|known| known.public)
    }

    /// Whether `via` has a sent-by that this side writes into requests (RFC 3261 §18.1.2).
    pub(crate) fn sent(&self, via: &Via) -> bool {
        // This side writes addresses only, never names.
        let Some(ip) = via.host.ip() else { return false };
        self.0.iter().any(|known| {
            let port = via.port.unwrap_or(default_port(known.protocol));
            via.transport.eq_ignore_ascii_case(known.protocol.as_str())
                && known.public == SocketAddr::new(ip, port)
        })
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
        assert!(listeners.sent(&via("SIP/2.0/UDP [2001:db8::1]:5060;branch=z9hG4bK1")));
        assert!(listeners.sent(&via("SIP/2.0/udp [2001:DB8:0::1];branch=z9hG4bK1")));
        for foreign in ["UDP [2001:db8::1]:5061", "TCP [2001:db8::1]", "UDP [2001:db8::2]", "UDP h"]
        {
            assert!(!listeners.sent(&via(&format!("SIP/2.0/{foreign}"))), "{foreign}");
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
}
