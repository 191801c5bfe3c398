//! The notifier (RFC 6665 §4.2).

use std::time::Duration;

use offhook_sip::{
    Config, Error, Event, EventPackage, SubscriberEnd, SubscriberEvent, SubscriberId,
};
use offhook_sip_message::{EventReason, HeaderName, StatusCode};

use crate::{
    peer::{asked, asks, asks_in, finish, is, notifier, status, telling, text},
    support::raw::{Raw, field, fields, first_line, respond, tag_of},
};

const PRESENCE: &str = "Event: presence\nExpires: 600\n";

/// A subscription that was accepted, the tag of our side, and the first NOTIFY, which is answered.
fn standing(raw: &mut Raw) -> (SubscriberId, String) {
    raw.send(&asks(1, PRESENCE));
    let (id, _) = asked(raw);
    raw.agent.accept_subscription(raw.now, id, None, Some(text("open"))).unwrap();
    let sent = raw.drain();
    assert_eq!(sent.len(), 2, "{sent:?}");
    raw.send(&respond(&sent[1], "200 OK", "", ""));
    (id, tag_of(&sent[0]))
}

fn ends(raw: &mut Raw) -> Vec<SubscriberEnd> {
    let end = |event| match event {
        Event::Subscriber { event: SubscriberEvent::Ended { end }, .. } => Some(end),
        _ => None,
    };
    raw.events.drain(..).filter_map(end).collect()
}

#[test]
fn a_package_that_is_not_told_of_is_refused_with_489() {
    let mut raw = Raw::new();
    let sent = raw.send(&asks(1, PRESENCE));
    assert_eq!(status(&sent), 489);
    assert!(fields(&sent[0], "Allow-Events").is_empty(), "there is nothing to name");
    let mut raw = notifier();
    for event in ["winfo", "presence.winfo", "Presence"] {
        let sent = raw.send(&asks(1, &format!("Event: {event}\n")));
        assert_eq!(status(&sent), 489, "{event}");
        assert_eq!(field(&sent[0], "Allow-Events"), "presence, dialog");
    }
    assert_eq!(status(&raw.send(&asks(2, ""))), 489, "RFC 6665 §4.3: not PINT");
    assert_eq!(status(&raw.send(&asks(3, "Event: refer\n"))), 403, "RFC 3515 §2.4.4");
    assert!(raw.events.is_empty());
    finish(raw);
}

#[test]
fn accepting_sends_200_and_the_state_at_once() {
    let mut raw = notifier();
    let routed = "Record-Route: <sip:p1@198.51.100.7:5070;lr>\n";
    assert!(
        raw.send(&asks(1, &format!("{routed}Event: presence;id=9\nExpires: 600\n"))).is_empty()
    );
    let (id, expires) = asked(&mut raw);
    assert_eq!(expires, Duration::from_secs(600));
    let longest = Some(Duration::from_secs(120));
    raw.agent.accept_subscription(raw.now, id, longest, Some(text("open"))).unwrap();
    let sent = raw.drain();
    assert_eq!(first_line(&sent[0]), "SIP/2.0 200 OK");
    assert_eq!(field(&sent[0], "Expires"), "120", "no longer than the owner grants");
    assert_eq!(field(&sent[0], "Record-Route"), "<sip:p1@198.51.100.7:5070;lr>");
    assert!(field(&sent[0], "Contact").contains("192.0.2.1"));
    let notify = &sent[1];
    assert_eq!(first_line(notify), "NOTIFY sip:bob@198.51.100.7:5070 SIP/2.0");
    assert_eq!(field(notify, "Event"), "presence;id=9");
    assert_eq!(field(notify, "Subscription-State"), "active;expires=120");
    assert_eq!(field(notify, "Route"), "<sip:p1@198.51.100.7:5070;lr>");
    assert!(field(notify, "From").ends_with(&tag_of(&sent[0])));
    assert!(field(notify, "Contact").contains("192.0.2.1"));
    assert!(notify.ends_with("\r\n\r\nopen"));
    let twice = raw.agent.accept_subscription(raw.now, id, None, None);
    assert!(matches!(twice, Err(Error::WrongState { .. })));
    raw.send(&respond(notify, "200 OK", "", ""));
    raw.wait(120_000);
    finish(raw);
}

