//! Everything that may happen to a call that rings, in every order.

use bytes::Bytes;
use offhook_sip::{Body, CallId, Event, ReliableProvisionals};
use offhook_sip_message::StatusCode;
use proptest::prelude::*;

use crate::{
    dialogue::{
        contact, from_callee, has, method, nothing_is_left_after, prack, reliably, using, with_body,
    },
    support::{
        ALICE, BOB, Do, Fate, Net,
        raw::{Raw, field, first_line, request, respond, tag_of},
    },
};

fn sdp() -> Option<Body> {
    Some(Body { content_type: "application/sdp".into(), content: Bytes::from_static(b"v=some") })
}

/// What happens to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AtCaller {
    Reliable,
    Fork,
    Accepted,
    AcceptedByFork,
    Refused,
    HangUp,
    Update,
    Updated,
    Bye,
    /// So much that everything unanswered is given up.
    Time,
}

const AT_CALLER: [AtCaller; 10] = [
    AtCaller::Reliable,
    AtCaller::Fork,
    AtCaller::Accepted,
    AtCaller::AcceptedByFork,
    AtCaller::Refused,
    AtCaller::HangUp,
    AtCaller::Update,
    AtCaller::Updated,
    AtCaller::Bye,
    AtCaller::Time,
];

fn at_caller(raw: &mut Raw, call: CallId, invite: &str, cseq: u32, event: AtCaller) {
    let (now, agent) = (raw.now, &mut raw.agent);
    match event {
        AtCaller::Reliable => {
            raw.send(&with_body(&reliably(invite, "183 Session Progress", "a", cseq)));
        }
        AtCaller::Fork => drop(raw.send(&respond(invite, "180 Ringing", "b", &contact("b")))),
        AtCaller::Accepted => drop(raw.send(&respond(invite, "200 OK", "a", &contact("a")))),
        AtCaller::AcceptedByFork => {
            raw.send(&with_body(&respond(invite, "200 OK", "b", &contact("b"))));
        }
        AtCaller::Refused => drop(raw.send(&respond(invite, "486 Busy Here", "a", ""))),
        AtCaller::HangUp => drop(agent.hang_up(now, call)),
        AtCaller::Update => drop(agent.update(now, call, None, sdp())),
        AtCaller::Updated => {
            raw.send(&with_body(&from_callee(invite, "UPDATE", "a", cseq, "")));
        }
        AtCaller::Bye => drop(raw.send(&from_callee(invite, "BYE", "a", cseq, ""))),
        AtCaller::Time => drop(raw.wait(33_000)),
    }
    raw.drain();
}

/// All sequences of `length` out of `of`, without repetition.
fn orders<T: Copy + PartialEq>(of: &[T], length: usize) -> Vec<Vec<T>> {
    if length == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders(of, length - 1);
    let longer = |order: &Vec<T>| {
        let next = of.iter().filter(|next| !order.contains(next)).copied();
        next.map(|next| [&order[..], &[next]].concat()).collect::<Vec<_>>()
    };
    shorter.iter().flat_map(longer).collect()
}

#[test]
fn a_caller_comes_to_an_end_in_every_order_of_events() {
    for offer in [Some("v=0"), None] {
        for length in 0..=5 {
            for order in orders(&AT_CALLER, length) {
                let mut raw = Raw::new();
                let (call, invite) = raw.invite(offer);
                for (cseq, event) in (1..).zip(&order) {
                    at_caller(&mut raw, call, &invite, cseq, *event);
                }
                let _ = raw.agent.hang_up(raw.now, call);
                // Only a response lets the CANCEL go, or the time runs out.
                raw.drain();
                raw.send(&respond(&invite, "180 Ringing", "a", &contact("a")));
                nothing_is_left_after(&mut raw, &order);
            }
        }
    }
}

/// What happens to the callee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AtCallee {
    Early,
    Ring,
    Pracked,
    PrackOffers,
    Answer,
    Cancelled,
    HangUp,
    Update,
    Updated,
    AnswerOffer,
    Bye,
    Ack,
    Time,
}

const AT_CALLEE: [AtCallee; 13] = [
    AtCallee::Early,
    AtCallee::Pracked,
    AtCallee::PrackOffers,
    AtCallee::Answer,
    AtCallee::Cancelled,
    AtCallee::Updated,
    AtCallee::AnswerOffer,
    AtCallee::Bye,
    AtCallee::Time,
    AtCallee::Ring,
    AtCallee::HangUp,
    AtCallee::Update,
    AtCallee::Ack,
];

