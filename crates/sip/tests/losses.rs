//! Calls over a wire that loses, doubles and delays messages.
#![cfg(test)]

mod support;

use std::time::Duration;

use offhook_sip::{End, Event};
use support::{ALICE, BOB, Do, Fate, Net, On};

/// More messages than any of these calls takes without loss, with retransmissions.
const MESSAGES: usize = 40;

fn answered() -> Net {
    Net::new().script(BOB, On::Incoming, 0.1, Do::Ring).script(BOB, On::Incoming, 2.0, Do::Answer)
}

type Scene = fn() -> Net;

/// The calls that each fate is tried on.
fn calls() -> Vec<(&'static str, Scene)> {
    vec![
        ("hung up by the caller", || answered().script(ALICE, On::Answered, 3.0, Do::HangUp)),
        ("hung up by the callee", || answered().script(BOB, On::Established, 3.0, Do::HangUp)),
        ("hung up by both", || {
            answered().script(ALICE, On::Answered, 3.0, Do::HangUp).script(
                BOB,
                On::Established,
                3.0,
                Do::HangUp,
            )
        }),
        ("hung up by the callee before the ACK", || {
            answered().script(BOB, On::Incoming, 2.01, Do::HangUp)
        }),
        ("rejected", || Net::new().script(BOB, On::Incoming, 1.0, Do::Reject(486))),
        ("cancelled", || answered().script(ALICE, On::Placed, 1.0, Do::HangUp)),
        ("cancelled at once", || answered().script(ALICE, On::Placed, 0.0, Do::HangUp)),
        ("cancelled into the answer", || answered().script(ALICE, On::Placed, 2.01, Do::HangUp)),
        ("modified by the caller", || {
            answered()
                .script(ALICE, On::Answered, 1.0, Do::Reinvite)
                .script(BOB, On::Reinvited, 0.5, Do::Answer)
                .script(ALICE, On::Answered, 9.0, Do::HangUp)
        }),
        ("modified by the callee", || {
            answered()
                .script(BOB, On::Established, 1.0, Do::Reinvite)
                .script(ALICE, On::Reinvited, 0.5, Do::Answer)
                .script(ALICE, On::Answered, 9.0, Do::HangUp)
        }),
    ]
}

fn established(net: &Net) -> bool {
    net.has(ALICE, |event| matches!(event, Event::Answered { .. }))
}

/// Ends that are right when each message arrives at last.
fn check_ends(name: &str, net: &Net) {
    let (alice, bob) = (net.ends(ALICE), net.ends(BOB));
    assert_eq!((alice.len(), bob.len()), (1, 1), "{name}: {alice:?} {bob:?}");
    let right = match name {
        "rejected" => {
            alice[0].status() == Some(offhook_sip_message::StatusCode::BUSY_HERE)
                && matches!(bob[0], End::Refused { .. })
        }
        "cancelled" | "cancelled at once" | "cancelled into the answer" => matches!(
            (&alice[0], &bob[0]),
            (End::Cancelled, End::PeerCancelled) | (End::HungUp, End::PeerHungUp)
        ),
        "hung up by the callee before the ACK" => bob[0] == End::HungUp,
        _ => {
            established(net) && {
                let ends = [&alice[0], &bob[0]];
                ends.iter().all(|end| matches!(end, End::HungUp | End::PeerHungUp))
                    && ends.iter().any(|end| **end == End::HungUp)
            }
        }
    };
    assert!(right, "{name}: {alice:?} {bob:?} {:#?}", net.sent);
}

#[test]
fn a_call_survives_the_loss_of_any_one_message() {
    for (name, net) in calls() {
        for lost in 0..MESSAGES {
            let fates = move |n, _: &str| if n == lost { Fate::Lost } else { Fate::Arrives };
            let mut net = net().fates(fates);
            net.call();
            net.finish();
            check_ends(name, &net);
        }
    }
}

#[test]
fn a_call_survives_the_loss_of_any_two_messages() {
    for (name, net) in calls() {
        for first in 0..16 {
            for second in first + 1..16 {
                let lost = move |n| n == first || n == second;
                let fates = move |n, _: &str| if lost(n) { Fate::Lost } else { Fate::Arrives };
                let mut net = net().fates(fates);
                net.call();
                net.finish();
                check_ends(name, &net);
            }
        }
    }
}

#[test]
fn a_call_does_not_mind_any_message_coming_twice() {
    for (name, net) in calls() {
        for doubled in 0..MESSAGES {
            let fates = move |n, _: &str| if n == doubled { Fate::Twice } else { Fate::Arrives };
            let mut net = net().fates(fates);
            net.call();
            net.finish();
            check_ends(name, &net);
        }
        let mut net = net().fates(|_, _| Fate::Twice);
        net.call();
        net.finish();
        check_ends(name, &net);
    }
}

