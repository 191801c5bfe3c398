//! Calls that go on where a redirect points (RFC 3261 §8.1.3.4, §21.3).

use std::{net::SocketAddr, time::Instant};

use bytes::BytesMut;
use offhook_sansio::{Datagram, Flow, Machine, Protocol, Random};
use offhook_sip::{CallId, Config, End, Error, Event, Invite, UserAgent};
use offhook_sip_message::{Contact, NameAddr, StatusCode, Uri};

use crate::{
    dialogue::{called, contact, has, method, nothing_is_left},
    support::raw::{Raw, field, first_line, ours, respond, theirs},
};

fn following(max_redirects: u8) -> Raw {
    Raw::with(Config { max_redirects, ..Config::default() })
}

fn elsewhere() -> Flow {
    let there: SocketAddr = ([203, 0, 113, 9], 5060).into();
    Flow::udp(ours(), there)
}

fn moved(raw: &mut Raw, invite: &str, contacts: &str) {
    raw.send(&respond(invite, "302 Moved Temporarily", "p", &format!("Contact: {contacts}\n")));
}

/// The targets last told of.
fn targets(raw: &Raw) -> Vec<String> {
    let told = |event: &Event| match event {
        Event::Redirected { targets, .. } => Some(targets.iter().map(Uri::to_string).collect()),
        _ => None,
    };
    raw.events.iter().rev().find_map(told).unwrap_or_default()
}

fn follow(raw: &mut Raw, call: CallId, target: &str) -> Result<String, Error> {
    raw.agent.follow(raw.now, call, &target.parse().unwrap(), elsewhere())?;
    Ok(raw.drain().remove(0))
}

#[test]
fn a_redirect_ends_the_call_unless_the_owner_wants_to_follow() {
    let mut raw = Raw::new();
    let (_, invite) = raw.invite(Some("v=0"));
    moved(&mut raw, &invite, "<sip:bob@there.example>");
    let end = |event: &Event| {
        matches!(event, Event::Ended { end: End::Rejected { status, .. }, .. }
            if status.as_u16() == 302)
    };
    assert!(has(&raw, end) && targets(&raw).is_empty());
}

#[test]
fn the_most_wanted_target_comes_first_and_each_is_named_once() {
    let mut raw = following(3);
    let (_, invite) = raw.invite(Some("v=0"));
    let contacts = "<sip:c@c.example>;q=0.2, <sip:a@a.example;method=BYE?Subject=x>, \
                    <sip:b@b.example>;q=0.7, <sip:c@c.example>, <mailto:bob@example.org>, \
                    <sip:bob@198.51.100.7:5070>";
    moved(&mut raw, &invite, contacts);
    assert_eq!(targets(&raw), ["sip:a@a.example", "sip:c@c.example", "sip:b@b.example"]);
}

#[test]
fn the_same_invite_goes_to_the_target_with_the_next_number() {
    let mut raw = following(1);
    let (call, invite) = raw.invite(Some("v=0"));
    moved(&mut raw, &invite, "<sip:bob@there.example>");
    let again = follow(&mut raw, call, "sip:bob@there.example").unwrap();
    assert_eq!(raw.went, [elsewhere().remote]);
    assert_eq!(first_line(&again), "INVITE sip:bob@there.example SIP/2.0");
    for name in ["From", "To", "Call-ID", "Contact", "Content-Type"] {
        assert_eq!(field(&again, name), field(&invite, name));
    }
    assert_eq!(field(&again, "CSeq"), "2 INVITE");
    assert!(field(&again, "Via") != field(&invite, "Via") && again.ends_with("v=0"));
    raw.send(&respond(&again, "200 OK", "b", &contact("b")));
    assert!(has(&raw, |event| matches!(event, Event::Answered { .. })));
    raw.agent.hang_up(raw.now, call).unwrap();
    nothing_is_left(&mut raw);
}

