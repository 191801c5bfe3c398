//! A controller that brings two users together and carries their descriptions (RFC 3725).

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use offhook_sansio::{Datagram, Flow, Machine, Protocol, Random};
use offhook_sip::{Body, CallId, Config, Description, End, Event, Invite, UserAgent};
use offhook_sip_message::{NameAddr, StatusCode};
use offhook_testkit::Auditor;

use crate::support::address;

const A: usize = 0;
const B: usize = 1;
/// The controller.
const C: usize = 2;

/// Three user agents on a wire that loses nothing.
struct Stage {
    now: Instant,
    agents: [UserAgent; 3],
    events: [VecDeque<Event>; 3],
    auditor: Auditor,
}

impl Stage {
    fn new() -> Self {
        let now = Instant::now();
        let agent = |side: usize| {
            let mut agent = UserAgent::new(Config::default(), Random::from_seed(side as u64));
            agent.listen(Protocol::Udp, address(side), address(side));
            agent
        };
        Self {
            now,
            agents: [agent(A), agent(B), agent(C)],
            events: Default::default(),
            auditor: Auditor::new(now),
        }
    }

    /// The controller calls.
    fn call(&mut self, whom: usize, offer: Option<Body>) -> CallId {
        let flow = Flow::udp(address(C), address(whom));
        let from = NameAddr::new("sip:controller@192.0.2.3".parse().unwrap());
        let target = format!("sip:user@{}", address(whom)).parse().unwrap();
        let invite = Invite { body: offer, ..Invite::new(target, from, flow) };
        let call = self.agents[C].invite(self.now, invite).unwrap();
        self.run();
        call
    }

    /// What somebody asks of its user agent.
    fn act<T>(&mut self, who: usize, verb: impl FnOnce(&mut UserAgent, Instant) -> T) -> T {
        let done = verb(&mut self.agents[who], self.now);
        self.run();
        done
    }

    /// Hands over all messages, ten milliseconds each round.
    fn run(&mut self) {
        loop {
            let mut sent = Vec::new();
            for side in [A, B, C] {
                while let Some(transmit) = self.agents[side].poll_transmit() {
                    self.auditor.sent(side, self.now, transmit.flow, &transmit.payload);
                    sent.push(transmit);
                }
            }
            if sent.is_empty() {
                return self.hear();
            }
            self.now += Duration::from_millis(10);
            for transmit in sent {
                let flow = Flow::udp(transmit.flow.remote, transmit.flow.local);
                let to = [A, B, C].into_iter().find(|side| address(*side) == flow.local).unwrap();
                self.auditor.delivered(to, self.now, flow, &transmit.payload);
                let payload = BytesMut::from(transmit.payload.as_ref());
                self.agents[to].receive(self.now, Datagram { flow, payload });
            }
        }
    }

    fn hear(&mut self) {
        for (agent, events) in self.agents.iter_mut().zip(&mut self.events) {
            events.extend(std::iter::from_fn(|| agent.poll_event()));
        }
    }

