//! Where bytes travel: two addresses and the protocol between them.

use std::{fmt, net::SocketAddr};

/// The path between two addresses that bytes take, as this side sees it.
///
/// For a connection-oriented protocol it names one connection (RFC 5626 §2 calls that a flow).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Flow {
    /// The protocol that carries the bytes.
    pub protocol: Protocol,
    /// The address of this side's socket.
    pub local: SocketAddr,
    /// The address of the far side's socket.
    pub remote: SocketAddr,
}

impl Flow {
    /// A UDP flow from `local` to `remote`.
    pub const fn udp(local: SocketAddr, remote: SocketAddr) -> Self {
        Self { protocol: Protocol::Udp, local, remote }
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} → {}", self.protocol, self.local, self.remote)
    }
}

/// A protocol that carries bytes between two addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Protocol {
    /// Datagrams, RFC 768.
    Udp,
    /// A byte stream, RFC 9293.
    Tcp,
    /// A byte stream under TLS, RFC 8446.
    Tls,
    /// WebSocket messages over TCP, RFC 7118.
    Ws,
    /// WebSocket messages over TLS, RFC 7118.
    Wss,
}

impl Protocol {
    /// The transport name that a SIP `Via` carries (RFC 3261 §20.42, RFC 7118 §5.2.1).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Ws => "WS",
            Self::Wss => "WSS",
        }
    }

    /// Whether the protocol delivers by itself, so that nothing above it needs to retransmit
    /// (the "reliable transport" of RFC 3261 §17).
    pub const fn is_reliable(self) -> bool {
        !matches!(self, Self::Udp)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
