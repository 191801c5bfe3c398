//! A back-to-back user agent between two telephones, whose media goes past it.

use bytes::Bytes;
use offhook_audio::ToneSource;
use offhook_core::Ending;
use offhook_sip::End;
use offhook_sip_message::StatusCode;
use offhook_tokio::{Call, Endpoint, Error, Hold};

use crate::support::{builder, endpoint, uri, within};

const HELD: Hold = Hold { by_us: false, by_peer: true };

/// Hands the offers of one side to the other until a call ends.
async fn hand_on(from: Call, to: Call) {
    while let Ok(offer) = from.next_offer().await {
        let Some(description) = offer.description().cloned() else {
            offer.reject(StatusCode::NOT_ACCEPTABLE_HERE).await.unwrap();
            continue;
        };
        match to.modify(description).await {
            Ok(answer) => offer.accept(answer).await.unwrap(),
            Err(Error::Refused { status }) => offer.reject(status).await.unwrap(),
            Err(_) => return,
        }
    }
}

/// Alice and Bob, who talk through a third party; and its two calls.
struct Bridge {
    alice: Endpoint,
    middle: Endpoint,
    bob: Endpoint,
    placed: Call,
    taken: Call,
    near: Call,
    far: Call,
}

async fn bridge() -> Bridge {
    let (alice, bob) = (endpoint("alice").await, endpoint("bob").await);
    let middle = builder("middle").check_offers(false).bind("127.0.0.1:0").await.unwrap();
    let placed = alice.call(&uri("bob", middle.local_address())).await.unwrap();
    let near = within(middle.incoming()).await.unwrap();
    let offer = near.offer().cloned();
    assert!(offer.is_some());
    let far = middle.call_with(&uri("bob", bob.local_address()), offer).await.unwrap();
    let taken = within(bob.incoming()).await.unwrap();
    taken.ring().await.unwrap();
    assert_eq!(within(far.progress()).await.unwrap(), StatusCode::RINGING);
    near.ring().await.unwrap();
    assert_eq!(within(placed.progress()).await.unwrap(), StatusCode::RINGING);
    taken.answer().await.unwrap();
    let answer = within(far.answered_with()).await.unwrap();
    near.answer_with(Some(answer)).await.unwrap();
    within(placed.answered()).await.unwrap();
    within(taken.answered()).await.unwrap();
    tokio::spawn(hand_on(near.clone(), far.clone()));
    tokio::spawn(hand_on(far.clone(), near.clone()));
    Bridge { alice, middle, bob, placed, taken, near, far }
}

async fn shut_down(endpoints: [Endpoint; 3]) {
    for endpoint in endpoints {
        within(endpoint.shutdown()).await;
    }
}

#[tokio::test]
async fn two_telephones_talk_directly_and_hold_through_a_back_to_back_user_agent() {
    let bridge = bridge().await;
    for (speaker, listener) in [(&bridge.placed, &bridge.taken), (&bridge.taken, &bridge.placed)] {
        let ear = listener.audio().await.unwrap();
        let mouth = speaker.clone();
        tokio::spawn(async move { mouth.play(ToneSource::new(8000, 440.0, 0.5)).await });
        let loud = |samples: &[i16]| samples.iter().any(|sample| sample.unsigned_abs() > 1000);
        within(async { while !loud(&ear.heard.receive().await.unwrap().samples) {} }).await;

        within(speaker.hold()).await.unwrap();
        assert_eq!(within(listener.held_other_than(Hold::default())).await.unwrap(), HELD);
        within(speaker.resume()).await.unwrap();
        assert_eq!(within(listener.held_other_than(HELD)).await.unwrap(), Hold::default());
    }
    assert!(bridge.near.stats().await.unwrap().media.is_none(), "no media passes the middle");

    bridge.placed.hang_up().await.unwrap();
    let ended = within(bridge.near.ended()).await.unwrap();
    assert_eq!(ended.ending, Ending::Signalling(End::PeerHungUp));
    bridge.far.hang_up().await.unwrap();
    within(bridge.taken.ended()).await.unwrap();
    shut_down([bridge.alice, bridge.middle, bridge.bob]).await;
}

