//! Event subscriptions on both sides (RFC 6665).

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use offhook_core::{Config, Endpoint, Event};
use offhook_sansio::{Flow, Protocol, Random};
use offhook_sip::{
    Body, EventPackage, Login, Registration, SubscriberEnd, SubscriberEvent, SubscriberId,
    Subscription, SubscriptionEvent, SubscriptionLoss,
};
use offhook_sip_message::{
    Contact, EventReason, Header, HeaderName, Method, NameAddr, Response, StatusCode,
    SubscriptionState, Substate,
};
use offhook_testkit::{Happened, Impairment, Network};

use crate::peer::{Desk, config, ours, theirs};

const MWI: EventPackage = EventPackage::MESSAGE_SUMMARY;

fn body(text: &str) -> Option<Body> {
    Some(Body { content_type: "text/plain".into(), content: text.to_owned().into() })
}

fn serving() -> Config {
    let mut config = config();
    config.sip.event_packages = vec![MWI];
    config
}

/// The peer subscribes, with its request to `uri`.
fn asked(desk: &mut Desk, uri: &str, call: &str) -> (SubscriberId, Event) {
    let subscribe = desk.compose(&Method::SUBSCRIBE).uri(&uri.parse().unwrap());
    let subscribe = subscribe.remove(HeaderName::CALL_ID).raw(HeaderName::CALL_ID, call);
    let subscribe = subscribe.raw(HeaderName::EVENT, "message-summary");
    desk.send(subscribe.raw(HeaderName::EXPIRES, "600").build().unwrap().as_bytes());
    match desk.event() {
        event @ Event::Subscriber { subscriber, .. } => (subscriber, event),
        other => panic!("{other:?}"),
    }
}

/// Takes the next NOTIFY and answers it; gives its state and text.
fn told(desk: &mut Desk) -> (SubscriptionState, String) {
    let notify = desk.request(&Method::NOTIFY);
    desk.respond(&notify, StatusCode::OK, None);
    let state = notify.header::<SubscriptionState>().unwrap().unwrap();
    (state, String::from_utf8_lossy(&notify.body()).into_owned())
}

