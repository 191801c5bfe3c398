//! Sessions modified by UPDATE, in early and in confirmed dialogs (RFC 3311).

use std::time::Duration;

use bytes::Bytes;
use offhook_sip::{Body, CallId, Description, End, Error, Event, ReliableProvisionals};
use offhook_sip_message::StatusCode;

use crate::{
    dialogue::{
        called, contact, from_callee, has, method, nothing_is_left, prack, progress, reliably,
        status, using, with_body,
    },
    support::raw::{Raw, field, fields, first_line, request, respond, tag_of},
};

fn offer() -> Option<Body> {
    Some(Body { content_type: "application/sdp".into(), content: Bytes::from_static(b"v=update") })
}

fn update(raw: &mut Raw, call: CallId, body: Option<Body>) -> Result<String, Error> {
    raw.agent.update(raw.now, call, None, body)?;
    Ok(raw.drain().remove(0))
}

/// A call of ours that stands, and its INVITE.
fn standing() -> (Raw, CallId, String) {
    let mut raw = Raw::new();
    let (call, invite) = raw.invite(Some("v=0"));
    raw.send(&with_body(&respond(&invite, "200 OK", "a", &contact("a"))));
    (raw, call, invite)
}

/// A call of ours that rings, its session agreed in a reliable response.
fn agreed_early() -> (Raw, CallId, String) {
    let mut raw = Raw::new();
    let (call, invite) = raw.invite(Some("v=0"));
    let prack = raw.send(&with_body(&reliably(&invite, "183 Session Progress", "a", 1))).remove(0);
    raw.send(&respond(&prack, "200 OK", "a", ""));
    (raw, call, invite)
}

/// A call of the peer's that rings, its session agreed in a reliable response; gives our To tag.
fn agreed_at_callee() -> (Raw, CallId, String) {
    let mut raw = Raw::new();
    let call = called(&mut raw, "Require: 100rel\n", true);
    raw.agent.progress(raw.now, call, StatusCode::SESSION_PROGRESS, offer()).unwrap();
    let early = raw.drain().remove(0);
    raw.send(&prack(&early, 2));
    (raw, call, tag_of(&early))
}

fn rejections(raw: &Raw) -> Vec<(u16, Option<Duration>)> {
    let told = raw.events.iter().filter_map(|event| match event {
        Event::UpdateRejected { status, retry_after, .. } => Some((status.as_u16(), *retry_after)),
        _ => None,
    });
    told.collect()
}

fn check_500(sent: &[String]) {
    assert_eq!(status(sent), 500);
    let seconds: u32 = field(&sent[0], "Retry-After").parse().unwrap();
    assert!(seconds <= 10);
}

#[test]
fn an_update_is_a_request_of_the_dialog_and_its_2xx_brings_the_answer() {
    for (mut raw, call, invite) in [standing(), agreed_early()] {
        let sent = update(&mut raw, call, offer()).unwrap();
        assert_eq!(first_line(&sent), "UPDATE sip:a@198.51.100.7:5070 SIP/2.0");
        assert_eq!(field(&sent, "Contact"), field(&invite, "Contact"));
        assert!(field(&sent, "Allow").contains("UPDATE") && sent.ends_with("v=update"));
        raw.send(&with_body(&respond(&sent, "200 OK", "a", &contact("a"))));
        let answered = |event: &Event| {
            matches!(event, Event::UpdateAnswered { description: Description::Answer, .. })
        };
        assert!(has(&raw, answered));
        assert!(update(&mut raw, call, offer()).is_ok(), "the next one");
    }
}

#[test]
fn the_2xx_to_an_update_refreshes_the_target() {
    let (mut raw, call, _) = standing();
    let sent = update(&mut raw, call, None).unwrap();
    raw.send(&respond(&sent, "200 OK", "a", "Contact: <sip:moved@198.51.100.9>\n"));
    raw.agent.hang_up(raw.now, call).unwrap();
    assert_eq!(first_line(&raw.drain()[0]), "BYE sip:moved@198.51.100.9 SIP/2.0");
}

