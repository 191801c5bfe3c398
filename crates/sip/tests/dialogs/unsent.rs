//! Responses that cannot be sent (RFC 3261 §17.2.4 as of RFC 6026 §8.8).

use bytes::Bytes;
use offhook_sansio::{Flow, Transmit};
use offhook_sip::{Config, End, Event, ReliableProvisionals};
use offhook_sip_message::{Method, StatusCode};

use crate::{
    dialogue::{contact, has, method, nothing_is_left_after, status, using, with_body},
    support::raw::{Raw, field, first_line, ours, request, respond, tag_of, theirs},
};

fn fails(raw: &mut Raw, response: &str) -> Vec<String> {
    let flow = Flow::udp(ours(), theirs());
    let transmit = Transmit { flow, payload: Bytes::from(response.to_owned()) };
    raw.agent.response_failed(raw.now, &transmit);
    raw.drain()
}

fn ended(raw: &Raw) -> Option<&End> {
    let mut ends = raw.events.iter().filter_map(|event| match event {
        Event::Ended { end, .. } => Some(end),
        _ => None,
    });
    let end = ends.next();
    assert!(ends.next().is_none(), "told twice");
    end
}

fn invite() -> String {
    with_body(&request("INVITE", "z9hG4bKinvite", 1, "", "Supported: 100rel\n"))
}

fn ack(tag: &str) -> String {
    request("ACK", "z9hG4bKinvite", 1, tag, "")
}

#[test]
fn a_call_that_rings_in_vain_ends_and_its_invite_is_answered_should_it_come_again() {
    for reliable in [ReliableProvisionals::Off, ReliableProvisionals::Preferred] {
        let mut raw = Raw::with(using(reliable));
        raw.send(&invite());
        raw.agent.ring(raw.now, raw.incoming()).unwrap();
        let ringing = raw.drain();
        let refusal = fails(&mut raw, &ringing[0]);
        assert_eq!(ended(&raw), Some(&End::TransportFailed));
        assert_eq!(status(&refusal), 480);
        assert_eq!(raw.send(&invite()), refusal, "the transaction has stayed");
        assert!(fails(&mut raw, &refusal[0]).is_empty(), "it fails too");
        assert_eq!(raw.wait(500), refusal, "Timer G goes on");
        raw.send(&ack(&tag_of(&refusal[0])));
        raw.wait(5_000);
        assert_eq!((raw.agent.live_calls(), raw.agent.live_transactions()), (0, 0));
    }
}

#[test]
fn a_call_whose_100_cannot_be_sent_ends_before_it_rings() {
    let mut raw = Raw::new();
    let trying = raw.send(&invite());
    assert_eq!(status(&trying), 100);
    fails(&mut raw, &trying[0]);
    assert_eq!(ended(&raw), Some(&End::TransportFailed));
    raw.wait(32_000);
    assert_eq!((raw.agent.live_calls(), raw.agent.live_transactions()), (0, 0));
}

#[test]
fn a_response_before_the_last_one_or_of_somebody_else_ends_nothing() {
    let mut raw = Raw::new();
    let trying = raw.send(&invite());
    raw.agent.ring(raw.now, raw.incoming()).unwrap();
    let ringing = raw.drain();
    let foreign = ringing[0].replace("z9hG4bKinvite", "z9hG4bKother");
    for response in [&trying[0], &foreign, &invite(), "", "SIP/2.0 "] {
        assert!(fails(&mut raw, response).is_empty());
    }
    let elsewhere = Flow::udp(ours(), ([198, 51, 100, 8], 5070).into());
    let payload = Bytes::from(ringing[0].clone());
    raw.agent.response_failed(raw.now, &Transmit { flow: elsewhere, payload });
    assert_eq!((ended(&raw), raw.agent.live_calls()), (None, 1));
}

#[test]
fn a_2xx_that_cannot_be_sent_is_repeated_for_64_t1_and_ends_in_a_bye() {
    let mut raw = Raw::new();
    raw.send(&invite());
    let call = raw.incoming();
    raw.agent.answer(raw.now, call, None).unwrap();
    let accepted = raw.drain();
    assert!(fails(&mut raw, &accepted[0]).is_empty());
    assert_eq!((ended(&raw), raw.agent.live_calls()), (None, 1));
    let mut sent = raw.wait(31_999);
    assert_eq!(sent.len(), 10, "at 0.5, 1.5, 3.5, 7.5 and then each 4 s");
    for again in sent.drain(..) {
        assert_eq!(again, accepted[0]);
        fails(&mut raw, &again);
    }
    assert_eq!(method(&raw.wait(1)[0]), "BYE");
    assert_eq!(ended(&raw), Some(&End::NotAcknowledged));
    nothing_is_left_after(&mut raw, &"the BYE");
}

#[test]
fn a_2xx_that_comes_through_at_last_makes_the_call() {
    let mut raw = Raw::new();
    raw.send(&invite());
    raw.agent.answer(raw.now, raw.incoming(), None).unwrap();
    let accepted = raw.drain();
    fails(&mut raw, &accepted[0]);
    let again = raw.wait(500);
    assert_eq!(again, accepted);
    raw.send(&request("ACK", "z9hG4bKack", 1, &tag_of(&again[0]), ""));
    assert!(has(&raw, |event| matches!(event, Event::Established { .. })));
}

#[test]
fn a_call_that_stands_is_not_ended_by_responses_within_it() {
    let mut raw = Raw::new();
    let (call, invite) = raw.invite(Some("v=0"));
    raw.send(&respond(&invite, "200 OK", "bob", &contact("bob")));
    let reinvite = crate::dialogue::from_callee(&invite, "INVITE", "bob", 7, "");
    let trying = raw.send(&reinvite);
    fails(&mut raw, &trying[0]);
    assert_eq!(ended(&raw), None);
    raw.agent.answer(raw.now, call, None).unwrap();
    let accepted = raw.drain();
    assert_eq!(field(&accepted[0], "CSeq"), "7 INVITE");
    let options = raw.send(&crate::dialogue::from_callee(&invite, "OPTIONS", "bob", 8, ""));
    assert!(fails(&mut raw, &options[0]).is_empty());
    assert_eq!((ended(&raw), raw.agent.live_calls()), (None, 1));
}

#[test]
fn a_request_that_waits_for_its_owner_goes_on_to_wait() {
    let mut raw =
        Raw::with(Config { answered_by_owner: vec![Method::MESSAGE], ..Config::default() });
    raw.send(&request("MESSAGE", "z9hG4bKmessage", 1, "", ""));
    let trying = raw.wait(3_500);
    assert_eq!(status(&trying), 100);
    assert!(fails(&mut raw, &trying[0]).is_empty());
    let incoming = raw.events.iter().find_map(|event| match event {
        Event::Requested { incoming, .. } => Some(*incoming),
        _ => None,
    });
    raw.agent.respond(raw.now, incoming.unwrap(), StatusCode::OK, None, &[]).unwrap();
    let answer = raw.drain();
    assert!(first_line(&answer[0]).starts_with("SIP/2.0 200"));
    assert!(fails(&mut raw, &answer[0]).is_empty(), "Timer J goes on");
    assert_eq!(raw.send(&request("MESSAGE", "z9hG4bKmessage", 1, "", "")), answer);
}
