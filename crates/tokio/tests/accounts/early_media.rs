//! Sound before the answer, at both sides.

use offhook_audio::ToneSource;
use offhook_sip::ReliableProvisionals;
use offhook_sip_message::StatusCode;
use offhook_tokio::Error;

use crate::{
    peer::{Peer, sdp, with_body, without_body},
    support::{builder, endpoint, uri, within},
};

#[tokio::test]
async fn a_caller_hears_the_callee_before_it_answers() {
    for reliable in [ReliableProvisionals::Off, ReliableProvisionals::Preferred] {
        let alice = builder("alice").reliable_provisionals(reliable);
        let bob = builder("bob").reliable_provisionals(reliable);
        let alice = alice.bind("127.0.0.1:0").await.unwrap();
        let bob = bob.bind("127.0.0.1:0").await.unwrap();
        let placed = within(alice.call(&uri("bob", bob.local_address()))).await.unwrap();
        let taken = within(bob.incoming()).await.unwrap();
        taken.early_media().await.unwrap();
        assert!(taken.early_media().await.is_err(), "twice");
        assert_eq!(within(placed.progress()).await.unwrap(), StatusCode::SESSION_PROGRESS);
        let tone = taken.clone();
        tokio::spawn(async move { tone.play(ToneSource::new(8000, 440.0, 0.5)).await });
        let audio = within(placed.audio()).await.unwrap();
        within(async {
            while audio.heard.receive().await.unwrap().samples.iter().all(|one| one.abs() < 1000) {}
        })
        .await;
        taken.answer().await.unwrap();
        within(placed.answered()).await.unwrap();
        within(taken.answered()).await.unwrap();
        within(placed.hold()).await.unwrap();
        within(placed.hang_up()).await.unwrap();
        within(taken.ended()).await.unwrap();
    }
}

#[tokio::test]
async fn the_answer_repeats_an_early_one_that_was_not_reliable() {
    let (bob, peer) = (endpoint("bob").await, Peer::new().await);
    let address = bob.local_address();
    let head = peer.compose("INVITE", 1, &uri("bob", address), "<sip:bob@127.0.0.1>");
    peer.say(address, &with_body(&head, &sdp(1, 4000, ""))).await;
    let call = within(bob.incoming()).await.unwrap();
    call.early_media().await.unwrap();
    let early = peer.response(183).await;
    call.answer().await.unwrap();
    let answer = peer.response(200).await;
    let body = |text: &str| text.split_once("\r\n\r\n").unwrap().1.to_owned();
    assert!(body(&early).contains("m=audio"));
    assert_eq!(body(&early), body(&answer));
}

#[tokio::test]
async fn a_call_without_an_offer_has_no_early_media_but_can_be_taken() {
    let (bob, peer) = (endpoint("bob").await, Peer::new().await);
    let address = bob.local_address();
    let head = peer.compose("INVITE", 1, &uri("bob", address), "<sip:bob@127.0.0.1>");
    peer.say(address, &without_body(&head)).await;
    let call = within(bob.incoming()).await.unwrap();
    let refused = call.early_media().await;
    assert!(matches!(refused, Err(Error::Core(offhook_core::Error::NoOffer))), "{refused:?}");
    call.answer().await.unwrap();
    assert!(peer.response(200).await.contains("m=audio"));
}

#[tokio::test]
async fn a_refusal_has_words_for_people() {
    let (alice, bob) = (endpoint("alice").await, endpoint("bob").await);
    let placed = within(alice.call(&uri("bob", bob.local_address()))).await.unwrap();
    let taken = within(bob.incoming()).await.unwrap();
    taken.reject_because(StatusCode::BAD_REQUEST, "Not like this").await.unwrap();
    let ended = within(placed.ended()).await.unwrap();
    assert!(ended.to_string().contains("Not like this"), "{ended}");
    let peer = Peer::new().await;
    let head = peer.compose("INVITE", 1, &uri("bob", bob.local_address()), "<sip:bob@127.0.0.1>");
    peer.say(bob.local_address(), &with_body(&head, &sdp(1, 4000, ""))).await;
    let taken = within(bob.incoming()).await.unwrap();
    taken.reject_because(StatusCode::BUSY_HERE, "At dinner").await.unwrap();
    assert!(peer.response(486).await.contains("At dinner"));
}
