use super::*;
use crate::transaction::fixture::{plain, request, response};

const TO: &str = "To: <sip:b@b.example>\r\n";

fn keys() -> Keys {
    Keys::new(&mut Random::from_seed(1))
}

fn key(method: &str, via: &str) -> TransactionKey {
    keys().of_request(&request(method, via, TO), Protocol::Udp)
}

fn names_all(via: &str) -> bool {
    is_unique(request("INVITE", via, TO).via())
}

#[test]
fn an_ack_belongs_to_its_invite_and_a_cancel_is_its_own() {
    let via = "SIP/2.0/UDP h.example;branch=z9hG4bK1";
    assert_eq!(key("ACK", via), key("INVITE", via));
    assert_ne!(key("CANCEL", via), key("INVITE", via));
    let cancel = request("CANCEL", via, TO);
    let cancelled = keys().with_method(&cancel, Protocol::Udp, &Method::INVITE);
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
    assert!(!names_all(via));
    assert!(names_all("SIP/2.0/UDP h.example;branch=z9hG4bK1"));
    assert!(!names_all("SIP/2.0/UDP h.example;branch=z9hG4bK"));
}

#[test]
fn a_response_finds_its_request_by_branch_and_method() {
    let invite = keys().of_sent(&plain("INVITE"));
    assert_eq!(keys().of_response(&response(200, "INVITE", "b")), invite);
    assert_ne!(keys().of_response(&response(200, "CANCEL", "b")), invite);
}

#[test]
fn a_request_within_a_dialog_is_never_merged() {
    let via = "SIP/2.0/UDP h.example;branch=z9hG4bK1";
    assert!(keys().of_copies(&request("INVITE", via, TO)).is_some());
    assert!(keys().of_copies(&request("INVITE", via, "To: <sip:b@b.example>;tag=b\r\n")).is_none());
}

#[test]
fn keys_of_another_secret_are_others() {
    let request = plain("INVITE");
    let other = Keys::new(&mut Random::from_seed(2));
    assert_ne!(keys().of_sent(&request), other.of_sent(&request));
}

#[test]
fn the_two_halves_of_a_key_say_different_things() {
    let TransactionKey([one, other]) = keys().of_sent(&plain("INVITE"));
    assert_ne!(one, other);
}

#[test]
fn what_is_matched_by_different_things_has_different_keys() {
    let request = plain("INVITE");
    let all = [
        keys().of_sent(&request),
        keys().of_request(&request, Protocol::Udp),
        keys().of_copies(&request).unwrap(),
    ];
    assert_ne!(all[0], all[1]);
    assert_ne!(all[1], all[2]);
    assert_ne!(all[0], all[2]);
}
