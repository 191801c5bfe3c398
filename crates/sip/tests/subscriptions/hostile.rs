//! What nobody has asked for, and what makes no sense (RFC 6665 §4.1.3, RFC 3261 §12.2.2).

use offhook_sip::{Config, Event, EventPackage};
use offhook_sip_message::Method;

use crate::{
    peer::{
        asks, finish, notifier, notify, notify_of, standing, status, subscribe, telling, wanted,
    },
    support::raw::{Raw, field, fields, request},
};

#[test]
fn a_notify_for_nothing_is_refused() {
    let mut raw = Raw::new();
    let more = "Event: dialog\nSubscription-State: active;expires=60\n";
    assert_eq!(status(&raw.send(&request("NOTIFY", "z9hG4bK1", 1, "nobody", more))), 481);
    assert_eq!(status(&raw.send(&request("NOTIFY", "z9hG4bK2", 1, "", more))), 481);
    assert_eq!(raw.agent.live_transactions(), 0, "nothing is kept of strangers");
    let (_, sent) = subscribe(&mut raw, wanted());
    let other = notify(&sent, "bob", 1, "active").replace(field(&sent, "Call-ID"), "other");
    assert_eq!(status(&raw.send(&other)), 481);
    assert!(raw.events.is_empty());
}

#[test]
fn a_notify_that_says_too_little_is_refused_and_changes_nothing() {
    let mut raw = Raw::new();
    let (_, sent) = subscribe(&mut raw, wanted());
    let refused = |raw: &mut Raw, more: &str| status(&raw.send(&notify_of(&sent, "bob", 1, more)));
    assert_eq!(refused(&mut raw, "Subscription-State: active\n"), 489, "no Event");
    assert_eq!(refused(&mut raw, "Event: ;x\nSubscription-State: active\n"), 400);
    assert_eq!(refused(&mut raw, "Event: dialog\n"), 400, "no state");
    assert_eq!(refused(&mut raw, "Event: dialog\nSubscription-State: ;x\n"), 400);
    let state = "Subscription-State: active;expires=60\n";
    assert_eq!(refused(&mut raw, &format!("Event: presence\n{state}")), 489);
    assert_eq!(refused(&mut raw, &format!("Event: Dialog\n{state}")), 489, "octet by octet");
    assert_eq!(refused(&mut raw, &format!("Event: dialog;id=1\n{state}")), 481);
    let lost = notify(&sent, "bob", 1, "active;expires=60");
    let (before, after) = lost.split_once("Contact: ").unwrap();
    let lost = format!("{before}{}", after.split_once('\n').unwrap().1);
    assert_eq!(status(&raw.send(&lost)), 400, "nobody could be asked to refresh");
    assert!(raw.events.is_empty());
    assert_eq!(raw.agent.subscription_dialogs(), 0);
    assert_eq!(refused(&mut raw, &format!("Event: dialog\n{state}")), 200);
}

#[test]
fn numbers_that_are_out_of_order_are_refused() {
    let mut raw = Raw::new();
    let (_, sent) = standing(&mut raw);
    assert_eq!(status(&raw.send(&notify(&sent, "bob", 5, "active"))), 200);
    assert_eq!(status(&raw.send(&notify(&sent, "bob", 4, "terminated"))), 500);
    raw.events.clear();
    assert_eq!(status(&raw.send(&notify(&sent, "bob", 5, "active"))), 200, "a repetition");
    assert!(raw.events.is_empty(), "is told once");
}

#[test]
fn a_notify_that_found_no_room_is_welcome_later() {
    let mut raw = Raw::with(Config { max_calls: 1, max_transactions: 2, ..Config::default() });
    let (_, sent) = standing(&mut raw);
    raw.wait(33_000);
    let told = |cseq| notify(&sent, "bob", cseq, "active;expires=3000");
    assert_eq!(status(&raw.send(&told(2))), 200);
    assert_eq!(status(&raw.send(&told(3))), 200);
    assert_eq!(status(&raw.send(&told(4))), 200);
    let full = raw.send(&told(5));
    assert_eq!(status(&full), 503);
    assert!(!field(&full[0], "Retry-After").is_empty());
    raw.wait(33_000);
    assert_eq!(status(&raw.send(&told(5))), 200, "its number was not taken");
}

