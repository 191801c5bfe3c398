//! What is to be located: the server of a URI, or the client of a `Via` (RFC 3263 §4, §5).

use offhook_sansio::Protocol;
use offhook_sip_message::{Host, SipUri, Uri, Via};

use super::LocateError;

/// The next hop of a message, as its headers name it.
///
/// For a request that is the topmost `Route`, or the Request-URI if there is none or the first
/// router is strict (RFC 3261 §8.1.2). For a response it is the topmost `Via`, once the way that
/// the request came has failed (RFC 3263 §5).
#[derive(Clone, Debug)]
pub struct NextHop {
    /// The host of the URI, which a certificate must show (RFC 5922 §4).
    pub(super) domain: Host,
    /// TARGET: the `maddr` if there is one, else the host (RFC 3263 §4).
    pub(super) host: Host,
    pub(super) port: Option<u16>,
    /// What the `transport` parameter or the `Via` names.
    named: Option<Protocol>,
    pub(super) secure: bool,
    pub(super) over_stream: bool,
}

impl NextHop {
    /// The server of `uri`.
    ///
    /// # Errors
    /// When the URI is no `sip` or `sips` one, or names a transport, host or port that there is
    /// not.
    pub fn of_uri(uri: &Uri) -> Result<Self, LocateError> {
        match uri {
            Uri::Sip(uri) => Self::of_sip_uri(uri),
            Uri::Tel(_) | Uri::Absolute(_) => {
                Err(LocateError::NotSip { scheme: uri.scheme().to_owned() })
            }
        }
    }

    /// The server of `uri`.
    ///
    /// # Errors
    /// When the URI names a transport, host or port that there is not.
    pub fn of_sip_uri(uri: &SipUri) -> Result<Self, LocateError> {
        let host = match uri.parameters.get("maddr") {
            Some(maddr) => read_maddr(maddr.unwrap_or_default())?,
            None => uri.host.clone(),
        };
        let named = uri.parameters.get("transport").map(Option::unwrap_or_default);
        Ok(Self {
            domain: uri.host.clone(),
            host,
            port: checked(uri.port)?,
            named: named.map(read_transport).transpose()?,
            secure: uri.secure,
            over_stream: false,
        })
    }

    /// Where the responses to a request with the topmost `via` go when the connection that it came
    /// by is closed, or its source cannot be sent to (RFC 3263 §5).
    ///
    /// # Errors
    /// When the transport or the port is none that there is.
    pub fn of_via(via: &Via) -> Result<Self, LocateError> {
        Ok(Self {
            domain: via.host.clone(),
            host: via.host.clone(),
            port: checked(via.port)?,
            named: Some(read_transport(&via.transport)?),
            secure: false,
            over_stream: false,
        })
    }

    /// The same hop as if its URI were a `sips` one: for a request whose Request-URI is, whatever
    /// its topmost `Route` says (RFC 3261 §8.1.2).
    #[must_use]
    pub fn secured(self) -> Self {
        Self { secure: true, ..self }
    }

    /// The same hop without UDP, which gives way to TCP: for a request that is too large for a
    /// datagram (RFC 3261 §18.1.1, RFC 3263 §4.1).
    #[must_use]
    pub fn over_stream(self) -> Self {
        Self { over_stream: true, ..self }
    }

    /// The protocol that the headers ask for, if they do.
    pub(super) fn protocol(&self) -> Result<Option<Protocol>, LocateError> {
        Ok(match (self.named, self.secure) {
            (Some(Protocol::Udp), true) => return Err(LocateError::SecureOverUdp),
            // The scheme tells of TLS, the parameter does not (RFC 3261 §26.2.2, RFC 7118 §5.5).
            (Some(Protocol::Tcp), true) => Some(Protocol::Tls),
            (Some(Protocol::Ws), true) => Some(Protocol::Wss),
            (Some(Protocol::Udp), false) if self.over_stream => Some(Protocol::Tcp),
            (named, _) => named,
        })
    }
}

/// `maddr` is a `host`, with or without the brackets of IPv6 (RFC 3261 §25.1).
fn read_maddr(text: &str) -> Result<Host, LocateError> {
    let bare = || text.parse().ok().map(Host::V6);
    text.parse().ok().or_else(bare).ok_or_else(|| LocateError::InvalidHost {
        host: text.to_owned(),
        expected: "a host as the value of maddr (RFC 3261 §25.1)",
    })
}

/// `tls` is deprecated and still written (RFC 5630 §3.1.4); `wss` stands in `Via` (RFC 7118 §5.2).
fn read_transport(name: &str) -> Result<Protocol, LocateError> {
    let known = [Protocol::Udp, Protocol::Tcp, Protocol::Tls, Protocol::Ws, Protocol::Wss];
    known
        .into_iter()
        .find(|protocol| protocol.as_str().eq_ignore_ascii_case(name))
        .ok_or_else(|| LocateError::UnknownTransport { name: name.to_owned() })
}

fn checked(port: Option<u16>) -> Result<Option<u16>, LocateError> {
    if port == Some(0) { Err(LocateError::PortZero) } else { Ok(port) }
}