#[test]
fn a_caller_offers_in_an_update_only_after_a_reliable_answer() {
    let mut raw = Raw::new();
    let (call, invite) = raw.invite(Some("v=0"));
    assert_eq!(update(&mut raw, call, offer()), Err(Error::NoFork), "no dialog so far");
    raw.send(&with_body(&respond(&invite, "183 Session Progress", "a", &contact("a"))));
    assert_eq!(update(&mut raw, call, offer()), Err(Error::OfferInProgress), "a preview");
    let refresh = update(&mut raw, call, None).unwrap();
    assert_eq!(update(&mut raw, call, None), Err(Error::UpdateInProgress));
    raw.send(&respond(&refresh, "200 OK", "a", &contact("a")));
    raw.send(&with_body(&reliably(&invite, "183 Session Progress", "a", 1)));
    assert!(update(&mut raw, call, offer()).is_ok());
}

#[test]
fn a_caller_that_owes_an_answer_offers_nothing() {
    let mut raw = Raw::new();
    let (call, invite) = raw.invite(None);
    raw.send(&with_body(&reliably(&invite, "183 Session Progress", "a", 1)));
    assert_eq!(update(&mut raw, call, offer()), Err(Error::OfferInProgress));
    check_500(&raw.send(&with_body(&from_callee(&invite, "UPDATE", "a", 1, ""))));
    raw.agent.prack(raw.now, call, None, offer()).unwrap();
    raw.drain();
    assert!(update(&mut raw, call, offer()).is_ok());
}

#[test]
fn a_callee_offers_in_an_update_only_after_the_prack_to_its_answer() {
    let mut raw = Raw::new();
    let call = called(&mut raw, "", true);
    let no_dialog = matches!(update(&mut raw, call, None), Err(Error::WrongState { .. }));
    assert!(no_dialog, "nothing has told the caller of one");
    raw.agent.ring(raw.now, call).unwrap();
    raw.drain();
    assert_eq!(update(&mut raw, call, offer()), Err(Error::OfferInProgress));
    let mut raw = Raw::with(using(ReliableProvisionals::Preferred));
    let call = called(&mut raw, "Supported: 100rel\n", true);
    raw.agent.progress(raw.now, call, StatusCode::SESSION_PROGRESS, offer()).unwrap();
    let early = raw.drain().remove(0);
    assert_eq!(update(&mut raw, call, offer()), Err(Error::OfferInProgress), "no PRACK so far");
    raw.send(&prack(&early, 2));
    assert!(update(&mut raw, call, offer()).is_ok());
    let (mut raw, call, _) = agreed_at_callee();
    let sent = update(&mut raw, call, offer()).unwrap();
    assert_eq!((method(&sent), field(&sent, "CSeq")), ("UPDATE", "1 UPDATE"));
    raw.send(&with_body(&respond(&sent, "200 OK", "x", &contact("bob"))));
    assert!(has(&raw, |event| matches!(event, Event::UpdateAnswered { .. })));
}

#[test]
fn the_offer_of_an_update_waits_for_the_user_in_every_dialog() {
    let (early, early_call, early_invite) = agreed_early();
    let (late, late_call, late_invite) = standing();
    for (mut raw, call, invite) in
        [(early, early_call, early_invite), (late, late_call, late_invite)]
    {
        let asked = with_body(&from_callee(&invite, "UPDATE", "a", 1, ""));
        assert!(raw.send(&asked).is_empty());
        assert!(has(&raw, |event| matches!(event, Event::Updated { .. })));
        assert!(raw.send(&asked).is_empty(), "its transaction absorbs it");
        check_500(&raw.send(&with_body(&from_callee(&invite, "UPDATE", "a", 2, ""))));
        check_500(&raw.send(&from_callee(&invite, "UPDATE", "a", 3, "")));
        assert_eq!(update(&mut raw, call, offer()), Err(Error::OfferInProgress));
        raw.agent.answer_offer(raw.now, call, None, offer()).unwrap();
        let sent = raw.drain();
        assert!(status(&sent) == 200 && sent[0].ends_with("v=update"));
        assert_eq!(field(&sent[0], "Contact"), field(&invite, "Contact"));
        assert!(raw.agent.answer_offer(raw.now, call, None, offer()).is_err());
    }
}