#[test]
fn what_is_pending_says_so_until_it_is_allowed() {
    let mut raw = notifier();
    raw.send(&asks(1, PRESENCE));
    let (id, _) = asked(&mut raw);
    raw.agent.pend_subscription(raw.now, id, None, None).unwrap();
    let sent = raw.drain();
    assert_eq!(first_line(&sent[0]), "SIP/2.0 200 OK");
    assert_eq!(field(&sent[1], "Subscription-State"), "pending;expires=600");
    raw.send(&respond(&sent[1], "200 OK", "", ""));
    raw.wait(10_000);
    raw.agent.activate_subscription(raw.now, id, Some(text("open"))).unwrap();
    assert_eq!(field(&raw.drain()[0], "Subscription-State"), "active;expires=590");
    let again = raw.agent.activate_subscription(raw.now, id, None);
    assert!(matches!(again, Err(Error::WrongState { .. })));
}

#[test]
fn what_is_refused_or_not_answered_leaves_nothing() {
    let mut raw = notifier();
    raw.send(&asks(1, PRESENCE));
    let (id, _) = asked(&mut raw);
    let challenge = [(HeaderName::WWW_AUTHENTICATE, "Digest realm=\"x\", nonce=\"y\"".into())];
    let unauthorized = StatusCode::UNAUTHORIZED;
    raw.agent.reject_subscription(raw.now, id, unauthorized, &challenge).unwrap();
    let sent = raw.drain();
    assert_eq!(status(&sent), 401);
    assert!(field(&sent[0], "WWW-Authenticate").contains("nonce"));
    assert_eq!(ends(&mut raw), [SubscriberEnd::Refused { status: unauthorized }]);
    let late = raw.agent.accept_subscription(raw.now, id, None, None);
    assert_eq!(late, Err(Error::NoSubscription));
    raw.send(&asks(2, PRESENCE));
    raw.events.clear();
    let trying = raw.wait(3_600);
    assert_eq!(status(&trying), 100, "RFC 4320 §4.1");
    assert_eq!(status(&raw.wait(12_500)), 480);
    let away = StatusCode::TEMPORARILY_UNAVAILABLE;
    assert_eq!(ends(&mut raw), [SubscriberEnd::Refused { status: away }]);
    finish(raw);
}

#[test]
fn a_refresh_is_answered_and_tells_the_state_again() {
    let mut raw = notifier();
    let (id, tag) = standing(&mut raw);
    raw.wait(100_000);
    let sent = raw.send(&asks_in(&tag, 2, PRESENCE));
    assert_eq!(first_line(&sent[0]), "SIP/2.0 200 OK");
    assert_eq!(field(&sent[0], "Expires"), "600");
    assert_eq!(field(&sent[1], "Subscription-State"), "active;expires=600");
    assert!(sent[1].ends_with("open"));
    assert!(matches!(
        raw.events[..],
        [Event::Subscriber { subscriber, event: SubscriberEvent::Refreshed { .. } }]
            if subscriber == id
    ));
    raw.send(&respond(&sent[1], "200 OK", "", ""));
    let brief = raw.send(&asks_in(&tag, 3, "Event: presence\nExpires: 59\n"));
    assert_eq!(status(&brief), 423);
    assert_eq!(field(&brief[0], "Min-Expires"), "60");
    let old = raw.send(&asks_in(&tag, 2, PRESENCE).replace("z9hG4bKs", "z9hG4bKold"));
    assert_eq!(status(&old), 500, "out of order");
    raw.wait(599_000);
    assert!(ends(&mut raw).is_empty());
    let last = raw.wait(1_100);
    assert_eq!(field(&last[0], "Subscription-State"), "terminated;reason=timeout");
    assert_eq!(ends(&mut raw), [SubscriberEnd::Expired]);
    let late = raw.send(&asks_in(&tag, 4, PRESENCE));
    assert!(late.iter().all(|it| !it.contains("200 OK")), "it is over: {late:?}");
    raw.send(&respond(&last[0], "200 OK", "", ""));
    finish(raw);
}