    /// Lets time pass, with everything that is due in it.
    fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(next) =
            self.agents.iter().filter_map(|it| it.poll_timeout()).min().filter(|at| *at <= end)
        {
            self.now = next.max(self.now);
            self.agents.iter_mut().for_each(|agent| agent.handle_timeout(next));
            self.run();
        }
        self.now = end;
    }

    /// The next thing that somebody is told.
    fn told(&mut self, who: usize) -> Event {
        self.events[who].pop_front().expect("something was told")
    }

    /// The call that has come to a user, and its offer.
    fn incoming(&mut self, who: usize) -> (CallId, Bytes) {
        match self.told(who) {
            Event::Incoming { call, request, .. } => (call, request.body()),
            other => panic!("{other:?}"),
        }
    }

    /// The description of the answer to an INVITE of the controller.
    fn answered(&mut self, of: CallId, as_a: Description) -> Body {
        match self.told(C) {
            Event::Answered { call, description, response, .. }
            | Event::ReinviteAnswered { call, description, response } => {
                assert_eq!((call, description), (of, as_a));
                sdp(response.body())
            }
            other => panic!("{other:?}"),
        }
    }

    /// The body of the ACK.
    fn established(&mut self, who: usize) -> Option<Bytes> {
        match self.told(who) {
            Event::Established { body, .. } => body.map(|body| body.content),
            other => panic!("{other:?}"),
        }
    }

    fn reinvited(&mut self, who: usize) -> Bytes {
        match self.told(who) {
            Event::Reinvited { request, .. } => request.body(),
            other => panic!("{other:?}"),
        }
    }

    fn ended(&mut self, who: usize) -> End {
        match self.told(who) {
            Event::Ended { end, .. } => end,
            other => panic!("{other:?}"),
        }
    }

    /// One user hangs up; the controller does so with the other.
    fn part(mut self, of_a: CallId, of_b: CallId) {
        self.act(C, |agent, now| agent.hang_up(now, of_a)).unwrap();
        self.act(C, |agent, now| agent.hang_up(now, of_b)).unwrap();
        assert_eq!([self.ended(A), self.ended(B)], [End::PeerHungUp, End::PeerHungUp]);
        assert_eq!([self.ended(C), self.ended(C)], [End::HungUp, End::HungUp]);
        self.finish();
    }

    fn finish(mut self) {
        self.wait(Duration::from_secs(70));
        for agent in &self.agents {
            assert_eq!((agent.live_calls(), agent.live_transactions()), (0, 0));
        }
        assert!(self.events.iter().all(VecDeque::is_empty), "{:?}", self.events);
        assert_eq!(self.auditor.finish(self.now), [], "breaches of the protocol");
    }
}

fn sdp(content: impl Into<Bytes>) -> Body {
    Body { content_type: "application/sdp".into(), content: content.into() }
}

/// Both users talk, by flow I: the offer of the one is the offer to the other.
fn brought_together(stage: &mut Stage) -> [CallId; 4] {
    let of_a = stage.call(A, None);
    let (at_a, nothing) = stage.incoming(A);
    assert!(nothing.is_empty());
    stage.act(A, |agent, now| agent.answer(now, at_a, Some(sdp("v=0 offer1")))).unwrap();
    let offer = stage.answered(of_a, Description::Offer);
    let of_b = stage.call(B, Some(offer));
    let (at_b, offer) = stage.incoming(B);
    assert_eq!(offer, "v=0 offer1");
    // Until then the 200 of the first is said again and again.
    stage.wait(Duration::from_secs(9));
    stage.act(B, |agent, now| agent.answer(now, at_b, Some(sdp("v=0 answer1")))).unwrap();
    let answer = stage.answered(of_b, Description::Answer);
    stage.act(C, |agent, now| agent.acknowledge(now, of_a, Some(answer))).unwrap();
    assert_eq!(stage.established(A).unwrap(), "v=0 answer1");
    assert_eq!(stage.established(B), None);
    [of_a, of_b, at_a, at_b]
}

#[test]
fn flow_one_brings_two_users_together() {
    let mut stage = Stage::new();
    let [of_a, of_b, ..] = brought_together(&mut stage);
    stage.part(of_a, of_b);
}

#[test]
fn flow_three_gives_the_first_a_black_hole_until_the_second_is_there() {
    let mut stage = Stage::new();
    let of_a = stage.call(A, None);
    let (at_a, _) = stage.incoming(A);
    stage.act(A, |agent, now| agent.answer(now, at_a, Some(sdp("v=0 offer1")))).unwrap();
    stage.answered(of_a, Description::Offer);
    stage.act(C, |agent, now| agent.acknowledge(now, of_a, Some(sdp("v=0 hole")))).unwrap();
    assert_eq!(stage.established(A).unwrap(), "v=0 hole");
    bring_second(&mut stage, of_a, at_a);
}