fn end(desk: &mut Desk, id: SubscriberId) -> SubscriberEnd {
    match desk.event() {
        Event::Subscriber { subscriber, event, registration: None } if subscriber == id => {
            match *event {
                SubscriberEvent::Ended { end } => end,
                other => panic!("{other:?}"),
            }
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_who_subscribes_is_told_each_state_until_the_end() {
    let mut desk = Desk::with(serving());
    let (id, event) = asked(&mut desk, "sip:alice@192.0.2.1", "one");
    let Event::Subscriber { event, registration: None, .. } = event else { panic!("{event:?}") };
    let SubscriberEvent::Requested { expires, .. } = *event else { panic!("{event:?}") };
    assert_eq!(expires, Duration::from_secs(600));
    let (now, minute) = (desk.now, Duration::from_secs(60));
    assert!(desk.endpoint.notify(now, id, None).is_err(), "it was not accepted");
    desk.endpoint.pend_subscription(now, id, Some(minute), None).unwrap();
    desk.drain();
    desk.response(StatusCode::OK);
    let (state, text) = told(&mut desk);
    assert_eq!(
        (state.state.clone(), state.expires(), text.as_str()),
        (Substate::Pending, Some(60), "")
    );
    desk.endpoint.activate_subscription(now, id, body("zero")).unwrap();
    desk.endpoint.notify(now, id, body("one")).unwrap();
    desk.drain();
    assert_eq!(told(&mut desk).1, "zero");
    assert_eq!(told(&mut desk).1, "one");
    let (reason, wait) = (EventReason::Probation, Some(minute));
    desk.endpoint.terminate_subscription(now, id, reason, wait, body("last")).unwrap();
    desk.drain();
    let (state, text) = told(&mut desk);
    assert_eq!((state.state.clone(), text.as_str()), (Substate::Terminated, "last"));
    assert_eq!((state.reason(), state.retry_after()), (Some(EventReason::Probation), Some(60)));
    assert_eq!(end(&mut desk, id), SubscriberEnd::Terminated);
    assert!(desk.endpoint.notify(now, id, None).is_err(), "it is over");
    assert_eq!(desk.endpoint.agent().live_subscriptions(), 0);
    desk.check_empty();
}

#[test]
fn one_who_subscribes_may_be_refused_or_never_answered() {
    let mut desk = Desk::with(serving());
    let (id, _) = asked(&mut desk, "sip:alice@192.0.2.1", "refused");
    let later = [(HeaderName::RETRY_AFTER, "60".into())];
    desk.endpoint.reject_subscription(desk.now, id, StatusCode::FORBIDDEN, &later).unwrap();
    desk.drain();
    let refused = desk.response(StatusCode::FORBIDDEN);
    assert!(String::from_utf8_lossy(refused.as_bytes()).contains("Retry-After: 60\r\n"));
    let status = StatusCode::FORBIDDEN;
    assert_eq!(end(&mut desk, id), SubscriberEnd::Refused { status });

    let (id, _) = asked(&mut desk, "sip:alice@192.0.2.1", "left");
    desk.wait(Duration::from_secs(17));
    let status = StatusCode::TEMPORARILY_UNAVAILABLE;
    assert_eq!(end(&mut desk, id), SubscriberEnd::Refused { status });
    assert!(desk.endpoint.accept_subscription(desk.now, id, None, None).is_err());
    desk.inbox.clear();

    let other = desk.compose(&Method::SUBSCRIBE).raw(HeaderName::EVENT, "presence");
    desk.send(other.build().unwrap().as_bytes());
    let refused = desk.response(StatusCode::BAD_EVENT);
    let text = String::from_utf8_lossy(refused.as_bytes()).into_owned();
    assert!(text.contains("Allow-Events: message-summary\r\n"), "{text}");
    desk.check_empty();
}

#[test]
fn a_subscription_is_for_the_registration_that_it_names_and_answers_challenges_to_it() {
    let mut desk = Desk::with(serving());
    let aor: NameAddr = NameAddr::new("sip:carol@example.com".parse().unwrap());
    let registration =
        Registration::new("sip:example.com".parse().unwrap(), aor, Flow::udp(ours(), theirs()));
    let account = desk.endpoint.register(desk.now, registration).unwrap();
    desk.drain();
    let register = desk.request(&Method::REGISTER);
    let mut contact = String::new();
    register.headers_of::<Contact>().flatten().next().unwrap().write(&mut contact);
    let granted = Response::reply_to(&register, StatusCode::OK).to_tag("r");
    let granted = granted.raw(HeaderName::CONTACT, &format!("{contact};expires=600"));
    desk.send(granted.build().unwrap().as_bytes());
    desk.event();
    let uri = desk.endpoint.registered(account).unwrap().contact.to_string();
    let (id, event) = asked(&mut desk, &uri, "named");
    let Event::Subscriber { registration, .. } = event else { panic!("{event:?}") };
    assert_eq!(registration, Some(account));

    let now = desk.now;
    let logins = vec![Login::new("peers", "carol", "secret")];
    desk.endpoint.log_in_subscription(now, id, logins).unwrap();
    desk.endpoint.accept_subscription(now, id, None, body("x")).unwrap();
    desk.drain();
    desk.response(StatusCode::OK);
    let notify = desk.request(&Method::NOTIFY);
    let digest = "Digest realm=\"peers\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"";
    let challenge = Response::reply_to(&notify, StatusCode::UNAUTHORIZED);
    let challenge = challenge.raw(HeaderName::WWW_AUTHENTICATE, digest).build().unwrap();
    desk.send(challenge.as_bytes());
    let again = desk.request(&Method::NOTIFY);
    let text = String::from_utf8_lossy(again.as_bytes()).into_owned();
    assert!(text.contains("username=\"carol\""), "{text}");
    desk.respond(&again, StatusCode::OK, None);
}

#[test]
fn what_nobody_answers_is_lost_asked_again_elsewhere_and_ended() {
    let mut desk = Desk::new();
    let identity = config().identity;
    let flow = Flow::udp(ours(), theirs());
    let target = "sip:bob@198.51.100.7:5070".parse().unwrap();
    let wanted = Subscription::new(target, MWI.event(), identity, flow);
    let id = desk.endpoint.subscribe(desk.now, wanted).unwrap();
    desk.drain();
    let first = desk.request(&Method::SUBSCRIBE);
    desk.wait(Duration::from_secs(33));
    let Event::Subscription { subscription, event } = desk.event() else { panic!() };
    let lost = matches!(*event, SubscriptionEvent::Lost { why: SubscriptionLoss::NotNotified, .. });
    assert!(lost && subscription == id, "{event:?}");
    desk.inbox.clear();

    let other = Flow::udp(ours(), "198.51.100.8:5060".parse().unwrap());
    desk.endpoint.retarget_subscription(desk.now, id, other).unwrap();
    desk.endpoint.refresh_subscription(desk.now, id).unwrap();
    desk.drain();
    assert_eq!(desk.last_flow, Some(other));
    let again = desk.request(&Method::SUBSCRIBE);
    assert_ne!(again.call_id(), first.call_id(), "RFC 6665 §4.1.2.2");
    desk.endpoint.unsubscribe(desk.now, id).unwrap();
    desk.wait(Duration::from_secs(33));
    let Event::Subscription { event, .. } = desk.event() else { panic!() };
    assert!(matches!(*event, SubscriptionEvent::Ended { why: None }), "{event:?}");
    assert!(desk.endpoint.unsubscribe(desk.now, id).is_err(), "it is over");
    desk.check_empty();
}

/// What was seen on both sides of a bad wire.
#[derive(Debug, Default)]
struct Seen {
    told: Vec<String>,
    refreshed: u32,
    ends: Vec<SubscriberEnd>,
    over: u32,
}

#[test]
fn a_subscription_survives_a_bad_wire() {
    for seed in 1..=20 {
        let start = Instant::now();
        let [a, b]: [SocketAddr; 2] =
            ["192.0.2.1:5060", "192.0.2.2:5060"].map(|address| address.parse().unwrap());
        let make = |user: &str, address, seed| {
            let mut config = Config::new(format!("sip:{user}@{address}").parse().unwrap());
            config.sip.event_packages = vec![MWI];
            let mut endpoint = Endpoint::new(start, config, Random::from_seed(seed));
            endpoint.listen(Protocol::Udp, address, address);
            endpoint
        };
        let mut network = Network::new(start, seed).audited();
        let alice = network.host(make("alice", a, seed), &[a.ip()]);
        let bob = network.host(make("bob", b, seed + 100), &[b.ip()]);
        let delay = Duration::from_millis(30);
        let jitter = Duration::from_millis(20);
        let wire = Impairment { delay, jitter, loss: 0.1, duplication: 0.05, ..Impairment::NONE };
        network.link(alice, bob, wire);
        let wanted = Subscription {
            expires: Duration::from_secs(90),
            ..Subscription::new(
                format!("sip:bob@{b}").parse().unwrap(),
                MWI.event(),
                NameAddr::new("sip:alice@example.com".parse().unwrap()),
                Flow::udp(a, b),
            )
        };
        let id = network.tell(alice, |endpoint, now| endpoint.subscribe(now, wanted)).unwrap();
        let (mut seen, mut subscriber) = (Seen::default(), None);
        for number in 1..=30 {
            let until = network.now() + Duration::from_secs(15);
            network.run_until(until, |it| note(it, &mut seen, &mut subscriber)).unwrap();
            if let Some(subscriber) = subscriber {
                let text = body(&number.to_string());
                network.tell(bob, |bob, now| bob.notify(now, subscriber, text)).unwrap();
            }
        }
        let until = network.now() + Duration::from_secs(40);
        network.run_until(until, |it| note(it, &mut seen, &mut subscriber)).unwrap();
        network.tell(alice, |alice, now| alice.unsubscribe(now, id)).unwrap();
        let limit = network.now() + Duration::from_secs(600);
        network.run_until_idle(limit, |it| note(it, &mut seen, &mut subscriber)).unwrap();
        // Each refresh has told the state of before once more.
        seen.told.dedup();
        let all: Vec<_> = (0..=30).map(|number| number.to_string()).collect();
        assert_eq!(seen.told, all, "seed {seed}");
        assert!(seen.refreshed >= 4, "seed {seed}: {seen:?}");
        assert_eq!(
            (seen.ends.as_slice(), seen.over),
            ([SubscriberEnd::Unsubscribed].as_slice(), 1)
        );
        assert_eq!(network.audit(), [], "seed {seed}");
        for (_, host) in network.hosts() {
            let agent = host.agent();
            assert_eq!((agent.live_subscriptions(), agent.live_transactions()), (0, 0));
            assert_eq!(agent.subscription_dialogs(), 0);
        }
    }
}

fn note(it: Happened<'_, Endpoint>, seen: &mut Seen, subscriber: &mut Option<SubscriberId>) {
    match it.event {
        Event::Subscriber { subscriber: id, event, .. } => match *event {
            SubscriberEvent::Requested { .. } => {
                assert_eq!(subscriber.replace(id), None, "it subscribes once");
                it.machine.accept_subscription(it.now, id, None, body("0")).unwrap();
            }
            SubscriberEvent::Refreshed { .. } => seen.refreshed += 1,
            SubscriberEvent::Ended { end } => seen.ends.push(end),
        },
        Event::Subscription { event, .. } => match *event {
            SubscriptionEvent::Notified { request, .. } => {
                seen.told.push(String::from_utf8_lossy(&request.body()).into_owned());
            }
            SubscriptionEvent::Ended { why: None } => seen.over += 1,
            SubscriptionEvent::Accepted { .. } => {}
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}
