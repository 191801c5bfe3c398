//! Time limits of questions and lookups, and how long answers are kept. The clock is virtual.

use std::time::Duration;

use offhook_sansio::Protocol::{Tcp, Udp};
use offhook_sip::{DnsAnswer, LocateError, LocatorConfig};

use crate::zone::{Bench, TTL};

const SECOND: Duration = Duration::from_secs(1);

const ZONE: &str = "
    _sip._udp.example.com SRV 0 0 5060 a.example.com
    a.example.com A 192.0.2.1
";

impl Bench {
    /// Lets the clock jump to the next deadline.
    fn sleep(&mut self) {
        self.now = self.locator.poll_timeout().expect("something is due");
        self.locator.handle_timeout(self.now);
    }
}

#[test]
fn a_question_without_an_answer_is_given_up_and_the_next_step_follows() {
    let mut bench = Bench::new(&[Udp], "example.com A 192.0.2.1");
    let start = bench.now;
    bench.start("sip:example.com");
    let naptr = bench.locator.poll_question().unwrap();
    bench.sleep();
    assert_eq!(bench.now, start + 3 * SECOND);
    let srv = bench.locator.poll_question().unwrap();
    assert_eq!(srv.name.as_str(), "_sip._udp.example.com");
    bench.locator.answer(bench.now, srv.id, DnsAnswer::Failed);
    assert_eq!(bench.target().unwrap().address, ([192, 0, 2, 1], 5060).into());
    bench.locator.answer(bench.now, naptr.id, DnsAnswer::Failed);
    let statistics = bench.locator.statistics();
    assert_eq!((statistics.timed_out, statistics.stale_answers), (1, 1));
}

#[test]
fn a_lookup_without_any_answer_ends_at_its_time() {
    let mut bench = Bench::new(&[Udp, Tcp], "");
    let start = bench.now;
    bench.start("sip:example.com");
    let error = loop {
        while bench.locator.poll_question().is_some() {}
        if bench.locator.poll_event().is_some_and(|event| {
            matches!(
                event,
                offhook_sip::LocatorEvent::Refused { error: LocateError::TimedOut { .. }, .. }
            )
        }) {
            break bench.now;
        }
        bench.sleep();
    };
    assert_eq!(error, start + 8 * SECOND);
    assert_eq!(bench.locator.poll_timeout(), None);
    assert_eq!(bench.locator.poll_question(), None);
}

#[test]
fn a_server_that_dns_is_silent_about_is_passed_over_for_the_next() {
    let zone = "
        _sip._udp.example.com SRV 0 0 5060 silent.example.com
        _sip._udp.example.com SRV 1 0 5060 a.example.com
        a.example.com A 192.0.2.1
    ";
    let mut bench = Bench::new(&[Udp], zone);
    bench.start("sip:example.com;transport=udp");
    while let Some(question) = bench.locator.poll_question() {
        if question.name.as_str() != "silent.example.com" {
            let answer = bench.zone.answer(&question);
            bench.locator.answer(bench.now, question.id, answer);
        }
    }
    assert_eq!(bench.locator.poll_event(), None);
    bench.sleep();
    assert_eq!(bench.target().unwrap().address, ([192, 0, 2, 1], 5060).into());
}

#[test]
fn failing_dns_is_told_from_silent_dns_and_from_no_domain() {
    let mut bench = Bench::new(&[Udp], "");
    bench.start("sip:example.com");
    while let Some(question) = bench.locator.poll_question() {
        bench.locator.answer(bench.now, question.id, DnsAnswer::Failed);
    }
    let domain = "example.com".parse().unwrap();
    assert_eq!(bench.target(), Err(LocateError::DnsFailed { domain }));
}

#[test]
fn an_early_timeout_changes_nothing() {
    let mut bench = Bench::new(&[Udp], ZONE);
    bench.start("sip:example.com");
    let due = bench.locator.poll_timeout();
    bench.locator.handle_timeout(bench.now + SECOND);
    bench.locator.handle_timeout(bench.now + SECOND);
    assert_eq!(bench.locator.poll_timeout(), due);
    assert!(bench.target().is_ok());
    assert_eq!(bench.locator.poll_timeout(), None);
}

#[test]
fn answers_are_kept_for_their_ttl() {
    let mut bench = Bench::new(&[Udp], ZONE);
    bench.all("sip:example.com");
    let asked = bench.asked.len();
    bench.now += TTL - SECOND;
    bench.all("sip:example.com");
    assert_eq!(bench.asked.len(), asked);
    assert_eq!(bench.locator.statistics().kept, asked as u64);
    bench.now += SECOND;
    bench.all("sip:example.com");
    assert_eq!(bench.asked.len(), 2 * asked);
}

#[test]
fn lookups_at_the_same_time_share_their_questions() {
    let mut bench = Bench::new(&[Udp], ZONE);
    let one = bench.start("sip:example.com");
    let two = bench.start("sip:example.com");
    let given_up = bench.start("sip:example.com");
    bench.locator.abandon(given_up);
    assert!(bench.target().is_ok());
    assert!(bench.target().is_ok());
    let mut asked = bench.asked.clone();
    asked.dedup();
    assert_eq!((asked.len(), bench.asked.len()), (4, 4));
    bench.locator.reached(one).unwrap();
    bench.locator.reached(two).unwrap();
    assert_eq!(bench.locator.poll_event(), None);
}

#[test]
fn times_without_end_are_cut() {
    let mut config = LocatorConfig::new([Udp]);
    (config.question_time, config.lookup_time) = (Duration::MAX, Duration::MAX);
    let mut bench = Bench::with(config, ZONE);
    bench.start("sip:example.com");
    assert_eq!(bench.locator.poll_timeout(), Some(bench.now + 24 * 3600 * SECOND));
}
