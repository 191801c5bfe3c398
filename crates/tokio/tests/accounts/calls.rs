//! Calls under an account: its way, its contact, its logins.

use std::time::Instant;

use offhook_sansio::{Protocol, Random};
use offhook_sip::{Challenger, Login, Role, User, Verdict};
use offhook_sip_message::{HeaderName, Method, StatusCode};
use offhook_tokio::Listener;

use crate::{
    peer::{Peer, field, read, sdp},
    registrar::{Registrar, Ways},
    support::{builder, endpoint, within},
};

#[tokio::test]
async fn a_call_takes_the_service_route_from_the_registered_contact() {
    let proxy = Peer::new().await;
    let route = format!("<sip:{};lr>", proxy.address);
    let more = vec![(HeaderName::SERVICE_ROUTE, route.clone())];
    let registrar = Registrar::udp(Ways { more, ..Ways::default() }).await;
    let alice = endpoint("alice").await;
    let account = alice
        .account("sip:alice@example.com")
        .display_name("Alice")
        .registrar(&registrar.uri())
        // The service route takes its place.
        .proxy(&format!("sip:{};lr", registrar.address))
        .open()
        .await
        .unwrap();
    let registered = within(account.registered()).await.unwrap();
    let call = within(account.call("sip:bob@example.net")).await.unwrap();
    assert!(account.owns(&call));
    let (invite, from) = proxy.request(&Method::INVITE).await;
    let text = String::from_utf8_lossy(invite.as_bytes()).into_owned();
    assert!(text.starts_with("INVITE sip:bob@example.net SIP/2.0"), "{text}");
    assert_eq!(field(&text, "Route"), route);
    assert_eq!(text.matches("\r\nRoute:").count(), 1);
    assert!(field(&text, "From").starts_with("Alice <sip:alice@example.com>"));
    assert_eq!(field(&text, "Contact"), format!("<{}>", registered.contact));
    proxy.respond(from, &invite, StatusCode::OK, Some(&sdp(1, 4000, ""))).await;
    within(call.answered()).await.unwrap();
    proxy.request(&Method::ACK).await;
}

#[tokio::test]
async fn a_challenge_of_a_proxy_is_answered_with_the_logins_of_the_account() {
    let proxy = Peer::new().await;
    let alice = endpoint("alice").await;
    let account = alice
        .account("sip:alice@example.com")
        .without_registrar()
        .proxy(&format!("sip:{};lr", proxy.address))
        .login(Login::new("proxy.example", "alice", "secret"))
        .open()
        .await
        .unwrap();
    let mut random = Random::from_seed(3);
    let mut challenger = Challenger::new(Instant::now(), &mut random, Role::Proxy, "proxy.example");
    let known = |_: &offhook_sip::Claim| Some(User::with_password("alice", "secret"));
    // A call and a message, both challenged once.
    let call = within(account.call("tel:+15551234")).await.unwrap();
    let (first, from) = proxy.request(&Method::INVITE).await;
    let Verdict::Challenged(challenge) = challenger.check(Instant::now(), &first, known) else {
        panic!("no challenge")
    };
    let reply = challenge.reply_to(&first).to_tag("p").build().unwrap();
    proxy.say(from, reply.as_bytes()).await;
    let (second, _) = loop {
        let (invite, from) = proxy.request(&Method::INVITE).await;
        if invite.cseq() != first.cseq() {
            break (invite, from);
        }
    };
    let verdict = challenger.check(Instant::now(), &second, known);
    assert!(matches!(verdict, Verdict::Authenticated(_)), "{verdict:?}");
    assert_eq!(second.call_id(), first.call_id());
    proxy.respond(from, &second, StatusCode::BUSY_HERE, None).await;
    assert_eq!(within(call.ended()).await.unwrap().status(), Some(StatusCode::BUSY_HERE));

    let sent = tokio::spawn(async move { account.message("sip:bob@example.net", "hello").await });
    let (first, _) = proxy.request(&Method::MESSAGE).await;
    let Verdict::Challenged(challenge) = challenger.check(Instant::now(), &first, known) else {
        panic!("no challenge")
    };
    let reply = challenge.reply_to(&first).to_tag("p").build().unwrap();
    proxy.say(from, reply.as_bytes()).await;
    let second = loop {
        let (message, _) = proxy.request(&Method::MESSAGE).await;
        if message.cseq() != first.cseq() {
            break message;
        }
    };
    assert!(String::from_utf8_lossy(second.as_bytes()).contains("Proxy-Authorization: "));
    let ok = offhook_sip_message::Response::reply_to(&second, StatusCode::OK).to_tag("b");
    proxy.say(from, ok.build().unwrap().as_bytes()).await;
    within(sent).await.unwrap().unwrap();
}

#[tokio::test]
async fn calls_go_over_the_connection_of_the_registration_under_its_gruu() {
    let gruu = "sip:alice@example.com;gr=phone";
    let contact = format!(";pub-gruu=\"{gruu}\"");
    let mut registrar = Registrar::tcp(Ways { contact, ..Ways::default() }).await;
    let alice = endpoint("alice").await;
    let account = alice
        .account("sip:alice@example.com")
        .registrar(&registrar.uri())
        .instance("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6")
        .transport(Protocol::Tcp)
        .open()
        .await
        .unwrap();
    within(account.registered()).await.unwrap();
    // A name that nobody could resolve.
    let call = within(account.call("sip:bob@nowhere.invalid")).await.unwrap();
    let text = registrar.heard_of(|text| text.starts_with("INVITE")).await;
    assert_eq!(field(&text, "Contact"), format!("<{gruu}>"));
    let invite = read(text.as_bytes()).unwrap();
    let busy = offhook_sip_message::Response::reply_to(&invite, StatusCode::BUSY_HERE);
    registrar.say(busy.to_tag("b").build().unwrap().as_bytes().to_vec());
    assert_eq!(within(call.ended()).await.unwrap().status(), Some(StatusCode::BUSY_HERE));
    assert_eq!(alice.stream_statistics().connected, 1);

    let asked = tokio::spawn({
        let account = account.clone();
        async move { account.options("sip:bob@nowhere.invalid").await }
    });
    let text = registrar.heard_of(|text| text.starts_with("OPTIONS")).await;
    let options = read(text.as_bytes()).unwrap();
    let ok = offhook_sip_message::Response::reply_to(&options, StatusCode::OK).to_tag("b");
    registrar.say(ok.build().unwrap().as_bytes().to_vec());
    assert_eq!(within(asked).await.unwrap().unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn two_accounts_of_one_endpoint_keep_their_names_and_ways() {
    let (one, two) = (Peer::new().await, Peer::new().await);
    let alice = builder("nobody").listen(Listener::udp("127.0.0.1:0")).start().await.unwrap();
    for (name, proxy) in [("alice", &one), ("work", &two)] {
        let account = alice
            .account(&format!("sip:{name}@example.com"))
            .without_registrar()
            .proxy(&format!("sip:{};lr", proxy.address))
            .open()
            .await
            .unwrap();
        let call = within(account.call("sip:bob@example.net")).await.unwrap();
        let (invite, from) = proxy.request(&Method::INVITE).await;
        assert_eq!(invite.from().address.uri.to_string(), format!("sip:{name}@example.com"));
        proxy.respond(from, &invite, StatusCode::DECLINE, None).await;
        assert_eq!(within(call.ended()).await.unwrap().status(), Some(StatusCode::DECLINE));
    }
}
