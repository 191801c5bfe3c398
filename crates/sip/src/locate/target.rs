//! Where a message can be sent, and what may come of sending it there.

use std::{net::SocketAddr, time::Duration};

use offhook_sansio::Protocol;
use offhook_sip_message::Host;

/// One place to send the message to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// How to send it.
    pub protocol: Protocol,
    /// Where to.
    pub address: SocketAddr,
    /// What the certificate of a TLS server must show: the host of the URI, and not a name that
    /// DNS led to (RFC 5922 §4, §7.3). It is the name for `server_name` too (§7.8).
    pub domain: Host,
}

/// What counts as the failure of a target (RFC 3263 §4.3). Any other response is a success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The transport failed: an ICMP error, a refused connection, a wrong certificate.
    Transport,
    /// No response at all came before timer B or F fired.
    TimedOut,
    /// The response was 503 (RFC 3261 §21.5.4).
    Unavailable {
        /// Its `Retry-After`: until then nothing else is sent there. Without it only the request
        /// at hand goes elsewhere.
        retry_after: Option<Duration>,
    },
}
