//! Where a request within a dialog is sent (RFC 3261 §8.1.2, §12.2.1.1).

use std::net::{IpAddr, SocketAddr};

use offhook_sansio::{Flow, Protocol};
use offhook_sip_message::{SipUri, Uri};

use super::default_port;

/// The flow to `uri`, which is the topmost route or the remote target.
///
/// An address is followed. A name, or a protocol or address family other than that of `dialog`,
/// is not resolved here: the request then takes the path of the dialog's messages so far, which
/// is the local policy that §8.1.2 allows.
///
/// So does one over TLS or WebSocket: a certificate was checked for the host that the connection
/// was made to, not for an address; and a WebSocket client can be reached by no other connection
/// (RFC 7118 §5).
pub(crate) fn next_hop(uri: &Uri, dialog: Flow) -> Flow {
    let remote = match uri {
        _ if keeps_to_its_connection(dialog.protocol) => None,
        Uri::Sip(uri) if speaks(uri, dialog.protocol) => address(uri, dialog.protocol),
        Uri::Sip(_) | Uri::Tel(_) | Uri::Absolute(_) => None,
    };
    match remote {
        Some(remote) if remote.is_ipv4() == dialog.local.is_ipv4() => Flow { remote, ..dialog },
        Some(_) | None => dialog,
    }
}

const fn keeps_to_its_connection(protocol: Protocol) -> bool {
    !matches!(protocol, Protocol::Udp | Protocol::Tcp)
}

/// Whether `uri` is reached by `protocol` (RFC 3263 §4.1: UDP if a numeric `sip` URI names none).
fn speaks(uri: &SipUri, protocol: Protocol) -> bool {
    let named = uri.transport();
    let default = if uri.secure { Protocol::Tls } else { Protocol::Udp };
    named.unwrap_or(default.as_str()).eq_ignore_ascii_case(protocol.as_str())
}

fn address(uri: &SipUri, protocol: Protocol) -> Option<SocketAddr> {
    let maddr = uri.parameters.value("maddr").and_then(|maddr| maddr.parse().ok());
    let ip: IpAddr = maddr.or_else(|| uri.host.ip())?;
    Some(SocketAddr::new(ip, uri.port.unwrap_or(default_port(protocol))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(uri: &str, dialog: Flow) -> SocketAddr {
        next_hop(&uri.parse().unwrap(), dialog).remote
    }

    fn udp(local: &str, remote: &str) -> Flow {
        Flow::udp(local.parse().unwrap(), remote.parse().unwrap())
    }

    #[test]
    fn an_address_is_followed_with_its_port_or_the_default_one() {
        let dialog = udp("192.0.2.1:5060", "192.0.2.2:5070");
        assert_eq!(hop("sip:192.0.2.3", dialog), ([192, 0, 2, 3], 5060).into());
        assert_eq!(hop("sip:b@192.0.2.3:5080;lr", dialog), ([192, 0, 2, 3], 5080).into());
        assert_eq!(hop("sip:x.example;maddr=192.0.2.4", dialog), ([192, 0, 2, 4], 5060).into());
        let dialog = udp("[2001:db8::1]:5060", "[2001:db8::2]:5060");
        assert_eq!(hop("sip:[2001:db8::3]", dialog), "[2001:db8::3]:5060".parse().unwrap());
    }

    #[test]
    fn a_dialog_over_tls_or_websocket_keeps_to_its_connection() {
        for protocol in [Protocol::Tls, Protocol::Ws, Protocol::Wss] {
            let dialog = Flow { protocol, ..udp("192.0.2.1:5060", "192.0.2.2:5070") };
            let uri = format!("sip:b@192.0.2.3;transport={protocol}");
            assert_eq!(hop(&uri, dialog), dialog.remote, "{protocol}");
        }
        let dialog = Flow { protocol: Protocol::Tcp, ..udp("192.0.2.1:5060", "192.0.2.2:5070") };
        assert_eq!(hop("sip:b@192.0.2.3;transport=tcp", dialog), ([192, 0, 2, 3], 5060).into());
    }

    #[test]
    fn what_cannot_be_followed_keeps_the_path_of_the_dialog() {
        let dialog = udp("192.0.2.1:5060", "192.0.2.2:5070");
        for uri in [
            "sip:phone.example",
            "sip:[2001:db8::3]",
            "sip:192.0.2.3;transport=tcp",
            "sips:192.0.2.3",
            "tel:+1555",
        ] {
            assert_eq!(hop(uri, dialog), dialog.remote, "{uri}");
        }
    }
}
