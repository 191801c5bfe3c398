use std::hash::{BuildHasher, RandomState};

use super::*;
use crate::Message;

fn request(method: &str, via: &str, rest: &str) -> Request {
    let text = format!(
        "{method} sip:bob@b.example SIP/2.0\r\nVia: {via}\r\nFrom: <sip:a@a.example>;tag=1\r\n\
         Call-ID: x\r\nCSeq: 1 {method}\r\n{rest}\r\n\r\n"
    );
    match Message::parse(text.into()) {
        Ok(Message::Request(request)) => request,
        other => panic!("{other:?}"),
    }
}

const TO: &str = "To: <sip:b@b.example>";
const TAGGED: &str = "To: <sip:b@b.example>;tag=2";

#[track_caller]
fn assert_same(one: &Request, other: &Request, same: bool) {
    let hasher = RandomState::new();
    let keys = [one, other].map(|request| TransactionKey::of_request(request).unwrap());
    assert_eq!(keys[0] == keys[1], same, "{keys:?}");
    if same {
        assert_eq!(hasher.hash_one(keys[0]), hasher.hash_one(keys[1]));
    }
}

#[test]
fn a_branch_with_the_cookie_decides_with_its_sender_and_the_method() {
    let via = "SIP/2.0/UDP h.example;branch=z9hG4bKa";
    let invite = request("INVITE", via, TO);
    assert_same(&invite, &request("INVITE", via, TO), true);
    assert_same(&invite, &request("ACK", via, TAGGED), true);
    assert_same(
        &invite,
        &request("INVITE", "SIP/2.0/UDP H.example:5060;branch=z9hG4bKa", TO),
        true,
    );
    assert_same(&invite, &request("BYE", via, TAGGED), false);
    assert_same(
        &invite,
        &request("INVITE", "SIP/2.0/UDP h.example:5062;branch=z9hG4bKa", TO),
        false,
    );
    assert_same(&invite, &request("INVITE", "SIP/2.0/UDP i.example;branch=z9hG4bKa", TO), false);
    assert_same(&invite, &request("INVITE", "SIP/2.0/UDP h.example;branch=z9hG4bKA", TO), false);
}

#[test]
fn a_missing_port_is_the_default_one_of_the_transport() {
    for (transport, port, other) in [
        ("UDP", 5060, 5061),
        ("TLS", 5061, 5060),
        ("tls-sctp", 5061, 5060),
        ("WS", 80, 5060),
        ("wss", 443, 5061),
    ] {
        let with = |port: &str| {
            let via = format!("SIP/2.0/{transport} h.example{port};branch=z9hG4bKa");
            request("INVITE", &via, TO)
        };
        assert_same(&with(""), &with(&format!(":{port}")), true);
        assert_same(&with(""), &with(&format!(":{other}")), false);
    }
}

#[test]
fn an_old_client_is_known_by_its_fields() {
    for branch in ["", ";branch=1", ";branch=z9hG4bK"] {
        let via = format!("SIP/2.0/UDP h.example{branch}");
        let invite = request("INVITE", &via, TO);
        assert!(matches!(TransactionKey::of_request(&invite), Ok(TransactionKey::Fields { .. })));
        assert_same(&invite, &request("INVITE", &via, TO), true);
        assert_same(&invite, &request("ACK", &via, TAGGED), true);
        assert_same(&invite, &request("CANCEL", &via, TO), false);
        assert_same(&request("BYE", &via, TAGGED), &request("BYE", &via, TO), false);
        assert_same(&invite, &request("INVITE", &format!("{via};x"), TO), false);
        let cancel = request("CANCEL", &via, TAGGED);
        let cancelled = TransactionKey::of_request(&cancel).unwrap().with_method("INVITE");
        assert_eq!(cancelled, TransactionKey::of_request(&invite).unwrap());
    }
}

#[test]
fn a_response_finds_the_request_that_was_sent_whatever_the_server_adds() {
    let invite = request("INVITE", "SIP/2.0/UDP h.example;branch=z9hG4bKa;rport", TO);
    let response = |via: &str, method: &str| {
        let text = format!(
            "SIP/2.0 180 Ringing\r\nVia: SIP/2.0/UDP {via}\r\nFrom: <sip:a@a.example>;tag=1\r\n\
             {TAGGED}\r\nCall-ID: x\r\nCSeq: 1 {method}\r\n\r\n"
        );
        match Message::parse(text.into()) {
            Ok(Message::Response(response)) => response,
            other => panic!("{other:?}"),
        }
    };
    let sent = TransactionKey::of_sent(&invite).unwrap();
    let own = response("h.example;received=192.0.2.1;rport=5070;branch=z9hG4bKa", "INVITE");
    assert_eq!(TransactionKey::of_response(&own).unwrap(), sent);
    let other = response("h.example;branch=z9hG4bKa", "CANCEL");
    assert_ne!(TransactionKey::of_response(&other).unwrap(), sent);
    let stray = response("h.example;branch=z9hG4bKb", "INVITE");
    assert_ne!(TransactionKey::of_response(&stray).unwrap(), sent);
}