#[test]
fn the_invite_is_still_there_when_the_first_transaction_is_over() {
    let mut raw = Raw::with(Config {
        max_redirects: 1,
        t1: std::time::Duration::from_secs(1),
        ..Config::default()
    });
    let (call, invite) = raw.invite(Some("v=0"));
    moved(&mut raw, &invite, "<sip:bob@there.example>");
    raw.agent.transport_failed(raw.now, Flow::udp(ours(), theirs()));
    assert!(follow(&mut raw, call, "sip:bob@there.example").is_ok());
}

#[test]
fn after_a_failure_the_next_target_is_told_of_until_there_is_none_or_no_try_left() {
    for (most, tries) in [(1, 1), (2, 2), (9, 3)] {
        let mut raw = following(most);
        let (call, mut invite) = raw.invite(Some("v=0"));
        moved(&mut raw, &invite, "<sip:a@a.example>, <sip:b@b.example>, <sip:c@c.example>");
        for tried in 1..=tries {
            let target = targets(&raw).remove(0);
            assert_eq!(targets(&raw).len(), 4 - tried);
            invite = follow(&mut raw, call, &target).unwrap();
            raw.send(&respond(&invite, "404 Not Found", "x", ""));
        }
        assert!(has(&raw, |event| matches!(event, Event::Ended { .. })), "{most}");
        nothing_is_left(&mut raw);
    }
}

#[test]
fn redirects_in_a_circle_come_to_an_end() {
    let mut raw = following(200);
    let (call, mut invite) = raw.invite(Some("v=0"));
    moved(&mut raw, &invite, "<sip:a@a.example>");
    invite = follow(&mut raw, call, "sip:a@a.example").unwrap();
    moved(&mut raw, &invite, "<sip:bob@198.51.100.7:5070>, <sip:a@a.example>");
    assert!(has(&raw, |event| matches!(event, Event::Ended { .. })), "at once");
    nothing_is_left(&mut raw);
}

#[test]
fn after_a_6xx_nobody_else_is_asked() {
    let mut raw = following(5);
    let (call, invite) = raw.invite(Some("v=0"));
    moved(&mut raw, &invite, "<sip:a@a.example>, <sip:b@b.example>");
    let again = follow(&mut raw, call, "sip:a@a.example").unwrap();
    raw.send(&respond(&again, "603 Decline", "x", ""));
    nothing_is_left(&mut raw);
}

#[test]
fn a_target_that_was_not_named_is_not_followed() {
    let mut raw = following(5);
    let (call, invite) = raw.invite(Some("v=0"));
    assert!(follow(&mut raw, call, "sip:a@a.example").is_err(), "no redirect");
    moved(&mut raw, &invite, "<sip:a@a.example>, <sips:s@s.example>");
    assert!(follow(&mut raw, call, "sip:b@b.example").is_err());
    let secure = follow(&mut raw, call, "sips:s@s.example");
    assert!(matches!(secure, Err(Error::NotSecure { .. })));
    assert!(follow(&mut raw, call, "sip:a@a.example").is_ok());
    assert!(follow(&mut raw, call, "sips:s@s.example").is_err(), "one at a time");
}

#[test]
fn a_call_that_nobody_follows_ends_and_can_be_given_up() {
    for hang_up in [true, false] {
        let mut raw = following(5);
        let (call, invite) = raw.invite(Some("v=0"));
        moved(&mut raw, &invite, "<sip:a@a.example>");
        let rejected = End::Rejected {
            status: StatusCode::MOVED_TEMPORARILY,
            reason: "Moved Temporarily".into(),
        };
        let end = if hang_up { End::Cancelled } else { rejected };
        if hang_up {
            raw.agent.hang_up(raw.now, call).unwrap();
            assert!(raw.drain().is_empty(), "there is nothing to cancel");
        }
        nothing_is_left(&mut raw);
        assert!(has(&raw, |event| matches!(event, Event::Ended { end: is, .. } if *is == end)));
    }
}

