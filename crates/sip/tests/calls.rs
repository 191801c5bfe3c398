//! Whole calls between two user agents, without loss.
#![cfg(test)]

mod support;

use std::time::Instant;

use offhook_sansio::{Datagram, Flow, Machine, Protocol, Random};
use offhook_sip::{Config, End, Error, Event, Invite, UserAgent};
use offhook_sip_message::{NameAddr, StatusCode};
use support::{ALICE, BOB, Do, Net, On};

fn answering() -> Net {
    Net::new().script(BOB, On::Incoming, 0.1, Do::Ring).script(BOB, On::Incoming, 2.0, Do::Answer)
}

fn lines(net: &Net) -> Vec<(usize, &str)> {
    net.sent.iter().map(|(_, side, line)| (*side, line.as_str())).collect()
}

#[test]
fn a_call_is_placed_answered_and_hung_up() {
    let mut net = answering().script(ALICE, On::Answered, 3.0, Do::HangUp);
    net.call();
    net.finish();
    let expected = [
        (ALICE, "INVITE"),
        (BOB, "100 INVITE"),
        (BOB, "180 INVITE"),
        (BOB, "200 INVITE"),
        (ALICE, "ACK"),
        (ALICE, "BYE"),
        (BOB, "200 BYE"),
    ];
    assert_eq!(lines(&net), expected);
    assert_eq!((net.ends(ALICE), net.ends(BOB)), (vec![End::HungUp], vec![End::PeerHungUp]));
    assert_eq!(net.agents[ALICE].statistics().total_dropped(), 0);
    assert_eq!(net.agents[BOB].statistics().total_dropped(), 0);
}

#[test]
fn the_callee_hangs_up() {
    let mut net = answering().script(BOB, On::Established, 3.0, Do::HangUp);
    net.call();
    net.finish();
    assert_eq!((net.ends(ALICE), net.ends(BOB)), (vec![End::PeerHungUp], vec![End::HungUp]));
}

#[test]
fn both_hang_up_at_once() {
    let mut net = answering().script(ALICE, On::Answered, 3.02, Do::HangUp).script(
        BOB,
        On::Established,
        3.0,
        Do::HangUp,
    );
    net.call();
    net.finish();
    assert_eq!((net.count(ALICE, "BYE"), net.count(BOB, "BYE")), (1, 1));
    assert_eq!((net.ends(ALICE), net.ends(BOB)), (vec![End::HungUp], vec![End::HungUp]));
}

#[test]
fn the_callee_rejects() {
    let mut net = Net::new().script(BOB, On::Incoming, 1.0, Do::Reject(486));
    net.call();
    net.finish();
    let status = StatusCode::BUSY_HERE;
    assert_eq!(net.ends(ALICE), [End::Rejected { status, reason: "Busy Here".into() }]);
    assert_eq!(net.ends(BOB), [End::Refused { status }]);
    assert_eq!(net.count(ALICE, "ACK"), 1);
}

#[test]
fn the_callee_hangs_up_while_it_rings() {
    let mut net = Net::new().script(BOB, On::Incoming, 1.0, Do::HangUp);
    net.call();
    net.finish();
    assert_eq!(net.ends(BOB), [End::Refused { status: StatusCode::TEMPORARILY_UNAVAILABLE }]);
    assert_eq!(net.ends(ALICE)[0].status(), Some(StatusCode::TEMPORARILY_UNAVAILABLE));
}

#[test]
fn the_caller_hangs_up_while_it_rings() {
    let mut net = answering().script(ALICE, On::Progress, 1.0, Do::HangUp);
    net.call();
    net.finish();
    assert_eq!((net.ends(ALICE), net.ends(BOB)), (vec![End::Cancelled], vec![End::PeerCancelled]));
    assert_eq!((net.count(ALICE, "CANCEL"), net.count(BOB, "200 CANCEL")), (1, 1));
    assert_eq!((net.count(BOB, "487 INVITE"), net.count(ALICE, "ACK")), (1, 1));
}

#[test]
fn hanging_up_before_any_response_cancels_at_the_first_provisional() {
    let mut net = answering().script(ALICE, On::Placed, 0.0, Do::HangUp);
    net.call();
    net.finish();
    assert_eq!(lines(&net)[..3], [(ALICE, "INVITE"), (BOB, "100 INVITE"), (ALICE, "CANCEL")]);
    assert_eq!((net.ends(ALICE), net.ends(BOB)), (vec![End::Cancelled], vec![End::PeerCancelled]));
}

