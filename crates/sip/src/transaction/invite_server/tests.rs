use std::cell::RefCell;

use super::*;
use crate::transaction::fixture::{T1, T4, sent, tcp, times, timing, udp};

struct Fixture {
    start: Instant,
    machine: InviteServer,
    outbox: Outbox,
}

fn fixture(flow: Flow) -> Fixture {
    let mut outbox = Outbox::default();
    let mut machine = InviteServer::start(flow, timing(), &Bytes::from("100"));
    machine.receive_invite(&mut outbox);
    assert_eq!(sent(&mut outbox), ["100"], "the first INVITE gets its 100");
    Fixture { start: Instant::now(), machine, outbox }
}

impl Fixture {
    fn at(&self, millis: u64) -> Instant {
        self.start + Duration::from_millis(millis)
    }

    fn respond(&mut self, millis: u64, status: u16) -> Vec<String> {
        let (now, text) = (self.at(millis), Bytes::from(status.to_string()));
        let status = StatusCode::new(status).unwrap();
        self.machine.respond(now, status, &text, &mut self.outbox);
        sent(&mut self.outbox)
    }

    fn invite(&mut self) -> Vec<String> {
        self.machine.receive_invite(&mut self.outbox);
        sent(&mut self.outbox)
    }

    fn timeout(&mut self, millis: u64) -> Option<Failure> {
        self.machine.handle_timeout(self.at(millis), &mut self.outbox)
    }
}

#[test]
fn proceeding_repeats_the_last_provisional_response() {
    let mut fixture = fixture(udp());
    assert_eq!(fixture.invite(), ["100"]);
    assert_eq!(fixture.respond(10, 180), ["180"]);
    assert_eq!(fixture.respond(20, 183), ["183"]);
    assert_eq!(fixture.invite(), ["183"]);
    assert_eq!(fixture.machine.poll_timeout(), None);
    assert!(fixture.machine.awaits_final_response());
}

fn patient() -> Fixture {
    let machine = InviteServer::start(udp(), timing(), &Bytes::from("100"));
    let mut fixture = Fixture { start: Instant::now(), machine, outbox: Outbox::default() };
    fixture.machine.try_at(fixture.at(200));
    fixture
}

#[test]
fn the_100_waits_for_a_user_who_may_be_faster() {
    let mut slow = patient();
    assert_eq!(slow.timeout(199), None);
    assert_eq!(sent(&mut slow.outbox), [""; 0]);
    slow.timeout(200);
    assert_eq!(sent(&mut slow.outbox), ["100"]);
    assert_eq!(slow.machine.poll_timeout(), None, "once");

    for status in [180, 200, 486] {
        let mut fast = patient();
        assert_eq!(fast.respond(100, status), [status.to_string()]);
        fast.timeout(200);
        assert_eq!(sent(&mut fast.outbox), [""; 0], "after {status}");
    }

    let mut repeated = patient();
    assert_eq!(repeated.invite(), ["100"]);
    repeated.timeout(200);
    assert_eq!(sent(&mut repeated.outbox), [""; 0]);
}

#[test]
fn proceeding_absorbs_an_ack() {
    let mut fixture = fixture(udp());
    assert!(!fixture.machine.receive_ack(fixture.at(10)));
    assert!(fixture.machine.awaits_final_response());
}

#[test]
fn completed_repeats_a_failure_under_timer_g_up_to_t2_until_timer_h() {
    let mut fixture = fixture(udp());
    assert_eq!(fixture.respond(0, 486), ["486"]);
    let (start, fixture) = (fixture.start, RefCell::new(fixture));
    let failure = RefCell::new(None);
    let times = times(
        start,
        60_000,
        || fixture.borrow().machine.poll_timeout(),
        |at| {
            let fixture = &mut *fixture.borrow_mut();
            *failure.borrow_mut() = fixture.machine.handle_timeout(at, &mut fixture.outbox);
            sent(&mut fixture.outbox).len()
        },
    );
    let expected = [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];
    assert_eq!(times, expected);
    assert_eq!(*failure.borrow(), Some(Failure::TimedOut));
    assert!(fixture.borrow().machine.is_terminated());
}

#[test]
fn completed_over_a_reliable_transport_has_timer_h_alone() {
    let mut fixture = fixture(tcp());
    fixture.respond(0, 486);
    assert_eq!(fixture.machine.poll_timeout(), Some(fixture.at(64 * T1)));
    assert_eq!(fixture.timeout(64 * T1), Some(Failure::TimedOut));
}

