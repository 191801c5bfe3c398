//! Reliable provisional responses at the callee (RFC 3262 §3, §5).

use bytes::Bytes;
use offhook_sip::{Body, CallId, Description, End, Error, Event, ReliableProvisionals};
use offhook_sip_message::StatusCode;

use crate::{
    dialogue::{called, has, nothing_is_left, prack, status, using, with_body},
    support::raw::{Raw, field, fields, first_line, request, tag_of},
};

const REQUIRED: &str = "Require: 100rel\n";
const SUPPORTED: &str = "Supported: 100rel\n";

fn early() -> Option<Body> {
    Some(Body { content_type: "application/sdp".into(), content: Bytes::from_static(b"v=early") })
}

fn progress(raw: &mut Raw, call: CallId, code: u16, body: Option<Body>) -> Vec<String> {
    raw.agent.progress(raw.now, call, StatusCode::new(code).unwrap(), body).unwrap();
    raw.drain()
}

fn answer(raw: &mut Raw, call: CallId) -> Vec<String> {
    raw.agent.answer(raw.now, call, None).unwrap();
    raw.drain()
}

/// A call that requires reliable responses, and the 180 to it.
fn ringing() -> (Raw, CallId, String) {
    let mut raw = Raw::new();
    let call = called(&mut raw, REQUIRED, true);
    let ringing = progress(&mut raw, call, 180, None).remove(0);
    (raw, call, ringing)
}

#[test]
fn setting_and_invite_decide_whether_responses_are_reliable() {
    use ReliableProvisionals::{Off, Preferred, Required, Supported};
    let decided = |setting, more: &str| {
        let mut raw = Raw::with(using(setting));
        let sent = raw.send(&with_body(&request("INVITE", "z9hG4bK1", 1, "", more)));
        match status(&sent) {
            100 => {
                let call = raw.incoming();
                let sent = progress(&mut raw, call, 180, None);
                (180, fields(&sent[0], "Require") == ["100rel"])
            }
            other => (other, fields(&sent[0], "Require") == ["100rel"]),
        }
    };
    let neither = (180, false);
    let reliably = (180, true);
    for (setting, plain, supported, required) in [
        (Off, neither, neither, (420, false)),
        (Supported, neither, neither, reliably),
        (Preferred, neither, reliably, reliably),
        (Required, (421, true), reliably, reliably),
    ] {
        assert_eq!(decided(setting, ""), plain, "{setting:?}");
        assert_eq!(decided(setting, SUPPORTED), supported, "{setting:?}");
        assert_eq!(decided(setting, REQUIRED), required, "{setting:?}");
    }
}

#[test]
fn a_420_names_the_extension_and_a_prack_is_not_allowed_when_it_is_off() {
    let mut raw = Raw::with(using(ReliableProvisionals::Off));
    let sent = raw.send(&request("INVITE", "z9hG4bK1", 1, "", REQUIRED));
    assert_eq!(field(&sent[0], "Unsupported"), "100rel");
    let sent = raw.send(&request("PRACK", "z9hG4bK2", 2, "x", "RAck: 1 1 INVITE\n"));
    assert_eq!(status(&sent), 405);
    assert!(!field(&sent[0], "Allow").contains("PRACK"));
}

#[test]
fn a_reliable_response_has_its_fields() {
    let (_, _, ringing) = ringing();
    assert_eq!(field(&ringing, "Require"), "100rel");
    let number: u32 = field(&ringing, "RSeq").parse().unwrap();
    assert!((1..=0x7fff_ffff).contains(&number));
    assert!(field(&ringing, "Allow").contains("PRACK, UPDATE"));
    assert!(ringing.contains("\r\nContact: ") && !tag_of(&ringing).is_empty());
}

#[test]
fn a_trying_is_never_reliable() {
    let mut raw = Raw::new();
    let invite = with_body(&request("INVITE", "z9hG4bKinvite", 1, "", REQUIRED));
    let trying = raw.send(&invite).remove(0);
    assert!(fields(&trying, "RSeq").is_empty() && fields(&trying, "Require").is_empty());
}

#[test]
fn it_is_repeated_with_doubling_intervals_until_the_prack() {
    let (mut raw, _, ringing) = ringing();
    let mut at = Vec::new();
    for tick in 1..=160_u64 {
        let sent = raw.wait(100);
        assert!(sent.iter().all(|sent| *sent == ringing), "{sent:?}");
        at.extend(sent.iter().map(|_| tick * 100));
    }
    assert_eq!(at, [500, 1_500, 3_500, 7_500, 15_500], "no bound at T2");
    assert_eq!(status(&raw.send(&prack(&ringing, 2))), 200);
    assert!(raw.wait(40_000).is_empty());
    assert!(has(&raw, |event| matches!(event, Event::ProgressAcknowledged { .. })));
}

