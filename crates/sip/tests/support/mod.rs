//! Two user agents on a virtual wire, and what their users do.
//!
//! Every message takes [`LATENCY`]; a test decides the fate of each by its number. Users act on a
//! script. Each message sent is checked to be valid SIP, each call to end exactly once.
#![allow(dead_code, reason = "each test file uses its own part")]

pub(crate) mod raw;

use std::{
    collections::{BTreeMap, HashSet},
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use offhook_sansio::{Datagram, Flow, Machine, Protocol, Random, Transmit};
use offhook_sip::{Body, CallId, Config, End, Error, Event, Invite, UserAgent};
use offhook_sip_message::{
    Message, NameAddr, ParseOptions, Reason, StatusCode, ValidRequest, ValidResponse,
};
use offhook_testkit::Auditor;

pub(crate) const LATENCY: Duration = Duration::from_millis(20);
pub(crate) const ALICE: usize = 0;
pub(crate) const BOB: usize = 1;

/// What a user does.
#[derive(Clone, Debug)]
pub(crate) enum Do {
    Ring,
    Answer,
    Reject(u16),
    HangUp,
    HangUpBecause(Reason),
    Reinvite,
    /// Sends a provisional response with an answer.
    Early,
    Prack,
    Update,
    Refresh,
    AnswerOffer,
    RejectOffer(u16),
}

/// What a user reacts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum On {
    Placed,
    Incoming,
    Progress,
    Answered,
    Established,
    Reinvited,
    ReinviteAnswered,
    ReinviteRejected,
    ProgressAcknowledged,
    Updated,
    UpdateAnswered,
    Refreshed,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Arrives,
    Lost,
    Twice,
    Late(Duration),
}

/// The message with this number, in order of sending, meets this fate.
pub(crate) type Fates = Box<dyn FnMut(usize, &str) -> Fate>;

pub(crate) struct Net {
    pub(crate) start: Instant,
    pub(crate) now: Instant,
    pub(crate) agents: [UserAgent; 2],
    /// What happened, by whom.
    pub(crate) events: Vec<(usize, Event)>,
    /// First lines with their CSeq method, in order of sending, by whom.
    pub(crate) sent: Vec<(Duration, usize, String)>,
    pub(crate) messages: Vec<(usize, Bytes)>,
    pub(crate) fates: Fates,
    /// Judges both sides until the end of the test.
    pub(crate) auditor: Option<Auditor>,
    scripts: [Vec<(On, Duration, Do)>; 2],
    agenda: BTreeMap<(Instant, usize), Item>,
    items: usize,
    live: [HashSet<CallId>; 2],
}

enum Item {
    Arrival(usize, Flow, Bytes),
    Act(usize, CallId, Do),
}

pub(crate) fn address(side: usize) -> SocketAddr {
    ([192, 0, 2, side as u8 + 1], 5060).into()
}

pub(crate) fn body(text: &'static str) -> Body {
    Body { content_type: "application/sdp".into(), content: Bytes::from_static(text.as_bytes()) }
}

impl Net {
    pub(crate) fn new() -> Self {
        Self::with(&[Config::default(), Config::default()])
    }

    pub(crate) fn with(configs: &[Config; 2]) -> Self {
        let agent = |side: usize| {
            let config = configs[side].clone();
            let mut agent = UserAgent::new(config, Random::from_seed(side as u64));
            agent.listen(Protocol::Udp, address(side), address(side));
            agent
        };
        let start = Instant::now();
        Self {
            start,
            now: start,
            agents: [agent(ALICE), agent(BOB)],
            events: Vec::new(),
            sent: Vec::new(),
            messages: Vec::new(),
            fates: Box::new(|_, _| Fate::Arrives),
            auditor: Some(Auditor::new(start)),
            scripts: [Vec::new(), Vec::new()],
            agenda: BTreeMap::new(),
            items: 0,
            live: [HashSet::new(), HashSet::new()],
        }
    }

