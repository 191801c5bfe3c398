//! One user agent under the eyes of the auditor, and a peer that writes its messages by hand.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use offhook_sansio::{Datagram, Flow, Machine, Protocol, Random, Transmit};
use offhook_sip::{
    CallId, Config, Description, Event, PublicationEvent, PublicationId, ReferEvent, ReferId,
    ReferralEvent, ReferralId, RegistrationEvent, RegistrationId, RequestId, SubscriberEvent,
    SubscriberId, SubscriptionEvent, SubscriptionId, UserAgent,
};
use offhook_testkit::Auditor;

use crate::support::{
    body,
    raw::{ours, theirs},
};

pub(crate) struct Side {
    pub(crate) now: Instant,
    pub(crate) agent: UserAgent,
    auditor: Auditor,
    /// What was sent, the latest last.
    pub(crate) said: Vec<(Flow, Bytes)>,
    /// What was told since the last look.
    pub(crate) events: Vec<Event>,
    /// What came from the peer last.
    heard: Option<(Flow, Vec<u8>)>,
    answered: Vec<CallId>,
    /// Our re-INVITEs whose outcome was not told so far.
    reinvites: usize,
    over: Vec<Subject>,
}

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Subject {
    Call(CallId),
    Request(RequestId),
    Registration(RegistrationId),
    Publication(PublicationId),
    Subscription(SubscriptionId),
    Refer(ReferId),
    Subscriber(SubscriberId),
    Referral(ReferralId),
}

pub(crate) fn udp() -> Flow {
    Flow::udp(ours(), theirs())
}

impl Side {
    pub(crate) fn new(config: Config) -> Self {
        let mut agent = UserAgent::new(config, Random::from_seed(7));
        for protocol in [Protocol::Udp, Protocol::Tcp] {
            agent.listen(protocol, ours(), ours());
        }
        let now = Instant::now();
        let (auditor, heard) = (Auditor::new(now), None);
        let (said, events, answered, over) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { now, agent, auditor, said, events, heard, answered, reinvites: 0, over }
    }

    /// The peer sends `text`, with its line ends made CRLF.
    pub(crate) fn hear(&mut self, text: &str) {
        self.hear_on(udp(), text);
    }

    pub(crate) fn hear_on(&mut self, flow: Flow, text: &str) {
        let mut bytes = Vec::with_capacity(text.len() + 32);
        for line in text.split_inclusive('\n') {
            let bare = line.trim_end_matches(['\r', '\n']);
            bytes.extend_from_slice(bare.as_bytes());
            if line.ends_with('\n') {
                bytes.extend_from_slice(b"\r\n");
            }
        }
        self.heard = Some((flow, bytes));
        self.hear_again();
    }

    /// What the peer has sent last comes again.
    pub(crate) fn hear_again(&mut self) {
        let Some((flow, bytes)) = &self.heard else { return };
        self.auditor.delivered(0, self.now, *flow, bytes);
        let payload = BytesMut::from(&bytes[..]);
        self.agent.receive(self.now, Datagram { flow: *flow, payload });
        self.drain();
    }

    /// What this side has sent last cannot be sent.
    pub(crate) fn unsent(&mut self) {
        let Some((flow, payload)) = self.said.last().cloned() else { return };
        if payload.starts_with(b"SIP/2.0 ") {
            self.agent.response_failed(self.now, &Transmit { flow, payload });
            self.drain();
        } else {
            self.fail(flow);
        }
    }

    /// Requests cannot be sent on `flow`.
    pub(crate) fn fail(&mut self, flow: Flow) {
        self.auditor.failed(0, self.now, flow);
        self.agent.transport_failed(self.now, flow);
        self.drain();
    }