#[test]
fn without_a_prack_the_invite_is_refused_after_64_t1() {
    let (mut raw, _, _) = ringing();
    let sent = raw.wait(31_990);
    assert!(sent.iter().all(|sent| first_line(sent).contains("180")));
    let sent = raw.wait(20);
    assert_eq!(status(&sent), 504);
    nothing_is_left(&mut raw);
    let status = StatusCode::SERVER_TIME_OUT;
    let end = End::Refused { status };
    assert!(has(&raw, |event| matches!(event, Event::Ended { end: is, .. } if *is == end)));
}

#[test]
fn a_prack_that_matches_nothing_is_answered_481() {
    let (mut raw, _, ringing) = ringing();
    let number: u32 = field(&ringing, "RSeq").parse().unwrap();
    let tag = tag_of(&ringing);
    let racks = [
        format!("{} 1 INVITE", number + 1),
        format!("{number} 2 INVITE"),
        format!("{number} 1 BYE"),
    ];
    for (n, rack) in racks.iter().enumerate() {
        let cseq = n as u32 + 2;
        let rack = format!("RAck: {rack}\n");
        let sent = raw.send(&request("PRACK", &format!("z9hG4bKx{n}"), cseq, &tag, &rack));
        assert_eq!(status(&sent), 481, "{rack}");
    }
    assert_eq!(status(&raw.send(&request("PRACK", "z9hG4bKy", 5, &tag, ""))), 400, "no RAck");
    let right = prack(&ringing, 6);
    assert_eq!(status(&raw.send(&right)), 200);
    assert_eq!(status(&raw.send(&right)), 200, "the same transaction");
    assert_eq!(status(&raw.send(&prack(&ringing, 7))), 481, "it is acknowledged");
}

#[test]
fn the_next_response_waits_for_the_prack_and_has_the_next_number() {
    let (mut raw, call, first) = ringing();
    assert!(progress(&mut raw, call, 181, None).is_empty());
    assert!(progress(&mut raw, call, 183, early()).is_empty());
    let sent = raw.send(&prack(&first, 2));
    assert_eq!((first_line(&sent[0]), sent.len()), ("SIP/2.0 200 OK", 2));
    assert!(first_line(&sent[1]).contains("181"));
    let number = |message: &str| field(message, "RSeq").parse::<u32>().unwrap();
    assert_eq!(number(&sent[1]), number(&first) + 1);
    let third = raw.send(&prack(&sent[1], 3)).remove(1);
    assert!(third.ends_with("v=early"));
    assert_eq!(number(&third), number(&first) + 2);
}

#[test]
fn not_more_responses_wait_than_there_is_room_for() {
    let (mut raw, call, _) = ringing();
    let status = StatusCode::RINGING;
    let sent = (0..20).take_while(|_| raw.agent.progress(raw.now, call, status, None).is_ok());
    assert_eq!(sent.count(), 8);
    let refused = raw.agent.progress(raw.now, call, status, None);
    assert_eq!(refused, Err(Error::TooManyProvisionals));
}

#[test]
fn a_2xx_waits_for_the_prack_if_the_response_described_the_session() {
    let mut raw = Raw::new();
    let call = called(&mut raw, REQUIRED, true);
    let first = progress(&mut raw, call, 183, early()).remove(0);
    assert!(answer(&mut raw, call).is_empty());
    assert!(raw.agent.answer(raw.now, call, None).is_err(), "answered already");
    assert!(raw.agent.ring(raw.now, call).is_err(), "§3: none after the final response");
    let sent = raw.send(&prack(&first, 2));
    assert_eq!(sent.len(), 2);
    assert!(
        field(&sent[0], "CSeq").contains("PRACK") && field(&sent[1], "CSeq").contains("INVITE")
    );
    raw.send(&request("ACK", "z9hG4bKack", 1, &tag_of(&first), ""));
    assert!(has(&raw, |event| matches!(event, Event::Established { .. })));
}

#[test]
fn a_2xx_does_not_wait_if_nothing_was_described_and_the_prack_may_come_later() {
    let (mut raw, call, first) = ringing();
    assert_eq!(status(&answer(&mut raw, call)), 200);
    let repeated = raw.wait(400);
    assert!(repeated.is_empty(), "the 180 is not repeated any more: {repeated:?}");
    assert_eq!(status(&raw.send(&prack(&first, 2))), 200);
    assert_eq!(status(&raw.send(&prack(&first, 3))), 481);
}

#[test]
fn after_a_refusal_the_prack_may_still_come() {
    let (mut raw, call, first) = ringing();
    raw.agent.reject(raw.now, call, StatusCode::BUSY_HERE).unwrap();
    raw.drain();
    assert_eq!(status(&raw.send(&prack(&first, 2))), 200);
    assert_eq!(status(&raw.send(&prack(&first, 3))), 481);
    nothing_is_left(&mut raw);
}

