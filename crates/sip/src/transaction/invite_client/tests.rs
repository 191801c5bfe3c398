use std::cell::RefCell;

use super::*;
use crate::transaction::fixture::{T1, plain, request, response, sent, tcp, times, timing, udp};

struct Fixture {
    start: Instant,
    machine: InviteClient,
    outbox: Outbox,
}

fn fixture(flow: Flow) -> Fixture {
    let (start, mut outbox) = (Instant::now(), Outbox::default());
    let machine = InviteClient::start(start, plain("INVITE"), flow, timing(), &mut outbox);
    assert_eq!(sent(&mut outbox), ["INVITE"]);
    Fixture { start, machine, outbox }
}

impl Fixture {
    fn at(&self, millis: u64) -> Instant {
        self.start + Duration::from_millis(millis)
    }

    fn receive(&mut self, millis: u64, status: u16) -> bool {
        let (now, response) = (self.at(millis), response(status, "INVITE", "b"));
        self.machine.receive(now, &response, &mut self.outbox)
    }

    fn timeout(&mut self, millis: u64) -> Option<Failure> {
        self.machine.handle_timeout(self.at(millis), &mut self.outbox)
    }

    fn sent(&mut self) -> Vec<String> {
        sent(&mut self.outbox)
    }
}

#[test]
fn calling_timer_a_doubles_without_a_cap_until_timer_b_tells_the_user() {
    let fixture = RefCell::new(fixture(udp()));
    let start = fixture.borrow().start;
    let failure = RefCell::new(None);
    let sent = times(
        start,
        60_000,
        || fixture.borrow().machine.poll_timeout(),
        |at| {
            let fixture = &mut *fixture.borrow_mut();
            *failure.borrow_mut() = fixture.machine.handle_timeout(at, &mut fixture.outbox);
            fixture.sent().len()
        },
    );
    assert_eq!(sent, [1, 3, 7, 15, 31, 63].map(|n| n * T1));
    assert_eq!(*failure.borrow(), Some(Failure::TimedOut));
    assert!(fixture.borrow().machine.is_terminated());
}

#[test]
fn calling_over_a_reliable_transport_retransmits_nothing_but_times_out() {
    let mut fixture = fixture(tcp());
    assert_eq!(fixture.machine.poll_timeout(), Some(fixture.at(64 * T1)));
    assert_eq!(fixture.timeout(64 * T1), Some(Failure::TimedOut));
    assert_eq!(fixture.sent(), [""; 0]);
}

#[test]
fn calling_to_proceeding_passes_the_1xx_and_stops_timers_a_and_b() {
    let mut fixture = fixture(udp());
    assert!(fixture.receive(100, 180));
    assert_eq!(fixture.machine.poll_timeout(), None);
    assert_eq!(fixture.timeout(64 * T1), None);
    assert_eq!(fixture.sent(), [""; 0]);
}

#[test]
fn proceeding_passes_every_further_1xx() {
    let mut fixture = fixture(udp());
    assert!(fixture.receive(100, 100));
    assert!(fixture.receive(200, 180) && fixture.receive(300, 180));
}

#[test]
fn calling_and_proceeding_to_completed_pass_a_failure_and_acknowledge_it() {
    for provisional in [None, Some(180)] {
        for status in [300, 404, 503, 603] {
            let mut fixture = fixture(udp());
            provisional.map(|status| fixture.receive(50, status));
            assert!(fixture.receive(100, status));
            assert_eq!(fixture.sent(), ["ACK"]);
        }
    }
}

#[test]
fn completed_acknowledges_each_repetition_without_telling_the_user() {
    let mut fixture = fixture(udp());
    fixture.receive(100, 404);
    fixture.sent();
    assert!(!fixture.receive(200, 404) && !fixture.receive(300, 404));
    assert_eq!(fixture.sent(), ["ACK", "ACK"]);
    assert!(!fixture.receive(400, 180) && !fixture.receive(500, 200));
    assert_eq!(fixture.sent(), [""; 0], "only failures are acknowledged here");
}

#[test]
fn completed_ends_with_timer_d_after_32_s_or_at_once_if_reliable() {
    let mut unreliable = fixture(udp());
    unreliable.receive(100, 404);
    assert_eq!(unreliable.timeout(32_099), None);
    assert!(!unreliable.machine.is_terminated());
    assert_eq!(unreliable.timeout(32_100), None);
    assert!(unreliable.machine.is_terminated());
    let mut reliable = fixture(tcp());
    reliable.receive(100, 404);
    assert_eq!(reliable.sent(), ["ACK"], "even if the transport is reliable");
    reliable.timeout(100);
    assert!(reliable.machine.is_terminated());
}

