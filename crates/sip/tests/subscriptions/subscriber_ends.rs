//! The subscriber: how subscriptions end, and which begin again (RFC 6665 §4.1.2.2 to §4.1.3).

use std::time::Duration;

use offhook_sip::{Subscription, SubscriptionEvent, SubscriptionLoss};
use offhook_sip_message::StatusCode;

use crate::{
    peer::{finish, is, notify, refresh, standing, status, subscribe, told, wanted},
    support::raw::{Raw, field, respond},
};

#[test]
fn unsubscribing_waits_for_the_last_notification() {
    let mut raw = Raw::new();
    let (id, first) = standing(&mut raw);
    raw.agent.unsubscribe(raw.now, id).unwrap();
    raw.agent.unsubscribe(raw.now, id).unwrap();
    let leave = raw.drain().remove(0);
    assert_eq!((field(&leave, "Expires"), field(&leave, "CSeq")), ("0", "2 SUBSCRIBE"));
    raw.send(&respond(&leave, "200 OK", "bob", "Expires: 0\n"));
    assert_eq!(status(&raw.send(&notify(&first, "bob", 2, "active;expires=5"))), 200, "crossing");
    assert!(matches!(told(&mut raw)[..], [(_, SubscriptionEvent::Notified { .. })]));
    let last = notify(&first, "bob", 3, "terminated;reason=timeout");
    assert_eq!(status(&raw.send(&last)), 200);
    let told = told(&mut raw);
    assert!(matches!(told[0].1, SubscriptionEvent::Notified { .. }));
    assert!(matches!(told[1].1, SubscriptionEvent::Ended { why: None }));
    assert_eq!(told.len(), 2);
    assert_eq!(raw.agent.unsubscribe(raw.now, id), Err(offhook_sip::Error::NoSubscription));
    finish(raw);
}

#[test]
fn a_notification_that_crosses_does_not_stand_for_the_last_one() {
    let mut raw = Raw::new();
    let (id, first) = standing(&mut raw);
    raw.agent.unsubscribe(raw.now, id).unwrap();
    let leave = raw.drain().remove(0);
    raw.send(&respond(&leave, "200 OK", "bob", "Expires: 0\n"));
    raw.send(&notify(&first, "bob", 2, "active;expires=3000"));
    raw.events.clear();
    raw.wait(32_100);
    assert!(matches!(told(&mut raw)[..], [(_, SubscriptionEvent::Ended { why: None })]));
    finish(raw);
}

#[test]
fn unsubscribing_ends_without_a_notification_too() {
    for answer in ["200 OK", "481 Gone", ""] {
        let mut raw = Raw::new();
        let (id, _) = standing(&mut raw);
        raw.agent.unsubscribe(raw.now, id).unwrap();
        let leave = raw.drain().remove(0);
        if !answer.is_empty() {
            raw.send(&respond(&leave, answer, "bob", ""));
        }
        raw.wait(32_100);
        assert!(matches!(told(&mut raw)[..], [(_, SubscriptionEvent::Ended { why: None })]));
        finish(raw);
    }
}

#[test]
fn who_leaves_before_the_first_notification_says_so_in_its_dialog() {
    let mut raw = Raw::new();
    let (id, sent) = subscribe(&mut raw, wanted());
    raw.agent.unsubscribe(raw.now, id).unwrap();
    assert!(raw.drain().is_empty(), "there is no dialog so far");
    raw.send(&respond(&sent, "200 OK", "bob", "Expires: 3600\n"));
    let out = raw.send(&notify(&sent, "bob", 1, "active;expires=3600"));
    assert_eq!(out.len(), 2, "{out:?}");
    assert_eq!(field(&out[1], "Expires"), "0");
    raw.send(&respond(&out[1], "200 OK", "bob", "Expires: 0\n"));
    raw.send(&notify(&sent, "bob", 2, "terminated;reason=timeout"));
    assert!(matches!(told(&mut raw).last(), Some((_, SubscriptionEvent::Ended { why: None }))));
    let (id, _) = subscribe(&mut raw, wanted());
    raw.agent.unsubscribe(raw.now, id).unwrap();
    raw.wait(33_000);
    assert!(matches!(told(&mut raw)[..], [(_, SubscriptionEvent::Ended { why: None })]));
    finish(raw);
}

