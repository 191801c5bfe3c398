//! The digest vectors of RFC 2617, RFC 7616 and RFC 8760 as challenges and credentials.
#![cfg(test)]

use std::{fs, path::PathBuf};

use offhook_sip_message::*;
use serde_json::Value;

fn vectors(rfc: &str) -> Value {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/digest");
    serde_json::from_slice(&fs::read(data.join(format!("{rfc}.json"))).unwrap()).unwrap()
}

fn text(case: &Value, field: &str) -> Text {
    case[field].as_str().unwrap().into()
}

fn optional(case: &Value, field: &str) -> Option<Text> {
    case[field].as_str().map(Text::from)
}

fn header_text(header: &impl Header) -> String {
    let mut text = String::new();
    header.write(&mut text);
    text
}

/// HTTP paths are no Request-URIs of SIP.
fn profile(case: &Value) -> Profile {
    if text(case, "uri").starts_with('/') { Profile::Tolerant } else { Profile::Strict }
}

fn challenge(case: &Value) -> DigestChallenge {
    let challenge = DigestChallenge::new(text(case, "realm"), text(case, "nonce"))
        .with_algorithm(text(case, "algorithm"))
        .with_qop(optional(case, "qop").map(Qop::from));
    DigestChallenge { opaque: optional(case, "opaque"), ..challenge }
}

fn credentials(case: &Value, username: Username, response: Text) -> DigestCredentials {
    let challenge = challenge(case);
    let credentials =
        DigestCredentials::answering(&challenge, username, text(case, "uri"), response);
    match optional(case, "qop") {
        None => credentials,
        Some(qop) => {
            let count = u32::from_str_radix(&text(case, "nc"), 16).unwrap();
            credentials.with_qop(qop, text(case, "cnonce"), count)
        }
    }
}

#[test]
fn every_challenge_and_every_answer_is_read_back_as_it_was_written() {
    let mut cases = 0;
    for rfc in ["rfc2617", "rfc7616", "rfc8760"] {
        for case in vectors(rfc)["cases"].as_array().unwrap() {
            let name = text(case, "name");
            let header = WwwAuthenticate::new(challenge(case));
            let written = header_text(&header);
            let value = WireText::new(&written, profile(case));
            assert_eq!(WwwAuthenticate::parse(&value).unwrap(), header, "{name}");

            let user = text(case, "username");
            for username in [Username::from(user.clone()), Username::extended(user)] {
                let answer = credentials(case, username, text(case, "response"));
                let header = Authorization::new(answer);
                let written = header_text(&header);
                let value = WireText::new(&written, profile(case));
                let nc = optional(case, "nc").map_or(String::new(), |nc| format!(", nc={nc}"));
                assert!(value.ends_with(&nc), "{name}: {}", &*value);
                assert_eq!(Authorization::parse(&value).unwrap(), header, "{name}");
            }
            cases += 1;
        }
    }
    assert_eq!(cases, 20);
}

#[test]
fn the_printed_example_of_rfc_7616_says_what_its_vector_says() {
    let text = "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", \
        uri=\"/dir/index.html\", algorithm=MD5, \
        nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, \
        cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, \
        response=\"8ca523f5e9506fed4657c9700eebdbec\", \
        opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";
    let vectors = vectors("rfc7616");
    let case = &vectors["cases"][0];
    let expected = credentials(case, "Mufasa".into(), case["response"].as_str().unwrap().into());
    let header = Authorization::parse(&text.into()).unwrap();
    assert_eq!(header.as_digest(), Some(&expected));
}

#[test]
fn challenges_to_choose_from_keep_their_order_and_their_algorithms() {
    for case in vectors("rfc8760")["challenge_selection"].as_array().unwrap() {
        let mut builder = Response::builder(StatusCode::UNAUTHORIZED);
        let mut algorithms = Vec::new();
        for row in case["headers"].as_array().unwrap() {
            let row = row.as_str().unwrap();
            let value = WireText::new(row, Profile::Strict);
            let header = WwwAuthenticate::parse(&value).unwrap();
            assert_eq!(
                WwwAuthenticate::parse(&header_text(&header).as_str().into()).unwrap(),
                header
            );
            let (_, end) = row.split_once("algorithm=").unwrap();
            algorithms.push(Algorithm::from(end.split(',').next().unwrap()));
            builder = builder.header(&header);
        }
        let response = builder.build().unwrap();
        let read: Vec<Algorithm> = response
            .headers_of::<WwwAuthenticate>()
            .map(|header| header.unwrap().as_digest().unwrap().algorithm.clone())
            .collect();
        assert_eq!(read, algorithms);
    }
}
