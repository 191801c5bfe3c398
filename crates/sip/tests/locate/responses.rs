//! RFC 3263 §5: where a response goes when the way that the request came has failed.

use offhook_sansio::Protocol::{self, Tcp, Tls, Udp, Ws, Wss};
use offhook_sip::{LocateError, NextHop};
use offhook_sip_message::{Header, Via};

use crate::zone::Bench;

const ALL: [Protocol; 5] = [Udp, Tcp, Tls, Ws, Wss];

const ZONE: &str = "
    proxy.example.com NAPTR 1 1 s SIP+D2T _sip._tcp.elsewhere.example
    _sip._udp.proxy.example.com SRV 1 0 5062 p2.example.com
    _sip._udp.proxy.example.com SRV 0 0 5061 p1.example.com
    _sips._tcp.proxy.example.com SRV 0 0 5071 p1.example.com
    p1.example.com A 192.0.2.1
    p2.example.com A 192.0.2.2
    proxy.example.com A 192.0.2.9
    proxy.example.com A 192.0.2.8
";

fn hop(sent_by: &str) -> Result<NextHop, LocateError> {
    let text = format!("SIP/2.0/{sent_by};branch=z9hG4bK1");
    NextHop::of_via(&Via::parse(&text.as_str().into()).unwrap())
}

fn targets(sent_by: &str) -> (Vec<String>, Vec<String>) {
    let mut bench = Bench::new(&ALL, ZONE);
    let (targets, _) = bench.drain(&hop(sent_by).unwrap());
    (targets, bench.asked)
}

#[test]
fn a_numeric_sent_by_is_taken_with_its_port_or_that_of_the_transport() {
    for (sent_by, target) in [
        ("UDP 192.0.2.3:5070", "UDP 192.0.2.3:5070"),
        ("UDP 192.0.2.3", "UDP 192.0.2.3:5060"),
        ("TCP [2001:db8::3]", "TCP [2001:db8::3]:5060"),
        ("TLS 192.0.2.3", "TLS 192.0.2.3:5061"),
        ("WSS 192.0.2.3", "WSS 192.0.2.3:443"),
    ] {
        assert_eq!(targets(sent_by), (vec![target.to_owned()], vec![]));
    }
}

#[test]
fn a_name_with_a_port_gives_its_addresses_one_after_another() {
    let (targets, asked) = targets("TLS proxy.example.com:5099");
    assert_eq!(targets, ["TLS 192.0.2.9:5099", "TLS 192.0.2.8:5099"]);
    assert_eq!(asked, ["A proxy.example.com", "AAAA proxy.example.com"]);
}

#[test]
fn a_name_without_a_port_gives_the_servers_of_its_srv() {
    let (found, asked) = targets("UDP proxy.example.com");
    assert_eq!(found, ["UDP 192.0.2.1:5061", "UDP 192.0.2.2:5062"]);
    assert_eq!(asked[0], "SRV _sip._udp.proxy.example.com");
    let (found, asked) = targets("TLS proxy.example.com");
    assert_eq!(found, ["TLS 192.0.2.1:5071"]);
    assert_eq!(asked[0], "SRV _sips._tcp.proxy.example.com");
}

#[test]
fn a_name_without_srv_gives_its_addresses_at_the_default_port() {
    let (targets, asked) = targets("TCP proxy.example.com");
    assert_eq!(targets, ["TCP 192.0.2.9:5060", "TCP 192.0.2.8:5060"]);
    assert!(!asked.iter().any(|asked| asked.starts_with("NAPTR")));
}

#[test]
fn a_transport_that_cannot_be_used_is_refused() {
    let error = hop("SCTP 192.0.2.3").unwrap_err();
    assert_eq!(error, LocateError::UnknownTransport { name: "SCTP".into() });
    let mut bench = Bench::new(&[Udp], ZONE);
    let error = bench.drain(&hop("TCP 192.0.2.3").unwrap()).1;
    assert_eq!(error, LocateError::UnusableTransport { protocol: Tcp });
}