    /// On `on`, `side` does `act` after `seconds`.
    pub(crate) fn script(mut self, side: usize, on: On, seconds: f64, act: Do) -> Self {
        self.scripts[side].push((on, Duration::from_secs_f64(seconds), act));
        self
    }

    pub(crate) fn fates(mut self, fates: impl FnMut(usize, &str) -> Fate + 'static) -> Self {
        self.fates = Box::new(fates);
        self
    }

    /// Alice calls Bob.
    pub(crate) fn call(&mut self) -> CallId {
        self.call_with(Some(body("v=0 offer")))
    }

    pub(crate) fn call_with(&mut self, offer: Option<Body>) -> CallId {
        let flow = Flow::udp(address(ALICE), address(BOB));
        let from = NameAddr::new("sip:alice@example.com".parse().unwrap());
        let target = "sip:bob@192.0.2.2".parse().unwrap();
        self.call_by(Invite { body: offer, ..Invite::new(target, from, flow) })
    }

    /// Alice places a call.
    pub(crate) fn call_by(&mut self, invite: Invite) -> CallId {
        let call = self.agents[ALICE].invite(self.now, invite).unwrap();
        self.live[ALICE].insert(call);
        self.react(ALICE, On::Placed, call);
        self.drain();
        call
    }

    /// Does what a user does at once.
    pub(crate) fn act(&mut self, side: usize, call: CallId, act: &Do) -> Result<(), Error> {
        let (now, agent) = (self.now, &mut self.agents[side]);
        let done = match act {
            Do::Ring => agent.ring(now, call),
            // As users do: what was described early is not described again.
            Do::Answer => match agent.answer(now, call, Some(body("v=0 answer"))) {
                Err(Error::AlreadyNegotiated) => agent.answer(now, call, None),
                done => done,
            },
            Do::Reject(code) => agent.reject(now, call, StatusCode::new(*code).unwrap()),
            Do::HangUp => agent.hang_up(now, call),
            Do::HangUpBecause(reason) => agent.hang_up_because(now, call, reason.clone()),
            Do::Reinvite => agent.reinvite(now, call, Some(body("v=0 again"))),
            Do::Early => {
                agent.progress(now, call, StatusCode::SESSION_PROGRESS, Some(body("v=0 early")))
            }
            Do::Prack => agent.prack(now, call, None, Some(body("v=0 late answer"))),
            Do::Update => agent.update(now, call, None, Some(body("v=0 update"))),
            Do::Refresh => agent.update(now, call, None, None),
            Do::AnswerOffer => agent.answer_offer(now, call, None, Some(body("v=0 agreed"))),
            Do::RejectOffer(code) => {
                agent.reject_offer(now, call, None, StatusCode::new(*code).unwrap())
            }
        };
        self.drain();
        done
    }

    /// Lets bytes arrive at `side` from an address that is not the peer's.
    pub(crate) fn inject(&mut self, side: usize, from: SocketAddr, bytes: &[u8]) {
        let flow = Flow::udp(address(side), from);
        self.arrives(side, flow, bytes);
        let payload = BytesMut::from(bytes);
        self.agents[side].receive(self.now, Datagram { flow, payload });
        self.drain();
    }

    /// Runs for `seconds`, from one deadline or arrival to the next.
    pub(crate) fn run(&mut self, seconds: f64) {
        let end = self.now + Duration::from_secs_f64(seconds);
        while let Some(next) = self.next().filter(|next| *next <= end) {
            self.now = next.max(self.now);
            self.step();
        }
        self.now = end;
    }

