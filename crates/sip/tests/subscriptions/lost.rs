//! Lost, late and doubled packets, between two user agents under the eyes of the auditor.

use std::time::Duration;

use offhook_sansio::Flow;
use offhook_sip::{Config, Event, EventPackage, SubscriberEvent, Subscription, SubscriptionEvent};
use offhook_sip_message::NameAddr;

use crate::{
    peer::{nothing_is_left, telling, text},
    support::{ALICE, BOB, Fate, Net, address},
};

pub(crate) fn net() -> Net {
    Net::with(&[Config::default(), telling(&[EventPackage::PRESENCE])])
}

pub(crate) fn presence() -> Subscription {
    let from = NameAddr::new("sip:alice@example.com".parse().unwrap());
    let flow = Flow::udp(address(ALICE), address(BOB));
    let event = EventPackage::PRESENCE.event();
    let target = "sip:bob@192.0.2.2".parse().unwrap();
    Subscription {
        expires: Duration::from_secs(200),
        ..Subscription::new(target, event, from, flow)
    }
}

/// Alice subscribes, Bob tells two states, she refreshes and leaves.
fn whole(mut net: Net) -> (Net, usize) {
    let id = net.agents[ALICE].subscribe(net.now, presence()).unwrap();
    net.drain();
    let mut notified = 0;
    for _ in 0..300 {
        net.run(1.0);
        let asked = net.events.iter().find_map(|(_, event)| match event {
            Event::Subscriber { subscriber, event: SubscriberEvent::Requested { .. } } => {
                Some(*subscriber)
            }
            _ => None,
        });
        let Some(subscriber) = asked else { continue };
        let agent = &mut net.agents[BOB];
        let _ = agent.accept_subscription(net.now, subscriber, None, Some(text("open")));
        net.drain();
        if notified < 3 {
            notified += 1;
            let _ = net.agents[BOB].notify(net.now, subscriber, Some(text("more")));
            net.drain();
        }
    }
    let _ = net.agents[ALICE].unsubscribe(net.now, id);
    net.drain();
    net.finish();
    net.agents.iter().for_each(nothing_is_left);
    let told = |event: &Event| {
        matches!(event, Event::Subscription { event: SubscriptionEvent::Notified { .. }, .. })
    };
    let count = net.events.iter().filter(|(side, event)| *side == ALICE && told(event)).count();
    (net, count)
}

#[test]
fn a_subscription_goes_through_and_each_message_is_needed() {
    let (net, notified) = whole(net());
    assert_eq!(net.count(ALICE, "SUBSCRIBE"), 4, "{:#?}", net.sent);
    assert_eq!(notified, net.count(BOB, "NOTIFY"));
    assert_eq!(net.count(ALICE, "200 NOTIFY"), notified);
}

#[test]
fn any_message_may_be_lost_doubled_or_late() {
    let (clean, notified) = whole(net());
    for number in 0..clean.sent.len() {
        for fate in [Fate::Lost, Fate::Twice, Fate::Late(Duration::from_millis(700))] {
            let net = net().fates(move |sent, _| if sent == number { fate } else { Fate::Arrives });
            let (net, count) = whole(net);
            assert_eq!(count, notified, "{number} {fate:?} {:#?}", net.sent);
        }
    }
}

#[test]
fn a_peer_that_falls_silent_leaves_nothing_behind() {
    let (clean, _) = whole(net());
    for silent in 0..clean.sent.len() {
        let net =
            net().fates(move |sent, _| if sent >= silent { Fate::Lost } else { Fate::Arrives });
        whole(net);
    }
}
