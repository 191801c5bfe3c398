//! What a user agent server does with requests written by hand (RFC 3261 §8.2, §12.2.2, §18.2).
#![cfg(test)]

mod support;

use std::time::Duration;

use offhook_sip::{Config, Dropped, End, Event};
use offhook_sip_message::StatusCode;
use support::raw::{Raw, field, fields, first_line, request, tag_of, theirs};

fn status(sent: &[String]) -> u16 {
    assert_eq!(sent.len(), 1, "{sent:#?}");
    first_line(&sent[0])[8..11].parse().unwrap()
}

/// An established incoming call and the tag of our side.
fn standing() -> (Raw, String) {
    let mut raw = Raw::new();
    raw.send(&request("INVITE", "z9hG4bKfirst", 1, "", ""));
    let call = raw.incoming();
    raw.agent.answer(raw.now, call, None).unwrap();
    let tag = tag_of(&raw.drain()[0]);
    assert!(raw.send(&request("ACK", "z9hG4bKack", 1, &tag, "")).is_empty());
    assert!(matches!(raw.events.last(), Some(Event::Established { .. })));
    (raw, tag)
}

#[test]
fn options_is_answered_with_what_we_can_do() {
    let mut raw = Raw::new();
    let sent = raw.send(&request("OPTIONS", "z9hG4bK1", 1, "", ""));
    assert_eq!(status(&sent), 200);
    assert_eq!(
        fields(&sent[0], "Allow"),
        ["INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, SUBSCRIBE, NOTIFY"]
    );
    assert_eq!(field(&sent[0], "Accept"), "application/sdp");
    assert!(sent[0].contains("Supported:"));
}

#[test]
fn an_unknown_method_is_answered_405_with_allow() {
    let sent = Raw::new().send(&request("NEWMETHOD", "z9hG4bK1", 1, "", ""));
    assert_eq!(status(&sent), 405);
    assert!(!fields(&sent[0], "Allow").is_empty());
}

#[test]
fn an_unknown_extension_is_answered_420_with_its_name() {
    let sent =
        Raw::new().send(&request("INVITE", "z9hG4bK1", 1, "", "Require: sun, 100rel, moon\n"));
    assert_eq!(status(&sent), 420);
    assert_eq!(fields(&sent[0], "Unsupported").join(", "), "sun, moon");
}

#[test]
fn another_scheme_is_answered_416() {
    let text = request("OPTIONS", "z9hG4bK1", 1, "", "");
    let sent = Raw::new().send(&text.replace("OPTIONS sip:alice@192.0.2.1", "OPTIONS tel:+1555"));
    assert_eq!(status(&sent), 416);
}

#[test]
fn a_body_of_another_type_is_answered_415_with_accept() {
    let body = "Content-Type: text/plain\nContent-Length: 5\n\nhello";
    let sent = Raw::new().send(request("INVITE", "z9hG4bK1", 1, "", body).trim_end());
    assert_eq!(status(&sent), 415);
    assert_eq!(field(&sent[0], "Accept"), "application/sdp");
    let optional = format!("Content-Disposition: render;handling=optional\n{body}");
    let sent = Raw::new().send(request("INVITE", "z9hG4bK1", 1, "", &optional).trim_end());
    assert_eq!(status(&sent), 100);
}

#[test]
fn requests_for_no_dialog_are_answered_481() {
    let mut raw = Raw::new();
    for (n, method) in ["INVITE", "BYE", "OPTIONS"].into_iter().enumerate() {
        let sent = raw.send(&request(method, &format!("z9hG4bK{n}"), 1, "nobody", ""));
        assert_eq!(status(&sent), 481, "{method}");
    }
    assert_eq!(status(&raw.send(&request("BYE", "z9hG4bKbye", 1, "", ""))), 481);
    assert_eq!(status(&raw.send(&request("CANCEL", "z9hG4bKnone", 1, "", ""))), 481);
    assert!(raw.send(&request("ACK", "z9hG4bKnone", 1, "nobody", "")).is_empty());
    assert_eq!(raw.agent.statistics().dropped(Dropped::StrayAck), 1);
}

#[test]
fn the_same_request_on_another_path_is_answered_482() {
    let mut raw = Raw::new();
    assert_eq!(status(&raw.send(&request("INVITE", "z9hG4bK1", 1, "", ""))), 100);
    assert_eq!(status(&raw.send(&request("INVITE", "z9hG4bK2", 1, "", ""))), 482);
    assert_eq!(status(&raw.send(&request("INVITE", "z9hG4bK1", 1, "", ""))), 100);
    assert_eq!(raw.agent.live_calls(), 1);
}