#[test]
fn the_time_for_a_late_prack_ends_with_the_invite() {
    let (mut raw, call, first) = ringing();
    raw.agent.reject(raw.now, call, StatusCode::BUSY_HERE).unwrap();
    raw.drain();
    nothing_is_left(&mut raw);
    assert_eq!(status(&raw.send(&prack(&first, 2))), 481);
}

#[test]
fn the_first_response_brings_the_offer_if_the_invite_has_none() {
    let mut raw = Raw::new();
    let call = called(&mut raw, REQUIRED, false);
    let refused = raw.agent.ring(raw.now, call);
    assert!(matches!(refused, Err(Error::WrongState { verb: "progress", .. })), "{refused:?}");
    let first = progress(&mut raw, call, 183, early()).remove(0);
    raw.send(&with_body(&prack(&first, 2)));
    let answered = |event: &Event| {
        matches!(event, Event::ProgressAcknowledged { description: Description::Answer, .. })
    };
    assert!(has(&raw, answered));
    assert_eq!(status(&progress(&mut raw, call, 180, None)), 180);
}

#[test]
fn a_peer_that_only_supports_it_gets_no_reliable_response_before_there_is_an_offer() {
    let mut raw = Raw::with(using(ReliableProvisionals::Preferred));
    let call = called(&mut raw, SUPPORTED, false);
    assert!(fields(&progress(&mut raw, call, 180, None)[0], "RSeq").is_empty());
    assert_eq!(fields(&progress(&mut raw, call, 183, early())[0], "RSeq").len(), 1);
}

#[test]
fn an_offer_in_a_prack_is_answered_in_its_2xx_and_the_2xx_to_the_invite_waits_for_that() {
    let mut raw = Raw::new();
    let call = called(&mut raw, REQUIRED, true);
    let first = progress(&mut raw, call, 183, early()).remove(0);
    assert!(raw.send(&with_body(&prack(&first, 2))).is_empty(), "it waits for the user");
    let offered = |event: &Event| {
        matches!(event, Event::ProgressAcknowledged { description: Description::Offer, .. })
    };
    assert!(has(&raw, offered));
    assert!(answer(&mut raw, call).is_empty());
    assert!(raw.agent.reject_offer(raw.now, call, None, StatusCode::NOT_ACCEPTABLE_HERE).is_err());
    raw.agent.answer_offer(raw.now, call, None, early()).unwrap();
    let sent = raw.drain();
    assert!(field(&sent[0], "CSeq").contains("PRACK") && sent[0].ends_with("v=early"));
    assert!(field(&sent[1], "CSeq").contains("INVITE"));
}

#[test]
fn an_offer_in_a_prack_that_nobody_answers_is_let_go() {
    let mut raw = Raw::new();
    let call = called(&mut raw, REQUIRED, true);
    let first = progress(&mut raw, call, 183, early()).remove(0);
    raw.send(&with_body(&prack(&first, 2)));
    assert_eq!(status(&raw.wait(16_000)), 200);
    assert!(has(&raw, |event| matches!(event, Event::OfferExpired { .. })));
    raw.agent.hang_up(raw.now, call).unwrap();
    raw.drain();
    nothing_is_left(&mut raw);
}

#[test]
fn long_ringing_is_refreshed_reliably_every_two_and_a_half_minutes() {
    let (mut raw, _, first) = ringing();
    raw.send(&prack(&first, 2));
    assert!(raw.wait(149_000).is_empty());
    let refreshed = raw.wait(1_100);
    assert_eq!(status(&refreshed), 180);
    assert!(field(&refreshed[0], "RSeq") != field(&first, "RSeq"));
}

#[test]
fn a_reinvite_that_requires_it_is_served_so() {
    let mut raw = Raw::new();
    let call = called(&mut raw, "", true);
    let ok = answer(&mut raw, call).remove(0);
    let tag = tag_of(&ok);
    raw.send(&request("ACK", "z9hG4bKack", 1, &tag, ""));
    raw.send(&with_body(&request("INVITE", "z9hG4bKagain", 2, &tag, REQUIRED)));
    let first = progress(&mut raw, call, 183, early()).remove(0);
    assert!(answer(&mut raw, call).is_empty());
    assert_eq!(raw.send(&prack(&first, 3)).len(), 2);
    raw.send(&request("ACK", "z9hG4bKack2", 2, &tag, ""));
    raw.send(&with_body(&request("INVITE", "z9hG4bKthird", 4, &tag, REQUIRED)));
    progress(&mut raw, call, 183, early());
    raw.wait(32_000);
    assert!(has(&raw, |event| matches!(event, Event::ReinviteCancelled { .. })));
    assert_eq!(raw.agent.live_calls(), 1, "the call goes on");
}
