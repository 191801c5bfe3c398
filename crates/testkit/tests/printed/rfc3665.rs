//! The call flows of RFC 3665 under the auditor: nothing but the RFC's own errors is found.

use std::collections::BTreeMap;

use offhook_testkit::Rule;

use crate::flows::{Printed, audit, found, known};

fn flows() -> BTreeMap<String, Vec<Printed>> {
    crate::flows::flows("rfc3665", party)
}

/// The RFC calls some parties by two names.
fn party(name: &str) -> &str {
    match name {
        "Redirect Proxy" => "Redirect Server",
        "Proxy" => "Proxy 3",
        name => name,
    }
}

#[test]
fn only_the_errors_of_the_rfc_are_found() {
    let flows = flows();
    assert_eq!(flows.len(), 16);
    let (found, known) = (found(&flows), known(KNOWN));
    assert_eq!(found, known, "{:#?}", found.difference(&known).collect::<Vec<_>>());
}

#[test]
fn changes_to_the_flows_are_found() {
    let flows = flows();
    for (rule, section, id, from, to) in CHANGES {
        let mut messages = flows[*section].clone();
        let message = messages.iter_mut().find(|it| it.id == *id).unwrap();
        let changed = message.text.replacen(from, to, 1);
        assert_ne!(message.text, changed, "{section} {id} {from}");
        message.text = changed;
        let breaches = audit(&messages);
        assert!(
            breaches.iter().any(|it| it.rule == *rule),
            "{section} {id} {rule:?} {breaches:#?}"
        );
    }
}

#[test]
fn a_missing_acknowledgement_is_found_in_every_flow_with_one() {
    let mut flows = flows();
    let known = |section: &str| {
        KNOWN.iter().any(|(it, what)| *it == section && what.contains("FinalIsAcked"))
    };
    for (section, messages) in flows.iter_mut().filter(|(section, _)| !known(section)) {
        // Proxies pass on what they got: nobody sends that ACK at all.
        let before = messages.len();
        messages.retain(|it| !it.text.starts_with("ACK "));
        let rules: Vec<Rule> = audit(messages).iter().map(|it| it.rule).collect();
        assert_eq!(rules.contains(&Rule::FinalIsAcked), before > messages.len(), "{section}");
    }
}

/// The RFC's own errors.
const KNOWN: &[(&str, &str)] = &[
    // The Contacts say transport=tcp, and the requests to them do not.
    ("3.1", "ACK sip:bob@client.biloxi.example.com SIP/2.0 RequestUri"),
    ("3.1", "BYE sip:alice@client.atlanta.example.com SIP/2.0 RequestUri"),
    ("3.2", "ACK sip:bob@client.biloxi.example.com SIP/2.0 RequestUri"),
    ("3.2", "BYE sip:alice@client.atlanta.example.com SIP/2.0 RequestUri"),
    ("3.6", "ACK sip:bob@client.chicago.example.com SIP/2.0 RequestUri"),
    ("3.6", "BYE sip:alice@client.atlanta.example.com SIP/2.0 RequestUri"),
    // The INVITEs have a Route, and the ACKs to their failures do not.
    ("3.10", "ACK sip:bob@biloxi.example.com SIP/2.0 AckToFailure"),
    ("3.11", "ACK sip:bob@biloxi.example.com SIP/2.0 AckToFailure"),
    ("3.2", "ACK sip:bob@biloxi.example.com SIP/2.0 AckToFailure"),
    ("3.3", "ACK sip:bob@biloxi.example.com SIP/2.0 AckToFailure"),
    ("3.8", "ACK sip:bob@biloxi.example.com SIP/2.0 AckToFailure"),
    ("3.9", "ACK sip:bob@biloxi.example.com SIP/2.0 AckToFailure"),
    // The proxies have one branch for the INVITE, its ACK and the BYE (see RFC 3261 §16.6 too).
    ("3.2", "ACK sip:bob@client.biloxi.example.com SIP/2.0 AckToSuccess"),
    ("3.3", "ACK sip:bob@client.biloxi.example.com SIP/2.0 AckToSuccess"),
    ("3.4", "ACK sip:bob@client.biloxi.example.com SIP/2.0 AckToSuccess"),
    ("3.5", "ACK sip:bob@client.biloxi.example.com SIP/2.0 AckToSuccess"),
    ("3.6", "ACK sip:bob@client.chicago.example.com SIP/2.0 AckToSuccess"),
    ("3.2", "BYE sip:alice@client.atlanta.example.com SIP/2.0 BranchIsNew"),
    ("3.4", "BYE sip:alice@client.atlanta.example.com SIP/2.0 BranchIsNew"),
    ("3.6", "BYE sip:alice@client.atlanta.example.com SIP/2.0 BranchIsNew"),
    ("3.5", "BYE sip:bob@client.biloxi.example.com SIP/2.0 BranchIsNew"),
    // The first proxy has one branch for both INVITEs, so that all that belongs to the second one
    // seems to belong to the first; and its ACK has the branch of the caller.
    ("3.3", "INVITE sip:bob@biloxi.example.com SIP/2.0 BranchIsNew"),
    ("3.3", "SIP/2.0 100 Trying ProvisionalFirst"),
    ("3.3", "SIP/2.0 100 Trying ResponseCopies"),
    ("3.3", "SIP/2.0 200 OK OneFinal"),
    ("3.3", "SIP/2.0 200 OK ResponseCopies"),
    ("3.3", "SIP/2.0 200 OK SameToTag"),
    ("3.3", "SIP/2.0 407 Proxy Authorization Required FinalIsAcked"),
    ("3.3", "ACK sip:bob@biloxi.example.com SIP/2.0 AckHasFinal"),
    // The `received` parameters are not those of the request.
    ("3.2", "SIP/2.0 200 OK ResponseCopies"),
    ("3.6", "SIP/2.0 200 OK ResponseCopies"),
    // The port is another one, and the version is not.
    ("3.7", "SIP/2.0 200 OK OriginVersion"),
    // The answers to CANCEL have no To tag, the first proxy cancels for somebody else, and its ACK
    // has the branch of the second proxy.
    ("3.8", "SIP/2.0 200 OK ToTag"),
    ("3.8", "CANCEL sip:alice@atlanta.example.com SIP/2.0 CancelCopies"),
    ("3.8", "SIP/2.0 487 Request Terminated FinalIsAcked"),
    ("3.8", "ACK sip:bob@biloxi.example.com SIP/2.0 AckHasFinal"),
];

