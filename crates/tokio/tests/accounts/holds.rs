//! Holding and going on, with sound that is heard to stop and to start.

use offhook_audio::ToneSource;
use offhook_sip_message::{Method, StatusCode};
use offhook_tokio::{Audio, Call, Error, Hold};

use crate::{
    peer::{Peer, field, sdp, tagged, with_body, without_body},
    support::{endpoint, standing, uri, within},
};

const NOBODY: Hold = Hold { by_us: false, by_peer: false };
const US: Hold = Hold { by_us: true, by_peer: false };
const PEER: Hold = Hold { by_us: false, by_peer: true };

/// Plays a tone without end.
fn sing(call: &Call) {
    let call = call.clone();
    tokio::spawn(async move { call.play(ToneSource::new(8000, 440.0, 0.5)).await });
}

/// Waits until this much is heard in a row: sound, or silence.
async fn hears(audio: &Audio, sound: bool) {
    within(async {
        let mut in_a_row = 0;
        while in_a_row < 10 {
            let frame = audio.heard.receive().await.unwrap();
            let loud = frame.samples.iter().any(|sample| sample.unsigned_abs() > 1000);
            in_a_row = if loud == sound { in_a_row + 1 } else { 0 };
        }
    })
    .await;
}

#[tokio::test]
async fn a_held_peer_falls_silent_and_is_heard_again() {
    let (alice, bob) = (endpoint("alice").await, endpoint("bob").await);
    let (placed, taken) = standing(&alice, &bob).await;
    for (holder, held) in [(&placed, &taken), (&taken, &placed)] {
        let (near, far) = (holder.audio().await.unwrap(), held.audio().await.unwrap());
        sing(holder);
        sing(held);
        hears(&near, true).await;
        hears(&far, true).await;

        within(holder.hold()).await.unwrap();
        assert_eq!(holder.held(), US);
        assert_eq!(within(held.held_other_than(NOBODY)).await.unwrap(), PEER);
        hears(&near, false).await;
        hears(&far, true).await;

        within(holder.hold_silently()).await.unwrap();
        hears(&far, false).await;
        hears(&near, false).await;
        assert_eq!((holder.held(), held.held()), (US, PEER));

        within(holder.resume()).await.unwrap();
        assert_eq!(holder.held(), NOBODY);
        assert_eq!(within(held.held_other_than(PEER)).await.unwrap(), NOBODY);
        hears(&near, true).await;
        hears(&far, true).await;
    }
    within(placed.hang_up()).await.unwrap();
    within(taken.ended()).await.unwrap();
}

#[tokio::test]
async fn both_may_hold_and_each_ends_its_own() {
    let (alice, bob) = (endpoint("alice").await, endpoint("bob").await);
    let (placed, taken) = standing(&alice, &bob).await;
    within(placed.hold()).await.unwrap();
    within(taken.held_other_than(NOBODY)).await.unwrap();
    within(taken.hold()).await.unwrap();
    let both = Hold { by_us: true, by_peer: true };
    assert_eq!(within(placed.held_other_than(US)).await.unwrap(), both);
    assert_eq!(taken.held(), both);
    within(placed.resume()).await.unwrap();
    assert_eq!(placed.held(), PEER);
    assert_eq!(within(taken.held_other_than(both)).await.unwrap(), US);
    within(taken.resume()).await.unwrap();
    assert_eq!(within(placed.held_other_than(PEER)).await.unwrap(), NOBODY);
    assert_eq!(taken.held(), NOBODY);
}

#[tokio::test]
async fn two_who_hold_at_once_both_get_their_way() {
    let (alice, bob) = (endpoint("alice").await, endpoint("bob").await);
    let (placed, taken) = standing(&alice, &bob).await;
    let (one, other) = tokio::join!(within(placed.hold()), within(taken.hold()));
    one.unwrap();
    other.unwrap();
    let both = Hold { by_us: true, by_peer: true };
    for call in [&placed, &taken] {
        while call.held() != both {
            within(call.held_other_than(call.held())).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_refused_hold_leaves_the_call_as_it_was() {
    let (alice, peer) = (endpoint("alice").await, Peer::new().await);
    let call = within(alice.call(&uri("bob", peer.address))).await.unwrap();
    let early = within(call.hold()).await;
    assert!(matches!(early, Err(Error::Core(_))), "{early:?}");
    let (invite, from) = peer.request(&Method::INVITE).await;
    peer.respond(from, &invite, StatusCode::OK, Some(&sdp(1, 4000, ""))).await;
    within(call.answered()).await.unwrap();
    peer.request(&Method::ACK).await;
    let holding = tokio::spawn({
        let call = call.clone();
        async move { call.hold().await }
    });
    let (again, _) = peer.request(&Method::INVITE).await;
    assert!(String::from_utf8_lossy(&again.body()).contains("a=sendonly\r\n"));
    let twice = within(call.resume()).await;
    assert!(matches!(twice, Err(Error::Core(_))), "{twice:?}");
    peer.respond(from, &again, StatusCode::NOT_ACCEPTABLE_HERE, None).await;
    let refused = within(holding).await.unwrap();
    let not_here = StatusCode::NOT_ACCEPTABLE_HERE;
    assert!(matches!(refused, Err(Error::Refused { status }) if status == not_here), "{refused:?}");
    assert_eq!(call.held(), NOBODY);
    peer.request(&Method::ACK).await;
    // The next offer says so.
    let resuming = tokio::spawn({
        let call = call.clone();
        async move { call.resume().await }
    });
    let (again, _) = peer.request(&Method::INVITE).await;
    assert!(String::from_utf8_lossy(&again.body()).contains("a=sendrecv\r\n"));
    peer.respond(from, &again, StatusCode::OK, Some(&sdp(1, 4000, ""))).await;
    within(resuming).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_peer_that_holds_in_the_old_way_is_told_of() {
    let (bob, peer) = (endpoint("bob").await, Peer::new().await);
    let address = bob.local_address();
    let invite = |number, to: &str, sdp: &str| {
        with_body(&peer.compose("INVITE", number, &uri("bob", address), to), sdp)
    };
    peer.say(address, &invite(1, "<sip:bob@127.0.0.1>", &sdp(1, 4000, ""))).await;
    let call = within(bob.incoming()).await.unwrap();
    call.answer().await.unwrap();
    let to = tagged(&peer.response(200).await);
    let ack = |number| without_body(&peer.compose("ACK", number, &uri("bob", address), &to));
    peer.say(address, &ack(1)).await;
    within(call.answered()).await.unwrap();

    let old = sdp(2, 4000, "").replace("c=IN IP4 127.0.0.1", "c=IN IP4 0.0.0.0");
    peer.say(address, &invite(2, &to, &old)).await;
    assert_eq!(within(call.held_other_than(NOBODY)).await.unwrap(), PEER);
    let answer = loop {
        let answer = peer.response(200).await;
        if field(&answer, "CSeq") == "2 INVITE" {
            break answer;
        }
    };
    assert!(answer.contains("a=recvonly\r\n"), "{answer}");
    peer.say(address, &ack(2)).await;
    peer.say(address, &invite(3, &to, &sdp(3, 4000, ""))).await;
    assert_eq!(within(call.held_other_than(PEER)).await.unwrap(), NOBODY);
}
