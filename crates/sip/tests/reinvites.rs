//! Modifying a call that stands (RFC 3261 §14).
#![cfg(test)]

mod support;

use offhook_sip::{End, Error, Event};
use offhook_sip_message::StatusCode;
use support::{ALICE, BOB, Do, Fate, Net, On};

fn standing() -> Net {
    let mut net = Net::new().script(BOB, On::Incoming, 0.1, Do::Answer);
    net.call();
    net.run(1.0);
    net
}

fn calls(net: &Net) -> [offhook_sip::CallId; 2] {
    let alice = net.events.iter().find_map(|(_, event)| match event {
        Event::Answered { call, .. } => Some(*call),
        _ => None,
    });
    [alice.unwrap(), net.call_of(BOB)]
}

fn rejected_with(net: &Net, side: usize) -> Vec<(u16, bool)> {
    let events = net.events.iter().filter(|(of, _)| *of == side);
    events
        .filter_map(|(_, event)| match event {
            Event::ReinviteRejected { status, retry_after, .. } => {
                Some((status.as_u16(), retry_after.is_some()))
            }
            _ => None,
        })
        .collect()
}

fn hang_up_and_finish(mut net: Net) -> Net {
    let call = calls(&net)[ALICE];
    net.act(ALICE, call, &Do::HangUp).unwrap();
    net.finish();
    assert_eq!((net.ends(ALICE), net.ends(BOB)), (vec![End::HungUp], vec![End::PeerHungUp]));
    net
}

#[test]
fn either_side_modifies_the_call() {
    for side in [ALICE, BOB] {
        let mut net = standing();
        let calls = calls(&net);
        net.act(side, calls[side], &Do::Reinvite).unwrap();
        net.run(0.5);
        net.act(1 - side, calls[1 - side], &Do::Answer).unwrap();
        net.run(1.0);
        assert!(net.has(side, |event| matches!(event, Event::ReinviteAnswered { .. })));
        let established = |event: &Event| matches!(event, Event::Established { .. });
        assert!(net.has(1 - side, established));
        hang_up_and_finish(net);
    }
}

#[test]
fn a_rejected_reinvite_leaves_the_call_as_it_was() {
    let mut net = standing();
    let calls = calls(&net);
    net.act(ALICE, calls[ALICE], &Do::Reinvite).unwrap();
    net.run(0.5);
    net.act(BOB, calls[BOB], &Do::Reject(488)).unwrap();
    net.run(1.0);
    assert_eq!(rejected_with(&net, ALICE), [(488, false)]);
    let net = hang_up_and_finish(net);
    assert_eq!(net.count(ALICE, "ACK"), 2);
}

#[test]
fn after_a_refusal_our_own_reinvite_waits_for_the_ack() {
    let mut net = standing();
    let calls = calls(&net);
    net.act(ALICE, calls[ALICE], &Do::Reinvite).unwrap();
    net.run(0.5);
    net.act(BOB, calls[BOB], &Do::Reject(488)).unwrap();
    assert_eq!(net.act(BOB, calls[BOB], &Do::Reinvite), Err(Error::InviteInProgress));
    net.run(0.5);
    net.act(BOB, calls[BOB], &Do::Reinvite).unwrap();
    net.run(0.5);
    net.act(ALICE, calls[ALICE], &Do::Answer).unwrap();
    net.run(0.5);
    hang_up_and_finish(net);
}

#[test]
fn glare_is_answered_with_491_on_both_sides() {
    let mut net = standing();
    let calls = calls(&net);
    for side in [ALICE, BOB] {
        net.act(side, calls[side], &Do::Reinvite).unwrap();
    }
    net.run(1.0);
    for side in [ALICE, BOB] {
        assert_eq!(rejected_with(&net, side), [(491, true)]);
    }
    hang_up_and_finish(net);
}

#[test]
fn after_491_the_owner_of_the_call_id_waits_longer() {
    let mut net = standing();
    let calls = calls(&net);
    for side in [ALICE, BOB] {
        net.act(side, calls[side], &Do::Reinvite).unwrap();
    }
    net.run(1.0);
    for (side, event) in &net.events {
        let Event::ReinviteRejected { retry_after: Some(wait), .. } = event else { continue };
        let millis = wait.as_millis();
        let range = if *side == ALICE { 2_100..=4_000 } else { 0..=2_000 };
        assert!(range.contains(&millis) && millis.is_multiple_of(10), "{side} {millis}");
    }
    hang_up_and_finish(net);
}

