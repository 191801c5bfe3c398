//! What the tests of this folder have in common: a peer that writes its messages by hand.

use offhook_sansio::Machine;
use offhook_sip::{CallId, Config, Description, Event, Fork, ReliableProvisionals};

use crate::support::raw::{Raw, field, first_line, request, respond};

/// A configuration that uses `100rel` so.
pub(crate) fn using(reliable_provisionals: ReliableProvisionals) -> Config {
    Config { reliable_provisionals, ..Config::default() }
}

/// The lines of a body and its type.
pub(crate) const SDP: &str = "Content-Type: application/sdp\nContent-Length: 3\n";

/// A message with a body in place of its end.
pub(crate) fn with_body(message: &str) -> String {
    format!("{}{SDP}\nv=0", message.strip_suffix('\n').unwrap())
}

/// A provisional response of the fork `tag`, sent reliably with the number `rseq`.
pub(crate) fn reliably(invite: &str, status: &str, tag: &str, rseq: u32) -> String {
    let more = format!("Contact: <sip:{tag}@198.51.100.7:5070>\nRequire: 100rel\nRSeq: {rseq}\n");
    respond(invite, status, tag, &more)
}

/// What `tag` says of itself.
pub(crate) fn contact(tag: &str) -> String {
    format!("Contact: <sip:{tag}@198.51.100.7:5070>\n")
}

pub(crate) fn method(message: &str) -> &str {
    message.split(' ').next().unwrap()
}

pub(crate) fn status(messages: &[String]) -> u16 {
    assert_eq!(messages.len(), 1, "{messages:#?}");
    first_line(&messages[0]).split(' ').nth(1).unwrap().parse().unwrap()
}

/// A request of the callee in the dialog of our INVITE.
pub(crate) fn from_callee(invite: &str, method: &str, tag: &str, cseq: u32, more: &str) -> String {
    let uri = field(invite, "Contact").trim_matches(['<', '>']);
    format!(
        "{method} {uri} SIP/2.0\n\
         Via: SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bK{method}{tag}{cseq}\n\
         Max-Forwards: 70\n\
         From: {};tag={tag}\n\
         To: {}\n\
         Call-ID: {}\n\
         CSeq: {cseq} {method}\n\
         Contact: <sip:{tag}@198.51.100.7:5070>\n\
         {more}\n",
        field(invite, "To"),
        field(invite, "From"),
        field(invite, "Call-ID"),
    )
}

/// Someone calls with these extensions, with or without an offer.
pub(crate) fn called(raw: &mut Raw, more: &str, offer: bool) -> CallId {
    let invite = request("INVITE", "z9hG4bKinvite", 1, "", more);
    let sent = raw.send(&if offer { with_body(&invite) } else { invite });
    assert_eq!(status(&sent), 100, "{sent:?}");
    raw.incoming()
}

/// A PRACK of the caller to `provisional`.
pub(crate) fn prack(provisional: &str, cseq: u32) -> String {
    let tag = field(provisional, "To").split(";tag=").nth(1).unwrap();
    let rack = format!("RAck: {} {}\n", field(provisional, "RSeq"), field(provisional, "CSeq"));
    request("PRACK", &format!("z9hG4bKprack{cseq}"), cseq, tag, &rack)
}

/// The forks and descriptions of the provisional responses told of.
pub(crate) fn progress(raw: &Raw) -> Vec<(Fork, Description)> {
    let told = raw.events.iter().filter_map(|event| match event {
        Event::Progress { fork, description, .. } => Some((*fork, *description)),
        _ => None,
    });
    told.collect()
}

pub(crate) fn has(raw: &Raw, wanted: impl Fn(&Event) -> bool) -> bool {
    raw.events.iter().any(wanted)
}

/// Lets all time pass that anything could wait for, and checks that nothing is left.
pub(crate) fn nothing_is_left(raw: &mut Raw) {
    nothing_is_left_after(raw, &"");
}

/// The same, of a test that tries many things.
pub(crate) fn nothing_is_left_after(raw: &mut Raw, what: &dyn std::fmt::Debug) {
    raw.wait(200_000);
    assert_eq!(
        (raw.agent.live_calls(), raw.agent.live_transactions()),
        (0, 0),
        "{what:?}: {:?}",
        raw.events
    );
    assert_eq!(raw.agent.poll_timeout(), None, "{what:?}");
    let ends = raw.events.iter().filter(|event| matches!(event, Event::Ended { .. })).count();
    assert_eq!(ends, 1, "{what:?}: {:?}", raw.events);
}