    pub(crate) fn wait(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        while let Some(next) = self.agent.poll_timeout().filter(|next| *next <= end) {
            self.now = next.max(self.now);
            self.agent.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    pub(crate) fn drain(&mut self) {
        while let Some(event) = self.agent.poll_event() {
            self.told(event);
        }
        while let Some(Transmit { flow, payload }) = self.agent.poll_transmit() {
            self.auditor.sent(0, self.now, flow, &payload);
            self.said.push((flow, payload));
        }
    }

    /// Nothing is told after the end, and no call is answered twice.
    fn told(&mut self, event: Event) {
        let (subject, ends) = subject(&event);
        assert!(!self.over.contains(&subject), "told after the end: {event:?}");
        if ends {
            self.over.push(subject);
        }
        if let Event::Answered { call, .. } = &event {
            assert!(!self.answered.contains(call), "answered twice");
            self.answered.push(*call);
        }
        if matches!(event, Event::ReinviteAnswered { .. } | Event::ReinviteRejected { .. }) {
            let left = self.reinvites.checked_sub(1);
            self.reinvites = left.expect("an outcome of nothing");
        }
        self.events.push(event);
    }

    /// Asks to modify the session.
    pub(crate) fn reinvite(&mut self, call: CallId) {
        let asked = self.agent.reinvite(self.now, call, Some(body("v=0 again")));
        self.reinvites += usize::from(asked.is_ok());
        self.drain();
    }

    pub(crate) fn is_over(&self, subject: Subject) -> bool {
        self.over.contains(&subject)
    }

    /// The last message sent that begins so.
    pub(crate) fn last(&self, begins: &str) -> Option<&str> {
        self.last_on(begins).map(|(_, text)| text)
    }

    pub(crate) fn last_on(&self, begins: &str) -> Option<(Flow, &str)> {
        let mut said = self.said.iter().rev();
        let (flow, found) = said.find(|(_, bytes)| bytes.starts_with(begins.as_bytes()))?;
        Some((*flow, std::str::from_utf8(found).unwrap()))
    }

    /// As users do: what the peer offers in a response is answered at once.
    pub(crate) fn answer_offers(&mut self) {
        for event in std::mem::take(&mut self.events) {
            let (now, agent, answer) = (self.now, &mut self.agent, Some(body("v=0 answer")));
            let _ = match event {
                Event::Progress { call, fork, description: Description::Offer, .. } => {
                    agent.prack(now, call, Some(fork), answer)
                }
                Event::Answered { call, description: Description::Offer, .. } => {
                    agent.acknowledge(now, call, answer)
                }
                _ => Ok(()),
            };
        }
        self.drain();
    }

    /// Hangs up whatever has come in: an INVITE that comes again when all is over is another call.
    pub(crate) fn hang_up_all(&mut self) {
        let events = std::mem::take(&mut self.events);
        for event in events {
            if let Event::Incoming { call, .. } = event {
                let _ = self.agent.hang_up(self.now, call);
            }
        }
        self.drain();
    }

    /// The responses of this side, the latest first.
    pub(crate) fn responses(&self) -> impl Iterator<Item = &str> {
        let said = self.said.iter().rev().map(|(_, bytes)| std::str::from_utf8(bytes).unwrap());
        said.filter(|text| text.starts_with("SIP/2.0 "))
    }

    /// After all time nothing is left, and no rule was broken.
    pub(crate) fn finish(mut self, seconds: u64) {
        self.wait(seconds);
        let agent = &self.agent;
        let live = [
            agent.live_calls(),
            agent.live_transactions(),
            agent.live_subscriptions(),
            agent.subscription_dialogs(),
            agent.live_registrations(),
            agent.live_publications(),
            agent.waiting_requests(),
        ];
        assert_eq!(live, [0; 7]);
        assert_eq!(agent.poll_timeout(), None);
        look_inside(agent);
        assert_eq!(self.auditor.finish(self.now).first(), None);
    }
}

/// Nothing leads to what is over. That takes time: one of many is looked at.
fn look_inside(agent: &UserAgent) {
    thread_local!(static PASSED: Cell<usize> = const { Cell::new(0) });
    let number = PASSED.replace(PASSED.get() + 1);
    if !number.is_multiple_of(16) {
        return;
    }
    let inside = format!("{agent:?}");
    for index in INDEXES {
        assert!(inside.contains(index), "{index} is not empty: {inside}");
    }
}

/// What an event is about, and whether it is the last of it.
fn subject(event: &Event) -> (Subject, bool) {
    match event {
        Event::Ended { call, .. } => (Subject::Call(*call), true),
        Event::Incoming { call, .. }
        | Event::Progress { call, .. }
        | Event::Redirected { call, .. }
        | Event::Answered { call, .. }
        | Event::Established { call, .. }
        | Event::Reinvited { call, .. }
        | Event::ReinviteCancelled { call }
        | Event::ReinviteProgress { call, .. }
        | Event::ReinviteAnswered { call, .. }
        | Event::ReinviteRejected { call, .. }
        | Event::ProgressAcknowledged { call, .. }
        | Event::Updated { call, .. }
        | Event::OfferExpired { call, .. }
        | Event::UpdateAnswered { call, .. }
        | Event::UpdateRejected { call, .. }
        | Event::Info { call, .. }
        | Event::InfoAnswered { call, .. }
        | Event::InfoFailed { call, .. }
        | Event::Refreshed { call, .. } => (Subject::Call(*call), false),
        Event::Response { request, .. } | Event::Failed { request, .. } => {
            (Subject::Request(*request), true)
        }
        Event::Registration { registration, event } => {
            let ends = matches!(event, RegistrationEvent::Unregistered { .. });
            (Subject::Registration(*registration), ends)
        }
        Event::Publication { publication, event } => {
            let ends = matches!(event, PublicationEvent::Withdrawn { .. });
            (Subject::Publication(*publication), ends)
        }
        Event::Subscription { subscription, event } => {
            let ends = matches!(event, SubscriptionEvent::Ended { .. });
            (Subject::Subscription(*subscription), ends)
        }
        Event::Refer { refer, event } => {
            (Subject::Refer(*refer), matches!(event, ReferEvent::Ended { .. }))
        }
        Event::Subscriber { subscriber, event } => {
            (Subject::Subscriber(*subscriber), matches!(event, SubscriberEvent::Ended { .. }))
        }
        Event::Referral { referral, event } => {
            (Subject::Referral(*referral), matches!(event, ReferralEvent::Ended { .. }))
        }
        Event::Requested { .. } => panic!("nobody is asked here: {event:?}"),
    }
}

/// What leads to machines, when there are none.
const INDEXES: [&str; 4] = [
    " dialogs: {}, uses: {}, late: {}, shared: {}",
    " index: {}",
    " own: {}, members: {}",
    " solicited: {}",
];