#[test]
fn only_one_invite_may_be_under_way() {
    let mut net = standing();
    let calls = calls(&net);
    net.act(ALICE, calls[ALICE], &Do::Reinvite).unwrap();
    assert_eq!(net.act(ALICE, calls[ALICE], &Do::Reinvite), Err(Error::InviteInProgress));
    net.run(0.5);
    assert_eq!(net.act(BOB, calls[BOB], &Do::Reinvite), Err(Error::InviteInProgress));
    net.act(BOB, calls[BOB], &Do::Answer).unwrap();
    net.run(0.5);
    net.act(BOB, calls[BOB], &Do::Reinvite).unwrap();
    net.run(0.5);
    net.act(ALICE, calls[ALICE], &Do::Reject(488)).unwrap();
    net.run(0.5);
    hang_up_and_finish(net);
}

#[test]
fn a_reinvite_that_meets_a_bye_is_answered_481_and_the_call_ends() {
    let mut net = standing();
    let calls = calls(&net);
    net.act(ALICE, calls[ALICE], &Do::HangUp).unwrap();
    net.act(BOB, calls[BOB], &Do::Reinvite).unwrap();
    net.finish();
    assert_eq!((net.ends(ALICE), net.ends(BOB)), (vec![End::HungUp], vec![End::PeerHungUp]));
    assert_eq!(net.count(ALICE, "481 INVITE"), 1);
}

#[test]
fn hanging_up_with_a_reinvite_under_way_still_ends_both_sides() {
    for (asking, leaving) in [(ALICE, ALICE), (ALICE, BOB), (BOB, ALICE), (BOB, BOB)] {
        let mut net = standing();
        let calls = calls(&net);
        net.act(asking, calls[asking], &Do::Reinvite).unwrap();
        net.run(0.5);
        net.act(leaving, calls[leaving], &Do::HangUp).unwrap();
        net.finish();
        assert_eq!(net.ends(leaving), [End::HungUp]);
        assert_eq!(net.ends(1 - leaving), [End::PeerHungUp]);
        assert_eq!(net.count(1 - asking, "487 INVITE"), 1, "§15.1.2: pending requests");
    }
}

#[test]
fn a_2xx_to_a_reinvite_that_crosses_our_bye_is_acknowledged() {
    let mut net = standing();
    let calls = calls(&net);
    net.act(ALICE, calls[ALICE], &Do::Reinvite).unwrap();
    net.run(0.5);
    net.act(BOB, calls[BOB], &Do::Answer).unwrap();
    net.act(ALICE, calls[ALICE], &Do::HangUp).unwrap();
    net.finish();
    assert_eq!(net.count(ALICE, "ACK"), 2);
    assert_eq!(net.count(ALICE, "BYE"), 1);
    assert_eq!((net.ends(ALICE), net.ends(BOB)), (vec![End::HungUp], vec![End::PeerHungUp]));
}

#[test]
fn a_reinvite_that_nobody_answers_ends_the_call_with_a_bye() {
    let mut net = standing();
    let calls = calls(&net);
    net.fates = Box::new(|_, line| if line == "INVITE" { Fate::Lost } else { Fate::Arrives });
    net.act(ALICE, calls[ALICE], &Do::Reinvite).unwrap();
    net.finish();
    assert_eq!((net.ends(ALICE), net.ends(BOB)), (vec![End::TimedOut], vec![End::PeerHungUp]));
}

#[test]
fn a_reinvite_that_gets_no_ack_ends_the_call_with_a_bye() {
    let mut net = standing();
    let calls = calls(&net);
    net.fates = Box::new(|_, line| if line == "ACK" { Fate::Lost } else { Fate::Arrives });
    net.act(ALICE, calls[ALICE], &Do::Reinvite).unwrap();
    net.run(0.5);
    net.act(BOB, calls[BOB], &Do::Answer).unwrap();
    net.finish();
    assert_eq!(
        (net.ends(ALICE), net.ends(BOB)),
        (vec![End::PeerHungUp], vec![End::NotAcknowledged])
    );
}

#[test]
fn many_reinvites_leave_memory_flat() {
    let mut net = standing();
    let calls = calls(&net);
    let mut most = 0;
    for round in 0..200 {
        let side = round % 2;
        net.act(side, calls[side], &Do::Reinvite).unwrap();
        net.run(0.2);
        net.act(1 - side, calls[1 - side], &Do::Answer).unwrap();
        net.run(2.0);
        most = most.max(net.agents[ALICE].live_transactions());
    }
    // 64*T1 divided by the 2.2 s of one round, and the one in progress.
    assert!(most <= 16, "{most} transactions");
    let net = hang_up_and_finish(net);
    assert_eq!(net.ends(ALICE)[0].status(), None::<StatusCode>);
}
