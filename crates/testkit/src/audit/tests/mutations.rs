//! Changes to good traces, each of which breaks a rule.

use std::collections::BTreeSet;

use super::{
    flows::{
        call, cancelled, modified, offered_late, offered_reliably, referred, refused, reliable,
        repeated, routed, timed,
    },
    trace::{A, Add, B, Trace, ask, reply},
};
use crate::Rule;

#[test]
fn every_rule_can_be_broken() {
    let mut broken = BTreeSet::new();
    let mut unseen = Vec::new();
    for (index, (rule, trace)) in mutations().into_iter().enumerate() {
        match trace.rules().contains(&rule) {
            true => drop(broken.insert(rule)),
            false => unseen.push((index, rule, trace.audit())),
        }
    }
    assert!(unseen.is_empty(), "{unseen:#?}");
    let missing: Vec<_> = Rule::ALL.iter().filter(|rule| !broken.contains(rule)).collect();
    assert!(missing.is_empty(), "never broken: {missing:?}");
}

#[test]
fn an_excused_rule_is_not_reported_and_others_are() {
    use std::time::Instant;
    let start = Instant::now();
    let mut auditor = crate::Auditor::new(start);
    auditor.excuse(Rule::MaxForwards, "the peer is old");
    assert_eq!(auditor.excused(), [(Rule::MaxForwards, "the peer is old")]);
    let flow = offhook_sansio::Flow::udp(
        "192.0.2.1:5060".parse().unwrap(),
        "192.0.2.2:5060".parse().unwrap(),
    );
    let options = ask(A, "OPTIONS", "1", 1).first();
    let options = options.replace("Max-Forwards: 70\r\n", "").replace(";tag=alice", "");
    auditor.sent(A, start, flow, options.as_bytes());
    let rules: Vec<_> = auditor.finish(start).iter().map(|it| it.rule).collect();
    assert_eq!(rules, [Rule::FromTag]);
}

#[test]
fn a_breach_is_told_in_one_line_and_its_surroundings() {
    let breaches = call().without("ACK").audit();
    let text = breaches[0].to_string();
    assert!(
        text.starts_with(
            "0.025 s: party 0, UDP 192.0.2.1:5060 → 192.0.2.2:5060: \"SIP/2.0 200 Said\": \
         expected an ACK to this response (FinalIsAcked, RFC 3261 §13.2.2.4)\n"
        ),
        "{text}"
    );
    assert!(
        text.contains("\n         0.000 ──▶ INVITE sip:bob@192.0.2.2:5060 SIP/2.0\n"),
        "{text}"
    );
    assert!(text.contains("\n         0.025 ◀── SIP/2.0 200 Said\n"), "{text}");
}

fn mutations() -> Vec<(Rule, Trace)> {
    let families = [
        branches(),
        tags_and_numbers(),
        responses(),
        acks(),
        dialogs(),
        copies(),
        offers(),
        timers(),
    ];
    families.into_iter().flatten().collect()
}

fn branches() -> Vec<(Rule, Trace)> {
    vec![
        (Rule::Readable, call().change("BYE", "CSeq: 7 BYE\r\n", "")),
        (Rule::BranchCookie, call().change("CSeq: 7", "z9hG4bK3", "3")),
        (Rule::BranchIsNew, modified().change("CSeq: 2 UPDATE", "z9hG4bKu1", "z9hG4bK1")),
        (Rule::BranchIsNew, modified().change("CSeq: 2 UPDATE", "z9hG4bKu1", "z9hG4bK2")),
        (Rule::SameBytes, repeated_differently()),
        (Rule::CancelCopies, cancelled().change("CSeq: 1 CANCEL", "z9hG4bK1", "z9hG4bK9")),
        (Rule::CancelCopies, cancelled().change("CANCEL sip", "CANCEL sip:bob", "CANCEL sip:eve")),
        (Rule::CancelCopies, cancelled().change("CANCEL sip", "tag=alice", "tag=eve")),
        (
            Rule::CancelCopies,
            cancelled().change("CANCEL sip", "Call-ID", "Route: <sip:h;lr>\r\nCall-ID"),
        ),
        (Rule::CancelWaits, cancelled().without("180 Said")),
        (Rule::CancelWaits, cancelled().lose("180 Said")),
        (Rule::CancelInTime, refused().say(40, A, ask(A, "CANCEL", "1", 1).first())),
    ]
}

