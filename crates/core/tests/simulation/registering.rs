//! Registrations, the calls under them, and requests outside of calls.

use std::time::Duration;

use offhook_core::{Event, Outgoing};
use offhook_sansio::Flow;
use offhook_sip::{
    Body, Config as SipConfig, Login, OutgoingRequest, Registration, RegistrationEvent,
    RegistrationId,
};
use offhook_sip_message::{
    Contact, Header, HeaderName, Method, NameAddr, Response, StatusCode, ValidRequest,
};

use crate::peer::{Desk, config, ours, sockets, theirs};

fn registration(user: &str) -> Registration {
    let aor: NameAddr = NameAddr::new(format!("sip:{user}@example.com").parse().unwrap());
    let flow = Flow::udp(ours(), theirs());
    Registration {
        instance: Some("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6".into()),
        logins: vec![Login::new("example.com", user, "secret")],
        ..Registration::new("sip:example.com".parse().unwrap(), aor, flow)
    }
}

/// The peer grants what the REGISTER asks for, with more header fields and contact parameters.
fn grant(desk: &mut Desk, contact: &str, more: &[(HeaderName, &str)]) -> ValidRequest {
    let register = desk.request(&Method::REGISTER);
    let mut bound = String::new();
    register.headers_of::<Contact>().flatten().next().unwrap().write(&mut bound);
    let mut reply = Response::reply_to(&register, StatusCode::OK)
        .to_tag("registrar")
        .raw(HeaderName::CONTACT, &format!("{bound};expires=600{contact}"));
    for (name, value) in more {
        reply = reply.raw(name.clone(), value);
    }
    desk.send(reply.build().unwrap().as_bytes());
    register
}

fn registered(
    desk: &mut Desk,
    user: &str,
    contact: &str,
    more: &[(HeaderName, &str)],
) -> RegistrationId {
    let id = desk.endpoint.register(desk.now, registration(user)).unwrap();
    desk.drain();
    grant(desk, contact, more);
    assert!(matches!(event(desk, id), RegistrationEvent::Registered(_)));
    id
}

/// The next event, which must be one of this registration.
fn event(desk: &mut Desk, id: RegistrationId) -> RegistrationEvent {
    match desk.event() {
        Event::Registration { registration, event } if registration == id => *event,
        other => panic!("{other:?}"),
    }
}

fn field(request: &ValidRequest, name: &str) -> String {
    let text = String::from_utf8_lossy(request.as_bytes()).into_owned();
    let start = format!("{name}: ");
    let lines = text.lines().filter_map(|line| line.strip_prefix(&start));
    lines.collect::<Vec<_>>().join(" | ")
}

fn outgoing(id: RegistrationId) -> Outgoing {
    let target = "sip:bob@example.net".parse().unwrap();
    let from = NameAddr::new("sip:carol@example.com".parse().unwrap());
    Outgoing {
        from: Some(from),
        registration: Some(id),
        ..Outgoing::new(target, Flow::udp(ours(), theirs()))
    }
}

#[test]
fn a_call_takes_the_service_route_and_the_registered_contact() {
    let mut desk = Desk::new();
    let routes = "<sip:p1.example.com;lr>, <sip:p2.example.com;lr>";
    let id = registered(&mut desk, "carol", "", &[(HeaderName::SERVICE_ROUTE, routes)]);
    desk.endpoint.call(desk.now, outgoing(id), sockets()).unwrap();
    desk.drain();
    let invite = desk.request(&Method::INVITE);
    assert_eq!(field(&invite, "Route"), "<sip:p1.example.com;lr> | <sip:p2.example.com;lr>");
    assert!(field(&invite, "From").starts_with("<sip:carol@example.com>"));
    let contact = desk.endpoint.registered(id).unwrap().contact.to_string();
    assert_eq!(field(&invite, "Contact"), format!("<{contact}>"));
}