#[test]
fn timer_d_is_32_s_however_short_t1_is() {
    let (start, mut outbox) = (Instant::now(), Outbox::default());
    let quick = Timing { t1: Duration::from_millis(10), ..timing() };
    let mut machine = InviteClient::start(start, plain("INVITE"), udp(), quick, &mut outbox);
    machine.receive(start, &response(404, "INVITE", "b"), &mut outbox);
    assert_eq!(machine.poll_timeout(), Some(start + Duration::from_secs(32)));
}

#[test]
fn calling_and_proceeding_to_accepted_pass_the_2xx_and_acknowledge_nothing() {
    for provisional in [None, Some(180)] {
        let mut fixture = fixture(udp());
        provisional.map(|status| fixture.receive(50, status));
        assert!(fixture.receive(100, 200));
        assert_eq!(fixture.machine.poll_timeout(), Some(fixture.at(100 + 64 * T1)));
        assert_eq!(fixture.sent(), [""; 0]);
    }
}

#[test]
fn accepted_passes_each_2xx_and_nothing_else_until_timer_m() {
    let mut fixture = fixture(udp());
    fixture.receive(100, 200);
    assert!(fixture.receive(200, 200) && fixture.receive(300, 202));
    assert!(!fixture.receive(400, 180) && !fixture.receive(500, 486));
    assert_eq!(fixture.sent(), [""; 0]);
    assert_eq!(fixture.timeout(99 + 64 * T1), None);
    assert!(!fixture.machine.is_terminated());
    assert_eq!(fixture.timeout(100 + 64 * T1), None);
    assert!(fixture.machine.is_terminated());
}

#[test]
fn with_a_limit_timer_b_ends_proceeding_too_whatever_provisionals_come() {
    // Timer B of an INVITE that nobody has answered runs from its sending on.
    for (before, from) in [(None, 0), (Some(180), 200)] {
        let mut fixture = fixture(udp());
        before.map(|status| fixture.receive(100, status));
        fixture.machine.limit(fixture.at(200));
        assert!(fixture.receive(300, 180) && fixture.receive(400, 180));
        assert_eq!(fixture.timeout(from + 64 * T1 - 1), None);
        assert_eq!(fixture.timeout(from + 64 * T1), Some(Failure::TimedOut));
        assert!(fixture.machine.is_terminated());
    }
}

#[test]
fn a_transport_error_ends_calling_and_completed_and_tells_the_user() {
    let mut calling = fixture(udp());
    assert_eq!(calling.machine.transport_failed(), Some(Failure::Transport));
    assert!(calling.machine.is_terminated());
    let mut completed = fixture(udp());
    completed.receive(100, 404);
    assert_eq!(completed.machine.transport_failed(), Some(Failure::Transport));
    assert!(completed.machine.is_terminated());
}

#[test]
fn a_transport_error_leaves_proceeding_and_accepted_alone() {
    for status in [180, 200] {
        let mut fixture = fixture(udp());
        fixture.receive(100, status);
        assert_eq!(fixture.machine.transport_failed(), None);
        assert!(!fixture.machine.is_terminated());
    }
}

#[test]
fn terminated_takes_nothing_any_more() {
    let mut fixture = fixture(udp());
    fixture.machine.transport_failed();
    for status in [180, 200, 404] {
        assert!(!fixture.receive(100, status));
    }
    assert_eq!(fixture.machine.transport_failed(), None);
    assert_eq!((fixture.machine.poll_timeout(), fixture.sent()), (None, vec![]));
}

#[test]
fn the_ack_has_the_via_the_routes_and_the_to_tag() {
    // The example of RFC 3261 §17.1.1.3, with routes.
    let via = "SIP/2.0/UDP pc33.atlanta.example;branch=z9hG4bKkjshdyff";
    let more = "To: Bob <sip:bob@biloxi.example>\r\nRoute: <sip:p1.example;lr>\r\n\
                Route: <sip:p2.example;lr>\r\n";
    let ack = acknowledge(&request("INVITE", via, more), &response(404, "INVITE", "99sa0xk"));
    let ack = String::from_utf8(ack.unwrap().as_bytes().to_vec()).unwrap();
    assert!(ack.starts_with("ACK sip:bob@192.0.2.2 SIP/2.0\r\n"));
    for line in [
        "Via: SIP/2.0/UDP pc33.atlanta.example;branch=z9hG4bKkjshdyff",
        "From: <sip:a@a.example>;tag=a",
        "To: <sip:b@b.example>;tag=99sa0xk",
        "Call-ID: c1",
        "CSeq: 7 ACK",
        "Max-Forwards: 70",
        "Route: <sip:p1.example;lr>",
        "Route: <sip:p2.example;lr>",
    ] {
        assert_eq!(ack.lines().filter(|other| *other == line).count(), 1, "{line} in {ack}");
    }
}
