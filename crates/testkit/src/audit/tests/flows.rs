//! Traces that keep all rules.

use super::trace::{A, Add, B, Trace, ask, reply};
use crate::Rule;

/// INVITE, 180, 200, ACK, and BYE by the callee.
pub(super) fn call() -> Trace {
    Trace::new()
        .say(0, A, ask(A, "INVITE", "1", 1).first().sdp("a", 1, 4000))
        .say(10, B, reply(A, "INVITE", "1", 1, 180))
        .say(20, B, reply(A, "INVITE", "1", 1, 200).sdp("b", 1, 5000))
        .say(30, A, ask(A, "ACK", "2", 1))
        .say(1000, B, ask(B, "BYE", "3", 7))
        .say(1010, A, reply(B, "BYE", "3", 7, 200))
}

/// The INVITE is refused.
pub(super) fn refused() -> Trace {
    Trace::new()
        .say(0, A, ask(A, "INVITE", "1", 1).first().sdp("a", 1, 4000))
        .say(10, B, reply(A, "INVITE", "1", 1, 180))
        .say(20, B, reply(A, "INVITE", "1", 1, 486))
        .say(30, A, ask(A, "ACK", "1", 1))
}

/// The INVITE is cancelled.
pub(super) fn cancelled() -> Trace {
    Trace::new()
        .say(0, A, ask(A, "INVITE", "1", 1).first().sdp("a", 1, 4000))
        .say(10, B, reply(A, "INVITE", "1", 1, 180))
        .say(20, A, ask(A, "CANCEL", "1", 1).first())
        .say(30, B, reply(A, "CANCEL", "1", 1, 200))
        .say(31, B, reply(A, "INVITE", "1", 1, 487))
        .say(40, A, ask(A, "ACK", "1", 1))
}

/// Two reliable provisional responses; the first has the answer.
pub(super) fn reliable() -> Trace {
    let ringing = |number: u32| {
        let rseq = format!("Require: 100rel\r\nRSeq: {number}");
        reply(A, "INVITE", "1", 1, 180 + number as u16).header(&rseq)
    };
    Trace::new()
        .say(0, A, ask(A, "INVITE", "1", 1).first().header("Supported: 100rel").sdp("a", 1, 4000))
        .say(10, B, ringing(1).sdp("b", 1, 5000))
        .say(20, A, ask(A, "PRACK", "2", 2).header("RAck: 1 1 INVITE"))
        .say(30, B, reply(A, "PRACK", "2", 2, 200))
        .say(40, B, ringing(2))
        .say(50, A, ask(A, "PRACK", "3", 3).header("RAck: 2 1 INVITE"))
        .say(60, B, reply(A, "PRACK", "3", 3, 200))
        .say(70, B, reply(A, "INVITE", "1", 1, 200))
        .say(80, A, ask(A, "ACK", "4", 1))
}

/// The callee makes the offer in its 2xx.
pub(super) fn offered_late() -> Trace {
    Trace::new()
        .say(0, A, ask(A, "INVITE", "1", 1).first())
        .say(10, B, reply(A, "INVITE", "1", 1, 180))
        .say(20, B, reply(A, "INVITE", "1", 1, 200).sdp("b", 1, 5000))
        .say(30, A, ask(A, "ACK", "2", 1).sdp("a", 1, 4000))
}

/// The callee makes the offer in a reliable response, and the PRACK answers.
pub(super) fn offered_reliably() -> Trace {
    let rseq = "Require: 100rel\r\nRSeq: 1";
    Trace::new()
        .say(0, A, ask(A, "INVITE", "1", 1).first().header("Supported: 100rel"))
        .say(10, B, reply(A, "INVITE", "1", 1, 183).header(rseq).sdp("b", 1, 5000))
        .say(20, A, ask(A, "PRACK", "2", 2).header("RAck: 1 1 INVITE").sdp("a", 1, 4000))
        .say(30, B, reply(A, "PRACK", "2", 2, 200))
        .say(70, B, reply(A, "INVITE", "1", 1, 200))
        .say(80, A, ask(A, "ACK", "4", 1))
}

/// After the call stands, the callee puts it on another port, then the caller by UPDATE.
pub(super) fn modified() -> Trace {
    call()
        .without("BYE")
        .say(1000, B, ask(B, "INVITE", "r1", 20).sdp("b", 2, 5002))
        .say(1010, A, reply(B, "INVITE", "r1", 20, 200).sdp("a", 1, 4000))
        .say(1020, B, ask(B, "ACK", "r2", 20))
        .say(2000, A, ask(A, "UPDATE", "u1", 2).sdp("a", 2, 4002))
        .say(2010, B, reply(A, "UPDATE", "u1", 2, 200).sdp("b", 2, 5002))
}

/// The caller refreshes the session.
pub(super) fn timed() -> Trace {
    let timer = "Supported: timer\r\nMin-SE: 100\r\nSession-Expires: 120;refresher=uac";
    let answer = "Require: timer\r\nSession-Expires: 120;refresher=uac";
    let again = "Supported: timer\r\nMin-SE: 100\r\nSession-Expires: 120;refresher=uac";
    Trace::new()
        .say(0, A, ask(A, "INVITE", "1", 1).first().header(timer).sdp("a", 1, 4000))
        .say(20, B, reply(A, "INVITE", "1", 1, 200).header(answer).sdp("b", 1, 5000))
        .say(30, A, ask(A, "ACK", "2", 1))
        .say(60_000, A, ask(A, "UPDATE", "3", 2).header(again))
        .say(60_010, B, reply(A, "UPDATE", "3", 2, 200).header(answer))
        .until(130_000)
}

