//! The subscriber: asking, standing, refreshing, forks (RFC 6665 §4.1, §4.4.1).

use std::time::Duration;

use offhook_sip::{Config, EventPackage, Login, Subscription, SubscriptionEvent, SubscriptionLoss};
use offhook_sip_message::{StatusCode, Substate};

use crate::{
    peer::{finish, is, notify, notify_of, refresh, standing, status, subscribe, told, wanted},
    support::raw::{Raw, field, fields, first_line, respond},
};

#[test]
fn a_subscribe_says_what_is_wanted_and_by_whom() {
    let mut raw = Raw::new();
    let accept = vec!["application/dialog-info+xml".into()];
    let event = EventPackage::DIALOG.event().with_id("7");
    let expires = Duration::from_secs(600);
    let (_, sent) = subscribe(&mut raw, Subscription { accept, event, expires, ..wanted() });
    assert_eq!(first_line(&sent), "SUBSCRIBE sip:bob@198.51.100.7:5070 SIP/2.0");
    assert_eq!(field(&sent, "Event"), "dialog;id=7");
    assert_eq!(field(&sent, "Expires"), "600");
    assert_eq!(field(&sent, "Accept"), "application/dialog-info+xml");
    assert_eq!(field(&sent, "Contact"), "<sip:alice@192.0.2.1:5060>");
    assert!(field(&sent, "Allow").contains("NOTIFY"));
    assert!(fields(&sent, "Allow-Events").is_empty(), "nobody may subscribe here");
    assert!(!field(&sent, "To").contains("tag"));
}

#[test]
fn the_first_notify_makes_the_subscription_and_its_dialog() {
    let mut raw = Raw::new();
    let (id, sent) = subscribe(&mut raw, wanted());
    raw.send(&respond(&sent, "200 OK", "bob", "Expires: 1000\n"));
    assert!(matches!(
        told(&mut raw)[..],
        [(of, SubscriptionEvent::Accepted { expires, .. })]
            if of == id && expires == Duration::from_secs(1000)
    ));
    assert_eq!(raw.agent.subscription_dialogs(), 0, "the 2xx alone makes none (§4.4.1)");
    let first = notify(&sent, "bob", 1, "active;expires=1000");
    let routed = first.replace("Contact", "Record-Route: <sip:p1@198.51.100.7:5070;lr>\nContact");
    assert_eq!(status(&raw.send(&routed)), 200);
    let told = told(&mut raw);
    let [(of, SubscriptionEvent::Notified { state, .. })] = &told[..] else { panic!("{told:?}") };
    assert_eq!((*of, &state.state), (id, &Substate::Active));
    assert_eq!(raw.agent.subscription_dialogs(), 1);
    let refresh = refresh(&mut raw);
    assert!(raw.events.is_empty());
    assert_eq!(first_line(&refresh), "SUBSCRIBE sip:bob@198.51.100.7:5070 SIP/2.0");
    assert_eq!(field(&refresh, "Route"), "<sip:p1@198.51.100.7:5070;lr>");
    assert_eq!(field(&refresh, "CSeq"), "2 SUBSCRIBE");
    assert_eq!(field(&refresh, "Event"), "dialog");
    assert!(field(&refresh, "To").ends_with(";tag=bob"));
    assert_eq!(field(&refresh, "Call-ID"), field(&sent, "Call-ID"));
}

#[test]
fn a_notify_that_overtakes_the_2xx_counts_as_well() {
    let mut raw = Raw::new();
    let (id, sent) = subscribe(&mut raw, wanted());
    assert_eq!(status(&raw.send(&notify(&sent, "bob", 1, "pending;expires=60"))), 200);
    assert!(raw.send(&respond(&sent, "200 OK", "bob", "Expires: 60\n")).is_empty());
    let told = told(&mut raw);
    assert!(matches!(&told[0].1, SubscriptionEvent::Notified { state, .. }
        if state.state == Substate::Pending));
    assert!(matches!(told[1], (of, SubscriptionEvent::Accepted { .. }) if of == id));
    raw.wait(29_000);
    assert!(raw.events.is_empty());
    assert!(is(&raw.wait(2_000)[0], "SUBSCRIBE"), "halfway of short times");
}

#[test]
fn without_a_notify_the_subscription_has_failed_and_is_tried_anew() {
    let mut raw = Raw::new();
    let (_, sent) = subscribe(&mut raw, wanted());
    raw.send(&respond(&sent, "200 OK", "bob", "Expires: 3600\n"));
    raw.events.clear();
    raw.wait(31_900);
    assert!(raw.events.is_empty());
    raw.wait(200);
    let told = told(&mut raw);
    let [(_, SubscriptionEvent::Lost { why, retry_in })] = &told[..] else { panic!("{told:?}") };
    assert!(matches!(why, SubscriptionLoss::NotNotified), "Timer N");
    let late = notify(&sent, "bob", 1, "active;expires=3600");
    assert_eq!(status(&raw.send(&late)), 481, "RFC 6665 §4.1.2.4");
    let again = raw.wait(u64::try_from(retry_in.as_millis()).unwrap() + 1).remove(0);
    assert_ne!(field(&again, "Call-ID"), field(&sent, "Call-ID"), "it is unrelated");
    assert_ne!(field(&again, "From"), field(&sent, "From"));
    assert_eq!(field(&again, "CSeq"), "1 SUBSCRIBE");
}