#[test]
fn an_invite_without_contact_is_answered_400() {
    let text = request("INVITE", "z9hG4bK1", 1, "", "");
    let sent = Raw::new().send(&text.replace("Contact:", "X-Contact:"));
    assert_eq!(status(&sent), 400);
}

#[test]
fn a_malformed_request_is_answered_400_and_kept_nowhere() {
    let mut raw = Raw::new();
    let text = request("INVITE", "z9hG4bK1", 1, "", "");
    let sent = raw.send(&text.replace("CSeq: 1 INVITE", "CSeq: 1 BYE"));
    assert_eq!(status(&sent), 400);
    assert!(field(&sent[0], "To").contains(";tag="));
    assert_eq!((raw.agent.live_transactions(), raw.agent.statistics().refused()), (0, 1));
    let again = raw.send(&text.replace("CSeq: 1 INVITE", "CSeq: 1 BYE"));
    assert_eq!(tag_of(&sent[0]), tag_of(&again[0]), "RFC 3261 §8.2.7");
}

#[test]
fn a_malformed_ack_is_never_answered() {
    let mut raw = Raw::new();
    let text = request("ACK", "z9hG4bK1", 1, "", "");
    assert!(raw.send(&text.replace("CSeq: 1 ACK", "CSeq: 1 BYE")).is_empty());
    assert_eq!(raw.agent.statistics().dropped(Dropped::Malformed), 1);
}

#[test]
fn max_forwards_zero_is_fine_for_whom_it_reaches() {
    let text = request("OPTIONS", "z9hG4bK1", 1, "", "");
    let sent = Raw::new().send(&text.replace("Max-Forwards: 70", "Max-Forwards: 0"));
    assert_eq!(status(&sent), 200);
}

#[test]
fn no_room_for_a_call_is_answered_503_without_state() {
    let mut raw = Raw::with(Config { max_calls: 1, ..Config::default() });
    raw.send(&request("INVITE", "z9hG4bK1", 1, "", ""));
    let text = request("INVITE", "z9hG4bK2", 1, "", "").replace("call-1", "call-2");
    let sent = raw.send(&text);
    assert_eq!(status(&sent), 503);
    assert_eq!(field(&sent[0], "Retry-After"), "10");
    assert_eq!((raw.agent.live_calls(), raw.agent.live_transactions()), (1, 1));
}

#[test]
fn no_room_for_a_transaction_is_answered_503_but_a_call_can_still_be_ended() {
    let (mut raw, tag) = {
        let mut raw = Raw::with(Config { max_transactions: 1, ..Config::default() });
        raw.send(&request("INVITE", "z9hG4bKfirst", 1, "", ""));
        let call = raw.incoming();
        raw.agent.answer(raw.now, call, None).unwrap();
        let tag = tag_of(&raw.drain()[0]);
        raw.send(&request("ACK", "z9hG4bKack", 1, &tag, ""));
        (raw, tag)
    };
    let stranger = request("OPTIONS", "z9hG4bK2", 1, "", "").replace("call-1", "call-2");
    assert_eq!(status(&raw.send(&stranger)), 503);
    assert_eq!(raw.agent.live_transactions(), 1);
    assert_eq!(status(&raw.send(&request("BYE", "z9hG4bKbye", 2, &tag, ""))), 200);
    assert_eq!(raw.agent.live_calls(), 0);
}

#[test]
fn a_request_out_of_order_is_answered_500() {
    let (mut raw, tag) = standing();
    assert_eq!(status(&raw.send(&request("OPTIONS", "z9hG4bK5", 5, &tag, ""))), 200);
    assert_eq!(status(&raw.send(&request("BYE", "z9hG4bK4", 4, &tag, ""))), 500);
    assert_eq!(raw.agent.live_calls(), 1);
    assert_eq!(status(&raw.send(&request("BYE", "z9hG4bK6", 9, &tag, ""))), 200);
    assert_eq!(raw.agent.live_calls(), 0);
}

#[test]
fn a_second_invite_before_the_answer_to_the_first_is_answered_500_with_retry_after() {
    let (mut raw, tag) = standing();
    assert_eq!(status(&raw.send(&request("INVITE", "z9hG4bK2", 2, &tag, ""))), 100);
    let sent = raw.send(&request("INVITE", "z9hG4bK3", 3, &tag, ""));
    assert_eq!(status(&sent), 500);
    let wait: u32 = field(&sent[0], "Retry-After").parse().unwrap();
    assert!(wait <= 10);
    // So it is in an early dialog.
    let mut raw = Raw::new();
    raw.send(&request("INVITE", "z9hG4bKfirst", 1, "", ""));
    let call = raw.incoming();
    raw.agent.ring(raw.now, call).unwrap();
    let tag = tag_of(&raw.drain()[0]);
    let sent = raw.send(&request("INVITE", "z9hG4bK2", 2, &tag, ""));
    assert_eq!(status(&sent), 500);
    assert!(sent[0].contains("Retry-After"));
}