/// The callee, and what it has said.
struct Callee {
    raw: Raw,
    call: CallId,
    tag: String,
    said: Vec<String>,
}

impl Callee {
    fn called(offer: bool) -> Self {
        let mut raw = Raw::with(using(ReliableProvisionals::Preferred));
        let invite = request("INVITE", "z9hG4bKinvite", 1, "", "Supported: 100rel\n");
        raw.send(&if offer { with_body(&invite) } else { invite });
        let call = raw.incoming();
        raw.agent.progress(raw.now, call, StatusCode::RINGING, None).unwrap();
        let said = raw.drain();
        Self { tag: tag_of(&said[0]), raw, call, said }
    }

    fn happens(&mut self, cseq: u32, event: AtCallee) {
        let (now, call, agent) = (self.raw.now, self.call, &mut self.raw.agent);
        let branch = format!("z9hG4bK{cseq}");
        let mut sent = match event {
            AtCallee::Early => {
                let _ = agent.progress(now, call, StatusCode::SESSION_PROGRESS, sdp());
                Vec::new()
            }
            AtCallee::Ring => {
                let _ = agent.ring(now, call);
                Vec::new()
            }
            AtCallee::Answer => {
                let _ = agent.answer(now, call, sdp());
                Vec::new()
            }
            AtCallee::HangUp => {
                let _ = agent.hang_up(now, call);
                Vec::new()
            }
            AtCallee::Update => {
                let _ = agent.update(now, call, None, sdp());
                Vec::new()
            }
            AtCallee::AnswerOffer => {
                let _ = agent.answer_offer(now, call, None, sdp());
                Vec::new()
            }
            AtCallee::Pracked | AtCallee::PrackOffers => {
                let reliable = self.said.iter().rev().find(|said| said.contains("RSeq: "));
                let Some(prack) = reliable.map(|said| prack(said, cseq)) else { return };
                let offers = event == AtCallee::PrackOffers;
                self.raw.send(&if offers { with_body(&prack) } else { prack })
            }
            AtCallee::Cancelled => self.raw.send(&request("CANCEL", "z9hG4bKinvite", 1, "", "")),
            AtCallee::Updated => {
                self.raw.send(&with_body(&request("UPDATE", &branch, cseq, &self.tag, "")))
            }
            AtCallee::Bye => self.raw.send(&request("BYE", &branch, cseq, &self.tag, "")),
            AtCallee::Ack => self.raw.send(&request("ACK", &branch, 1, &self.tag, "")),
            AtCallee::Time => self.raw.wait(33_000),
        };
        sent.extend(self.raw.drain());
        self.said.extend(sent);
    }

    /// RFC 3262 §3: no 2xx goes out before the PRACK to a session description.
    fn check(&self) {
        let is_2xx = |said: &&String| {
            first_line(said).starts_with("SIP/2.0 2") && field(said, "CSeq") == "1 INVITE"
        };
        let early = |said: &&String| said.contains("RSeq: ") && said.ends_with("v=some");
        let at = |wanted: &dyn Fn(&&String) -> bool| self.said.iter().position(|s| wanted(&s));
        let pracked = |said: &&String| {
            first_line(said).starts_with("SIP/2.0 200") && field(said, "CSeq").ends_with("PRACK")
        };
        if let (Some(early), Some(accepted)) = (at(&early), at(&is_2xx)) {
            let last = self.said.iter().rposition(|said| pracked(&said));
            assert!(
                accepted < early || last.is_some_and(|last| last < accepted),
                "{:#?}",
                self.said
            );
        }
    }
}

#[test]
fn a_callee_comes_to_an_end_in_every_order_of_events() {
    for offer in [true, false] {
        for length in 0..=5 {
            // Of the longest ones those of what happens most.
            let events = if length < 5 { &AT_CALLEE[..] } else { &AT_CALLEE[..9] };
            for order in orders(events, length) {
                let mut callee = Callee::called(offer);
                for (cseq, event) in (2..).zip(&order) {
                    callee.happens(cseq, *event);
                }
                callee.check();
                let _ = callee.raw.agent.hang_up(callee.raw.now, callee.call);
                nothing_is_left_after(&mut callee.raw, &order);
            }
        }
    }
}