#[test]
fn a_gruu_is_the_contact_of_calls_and_an_outbound_flow_says_so_without_one() {
    for (granted, expected) in [
        (";pub-gruu=\"sip:carol@example.com;gr=x\"", "<sip:carol@example.com;gr=x>"),
        (";temp-gruu=\"sip:t1@example.com;gr\"", "<sip:t1@example.com;gr>"),
        ("", "<sip:carol@192.0.2.1:5060;ob>"),
    ] {
        let mut desk = Desk::new();
        let id = desk
            .endpoint
            .register(desk.now, Registration { reg_id: Some(1), ..registration("carol") })
            .unwrap();
        desk.drain();
        grant(&mut desk, granted, &[(HeaderName::REQUIRE, "outbound")]);
        event(&mut desk, id);
        desk.endpoint.call(desk.now, outgoing(id), sockets()).unwrap();
        desk.drain();
        assert_eq!(field(&desk.request(&Method::INVITE), "Contact"), expected);
    }
}

#[test]
fn a_call_is_for_the_registration_whose_contact_or_gruu_it_names() {
    let mut desk = Desk::new();
    let gruu = ";pub-gruu=\"sip:dora@example.com;gr=x\"";
    let carol = registered(&mut desk, "carol", "", &[]);
    let dora = registered(&mut desk, "dora", gruu, &[]);
    let contact = |desk: &Desk, id| desk.endpoint.registered(id).unwrap().contact.to_string();
    let cases = [
        (contact(&desk, carol), Some(carol)),
        (contact(&desk, dora), Some(dora)),
        ("sip:dora@example.com;gr=x".to_owned(), Some(dora)),
        (format!("{};line=1", contact(&desk, carol)), Some(carol)),
        ("sip:eve@192.0.2.1".to_owned(), None),
        ("sip:carol@192.0.2.99".to_owned(), None),
    ];
    for (uri, expected) in cases {
        let message = desk.compose(&Method::INVITE).uri(&uri.parse().unwrap());
        let call_id = format!("{uri}-1").replace(['@', ';', '=', ':'], "-");
        let message = message.remove(HeaderName::CALL_ID).raw(HeaderName::CALL_ID, &call_id);
        desk.send(message.build().unwrap().as_bytes());
        desk.response(StatusCode::TRYING);
        let Event::Incoming { registration, call, .. } = desk.event() else { panic!() };
        assert_eq!(registration, expected, "{uri}");
        desk.endpoint.reject(desk.now, call, StatusCode::BUSY_HERE).unwrap();
        desk.drain();
        desk.response(StatusCode::BUSY_HERE);
        desk.event();
        desk.wait(Duration::from_secs(40));
        desk.inbox.clear();
    }
}

#[test]
fn a_registration_is_refreshed_in_time_and_is_over_once_it_is_removed() {
    let mut desk = Desk::new();
    let id = registered(&mut desk, "carol", "", &[]);
    let before = desk.now;
    desk.wait_for_message(Duration::from_secs(570));
    assert!(desk.now >= before + Duration::from_secs(480));
    grant(&mut desk, "", &[]);
    assert!(matches!(event(&mut desk, id), RegistrationEvent::Registered(_)));
    desk.endpoint.unregister(desk.now, id).unwrap();
    desk.drain();
    let last = desk.request(&Method::REGISTER);
    assert_eq!(field(&last, "Expires"), "0");
    let ok = Response::reply_to(&last, StatusCode::OK).to_tag("registrar");
    desk.send(ok.build().unwrap().as_bytes());
    let RegistrationEvent::Unregistered { status } = event(&mut desk, id) else { panic!() };
    assert_eq!(status, Some(StatusCode::OK));
    assert!(desk.endpoint.registered(id).is_none());
    assert!(desk.endpoint.call(desk.now, outgoing(id), sockets()).is_err(), "it is over");
    desk.check_empty();
}

