//! What the headers of a message decide before DNS is asked (RFC 3263 §4.1, §4.2, §5).

use std::net::{IpAddr, SocketAddr};

use offhook_sansio::Protocol;
use offhook_sip_message::Host;

use super::{DnsName, Families, LocateError, LocatorConfig, NextHop, Target};
use crate::transport::default_port;

/// The first step towards a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Selection {
    /// All is said: TARGET is numeric.
    Target(Target),
    /// The transport and the port are known, the addresses of the host are not.
    Host(Server),
    /// The transport is named: ask for SRV.
    Service(Service),
    /// Nothing is said: ask for NAPTR.
    Domain,
}

/// A host that offers the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) protocol: Protocol,
    pub(super) host: DnsName,
    pub(super) port: u16,
}

/// A name to ask for SRV records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Service {
    pub(super) protocol: Protocol,
    pub(super) name: DnsName,
}

impl Service {
    /// The service of `domain` by `protocol` (RFC 3263 §4.2). WebSocket has its own label, and
    /// `_sips` where it goes over TLS.
    pub(super) fn of(domain: &DnsName, protocol: Protocol) -> Option<Self> {
        let labels = match protocol {
            Protocol::Udp => "_sip._udp",
            Protocol::Tcp => "_sip._tcp",
            Protocol::Tls => "_sips._tcp",
            Protocol::Ws => "_sip._ws",
            Protocol::Wss => "_sips._ws",
            _ => return None,
        };
        Some(Self { protocol, name: domain.below(labels)? })
    }
}

/// Which transports may be used for `hop`, in order of preference.
pub(super) fn usable(hop: &NextHop, config: &LocatorConfig) -> Result<Vec<Protocol>, LocateError> {
    let mut usable = Vec::new();
    for &protocol in &config.protocols {
        let secure = matches!(protocol, Protocol::Tls | Protocol::Wss);
        let allowed = (secure || !hop.secure) && (protocol.is_reliable() || !hop.over_stream);
        if allowed && !usable.contains(&protocol) {
            usable.push(protocol);
        }
    }
    match usable.is_empty() {
        false => Ok(usable),
        true if hop.secure => Err(LocateError::NoTransport { needed: NEEDS_TLS }),
        true if hop.over_stream => Err(LocateError::NoTransport { needed: NEEDS_STREAM }),
        true => Err(LocateError::NoTransport { needed: "is in its list" }),
    }
}

/// The transport where nothing names one: UDP, or TCP under TLS for `sips` (RFC 3263 §4.1). An
/// endpoint that lacks it takes what it prefers.
pub(super) fn default_protocol(hop: &NextHop, usable: &[Protocol]) -> Protocol {
    let default = match (hop.secure, hop.over_stream) {
        (true, _) => Protocol::Tls,
        (false, true) => Protocol::Tcp,
        (false, false) => Protocol::Udp,
    };
    if usable.contains(&default) { default } else { usable.first().copied().unwrap_or(default) }
}

/// The name of the host that DNS is asked about; `None` if it is an address.
pub(super) fn host_name(host: &Host) -> Result<Option<DnsName>, LocateError> {
    let Host::Name(name) = host else { return Ok(None) };
    let invalid = |_| LocateError::InvalidHost {
        host: name.to_string(),
        expected: "a name that DNS can carry (RFC 1035 §2.3.4)",
    };
    name.parse().map(Some).map_err(invalid)
}

/// The first step for `hop`, over the transports in `usable`.
pub(super) fn select(
    hop: &NextHop,
    usable: &[Protocol],
    families: Families,
) -> Result<Selection, LocateError> {
    let named = hop.protocol()?;
    if let Some(protocol) = named.filter(|protocol| !usable.contains(protocol)) {
        return Err(LocateError::UnusableTransport { protocol });
    }
    let protocol = named.unwrap_or(default_protocol(hop, usable));
    let Some(name) = host_name(&hop.host)? else { return numeric(hop, protocol, families) };
    Ok(match (hop.port, named) {
        (Some(port), _) => Selection::Host(Server { protocol, host: name, port }),
        (None, Some(protocol)) => match Service::of(&name, protocol) {
            Some(service) => Selection::Service(service),
            // There can be no SRV record at a name that is too long.
            None => Selection::Host(Server { protocol, host: name, port: default_port(protocol) }),
        },
        (None, None) => Selection::Domain,
    })
}

fn numeric(
    hop: &NextHop,
    protocol: Protocol,
    families: Families,
) -> Result<Selection, LocateError> {
    let unusable = || LocateError::UnusableFamily { host: hop.host.clone() };
    let ip = hop.host.ip().filter(|ip| reaches(families, *ip)).ok_or_else(unusable)?;
    let address = SocketAddr::new(ip, hop.port.unwrap_or(default_port(protocol)));
    Ok(Selection::Target(Target { protocol, address, domain: hop.domain.clone() }))
}

const fn reaches(families: Families, ip: IpAddr) -> bool {
    match families {
        Families::V4 => ip.is_ipv4(),
        Families::V6 => ip.is_ipv6(),
        Families::V4ThenV6 | Families::V6ThenV4 => true,
    }
}

const NEEDS_TLS: &str = "goes over TLS, as sips needs (RFC 3261 §26.2.2)";
const NEEDS_STREAM: &str = "controls congestion, as a large request needs (RFC 3261 §18.1.1)";