#[test]
fn completed_answers_a_repeated_invite_and_takes_no_other_response() {
    let mut fixture = fixture(udp());
    fixture.respond(0, 486);
    assert_eq!(fixture.invite(), ["486"]);
    for status in [180, 200, 603] {
        assert_eq!(fixture.respond(10, status), [""; 0]);
    }
    assert_eq!(fixture.invite(), ["486"]);
}

#[test]
fn completed_to_confirmed_stops_the_repetitions_and_absorbs_until_timer_i() {
    let mut fixture = fixture(udp());
    fixture.respond(0, 486);
    assert!(!fixture.machine.receive_ack(fixture.at(100)));
    assert!(!fixture.machine.receive_ack(fixture.at(200)), "a repeated ACK");
    assert_eq!(fixture.invite(), [""; 0]);
    assert_eq!(fixture.machine.poll_timeout(), Some(fixture.at(100 + T4)));
    assert_eq!(fixture.timeout(100 + T4), None);
    assert!(fixture.machine.is_terminated());
    assert_eq!(sent(&mut fixture.outbox), [""; 0], "Timer G has stopped");
}

#[test]
fn confirmed_ends_at_once_over_a_reliable_transport() {
    let mut fixture = fixture(tcp());
    fixture.respond(0, 486);
    fixture.machine.receive_ack(fixture.at(100));
    fixture.timeout(100);
    assert!(fixture.machine.is_terminated());
}

#[test]
fn accepted_absorbs_the_invite_and_passes_each_ack() {
    let mut fixture = fixture(udp());
    assert_eq!(fixture.respond(0, 200), ["200"]);
    assert_eq!(fixture.invite(), [""; 0]);
    assert!(fixture.machine.receive_ack(fixture.at(100)));
    assert!(fixture.machine.receive_ack(fixture.at(200)));
    assert!(!fixture.machine.awaits_final_response());
}

#[test]
fn accepted_sends_each_2xx_of_the_user_and_no_other_response() {
    let mut fixture = fixture(udp());
    fixture.respond(0, 200);
    assert_eq!(fixture.respond(500, 200), ["200"]);
    assert_eq!(fixture.respond(600, 486), [""; 0]);
    assert_eq!(fixture.respond(700, 180), [""; 0]);
}

#[test]
fn accepted_ends_with_timer_l_over_all_transports_and_repeats_nothing_itself() {
    for flow in [udp(), tcp()] {
        let mut fixture = fixture(flow);
        fixture.respond(0, 200);
        assert_eq!(fixture.machine.poll_timeout(), Some(fixture.at(64 * T1)));
        assert_eq!(fixture.timeout(64 * T1), None);
        assert!(fixture.machine.is_terminated());
        assert_eq!(sent(&mut fixture.outbox), [""; 0]);
    }
}

#[test]
fn proceeding_and_completed_tell_of_the_last_response_that_fails_and_stay_as_they_are() {
    let failed = |fixture: &Fixture, flow, status: &'static str| {
        fixture.machine.response_failed(flow, &Bytes::from_static(status.as_bytes()))
    };
    let mut fixture = fixture(udp());
    assert!(failed(&fixture, udp(), "100"));
    fixture.respond(0, 180);
    assert!(failed(&fixture, udp(), "180"));
    assert!(!failed(&fixture, udp(), "100"), "one before the last");
    assert!(!failed(&fixture, tcp(), "180"), "another flow");
    assert_eq!(fixture.invite(), ["180"], "as before");
    fixture.respond(0, 486);
    assert!(failed(&fixture, udp(), "486"));
    assert_eq!(fixture.invite(), ["486"], "as before");
    fixture.machine.receive_ack(fixture.at(100));
    assert!(!failed(&fixture, udp(), "486"), "it has arrived");
}

#[test]
fn accepted_stays_when_its_2xx_fails_and_leaves_it_to_the_missing_ack() {
    let mut fixture = fixture(udp());
    fixture.respond(0, 200);
    assert!(!fixture.machine.response_failed(udp(), &Bytes::from_static(b"200")));
    assert_eq!(fixture.respond(500, 200), ["200"]);
}

#[test]
fn terminated_takes_nothing_any_more() {
    let mut fixture = fixture(udp());
    fixture.respond(0, 200);
    fixture.timeout(64 * T1);
    assert_eq!(fixture.invite(), [""; 0]);
    assert_eq!(fixture.respond(40_000, 200), [""; 0]);
    assert!(!fixture.machine.receive_ack(fixture.at(40_000)));
}