#[test]
fn a_notification_may_shorten_the_time_and_a_2xx_cannot_lengthen_it() {
    let mut raw = Raw::new();
    let (_, sent) = subscribe(&mut raw, wanted());
    raw.send(&respond(&sent, "200 OK", "bob", "Expires: 99999\n"));
    assert!(matches!(told(&mut raw)[0].1, SubscriptionEvent::Accepted { expires, .. }
        if expires == Duration::from_secs(3600)));
    raw.send(&notify(&sent, "bob", 1, "active"));
    assert!(raw.wait(2_900_000).is_empty(), "not before 80 %");
    raw.send(&notify(&sent, "bob", 2, "active;expires=20"));
    assert!(is(&raw.wait(10_001)[0], "SUBSCRIBE"));
}

#[test]
fn a_refresh_that_gets_no_notify_ends_the_subscription() {
    let mut raw = Raw::new();
    let (_, first) = standing(&mut raw);
    let refresh = refresh(&mut raw);
    raw.send(&respond(&refresh, "200 OK", "bob", "Expires: 3600\n"));
    assert!(matches!(told(&mut raw)[..], [(_, SubscriptionEvent::Accepted { .. })]));
    let sent = raw.wait(33_000);
    let told = told(&mut raw);
    assert!(matches!(
        told[..],
        [(_, SubscriptionEvent::Lost { why: SubscriptionLoss::NotNotified, .. })]
    ));
    assert!(sent.is_empty(), "it waits before it asks again");
    assert_eq!(raw.agent.subscription_dialogs(), 0);
    assert_eq!(status(&raw.send(&notify(&first, "bob", 2, "active"))), 481);
}

#[test]
fn a_challenge_is_answered_in_and_out_of_the_dialog() {
    let mut raw = Raw::new();
    let logins = vec![Login::new("biloxi.example", "alice", "secret")];
    let (_, sent) = subscribe(&mut raw, Subscription { logins, ..wanted() });
    let challenge =
        "WWW-Authenticate: Digest realm=\"biloxi.example\", nonce=\"1\", qop=\"auth\"\n";
    let again = raw.send(&respond(&sent, "401 Unauthorized", "x", challenge)).remove(0);
    assert!(field(&again, "Authorization").contains("username=\"alice\""));
    assert_eq!(field(&again, "CSeq"), "2 SUBSCRIBE");
    assert_eq!(field(&again, "From"), field(&sent, "From"));
    raw.send(&respond(&again, "200 OK", "bob", "Expires: 10\n"));
    raw.send(&notify(&again, "bob", 1, "active;expires=10"));
    let refresh = raw.wait(5_001).remove(0);
    assert_eq!(field(&refresh, "CSeq"), "3 SUBSCRIBE");
    assert!(field(&refresh, "Authorization").contains("nc=00000002"), "unasked");
    let stale = challenge.replace("nonce=\"1\"", "nonce=\"2\", stale=true");
    let again = raw.send(&respond(&refresh, "401 Unauthorized", "bob", &stale)).remove(0);
    assert_eq!(field(&again, "CSeq"), "4 SUBSCRIBE", "the dialog counts on");
}

#[test]
fn an_interval_that_is_too_brief_is_asked_for_longer_but_not_without_end() {
    let mut raw = Raw::new();
    let (_, sent) = subscribe(&mut raw, wanted());
    let brief = |sent: &str, least: u32| {
        respond(sent, "423 Interval Too Brief", "x", &format!("Min-Expires: {least}\n"))
    };
    let second = raw.send(&brief(&sent, 7200)).remove(0);
    assert_eq!((field(&second, "Expires"), field(&second, "CSeq")), ("7200", "2 SUBSCRIBE"));
    let third = raw.send(&brief(&second, 9000)).remove(0);
    assert!(raw.events.is_empty());
    assert!(raw.send(&brief(&third, 10_000)).is_empty());
    let told = told(&mut raw);
    assert!(matches!(
        &told[..],
        [(_, SubscriptionEvent::Ended { why: Some(SubscriptionLoss::Refused { status, .. }) })]
            if *status == StatusCode::INTERVAL_TOO_BRIEF
    ));
    finish(raw);
}

