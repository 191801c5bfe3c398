//! RFC 3263 §4.1: which transport is taken.

use offhook_sansio::Protocol::{self, Tcp, Tls, Udp, Ws, Wss};
use offhook_sip::{LocateError, NextHop};

use crate::zone::Bench;

const ALL: [Protocol; 5] = [Udp, Tcp, Tls, Ws, Wss];

/// The records of RFC 3263 §4.1, with those that their servers need.
const EXAMPLE: &str = "
    example.com NAPTR 50 50 s SIPS+D2T _sips._tcp.example.com.
    example.com NAPTR 90 50 s SIP+D2T _sip._tcp.example.com
    example.com NAPTR 100 50 s SIP+D2U _sip._udp.example.com.
    _sips._tcp.example.com SRV 0 0 5061 server1.example.com
    _sip._tcp.example.com SRV 0 1 5060 server1.example.com
    _sip._tcp.example.com SRV 0 2 5060 server2.example.com
    _sip._udp.example.com SRV 0 0 5060 server2.example.com
    server1.example.com A 192.0.2.1
    server2.example.com A 192.0.2.2
";

/// A domain with addresses alone.
const PLAIN: &str = "example.com A 192.0.2.1";

#[test]
fn the_example_leads_a_client_of_tcp_and_udp_to_tcp() {
    let mut bench = Bench::new(&[Udp, Tcp], EXAMPLE);
    let mut targets = bench.all("sip:user@example.com");
    targets.sort();
    assert_eq!(targets, ["TCP 192.0.2.1:5060", "TCP 192.0.2.2:5060"]);
    assert_eq!(bench.asked[..2], ["NAPTR example.com", "SRV _sip._tcp.example.com"]);
}

#[test]
fn the_example_leads_a_client_with_tls_to_tls_even_for_sip() {
    let mut bench = Bench::new(&ALL, EXAMPLE);
    assert_eq!(bench.all("sip:user@example.com"), ["TLS 192.0.2.1:5061"]);
}

#[test]
fn a_sips_uri_discards_services_without_sips() {
    let mut bench = Bench::new(&ALL, EXAMPLE);
    assert_eq!(bench.all("sips:user@example.com"), ["TLS 192.0.2.1:5061"]);
    let zone = "
        example.com NAPTR 90 50 s SIP+D2T _sip._tcp.example.com
        _sip._tcp.example.com SRV 0 1 5060 server1.example.com
        server1.example.com A 192.0.2.1
        example.com A 192.0.2.9
    ";
    let mut bench = Bench::new(&ALL, zone);
    assert_eq!(bench.all("sips:user@example.com"), ["TLS 192.0.2.9:5061"]);
    assert_eq!(bench.locator.statistics().records, 1);
}

#[test]
fn a_replacement_may_lie_in_another_domain_and_the_certificate_shows_the_first() {
    let zone = "
        example.com NAPTR 50 50 s SIPS+D2T _sips._tcp.school.edu
        _sips._tcp.school.edu SRV 0 0 5061 proxy.school.edu
        proxy.school.edu A 192.0.2.5
    ";
    let mut bench = Bench::new(&[Tls], zone);
    bench.start("sips:user@Example.com");
    let target = bench.target().unwrap();
    assert_eq!(target.address, ([192, 0, 2, 5], 5061).into());
    assert_eq!(target.domain, "example.com".parse().unwrap());
}

#[test]
fn the_transport_parameter_is_followed() {
    let mut bench = Bench::new(&ALL, PLAIN);
    for (uri, target) in [
        ("sip:example.com;transport=udp", "UDP 192.0.2.1:5060"),
        ("sip:example.com;transport=TCP", "TCP 192.0.2.1:5060"),
        ("sip:example.com;transport=tls", "TLS 192.0.2.1:5061"),
        ("sip:example.com;transport=ws", "WS 192.0.2.1:80"),
        ("sip:example.com;transport=wss", "WSS 192.0.2.1:443"),
        ("sips:example.com;transport=tcp", "TLS 192.0.2.1:5061"),
        ("sips:example.com;transport=tls", "TLS 192.0.2.1:5061"),
        ("sips:example.com;transport=ws", "WSS 192.0.2.1:443"),
        ("sip:192.0.2.7;transport=tcp", "TCP 192.0.2.7:5060"),
        ("sip:192.0.2.7:5070;transport=ws", "WS 192.0.2.7:5070"),
    ] {
        assert_eq!(bench.all(uri), [target], "{uri}");
    }
    assert!(!bench.asked.iter().any(|asked| asked.starts_with("NAPTR")));
}

#[test]
fn a_numeric_host_means_udp_for_sip_and_tls_for_sips() {
    let mut bench = Bench::new(&[Tcp, Tls, Udp], "");
    assert_eq!(bench.all("sip:192.0.2.1"), ["UDP 192.0.2.1:5060"]);
    assert_eq!(bench.all("sips:192.0.2.1"), ["TLS 192.0.2.1:5061"]);
    assert_eq!(bench.all("sip:[2001:db8::1]"), ["UDP [2001:db8::1]:5060"]);
    assert_eq!(bench.asked, [""; 0]);
}