/// A rule, a message, and the change to it that breaks the rule.
const CHANGES: &[(Rule, &str, &str, &str, &str)] = &[
    (Rule::BranchCookie, "3.1", "F1", "branch=z9hG4bK", "branch="),
    (Rule::BranchIsNew, "2.1", "F3", "z9hG4bKnashd92", "z9hG4bKnashds7"),
    (Rule::FromTag, "2.2", "F1", ";tag=", ";not="),
    (Rule::ToTag, "3.1", "F2", ";tag=8321234356", ""),
    (Rule::SameToTag, "3.1", "F3", "8321234356", "1"),
    (Rule::DialogTags, "3.7", "F9", ";tag=9fxced76sl", ";tag=1"),
    (Rule::CSeqRises, "3.2", "F4", "CSeq: 2", "CSeq: 1"),
    (Rule::CSeqMethod, "3.1", "F5", "CSeq: 1 BYE", "CSeq: 1 INFO"),
    (Rule::MaxForwards, "3.1", "F5", "Max-Forwards", "X-Forwards"),
    (Rule::ResponseHasRequest, "3.1", "F2", "z9hG4bK74bf9", "z9hG4bK1"),
    (Rule::ResponseCopies, "3.1", "F2", "CSeq: 1", "CSeq: 2"),
    (Rule::ByeInDialog, "3.1", "F5", "tag=8321234356", "tag=1"),
    (Rule::RequestUri, "3.7", "F12", "BYE sip:bob@client.chicago", "BYE sip:bob@client.biloxi"),
    (Rule::RouteSet, "3.2", "F18", "Route: <sip:ss2", "Route: <sip:ss3"),
    (Rule::AckToSuccess, "3.1", "F4", "z9hG4bK74bd5", "z9hG4bK74bf9"),
    (Rule::AckHasFinal, "3.1", "F4", "CSeq: 1 ACK", "CSeq: 2 ACK"),
    (Rule::CancelCopies, "3.8", "F9", "z9hG4bK74bf9", "z9hG4bK1"),
    (Rule::SameBytes, "3.4", "F3", "Max-Forwards: 70", "Max-Forwards: 71"),
    (Rule::OfferIsAnswered, "3.1", "F3", "application/sdp", "text/plain"),
    (Rule::OfferIsAnswered, "3.6", "F11", "application/sdp", "text/plain"),
    (Rule::AnswerMedia, "3.1", "F3", "m=audio", "m=video"),
    (Rule::OriginVersion, "3.7", "F9", "2890844528", "2890844529"),
];
