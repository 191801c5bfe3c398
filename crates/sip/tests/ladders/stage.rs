//! User agents by name, on a wire that loses nothing.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use offhook_sansio::{Datagram, Flow, Machine, Protocol, Random, Transmit};
use offhook_sip::{
    Body, CallId, Config, Event, EventPackage, Invite, Refer, ReferId, ReferralEvent, ReferralId,
    SubscriberEvent, SubscriberId, Subscription, SubscriptionId, UserAgent,
};
use offhook_sip_message::{HeaderName, Method, NameAddr, StatusCode, Text, Uri};
use offhook_testkit::Auditor;

use crate::printed::{Ladder, kind, ladder, note};

pub(crate) struct Stage {
    pub(crate) now: Instant,
    parties: Vec<Party>,
    wire: VecDeque<(usize, Flow, Bytes)>,
    said: Ladder,
    auditor: Auditor,
}

struct Party {
    name: &'static str,
    agent: UserAgent,
    events: Vec<Event>,
    calls: Vec<CallId>,
}

impl Stage {
    pub(crate) fn new(names: &[&'static str]) -> Self {
        let now = Instant::now();
        let parties = names.iter().enumerate().map(|(side, name)| {
            let config = Config {
                event_packages: vec![EventPackage::REFER, EventPackage::DIALOG],
                answered_by_owner: vec![Method::MESSAGE],
                max_redirects: 1,
                join: true,
                ..Config::default()
            };
            let mut agent = UserAgent::new(config, Random::from_seed(side as u64));
            agent.listen(Protocol::Udp, address(side), address(side));
            Party { name, agent, events: Vec::new(), calls: Vec::new() }
        });
        let (wire, said) = (VecDeque::new(), Ladder::new());
        Self { now, parties: parties.collect(), wire, said, auditor: Auditor::new(now) }
    }

    /// Calls, and gives both ends of the call.
    pub(crate) fn call(&mut self, from: &str, to: &str) -> (CallId, CallId) {
        self.call_with(from, to, Some(session()), &[])
    }

    pub(crate) fn call_with(
        &mut self,
        from: &str,
        to: &str,
        body: Option<Body>,
        headers: &[(HeaderName, Text)],
    ) -> (CallId, CallId) {
        let flow = self.flow(from, to);
        let invite = Invite::new(uri(flow.remote), name_addr(from), flow);
        let invite = Invite { body, headers: headers.to_vec(), ..invite };
        let placed = self.act(from, |agent, now| agent.invite(now, invite));
        (placed, self.incoming(to))
    }

    /// A call that stands.
    pub(crate) fn standing(&mut self, from: &str, to: &str) -> (CallId, CallId) {
        let (placed, taken) = self.call(from, to);
        self.act(to, |agent, now| agent.ring(now, taken));
        self.answer(to, taken);
        (placed, taken)
    }

    pub(crate) fn answer(&mut self, who: &str, call: CallId) {
        self.act(who, |agent, now| agent.answer(now, call, Some(session())));
    }

    /// Offers another session; the far side agrees.
    pub(crate) fn reinvite(&mut self, who: &str, call: CallId) {
        self.act(who, |agent, now| agent.reinvite(now, call, Some(session())));
    }

    pub(crate) fn hang_up(&mut self, who: &str, call: CallId) {
        self.act(who, |agent, now| agent.hang_up(now, call));
    }

    pub(crate) fn refer(&mut self, who: &str, call: CallId, refer: Refer) -> ReferId {
        self.act(who, |agent, now| agent.refer(now, call, refer))
    }

    /// The reference that `who` was asked for last.
    pub(crate) fn referral(&mut self, who: &str) -> ReferralId {
        let found = self.party(who).events.iter().rev().find_map(|event| match event {
            Event::Referral { referral, event: ReferralEvent::Requested(_) } => Some(*referral),
            _ => None,
        });
        found.expect("nobody was referred")
    }

    pub(crate) fn report(&mut self, who: &str, referral: ReferralId, status: u16) {
        let status = StatusCode::new(status).unwrap();
        self.act(who, |agent, now| agent.report_refer(now, referral, status));
    }

    /// Asks for the calls of `to` (RFC 4235).
    pub(crate) fn watch(&mut self, from: &str, to: &str, seconds: u64) -> SubscriptionId {
        let flow = self.flow(from, to);
        let event = EventPackage::DIALOG.event();
        let wanted = Subscription::new(uri(flow.remote), event, name_addr(from), flow);
        let wanted = Subscription { expires: Duration::from_secs(seconds), ..wanted };
        self.act(from, |agent, now| agent.subscribe(now, wanted))
    }

    /// Tells the calls to the one who has asked last.
    pub(crate) fn show(&mut self, who: &str) -> SubscriberId {
        let found = self.party(who).events.iter().rev().find_map(|event| match event {
            Event::Subscriber { subscriber, event: SubscriberEvent::Requested { .. } } => {
                Some(*subscriber)
            }
            _ => None,
        });
        let subscriber = found.expect("nobody has subscribed");
        self.act(who, |agent, now| {
            agent.accept_subscription(now, subscriber, None, Some(dialogs()))
        });
        subscriber
    }

    /// What `who` does, and all that follows from it.
    pub(crate) fn act<T>(
        &mut self,
        who: &str,
        act: impl FnOnce(&mut UserAgent, Instant) -> Result<T, offhook_sip::Error>,
    ) -> T {
        let now = self.now;
        let done = act(&mut self.party(who).agent, now).unwrap();
        self.settle();
        done
    }

    /// The last call that has come to `who`.
    pub(crate) fn incoming(&mut self, who: &str) -> CallId {
        *self.party(who).calls.last().expect("nobody has called")
    }

    pub(crate) fn events(&mut self, who: &str) -> &[Event] {
        &self.party(who).events
    }

    pub(crate) fn flow(&self, from: &str, to: &str) -> Flow {
        let side = |name: &str| self.parties.iter().position(|it| it.name == name).unwrap();
        Flow::udp(address(side(from)), address(side(to)))
    }

    /// The ladder is that of the RFC; what stands is hung up, nothing is left, and no rule was broken.
    pub(crate) fn is(mut self, rfc: &str, section: &str) {
        let (printed, said) = (ladder(rfc, section), std::mem::take(&mut self.said));
        assert_eq!(said, printed, "{rfc} {section}");
        for side in 0..self.parties.len() {
            for call in std::mem::take(&mut self.parties[side].calls) {
                // Some are over.
                let _ = self.parties[side].agent.hang_up(self.now, call);
            }
        }
        self.settle();
        while let Some(next) = self.parties.iter().filter_map(|it| it.agent.poll_timeout()).min() {
            self.now = next.max(self.now);
            let now = self.now;
            self.parties.iter_mut().for_each(|party| party.agent.handle_timeout(now));
            self.settle();
        }
        for Party { name, agent, .. } in &self.parties {
            let left = (agent.live_calls(), agent.live_subscriptions(), agent.live_transactions());
            assert_eq!(left, (0, 0, 0), "{name}");
        }
        assert_eq!(self.auditor.finish(self.now), []);
    }

    fn party(&mut self, name: &str) -> &mut Party {
        self.parties.iter_mut().find(|party| party.name == name).unwrap()
    }

    /// Carries all that is under way, each message in ten milliseconds.
    fn settle(&mut self) {
        loop {
            (0..self.parties.len()).for_each(|side| self.drain(side));
            let Some((to, flow, payload)) = self.wire.pop_front() else { break };
            self.now += Duration::from_millis(10);
            self.auditor.delivered(to, self.now, flow, &payload);
            let payload = BytesMut::from(&payload[..]);
            self.parties[to].agent.receive(self.now, Datagram { flow, payload });
        }
    }

    fn drain(&mut self, side: usize) {
        while let Some(event) = self.parties[side].agent.poll_event() {
            self.hear(side, event);
        }
        while let Some(Transmit { flow, payload }) = self.parties[side].agent.poll_transmit() {
            self.auditor.sent(side, self.now, flow, &payload);
            let to = (0..self.parties.len()).find(|to| address(*to) == flow.remote).unwrap();
            let kind = kind(std::str::from_utf8(&payload).unwrap());
            if !kind.starts_with("100 ") {
                note(&mut self.said, self.parties[side].name, self.parties[to].name, &kind);
            }
            self.wire.push_back((to, Flow::udp(flow.remote, flow.local), payload));
        }
    }

    /// What telephones do by themselves: they agree to other sessions.
    fn hear(&mut self, side: usize, event: Event) {
        let (now, party) = (self.now, &mut self.parties[side]);
        match &event {
            Event::Incoming { call, .. } => party.calls.push(*call),
            Event::Reinvited { call, .. } => {
                party.agent.answer(now, *call, Some(session())).unwrap();
            }
            _ => {}
        }
        party.events.push(event);
    }
}

pub(crate) fn session() -> Body {
    let content = Bytes::from_static(b"v=0\r\n");
    Body { content_type: "application/sdp".into(), content }
}

pub(crate) fn dialogs() -> Body {
    let content = Bytes::from_static(b"<dialog-info/>");
    Body { content_type: "application/dialog-info+xml".into(), content }
}

pub(crate) fn name_addr(name: &str) -> NameAddr {
    let user = name.to_ascii_lowercase().replace(' ', "-");
    NameAddr::new(format!("sip:{user}@example.com").parse().unwrap())
}

pub(crate) fn uri(address: SocketAddr) -> Uri {
    format!("sip:{address}").parse().unwrap()
}

fn address(side: usize) -> SocketAddr {
    ([192, 0, 2, side as u8 + 1], 5060).into()
}
