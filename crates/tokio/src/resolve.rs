//! From a SIP URI to an address (RFC 3263 §4.2: numeric hosts, and names by their A and AAAA).

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
};

use offhook_sip_message::{Host, Uri};
use tokio::net::lookup_host;

use crate::Error;

/// The address to send a request for `uri` to, from a socket bound to `local`.
pub(crate) async fn next_hop(uri: &Uri, local: SocketAddr) -> Result<SocketAddr, Error> {
    let refuse = |reason: &str| Error::Uri { uri: uri.to_string(), reason: reason.to_owned() };
    let Uri::Sip(uri) = uri else { return Err(refuse("only sip: URIs can be called")) };
    if uri.secure {
        return Err(refuse("sips: asks for TLS, which this endpoint does not speak"));
    }
    match uri.parameters.value("transport") {
        Some(transport) if !transport.eq_ignore_ascii_case("udp") => {
            return Err(refuse("it asks for a transport other than UDP"));
        }
        Some(_) | None => {}
    }
    let port = uri.port.unwrap_or(SIP_PORT);
    let found = match &uri.host {
        Host::V4(address) => vec![(*address, port).into()],
        Host::V6(address) => vec![(*address, port).into()],
        Host::Name(name) => look_up(name, port).await?,
    };
    let reachable = |address: &SocketAddr| address.is_ipv4() == local.is_ipv4();
    found.into_iter().find(reachable).ok_or_else(|| Error::Unresolved {
        host: uri.host.to_string(),
        reason: format!("it has no address of the same IP version as {local}"),
    })
}

async fn look_up(name: &str, port: u16) -> Result<Vec<SocketAddr>, Error> {
    let unresolved =
        |error: io::Error| Error::Unresolved { host: name.to_owned(), reason: error.to_string() };
    Ok(lookup_host((name, port)).await.map_err(unresolved)?.collect())
}

/// The address that peers see of a socket bound to `local`: its own, or, if it is bound to all
/// interfaces, the address of the one that leads to the world. Nothing is sent to find it out.
pub(crate) fn visible_address(local: SocketAddr) -> SocketAddr {
    if !local.ip().is_unspecified() {
        return local;
    }
    let ip = outward_ip(local.is_ipv4()).unwrap_or(match local.is_ipv4() {
        true => IpAddr::V4(Ipv4Addr::LOCALHOST),
        false => IpAddr::V6(Ipv6Addr::LOCALHOST),
    });
    SocketAddr::new(ip, local.port())
}

/// Asks the routing table by connecting a datagram socket, which sends nothing.
fn outward_ip(v4: bool) -> Option<IpAddr> {
    let (any, far): (SocketAddr, SocketAddr) = match v4 {
        true => ((Ipv4Addr::UNSPECIFIED, 0).into(), (DOCUMENTATION_V4, DISCARD_PORT).into()),
        false => ((Ipv6Addr::UNSPECIFIED, 0).into(), (DOCUMENTATION_V6, DISCARD_PORT).into()),
    };
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect(far).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

/// The default port of SIP over UDP (RFC 3261 §19.1.2).
const SIP_PORT: u16 = 5060;
/// An address that is nobody's (RFC 5737).
const DOCUMENTATION_V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// An address that is nobody's (RFC 3849).
const DOCUMENTATION_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
/// The discard port (RFC 863).
const DISCARD_PORT: u16 = 9;
