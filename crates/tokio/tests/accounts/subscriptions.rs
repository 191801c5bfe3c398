//! Subscriptions on the wire, with peers that write their messages by hand.

use std::{net::SocketAddr, time::Duration};

use offhook_sip::Login;
use offhook_sip_message::{HeaderName, Method, StatusCode, ValidRequest};
use offhook_tokio::{
    EventPackage, SubscriberEnd, Subscription, SubscriptionFault, SubscriptionStatus,
};
use tokio::net::TcpListener;

use crate::{
    peer::{Peer, field, read},
    registrar::{Registrar, Ways},
    support::{builder, endpoint, uri, within},
};

const DIALOG: EventPackage = EventPackage::DIALOG;

/// A NOTIFY of the one who took `subscribe`, as a dialog with this tag.
fn notify(subscribe: &ValidRequest, near: &str, tag: &str, number: u32, state: &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(subscribe.as_bytes()).into_owned();
    let contact = field(&text, "Contact").trim_matches(['<', '>']).to_owned();
    let to = field(&text, "To").split(";tag=").next().unwrap().to_owned();
    let call: String =
        field(&text, "Call-ID").chars().filter(char::is_ascii_alphanumeric).collect();
    let body = format!("<n{number}/>");
    let lines = [
        format!("NOTIFY {contact} SIP/2.0"),
        format!("Via: SIP/2.0/{near};branch=z9hG4bK{call}{tag}{number};rport"),
        "Max-Forwards: 70".to_owned(),
        format!("From: {to};tag={tag}"),
        format!("To: {}", field(&text, "From")),
        format!("Call-ID: {}", field(&text, "Call-ID")),
        format!("CSeq: {number} NOTIFY"),
        format!("Contact: <sip:bob@{}>", near.split(' ').nth(1).unwrap()),
        format!("Event: {}", field(&text, "Event").split(';').next().unwrap()),
        format!("Subscription-State: {state}"),
        "Content-Type: application/dialog-info+xml".to_owned(),
        format!("Content-Length: {}\r\n\r\n{body}", body.len()),
    ];
    lines.join("\r\n").into_bytes()
}

/// Takes a SUBSCRIBE and tells a state.
async fn accept(peer: &Peer, subscribe: &ValidRequest, from: SocketAddr, expires: &str) {
    let reply = peer.reply(subscribe, StatusCode::OK).raw(HeaderName::EXPIRES, expires);
    peer.say(from, reply.build().unwrap().as_bytes()).await;
    tell(peer, subscribe, from, "peer", 1, &format!("active;expires={expires}")).await;
    peer.response(200).await;
}

async fn tell(
    peer: &Peer,
    subscribe: &ValidRequest,
    from: SocketAddr,
    tag: &str,
    number: u32,
    state: &str,
) {
    let near = format!("UDP {}", peer.address);
    peer.say(from, &notify(subscribe, &near, tag, number, state)).await;
}

async fn fault(subscription: &Subscription) -> SubscriptionFault {
    let lost = |status: &SubscriptionStatus| {
        !status.stands() && *status != SubscriptionStatus::Subscribing
    };
    match within(subscription.statuses().wait_for(lost)).await.unwrap().clone() {
        SubscriptionStatus::Lost { fault, .. } => fault,
        SubscriptionStatus::Ended { fault: Some(fault) } => fault,
        other => panic!("{other:?}"),
    }
}

fn text(request: &ValidRequest) -> String {
    String::from_utf8_lossy(request.as_bytes()).into_owned()
}

