//! The messages of a peer that are written by hand.

use std::time::Duration;

use bytes::Bytes;
use offhook_sansio::Flow;
use offhook_sip::{
    Body, Config, Event, EventPackage, SubscriberEvent, SubscriberId, Subscription,
    SubscriptionEvent, SubscriptionId, UserAgent,
};
use offhook_sip_message::NameAddr;

use crate::support::raw::{Raw, field, first_line, ours, respond, theirs};

/// A subscription of ours to the dialogs of Bob.
pub(crate) fn wanted() -> Subscription {
    let target = "sip:bob@198.51.100.7:5070".parse().unwrap();
    let from = NameAddr::new("sip:alice@example.com".parse().unwrap());
    Subscription::new(target, EventPackage::DIALOG.event(), from, Flow::udp(ours(), theirs()))
}

/// Sends the SUBSCRIBE and gives it.
pub(crate) fn subscribe(raw: &mut Raw, wanted: Subscription) -> (SubscriptionId, String) {
    let id = raw.agent.subscribe(raw.now, wanted).unwrap();
    let mut sent = raw.drain();
    assert_eq!(sent.len(), 1);
    (id, sent.remove(0))
}

/// A subscription that stands for an hour, and its SUBSCRIBE.
pub(crate) fn standing(raw: &mut Raw) -> (SubscriptionId, String) {
    let (id, request) = subscribe(raw, wanted());
    assert!(raw.send(&respond(&request, "200 OK", "bob", "Expires: 3600\n")).is_empty());
    assert_eq!(status(&raw.send(&notify(&request, "bob", 1, "active;expires=3600"))), 200);
    raw.events.clear();
    (id, request)
}

/// A NOTIFY to the subscription that `subscribe` has asked for, by the notifier `tag`.
pub(crate) fn notify(subscribe: &str, tag: &str, cseq: u32, state: &str) -> String {
    notify_of(subscribe, tag, cseq, &format!("Event: dialog\nSubscription-State: {state}\n"))
}

pub(crate) fn notify_of(subscribe: &str, tag: &str, cseq: u32, more: &str) -> String {
    let (to, from) = (field(subscribe, "From"), field(subscribe, "To"));
    let from = from.split(";tag=").next().unwrap();
    format!(
        "NOTIFY sip:alice@192.0.2.1 SIP/2.0\n\
         Via: SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bKn{tag}{cseq};rport\n\
         Max-Forwards: 70\n\
         From: {from};tag={tag}\n\
         To: {to}\n\
         Call-ID: {}\n\
         CSeq: {cseq} NOTIFY\n\
         Contact: <sip:{tag}@198.51.100.7:5070>\n\
         {more}\n",
        field(subscribe, "Call-ID")
    )
}

/// The refresh of a subscription that stands, when it comes.
pub(crate) fn refresh(raw: &mut Raw) -> String {
    for _ in 0..3_600 {
        if let Some(sent) = raw.wait(1_000).pop() {
            return sent;
        }
    }
    panic!("never refreshed")
}

/// The status of the only message sent.
pub(crate) fn status(sent: &[String]) -> u16 {
    assert_eq!(sent.len(), 1, "{sent:#?}");
    first_line(&sent[0])[8..11].parse().unwrap()
}

pub(crate) fn is(message: &str, method: &str) -> bool {
    message.starts_with(method) && message.as_bytes()[method.len()] == b' '
}

/// What was told of subscriptions of ours since the last look.
pub(crate) fn told(raw: &mut Raw) -> Vec<(SubscriptionId, SubscriptionEvent)> {
    let events = std::mem::take(&mut raw.events).into_iter();
    let told = |event| match event {
        Event::Subscription { subscription, event } => (subscription, event),
        other => panic!("{other:?}"),
    };
    events.map(told).collect()
}

/// A side that tells of presence and dialogs.
pub(crate) fn notifier() -> Raw {
    Raw::with(telling(&[EventPackage::PRESENCE, EventPackage::DIALOG]))
}

pub(crate) fn telling(packages: &[EventPackage]) -> Config {
    Config { event_packages: packages.to_vec(), ..Config::default() }
}

pub(crate) fn text(text: &'static str) -> Body {
    Body { content_type: "text/plain".into(), content: Bytes::from_static(text.as_bytes()) }
}

/// A SUBSCRIBE of a peer, outside of dialogs.
pub(crate) fn asks(cseq: u32, more: &str) -> String {
    crate::support::raw::request("SUBSCRIBE", &format!("z9hG4bKs{cseq}"), cseq, "", more)
}

/// The same, in the dialog that `tag` has made.
pub(crate) fn asks_in(tag: &str, cseq: u32, more: &str) -> String {
    crate::support::raw::request("SUBSCRIBE", &format!("z9hG4bKs{cseq}"), cseq, tag, more)
}

/// Who has asked last, for how long.
pub(crate) fn asked(raw: &mut Raw) -> (SubscriberId, Duration) {
    let asked = raw.events.drain(..).find_map(|event| match event {
        Event::Subscriber { subscriber, event: SubscriberEvent::Requested { expires, .. } } => {
            Some((subscriber, expires))
        }
        _ => None,
    });
    asked.expect("nobody asks")
}

/// After all time nothing is left.
pub(crate) fn finish(mut raw: Raw) {
    raw.wait(600_000);
    nothing_is_left(&raw.agent);
}

/// Nothing lives, and nothing leads to what has lived.
pub(crate) fn nothing_is_left(agent: &UserAgent) {
    assert_eq!(agent.live_subscriptions(), 0);
    assert_eq!(agent.subscription_dialogs(), 0);
    assert_eq!(agent.live_calls(), 0);
    assert_eq!(agent.live_transactions(), 0);
    assert_eq!(offhook_sansio::Machine::poll_timeout(agent), None);
    let inside = format!("{agent:?}");
    for index in ["solicited", "members", "own", "shared", "uses", "dialogs"] {
        let filled = format!(" {index}: {{");
        let kept = inside
            .match_indices(&filled)
            .any(|(at, _)| !inside[at + filled.len()..].starts_with('}'));
        assert!(!kept, "{index} is not empty: {inside}");
    }
}