#[test]
fn flow_four_calls_the_first_without_media() {
    let mut stage = Stage::new();
    let of_a = stage.call(A, Some(sdp("v=0 no media")));
    let (at_a, _) = stage.incoming(A);
    stage.act(A, |agent, now| agent.answer(now, at_a, Some(sdp("v=0 none")))).unwrap();
    stage.answered(of_a, Description::Answer);
    assert_eq!(stage.established(A), None);
    bring_second(&mut stage, of_a, at_a);
}

/// The end of flows III and IV: the offer of the second goes to the first in a re-INVITE, and the
/// answer to that into the ACK to the second.
fn bring_second(stage: &mut Stage, of_a: CallId, at_a: CallId) {
    let of_b = stage.call(B, None);
    let (at_b, _) = stage.incoming(B);
    stage.wait(Duration::from_secs(9));
    stage.act(B, |agent, now| agent.answer(now, at_b, Some(sdp("v=0 offer2")))).unwrap();
    let offer = stage.answered(of_b, Description::Offer);
    stage.act(C, |agent, now| agent.reinvite(now, of_a, Some(offer))).unwrap();
    assert_eq!(stage.reinvited(A), "v=0 offer2");
    stage.act(A, |agent, now| agent.answer(now, at_a, Some(sdp("v=0 answer2")))).unwrap();
    let answer = stage.answered(of_a, Description::Answer);
    stage.act(C, |agent, now| agent.acknowledge(now, of_b, Some(answer))).unwrap();
    assert_eq!(stage.established(A), None);
    assert_eq!(stage.established(B).unwrap(), "v=0 answer2");
    std::mem::replace(stage, Stage::new()).part(of_a, of_b);
}

/// §6: the first has answered, the second does not want to.
#[test]
fn who_waits_for_a_call_that_is_refused_is_let_go() {
    let mut stage = Stage::new();
    let of_a = stage.call(A, None);
    let (at_a, _) = stage.incoming(A);
    stage.act(A, |agent, now| agent.answer(now, at_a, Some(sdp("v=0 offer1")))).unwrap();
    let offer = stage.answered(of_a, Description::Offer);
    stage.call(B, Some(offer));
    let (at_b, _) = stage.incoming(B);
    stage.act(B, |agent, now| agent.reject(now, at_b, StatusCode::BUSY_HERE)).unwrap();
    assert!(matches!(stage.ended(C), End::Rejected { status: StatusCode::BUSY_HERE, .. }));
    assert_eq!(stage.ended(B), End::Refused { status: StatusCode::BUSY_HERE });
    stage.act(C, |agent, now| agent.hang_up(now, of_a)).unwrap();
    assert_eq!(stage.established(A), None);
    assert_eq!((stage.ended(A), stage.ended(C)), (End::PeerHungUp, End::HungUp));
    stage.finish();
}

/// §7: a user changes its session, and the controller asks the other before it answers.
#[test]
fn a_change_of_one_user_goes_through_to_the_other() {
    let mut stage = Stage::new();
    let [of_a, of_b, at_a, at_b] = brought_together(&mut stage);
    stage.act(A, |agent, now| agent.reinvite(now, at_a, Some(sdp("v=0 offer3")))).unwrap();
    let offer = stage.reinvited(C);
    stage.act(C, |agent, now| agent.reinvite(now, of_b, Some(sdp(offer)))).unwrap();
    assert_eq!(stage.reinvited(B), "v=0 offer3");
    stage.act(B, |agent, now| agent.answer(now, at_b, Some(sdp("v=0 answer3")))).unwrap();
    let answer = stage.answered(of_b, Description::Answer);
    stage.act(C, |agent, now| agent.answer(now, of_a, Some(answer))).unwrap();
    let told = stage.told(A);
    let Event::ReinviteAnswered { description, response, .. } = told else { panic!("{told:?}") };
    assert_eq!((description, &response.body()[..]), (Description::Answer, &b"v=0 answer3"[..]));
    assert_eq!((stage.established(B), stage.established(C)), (None, None));
    stage.part(of_a, of_b);
}