#[test]
fn a_call_that_is_given_up_is_not_redirected() {
    let mut raw = following(5);
    let (call, invite) = raw.invite(Some("v=0"));
    raw.send(&respond(&invite, "180 Ringing", "a", &contact("a")));
    raw.agent.hang_up(raw.now, call).unwrap();
    assert_eq!(method(&raw.drain()[0]), "CANCEL");
    moved(&mut raw, &invite, "<sip:a@a.example>");
    assert!(targets(&raw).is_empty());
    nothing_is_left(&mut raw);
}

#[test]
fn a_callee_names_where_to_call_instead() {
    let mut raw = Raw::new();
    let call = called(&mut raw, "", true);
    let contacts: Vec<Contact> = ["sip:desk@there.example", "sip:home@there.example"]
        .map(|uri| Contact::new(NameAddr::new(uri.parse().unwrap())).with_q("0.5".parse().unwrap()))
        .into();
    let wrong = StatusCode::BUSY_HERE;
    let refused = raw.agent.redirect(raw.now, call, wrong, &contacts);
    assert!(matches!(refused, Err(Error::InvalidStatus { .. })), "{refused:?}");
    let moved = StatusCode::MOVED_TEMPORARILY;
    assert!(raw.agent.redirect(raw.now, call, moved, &[Contact::Star]).is_err());
    raw.agent.redirect(raw.now, call, moved, &contacts).unwrap();
    let sent = raw.drain().remove(0);
    assert!(first_line(&sent).starts_with("SIP/2.0 302"), "{sent}");
    let named = "<sip:desk@there.example>;q=0.5, <sip:home@there.example>;q=0.5";
    assert_eq!(field(&sent, "Contact"), named);
    assert!(has(&raw, |event| {
        matches!(event, Event::Ended { end: End::Refused { status }, .. } if *status == moved)
    }));
}

#[test]
fn a_sips_call_that_is_redirected_to_sip_is_not_followed_unasked() {
    let tls = Flow { protocol: Protocol::Tls, ..Flow::udp(ours(), theirs()) };
    let mut agent =
        UserAgent::new(Config { max_redirects: 3, ..Config::default() }, Random::from_seed(7));
    agent.listen(Protocol::Tls, ours(), ours());
    agent.listen(Protocol::Udp, ours(), ours());
    let mut now = Instant::now();
    let from = NameAddr::new("sips:alice@example.com".parse().unwrap());
    let target = "sips:bob@198.51.100.7:5070".parse().unwrap();
    let call = agent.invite(now, Invite::new(target, from, tls)).unwrap();
    let invite = String::from_utf8(agent.poll_transmit().unwrap().payload.to_vec()).unwrap();
    let more = "Contact: <sip:bob@203.0.113.9>\n";
    let moved = respond(&invite, "302 Moved Temporarily", "p", more).replace('\n', "\r\n");
    let payload = BytesMut::from(moved.replace("\r\r", "\r").as_bytes());
    agent.receive(now, Datagram { flow: tls, payload });
    let Some(Event::Redirected { targets, .. }) = agent.poll_event() else { panic!("not told") };
    assert_eq!(targets, ["sip:bob@203.0.113.9".parse::<Uri>().unwrap()], "the user is told");
    let sent = agent.poll_transmit().unwrap();
    assert!(sent.payload.starts_with(b"ACK "));
    assert_eq!(agent.poll_transmit(), None, "and asked");
    // The owner does not agree.
    while let Some(at) = agent.poll_timeout() {
        now = at.max(now);
        agent.handle_timeout(now);
        assert_eq!(agent.poll_transmit(), None);
    }
    let ended = |it: &End| matches!(it, End::Rejected { status, .. } if status.as_u16() == 302);
    let event = agent.poll_event();
    assert!(
        matches!(&event, Some(Event::Ended { call: it, end, .. }) if *it == call && ended(end)),
        "{event:?}"
    );
    assert!(agent.follow(now, call, &targets[0], elsewhere()).is_err(), "too late");
}