#[tokio::test]
async fn each_setting_of_a_subscription_is_on_the_wire() {
    let (peer, alice) = (Peer::new().await, endpoint("alice").await);
    let target = uri("bob", peer.address);
    let asking = alice
        .subscribe(&target, &DIALOG)
        .expires(Duration::from_secs(90))
        .accept("application/dialog-info+xml")
        .accept("text/plain")
        .event_id("7")
        .event_parameter("include-session-description", "yes")
        .body("application/simple-filter+xml", "<filter/>")
        .header(HeaderName::SUBJECT, "lamp 3");
    let subscription = asking.open().await.unwrap();
    let (subscribe, from) = peer.request(&Method::SUBSCRIBE).await;
    let sent = text(&subscribe);
    assert!(sent.starts_with(&format!("SUBSCRIBE {target} SIP/2.0")), "{sent}");
    assert_eq!(field(&sent, "Expires"), "90");
    assert_eq!(field(&sent, "Event"), "dialog;id=7;include-session-description=yes");
    for line in ["Accept: application/dialog-info+xml", "Accept: text/plain", "Subject: lamp 3"] {
        assert!(sent.contains(line), "{sent}");
    }
    assert_eq!(field(&sent, "Content-Type"), "application/simple-filter+xml");
    assert!(sent.ends_with("<filter/>"));

    // Without the id the notification is for nobody.
    peer.respond(from, &subscribe, StatusCode::OK, None).await;
    tell(&peer, &subscribe, from, "peer", 1, "active;expires=90").await;
    peer.response(481).await;
    drop(subscription);

    let asking = alice.subscribe(&target, &EventPackage::REG);
    let _reg = asking.open().await.unwrap();
    let sent = text(&peer.request(&Method::SUBSCRIBE).await.0);
    assert_eq!((field(&sent, "Event"), field(&sent, "Expires")), ("reg", "3761"));
    assert!(!sent.contains("Accept:"), "{sent}");
}

#[tokio::test]
async fn a_challenge_is_answered_with_the_logins_of_the_account_or_the_subscription() {
    let (peer, alice) = (Peer::new().await, endpoint("alice").await);
    let account = alice.account("sip:alice@example.com").without_registrar();
    let account = account.proxy(&format!("sip:{};lr", peer.address));
    let account = account.login(Login::new("example.com", "alice", "secret")).open().await.unwrap();
    let target = "sip:bob@example.com";
    let of_account = account.subscribe(target, &DIALOG).open().await.unwrap();
    let direct = uri("bob", peer.address);
    let login = Login::new("example.com", "alice2", "secret");
    for (user, by_proxy) in [("alice", true), ("alice2", false)] {
        let (first, from) = peer.request(&Method::SUBSCRIBE).await;
        assert_eq!(text(&first).contains("Route: "), by_proxy);
        let challenge = peer.reply(&first, StatusCode::UNAUTHORIZED).raw(
            HeaderName::WWW_AUTHENTICATE,
            "Digest realm=\"example.com\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"",
        );
        peer.say(from, challenge.build().unwrap().as_bytes()).await;
        let (again, from) = peer.request(&Method::SUBSCRIBE).await;
        let credentials = text(&again);
        assert!(field(&credentials, "Authorization").contains(&format!("username=\"{user}\"")));
        assert_eq!(field(&credentials, "From").contains("alice@example.com"), by_proxy);
        accept(&peer, &again, from, "600").await;
        if by_proxy {
            assert_eq!(within(of_account.next()).await.unwrap().text().unwrap(), "<n1/>");
            std::mem::forget(alice.subscribe(&direct, &DIALOG).login(login.clone()).open().await);
        }
    }
}

#[tokio::test]
async fn a_forked_subscription_tells_what_each_notifier_says_as_far_as_it_is_wanted() {
    let (peer, alice) = (Peer::new().await, endpoint("alice").await);
    let target = uri("bob", peer.address);
    let subscription = alice.subscribe(&target, &DIALOG).forks(1).open().await.unwrap();
    let (subscribe, from) = peer.request(&Method::SUBSCRIBE).await;
    accept(&peer, &subscribe, from, "600").await;
    tell(&peer, &subscribe, from, "second", 1, "active;expires=600").await;
    peer.response(200).await;
    tell(&peer, &subscribe, from, "third", 1, "active;expires=600").await;
    peer.response(481).await;
    let tags = [within(subscription.next()).await, within(subscription.next()).await];
    let tags = tags.map(|told| told.unwrap().notifier().to_owned());
    assert_eq!(tags, ["peer", "second"]);

    // The first is over for good, and the other one goes on.
    tell(&peer, &subscribe, from, "peer", 2, "terminated;reason=noresource").await;
    peer.response(200).await;
    within(subscription.next()).await.unwrap();
    tell(&peer, &subscribe, from, "second", 2, "active;expires=600").await;
    peer.response(200).await;
    assert_eq!(within(subscription.next()).await.unwrap().notifier(), "second");
    let ending = tokio::spawn(async move {
        subscription.unsubscribe().await.unwrap();
        subscription
    });
    let (leave, from) = peer.request(&Method::SUBSCRIBE).await;
    assert_eq!(field(&text(&leave), "Expires"), "0");
    assert!(field(&text(&leave), "To").ends_with(";tag=second"));
    peer.respond(from, &leave, StatusCode::OK, None).await;
    tell(&peer, &subscribe, from, "second", 3, "terminated;reason=timeout").await;
    let subscription = within(ending).await.unwrap();
    assert!(within(subscription.next()).await.is_some());
    assert!(within(subscription.next()).await.is_none());
}