fn repeated_differently() -> Trace {
    let mut trace = repeated();
    trace.steps[1].text = trace.steps[1].text.replace("Max-Forwards: 70", "Max-Forwards: 69");
    trace
}

fn repeated_at(index: usize, at: u64) -> Trace {
    let mut trace = repeated();
    trace.steps[index].at = at;
    trace
}

fn tags_and_numbers() -> Vec<(Rule, Trace)> {
    vec![
        (Rule::FromTag, call().change("INVITE sip", ";tag=alice", "")),
        (Rule::ToTag, call().change("180 Said", ";tag=bob", "")),
        (Rule::ToTag, cancelled().change("1 CANCEL", ";tag=bob", "")),
        (Rule::SameToTag, call().change("200 Said", "tag=bob", "tag=eve")),
        (Rule::DialogTags, modified().change("UPDATE sip", ";tag=bob", "")),
        (Rule::DialogTags, modified().change("r1", "tag=alice", "tag=eve")),
        (Rule::CSeqMethod, call().change("CSeq: 7", "CSeq: 7 BYE", "CSeq: 7 INFO")),
        (Rule::CSeqRises, modified().change("2 UPDATE", "CSeq: 2 ", "CSeq: 1 ")),
        (Rule::CSeqRises, reliable().change("3 PRACK", "CSeq: 3 ", "CSeq: 2 ")),
        (Rule::MaxForwards, call().change("BYE sip", "Max-Forwards: 70\r\n", "")),
        (Rule::MaxForwards, call().change("ACK sip", "Max-Forwards: 70\r\n", "")),
        (Rule::RequestUri, call().change("ACK sip", "ACK sip:bob@192.0.2.2:5060", "ACK sip:bob@h")),
        (
            Rule::RequestUri,
            call().change("180 Said", "<sip:bob@192.0.2.2:5060>", "<sip:eve@h>").change(
                "200 Said",
                "<sip:bob@192.0.2.2:5060>",
                "<sip:eve@h>",
            ),
        ),
        (Rule::RouteSet, routed().change("BYE sip", "Route: <sip:192.0.2.9;lr>\r\n", "")),
        (Rule::RouteSet, routed().change("ACK sip", "192.0.2.9", "192.0.2.8")),
        (Rule::RouteSet, call().change("BYE sip", "Call-ID", "Route: <sip:h;lr>\r\nCall-ID")),
        (Rule::RequestUri, routed().change("Record-Route", ";lr", "")),
    ]
}

fn responses() -> Vec<(Rule, Trace)> {
    let moved = "Via: SIP/2.0/UDP 192.0.2.1:5070";
    vec![
        (Rule::ResponseHasRequest, call().change("180 Said", "z9hG4bK1", "z9hG4bK9")),
        (Rule::ResponseHasRequest, call().lose("INVITE sip")),
        (Rule::ResponseHasRequest, call().say(50, B, reply(A, "ACK", "2", 1, 200))),
        (
            Rule::ResponseCopies,
            routed().change("200 Said", "Record-Route: <sip:192.0.2.9;lr>\r\n", ""),
        ),
        (Rule::ResponseCopies, call().change("180 Said", "CSeq: 1", "CSeq: 2")),
        (Rule::ResponseCopies, call().change("180 Said", "192.0.2.1", "192.0.2.7")),
        (Rule::ResponseCopies, call().change("180 Said", "tag=alice", "tag=eve")),
        (
            Rule::ResponseCopies,
            call().change("7 BYE", "tag=alice\r\n", "tag=eve\r\n").change(
                "BYE sip",
                "tag=eve",
                "tag=alice",
            ),
        ),
        (
            Rule::ResponseDestination,
            call().change("1 INVITE", "Via: SIP/2.0/UDP 192.0.2.1:5060", moved),
        ),
        (Rule::OneFinal, call().say(25, B, reply(A, "INVITE", "1", 1, 486))),
        (Rule::OneFinal, call().say(1020, A, reply(B, "BYE", "3", 7, 481))),
        (Rule::ProvisionalFirst, call().at("180 Said", 25)),
    ]
}