/// Copies of requests and responses over a bad network.
pub(super) fn repeated() -> Trace {
    let mut trace = call().without("ACK").without("BYE");
    let invite = trace.steps[0].text.clone();
    let answer = trace.steps[2].text.clone();
    trace.steps.clear();
    trace.until = 0;
    let (ack, bye) = (ask(A, "ACK", "2", 1), ask(A, "BYE", "3", 2));
    let done = reply(A, "BYE", "3", 2, 200);
    trace
        .say(0, A, invite.clone())
        .say(500, A, invite.clone())
        .say(1500, A, invite)
        .say(1510, B, answer.clone())
        .say(2010, B, answer.clone())
        .say(2030, A, ack.clone())
        .say(3010, B, answer)
        .say(3020, A, ack)
        .say(4000, A, bye.clone())
        .say(4500, A, bye.clone())
        .say(4510, B, done.clone())
        .say(5500, A, bye)
        .say(5510, B, done)
        .lose_at(&[0, 500, 1510, 2030, 4000, 4510])
}

/// A call through a proxy that stays in the path; the proxy itself is not seen.
pub(super) fn routed() -> Trace {
    let recorded = "Record-Route: <sip:192.0.2.9;lr>";
    let route = "Route: <sip:192.0.2.9;lr>";
    Trace::new()
        .say(0, A, ask(A, "INVITE", "1", 1).first().header(recorded).sdp("a", 1, 4000))
        .say(20, B, reply(A, "INVITE", "1", 1, 200).header(recorded).sdp("b", 1, 5000))
        .say(30, A, ask(A, "ACK", "2", 1).header(route))
        .say(1000, B, ask(B, "BYE", "3", 7).header(route))
        .say(1010, A, reply(B, "BYE", "3", 7, 200))
}

/// The caller asks for a transfer, and hangs up before it is told how that went: the subscription
/// goes on in the dialog of the call.
pub(super) fn referred() -> Trace {
    let report = |state: &str| format!("Event: refer\r\nSubscription-State: {state}");
    call()
        .without("BYE")
        .say(1000, A, ask(A, "REFER", "r", 2).header("Refer-To: <sip:carol@example.org>"))
        .say(1010, B, reply(A, "REFER", "r", 2, 202))
        .say(1020, B, ask(B, "NOTIFY", "n1", 8).header(&report("active;expires=60")))
        .say(1030, A, reply(B, "NOTIFY", "n1", 8, 200))
        .say(1040, A, ask(A, "BYE", "b", 3))
        .say(1050, B, reply(A, "BYE", "b", 3, 200))
        .say(2000, A, ask(A, "SUBSCRIBE", "s", 4).header("Event: refer\r\nExpires: 60"))
        .say(2010, B, reply(A, "SUBSCRIBE", "s", 4, 200))
        .say(2020, B, ask(B, "NOTIFY", "n2", 9).header(&report("terminated")))
        .say(2030, A, reply(B, "NOTIFY", "n2", 9, 200))
}

impl Trace {
    /// Loses the messages that are sent at these times.
    fn lose_at(mut self, times: &[u64]) -> Self {
        self.steps.iter_mut().for_each(|step| step.is_lost |= times.contains(&step.at));
        self
    }
}

#[test]
fn good_traces_have_no_breaches() {
    let traces = [
        call(),
        call().over_tcp(),
        refused(),
        cancelled(),
        reliable(),
        offered_late(),
        offered_reliably(),
        modified(),
        timed(),
        repeated(),
        routed(),
        referred(),
    ];
    for (index, trace) in traces.iter().enumerate() {
        let breaches = trace.audit();
        assert!(breaches.is_empty(), "trace {index}: {breaches:#?}");
    }
}

#[test]
fn what_was_lost_was_not_received() {
    // The callee repeats its answer, and hangs up after 64*T1 without an ACK.
    let mut trace = call().lose("ACK").without("BYE");
    let answer = trace.steps[2].text.clone();
    let (mut at, mut interval) = (20, 500);
    while at + interval < 20 + 32_000 {
        at += interval;
        trace = trace.say(at, B, answer.clone()).again("ACK", at + 10);
        interval = (interval * 2).min(4000);
    }
    let trace = trace.lose("ACK").say(32_021, B, ask(B, "BYE", "3", 7));
    let trace = trace.say(32_030, A, reply(B, "BYE", "3", 7, 200));
    assert_eq!(trace.audit(), [], "{trace:#?}");
}

#[test]
fn a_refusal_repeats_what_could_not_be_read() {
    let bad = |text: String| text.replace("<sip:alice@example.com>", "<sip:alice@");
    let refusal = reply(A, "OPTIONS", "1", 1, 400);
    let alone = Trace::new().say(10, B, bad(refusal.clone()));
    assert_eq!(alone.rules(), [Rule::Readable]);
    let asked =
        Trace::new().say(0, A, bad(ask(A, "OPTIONS", "1", 1).first())).say(10, B, bad(refusal));
    // The fault is that of the asker alone.
    assert_eq!(asked.rules(), [Rule::Readable]);
    assert_eq!(asked.audit()[0].party, A);
}