    /// Runs until nothing is due any more, and checks that nothing is left behind.
    pub(crate) fn finish(&mut self) {
        let mut steps = 0;
        while let Some(next) = self.next() {
            assert!(steps < 5_000, "still busy: {:#?}", self.sent);
            steps += 1;
            self.now = next.max(self.now);
            self.step();
        }
        for (side, agent) in self.agents.iter().enumerate() {
            assert_eq!(agent.live_calls(), 0, "calls of {side}");
            assert_eq!(agent.live_subscriptions(), 0, "subscriptions of {side} {agent:#?}");
            assert_eq!(agent.subscription_dialogs(), 0, "dialogs of {side}");
            assert_eq!(
                agent.live_transactions(),
                0,
                "transactions of {side} {:?} {agent:#?}",
                self.sent
            );
            assert!(self.live[side].is_empty(), "no end told to {side}: {:#?}", self.sent);
        }
        let breaches = self.auditor.take().map(|auditor| auditor.finish(self.now));
        assert_eq!(breaches.unwrap_or_default(), [], "breaches of the protocol");
    }

    pub(crate) fn ends(&self, side: usize) -> Vec<End> {
        let ends = self.events.iter().filter(|(of, _)| *of == side);
        ends.filter_map(|(_, event)| match event {
            Event::Ended { end, .. } => Some(end.clone()),
            _ => None,
        })
        .collect()
    }

    /// How often `side` has sent a message that begins so.
    pub(crate) fn count(&self, side: usize, line: &str) -> usize {
        self.sent.iter().filter(|(_, of, sent)| *of == side && sent.starts_with(line)).count()
    }

    pub(crate) fn has(&self, side: usize, wanted: impl Fn(&Event) -> bool) -> bool {
        self.events.iter().any(|(of, event)| *of == side && wanted(event))
    }

    /// The last call that `side` was told of.
    pub(crate) fn call_of(&self, side: usize) -> CallId {
        let mut calls = self.events.iter().rev().filter(|(of, _)| *of == side);
        calls
            .find_map(|(_, event)| match event {
                Event::Incoming { call, .. } => Some(*call),
                _ => None,
            })
            .unwrap()
    }

    /// The calls of `side` that have not ended.
    pub(crate) fn live_calls(&self, side: usize) -> Vec<CallId> {
        let mut calls: Vec<_> = self.live[side].iter().copied().collect();
        calls.sort();
        calls
    }

    fn next(&self) -> Option<Instant> {
        let agenda = self.agenda.keys().next().map(|(at, _)| *at);
        let agents = self.agents.iter().filter_map(Machine::poll_timeout);
        agents.chain(agenda).min()
    }

    fn step(&mut self) {
        for agent in &mut self.agents {
            agent.handle_timeout(self.now);
        }
        self.drain();
        while let Some(entry) = self.agenda.first_entry().filter(|e| e.key().0 <= self.now) {
            match entry.remove() {
                Item::Arrival(side, flow, bytes) => {
                    self.arrives(side, flow, &bytes);
                    let payload = BytesMut::from(&bytes[..]);
                    self.agents[side].receive(self.now, Datagram { flow, payload });
                }
                Item::Act(side, call, act) => {
                    // A user may act on a call that has just ended or moved on.
                    let _ = self.act(side, call, &act);
                }
            }
            self.drain();
        }
    }

    pub(crate) fn drain(&mut self) {
        for side in [ALICE, BOB] {
            while let Some(transmit) = self.agents[side].poll_transmit() {
                self.sent_by(side, &transmit);
            }
            while let Some(event) = self.agents[side].poll_event() {
                self.told(side, event);
            }
        }
    }

    fn sent_by(&mut self, side: usize, transmit: &Transmit) {
        let line = checked(&transmit.payload);
        if let Some(auditor) = &mut self.auditor {
            auditor.sent(side, self.now, transmit.flow, &transmit.payload);
        }
        let number = self.sent.len();
        self.sent.push((self.now - self.start, side, line.clone()));
        self.messages.push((side, transmit.payload.clone()));
        let Some(to) = [ALICE, BOB].into_iter().find(|to| address(*to) == transmit.flow.remote)
        else {
            return;
        };
        let flow =
            Flow { local: transmit.flow.remote, remote: transmit.flow.local, ..transmit.flow };
        let delays = match (self.fates)(number, &line) {
            Fate::Arrives => vec![LATENCY],
            Fate::Lost => vec![],
            Fate::Twice => vec![LATENCY, LATENCY],
            Fate::Late(more) => vec![LATENCY + more],
        };
        for delay in delays {
            self.plan(self.now + delay, Item::Arrival(to, flow, transmit.payload.clone()));
        }
    }

