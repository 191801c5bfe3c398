//! What a user agent client does with responses written by hand (RFC 3261 §13.2, §17.1.1.3, §18.1).
#![cfg(test)]

mod support;

use std::time::Duration;

use offhook_sansio::{Flow, Protocol};
use offhook_sip::{Config, Dropped, End, Error, Event, Invite};
use offhook_sip_message::{HeaderName, Text};
use support::raw::{Raw, field, fields, first_line, ours, respond, tag_of, theirs};

const CONTACT: &str = "Contact: <sip:bob@198.51.100.9:5090>\n";

fn ended(raw: &Raw) -> Option<&End> {
    raw.events.iter().find_map(|event| match event {
        Event::Ended { end, .. } => Some(end),
        _ => None,
    })
}

fn branch(message: &str) -> &str {
    field(message, "Via").split("branch=").nth(1).unwrap().split(';').next().unwrap()
}

/// A call that stands, and its INVITE.
fn standing(more: &str) -> (Raw, offhook_sip::CallId, String) {
    let mut raw = Raw::new();
    let (call, invite) = raw.invite(Some("v=0"));
    let sent = raw.send(&respond(&invite, "200 OK", "b1", &format!("{CONTACT}{more}")));
    assert_eq!(sent.len(), 1);
    assert!(sent[0].starts_with("ACK "));
    (raw, call, sent[0].clone())
}

#[test]
fn an_invite_has_what_the_rfc_asks_for() {
    let (_, invite) = Raw::new().invite(Some("v=0"));
    assert_eq!(first_line(&invite), "INVITE sip:bob@198.51.100.7:5070 SIP/2.0");
    assert!(field(&invite, "Via").starts_with("SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK"));
    assert!(field(&invite, "Via").ends_with(";rport"));
    assert_eq!(field(&invite, "Max-Forwards"), "70");
    assert!(field(&invite, "From").starts_with("<sip:alice@example.com>;tag="));
    assert_eq!(field(&invite, "To"), "<sip:bob@198.51.100.7>", "no port (§19.1.1)");
    assert_eq!(field(&invite, "Contact"), "<sip:alice@192.0.2.1:5060>");
    assert_eq!(
        fields(&invite, "Allow").join(", "),
        "INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, SUBSCRIBE, NOTIFY"
    );
    assert!(invite.contains("\r\nSupported:") && invite.contains("\r\nUser-Agent: offhook/"));
    assert_eq!((field(&invite, "Content-Length"), invite.ends_with("\r\n\r\nv=0")), ("3", true));
}

#[test]
fn the_public_address_is_the_one_peers_see() {
    let mut raw = Raw::new();
    raw.agent.listen(Protocol::Udp, ours(), ([203, 0, 113, 4], 6060).into());
    let (_, invite) = raw.invite(Some("v=0"));
    assert!(field(&invite, "Via").starts_with("SIP/2.0/UDP 203.0.113.4:6060;"));
    assert_eq!(field(&invite, "Contact"), "<sip:alice@203.0.113.4:6060>");
    raw.send(&respond(&invite, "180 Ringing", "b1", ""));
    assert!(matches!(raw.events[..], [Event::Progress { .. }]), "it is known when it comes back");
}

#[test]
fn the_ack_to_a_failure_is_part_of_the_transaction() {
    let mut raw = Raw::new();
    let invite = Invite {
        headers: vec![(HeaderName::ROUTE, Text::from_static("<sip:p1.example;lr>"))],
        ..plain()
    };
    raw.agent.invite(raw.now, invite).unwrap();
    let invite = raw.drain().remove(0);
    let sent = raw.send(&respond(&invite, "486 Busy Here", "b1", ""));
    let ack = &sent[0];
    assert_eq!(first_line(ack), "ACK sip:bob@198.51.100.7:5070 SIP/2.0");
    assert_eq!(field(ack, "Via"), field(&invite, "Via"));
    assert_eq!(field(ack, "From"), field(&invite, "From"));
    assert_eq!(field(ack, "Call-ID"), field(&invite, "Call-ID"));
    assert_eq!(tag_of(ack), "b1");
    assert_eq!(field(ack, "Route"), "<sip:p1.example;lr>");
    assert_eq!(field(ack, "CSeq"), field(&invite, "CSeq").replace("INVITE", "ACK"));
    let again = raw.send(&respond(&invite, "486 Busy Here", "b1", ""));
    assert_eq!(again, sent);
    assert_eq!(raw.went, [theirs()]);
}

