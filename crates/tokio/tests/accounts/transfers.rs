//! Transfers between three telephones, and what else is told within calls.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use bytes::Bytes;
use offhook_audio::ToneSource;
use offhook_core::Ending;
use offhook_sip::{Body, End, Info, SessionTimer};
use offhook_sip_message::{
    AnswerMode, AnswerModeValue, HeaderName, InfoPackage, Method, NameAddr, Privacy, PrivacyValue,
    Reason, StatusCode,
};
use offhook_tokio::{Call, Endpoint, Error};

use crate::{
    peer::{Peer, field, sdp, with_body},
    support::{builder, endpoint, standing, uri, within},
};

/// An endpoint that takes transfers.
async fn willing(name: &str) -> Endpoint {
    builder(name).take_transfers(true).bind("127.0.0.1:0").await.unwrap()
}

/// Whether what one says is heard by the other.
async fn connected(one: &Call, other: &Call) {
    for (speaker, listener) in [(one, other), (other, one)] {
        let (ear, mouth) = (listener.audio().await.unwrap(), speaker.clone());
        tokio::spawn(async move { mouth.play(ToneSource::new(8000, 440.0, 0.5)).await });
        let loud = |samples: &[i16]| samples.iter().any(|sample| sample.unsigned_abs() > 1000);
        within(async { while !loud(&ear.heard.receive().await.unwrap().samples) {} }).await;
    }
}

#[tokio::test]
async fn a_blind_transfer_connects_the_far_side_and_tells_how_it_goes() {
    let (alice, bob, carol) =
        (willing("alice").await, endpoint("bob").await, endpoint("carol").await);
    let (placed, taken) = standing(&alice, &bob).await;
    let mut transfer = taken.transfer(&uri("carol", carol.local_address())).await.unwrap();
    let asked = within(alice.incoming_transfer()).await.unwrap();
    assert!(asked.is_of(&placed));
    assert_eq!(asked.from().uri, bob.identity().uri);
    assert_eq!(asked.referred_by().map(|by| &by.uri), Some(&bob.identity().uri));
    assert_eq!(asked.target().uri.to_string(), uri("carol", carol.local_address()));
    let accepted = tokio::spawn(asked.accept());
    let at_carol = within(carol.incoming()).await.unwrap();
    let moved = within(accepted).await.unwrap().unwrap();
    at_carol.ring().await.unwrap();
    within(async { while transfer.progress().await.unwrap() != StatusCode::RINGING {} }).await;
    at_carol.answer().await.unwrap();
    within(transfer.finished()).await.unwrap();
    taken.hang_up().await.unwrap();
    within(placed.ended()).await.unwrap();
    connected(&moved, &at_carol).await;
    for endpoint in [alice, bob, carol] {
        within(endpoint.shutdown()).await;
    }
}

#[tokio::test]
async fn a_transfer_to_someone_who_is_busy_leaves_the_call_as_it_was() {
    let (alice, bob, carol) =
        (willing("alice").await, endpoint("bob").await, endpoint("carol").await);
    let (placed, taken) = standing(&alice, &bob).await;
    let mut transfer = taken.transfer(&uri("carol", carol.local_address())).await.unwrap();
    let asked = within(alice.incoming_transfer()).await.unwrap();
    let accepted = tokio::spawn(asked.accept());
    within(carol.incoming()).await.unwrap().reject(StatusCode::BUSY_HERE).await.unwrap();
    let moved = within(accepted).await.unwrap().unwrap();
    assert_eq!(within(moved.ended()).await.unwrap().status(), Some(StatusCode::BUSY_HERE));
    let failed = within(transfer.finished()).await.unwrap_err();
    assert!(matches!(failed, Error::Refused { status: StatusCode::BUSY_HERE }), "{failed}");
    connected(&placed, &taken).await;
}

#[tokio::test]
async fn a_transfer_is_refused_by_who_takes_none_and_by_who_does_not_want_it() {
    let (alice, bob) = (endpoint("alice").await, willing("bob").await);
    let (placed, taken) = standing(&alice, &bob).await;
    let mut none = taken.transfer("sip:carol@127.0.0.1").await.unwrap();
    let refused = within(none.finished()).await.unwrap_err();
    assert!(matches!(refused, Error::Refused { status: StatusCode::METHOD_NOT_ALLOWED }));

    for (drops, wanted) in [(true, StatusCode::DECLINE), (false, StatusCode::FORBIDDEN)] {
        let mut transfer = placed.transfer("sip:carol@127.0.0.1").await.unwrap();
        let asked = within(bob.incoming_transfer()).await.unwrap();
        if drops {
            drop(asked);
        } else {
            asked.reject(StatusCode::FORBIDDEN).await.unwrap();
        }
        let refused = within(transfer.finished()).await.unwrap_err();
        assert!(matches!(refused, Error::Refused { status } if status == wanted), "{refused}");
        let untold = within(transfer.progress()).await.unwrap_err();
        assert!(matches!(untold, Error::TransferUntold), "{untold}");
    }
    let mut odd = placed.transfer("sip:carol@127.0.0.1;method=BYE").await.unwrap();
    let accepted = within(bob.incoming_transfer()).await.unwrap().accept().await;
    assert!(matches!(accepted, Err(Error::Uri { .. })));
    let refused = within(odd.finished()).await.unwrap_err();
    assert!(matches!(refused, Error::Refused { status: StatusCode::NOT_IMPLEMENTED }));
}