#[test]
fn a_name_with_a_port_means_udp_for_sip_and_tls_for_sips_without_naptr() {
    let mut bench = Bench::new(&[Tcp, Tls, Udp], EXAMPLE);
    assert_eq!(bench.all("sip:server1.example.com:5060"), ["UDP 192.0.2.1:5060"]);
    assert_eq!(bench.all("sips:server1.example.com:5099"), ["TLS 192.0.2.1:5099"]);
    assert_eq!(bench.asked[0], "A server1.example.com");
    assert!(bench.asked.iter().all(|asked| asked.starts_with('A')), "{:?}", bench.asked);
}

#[test]
fn without_naptr_srv_of_all_usable_transports_is_asked_for_in_the_endpoints_order() {
    let zone = "
        _sip._udp.example.com SRV 0 0 5062 u.example.com
        _sip._tcp.example.com SRV 0 0 5063 t.example.com
        _sips._tcp.example.com SRV 0 0 5064 s.example.com
        _sip._ws.example.com SRV 0 0 8080 w.example.com
        _sips._ws.example.com SRV 0 0 8443 w.example.com
        u.example.com A 192.0.2.1
        t.example.com A 192.0.2.2
        s.example.com A 192.0.2.3
        w.example.com A 192.0.2.4
    ";
    let mut bench = Bench::new(&[Wss, Tls, Tcp, Udp], zone);
    let secure = ["WSS 192.0.2.4:8443", "TLS 192.0.2.3:5064"];
    let plain = ["TCP 192.0.2.2:5063", "UDP 192.0.2.1:5062"];
    assert_eq!(bench.all("sip:example.com"), [secure, plain].concat());
    assert_eq!(bench.all("sips:example.com"), secure);
    let mut bench = Bench::new(&[Ws], zone);
    assert_eq!(bench.all("sip:example.com"), ["WS 192.0.2.4:8080"]);
}

#[test]
fn without_srv_too_the_default_is_udp_for_sip_and_tls_for_sips() {
    let mut bench = Bench::new(&[Tcp, Tls, Udp], PLAIN);
    assert_eq!(bench.all("sip:example.com"), ["UDP 192.0.2.1:5060"]);
    assert_eq!(bench.all("sips:example.com"), ["TLS 192.0.2.1:5061"]);
}

#[test]
fn an_endpoint_without_the_default_transport_takes_what_it_has() {
    let mut bench = Bench::new(&[Wss], PLAIN);
    assert_eq!(bench.all("sip:example.com"), ["WSS 192.0.2.1:443"]);
    assert_eq!(bench.all("sips:192.0.2.2"), ["WSS 192.0.2.2:443"]);
}

#[test]
fn a_large_request_goes_over_a_stream() {
    let mut bench = Bench::new(&[Udp, Tls, Tcp], EXAMPLE);
    for (uri, target) in [
        ("sip:192.0.2.1", "TCP 192.0.2.1:5060"),
        ("sip:192.0.2.1;transport=udp", "TCP 192.0.2.1:5060"),
        ("sip:server2.example.com", "TCP 192.0.2.2:5060"),
        ("sips:192.0.2.1", "TLS 192.0.2.1:5061"),
    ] {
        let hop = NextHop::of_uri(&uri.parse().unwrap()).unwrap().over_stream();
        assert_eq!(bench.drain(&hop).0, [target], "{uri}");
    }
    let hop = NextHop::of_uri(&"sip:192.0.2.1".parse().unwrap()).unwrap().over_stream();
    let error = Bench::new(&[Udp], "").drain(&hop).1;
    assert!(matches!(error, LocateError::NoTransport { needed } if needed.contains("§18.1.1")));
}

#[test]
fn a_sips_request_uri_makes_its_route_secure() {
    let mut bench = Bench::new(&ALL, EXAMPLE);
    let route: offhook_sip_message::Uri = "sip:server2.example.com;lr".parse().unwrap();
    let hop = NextHop::of_uri(&route).unwrap().secured();
    assert_eq!(bench.drain(&hop).0, ["TLS 192.0.2.2:5061"]);
    let udp: offhook_sip_message::Uri = "sip:192.0.2.1;transport=udp;lr".parse().unwrap();
    let hop = NextHop::of_uri(&udp).unwrap().secured();
    assert_eq!(bench.drain(&hop), (vec![], LocateError::SecureOverUdp));
}

#[test]
fn refusals_of_transports_say_why() {
    let mut bench = Bench::new(&[Udp, Tcp], PLAIN);
    let unusable = LocateError::UnusableTransport { protocol: Tls };
    assert_eq!(bench.refusal("sip:192.0.2.1;transport=tls"), unusable);
    let unknown = LocateError::UnknownTransport { name: "sctp".into() };
    assert_eq!(bench.refusal("sip:example.com;transport=sctp"), unknown);
    let error = bench.refusal("sips:example.com");
    assert!(matches!(error, LocateError::NoTransport { needed } if needed.contains("sips")));
    assert!(
        matches!(bench.refusal("tel:+1555"), LocateError::NotSip { scheme } if scheme == "tel")
    );
    let mut bench = Bench::new(&ALL, PLAIN);
    assert_eq!(bench.refusal("sips:example.com;transport=udp"), LocateError::SecureOverUdp);
    let error = Bench::new(&[], PLAIN).refusal("sip:example.com");
    assert!(matches!(error, LocateError::NoTransport { .. }));
}