#[test]
fn the_ack_to_a_2xx_is_a_request_of_the_dialog() {
    let (raw, _, ack) = standing("");
    assert_eq!(first_line(&ack), "ACK sip:bob@198.51.100.9:5090 SIP/2.0");
    assert_eq!(raw.went, [([198, 51, 100, 9], 5090).into()]);
    assert_eq!(tag_of(&ack), "b1");
    assert!(field(&ack, "CSeq").ends_with(" ACK"));
}

#[test]
fn each_repetition_of_a_2xx_is_acknowledged_even_after_the_call() {
    let mut raw = Raw::new();
    let (call, invite) = raw.invite(Some("v=0"));
    let ok = respond(&invite, "200 OK", "b1", CONTACT);
    let ack = raw.send(&ok);
    assert_eq!(raw.send(&ok), ack);
    raw.agent.hang_up(raw.now, call).unwrap();
    let bye = raw.drain().remove(0);
    assert_eq!(raw.send(&ok), ack);
    raw.send(&respond(&bye, "200 OK", "b1", ""));
    assert_eq!(ended(&raw), Some(&End::HungUp));
    assert_eq!(raw.send(&ok), ack);
    assert!(raw.wait(32_000).is_empty());
    assert!(raw.send(&ok).is_empty(), "Timer M is over");
    assert_eq!(raw.agent.statistics().dropped(Dropped::StrayResponse), 1);
}

#[test]
fn the_2xx_of_another_fork_is_acknowledged_and_ended() {
    let (mut raw, call, invite) = {
        let mut raw = Raw::new();
        let (call, invite) = raw.invite(Some("v=0"));
        raw.send(&respond(&invite, "200 OK", "b1", CONTACT));
        (raw, call, invite)
    };
    let other = respond(&invite, "200 OK", "b2", "Contact: <sip:carol@198.51.100.8>\n");
    let sent = raw.send(&other);
    assert_eq!(first_line(&sent[0]), "ACK sip:carol@198.51.100.8 SIP/2.0");
    assert_eq!(first_line(&sent[1]), "BYE sip:carol@198.51.100.8 SIP/2.0");
    assert_eq!((tag_of(&sent[0]), tag_of(&sent[1])), ("b2".into(), "b2".into()));
    assert_eq!(raw.send(&other), sent[..1], "the ACK alone");
    assert_eq!((ended(&raw), raw.agent.live_calls()), (None, 1));
    assert!(raw.agent.hang_up(raw.now, call).is_ok());
}

#[test]
fn forks_without_end_are_not_followed() {
    let mut raw = Raw::new();
    let (_, invite) = raw.invite(Some("v=0"));
    for n in 0..100 {
        raw.send(&respond(&invite, "200 OK", &format!("b{n}"), CONTACT));
    }
    assert_eq!(raw.agent.statistics().dropped(Dropped::TooManyForks), 84);
    assert_eq!(raw.agent.live_transactions(), 1 + 15, "the INVITE and fifteen BYEs");
}

#[test]
fn a_2xx_to_a_reinvite_from_somebody_else_is_dropped() {
    let (mut raw, call, _) = standing("");
    raw.agent.reinvite(raw.now, call, None).unwrap();
    let reinvite = raw.drain().remove(0);
    let ok = respond(&reinvite, "200 OK", "", CONTACT);
    let other = ok.replace(";tag=b1", ";tag=b2");
    for _ in 0..3 {
        assert!(raw.send(&other).is_empty());
    }
    assert_eq!(raw.agent.statistics().dropped(Dropped::StrayResponse), 3);
    assert!(raw.send(&ok)[0].starts_with("ACK "));
    assert!(matches!(raw.events.last(), Some(Event::ReinviteAnswered { .. })));
}

#[test]
fn a_cancel_has_the_fields_of_its_invite() {
    let mut raw = Raw::new();
    let (call, invite) = raw.invite(Some("v=0"));
    raw.send(&respond(&invite, "180 Ringing", "b1", CONTACT));
    raw.agent.hang_up(raw.now, call).unwrap();
    let cancel = raw.drain().remove(0);
    assert_eq!(first_line(&cancel), first_line(&invite).replace("INVITE", "CANCEL"));
    for name in ["Via", "From", "To", "Call-ID"] {
        assert_eq!(field(&cancel, name), field(&invite, name), "{name}");
    }
    assert_eq!(field(&cancel, "CSeq"), field(&invite, "CSeq").replace("INVITE", "CANCEL"));
    assert!(!cancel.contains("Require"));
    raw.send(&respond(&cancel, "200 OK", "b1", ""));
    let sent = raw.send(&respond(&invite, "487 Request Terminated", "b1", ""));
    assert!(sent[0].starts_with("ACK "));
    assert_eq!(ended(&raw), Some(&End::Cancelled));
}

