//! Sound before the answer, at the callee (RFC 3960, RFC 6337 §3.1).

use offhook_core::{CallId, Error, Event};
use offhook_sip_message::{HeaderName, Method, RSeq, Response, StatusCode};

use crate::peer::{Desk, MUX, sdp, sockets, text};

/// The peer calls; it takes provisional responses reliably or not at all if it `requires` it.
fn invited(desk: &mut Desk, offer: Option<&str>, requires: bool) -> CallId {
    let mut invite = desk.compose(&Method::INVITE);
    if requires {
        invite = invite.raw(HeaderName::REQUIRE, "100rel");
    }
    if let Some(offer) = offer {
        invite = invite.body("application/sdp", offer.to_owned());
    }
    desk.send(invite.build().unwrap().as_bytes());
    desk.response(StatusCode::TRYING);
    match desk.event() {
        Event::Incoming { call, .. } => call,
        other => panic!("{other:?}"),
    }
}

fn early(desk: &mut Desk, call: CallId) -> Response {
    desk.endpoint.early_media(desk.now, call, sockets()).unwrap();
    desk.drain();
    desk.response(StatusCode::SESSION_PROGRESS)
}

/// The peer acknowledges a reliable response.
fn acknowledge_early(desk: &mut Desk, early: &Response, answer: Option<&str>) {
    let Some(RSeq(number)) = early.header::<RSeq>().unwrap() else { panic!("not reliable") };
    let to = early.header::<offhook_sip_message::To>().unwrap().unwrap();
    desk.tag = to.tag().unwrap().to_owned();
    let mut prack =
        desk.compose(&Method::PRACK).raw(HeaderName::RACK, &format!("{number} 1 INVITE"));
    if let Some(answer) = answer {
        prack = prack.body("application/sdp", answer.to_owned());
    }
    desk.send(prack.build().unwrap().as_bytes());
    assert!(desk.response(StatusCode::OK).body().is_empty());
}

fn answer(desk: &mut Desk, call: CallId) -> Response {
    desk.endpoint.answer_early(desk.now, call).unwrap();
    desk.drain();
    desk.response(StatusCode::OK)
}

#[test]
fn sound_flows_before_the_answer_which_says_the_same_again() {
    let mut desk = Desk::new();
    let call = invited(&mut desk, Some(&sdp("198.51.100.7", 4000, MUX)), false);
    assert!(matches!(
        desk.endpoint.answer_early(desk.now, call),
        Err(Error::NoMedia | Error::NotWaiting)
    ));
    let early = early(&mut desk, call);
    assert!(desk.endpoint.has_early_media(call));
    assert!(desk.talk(call, 20).was_heard());
    let twice = desk.endpoint.early_media(desk.now, call, sockets());
    assert!(matches!(twice, Err(Error::SocketInUse(_) | Error::NotWaiting)));
    let final_answer = answer(&mut desk, call);
    assert_eq!(early.body(), final_answer.body());
    assert!(!desk.endpoint.has_early_media(call));
    desk.cseq_of_ack(1);
    assert!(matches!(desk.event(), Event::Established { .. }));
    assert_eq!(desk.talk(call, 20).sent.len(), 20);
}

#[test]
fn a_reliable_answer_is_given_once() {
    let mut desk = Desk::new();
    let call = invited(&mut desk, Some(&sdp("198.51.100.7", 4000, MUX)), true);
    let early = early(&mut desk, call);
    assert!(text(&early.body()).contains("m=audio"));
    acknowledge_early(&mut desk, &early, None);
    assert!(desk.talk(call, 20).was_heard());
    assert!(answer(&mut desk, call).body().is_empty());
    desk.cseq_of_ack(1);
    assert!(matches!(desk.event(), Event::Established { .. }));
}

#[test]
fn who_makes_no_offer_gets_one_that_the_prack_answers() {
    let mut desk = Desk::new();
    let call = invited(&mut desk, None, true);
    let early = early(&mut desk, call);
    assert!(text(&early.body()).contains("a=sendrecv"));
    assert!(desk.endpoint.leg(call).is_none());
    acknowledge_early(&mut desk, &early, Some(&sdp("198.51.100.7", 4000, MUX)));
    assert!(matches!(desk.event(), Event::EarlyMedia { .. }));
    assert!(desk.talk(call, 20).was_heard());
    assert!(answer(&mut desk, call).body().is_empty());
    desk.cseq_of_ack(1);
    assert!(matches!(desk.event(), Event::Established { .. }));
}

#[test]
fn who_makes_no_offer_and_takes_nothing_reliably_hears_nothing_early() {
    let mut desk = Desk::new();
    let call = invited(&mut desk, None, false);
    let refused = desk.endpoint.early_media(desk.now, call, sockets());
    assert!(matches!(refused, Err(Error::NoOffer)), "{refused:?}");
    desk.endpoint.answer(desk.now, call, sockets()).unwrap();
    desk.drain();
    assert!(!desk.response(StatusCode::OK).body().is_empty());
    desk.acknowledge(Some(&sdp("198.51.100.7", 4000, MUX)));
}

#[test]
fn a_call_that_is_given_up_early_leaves_nothing_behind() {
    let mut desk = Desk::new();
    let call = invited(&mut desk, Some(&sdp("198.51.100.7", 4000, MUX)), false);
    early(&mut desk, call);
    desk.cancel();
    desk.response(StatusCode::OK);
    desk.response(StatusCode::REQUEST_TERMINATED);
    desk.acknowledge_refusal();
    assert_eq!(desk.ending().status(), Some(StatusCode::REQUEST_TERMINATED));
    desk.check_empty();
}