#[test]
fn a_reinvite_may_be_cancelled_and_the_call_goes_on() {
    let (mut raw, tag) = standing();
    raw.send(&request("INVITE", "z9hG4bK2", 2, &tag, ""));
    let sent = raw.send(&request("CANCEL", "z9hG4bK2", 2, &tag, ""));
    let lines: Vec<_> = sent.iter().map(|sent| first_line(sent)).collect();
    assert_eq!(lines, ["SIP/2.0 200 OK", "SIP/2.0 487 Request Terminated"]);
    assert!(matches!(raw.events.last(), Some(Event::ReinviteCancelled { .. })));
    let call = raw.incoming();
    assert!(raw.agent.answer(raw.now, call, None).is_err());
    assert_eq!(raw.agent.live_calls(), 1);
}

#[test]
fn a_cancel_of_a_reinvite_that_was_refused_leaves_the_next_one_alone() {
    let (mut raw, tag) = standing();
    raw.send(&request("INVITE", "z9hG4bK2", 2, &tag, ""));
    let call = raw.incoming();
    raw.agent.reject(raw.now, call, StatusCode::NOT_ACCEPTABLE_HERE).unwrap();
    raw.drain();
    assert_eq!(status(&raw.send(&request("INVITE", "z9hG4bK3", 3, &tag, ""))), 100);
    assert_eq!(status(&raw.send(&request("CANCEL", "z9hG4bK2", 2, &tag, ""))), 200);
    assert!(matches!(raw.events.last(), Some(Event::Reinvited { .. })));
    assert!(raw.agent.answer(raw.now, call, None).is_ok());
}

#[test]
fn a_cancel_gets_the_tag_of_the_invite_it_cancels() {
    let mut raw = Raw::new();
    raw.send(&request("INVITE", "z9hG4bK1", 1, "", ""));
    let sent = raw.send(&request("CANCEL", "z9hG4bK1", 1, "", ""));
    assert_eq!(tag_of(&sent[0]), tag_of(&sent[1]));
    let ended = |event: &Event| matches!(event, Event::Ended { end: End::PeerCancelled, .. });
    assert!(raw.events.iter().any(ended));
}

#[test]
fn a_bye_before_the_answer_ends_the_call_and_the_invite_gets_487() {
    let mut raw = Raw::new();
    raw.send(&request("INVITE", "z9hG4bK1", 1, "", ""));
    let call = raw.incoming();
    raw.agent.ring(raw.now, call).unwrap();
    let tag = tag_of(&raw.drain()[0]);
    let sent = raw.send(&request("BYE", "z9hG4bK2", 2, &tag, ""));
    let lines: Vec<_> = sent.iter().map(|sent| first_line(sent)).collect();
    assert_eq!(lines, ["SIP/2.0 200 OK", "SIP/2.0 487 Request Terminated"]);
    assert!(matches!(raw.events.last(), Some(Event::Ended { end: End::PeerHungUp, .. })));
}

#[test]
fn an_invitation_expires_with_487() {
    let mut raw = Raw::new();
    raw.send(&request("INVITE", "z9hG4bK1", 1, "", "Expires: 20\n"));
    assert!(raw.wait(19_999).is_empty());
    let sent = raw.wait(1);
    assert_eq!(status(&sent), 487);
    assert!(matches!(raw.events.last(), Some(Event::Ended { end: End::PeerCancelled, .. })));
}

#[test]
fn record_route_is_copied_into_what_makes_a_dialog() {
    let mut raw = Raw::new();
    let routes = "Record-Route: <sip:p2.example;lr>, <sip:p1.example;lr;x=y>;z=\"q\"\n";
    raw.send(&request("INVITE", "z9hG4bK1", 1, "", routes));
    let call = raw.incoming();
    raw.agent.ring(raw.now, call).unwrap();
    let ringing = raw.drain().remove(0);
    raw.agent.answer(raw.now, call, None).unwrap();
    let answer = raw.drain().remove(0);
    for message in [&ringing, &answer] {
        let copied = fields(message, "Record-Route").join(", ");
        assert_eq!(copied, "<sip:p2.example;lr>, <sip:p1.example;lr;x=y>;z=\"q\"");
        assert_eq!(field(message, "Contact"), "<sip:alice@192.0.2.1:5060>");
    }
    assert_eq!(tag_of(&ringing), tag_of(&answer));
}

