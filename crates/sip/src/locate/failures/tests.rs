use std::time::Duration;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn target(last: u8) -> Target {
    let address = ([192, 0, 2, last], 5060).into();
    Target { protocol: Protocol::Udp, address, domain: "example.com".parse().unwrap() }
}

#[test]
fn a_failure_is_forgotten_when_its_time_is_over() {
    let (start, mut failures) = (Instant::now(), Failures::new(4));
    failures.doubt(start, &target(1), start + 10 * SECOND);
    assert_eq!(failures.standing(start + 9 * SECOND, &target(1)), Standing::Doubtful);
    assert_eq!(failures.standing(start + 10 * SECOND, &target(1)), Standing::Good);
    assert_eq!(failures.standing(start, &target(2)), Standing::Good);
}

#[test]
fn a_failure_counts_for_one_protocol() {
    let (start, mut failures) = (Instant::now(), Failures::new(4));
    failures.doubt(start, &target(1), start + SECOND);
    let tcp = Target { protocol: Protocol::Tcp, ..target(1) };
    assert_eq!(failures.standing(start, &tcp), Standing::Good);
}

#[test]
fn doubt_does_not_shorten_the_time_that_a_server_asked_for() {
    let (start, mut failures) = (Instant::now(), Failures::new(4));
    let until = start + 20 * SECOND;
    failures.spare(start, &target(1), until);
    failures.doubt(start, &target(1), start + SECOND);
    assert_eq!(failures.standing(start + 19 * SECOND, &target(1)), Standing::Spared(until));
    failures.clear(&target(1));
    assert_eq!(failures.standing(start, &target(1)), Standing::Good);
}

#[test]
fn the_memory_has_a_bound() {
    let (start, mut failures) = (Instant::now(), Failures::new(3));
    for last in 1..=200 {
        failures.doubt(start, &target(last), start + u32::from(last) * SECOND);
        assert!(failures.known.len() <= 3);
    }
    assert_eq!(failures.standing(start, &target(200)), Standing::Doubtful);
    assert_eq!(failures.standing(start, &target(1)), Standing::Good);
}
