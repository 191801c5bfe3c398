//! The service examples of RFC 5359 under the auditor: nothing but the RFC's own errors is found.

use offhook_testkit::Rule;

use crate::flows::{audit, flows, found, known};

fn same(name: &str) -> &str {
    name
}

#[test]
fn only_the_errors_of_the_rfc_are_found() {
    let flows = flows("rfc5359", same);
    assert_eq!(flows.len(), 18);
    let (found, known) = (found(&flows), known(KNOWN));
    assert_eq!(found, known, "{:#?}", found.difference(&known).collect::<Vec<_>>());
}

#[test]
fn changes_to_the_flows_are_found() {
    let flows = flows("rfc5359", same);
    for (rule, section, id, from, to) in CHANGES {
        let mut messages = flows[*section].clone();
        let message = messages.iter_mut().find(|it| it.id == *id).unwrap();
        let changed = message.text.replacen(from, to, 1);
        assert_ne!(message.text, changed, "{section} {id} {from}");
        message.text = changed;
        let rules: Vec<Rule> = audit(&messages).iter().map(|it| it.rule).collect();
        assert!(rules.contains(rule), "{section} {id} {rule:?} {rules:?}");
    }
}

/// The RFC's own errors.
const KNOWN: &[(&str, &str)] = &[
    // The proxy has one branch for the INVITEs of both users and for an ACK.
    ("2.1", "INVITE sips:alice@client.atlanta.example.com SIP/2.0 SameBytes"),
    ("2.1", "INVITE sips:alice@client.atlanta.example.com SIP/2.0 OnceWhenReliable"),
    ("2.1", "ACK sips:alice@client.atlanta.example.com SIP/2.0 AckToSuccess"),
    ("2.2", "ACK sips:alice@client.atlanta.example.com SIP/2.0 AckToSuccess"),
    // The Call-ID is that of another call.
    ("2.2", "SIP/2.0 180 Ringing ResponseHasRequest"),
    // The branch is that of another request.
    ("2.4", "SIP/2.0 200 OK ResponseHasRequest"),
    ("2.5", "SIP/2.0 200 OK ResponseHasRequest"),
    ("2.10", "SIP/2.0 200 OK ResponseHasRequest"),
    ("2.10", "ACK sips:alice@client.atlanta.example.com SIP/2.0 AckHasFinal"),
    // The session id has lost two digits.
    ("2.5", "INVITE sips:39itp34klkd@chicago.example.com;gr SIP/2.0 OriginVersion"),
    // The INVITE has a Route, and the ACK to its failure does not.
    ("2.13", "ACK sips:bob@biloxi.example.com SIP/2.0 AckToFailure"),
    // What the proxy forwards to the announcement server is not printed, and the answer goes by the
    // proxy without its Via.
    ("2.13", "SIP/2.0 200 OK ResponseHasRequest"),
    ("2.13", "ACK sips:ms.biloxi.example.com SIP/2.0 AckHasFinal"),
    ("2.13", "BYE sips:alice@client.atlanta.example.com SIP/2.0 ByeInDialog"),
    // The host of the Via is another in the responses, so that they are no answer to the INVITE; its
    // ACK and a BYE have the branch of the INVITE.
    ("2.15", "SIP/2.0 180 Ringing ResponseCopies"),
    ("2.15", "SIP/2.0 200 OK ResponseCopies"),
    ("2.15", "SIP/2.0 200 OK FinalIsAcked"),
    ("2.15", "ACK sips:bob@client.biloxi.example.com SIP/2.0 AckHasFinal"),
    ("2.15", "ACK sips:bob@client.biloxi.example.com SIP/2.0 AckToSuccess"),
    ("2.15", "BYE sips:bob@client.biloxi.example.com SIP/2.0 BranchIsNew"),
    // The host is not that of the Contact; here it is the address of record.
    ("2.15", "NOTIFY sips:carol@client.example.com SIP/2.0 RequestUri"),
    ("2.17", "NOTIFY sips:alice@atlanta.example.com SIP/2.0 RequestUri"),
    // The ACK to the failure has a branch and a Request-URI of its own.
    ("2.16", "SIP/2.0 487 Request Terminated FinalIsAcked"),
    ("2.16", "ACK sips:bob@client.biloxi.example.com SIP/2.0 AckHasFinal"),
    // The To of the SUBSCRIBE is its From.
    ("2.17", "SIP/2.0 200 OK ResponseCopies"),
    // The Via is another one.
    ("2.18", "SIP/2.0 202 Accepted ResponseCopies"),
];

/// A rule, a message, and the change to it that breaks the rule.
const CHANGES: &[(Rule, &str, &str, &str, &str)] = &[
    (Rule::CSeqRises, "2.4", "F15", "CSeq: 3", "CSeq: 1"),
    (Rule::RequestUri, "2.4", "F7", "NOTIFY sips:alice@client", "NOTIFY sips:alice@other"),
    (Rule::BranchCookie, "2.16", "F7", "branch=z9hG4bK", "branch="),
    (Rule::MaxForwards, "2.17", "F4", "Max-Forwards", "X-Forwards"),
    (Rule::CancelCopies, "2.16", "F9", "z9hG4bK74bf9", "z9hG4bK1"),
];