#[test]
fn a_call_survives_any_message_being_overtaken() {
    for (name, net) in calls() {
        for late in 0..MESSAGES {
            // The network holds a message for T4 = 5 s at most (RFC 3261 §17.1.2.2).
            for delay in [30, 700, 3_000, 4_500] {
                let fate = Fate::Late(Duration::from_millis(delay));
                let fates = move |n, _: &str| if n == late { fate } else { Fate::Arrives };
                let mut net = net().fates(fates);
                net.call();
                net.finish();
                let ends = (net.ends(ALICE), net.ends(BOB));
                assert_eq!((ends.0.len(), ends.1.len()), (1, 1), "{name} {late} {delay}: {ends:?}");
            }
        }
    }
}

#[test]
fn a_call_into_the_void_times_out_after_64_t1() {
    let mut net = Net::new().fates(|_, _| Fate::Lost);
    net.call();
    net.finish();
    assert_eq!(net.ends(ALICE), [End::TimedOut]);
    // 0, 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s (RFC 3261 §17.1.1.2).
    assert_eq!(net.count(ALICE, "INVITE"), 7);
    assert_eq!(net.now - net.start, Duration::from_secs(32));
}

#[test]
fn hanging_up_on_a_call_into_the_void_ends_it_as_cancelled() {
    let mut net = Net::new().fates(|_, _| Fate::Lost).script(ALICE, On::Placed, 1.0, Do::HangUp);
    net.call();
    net.finish();
    assert_eq!(net.ends(ALICE), [End::Cancelled]);
    assert_eq!(net.count(ALICE, "CANCEL"), 0, "nothing provisional has come (RFC 3261 §9.1)");
}

#[test]
fn a_callee_that_gets_no_ack_says_bye_after_64_t1() {
    let mut net = Net::new()
        .fates(|_, line| if line == "ACK" { Fate::Lost } else { Fate::Arrives })
        .script(BOB, On::Incoming, 1.0, Do::Answer);
    net.call();
    net.finish();
    assert_eq!(net.ends(BOB), [End::NotAcknowledged]);
    assert_eq!(net.ends(ALICE), [End::PeerHungUp]);
    // 0, 0.5, 1.5, 3.5, then every 4 s up to 31.5 s (RFC 3261 §13.3.1.4).
    assert_eq!(net.count(BOB, "200 INVITE"), 11);
    assert_eq!(net.count(ALICE, "ACK"), 11, "one for each 2xx (RFC 3261 §13.2.2.4)");
    assert_eq!(net.count(BOB, "BYE"), 1);
}

#[test]
fn a_callee_that_has_hung_up_and_gets_no_ack_says_bye_after_64_t1() {
    let mut net = Net::new()
        .fates(|_, line| if line == "ACK" { Fate::Lost } else { Fate::Arrives })
        .script(BOB, On::Incoming, 1.0, Do::Answer)
        .script(BOB, On::Incoming, 2.0, Do::HangUp);
    net.call();
    net.finish();
    assert_eq!((net.ends(ALICE), net.ends(BOB)), (vec![End::PeerHungUp], vec![End::HungUp]));
    let bye = net.sent.iter().find(|(_, _, line)| line == "BYE").unwrap().0;
    assert_eq!(bye.as_millis(), 20 + 1_000 + 32_000);
}

#[test]
fn a_bye_that_nobody_answers_ends_the_call_after_64_t1() {
    let mut net = Net::new()
        .fates(|_, line| if line == "BYE" { Fate::Lost } else { Fate::Arrives })
        .script(BOB, On::Incoming, 1.0, Do::Answer)
        .script(ALICE, On::Answered, 1.0, Do::HangUp)
        .script(BOB, On::Established, 60.0, Do::HangUp);
    net.call();
    net.finish();
    assert_eq!(net.ends(ALICE), [End::HungUp]);
    // T1 doubling to T2: 0, 0.5, 1.5, 3.5, then every 4 s (RFC 3261 §17.1.2.2).
    assert_eq!(net.count(ALICE, "BYE"), 11);
}

#[test]
fn a_cancelled_invite_without_final_answer_is_given_up_after_64_t1() {
    let mut net = Net::new()
        .fates(|n, _| if n < 2 { Fate::Arrives } else { Fate::Lost })
        .script(ALICE, On::Placed, 1.0, Do::HangUp)
        .script(BOB, On::Incoming, 50.0, Do::HangUp);
    net.call();
    net.run(32.9);
    assert!(net.ends(ALICE).is_empty());
    net.run(0.2);
    assert_eq!(net.ends(ALICE), [End::Cancelled]);
    net.finish();
}
