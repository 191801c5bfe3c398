//! RFC 3263 §4.2: port and address; RFC 2782: servers; RFC 6157 §5: address families.

use offhook_sansio::Protocol::{Tcp, Tls, Udp};
use offhook_sip::{Families, LocateError, LocatorConfig, ServerOrder};

use crate::zone::Bench;

fn families(families: Families, zone: &str) -> Bench {
    let mut config = LocatorConfig::new([Udp, Tcp]);
    config.families = families;
    Bench::with(config, zone)
}

/// The zone of RFC 6157, Appendix A.
const DUAL: &str = "
    _sip._tcp.example.com SRV 20 0 5060 sip1.example.com
    _sip._tcp.example.com SRV 0 0 5060 sip2.example.com
    _sip._udp.example.com SRV 20 0 5060 sip1.example.com
    _sip._udp.example.com SRV 0 0 5060 sip2.example.com
    sip1.example.com A 192.0.2.1
    sip1.example.com AAAA 2001:db8::1
    sip2.example.com A 192.0.2.2
    sip2.example.com AAAA 2001:db8::2
";

#[test]
fn a_numeric_host_is_taken_with_its_port_or_the_default_one() {
    let mut bench = Bench::new(&[Udp, Tls], "");
    assert_eq!(bench.all("sip:192.0.2.1:5070"), ["UDP 192.0.2.1:5070"]);
    assert_eq!(bench.all("sip:192.0.2.1"), ["UDP 192.0.2.1:5060"]);
    assert_eq!(bench.all("sips:[2001:db8::1]"), ["TLS [2001:db8::1]:5061"]);
}

#[test]
fn a_name_with_a_port_gives_all_its_addresses_at_that_port() {
    let zone = "
        example.com A 192.0.2.1
        example.com A 192.0.2.2
        _sip._udp.example.com SRV 0 0 7000 other.example.com
        other.example.com A 192.0.2.9
    ";
    let mut bench = Bench::new(&[Udp], zone);
    let both = ["UDP 192.0.2.1:5060", "UDP 192.0.2.2:5060"];
    assert_eq!(bench.all("sip:example.com:5060"), both);
    assert_eq!(bench.asked, ["A example.com", "AAAA example.com"]);
}

#[test]
fn a_named_transport_asks_for_its_srv_alone() {
    let mut bench = Bench::new(&[Udp, Tcp], DUAL);
    bench.all("sip:example.com;transport=tcp");
    assert_eq!(bench.asked[0], "SRV _sip._tcp.example.com");
    assert_eq!(bench.asked.iter().filter(|asked| asked.starts_with("SRV")).count(), 1);
}

#[test]
fn srv_gives_priorities_ports_and_hosts() {
    let zone = "
        _sip._udp.example.com SRV 9 0 5062 backup.example.com
        _sip._udp.example.com SRV 1 0 5061 main.example.com
        main.example.com A 192.0.2.1
        backup.example.com A 192.0.2.2
        backup.example.com A 192.0.2.3
    ";
    let mut bench = Bench::new(&[Udp], zone);
    let expected = ["UDP 192.0.2.1:5061", "UDP 192.0.2.2:5062", "UDP 192.0.2.3:5062"];
    assert_eq!(bench.all("sip:example.com"), expected);
}

#[test]
fn without_srv_after_naptr_the_domain_itself_is_taken_over_the_transport_found() {
    let zone = "
        example.com NAPTR 1 1 s SIP+D2T _sip._tcp.nowhere.example
        example.com A 192.0.2.1
    ";
    let mut bench = Bench::new(&[Udp, Tcp], zone);
    assert_eq!(bench.all("sip:example.com"), ["TCP 192.0.2.1:5060"]);
}

#[test]
fn a_lone_dot_says_that_there_is_no_such_service() {
    // The last lines of the example of RFC 2782.
    let zone = "
        example.com A 192.0.2.1
        _sip._udp.example.com SRV 0 0 0 .
        _sip._tcp.example.com SRV 0 0 0 .
    ";
    let refused = LocateError::NotOffered { domain: "example.com".parse().unwrap() };
    let mut bench = Bench::new(&[Udp, Tcp], zone);
    assert_eq!(bench.refusal("sip:example.com"), refused);
    assert_eq!(bench.refusal("sip:example.com;transport=tcp"), refused);
    assert!(!bench.asked.contains(&"A example.com".to_owned()));
}

#[test]
fn a_transport_that_is_refused_leaves_the_others() {
    let zone = "
        _sip._udp.example.com SRV 0 0 0 .
        _sip._tcp.example.com SRV 0 0 5060 t.example.com
        t.example.com A 192.0.2.1
    ";
    assert_eq!(Bench::new(&[Udp, Tcp], zone).all("sip:example.com"), ["TCP 192.0.2.1:5060"]);
}

