//! Verbs at every moment and in every order, over wires of every quality.
#![cfg(test)]

mod support;

use offhook_sip::{End, Event};
use proptest::prelude::*;
use support::{ALICE, BOB, Do, Fate, Net, On};

/// Rings at 0.1 s, answers at 0.3 s, is modified from 0.5 to 0.6 s.
fn eventful() -> Net {
    Net::new()
        .script(BOB, On::Incoming, 0.1, Do::Ring)
        .script(BOB, On::Incoming, 0.3, Do::Answer)
        .script(ALICE, On::Answered, 0.2, Do::Reinvite)
        .script(BOB, On::Reinvited, 0.1, Do::Answer)
}

fn hang_up_live(net: &mut Net) {
    for side in [ALICE, BOB] {
        for call in net.live_calls(side) {
            net.act(side, call, &Do::HangUp).unwrap();
        }
    }
}

fn agree(alice: &End, bob: &End) -> bool {
    match (alice, bob) {
        (End::HungUp, End::PeerHungUp | End::HungUp)
        | (End::PeerHungUp, End::HungUp)
        | (End::Cancelled, End::PeerCancelled | End::Refused { .. }) => true,
        (End::Rejected { status, .. }, End::Refused { status: sent }) => status == sent,
        _ => false,
    }
}

#[test]
fn hanging_up_at_any_moment_ends_both_sides_alike() {
    for side in [ALICE, BOB] {
        for moment in 0..160 {
            let mut net = eventful();
            net.call();
            net.run(f64::from(moment) * 0.005);
            for call in net.live_calls(side) {
                net.act(side, call, &Do::HangUp).unwrap();
            }
            if net.ends(side).is_empty() && net.live_calls(side).is_empty() {
                // The INVITE has not reached Bob.
                net.run(0.1);
                hang_up_live(&mut net);
            }
            net.finish();
            let ends = (net.ends(ALICE), net.ends(BOB));
            assert_eq!((ends.0.len(), ends.1.len()), (1, 1), "{side} {moment}");
            assert!(agree(&ends.0[0], &ends.1[0]), "{side} {moment} {ends:?}");
        }
    }
}

#[test]
fn both_hanging_up_at_any_two_moments_ends_both_sides() {
    for first in 0..32 {
        for second in 0..32 {
            let mut net = eventful()
                .script(ALICE, On::Placed, f64::from(first) * 0.025, Do::HangUp)
                .script(BOB, On::Incoming, f64::from(second) * 0.025, Do::HangUp);
            net.call();
            net.finish();
            let ends = (net.ends(ALICE), net.ends(BOB));
            assert_eq!((ends.0.len(), ends.1.len()), (1, 1), "{first} {second}");
            assert!(agree(&ends.0[0], &ends.1[0]), "{first} {second} {ends:?}");
        }
    }
}

fn verb() -> impl Strategy<Value = Do> {
    prop_oneof![
        2 => Just(Do::Ring),
        4 => Just(Do::Answer),
        1 => Just(Do::Reject(486)),
        1 => Just(Do::HangUp),
        3 => Just(Do::Reinvite),
    ]
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        6 => Just(Fate::Arrives),
        2 => Just(Fate::Lost),
        1 => Just(Fate::Twice),
        2 => (0..1_500_u64).prop_map(|more| Fate::Late(std::time::Duration::from_millis(more))),
    ]
}

fn thorough() -> ProptestConfig {
    ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(thorough())]

    #[test]
    fn whatever_users_and_the_wire_do_every_call_ends(
        verbs in prop::collection::vec((0..2_usize, verb(), 0..800_u32), 0..14),
        wire in prop::collection::vec(fate(), 60),
    ) {
        let fates = move |n: usize, _: &str| wire.get(n).copied().unwrap_or(Fate::Arrives);
        let mut net = Net::new().fates(fates);
        net.call();
        for (side, verb, wait) in verbs {
            net.run(f64::from(wait) / 1_000.0);
            for call in net.live_calls(side) {
                let _ = net.act(side, call, &verb);
            }
        }
        hang_up_live(&mut net);
        net.run(33.0);
        // Bob may have learnt of the call only now.
        hang_up_live(&mut net);
        net.finish();
        prop_assert_eq!(net.ends(ALICE).len(), 1);
        let incoming = net.events.iter().filter(|(_, e)| matches!(e, Event::Incoming { .. }));
        prop_assert_eq!(net.ends(BOB).len(), incoming.count());
    }
}
