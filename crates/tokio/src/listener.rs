//! Where an endpoint listens.

use std::net::SocketAddr;

use offhook_sansio::Protocol;

use crate::ServerTls;

/// An address to listen for SIP on, and the transport to speak there.
///
/// The address is an IP address or a name, and a port; port 0 takes a free one.
#[derive(Clone, Debug)]
pub struct Listener {
    pub(crate) protocol: Protocol,
    pub(crate) address: String,
    pub(crate) tls: Option<ServerTls>,
}

impl Listener {
    /// SIP over UDP.
    pub fn udp(address: &str) -> Self {
        Self { protocol: Protocol::Udp, address: address.to_owned(), tls: None }
    }

    /// SIP over TCP.
    pub fn tcp(address: &str) -> Self {
        Self { protocol: Protocol::Tcp, ..Self::udp(address) }
    }

    /// SIP over TLS (RFC 3261 §26.2).
    pub fn tls(address: &str, tls: ServerTls) -> Self {
        Self { protocol: Protocol::Tls, tls: Some(tls), ..Self::udp(address) }
    }

    /// SIP over WebSocket (RFC 7118).
    pub fn ws(address: &str) -> Self {
        Self { protocol: Protocol::Ws, ..Self::udp(address) }
    }

    /// SIP over WebSocket over TLS (RFC 7118).
    pub fn wss(address: &str, tls: ServerTls) -> Self {
        Self { protocol: Protocol::Wss, tls: Some(tls), ..Self::udp(address) }
    }
}

/// A listener that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listening {
    pub(crate) protocol: Protocol,
    pub(crate) local: SocketAddr,
}
