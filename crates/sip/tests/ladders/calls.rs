//! The calls of RFC 3665 §3. Those that differ for the proxies alone look alike from here; §3.4 is of
//! a client that finds another proxy, and §3.10 of a telephone that is not there.

use offhook_sip::Event;
use offhook_sip_message::{Contact, NameAddr, Parameters, StatusCode};

use crate::stage::{Stage, session, uri};

fn is(stage: Stage, section: &str) {
    stage.is("rfc3665", section);
}

#[test]
fn section_3_1_and_3_2_and_3_5_sessions_are_established_and_ended() {
    for (section, ends) in [("3.1", "Bob"), ("3.2", "Bob"), ("3.5", "Alice")] {
        let mut stage = Stage::new(&["Alice", "Bob"]);
        let (placed, taken) = stage.standing("Alice", "Bob");
        stage.hang_up(ends, if ends == "Bob" { taken } else { placed });
        is(stage, section);
    }
}

#[test]
fn section_3_3_a_session_is_answered_at_once() {
    let mut stage = Stage::new(&["Alice", "Bob"]);
    let (_, taken) = stage.call("Alice", "Bob");
    stage.answer("Bob", taken);
    is(stage, "3.3");
}

#[test]
fn section_3_6_a_redirect_is_followed_and_the_offer_comes_late() {
    let mut stage = Stage::new(&["Alice", "Redirect Server", "Bob"]);
    let (placed, moved) = stage.call_with("Alice", "Redirect Server", None, &[]);
    let bob = stage.flow("Alice", "Bob");
    let address = NameAddr::new(uri(bob.remote));
    let contact = Contact::Address { address, parameters: Parameters::new() };
    let status = StatusCode::MOVED_TEMPORARILY;
    stage.act("Redirect Server", |agent, now| agent.redirect(now, moved, status, &[contact]));
    let told = stage.events("Alice").iter().any(|it| matches!(it, Event::Redirected { .. }));
    assert!(told);
    stage.act("Alice", |agent, now| agent.follow(now, placed, &uri(bob.remote), bob));
    let taken = stage.incoming("Bob");
    stage.act("Bob", |agent, now| agent.ring(now, taken));
    stage.answer("Bob", taken);
    stage.act("Alice", |agent, now| agent.acknowledge(now, placed, Some(session())));
    stage.hang_up("Bob", taken);
    is(stage, "3.6");
}

#[test]
fn section_3_7_a_session_is_changed() {
    let mut stage = Stage::new(&["Alice", "Bob"]);
    let (placed, taken) = stage.standing("Alice", "Bob");
    stage.reinvite("Bob", taken);
    stage.hang_up("Alice", placed);
    is(stage, "3.7");
}

#[test]
fn section_3_8_a_call_that_is_not_answered_is_cancelled() {
    let mut stage = Stage::new(&["Alice", "Bob"]);
    let (placed, taken) = stage.call("Alice", "Bob");
    stage.act("Bob", |agent, now| agent.ring(now, taken));
    stage.hang_up("Alice", placed);
    is(stage, "3.8");
}

#[test]
fn section_3_9_a_callee_is_busy() {
    let mut stage = Stage::new(&["Alice", "Bob"]);
    let (_, taken) = stage.call("Alice", "Bob");
    stage.act("Bob", |agent, now| agent.reject(now, taken, StatusCode::BUSY_HERE));
    is(stage, "3.9");
}

#[test]
fn section_3_11_a_callee_rings_and_is_not_there() {
    let mut stage = Stage::new(&["Alice", "Bob"]);
    let (_, taken) = stage.call("Alice", "Bob");
    stage.act("Bob", |agent, now| agent.ring(now, taken));
    stage.act("Bob", |agent, now| agent.reject(now, taken, StatusCode::TEMPORARILY_UNAVAILABLE));
    is(stage, "3.11");
}