#[test]
fn each_notifier_of_a_forked_subscribe_makes_a_subscription_of_its_own() {
    let mut raw = Raw::new();
    let (id, sent) = subscribe(&mut raw, Subscription { forks: 1, ..wanted() });
    raw.send(&respond(&sent, "200 OK", "bob", "Expires: 10\n"));
    assert_eq!(status(&raw.send(&notify(&sent, "carol", 1, "active;expires=10"))), 200);
    assert_eq!(status(&raw.send(&notify(&sent, "bob", 1, "active;expires=10"))), 200);
    let events = told(&mut raw);
    assert!(matches!(&events[1], (of, SubscriptionEvent::Notified { .. }) if *of == id));
    let (fork, SubscriptionEvent::Forked { of }) = &events[2] else { panic!("{events:?}") };
    assert!(*of == id && *fork != id);
    assert!(matches!(&events[3], (of, SubscriptionEvent::Notified { .. }) if of == fork));
    let more = notify(&sent, "dave", 1, "active;expires=10");
    assert_eq!(status(&raw.send(&more)), 481, "no more than were wanted");
    let refreshes = raw.wait(5_001);
    let mut tags: Vec<_> = refreshes.iter().map(|it| field(it, "To").to_owned()).collect();
    tags.sort();
    assert_eq!(tags.len(), 2, "each is refreshed for itself: {refreshes:#?}");
    assert!(tags[0].ends_with("=bob") && tags[1].ends_with("=carol"));
    let gone = "terminated;reason=deactivated";
    assert_eq!(status(&raw.send(&notify(&sent, "bob", 2, gone))), 200);
    let events = told(&mut raw);
    assert!(
        matches!(&events[1], (of, SubscriptionEvent::Ended { why: Some(_) }) if of == fork),
        "a fork is not asked for again: {events:?}"
    );
    assert!(raw.agent.unsubscribe(raw.now, id).is_ok());
    raw.wait(0);
    finish(raw);
}

#[test]
fn forks_are_taken_no_longer_than_timer_n_and_never_for_packages_that_know_none() {
    let mut raw = Raw::new();
    let (_, sent) = standing(&mut raw);
    raw.wait(33_000);
    assert_eq!(status(&raw.send(&notify(&sent, "carol", 1, "active;expires=10"))), 481);
    let mut raw = Raw::new();
    let event = EventPackage::PRESENCE.event();
    let mut presence = Subscription::new(wanted().target, event, wanted().from, wanted().flow);
    presence.expires = Duration::from_secs(60);
    let (_, sent) = subscribe(&mut raw, presence);
    let more = "Event: presence\nSubscription-State: active;expires=60\n";
    assert_eq!(status(&raw.send(&notify_of(&sent, "bob", 1, more))), 200);
    assert_eq!(status(&raw.send(&notify_of(&sent, "carol", 1, more))), 481, "RFC 3856 §6.9");
}

#[test]
fn the_owner_may_ask_for_the_state_at_once_and_over_another_flow() {
    let mut raw = Raw::new();
    let (id, _) = standing(&mut raw);
    let flow = offhook_sansio::Flow { remote: ([203, 0, 113, 9], 5060).into(), ..wanted().flow };
    let deaf = offhook_sansio::Flow { local: flow.remote, ..flow };
    let refused = raw.agent.retarget_subscription(raw.now, id, deaf);
    assert!(matches!(refused, Err(offhook_sip::Error::NotListening { .. })));
    raw.agent.retarget_subscription(raw.now, id, flow).unwrap();
    raw.agent.refresh_subscription(raw.now, id).unwrap();
    let asked = raw.drain().remove(0);
    assert_eq!(field(&asked, "CSeq"), "2 SUBSCRIBE");
    raw.send(&respond(&asked, "481 Gone", "bob", ""));
    assert_eq!(raw.went, [flow.remote], "and the next one goes there too");
    raw.agent.transport_failed(raw.now, flow);
    raw.drain();
    raw.agent.refresh_subscription(raw.now, id).unwrap();
    let anew = raw.drain().remove(0);
    assert_eq!(field(&anew, "CSeq"), "1 SUBSCRIBE", "without waiting");
    raw.agent.unsubscribe(raw.now, id).unwrap();
    let refused = raw.agent.refresh_subscription(raw.now, id);
    assert!(matches!(refused, Err(offhook_sip::Error::WrongState { .. })));
    finish(raw);
}

#[test]
fn only_so_many_subscriptions_live() {
    let mut raw = Raw::with(Config { max_subscriptions: 2, ..Config::default() });
    let (_, sent) = subscribe(&mut raw, wanted());
    raw.send(&notify(&sent, "bob", 1, "active;expires=100"));
    raw.send(&notify(&sent, "carol", 1, "active;expires=100"));
    let one_more = raw.agent.subscribe(raw.now, wanted());
    assert_eq!(one_more.unwrap_err(), offhook_sip::Error::TooManySubscriptions);
    assert_eq!(status(&raw.send(&notify(&sent, "dave", 1, "active;expires=100"))), 481);
    assert_eq!(raw.agent.live_subscriptions(), 2);
}