fn acks() -> Vec<(Rule, Trace)> {
    let ack_of = |to: &str| refused().change("ACK sip", "tag=bob", to);
    vec![
        (Rule::AckToFailure, ack_of("tag=eve")),
        (Rule::AckToFailure, refused().change("ACK sip", "ACK sip:bob", "ACK sip:eve")),
        (
            Rule::AckToFailure,
            refused().change("ACK sip", "Call-ID", "Route: <sip:h;lr>\r\nCall-ID"),
        ),
        (Rule::AckToSuccess, call().change("ACK sip", "z9hG4bK2", "z9hG4bK1")),
        (Rule::AckHasFinal, call().say(40, A, ask(A, "ACK", "2", 1))),
        (Rule::AckHasFinal, call().at("ACK sip", 12)),
        (Rule::AckHasFinal, call().say(1020, B, ask(B, "ACK", "3", 7))),
        (Rule::AckHasFinal, refused().say(40, A, ask(A, "ACK", "1", 1))),
        (Rule::FinalIsAcked, call().without("ACK")),
        (Rule::FinalIsAcked, refused().without("ACK")),
        (Rule::FinalIsAcked, cancelled().without("ACK")),
    ]
}

fn dialogs() -> Vec<(Rule, Trace)> {
    let info = |at| call().say(at, B, ask(B, "INFO", "9", 8));
    vec![
        (Rule::ByeInDialog, call().change("BYE sip", "tag=bob", "tag=eve")),
        (Rule::ByeInDialog, refused().say(900, B, ask(B, "BYE", "9", 8).replace(";tag=alice", ""))),
        (Rule::CalleeWaitsForAck, call().lose("ACK sip")),
        (Rule::CalleeWaitsForAck, call().at("BYE sip", 15)),
        (Rule::NothingAfterBye, info(1005)),
        (Rule::NothingAfterBye, info(1030)),
        (Rule::NothingAfterBye, call().say(1030, A, ask(A, "INFO", "9", 8))),
        (Rule::NothingAfterBye, call().say(1030, A, ask(A, "NOTIFY", "9", 8))),
        (Rule::NothingAfterBye, referred().without("REFER sip")),
        (Rule::NothingAfterBye, referred().say(1060, A, ask(A, "INFO", "9", 4))),
        (Rule::OneInvite, modified().say(1005, B, ask(B, "INVITE", "9", 21))),
        (Rule::OneInvite, modified().say(1007, A, ask(A, "INVITE", "9", 2))),
    ]
}

fn copies() -> Vec<(Rule, Trace)> {
    let bye_again = |at| call().again("BYE sip", at);
    let again = |status: &str, at| refused().without("ACK").again(status, at);
    vec![
        (Rule::RequestInterval, repeated_at(1, 300)),
        (Rule::RequestInterval, repeated_at(11, 5000)),
        (Rule::RequestInterval, call().without("Said").until(5000)),
        (Rule::StopsWhenAnswered, bye_again(1500)),
        (Rule::StopsWhenAnswered, call().again("200 Said", 520)),
        (Rule::StopsWhenAnswered, reliable().again("181 Said", 510)),
        (Rule::OnceWhenReliable, call().again("INVITE sip", 500).over_tcp()),
        (Rule::OnceWhenReliable, again("486 Said", 520).over_tcp()),
        (Rule::ResponseInterval, again("486 Said", 420)),
        (Rule::ResponseInterval, call().without("ACK").without("BYE").until(2000)),
        (Rule::ResponseInterval, call().again("200 Said\r\nVia: SIP/2.0/UDP 192.0.2.2", 1200)),
        (Rule::ReliableInterval, reliable().without("PRACK").again("181 Said", 300)),
    ]
}

