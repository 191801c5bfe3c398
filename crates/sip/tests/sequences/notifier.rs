//! A subscription of another.

use offhook_sip::{Config, Event, EventPackage, SubscriberEvent, SubscriberId};
use offhook_sip_message::StatusCode;

use crate::{
    every::{Stage, all, many},
    peer::Peer,
    side::{Side, Subject, udp},
    support::{
        body,
        raw::{field, request, respond, tag_of},
    },
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Happens {
    Accept,
    Reject,
    Tell,
    /// The last NOTIFY is answered with 200.
    Accepted,
    /// It is answered with 481.
    Lost,
    Refreshed,
    Unsubscribed,
    Again,
    Silence,
    FlowFails,
}

use Happens::{
    Accept, Accepted, Again, FlowFails, Lost, Refreshed, Reject, Silence, Tell, Unsubscribed,
};

struct Notifier {
    side: Side,
    id: SubscriberId,
    peer: Peer,
}

impl Stage for Notifier {
    type Happens = Happens;
    const ALL: &'static [Happens] =
        &[Accept, Reject, Tell, Accepted, Lost, Refreshed, Unsubscribed, Again, Silence, FlowFails];
    const BEGINNINGS: usize = 1;

    fn begin(_: usize) -> Self {
        let event_packages = vec![EventPackage::PRESENCE];
        let mut side = Side::new(Config { event_packages, ..Config::default() });
        side.hear(&request("SUBSCRIBE", "z9hG4bKs", 1, "", ASKS));
        let told = side.events.drain(..).find_map(|event| match event {
            Event::Subscriber { subscriber, event: SubscriberEvent::Requested { .. } } => {
                Some(subscriber)
            }
            _ => None,
        });
        Self { side, id: told.unwrap(), peer: Peer::of_request("none") }
    }

    fn happens(&mut self, what: Happens) {
        let (now, id, agent) = (self.side.now, self.id, &mut self.side.agent);
        match what {
            Accept => {
                let _ = agent.accept_subscription(now, id, None, Some(body("open")));
            }
            Reject => {
                let _ = agent.reject_subscription(now, id, StatusCode::FORBIDDEN, &[]);
            }
            Tell => drop(agent.notify(now, id, Some(body("more")))),
            Accepted => self.respond("200 OK"),
            Lost => self.respond("481 Gone"),
            Refreshed => self.asks(ASKS),
            Unsubscribed => self.asks("Event: presence\nExpires: 0\n"),
            Again => self.side.hear_again(),
            Silence => self.side.wait(40),
            FlowFails => self.side.fail(udp()),
        }
        self.side.drain();
        let is_it = |it: &&str| field(it, "CSeq") == "1 SUBSCRIBE" && it.contains(";tag=");
        if let Some(said) = self.side.responses().find(|it| is_it(it) && !it.contains(" 100 ")) {
            let mut peer = Peer::of_request(&tag_of(said));
            peer.cseq = self.peer.cseq;
            self.peer = peer;
        }
    }

    fn finish(mut self) {
        self.side.wait(300);
        assert!(self.side.is_over(Subject::Subscriber(self.id)));
        self.side.finish(300);
    }
}

impl Notifier {
    fn asks(&mut self, more: &str) {
        let subscribe = self.peer.asks("SUBSCRIBE", more);
        self.side.hear(&subscribe);
    }

    fn respond(&mut self, status: &str) {
        let Some(last) = self.side.last("NOTIFY").map(str::to_owned) else { return };
        self.side.hear(&respond(&last, status, "", ""));
    }
}

const ASKS: &str = "Event: presence\nExpires: 100\n";

#[test]
fn a_subscription_of_another_ends_well_whatever_happens() {
    many::<Notifier>();
}

#[test]
#[ignore = "takes minutes"]
fn a_subscription_of_another_ends_well_whatever_six_things_happen() {
    all::<Notifier>();
}
