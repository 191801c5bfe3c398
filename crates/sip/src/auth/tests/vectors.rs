//! The examples of RFC 2617, RFC 7616 and RFC 8760.

use offhook_sansio::Secret;
use offhook_sip_message::{Algorithm, DigestCredentials, Qop, Text};
use serde_json::Value;

use crate::auth::{
    A1Hash, HashFunction,
    hash::to_hex,
    request_digest::{request_digest, same_digest},
};

const FILES: [&str; 3] = [
    include_str!("../../../tests/data/digest/rfc2617.json"),
    include_str!("../../../tests/data/digest/rfc7616.json"),
    include_str!("../../../tests/data/digest/rfc8760.json"),
];

fn cases() -> Vec<Value> {
    let cases = FILES.map(|file| {
        let mut file: Value = serde_json::from_str(file).unwrap();
        file["cases"].take().as_array().unwrap().clone()
    });
    cases.concat()
}

fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name].as_str().unwrap()
}

fn body(case: &Value) -> Vec<u8> {
    let hex = case["entity_body_hex"].as_str().unwrap_or_default();
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

fn credentials(case: &Value) -> DigestCredentials {
    let [username, realm, nonce, uri] =
        ["username", "realm", "nonce", "uri"].map(|it| text(case, it));
    let credentials = DigestCredentials::new(username, realm, nonce, uri, "")
        .with_algorithm(text(case, "algorithm"));
    let Some(qop) = case["qop"].as_str() else { return credentials };
    let nc = u32::from_str_radix(text(case, "nc"), 16).unwrap();
    credentials.with_qop(Qop::from(qop), text(case, "cnonce"), nc)
}

fn function(case: &Value) -> HashFunction {
    HashFunction::of(&Algorithm::from(text(case, "algorithm"))).unwrap()
}

fn key(case: &Value) -> A1Hash {
    let password = Secret::from(text(case, "password"));
    let a1 = A1Hash::new(function(case), text(case, "username"), text(case, "realm"), &password);
    let sent = credentials(case);
    match sent.algorithm.is_session() {
        true => a1.of_session(&sent.nonce, sent.cnonce.as_deref().unwrap()),
        false => a1,
    }
}

#[test]
fn the_digest_of_every_example_is_computed() {
    let cases = cases();
    assert_eq!(cases.len(), 20);
    for case in &cases {
        let (key, method) = (key(case), text(case, "method"));
        assert_eq!(key.expose(), text(case, "ha1"), "{}", case["name"]);
        let response = request_digest(&key, &credentials(case), method, &body(case));
        assert_eq!(response, text(case, "response"), "{}", case["name"]);
        let printed = case["printed_response"].as_str().map(|printed| printed == response);
        assert_eq!(printed, case["printed_is_correct"].as_bool(), "{}", case["name"]);
    }
}

#[test]
fn the_hash_of_a_user_name_is_that_of_the_example() {
    let cases = cases();
    let hashed: Vec<&Value> = cases.iter().filter(|case| case["userhash"].is_string()).collect();
    let [case] = hashed[..] else { panic!("one example with a hashed name") };
    let hash = function(case).user_hash(text(case, "username"), text(case, "realm"));
    assert_eq!(hash, text(case, "userhash"));
}

/// RFC 3261 §22.4 number 7, RFC 8760 §2.6 number 7.
#[test]
fn an_empty_body_has_the_hash_of_the_empty_text() {
    assert_eq!(HashFunction::Md5.hex(&[b""]), "d41d8cd98f00b204e9800998ecf8427e");
    let sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(HashFunction::Sha256.hex(&[b""]), sha256);
}

#[test]
fn every_field_goes_into_the_digest() {
    let case = &cases()[6];
    let (sent, key, body) = (credentials(case), key(case), body(case));
    assert_eq!(sent.qop, Some(Qop::AuthInt));
    let right = request_digest(&key, &sent, "INVITE", &body);
    let change = |change: fn(&mut DigestCredentials)| {
        let mut sent = sent.clone();
        change(&mut sent);
        request_digest(&key, &sent, "INVITE", &body)
    };
    let changed = [
        change(|it| it.nonce = Text::from("x")),
        change(|it| it.uri = Text::from("sip:x@y")),
        change(|it| it.cnonce = Some(Text::from("x"))),
        change(|it| it.nc = Some(11)),
        change(|it| it.qop = Some(Qop::Auth)),
        change(|it| it.qop = None),
        request_digest(&key, &sent, "BYE", &body),
        request_digest(&key, &sent, "INVITE", b"other"),
    ];
    for (index, digest) in changed.iter().enumerate() {
        assert!(!same_digest(&right, digest), "{index}");
    }
    assert!(same_digest(&right, &right.to_uppercase()));
    assert!(!same_digest(&right, &right[1..]) && !same_digest(&right, ""));
}

#[test]
fn a_hash_of_a_table_is_taken_only_whole() {
    let hex = "ABCDEF0123456789abcdef0123456789";
    let hash = A1Hash::from_hex(HashFunction::Md5, hex).unwrap();
    assert_eq!(hash.expose(), hex.to_lowercase());
    assert!(A1Hash::from_hex(HashFunction::Sha256, hex).is_err());
    assert!(A1Hash::from_hex(HashFunction::Md5, &hex.replace('A', "g")).is_err());
    assert!(!format!("{hash:?}").contains("abcdef"));
    assert_eq!(to_hex(&[0, 0xab]), "00ab");
}
