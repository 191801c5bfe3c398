use super::*;
use crate::transaction::fixture::{T1, sent, tcp, timing, udp};

struct Fixture {
    start: Instant,
    machine: NonInviteServer,
    outbox: Outbox,
}

fn fixture(flow: Flow) -> Fixture {
    let machine = NonInviteServer::start(flow, timing());
    Fixture { start: Instant::now(), machine, outbox: Outbox::default() }
}

impl Fixture {
    fn respond(&mut self, status: u16) -> Vec<String> {
        let text = Bytes::from(status.to_string());
        let status = StatusCode::new(status).unwrap();
        self.machine.respond(self.start, status, &text, &mut self.outbox);
        sent(&mut self.outbox)
    }

    fn again(&mut self) -> Vec<String> {
        self.machine.receive(&mut self.outbox);
        sent(&mut self.outbox)
    }
}

#[test]
fn trying_absorbs_repetitions_and_has_no_timer() {
    let mut fixture = fixture(udp());
    assert_eq!(fixture.again(), [""; 0]);
    assert_eq!(fixture.machine.poll_timeout(), None);
}

#[test]
fn trying_to_proceeding_repeats_the_last_provisional_response() {
    let mut fixture = fixture(udp());
    assert_eq!(fixture.respond(100), ["100"]);
    assert_eq!(fixture.again(), ["100"]);
    assert_eq!(fixture.respond(182), ["182"]);
    assert_eq!(fixture.again(), ["182"]);
    assert_eq!(fixture.machine.poll_timeout(), None);
}

#[test]
fn trying_and_proceeding_to_completed_repeat_the_first_final_response() {
    for provisional in [None, Some(100)] {
        for status in [200, 404, 500] {
            let mut fixture = fixture(udp());
            provisional.map(|status| fixture.respond(status));
            assert_eq!(fixture.respond(status), [status.to_string()]);
            assert_eq!(fixture.respond(603), [""; 0]);
            assert_eq!(fixture.respond(100), [""; 0]);
            assert_eq!(fixture.again(), [status.to_string()]);
        }
    }
}

#[test]
fn proceeding_and_completed_tell_of_the_last_response_that_fails_and_stay_as_they_are() {
    let mut fixture = fixture(udp());
    let failed = |fixture: &Fixture, flow, status: &'static str| {
        fixture.machine.response_failed(flow, &Bytes::from_static(status.as_bytes()))
    };
    assert!(!failed(&fixture, udp(), ""), "nothing was sent");
    fixture.respond(100);
    assert!(failed(&fixture, udp(), "100") && !failed(&fixture, tcp(), "100"));
    fixture.respond(200);
    assert!(failed(&fixture, udp(), "200") && !failed(&fixture, udp(), "100"));
    assert_eq!(fixture.again(), ["200"], "as before");
}

#[test]
fn completed_ends_with_timer_j_after_64_t1_or_at_once_if_reliable() {
    let mut unreliable = fixture(udp());
    unreliable.respond(200);
    let end = unreliable.start + Duration::from_millis(64 * T1);
    unreliable.machine.handle_timeout(end - Duration::from_millis(1));
    assert!(!unreliable.machine.is_terminated());
    unreliable.machine.handle_timeout(end);
    assert!(unreliable.machine.is_terminated());
    assert_eq!(unreliable.again(), [""; 0]);
    let mut reliable = fixture(tcp());
    reliable.respond(200);
    reliable.machine.handle_timeout(reliable.start);
    assert!(reliable.machine.is_terminated());
}
