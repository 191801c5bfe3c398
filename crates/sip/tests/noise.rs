//! Bytes from strangers in the middle of a call.
#![cfg(test)]

mod support;

use std::net::SocketAddr;

use offhook_sansio::Random;
use offhook_sip::{End, Event};
use support::{ALICE, BOB, Do, Net, On};

fn stranger() -> SocketAddr {
    ([203, 0, 113, 66], 5060).into()
}

fn standing() -> Net {
    let mut net = Net::new().script(BOB, On::Incoming, 0.1, Do::Ring).script(
        BOB,
        On::Incoming,
        0.3,
        Do::Answer,
    );
    net.call();
    net.run(1.0);
    net
}

/// Hangs up, and checks that the call was there to the end.
fn check_undisturbed(mut net: Net) {
    let mut calls = net.events.iter().filter_map(|(_, event)| match event {
        Event::Answered { call, .. } => Some(*call),
        _ => None,
    });
    let call = calls.next().unwrap();
    assert_eq!(net.agents[ALICE].live_calls(), 1);
    net.act(ALICE, call, &Do::HangUp).unwrap();
    net.run(1.0);
    assert_eq!(net.ends(ALICE), [End::HungUp]);
    assert_eq!(net.ends(BOB), [End::PeerHungUp]);
    for side in [ALICE, BOB] {
        for call in net.live_calls(side) {
            net.act(side, call, &Do::HangUp).unwrap();
        }
    }
    net.finish();
}

#[test]
fn random_bytes_do_not_disturb_a_call() {
    let (mut net, mut random) = (standing(), Random::from_seed(1));
    for _ in 0..2_000 {
        let length = random.u32() % 200;
        let bytes: Vec<u8> = (0..length).map(|_| random.u32().to_be_bytes()[0]).collect();
        net.inject(ALICE, stranger(), &bytes);
        net.inject(BOB, stranger(), &bytes);
    }
    assert!(net.agents[ALICE].statistics().total_dropped() >= 1_900);
    check_undisturbed(net);
}

#[test]
fn every_truncation_of_every_message_does_not_disturb_a_call() {
    let mut net = standing();
    for (from, message) in net.messages.clone() {
        for length in 0..message.len() {
            net.inject(1 - from, stranger(), &message[..length]);
        }
    }
    check_undisturbed(net);
}

#[test]
fn messages_with_a_byte_changed_do_not_end_a_call() {
    let (mut net, mut random) = (standing(), Random::from_seed(2));
    let messages = net.messages.clone();
    for _ in 0..4_000 {
        let pick = random.u32() as usize % messages.len();
        let (from, message) = &messages[pick];
        let mut bytes = message.to_vec();
        let at = random.u32() as usize % bytes.len();
        bytes[at] = b' ' + (random.u32() % 95) as u8;
        net.inject(1 - from, stranger(), &bytes);
    }
    let call = net.call_of(BOB);
    let ended = |event: &Event| matches!(event, Event::Ended { .. });
    assert!(!net.has(ALICE, ended), "{:?}", net.ends(ALICE));
    assert_eq!(net.agents[ALICE].live_calls(), 1);
    let _ = call;
    net.run(60.0);
    assert_eq!(net.agents[ALICE].live_calls(), 1);
}