#[test]
fn a_notify_in_the_dialog_of_a_call_that_has_asked_for_nothing_is_refused() {
    let mut raw = Raw::new();
    raw.send(&request("INVITE", "z9hG4bKi", 1, "", ""));
    let call = raw.incoming();
    raw.agent.answer(raw.now, call, None).unwrap();
    let tag = crate::support::raw::tag_of(&raw.drain()[0]);
    raw.send(&request("ACK", "z9hG4bKa", 1, &tag, ""));
    let more = "Event: refer\nSubscription-State: active;expires=60\n";
    assert_eq!(status(&raw.send(&request("NOTIFY", "z9hG4bKn", 2, &tag, more))), 481);
    assert_eq!(status(&raw.send(&request("NOTIFY", "z9hG4bKm", 2, &tag, more))), 500);
    assert_eq!(status(&raw.send(&request("BYE", "z9hG4bKb", 3, &tag, ""))), 200);
    finish(raw);
}

#[test]
fn what_is_switched_off_is_not_allowed_and_what_the_owner_answers_is_its_own() {
    let allow = vec![Method::INVITE];
    let mut raw = Raw::with(Config { allow, ..Config::default() });
    assert_eq!(status(&raw.send(&asks(1, "Event: presence\n"))), 405);
    let mut raw = Raw::new();
    let refer = request("REFER", "z9hG4bKr", 1, "", "Refer-To: <sip:carol@example.org>\n");
    let refused = raw.send(&refer);
    assert_eq!(status(&refused), 405);
    assert!(!field(&refused[0], "Allow").contains("REFER"));
    let answered_by_owner = vec![Method::NOTIFY, Method::REFER, Method::SUBSCRIBE];
    let config = Config { answered_by_owner, ..telling(&[EventPackage::PRESENCE]) };
    let mut raw = Raw::with(config);
    let unsolicited = "Event: message-summary\nSubscription-State: active\n";
    raw.send(&request("NOTIFY", "z9hG4bKn", 1, "", unsolicited));
    raw.send(&refer);
    raw.send(&asks(3, "Event: dialog\n"));
    assert_eq!(raw.events.len(), 3);
    assert!(raw.events.iter().all(|event| matches!(event, Event::Requested { .. })));
    raw.send(&asks(4, "Event: presence\n").replace("call-1", "call-2"));
    assert!(matches!(raw.events[3], Event::Subscriber { .. }), "this package is ours");
    let (_, sent) = subscribe(&mut raw, wanted());
    assert_eq!(status(&raw.send(&notify(&sent, "bob", 1, "active;expires=60"))), 200);
    assert!(matches!(raw.events[4], Event::Subscription { .. }));
    let options = raw.send(&request("OPTIONS", "z9hG4bKo", 9, "", ""));
    assert_eq!(field(&options[0], "Allow").matches("REFER").count(), 1);
    assert_eq!(fields(&options[0], "Allow-Events"), ["presence"]);
}

#[test]
fn a_peer_cannot_fill_a_dialog_with_subscriptions() {
    let mut raw = notifier();
    raw.send(&request("INVITE", "z9hG4bKi", 1, "", ""));
    let call = raw.incoming();
    raw.agent.answer(raw.now, call, None).unwrap();
    let tag = crate::support::raw::tag_of(&raw.drain()[0]);
    raw.send(&request("ACK", "z9hG4bKa", 1, &tag, ""));
    let taken = (2..100).take_while(|number| {
        let more = format!("Event: dialog;id={number}\nExpires: 600\n");
        let branch = format!("z9hG4bKs{number}");
        raw.send(&request("SUBSCRIBE", &branch, *number, &tag, &more)).is_empty()
    });
    assert_eq!(taken.count(), 16);
    assert_eq!(status(&raw.send(&request("BYE", "z9hG4bKb", 200, &tag, ""))), 200);
    finish(raw);
}

#[test]
fn truncated_messages_leave_nothing_behind() {
    let mut raw = notifier();
    let (_, sent) = subscribe(&mut raw, wanted());
    let whole = notify(&sent, "bob", 1, "active;expires=60").replace('\n', "\r\n");
    for length in 0..whole.len() {
        raw.send_bytes(&whole.as_bytes()[..length]);
    }
    let whole = asks(1, "Event: presence\nExpires: 60\n").replace('\n', "\r\n");
    for length in 0..whole.len() {
        raw.send_bytes(&whole.as_bytes()[..length]);
    }
    assert!(raw.agent.live_subscriptions() <= 2);
}
