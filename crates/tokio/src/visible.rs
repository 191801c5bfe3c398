//! The address that peers see of a socket.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

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

/// An address that is nobody's (RFC 5737).
const DOCUMENTATION_V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// An address that is nobody's (RFC 3849).
const DOCUMENTATION_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
/// The discard port (RFC 863).
const DISCARD_PORT: u16 = 9;