#[test]
fn a_cancel_that_meets_the_200_becomes_a_bye() {
    // Bob answers while the CANCEL is on its way.
    let mut net = Net::new()
        .script(BOB, On::Incoming, 0.0, Do::Ring)
        .script(BOB, On::Incoming, 1.01, Do::Answer)
        .script(ALICE, On::Progress, 0.98, Do::HangUp);
    net.call();
    net.finish();
    assert_eq!((net.count(ALICE, "CANCEL"), net.count(BOB, "200 INVITE")), (1, 1));
    assert_eq!((net.count(ALICE, "ACK"), net.count(ALICE, "BYE")), (1, 1));
    assert_eq!(net.count(BOB, "200 CANCEL"), 1, "the CANCEL finds its transaction");
    assert_eq!((net.ends(ALICE), net.ends(BOB)), (vec![End::HungUp], vec![End::PeerHungUp]));
    assert!(!net.has(ALICE, |event| matches!(event, Event::Answered { .. })));
}

#[test]
fn the_callee_that_hangs_up_before_the_ack_waits_for_it() {
    let mut net = answering().script(BOB, On::Incoming, 2.01, Do::HangUp);
    net.call();
    net.finish();
    let lines = lines(&net);
    let ack = lines.iter().position(|line| *line == (ALICE, "ACK")).unwrap();
    let bye = lines.iter().position(|line| *line == (BOB, "BYE")).unwrap();
    assert!(ack < bye);
    assert!(!net.has(BOB, |event| matches!(event, Event::Established { .. })));
    assert_eq!((net.ends(ALICE), net.ends(BOB)), (vec![End::PeerHungUp], vec![End::HungUp]));
}

#[test]
fn hanging_up_twice_is_harmless_and_a_stale_id_is_an_error() {
    let mut net = answering();
    let call = net.call();
    net.run(3.0);
    assert_eq!(net.act(ALICE, call, &Do::HangUp), Ok(()));
    assert_eq!(net.act(ALICE, call, &Do::HangUp), Ok(()));
    net.run(1.0);
    assert_eq!(net.act(ALICE, call, &Do::HangUp), Err(Error::NoCall));
    net.finish();
    assert_eq!(net.count(ALICE, "BYE"), 1);
}

#[test]
fn verbs_out_of_place_are_refused_and_change_nothing() {
    let mut net = answering();
    let call = net.call();
    net.run(1.0);
    for verb in [Do::Ring, Do::Answer, Do::Reject(486), Do::Reinvite] {
        let refused = net.act(ALICE, call, &verb);
        assert!(matches!(refused, Err(Error::WrongState { .. })), "{verb:?}");
    }
    let callee = net.call_of(BOB);
    assert!(matches!(net.act(BOB, callee, &Do::Reject(200)), Err(Error::InvalidStatus { .. })));
    net.run(2.0);
    assert!(matches!(net.act(BOB, callee, &Do::Answer), Err(Error::WrongState { .. })));
    net.act(ALICE, call, &Do::HangUp).unwrap();
    net.finish();
    assert_eq!((net.ends(ALICE), net.ends(BOB)), (vec![End::HungUp], vec![End::PeerHungUp]));
}

#[test]
fn a_callee_that_rings_for_long_says_so_every_minute() {
    let mut net = Net::new().script(BOB, On::Incoming, 0.5, Do::Ring).script(
        BOB,
        On::Incoming,
        200.0,
        Do::Reject(480),
    );
    net.call();
    net.finish();
    let ringing = net.sent.iter().filter(|(_, _, line)| line == "180 INVITE");
    let times: Vec<_> = ringing.map(|(at, ..)| at.as_millis()).collect();
    assert_eq!(times, [520, 60_520, 120_520, 180_520]);
}

#[test]
fn a_callee_that_says_nothing_for_a_minute_says_183() {
    let mut net = Net::new().script(BOB, On::Incoming, 70.0, Do::Reject(480));
    net.call();
    net.finish();
    assert_eq!(net.count(BOB, "183 INVITE"), 1);
}

#[test]
fn a_user_agent_can_call_itself() {
    let (now, here) = (Instant::now(), support::address(ALICE));
    let mut agent = UserAgent::new(Config::default(), Random::from_seed(3));
    agent.listen(Protocol::Udp, here, here);
    let me = NameAddr::new("sip:me@example.com".parse().unwrap());
    let target = "sip:me@192.0.2.1".parse().unwrap();
    agent.invite(now, Invite::new(target, me, Flow::udp(here, here))).unwrap();
    let mut ends = Vec::new();
    while ends.len() < 2 {
        while let Some(event) = agent.poll_event() {
            match event {
                Event::Incoming { call, .. } => agent.answer(now, call, None).unwrap(),
                Event::Established { call, .. } => agent.hang_up(now, call).unwrap(),
                Event::Ended { end, .. } => ends.push(end),
                _ => {}
            }
        }
        if let Some(sent) = agent.poll_transmit() {
            let payload = sent.payload.as_ref().into();
            agent.receive(now, Datagram { flow: sent.flow, payload });
        }
    }
    assert_eq!(ends, [End::PeerHungUp, End::HungUp]);
}