#[test]
fn a_fetch_asks_for_no_time_and_ends_with_the_state() {
    let mut raw = Raw::new();
    let fetch = || Subscription { expires: Duration::ZERO, ..wanted() };
    let (_, sent) = subscribe(&mut raw, fetch());
    assert_eq!(field(&sent, "Expires"), "0");
    assert_eq!(status(&raw.send(&notify(&sent, "bob", 1, "terminated;reason=timeout"))), 200);
    let events = told(&mut raw);
    assert!(matches!(events[0].1, SubscriptionEvent::Notified { .. }));
    assert!(matches!(events[1].1, SubscriptionEvent::Ended { why: None }));
    raw.send(&respond(&sent, "200 OK", "bob", "Expires: 0\n"));
    assert!(raw.events.is_empty());
    let (_, sent) = subscribe(&mut raw, fetch());
    raw.send(&respond(&sent, "200 OK", "bob", "Expires: 0\n"));
    raw.wait(33_000);
    let events = told(&mut raw);
    let end = &events.last().unwrap().1;
    let missed = Some(SubscriptionLoss::NotNotified);
    assert!(
        matches!(end, SubscriptionEvent::Ended { why } if format!("{why:?}") == format!("{missed:?}"))
    );
    let (_, sent) = subscribe(&mut raw, fetch());
    raw.send(&respond(&sent, "404 Not Found", "bob", ""));
    assert!(matches!(
        told(&mut raw)[..],
        [(_, SubscriptionEvent::Ended { why: Some(SubscriptionLoss::Refused { .. }) })]
    ));
    finish(raw);
}

