//! One early dialog per To tag, and what becomes of them (RFC 3261 §12.1.2, §13.2.2).

use offhook_sip::{Description, Dropped, End, Event, ReliableProvisionals};

use crate::{
    dialogue::{
        contact, from_callee, has, method, nothing_is_left, progress, reliably, status, using,
        with_body,
    },
    support::raw::{Raw, field, fields, first_line, respond, tag_of},
};

#[test]
fn each_to_tag_of_a_provisional_response_is_a_fork_of_its_own() {
    let mut raw = Raw::new();
    let (_, invite) = raw.invite(Some("v=0"));
    for tag in ["a", "b", "a", "c", "b"] {
        raw.send(&respond(&invite, "180 Ringing", tag, &contact(tag)));
    }
    let forks: Vec<_> = progress(&raw).into_iter().map(|(fork, _)| fork).collect();
    assert_eq!((forks[0], forks[1]), (forks[2], forks[4]));
    assert!(forks[0] != forks[1] && forks[1] != forks[3] && forks[0] != forks[3]);
}

#[test]
fn a_trying_makes_no_dialog() {
    let mut raw = Raw::new();
    let (call, invite) = raw.invite(Some("v=0"));
    raw.send(&respond(&invite, "100 Trying", "a", &contact("a")));
    assert!(progress(&raw).is_empty());
    assert!(raw.agent.update(raw.now, call, None, None).is_err());
}

#[test]
fn the_event_of_the_answer_names_the_fork_that_rang() {
    let mut raw = Raw::new();
    let (_, invite) = raw.invite(Some("v=0"));
    raw.send(&respond(&invite, "180 Ringing", "a", &contact("a")));
    raw.send(&respond(&invite, "180 Ringing", "b", &contact("b")));
    raw.send(&respond(&invite, "200 OK", "b", &contact("b")));
    let ringing = progress(&raw)[1].0;
    assert!(has(&raw, |event| matches!(event, Event::Answered { fork, .. } if *fork == ringing)));
}

#[test]
fn an_answer_in_an_unreliable_response_is_a_preview() {
    let mut raw = Raw::new();
    let (_, invite) = raw.invite(Some("v=0"));
    let early = respond(&invite, "183 Session Progress", "a", &contact("a"));
    raw.send(&with_body(&early));
    assert_eq!(progress(&raw)[0].1, Description::Preview);
    let ok = respond(&invite, "200 OK", "a", &contact("a"));
    raw.send(&with_body(&ok));
    let answer =
        |event: &Event| matches!(event, Event::Answered { description: Description::Answer, .. });
    assert!(has(&raw, answer));
}

#[test]
fn each_early_dialog_has_its_own_target_routes_and_sequence_numbers() {
    let mut raw = Raw::new();
    let (_, invite) = raw.invite(Some("v=0"));
    let routed = |tag: &str, rseq| {
        let route = format!("Record-Route: <sip:p{tag}.example;lr>\nContact: ");
        reliably(&invite, "183 Session Progress", tag, rseq).replace("Contact: ", &route)
    };
    let first = raw.send(&routed("a", 1));
    let other = raw.send(&routed("b", 77));
    let second = raw.send(&routed("a", 2));
    for (sent, tag, cseq) in [(&first, "a", 2), (&other, "b", 2), (&second, "a", 3)] {
        assert_eq!(first_line(&sent[0]), format!("PRACK sip:{tag}@198.51.100.7:5070 SIP/2.0"));
        assert_eq!(field(&sent[0], "CSeq"), format!("{cseq} PRACK"));
        assert_eq!(fields(&sent[0], "Route"), [format!("<sip:p{tag}.example;lr>")]);
        assert_eq!(tag_of(&sent[0]), tag);
    }
}

#[test]
fn a_request_of_a_callee_finds_its_early_dialog() {
    let mut raw = Raw::new();
    let (_, invite) = raw.invite(Some("v=0"));
    raw.send(&respond(&invite, "180 Ringing", "a", &contact("a")));
    assert_eq!(status(&raw.send(&from_callee(&invite, "OPTIONS", "a", 5, ""))), 200);
    assert_eq!(status(&raw.send(&from_callee(&invite, "UPDATE", "a", 6, ""))), 200);
    assert_eq!(status(&raw.send(&from_callee(&invite, "OPTIONS", "a", 6, ""))), 500, "§12.2.2");
    assert_eq!(status(&raw.send(&from_callee(&invite, "UPDATE", "b", 6, ""))), 481);
}

#[test]
fn an_invite_in_an_early_dialog_of_ours_meets_glare() {
    let mut raw = Raw::new();
    let (_, invite) = raw.invite(Some("v=0"));
    raw.send(&respond(&invite, "180 Ringing", "a", &contact("a")));
    assert_eq!(status(&raw.send(&from_callee(&invite, "INVITE", "a", 1, ""))), 491);
}

#[test]
fn the_2xx_confirms_the_early_dialog_with_new_routes_and_target() {
    let mut raw = Raw::new();
    let (call, invite) = raw.invite(Some("v=0"));
    let early = reliably(&invite, "180 Ringing", "a", 1);
    raw.send(&early.replace("Contact: ", "Record-Route: <sip:old.example;lr>\nContact: "));
    let more = "Contact: <sip:new@198.51.100.9>\nRecord-Route: <sip:new.example;lr>\n";
    let ack = raw.send(&respond(&invite, "200 OK", "a", more)).remove(0);
    assert_eq!(first_line(&ack), "ACK sip:new@198.51.100.9 SIP/2.0");
    assert_eq!(fields(&ack, "Route"), ["<sip:new.example;lr>"]);
    assert_eq!(field(&ack, "CSeq"), "1 ACK");
    raw.agent.hang_up(raw.now, call).unwrap();
    let bye = raw.drain().remove(0);
    assert_eq!(field(&bye, "CSeq"), "3 BYE", "after the PRACK");
}