#[test]
fn a_dot_or_port_zero_among_others_is_passed_over() {
    let zone = "
        _sip._udp.example.com SRV 0 0 5060 .
        _sip._udp.example.com SRV 0 0 0 zero.example.com
        _sip._udp.example.com SRV 1 0 5060 u.example.com
        zero.example.com A 192.0.2.9
        u.example.com A 192.0.2.1
    ";
    let mut bench = Bench::new(&[Udp], zone);
    assert_eq!(bench.all("sip:example.com"), ["UDP 192.0.2.1:5060"]);
    assert_eq!(bench.locator.statistics().records, 2);
}

#[test]
fn both_families_are_asked_for_at_once_and_sorted_by_preference() {
    let six_first = ["UDP [2001:db8::2]:5060", "UDP 192.0.2.2:5060"];
    let mut bench = families(Families::V6ThenV4, DUAL);
    assert_eq!(bench.all("sip:example.com;transport=udp")[..2], six_first);
    let mut bench = families(Families::V4ThenV6, DUAL);
    assert_eq!(bench.all("sip:example.com;transport=udp")[..2], [six_first[1], six_first[0]]);
}

#[test]
fn one_family_alone_is_neither_asked_for_nor_given() {
    let mut bench = families(Families::V6, DUAL);
    let targets = bench.all("sip:example.com;transport=udp");
    assert_eq!(targets, ["UDP [2001:db8::2]:5060", "UDP [2001:db8::1]:5060"]);
    assert!(!bench.asked.iter().any(|asked| asked.starts_with("A ")));
    let host = "192.0.2.1".parse().unwrap();
    assert_eq!(bench.refusal("sip:192.0.2.1"), LocateError::UnusableFamily { host });
    let error = families(Families::V4, "example.com AAAA 2001:db8::1").refusal("sip:example.com");
    assert!(matches!(error, LocateError::NoAddress { .. }), "{error}");
}

#[test]
fn maddr_is_where_it_goes_and_the_host_is_what_the_certificate_shows() {
    let zone = "
        _sips._tcp.proxy.example SRV 0 0 5061 p1.proxy.example
        p1.proxy.example A 192.0.2.8
    ";
    let mut bench = Bench::new(&[Tls, Udp], zone);
    bench.start("sips:bob@example.com;maddr=proxy.example");
    let target = bench.target().unwrap();
    assert_eq!(target.address, ([192, 0, 2, 8], 5061).into());
    assert_eq!(target.domain.to_string(), "example.com");
    assert_eq!(bench.all("sip:example.com;maddr=192.0.2.4"), ["UDP 192.0.2.4:5060"]);
    assert_eq!(bench.all("sip:example.com:7;maddr=192.0.2.4"), ["UDP 192.0.2.4:7"]);
    let error = bench.refusal("sip:example.com;maddr=%20");
    assert!(matches!(error, LocateError::InvalidHost { .. }), "{error}");
}

#[test]
fn the_same_server_found_twice_is_tried_once() {
    let zone = "
        _sip._udp.example.com SRV 0 0 5060 a.example.com
        _sip._udp.example.com SRV 1 0 5060 b.example.com
        a.example.com A 192.0.2.1
        b.example.com A 192.0.2.1
        b.example.com A 0.0.0.0
    ";
    let mut bench = Bench::new(&[Udp], zone);
    assert_eq!(bench.all("sip:example.com"), ["UDP 192.0.2.1:5060"]);
    assert_eq!(bench.locator.statistics().addresses, 2);
}

#[test]
fn a_stateless_proxy_sends_each_retransmission_the_same_way() {
    let zone = "
        _sip._udp.example.com SRV 0 10 5060 b.example.com
        _sip._udp.example.com SRV 0 90 5060 a.example.com
        a.example.com A 192.0.2.1
        b.example.com A 192.0.2.2
    ";
    let mut config = LocatorConfig::new([Udp]);
    config.order = ServerOrder::Sorted;
    let mut bench = Bench::with(config, zone);
    for _ in 0..50 {
        assert_eq!(bench.all("sip:example.com"), ["UDP 192.0.2.1:5060", "UDP 192.0.2.2:5060"]);
    }
}

#[test]
fn a_domain_that_is_not_there_differs_from_one_without_addresses() {
    let mut bench = Bench::new(&[Udp], "example.com NAPTR 1 1 s E2U+sip x.example.com");
    let domain = "nowhere.example".parse().unwrap();
    assert_eq!(bench.refusal("sip:nowhere.example"), LocateError::NoSuchDomain { domain });
    let domain = "example.com".parse().unwrap();
    assert_eq!(bench.refusal("sip:example.com"), LocateError::NoAddress { domain });
}
