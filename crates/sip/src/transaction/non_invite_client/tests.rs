use std::cell::RefCell;

use super::*;
use crate::transaction::fixture::{T1, T2, T4, plain, sent, tcp, times, timing, udp};

struct Fixture {
    start: Instant,
    machine: NonInviteClient,
    outbox: Outbox,
}

fn fixture(flow: Flow) -> Fixture {
    let (start, mut outbox) = (Instant::now(), Outbox::default());
    let machine = NonInviteClient::start(start, plain("BYE"), flow, timing(), &mut outbox);
    assert_eq!(sent(&mut outbox), ["BYE"]);
    Fixture { start, machine, outbox }
}

impl Fixture {
    fn at(&self, millis: u64) -> Instant {
        self.start + Duration::from_millis(millis)
    }

    fn receive(&mut self, millis: u64, status: u16) -> bool {
        self.machine.receive(self.at(millis), StatusCode::new(status).unwrap())
    }

    fn timeout(&mut self, millis: u64) -> Option<Failure> {
        self.machine.handle_timeout(self.at(millis), &mut self.outbox)
    }
}

/// When the request is sent again up to `end`, and what the user is told at last.
fn retransmissions(fixture: Fixture, end: u64) -> (Vec<u64>, Option<Failure>, bool) {
    let (start, fixture) = (fixture.start, RefCell::new(fixture));
    let failure = RefCell::new(None);
    let times = times(
        start,
        end,
        || fixture.borrow().machine.poll_timeout(),
        |at| {
            let fixture = &mut *fixture.borrow_mut();
            *failure.borrow_mut() = fixture.machine.handle_timeout(at, &mut fixture.outbox);
            sent(&mut fixture.outbox).len()
        },
    );
    let terminated = fixture.borrow().machine.is_terminated();
    (times, failure.into_inner(), terminated)
}

#[test]
fn trying_timer_e_doubles_up_to_t2_until_timer_f_tells_the_user() {
    let (times, failure, terminated) = retransmissions(fixture(udp()), 60_000);
    let expected = [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];
    assert_eq!(times, expected);
    assert_eq!((failure, terminated), (Some(Failure::TimedOut), true));
}

#[test]
fn trying_over_a_reliable_transport_retransmits_nothing_but_times_out() {
    let (times, failure, _) = retransmissions(fixture(tcp()), 60_000);
    assert_eq!((times, failure), (vec![], Some(Failure::TimedOut)));
}

#[test]
fn trying_to_proceeding_passes_the_1xx_and_slows_timer_e_to_t2() {
    let mut fixture = fixture(udp());
    assert!(fixture.receive(100, 100) && fixture.receive(200, 100));
    let (times, failure, terminated) = retransmissions(fixture, 60_000);
    assert_eq!(times[..3], [T1, T1 + T2, T1 + 2 * T2]);
    assert_eq!((failure, terminated), (Some(Failure::TimedOut), true), "Timer F");
}

#[test]
fn trying_and_proceeding_to_completed_pass_the_first_final_response_only() {
    for provisional in [None, Some(100)] {
        for status in [200, 302, 481, 500, 603] {
            let mut fixture = fixture(udp());
            provisional.map(|status| fixture.receive(50, status));
            assert!(fixture.receive(100, status));
            assert!(!fixture.receive(200, status) && !fixture.receive(300, 180));
        }
    }
}

#[test]
fn completed_ends_with_timer_k_after_t4_or_at_once_if_reliable() {
    let mut unreliable = fixture(udp());
    unreliable.receive(100, 200);
    assert_eq!(unreliable.timeout(99 + T4), None);
    assert!(!unreliable.machine.is_terminated());
    assert_eq!(unreliable.timeout(100 + T4), None);
    assert!(unreliable.machine.is_terminated());
    assert_eq!(sent(&mut unreliable.outbox), [""; 0], "Timers E and F have stopped");
    let mut reliable = fixture(tcp());
    reliable.receive(100, 200);
    reliable.timeout(100);
    assert!(reliable.machine.is_terminated());
}

#[test]
fn a_transport_error_ends_trying_and_proceeding_and_tells_the_user() {
    for provisional in [None, Some(100)] {
        let mut fixture = fixture(udp());
        provisional.map(|status| fixture.receive(50, status));
        assert_eq!(fixture.machine.transport_failed(), Some(Failure::Transport));
        assert!(fixture.machine.is_terminated());
        assert_eq!(fixture.machine.transport_failed(), None);
        assert!(!fixture.receive(100, 200));
    }
}

#[test]
fn a_transport_error_leaves_completed_alone() {
    let mut fixture = fixture(udp());
    fixture.receive(100, 200);
    assert_eq!(fixture.machine.transport_failed(), None);
    assert!(!fixture.machine.is_terminated());
}
