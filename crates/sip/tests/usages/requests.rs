//! Requests that this side sends outside of dialogs (RFC 3261 §8.1).

use bytes::Bytes;
use offhook_sip::{Body, Config, Error, Event, OutgoingRequest, RequestFailure, RequestId};
use offhook_sip_message::{HeaderName, Method};

use crate::stage::{Stage, bob, cseq, field, fields, first_line, login, plain, tls, udp};

fn message() -> OutgoingRequest {
    let content = Bytes::from_static(b"Watson, come here.");
    OutgoingRequest {
        body: Some(Body { content_type: "text/plain".into(), content }),
        ..request(Method::MESSAGE)
    }
}

fn request(method: Method) -> OutgoingRequest {
    OutgoingRequest::new(method, "sip:alice@atlanta.example".parse().unwrap(), bob(), udp())
}

fn send(stage: &mut Stage, request: OutgoingRequest) -> (RequestId, String) {
    let id = stage.agent.send(stage.now, request).unwrap();
    (id, stage.sent())
}

fn response(stage: &mut Stage) -> (RequestId, u16) {
    match stage.event() {
        Event::Response { request, response } => (request, response.status().as_u16()),
        other => panic!("{other:?}"),
    }
}

fn failure(stage: &mut Stage) -> (RequestId, RequestFailure) {
    match stage.event() {
        Event::Failed { request, failure } => (request, failure),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_message_goes_out_and_its_response_is_told_once() {
    let mut stage = Stage::new();
    let (id, sent) = send(&mut stage, message());
    assert_eq!(first_line(&sent), "MESSAGE sip:alice@atlanta.example SIP/2.0");
    assert_eq!(field(&sent, "To"), "<sip:alice@atlanta.example>");
    assert_eq!(field(&sent, "Content-Type"), "text/plain");
    assert!(sent.ends_with("\r\n\r\nWatson, come here."));
    assert!(fields(&sent, "Contact").is_empty(), "RFC 3428 §4");
    stage.answer(&sent, "100 Trying", "");
    assert!(stage.is_quiet(), "a provisional response is not told");
    stage.answer(&sent, "202 Accepted", "");
    stage.answer(&sent, "202 Accepted", "");
    assert_eq!(response(&mut stage), (id, 202));
    assert!(stage.is_quiet());
    stage.finish();
}

#[test]
fn a_refusal_is_a_response_like_any() {
    let mut stage = Stage::new();
    let (id, sent) = send(&mut stage, message());
    stage.answer(&sent, "404 Not Found", "");
    assert_eq!(response(&mut stage), (id, 404));
    stage.finish();
}

#[test]
fn a_challenge_is_answered_with_the_next_cseq_and_a_new_branch() {
    let mut stage = Stage::new();
    let (id, first) = send(&mut stage, OutgoingRequest { logins: vec![login()], ..message() });
    stage.challenge(&first);
    let second = stage.sent();
    assert!(stage.authenticates(&second));
    assert_eq!(cseq(&second), cseq(&first) + 1);
    assert_ne!(field(&second, "Via"), field(&first, "Via"));
    for name in ["Call-ID", "From", "To"] {
        assert_eq!(field(&second, name), field(&first, name));
    }
    stage.answer(&second, "200 OK", "");
    assert_eq!(response(&mut stage), (id, 200));
    stage.finish();
}

#[test]
fn credentials_that_are_refused_are_not_sent_again() {
    let mut stage = Stage::new();
    let wrong = offhook_sip::Login::new(crate::stage::REALM, "bob", "wrong");
    let (id, first) = send(&mut stage, OutgoingRequest { logins: vec![wrong], ..message() });
    stage.challenge(&first);
    let second = stage.sent();
    assert!(!stage.authenticates(&second));
    stage.challenge(&second);
    assert_eq!(response(&mut stage), (id, 401));
    assert!(stage.is_silent());
    stage.finish();
}

#[test]
fn a_challenge_without_a_login_is_the_response() {
    let mut stage = Stage::new();
    let (id, first) = send(&mut stage, message());
    stage.challenge(&first);
    assert_eq!(response(&mut stage), (id, 401));
    stage.finish();
}

#[test]
fn silence_counts_as_408() {
    let mut stage = Stage::new();
    let (id, _) = send(&mut stage, message());
    stage.wait(31.9);
    assert!(stage.is_quiet());
    stage.wait(0.2);
    assert_eq!(failure(&mut stage), (id, RequestFailure::TimedOut));
    assert_eq!(RequestFailure::TimedOut.status().as_u16(), 408);
    stage.finish();
}

#[test]
fn a_transport_that_fails_counts_as_503() {
    let mut stage = Stage::new();
    let (id, _) = send(&mut stage, message());
    stage.agent.transport_failed(stage.now, udp());
    assert_eq!(failure(&mut stage), (id, RequestFailure::Transport));
    assert_eq!(RequestFailure::Transport.status().as_u16(), 503);
    stage.finish();
}

#[test]
fn an_options_says_what_may_come_back() {
    let mut stage = Stage::new();
    let (id, sent) = send(&mut stage, request(Method::OPTIONS));
    assert_eq!(field(&sent, "Accept"), "application/sdp", "RFC 3261 §11.1");
    stage.answer(&sent, "200 OK", "Allow: INVITE\n");
    assert_eq!(response(&mut stage), (id, 200));
    stage.finish();
}

#[test]
fn any_other_method_can_be_sent_with_fields_of_its_own() {
    let mut stage = Stage::new();
    let mut custom = request(Method::new("PUZZLE").unwrap());
    custom.to = Some(bob());
    custom.headers = vec![(HeaderName::CONTACT, "<sip:bob@192.0.2.1>".into())];
    let (_, sent) = send(&mut stage, custom);
    assert_eq!(field(&sent, "CSeq"), "1 PUZZLE");
    assert_eq!(field(&sent, "To"), "<sip:bob@biloxi.example>");
    assert_eq!(field(&sent, "Contact"), "<sip:bob@192.0.2.1>");
}

#[test]
fn what_has_a_verb_or_a_rule_of_its_own_is_refused_and_nothing_is_sent() {
    let mut stage = Stage::new();
    for method in [Method::INVITE, Method::ACK, Method::CANCEL] {
        let refused = stage.agent.send(stage.now, request(method.clone()));
        assert_eq!(refused, Err(Error::WrongMethod { method }));
    }
    let mut with_contact = message();
    with_contact.headers = vec![(HeaderName::CONTACT, "<sip:bob@192.0.2.1>".into())];
    let header = HeaderName::CONTACT;
    assert_eq!(stage.agent.send(stage.now, with_contact), Err(Error::ReservedHeader { header }));
    let mut with_via = message();
    with_via.headers = vec![(HeaderName::VIA, "SIP/2.0/UDP h".into())];
    let header = HeaderName::VIA;
    assert_eq!(stage.agent.send(stage.now, with_via), Err(Error::ReservedHeader { header }));
    let mut secure = message();
    secure.target = "sips:alice@atlanta.example".parse().unwrap();
    let refused = stage.agent.send(stage.now, secure.clone());
    assert_eq!(refused, Err(Error::NotSecure { flow: udp() }));
    assert!(stage.is_silent());
    secure.flow = tls();
    assert!(stage.agent.send(stage.now, secure).is_ok());
}

#[test]
fn as_many_wait_as_the_settings_allow() {
    let mut stage = Stage::with(Config { max_requests: 2, ..Config::default() });
    let (_, first) = send(&mut stage, message());
    send(&mut stage, message());
    assert_eq!(stage.agent.send(stage.now, message()), Err(Error::TooManyRequests));
    stage.answer(&first, "200 OK", "");
    send(&mut stage, message());
}

#[test]
fn a_request_takes_the_service_route_of_the_registration_it_names() {
    let mut stage = Stage::new();
    let (id, register) = stage.register(plain());
    let routes = "Service-Route: <sip:p1.example;lr>\nService-Route: <sip:p2.example;lr>\n";
    stage.answer(&register, "200 OK", &format!("{routes}Contact: {}\n", crate::stage::CONTACT));
    assert_eq!(stage.granted().service_route.len(), 2);
    let (_, sent) = send(&mut stage, OutgoingRequest { registration: Some(id), ..message() });
    assert_eq!(fields(&sent, "Route").join(", "), "<sip:p1.example;lr>, <sip:p2.example;lr>");
    let (_, sent) = send(&mut stage, message());
    assert!(fields(&sent, "Route").is_empty(), "another does not");
    stage.agent.unregister(stage.now, id).unwrap();
    let removal = stage.sent();
    stage.answer(&removal, "200 OK", "");
    let late = OutgoingRequest { registration: Some(id), ..message() };
    assert_eq!(stage.agent.send(stage.now, late), Err(Error::NoRegistration));
}
