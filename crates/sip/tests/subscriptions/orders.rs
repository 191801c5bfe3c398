//! Whatever happens in whatever order, the end is told once, and nothing is left.

use std::time::Duration;

use offhook_sip::{
    Event, SubscriberEvent, SubscriberId, SubscriptionEvent, SubscriptionId, SubscriptionLoss,
};
use offhook_sip_message::{EventReason, StatusCode};

use crate::{
    peer::{asks, asks_in, is, nothing_is_left, notifier, notify, subscribe, text, wanted},
    support::raw::{Raw, field, respond, tag_of},
};

/// Calls `visit` with each order of `items`.
fn permute<T: Copy>(items: &mut [T], from: usize, visit: &mut impl FnMut(&[T])) {
    if from == items.len() {
        return visit(items);
    }
    for other in from..items.len() {
        items.swap(from, other);
        permute(items, from + 1, visit);
        items.swap(from, other);
    }
}

#[derive(Clone, Copy, Debug)]
enum Happens {
    /// The last request of ours is answered so.
    Answer(&'static str),
    /// The peer notifies.
    Notify(&'static str),
    /// Another fork notifies.
    Fork,
    Wait(u64),
    FlowFails,
    Leave,
}

use Happens::{Answer, FlowFails, Fork, Leave, Notify, Wait};

/// A subscription of ours, and what is known of it from outside.
struct Ours {
    raw: Raw,
    id: SubscriptionId,
    first: String,
    last: String,
    cseq: u32,
    ended: Vec<SubscriptionId>,
}

impl Ours {
    fn new() -> Self {
        let mut raw = Raw::new();
        let (id, first) = subscribe(&mut raw, wanted());
        Self { raw, id, last: first.clone(), first, cseq: 0, ended: Vec::new() }
    }

    fn look(&mut self, sent: Vec<String>) {
        for message in sent.into_iter().filter(|message| is(message, "SUBSCRIBE")) {
            if !field(&message, "To").contains("tag") {
                self.first.clone_from(&message);
            }
            self.last = message;
        }
        for event in std::mem::take(&mut self.raw.events) {
            let Event::Subscription { subscription, event } = event else { panic!("{event:?}") };
            assert!(!self.ended.contains(&subscription), "told after the end: {event:?}");
            if let SubscriptionEvent::Ended { .. } = event {
                self.ended.push(subscription);
            }
        }
    }

    fn happens(&mut self, what: Happens) {
        self.cseq += 1;
        let sent = match what {
            Answer(status) => {
                let tag = if field(&self.last, "To").contains("tag") { "" } else { "bob" };
                self.raw.send(&respond(&self.last.clone(), status, tag, "Expires: 600\n"))
            }
            Notify(state) => self.raw.send(&notify(&self.first.clone(), "bob", self.cseq, state)),
            Fork => {
                let state = "active;expires=90";
                self.raw.send(&notify(&self.first.clone(), "carol", self.cseq, state))
            }
            Wait(seconds) => self.raw.wait(seconds * 1000),
            FlowFails => {
                self.raw.agent.transport_failed(self.raw.now, wanted().flow);
                self.raw.drain()
            }
            Leave => {
                let _ = self.raw.agent.unsubscribe(self.raw.now, self.id);
                self.raw.drain()
            }
        };
        self.look(sent);
    }

    /// The owner leaves, nobody answers, and all is over.
    fn finish(mut self) {
        self.happens(Leave);
        self.happens(Wait(200));
        assert!(self.ended.contains(&self.id));
        nothing_is_left(&self.raw.agent);
    }
}

fn ours_in_every_order(items: &mut [Happens]) -> usize {
    let mut count = 0;
    permute(items, 0, &mut |order| {
        let mut ours = Ours::new();
        order.iter().for_each(|what| ours.happens(*what));
        ours.finish();
        count += 1;
    });
    count
}

#[test]
fn a_subscription_of_ours_ends_well_in_every_order() {
    let ok = Answer("200 OK");
    let active = Notify("active;expires=100");
    let gone = Notify("terminated;reason=deactivated");
    assert_eq!(ours_in_every_order(&mut [ok, active, Fork, Wait(40), Leave]), 120);
    assert_eq!(ours_in_every_order(&mut [ok, active, gone, Wait(60), Leave]), 120);
    assert_eq!(ours_in_every_order(&mut [ok, active, FlowFails, Wait(95), Fork]), 120);
    assert_eq!(ours_in_every_order(&mut [active, Answer("481 Gone"), Wait(51), ok, Leave]), 120);
    let late = Notify("terminated;reason=noresource");
    assert_eq!(ours_in_every_order(&mut [ok, Answer("500 Oops"), active, late, Wait(33)]), 120);
}

#[derive(Clone, Copy, Debug)]
enum There {
    Accept,
    Pend,
    Reject,
    Tell,
    End,
    Answered(&'static str),
    Refresh,
    Unsubscribe,
    Time(u64),
}

/// A subscription of another, and what is known of it from outside.
struct Theirs {
    raw: Raw,
    id: SubscriberId,
    tag: String,
    last: String,
    cseq: u32,
    ends: usize,
}

impl Theirs {
    fn new() -> Self {
        let mut raw = notifier();
        raw.send(&asks(1, "Event: presence\nExpires: 100\n"));
        let (id, _) = crate::peer::asked(&mut raw);
        Self { raw, id, tag: "none".into(), last: String::new(), cseq: 1, ends: 0 }
    }

    fn look(&mut self, sent: Vec<String>) {
        for message in sent {
            if is(&message, "NOTIFY") {
                self.last = message;
            } else if message.contains("CSeq: 1 SUBSCRIBE") && !message.contains(" 100 Trying") {
                self.tag = tag_of(&message);
            }
        }
        for event in std::mem::take(&mut self.raw.events) {
            let Event::Subscriber { event, .. } = event else { panic!("{event:?}") };
            assert_eq!(self.ends, 0, "told after the end: {event:?}");
            self.ends += usize::from(matches!(event, SubscriberEvent::Ended { .. }));
        }
    }

    fn happens(&mut self, what: There) {
        let (now, id) = (self.raw.now, self.id);
        let agent = &mut self.raw.agent;
        // A verb may come too late, or too early.
        let sent = match what {
            There::Accept => {
                let _ = agent.accept_subscription(now, id, None, Some(text("open")));
                self.raw.drain()
            }
            There::Pend => {
                let _ = agent.pend_subscription(now, id, None, None);
                self.raw.drain()
            }
            There::Reject => {
                let _ = agent.reject_subscription(now, id, StatusCode::FORBIDDEN, &[]);
                self.raw.drain()
            }
            There::Tell => {
                let _ = agent.notify(now, id, Some(text("more")));
                self.raw.drain()
            }
            There::End => {
                let _ = agent.terminate_subscription(now, id, EventReason::Noresource, None, None);
                self.raw.drain()
            }
            There::Answered(status) if !self.last.is_empty() => {
                self.raw.send(&respond(&self.last.clone(), status, "", ""))
            }
            There::Answered(_) => Vec::new(),
            There::Refresh => self.asks("Event: presence\nExpires: 100\n"),
            There::Unsubscribe => self.asks("Event: presence\nExpires: 0\n"),
            There::Time(seconds) => self.raw.wait(seconds * 1000),
        };
        self.look(sent);
    }

    fn asks(&mut self, more: &str) -> Vec<String> {
        self.cseq += 1;
        self.raw.send(&asks_in(&self.tag.clone(), self.cseq, more))
    }

    fn finish(mut self) {
        self.happens(There::Time(300));
        assert_eq!(self.ends, 1, "the end is told once");
        nothing_is_left(&self.raw.agent);
    }
}

fn theirs_in_every_order(items: &mut [There]) -> usize {
    let mut count = 0;
    permute(items, 0, &mut |order| {
        let mut theirs = Theirs::new();
        order.iter().for_each(|what| theirs.happens(*what));
        theirs.finish();
        count += 1;
    });
    count
}

#[test]
fn a_subscription_of_another_ends_well_in_every_order() {
    use There::{Accept, Answered, End, Pend, Refresh, Reject, Tell, Time, Unsubscribe};
    let ok = Answered("200 OK");
    assert_eq!(theirs_in_every_order(&mut [Accept, ok, Tell, Refresh, Unsubscribe]), 120);
    assert_eq!(theirs_in_every_order(&mut [Pend, Accept, ok, Time(20), End]), 120);
    assert_eq!(theirs_in_every_order(&mut [Accept, Tell, Answered("481 Gone"), Refresh, End]), 120);
    assert_eq!(theirs_in_every_order(&mut [Reject, Accept, ok, Unsubscribe, Time(90)]), 120);
    let later = Answered("503 Busy");
    assert_eq!(theirs_in_every_order(&mut [Accept, later, Tell, Time(40), Refresh]), 120);
}

#[test]
fn a_loss_says_why() {
    let mut ours = Ours::new();
    ours.raw.wait(40_000);
    let why = ours.raw.events.iter().find_map(|event| match event {
        Event::Subscription { event: SubscriptionEvent::Lost { why, retry_in }, .. } => {
            assert!(*retry_in >= Duration::from_secs(30));
            Some(why)
        }
        _ => None,
    });
    assert!(matches!(why, Some(SubscriptionLoss::NotNotified)), "Timer N and F: {why:?}");
}