fn offers() -> Vec<(Rule, Trace)> {
    let early = |at| call().say(at, A, ask(A, "UPDATE", "9", 2).sdp("a", 2, 4002));
    let bare = |trace: Trace, what: &str| {
        trace.change(what, "Content-Type: application/sdp", "Content-Type: text/plain")
    };
    vec![
        (Rule::ReliableIsSupported, reliable().change("INVITE sip", "Supported: 100rel\r\n", "")),
        (Rule::RSeqRises, reliable().change("182 Said", "RSeq: 2", "RSeq: 3")),
        (Rule::RSeqRises, reliable().change("181 Said", "RSeq: 1", "RSeq: 0")),
        (Rule::RSeqRises, reliable().at("182 Said", 15)),
        (Rule::RAckMatches, reliable().change("PRACK sip", "RAck: 2 1", "RAck: 3 1")),
        (Rule::RAckMatches, reliable().lose("182 Said")),
        (Rule::ReliableIsPracked, reliable().without("3 PRACK")),
        (Rule::OneOffer, early(15)),
        (Rule::OneOffer, early(17)),
        // The answer in the reliable response has no PRACK so far.
        (Rule::OneOffer, reliable().say(12, B, ask(B, "UPDATE", "9", 7).sdp("b", 2, 5002))),
        (Rule::OneOffer, call().say(15, B, ask(B, "UPDATE", "9", 7).sdp("b", 1, 5000))),
        (Rule::OneOffer, offered_late().say(25, B, ask(B, "UPDATE", "9", 7).sdp("b", 2, 5002))),
        (Rule::OneOffer, offered_late().say(27, A, ask(A, "UPDATE", "9", 2).sdp("a", 1, 4000))),
        (Rule::OfferIsAnswered, bare(call(), "200 Said")),
        (Rule::OfferIsAnswered, bare(modified(), "2 UPDATE\r\nContact: <sip:bob")),
        (Rule::OfferIsAnswered, bare(offered_late(), "ACK sip")),
        (Rule::OfferIsAnswered, bare(offered_late(), "200 Said")),
        (Rule::OfferIsAnswered, bare(offered_reliably(), "PRACK sip")),
        (
            Rule::OfferIsAnswered,
            call().without("ACK").say(30, A, ask(A, "ACK", "2", 1).sdp("a", 1, 4000)),
        ),
        (Rule::AnswerMedia, call().change("200 Said", "m=audio", "m=video")),
        (Rule::AnswerMedia, offered_late().change("ACK sip", "m=audio", "m=video")),
        (Rule::AnswerMedia, offered_reliably().change("PRACK sip", "m=audio", "m=video")),
        (Rule::OfferMedia, modified().change("UPDATE sip", "m=audio", "x=audio")),
        (Rule::OriginVersion, modified().change("UPDATE sip", "o=a 1 2", "o=a 1 1")),
        (Rule::OriginVersion, modified().change("UPDATE sip", "o=a 1 2", "o=a 1 4")),
        (
            Rule::OriginVersion,
            modified().change("20 INVITE\r\nContact: <sip:alice", "o=a 1 1", "o=a 1 2"),
        ),
        (Rule::OriginVersion, modified().change("UPDATE sip", "o=a 1 2", "o=a 9 2")),
    ]
}

/// The session timer of which the answer to the INVITE says something else.
fn answered(from: &str, to: &str) -> Trace {
    timed().change("1 INVITE\r\nContact: <sip:bob", from, to)
}

fn timers() -> Vec<(Rule, Trace)> {
    let expires = "Session-Expires: 120";
    vec![
        (Rule::SessionMinimum, timed().change("1 INVITE", expires, "Session-Expires: 89")),
        (Rule::SessionMinimum, timed().change("INVITE sip", "Min-SE: 100", "Min-SE: 60")),
        (Rule::SessionInterval, timed().change("UPDATE sip", expires, "Session-Expires: 95")),
        (
            Rule::SessionInterval,
            timed().change("1 INVITE\r\nContact: <sip:bob", expires, "Session-Expires: 99"),
        ),
        (
            Rule::SessionInterval,
            timed().change("1 INVITE\r\nContact: <sip:bob", expires, "Session-Expires: 121"),
        ),
        (Rule::SessionRefresh, timed().without("2 UPDATE")),
        (Rule::SessionRefresh, timed().until(190_000)),
        (Rule::SessionEnd, timed().until(190_000)),
        (Rule::SessionEnd, timed().without("2 UPDATE")),
        (Rule::SessionRefusal, refused().change("486 Said", "SIP/2.0 486", "SIP/2.0 422")),
        (Rule::SessionRefresher, answered("Require: timer\r\n", "")),
        (Rule::SessionRefresher, answered(";refresher=uac", "")),
        (Rule::SessionRefresher, answered("refresher=uac", "refresher=uas")),
        (Rule::SessionRefresher, answered("Session-Expires: 120;refresher=uac\r\n", "")),
        (
            Rule::SessionRefresher,
            timed().change("INVITE sip", "Supported: timer", "Supported: other"),
        ),
        (
            Rule::SessionRefresher,
            answered("Require: timer\r\nSession-Expires: 120;refresher=uac\r\n", "").change(
                "INVITE sip",
                "Supported: timer",
                "Require: timer",
            ),
        ),
    ]
}