#[test]
fn a_refresh_gets_no_more_than_the_owner_has_granted() {
    let mut raw = notifier();
    raw.send(&asks(1, PRESENCE));
    let (id, _) = asked(&mut raw);
    let longest = Some(Duration::from_secs(120));
    raw.agent.accept_subscription(raw.now, id, longest, None).unwrap();
    let sent = raw.drain();
    raw.send(&respond(&sent[1], "200 OK", "", ""));
    let refreshed = raw.send(&asks_in(&tag_of(&sent[0]), 2, PRESENCE));
    assert_eq!(field(&refreshed[0], "Expires"), "120");
    assert_eq!(field(&refreshed[1], "Subscription-State"), "active;expires=120");
}

#[test]
fn unsubscribing_gets_a_last_notification() {
    let mut raw = notifier();
    let (id, tag) = standing(&mut raw);
    let sent = raw.send(&asks_in(&tag, 2, "Event: presence\nExpires: 0\n"));
    assert_eq!(field(&sent[0], "Expires"), "0");
    assert_eq!(field(&sent[1], "Subscription-State"), "terminated;reason=timeout");
    assert_eq!(ends(&mut raw), [SubscriberEnd::Unsubscribed]);
    assert_eq!(raw.agent.notify(raw.now, id, None), Err(Error::NoSubscription));
    raw.send(&respond(&sent[1], "200 OK", "", ""));
    assert_eq!(raw.agent.live_subscriptions(), 0);
    finish(raw);
}

#[test]
fn a_fetch_is_answered_once() {
    let mut raw = notifier();
    raw.send(&asks(1, "Event: presence\nExpires: 0\n"));
    let (id, expires) = asked(&mut raw);
    assert!(expires.is_zero());
    raw.agent.accept_subscription(raw.now, id, None, Some(text("open"))).unwrap();
    let sent = raw.drain();
    assert_eq!(field(&sent[0], "Expires"), "0");
    assert_eq!(field(&sent[1], "Subscription-State"), "terminated;reason=timeout");
    assert!(sent[1].ends_with("open"));
    assert_eq!(ends(&mut raw), [SubscriberEnd::Terminated]);
    finish(raw);
}

#[test]
fn one_notify_is_under_way_at_a_time_and_none_is_left_out() {
    let mut raw = notifier();
    let (id, _) = standing(&mut raw);
    for state in ["one", "two", "three"] {
        raw.agent.notify(raw.now, id, Some(text(state))).unwrap();
    }
    let mut sent = raw.drain();
    for state in ["one", "two", "three"] {
        assert_eq!(sent.len(), 1, "{sent:?}");
        assert!(is(&sent[0], "NOTIFY") && sent[0].ends_with(state), "{}", sent[0]);
        sent = raw.send(&respond(&sent[0], "200 OK", "", ""));
    }
    assert!(sent.is_empty());
}

#[test]
fn a_subscriber_that_does_not_answer_gets_a_bounded_queue() {
    let mut raw = notifier();
    let (id, _) = standing(&mut raw);
    let told = (0..100).take_while(|_| raw.agent.notify(raw.now, id, None).is_ok()).count();
    assert_eq!(told, 32);
    assert_eq!(raw.agent.notify(raw.now, id, None), Err(Error::TooManyNotifications));
    raw.wait(33_000);
    let status = StatusCode::REQUEST_TIMEOUT;
    assert_eq!(ends(&mut raw), [SubscriberEnd::Lost { status }], "RFC 6665 §4.2.2, Timer F");
    finish(raw);
}

#[test]
fn a_notify_that_is_refused_ends_the_subscription_or_not() {
    for (answer, ended) in [
        ("481 Gone", true),
        ("404 No", true),
        ("405 No", true),
        ("489 Bad Event", true),
        ("604 No", true),
        ("500 Oops", false),
        ("400 Bad", false),
        ("503 Busy", false),
    ] {
        let mut raw = notifier();
        let (id, _) = standing(&mut raw);
        raw.agent.notify(raw.now, id, Some(text("one"))).unwrap();
        let sent = raw.drain().remove(0);
        raw.send(&respond(&sent, answer, "", ""));
        assert_eq!(ends(&mut raw).len(), usize::from(ended), "{answer}");
        assert_eq!(raw.agent.notify(raw.now, id, None).is_err(), ended, "{answer}");
    }
}