#[tokio::test]
async fn a_notifier_that_has_forgotten_the_subscription_is_asked_anew() {
    let (peer, alice) = (Peer::new().await, endpoint("alice").await);
    let subscription = alice.subscribe(&uri("bob", peer.address), &DIALOG).open().await.unwrap();
    let (first, from) = peer.request(&Method::SUBSCRIBE).await;
    accept(&peer, &first, from, "600").await;
    within(subscription.next()).await.unwrap();
    subscription.refresh().await.unwrap();
    let (refresh, from) = peer.request(&Method::SUBSCRIBE).await;
    assert_eq!(field(&text(&refresh), "Call-ID"), field(&text(&first), "Call-ID"));
    let gone = StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST;
    peer.respond(from, &refresh, gone, None).await;
    let (anew, from) = peer.request(&Method::SUBSCRIBE).await;
    assert_ne!(field(&text(&anew), "Call-ID"), field(&text(&first), "Call-ID"));
    assert!(!field(&text(&anew), "To").contains(";tag="));
    accept(&peer, &anew, from, "600").await;
    within(subscription.next()).await.unwrap();
    within(subscription.subscribed()).await.unwrap();
}

#[tokio::test]
async fn a_notifier_that_is_not_there_or_tells_nothing_is_asked_again() {
    let (peer, alice) = (Peer::new().await, endpoint("alice").await);
    let target = uri("bob", peer.address);
    let subscription = alice.subscribe(&target, &DIALOG).open().await.unwrap();
    assert_eq!(fault(&subscription).await, SubscriptionFault::NotNotified);
    let calls = async |most: usize| {
        let mut calls = Vec::new();
        while calls.len() < most {
            let (subscribe, from) = peer.request(&Method::SUBSCRIBE).await;
            let call = field(&text(&subscribe), "Call-ID").to_owned();
            if calls.last().is_none_or(|(last, _, _)| *last != call) {
                calls.push((call, subscribe, from));
            }
        }
        calls.pop().unwrap()
    };
    // The second is accepted, and nothing follows; the third is told the state.
    let (_, second, from) = calls(2).await;
    peer.respond(from, &second, StatusCode::OK, None).await;
    let (_, third, from) = calls(2).await;
    assert_eq!(fault(&subscription).await, SubscriptionFault::NotNotified);
    accept(&peer, &third, from, "600").await;
    assert!(within(subscription.next()).await.is_some());
    assert_eq!(subscription.status(), SubscriptionStatus::Active);

    let silent = within(alice.subscribe(&target, &EventPackage::REG).fetch()).await;
    assert_eq!(silent.unwrap_err().to_string(), "not subscribed: nothing was told");
}

#[tokio::test]
async fn a_lost_connection_is_made_anew_and_the_subscription_refreshed_over_it() {
    let (mut office, alice) = (Registrar::tcp(Ways::default()).await, endpoint("alice").await);
    let target = format!("sip:bob@{};transport=tcp", office.address);
    let subscription = alice.subscribe(&target, &DIALOG).open().await.unwrap();
    let near = format!("TCP {}", office.address);
    let asked = office.heard_of(|text| text.starts_with("SUBSCRIBE")).await;
    let subscribe = read(asked.as_bytes()).unwrap();
    office.say(notify(&subscribe, &near, "peer", 1, "active;expires=600"));
    within(subscription.next()).await.unwrap();
    office.cut();
    let refresh = office.heard_of(|text| text.starts_with("SUBSCRIBE")).await;
    assert!(field(&refresh, "To").ends_with(";tag=peer"), "{refresh}");
    assert_eq!(field(&refresh, "Call-ID"), field(&asked, "Call-ID"));
    office.say(notify(&subscribe, &near, "peer", 2, "active;expires=600"));
    assert_eq!(within(subscription.next()).await.unwrap().text().unwrap(), "<n2/>");
    assert_eq!(subscription.status(), SubscriptionStatus::Active);
}