#[test]
fn the_early_dialogs_of_losers_are_unknown_once_the_call_stands() {
    let mut raw = Raw::new();
    let (_, invite) = raw.invite(Some("v=0"));
    for tag in ["a", "b"] {
        raw.send(&respond(&invite, "180 Ringing", tag, &contact(tag)));
    }
    raw.send(&respond(&invite, "200 OK", "b", &contact("b")));
    assert_eq!(status(&raw.send(&from_callee(&invite, "UPDATE", "a", 1, ""))), 481);
    assert_eq!(status(&raw.send(&from_callee(&invite, "UPDATE", "b", 1, ""))), 200);
}

#[test]
fn a_2xx_of_a_loser_is_acknowledged_and_its_bye_counts_on_from_its_prack() {
    let mut raw = Raw::new();
    let (call, invite) = raw.invite(Some("v=0"));
    raw.send(&reliably(&invite, "180 Ringing", "a", 1));
    raw.send(&reliably(&invite, "183 Session Progress", "a", 2));
    raw.send(&respond(&invite, "200 OK", "b", &contact("b")));
    let late = respond(&invite, "200 OK", "a", &contact("a"));
    let sent = raw.send(&late);
    assert_eq!((method(&sent[0]), method(&sent[1])), ("ACK", "BYE"));
    assert_eq!(field(&sent[0], "CSeq"), "1 ACK");
    assert_eq!(field(&sent[1], "CSeq"), "4 BYE");
    assert_eq!(raw.send(&late), sent[..1], "the ACK alone");
    raw.agent.hang_up(raw.now, call).unwrap();
    raw.drain();
    nothing_is_left(&mut raw);
}

#[test]
fn early_dialogs_without_end_are_not_followed() {
    let mut raw = Raw::new();
    let (call, invite) = raw.invite(Some("v=0"));
    for n in 0..100 {
        let tag = format!("t{n}");
        raw.send(&respond(&invite, "180 Ringing", &tag, &contact(&tag)));
    }
    assert_eq!(progress(&raw).len(), 16);
    assert_eq!(raw.agent.statistics().dropped(Dropped::TooManyForks), 84);
    raw.send(&respond(&invite, "200 OK", "t99", &contact("t99")));
    assert!(has(&raw, |event| matches!(event, Event::Answered { .. })), "the answer still counts");
    raw.agent.hang_up(raw.now, call).unwrap();
    nothing_is_left(&mut raw);
}

#[test]
fn a_failure_ends_all_early_dialogs() {
    let mut raw = Raw::new();
    let (_, invite) = raw.invite(Some("v=0"));
    raw.send(&respond(&invite, "180 Ringing", "a", &contact("a")));
    raw.send(&respond(&invite, "486 Busy Here", "x", ""));
    assert_eq!(status(&raw.send(&from_callee(&invite, "UPDATE", "a", 1, ""))), 481);
    nothing_is_left(&mut raw);
}

#[test]
fn a_bye_of_a_callee_ends_its_early_dialog_and_not_the_call() {
    let mut raw = Raw::new();
    let (call, invite) = raw.invite(Some("v=0"));
    raw.send(&respond(&invite, "180 Ringing", "a", &contact("a")));
    assert_eq!(status(&raw.send(&from_callee(&invite, "BYE", "a", 1, ""))), 200);
    assert_eq!(status(&raw.send(&from_callee(&invite, "UPDATE", "a", 2, ""))), 481);
    assert!(raw.send(&respond(&invite, "180 Ringing", "a", &contact("a"))).is_empty());
    assert_eq!((progress(&raw).len(), raw.agent.live_calls()), (1, 1));
    raw.agent.hang_up(raw.now, call).unwrap();
    assert_eq!(method(&raw.drain()[0]), "CANCEL");
    nothing_is_left(&mut raw);
}

#[test]
fn the_bye_to_a_2xx_counts_on_from_the_bye_of_its_early_dialog() {
    let mut raw = Raw::with(using(ReliableProvisionals::Preferred));
    let (call, invite) = raw.invite(Some("v=0"));
    raw.send(&with_body(&reliably(&invite, "183 Session Progress", "a", 1)));
    raw.agent.update(raw.now, call, None, None).unwrap();
    let update = raw.drain().remove(0);
    let bye = raw.send(&respond(&update, "481 Gone", "a", "")).remove(0);
    assert_eq!((method(&bye), field(&bye, "CSeq")), ("BYE", "4 BYE"));
    let sent = raw.send(&respond(&invite, "200 OK", "a", &contact("a")));
    assert_eq!((method(&sent[0]), field(&sent[1], "CSeq")), ("ACK", "5 BYE"));
    nothing_is_left(&mut raw);
}

#[test]
fn a_2xx_in_an_early_dialog_that_is_over_is_ended_and_the_call_with_it() {
    let mut raw = Raw::new();
    let (_, invite) = raw.invite(Some("v=0"));
    raw.send(&respond(&invite, "180 Ringing", "a", &contact("a")));
    raw.send(&from_callee(&invite, "BYE", "a", 1, ""));
    let sent = raw.send(&respond(&invite, "200 OK", "a", &contact("a")));
    assert_eq!((method(&sent[0]), method(&sent[1])), ("ACK", "BYE"));
    nothing_is_left(&mut raw);
    assert!(has(&raw, |event| matches!(event, Event::Ended { end: End::HungUp, .. })));
}