#[test]
fn requests_of_a_dialog_count_up_with_new_branches() {
    let (mut raw, call, ack) = standing("");
    raw.agent.hang_up(raw.now, call).unwrap();
    let bye = raw.drain().remove(0);
    let number =
        |text: &str| -> u32 { field(text, "CSeq").split(' ').next().unwrap().parse().unwrap() };
    assert_eq!(number(&bye), number(&ack) + 1);
    assert_ne!(branch(&bye), branch(&ack));
}

#[test]
fn a_loose_route_is_followed_in_reverse_order() {
    let routes = "Record-Route: <sip:192.0.2.60;lr>, <sip:192.0.2.50:5055;lr>\n";
    let (raw, _, ack) = standing(routes);
    assert_eq!(first_line(&ack), "ACK sip:bob@198.51.100.9:5090 SIP/2.0");
    assert_eq!(fields(&ack, "Route"), ["<sip:192.0.2.50:5055;lr>", "<sip:192.0.2.60;lr>"]);
    assert_eq!(raw.went, [([192, 0, 2, 50], 5055).into()]);
}

#[test]
fn a_strict_router_gets_the_request_uri_and_the_target_comes_last() {
    // The example of RFC 3261 §12.2.1.1, nearest proxy last in Record-Route.
    let routes = "Record-Route: <sip:proxy4>, <sip:proxy3;lr>, <sip:proxy2>, <sip:192.0.2.50>\n";
    let (raw, _, ack) = standing(routes);
    assert_eq!(first_line(&ack), "ACK sip:192.0.2.50 SIP/2.0");
    let expected =
        ["<sip:proxy2>", "<sip:proxy3;lr>", "<sip:proxy4>", "<sip:bob@198.51.100.9:5090>"];
    assert_eq!(fields(&ack, "Route"), expected);
    assert_eq!(raw.went, [([192, 0, 2, 50], 5060).into()]);
}

#[test]
fn a_name_in_the_contact_keeps_the_path_of_the_dialog() {
    let mut raw = Raw::new();
    let (_, invite) = raw.invite(Some("v=0"));
    raw.send(&respond(&invite, "200 OK", "b1", "Contact: <sip:bob@phone.example>\n"));
    assert_eq!(raw.went, [theirs()]);
}

#[test]
fn an_offer_in_the_2xx_is_answered_in_the_ack() {
    let mut raw = Raw::new();
    let (call, invite) = raw.invite(None);
    let more = format!("{CONTACT}Content-Type: application/sdp\nContent-Length: 3\n");
    let ok = respond(&invite, "200 OK", "b1", &more) + "v=0";
    assert!(raw.send(&ok).is_empty(), "the ACK waits for the answer");
    assert!(raw.send(&ok).is_empty());
    assert!(matches!(raw.events[..], [Event::Answered { .. }]));
    raw.agent.acknowledge(raw.now, call, Some(support::body("v=0 answer"))).unwrap();
    let ack = raw.drain();
    assert!(ack[0].starts_with("ACK ") && ack[0].ends_with("v=0 answer"));
    assert_eq!(raw.send(&ok), ack);
    let again = raw.agent.acknowledge(raw.now, call, None);
    assert!(matches!(again, Err(Error::WrongState { .. })));
}

#[test]
fn hanging_up_on_an_unanswered_offer_sends_ack_and_bye() {
    let mut raw = Raw::new();
    let (call, invite) = raw.invite(None);
    let more = format!("{CONTACT}Content-Type: application/sdp\nContent-Length: 3\n");
    raw.send(&(respond(&invite, "200 OK", "b1", &more) + "v=0"));
    raw.agent.hang_up(raw.now, call).unwrap();
    let sent = raw.drain();
    assert!(sent[0].starts_with("ACK ") && sent[1].starts_with("BYE "));
}

