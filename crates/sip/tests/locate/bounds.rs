//! Nothing that DNS says makes a lookup large.

use std::fmt::Write as _;

use offhook_sansio::Protocol::Udp;
use offhook_sip::{LocateError, LocatorConfig, NextHop};

use crate::zone::Bench;

fn many(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut zone, at| {
        writeln!(zone, "{}", line(at)).unwrap();
        zone
    })
}

fn servers(count: usize) -> String {
    let srv = |at| format!("_sip._udp.example.com SRV {at} 0 5060 s{at}.example.com");
    many(count, srv) + &many(count, |at| format!("s{at}.example.com A 192.0.2.{at}"))
}

#[test]
fn questions_have_a_bound_and_what_is_beyond_is_counted() {
    let mut bench = Bench::new(&[Udp], &servers(30));
    let targets = bench.all("sip:example.com");
    assert_eq!(bench.asked.len(), 24);
    // NAPTR, SRV, and two for each server.
    assert_eq!(targets.len(), 11);
    assert_eq!(bench.locator.statistics().servers, 19);
}

#[test]
fn records_have_a_bound_and_what_is_beyond_is_counted() {
    let addresses = many(200, |at| format!("example.com A 192.0.2.{at}"));
    let mut config = LocatorConfig::new([Udp]);
    (config.max_records, config.max_targets) = (64, 100);
    let mut bench = Bench::with(config, &addresses);
    assert_eq!(bench.all("sip:example.com").len(), 64);
    assert_eq!(bench.locator.statistics().records, 136);
}

#[test]
fn targets_have_a_bound_and_what_is_beyond_is_counted() {
    let addresses = many(50, |at| format!("example.com A 192.0.2.{at}"));
    let mut bench = Bench::new(&[Udp], &addresses);
    assert_eq!(bench.all("sip:example.com").len(), 16);
    assert_eq!(bench.locator.statistics().addresses, 34);
}

#[test]
fn lookups_have_a_bound() {
    let mut config = LocatorConfig::new([Udp]);
    config.max_lookups = 2;
    let mut bench = Bench::with(config, &servers(1));
    let first = bench.start("sip:example.com");
    bench.start("sip:192.0.2.1");
    let hop = NextHop::of_uri(&"sip:example.com".parse().unwrap()).unwrap();
    assert_eq!(bench.locator.locate(bench.now, &hop), Err(LocateError::TooManyLookups));
    bench.locator.abandon(first);
    assert!(bench.locator.locate(bench.now, &hop).is_ok());
}

#[test]
fn too_few_questions_for_an_answer_are_an_error() {
    for max_questions in 0..4 {
        let mut config = LocatorConfig::new([Udp]);
        config.max_questions = max_questions;
        let error = Bench::with(config, &servers(1)).refusal("sip:example.com");
        assert!(matches!(error, LocateError::TooManyQuestions { .. }), "{max_questions}: {error}");
    }
}

#[test]
fn a_target_of_srv_that_leads_back_is_asked_for_addresses_alone() {
    let zone = "
        _sip._udp.example.com SRV 0 0 5060 _sip._udp.example.com
        _sip._udp.example.com SRV 1 0 5060 example.com
        example.com NAPTR 0 0 s SIP+D2U _sip._udp.example.com
    ";
    let mut bench = Bench::new(&[Udp], zone);
    let error = bench.refusal("sip:example.com");
    assert!(matches!(error, LocateError::NoAddress { .. }), "{error}");
    assert_eq!(bench.asked.len(), 6);
}

#[test]
fn hosts_and_ports_that_cannot_be_asked_for_are_refused() {
    let long = format!("sip:{}.example", "a".repeat(64));
    let mut bench = Bench::new(&[Udp], "");
    assert!(matches!(bench.refusal(&long), LocateError::InvalidHost { .. }));
    assert_eq!(bench.refusal("sip:example.com:0"), LocateError::PortZero);
    assert_eq!(bench.asked, [""; 0]);
}

#[test]
fn a_name_too_long_for_a_service_is_asked_for_its_addresses() {
    let name = format!("{0}.{0}.{0}.{1}.example", "a".repeat(62), "b".repeat(50));
    let mut bench = Bench::new(&[Udp], &format!("{name} A 192.0.2.1"));
    assert_eq!(bench.all(&format!("sip:{name}")), ["UDP 192.0.2.1:5060"]);
    assert_eq!(bench.all(&format!("sip:{name};transport=udp")), ["UDP 192.0.2.1:5060"]);
}
