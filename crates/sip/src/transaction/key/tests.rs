use super::*;
use crate::transaction::fixture::{plain, request, response};

const TO: &str = "To: <sip:b@b.example>\r\n";

fn key(method: &str, via: &str) -> ServerKey {
    ServerKey::of(&request(method, via, TO), Protocol::Udp)
}

#[test]
fn an_ack_belongs_to_its_invite_and_a_cancel_is_its_own() {
    let via = "SIP/2.0/UDP h.example;branch=z9hG4bK1";
    assert_eq!(key("ACK", via), key("INVITE", via));
    assert_ne!(key("CANCEL", via), key("INVITE", via));
    let cancel = request("CANCEL", via, TO);
    let cancelled = ServerKey::with_method(&cancel, Protocol::Udp, Method::INVITE);
    assert_eq!(cancelled, key("INVITE", via));
}

#[test]
fn the_sent_by_is_part_of_the_key_with_its_default_port_and_without_case() {
    let at = |sent_by: &str| key("BYE", &format!("SIP/2.0/UDP {sent_by};branch=z9hG4bK1"));
    assert_eq!(at("h.example"), at("H.EXAMPLE:5060"));
    assert_ne!(at("h.example"), at("h.example:5061"));
    assert_ne!(at("h.example"), at("i.example"));
}

#[test]
fn without_the_cookie_every_field_counts() {
    let via = "SIP/2.0/UDP h.example;branch=1";
    assert_eq!(key("INVITE", via), key("INVITE", via));
    assert_eq!(key("ACK", via), key("INVITE", via));
    assert_ne!(key("INVITE", via), key("INVITE", "SIP/2.0/UDP h.example;branch=2"));
    assert_ne!(key("INVITE", via), key("BYE", via));
    assert!(key("INVITE", via).compares_to_tag());
    assert!(!key("INVITE", "SIP/2.0/UDP h.example;branch=z9hG4bK1").compares_to_tag());
    assert!(key("INVITE", "SIP/2.0/UDP h.example;branch=z9hG4bK").compares_to_tag());
}

#[test]
fn a_response_finds_its_request_by_branch_and_method() {
    let invite = ClientKey::of_request(&plain("INVITE"));
    assert_eq!(ClientKey::of_response(&response(200, "INVITE", "b")), invite);
    assert_ne!(ClientKey::of_response(&response(200, "CANCEL", "b")), invite);
}

#[test]
fn a_request_within_a_dialog_is_never_merged() {
    let via = "SIP/2.0/UDP h.example;branch=z9hG4bK1";
    assert!(MergeKey::of(&request("INVITE", via, TO)).is_some());
    assert!(MergeKey::of(&request("INVITE", via, "To: <sip:b@b.example>;tag=b\r\n")).is_none());
}
