//! A subscription of ours.

use offhook_sip::{Config, EventPackage, Subscription, SubscriptionId};
use offhook_sip_message::NameAddr;

use crate::{
    every::{Stage, all, many},
    peer::{CONTACT, Peer},
    side::{Side, Subject, udp},
    support::raw::{field, respond},
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Happens {
    /// The last SUBSCRIBE is answered with 200.
    Accepted,
    Refused,
    /// 481: the notifier knows nothing of it.
    Lost,
    Notified,
    /// The notifier ends it, and asks for another.
    Deactivated,
    /// Another fork notifies.
    Fork,
    Again,
    Silence,
    FlowFails,
    Leave,
}

use Happens::{
    Accepted, Again, Deactivated, FlowFails, Fork, Leave, Lost, Notified, Refused, Silence,
};

struct Subscriber {
    side: Side,
    id: SubscriptionId,
    /// The two who notify, of the last SUBSCRIBE outside of a dialog.
    peers: [Peer; 2],
    first: String,
}

impl Stage for Subscriber {
    type Happens = Happens;
    const ALL: &'static [Happens] =
        &[Accepted, Refused, Lost, Notified, Deactivated, Fork, Again, Silence, FlowFails, Leave];
    const BEGINNINGS: usize = 1;

    fn begin(_: usize) -> Self {
        let mut side = Side::new(Config::default());
        let target = "sip:bob@198.51.100.7:5070".parse().unwrap();
        let from = NameAddr::new("sip:alice@example.com".parse().unwrap());
        let wanted = Subscription::new(target, EventPackage::DIALOG.event(), from, udp());
        let id = side.agent.subscribe(side.now, wanted).unwrap();
        side.drain();
        let first = side.last("SUBSCRIBE").unwrap().to_owned();
        let peers = ["bob", "carol"].map(|tag| Peer::asked_by(&first, tag));
        Self { side, id, peers, first }
    }

    fn happens(&mut self, what: Happens) {
        match what {
            Accepted => self.respond("200 OK"),
            Refused => self.respond("500 Oops"),
            Lost => self.respond("481 Gone"),
            Notified => self.notify(0, "active;expires=100"),
            Deactivated => self.notify(0, "terminated;reason=deactivated"),
            Fork => self.notify(1, "active;expires=90"),
            Again => self.side.hear_again(),
            Silence => self.side.wait(40),
            FlowFails => self.side.fail(udp()),
            Leave => {
                let _ = self.side.agent.unsubscribe(self.side.now, self.id);
                self.side.drain();
            }
        }
        let Some(last) = self.side.last("SUBSCRIBE") else { return };
        let is_first = !field(last, "To").contains("tag");
        if is_first && field(last, "Call-ID") != field(&self.first, "Call-ID") {
            self.first = last.to_owned();
            let cseqs = self.peers.each_ref().map(|peer| peer.cseq);
            self.peers = ["bob", "carol"].map(|tag| Peer::asked_by(&self.first, tag));
            // No branch comes twice.
            self.peers.iter_mut().zip(cseqs).for_each(|(peer, cseq)| peer.cseq = cseq);
        }
    }

    /// The owner leaves, nobody answers, and all is over; a fork when its time is, 600 seconds at most.
    fn finish(mut self) {
        self.happens(Leave);
        self.side.wait(200);
        assert!(self.side.is_over(Subject::Subscription(self.id)));
        self.side.finish(700);
    }
}

impl Subscriber {
    fn respond(&mut self, status: &str) {
        let Some(last) = self.side.last("SUBSCRIBE").map(str::to_owned) else { return };
        let more = format!("{CONTACT}Expires: 600\n");
        let more = if status.starts_with('2') { more.as_str() } else { "" };
        self.side.hear(&respond(&last, status, "bob", more));
    }

    fn notify(&mut self, peer: usize, state: &str) {
        let more = format!("Event: dialog\nSubscription-State: {state}\n");
        let notify = self.peers[peer].asks("NOTIFY", &more);
        self.side.hear(&notify.replace("z9hG4bKNOTIFY", &format!("z9hG4bK{peer}NOTIFY")));
    }
}

#[test]
fn a_subscription_of_ours_ends_well_whatever_happens() {
    many::<Subscriber>();
}

#[test]
fn a_fork_that_is_refreshed_goes_on_until_its_time_is_over() {
    let mut subscriber = Subscriber::begin(0);
    for what in [Fork, Notified, Silence, Silence, Notified, Accepted] {
        subscriber.happens(what);
    }
    subscriber.finish();
}

#[test]
#[ignore = "takes minutes"]
fn a_subscription_of_ours_ends_well_whatever_six_things_happen() {
    all::<Subscriber>();
}