#[tokio::test]
async fn an_attended_transfer_puts_one_in_the_place_of_another() {
    let (alice, bob, carol) =
        (willing("alice").await, endpoint("bob").await, endpoint("carol").await);
    let (placed, taken) = standing(&alice, &bob).await;
    let (asking, asked) = standing(&bob, &carol).await;
    let mut transfer = taken.transfer_to(&asking).await.unwrap();
    let accepted = tokio::spawn(within(alice.incoming_transfer()).await.unwrap().accept());
    let at_carol = within(carol.incoming()).await.unwrap();
    assert!(at_carol.replaces(&asked) && !at_carol.replaces(&at_carol));
    at_carol.answer().await.unwrap();
    let moved = within(accepted).await.unwrap().unwrap();
    within(transfer.finished()).await.unwrap();
    assert_eq!(within(asked.ended()).await.unwrap().ending, Ending::Signalling(End::HungUp));
    let replaced = within(asking.ended()).await.unwrap();
    assert_eq!(replaced.ending, Ending::Signalling(End::PeerHungUp));
    taken.hang_up().await.unwrap();
    within(placed.ended()).await.unwrap();
    connected(&moved, &at_carol).await;
}

#[tokio::test]
async fn a_transfer_outlives_the_call_of_who_has_asked_and_a_shutdown_ends_it() {
    let (alice, bob, carol) =
        (willing("alice").await, endpoint("bob").await, endpoint("carol").await);
    let (placed, taken) = standing(&alice, &bob).await;
    let transfer = taken.transfer(&uri("carol", carol.local_address())).await.unwrap();
    let accepted = tokio::spawn(within(alice.incoming_transfer()).await.unwrap().accept());
    let at_carol = within(carol.incoming()).await.unwrap();
    drop((transfer, taken));
    within(placed.ended()).await.unwrap();
    let moved = within(accepted).await.unwrap().unwrap();
    at_carol.answer().await.unwrap();
    within(moved.answered()).await.unwrap();
    within(alice.shutdown()).await;
    within(at_carol.ended()).await.unwrap();
    within(bob.shutdown()).await;
}

#[tokio::test]
async fn infos_are_heard_both_ways_and_refused_by_who_takes_none() {
    let open = |name| builder(name).info(["conference"]).bind("127.0.0.1:0");
    let (alice, bob) = (open("alice").await.unwrap(), open("bob").await.unwrap());
    let (placed, taken) = standing(&alice, &bob).await;
    let content = Bytes::from_static(b"Signal=5\r\nDuration=160\r\n");
    let body = Body { content_type: "application/dtmf-relay".into(), content };
    let digit = Info { body: Some(body.clone()), ..Info::default() };
    for (from, to) in [(&placed, &taken), (&taken, &placed)] {
        within(from.send_info(digit.clone())).await.unwrap();
        let heard = within(to.info()).await.unwrap();
        assert_eq!((heard.package.is_none(), heard.body.as_ref()), (true, Some(&body)));
        let package = Some(InfoPackage::new("conference"));
        within(from.send_info(Info { package, ..Info::default() })).await.unwrap();
        assert_eq!(within(to.info()).await.unwrap().package.unwrap().package, "conference");
    }
    for at in 0..40 {
        let content = Bytes::from(format!("{at}"));
        let body = Some(Body { content_type: "application/dtmf".into(), content });
        within(placed.send_info(Info { body, ..Info::default() })).await.unwrap();
    }
    let first = within(taken.info()).await.unwrap().body.unwrap();
    assert_eq!(&first.content[..], b"8", "the oldest are lost");

    let deaf = endpoint("carol").await;
    let (unheard, _kept) = standing(&alice, &deaf).await;
    let refused = within(unheard.send_info(digit)).await.unwrap_err();
    assert!(matches!(refused, Error::Refused { status: StatusCode::METHOD_NOT_ALLOWED }));
    placed.hang_up().await.unwrap();
    within(async { while taken.info().await.is_ok() {} }).await;
}