#[test]
fn the_bye_of_a_callee_follows_the_recorded_route() {
    let mut raw = Raw::new();
    let routes = "Record-Route: <sip:192.0.2.50;lr>\nRecord-Route: <sip:192.0.2.60:5066;lr>\n";
    raw.send(&request("INVITE", "z9hG4bK1", 1, "", routes));
    let call = raw.incoming();
    raw.agent.answer(raw.now, call, None).unwrap();
    let tag = tag_of(&raw.drain()[0]);
    raw.send(&request("ACK", "z9hG4bK2", 1, &tag, ""));
    raw.agent.hang_up(raw.now, call).unwrap();
    let sent = raw.drain();
    assert_eq!(first_line(&sent[0]), "BYE sip:bob@198.51.100.7:5070 SIP/2.0");
    assert_eq!(fields(&sent[0], "Route"), ["<sip:192.0.2.50;lr>", "<sip:192.0.2.60:5066;lr>"]);
    assert_eq!(raw.went, [([192, 0, 2, 50], 5060).into()]);
}

#[test]
fn responses_go_to_the_source_with_rport_and_to_the_sent_by_port_without() {
    let mut raw = Raw::new();
    let text = request("OPTIONS", "z9hG4bK1", 1, "", "");
    let natted = text.replace("198.51.100.7:5070;", "10.0.0.1:4540;");
    let sent = raw.send(&natted);
    assert_eq!(raw.went, [theirs()]);
    assert!(field(&sent[0], "Via").contains("rport=5070"));
    assert!(field(&sent[0], "Via").contains("received=198.51.100.7"));
    let plain = natted.replace(";rport", "").replace("z9hG4bK1", "z9hG4bK2");
    let sent = raw.send(&plain);
    assert_eq!(raw.went, [([198, 51, 100, 7], 4540).into()]);
    assert!(field(&sent[0], "Via").contains("received=198.51.100.7"));
    let lying = text.replace(";rport", ";received=203.0.113.9").replace("z9hG4bK1", "z9hG4bK3");
    let sent = raw.send(&lying);
    assert_eq!(raw.went, [theirs()]);
    assert!(!field(&sent[0], "Via").contains("203.0.113.9"), "only we know the source");
    let maddr = text.replace(";rport", ";maddr=203.0.113.5").replace("z9hG4bK1", "z9hG4bK4");
    raw.send(&maddr);
    assert_eq!(raw.went, [([203, 0, 113, 5], 5070).into()]);
}

#[test]
fn all_vias_come_back_in_order() {
    let more = "Via: SIP/2.0/UDP p2.example;branch=z9hG4bKb\nVia: SIP/2.0/UDP p1.example\n";
    let sent = Raw::new().send(&request("OPTIONS", "z9hG4bKa", 1, "", more));
    let vias = fields(&sent[0], "Via");
    assert_eq!(vias.len(), 3);
    assert!(vias[0].contains("rport=5070"));
    assert_eq!(vias[1..], ["SIP/2.0/UDP p2.example;branch=z9hG4bKb", "SIP/2.0/UDP p1.example"]);
}

#[test]
fn a_client_of_rfc_2543_is_matched_without_the_cookie() {
    let mut raw = Raw::new();
    assert_eq!(status(&raw.send(&request("INVITE", "1", 1, "", ""))), 100);
    assert_eq!(status(&raw.send(&request("INVITE", "1", 1, "", ""))), 100, "a repetition");
    assert_eq!(raw.agent.live_calls(), 1);
    let call = raw.incoming();
    raw.agent.reject(raw.now, call, StatusCode::BUSY_HERE).unwrap();
    let busy = raw.drain().remove(0);
    let stranger = request("ACK", "1", 1, "another", "");
    raw.send(&stranger);
    assert!(!raw.wait(600).is_empty(), "the ACK with another To tag acknowledges nothing");
    raw.send(&request("ACK", "1", 1, &tag_of(&busy), ""));
    assert!(raw.wait(3_000).is_empty());
}

#[test]
fn the_ack_of_an_rfc_2543_client_to_a_2xx_reaches_the_call() {
    let mut raw = Raw::new();
    raw.send(&request("INVITE", "1", 1, "", ""));
    let call = raw.incoming();
    raw.agent.answer(raw.now, call, None).unwrap();
    let tag = tag_of(&raw.drain()[0]);
    raw.send(&request("ACK", "1", 1, &tag, ""));
    assert!(matches!(raw.events.last(), Some(Event::Established { .. })), "RFC 6026 §6");
}