#[test]
fn requests_outside_of_calls_go_both_ways() {
    let mut desk = Desk::with(offhook_core::Config {
        sip: SipConfig { answered_by_owner: vec![Method::MESSAGE], ..SipConfig::default() },
        ..config()
    });
    let id = registered(
        &mut desk,
        "carol",
        "",
        &[(HeaderName::SERVICE_ROUTE, "<sip:p.example.com;lr>")],
    );
    let (target, from) =
        ("sip:bob@example.net".parse().unwrap(), "sip:carol@example.com".parse().unwrap());
    let flow = Flow::udp(ours(), theirs());
    let message = OutgoingRequest {
        body: Some(Body { content_type: "text/plain".into(), content: "hello".into() }),
        registration: Some(id),
        ..OutgoingRequest::new(Method::MESSAGE, target, NameAddr::new(from), flow)
    };
    let sent = desk.endpoint.send(desk.now, message.clone()).unwrap();
    desk.drain();
    let request = desk.request(&Method::MESSAGE);
    assert_eq!(field(&request, "Route"), "<sip:p.example.com;lr>");
    let ok = Response::reply_to(&request, StatusCode::ACCEPTED).to_tag("b");
    desk.send(ok.build().unwrap().as_bytes());
    let Event::Response { request, response } = desk.event() else { panic!() };
    assert_eq!((request, response.status()), (sent, StatusCode::ACCEPTED));
    let lost = desk.endpoint.send(desk.now, message).unwrap();
    desk.drain();
    desk.wait(Duration::from_secs(32));
    let Event::Failed { request, failure } = desk.event() else { panic!() };
    assert_eq!((request, failure.status()), (lost, StatusCode::REQUEST_TIMEOUT));
    desk.inbox.clear();

    let contact = desk.endpoint.registered(id).unwrap().contact.clone();
    let request = desk.compose(&Method::MESSAGE).remove(HeaderName::CONTACT).uri(&contact);
    desk.send(request.build().unwrap().as_bytes());
    let Event::Requested { incoming, registration, call, .. } = desk.event() else { panic!() };
    assert_eq!((registration, call), (Some(id), None));
    desk.endpoint.respond(desk.now, incoming, StatusCode::OK, None, &[]).unwrap();
    desk.drain();
    desk.response(StatusCode::OK);
    assert!(desk.endpoint.respond(desk.now, incoming, StatusCode::OK, None, &[]).is_err());
}

#[test]
fn a_registration_over_udp_lives_on_answers_to_its_binding_requests() {
    let mut desk = Desk::new();
    let wanted = Registration { reg_id: Some(1), ..registration("alice") };
    let id = desk.endpoint.register(desk.now, wanted).unwrap();
    desk.drain();
    grant(&mut desk, "", &[(HeaderName::REQUIRE, "outbound"), (HeaderName::FLOW_TIMER, "20")]);
    assert!(matches!(event(&mut desk, id), RegistrationEvent::Registered(_)));
    for _ in 0..10 {
        let last = desk.now;
        while desk.media.is_empty() {
            desk.wait(Duration::from_millis(100));
        }
        let waited = desk.now - last;
        assert!((16.0..20.2).contains(&waited.as_secs_f64()), "{waited:?}");
        let request = desk.media.remove(0).payload;
        assert!(desk.media.is_empty() && request.starts_with(b"\0\x01\0\0"));
        // 192.0.2.1 and port 1, mixed with the cookie.
        let mapped = b"\0\x20\0\x08\0\x01\x21\x13\xE1\x12\xA6\x43";
        desk.send(&[b"\x01\x01\0\x0C", &request[4..20], mapped].concat());
    }
    assert!(desk.events.is_empty(), "{:?}", desk.events);

    desk.send(b"\0\x01\0\0\x21\x12\xA4\x42twelve bytes");
    assert!(desk.media.remove(0).payload.starts_with(b"\x01\x01\0\x0C"), "the peer's is answered");
    desk.wait(Duration::from_secs(60));
    let lost = event(&mut desk, id);
    assert!(matches!(lost, RegistrationEvent::Lost { .. }), "nobody answers: {lost:?}");
}