#[test]
fn an_update_of_the_caller_reaches_the_callee_that_rings() {
    let (mut raw, call, tag) = agreed_at_callee();
    assert!(raw.send(&with_body(&request("UPDATE", "z9hG4bKu", 3, &tag, ""))).is_empty());
    raw.agent.answer_offer(raw.now, call, None, offer()).unwrap();
    assert_eq!(status(&raw.drain()), 200);
}

#[test]
fn before_our_answer_an_update_with_an_offer_is_answered_500() {
    let mut raw = Raw::new();
    let call = called(&mut raw, "", true);
    raw.agent.ring(raw.now, call).unwrap();
    let tag = tag_of(&raw.drain()[0]);
    check_500(&raw.send(&with_body(&request("UPDATE", "z9hG4bKu", 2, &tag, ""))));
    assert_eq!(status(&raw.send(&request("UPDATE", "z9hG4bKv", 3, &tag, ""))), 200, "no offer");
}

#[test]
fn before_our_first_offer_an_update_with_an_offer_is_answered_491() {
    let mut raw = Raw::new();
    let call = called(&mut raw, "", false);
    raw.agent.ring(raw.now, call).unwrap();
    let tag = tag_of(&raw.drain()[0]);
    let sent = raw.send(&with_body(&request("UPDATE", "z9hG4bKu", 2, &tag, "")));
    assert_eq!(status(&sent), 491);
}

#[test]
fn an_offer_that_meets_ours_is_answered_491() {
    let (mut raw, call, invite) = standing();
    update(&mut raw, call, offer()).unwrap();
    assert_eq!(status(&raw.send(&with_body(&from_callee(&invite, "UPDATE", "a", 1, "")))), 491);
    assert_eq!(status(&raw.send(&with_body(&from_callee(&invite, "INVITE", "a", 2, "")))), 491);
    let (mut raw, call, invite) = standing();
    raw.agent.reinvite(raw.now, call, offer()).unwrap();
    raw.drain();
    assert_eq!(status(&raw.send(&with_body(&from_callee(&invite, "UPDATE", "a", 1, "")))), 491);
}

#[test]
fn before_the_ack_to_our_offer_an_update_with_another_is_answered_491() {
    let mut raw = Raw::new();
    let call = called(&mut raw, "", false);
    raw.agent.answer(raw.now, call, offer()).unwrap();
    let tag = tag_of(&raw.drain()[0]);
    let asked = |cseq| with_body(&request("UPDATE", &format!("z9hG4bKu{cseq}"), cseq, &tag, ""));
    assert_eq!(status(&raw.send(&asked(2))), 491);
    raw.send(&with_body(&request("ACK", "z9hG4bKack", 1, &tag, "")));
    assert!(raw.send(&asked(3)).is_empty());
    assert!(has(&raw, |event| matches!(event, Event::Updated { .. })));
}

#[test]
fn no_reinvite_is_sent_nor_taken_while_an_update_waits() {
    let (mut raw, call, invite) = standing();
    raw.send(&with_body(&from_callee(&invite, "UPDATE", "a", 1, "")));
    assert_eq!(raw.agent.reinvite(raw.now, call, offer()), Err(Error::OfferInProgress));
    check_500(&raw.send(&with_body(&from_callee(&invite, "INVITE", "a", 2, ""))));
}