#[test]
fn responses_that_are_not_ours_are_dropped_and_counted() {
    let mut raw = Raw::new();
    let (_, invite) = raw.invite(Some("v=0"));
    let ok = respond(&invite, "200 OK", "b1", CONTACT);
    for (text, reason) in [
        (ok.replace("192.0.2.1:5060", "192.0.2.9:5060"), Dropped::ForeignSentBy),
        (ok.replace("192.0.2.1:5060", "192.0.2.1:5061"), Dropped::ForeignSentBy),
        (ok.replace("SIP/2.0/UDP", "SIP/2.0/TCP"), Dropped::ForeignSentBy),
        (ok.replace("From:", "Via: SIP/2.0/UDP p.example;branch=x\nFrom:"), Dropped::ExtraVia),
        (ok.replace("z9hG4bK", "z9hG4bKx"), Dropped::StrayResponse),
        (ok.replace("INVITE", "BYE"), Dropped::StrayResponse),
        (ok.replace("Call-ID:", "X-Call-ID:"), Dropped::Malformed),
    ] {
        let before = raw.agent.statistics().dropped(reason);
        assert!(raw.send(&text).is_empty(), "{text}");
        assert_eq!(raw.agent.statistics().dropped(reason), before + 1, "{reason:?}");
    }
    assert!(raw.events.is_empty());
    assert_eq!(raw.send(&ok).len(), 1);
}

#[test]
fn a_caller_that_limits_its_invitation_cancels_when_it_expires() {
    let mut raw = Raw::new();
    let expires = (HeaderName::EXPIRES, Text::from_static("30"));
    let invite = Invite { headers: vec![expires], ..plain() };
    raw.agent.invite(raw.now, invite).unwrap();
    let invite = raw.drain().remove(0);
    raw.send(&respond(&invite, "180 Ringing", "b1", CONTACT));
    assert!(raw.wait(29_999).is_empty());
    assert!(raw.wait(1)[0].starts_with("CANCEL "));
}

#[test]
fn a_flow_that_fails_ends_the_calls_that_wait_on_it() {
    let mut raw = Raw::new();
    let (_, invite) = raw.invite(Some("v=0"));
    raw.agent.transport_failed(raw.now, Flow::udp(ours(), ([198, 51, 100, 8], 5060).into()));
    raw.drain();
    assert_eq!(ended(&raw), None, "another flow");
    raw.agent.transport_failed(raw.now, Flow::udp(ours(), theirs()));
    raw.drain();
    assert_eq!(ended(&raw), Some(&End::TransportFailed));
    assert_eq!((raw.agent.live_calls(), raw.agent.live_transactions()), (0, 0));
    assert!(raw.send(&respond(&invite, "180 Ringing", "b1", "")).is_empty());
}

#[test]
fn a_flow_that_fails_does_not_end_a_call_that_rings_or_stands() {
    let mut raw = Raw::new();
    let (_, invite) = raw.invite(Some("v=0"));
    raw.send(&respond(&invite, "180 Ringing", "b1", CONTACT));
    raw.agent.transport_failed(raw.now, Flow::udp(ours(), theirs()));
    assert_eq!(raw.send(&respond(&invite, "200 OK", "b1", CONTACT)).len(), 1);
    raw.agent.transport_failed(raw.now, Flow::udp(ours(), theirs()));
    raw.drain();
    assert_eq!((ended(&raw), raw.agent.live_calls()), (None, 1));
}

#[test]
fn an_invite_that_cannot_be_sent_is_refused_and_leaves_nothing() {
    let mut raw = Raw::with(Config { max_calls: 1, ..Config::default() });
    let nowhere = Flow::udp(([192, 0, 2, 99], 5060).into(), theirs());
    let refused = raw.agent.invite(raw.now, Invite { flow: nowhere, ..plain() });
    assert_eq!(refused, Err(Error::NotListening { flow: nowhere }));
    let secure = Invite { target: "sips:bob@example.org".parse().unwrap(), ..plain() };
    assert!(matches!(raw.agent.invite(raw.now, secure), Err(Error::NotSecure { .. })));
    let split = (HeaderName::SUBJECT, Text::from_static("a\r\nVia: b"));
    let refused = raw.agent.invite(raw.now, Invite { headers: vec![split], ..plain() });
    assert!(matches!(refused, Err(Error::Unbuildable(_))));
    let second = (HeaderName::CSEQ, Text::from_static("1 INVITE"));
    let refused = raw.agent.invite(raw.now, Invite { headers: vec![second], ..plain() });
    assert_eq!(refused, Err(Error::ReservedHeader { header: HeaderName::CSEQ }));
    assert_eq!((raw.agent.live_calls(), raw.agent.live_transactions()), (0, 0));
    assert!(raw.drain().is_empty());
    raw.agent.invite(raw.now, plain()).unwrap();
    assert_eq!(raw.agent.invite(raw.now, plain()), Err(Error::TooManyCalls));
}

