//! What looks like a breach, and is none: the one who is judged has kept the rules.

use std::time::{Duration, Instant};

use offhook_sansio::Flow;

use super::{
    flows::{call, refused, reliable},
    trace::{A, Add, B, Trace, ask, reply},
};
use crate::{Auditor, Rule};

fn rules_of(who: usize, trace: &Trace) -> Vec<Rule> {
    let breaches = trace.audit();
    breaches.iter().filter(|it| it.party == who).map(|it| it.rule).collect()
}

#[test]
fn nothing_is_owed_to_what_comes_after_the_transport_has_failed() {
    for fails in [true, false] {
        let start = Instant::now();
        let mut auditor = Auditor::new(start);
        let flow = Flow::udp(([192, 0, 2, 1], 5060).into(), ([192, 0, 2, 2], 5060).into());
        let invite = ask(A, "INVITE", "1", 1).first().header("Supported: 100rel");
        auditor.sent(A, start, flow, invite.as_bytes());
        let later = start + Duration::from_millis(100);
        if fails {
            auditor.failed(A, later, flow);
        }
        let reliable = reply(A, "INVITE", "1", 1, 183).header("Require: 100rel\r\nRSeq: 1");
        auditor.delivered(A, later, flow, reliable.as_bytes());
        let breaches = auditor.finish(start + Duration::from_secs(40));
        let rules: Vec<_> = breaches.iter().map(|it| it.rule).collect();
        assert_eq!(rules.contains(&Rule::ReliableIsPracked), !fails, "{breaches:?}");
        assert!(!rules.contains(&Rule::RequestInterval));
    }
}

#[test]
fn an_invite_that_has_had_a_provisional_response_outlives_its_flow() {
    let start = Instant::now();
    let mut auditor = Auditor::new(start);
    let flow = Flow::udp(([192, 0, 2, 1], 5060).into(), ([192, 0, 2, 2], 5060).into());
    auditor.sent(A, start, flow, ask(A, "INVITE", "1", 1).first().as_bytes());
    auditor.delivered(A, start, flow, reply(A, "INVITE", "1", 1, 180).as_bytes());
    auditor.failed(A, start, flow);
    auditor.delivered(A, start, flow, reply(A, "INVITE", "1", 1, 200).as_bytes());
    let breaches = auditor.finish(start + Duration::from_secs(1));
    assert_eq!(breaches.iter().map(|it| it.rule).collect::<Vec<_>>(), [Rule::FinalIsAcked]);
}

#[test]
fn an_ack_before_any_final_response_acknowledges_nothing() {
    let early = ask(A, "ACK", "1", 1);
    let trace = refused().say(5, A, early).again("486", 520).at("ACK", 5);
    let trace = trace.say(530, A, ask(A, "ACK", "1", 1));
    assert_eq!(rules_of(B, &trace), [], "{:#?}", trace.audit());
    assert!(rules_of(A, &trace).contains(&Rule::AckHasFinal));
}

#[test]
fn a_prack_that_repeats_another_and_is_refused_takes_nothing_back() {
    let twice = ask(A, "PRACK", "9", 9).header("RAck: 1 1 INVITE");
    let trace = reliable().say(32, A, twice).say(38, B, reply(A, "PRACK", "9", 9, 481));
    assert_eq!(rules_of(B, &trace), [], "{:#?}", trace.audit());
}

#[test]
fn a_2xx_that_comes_64_t1_after_a_bye_need_not_be_acknowledged() {
    for (late, owed) in [(34_000, false), (20_000, true)] {
        let trace = call()
            .say(900, A, ask(A, "INVITE", "r", 2).sdp("a", 2, 4000))
            .say(1_020, B, reply(A, "INVITE", "r", 2, 183))
            .say(late, B, reply(A, "INVITE", "r", 2, 200).sdp("b", 2, 5000));
        let owes = rules_of(A, &trace).contains(&Rule::FinalIsAcked);
        assert_eq!(owes, owed, "{:#?}", trace.audit());
    }
}

#[test]
fn each_dialog_that_a_notify_makes_counts_for_itself() {
    let notify = |tag: &str| {
        let notify = ask(B, "NOTIFY", tag, 1).replace("tag=bob", &format!("tag={tag}"));
        notify.header("Event: dialog\r\nSubscription-State: active;expires=90")
    };
    let told =
        |tag: &str| reply(B, "NOTIFY", tag, 1, 200).replace("tag=bob", &format!("tag={tag}"));
    let again = |tag: &str, branch: &str| {
        let again = ask(A, "SUBSCRIBE", branch, 2).replace("tag=bob", &format!("tag={tag}"));
        again.header("Event: dialog\r\nExpires: 0")
    };
    let answer = |tag: &str, branch: &str| {
        reply(A, "SUBSCRIBE", branch, 2, 200).replace("tag=bob", &format!("tag={tag}"))
    };
    let trace = Trace::new()
        .say(0, A, ask(A, "SUBSCRIBE", "s", 1).first().header("Event: dialog\r\nExpires: 100"))
        .say(10, B, notify("bob"))
        .say(20, A, told("bob"))
        .say(30, B, notify("carol"))
        .say(40, A, told("carol"))
        .say(50, B, reply(A, "SUBSCRIBE", "s", 1, 200))
        .say(100, A, again("bob", "t"))
        .say(110, B, answer("bob", "t"))
        .say(120, A, again("carol", "u"))
        .say(130, B, answer("carol", "u"));
    assert_eq!(rules_of(A, &trace), [], "{:#?}", trace.audit());
    let twice = trace.say(200, A, again("carol", "v"));
    assert_eq!(rules_of(A, &twice), [Rule::CSeqRises], "in the same one it has to rise");
}