#[test]
fn the_target_of_an_update_counts_from_its_acceptance_on() {
    for (accepted, target) in [(true, "moved@198.51.100.9"), (false, "a@198.51.100.7:5070")] {
        let (mut raw, call, invite) = standing();
        let asked = with_body(&from_callee(&invite, "UPDATE", "a", 1, ""));
        raw.send(&asked.replace("<sip:a@198.51.100.7:5070>", "<sip:moved@198.51.100.9>"));
        let status = StatusCode::NOT_ACCEPTABLE_HERE;
        match accepted {
            true => raw.agent.answer_offer(raw.now, call, None, offer()).unwrap(),
            false => raw.agent.reject_offer(raw.now, call, None, status).unwrap(),
        }
        raw.agent.hang_up(raw.now, call).unwrap();
        assert_eq!(first_line(&raw.drain()[1]), format!("BYE sip:{target} SIP/2.0"));
    }
}

#[test]
fn the_target_of_an_early_update_is_not_undone_by_the_answer() {
    let (mut raw, call, tag) = agreed_at_callee();
    let asked = request("UPDATE", "z9hG4bKu", 3, &tag, "");
    raw.send(&asked.replace("<sip:bob@198.51.100.7:5070>", "<sip:moved@198.51.100.9>"));
    raw.agent.answer(raw.now, call, None).unwrap();
    raw.drain();
    raw.send(&request("ACK", "z9hG4bKack", 1, &tag, ""));
    raw.agent.hang_up(raw.now, call).unwrap();
    assert_eq!(first_line(&raw.drain()[0]), "BYE sip:moved@198.51.100.9 SIP/2.0");
}

#[test]
fn an_offer_that_the_user_does_not_answer_is_answered_504() {
    let (mut raw, call, invite) = standing();
    raw.send(&with_body(&from_callee(&invite, "UPDATE", "a", 1, "")));
    assert!(raw.wait(15_900).is_empty());
    assert_eq!(status(&raw.wait(200)), 504);
    assert!(has(&raw, |event| matches!(event, Event::OfferExpired { .. })));
    assert!(update(&mut raw, call, offer()).is_ok(), "nothing waits any more");
}

#[test]
fn after_491_the_owner_of_the_call_id_waits_longer() {
    let (mut raw, call, _) = standing();
    let sent = update(&mut raw, call, offer()).unwrap();
    raw.send(&respond(&sent, "491 Request Pending", "a", ""));
    let (mut other, other_call, _) = agreed_at_callee();
    let sent = update(&mut other, other_call, offer()).unwrap();
    other.send(&respond(&sent, "491 Request Pending", "x", ""));
    let wait = |raw: &Raw| rejections(raw)[0].1.unwrap().as_millis();
    assert!((2_100..=4_000).contains(&wait(&raw)) && wait(&other) <= 2_000);
    assert!(update(&mut raw, call, offer()).is_ok(), "the session is as it was");
}

#[test]
fn a_refused_update_leaves_the_call_as_it_was() {
    let (mut raw, call, _) = standing();
    for code in ["405 Method Not Allowed", "488 Not Acceptable Here", "504 Server Time-out"] {
        let sent = update(&mut raw, call, offer()).unwrap();
        raw.send(&respond(&sent, code, "a", ""));
    }
    assert_eq!(rejections(&raw), [(405, None), (488, None), (504, None)]);
    assert_eq!(raw.agent.live_calls(), 1);
}

#[test]
fn a_call_whose_update_is_unknown_or_unanswered_ends_with_a_bye() {
    for answered in [true, false] {
        let (mut raw, call, _) = standing();
        let sent = update(&mut raw, call, offer()).unwrap();
        let bye = match answered {
            true => raw.send(&respond(&sent, "481 Call/Transaction Does Not Exist", "a", "")),
            false => raw.wait(32_000),
        };
        assert_eq!(method(bye.last().unwrap()), "BYE");
        nothing_is_left(&mut raw);
        let end = |event: &Event| match event {
            Event::Ended { end: End::Rejected { status, .. }, .. } => {
                answered && status.as_u16() == 481
            }
            Event::Ended { end, .. } => !answered && *end == End::TimedOut,
            _ => false,
        };
        assert!(has(&raw, end), "{:?}", raw.events);
    }
}