#[test]
fn an_invite_that_is_too_large_for_a_datagram_is_refused_and_leaves_nothing() {
    let mut raw = Raw::new();
    let large = (HeaderName::SUBJECT, Text::from("x".repeat(1_300)));
    let large = Invite { headers: vec![large], ..plain() };
    let refused = raw.agent.invite_within(raw.now, large.clone(), 1_300);
    let Err(Error::TooLarge { length }) = refused else { panic!("{refused:?}") };
    assert!(raw.drain().is_empty());
    assert_eq!((raw.agent.live_calls(), raw.agent.live_transactions()), (0, 0));
    assert!(length > 1_300);
    raw.agent.invite_within(raw.now, large.clone(), length).unwrap();
    raw.agent.invite(raw.now, large).unwrap();
}

#[test]
fn a_redirection_ends_the_call_with_its_status() {
    let mut raw = Raw::new();
    let (_, invite) = raw.invite(Some("v=0"));
    raw.send(&respond(&invite, "302 Moved Temporarily", "b1", "Contact: <sip:x@y.example>\n"));
    assert_eq!(ended(&raw).and_then(End::status).map(|status| status.as_u16()), Some(302));
}

#[test]
fn a_reinvite_refreshes_the_target_on_both_sides() {
    let (mut raw, call, ack) = standing("");
    raw.agent.reinvite(raw.now, call, None).unwrap();
    let reinvite = raw.drain().remove(0);
    assert_eq!(first_line(&reinvite), "INVITE sip:bob@198.51.100.9:5090 SIP/2.0");
    assert_eq!(tag_of(&reinvite), tag_of(&ack));
    let moved = "Contact: <sip:bob@198.51.100.10>\n";
    let sent = raw.send(&respond(&reinvite, "200 OK", "b1", moved));
    assert_eq!(first_line(&sent[0]), "ACK sip:bob@198.51.100.10 SIP/2.0");
    // The peer moves again, by a re-INVITE of its own.
    let theirs = format!(
        "INVITE sip:alice@192.0.2.1 SIP/2.0\nVia: SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bKr\n\
         Max-Forwards: 70\nFrom: {}\nTo: {}\nCall-ID: {}\nCSeq: 9 INVITE\n\
         Contact: <sip:bob@198.51.100.11>\n\n",
        field(&ack, "To"),
        field(&ack, "From"),
        field(&ack, "Call-ID"),
    );
    raw.send(&theirs);
    raw.agent.answer(raw.now, call, None).unwrap();
    raw.drain();
    let theirs = theirs.replace("INVITE", "ACK").replace("z9hG4bKr", "z9hG4bKs");
    raw.send(&theirs);
    raw.agent.hang_up(raw.now, call).unwrap();
    assert_eq!(first_line(&raw.drain()[0]), "BYE sip:bob@198.51.100.11 SIP/2.0");
}

#[test]
fn progress_is_told_from_101_on() {
    let mut raw = Raw::new();
    let (_, invite) = raw.invite(Some("v=0"));
    raw.send(&respond(&invite, "100 Trying", "", ""));
    assert!(raw.events.is_empty());
    raw.send(&respond(&invite, "183 Session Progress", "b1", ""));
    assert!(matches!(&raw.events[..], [Event::Progress { response, .. }]
        if response.status().as_u16() == 183));
    assert!(raw.wait(40_000).is_empty(), "no more retransmissions, no Timer B");
}

#[test]
fn the_same_seed_makes_the_same_messages() {
    let (_, one) = Raw::new().invite(Some("v=0"));
    let (_, two) = Raw::new().invite(Some("v=0"));
    assert_eq!(one, two);
    assert_eq!(branch(&one).len(), "z9hG4bK".len() + 20);
}

fn plain() -> Invite {
    Invite { body: Some(support::body("v=0")), ..support::raw::plain_invite() }
}

#[test]
fn timers_follow_the_configured_t1() {
    let config = Config { t1: Duration::from_millis(100), ..Config::default() };
    let mut raw = Raw::with(config);
    raw.invite(Some("v=0"));
    assert_eq!(raw.wait(99).len(), 0);
    assert_eq!(raw.wait(1).len(), 1);
    assert_eq!(raw.wait(6_300).len(), 5);
    assert_eq!(ended(&raw), Some(&End::TimedOut));
}