#[test]
fn a_call_with_everything_in_it_goes_through() {
    let required = using(ReliableProvisionals::Required);
    let mut net = Net::with(&[required.clone(), required]);
    let alice = net.call();
    net.run(0.1);
    let bob = net.call_of(BOB);
    for (side, call, act) in [
        (BOB, bob, Do::Early),
        (ALICE, alice, Do::Update),
        (BOB, bob, Do::AnswerOffer),
        (BOB, bob, Do::Update),
        (ALICE, alice, Do::AnswerOffer),
        (BOB, bob, Do::Ring),
        (BOB, bob, Do::Answer),
        (ALICE, alice, Do::Refresh),
        (BOB, bob, Do::Update),
        (ALICE, alice, Do::RejectOffer(488)),
        (ALICE, alice, Do::Reinvite),
        (BOB, bob, Do::Early),
        (BOB, bob, Do::Answer),
    ] {
        net.act(side, call, &act).unwrap_or_else(|error| panic!("{act:?}: {error}"));
        net.run(0.2);
    }
    net.act(ALICE, alice, &Do::HangUp).unwrap();
    net.finish();
    assert_eq!(net.count(ALICE, "PRACK"), 3);
    assert_eq!(net.count(ALICE, "491") + net.count(BOB, "491"), 0);
}

fn verb() -> impl Strategy<Value = Do> {
    prop_oneof![
        2 => Just(Do::Ring),
        3 => Just(Do::Early),
        3 => Just(Do::Answer),
        1 => Just(Do::Reject(486)),
        1 => Just(Do::HangUp),
        2 => Just(Do::Reinvite),
        3 => Just(Do::Update),
        1 => Just(Do::Refresh),
        3 => Just(Do::AnswerOffer),
        1 => Just(Do::RejectOffer(488)),
        2 => Just(Do::Prack),
    ]
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        6 => Just(Fate::Arrives),
        2 => Just(Fate::Lost),
        1 => Just(Fate::Twice),
        2 => (0..1_500_u64).prop_map(|more| Fate::Late(std::time::Duration::from_millis(more))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_users_and_the_wire_do_every_call_ends(
        verbs in prop::collection::vec((0..2_usize, verb(), 0..800_u32), 0..16),
        wire in prop::collection::vec(fate(), 80),
        offers in any::<bool>(),
    ) {
        let preferred = using(ReliableProvisionals::Preferred);
        let fates = move |n: usize, _: &str| wire.get(n).copied().unwrap_or(Fate::Arrives);
        let mut net = Net::with(&[preferred.clone(), preferred]).fates(fates);
        net.call_with(if offers { sdp() } else { None });
        for (side, verb, wait) in verbs {
            net.run(f64::from(wait) / 1_000.0);
            for call in net.live_calls(side) {
                let _ = net.act(side, call, &verb);
            }
        }
        for seconds in [33.0, 33.0, 0.0] {
            for side in [ALICE, BOB] {
                for call in net.live_calls(side) {
                    let _ = net.act(side, call, &Do::HangUp);
                }
            }
            net.run(seconds);
        }
        net.finish();
        prop_assert_eq!(net.ends(ALICE).len(), 1);
        let incoming = net.events.iter().filter(|(_, e)| matches!(e, Event::Incoming { .. }));
        prop_assert_eq!(net.ends(BOB).len(), incoming.count());
    }
}

#[test]
fn a_user_that_answers_in_time_is_never_asked_twice() {
    let (mut raw, invite) = {
        let mut raw = Raw::new();
        let (_, invite) = raw.invite(Some("v=0"));
        (raw, invite)
    };
    raw.send(&with_body(&reliably(&invite, "183 Session Progress", "a", 1)));
    raw.send(&with_body(&from_callee(&invite, "UPDATE", "a", 1, "")));
    let call = raw.events.iter().find_map(|event| match event {
        Event::Updated { call, .. } => Some(*call),
        _ => None,
    });
    raw.agent.answer_offer(raw.now, call.unwrap(), None, sdp()).unwrap();
    assert_eq!(method(&raw.drain()[0]), "SIP/2.0");
    raw.wait(20_000);
    assert!(!has(&raw, |event| matches!(event, Event::OfferExpired { .. })));
}