#[tokio::test]
async fn each_side_is_told_why_the_other_hangs_up() {
    let (alice, bob) = (endpoint("alice").await, endpoint("bob").await);
    let (placed, taken) = standing(&alice, &bob).await;
    let reason: Reason = Reason::new("Q.850").with_cause(16);
    let ended = within(placed.hang_up_because(reason.clone())).await.unwrap();
    assert_eq!((ended.ending, ended.reasons), (Ending::Signalling(End::HungUp), vec![]));
    assert_eq!(within(taken.ended()).await.unwrap().reasons, [reason]);
}

#[tokio::test]
async fn what_a_call_is_told_to_say_stands_in_its_invite() {
    let peer = Peer::new().await;
    let alice = builder("alice").bind("127.0.0.1:0").await.unwrap();
    let target = uri("bob", peer.address);
    let placed = alice
        .place(&target)
        .header(HeaderName::SUBJECT, "lunch")
        .privacy(Privacy::new([PrivacyValue::Id]))
        .preferred_identity(NameAddr::new("sip:alice@example.com".parse().unwrap()))
        .session_timer(SessionTimer::requested(Duration::from_secs(600)))
        .answer_mode(AnswerMode::new(AnswerModeValue::Auto))
        .call()
        .await
        .unwrap();
    let (invite, _) = within(peer.request(&Method::INVITE)).await;
    let text = String::from_utf8(invite.as_bytes().to_vec()).unwrap();
    assert_eq!(field(&text, "Subject"), "lunch");
    assert_eq!(field(&text, "Privacy"), "id");
    assert_eq!(field(&text, "P-Preferred-Identity"), "<sip:alice@example.com>");
    assert!(field(&text, "From").contains("anonymous"), "{text}");
    assert_eq!(field(&text, "Session-Expires"), "600");
    assert_eq!(field(&text, "Answer-Mode"), "Auto");
    drop(placed);
}

#[tokio::test]
async fn session_timers_of_the_builder_are_asked_for_in_each_call() {
    let peer = Peer::new().await;
    let timer = SessionTimer::requested(Duration::from_secs(300));
    let alice = builder("alice").session_timer(timer).bind("127.0.0.1:0").await.unwrap();
    let _placed = alice.call(&uri("bob", peer.address)).await.unwrap();
    let (invite, _) = within(peer.request(&Method::INVITE)).await;
    let text = String::from_utf8(invite.as_bytes().to_vec()).unwrap();
    assert_eq!(field(&text, "Session-Expires"), "300");
}

#[tokio::test]
async fn identities_and_answer_modes_are_seen_by_who_trusts_and_takes_them() {
    let peer = Peer::new().await;
    let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let more = "P-Asserted-Identity: <sip:carol@example.com>\r\nAnswer-Mode: Auto";
    for trusts in [true, false] {
        let bob = builder("bob").trusted(Vec::from_iter(trusts.then_some(local)));
        let bob = bob.answer_modes(trusts).bind("127.0.0.1:0").await.unwrap();
        let address = bob.local_address();
        let head = peer.compose("INVITE", 1, &uri("bob", address), "<sip:bob@127.0.0.1>");
        peer.say(address, &with_body(&format!("{head}\r\n{more}"), &sdp(1, 4000, ""))).await;
        let call = within(bob.incoming()).await.unwrap();
        assert_eq!(call.asserted_identity().len(), usize::from(trusts));
        assert_eq!(call.answer_mode().is_some(), trusts);
        assert!(call.priv_answer_mode().is_none());
    }
}

#[tokio::test]
async fn a_call_that_asks_to_join_another_one_says_which() {
    let (peer, third) = (Peer::new().await, Peer::new().await);
    for takes in [true, false] {
        let bob = builder("bob").take_joins(takes).bind("127.0.0.1:0").await.unwrap();
        let address = bob.local_address();
        let target = uri("bob", address);
        let head = peer.compose("INVITE", 1, &target, "<sip:bob@127.0.0.1>");
        peer.say(address, &with_body(&head, &sdp(1, 4000, ""))).await;
        let call = within(bob.incoming()).await.unwrap();
        call.answer().await.unwrap();
        let accepted = peer.response(200).await;
        let (_, tag) = field(&accepted, "To").split_once(";tag=").unwrap();
        let join = format!("Join: peer@{};to-tag={tag};from-tag=carol", peer.address);
        let head = third.compose("INVITE", 1, &target, "<sip:bob@127.0.0.1>");
        third.say(address, &with_body(&format!("{head}\r\n{join}"), &sdp(1, 4002, ""))).await;
        let joining = within(bob.incoming()).await.unwrap();
        assert_eq!(joining.joins(&call), takes);
        assert!(!joining.replaces(&call) && !call.joins(&joining));
        joining.answer().await.unwrap();
        third.response(200).await;
        assert!(call.stats().await.is_ok(), "it goes on");
    }
}