#[tokio::test]
async fn an_offer_that_nobody_answers_is_refused_and_the_session_stays() {
    let (alice, bob) = (endpoint("alice").await, builder("bob").check_offers(false));
    let bob = bob.bind("127.0.0.1:0").await.unwrap();
    let placed = alice.call(&uri("bob", bob.local_address())).await.unwrap();
    let taken = within(bob.incoming()).await.unwrap();
    let offer = taken.offer().cloned().unwrap();
    taken.answer_with(Some(reversed(&offer))).await.unwrap();
    within(placed.answered()).await.unwrap();

    let (held, offer) = tokio::join!(within(placed.hold()), async {
        drop(within(taken.next_offer()).await.unwrap());
    });
    let refused = held.unwrap_err();
    assert!(
        matches!(refused, Error::Refused { status: StatusCode::NOT_ACCEPTABLE_HERE }),
        "{refused}"
    );
    let () = offer;
    assert_eq!(placed.held(), Hold::default());
    placed.hang_up().await.unwrap();
    within(taken.ended()).await.unwrap();
}

#[tokio::test]
async fn a_third_party_connects_two_telephones() {
    // RFC 3725 §4.1: the first is called without an offer, and its offer goes to the second.
    let (alice, bob) = (endpoint("alice").await, endpoint("bob").await);
    let controller = builder("desk").bind("127.0.0.1:0").await.unwrap();
    let first = controller.call_with(&uri("alice", alice.local_address()), None).await.unwrap();
    let at_alice = within(alice.incoming()).await.unwrap();
    at_alice.answer().await.unwrap();
    let offer = within(first.next_offer()).await.unwrap();
    let description = offer.description().cloned();
    let second = controller.call_with(&uri("bob", bob.local_address()), description).await.unwrap();
    let at_bob = within(bob.incoming()).await.unwrap();
    at_bob.answer().await.unwrap();
    let answer = within(second.answered_with()).await.unwrap();
    offer.accept(answer).await.unwrap();
    within(at_alice.answered()).await.unwrap();
    assert_eq!(within(at_alice.sample_rate()).await.unwrap(), 8000);
    assert_eq!(within(at_bob.sample_rate()).await.unwrap(), 8000);

    let again = within(second.ask_for_offer()).await.unwrap();
    assert!(again.description().is_some());
    let answer = within(first.modify(again.description().cloned().unwrap())).await.unwrap();
    again.accept(answer).await.unwrap();
    for call in [first, second] {
        within(call.hang_up()).await.unwrap();
    }
    within(at_alice.ended()).await.unwrap();
    within(at_bob.ended()).await.unwrap();
    shut_down([alice, controller, bob]).await;
}

#[tokio::test]
async fn a_side_that_wants_an_offer_gets_one_and_answers_it() {
    let (alice, bob) = (builder("alice"), builder("bob").check_offers(false));
    let (alice, bob) =
        (alice.bind("127.0.0.1:0").await.unwrap(), bob.bind("127.0.0.1:0").await.unwrap());
    let offer = Bytes::from_static(b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n");
    let answer = Bytes::from_static(b"v=0\r\no=- 2 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n");
    let to = uri("bob", bob.local_address());
    let placed = alice.call_with(&to, Some(offer.clone())).await.unwrap();
    let taken = within(bob.incoming()).await.unwrap();
    assert_eq!(taken.offer(), Some(&offer));
    taken.progress_with(StatusCode::SESSION_PROGRESS, Some(answer.clone())).await.unwrap();
    within(placed.progress()).await.unwrap();
    assert_eq!(placed.description(), Some(answer.clone()));
    taken.answer_with(Some(answer.clone())).await.unwrap();
    assert_eq!(within(placed.answered_with()).await.unwrap(), answer);
    within(taken.answered()).await.unwrap();

    let asked = tokio::spawn(async move {
        let theirs = placed.ask_for_offer().await.unwrap();
        let description = theirs.description().cloned();
        theirs.accept(offer).await.unwrap();
        (placed, description)
    });
    let wanted = within(taken.next_offer()).await.unwrap();
    assert_eq!(wanted.description(), None);
    let agreed = within(wanted.offer(answer.clone())).await.unwrap();
    assert!(agreed.starts_with(b"v=0\r\no=- 1 1"));
    let (placed, description) = within(asked).await.unwrap();
    assert_eq!(description, Some(answer));
    within(placed.hang_up()).await.unwrap();
    within(taken.ended()).await.unwrap();
}

/// The same session, from the other side.
fn reversed(offer: &Bytes) -> Bytes {
    let text = std::str::from_utf8(offer).unwrap();
    let port = |line: &str| line.starts_with("m=audio ");
    let lines = text.lines().map(|line| match port(line) {
        true => "m=audio 9 RTP/AVP 0".to_owned(),
        false => line.to_owned(),
    });
    Bytes::from(lines.map(|line| line + "\r\n").collect::<String>())
}