#[test]
fn a_notify_that_is_to_come_later_comes_later() {
    let mut raw = notifier();
    let (id, _) = standing(&mut raw);
    raw.agent.notify(raw.now, id, Some(text("one"))).unwrap();
    let sent = raw.drain().remove(0);
    assert!(raw.send(&respond(&sent, "503 Busy", "", "Retry-After: 5\n")).is_empty());
    raw.agent.notify(raw.now, id, Some(text("two"))).unwrap();
    assert!(raw.wait(4_900).is_empty());
    let again = raw.wait(200);
    assert!(again[0].ends_with("one"));
    assert_ne!(field(&again[0], "CSeq"), field(&sent, "CSeq"));
    let next = raw.send(&respond(&again[0], "200 OK", "", ""));
    assert!(next[0].ends_with("two"));
}

#[test]
fn a_notify_is_sent_again_with_credentials() {
    let mut raw = notifier();
    let (id, _) = standing(&mut raw);
    let login = offhook_sip::Login::new("x", "alice", "secret");
    raw.agent.log_in_subscription(raw.now, id, vec![login]).unwrap();
    raw.agent.notify(raw.now, id, Some(text("one"))).unwrap();
    let sent = raw.drain().remove(0);
    let challenge = "Proxy-Authenticate: Digest realm=\"x\", nonce=\"1\"\n";
    let again = raw.send(&respond(&sent, "407 Who", "", challenge)).remove(0);
    assert!(field(&again, "Proxy-Authorization").contains("alice"));
    assert_eq!((field(&sent, "CSeq"), field(&again, "CSeq")), ("2 NOTIFY", "3 NOTIFY"));
}

#[test]
fn the_owner_ends_a_subscription_with_a_reason() {
    let mut raw = notifier();
    let (id, _) = standing(&mut raw);
    let wait = Some(Duration::from_secs(30));
    raw.agent.terminate_subscription(raw.now, id, EventReason::Probation, wait, None).unwrap();
    let sent = raw.drain().remove(0);
    assert_eq!(ends(&mut raw), [SubscriberEnd::Terminated], "told at once");
    let state = "terminated;reason=probation;retry-after=30";
    assert_eq!(field(&sent, "Subscription-State"), state);
    raw.send(&respond(&sent, "200 OK", "", ""));
    assert_eq!(raw.agent.live_subscriptions(), 0);
    finish(raw);
}

#[test]
fn the_shortest_time_is_the_owners_but_an_hour_is_always_enough() {
    let min_subscription = Duration::from_secs(9_000);
    let packages = telling(&[EventPackage::PRESENCE]);
    let mut raw = Raw::with(Config { min_subscription, ..packages });
    let brief = raw.send(&asks(1, "Event: presence\nExpires: 3599\n"));
    assert_eq!((status(&brief), field(&brief[0], "Min-Expires")), (423, "3600"));
    assert!(raw.send(&asks(2, "Event: presence\nExpires: 3600\n")).is_empty());
    assert_eq!(asked(&mut raw).1, Duration::from_secs(3600));
    raw.send(&asks(3, "Event: presence\n").replace("call-1", "call-2"));
    assert_eq!(asked(&mut raw).1, Duration::from_secs(3600), "the default of the package");
}

#[test]
fn only_so_many_subscribers_are_let_in() {
    let packages = telling(&[EventPackage::PRESENCE]);
    let mut raw = Raw::with(Config { max_subscribers: 2, ..packages });
    let of = |number: u32| asks(number, PRESENCE).replace("call-1", &format!("call-{number}"));
    for number in 1..=2 {
        assert!(raw.send(&of(number)).is_empty());
    }
    let refused = raw.send(&of(3));
    assert_eq!(status(&refused), 503);
    assert!(!field(&refused[0], "Retry-After").is_empty());
    assert_eq!(raw.agent.live_subscriptions(), 2);
    finish(raw);
}