#[test]
fn the_ack_to_our_offer_brings_the_answer() {
    let mut raw = Raw::new();
    raw.send(&request("INVITE", "z9hG4bK1", 1, "", ""));
    let call = raw.incoming();
    raw.agent.answer(raw.now, call, Some(support::body("v=0 offer"))).unwrap();
    let answer = raw.drain().remove(0);
    assert!(answer.ends_with("v=0 offer"));
    let body = "Content-Type: application/sdp\nContent-Length: 3\n\nv=0";
    raw.send(request("ACK", "z9hG4bK2", 1, &tag_of(&answer), body).trim_end());
    let Some(Event::Established { body: Some(body), .. }) = raw.events.last() else { panic!() };
    assert_eq!((&body.content[..], &*body.content_type), (&b"v=0"[..], "application/sdp"));
}

#[test]
fn keep_alives_and_noise_are_counted_apart() {
    let mut raw = Raw::new();
    for bytes in [&b"\r\n\r\n"[..], b"\0\0\0\0", b""] {
        assert!(raw.send_bytes(bytes).is_empty());
    }
    assert!(raw.send_bytes(b"\x80\x12 not SIP").is_empty());
    let statistics = raw.agent.statistics();
    assert_eq!(statistics.dropped(Dropped::KeepAlive), 3);
    assert_eq!(statistics.dropped(Dropped::Malformed), 1);
    assert_eq!(statistics.total_dropped(), 4);
}

#[test]
fn strangers_are_answered_and_nothing_of_them_is_kept() {
    let mut raw = Raw::new();
    for n in 0..100 {
        let branch = format!("z9hG4bK{n}");
        for (method, tag) in [("OPTIONS", ""), ("BYE", "t1"), ("CANCEL", ""), ("FOO", "")] {
            let sent = raw.send(&request(method, &branch, 1, tag, ""));
            assert_eq!(sent.len(), 1, "{method}");
            assert_eq!(raw.send(&request(method, &branch, 1, tag, "")), sent, "the same again");
        }
        let needy = request("INVITE", &format!("z9hG4bKi{n}"), 1, "", "Require: moon\n");
        assert_eq!(status(&raw.send(&needy)), 420);
    }
    assert_eq!(raw.agent.live_transactions(), 0);
}

#[test]
fn cancels_that_differ_in_their_to_tag_find_no_room_beyond_the_limit() {
    let mut raw = Raw::with(Config { max_calls: 2, max_transactions: 3, ..Config::default() });
    raw.send(&request("INVITE", "1", 1, "", ""));
    for tag in 0..20 {
        raw.send(&request("CANCEL", "1", 1, &format!("t{tag}"), ""));
    }
    assert_eq!(raw.agent.live_transactions(), 5, "the limit and the reserve");
}

#[test]
fn a_full_table_keeps_its_owner_from_no_call() {
    let mut raw = Raw::with(Config { max_transactions: 1, ..Config::default() });
    raw.send(&request("INVITE", "z9hG4bK1", 1, "", ""));
    let stranger = request("INVITE", "z9hG4bK2", 1, "", "").replace("call-1", "call-2");
    assert_eq!(status(&raw.send(&stranger)), 503);
    let (_, invite) = raw.invite(None);
    assert!(invite.starts_with("INVITE "));
}

#[test]
fn timers_of_nothing_or_of_ages_neither_repeat_without_end_nor_overflow() {
    for time in [Duration::ZERO, Duration::MAX] {
        let mut raw = Raw::with(Config { t1: time, t2: time, t4: time, ..Config::default() });
        raw.send(&request("INVITE", "z9hG4bK1", 1, "", ""));
        raw.agent.reject(raw.now, raw.incoming(), StatusCode::BUSY_HERE).unwrap();
        raw.invite(None);
        assert!(raw.wait(1_000).len() < 200);
    }
}

#[test]
fn a_refusal_waits_for_its_ack() {
    let mut raw = Raw::new();
    raw.send(&request("INVITE", "z9hG4bK1", 1, "", ""));
    assert!(!raw.agent.awaits_acks());
    raw.agent.reject(raw.now, raw.incoming(), StatusCode::BUSY_HERE).unwrap();
    let tag = tag_of(&raw.drain()[0]);
    assert!(raw.agent.awaits_acks());
    raw.send(&request("ACK", "z9hG4bK1", 1, &tag, ""));
    assert!(!raw.agent.awaits_acks());
}