    fn arrives(&mut self, side: usize, flow: Flow, bytes: &[u8]) {
        if let Some(auditor) = &mut self.auditor {
            auditor.delivered(side, self.now, flow, bytes);
        }
    }

    fn told(&mut self, side: usize, event: Event) {
        let (on, call) = match &event {
            Event::Subscription { .. }
            | Event::Refer { .. }
            | Event::Subscriber { .. }
            | Event::Referral { .. } => return self.events.push((side, event)),
            Event::Incoming { call, .. } => {
                assert!(self.live[side].insert(*call), "told twice of {call:?}");
                (Some(On::Incoming), *call)
            }
            Event::Progress { call, .. } => (Some(On::Progress), *call),
            Event::Answered { call, .. } => (Some(On::Answered), *call),
            Event::Established { call, .. } => (Some(On::Established), *call),
            Event::Refreshed { call, .. } => (Some(On::Refreshed), *call),
            Event::Reinvited { call, .. } => (Some(On::Reinvited), *call),
            Event::ReinviteAnswered { call, .. } => (Some(On::ReinviteAnswered), *call),
            Event::ReinviteRejected { call, .. } => (Some(On::ReinviteRejected), *call),
            Event::ProgressAcknowledged { call, .. } => (Some(On::ProgressAcknowledged), *call),
            Event::Updated { call, .. } => (Some(On::Updated), *call),
            Event::UpdateAnswered { call, .. } => (Some(On::UpdateAnswered), *call),
            Event::ReinviteCancelled { call }
            | Event::ReinviteProgress { call, .. }
            | Event::Redirected { call, .. }
            | Event::OfferExpired { call, .. }
            | Event::UpdateRejected { call, .. }
            | Event::Info { call, .. }
            | Event::InfoAnswered { call, .. }
            | Event::InfoFailed { call, .. }
            | Event::Ended { call, .. } => (None, *call),
            Event::Response { .. }
            | Event::Failed { .. }
            | Event::Requested { .. }
            | Event::Registration { .. }
            | Event::Publication { .. } => panic!("outside of calls: {event:?}"),
        };
        assert!(self.live[side].contains(&call), "{event:?} of a call that is over");
        if matches!(event, Event::Ended { .. }) {
            self.live[side].remove(&call);
        }
        self.events.push((side, event));
        if let Some(on) = on {
            self.react(side, on, call);
        }
    }

    fn react(&mut self, side: usize, on: On, call: CallId) {
        let script = self.scripts[side].clone();
        for (_, after, act) in script.into_iter().filter(|(event, ..)| *event == on) {
            self.plan(self.now + after, Item::Act(side, call, act));
        }
    }

    fn plan(&mut self, at: Instant, item: Item) {
        self.items += 1;
        self.agenda.insert((at, self.items), item);
    }
}

/// Checks that a message is valid, and gives its first line with the method of its CSeq.
fn checked(payload: &Bytes) -> String {
    let options = ParseOptions::default();
    match Message::parse(payload.clone()).unwrap() {
        Message::Request(request) => {
            let request = ValidRequest::new(request, &options).unwrap();
            request.method().as_str().to_owned()
        }
        Message::Response(response) => {
            let status = response.status();
            let response = match ValidResponse::new(response, &options) {
                Ok(response) => response,
                // It copies the very field that was malformed.
                Err(_) if status == StatusCode::BAD_REQUEST => return "400".into(),
                Err(error) => panic!("{error}"),
            };
            format!("{} {}", response.status().as_u16(), response.cseq().method)
        }
    }
}
