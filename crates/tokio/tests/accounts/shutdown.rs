//! The end of an endpoint.

use std::time::{Duration, Instant};

use offhook_core::Ending;
use offhook_sip::End;
use offhook_sip_message::StatusCode;
use offhook_tokio::{Account, Endpoint, Error};

use crate::{
    peer::{Peer, field, sdp, tagged, with_body, without_body},
    registrar::{Registrar, Ways},
    support::{builder, endpoint, standing, uri, within},
};

async fn registered(endpoint: &Endpoint, registrar: &Registrar) -> Account {
    let builder = endpoint.account("sip:alice@example.com").registrar(&registrar.uri());
    let account = builder.open().await.unwrap();
    within(account.registered()).await.unwrap();
    account
}

fn removes(text: &str) -> bool {
    field(text, "Expires") == "0"
}

#[tokio::test]
async fn shutdown_ends_calls_and_registrations_and_waits_for_it() {
    let mut registrar = Registrar::udp(Ways::default()).await;
    let (alice, bob) = (endpoint("alice").await, endpoint("bob").await);
    let account = registered(&alice, &registrar).await;
    let (placed, taken) = standing(&alice, &bob).await;
    let waiting = within(bob.call(&uri("alice", alice.local_address()))).await.unwrap();
    let ringing = within(alice.incoming()).await.unwrap();
    ringing.ring().await.unwrap();
    within(alice.shutdown()).await;
    // All is told already.
    registrar.heard_of(removes).await;
    assert!(matches!(placed.ended().await.unwrap().ending, Ending::Signalling(End::HungUp)));
    let ended = within(taken.ended()).await.unwrap();
    assert!(matches!(ended.ending, Ending::Signalling(End::PeerHungUp)));
    let unavailable = Some(StatusCode::TEMPORARILY_UNAVAILABLE);
    assert_eq!(within(waiting.ended()).await.unwrap().status(), unavailable);
    assert!(matches!(account.call("sip:bob@127.0.0.1").await, Err(Error::Closed)));
    assert!(matches!(account.message("sip:bob@127.0.0.1", "x").await, Err(Error::Closed)));
}

#[tokio::test]
async fn shutdown_takes_no_longer_than_was_set() {
    let (registrar, peer) = (Registrar::udp(Ways::default()).await, Peer::new().await);
    let farewell = Duration::from_millis(300);
    // With timers of half a second a REGISTER and a CANCEL would be waited for 32 s.
    let sip = offhook_sip::Config::default();
    let alice = builder("alice").sip(sip).farewell(farewell).bind("127.0.0.1:0").await.unwrap();
    let _account = registered(&alice, &registrar).await;
    let call = within(alice.call(&uri("bob", peer.address))).await.unwrap();
    registrar.change(|ways| ways.silent = true);
    let begun = Instant::now();
    within(alice.shutdown()).await;
    let took = begun.elapsed();
    assert!(took >= farewell && took < Duration::from_secs(5), "{took:?}");
    assert!(matches!(call.ended().await, Err(Error::Closed)));
}

#[tokio::test]
async fn the_last_handle_does_the_same_in_the_background() {
    let mut registrar = Registrar::udp(Ways::default()).await;
    let (alice, bob) = (endpoint("alice").await, endpoint("bob").await);
    let account = registered(&alice, &registrar).await;
    let (placed, taken) = standing(&alice, &bob).await;
    drop(alice);
    assert!(account.state().is_registered());
    drop(placed);
    within(taken.ended()).await.unwrap();
    drop(account);
    registrar.heard_of(removes).await;
}

#[tokio::test]
async fn a_bye_whose_answer_is_lost_is_answered_again_by_a_closing_endpoint() {
    for dropped in [false, true] {
        let (bob, peer) = (endpoint("bob").await, Peer::new().await);
        let address = bob.local_address();
        let target = uri("bob", address);
        let head = peer.compose("INVITE", 1, &target, "<sip:bob@127.0.0.1>");
        peer.say(address, &with_body(&head, &sdp(1, 4000, ""))).await;
        let call = within(bob.incoming()).await.unwrap();
        call.answer().await.unwrap();
        let to = tagged(&peer.response(200).await);
        peer.say(address, &without_body(&peer.compose("ACK", 1, &target, &to))).await;
        within(call.answered()).await.unwrap();
        let bye = without_body(&peer.compose("BYE", 2, &target, &to));
        peer.say(address, &bye).await;
        within(call.ended()).await.unwrap();
        let closing = match dropped {
            false => tokio::spawn(bob.shutdown()),
            true => {
                drop((bob, call));
                tokio::spawn(async {})
            }
        };
        for _ in 0..3 {
            let answer = loop {
                let answer = peer.response(200).await;
                if field(&answer, "CSeq") == "2 BYE" {
                    break answer;
                }
            };
            assert!(answer.starts_with("SIP/2.0 200"));
            peer.say(address, &bye).await;
        }
        within(closing).await.unwrap();
    }
}