#[test]
fn an_early_dialog_that_is_lost_so_ends_and_the_other_forks_go_on() {
    let (mut raw, call, invite) = agreed_early();
    raw.send(&respond(&invite, "180 Ringing", "b", &contact("b")));
    let lost = progress(&raw)[0].0;
    raw.agent.update(raw.now, call, Some(lost), offer()).unwrap();
    let sent = raw.drain().remove(0);
    let bye = raw.send(&respond(&sent, "481 Call/Transaction Does Not Exist", "a", ""));
    assert_eq!(first_line(&bye[0]), "BYE sip:a@198.51.100.7:5070 SIP/2.0");
    assert_eq!(status(&raw.send(&from_callee(&invite, "UPDATE", "a", 1, ""))), 481);
    raw.send(&respond(&invite, "200 OK", "b", &contact("b")));
    assert!(has(&raw, |event| matches!(event, Event::Answered { .. })));
    raw.agent.hang_up(raw.now, call).unwrap();
    nothing_is_left(&mut raw);
}

#[test]
fn a_callee_whose_early_dialog_is_lost_so_refuses_the_invite() {
    let (mut raw, call, _) = agreed_at_callee();
    let sent = update(&mut raw, call, offer()).unwrap();
    let refused = raw.send(&respond(&sent, "481 Call/Transaction Does Not Exist", "x", ""));
    assert_eq!(status(&refused), 480);
    nothing_is_left(&mut raw);
}

#[test]
fn the_update_of_a_loser_that_waits_is_answered_481() {
    let (mut raw, _, invite) = agreed_early();
    raw.send(&with_body(&from_callee(&invite, "UPDATE", "a", 1, "")));
    let sent = raw.send(&respond(&invite, "200 OK", "b", &contact("b")));
    assert!(first_line(&sent[0]).contains("481") && field(&sent[0], "CSeq") == "1 UPDATE");
    assert_eq!(method(&sent[1]), "ACK");
}

#[test]
fn the_update_that_waits_when_a_call_ends_is_answered_487() {
    for bye_from_peer in [true, false] {
        let (mut raw, call, invite) = standing();
        raw.send(&with_body(&from_callee(&invite, "UPDATE", "a", 1, "")));
        let sent = match bye_from_peer {
            true => raw.send(&from_callee(&invite, "BYE", "a", 2, "")),
            false => {
                raw.agent.hang_up(raw.now, call).unwrap();
                raw.drain()
            }
        };
        let update = sent.iter().find(|sent| field(sent, "CSeq") == "1 UPDATE").unwrap();
        assert!(first_line(update).contains("487"));
        nothing_is_left(&mut raw);
    }
}

#[test]
fn an_update_that_waits_survives_the_2xx_to_the_invite() {
    let (mut raw, call, invite) = agreed_early();
    raw.send(&with_body(&from_callee(&invite, "UPDATE", "a", 1, "")));
    raw.send(&respond(&invite, "200 OK", "a", &contact("a")));
    raw.agent.answer_offer(raw.now, call, None, offer()).unwrap();
    assert_eq!(status(&raw.drain()), 200);
    raw.agent.hang_up(raw.now, call).unwrap();
    nothing_is_left(&mut raw);
}

#[test]
fn a_body_of_another_type_is_answered_415_and_another_use_is_no_offer() {
    let (mut raw, _, invite) = standing();
    let asked = with_body(&from_callee(&invite, "UPDATE", "a", 1, ""));
    assert_eq!(status(&raw.send(&asked.replace("application/sdp", "text/plain"))), 415);
    let asked = with_body(&from_callee(&invite, "UPDATE", "a", 2, "Content-Disposition: icon\n"));
    assert_eq!(status(&raw.send(&asked)), 200);
    assert!(fields(&asked, "Content-Disposition") == ["icon"]);
}
