//! Requests of others that the owner answers (RFC 3261 §8.2, RFC 4320).

use bytes::Bytes;
use offhook_sansio::Flow;
use offhook_sip::{Body, Config, Error, Event, IncomingId};
use offhook_sip_message::{HeaderName, Method, StatusCode};

use crate::stage::{Stage, field, fields, first_line, tcp, udp};

fn stage() -> Stage {
    Stage::with(Config { answered_by_owner: vec![Method::MESSAGE], ..Config::default() })
}

fn request(method: &str, branch: u32, more: &str) -> String {
    format!(
        "{method} sip:bob@192.0.2.1 SIP/2.0\n\
         Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK{branch};rport\n\
         Max-Forwards: 70\n\
         From: <sip:alice@atlanta.example>;tag=a{branch}\n\
         To: <sip:bob@biloxi.example>\n\
         Call-ID: {branch}@198.51.100.7\n\
         CSeq: 1 {method}\n{more}\n"
    )
}

fn message(branch: u32) -> String {
    request("MESSAGE", branch, "Content-Type: text/plain\nContent-Length: 2\n") + "hi"
}

fn requested(stage: &mut Stage) -> IncomingId {
    match stage.event() {
        Event::Requested { incoming, request, flow, call: None } => {
            assert_eq!((request.method(), flow), (Method::MESSAGE, udp()));
            incoming
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_message_is_told_and_answered_by_its_owner() {
    let mut stage = stage();
    stage.receive(udp(), &message(1));
    let incoming = requested(&mut stage);
    assert!(stage.is_silent(), "the owner answers");
    let content = Bytes::from_static(b"no");
    let body = Body { content_type: "text/plain".into(), content };
    let headers = [(HeaderName::WARNING, "399 bob \"asleep\"".into())];
    let status = StatusCode::DECLINE;
    stage.agent.respond(stage.now, incoming, status, Some(body), &headers).unwrap();
    let answer = stage.sent();
    assert_eq!(first_line(&answer), "SIP/2.0 603 Decline");
    assert!(field(&answer, "To").contains(";tag="));
    assert_eq!(field(&answer, "Warning"), "399 bob \"asleep\"");
    assert!(answer.ends_with("\r\n\r\nno"));
    let late = stage.agent.respond(stage.now, incoming, StatusCode::OK, None, &[]);
    assert_eq!(late, Err(Error::NoRequest), "it is answered once");
    stage.finish();
}

#[test]
fn repetitions_are_absorbed_and_get_the_same_answer() {
    let mut stage = stage();
    stage.receive(udp(), &message(1));
    stage.receive(udp(), &message(1));
    let incoming = requested(&mut stage);
    assert!(stage.is_quiet() && stage.is_silent());
    stage.agent.respond(stage.now, incoming, StatusCode::OK, None, &[]).unwrap();
    let answer = stage.sent();
    stage.receive(udp(), &message(1));
    assert_eq!(stage.sent(), answer);
    stage.finish();
}

#[test]
fn trying_goes_out_when_timer_e_has_reached_t2_and_480_when_nobody_answers() {
    let mut stage = stage();
    stage.receive(udp(), &message(1));
    let incoming = requested(&mut stage);
    stage.wait(3.4);
    assert!(stage.is_silent(), "RFC 4320 §4.1");
    stage.wait(0.2);
    assert_eq!(first_line(&stage.sent()), "SIP/2.0 100 Trying");
    stage.wait(12.0);
    assert!(stage.is_silent());
    stage.wait(0.5);
    assert_eq!(first_line(&stage.sent()), "SIP/2.0 480 Temporarily Unavailable");
    let late = stage.agent.respond(stage.now, incoming, StatusCode::OK, None, &[]);
    assert_eq!(late, Err(Error::NoRequest));
    stage.finish();
}

#[test]
fn only_so_many_requests_wait_and_one_more_gets_503() {
    let config = Config {
        answered_by_owner: vec![Method::MESSAGE],
        max_waiting_requests: 2,
        ..Config::default()
    };
    let mut stage = Stage::with(config);
    for branch in [1, 2] {
        stage.receive(udp(), &message(branch));
    }
    let incoming = requested(&mut stage);
    requested(&mut stage);
    stage.receive(udp(), &message(3));
    let answer = stage.sent();
    assert_eq!(first_line(&answer), "SIP/2.0 503 Service Unavailable");
    assert!(!fields(&answer, "Retry-After").is_empty());
    assert!(stage.is_quiet());
    stage.agent.respond(stage.now, incoming, StatusCode::OK, None, &[]).unwrap();
    stage.sent();
    stage.receive(udp(), &message(4));
    requested(&mut stage);
}

#[test]
fn a_method_that_nobody_wants_is_answered_with_405_and_one_that_is_wanted_is_allowed() {
    let mut stage = Stage::new();
    stage.receive(udp(), &message(1));
    let answer = stage.sent();
    assert_eq!(first_line(&answer), "SIP/2.0 405 Method Not Allowed");
    assert!(!field(&answer, "Allow").contains("MESSAGE"));
    let mut stage = self::stage();
    stage.receive(udp(), &request("OPTIONS", 1, ""));
    let answer = stage.sent();
    assert_eq!(first_line(&answer), "SIP/2.0 200 OK", "OPTIONS is answered at once");
    assert!(field(&answer, "Allow").contains("MESSAGE"));
    assert!(stage.is_quiet());
}

#[test]
fn a_wanted_request_goes_through_the_same_inspection() {
    let mut stage = stage();
    stage.receive(udp(), &request("MESSAGE", 1, "Require: puzzle\n"));
    let answer = stage.sent();
    assert_eq!(first_line(&answer), "SIP/2.0 420 Bad Extension");
    assert_eq!(field(&answer, "Unsupported"), "puzzle");
    let stray = message(2).replace("biloxi.example>\n", "biloxi.example>;tag=none\n");
    stage.receive(udp(), &stray);
    let status = "SIP/2.0 481 Call/Transaction Does Not Exist";
    assert_eq!(first_line(&stage.sent()), status, "of no dialog");
    assert!(stage.is_quiet());
}

#[test]
fn provisional_and_unknown_answers_are_refused() {
    let mut stage = stage();
    stage.receive(udp(), &message(1));
    let incoming = requested(&mut stage);
    let refused = stage.agent.respond(stage.now, incoming, StatusCode::RINGING, None, &[]);
    assert!(matches!(refused, Err(Error::InvalidStatus { .. })), "RFC 4320 §4.1");
    let headers = [(HeaderName::TO, "<sip:x@y>".into())];
    let refused = stage.agent.respond(stage.now, incoming, StatusCode::OK, None, &headers);
    assert!(matches!(refused, Err(Error::ReservedHeader { .. })));
    stage.agent.respond(stage.now, incoming, StatusCode::OK, None, &[]).unwrap();
    stage.sent();
    stage.finish();
}

#[test]
fn the_answer_goes_back_on_the_connection_that_the_request_came_on() {
    let mut stage = stage();
    let flow = Flow { remote: ([203, 0, 113, 5], 40_001).into(), ..tcp() };
    stage.receive(flow, &message(1).replace("SIP/2.0/UDP", "SIP/2.0/TCP"));
    let Event::Requested { incoming, .. } = stage.event() else { panic!("not told") };
    stage.agent.respond(stage.now, incoming, StatusCode::OK, None, &[]).unwrap();
    assert_eq!(stage.sent_on().0, flow);
}

#[test]
fn a_message_in_a_call_is_told_with_its_call_and_in_order() {
    let mut stage = stage();
    let invite = request("INVITE", 9, "Contact: <sip:alice@198.51.100.7>\n");
    stage.receive(udp(), &invite);
    let Event::Incoming { call, .. } = stage.event() else { panic!("no call") };
    stage.agent.answer(stage.now, call, None).unwrap();
    stage.drain();
    let ok = stage.out.pop_back().unwrap().1;
    stage.out.clear();
    let in_call = |branch: u32, number: u32| {
        message(branch)
            .replace("To: <sip:bob@biloxi.example>", &format!("To: {}", field(&ok, "To")))
            .replace(&format!("tag=a{branch}"), "tag=a9")
            .replace(&format!("Call-ID: {branch}@"), "Call-ID: 9@")
            .replace("CSeq: 1 ", &format!("CSeq: {number} "))
    };
    stage.receive(udp(), &in_call(10, 2));
    match stage.event() {
        Event::Requested { call: Some(of), incoming, .. } => {
            assert_eq!(of, call);
            stage.agent.respond(stage.now, incoming, StatusCode::OK, None, &[]).unwrap();
        }
        other => panic!("{other:?}"),
    }
    stage.out.clear();
    stage.drain();
    stage.out.clear();
    stage.receive(udp(), &in_call(11, 1));
    assert_eq!(first_line(&stage.sent()), "SIP/2.0 500 Server Internal Error", "out of order");
}
