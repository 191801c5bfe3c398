//! RFC 3263 §4.3, RFC 3261 §21.5.4 and RFC 4321 §1.3: what happens when a target fails.

use std::time::Duration;

use offhook_sansio::Protocol::{Tls, Udp};
use offhook_sip::{Failure, LocateError, LocatorConfig, LocatorEvent};

use crate::zone::Bench;

const SECOND: Duration = Duration::from_secs(1);

/// pB1 and pB2 of RFC 4321 §1.3.
const DOMAIN_B: &str = "
    _sip._udp.b.example SRV 0 0 5060 pb1.b.example
    _sip._udp.b.example SRV 1 0 5060 pb2.b.example
    pb1.b.example A 192.0.2.1
    pb2.b.example A 192.0.2.2
";

fn bench() -> Bench {
    Bench::new(&[Udp], DOMAIN_B)
}

/// The last byte of the address of the next target.
fn next(bench: &mut Bench) -> u8 {
    let target = bench.target().unwrap();
    target.address.ip().to_string().rsplit('.').next().unwrap().parse().unwrap()
}

fn retry_after(seconds: u32) -> Failure {
    Failure::Unavailable { retry_after: Some(seconds * SECOND) }
}

#[test]
fn each_failure_leads_to_the_next_target_and_the_last_to_an_error() {
    let every = [
        Failure::Transport,
        Failure::TimedOut,
        Failure::Unavailable { retry_after: None },
        retry_after(9),
    ];
    for failure in every {
        let mut bench = bench();
        let lookup = bench.start("sip:b.example");
        assert_eq!(next(&mut bench), 1);
        bench.locator.failed(bench.now, lookup, failure).unwrap();
        assert_eq!(next(&mut bench), 2);
        bench.locator.failed(bench.now, lookup, failure).unwrap();
        let domain = "b.example".parse().unwrap();
        assert_eq!(bench.target(), Err(LocateError::Exhausted { domain }));
        let late = bench.locator.failed(bench.now, lookup, failure);
        assert_eq!(late, Err(LocateError::NoLookup));
    }
}

#[test]
fn the_next_request_avoids_a_server_that_timed_out_until_it_is_forgotten() {
    for failure in [Failure::TimedOut, Failure::Transport] {
        let mut bench = bench();
        let lookup = bench.start("sip:b.example");
        assert_eq!(next(&mut bench), 1);
        bench.locator.failed(bench.now, lookup, failure).unwrap();
        bench.locator.abandon(lookup);
        assert_eq!(bench.locator.poll_event(), None);
        bench.start("sip:b.example");
        assert_eq!(next(&mut bench), 2);
        bench.now += 60 * SECOND;
        bench.start("sip:b.example");
        assert_eq!(next(&mut bench), 1);
    }
}

#[test]
fn a_server_in_doubt_is_tried_when_nothing_else_is_left() {
    let mut bench = bench();
    let lookup = bench.start("sip:b.example");
    next(&mut bench);
    bench.locator.failed(bench.now, lookup, Failure::TimedOut).unwrap();
    bench.locator.abandon(lookup);
    let lookup = bench.start("sip:b.example");
    assert_eq!(next(&mut bench), 2);
    bench.locator.failed(bench.now, lookup, Failure::Transport).unwrap();
    assert_eq!(next(&mut bench), 1);
}

#[test]
fn a_server_that_names_a_time_is_not_used_before_it_is_over() {
    let mut bench = bench();
    let lookup = bench.start("sip:b.example");
    for _ in 0..2 {
        next(&mut bench);
        bench.locator.failed(bench.now, lookup, retry_after(30)).unwrap();
    }
    assert!(bench.target().is_err());
    let until = bench.now + 30 * SECOND;
    bench.now += 29 * SECOND;
    bench.start("sip:b.example");
    let domain = "b.example".parse().unwrap();
    assert_eq!(bench.target(), Err(LocateError::Unavailable { domain, until }));
    assert_eq!(bench.locator.statistics().spared, 2);
    bench.now += SECOND;
    bench.start("sip:b.example");
    assert_eq!(next(&mut bench), 1);
}

#[test]
fn retry_after_has_a_longest_time() {
    let mut config = LocatorConfig::new([Udp]);
    config.max_retry_after = 100 * SECOND;
    let mut bench = Bench::with(config, "");
    let lookup = bench.start("sip:192.0.2.1");
    next(&mut bench);
    bench.locator.failed(bench.now, lookup, retry_after(u32::MAX)).unwrap();
    assert!(bench.target().is_err());
    bench.now += 100 * SECOND;
    bench.start("sip:192.0.2.1");
    assert_eq!(next(&mut bench), 1);
}

#[test]
fn a_503_without_a_time_is_not_remembered() {
    let mut bench = bench();
    let lookup = bench.start("sip:b.example");
    next(&mut bench);
    let unavailable = Failure::Unavailable { retry_after: None };
    bench.locator.failed(bench.now, lookup, unavailable).unwrap();
    bench.start("sip:b.example");
    assert_eq!(next(&mut bench), 2);
    assert_eq!(next(&mut bench), 1);
}

#[test]
fn a_server_that_answers_is_trusted_again() {
    let mut bench = bench();
    let lookup = bench.start("sip:192.0.2.1");
    next(&mut bench);
    bench.locator.failed(bench.now, lookup, Failure::TimedOut).unwrap();
    assert!(bench.target().is_err());
    let lookup = bench.start("sip:192.0.2.1");
    assert_eq!(next(&mut bench), 1);
    bench.locator.reached(lookup).unwrap();
    bench.start("sip:b.example");
    assert_eq!(next(&mut bench), 1);
    assert_eq!(bench.locator.reached(lookup), Err(LocateError::NoLookup));
}

#[test]
fn targets_come_before_the_addresses_behind_them_are_known() {
    let mut bench = bench();
    let lookup = bench.start("sip:b.example;transport=udp");
    let mut held = Vec::new();
    while let Some(question) = bench.locator.poll_question() {
        if question.name.as_str() == "pb2.b.example" {
            held.push(question);
            continue;
        }
        let answer = bench.zone.answer(&question);
        bench.locator.answer(bench.now, question.id, answer);
    }
    assert_eq!(held.len(), 2);
    assert_eq!(next(&mut bench), 1);
    bench.locator.failed(bench.now, lookup, Failure::Transport).unwrap();
    assert_eq!(bench.locator.poll_event(), None);
    for question in held {
        let answer = bench.zone.answer(&question);
        bench.locator.answer(bench.now, question.id, answer);
    }
    assert_eq!(next(&mut bench), 2);
}

#[test]
fn a_target_that_has_not_been_given_cannot_fail_or_be_reached() {
    let mut bench = bench();
    let lookup = bench.start("sip:b.example");
    let early = bench.locator.failed(bench.now, lookup, Failure::Transport);
    assert_eq!(early, Err(LocateError::NoTarget));
    assert_eq!(bench.locator.reached(lookup), Err(LocateError::NoTarget));
}

#[test]
fn an_abandoned_lookup_says_and_asks_nothing() {
    let mut bench = Bench::new(&[Tls], DOMAIN_B);
    let lookup = bench.start("sip:b.example");
    let numeric = bench.start("sip:192.0.2.1");
    bench.locator.abandon(lookup);
    bench.locator.abandon(numeric);
    bench.locator.abandon(numeric);
    assert_eq!(bench.locator.poll_question(), None);
    assert_eq!(bench.locator.poll_event(), None::<LocatorEvent>);
    assert_eq!(bench.locator.poll_timeout(), None);
}
