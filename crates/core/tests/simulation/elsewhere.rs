//! Calls whose media is elsewhere: the owner's descriptions go out as they are, and those of the peer
//! come in as they are.

use bytes::Bytes;
use offhook_core::{CallId, Config, Description, Ending, Error, Event, Fork, Outgoing};
use offhook_sansio::Flow;
use offhook_sip::End;
use offhook_sip_message::{HeaderName, Method, StatusCode, ValidRequest};

use crate::peer::{Desk, config, ours, response, sockets, text, theirs};

/// No endpoint of ours could answer it with media of its own.
const VIDEO: &str = "v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n\
m=video 5000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n";
const OTHER: &str = "v=0\r\no=- 1 2 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n\
m=video 6000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n";
/// The version goes up with each change (RFC 3264 §8).
const THIRD: &str = "v=0\r\no=- 1 3 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n\
m=video 7000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n";

fn opaque() -> Config {
    Config { check_offers: false, ..config() }
}

fn bytes(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

/// The next event, which must describe the peer's session.
fn described(desk: &mut Desk, wanted: Description) -> (Option<Fork>, String) {
    match desk.event() {
        Event::Described { fork, kind, content, .. } if kind == wanted => (fork, text(&content)),
        other => panic!("no {wanted:?}: {other:?}"),
    }
}

/// Calls the peer, with or without an offer.
fn call_with(desk: &mut Desk, offer: Option<&'static str>) -> (CallId, ValidRequest) {
    let target = "sip:bob@198.51.100.7:5070".parse().unwrap();
    let outgoing = Outgoing::new(target, Flow::udp(ours(), theirs()));
    let call = desk.endpoint.call_with(desk.now, outgoing, offer.map(bytes)).unwrap();
    desk.drain();
    let invite = desk.request(&Method::INVITE);
    assert_eq!(text(&invite.body()), offer.unwrap_or_default());
    (call, invite)
}

/// A call of the peer's that was answered with the owner's description.
fn answered() -> (Desk, CallId) {
    let mut desk = Desk::with(opaque());
    let call = desk.invited(Some(VIDEO));
    desk.endpoint.answer_with(desk.now, call, Some(bytes(OTHER))).unwrap();
    desk.drain();
    assert_eq!(text(&desk.response(StatusCode::OK).body()), OTHER);
    desk.acknowledge(None);
    assert!(matches!(desk.event(), Event::Established { .. }));
    (desk, call)
}

fn end(mut desk: Desk) {
    desk.bye();
    desk.response(StatusCode::OK);
    assert_eq!(desk.ending(), Ending::Signalling(End::PeerHungUp));
    assert!(desk.media.is_empty());
    desk.check_empty();
}

#[test]
fn an_offer_that_is_not_for_us_to_judge_is_passed_on_and_answered_by_the_owner() {
    let mut strict = Desk::new();
    strict.invite(Some(VIDEO));
    strict.response(StatusCode::TRYING);
    strict.response(StatusCode::NOT_ACCEPTABLE_HERE);
    strict.acknowledge_refusal();

    let (desk, call) = answered();
    assert!(desk.endpoint.is_elsewhere(call) && desk.endpoint.leg(call).is_none());
    end(desk);
}

#[test]
fn later_offers_of_the_peer_wait_for_the_owner() {
    let (mut desk, call) = answered();
    desk.invite(Some(OTHER));
    desk.response(StatusCode::TRYING);
    let (fork, offer) = described(&mut desk, Description::Offer);
    assert_eq!(offer, OTHER);
    desk.endpoint.reply_with(desk.now, call, fork, bytes(THIRD)).unwrap();
    let again = desk.endpoint.reply_with(desk.now, call, fork, bytes(THIRD));
    assert!(matches!(again, Err(Error::NotWaiting)), "{again:?}");
    desk.drain();
    assert_eq!(text(&desk.response(StatusCode::OK).body()), THIRD);
    desk.acknowledge(None);
    assert!(matches!(desk.event(), Event::Established { .. }));

    let update = desk.compose(&Method::UPDATE).body("application/sdp", OTHER).build().unwrap();
    desk.send(update.as_bytes());
    let (fork, offer) = described(&mut desk, Description::Offer);
    assert!(fork.is_some() && offer == OTHER);
    desk.endpoint.reply_with(desk.now, call, fork, bytes(THIRD)).unwrap();
    desk.drain();
    assert_eq!(text(&desk.response(StatusCode::OK).body()), THIRD);
    end(desk);
}

#[test]
fn a_reinvite_without_offer_asks_for_the_owners_and_the_ack_answers_it() {
    let (mut desk, call) = answered();
    desk.invite(None);
    desk.response(StatusCode::TRYING);
    assert!(matches!(desk.event(), Event::OfferWanted { .. }));
    desk.endpoint.reply_with(desk.now, call, None, bytes(OTHER)).unwrap();
    desk.drain();
    assert_eq!(text(&desk.response(StatusCode::OK).body()), OTHER);
    desk.acknowledge(Some(VIDEO));
    assert_eq!(described(&mut desk, Description::Answer).1, VIDEO);
    assert!(matches!(desk.event(), Event::Established { .. }));
    end(desk);
}

#[test]
fn a_later_offer_can_be_refused_and_withdrawn() {
    let (mut desk, call) = answered();
    desk.invite(Some(OTHER));
    desk.response(StatusCode::TRYING);
    let (fork, _) = described(&mut desk, Description::Offer);
    desk.endpoint.refuse_with(desk.now, call, fork, StatusCode::NOT_ACCEPTABLE_HERE).unwrap();
    desk.drain();
    desk.response(StatusCode::NOT_ACCEPTABLE_HERE);
    desk.acknowledge_refusal();

    desk.invite(Some(OTHER));
    desk.response(StatusCode::TRYING);
    let (fork, _) = described(&mut desk, Description::Offer);
    desk.cancel();
    desk.response(StatusCode::OK);
    desk.response(StatusCode::REQUEST_TERMINATED);
    assert!(matches!(desk.event(), Event::OfferWithdrawn { .. }));
    let late = desk.endpoint.reply_with(desk.now, call, fork, bytes(VIDEO));
    assert!(matches!(late, Err(Error::NotWaiting)), "{late:?}");
    desk.acknowledge_refusal();
    end(desk);
}

#[test]
fn a_call_of_the_owners_offer_is_told_of_previews_and_the_answer() {
    let mut desk = Desk::with(opaque());
    let (call, invite) = call_with(&mut desk, Some(VIDEO));
    desk.respond(&invite, StatusCode::SESSION_PROGRESS, Some(OTHER));
    assert_eq!(described(&mut desk, Description::Preview).1, OTHER);
    assert!(matches!(desk.event(), Event::Progress { status: StatusCode::SESSION_PROGRESS, .. }));
    desk.respond(&invite, StatusCode::OK, Some(OTHER));
    desk.request(&Method::ACK);
    assert_eq!(described(&mut desk, Description::Answer).1, OTHER);
    assert!(matches!(desk.event(), Event::Answered { .. }));

    desk.endpoint.modify_with(desk.now, call, Some(bytes(OTHER))).unwrap();
    desk.drain();
    let change = desk.request(&Method::INVITE);
    assert_eq!(text(&change.body()), OTHER);
    desk.respond(&change, StatusCode::OK, Some(VIDEO));
    desk.request(&Method::ACK);
    assert_eq!(described(&mut desk, Description::Answer).1, VIDEO);
    assert!(matches!(desk.event(), Event::Changed { .. }));

    desk.endpoint.modify_with(desk.now, call, Some(bytes(THIRD))).unwrap();
    desk.drain();
    let change = desk.request(&Method::INVITE);
    desk.respond(&change, StatusCode::NOT_ACCEPTABLE_HERE, None);
    desk.request(&Method::ACK);
    let Event::NotChanged { status, .. } = desk.event() else { panic!("changed") };
    assert_eq!(status, StatusCode::NOT_ACCEPTABLE_HERE);

    desk.endpoint.hang_up(desk.now, call).unwrap();
    desk.drain();
    desk.answer_bye();
    assert_eq!(desk.ending(), Ending::Signalling(End::HungUp));
    desk.check_empty();
}

#[test]
fn an_offer_in_a_response_is_answered_by_the_owner_in_the_ack_or_the_prack() {
    for reliable in [false, true] {
        let mut desk = Desk::with(opaque());
        let (call, invite) = call_with(&mut desk, None);
        if reliable {
            let early = response(&invite, StatusCode::SESSION_PROGRESS, "bob")
                .raw(HeaderName::REQUIRE, "100rel")
                .raw(HeaderName::RSEQ, "1")
                .body("application/sdp", VIDEO);
            desk.send(early.build().unwrap().as_bytes());
        } else {
            desk.respond(&invite, StatusCode::OK, Some(VIDEO));
        }
        let (fork, offer) = described(&mut desk, Description::Offer);
        assert_eq!(offer, VIDEO);
        assert!(desk.inbox.is_empty(), "nothing is acknowledged before the owner has answered");
        desk.endpoint.reply_with(desk.now, call, fork, bytes(OTHER)).unwrap();
        desk.drain();
        let method = if reliable { Method::PRACK } else { Method::ACK };
        let answer = desk.request(&method);
        assert_eq!(text(&answer.body()), OTHER);
        if reliable {
            assert!(matches!(desk.event(), Event::Progress { .. }));
            desk.respond(&answer, StatusCode::OK, None);
            desk.respond(&invite, StatusCode::OK, None);
            desk.request(&Method::ACK);
        }
        assert!(matches!(desk.event(), Event::Answered { .. }));
        desk.endpoint.hang_up(desk.now, call).unwrap();
        desk.drain();
        desk.answer_bye();
        desk.ending();
        desk.check_empty();
    }
}

#[test]
fn an_answer_of_another_type_ends_the_call() {
    let mut desk = Desk::with(opaque());
    let (_, invite) = call_with(&mut desk, Some(VIDEO));
    let ok = response(&invite, StatusCode::OK, "bob").body("text/plain", "later");
    desk.send(ok.build().unwrap().as_bytes());
    desk.request(&Method::ACK);
    desk.answer_bye();
    assert!(matches!(desk.ending(), Ending::BadDescription(_)));
    desk.check_empty();
}

#[test]
fn a_provisional_response_brings_the_owners_description() {
    let mut desk = Desk::with(opaque());
    let call = desk.invited(Some(VIDEO));
    let status = StatusCode::SESSION_PROGRESS;
    desk.endpoint.progress_with(desk.now, call, status, Some(bytes(OTHER))).unwrap();
    desk.drain();
    assert_eq!(text(&desk.response(status).body()), OTHER);
    let here = desk.endpoint.answer(desk.now, call, sockets());
    assert!(matches!(here, Err(Error::NotWaiting)), "{here:?}");
    desk.endpoint.answer_with(desk.now, call, Some(bytes(OTHER))).unwrap();
    desk.drain();
    desk.response(StatusCode::OK);
    desk.acknowledge(None);
    assert!(matches!(desk.event(), Event::Established { .. }));
    end(desk);
}

#[test]
fn a_call_with_media_here_takes_no_description_of_the_owners() {
    let (mut desk, call) = Desk::answered();
    let changed = desk.endpoint.modify_with(desk.now, call, Some(bytes(VIDEO)));
    assert!(matches!(changed, Err(Error::MediaHere)), "{changed:?}");
    let replied = desk.endpoint.reply_with(desk.now, call, None, bytes(VIDEO));
    assert!(matches!(replied, Err(Error::MediaHere)), "{replied:?}");
}