/// What becomes of a subscription that has stood for 100 s: `None`, it ends.
fn after(state: &str) -> Option<f64> {
    let mut raw = Raw::new();
    let (_, first) = standing(&mut raw);
    raw.wait(100_000);
    let out = raw.send(&notify(&first, "bob", 2, &format!("terminated{state}")));
    assert!(out[0].starts_with("SIP/2.0 200"));
    let told = told(&mut raw);
    assert!(matches!(told[0].1, SubscriptionEvent::Notified { .. }));
    assert_eq!(raw.agent.subscription_dialogs(), 0);
    match &told[1].1 {
        SubscriptionEvent::Lost { retry_in, .. } => {
            assert_eq!(out.len() == 2, retry_in.is_zero());
            let mut again = out;
            again.extend(raw.wait(u64::try_from(retry_in.as_millis()).unwrap() + 1));
            assert!(is(&again[1], "SUBSCRIBE"));
            assert_ne!(field(&again[1], "Call-ID"), field(&first, "Call-ID"));
            Some(retry_in.as_secs_f64())
        }
        SubscriptionEvent::Ended { why: Some(SubscriptionLoss::Terminated { .. }) } => {
            finish(raw);
            None
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_reason_says_whether_and_when_to_subscribe_again() {
    assert_eq!(after(";reason=deactivated"), Some(0.0));
    assert_eq!(after(";reason=deactivated;retry-after=60"), Some(0.0), "no semantics");
    assert_eq!(after(";reason=timeout"), Some(0.0));
    assert_eq!(after(";reason=rejected"), None);
    assert_eq!(after(";reason=noresource"), None);
    assert_eq!(after(";reason=invariant;retry-after=1"), None);
    assert_eq!(after(";reason=probation;retry-after=60"), Some(60.0));
    assert_eq!(after(";reason=giveup;retry-after=7"), Some(7.0));
    assert_eq!(after(";retry-after=9"), Some(9.0));
    assert_eq!(after(";reason=whim;retry-after=9"), Some(9.0));
    for state in [";reason=probation", ";reason=giveup", "", ";reason=whim"] {
        assert!(after(state).is_some_and(|wait| (30.0..=60.0).contains(&wait)), "{state}");
    }
    let day = Some(24.0 * 3600.0);
    assert_eq!(after(";reason=probation;retry-after=4294967295"), day, "nobody silences us");
}

#[test]
fn a_notifier_that_always_moves_is_not_asked_without_a_pause() {
    let mut raw = Raw::new();
    let (_, mut sent) = subscribe(&mut raw, wanted());
    let gone = "terminated;reason=deactivated";
    let out = raw.send(&notify(&sent, "bob", 1, gone));
    assert_eq!(out.len(), 2, "at once, the first time");
    sent.clone_from(&out[1]);
    assert_eq!(raw.send(&notify(&sent, "bob", 2, gone)).len(), 1, "but not again");
    assert!(matches!(told(&mut raw).last(), Some((_, SubscriptionEvent::Lost { retry_in, .. }))
        if *retry_in >= Duration::from_secs(30)));
}

#[test]
fn refusals_at_first_end_the_subscription_or_wait() {
    let first = |status: &str, more: &str| {
        let mut raw = Raw::new();
        let (_, sent) = subscribe(&mut raw, wanted());
        assert!(raw.send(&respond(&sent, status, "x", more)).is_empty());
        let told = told(&mut raw);
        match &told[..] {
            [(_, SubscriptionEvent::Lost { retry_in, .. })] => Some(retry_in.as_secs()),
            [(_, SubscriptionEvent::Ended { why: Some(_) })] => None,
            other => panic!("{other:?}"),
        }
    };
    for status in ["403 Forbidden", "404 Not Found", "405 No", "406 No", "489 Bad Event", "603 No"]
    {
        assert_eq!(first(status, ""), None, "{status}");
    }
    assert_eq!(first("489 Bad Event", "Retry-After: 5\n"), None);
    assert_eq!(first("404 Not Found", "Retry-After: 50\n"), Some(50));
    assert_eq!(first("503 Busy", "Retry-After: 50\n"), Some(50));
    for status in ["480 Away", "500 Oops", "504 Late"] {
        assert!(first(status, "").is_some_and(|wait| (30..=60).contains(&wait)), "{status}");
    }
}

#[test]
fn a_refresh_that_the_notifier_does_not_know_begins_anew() {
    let mut raw = Raw::new();
    let (_, first) = standing(&mut raw);
    let refused = refresh(&mut raw);
    let again = raw.send(&respond(&refused, "481 Gone", "bob", "")).remove(0);
    assert_ne!(field(&again, "Call-ID"), field(&first, "Call-ID"));
    assert!(!field(&again, "To").contains("tag"));
    let told = told(&mut raw);
    let [(_, SubscriptionEvent::Lost { why, retry_in })] = &told[..] else { panic!("{told:?}") };
    assert!(retry_in.is_zero());
    let SubscriptionLoss::Refused { status, .. } = why else { panic!("{why:?}") };
    assert_eq!(*status, StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST);
}

#[test]
fn a_refresh_that_fails_otherwise_leaves_the_subscription_until_it_expires() {
    let mut raw = Raw::new();
    let (_, first) = standing(&mut raw);
    let refused = refresh(&mut raw);
    raw.send(&respond(&refused, "500 Oops", "bob", ""));
    assert!(raw.events.is_empty());
    assert_eq!(status(&raw.send(&notify(&first, "bob", 2, "active"))), 200);
    raw.events.clear();
    let again = refresh(&mut raw);
    assert_eq!(field(&again, "Call-ID"), field(&first, "Call-ID"));
    let mut sent = again;
    while raw.events.is_empty() {
        raw.send(&respond(&sent, "500 Oops", "bob", ""));
        sent = raw.wait(1_000).pop().unwrap_or(sent);
    }
    let told = told(&mut raw);
    assert!(matches!(
        told[..],
        [(_, SubscriptionEvent::Lost { why: SubscriptionLoss::Expired, .. })]
    ));
    assert_ne!(field(&sent, "Call-ID"), field(&first, "Call-ID"));
}

#[test]
fn a_transport_that_fails_ends_the_try() {
    let mut raw = Raw::new();
    subscribe(&mut raw, wanted());
    raw.agent.transport_failed(raw.now, wanted().flow);
    raw.drain();
    assert!(matches!(told(&mut raw)[..], [(_, SubscriptionEvent::Lost { .. })]));
}