#[tokio::test]
async fn a_server_that_comes_back_is_asked_then() {
    let place = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = place.local_addr().unwrap();
    drop(place);
    let alice = endpoint("alice").await;
    let target = format!("sip:bob@{address};transport=tcp");
    let subscription = alice.subscribe(&target, &DIALOG).open().await.unwrap();
    let SubscriptionFault::Unreachable(_) = fault(&subscription).await else { panic!() };
    let fetched = within(alice.subscribe(&target, &DIALOG).fetch()).await;
    assert!(fetched.unwrap_err().to_string().contains("no notifier can be reached"));
    let listener = offhook_tokio::Listener::tcp(&address.to_string());
    let bob = builder("bob").event_packages([DIALOG]).listen(listener).start().await.unwrap();
    let subscriber = within(bob.subscriber()).await.unwrap();
    subscriber.accept("text/plain", "back").await.unwrap();
    assert_eq!(within(subscription.next()).await.unwrap().text().unwrap(), "back");
    drop(subscription);
    assert_eq!(within(subscriber.ended()).await.unwrap(), SubscriberEnd::Unsubscribed);
}

#[tokio::test]
async fn a_subscriber_that_answers_no_more_is_given_up() {
    let peer = Peer::new().await;
    let bob = builder("bob").event_packages([DIALOG]).bind("127.0.0.1:0").await.unwrap();
    let target = uri("bob", bob.local_address());
    let subscribe = peer.compose("SUBSCRIBE", 1, &target, "<sip:bob@127.0.0.1>");
    let subscribe =
        format!("{subscribe}\r\nEvent: dialog\r\nExpires: 60\r\nContent-Length: 0\r\n\r\n");
    peer.say(bob.local_address(), subscribe.as_bytes()).await;
    let subscriber = within(bob.subscriber()).await.unwrap();
    subscriber.accept("text/plain", "anybody?").await.unwrap();
    let end = within(subscriber.ended()).await.unwrap();
    assert_eq!(end, SubscriberEnd::Lost { status: StatusCode::REQUEST_TIMEOUT });
    assert!(subscriber.notify("text/plain", "nobody").await.is_err());
}

#[tokio::test]
async fn a_notification_is_challenged_and_told_again_as_the_account_it_is_for() {
    let registrar = Registrar::udp(Ways::default()).await;
    let bob = builder("bob").event_packages([DIALOG]).bind("127.0.0.1:0").await.unwrap();
    let account = bob.account("sip:bob@example.com").registrar(&registrar.uri());
    let account = account.login(Login::new("peers", "bob", "secret")).open().await.unwrap();
    let contact = within(account.registered()).await.unwrap().contact.to_string();
    let peer = Peer::new().await;
    let subscribe = peer.compose("SUBSCRIBE", 1, &contact, "<sip:bob@example.com>");
    let subscribe =
        format!("{subscribe}\r\nEvent: dialog\r\nExpires: 60\r\nContent-Length: 0\r\n\r\n");
    peer.say(bob.local_address(), subscribe.as_bytes()).await;
    let subscriber = within(bob.subscriber()).await.unwrap();
    assert_eq!(subscriber.account(), Some(account.id()));
    subscriber.accept("text/plain", "told").await.unwrap();
    let (told, from) = peer.request(&Method::NOTIFY).await;
    let challenge = peer.reply(&told, StatusCode::UNAUTHORIZED).raw(
        HeaderName::WWW_AUTHENTICATE,
        "Digest realm=\"peers\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"",
    );
    peer.say(from, challenge.build().unwrap().as_bytes()).await;
    let (again, from) = loop {
        let (again, from) = peer.request(&Method::NOTIFY).await;
        if text(&again).contains("Authorization: ") {
            break (again, from);
        }
    };
    assert!(field(&text(&again), "Authorization").contains("username=\"bob\""));
    peer.respond(from, &again, StatusCode::OK, None).await;
}
