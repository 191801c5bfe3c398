//! Single sentences of RFC 3261 §12 and §13.

use std::time::{Duration, Instant};

use bytes::BytesMut;
use offhook_sansio::{Datagram, Flow, Machine, Protocol, Random};
use offhook_sip::{Config, Dropped, End, Event, UserAgent};

use crate::{
    dialogue::{contact, from_callee, has, method, status, with_body},
    support::raw::{Raw, first_line, ours, request, respond, tag_of, theirs},
};

/// A user agent that talks over a connection.
struct Connected {
    start: Instant,
    now: Instant,
    agent: UserAgent,
}

impl Connected {
    fn new() -> Self {
        let mut agent = UserAgent::new(Config::default(), Random::from_seed(7));
        agent.listen(Protocol::Tcp, ours(), ours());
        let now = Instant::now();
        Self { start: now, now, agent }
    }

    /// The peer sends `text`.
    fn hear(&mut self, text: &str) -> Vec<String> {
        let flow = Flow { protocol: Protocol::Tcp, ..Flow::udp(ours(), theirs()) };
        let text = text.replace("SIP/2.0/UDP", "SIP/2.0/TCP").replace('\n', "\r\n");
        let payload = BytesMut::from(text.as_bytes());
        self.agent.receive(self.now, Datagram { flow, payload });
        self.said()
    }

    fn said(&mut self) -> Vec<String> {
        let transmits = std::iter::from_fn(|| self.agent.poll_transmit());
        transmits.map(|it| String::from_utf8(it.payload.to_vec()).unwrap()).collect()
    }

    /// The milliseconds since the start at which something was sent, up to `end`, and what.
    fn until(&mut self, end: u64) -> Vec<(u64, String)> {
        let end = self.start + Duration::from_millis(end);
        let mut sent = Vec::new();
        while let Some(at) = self.agent.poll_timeout().filter(|at| *at <= end) {
            self.now = at;
            self.agent.handle_timeout(at);
            let millis = (at - self.start).as_millis().try_into().unwrap();
            sent.extend(self.said().into_iter().map(|text| (millis, text)));
        }
        self.now = end;
        sent
    }

    fn call(&mut self) -> offhook_sip::CallId {
        match self.agent.poll_event() {
            Some(Event::Incoming { call, .. }) => call,
            other => panic!("{other:?}"),
        }
    }
}

fn invite() -> String {
    with_body(&request("INVITE", "z9hG4bKinvite", 1, "", ""))
}

#[test]
fn a_2xx_is_repeated_over_a_connection_too_until_its_ack() {
    let mut peer = Connected::new();
    peer.hear(&invite());
    let call = peer.call();
    peer.agent.answer(peer.now, call, None).unwrap();
    let accepted = peer.said();
    let again: Vec<_> = peer.until(16_000);
    let times: Vec<_> = again.iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [500, 1_500, 3_500, 7_500, 11_500, 15_500]);
    assert!(again.iter().all(|(_, text)| *text == accepted[0]));
    peer.hear(&request("ACK", "z9hG4bKack", 1, &tag_of(&accepted[0]), ""));
    assert_eq!(peer.until(40_000), []);
}

#[test]
fn a_failure_is_sent_once_over_a_connection() {
    let mut peer = Connected::new();
    peer.hear(&invite());
    let call = peer.call();
    peer.agent.hang_up(peer.now, call).unwrap();
    assert_eq!(status(&peer.said()), 480);
    assert_eq!(peer.until(40_000), []);
    assert_eq!(peer.agent.live_transactions(), 0);
}

#[test]
fn a_2xx_that_comes_64_t1_after_the_first_makes_no_dialog() {
    let mut raw = Raw::new();
    let (_, invite) = raw.invite(Some("v=0"));
    raw.send(&respond(&invite, "200 OK", "a", &contact("a")));
    raw.wait(31_999);
    let other = raw.send(&respond(&invite, "200 OK", "b", &contact("b")));
    assert_eq!(other.iter().map(|it| method(it)).collect::<Vec<_>>(), ["ACK", "BYE"]);
    raw.wait(1);
    assert!(raw.send(&respond(&invite, "200 OK", "c", &contact("c"))).is_empty());
    assert_eq!(raw.agent.statistics().dropped(Dropped::StrayResponse), 1);
}

#[test]
fn a_failure_after_a_failure_is_acknowledged_and_told_no_more() {
    let mut raw = Raw::new();
    let (_, invite) = raw.invite(Some("v=0"));
    raw.send(&respond(&invite, "486 Busy Here", "a", ""));
    let ends = raw.events.len();
    assert_eq!(method(&raw.send(&respond(&invite, "603 Decline", "b", ""))[0]), "ACK");
    assert_eq!(raw.events.len(), ends);
}

#[test]
fn a_number_that_skips_some_is_in_order() {
    let mut raw = Raw::new();
    let (_, invite) = raw.invite(Some("v=0"));
    raw.send(&respond(&invite, "200 OK", "a", &contact("a")));
    for (cseq, expected) in [(7, 200), (1_000, 200), (999, 500), (1_001, 200)] {
        let sent = raw.send(&from_callee(&invite, "OPTIONS", "a", cseq, ""));
        assert_eq!(status(&sent), expected, "{cseq}");
    }
}

#[test]
fn an_invitation_that_was_answered_expires_no_more() {
    let mut raw = Raw::new();
    raw.send(&request("INVITE", "z9hG4bKinvite", 1, "", "Expires: 2\n"));
    raw.agent.answer(raw.now, raw.incoming(), None).unwrap();
    let accepted = raw.drain();
    raw.send(&request("ACK", "z9hG4bKack", 1, &tag_of(&accepted[0]), ""));
    assert!(raw.wait(60_000).is_empty());
    assert_eq!(raw.agent.live_calls(), 1);
}

#[test]
fn a_timeout_of_the_invite_counts_as_408() {
    let mut raw = Raw::new();
    raw.invite(Some("v=0"));
    raw.wait(32_000);
    let ended = raw.events.iter().find_map(|event| match event {
        Event::Ended { end, .. } => Some(end.clone()),
        _ => None,
    });
    assert_eq!(ended, Some(End::TimedOut));
    assert_eq!(End::TimedOut.status().unwrap().as_u16(), 408);
}

#[test]
fn a_provisional_response_of_a_callee_has_its_tag_and_its_contact() {
    let mut raw = Raw::new();
    raw.send(&invite());
    raw.agent.ring(raw.now, raw.incoming()).unwrap();
    let ringing = raw.drain();
    assert!(first_line(&ringing[0]).starts_with("SIP/2.0 180"));
    assert!(ringing[0].contains("\r\nContact: ") && !tag_of(&ringing[0]).is_empty());
    assert!(!has(&raw, |event| matches!(event, Event::Established { .. })));
}
